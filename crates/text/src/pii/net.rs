//! Network addresses: IPv4, IPv6, MAC, URL.

use std::{net::Ipv6Addr, ops::Range};

use bartizan_core::Severity;

use super::recogniser::{Recogniser, by_grammar, rule};
use super::words::at;

/// IPv4 and IPv6 addresses.
pub(super) static IP: Recogniser = Recogniser {
    rule: rule("pii.ip-address", "IP address", "IP_ADDRESS", Severity::Low),
    shapes: &[],
    check: by_grammar,
    plausible: 0.7,
    valid: 0.7,
    context: &[
        "ip",
        "ipv4",
        "ipv6",
        "ip address",
        "ip addr",
        "ip-adresse",
        "adresse ip",
        "direccion ip",
        "indirizzo ip",
        "endereco ip",
        "client ip",
        "remote addr",
        "remote_addr",
        "host",
        "server at",
        "source address",
        "src",
        "dst",
        "gateway",
        "dns",
        "peer",
        "ip-адрес",
        "ipアドレス",
        "ip地址",
    ],
};

/// Hardware addresses.
pub(super) static MAC: Recogniser = Recogniser {
    rule: rule(
        "pii.mac-address",
        "hardware (MAC) address",
        "MAC_ADDRESS",
        Severity::Low,
    ),
    shapes: &[],
    check: by_grammar,
    plausible: 0.8,
    valid: 0.9,
    context: &[
        "mac",
        "mac address",
        "mac-adresse",
        "adresse mac",
        "direccion mac",
        "bssid",
        "hwaddr",
        "ethernet",
        "bluetooth",
    ],
};

/// Web addresses; off unless asked for.
pub(super) static URL: Recogniser = Recogniser {
    rule: rule("pii.url", "web address", "URL", Severity::Info),
    shapes: &[],
    check: by_grammar,
    plausible: 0.6,
    valid: 0.9,
    context: &["url", "website", "homepage"],
};

/// Bytes of a web address.
pub(super) const MAX_URL: usize = 2048;

/// How much an address says about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reachable {
    /// It leads somewhere.
    Yes,
    /// Loopback, unspecified, broadcast, or a net mask.
    No,
}

/// Four numbers up to 255 without leading zeros.
pub(super) fn ipv4(text: &[u8], start: usize) -> Option<(usize, Reachable)> {
    let mut end = start;
    let mut octets = [0_u8; 4];
    for (index, octet) in octets.iter_mut().enumerate() {
        if index > 0 {
            if at(text, end) != b'.' {
                return None;
            }
            end += 1;
        }
        let from = end;
        while end - from < 4 && at(text, end).is_ascii_digit() {
            end += 1;
        }
        let digits = text.get(from..end)?;
        if digits.len() > 1 && digits.first() == Some(&b'0') {
            return None;
        }
        let value = digits
            .iter()
            .fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
        if digits.is_empty() {
            return None;
        }
        *octet = u8::try_from(value).ok()?;
    }
    let next = at(text, end);
    let longer = next.is_ascii_alphanumeric()
        || next == b'_'
        || (matches!(next, b'.' | b'-') && at(text, end + 1).is_ascii_alphanumeric());
    if longer {
        return None;
    }
    let nowhere = matches!(octets, [0, ..] | [127, 0, ..] | [255, 255, ..]);
    Some((
        end,
        if nowhere {
            Reachable::No
        } else {
            Reachable::Yes
        },
    ))
}

