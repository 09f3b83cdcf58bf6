//! A JSON scanner for small events: strict as RFC 8259, without a copy of anything, its memory used
//! again for the next event; and edits on the text it read.

use std::{borrow::Cow, collections::HashSet, ops::Range};

/// The values of one document, in order; reused from one document to the next.
#[derive(Debug, Default)]
pub(super) struct Tape {
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    kind: Kind,
    /// Where its text starts and ends, quotes included.
    start: usize,
    end: usize,
    /// Where its key starts and ends, without quotes; both 0 for none.
    key_start: usize,
    key_end: usize,
    /// The node after this one and everything in it.
    next: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

/// The text is no JSON, or JSON that parsers read differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotJson;

/// Levels of nesting.
const MAX_DEPTH: usize = 64;

/// Objects up to this size are searched for a key that came twice without a table.
const FEW_KEYS: usize = 16;

impl Tape {
    /// Reads `text`.
    pub(super) fn read<'a>(&'a mut self, text: &'a str) -> Result<Value<'a>, NotJson> {
        self.nodes.clear();
        let mut reader = Reader {
            bytes: text.as_bytes(),
            at: 0,
            nodes: &mut self.nodes,
        };
        reader.value((0, 0), 0)?;
        reader.blank();
        if reader.at < text.len() {
            return Err(NotJson);
        }
        Ok(Value {
            text,
            nodes: &self.nodes,
            at: 0,
        })
    }
}

/// A value of a document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a> {
    text: &'a str,
    nodes: &'a [Node],
    at: usize,
}

impl<'a> Value<'a> {
    fn node(self) -> Node {
        const NONE: Node = Node {
            kind: Kind::Null,
            start: 0,
            end: 0,
            key_start: 0,
            key_end: 0,
            next: 0,
        };
        self.nodes.get(self.at).copied().unwrap_or(NONE)
    }

    pub(super) fn kind(self) -> Kind {
        self.node().kind
    }

    pub(super) fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// Where it stands.
    pub(super) fn range(self) -> Range<usize> {
        let node = self.node();
        node.start..node.end
    }

    /// Where its key stands, quotes included.
    pub(super) fn key_range(self) -> Range<usize> {
        let node = self.node();
        node.key_start.saturating_sub(1)..node.key_end + 1
    }

    /// As it is written.
    pub(super) fn raw(self) -> &'a str {
        self.text.get(self.range()).unwrap_or_default()
    }

    /// Its key as it is written, without quotes; empty in a list.
    pub(super) fn key(self) -> &'a str {
        let node = self.node();
        self.text
            .get(node.key_start..node.key_end)
            .unwrap_or_default()
    }

    /// What a string says.
    pub(super) fn str(self) -> Option<Cow<'a, str>> {
        if self.kind() != Kind::String {
            return None;
        }
        let raw = self.raw();
        Some(unescape(raw.get(1..raw.len() - 1).unwrap_or_default()))
    }

    /// A string as it is written, without quotes; `None` for anything else.
    pub(super) fn raw_str(self) -> Option<&'a str> {
        if self.kind() != Kind::String {
            return None;
        }
        let raw = self.raw();
        raw.get(1..raw.len() - 1)
    }

    pub(super) fn u64(self) -> Option<u64> {
        (self.kind() == Kind::Number)
            .then(|| self.raw().parse().ok())
            .flatten()
    }

    /// The members of an object, the items of a list, nothing of anything else.
    pub(super) fn children(self) -> impl Iterator<Item = Value<'a>> {
        let node = self.node();
        let mut at = match node.kind {
            Kind::Array | Kind::Object => self.at + 1,
            _ => node.next,
        };
        std::iter::from_fn(move || {
            let child = Value { at, ..self };
            (at < node.next).then(|| {
                at = child.node().next;
                child
            })
        })
    }

    /// The member of that name.
    pub(super) fn get(self, key: &str) -> Option<Value<'a>> {
        (self.kind() == Kind::Object)
            .then(|| self.children().find(|child| child.key() == key))
            .flatten()
    }
}

