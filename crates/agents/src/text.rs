//! Texts in the form in which they are compared.

use bartizan_text::fold::fold_str;
use memchr::memmem::Finder;

/// `text` as a reader reads it, in lower case: compatibility forms, invisible characters, and
/// look-alikes are folded.
pub(crate) fn folded(text: &str) -> String {
    let mut folded = fold_str(text);
    if folded.is_ascii() {
        folded.make_ascii_lowercase();
        folded
    } else {
        folded.to_lowercase()
    }
}

/// Whether `needle` stands in `text` as a word of its own: not as the middle of a longer word,
/// address, number, or path. Both are folded.
pub(crate) fn stands_in(needle: &str, text: &str) -> bool {
    if needle.is_empty() {
        return false;
    }
    let finder = Finder::new(needle.as_bytes());
    finder.find_iter(text.as_bytes()).any(|at| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let mut after = text.get(at + needle.len()..).unwrap_or_default().chars();
        let (next, then) = (after.next(), after.next());
        let starts = before.is_none_or(|c| !c.is_alphanumeric() && !JOINS.contains(c));
        let ends = match next {
            None => true,
            // A mark at the end of a sentence, unless a word goes on behind it.
            Some(c) if ENDS.contains(c) => then.is_none_or(|c| !c.is_alphanumeric()),
            Some(c) => !c.is_alphanumeric() && !JOINS.contains(c),
        };
        starts && ends
    })
}

/// Characters that join what stands at their sides to one address, number, or path.
const JOINS: &str = "@._-+/\\%=&~";
/// Characters that end a sentence as well.
const ENDS: &str = "._-/";

/// The letters and digits of `text`.
pub(crate) fn squeezed(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The numbers of a text, each once, as [`number`] reads them.
pub(crate) fn numbers(text: &str) -> Vec<f64> {
    let mut all: Vec<f64> = text
        .split(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '\'')))
        .filter_map(number)
        .collect();
    all.sort_by(f64::total_cmp);
    all.dedup();
    all
}

/// The amount that is written as `text`, with or without a currency, and with separators of either
/// convention: `1,234.50`, `1.234,50`, `1'234`.
pub(crate) fn number(text: &str) -> Option<f64> {
    let digits = text
        .trim_matches(|c: char| !c.is_ascii_digit())
        .replace(['\'', ' ', '\u{a0}'], "");
    if digits.is_empty() || digits.len() > 32 {
        return None;
    }
    let decimal = match (digits.rfind('.'), digits.rfind(',')) {
        (Some(point), Some(comma)) => Some(if point > comma { '.' } else { ',' }),
        (Some(_), None) => separates(&digits, '.').then_some('.'),
        (None, Some(_)) => separates(&digits, ',').then_some(','),
        (None, None) => None,
    };
    let plain: String = digits
        .chars()
        .filter_map(|c| match c {
            c if Some(c) == decimal => Some('.'),
            '.' | ',' => None,
            c => Some(c),
        })
        .collect();
    plain.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Whether the one kind of mark in `digits` separates the fraction: it stands once, and not before
/// three last digits.
fn separates(digits: &str, mark: char) -> bool {
    digits.matches(mark).count() == 1
        && digits
            .rsplit(mark)
            .next()
            .is_none_or(|fraction| fraction.len() != 3 || mark == '.')
}

/// Hashes of every run of `length` words of a text, given to `each` in order.
pub(crate) fn shingles(text: &str, length: usize, mut each: impl FnMut(u64)) {
    // Enough words of memory to leave one out again: a polynomial hash over the window (Rabin-Karp).
    const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
    let drop = (0..length).fold(1_u64, |power, _| power.wrapping_mul(BASE));
    let mut window = std::collections::VecDeque::with_capacity(length + 1);
    let mut rolling = 0_u64;
    for word in words(text) {
        rolling = rolling.wrapping_mul(BASE).wrapping_add(word);
        window.push_back(word);
        if window.len() > length
            && let Some(old) = window.pop_front()
        {
            rolling = rolling.wrapping_sub(old.wrapping_mul(drop));
        }
        if window.len() == length {
            each(rolling);
        }
    }
}

/// The hash of every word.
fn words(text: &str) -> impl Iterator<Item = u64> {
    text.as_bytes()
        .split(|byte| !byte.is_ascii_alphanumeric() && *byte < 0x80)
        .filter(|word| !word.is_empty())
        .map(word_hash)
}

/// Eight bytes at a time, mixed by the multiplier of SplitMix64 (Steele et al., 2014): most words
/// are mixed once.
fn word_hash(word: &[u8]) -> u64 {
    const MIX: u64 = 0xbf58_476d_1ce4_e5b9;
    word.chunks(8).fold(word.len() as u64, |hash, chunk| {
        let piece = chunk
            .iter()
            .fold(0_u64, |piece, byte| piece << 8 | u64::from(*byte));
        let mixed = (hash ^ piece).wrapping_mul(MIX);
        mixed ^ mixed >> 29
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_piece_of_another() {
        for (needle, text) in [
            ("bob@x.com", "write to bob@x.com."),
            ("bob@x.com", "<bob@x.com>"),
            ("report.txt", "open report.txt, please"),
            ("13", "delete 13"),
        ] {
            assert!(stands_in(needle, text), "{needle} in {text}");
        }
        for (needle, text) in [
            ("x.com", "bob@x.com"),
            ("bob@x.com", "bob@x.com.evil.net"),
            ("bob@x.com", "notbob@x.com"),
            ("13", "1300"),
            ("13", "1.13"),
            ("", "anything"),
        ] {
            assert!(!stands_in(needle, text), "{needle} in {text}");
        }
    }

    #[test]
    fn numbers_are_read_in_both_conventions() {
        for (text, value) in [
            ("1,234.50", 1234.5),
            ("1.234,50", 1234.5),
            ("$1'234", 1234.0),
            ("12,5", 12.5),
            ("1,234", 1234.0),
            ("0.125", 0.125),
            ("50 EUR", 50.0),
        ] {
            assert_eq!(number(text), Some(value), "{text}");
        }
        assert_eq!(number("none"), None);
        assert_eq!(numbers("pay 12.50 and 1,000 by 12.50"), [12.5, 1000.0]);
    }

    #[test]
    fn a_shingle_knows_its_words_alone() {
        let of = |text: &str| {
            let mut all = Vec::new();
            shingles(text, 3, |hash| all.push(hash));
            all
        };
        assert!(of("a b").is_empty());
        assert_eq!(of("x a b c"), [of("x, a b"), of("a  b\nc")].concat());
    }
}
