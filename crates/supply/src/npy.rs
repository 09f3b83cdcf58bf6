//! `NumPy`'s arrays: bytes, unless their type says that they are a pickle
//! (`numpy/lib/format.py`, `read_array`).

use bartizan_core::{CheckError, Rule};
use bartizan_formats::{
    Format, ParseError, Reader, Section,
    python::{Token, TokenKind, tokens},
};

use crate::{Artifact, Desk, Inspector};

/// Knows one array.
pub(crate) struct Arrays;

/// Longest header; `NumPy` itself trusts 10,000 bytes.
const HEADER: u64 = 1 << 20;

impl Inspector for Arrays {
    fn name(&self) -> &'static str {
        "npy"
    }

    fn rules(&self) -> &'static [&'static Rule] {
        &[]
    }

    fn matches(&self, _: &Artifact<'_>, formats: &[Format]) -> bool {
        formats.contains(&Format::Npy)
    }

    fn inspect(&self, artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
        let mut reader = Reader::new(artifact.source, 6);
        let major = reader.u8("the version of the array")?;
        reader.u8("the version of the array")?;
        let length = match major {
            1 => u64::from(reader.u16("the length of the header")?),
            2 | 3 => u64::from(reader.u32("the length of the header")?),
            _ => return Err(ParseError::malformed(6, "a version that does not exist").into()),
        };
        let header = reader.bytes(length, HEADER, "the header of the array")?;
        if !holds_objects(&String::from_utf8_lossy(&header)) {
            return Ok(());
        }
        let at = reader.position();
        let pickle = Section::new(artifact.source, at, u64::MAX);
        desk.member_as("objects", &pickle, Format::Pickle)
    }
}

/// Whether one of the types in a header is of Python's objects, however `numpy.dtype` may be told so:
/// `'|O'`, `'O8'`, `'object'`, `'i4,O'`, `'(2,)O'`.
fn holds_objects(header: &str) -> bool {
    let Some(tokens) = tokens(header) else {
        return true;
    };
    // Python's names of characters are no part of the tokenizer.
    if header.contains("\\N{") {
        return true;
    }
    // Texts that stand side by side are one.
    let texts = tokens.chunk_by(|first, second| is_text(first) && is_text(second));
    texts.map(joined).any(|text| text.split(',').any(is_object))
}

fn is_text(token: &Token) -> bool {
    matches!(token.kind, TokenKind::Text(_))
}

fn joined(tokens: &[Token]) -> String {
    let texts = tokens.iter().filter_map(|token| match &token.kind {
        TokenKind::Text(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

/// Whether a type is of objects, whatever its shape, order, and size.
fn is_object(kind: &str) -> bool {
    let is_name = |c: &char| c.is_alphabetic() || *c == '_';
    let name: String = kind.chars().filter(is_name).collect();
    name == "O" || matches!(name.to_ascii_lowercase().as_str(), "object" | "object_")
}

#[cfg(test)]
mod tests {
    use super::holds_objects;

    #[test]
    fn types_of_objects_are_seen() {
        for header in [
            "{'descr': '|O', 'shape': (2,)}",
            "{'descr': [('a', '<f4'), ('b', \"O\")]}",
            "{'descr': 'O8'}",
            "{'descr': 'object'}",
            "{'descr': 'object_'}",
            "{'descr': 'Object0'}",
            "{'descr': 'i4,O'}",
            "{'descr': 'f8, 2O'}",
            "{'descr': '(2,)O'}",
            r"{'descr': '|\x4f'}",
            r"{'descr': '\N{LATIN CAPITAL LETTER O}'}",
            "{'descr': 'ob' 'ject'}",
            "{'descr': 'ob' #',\n 'ject'}",
            "{'descr': {'names': ['a'], 'formats': [u'O']}}",
            "{'descr': b'O'}",
        ] {
            assert!(holds_objects(header), "{header}");
        }
        for header in [
            "{'descr': '<f8', 'fortran_order': False}",
            "{'descr': [('Offset', '<i4'), ('x', '<U10')]}",
        ] {
            assert!(!holds_objects(header), "{header}");
        }
    }
}
