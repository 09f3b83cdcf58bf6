//! Addresses as browsers read them, WHATWG URL Standard, sections 4.4 and 3.5, as far as the
//! scheme, the host, and what is carried along.

use std::{
    borrow::Cow,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use percent_encoding::percent_decode_str;

/// An address, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Address<'t> {
    /// Lower case, without the colon; empty for a relative address.
    pub(super) scheme: String,
    /// User name and password before the `@`.
    pub(super) userinfo: Option<Cow<'t, str>>,
    /// Host in lower case without a port and a final dot; `None` for a relative address.
    pub(super) host: Option<String>,
    /// Path, query, and fragment.
    pub(super) rest: String,
    /// Whether a backslash, a line end, or a control character took part.
    pub(super) confusing: bool,
}

impl Address<'_> {
    /// Reads `text` as the value of a `href`.
    pub(super) fn parse(text: &str) -> Self {
        let trimmed = text.trim_matches(|c: char| c <= ' ');
        let mut confusing = false;
        let clean: String = trimmed
            .chars()
            .filter(|c| {
                let control = c.is_control();
                confusing |= control;
                !control
            })
            .collect();
        let (scheme, rest) = split_scheme(&clean);
        let special = matches!(
            scheme.as_str(),
            "" | "http" | "https" | "ftp" | "ws" | "wss"
        );
        let slash = |c: char| c == '/' || (special && c == '\\');
        let after = rest.trim_start_matches(slash);
        let slashes = rest.len() - after.len();
        // `https:evil.example` and `https:\evil.example` have a host, too.
        let has_host = slashes >= 2 || (special && !scheme.is_empty());
        if !has_host || (!special && slashes < 2) {
            return Self {
                scheme,
                rest: rest.to_owned(),
                confusing,
                ..Self::default()
            };
        }
        let end = after
            .find(|c| slash(c) || c == '?' || c == '#')
            .unwrap_or(after.len());
        let (authority, tail) = after.split_at_checked(end).unwrap_or((after, ""));
        confusing |= special
            && (rest.get(..slashes).unwrap_or_default().contains('\\') || tail.starts_with('\\'));
        let (userinfo, host) = authority
            .rsplit_once('@')
            .map_or((None, authority), |(user, host)| (Some(user), host));
        Self {
            scheme,
            userinfo: userinfo.map(|user| Cow::Owned(user.to_owned())),
            host: Some(normal_host(host)),
            rest: tail.to_owned(),
            confusing,
        }
    }

    /// Whether following it runs script. `data:` images of pixels are harmless.
    pub(super) fn runs_script(&self) -> bool {
        match self.scheme.as_str() {
            "javascript" | "vbscript" | "livescript" | "mocha" | "view-source" => true,
            "data" => {
                let kind = self.rest.trim_start().to_ascii_lowercase();
                !PIXELS.iter().any(|safe| {
                    kind.strip_prefix(safe)
                        .is_some_and(|rest| rest.starts_with([';', ',']))
                })
            }
            _ => false,
        }
    }

    /// Whether it leads to another host by a scheme that sends something.
    pub(super) fn is_foreign(&self, allowed: &AllowedHosts) -> bool {
        matches!(
            self.scheme.as_str(),
            "" | "http" | "https" | "ftp" | "ws" | "wss"
        ) && match &self.host {
            Some(host) => self.userinfo.is_some() || !allowed.allows(host),
            None => false,
        }
    }

    /// How much it looks as if it carried data, `[0, 1]`: 0 for a plain address.
    pub(super) fn carries(&self) -> f32 {
        let (path, query) = self
            .rest
            .find(['?', '#'])
            .and_then(|at| self.rest.split_at_checked(at))
            .unwrap_or((&self.rest, ""));
        let query = query.trim_start_matches(['?', '#']);
        let dense = |part: &str| {
            part.len() >= 24
                && part.bytes().any(|b| b.is_ascii_digit())
                && part.bytes().any(|b| b.is_ascii_uppercase())
                && part.bytes().any(|b| b.is_ascii_lowercase())
        };
        let placeholder = |part: &str| part.contains(['{', '[', '<', '$']) || part.contains("%7B");
        let label = self.host.as_deref().and_then(|host| host.split('.').next());
        let mut score: f32 = 0.0;
        if !query.is_empty() {
            score = 0.6;
        }
        if path.split('/').any(|part| dense(part) || part.len() >= 64)
            || label.is_some_and(|label| label.len() >= 32)
        {
            score = score.max(0.7);
        }
        if query.split(['=', '&']).any(|part| {
            part.len() >= 40 || dense(part) || part.contains("%20") || part.contains('+')
        }) {
            score = score.max(0.85);
        }
        if placeholder(query) || placeholder(path) {
            score = score.max(0.9);
        }
        score
    }

    /// The host as a number, in every notation that browsers and `inet_aton` accept.
    pub(super) fn ip(&self) -> Option<IpAddr> {
        let host = self.host.as_deref()?;
        if let Some(inner) = host.strip_prefix('[') {
            let inner = inner.trim_end_matches(']');
            let inner = inner.split('%').next().unwrap_or(inner);
            return inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
        }
        ipv4(host).map(IpAddr::V4)
    }
}

const PIXELS: [&str; 7] = [
    "image/png",
    "image/jpeg",
    "image/jpg",
    "image/gif",
    "image/webp",
    "image/avif",
    "image/bmp",
];

fn split_scheme(text: &str) -> (String, &str) {
    let Some((scheme, rest)) = text.split_once(':') else {
        return (String::new(), text);
    };
    let starts = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    let valid = scheme
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    if starts && valid {
        (scheme.to_ascii_lowercase(), rest)
    } else {
        (String::new(), text)
    }
}

