use std::collections::HashSet;

use crate::{ParseError, Reader, Source};

/// How many entries and tensors one file may hold.
const MAX_ENTRIES: u64 = 1_000_000;
/// How many elements of arrays are walked in all.
const MAX_ELEMENTS: u64 = 50_000_000;
/// How many bytes one string may have.
const MAX_TEXT: u64 = 64 << 20;

/// The table of contents of a GGUF file, and what its rules are broken by.
///
/// Source: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md> and `gguf.cpp`.
#[derive(Debug, Default)]
pub struct Gguf {
    /// Entries whose value is text.
    pub texts: Vec<(String, String)>,
    /// Every rule that is broken.
    pub faults: Vec<&'static str>,
}

struct Walk<'a> {
    reader: Reader<'a>,
    big_endian: bool,
    version: u32,
    elements: u64,
    alignment: u64,
    found: Gguf,
}

/// Types of tensors: elements of one block, bytes of one block; `None` where a number has no type.
///
/// Source: `ggml_type` and `type_traits` of `ggml.c`.
#[rustfmt::skip]
const TYPES: &[Option<(u64, u64)>] = &[
    Some((1, 4)), Some((1, 2)), Some((32, 18)), Some((32, 20)), Some((32, 20)), Some((32, 24)), Some((32, 22)), Some((32, 24)),
    Some((32, 34)), Some((32, 36)), Some((256, 84)), Some((256, 110)), Some((256, 144)), Some((256, 176)), Some((256, 210)), Some((256, 292)),
    Some((256, 66)), Some((256, 74)), Some((256, 98)), Some((256, 50)), Some((32, 18)), Some((256, 110)), Some((256, 82)), Some((256, 136)),
    Some((1, 1)), Some((1, 2)), Some((1, 4)), Some((1, 8)), Some((1, 8)), Some((256, 56)), Some((1, 2)), Some((32, 18)),
    Some((32, 18)), Some((32, 18)), Some((256, 54)), Some((256, 66)), Some((32, 18)), Some((32, 18)), Some((32, 18)), Some((32, 17)),
    Some((64, 36)), Some((128, 18)),
];

/// `GGUF_TYPE_STRING` and `GGUF_TYPE_ARRAY`.
const STRING: u32 = 8;
const ARRAY: u32 = 9;
/// Bytes of the other types of values, by number.
const SIZES: &[u64] = &[1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];

impl Gguf {
    /// Whether `source` starts with the letters.
    #[must_use]
    pub fn is(source: &dyn Source) -> bool {
        source.read(0, 4).is_ok_and(|bytes| bytes == b"GGUF")
    }

    /// Reads the table of contents and weighs every rule.
    ///
    /// # Errors
    /// When it cannot be read to its end.
    pub fn read(source: &dyn Source) -> Result<Self, ParseError> {
        let mut reader = Reader::new(source, 4);
        let version = reader.u32("the version")?;
        let big_endian = version & 0xFFFF == 0;
        let mut walk = Walk {
            reader,
            big_endian,
            version: if big_endian {
                version.swap_bytes()
            } else {
                version
            },
            elements: 0,
            alignment: 32,
            found: Self::default(),
        };
        if !(1..=3).contains(&walk.version) {
            return Err(ParseError::malformed(4, "an unknown version"));
        }
        let tensors = walk.count()?;
        let entries = walk.count()?;
        // No entry takes fewer bytes than 12, no tensor fewer than 24.
        let least = entries
            .saturating_mul(12)
            .saturating_add(tensors.saturating_mul(24));
        if least > source.len() || entries.max(tensors) > MAX_ENTRIES {
            return Err(ParseError::malformed(
                8,
                "there are more entries than the file can hold",
            ));
        }
        walk.entries(entries)?;
        walk.tensors(tensors, source.len())?;
        Ok(walk.found)
    }
}

