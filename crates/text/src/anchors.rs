//! Finds the literals that patterns start with, faster than an automaton: only where a word
//! starts, by the hash of the first four bytes.

use std::collections::BTreeMap;

use crate::lanes::{BLOCK, Lanes, bits};

/// Literals to look for where a word starts.
///
/// A word starts at a letter after anything but a letter, at a digit after anything but a digit, at
/// a capital after a small letter, at every punctuation mark, at every character outside ASCII, and
/// behind an escape such as `\n`. Letters are compared without ASCII case.
#[derive(Debug)]
pub(crate) struct Anchors {
    /// Literals of four bytes and more by their first four.
    long: Filter<LONG_WORDS>,
    /// Literals of three bytes.
    short: Filter<SHORT_WORDS>,
    table: Table,
}

/// Places of a block that passed a filter, each with the bytes that a literal may begin with: four,
/// or three and one that no UTF-8 holds.
type Passed = [(u32, u32); 2 * BLOCK];

/// Literals by the hash of their first bytes.
#[derive(Debug)]
struct Table {
    /// Where the entries of each slot begin in `entries`; one more than there are slots.
    slots: Box<[u32; SLOTS + 1]>,
    /// By slot. In one piece, since they are met at random: what is far apart is far from the
    /// cache.
    entries: Vec<Entry>,
    /// The literals that are longer than an `Entry` holds.
    whole: BTreeMap<u32, Box<[u8]>>,
}

/// A literal, made ready to be compared: its first twelve bytes, letters small, and the bits in which
/// a text may differ from them, which are the case of letters.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The first four bytes, or three and one that no UTF-8 holds.
    head: u32,
    head_case: u32,
    /// The eight behind, and which of them there are.
    next: u64,
    next_case: u64,
    mask: u64,
    /// Its place in the list.
    number: u32,
    /// Whether these bytes say all.
    is_whole: bool,
}

/// Rejects most words by one bit per hash of their first bytes.
#[derive(Debug)]
struct Filter<const WORDS: usize>(Box<[u64; WORDS]>);

/// 16 KiB: stays in the first cache, and passes 2 % of what is not there for 3,000 literals of four
/// bytes and more.
const LONG_WORDS: usize = 1 << 11;
/// 2 KiB, for some hundreds of literals of three bytes.
const SHORT_WORDS: usize = 1 << 8;

/// About one literal in each.
const SLOTS: usize = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 12;

impl Anchors {
    /// Takes lower-case literals of at least 3 bytes that do not start with white space; each is
    /// reported under its place in the list.
    pub(crate) fn new(literals: &[String]) -> Self {
        let mut anchors = Self {
            long: Filter(Box::new([0; LONG_WORDS])),
            short: Filter(Box::new([0; SHORT_WORDS])),
            table: Table::new((0..).zip(literals.iter().map(String::as_bytes))),
        };
        for literal in literals {
            let word = first_word(literal.as_bytes(), 0);
            match literal.len() {
                ..4 => anchors.short.insert(short_word(caseless(word))),
                _ => anchors.long.insert(caseless(word)),
            }
        }
        anchors
    }

    /// Calls `found(number, start, words)` for every literal in `text`, in order of start; `words`
    /// counts the words that start up to there: letters, digits, or characters outside ASCII
    /// behind anything else but an underscore.
    pub(crate) fn find(&self, text: &[u8], mut found: impl FnMut(u32, usize, u32)) {
        let mut before = Before::default();
        let mut words = 0u32;
        let mut passed: Passed = [(0, 0); 2 * BLOCK];
        let (blocks, rest) = text.as_chunks::<BLOCK>();
        let mut last = [b' '; BLOCK];
        for (byte, from) in last.iter_mut().zip(rest) {
            *byte = *from;
        }
        for (number, block) in blocks.iter().chain([&last]).enumerate() {
            let base = number * BLOCK;
            let starts = starts_of(block, &mut before);
            self.look(
                text,
                base,
                starts.all,
                &mut passed,
                &mut |number, at: usize| {
                    let up_to = u64::MAX >> (63 - (at & 63));
                    found(
                        number,
                        at,
                        words.wrapping_add((starts.words & up_to).count_ones()),
                    );
                },
            );
            words = words.wrapping_add(starts.words.count_ones());
        }
    }