struct Reader<'a, 'n> {
    bytes: &'a [u8],
    at: usize,
    nodes: &'n mut Vec<Node>,
}

impl Reader<'_, '_> {
    fn value(&mut self, key: (usize, usize), depth: usize) -> Result<(), NotJson> {
        if depth > MAX_DEPTH {
            return Err(NotJson);
        }
        self.blank();
        let node = self.nodes.len();
        let start = self.at;
        self.nodes.push(Node {
            kind: Kind::Null,
            start,
            end: start,
            key_start: key.0,
            key_end: key.1,
            next: node + 1,
        });
        let kind = match self.peek() {
            Some(b'"') => {
                self.string()?;
                Kind::String
            }
            Some(b'{') => {
                self.object(depth)?;
                Kind::Object
            }
            Some(b'[') => {
                self.array(depth)?;
                Kind::Array
            }
            Some(b't') => self.word(b"true", Kind::Bool)?,
            Some(b'f') => self.word(b"false", Kind::Bool)?,
            Some(b'n') => self.word(b"null", Kind::Null)?,
            _ => self.number()?,
        };
        let next = self.nodes.len();
        if let Some(written) = self.nodes.get_mut(node) {
            written.kind = kind;
            written.end = self.at;
            written.next = next;
        }
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<(), NotJson> {
        self.at += 1;
        let first = self.nodes.len();
        self.blank();
        if self.eat(b'}') {
            return Ok(());
        }
        loop {
            self.blank();
            if self.peek() != Some(b'"') {
                return Err(NotJson);
            }
            let start = self.at + 1;
            let plain = self.string()?;
            let key = (start, self.at - 1);
            // Nobody escapes plain letters but to hide a key from whoever compares bytes.
            if !plain && self.hides(key) {
                return Err(NotJson);
            }
            self.blank();
            if !self.eat(b':') {
                return Err(NotJson);
            }
            self.value(key, depth + 1)?;
            self.blank();
            if self.eat(b'}') {
                return self.distinct(first);
            }
            if !self.eat(b',') {
                return Err(NotJson);
            }
        }
    }

    fn hides(&self, (start, end): (usize, usize)) -> bool {
        let key = self.bytes.get(start..end).unwrap_or_default();
        let key = std::str::from_utf8(key).unwrap_or_default();
        unescape(key).bytes().all(|byte| byte.is_ascii_graphic())
    }

    /// Whether no key of the object whose nodes start at `first` came twice.
    fn distinct(&self, first: usize) -> Result<(), NotJson> {
        let members = self.nodes.get(first..).unwrap_or_default();
        let key = |node: &Node| {
            self.bytes
                .get(node.key_start..node.key_end)
                .unwrap_or_default()
        };
        let mut at = 0;
        let mut few: [&[u8]; FEW_KEYS] = [&[]; FEW_KEYS];
        let mut many: HashSet<&[u8]> = HashSet::new();
        let mut count = 0;
        while let Some(node) = members.get(at) {
            let name = key(node);
            let seen = few.iter().take(count).any(|known| *known == name)
                || !many.is_empty() && many.contains(name);
            if seen {
                return Err(NotJson);
            }
            match few.get_mut(count) {
                Some(slot) => *slot = name,
                None => {
                    many.insert(name);
                }
            }
            count += 1;
            at = node.next.saturating_sub(first);
        }
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), NotJson> {
        self.at += 1;
        self.blank();
        if self.eat(b']') {
            return Ok(());
        }
        loop {
            self.value((0, 0), depth + 1)?;
            self.blank();
            if self.eat(b']') {
                return Ok(());
            }
            if !self.eat(b',') {
                return Err(NotJson);
            }
        }
    }

    /// Reads a string; says whether it has no escape.
    fn string(&mut self) -> Result<bool, NotJson> {
        self.at += 1;
        let mut plain = true;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let skip = rest
                .iter()
                .position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20)
                .ok_or(NotJson)?;
            self.at += skip;
            match rest.get(skip) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(plain);
                }
                Some(b'\\') => {
                    plain = false;
                    match rest.get(skip + 1) {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                            self.at += 2;
                        }
                        Some(b'u') => {
                            let digits = rest.get(skip + 2..skip + 6).ok_or(NotJson)?;
                            if !digits.iter().all(u8::is_ascii_hexdigit) {
                                return Err(NotJson);
                            }
                            self.at += 6;
                        }
                        _ => return Err(NotJson),
                    }
                }
                _ => return Err(NotJson),
            }
        }
    }

    fn number(&mut self) -> Result<Kind, NotJson> {
        self.eat(b'-');
        if !self.eat(b'0') && self.digits() == 0 {
            return Err(NotJson);
        }
        if self.eat(b'.') && self.digits() == 0 {
            return Err(NotJson);
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            if self.digits() == 0 {
                return Err(NotJson);
            }
        }
        Ok(Kind::Number)
    }

    fn digits(&mut self) -> usize {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<Kind, NotJson> {
        let end = self.at + word.len();
        if self.bytes.get(self.at..end) != Some(word) {
            return Err(NotJson);
        }
        self.at = end;
        Ok(kind)
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let eaten = self.peek() == Some(byte);
        self.at += usize::from(eaten);
        eaten
    }
}

