//! Addresses that a browser or a fetcher should not follow.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bartizan_text::fold;

use super::{
    address::{Address, AllowedHosts},
    hazard::Hazard,
    rules,
};

/// Longest address that is read as one, in bytes.
const MAX_ADDRESS: usize = 8 << 10;

/// Reports the hazards of `text`, which is one address or one to a line.
pub(super) fn hazards(text: &str, allowed: &AllowedHosts, out: &mut Vec<Hazard>) {
    let trimmed = text.trim();
    let start = text.len() - text.trim_start().len();
    // A line end within what is one address to a browser splits a header or a log line.
    let lines: Vec<&str> = trimmed
        .split(['\r', '\n'])
        .filter(|l| !l.is_empty())
        .collect();
    let one_each = lines.iter().all(|line| starts_address(line.trim()));
    if lines.len() > 1 && !one_each && trimmed.len() <= MAX_ADDRESS {
        if starts_address(trimmed) {
            out.push(Hazard::new(
                &rules::URL_CONFUSION,
                start..start + trimmed.len(),
                0.8,
            ));
        }
        one(trimmed, start, allowed, out);
        return;
    }
    let mut at = start;
    for line in trimmed.split(['\r', '\n']) {
        let inner = line.trim();
        let indent = line.len() - line.trim_start().len();
        if !inner.is_empty() && inner.len() <= MAX_ADDRESS {
            one(inner, at + indent, allowed, out);
        }
        at += line.len() + 1;
    }
}

fn starts_address(line: &str) -> bool {
    let address = Address::parse(line);
    is_host(address.host.as_deref()) || (!address.scheme.is_empty() && !line.contains(' '))
}

/// Whether it could be a host: a line that starts with two slashes may be a comment.
fn is_host(host: Option<&str>) -> bool {
    host.is_some_and(|host| !host.is_empty() && !host.contains([' ', '`', '"', '<', '>']))
}

fn one(text: &str, start: usize, allowed: &AllowedHosts, out: &mut Vec<Hazard>) {
    let address = Address::parse(text);
    let spaced = text.split_ascii_whitespace().nth(2).is_some();
    let mut report =
        |rule, confidence| out.push(Hazard::new(rule, start..start + text.len(), confidence));
    if address.runs_script() {
        report(&rules::URL_SCHEME, 0.97);
    } else if !spaced && is_dangerous(&address.scheme) {
        report(&rules::URL_SCHEME, 0.85);
    }
    let Some(host) = address.host.as_deref().filter(|host| is_host(Some(host))) else {
        return;
    };
    let lower = text.to_ascii_lowercase();
    if address.confusing || lower.contains("%0d") || lower.contains("%0a") || lower.contains("%00")
    {
        report(&rules::URL_CONFUSION, 0.85);
    }
    if let Some(user) = &address.userinfo {
        // A user name with a dot is there to be taken for the host.
        let confidence = if user.contains('.') || user.contains(':') {
            0.9
        } else {
            0.6
        };
        report(&rules::URL_USERINFO, confidence);
    }
    if is_internal(&address, host) {
        report(&rules::URL_INTERNAL, 0.95);
    }
    if looks_alike(host) {
        report(&rules::URL_LOOK_ALIKE, 0.85);
    }
    if !allowed.is_empty() && !allowed.allows(host) {
        report(&rules::URL_HOST, 0.8);
    }
}

fn is_dangerous(scheme: &str) -> bool {
    matches!(
        scheme,
        "file"
            | "gopher"
            | "dict"
            | "ldap"
            | "ldaps"
            | "jar"
            | "netdoc"
            | "phar"
            | "php"
            | "expect"
            | "smb"
            | "tftp"
            | "sftp"
            | "ssh"
            | "telnet"
            | "blob"
            | "filesystem"
            | "intent"
            | "ms-msdt"
            | "search-ms"
            | "rmi"
            | "jndi"
            | "ms-officecmd"
            | "ogg"
            | "glob"
    )
}

