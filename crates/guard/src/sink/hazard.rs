use std::ops::Range;

use bartizan_core::Rule;

/// Something active that one sink would run, load, or follow.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Hazard {
    /// What it is.
    pub(super) rule: &'static Rule,
    /// Where it is, in bytes of the text that was looked at.
    pub(super) range: Range<usize>,
    /// How sure, `[0, 1]`.
    pub(super) confidence: f32,
}

impl Hazard {
    pub(super) const fn new(rule: &'static Rule, range: Range<usize>, confidence: f32) -> Self {
        Self {
            rule,
            range,
            confidence,
        }
    }
}

/// The greatest place up to `at` where a character of `text` starts.
pub(super) fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

/// `text` from `start` on, at most `len` bytes.
pub(super) fn window(text: &str, start: usize, len: usize) -> &str {
    let end = floor(text, start.saturating_add(len));
    text.get(start..end).unwrap_or_default()
}

/// Whether `byte` belongs to a word: a letter, a digit, an underscore, or not ASCII.
pub(crate) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Whether `text[range]` stands alone, not inside a longer word.
pub(crate) fn is_whole_word(text: &str, range: &Range<usize>) -> bool {
    let bytes = text.as_bytes();
    let joined = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(|b| is_word(*b));
    !joined(range.start.checked_sub(1)) && !joined(Some(range.end))
}

/// The hazards of a test's `text`: their rules without `area`, and what they cover.
#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test may panic")]
pub(super) fn named(
    hazards: fn(&str, &mut Vec<Hazard>),
    text: &str,
    area: &str,
) -> Vec<(String, String)> {
    let mut out = Vec::new();
    hazards(text, &mut out);
    out.into_iter()
        .map(|hazard| {
            let rule = hazard.rule.id.trim_start_matches(area).to_owned();
            (rule, text[hazard.range].to_owned())
        })
        .collect()
}