/// What a string of a document says. Half a surrogate pair becomes U+FFFD: what is looked at is
/// then what is sent on.
pub(super) fn unescape(raw: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut chars = after.chars();
        let (c, taken) = match chars.next() {
            Some('b') => ('\u{8}', 1),
            Some('f') => ('\u{c}', 1),
            Some('n') => ('\n', 1),
            Some('r') => ('\r', 1),
            Some('t') => ('\t', 1),
            Some('u') => unicode(after),
            Some(c) => (c, c.len_utf8()),
            None => (char::REPLACEMENT_CHARACTER, 0),
        };
        out.push(c);
        rest = after.get(taken..).unwrap_or_default();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The character that `u` and hexadecimal digits stand for, and how many bytes they take.
fn unicode(after: &str) -> (char, usize) {
    let unit = |from: usize| {
        let digits = after.get(from..from + 4)?;
        u32::from_str_radix(digits, 16).ok()
    };
    let Some(first) = unit(1) else {
        return (char::REPLACEMENT_CHARACTER, 1);
    };
    if (0xd800..0xdc00).contains(&first)
        && after.get(5..7) == Some("\\u")
        && let Some(second @ 0xdc00..0xe000) = unit(7)
    {
        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (
            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
            11,
        );
    }
    (
        char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER),
        5,
    )
}

/// Appends `text` as a JSON string, quotes included.
pub(super) fn quote(out: &mut String, text: &str) {
    out.push('"');
    escape(out, text);
    out.push('"');
}

/// Appends `text` as it stands inside a JSON string.
pub(super) fn escape(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest
        .bytes()
        .position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20)
    {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let byte = after.bytes().next().unwrap_or_default();
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            other => {
                const HEX: [char; 16] = [
                    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
                ];
                out.push_str("\\u00");
                for digit in [other >> 4, other & 15] {
                    out.extend(HEX.get(usize::from(digit)));
                }
            }
        }
        rest = after.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// Replacements in a text; reused from one event to the next.
#[derive(Debug, Default)]
pub(super) struct Edits {
    list: Vec<(Range<usize>, Range<usize>)>,
    new: String,
}

