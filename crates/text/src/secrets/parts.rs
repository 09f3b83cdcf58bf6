//! Whether a short value holds one of many parts.

/// Parts to look for, by their first two bytes.
///
/// Built from a list once; a search looks at each byte of the value and compares little.
#[derive(Debug)]
pub(super) struct Parts {
    /// One bit for each pair of first bytes, without case.
    starts: Box<[u64; 1 << 10]>,
    /// In ascending order of the pair.
    parts: Vec<(u16, &'static [u8])>,
    /// Whether ASCII case matters.
    case_sensitive: bool,
}

impl Parts {
    /// Looks for `parts`, which are in lower case and at least two bytes long, in any case.
    pub(super) fn any_case(parts: &[&'static str]) -> Self {
        Self::new(parts, false)
    }

    /// Looks for `parts`, which are at least two bytes long, as they are.
    pub(super) fn exact(parts: &[&'static str]) -> Self {
        Self::new(parts, true)
    }

    fn new(parts: &[&'static str], case_sensitive: bool) -> Self {
        let mut starts = Box::new([0; 1 << 10]);
        let mut by_pair = Vec::with_capacity(parts.len());
        for part in parts {
            if let [first, second, ..] = part.as_bytes() {
                let pair = pair(*first, *second);
                if let Some(bits) = starts.get_mut(usize::from(pair >> 6)) {
                    *bits |= 1_u64 << (pair & 63);
                }
                by_pair.push((pair, part.as_bytes()));
            }
        }
        by_pair.sort_unstable();
        Self {
            starts,
            parts: by_pair,
            case_sensitive,
        }
    }

    /// Whether one of them stands in `value`.
    pub(super) fn stand_in(&self, value: &[u8]) -> bool {
        value
            .array_windows()
            .enumerate()
            .any(|(at, [first, second])| {
                let pair = pair(*first, *second);
                let bits = self.starts.get(usize::from(pair >> 6));
                bits.is_some_and(|bits| bits >> (pair & 63) & 1 == 1)
                    && self.stands(pair, value, at)
            })
    }

    #[cold]
    fn stands(&self, pair: u16, value: &[u8], at: usize) -> bool {
        let rest = value.get(at..).unwrap_or_default();
        let from = self.parts.partition_point(|(other, _)| *other < pair);
        let parts = self.parts.get(from..).unwrap_or_default();
        parts
            .iter()
            .take_while(|(other, _)| *other == pair)
            .any(|(_, part)| match rest.get(..part.len()) {
                Some(head) if self.case_sensitive => head == *part,
                Some(head) => head.eq_ignore_ascii_case(part),
                None => false,
            })
    }
}

const fn pair(first: u8, second: u8) -> u16 {
    (first.to_ascii_lowercase() as u16) << 8 | second.to_ascii_lowercase() as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_anywhere() {
        let parts = Parts::any_case(&["max", "min_", "\u{2026}", "_id"]);
        for value in ["max", "tokens_MAX", "min_x", "a\u{2026}", "USER_ID"] {
            assert!(parts.stand_in(value.as_bytes()), "{value}");
        }
        for value in ["", "m", "ma", "min", "id_", "amx"] {
            assert!(!parts.stand_in(value.as_bytes()), "{value}");
        }
        assert!(Parts::exact(&["aB"]).stand_in(b"xaB"));
        assert!(!Parts::exact(&["aB"]).stand_in(b"xab"));
    }
}
