use std::borrow::Cow;

use crate::{ParseError, Source};

/// The largest text that is read, in bytes: beyond every tokenizer that is about.
const MAX_BYTES: u64 = 128 << 20;
/// How many values one text may hold.
const MAX_VALUES: usize = 8_000_000;
/// How deep values may nest; Python's own reader gives up near 1,000.
const MAX_DEPTH: usize = 200;

/// A JSON value as Python's `json` reads it: `NaN` and `Infinity` are numbers, lone surrogates pass,
/// and of several equal keys all are kept, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number that fits.
    Integer(i128),
    /// Any other number.
    Float(f64),
    /// A string; lone surrogates became U+FFFD.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads the whole of `source` as one value: UTF-8, UTF-16, or UTF-32, as Python
    /// finds them out.
    ///
    /// # Errors
    /// When it is no JSON or over a bound.
    pub fn read(source: &dyn Source) -> Result<Self, ParseError> {
        if source.len() > MAX_BYTES {
            return Err(ParseError::Exhausted {
                limit: "json bytes",
                max: MAX_BYTES,
            });
        }
        Self::parse(&text_of(&source.read(0, MAX_BYTES)?))
    }

    /// Reads `text` as one value.
    ///
    /// # Errors
    /// When it is no JSON or over a bound.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut parser = Parser {
            text,
            bytes: text.as_bytes(),
            at: 0,
            values: 0,
        };
        let value = parser.value(0)?;
        parser.space();
        if parser.at < parser.bytes.len() {
            return Err(parser.wrong("text follows the value"));
        }
        Ok(value)
    }

    /// The value of `key`: the last of several, as Python takes it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries()
            .iter()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    /// The members of an object; none of anything else.
    #[must_use]
    pub fn entries(&self) -> &[(String, Self)] {
        match self {
            Self::Object(entries) => entries,
            _ => &[],
        }
    }

    /// The items of an array; none of anything else.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match self {
            Self::Array(items) => items,
            _ => &[],
        }
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// A whole number of no less than zero.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Integer(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// The text of the string under `key`.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Self::as_str)
    }

    /// A key that stands twice in one object, here or below.
    #[must_use]
    pub fn duplicate(&self) -> Option<&str> {
        let mut twice = None;
        self.visit(&mut |_, value| {
            let mut keys: Vec<&str> = value.entries().iter().map(|(key, _)| &**key).collect();
            keys.sort_unstable();
            twice = twice.or(keys.windows(2).find_map(|pair| match pair {
                [first, second] if first == second => Some(*first),
                _ => None,
            }));
        });
        twice
    }

    /// Shows every value, this one first, each with the key of its object under which it stands;
    /// items of an array go by the array's key.
    pub fn visit<'a>(&'a self, see: &mut dyn FnMut(&'a str, &'a Self)) {
        self.visit_under("", see);
    }

    fn visit_under<'a>(&'a self, key: &'a str, see: &mut dyn FnMut(&'a str, &'a Self)) {
        see(key, self);
        for item in self.items() {
            item.visit_under(key, see);
        }
        for (key, value) in self.entries() {
            value.visit_under(key, see);
        }
    }
}

/// Bytes as text: a byte order mark decides, broken UTF-8 is replaced.
#[must_use]
pub fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes
            .chunks_exact(2)
            .filter_map(|pair| Some(unit(pair.try_into().ok()?)))
            .collect();
        Cow::Owned(String::from_utf16_lossy(&units))
    };
    let double = |bytes: &[u8], unit: fn([u8; 4]) -> u32| {
        let units = bytes
            .chunks_exact(4)
            .filter_map(|four| Some(unit(four.try_into().ok()?)));
        let text = units.map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
        Cow::Owned(text.collect::<String>())
    };
    match bytes {
        [0xFF, 0xFE, 0, 0, rest @ ..] => double(rest, u32::from_le_bytes),
        [0, 0, 0xFE, 0xFF, rest @ ..] => double(rest, u32::from_be_bytes),
        [b'{' | b'[' | b'<', 0, 0, 0, ..] => double(bytes, u32::from_le_bytes),
        [0, 0, 0, b'{' | b'[' | b'<', ..] => double(bytes, u32::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest),
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        [b'{' | b'[' | b'<', 0, ..] => wide(bytes, u16::from_le_bytes),
        [0, b'{' | b'[' | b'<', ..] => wide(bytes, u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes),
    }
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    values: usize,
}

