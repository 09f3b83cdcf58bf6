use super::{
    Quirk, Stretch, Text,
    cursor::Cursor,
    opcode::{Opcode, Shape},
    value::Coding,
};
use crate::{ParseError, Source};

/// One instruction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instruction {
    /// Where its opcode stands.
    pub(crate) at: u64,
    pub(crate) opcode: Opcode,
    pub(crate) argument: Argument,
}

/// What an instruction carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    Nothing,
    /// A number, or `None` for one that does not fit.
    Number(Option<i64>),
    Bool(bool),
    Float,
    Text(Text),
    Bytes(Stretch),
    Names(Text, Text),
}

/// Reads instructions as CPython's C unpickler does, and notes where stricter readers differ.
pub(crate) struct Instructions<'a> {
    pub(crate) cursor: Cursor<'a>,
    pub(crate) quirks: Vec<(Quirk, u64)>,
    frame_end: Option<u64>,
}

/// Most characters of a number: what is longer is not looked at as a number.
const NUMBER: u64 = 64;

/// Most quirks that are kept.
const QUIRKS: usize = 64;

impl<'a> Instructions<'a> {
    pub(crate) fn new(source: &'a dyn Source, start: u64) -> Self {
        Self {
            cursor: Cursor::new(source, start),
            quirks: Vec::new(),
            frame_end: None,
        }
    }

    fn quirk(&mut self, quirk: Quirk, at: u64) {
        if self.quirks.len() < QUIRKS {
            self.quirks.push((quirk, at));
        }
    }

    /// The next instruction.
    pub(crate) fn next(&mut self) -> Result<Instruction, ParseError> {
        let at = self.cursor.position;
        let Some(byte) = self.cursor.byte()? else {
            return Err(ParseError::Truncated {
                at,
                what: "an opcode",
            });
        };
        let Some((opcode, shape)) = Opcode::of(byte) else {
            return Err(ParseError::malformed(at, "no opcode of a pickle"));
        };
        let argument = self.argument(shape, at)?;
        self.frames(opcode, argument, at);
        Ok(Instruction {
            at,
            opcode,
            argument,
        })
    }

    /// The unpickler in Python lets no instruction cross the end of a frame. The one in C only asks
    /// whether its bytes are there, and fetches them; when it reads from a file and an instruction
    /// needs more, it drops what is left of them (`_Unpickler_ReadFromFile`; seen with 3.11).
    fn frames(&mut self, opcode: Opcode, argument: Argument, at: u64) {
        let after = self.cursor.position;
        if let Some(end) = self.frame_end {
            if at >= end {
                self.frame_end = None;
            } else if after > end {
                self.frame_end = None;
                self.quirk(Quirk::Frame, at);
            }
        }
        if opcode == Opcode::Frame {
            if self.frame_end.is_some() {
                self.quirk(Quirk::Frame, at);
            }
            let length = match argument {
                Argument::Number(Some(length)) => u64::try_from(length).ok(),
                _ => None,
            };
            let end = length.and_then(|length| after.checked_add(length));
            if end.is_none_or(|end| end > self.cursor.length()) {
                self.quirk(Quirk::Frame, at);
            }
            self.frame_end = end;
        }
    }

    /// An inline array begins after a frame.
    pub(crate) fn jump(&mut self, to: u64) {
        self.cursor.position = to;
        self.frame_end = None;
    }

