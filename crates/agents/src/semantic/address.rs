//! Which addresses may be contacted (NET-04), by the registries of IANA alone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not contacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Loopback, private, or shared; may be allowed for a host by `allow-private`.
    #[error("its address is private, allow it with `allow-private`")]
    Private,
    /// Link-local, where metadata services of clouds live; only as a literal with `allow-private`.
    #[error("its address is of a link or a metadata service")]
    Metadata,
    /// Not one host: unspecified, multicast, reserved, documentation.
    #[error("its address is not that of a host")]
    NotAHost,
    /// The host is not configured.
    #[error("the host is not configured")]
    Host,
}

/// Why `address` is not contacted unless the configuration says so; `None` for a public one.
///
/// Addresses inside addresses (IPv4-mapped and -compatible, NAT64, 6to4) count as what they lead to.
#[must_use]
pub fn refusal(address: IpAddr) -> Option<Refusal> {
    match address {
        IpAddr::V4(address) => refusal_v4(address),
        IpAddr::V6(address) => refusal_v6(address),
    }
}

/// IANA IPv4 Special-Purpose Address Registry, as network, length of prefix, and meaning.
const V4: [(u32, u32, Refusal); 17] = [
    (net(168, 63, 129, 16), 32, Refusal::Metadata), // Azure's platform service
    (net(0, 0, 0, 0), 8, Refusal::NotAHost),
    (net(10, 0, 0, 0), 8, Refusal::Private),
    (net(100, 64, 0, 0), 10, Refusal::Private),
    (net(100, 100, 100, 200), 32, Refusal::Metadata), // Alibaba Cloud
    (net(127, 0, 0, 0), 8, Refusal::Private),
    (net(169, 254, 0, 0), 16, Refusal::Metadata),
    (net(172, 16, 0, 0), 12, Refusal::Private),
    (net(192, 0, 0, 0), 24, Refusal::Metadata), // 192.0.0.192 is Oracle Cloud's
    (net(192, 0, 2, 0), 24, Refusal::NotAHost),
    (net(192, 88, 99, 0), 24, Refusal::NotAHost),
    (net(192, 168, 0, 0), 16, Refusal::Private),
    (net(198, 18, 0, 0), 15, Refusal::Private),
    (net(198, 51, 100, 0), 24, Refusal::NotAHost),
    (net(203, 0, 113, 0), 24, Refusal::NotAHost),
    (net(224, 0, 0, 0), 4, Refusal::NotAHost),
    (net(240, 0, 0, 0), 4, Refusal::NotAHost),
];

const fn net(a: u8, b: u8, c: u8, d: u8) -> u32 {
    u32::from_be_bytes([a, b, c, d])
}

fn refusal_v4(address: Ipv4Addr) -> Option<Refusal> {
    let bits = address.to_bits();
    V4.iter()
        .filter(|(network, length, _)| (bits ^ network) >> (32 - length) == 0)
        // The longest prefix says most.
        .max_by_key(|(_, length, _)| *length)
        .map(|(_, _, refusal)| *refusal)
}