    #[inline]
    fn look(
        &self,
        text: &[u8],
        base: usize,
        mut starts: u64,
        passed: &mut Passed,
        found: &mut impl FnMut(u32, usize),
    ) {
        let window = text.get(base..).and_then(<[u8]>::first_chunk);
        let Some::<&[u8; BLOCK + 3]>(window) = window else {
            while starts != 0 {
                let at = base + starts.trailing_zeros() as usize;
                starts &= starts - 1;
                let of = first_word(text, at);
                self.table.verify(text, at, of, found);
                self.table.verify(text, at, short_word(of), found);
            }
            return;
        };
        // First all places through the filters without a branch, since nobody can predict which
        // pass; then those that did.
        let mut count = 0usize;
        let mut note = |offset: usize, of: u32, passes: usize| {
            // At most two for each byte of a block.
            if let Some(place) = passed.get_mut(count & (2 * BLOCK - 1)) {
                *place = (offset as u32, of);
            }
            count = count.wrapping_add(passes);
        };
        while starts != 0 {
            let offset = starts.trailing_zeros() as usize & (BLOCK - 1);
            starts &= starts.wrapping_sub(1);
            let of = first_word(window, offset);
            let word = caseless(of);
            note(offset, of, self.long.passes(word));
            note(offset, short_word(of), self.short.passes(short_word(word)));
        }
        for &(offset, of) in passed.get(..count).unwrap_or_default() {
            self.table.verify(text, base + offset as usize, of, found);
        }
    }
}

impl Table {
    fn new<'l>(literals: impl Iterator<Item = (u32, &'l [u8])>) -> Self {
        let mut entries = Vec::new();
        let mut whole = BTreeMap::new();
        for (number, literal) in literals {
            let head = match literal.len() {
                ..4 => short_word(first_word(literal, 0)),
                _ => first_word(literal, 0),
            };
            let behind = literal.len().saturating_sub(4).min(8);
            let next = next_word(literal, 0);
            let is_whole = literal.len() <= 12;
            let entry = Entry {
                head,
                head_case: case_of(head.into()) as u32,
                next,
                next_case: case_of(next),
                mask: u64::MAX.checked_shr(64 - 8 * behind as u32).unwrap_or(0),
                number,
                is_whole,
            };
            entries.push((slot_of(head), entry));
            if !is_whole {
                whole.insert(number, literal.into());
            }
        }
        entries.sort_by_key(|(slot, _)| *slot);
        let mut slots = Box::new([0; SLOTS + 1]);
        for (slot, start) in slots.iter_mut().enumerate() {
            let before = entries.partition_point(|(of, _)| *of < slot);
            *start = u32::try_from(before).unwrap_or(u32::MAX);
        }
        Self {
            slots,
            entries: entries.into_iter().map(|(_, entry)| entry).collect(),
            whole,
        }
    }

    /// Reports the literals at `at` that begin with `of`.
    #[inline]
    fn verify(&self, text: &[u8], at: usize, of: u32, found: &mut impl FnMut(u32, usize)) {
        let slot = slot_of(of);
        let (Some(&from), Some(&to)) = (self.slots.get(slot), self.slots.get(slot + 1)) else {
            return;
        };
        let entries = self.entries.get(from as usize..to as usize);
        let next = next_word(text, at);
        for entry in entries.unwrap_or_default() {
            if (of | entry.head_case) == entry.head
                && ((next | entry.next_case) ^ entry.next) & entry.mask == 0
                && (entry.is_whole || self.is_whole(text, at, entry.number))
            {
                found(entry.number, at);
            }
        }
    }

    fn is_whole(&self, text: &[u8], at: usize, number: u32) -> bool {
        let literal = self.whole.get(&number);
        literal.is_some_and(|literal| starts_with(text, at, literal))
    }
}