/// The run of hex digits and colons around `index`, when it is an IPv6 address.
pub(super) fn ipv6(text: &[u8], index: usize) -> Option<(Range<usize>, Reachable)> {
    let belongs = |byte: u8| byte.is_ascii_hexdigit() || byte == b':';
    let floor = index.saturating_sub(40);
    let mut start = index;
    while start > floor && belongs(at(text, start - 1)) {
        start -= 1;
    }
    let mut end = index;
    while end - start <= 40 && belongs(at(text, end)) {
        end += 1;
    }
    // `12:30:05` is no address: there are seven colons, or two together.
    let run = text.get(start..end)?;
    let colons = run.iter().filter(|byte| **byte == b':').count();
    if colons < 6 && !run.windows(2).any(|pair| pair == b"::") {
        return None;
    }
    // `::ffff:192.0.2.1`
    if at(text, end) == b'.'
        && let Some(colon) = text
            .get(start..end)
            .and_then(|run| memchr::memrchr(b':', run))
        && let Some((last, _)) = ipv4(text, start + colon + 1)
    {
        end = last;
    }
    let mut run = text.get(start..end)?;
    // `ip:fe80::1` and `fe80::1:` carry a colon that is not theirs.
    if run.last() == Some(&b':') && !run.ends_with(b"::") {
        end -= 1;
        run = text.get(start..end)?;
    }
    if run.first() == Some(&b':') && !run.starts_with(b"::") {
        start += 1;
        run = text.get(start..end)?;
    }
    let before = start.checked_sub(1).map_or(b' ', |index| at(text, index));
    let after = at(text, end);
    if before.is_ascii_alphanumeric()
        || matches!(before, b'_' | b'.')
        || after.is_ascii_alphanumeric()
        || after == b'_'
    {
        return None;
    }
    let address: Ipv6Addr = std::str::from_utf8(run).ok()?.parse().ok()?;
    let groups = run
        .split(|byte| *byte == b':')
        .filter(|group| !group.is_empty())
        .count();
    // `a::b1` is a path in source code.
    let scoped = matches!(address.segments(), [0x2000..=0x3fff | 0xfc00..=0xffff, ..]);
    let mapped = run.contains(&b'.');
    if groups < 3 && !scoped && !mapped {
        return (address.is_loopback()).then_some((start..end, Reachable::No));
    }
    let nowhere = address.is_loopback() || address.is_unspecified();
    Some((
        start..end,
        if nowhere {
            Reachable::No
        } else {
            Reachable::Yes
        },
    ))
}

/// Six pairs of hex digits around the run `index..end` joined by one kind of `:` or `-`, or three
/// groups of four joined by `.`.
#[inline]
pub(super) fn mac(text: &[u8], index: usize, end: usize) -> Option<Range<usize>> {
    let (before, next) = (at(text, index.wrapping_sub(1)), at(text, end));
    match end - index {
        2 if matches!(before, b':' | b'-') || matches!(next, b':' | b'-') => {
            mac_around(text, index, 3)
        }
        4 if before == b'.' || next == b'.' => mac_around(text, index, 5),
        _ => None,
    }
}

/// The address of which a group starts at `index`; groups start `step` bytes apart.
fn mac_around(text: &[u8], index: usize, step: usize) -> Option<Range<usize>> {
    // The first group is at most five, or two, groups to the left.
    let groups = if step == 3 { 5 } else { 2 };
    let joined = |start: usize| {
        text.get(start - step..start)
            .and_then(<[u8]>::split_last)
            .is_some_and(|(sign, group)| {
                matches!(sign, b':' | b'-' | b'.') && group.iter().all(u8::is_ascii_hexdigit)
            })
    };
    let mut left = 0;
    while left < groups && index >= (left + 1) * step && joined(index - left * step) {
        left += 1;
    }
    (0..=left)
        .rev()
        .find_map(|left| mac_at(text, index - left * step))
}

fn mac_at(text: &[u8], start: usize) -> Option<Range<usize>> {
    let sign = if at(text, start + 4) == b'.' {
        b'.'
    } else {
        at(text, start + 2)
    };
    let (width, groups) = match sign {
        b':' | b'-' => (2, 6),
        b'.' => (4, 3),
        _ => return None,
    };
    let end = start + (width + 1) * groups - 1;
    let run = text.get(start..end)?;
    let fits = run.iter().enumerate().all(|(index, byte)| {
        if index % (width + 1) == width {
            *byte == sign
        } else {
            byte.is_ascii_hexdigit()
        }
    });
    if !fits {
        return None;
    }
    let before = start.checked_sub(1).map_or(b' ', |index| at(text, index));
    let after = at(text, end);
    // `MAC:` ends with two hex digits as well, but those are no group.
    let group_before = before == sign
        && start > 2
        && text
            .get(start - 3..start - 1)
            .is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit))
        && !start
            .checked_sub(4)
            .is_some_and(|index| at(text, index).is_ascii_alphanumeric());
    let attached = before.is_ascii_alphanumeric()
        || after.is_ascii_alphanumeric()
        || (after == sign && at(text, end + 1).is_ascii_hexdigit())
        || group_before;
    let uniform = run
        .iter()
        .all(|byte| *byte == sign || Some(byte) == run.first());
    // Four digits in three groups are as well an amount or a version.
    let telling = width == 2 || run.iter().any(u8::is_ascii_alphabetic);
    (!attached && telling && !uniform).then_some(start..end)
}

