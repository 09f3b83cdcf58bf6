use crate::{Json, ParseError, Source};

/// The longest header that the reference reader takes, in bytes.
pub const MAX_HEADER: u64 = 100_000_000;

/// The header of a `safetensors` file, and what its rules are broken by.
///
/// Source: <https://github.com/huggingface/safetensors#format> and its `tensor.rs`.
#[derive(Debug)]
pub struct SafeTensors {
    /// The strings under `__metadata__`.
    pub metadata: Vec<(String, String)>,
    /// How many tensors there are.
    pub tensors: usize,
    /// Every rule that is broken, in the order of the file.
    pub faults: Vec<Fault>,
}

/// A rule of the format that a file breaks; every one of them is refused by the reference reader or
/// read differently by others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The header starts with something else than `{`.
    LeadingBytes,
    /// Something else than spaces follows the header's value.
    TrailingHeader,
    /// The header is JSON only to Python: `NaN`, or broken text.
    LooseJson,
    /// One name stands twice.
    DuplicateName,
    /// `__metadata__` is no table of strings.
    Metadata,
    /// A tensor lacks one of its three fields or has one of a wrong kind.
    Tensor,
    /// A tensor has a field that the format does not know.
    UnknownField,
    /// A type of numbers that the format does not know.
    UnknownType,
    /// Shape and type make another size than the offsets do, or none that can be counted.
    Size,
    /// Offsets run backwards.
    Backwards,
    /// Two tensors share bytes.
    Overlap,
    /// Bytes between tensors belong to nobody.
    Hole,
    /// A tensor ends after the file.
    OutOfFile,
    /// Bytes after the last tensor belong to nobody.
    TrailingBytes,
}

impl Fault {
    /// What is wrong, as a clause.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LeadingBytes => "the header does not start with `{`",
            Self::TrailingHeader => "something follows the header's table",
            Self::LooseJson => "the header is no strict JSON",
            Self::DuplicateName => "one name stands twice in the header",
            Self::Metadata => "`__metadata__` is no table of strings",
            Self::Tensor => "a tensor lacks its type, shape, or offsets",
            Self::UnknownField => "a tensor has a field that the format does not know",
            Self::UnknownType => "a tensor has a type that the format does not know",
            Self::Size => "shape and type do not make the size that the offsets say",
            Self::Backwards => "a tensor ends before it starts",
            Self::Overlap => "two tensors share bytes",
            Self::Hole => "bytes between two tensors belong to none",
            Self::OutOfFile => "a tensor ends after the file",
            Self::TrailingBytes => "bytes after the last tensor belong to none",
        }
    }
}

/// Types of numbers and how many bits one takes.
const TYPES: &[(&str, u64)] = &[
    ("BOOL", 8),
    ("U8", 8),
    ("I8", 8),
    ("F4", 4),
    ("F6_E2M3", 6),
    ("F6_E3M2", 6),
    ("F8_E5M2", 8),
    ("F8_E4M3", 8),
    ("F8_E8M0", 8),
    ("F8_E4M3FNUZ", 8),
    ("F8_E5M2FNUZ", 8),
    ("I16", 16),
    ("U16", 16),
    ("F16", 16),
    ("BF16", 16),
    ("I32", 32),
    ("U32", 32),
    ("F32", 32),
    ("C64", 64),
    ("F64", 64),
    ("I64", 64),
    ("U64", 64),
];

impl SafeTensors {
    /// Whether `source` starts as such a file does: a length that fits and a `{`.
    #[must_use]
    pub fn is(source: &dyn Source) -> bool {
        let Ok(start) = source.read(0, 16) else {
            return false;
        };
        let Some((length, rest)) = start.split_first_chunk::<8>() else {
            return false;
        };
        let length = u64::from_le_bytes(*length);
        let brace = rest.iter().find(|byte| !byte.is_ascii_whitespace());
        (2..=MAX_HEADER).contains(&length) && brace == Some(&b'{')
    }

