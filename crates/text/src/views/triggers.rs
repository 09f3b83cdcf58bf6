use std::ops::Range;

/// Places of a text that are worth a closer look.
#[derive(Debug, Default)]
pub(super) struct Triggers {
    /// Unbroken runs of at least [`MIN_RUN`] characters of the base64 alphabets.
    pub(super) runs: Vec<Range<usize>>,
    /// Neighbourhoods with single letters.
    pub(super) letters: Vec<Range<usize>>,
    /// Neighbourhoods with many digits, dots and dashes.
    pub(super) codes: Vec<Range<usize>>,
    /// Neighbourhoods with digits or signs that stand for letters.
    pub(super) digits: Vec<Range<usize>>,
}

/// The shortest run that is decoded.
pub(super) const MIN_RUN: usize = 16;
const BLOCK: usize = 64;
/// Single letters in a block that make it worth a look: `a` and `I` come alone in prose.
const MIN_LETTERS: u8 = 5;
/// Digits, dots, dashes and slashes in a block that make it worth a look.
const MIN_CODES: u8 = 14;

impl Triggers {
    pub(super) fn find(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut found = Self {
            runs: runs(bytes),
            ..Self::default()
        };
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        let mut last = [0; BLOCK];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        for (number, block) in blocks.iter().chain([&last]).enumerate() {
            let at = number * BLOCK;
            let (letters, codes, digits) = count(block);
            if letters >= MIN_LETTERS {
                note(&mut found.letters, at, text);
            }
            if codes >= MIN_CODES {
                note(&mut found.codes, at, text);
            }
            if digits > 0 {
                note(&mut found.digits, at, text);
            }
        }
        found
    }
}

/// Letters with no letter or digit beside them, bytes `-./0123456789`, and digits or signs that stand for letters in `block`.
/// No branches and no checks, so that it vectorises.
fn count(block: &[u8; BLOCK]) -> (u8, u8, u8) {
    let (mut letters, mut signs) = ([0u8; BLOCK], [0u8; BLOCK]);
    for ((letter, sign), byte) in letters.iter_mut().zip(&mut signs).zip(block) {
        *letter = u8::from((byte | 0x20).wrapping_sub(b'a') < 26);
        *sign = *letter | u8::from(byte.wrapping_sub(b'0') < 10);
    }
    let (mut codes, mut digits) = (0u8, 0u8);
    for byte in block {
        codes = codes.wrapping_add(u8::from(byte.wrapping_sub(b'-') < 13));
        digits |= u8::from(byte.wrapping_sub(b'0') < 10)
            | u8::from(*byte == b'@')
            | u8::from(*byte == b'$');
    }
    let (left, middle, right) = (signs.iter(), letters.iter().skip(1), signs.iter().skip(2));
    let single = left
        .zip(middle)
        .zip(right)
        .fold(0u8, |sum, ((left, middle), right)| {
            sum.wrapping_add(middle & !left & !right)
        });
    (single, codes, digits)
}

/// Adds the block at `at` with its neighbours.
fn note(ranges: &mut Vec<Range<usize>>, at: usize, text: &str) {
    let start = text.floor_char_boundary(at.saturating_sub(BLOCK));
    let end = text.ceil_char_boundary(at + 2 * BLOCK);
    match ranges.last_mut() {
        Some(last) if last.end >= start => last.end = end,
        _ => ranges.push(start..end),
    }
}

/// Whether `byte` is of the standard or URL-safe base64 alphabet.
pub(super) const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'-')
}

/// Runs of the base64 alphabets. A run of 16 bytes holds a whole block of 8 bytes without a
/// space, which is quick to see.
fn runs(bytes: &[u8]) -> Vec<Range<usize>> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = LOW << 7;
    let mut found = Vec::new();
    let mut done = 0;
    let (blocks, _) = bytes.as_chunks::<8>();
    for (number, block) in blocks.iter().enumerate() {
        let at = number * 8;
        let word = u64::from_le_bytes(*block);
        let low = word.wrapping_sub(LOW * 0x21) & !word & HIGH;
        if low != 0 || at < done || !block.iter().all(|byte| is_base64(*byte)) {
            continue;
        }
        let before = bytes.get(done..at).unwrap_or_default();
        let start = at - before.iter().rev().take_while(|b| is_base64(**b)).count();
        let after = bytes.get(at..).unwrap_or_default();
        let end = at + after.iter().take_while(|b| is_base64(**b)).count();
        done = end;
        if end - start >= MIN_RUN {
            found.push(start..end);
        }
    }
    found
}
