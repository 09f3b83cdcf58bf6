use std::collections::BTreeSet;

use crate::{ParseError, Reader, Source};

/// How many values one file may hold.
const MAX_ITEMS: u64 = 50_000_000;
/// How many bytes one name may have.
const MAX_NAME: u64 = 1 << 16;

/// What R would make of a serialised file: kinds of values, not the values.
///
/// Source: "R Internals", 1.8 "Serialization Formats", and `src/main/serialize.c`.
#[derive(Debug, Default)]
pub struct Rds {
    /// A promise: code that runs when the value is looked at (CVE-2024-27322).
    pub promise: bool,
    /// A function that was compiled; what follows it was not read.
    pub bytecode: bool,
    /// A function.
    pub closure: bool,
    /// A pointer to memory of another process.
    pub pointer: bool,
    /// A call that is kept as data.
    pub call: bool,
    /// Names that are looked up.
    pub symbols: BTreeSet<String>,
}

impl Rds {
    /// Where the serialised stream begins: at once, or after the mark of a saved workspace.
    #[must_use]
    pub fn start(source: &dyn Source) -> Option<u64> {
        let head = source.read(0, 8).ok()?;
        let at = match head.as_slice() {
            [b'R', b'D', b'X' | b'A' | b'B', b'2' | b'3', b'\n', ..] => 5,
            _ => 0,
        };
        let rest = head.get(at..)?;
        let known = match rest {
            [b'X', b'\n', rest @ ..] => at > 0 || rest.starts_with(&[0, 0, 0]),
            [b'A', b'\n', rest @ ..] => at > 0 || rest.first().is_some_and(u8::is_ascii_digit),
            [b'B', b'\n', rest @ ..] => at > 0 || rest.get(1..) == Some(&[0, 0, 0]),
            _ => false,
        };
        known.then_some(at as u64)
    }

    /// Walks the stream from `start` on.
    ///
    /// # Errors
    /// When it is broken, in another form than XDR, or over a bound.
    pub fn read(source: &dyn Source, start: u64) -> Result<Self, ParseError> {
        let mut walk = Walk {
            reader: Reader::new(source, start),
            found: Self::default(),
            pending: 1,
        };
        if walk.reader.array::<2>("the form")? != *b"X\n" {
            return Err(ParseError::malformed(start, "only R's XDR form is read"));
        }
        let version = walk.number()?;
        walk.reader.skip(8);
        match version {
            2 => {}
            3 => {
                let length = walk.length()?;
                walk.reader.skip(length);
            }
            _ => return Err(ParseError::malformed(start, "an unknown version")),
        }
        let mut items = 0;
        while walk.pending > 0 && !walk.found.bytecode {
            walk.pending -= 1;
            items += 1;
            if items > MAX_ITEMS {
                return Err(ParseError::Exhausted {
                    limit: "rds items",
                    max: MAX_ITEMS,
                });
            }
            walk.item()?;
        }
        Ok(walk.found)
    }
}

struct Walk<'a> {
    reader: Reader<'a>,
    found: Rds,
    /// Values that must still follow: the stream lists them one after the other.
    pending: u64,
}