    /// Reads the header and weighs every rule.
    ///
    /// # Errors
    /// When there is no header to weigh.
    pub fn read(source: &dyn Source) -> Result<Self, ParseError> {
        let mut reader = crate::Reader::new(source, 0);
        let length = reader.u64("the length of the header")?;
        let header = reader.bytes(length, MAX_HEADER, "safetensors header")?;
        let data = source.len() - 8 - length;
        let mut faults = Vec::new();
        if header.first() != Some(&b'{') {
            faults.push(Fault::LeadingBytes);
        }
        let Ok(text) = std::str::from_utf8(&header) else {
            return Err(ParseError::malformed(8, "the header is no UTF-8"));
        };
        let body = text.trim_end_matches(' ');
        if !body.ends_with('}') {
            faults.push(Fault::TrailingHeader);
        }
        let json = Json::parse(body.trim_matches(|c: char| c.is_whitespace() || c == '\0'))?;
        if body.contains("NaN") || body.contains("Infinity") {
            let mut loose = false;
            json.visit(&mut |_, value| loose |= matches!(value, Json::Float(f) if !f.is_finite()));
            faults.extend(loose.then_some(Fault::LooseJson));
        }
        let mut result = Self {
            metadata: Vec::new(),
            tensors: 0,
            faults,
        };
        result.weigh(&json, data);
        Ok(result)
    }

    fn weigh(&mut self, json: &Json, data: u64) {
        if json.duplicate().is_some() {
            self.faults.push(Fault::DuplicateName);
        }
        let mut ranges = Vec::new();
        for (name, value) in json.entries() {
            if name == "__metadata__" {
                self.metadata(value);
                continue;
            }
            self.tensors += 1;
            match tensor(value) {
                Ok(range) => ranges.push(range),
                Err(fault) => self.fault(fault),
            }
        }
        ranges.sort_unstable();
        let mut end = 0;
        for (from, to) in ranges {
            if to > data {
                self.fault(Fault::OutOfFile);
            }
            match from.cmp(&end) {
                std::cmp::Ordering::Less if from < to => self.fault(Fault::Overlap),
                std::cmp::Ordering::Greater => self.fault(Fault::Hole),
                _ => {}
            }
            end = end.max(to);
        }
        if end < data && !self.faults.contains(&Fault::Tensor) {
            self.fault(Fault::TrailingBytes);
        }
    }

    fn metadata(&mut self, value: &Json) {
        if !matches!(value, Json::Object(_)) && *value != Json::Null {
            self.fault(Fault::Metadata);
        }
        for (key, value) in value.entries() {
            match value {
                Json::String(text) => self.metadata.push((key.clone(), text.clone())),
                _ => self.fault(Fault::Metadata),
            }
        }
    }

    fn fault(&mut self, fault: Fault) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }
}

