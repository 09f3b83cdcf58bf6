//! The runs of letters and digits that hold a digit.

use super::words::{run_end, run_start};
use crate::lanes::{BLOCK, Lanes, bits};

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
    bits(block, Lanes::digits) != 0
}

/// One bit for each digit of `block`, and one for each letter or digit.
fn masks(block: &[u8; BLOCK]) -> (u64, u64) {
    let digits = bits(block, Lanes::digits);
    (digits, digits | bits(block, Lanes::letters))
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
