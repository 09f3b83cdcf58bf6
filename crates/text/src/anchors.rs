//! Finds the literals that patterns start with, faster than an automaton: only where a word
//! starts, by the hash of the first four bytes.

use std::collections::BTreeMap;

/// Literals to look for where a word starts.
///
/// A word starts at a letter after anything but a letter, at a digit after anything but a digit, at
/// a capital after a small letter, at every punctuation mark, at every character outside ASCII, and
/// behind an escape such as `\n`. Letters are compared without ASCII case.
#[derive(Debug)]
pub(crate) struct Anchors {
    /// Literals of four bytes and more by their first four.
    long: Index,
    /// Literals of three bytes.
    short: Index,
}

/// Literals by the hash of their first bytes.
#[derive(Debug)]
struct Index {
    /// One bit per hash.
    filter: Box<Filter>,
    /// Where the entries of each slot begin in `entries`; one more than there are slots.
    slots: Box<[u32; SLOTS + 1]>,
    /// By slot. In one piece, since they are met at random: what is far apart is far from the
    /// cache.
    entries: Vec<Entry>,
    /// The literals that `Entry` does not tell apart.
    whole: BTreeMap<u32, Box<[u8]>>,
}

/// A literal, made ready to be compared.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The first bytes, caseless.
    first: u32,
    /// Its place in the list, and whether these bytes say all.
    number: u32,
    is_plain: bool,
    /// The eight bytes behind the first four, caseless, and which of them there are.
    next: u64,
    mask: u64,
}

/// 16 KiB: stays in the first cache, and passes 2 % of what is not there for 3,000 literals.
type Filter = [u64; 1 << (FILTER_BITS - 6)];

const FILTER_BITS: u32 = 17;

/// About one literal in each.
const SLOTS: usize = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 12;

impl Anchors {
    /// Takes lower-case literals of at least 3 bytes that do not start with white space; each is
    /// reported under its place in the list.
    pub(crate) fn new(literals: &[String]) -> Self {
        let numbered = || (0..).zip(literals.iter().map(String::as_bytes));
        Self {
            long: Index::new(numbered().filter(|(_, literal)| literal.len() > 3)),
            short: Index::new(numbered().filter(|(_, literal)| literal.len() == 3)),
        }
    }

    /// Calls `found(number, start, words)` for every literal in `text`, in order of start; `words`
    /// counts the words that start up to there: letters, digits, or characters outside ASCII
    /// behind anything else but an underscore.
    pub(crate) fn find(&self, text: &[u8], mut found: impl FnMut(u32, usize, u32)) {
        let mut before = Before::default();
        let mut words = 0u32;
        let mut look = |base: usize, block: &[u8; 64]| {
            let starts = starts_of(block, &mut before);
            self.look(text, base, starts.all, &mut |number, at: usize| {
                let up_to = u64::MAX >> (63 - (at & 63));
                found(
                    number,
                    at,
                    words.wrapping_add((starts.words & up_to).count_ones()),
                );
            });
            words = words.wrapping_add(starts.words.count_ones());
        };
        let (blocks, rest) = text.as_chunks::<64>();
        for (index, block) in blocks.iter().enumerate() {
            look(index * 64, block);
        }
        let mut last = [b' '; 64];
        for (byte, from) in last.iter_mut().zip(rest) {
            *byte = *from;
        }
        look(blocks.len() * 64, &last);
    }

    #[inline]
    fn look(&self, text: &[u8], base: usize, mut starts: u64, found: &mut impl FnMut(u32, usize)) {
        while starts != 0 {
            let at = base + starts.trailing_zeros() as usize;
            starts &= starts - 1;
            let Some(&first) = text.get(at..).and_then(<[u8]>::first_chunk::<4>) else {
                if let Some([a, b, c]) = text.get(at..) {
                    let word = short_word(caseless([*a, *b, *c, 0]));
                    self.short.verify(text, at, word, found);
                }
                continue;
            };
            let word = caseless(first);
            if passes(&self.long.filter, word) {
                self.long.verify(text, at, word, found);
            }
            if passes(&self.short.filter, short_word(word)) {
                self.short.verify(text, at, short_word(word), found);
            }
        }
    }
}