impl Walk<'_> {
    fn number(&mut self) -> Result<i32, ParseError> {
        self.reader.array("a number").map(i32::from_be_bytes)
    }

    /// A length; `-1` announces one of eight bytes.
    fn length(&mut self) -> Result<u64, ParseError> {
        let length = self.number()?;
        if length == -1 {
            return self.reader.array("a length").map(u64::from_be_bytes);
        }
        u64::try_from(length)
            .map_err(|_| ParseError::malformed(self.reader.position(), "a length below zero"))
    }

    fn skip(&mut self, count: u64, bytes: u64) -> Result<(), ParseError> {
        let bytes = count.saturating_mul(bytes);
        if bytes > self.reader.remaining() {
            return Err(ParseError::malformed(
                self.reader.position(),
                "a vector ends after the file",
            ));
        }
        self.reader.skip(bytes);
        Ok(())
    }

    fn more(&mut self, items: u64) -> Result<(), ParseError> {
        self.pending = self.pending.saturating_add(items);
        if self.pending > self.reader.remaining() {
            return Err(ParseError::malformed(
                self.reader.position(),
                "there are more values than the file can hold",
            ));
        }
        Ok(())
    }

    fn item(&mut self) -> Result<(), ParseError> {
        let flags = self.number()?;
        let attributes = u64::from(flags & 0x200 != 0);
        let tag = u64::from(flags & 0x400 != 0);
        match flags & 0xFF {
            // Values without content.
            241 | 242 | 250..=254 => Ok(()),
            // A reference, whose index may stand in the flags.
            255 | 243 => {
                if flags >> 8 == 0 {
                    self.number()?;
                }
                Ok(())
            }
            // A name.
            1 => {
                let flags = self.number()?;
                let length = self.number()?;
                if flags & 0xFF == 9 && length >= 0 {
                    let length = u64::try_from(length).unwrap_or(0);
                    let name = self.reader.bytes(length, MAX_NAME, "rds name")?;
                    let name = String::from_utf8_lossy(&name).into_owned();
                    self.found.symbols.insert(name);
                }
                Ok(())
            }
            // Pairs, functions, promises, calls: attributes, tag, head, tail.
            kind @ (2 | 3 | 5 | 6 | 17 | 239 | 240) => {
                self.found.closure |= kind == 3;
                self.found.promise |= kind == 5;
                self.found.call |= matches!(kind, 6 | 240);
                self.more(2 + attributes + tag)
            }
            // An environment: enclosure, frame, table, attributes.
            4 => {
                self.number()?;
                self.more(4)
            }
            // Built-in functions by name.
            7 | 8 => {
                let length = self.length()?;
                let name = self.reader.bytes(length, MAX_NAME, "rds name")?;
                let name = String::from_utf8_lossy(&name).into_owned();
                self.found.symbols.insert(name);
                Ok(())
            }
            9 => {
                let length = self.number()?;
                self.skip(u64::try_from(length).unwrap_or(0), 1)?;
                self.more(attributes)
            }
            kind @ (10 | 13 | 14 | 15 | 24) => {
                let length = self.length()?;
                let bytes = match kind {
                    10 | 13 => 4,
                    14 => 8,
                    15 => 16,
                    _ => 1,
                };
                self.skip(length, bytes)?;
                self.more(attributes)
            }
            16 | 19 | 20 => {
                let length = self.length()?;
                self.more(length.saturating_add(attributes))
            }
            21 => {
                self.found.bytecode = true;
                Ok(())
            }
            22 => {
                self.found.pointer = true;
                self.more(2 + attributes)
            }
            23 | 25 => self.more(attributes),
            // A compact form: class, state, attributes.
            238 => self.more(3),
            // Names of a namespace, a package, or a persistent value.
            247..=249 => {
                self.number()?;
                let length = self.length()?;
                self.more(length)
            }
            _ => Err(ParseError::malformed(
                self.reader.position(),
                "an unknown kind of value",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bytes;

    fn stream(words: &[i32]) -> Vec<u8> {
        let mut bytes = b"X\n".to_vec();
        for word in [2, 0x0004_0000, 0x0002_0300].iter().chain(words) {
            bytes.extend(word.to_be_bytes());
        }
        bytes
    }

    fn read(words: &[i32]) -> Result<Rds, ParseError> {
        let bytes = stream(words);
        assert_eq!(Rds::start(&Bytes(&bytes)), Some(0));
        Rds::read(&Bytes(&bytes), 0)
    }

    #[test]
    fn vectors_and_lists_are_data() {
        // list(1:2, NULL)
        let rds = read(&[19, 2, 13, 2, 1, 2, 254]).unwrap();
        assert!(!rds.promise && !rds.closure && !rds.call);
    }

    #[test]
    fn a_promise_is_seen() {
        // Promise without environment: value, then the call `f()`.
        let name = i32::from_be_bytes(*b"quit");
        let rds = read(&[5, 252, 6, 1, 9, 4, name, 254]).unwrap();
        assert!(rds.promise && rds.call);
        assert!(rds.symbols.contains("quit"));
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        for words in [
            &[13, i32::MAX][..],
            &[19, i32::MAX],
            &[13, -2],
            &[99],
            &[19, 1],
        ] {
            assert!(read(words).is_err(), "{words:?}");
        }
    }
}
