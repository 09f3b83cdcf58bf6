/// Longest entry in bytes: its length has 16 bits (C2SP tlog-tiles).
pub const MAX_ENTRY: usize = u16::MAX as usize;

/// Most bytes of a bundle: 256 entries of the greatest length, each with its length.
pub(crate) const MAX_BUNDLE: u64 = 256 * (MAX_ENTRY as u64 + 2);

/// Appends `entry` to a bundle: its length as 2 bytes, big-endian, then its bytes. Longer ones than
/// [`MAX_ENTRY`] are refused with `false`.
#[must_use]
pub fn encode_entry(entry: &[u8], bundle: &mut Vec<u8>) -> bool {
    let Ok(length) = u16::try_from(entry.len()) else {
        return false;
    };
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    true
}

/// The bytes do not end where an entry ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bundle ends within an entry")]
pub struct BundleError;

/// The entries of a bundle, one after the other, without copying.
#[derive(Clone, Debug)]
pub struct Entries<'a>(&'a [u8]);

impl<'a> Entries<'a> {
    /// The entries of `bundle`.
    #[must_use]
    pub const fn of(bundle: &'a [u8]) -> Self {
        Self(bundle)
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<&'a [u8], BundleError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let entry = self
            .0
            .split_first_chunk::<2>()
            .and_then(|(length, rest)| rest.split_at_checked(u16::from_be_bytes(*length).into()));
        let Some((entry, rest)) = entry else {
            self.0 = &[];
            return Some(Err(BundleError));
        };
        self.0 = rest;
        Some(Ok(entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_was_put_in() {
        let mut bundle = Vec::new();
        let long = vec![7; MAX_ENTRY];
        for entry in [b"".as_slice(), b"a", &long] {
            assert!(encode_entry(entry, &mut bundle));
        }
        let entries: Vec<&[u8]> = Entries::of(&bundle).map(Result::unwrap).collect();
        assert_eq!(entries, [b"".as_slice(), b"a", &long]);
        let cut = Entries::of(&bundle[..bundle.len() - 1]);
        assert_eq!(cut.last(), Some(Err(BundleError)));
        assert!(!encode_entry(&vec![0; MAX_ENTRY + 1], &mut bundle));
    }
}