impl Parser<'_> {
    fn wrong(&self, what: &'static str) -> ParseError {
        ParseError::malformed(self.at as u64, what)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self
            .bytes
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word.as_bytes()));
        if found {
            self.at += word.len();
        }
        found
    }

    fn value(&mut self, depth: usize) -> Result<Json, ParseError> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(ParseError::Exhausted {
                limit: "json values",
                max: MAX_VALUES as u64,
            });
        }
        if depth > MAX_DEPTH {
            return Err(ParseError::Exhausted {
                limit: "json depth",
                max: MAX_DEPTH as u64,
            });
        }
        self.space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Json::String),
            Some(b't') if self.take("true") => Ok(Json::Bool(true)),
            Some(b'f') if self.take("false") => Ok(Json::Bool(false)),
            Some(b'n') if self.take("null") => Ok(Json::Null),
            Some(b'N') if self.take("NaN") => Ok(Json::Float(f64::NAN)),
            Some(b'I') if self.take("Infinity") => Ok(Json::Float(f64::INFINITY)),
            Some(b'-') if self.take("-Infinity") => Ok(Json::Float(f64::NEG_INFINITY)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.wrong("no JSON value")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, ParseError> {
        self.at += 1;
        let mut entries = Vec::new();
        self.space();
        if self.take("}") {
            return Ok(Json::Object(entries));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.wrong("no key in an object"));
            }
            let key = self.string()?;
            self.space();
            if !self.take(":") {
                return Err(self.wrong("no colon after a key"));
            }
            entries.push((key, self.value(depth + 1)?));
            self.space();
            if self.take("}") {
                return Ok(Json::Object(entries));
            }
            if !self.take(",") {
                return Err(self.wrong("an object does not go on"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, ParseError> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.take("]") {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.take("]") {
                return Ok(Json::Array(items));
            }
            if !self.take(",") {
                return Err(self.wrong("an array does not go on"));
            }
        }
    }

    fn number(&mut self) -> Result<Json, ParseError> {
        let start = self.at;
        while matches!(
            self.peek(),
            Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
        ) {
            self.at += 1;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        if let Ok(number) = text.parse() {
            return Ok(Json::Integer(number));
        }
        text.parse()
            .map(Json::Float)
            .map_err(|_| self.wrong("no number"))
    }

    fn string(&mut self) -> Result<String, ParseError> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let start = self.at;
            let rest = self.bytes.get(start..).unwrap_or_default();
            let Some(plain) = memchr::memchr2(b'"', b'\\', rest) else {
                return Err(self.wrong("a string does not end"));
            };
            out.push_str(self.text.get(start..start + plain).unwrap_or_default());
            self.at = start + plain + 1;
            if rest.get(plain) == Some(&b'"') {
                return Ok(out);
            }
            let escape = self.peek();
            self.at += 1;
            out.push(match escape {
                Some(mark @ (b'"' | b'\\' | b'/')) => char::from(mark),
                Some(b'b') => '\u{8}',
                Some(b'f') => '\u{c}',
                Some(b'n') => '\n',
                Some(b'r') => '\r',
                Some(b't') => '\t',
                Some(b'u') => self.unit()?,
                _ => return Err(self.wrong("an unknown escape")),
            });
        }
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at.checked_add(4)?)?;
        let code = u32::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(code)
    }

    fn unit(&mut self) -> Result<char, ParseError> {
        let Some(first) = self.hex() else {
            return Err(self.wrong("an unknown escape"));
        };
        if !(0xD800..0xDC00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let back = self.at;
        if self.take("\\u")
            && let Some(second) = self.hex()
            && (0xDC00..0xE000).contains(&second)
        {
            let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
            return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        self.at = back;
        Ok(char::REPLACEMENT_CHARACTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_json_is_read_as_python_reads_it() {
        let json =
            Json::parse(r#" {"a": [1, -2.5e3, NaN, -Infinity, null, true], "b": "\u00e9\ud83d\ude00\ud800x", "a": 2}"#)
                .unwrap();
        assert_eq!(json.get("a"), Some(&Json::Integer(2)));
        assert_eq!(json.text("b"), Some("é😀\u{fffd}x"));
        assert_eq!(json.duplicate(), Some("a"));
        assert_eq!(json.entries().len(), 3);
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\" 1}",
            "\"x",
            "{} {}",
            "01x",
            "\"\\q\"",
            "tru",
        ] {
            assert!(Json::parse(text).is_err(), "{text}");
        }
        assert!(matches!(
            Json::parse(&"[".repeat(100_000)),
            Err(ParseError::Exhausted {
                limit: "json depth",
                ..
            })
        ));
    }

    #[test]
    fn wide_text_is_json_too() {
        let double: Vec<u8> = "{\"é\":1}"
            .chars()
            .flat_map(|c| u32::from(c).to_le_bytes())
            .collect();
        assert_eq!(
            Json::read(&crate::Bytes(&double)).unwrap().entries().len(),
            1
        );
        let wide: Vec<u8> = "{\"é\":1}"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let json = Json::read(&crate::Bytes(&wide)).unwrap();
        assert_eq!(json.get("é").and_then(Json::as_u64), Some(1));
    }
}
