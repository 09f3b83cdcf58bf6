//! How many connections each address has, so that one cannot take them all.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use parking_lot::Mutex;

/// Open connections by address. Holds no more addresses than there are connections.
#[derive(Debug)]
pub(super) struct Sources {
    most: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection of an address; no longer one when it is dropped.
#[derive(Debug)]
pub(super) struct Source {
    sources: Arc<Sources>,
    address: IpAddr,
}

impl Sources {
    /// At most `most` connections per address; 0 for no bound.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            open: Mutex::default(),
        }
    }

    /// One more connection of `address`; `None` if it has enough.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Source> {
        let address = network(address);
        if self.most > 0 {
            let mut open = self.open.lock();
            let count = open.entry(address).or_insert(0);
            if *count >= self.most {
                return None;
            }
            *count += 1;
        }
        Some(Source {
            sources: Arc::clone(self),
            address,
        })
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        if self.sources.most == 0 {
            return;
        }
        let mut open = self.sources.open.lock();
        if let Some(count) = open.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

/// The address itself, or the /64 network of an IPv6 one, all of which is one site's.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_all() {
        let sources = Arc::new(Sources::new(2));
        let at = |address: &str| sources.admit(address.parse().unwrap());
        let first = at("192.0.2.1").unwrap();
        let _second = at("::ffff:192.0.2.1").unwrap();
        assert!(at("192.0.2.1").is_none());
        let _other = at("192.0.2.2").unwrap();
        drop(first);
        let _third = at("192.0.2.1").unwrap();
        let _six = (at("2001:db8::1").unwrap(), at("2001:db8::2").unwrap());
        assert!(at("2001:db8::3").is_none());
        assert!(at("2001:db8:0:1::3").is_some());
    }

    #[test]
    fn nothing_is_kept_of_who_went_away() {
        let sources = Arc::new(Sources::new(2));
        drop(sources.admit("192.0.2.1".parse().unwrap()));
        assert!(sources.open.lock().is_empty());
    }
}
