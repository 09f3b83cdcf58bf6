//! Which addresses may be contacted (NET-04).

use std::{
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    pin::Pin,
};

pub use bartizan_agents::{Refusal, refusal};

/// Turns the name of a host into addresses.
pub trait Resolve: Send + Sync + 'static {
    /// Addresses of `host` with `port`.
    fn resolve(
        &self,
        host: &str,
        port: u16,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;
}

/// The system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(
        &self,
        host: &str,
        port: u16,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>> {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, port)).await?;
            Ok(found.collect())
        })
    }
}

/// Whether all of `found` may be contacted. One bad address spoils all: a name that leads to a
/// public and a private address is how rebinding works.
pub(super) fn all_allowed(
    found: &[SocketAddr],
    host: &str,
    allow_private: bool,
) -> Result<(), Refusal> {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    let literal: Option<IpAddr> = literal.parse().ok();
    for address in found {
        match refusal(address.ip()) {
            None => {}
            Some(Refusal::Private) if allow_private => {}
            // Written out as this very address, the operator means it.
            Some(Refusal::Metadata) if allow_private && literal == Some(address.ip()) => {}
            Some(refused) => return Err(refused),
        }
    }
    Ok(())
}

/// Whether `host` is an address in one of the spellings that only `inet_aton` understands: one
/// number, hexadecimal, octal, fewer than four parts.
pub(super) fn is_odd_address(host: &str) -> bool {
    let numeric = |part: &str| {
        let digits = part
            .strip_prefix("0x")
            .or_else(|| part.strip_prefix("0X"))
            .map(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        digits.unwrap_or_else(|| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    };
    let bare = host.trim_end_matches('.');
    bare.rsplit('.').next().is_some_and(numeric) && host.parse::<Ipv4Addr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_spellings_are_seen() {
        for host in [
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "127.1",
            "127.0.0.1.",
            "0x",
            "a.0x7f",
        ] {
            assert!(is_odd_address(host), "{host}");
        }
        for host in [
            "127.0.0.1",
            "api.openai.com",
            "[::1]",
            "a1",
            "0x7f.example",
            "1.com",
        ] {
            assert!(!is_odd_address(host), "{host}");
        }
    }

    #[test]
    fn one_bad_address_spoils_all() {
        let at = |text: &str| SocketAddr::new(text.parse().unwrap(), 80);
        let mixed = [at("8.8.8.8"), at("10.0.0.1")];
        assert_eq!(
            all_allowed(&mixed, "a.example", false),
            Err(Refusal::Private)
        );
        assert_eq!(all_allowed(&mixed, "a.example", true), Ok(()));
        let metadata = [at("169.254.169.254")];
        assert_eq!(
            all_allowed(&metadata, "a.example", true),
            Err(Refusal::Metadata)
        );
        assert_eq!(all_allowed(&metadata, "169.254.169.254", true), Ok(()));
        assert_eq!(
            all_allowed(&metadata, "169.254.169.254", false),
            Err(Refusal::Metadata)
        );
    }
}