impl Edits {
    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.new.clear();
    }

    /// Puts `new` in the place of `old`.
    pub(super) fn replace(&mut self, old: Range<usize>, new: &str) {
        let start = self.new.len();
        self.new.push_str(new);
        self.list.push((old, start..self.new.len()));
    }

    /// Puts `text` as a JSON string in the place of `old`.
    pub(super) fn replace_string(&mut self, old: Range<usize>, text: &str) {
        let start = self.new.len();
        quote(&mut self.new, text);
        self.list.push((old, start..self.new.len()));
    }

    /// The pieces of `text` after the edits, in order. An edit within an edited stretch is lost
    /// with it.
    pub(super) fn pieces(&mut self, text: &str, mut each: impl FnMut(&str)) {
        self.list
            .sort_by_key(|(old, _)| (old.start, std::cmp::Reverse(old.end)));
        let mut from = 0;
        for (old, new) in &self.list {
            if old.start < from {
                continue;
            }
            each(text.get(from..old.start).unwrap_or_default());
            each(self.new.get(new.clone()).unwrap_or_default());
            from = old.end;
        }
        each(text.get(from..).unwrap_or_default());
    }

    /// `text` after the edits.
    pub(super) fn apply(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + self.new.len());
        self.pieces(text, |piece| out.push_str(piece));
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(value: Value<'_>) -> serde_json::Value {
        match value.kind() {
            Kind::Null | Kind::Bool | Kind::Number => serde_json::from_str(value.raw()).unwrap(),
            Kind::String => value.str().unwrap().into(),
            Kind::Array => value.children().map(told).collect(),
            Kind::Object => value
                .children()
                .map(|child| (unescape(child.key()).into_owned(), told(child)))
                .collect(),
        }
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i32>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::btree_map("[a-z]{1,3}", inner, 0..24)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn reads_what_serde_writes(value in json(), pretty in any::<bool>()) {
            let text = if pretty {
                serde_json::to_string_pretty(&value).unwrap()
            } else {
                value.to_string()
            };
            prop_assert_eq!(told(Tape::default().read(&text).unwrap()), value);
        }

        #[test]
        fn accepts_no_more_than_serde(text in r#"[\[\]{}:,"\\u0ntrue1.eE+\-aé ]{0,24}"#) {
            if Tape::default().read(&text).is_ok() {
                // Serde refuses lone surrogates; here they become U+FFFD.
                prop_assert!(text.contains("\\u") || serde_json::from_str::<serde_json::Value>(&text).is_ok());
            }
        }

        #[test]
        fn quoting_comes_back(text in any::<String>()) {
            let mut quoted = String::new();
            quote(&mut quoted, &text);
            prop_assert_eq!(&serde_json::from_str::<String>(&quoted).unwrap(), &text);
            let mut tape = Tape::default();
            prop_assert_eq!(tape.read(&quoted).unwrap().str().unwrap(), text);
        }
    }

    #[test]
    fn refuses_what_parsers_read_differently() {
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"cont\u0065nt":"x"}"#,
            "{\"a\":\"\n\"}",
            "[1,]",
            "01",
            "[1] 2",
            "",
            "{\"a\" 1}",
        ] {
            assert_eq!(Tape::default().read(text).err(), Some(NotJson), "{text}");
        }
        let deep = "[".repeat(100);
        assert!(Tape::default().read(&deep).is_err());
        let many: String = (0..40).map(|n| format!("\"k{}\":1,", n % 39)).collect();
        assert!(
            Tape::default()
                .read(&format!("{{{}\"z\":1}}", many))
                .is_err()
        );
        assert!(Tape::default().read(r#"{"caf\u00e9":1}"#).is_ok());
    }

    #[test]
    fn surrogates_are_joined_or_replaced() {
        assert_eq!(unescape(r"\ud83d\ude00!"), "😀!");
        assert_eq!(unescape(r"\ud83d!\ude00"), "\u{fffd}!\u{fffd}");
        assert_eq!(unescape(r"\ud83dA\n"), "\u{fffd}A\n");
    }

    #[test]
    fn edits_are_made_in_order_and_outer_ones_win() {
        let mut edits = Edits::default();
        edits.replace(8..9, "new");
        edits.replace(2..4, "");
        edits.replace(2..3, "lost");
        edits.replace_string(5..6, "\"\u{1}");
        assert_eq!(edits.apply("0123456789"), "014\"\\\"\\u0001\"67new9");
    }
}