fn tensor(value: &Json) -> Result<(u64, u64), Fault> {
    let known = |key: &str| matches!(key, "dtype" | "shape" | "data_offsets");
    if value.entries().iter().any(|(key, _)| !known(key)) {
        return Err(Fault::UnknownField);
    }
    let name = value.text("dtype").ok_or(Fault::Tensor)?;
    let shape = value.get("shape").ok_or(Fault::Tensor)?;
    let offsets = value.get("data_offsets").ok_or(Fault::Tensor)?;
    let [from, to] = offsets.items() else {
        return Err(Fault::Tensor);
    };
    let (from, to) = (
        from.as_u64().ok_or(Fault::Tensor)?,
        to.as_u64().ok_or(Fault::Tensor)?,
    );
    if !matches!(shape, Json::Array(_)) {
        return Err(Fault::Tensor);
    }
    let (_, bits) = TYPES
        .iter()
        .find(|(known, _)| *known == name)
        .ok_or(Fault::UnknownType)?;
    let mut size = *bits;
    for side in shape.items() {
        let side = side.as_u64().ok_or(Fault::Tensor)?;
        size = size.checked_mul(side).ok_or(Fault::Size)?;
    }
    let length = to.checked_sub(from).ok_or(Fault::Backwards)?;
    if size % 8 != 0 || size / 8 != length {
        return Err(Fault::Size);
    }
    Ok((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bytes;

    fn faults(header: &str, data: usize) -> Vec<Fault> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.resize(bytes.len() + data, 0);
        SafeTensors::read(&Bytes(&bytes)).unwrap().faults
    }

    fn one(dtype: &str, shape: &str, offsets: &str) -> String {
        format!(r#"{{"a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}}}"#)
    }

    #[test]
    fn a_sound_file_breaks_no_rule() {
        assert_eq!(faults(&one("F32", "[2,2]", "[0,16]"), 16), []);
        assert_eq!(faults(&format!("{}    ", one("F32", "[]", "[0,4]")), 4), []);
        assert_eq!(faults(r#"{"__metadata__":{"format":"pt"}}"#, 0), []);
        assert_eq!(faults(&one("F4", "[6]", "[0,3]"), 3), []);
        assert_eq!(faults(&one("F32", "[0]", "[0,0]"), 0), []);
    }

    #[test]
    fn every_rule_is_weighed() {
        let two = |first: &str, second: &str| {
            format!(
                r#"{{"a":{{"dtype":"U8","shape":[4],"data_offsets":{first}}},"b":{{"dtype":"U8","shape":[4],"data_offsets":{second}}}}}"#
            )
        };
        for (header, data, fault) in [
            (one("F32", "[2,2]", "[0,16]"), 17, Fault::TrailingBytes),
            (one("F32", "[2,2]", "[0,16]"), 8, Fault::OutOfFile),
            (one("F32", "[2,2]", "[0,12]"), 12, Fault::Size),
            (
                one("F32", "[18446744073709551615,2]", "[0,8]"),
                8,
                Fault::Size,
            ),
            (one("F32", "[1]", "[4,0]"), 4, Fault::Backwards),
            (one("X32", "[1]", "[0,4]"), 4, Fault::UnknownType),
            (one("F32", "[-1]", "[0,4]"), 4, Fault::Tensor),
            (one("F32", "1", "[0,4]"), 4, Fault::Tensor),
            (one("F32", "[1]", "[0]"), 4, Fault::Tensor),
            (two("[0,4]", "[2,6]"), 6, Fault::Overlap),
            (two("[0,4]", "[6,10]"), 10, Fault::Hole),
            (two("[2,6]", "[6,10]"), 10, Fault::Hole),
            (
                two("[0,4]", "[4,8]").replace("\"b\"", "\"a\""),
                8,
                Fault::DuplicateName,
            ),
            (r#"{"__metadata__":{"a":1}}"#.into(), 0, Fault::Metadata),
            (r#"{"__metadata__":[]}"#.into(), 0, Fault::Metadata),
            (
                format!(" {}", one("F32", "[1]", "[0,4]")),
                4,
                Fault::LeadingBytes,
            ),
            (
                format!("{}\n", one("F32", "[1]", "[0,4]")),
                4,
                Fault::TrailingHeader,
            ),
            (
                one("F32", "[1]", "[0,4]").replace("\"shape\"", "\"code\":0,\"shape\""),
                4,
                Fault::UnknownField,
            ),
            (one("F32", "[NaN]", "[0,4]"), 4, Fault::LooseJson),
        ] {
            assert!(faults(&header, data).contains(&fault), "{fault:?} {header}");
        }
    }

    #[test]
    fn a_lying_length_makes_no_room() {
        let mut bytes = 99_999_999_u64.to_le_bytes().to_vec();
        bytes.extend(b"{}");
        assert!(SafeTensors::is(&Bytes(&bytes)));
        assert!(matches!(
            SafeTensors::read(&Bytes(&bytes)),
            Err(ParseError::Truncated { .. })
        ));
    }
}
