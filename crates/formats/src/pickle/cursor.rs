use crate::{ParseError, Source};

/// How many bytes are fetched at a time.
const BLOCK: u64 = 16 << 10;

/// A place in a source that goes forward by bytes and lines; keeps one block.
pub(crate) struct Cursor<'a> {
    source: &'a dyn Source,
    length: u64,
    pub(crate) position: u64,
    block: Vec<u8>,
    block_at: u64,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(source: &'a dyn Source, position: u64) -> Self {
        Self {
            source,
            length: source.len(),
            position,
            block: Vec::new(),
            block_at: 0,
        }
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The buffered bytes from the position on, fetched if there are none.
    fn ahead(&mut self, least: usize) -> Result<&[u8], ParseError> {
        let has = |cursor: &Self| {
            let from = cursor.position.checked_sub(cursor.block_at)?;
            let from = usize::try_from(from).ok()?;
            (from + least <= cursor.block.len()).then_some(from)
        };
        if has(self).is_none() {
            self.block = self.source.read(self.position, BLOCK.max(least as u64))?;
            self.block_at = self.position;
        }
        let from = usize::try_from(self.position - self.block_at).unwrap_or(usize::MAX);
        Ok(self.block.get(from..).unwrap_or_default())
    }

    /// The next byte; `None` at the end.
    pub(crate) fn byte(&mut self) -> Result<Option<u8>, ParseError> {
        let byte = self.ahead(1)?.first().copied();
        self.position += u64::from(byte.is_some());
        Ok(byte)
    }

    /// A number of at most eight bytes, least significant first.
    pub(crate) fn number(&mut self, bytes: u8) -> Result<u64, ParseError> {
        let bytes = usize::from(bytes);
        let truncated = ParseError::Truncated {
            at: self.length,
            what: "the argument of an opcode",
        };
        let taken = self.ahead(bytes)?.get(..bytes).ok_or(truncated)?;
        let number = taken
            .iter()
            .rev()
            .fold(0, |number, &byte| number << 8 | u64::from(byte));
        self.position += bytes as u64;
        Ok(number)
    }

    /// Passes over `length` bytes and says where they began.
    pub(crate) fn stretch(&mut self, length: u64) -> Result<u64, ParseError> {
        let at = self.position;
        if length > self.length.saturating_sub(at) {
            return Err(ParseError::Truncated {
                at: self.length,
                what: "the argument of an opcode",
            });
        }
        self.position = at + length;
        Ok(at)
    }

    /// Passes over a line and says where it began and how long it is without its end.
    ///
    /// A line that the end of the file ends is none: CPython refuses it.
    pub(crate) fn line(&mut self) -> Result<(u64, u64), ParseError> {
        let start = self.position;
        loop {
            let ahead = self.ahead(1)?;
            if ahead.is_empty() {
                return Err(ParseError::Truncated {
                    at: self.length,
                    what: "the end of a line",
                });
            }
            if let Some(end) = memchr::memchr(b'\n', ahead) {
                self.position += end as u64 + 1;
                return Ok((start, self.position - 1 - start));
            }
            self.position += ahead.len() as u64;
        }
    }

    /// Bytes that were passed over.
    pub(crate) fn bytes(&self, at: u64, length: u64) -> Result<Vec<u8>, ParseError> {
        let from = at
            .checked_sub(self.block_at)
            .and_then(|from| usize::try_from(from).ok());
        let buffered = from.zip(usize::try_from(length).ok());
        let buffered = buffered.and_then(|(from, length)| self.block.get(from..from + length));
        match buffered {
            Some(bytes) => Ok(bytes.to_vec()),
            None => Ok(self.source.read(at, length)?),
        }
    }
}