fn is_internal(address: &Address<'_>, host: &str) -> bool {
    let names = [
        "localhost",
        "local",
        "internal",
        "localdomain",
        "lan",
        "intranet",
        "home.arpa",
    ];
    let is_name = names.iter().any(|name| {
        host.strip_suffix(name)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    // Public names that resolve to the address within them.
    let rebinding = [
        ".nip.io",
        ".sslip.io",
        ".xip.io",
        ".localtest.me",
        ".lvh.me",
    ];
    is_name
        || rebinding.iter().any(|suffix| host.ends_with(suffix))
        || address.ip().is_some_and(is_internal_ip)
}

/// Addresses that are not on the public Internet, IANA special-purpose registries (RFC 6890).
fn is_internal_ip(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_internal_v4(ip),
        IpAddr::V6(ip) => {
            let [a, b, ..] = ip.segments();
            let [.., e, f, g, h] = ip.octets();
            let embedded = Ipv4Addr::new(e, f, g, h);
            ip.is_loopback()
                || ip.is_unspecified()
                || a & 0xfe00 == 0xfc00
                || a & 0xffc0 == 0xfe80
                || (ip.to_ipv4().is_some() && is_internal_v4(embedded))
                // NAT64 (RFC 6052) and 6to4 (RFC 3056) carry an IPv4 address, too.
                || (a == 0x64 && b == 0xff9b && is_internal_v4(embedded))
                || (a == 0x2002 && is_internal_v4(six_to_four(ip)))
        }
    }
}

fn six_to_four(ip: Ipv6Addr) -> Ipv4Addr {
    let [_, _, a, b, c, d, ..] = ip.octets();
    Ipv4Addr::new(a, b, c, d)
}

fn is_internal_v4(ip: Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_unspecified()
        || ip.is_broadcast()
        || ip.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && ip.octets().get(2) == Some(&0))
        || (a == 198 && (b == 18 || b == 19))
}

/// Whether letters of another script stand for ASCII ones in a label of `host`.
fn looks_alike(host: &str) -> bool {
    host.split('.').any(|label| {
        let other = label.chars().any(|c| c.is_alphabetic() && c > '\u{24f}');
        other
            && fold::fold_str(label)
                .chars()
                .any(|c| c.is_ascii_alphabetic())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        hazards(text, &AllowedHosts::default(), &mut out);
        out.into_iter().map(|h| h.rule.id.to_string()).collect()
    }

    #[test]
    fn internal_addresses_in_every_notation() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "169.254.169.254",
            "0xa9fea9fe",
            "2852039166",
            "[::1]",
            "[::ffff:169.254.169.254]",
            "[::ffff:a9fe:a9fe]",
            "10.0.0.1:8080",
            "192.168.1.1",
            "172.16.0.1",
            "localhost",
            "metadata.google.internal",
            "[fd00::1]",
            "[fe80::1%25eth0]",
            "[64:ff9b::7f00:1]",
            "127.0.0.1.nip.io",
            "0",
            "\u{ff11}27.0.0.1.localhost",
            "127\u{3002}0\u{3002}0\u{3002}1",
        ] {
            let text = format!("http://{host}/latest/meta-data");
            assert!(
                found(&text).contains(&"output.url-internal-address".into()),
                "{text}"
            );
        }
    }

    #[test]
    fn tricks_are_seen() {
        for (text, rule) in [
            ("javascript:alert(1)", "output.url-dangerous-scheme"),
            ("java\nscript:alert(1)", "output.url-dangerous-scheme"),
            ("file:///etc/passwd", "output.url-dangerous-scheme"),
            ("data:text/html,<x>", "output.url-dangerous-scheme"),
            ("https://example.com@evil.example/", "output.url-userinfo"),
            ("https://user:password@example.com/", "output.url-userinfo"),
            ("https:\\\\evil.example\\x", "output.url-parser-confusion"),
            (
                "https://example.com/%0d%0aSet-Cookie:x",
                "output.url-parser-confusion",
            ),
            (
                "https://example.com/\r\nHost: evil",
                "output.url-parser-confusion",
            ),
            (
                "https://\u{440}\u{430}ypal.com/",
                "output.url-look-alike-host",
            ),
        ] {
            assert!(
                found(text).contains(&rule.into()),
                "{text} {:?}",
                found(text)
            );
        }
    }

    #[test]
    fn ordinary_addresses_pass() {
        for text in [
            "https://example.com/a?b=c#d",
            "http://8.8.8.8/",
            "https://m\u{fc}nchen.example/",
            "https://\u{43f}\u{440}\u{438}\u{43c}\u{435}\u{440}.\u{440}\u{444}/",
            "mailto:someone@example.com",
            "/relative/path",
            "https://a.example/x\nhttps://b.example/y\n",
            "note: see the file",
        ] {
            assert_eq!(found(text), Vec::<String>::new(), "{text}");
        }
    }
}
