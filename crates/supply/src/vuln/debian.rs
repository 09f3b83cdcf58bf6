//! The order of Debian's versions (`deb-version(7)`; Debian Policy Manual 5.6.12).

use std::cmp::Ordering;

/// A version in its parts.
struct Version<'a> {
    epoch: u32,
    upstream: &'a str,
    revision: &'a str,
}

/// Compares two versions; `None` when one of them is none.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let [a, b] = [parse(a)?, parse(b)?];
    Some(
        a.epoch
            .cmp(&b.epoch)
            .then_with(|| part(a.upstream, b.upstream))
            .then_with(|| part(a.revision, b.revision)),
    )
}

/// Whether `text` is a version.
pub(super) fn parses(text: &str) -> bool {
    parse(text).is_some()
}

fn parse(text: &str) -> Option<Version<'_>> {
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) => (epoch.parse().ok()?, rest),
        None => (0, text),
    };
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    let may = |text: &str, more: &[u8]| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    let is_sound = !upstream.is_empty() && may(upstream, b".-+~:") && may(revision, b".+~");
    is_sound.then_some(Version {
        epoch,
        upstream,
        revision,
    })
}

/// Stretches of other characters and of digits in turn.
fn part(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while !a.is_empty() || !b.is_empty() {
        loop {
            let rank = |text: &[u8]| text.first().map_or(0, |&byte| rank(byte));
            let is_word = |text: &[u8]| text.first().is_some_and(|byte| !byte.is_ascii_digit());
            if !is_word(a) && !is_word(b) {
                break;
            }
            match rank(a).cmp(&rank(b)) {
                Ordering::Equal => {}
                order => return order,
            }
            a = a.get(1..).unwrap_or_default();
            b = b.get(1..).unwrap_or_default();
        }
        let (first, second);
        (first, a) = digits(a);
        (second, b) = digits(b);
        // Without leading zeros the longer number is the larger one.
        match first
            .len()
            .cmp(&second.len())
            .then_with(|| first.cmp(second))
        {
            Ordering::Equal => {}
            order => return order,
        }
    }
    Ordering::Equal
}

/// A tilde stands before the end, letters before all else.
const fn rank(byte: u8) -> i32 {
    match byte {
        b'~' => -1,
        b'0'..=b'9' => 0,
        b'a'..=b'z' | b'A'..=b'Z' => byte as i32,
        _ => byte as i32 + 256,
    }
}

/// The number at the start without leading zeros, and what follows it.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit());
    let (number, rest) = text.split_at(end.unwrap_or(text.len()));
    let start = number.iter().position(|&byte| byte != b'0');
    let number = number.get(start.unwrap_or(number.len())..);
    (number.unwrap_or_default(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cases of dpkg's own tests (`lib/dpkg/t/t-version.c`), and of Debian Policy 5.6.12.
    #[test]
    fn versions_stand_in_their_order() {
        for (a, order, b) in [
            ("0-0", '=', "0-0"),
            ("0-00", '=', "00-0"),
            ("1:2-3", '=', "1:2-3"),
            ("0:0", '=', "0"),
            ("0:0-0", '<', "1:0-0"),
            ("0a-0", '<', "0b-0"),
            ("0-a", '<', "0-b"),
            ("1-1", '<', "2-1"),
            ("1-1", '<', "1-2"),
            ("0", '<', "0-1"),
            ("1.0~~", '<', "1.0~~a"),
            ("1.0~~a", '<', "1.0~"),
            ("1.0~", '<', "1.0"),
            ("1.0", '<', "1.0a"),
            ("1.0~beta1~svn1245", '<', "1.0~beta1"),
            ("1.2.3+dfsg-1", '<', "1.2.10+dfsg-1"),
            ("2.36-9+deb12u3", '<', "2.36-9+deb12u10"),
            ("0-0-0", '<', "0-1-0"),
        ] {
            let expected = match order {
                '<' => Ordering::Less,
                _ => Ordering::Equal,
            };
            assert_eq!(compare(a, b), Some(expected), "{a} {b}");
            assert_eq!(compare(b, a), Some(expected.reverse()), "{b} {a}");
        }
        for bad in [
            "",
            "0:",
            "-0",
            "a:0-0",
            "-1:0-1",
            "0:0 0-1",
            "0-0_1",
            "99999999999:0",
        ] {
            assert!(!parses(bad), "{bad}");
        }
    }
}
