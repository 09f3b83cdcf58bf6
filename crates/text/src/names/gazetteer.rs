//! Words that are known to be parts of names and places.

/// Which lists a word is on; flags of [`Gazetteer::flags`].
pub mod listed {
    /// First names.
    pub const FIRST: u8 = 1;
    /// Last names.
    pub const LAST: u8 = 2;
    /// Cities, states, provinces.
    pub const PLACE: u8 = 4;
    /// Street words and other parts of addresses.
    pub const STREET: u8 = 8;
    /// Countries.
    pub const COUNTRY: u8 = 16;
    /// Particles of names such as `van`, `de`, `bin`.
    pub const PARTICLE: u8 = 32;
    /// Everyday words that no name begins with: no reason to look for one.
    pub const EVERYDAY: u8 = 64;
}

/// A hash table of word identities: fingerprint and flags, linear probing, zero is empty.
///
/// A word that is on no list is taken for a listed one in less than 1 of 10,000 cases.
#[derive(Clone, Copy, Debug)]
pub struct Gazetteer<'a> {
    // INVARIANT: a power of two slots, at least one of them empty. Fingerprint, then flags.
    slots: &'a [[u8; 3]],
}

impl<'a> Gazetteer<'a> {
    /// Reads a table as [`Gazetteer::build`] writes it: `None` unless its length is right.
    #[must_use]
    pub fn parse(bytes: &'a [u8], slots: usize) -> Option<Self> {
        if !slots.is_power_of_two() || bytes.len() != slots * 3 {
            return None;
        }
        let (slots, _) = bytes.as_chunks::<3>();
        Some(Self { slots })
    }

    /// The table of `words` (identity and flags) in `slots` slots, a power of two that is larger
    /// than the number of words.
    #[must_use]
    pub fn build(words: &[(u32, u8)], slots: usize) -> Vec<u8> {
        let mut fingerprints = vec![0_u16; slots];
        let mut flags = vec![0_u8; slots];
        for &(id, flag) in words {
            let (mut slot, fingerprint) = place(id, slots);
            for _ in 0..slots {
                let (Some(there), Some(all)) = (fingerprints.get_mut(slot), flags.get_mut(slot))
                else {
                    break;
                };
                if *there == 0 || *there == fingerprint {
                    *there = fingerprint;
                    *all |= flag;
                    break;
                }
                slot = (slot + 1) & (slots - 1);
            }
        }
        let slots = fingerprints.iter().zip(flags);
        slots
            .flat_map(|(fingerprint, flags)| {
                let [low, high] = fingerprint.to_le_bytes();
                [low, high, flags]
            })
            .collect()
    }

    /// The lists that the word with this identity is on; 0 for none.
    #[must_use]
    #[inline]
    pub fn flags(&self, id: u32) -> u8 {
        let slots = self.slots.len();
        let (mut slot, fingerprint) = place(id, slots);
        // A full table cannot be built by accident, yet the walk must end with one, too.
        for _ in 0..MAX_PROBES {
            let Some(&[low, high, flags]) = self.slots.get(slot) else {
                return 0;
            };
            match u16::from_le_bytes([low, high]) {
                there if there == fingerprint => return flags,
                0 => return 0,
                _ => slot = (slot + 1) & (slots - 1),
            }
        }
        0
    }
}

/// Longest walk through the table; the builder's tables at 70 % load stay far below.
const MAX_PROBES: usize = 128;

/// Slot and non-zero fingerprint (the finaliser of MurmurHash3, 32 bits).
#[inline]
fn place(id: u32, slots: usize) -> (usize, u16) {
    let mut h = id;
    h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
    h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    h ^= h >> 16;
    // The fingerprint comes from another mixture, so that it is independent of the slot.
    let fingerprint = (id.wrapping_mul(0x9e37_79b1) >> 16) as u16;
    (h as usize & (slots.wrapping_sub(1)), fingerprint.max(1))
}

#[cfg(test)]
mod tests {
    use super::{super::token::identity, *};

    #[test]
    fn finds_what_was_put_in() {
        let words: Vec<_> = (0..700)
            .map(|i| (identity(&format!("word{i}")), (i % 60 + 1) as u8))
            .collect();
        let bytes = Gazetteer::build(&words, 1024);
        let table = Gazetteer::parse(&bytes, 1024).unwrap();
        assert!(
            words
                .iter()
                .all(|&(id, flags)| table.flags(id) & flags == flags)
        );
        let strangers = (0..10_000)
            .filter(|i| table.flags(identity(&format!("other{i}"))) != 0)
            .count();
        assert!(strangers < 10, "{strangers}");
        assert!(Gazetteer::parse(&bytes, 512).is_none());
    }
}
