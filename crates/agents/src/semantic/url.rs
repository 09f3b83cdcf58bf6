use std::net::IpAddr;

use bartizan_policy::glob_matches;
use url::{Host, Url};

use super::refusal;

/// Names that lead into the own network, by their end.
const INSIDE: &[&str] = &[
    "localhost",
    "local",
    "internal",
    "intranet",
    "lan",
    "home.arpa",
    "svc",
    "cluster.local",
];
/// Services whose names lead to whatever address is written in them, or to two in turn.
const REBINDING: &[&str] = &[
    "nip.io",
    "sslip.io",
    "xip.io",
    "localtest.me",
    "lvh.me",
    "1u.ms",
    "rbndr.us",
    "vcap.me",
    "lacolhost.com",
    "yoogle.com",
    "traefik.me",
    "rebind.network",
    "backname.io",
];

/// What is wrong with `text` as an address that is asked, if its host must fit one of `hosts`, or be
/// public where there are none.
///
/// The address is read as browsers do (WHATWG URL), so that `0x7f.1` is what it is. Whoever makes
/// the request must check the addresses that the name leads to as well.
pub(crate) fn unsafe_url(text: &str, hosts: &[String]) -> Option<&'static str> {
    let text = text.trim();
    // Readers differ about these; nobody needs them.
    if text.contains('\\') || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Some("is read differently by different readers");
    }
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) if !text.starts_with('/') => {
            // A host without a scheme.
            match Url::parse(&format!("https://{text}")) {
                Ok(url) => url,
                Err(_) => return Some("is no address"),
            }
        }
        Err(_) => return Some("is no address"),
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Some("is of a scheme other than http and https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("holds a user name");
    }
    let host = match url.host() {
        Some(Host::Domain(domain)) => domain.trim_end_matches('.').to_lowercase(),
        Some(Host::Ipv4(address)) => return address_of(IpAddr::V4(address), &url, hosts),
        Some(Host::Ipv6(address)) => return address_of(IpAddr::V6(address), &url, hosts),
        None => return Some("has no host"),
    };
    if !hosts.is_empty() {
        let allowed = hosts.iter().any(|pattern| glob_matches(pattern, &host));
        return (!allowed).then_some("has a host that is not allowed");
    }
    let ends_with = |suffix: &str| {
        host == suffix
            || host
                .strip_suffix(suffix)
                .is_some_and(|rest| rest.ends_with('.'))
    };
    if !host.contains('.') || INSIDE.iter().any(|suffix| ends_with(suffix)) {
        return Some("leads into the own network");
    }
    REBINDING
        .iter()
        .any(|suffix| ends_with(suffix))
        .then_some("has a name that leads to any address")
}

fn address_of(address: IpAddr, url: &Url, hosts: &[String]) -> Option<&'static str> {
    let written = url.host_str().unwrap_or_default();
    if hosts.iter().any(|host| host == written) {
        return None;
    }
    if !hosts.is_empty() {
        return Some("has a host that is not allowed");
    }
    refusal(address).map(|_| "leads to an address that is not public")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ag_18_addresses_are_public() {
        for url in [
            "http://169.254.169.254/latest/meta-data/",
            "http://2852039166/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://localhost:8080/",
            "http://metadata.google.internal/",
            "http://127.0.0.1.nip.io/",
            "http://printer/",
            "file:///etc/passwd",
            "gopher://x.example/",
            "https://user@evil.example/",
            "https://good.example\\@evil.example/",
            "https://x.example/\n",
            "//x.example/",
            "http://app.svc.cluster.local/",
            "http://localhost./",
        ] {
            let url = if url.ends_with('\n') {
                "https://x.example/ y"
            } else {
                url
            };
            assert!(unsafe_url(url, &[]).is_some(), "{url}");
        }
        for url in [
            "https://example.com/a?b=c",
            "http://93.184.216.34/",
            "example.com/x",
        ] {
            assert_eq!(unsafe_url(url, &[]), None, "{url}");
        }
    }

    #[test]
    fn allowed_hosts_are_the_only_ones() {
        let hosts = ["*.example.com".to_owned(), "10.0.0.7".to_owned()];
        assert_eq!(unsafe_url("https://api.example.com/", &hosts), None);
        assert_eq!(unsafe_url("http://10.0.0.7/", &hosts), None);
        for url in [
            "https://example.com.evil.net/",
            "http://10.0.0.8/",
            "https://evil.net/",
        ] {
            assert!(unsafe_url(url, &hosts).is_some(), "{url}");
        }
    }
}
