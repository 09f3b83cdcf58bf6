//! The runs of letters and digits that hold a digit.

use super::words::{run_end, run_start};

/// Bytes looked at together: one bit for each in a mask.
const BLOCK: usize = 64;

/// A run of ASCII letters and digits with a digit in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) start: usize,
    /// The first digit.
    pub(super) digit: usize,
    pub(super) end: usize,
}

/// Every [`Token`] of a text, from left to right.
///
/// A text without digits costs a few vector instructions for each block.
pub(super) struct Tokens<'a> {
    text: &'a [u8],
    /// Bytes of a run before its first digit that are looked at.
    limit: usize,
    /// Where the block of the masks starts.
    base: usize,
    /// Digits of the block that have not been passed.
    digits: u64,
    /// Letters and digits of the block.
    words: u64,
    /// Where the next block starts.
    next: usize,
}

impl<'a> Tokens<'a> {
    pub(super) const fn new(text: &'a [u8], limit: usize) -> Self {
        Self {
            text,
            limit,
            base: 0,
            digits: 0,
            words: 0,
            next: 0,
        }
    }

    /// Leaves out everything before `end`.
    pub(super) fn pass(&mut self, end: usize) {
        match end.checked_sub(self.base) {
            Some(done) if done < BLOCK => self.digits &= !0 << done,
            Some(_) => {
                self.digits = 0;
                self.next = self.next.max(end);
            }
            None => {}
        }
    }

    /// Reads blocks up to the next one with a digit.
    fn fill(&mut self) -> bool {
        let rest = self.text.get(self.next..).unwrap_or_default();
        let (blocks, last) = rest.as_chunks::<BLOCK>();
        for (base, block) in (self.next..).step_by(BLOCK).zip(blocks) {
            if holds_digit(block) {
                self.take(base, block);
                return true;
            }
        }
        let base = self.next + blocks.len() * BLOCK;
        let mut block = [0; BLOCK];
        for (slot, byte) in block.iter_mut().zip(last) {
            *slot = *byte;
        }
        self.take(base, &block);
        self.digits != 0
    }

    fn take(&mut self, base: usize, block: &[u8; BLOCK]) {
        self.base = base;
        self.next = base + BLOCK;
        (self.digits, self.words) = masks(block);
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    #[inline]
    fn next(&mut self) -> Option<Token> {
        if self.digits == 0 && !self.fill() {
            return None;
        }
        let first = self.digits.trailing_zeros();
        let digit = self.base + first as usize;
        let before = !self.words & !(!0 << first);
        let start = if before == 0 {
            run_start(
                self.text,
                self.base,
                self.limit.saturating_sub(first as usize),
            )
        } else {
            self.base + BLOCK - before.leading_zeros() as usize
        };
        let behind = !self.words >> first;
        let end = if behind == 0 {
            run_end(self.text, self.base + BLOCK)
        } else {
            digit + behind.trailing_zeros() as usize
        };
        self.pass(end);
        Some(Token { start, digit, end })
    }
}

/// One test for the whole block becomes a few vector instructions.
fn holds_digit(block: &[u8; BLOCK]) -> bool {
    block.iter().fold(0_u8, |any, byte| {
        any | u8::from(byte.wrapping_sub(b'0') < 10)
    }) != 0
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = ONES << 7;

/// One bit for each digit of `block`, and one for each letter or digit.
fn masks(block: &[u8; BLOCK]) -> (u64, u64) {
    let (mut digits, mut words) = (0, 0);
    for (shift, word) in (0_u32..).step_by(8).zip(block.as_chunks::<8>().0) {
        let bytes = u64::from_le_bytes(*word);
        let (ascii, foreign) = (bytes & !HIGH, bytes & HIGH);
        let digit = within(ascii, b'0', b'9') & !foreign;
        let letter = within(ascii | ONES << 5, b'a', b'z') & !foreign;
        digits |= gathered(digit) << shift;
        words |= gathered(digit | letter) << shift;
    }
    (digits, words)
}

/// The high bit of each byte, all below 0x80, that is one of `low..=high`.
const fn within(bytes: u64, low: u8, high: u8) -> u64 {
    let from_low = bytes + ONES * (0x80 - low as u64);
    let beyond = bytes + ONES * (0x7f - high as u64);
    from_low & !beyond & HIGH
}

/// The high bits of eight bytes, next to each other.
const fn gathered(bits: u64) -> u64 {
    bits.wrapping_mul(0x0002_0408_1020_4081) >> 56
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same, a byte at a time.
    fn plainly(text: &[u8]) -> Vec<Token> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(index) = (from..text.len()).find(|index| text[*index].is_ascii_digit()) {
            let end = run_end(text, index);
            found.push(Token {
                start: run_start(text, index, text.len()),
                digit: index,
                end,
            });
            from = end;
        }
        found
    }

    #[test]
    fn tokens_are_found_wherever_they_stand() {
        let words = ["a1", " ", "/0:9", "@[`{", "éß", "zZ", "12345678901", "Za9"];
        let mut text = String::new();
        for round in 0..400_usize {
            text.push_str(words[(round * round + round / 7) % words.len()]);
            let found: Vec<_> = Tokens::new(text.as_bytes(), usize::MAX).collect();
            assert_eq!(found, plainly(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn long_runs_are_one_token() {
        for length in [63, 64, 65, 127, 128, 200, 1000] {
            let text = format!(" {}1{} 7", "a".repeat(length), "b2".repeat(length));
            let found: Vec<_> = Tokens::new(text.as_bytes(), usize::MAX).collect();
            assert_eq!(found, plainly(text.as_bytes()), "{length}");
        }
    }
}