impl Walk<'_> {
    fn u32(&mut self) -> Result<u32, ParseError> {
        let number = self.reader.u32("a number")?;
        Ok(if self.big_endian {
            number.swap_bytes()
        } else {
            number
        })
    }

    fn u64(&mut self) -> Result<u64, ParseError> {
        let number = self.reader.u64("a number")?;
        Ok(if self.big_endian {
            number.swap_bytes()
        } else {
            number
        })
    }

    /// A count or a length: four bytes in version 1, eight later.
    fn count(&mut self) -> Result<u64, ParseError> {
        if self.version == 1 {
            return self.u32().map(u64::from);
        }
        self.u64()
    }

    fn text(&mut self, max: u64) -> Result<String, ParseError> {
        let length = self.count()?;
        let bytes = self.reader.bytes(length, max, "gguf text")?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn fault(&mut self, what: &'static str) {
        if !self.found.faults.contains(&what) {
            self.found.faults.push(what);
        }
    }

    fn entries(&mut self, entries: u64) -> Result<(), ParseError> {
        let mut keys = HashSet::new();
        for _ in 0..entries {
            let key = self.text(u64::from(u16::MAX))?;
            let kind = self.u32()?;
            if key == "general.alignment" && kind == 4 {
                let alignment = u64::from(self.u32()?);
                if alignment.is_power_of_two() && alignment <= 1 << 20 {
                    self.alignment = alignment;
                } else {
                    self.fault("the alignment is no power of two");
                }
            } else {
                self.value(&key, kind, 0)?;
            }
            if key.is_empty() {
                self.fault("a key is empty");
            }
            if !keys.insert(key) {
                self.fault("one key stands twice");
            }
        }
        Ok(())
    }

    fn value(&mut self, key: &str, kind: u32, depth: u32) -> Result<(), ParseError> {
        let at = self.reader.position();
        self.elements += 1;
        if self.elements > MAX_ELEMENTS || depth > 4 {
            return Err(ParseError::Exhausted {
                limit: "gguf elements",
                max: MAX_ELEMENTS,
            });
        }
        if kind == STRING {
            // Long lists of tokens are not kept.
            if depth > 0 && !key.contains("template") {
                let length = self.count()?;
                if length > self.reader.remaining() {
                    return Err(ParseError::malformed(at, "a text ends after the file"));
                }
                self.reader.skip(length);
                return Ok(());
            }
            let text = self.text(MAX_TEXT)?;
            self.found.texts.push((key.to_owned(), text));
            return Ok(());
        }
        if kind == ARRAY {
            let inner = self.u32()?;
            let count = self.count()?;
            let size = usize::try_from(inner)
                .ok()
                .and_then(|inner| SIZES.get(inner));
            let least = match size {
                Some(0) => 4,
                Some(size) => *size,
                None => return Err(ParseError::malformed(at, "a value of an unknown type")),
            };
            if count.saturating_mul(least) > self.reader.remaining() {
                return Err(ParseError::malformed(at, "an array ends after the file"));
            }
            if inner == STRING || inner == ARRAY {
                for _ in 0..count {
                    self.value(key, inner, depth + 1)?;
                }
            } else {
                self.reader.skip(count * least);
            }
            return Ok(());
        }
        match usize::try_from(kind).ok().and_then(|kind| SIZES.get(kind)) {
            None => Err(ParseError::malformed(at, "a value of an unknown type")),
            Some(1) if kind == 7 => match self.reader.u8("a truth value")? {
                0 | 1 => Ok(()),
                _ => Err(ParseError::malformed(at, "a truth value is neither")),
            },
            Some(size) if *size <= self.reader.remaining() => {
                self.reader.skip(*size);
                Ok(())
            }
            Some(_) => Err(ParseError::Truncated {
                at: at + self.reader.remaining(),
                what: "a value",
            }),
        }
    }

    fn tensors(&mut self, tensors: u64, length: u64) -> Result<(), ParseError> {
        let mut names = HashSet::new();
        let mut ranges = Vec::new();
        for _ in 0..tensors {
            let name = self.text(u64::from(u16::MAX))?;
            let dimensions = self.u32()?;
            if dimensions > 8 {
                return Err(ParseError::malformed(
                    self.reader.position(),
                    "a tensor of too many dimensions",
                ));
            }
            if dimensions > 4 {
                self.fault("a tensor has more than four dimensions");
            }
            let mut count = Some(1_u64);
            let mut row = 1;
            for index in 0..dimensions {
                let side = self.count()?;
                row = if index == 0 { side } else { row };
                count = count.and_then(|count| count.checked_mul(side));
            }
            let kind = self.u32()?;
            let offset = self.u64()?;
            let shape = usize::try_from(kind).ok().and_then(|kind| TYPES.get(kind));
            match (shape.copied().flatten(), count) {
                (None, _) => self.fault("a tensor has a type that the format does not know"),
                (_, None) => self.fault("a tensor's size cannot be counted"),
                (Some((block, bytes)), Some(count)) => {
                    if !row.is_multiple_of(block) {
                        self.fault("a tensor's rows do not fill their blocks");
                    }
                    match (count / block)
                        .checked_mul(bytes)
                        .filter(|size| *size < 1 << 62)
                    {
                        Some(size) => ranges.push((offset, offset.saturating_add(size))),
                        None => self.fault("a tensor's size cannot be counted"),
                    }
                }
            }
            if !offset.is_multiple_of(self.alignment) {
                self.fault("a tensor is not aligned");
            }
            if !names.insert(name) {
                self.fault("one name of a tensor stands twice");
            }
        }
        let header = self.reader.position();
        let data = header
            .checked_next_multiple_of(self.alignment)
            .unwrap_or(u64::MAX);
        let there = length.saturating_sub(data);
        ranges.sort_unstable();
        let mut end = 0;
        for (from, to) in &ranges {
            if *from < end && from < to {
                self.fault("two tensors share bytes");
            }
            end = end.max(*to);
        }
        if end > there {
            self.fault("a tensor ends after the file");
        }
        let trailing = there.saturating_sub(end);
        // The last tensor, too, is filled up to the alignment.
        if trailing >= self.alignment.max(64) {
            self.fault("bytes after the last tensor belong to none");
        }
        Ok(())
    }
}