/// The four bytes at `at`; zeros behind the end.
#[inline]
fn first_word(text: &[u8], at: usize) -> u32 {
    let rest = text.get(at..).unwrap_or_default();
    u32::from_le_bytes(rest.first_chunk().copied().unwrap_or_else(|| padded(rest)))
}

/// The eight bytes behind the four at `at`; zeros behind the end.
#[inline]
fn next_word(text: &[u8], at: usize) -> u64 {
    let rest = text.get(at + 4..).unwrap_or_default();
    u64::from_le_bytes(rest.first_chunk().copied().unwrap_or_else(|| padded(rest)))
}

fn padded<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut all = [0; N];
    all.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    all
}

/// Bit 5 of each byte of `small` that is a small letter: the bit that a capital lacks.
fn case_of(small: u64) -> u64 {
    let bytes = small.to_le_bytes();
    u64::from_le_bytes(bytes.map(|byte| u8::from(byte.is_ascii_lowercase()) << 5))
}

/// The slot of a first word in any case; multiplicative hashing.
const fn slot_of(word: u32) -> usize {
    (caseless(word).wrapping_mul(0x9E37_79B1) >> (32 - SLOT_BITS)) as usize
}

fn starts_with(text: &[u8], at: usize, literal: &[u8]) -> bool {
    text.get(at..at + literal.len())
        .is_some_and(|text| text.eq_ignore_ascii_case(literal))
}

/// The first four bytes, letters without case; other bytes may fall together, which the
/// comparison that follows puts right.
const fn caseless(word: u32) -> u32 {
    word | 0x2020_2020
}

/// The first three of four bytes, and one that no UTF-8 holds.
const fn short_word(word: u32) -> u32 {
    word | 0xFF00_0000
}

impl<const WORDS: usize> Filter<WORDS> {
    /// Multiplicative hashing: word and bit.
    #[inline]
    const fn place(word: u32) -> (usize, u32) {
        let hash = word.wrapping_mul(0x9E37_79B1) >> (32 - 6 - WORDS.trailing_zeros());
        ((hash >> 6) as usize, hash & 63)
    }

    fn insert(&mut self, word: u32) {
        let (index, bit) = Self::place(word);
        if let Some(bits) = self.0.get_mut(index) {
            *bits |= 1 << bit;
        }
    }

    /// 1 if `word` may be there.
    #[inline]
    fn passes(&self, word: u32) -> usize {
        let (index, bit) = Self::place(word);
        self.0
            .get(index)
            .map_or(0, |bits| (bits >> bit & 1) as usize)
    }
}

/// What stood before a block of 64 bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    letter: u64,
    digit: u64,
    small: u64,
    /// Any byte of `\w`.
    word: u64,
    /// Bits of the last two bytes: a backslash at all, and an escape's letter behind one.
    backslash: u64,
    escape: u64,
}

/// One bit per byte of a block.
#[derive(Clone, Copy, Debug)]
struct Starts {
    /// Where a literal may stand.
    all: u64,
    /// Where a word starts that counts.
    words: u64,
}

