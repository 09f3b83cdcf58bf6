//! Comments that cut a query off.

use std::ops::Range;

use super::{
    super::{
        hazard::{Hazard, is_word, window},
        rules,
    },
    BEFORE,
};

/// Finds a quote that closes a string which the text did not open, with a comment behind it.
pub(super) fn hazards(text: &str, out: &mut Vec<Hazard>) {
    let bytes = text.as_bytes();
    for at in memchr::memchr2_iter(b'\'', b'"', bytes) {
        let after = window(text, at + 1, 12);
        let rest = after.trim_start_matches([' ', ')', ';', '\t']);
        let mark = match rest.as_bytes() {
            [b'-', b'-', ..] | [b'/', b'*', ..] => 2,
            [b'#', ..] => 1,
            _ => continue,
        };
        let mark_at = at + 1 + (after.len() - rest.len());
        let tail = window(text, mark_at + mark, 80)
            .lines()
            .next()
            .unwrap_or_default()
            .trim();
        let near = mark_at == at + 1;
        if !is_opening(bytes, at) || (rest.starts_with('#') && !tail.is_empty()) {
            continue;
        }
        // `"--option"` is a string of its own.
        let own = tail.starts_with(|c: char| c.is_ascii_alphabetic())
            && at
                .checked_sub(1)
                .and_then(|before| bytes.get(before))
                .is_some_and(|before| !is_word(*before));
        if own {
            continue;
        }
        let confidence = match (near, tail.is_empty()) {
            (true, true) => 0.9,
            (true, false) => 0.75,
            (false, true) => 0.8,
            (false, false) => 0.5,
        };
        out.push(hazard_of(at..mark_at + mark, confidence));
    }
}

const fn hazard_of(range: Range<usize>, confidence: f32) -> Hazard {
    Hazard::new(&rules::SQL_COMMENT, range, confidence)
}

/// Whether the quote at `at` has no partner before it on its line; apostrophes within words do not
/// count.
fn is_opening(bytes: &[u8], at: usize) -> bool {
    let Some(quote) = bytes.get(at) else {
        return false;
    };
    let from = at.saturating_sub(BEFORE);
    let before = bytes.get(from..at).unwrap_or_default();
    let line = before
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(before, |end| before.get(end + 1..).unwrap_or_default());
    let mut count = 0;
    let mut last = b' ';
    let mut rest = line.iter().peekable();
    while let Some(byte) = rest.next() {
        let inside = last.is_ascii_alphanumeric()
            && rest.peek().is_some_and(|next| next.is_ascii_alphabetic());
        if byte == quote && !inside {
            count += 1;
        }
        last = *byte;
    }
    count % 2 == 0
}
