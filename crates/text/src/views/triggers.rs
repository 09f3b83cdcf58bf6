use std::ops::Range;

use crate::lanes::{BLOCK, Lanes, bits};

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
    /// Places in these where such a digit or sign stands behind a letter, or a letter behind one.
    pub(super) seams: Vec<usize>,
}

/// The shortest run that is decoded.
pub(super) const MIN_RUN: usize = 16;
/// Single letters in a block that make it worth a look: `a` and `I` come alone in prose.
const MIN_LETTERS: u32 = 5;
/// Digits, dots, dashes and slashes in a block that make it worth a look.
const MIN_CODES: u32 = 14;

impl Triggers {
    pub(super) fn find(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut found = Self::default();
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        let mut last = [0; BLOCK];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        let (mut before, mut done) = (Seam::default(), 0);
        for (number, block) in blocks.iter().chain([&last]).enumerate() {
            let at = number * BLOCK;
            let letters = bits(block, Lanes::letters);
            let digits = bits(block, Lanes::digits);
            let signs = letters | digits;
            // Letters with no letter or digit beside them; those at the edges are not counted.
            let single = letters & !(signs << 1) & !(signs >> 1) & !(1 << 63 | 1);
            if single.count_ones() >= MIN_LETTERS {
                note(&mut found.letters, at, text);
            }
            let codes = bits(block, |lanes| lanes.within(b'-', b'9'));
            if codes.count_ones() >= MIN_CODES {
                note(&mut found.codes, at, text);
            }
            let others = digits | bits(block, |lanes| lanes.is(b'@') | lanes.is(b'$'));
            if others != 0 {
                note(&mut found.digits, at, text);
            }
            before.find(
                letters,
                others | bits(block, |lanes| lanes.is(b'!')),
                |place| {
                    found.seams.push(at + place);
                },
            );
            let mut eights = eights(signs, block);
            while eights != 0 {
                let eight = at + eights.trailing_zeros() as usize;
                eights &= eights - 1;
                if eight >= done {
                    done = run_around(bytes, done, eight, &mut found.runs);
                }
            }
        }
        found
    }
}

/// What the last byte of a block was, one bit.
#[derive(Default)]
struct Seam {
    letter: u64,
    other: u64,
}

impl Seam {
    /// Calls `found` for each of `letters` behind one of `others`, and the other way round.
    #[inline]
    fn find(&mut self, letters: u64, others: u64, mut found: impl FnMut(usize)) {
        let mut seams =
            letters & (others << 1 | self.other) | others & (letters << 1 | self.letter);
        (self.letter, self.other) = (letters >> 63, others >> 63);
        while seams != 0 {
            found(seams.trailing_zeros() as usize);
            seams &= seams - 1;
        }
    }
}

/// One bit for the first byte of each eighth of `block` that is all of the base64 alphabets, where
/// `signs` tells letters and digits: a run of 16 bytes holds one of them whole.
#[inline]
fn eights(signs: u64, block: &[u8; BLOCK]) -> u64 {
    const FIRST: u64 = 0x0101_0101_0101_0101;
    let marks = bits(block, |lanes| {
        lanes.is(b'+') | lanes.is(b'/') | lanes.is(b'_') | lanes.is(b'-')
    });
    let run = signs | marks;
    let pairs = run & run >> 1;
    let fours = pairs & pairs >> 2;
    fours & fours >> 4 & FIRST
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
#[expect(
    clippy::indexing_slicing,
    reason = "every byte has an entry, and this runs once for each byte of a run"
)]
pub(super) const fn is_base64(byte: u8) -> bool {
    BASE64[byte as usize]
}

#[expect(clippy::indexing_slicing, reason = "evaluated when it is compiled")]
const BASE64: [bool; 256] = {
    let mut of = [false; 256];
    let mut byte = 0;
    while byte < of.len() {
        of[byte] =
            (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'+' | b'/' | b'_' | b'-');
        byte += 1;
    }
    of
};

/// Adds the run of the base64 alphabets around `at`, from `done` on, if it is long enough; returns
/// where it ends.
fn run_around(bytes: &[u8], done: usize, at: usize, found: &mut Vec<Range<usize>>) -> usize {
    let before = bytes.get(done..at).unwrap_or_default();
    let start = at - before.iter().rev().take_while(|b| is_base64(**b)).count();
    let after = bytes.get(at..).unwrap_or_default();
    let end = at + after.iter().take_while(|b| is_base64(**b)).count();
    if end - start >= MIN_RUN {
        found.push(start..end);
    }
    end
}