/// Lower case, percent-decoded, without port and final dot.
fn normal_host(authority: &str) -> String {
    let host = match authority.rfind(']') {
        Some(end) => authority.get(..=end).unwrap_or(authority),
        None => authority.split(':').next().unwrap_or(authority),
    };
    let decoded = percent_decode_str(host).decode_utf8_lossy();
    let dotted = decoded.replace(['\u{3002}', '\u{ff0e}', '\u{ff61}'], ".");
    dotted.trim_end_matches('.').to_lowercase()
}

/// WHATWG URL Standard, section 3.5, "IPv4 parser": one to four numbers, decimal, octal, or
/// hexadecimal, the last of which fills what is left.
fn ipv4(host: &str) -> Option<Ipv4Addr> {
    let mut parts = Vec::with_capacity(4);
    for part in host.split('.') {
        if parts.len() == 4 {
            return None;
        }
        parts.push(number(part)?);
    }
    let last = parts.pop()?;
    let room = 4 - u32::try_from(parts.len()).ok()?;
    if last >= 1 << (8 * room) || parts.iter().any(|part| *part > 255) {
        return None;
    }
    let head = (0_u32..)
        .zip(&parts)
        .fold(0_u64, |sum, (at, part)| sum + (part << (8 * (3 - at))));
    u32::try_from(head + last).ok().map(Ipv4Addr::from)
}

fn number(part: &str) -> Option<u64> {
    let lower = part.to_ascii_lowercase();
    let (digits, radix) = match lower.strip_prefix("0x") {
        Some(hex) => (hex, 16),
        None if lower.len() > 1 && lower.starts_with('0') => (lower.trim_start_matches('0'), 8),
        None => (lower.as_str(), 10),
    };
    match digits {
        "" if radix != 10 => Some(0),
        digits if digits.starts_with('+') => None,
        digits => u64::from_str_radix(digits, radix)
            .ok()
            .filter(|n| *n < 1 << 32),
    }
}

/// Hosts that may be linked to and loaded from, each with its subdomains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<String>);

/// An entry of the list is no host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no host name, write e.g. `docs.example.com` without scheme, port, and path")]
pub struct InvalidHost(String);

impl AllowedHosts {
    /// A list of hosts.
    ///
    /// # Errors
    /// [`InvalidHost`] when an entry is empty or more than a host.
    pub fn new<S: AsRef<str>>(hosts: impl IntoIterator<Item = S>) -> Result<Self, InvalidHost> {
        let check = |host: S| {
            let host = host.as_ref();
            let normal = host.trim_start_matches("*.").trim_end_matches('.');
            let valid = !normal.is_empty()
                && !normal.starts_with('.')
                && !normal.contains(['/', ':', '@', '\\', '?', '#', ' ', '*', '%']);
            if valid {
                Ok(normal.to_lowercase())
            } else {
                Err(InvalidHost(host.to_owned()))
            }
        };
        hosts
            .into_iter()
            .map(check)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether `host`, in lower case and without a port, is listed or below a listed one.
    #[must_use]
    pub fn allows(&self, host: &str) -> bool {
        self.0.iter().any(|listed| {
            host.strip_suffix(listed.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }

    /// Whether no host is listed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Option<String> {
        Address::parse(text).host
    }

    #[test]
    fn hosts_are_those_that_a_browser_connects_to() {
        for (text, expected) in [
            ("https://Docs.Example.com:8443/x", "docs.example.com"),
            (
                "https://docs.example.com.evil.com/",
                "docs.example.com.evil.com",
            ),
            ("https://docs.example.com@evil.com/", "evil.com"),
            ("//evil.com/x", "evil.com"),
            ("/\\evil.com", "evil.com"),
            ("https:evil.com", "evil.com"),
            ("ht\ntps:\\\\evil.com\\@docs.example.com", "evil.com"),
            ("https://%65vil.com./", "evil.com"),
            ("http://[::1]:80/", "[::1]"),
        ] {
            assert_eq!(host(text).as_deref(), Some(expected), "{text}");
        }
        for relative in ["/a/b", "a?x=http://b", "#top", "mailto:a@b.example", ""] {
            assert_eq!(host(relative), None, "{relative}");
        }
    }

    #[test]
    fn lists_cover_subdomains_only() {
        let list = AllowedHosts::new(["Example.com", "*.cdn.example.net"]).unwrap();
        let foreign = |text: &str| Address::parse(text).is_foreign(&list);
        assert!(!foreign("https://example.com/x"));
        assert!(!foreign("//docs.EXAMPLE.com:443/x?y=1"));
        assert!(!foreign("https://a.cdn.example.net/x"));
        assert!(!foreign("/relative"));
        assert!(foreign("https://notexample.com/"));
        assert!(foreign("https://docs.example.com.evil.com/"));
        assert!(foreign("https://docs.example.com@evil.com/"));
        assert!(AllowedHosts::new(["https://example.com"]).is_err());
    }

    #[test]
    fn numbers_are_addresses_in_every_notation() {
        let local = IpAddr::from([127, 0, 0, 1]);
        for text in [
            "127.0.0.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.1",
            "0x7f.1",
        ] {
            let ip = Address::parse(&format!("http://{text}/")).ip();
            assert_eq!(ip, Some(local), "{text}");
        }
        assert_eq!(Address::parse("http://1.2.3.4.5/").ip(), None);
        assert_eq!(Address::parse("http://example.com/").ip(), None);
    }
}