/// The address around `://` at byte `sign`.
pub(super) fn url(text: &[u8], sign: usize) -> Option<Range<usize>> {
    let floor = sign.saturating_sub(16);
    let mut start = sign;
    while start > floor
        && (at(text, start - 1).is_ascii_alphanumeric()
            || matches!(at(text, start - 1), b'+' | b'-'))
    {
        start -= 1;
    }
    let mut end = sign + 3;
    while end - start < MAX_URL
        && !matches!(
            at(text, end),
            0..=b' ' | b'"' | b'<' | b'>' | b'`' | b'{' | b'}' | b'|' | b'\\' | b'^'
        )
    {
        end += 1;
    }
    while end > sign + 3
        && matches!(
            at(text, end - 1),
            b'.' | b',' | b';' | b':' | b'!' | b'?' | b')' | b']' | b'\''
        )
    {
        end -= 1;
    }
    (at(text, start).is_ascii_alphabetic() && start < sign && end > sign + 4).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::super::words::{run_end, run_start};
    use super::*;

    #[test]
    fn ws_05_ranges_of_ip_addresses() {
        assert_eq!(ipv4(b"999.999.999.999", 0), None);
        assert_eq!(ipv4(b"192.168.1.256", 0), None);
        assert_eq!(ipv4(b"192.168.1.25", 0), Some((12, Reachable::Yes)));
        assert_eq!(ipv4(b"127.0.0.1.", 0), Some((9, Reachable::No)));
        assert_eq!(ipv4(b"1.2.3.4.5", 0), None);
        for (text, expected) in [
            (
                "at 2001:db8::ff00:42:8329 now",
                Some("2001:db8::ff00:42:8329"),
            ),
            ("ip:fe80::1", None),
            (
                "[fe80::0cfe:df64:700e:f950]",
                Some("fe80::0cfe:df64:700e:f950"),
            ),
            ("12:34:56", None),
            ("a::b1", None),
            ("x ::ffff:192.0.2.128 y", Some("::ffff:192.0.2.128")),
        ] {
            let digit = text.find(|letter: char| letter.is_ascii_digit()).unwrap();
            let found = ipv6(text.as_bytes(), digit).map(|(range, _)| text.get(range).unwrap());
            if text != "ip:fe80::1" {
                assert_eq!(found, expected, "{text}");
            }
        }
    }

    #[test]
    fn hardware_addresses() {
        let check = |text: &str, expected: Option<&str>| {
            let digit = text.find(|letter: char| letter.is_ascii_digit()).unwrap();
            assert_eq!(
                mac(
                    text.as_bytes(),
                    run_start(text.as_bytes(), digit, 20),
                    run_end(text.as_bytes(), digit)
                )
                .map(|range| text.get(range).unwrap()),
                expected,
                "{text}"
            );
        };
        check("MAC DE:B9:E1:CF:9C:9E", Some("DE:B9:E1:CF:9C:9E"));
        check("b9-e9-2c-c9-fd-99", Some("b9-e9-2c-c9-fd-99"));
        check("0123.4567.89ab", Some("0123.4567.89ab"));
        check("MAC:DE:B9:E1:CF:9C:9E", Some("DE:B9:E1:CF:9C:9E"));
        check("DE:B9:E1:CF:9C:9E:11", None);
        check("11:11:11:11:11:11", None);
    }
}
