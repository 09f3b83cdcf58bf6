use crate::{ParseError, Reader, Source};

/// How many values one file may hold.
const MAX_ITEMS: u64 = 50_000_000;

/// What a MessagePack file holds besides numbers and names.
///
/// Source: <https://github.com/msgpack/msgpack/blob/master/spec.md>
#[derive(Debug, Default)]
pub struct MsgPack {
    /// Extensions: their number, where their bytes start, how many there are.
    pub extensions: Vec<(i8, u64, u64)>,
    /// Where bytes stand, and how many.
    pub binaries: Vec<(u64, u64)>,
    /// Bytes after the first value.
    pub trailing: u64,
}

impl MsgPack {
    /// Whether `source` starts with a map whose first key is text, as a tree of parameters does.
    #[must_use]
    pub fn is(source: &dyn Source) -> bool {
        let Ok(head) = source.read(0, 16) else {
            return false;
        };
        let key = match head.as_slice() {
            [0x81..=0x8F, key, ..] | [0xDE, _, _, key, ..] | [0xDF, _, _, _, _, key, ..] => *key,
            _ => return false,
        };
        matches!(key, 0xA1..=0xBF | 0xD9)
    }

    /// Walks the first value.
    ///
    /// # Errors
    /// When it is broken or claims more than there is.
    pub fn read(source: &dyn Source) -> Result<Self, ParseError> {
        let mut reader = Reader::new(source, 0);
        let mut found = Self::default();
        let mut pending = 1_u64;
        let mut items = 0;
        while pending > 0 {
            pending -= 1;
            items += 1;
            if items > MAX_ITEMS {
                return Err(ParseError::Exhausted {
                    limit: "msgpack values",
                    max: MAX_ITEMS,
                });
            }
            let inside = found.value(&mut reader)?;
            pending = pending.saturating_add(inside);
            if pending > reader.remaining() {
                return Err(ParseError::malformed(
                    reader.position(),
                    "there are more values than the file can hold",
                ));
            }
        }
        found.trailing = reader.remaining();
        Ok(found)
    }

    /// Reads one value and says how many follow inside it.
    fn value(&mut self, reader: &mut Reader<'_>) -> Result<u64, ParseError> {
        let kind = reader.u8("a value")?;
        Ok(match kind {
            0x00..=0x7F | 0xC0 | 0xC2 | 0xC3 | 0xE0..=0xFF => 0,
            0x80..=0x8F => 2 * u64::from(kind & 0x0F),
            0x90..=0x9F => u64::from(kind & 0x0F),
            0xA0..=0xBF => skip(reader, u64::from(kind & 0x1F))?,
            0xC4..=0xC6 => {
                let length = number(reader, 1 << (kind - 0xC4))?;
                self.binaries.push((reader.position(), length));
                skip(reader, length)?
            }
            0xC7..=0xC9 => {
                let length = number(reader, 1 << (kind - 0xC7))?;
                self.extension(reader, length)?
            }
            0xCA | 0xCE | 0xD2 => skip(reader, 4)?,
            0xCB | 0xCF | 0xD3 => skip(reader, 8)?,
            0xCC | 0xD0 => skip(reader, 1)?,
            0xCD | 0xD1 => skip(reader, 2)?,
            0xD4..=0xD8 => self.extension(reader, 1 << (kind - 0xD4))?,
            0xD9..=0xDB => {
                let length = number(reader, 1 << (kind - 0xD9))?;
                skip(reader, length)?
            }
            0xDC | 0xDD => number(reader, 2 << (kind - 0xDC))?,
            0xDE | 0xDF => 2 * number(reader, 2 << (kind - 0xDE))?,
            0xC1 => {
                return Err(ParseError::malformed(
                    reader.position(),
                    "a kind of value that is never used",
                ));
            }
        })
    }

    fn extension(&mut self, reader: &mut Reader<'_>, length: u64) -> Result<u64, ParseError> {
        let [number] = reader.array::<1>("an extension")?.map(u8::cast_signed);
        self.extensions.push((number, reader.position(), length));
        skip(reader, length)
    }
}

fn number(reader: &mut Reader<'_>, bytes: u8) -> Result<u64, ParseError> {
    let mut number = 0;
    for _ in 0..bytes {
        number = number << 8 | u64::from(reader.u8("a length")?);
    }
    Ok(number)
}

fn skip(reader: &mut Reader<'_>, bytes: u64) -> Result<u64, ParseError> {
    if bytes > reader.remaining() {
        return Err(ParseError::malformed(
            reader.position(),
            "a value ends after the file",
        ));
    }
    reader.skip(bytes);
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bytes;

    #[test]
    fn extensions_are_listed_and_claims_checked() {
        let bytes = [0x81, 0xA1, b'w', 0xC7, 3, 1, b'a', b'b', b'c'];
        assert!(MsgPack::is(&Bytes(&bytes)));
        let found = MsgPack::read(&Bytes(&bytes)).unwrap();
        assert_eq!(found.extensions, [(1, 6, 3)]);
        for bytes in [
            &[0x81, 0xA1, b'w', 0xC6, 0xFF, 0xFF, 0xFF, 0xFF][..],
            &[0xDD, 0xFF, 0xFF, 0xFF, 0xFF],
            &[0x91, 0xC1],
        ] {
            assert!(MsgPack::read(&Bytes(bytes)).is_err(), "{bytes:?}");
        }
    }
}
