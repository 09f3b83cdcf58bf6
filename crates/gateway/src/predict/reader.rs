//! JSON read in place: nothing is stored but what the caller asks for, and places are known.

/// A reader of one JSON document. Cheap to copy, so that a value can be read again later.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

/// The document is no JSON; holds the offset in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotJson(pub(super) usize);

/// A value that is neither a list nor an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar {
    /// A number; infinite if it is too large for 64 bits.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
    /// `NaN`, `Infinity`, or `-Infinity`, which Python writes although JSON has no such thing.
    NotFinite,
    /// Anything else.
    Other,
}

/// Levels of nesting.
const MOST_LEVELS: usize = 64;

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            depth: 0,
        }
    }

    /// The next byte that is no white space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    /// How many lists open one in another here.
    pub(super) fn lists_ahead(mut self) -> usize {
        let mut lists = 0;
        while self.peek() == Some(b'[') {
            self.at += 1;
            lists += 1;
        }
        lists
    }

    /// Whether an empty list is next.
    pub(super) fn is_empty_list(mut self) -> bool {
        self.take(b'[') && self.peek() == Some(b']')
    }

    /// The document must be over.
    pub(super) fn end(&mut self) -> Result<(), NotJson> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(NotJson(self.at)),
        }
    }

    /// Reads an object. `field` is given each name and reads its value. `Ok(false)` if something
    /// else is next, of which nothing is read.
    pub(super) fn object<E: From<NotJson>>(
        &mut self,
        mut field: impl FnMut(&str, &mut Self) -> Result<(), E>,
    ) -> Result<bool, E> {
        if !self.take(b'{') {
            return Ok(false);
        }
        self.enter()?;
        if !self.take(b'}') {
            loop {
                let name = self.string()?;
                self.expect(b':')?;
                field(&name, self)?;
                if self.take(b'}') {
                    break;
                }
                self.expect(b',')?;
            }
        }
        self.depth -= 1;
        Ok(true)
    }

    /// Reads a list. `item` is given each number and reads its value. `Ok(false)` if something else
    /// is next, of which nothing is read.
    pub(super) fn list<E: From<NotJson>>(
        &mut self,
        mut item: impl FnMut(usize, &mut Self) -> Result<(), E>,
    ) -> Result<bool, E> {
        if !self.take(b'[') {
            return Ok(false);
        }
        self.enter()?;
        let mut number = 0;
        if !self.take(b']') {
            loop {
                item(number, self)?;
                number += 1;
                if self.take(b']') {
                    break;
                }
                self.expect(b',')?;
            }
        }
        self.depth -= 1;
        Ok(true)
    }

    /// Reads one value, a list or an object as [`Scalar::Other`].
    pub(super) fn scalar(&mut self) -> Result<Scalar, NotJson> {
        match self.peek() {
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true").map(|()| Scalar::Bool(true)),
            Some(b'f') => self.word("false").map(|()| Scalar::Bool(false)),
            Some(b'n') => self.word("null").map(|()| Scalar::Other),
            Some(b'N') => self.word("NaN").map(|()| Scalar::NotFinite),
            Some(b'I') => self.word("Infinity").map(|()| Scalar::NotFinite),
            Some(b'"') => self.pass_string().map(|_| Scalar::Other),
            Some(b'[') => {
                self.list(|_, reader| reader.scalar().map(drop))?;
                Ok(Scalar::Other)
            }
            Some(b'{') => {
                self.object(|_, reader| reader.scalar().map(drop))?;
                Ok(Scalar::Other)
            }
            _ => Err(NotJson(self.at)),
        }
    }

    /// Reads a string, if one is next.
    pub(super) fn text(&mut self) -> Result<Option<String>, NotJson> {
        if self.peek() == Some(b'"') {
            return self.string().map(Some);
        }
        self.scalar().map(|_| None)
    }

    fn string(&mut self) -> Result<String, NotJson> {
        if self.peek() != Some(b'"') {
            return Err(NotJson(self.at));
        }
        let from = self.at;
        let quoted = self.pass_string()?;
        serde_json::from_slice(quoted).map_err(|_| NotJson(from))
    }

    /// Passes a string and returns it with its quotes.
    fn pass_string(&mut self) -> Result<&'a [u8], NotJson> {
        let from = self.at;
        let mut at = from + 1;
        loop {
            let rest = self.bytes.get(at..).unwrap_or_default();
            match memchr::memchr2(b'"', b'\\', rest) {
                Some(next) if rest.get(next) == Some(&b'"') => {
                    at += next + 1;
                    break;
                }
                Some(next) => at += next + 2,
                None => return Err(NotJson(self.bytes.len())),
            }
        }
        self.at = at;
        self.bytes.get(from..at).ok_or(NotJson(from))
    }

    /// A number by JSON's grammar (RFC 8259, section 6).
    fn number(&mut self) -> Result<Scalar, NotJson> {
        let from = self.at;
        if self.bytes.get(from) == Some(&b'-') {
            self.at += 1;
            if self.bytes.get(self.at) == Some(&b'I') {
                return self.word("Infinity").map(|()| Scalar::NotFinite);
            }
        }
        let whole = self.at;
        self.digits()?;
        if self.bytes.get(whole) == Some(&b'0') && self.at > whole + 1 {
            return Err(NotJson(whole));
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = self.bytes.get(from..self.at).unwrap_or_default();
        std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse().ok())
            .map(Scalar::Number)
            .ok_or(NotJson(from))
    }

    fn digits(&mut self) -> Result<(), NotJson> {
        let from = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == from {
            Err(NotJson(from))
        } else {
            Ok(())
        }
    }

    fn word(&mut self, word: &str) -> Result<(), NotJson> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(NotJson(self.at));
        }
        self.at += word.len();
        Ok(())
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8) -> Result<(), NotJson> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(NotJson(self.at))
        }
    }

    fn enter(&mut self) -> Result<(), NotJson> {
        self.depth += 1;
        if self.depth > MOST_LEVELS {
            return Err(NotJson(self.at));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_json(text: &str) -> bool {
        let mut reader = Reader::new(text.as_bytes());
        reader.scalar().is_ok() && reader.end().is_ok()
    }

    #[test]
    fn json_and_pythons_words() {
        for good in [
            "0",
            "-0",
            "1.5e-3",
            "[]",
            "[1, 2]",
            "{}",
            r#"{"a": [true, null]}"#,
            "NaN",
            "[-Infinity]",
            " [ 1 ] ",
            r#""a\"b""#,
        ] {
            assert!(is_json(good), "{good}");
        }
        for bad in [
            "", "01", "1.", ".5", "+1", "[1,]", "[,1]", "{", "{a: 1}", "nul", "[1 2]", "1 2",
            "\"a", "--1", "1e", "-",
        ] {
            assert!(!is_json(bad), "{bad}");
        }
        assert!(!is_json(&"[".repeat(10_000)));
        let deep = |levels| "[".repeat(levels) + &"]".repeat(levels);
        assert!(is_json(&deep(64)) && !is_json(&deep(65)));
    }

    proptest! {
        /// Whatever serde_json reads, this reads, and the numbers are the same.
        #[test]
        fn agrees_with_serde_json(text in r#"[\[\]{}:, \-+.0-9eEnutrfalsb"\\a]{0,24}"#) {
            if let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) {
                let mut reader = Reader::new(text.as_bytes());
                let read = reader.scalar();
                prop_assert!(read.is_ok(), "{text}");
                if let (Some(number), Ok(Scalar::Number(read))) = (value.as_f64(), read) {
                    prop_assert_eq!(number, read);
                }
                prop_assert!(reader.end().is_ok());
            }
        }

        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut reader = Reader::new(&bytes);
            let _ = reader.scalar();
        }
    }
}
