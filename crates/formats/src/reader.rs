use crate::{ParseError, Source};

/// How many bytes are fetched at a time.
const BLOCK: usize = 8 << 10;

/// A place in a [`Source`] that moves on as numbers and bytes are taken.
///
/// Small reads come from a block in memory; what is skipped is never read.
pub struct Reader<'a> {
    source: &'a dyn Source,
    position: u64,
    block: Vec<u8>,
    block_at: u64,
}

impl<'a> Reader<'a> {
    /// Starts at `position`.
    #[must_use]
    pub fn new(source: &'a dyn Source, position: u64) -> Self {
        Self {
            source,
            position,
            block: Vec::new(),
            block_at: 0,
        }
    }

    /// Where the next byte comes from.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// How many bytes follow.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.source.len().saturating_sub(self.position)
    }

    /// Moves on without reading; past the end is allowed and found by the next read.
    pub fn skip(&mut self, bytes: u64) {
        self.position = self.position.saturating_add(bytes);
    }

    /// Takes the next byte from `position`, which was looked at before.
    pub fn back_to(&mut self, position: u64) {
        self.position = position;
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// When the source ends first; `what` says what was expected.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], ParseError> {
        let truncated = ParseError::Truncated {
            at: self.source.len(),
            what,
        };
        if let Some(bytes) = self.buffered::<N>() {
            self.position += N as u64;
            return Ok(bytes);
        }
        self.block = self.source.read(self.position, BLOCK.max(N) as u64)?;
        self.block_at = self.position;
        let bytes = self.buffered::<N>().ok_or(truncated)?;
        self.position += N as u64;
        Ok(bytes)
    }

    fn buffered<const N: usize>(&self) -> Option<[u8; N]> {
        let start = usize::try_from(self.position.checked_sub(self.block_at)?).ok()?;
        self.block
            .get(start..start.checked_add(N)?)?
            .try_into()
            .ok()
    }

    /// The next `length` bytes, of which there may be at most `max`.
    ///
    /// # Errors
    /// When the source ends first or `length` is over `max`; neither makes room first.
    pub fn bytes(
        &mut self,
        length: u64,
        max: u64,
        what: &'static str,
    ) -> Result<Vec<u8>, ParseError> {
        if length > self.remaining() {
            return Err(ParseError::Truncated {
                at: self.source.len(),
                what,
            });
        }
        if length > max {
            return Err(ParseError::Exhausted { limit: what, max });
        }
        let bytes = self.source.read(self.position, length)?;
        if (bytes.len() as u64) < length {
            return Err(ParseError::Truncated {
                at: self.position.saturating_add(bytes.len() as u64),
                what,
            });
        }
        self.skip(length);
        Ok(bytes)
    }

    /// The next byte.
    ///
    /// # Errors
    /// At the end.
    pub fn u8(&mut self, what: &'static str) -> Result<u8, ParseError> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    /// The next two bytes, least significant first.
    ///
    /// # Errors
    /// At the end.
    pub fn u16(&mut self, what: &'static str) -> Result<u16, ParseError> {
        self.array(what).map(u16::from_le_bytes)
    }

    /// The next four bytes, least significant first.
    ///
    /// # Errors
    /// At the end.
    pub fn u32(&mut self, what: &'static str) -> Result<u32, ParseError> {
        self.array(what).map(u32::from_le_bytes)
    }

    /// The next eight bytes, least significant first.
    ///
    /// # Errors
    /// At the end.
    pub fn u64(&mut self, what: &'static str) -> Result<u64, ParseError> {
        self.array(what).map(u64::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bytes;

    #[test]
    fn numbers_come_across_the_edge_of_a_block() {
        let mut bytes = vec![0; BLOCK - 1];
        bytes.extend([1, 2, 3, 4]);
        let source = Bytes(&bytes);
        let mut reader = Reader::new(&source, 0);
        assert_eq!(reader.u8("a byte").unwrap(), 0);
        reader.skip(BLOCK as u64 - 2);
        assert_eq!(reader.u32("a number").unwrap(), 0x0403_0201);
        assert!(matches!(
            reader.u8("more"),
            Err(ParseError::Truncated { what: "more", .. })
        ));
    }

    #[test]
    fn a_length_over_the_bound_is_refused() {
        let source = Bytes(&[0; 64]);
        let mut reader = Reader::new(&source, 0);
        assert!(matches!(
            reader.bytes(65, 8, "name"),
            Err(ParseError::Truncated { .. })
        ));
        assert!(matches!(
            reader.bytes(64, 8, "name"),
            Err(ParseError::Exhausted { max: 8, .. })
        ));
        assert_eq!(reader.bytes(8, 8, "name").unwrap().len(), 8);
    }
}
