use super::{
    Call, Collection, Global, Patch, Quirk, Stretch, Text, Value, machine::Machine, value::Coding,
};
use crate::{ParseError, Source};

/// What reading one pickle may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PickleLimits {
    /// Instructions.
    pub max_instructions: u64,
    /// Collections, calls, imports, and memo entries together.
    pub max_values: usize,
    /// Items of one collection that are kept; [`Collection::is_whole`] says whether there are more.
    pub max_items: usize,
}

impl Default for PickleLimits {
    /// 64 Mi instructions, 2 Mi values, 4,096 items.
    fn default() -> Self {
        Self {
            max_instructions: 64 << 20,
            max_values: 2 << 20,
            max_items: 4 << 10,
        }
    }
}

/// Who reads the pickle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Python's own `pickle`.
    Plain,
    /// `joblib`, which keeps the bytes of arrays between the instructions.
    Joblib,
}

/// How a pickle ends.
#[derive(Debug)]
pub enum End {
    /// Its STOP was reached.
    Stop,
    /// A loader gives up here; what stands before has run.
    Broken(ParseError),
}

/// Everything that loading one pickle would do.
#[derive(Debug)]
pub struct Program {
    /// What it imports, each once.
    pub globals: Vec<Global>,
    /// What it calls, in order.
    pub calls: Vec<Call>,
    /// What it alters, in order.
    pub patches: Vec<Patch>,
    /// Tuples, lists, dictionaries, and sets.
    pub collections: Vec<Collection>,
    /// Persistent ids.
    pub persistent: Vec<(Value, u64)>,
    /// Numbers of the copy registry, and where they are used.
    pub extensions: Vec<(i64, u64)>,
    /// Where readers differ.
    pub quirks: Vec<(Quirk, u64)>,
    /// Pickles between the instructions: `joblib`'s arrays of objects.
    pub inner: Vec<Program>,
    /// How many bytes of arrays stand between the instructions.
    pub inline_bytes: u64,
    /// The largest index that is stored under in the memo.
    pub largest_index: u64,
    /// How many instructions were read.
    pub instructions: u64,
    /// What loading gives back.
    pub result: Option<Value>,
    /// Where it begins.
    pub start: u64,
    /// One past its last byte that was read.
    pub after: u64,
    /// How it ends.
    pub end: End,
}

impl Program {
    /// Reads the pickle that begins at `start`.
    #[must_use]
    pub fn read(source: &dyn Source, start: u64, dialect: Dialect, limits: PickleLimits) -> Self {
        Machine::new(source, start, dialect, limits).run()
    }

    /// The collection that a value is.
    #[must_use]
    pub fn collection(&self, value: Value) -> Option<&Collection> {
        match value {
            Value::Collection(index) => self.collections.get(index),
            _ => None,
        }
    }

    /// The import that a value is.
    #[must_use]
    pub fn global(&self, value: Value) -> Option<&Global> {
        match value {
            Value::Global(index) => self.globals.get(index),
            _ => None,
        }
    }

    /// The call whose result a value is.
    #[must_use]
    pub fn call(&self, value: Value) -> Option<&Call> {
        match value {
            Value::Result(index) => self.calls.get(index),
            _ => None,
        }
    }

    /// The positional arguments of a call, if all of them are known.
    #[must_use]
    pub fn arguments(&self, call: &Call) -> Option<&[Value]> {
        let collection = self.collection(call.arguments)?;
        collection.is_whole().then_some(&collection.items)
    }

    /// The text that a value is, if it is no longer than a name can be.
    #[must_use]
    pub fn text(&self, source: &dyn Source, value: Value) -> Option<String> {
        match value {
            Value::Text(text) => text.read(source),
            _ => None,
        }
    }
}

impl Text {
    /// What it says; `None` if it is too long or no text to a loader.
    #[must_use]
    pub fn read(self, source: &dyn Source) -> Option<String> {
        if self.length > Self::MOST {
            return None;
        }
        let bytes = source.read(self.at, self.length).ok()?;
        match self.coding {
            Coding::Utf8 => String::from_utf8(bytes).ok(),
            Coding::Ascii => bytes
                .is_ascii()
                .then(|| String::from_utf8(bytes).ok())
                .flatten(),
            Coding::Escapes => escapes(&bytes),
            Coding::Unicode => Some(raw_unicode(&bytes)),
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn stretch(self) -> Stretch {
        Stretch {
            at: self.at,
            length: self.length,
        }
    }
}

/// Undoes the escapes of a Python bytes literal (`_PyBytes_DecodeEscape`).
fn escapes(bytes: &[u8]) -> Option<String> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let (&escape, after) = rest.split_first()?;
        rest = after;
        match escape {
            b'\n' => {}
            b'\\' | b'\'' | b'"' => out.push(escape),
            b'a' => out.push(7),
            b'b' => out.push(8),
            b't' => out.push(b'\t'),
            b'n' => out.push(b'\n'),
            b'v' => out.push(11),
            b'f' => out.push(12),
            b'r' => out.push(b'\r'),
            b'0'..=b'7' => {
                let mut value = u32::from(escape - b'0');
                for _ in 0..2 {
                    let Some((&digit @ b'0'..=b'7', after)) = rest.split_first() else {
                        break;
                    };
                    value = value * 8 + u32::from(digit - b'0');
                    rest = after;
                }
                out.push(value.to_le_bytes()[0]);
            }
            b'x' => {
                let (digits, after) = rest.split_at_checked(2)?;
                let digits = std::str::from_utf8(digits).ok()?;
                out.push(u8::from_str_radix(digits, 16).ok()?);
                rest = after;
            }
            other => out.extend([b'\\', other]),
        }
    }
    out.is_ascii()
        .then(|| String::from_utf8(out).ok())
        .flatten()
}

/// Latin 1 with `\u` and `\U` (`PyUnicode_DecodeRawUnicodeEscape`).
fn raw_unicode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let digits = match rest.first() {
            Some(b'u') if byte == b'\\' => 4,
            Some(b'U') if byte == b'\\' => 8,
            _ => 0,
        };
        let code = rest.get(1..1 + digits).filter(|_| digits > 0);
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        let code = code.and_then(|code| u32::from_str_radix(code, 16).ok());
        match code.and_then(char::from_u32) {
            Some(character) => {
                out.push(character);
                rest = rest.get(1 + digits..).unwrap_or_default();
            }
            None => out.push(char::from(byte)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_as_python_does() {
        assert_eq!(escapes(br"s\x79\163tem\q").as_deref(), Some(r"system\q"));
        assert_eq!(escapes(br"\x7"), None);
        assert_eq!(escapes(br"\xff"), None);
        assert_eq!(raw_unicode(br"\u006fs\u12"), r"os\u12");
    }
}
