//! `NumPy`'s arrays: bytes, unless their type says that they are a pickle
//! (`numpy/lib/format.py`, `read_array`).

use bartizan_core::{CheckError, Rule};
use bartizan_formats::{Format, ParseError, Reader, Section};

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

/// Whether one of the types in a header is `O`: `'|O'`, `'O'`, `'O8'`.
fn holds_objects(header: &str) -> bool {
    header.split(['\'', '"']).any(|text| {
        let text = text.trim_start_matches(['<', '>', '|', '=']);
        let size = text.strip_prefix('O');
        size.is_some_and(|size| size.bytes().all(|byte| byte.is_ascii_digit()))
    })
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
        ] {
            assert!(holds_objects(header), "{header}");
        }
        assert!(!holds_objects("{'descr': '<f8', 'fortran_order': False}"));
    }
}