    fn argument(&mut self, shape: Shape, at: u64) -> Result<Argument, ParseError> {
        Ok(match shape {
            Shape::Nothing => Argument::Nothing,
            Shape::Number(bytes) => {
                Argument::Number(i64::try_from(self.cursor.number(bytes)?).ok())
            }
            Shape::Signed => Argument::Number(Some(i64::from(self.signed()?))),
            Shape::Float => {
                self.cursor.number(8)?;
                Argument::Float
            }
            Shape::Text(bytes) => {
                let length = self.cursor.number(bytes)?;
                self.text(length, Coding::Utf8)?
            }
            Shape::OldText(1) => {
                let length = self.cursor.number(1)?;
                self.text(length, Coding::Ascii)?
            }
            Shape::OldText(_) => {
                let length = self.length(at)?;
                self.text(length, Coding::Ascii)?
            }
            Shape::Bytes(bytes) => {
                let length = self.cursor.number(bytes)?;
                let at = self.cursor.stretch(length)?;
                Argument::Bytes(Stretch { at, length })
            }
            Shape::Long(bytes) => {
                let length = match bytes {
                    1 => self.cursor.number(1)?,
                    _ => self.length(at)?,
                };
                let start = self.cursor.stretch(length)?;
                Argument::Number(self.long(start, length)?)
            }
            Shape::Decimal => self.decimal(at, false)?,
            Shape::LongDecimal => self.decimal(at, true)?,
            Shape::FloatLine => {
                let (start, length) = self.cursor.line()?;
                let text = self.cursor.bytes(start, length.min(NUMBER))?;
                if text.contains(&0) {
                    self.quirk(Quirk::Number, at);
                }
                Argument::Float
            }
            Shape::IndexLine => self.index(at)?,
            Shape::QuotedLine => {
                let (start, length) = self.cursor.line()?;
                let edges = [
                    self.cursor.bytes(start, length.min(1))?,
                    self.cursor
                        .bytes((start + length).saturating_sub(1), length.min(1))?,
                ];
                if length < 2 || edges[0] != edges[1] || !matches!(&*edges[0], b"'" | b"\"") {
                    return Err(ParseError::malformed(at, "a text without quotes"));
                }
                Argument::Text(Text {
                    at: start + 1,
                    length: length - 2,
                    coding: Coding::Escapes,
                })
            }
            Shape::UnicodeLine => self.line(Coding::Unicode)?,
            Shape::IdLine => self.line(Coding::Ascii)?,
            Shape::Names => {
                let names = [self.cursor.line()?, self.cursor.line()?].map(|(at, length)| Text {
                    at,
                    length,
                    coding: Coding::Utf8,
                });
                for name in names {
                    let bytes = self.cursor.bytes(name.at, name.length.min(Text::MOST))?;
                    // `pickletools` undoes escapes and refuses what is not ASCII.
                    if bytes.contains(&b'\\') || !bytes.is_ascii() {
                        self.quirk(Quirk::Name, at);
                    }
                }
                let [module, name] = names;
                Argument::Names(module, name)
            }
        })
    }

    fn signed(&mut self) -> Result<i32, ParseError> {
        let bits = u32::try_from(self.cursor.number(4)?).unwrap_or_default();
        Ok(bits.cast_signed())
    }

    fn length(&mut self, at: u64) -> Result<u64, ParseError> {
        u64::try_from(self.signed()?).map_err(|_| ParseError::malformed(at, "a negative length"))
    }

    fn text(&mut self, length: u64, coding: Coding) -> Result<Argument, ParseError> {
        let at = self.cursor.stretch(length)?;
        Ok(Argument::Text(Text { at, length, coding }))
    }

    fn line(&mut self, coding: Coding) -> Result<Argument, ParseError> {
        let (at, length) = self.cursor.line()?;
        Ok(Argument::Text(Text { at, length, coding }))
    }

    /// Two's complement, least significant byte first.
    fn long(&self, at: u64, length: u64) -> Result<Option<i64>, ParseError> {
        if length > 8 {
            return Ok(None);
        }
        let bytes = self.cursor.bytes(at, length)?;
        let sign = match bytes.last() {
            Some(last) if last & 0x80 != 0 => -1,
            _ => 0,
        };
        let number = bytes
            .iter()
            .rev()
            .fold(sign, |number: i64, &byte| number << 8 | i64::from(byte));
        Ok(Some(number))
    }

    /// `strtol` in base 0, which a NUL ends; `pickletools` reads decimal digits only.
    fn decimal(&mut self, at: u64, long: bool) -> Result<Argument, ParseError> {
        let (start, length) = self.cursor.line()?;
        let line = self.cursor.bytes(start, length.min(NUMBER))?;
        if !long && (line == b"00" || line == b"01") {
            return Ok(Argument::Bool(line == b"01"));
        }
        let line = match line.strip_suffix(b"L") {
            Some(digits) if long => digits,
            _ => &line,
        };
        if length > NUMBER {
            return Ok(Argument::Number(None));
        }
        let plain = std::str::from_utf8(line).unwrap_or_default();
        let digits = plain.strip_prefix('-').unwrap_or(plain);
        let is_plain = !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && (digits == "0" || !digits.starts_with('0'));
        if is_plain {
            return Ok(Argument::Number(plain.parse().ok()));
        }
        self.quirk(Quirk::Number, at);
        match lenient_number(line, 0) {
            Some(number) => Ok(Argument::Number(number)),
            None => Err(ParseError::malformed(at, "no number")),
        }
    }

