use std::{borrow::Cow, io};

use bartizan_core::CheckError;

/// Bytes that can be read at any place: a file, a member of an archive, a slice.
///
/// Nothing is read before it is asked for, so that a file of any size costs only what is looked at.
pub trait Source: Send + Sync {
    /// How many bytes there are.
    fn len(&self) -> u64;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buffer` from `offset` on and says how many bytes that were: fewer than asked for only
    /// at the end.
    ///
    /// # Errors
    /// What the file system says.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// The `length` bytes at `offset`, or as many of them as there are.
    ///
    /// The room is made for what is there, not for what is asked: a lying length costs nothing.
    ///
    /// # Errors
    /// What the file system says.
    fn read(&self, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let there = self.len().saturating_sub(offset).min(length);
        let mut bytes = vec![0; usize::try_from(there).map_err(io::Error::other)?];
        let read = self.read_at(offset, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }
}

/// Bytes in memory as a [`Source`].
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a>(pub &'a [u8]);

impl Source for Bytes<'_> {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|offset| self.0.get(offset..))
            .unwrap_or_default();
        let length = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) {
            to.copy_from_slice(from);
        }
        Ok(length)
    }
}

/// A part of a [`Source`] as one of its own, e.g. a stored member of an archive.
#[derive(Clone, Copy)]
pub struct Section<'a> {
    source: &'a dyn Source,
    offset: u64,
    length: u64,
}

impl<'a> Section<'a> {
    /// The `length` bytes at `offset`, cut where the source ends.
    #[must_use]
    pub fn new(source: &'a dyn Source, offset: u64, length: u64) -> Self {
        let offset = offset.min(source.len());
        Self {
            source,
            offset,
            length: length.min(source.len() - offset),
        }
    }
}

impl Source for Section<'_> {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let there = self.length.saturating_sub(offset).min(buffer.len() as u64);
        let there = usize::try_from(there).map_err(io::Error::other)?;
        match buffer.get_mut(..there) {
            Some(buffer) => self
                .source
                .read_at(self.offset.saturating_add(offset), buffer),
            None => Ok(0),
        }
    }
}

/// Why a file cannot be read as what it claims to be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The file ends too early.
    #[error("the file ends at byte {at}, where {what} should follow")]
    Truncated {
        /// Byte of the file.
        at: u64,
        /// What should have been there.
        what: &'static str,
    },
    /// The bytes say what the format does not allow.
    #[error("at byte {at}: {what}")]
    Malformed {
        /// Byte of the file.
        at: u64,
        /// What is wrong, without content of the file.
        what: Cow<'static, str>,
    },
    /// A bound of the reader was reached.
    #[error("limit `{limit}` reached at {max}")]
    Exhausted {
        /// The bound's name.
        limit: &'static str,
        /// Its value.
        max: u64,
    },
    /// The file system gave up.
    #[error("cannot read")]
    Io(#[from] io::Error),
}

impl ParseError {
    /// The bytes at `at` say what the format does not allow.
    pub fn malformed(at: u64, what: impl Into<Cow<'static, str>>) -> Self {
        Self::Malformed {
            at,
            what: what.into(),
        }
    }
}

impl From<ParseError> for CheckError {
    fn from(error: ParseError) -> Self {
        match error {
            ParseError::Exhausted { limit, max } => Self::Exhausted { limit, at: max },
            ParseError::Io(_) => Self::Unavailable("the file cannot be read".into()),
            error => Self::Malformed(error.to_string().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_ends_where_its_source_ends() {
        let bytes = Bytes(b"0123456789");
        let section = Section::new(&bytes, 7, 100);
        assert_eq!(section.len(), 3);
        assert_eq!(section.read(1, 100).unwrap(), b"89");
        assert_eq!(Section::new(&bytes, 100, 1).len(), 0);
        assert_eq!(section.read(u64::MAX, 1).unwrap(), b"");
    }

    #[test]
    fn a_lying_length_makes_no_room() {
        assert_eq!(Bytes(b"abc").read(1, u64::MAX).unwrap(), b"bc");
    }
}
