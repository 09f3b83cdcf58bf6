use std::ops::Range;

use super::respelled;
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
    /// Neighbourhoods with marks between and around words, or with short lines.
    pub(super) marks: Vec<Range<usize>>,
    /// Neighbourhoods with words that end as in Pig Latin.
    pub(super) pig_latin: Vec<Range<usize>>,
    /// Neighbourhoods of the characters that ROT47 makes of small letters.
    pub(super) shifted: Vec<Range<usize>>,
    /// Words that may be misspelt forms of those that attacks are made of.
    pub(super) words: Vec<Range<usize>>,
    /// Line ends in the text.
    pub(super) lines: usize,
}

/// The shortest run that is decoded.
pub(super) const MIN_RUN: usize = 16;
/// Single letters in a block that make it worth a look: `a` and `I` come alone in prose.
const MIN_LETTERS: u32 = 5;
/// Digits, dots, dashes and slashes in a block that make it worth a look.
const MIN_CODES: u32 = 14;
/// Marks between two letters in a block that make it worth a look: `and/or` and `e.g.` are prose.
const MIN_JOINTS: u32 = 3;
/// Marks of emphasis in a block that touch letters and make it worth a look.
const MIN_EMPHASES: u32 = 4;
/// Line ends in a block that make it worth a look.
const MIN_LINES: u32 = 4;
/// Words in a block that end as in Pig Latin and make it worth a look.
const MIN_PIGS: u32 = 3;
/// Characters in a block from `2` to `K` that make it worth a look.
const MIN_SHIFTED: u32 = 36;

impl Triggers {
    pub(super) fn find(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut found = Self::default();
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        let mut last = [0; BLOCK];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        let (mut before, mut done, mut letter) = (Seam::default(), 0, 0);
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
            found.marks(at, text, block, letters);
            found.words(bytes, at, letters, letter);
            letter = letters >> 63;
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

    /// Notes the block at `at` for marks, short lines, Pig Latin, and ROT47.
    #[inline]
    fn marks(&mut self, at: usize, text: &str, block: &[u8; BLOCK], letters: u64) {
        let (behind, ahead) = (letters << 1, letters >> 1);
        let emphases = bits(block, |lanes| {
            lanes.is(b'*') | lanes.is(b'_') | lanes.is(b'~') | lanes.is(b'`')
        });
        let joints = emphases | bits(block, |lanes| lanes.within(b'+', b'/') | lanes.is(b'|'));
        let lines = bits(block, |lanes| lanes.is(b'\n')).count_ones();
        self.lines += lines as usize;
        let blanks = bits(block, |lanes| lanes.is(b' '));
        let doubles = blanks & behind & blanks >> 1 & ahead >> 1;
        if (joints & behind & ahead | doubles).count_ones() >= MIN_JOINTS
            || (emphases & (behind | ahead)).count_ones() >= MIN_EMPHASES
            || lines >= MIN_LINES
        {
            note(&mut self.marks, at, text);
        }
        let ends = bits(block, |lanes| lanes.is(b'a') | lanes.is(b'A')) << 1
            & bits(block, |lanes| lanes.is(b'y') | lanes.is(b'Y'))
            & !ahead;
        if ends.count_ones() >= MIN_PIGS {
            note(&mut self.pig_latin, at, text);
        }
        let shifted = bits(block, |lanes| lanes.within(b'2', b'K'));
        if shifted.count_ones() >= MIN_SHIFTED {
            note(&mut self.shifted, at, text);
        }
    }

    /// Notes the words that begin in the block at `at` and may be misspelt; `before` tells whether a
    /// letter stands before the block.
    #[inline]
    fn words(&mut self, bytes: &[u8], at: usize, letters: u64, before: u64) {
        /// Where a word of five letters may go on behind the block.
        const EDGE: u64 = 0xf << 60;
        let pairs = letters & letters >> 1;
        let fives = pairs & pairs >> 2 & letters >> 4 | letters & EDGE;
        let mut starts = letters & !(letters << 1 | before) & fives;
        while starts != 0 {
            let place = starts.trailing_zeros();
            starts &= starts - 1;
            let start = at + place as usize;
            // The shift leaves zeros at the end of the block.
            let mut end = start + (!(letters >> place)).trailing_zeros() as usize;
            if end == at + BLOCK {
                let rest = bytes.get(end..).unwrap_or_default();
                let rest = rest.iter().take(respelled::MAX_LEN);
                end += rest.take_while(|byte| byte.is_ascii_alphabetic()).count();
            }
            if bytes.get(start..end).is_some_and(respelled::may_be) {
                self.words.push(start..end);
            }
        }
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
