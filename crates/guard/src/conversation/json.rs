//! A JSON reader that keeps what a gateway has to know and `serde_json` throws away: where every
//! string stands in the document, and whether a key came twice. RFC 8259, strictly.

use std::{borrow::Cow, collections::HashSet, ops::Range};

use bartizan_text::OffsetMap;

use super::{ConversationError, JsonError, ParseLimits};

/// A JSON value that points back into its document.
#[derive(Debug)]
pub(super) struct Value<'a> {
    pub(super) data: Data<'a>,
    /// Where it stands, from its first to its last byte.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What a value is.
#[derive(Debug)]
pub(super) enum Data<'a> {
    Null,
    Bool(bool),
    Number(Text<'a>),
    String(Text<'a>),
    Array(Vec<Value<'a>>),
    /// A long list of short numbers such as an embedding, as it stands there without brackets.
    Numbers(&'a str),
    Object(Vec<(Text<'a>, Value<'a>)>),
}

/// A JSON string, or the literal of a number.
#[derive(Debug, Clone)]
pub(super) struct Text<'a> {
    /// What it says.
    pub(super) value: Cow<'a, str>,
    /// Where its first byte stands in the document, behind the quote.
    pub(super) start: usize,
    /// Where it ends in the document, before the quote.
    pub(super) end: usize,
    /// Where each byte of it stands in the document, if it has escapes.
    escapes: Option<OffsetMap>,
}

impl Text<'_> {
    /// Where each byte of it stands in the document.
    pub(super) fn map(&self) -> OffsetMap {
        self.escapes
            .clone()
            .unwrap_or_else(|| starting_at(self.start))
    }

    /// Where it stands with its quotes, if it is a string.
    pub(super) const fn quoted(&self) -> Range<usize> {
        self.start.saturating_sub(1)..self.end + 1
    }
}

fn starting_at(start: usize) -> OffsetMap {
    let mut map = OffsetMap::identity();
    map.push(0, start, 1, 1);
    map
}

impl<'a> Value<'a> {
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.members()
            .iter()
            .find_map(|(name, value)| (name.value == key).then_some(value))
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn str(&self, key: &str) -> Option<&str> {
        match &self.get(key)?.data {
            Data::String(text) => Some(&text.value),
            _ => None,
        }
    }

    pub(super) fn items(&self) -> &[Self] {
        match &self.data {
            Data::Array(items) => items,
            _ => &[],
        }
    }

    pub(super) fn members(&self) -> &[(Text<'a>, Self)] {
        match &self.data {
            Data::Object(members) => members,
            _ => &[],
        }
    }

    pub(super) const fn is_object(&self) -> bool {
        matches!(self.data, Data::Object(_))
    }
}

/// Reads one document.
pub(super) fn read<'a>(
    document: &'a [u8],
    limits: &ParseLimits,
) -> Result<Value<'a>, ConversationError> {
    if document.len() > limits.max_bytes {
        return Err(ConversationError::TooLong {
            bytes: document.len(),
            limit: limits.max_bytes,
        });
    }
    if document.starts_with(b"\xff\xfe") || document.starts_with(b"\xfe\xff") {
        return Err(ConversationError::at(document, 0, JsonError::Utf16));
    }
    let text = std::str::from_utf8(document).map_err(|error| {
        ConversationError::at(document, error.valid_up_to(), JsonError::InvalidUtf8)
    })?;
    let mut reader = Reader {
        text,
        // RFC 8259, section 8.1: a parser may ignore a byte order mark.
        at: if text.starts_with('\u{feff}') { 3 } else { 0 },
        values: 0,
        limits,
    };
    let result = reader.document();
    result.map_err(|error| ConversationError::at(document, reader.at, error))
}

struct Reader<'a, 'l> {
    text: &'a str,
    at: usize,
    values: usize,
    limits: &'l ParseLimits,
}

