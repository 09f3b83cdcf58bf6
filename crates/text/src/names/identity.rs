//! Words as numbers: hashes without case.

use super::{letters::Traits, token::MAX_WORD};

/// The identity of a word, without case: eight bytes at a time.
#[must_use]
#[inline]
pub fn identity(word: &str) -> u32 {
    if word.is_ascii() {
        return bytes_identity(word.as_bytes());
    }
    // Longer than any word, even where lower case takes more bytes.
    let mut small = [0; 2 * MAX_WORD];
    let mut length = 0;
    for c in lowered(word) {
        if let Some(place) = small.get_mut(length..length + c.len_utf8()) {
            c.encode_utf8(place);
            length += c.len_utf8();
        }
    }
    bytes_identity(small.get(..length).unwrap_or_default())
}

fn bytes_identity(bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut chunks = Chunks::default();
    for word in words {
        chunks.add(u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        chunks.add(eight(rest, 0));
    }
    chunks.identity()
}

/// The identity of a character that stands for itself.
#[must_use]
#[inline]
pub const fn char_identity(c: char) -> u32 {
    mix(SEED, c as u32)
}

/// Mixes one value into a hash (FNV-1a, 32 bits, over whole characters).
#[must_use]
#[inline]
pub const fn mix(hash: u32, value: u32) -> u32 {
    (hash ^ value).wrapping_mul(0x0100_0193)
}

/// Where every hash starts (the offset basis of FNV-1a).
pub const SEED: u32 = 0x811c_9dc5;

/// A hash over a word in chunks of eight bytes, without case of ASCII (multiply and shift, as in
/// wyhash by Wang Yi).
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunks(u64);

impl Default for Chunks {
    fn default() -> Self {
        Self(0x2d35_8dcc_aa6c_78a5)
    }
}

impl Chunks {
    /// Adds up to eight bytes, the first lowest, zeros behind the last.
    #[inline]
    pub(super) const fn add(&mut self, word: u64) {
        // Bit 5 makes capitals small; bytes outside ASCII keep theirs.
        let word = word | ((!word & 0x8080_8080_8080_8080) >> 2);
        let mixed = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 32;
    }

    #[inline]
    pub(super) const fn identity(self) -> u32 {
        (self.0.wrapping_mul(0x8bb8_4b93_962e_acc9) >> 32) as u32
    }
}

/// How many of eight bytes, the lowest first, are ASCII letters before any other byte.
#[inline]
pub(super) const fn letters(word: u64) -> usize {
    // As in the scan for capitals, on letters made small.
    const ONES: u64 = 0x0101_0101_0101_0101;
    let small = (word & !(ONES << 7)) | (ONES << 5);
    let letters = (small + ONES * (0x80 - 0x61)) & !(small + ONES * (0x7f - 0x7a)) & !word;
    ((!letters & (ONES << 7)).trailing_zeros() / 8) as usize
}

/// The eight bytes from `at` on, zeros behind the end.
#[inline]
pub(super) fn eight(bytes: &[u8], at: usize) -> u64 {
    let rest = bytes.get(at..).unwrap_or_default();
    match rest.first_chunk::<8>() {
        Some(word) => u64::from_le_bytes(*word),
        None => rest
            .iter()
            .rev()
            .fold(0, |word, &byte| word << 8 | u64::from(byte)),
    }
}

#[inline]
fn lowered(word: &str) -> impl Iterator<Item = char> {
    word.chars().map(lower)
}

/// The lower-case form where it is one character, else the character itself.
#[inline]
pub(super) fn lower(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    if Traits::of(c).is_small() {
        return c;
    }
    let mut folded = c.to_lowercase();
    match (folded.next(), folded.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_in_any_case() {
        for (one, other) in [
            ("Smith", "SMITH"),
            ("Élodie", "élodie"),
            ("ИВАНОВА", "Иванова"),
            ("Wolfeschlegelstein", "wolfeschlegelSTEIN"),
        ] {
            assert_eq!(identity(one), identity(other), "{one}");
        }
        assert_ne!(identity("Smith"), identity("Smit"));
        assert_ne!(identity("abcdefgh"), identity("abcdefghi"));
    }

    #[test]
    fn letters_end_at_any_other_byte() {
        for (text, expected) in [
            ("Smith, J", 5),
            ("abcdefgh", 8),
            ("a_b", 1),
            ("é", 0),
            ("Z[", 1),
        ] {
            assert_eq!(letters(eight(text.as_bytes(), 0)), expected, "{text}");
        }
    }
}