impl Index {
    fn new<'l>(literals: impl Iterator<Item = (u32, &'l [u8])>) -> Self {
        let mut filter = Box::new([0; 1 << (FILTER_BITS - 6)]);
        let mut entries = Vec::new();
        let mut whole = BTreeMap::new();
        for (number, literal) in literals {
            let mut first = [0; 4];
            first
                .iter_mut()
                .zip(literal)
                .for_each(|(to, from)| *to = *from);
            let first = match literal.len() {
                ..4 => short_word(caseless(first)),
                _ => caseless(first),
            };
            set(&mut filter, first);
            let behind = literal.len().saturating_sub(4).min(8);
            // Of letters alone nothing falls together.
            let is_plain = literal.len() <= 12 && literal.iter().all(u8::is_ascii_lowercase);
            entries.push(Entry {
                first,
                number,
                is_plain,
                next: next_word(literal, 0),
                mask: u64::MAX.checked_shr(64 - 8 * behind as u32).unwrap_or(0),
            });
            if !is_plain {
                whole.insert(number, literal.into());
            }
        }
        entries.sort_by_key(|entry| slot_of(entry.first));
        let mut slots = Box::new([0; SLOTS + 1]);
        for (slot, start) in slots.iter_mut().enumerate() {
            let before = entries.partition_point(|entry| slot_of(entry.first) < slot);
            *start = u32::try_from(before).unwrap_or(u32::MAX);
        }
        Self {
            filter,
            slots,
            entries,
            whole,
        }
    }

    fn verify(&self, text: &[u8], at: usize, word: u32, found: &mut impl FnMut(u32, usize)) {
        let slot = slot_of(word);
        let (Some(&from), Some(&to)) = (self.slots.get(slot), self.slots.get(slot + 1)) else {
            return;
        };
        let entries = self.entries.get(from as usize..to as usize);
        let next = next_word(text, at);
        for entry in entries.unwrap_or_default() {
            if entry.first == word
                && (next ^ entry.next) & entry.mask == 0
                && (entry.is_plain || self.is_whole(text, at, entry.number))
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

/// The eight bytes behind the four at `at`, caseless; zeros behind the end.
#[inline]
fn next_word(text: &[u8], at: usize) -> u64 {
    let rest = text.get(at + 4..).unwrap_or_default();
    let bytes = rest.first_chunk::<8>().copied().unwrap_or_else(|| {
        let mut bytes = [0; 8];
        bytes
            .iter_mut()
            .zip(rest)
            .for_each(|(to, from)| *to = *from);
        bytes
    });
    u64::from_le_bytes(bytes) | 0x2020_2020_2020_2020
}

/// The slot of a first word; multiplicative hashing.
const fn slot_of(word: u32) -> usize {
    (word.wrapping_mul(0x9E37_79B1) >> (32 - SLOT_BITS)) as usize
}

fn starts_with(text: &[u8], at: usize, literal: &[u8]) -> bool {
    text.get(at..at + literal.len())
        .is_some_and(|text| text.eq_ignore_ascii_case(literal))
}

/// The first four bytes, letters without case; other bytes may fall together, which the
/// comparison that follows puts right.
const fn caseless(bytes: [u8; 4]) -> u32 {
    u32::from_le_bytes(bytes) | 0x2020_2020
}

/// The first three of four bytes.
const fn short_word(word: u32) -> u32 {
    word & 0x00FF_FFFF
}

/// Multiplicative hashing: word and bit of the filter.
const fn slot(word: u32) -> (usize, u32) {
    let hash = word.wrapping_mul(0x9E37_79B1) >> (32 - FILTER_BITS);
    ((hash >> 6) as usize, hash & 63)
}

#[inline]
fn passes(filter: &Filter, word: u32) -> bool {
    let (index, bit) = slot(word);
    filter.get(index).is_some_and(|bits| bits >> bit & 1 == 1)
}

fn set(filter: &mut Filter, word: u32) {
    let (index, bit) = slot(word);
    if let Some(bits) = filter.get_mut(index) {
        *bits |= 1 << bit;
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
fn starts_of(block: &[u8; 64], before: &mut Before) -> Starts {
    let (words, _) = block.as_chunks::<8>();
    let (mut letter, mut digit, mut small, mut high, mut space, mut follow) = (0, 0, 0, 0, 0, 0);
    let mut underscore = 0;
    for (index, word) in (0u32..).zip(words) {
        let bytes = u64::from_le_bytes(*word);
        let shift = index * 8;
        let non_ascii = bytes & HIGH;
        let ascii = bytes & !HIGH;
        let lower = ascii | 0x2020_2020_2020_2020;
        let is_letter = between(lower, b'a', b'z') & !non_ascii;
        letter |= compress(is_letter) << shift;
        // A small letter has bit 5 of the byte set.
        small |= compress(is_letter & (bytes << 2)) << shift;
        digit |= compress(between(ascii, b'0', b'9') & !non_ascii) << shift;
        space |= compress(!at_least(ascii, b'!') & HIGH & !non_ascii) << shift;
        high |= compress(non_ascii) << shift;
        let other = ascii ^ (ONES * b'_' as u64);
        underscore |= compress(!at_least(other, 1) & HIGH & !non_ascii) << shift;
        // Bytes 10xxxxxx continue a character.
        follow |= compress(non_ascii & !(bytes << 1)) << shift;
    }
    let letter_starts = letter & !(letter << 1 | before.letter);
    let capital_starts = (letter & !small) & (small << 1 | before.small);
    let digit_starts = digit & !(digit << 1 | before.digit);
    let marks = !(letter | digit | space | high);
    let characters = high & !follow;
    let mut starts = letter_starts | capital_starts | digit_starts | marks | characters;
    // Behind an escape: rare enough to be looked for byte by byte.
    let backslash = backslashes(block, marks);
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

fn backslashes(block: &[u8; 64], marks: u64) -> u64 {
    if marks == 0 || !block.contains(&b'\\') {
        return 0;
    }
    (0u32..)
        .zip(block)
        .filter(|&(_, &byte)| byte == b'\\')
        .fold(0, |bits, (at, _)| bits | 1 << at)
}

const HIGH: u64 = 0x8080_8080_8080_8080;
const ONES: u64 = 0x0101_0101_0101_0101;

/// The high bit of each byte that is at least `low`; bytes are below 128.
const fn at_least(bytes: u64, low: u8) -> u64 {
    (bytes + ONES * (128 - low as u64)) & HIGH
}

/// The high bit of each byte in `low..=end`; bytes are below 128.
const fn between(bytes: u64, low: u8, end: u8) -> u64 {
    at_least(bytes, low) & !at_least(bytes, end + 1)
}

/// The high bits of eight bytes as eight bits, the first byte lowest.
const fn compress(high_bits: u64) -> u64 {
    ((high_bits & HIGH) >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
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