impl<'a> Reader<'a, '_> {
    fn document(&mut self) -> Result<Value<'a>, JsonError> {
        let value = self.value(0)?;
        self.blank();
        if self.at < self.text.len() {
            return Err(JsonError::Trailing);
        }
        Ok(value)
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, JsonError> {
        self.values += 1;
        if self.values > self.limits.max_values {
            return Err(JsonError::TooManyValues(self.limits.max_values));
        }
        if depth > self.limits.max_depth {
            return Err(JsonError::TooDeep(self.limits.max_depth));
        }
        self.blank();
        let start = self.at;
        let data = match self.peek() {
            Some(b'"') => Data::String(self.string()?),
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", Data::Bool(true))?,
            Some(b'f') => self.word("false", Data::Bool(false))?,
            Some(b'n') => self.word("null", Data::Null)?,
            Some(_) => return Err(JsonError::Unexpected),
            None => return Err(JsonError::Ended),
        };
        Ok(Value {
            data,
            start,
            end: self.at,
        })
    }

    fn object(&mut self, depth: usize) -> Result<Data<'a>, JsonError> {
        self.at += 1;
        let mut members: Vec<(Text<'a>, Value<'a>)> = Vec::new();
        let mut seen = Seen::default();
        self.blank();
        if self.eat(b'}') {
            return Ok(Data::Object(members));
        }
        loop {
            self.blank();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.wrong());
            }
            let key = self.string()?;
            if !seen.insert(&members, &key.value) {
                self.at = start;
                return Err(JsonError::DuplicateKey);
            }
            self.blank();
            self.expect(b':')?;
            let value = self.value(depth + 1)?;
            members.push((key, value));
            self.blank();
            if self.eat(b'}') {
                return Ok(Data::Object(members));
            }
            self.expect(b',')?;
        }
    }

    fn array(&mut self, depth: usize) -> Result<Data<'a>, JsonError> {
        self.at += 1;
        if let Some(numbers) = self.numbers() {
            return Ok(Data::Numbers(numbers));
        }
        let mut items = Vec::new();
        self.blank();
        if self.eat(b']') {
            return Ok(Data::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.blank();
            if self.eat(b']') {
                return Ok(Data::Array(items));
            }
            self.expect(b',')?;
        }
    }

    /// A long list of numbers, none as long as a card or an account: such lists come by the
    /// hundred thousand and say nothing each. Nothing is read if it is another list.
    fn numbers(&mut self) -> Option<&'a str> {
        const MANY: usize = 16;
        let start = self.at;
        let mut count = 0;
        loop {
            self.blank();
            match self.number() {
                Ok(Data::Number(text)) if !is_long_number(&text.value) => count += 1,
                _ => break,
            }
            self.blank();
            if self.peek() == Some(b']') && count >= MANY {
                let numbers = self.text.get(start..self.at);
                self.at += 1;
                return numbers;
            }
            if !self.eat(b',') {
                break;
            }
        }
        self.at = start;
        None
    }

    fn number(&mut self) -> Result<Data<'a>, JsonError> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') && self.digits() == 0 {
            return Err(self.wrong());
        }
        if self.eat(b'.') && self.digits() == 0 {
            return Err(self.wrong());
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            if self.digits() == 0 {
                return Err(self.wrong());
            }
        }
        // Readers disagree about numbers beyond a double: one sees infinity, one an error.
        let literal = self.text.get(start..self.at).unwrap_or_default();
        let fits =
            literal.len() <= MAX_NUMBER_BYTES && literal.parse::<f64>().is_ok_and(f64::is_finite);
        if fits {
            Ok(Data::Number(Text {
                value: Cow::Borrowed(literal),
                start,
                end: self.at,
                escapes: None,
            }))
        } else {
            self.at = start;
            Err(JsonError::HugeNumber)
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn word(&mut self, word: &str, value: Data<'a>) -> Result<Data<'a>, JsonError> {
        if !self.rest().starts_with(word) {
            return Err(JsonError::Unexpected);
        }
        self.at += word.len();
        Ok(value)
    }

    fn string(&mut self) -> Result<Text<'a>, JsonError> {
        self.at += 1;
        let start = self.at;
        let len = self.run()?;
        let plain = self.text.get(start..start + len).unwrap_or_default();
        if self.eat(b'"') {
            return Ok(Text {
                value: Cow::Borrowed(plain),
                start,
                end: self.at - 1,
                escapes: None,
            });
        }
        let mut map = starting_at(start);
        let mut value = plain.to_owned();
        while !self.eat(b'"') {
            let escape = self.at;
            let character = self.escape()?;
            let (view_unit, orig_unit) = (character.len_utf8(), self.at - escape);
            map.push(value.len(), escape, view_unit, orig_unit);
            value.push(character);
            let piece = self.at;
            let len = self.run()?;
            if len > 0 {
                map.push(value.len(), piece, 1, 1);
                value.push_str(self.text.get(piece..piece + len).unwrap_or_default());
            }
        }
        Ok(Text {
            value: Cow::Owned(value),
            start,
            end: self.at - 1,
            escapes: Some(map),
        })
    }

    /// Moves to the next quote or backslash.
    fn run(&mut self) -> Result<usize, JsonError> {
        let rest = self.rest().as_bytes();
        let Some(len) = memchr::memchr2(b'"', b'\\', rest) else {
            self.at = self.text.len();
            return Err(JsonError::Ended);
        };
        let run = rest.get(..len).unwrap_or_default();
        if let Some(control) = run.iter().position(|byte| *byte < 0x20) {
            self.at += control;
            return Err(JsonError::ControlCharacter);
        }
        self.at += len;
        Ok(len)
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        self.at += 1;
        let Some(kind) = self.peek() else {
            return Err(JsonError::Ended);
        };
        self.at += 1;
        Ok(match kind {
            b'"' | b'\\' | b'/' => char::from(kind),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(JsonError::BadEscape),
        })
    }

    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let first = self.hex4()?;
        let mut second = None;
        if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
            self.at += 2;
            second = Some(self.hex4()?);
        }
        let mut characters = char::decode_utf16([Some(first), second].into_iter().flatten());
        match (characters.next(), characters.next()) {
            (Some(Ok(character)), None) => Ok(character),
            _ => Err(JsonError::LoneSurrogate),
        }
    }

    fn hex4(&mut self) -> Result<u16, JsonError> {
        let digits = self.text.get(self.at..self.at + 4).unwrap_or_default();
        if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(JsonError::BadEscape);
        }
        self.at += 4;
        u16::from_str_radix(digits, 16).map_err(|_| JsonError::BadEscape)
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let eaten = self.peek() == Some(byte);
        self.at += usize::from(eaten);
        eaten
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.eat(byte) {
            Ok(())
        } else {
            Err(self.wrong())
        }
    }

    fn wrong(&self) -> JsonError {
        if self.at < self.text.len() {
            JsonError::Unexpected
        } else {
            JsonError::Ended
        }
    }
}

/// Whether a number has as many digits as a card or an account.
pub(super) fn is_long_number(literal: &str) -> bool {
    const DIGITS: usize = 12;
    literal.len() >= DIGITS
        && !literal.contains('.')
        && literal.bytes().filter(u8::is_ascii_digit).count() >= DIGITS
}

/// The keys of an object so far. Few keys are compared one by one, many are hashed.
#[derive(Default)]
struct Seen<'a> {
    hashed: HashSet<Cow<'a, str>>,
}

impl<'a> Seen<'a> {
    const FEW: usize = 16;

    /// Whether `key` is new behind `members`.
    #[expect(
        clippy::ptr_arg,
        reason = "the set keeps it, borrowed if it is borrowed"
    )]
    fn insert(&mut self, members: &[(Text<'a>, Value<'a>)], key: &Cow<'a, str>) -> bool {
        if members.len() < Self::FEW {
            return members.iter().all(|(known, _)| known.value != *key);
        }
        if self.hashed.is_empty() {
            let keys = members.iter().map(|(known, _)| known.value.clone());
            self.hashed.extend(keys);
        }
        self.hashed.insert(key.clone())
    }
}

/// Longer than any number that a double can tell apart.
const MAX_NUMBER_BYTES: usize = 400;