    /// `PyLong_FromString` in base ten, which a NUL ends.
    fn index(&mut self, at: u64) -> Result<Argument, ParseError> {
        let (start, length) = self.cursor.line()?;
        let line = self.cursor.bytes(start, length.min(NUMBER))?;
        if line.is_empty() || !line.iter().all(u8::is_ascii_digit) {
            self.quirk(Quirk::Number, at);
        }
        match lenient_number(&line, 10) {
            Some(Some(number)) if number >= 0 => Ok(Argument::Number(Some(number))),
            _ => Err(ParseError::malformed(at, "no index")),
        }
    }
}

/// A number as `strtol` and `PyLong_FromString` read it: blanks around, a sign, a prefix of the base
/// (base 0), underscores between digits, and nothing behind a NUL. `Some(None)` does not fit.
fn lenient_number(line: &[u8], base: u32) -> Option<Option<i64>> {
    let line = line.split(|&byte| byte == 0).next()?;
    let text = std::str::from_utf8(line).ok()?.trim_ascii();
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, text.get(1..)?),
        [b'+', ..] => (false, text.get(1..)?),
        _ => (false, text),
    };
    let prefix = digits.get(..2).unwrap_or_default().to_ascii_lowercase();
    let (base, digits) = match (base, &*prefix) {
        (0, "0x") => (16, digits.get(2..)?),
        (0, "0o") => (8, digits.get(2..)?),
        (0, "0b") => (2, digits.get(2..)?),
        (0, prefix) if prefix.starts_with('0') => (8, digits),
        (0, _) => (10, digits),
        (base, _) => (base, digits),
    };
    let digits: String = digits.chars().filter(|&digit| digit != '_').collect();
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(base)) {
        return None;
    }
    let number = i64::from_str_radix(&digits, base).ok();
    Some(number.map(|number| if negative { -number } else { number }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bytes;

    fn check(bytes: &[u8], argument: Argument, quirks: &[Quirk]) {
        let source = Bytes(bytes);
        let mut instructions = Instructions::new(&source, 0);
        assert_eq!(instructions.next().unwrap().argument, argument, "{bytes:?}");
        let seen: Vec<Quirk> = instructions
            .quirks
            .iter()
            .map(|(quirk, _)| *quirk)
            .collect();
        assert_eq!(seen, quirks, "{bytes:?}");
    }

    #[test]
    fn numbers_are_read_as_cpython_reads_them() {
        let number = |number| Argument::Number(Some(number));
        check(b"I-12\n", number(-12), &[]);
        check(b"I01\n", Argument::Bool(true), &[]);
        check(b"I0x10\n", number(16), &[Quirk::Number]);
        check(b"I010\n", number(8), &[Quirk::Number]);
        check(b"I1\0junk\n", number(1), &[Quirk::Number]);
        check(b"L5L\n", number(5), &[]);
        check(b"L0b11L\n", number(3), &[Quirk::Number]);
        check(b"g1_0\n", number(10), &[Quirk::Number]);
        check(b"\x8a\x02\xff\x00", number(255), &[]);
        check(b"\x8a\x01\xff", number(-1), &[]);
        check(b"\x8a\x09\0\0\0\0\0\0\0\0\x01", Argument::Number(None), &[]);
        check(b"J\xff\xff\xff\xff", number(-1), &[]);
    }

    #[test]
    fn what_cpython_refuses_is_refused() {
        for bytes in [
            &b"Sno quotes\n"[..],
            b"S'\n",
            b"g-1\n",
            b"Iten\n",
            b"I1",
            b"T\xff\xff\xff\xff",
            b"X\x05\0\0\0abc",
            b"\xff",
            b"",
        ] {
            let source = Bytes(bytes);
            assert!(Instructions::new(&source, 0).next().is_err(), "{bytes:?}");
        }
    }
}