/// Where words start in `block`.
#[inline]
fn starts_of(block: &[u8; BLOCK], before: &mut Before) -> Starts {
    let letter = bits(block, Lanes::letters);
    let small = bits(block, |lanes| lanes.within(b'a', b'z'));
    let digit = bits(block, Lanes::digits);
    let space = bits(block, |lanes| lanes.within(0, b' '));
    let high = bits(block, |lanes| lanes.foreign());
    let underscore = bits(block, |lanes| lanes.is(b'_'));
    let backslash = bits(block, |lanes| lanes.is(b'\\'));
    let letter_starts = letter & !(letter << 1 | before.letter);
    let capital_starts = (letter & !small) & (small << 1 | before.small);
    let digit_starts = digit & !(digit << 1 | before.digit);
    let marks = !(letter | digit | space | high);
    // Bytes 10xxxxxx continue a character.
    let characters = match high {
        0 => 0,
        high => high & !bits(block, |lanes| lanes.within(0x80, 0xbf)),
    };
    let mut starts = letter_starts | capital_starts | digit_starts | marks | characters;
    // Behind an escape.
    if backslash | before.backslash | before.escape != 0 {
        let escaped = (backslash << 1 | before.backslash) & letter;
        starts |= escaped << 1 | before.escape;
        before.escape = escaped >> 63;
        before.backslash = backslash >> 63;
    }
    let begins = letter | digit | high;
    let words = begins & !((begins | underscore) << 1 | before.word);
    before.letter = letter >> 63;
    before.digit = digit >> 63;
    before.small = small >> 63;
    before.word = (begins | underscore) >> 63;
    Starts { all: starts, words }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn find(literals: &[&str], text: &str) -> Vec<(u32, usize)> {
        let literals: Vec<String> = literals.iter().map(|&l| l.to_owned()).collect();
        let mut found = Vec::new();
        Anchors::new(&literals).find(text.as_bytes(), |number, at, _| found.push((number, at)));
        found
    }

    #[test]
    fn words_start_where_a_reader_sees_them_start() {
        let literals = [
            "token",
            "api",
            "ghp_",
            "забудь",
            "<|im",
            "-----begin",
            "忽略",
        ];
        for (text, expected) in [
            ("TOKEN", vec![(0, 0)]),
            ("a token", vec![(0, 2)]),
            ("my_token", vec![(0, 3)]),
            ("myToken", vec![(0, 2)]),
            ("2token", vec![(0, 1)]),
            ("mytoken", vec![]),
            (r"\ntoken", vec![(0, 2)]),
            ("api", vec![(1, 0)]),
            ("x=ghp_a", vec![(2, 2)]),
            ("я: забудь", vec![(3, 4)]),
            ("请忽略它", vec![(6, 3)]),
            ("a<|im_", vec![(4, 1)]),
            ("------BEGIN", vec![(5, 1)]),
        ] {
            assert_eq!(find(&literals, text), expected, "{text}");
        }
    }

    proptest! {
        /// The fast way over blocks and the plain definition agree.
        #[test]
        fn agrees_with_the_definition(text in r"([a-cA-C0-2 _<\\я]|abc|abca){0,200}") {
            let literals = ["abc", "abca", "<ab", "012", "яя"];
            let found = find(&literals, &text);
            let bytes = text.as_bytes();
            let starts = |at: usize| {
                let byte = bytes[at];
                let before = at.checked_sub(1).map(|at| bytes[at]);
                let escaped = at >= 2 && bytes[at - 2] == b'\\' && bytes[at - 1].is_ascii_alphabetic();
                match byte {
                    _ if escaped => true,
                    b if b.is_ascii_alphabetic() => {
                        !before.is_some_and(|b| b.is_ascii_alphabetic())
                            || b.is_ascii_uppercase() && before.is_some_and(|b| b.is_ascii_lowercase())
                    }
                    b if b.is_ascii_digit() => !before.is_some_and(|b| b.is_ascii_digit()),
                    b if b >= 0x80 => b & 0xC0 != 0x80,
                    b => b > b' ',
                }
            };
            let mut expected = Vec::new();
            for at in 0..bytes.len() {
                for (number, literal) in (0u32..).zip(literals) {
                    if starts(at) && starts_with(bytes, at, literal.as_bytes()) {
                        expected.push((number, at));
                    }
                }
            }
            let mut words = Vec::new();
            Anchors::new(&["abc".to_owned()]).find(bytes, |_, at, count| words.push((at, count)));
            for (at, count) in words {
                let begins = |at: &usize| {
                    let is_start = |b: u8| b.is_ascii_alphanumeric() || b >= 0x80;
                    let before = at.checked_sub(1).map_or(b' ', |at| bytes[at]);
                    is_start(bytes[*at]) && !is_start(before) && before != b'_'
                };
                prop_assert_eq!(count as usize, (0..=at).filter(begins).count());
            }
            let mut found = found;
            found.sort_by_key(|&(number, at)| (at, number));
            prop_assert_eq!(found, expected);
        }
    }
}