fn refusal_v6(address: Ipv6Addr) -> Option<Refusal> {
    let segments = address.segments();
    let [_, b, c, _, _, _, g, h] = segments;
    let v4 = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some(Refusal::NotAHost),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some(Refusal::Private),
        // IPv4-mapped (RFC 4291, 2.5.5.2), -compatible (2.5.5.1), and -translated (RFC 2765).
        [0, 0, 0, 0, 0, 0xffff, ..] | [0, 0, 0, 0, 0, 0, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => {
            refusal_v4(v4(g, h))
        }
        // NAT64, RFC 6052, and its local prefix, RFC 8215.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => refusal_v4(v4(g, h)),
        [0x64, 0xff9b, 1, ..] => Some(Refusal::Private),
        // 6to4, RFC 3056.
        [0x2002, ..] => refusal_v4(v4(b, c)),
        // Teredo hides an address of a host behind a translator, RFC 4380.
        [0x2001, 0, ..] => Some(Refusal::NotAHost),
        // ISATAP, RFC 5214: an IPv4 address behind a public prefix.
        [_, _, _, _, 0 | 0x200, 0x5efe, ..] => refusal_v4(v4(g, h)),
        // Benchmarking, ORCHID, documentation (RFC 5180, 7343, 3849, 9637).
        [0x2001, 2, 0, ..] | [0x2001, 0x10..=0x2f, ..] | [0x2001, 0xdb8, ..] => {
            Some(Refusal::NotAHost)
        }
        [0x3fff, 0..=0x0fff, ..] => Some(Refusal::NotAHost),
        // AWS's metadata service.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] => Some(Refusal::Metadata),
        // GCP's metadata service.
        [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => Some(Refusal::Metadata),
        // Unique local, link-local, site-local (RFC 4193, 4291, 3879).
        [0xfc00..=0xfdff, ..] => Some(Refusal::Private),
        [0xfe80..=0xfebf, ..] => Some(Refusal::Metadata),
        [0xfec0..=0xfeff, ..] => Some(Refusal::Private),
        // Only 2000::/3 is handed out to hosts.
        [0x2000..=0x3fff, ..] => None,
        _ => Some(Refusal::NotAHost),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn net_04_special_addresses_in_every_form() {
        for (address, expected) in [
            ("8.8.8.8", None),
            ("1.1.1.1", None),
            ("172.32.0.1", None),
            ("2606:4700:4700::1111", None),
            ("2001:4860:4860::8888", None),
            ("10.0.0.1", Some(Refusal::Private)),
            ("127.0.0.1", Some(Refusal::Private)),
            ("127.255.255.254", Some(Refusal::Private)),
            ("172.31.255.255", Some(Refusal::Private)),
            ("192.168.0.1", Some(Refusal::Private)),
            ("100.64.0.1", Some(Refusal::Private)),
            ("::1", Some(Refusal::Private)),
            ("fd12::1", Some(Refusal::Private)),
            ("169.254.169.254", Some(Refusal::Metadata)),
            ("168.63.129.16", Some(Refusal::Metadata)),
            ("100.100.100.200", Some(Refusal::Metadata)),
            ("192.0.0.192", Some(Refusal::Metadata)),
            ("fe80::1", Some(Refusal::Metadata)),
            ("fd00:ec2::254", Some(Refusal::Metadata)),
            ("0.0.0.0", Some(Refusal::NotAHost)),
            ("::", Some(Refusal::NotAHost)),
            ("224.0.0.1", Some(Refusal::NotAHost)),
            ("255.255.255.255", Some(Refusal::NotAHost)),
            ("ff02::1", Some(Refusal::NotAHost)),
            ("2001:db8::1", Some(Refusal::NotAHost)),
            // Mapped, compatible, translated.
            ("::ffff:127.0.0.1", Some(Refusal::Private)),
            ("::ffff:169.254.169.254", Some(Refusal::Metadata)),
            ("::ffff:8.8.8.8", None),
            ("::127.0.0.1", Some(Refusal::Private)),
            ("::ffff:0:169.254.169.254", Some(Refusal::Metadata)),
            // NAT64 and 6to4.
            ("64:ff9b::169.254.169.254", Some(Refusal::Metadata)),
            ("64:ff9b::8.8.8.8", None),
            ("64:ff9b:1::1", Some(Refusal::Private)),
            ("2002:7f00:1::", Some(Refusal::Private)),
            ("2002:a9fe:a9fe::1", Some(Refusal::Metadata)),
            ("2001:0:1::1", Some(Refusal::NotAHost)),
            ("2606:4700::5efe:10.0.0.1", Some(Refusal::Private)),
            ("4000::1", Some(Refusal::NotAHost)),
        ] {
            assert_eq!(refusal(address.parse().unwrap()), expected, "{address}");
        }
    }
}
