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
    /// First words by hash, each with its place in `groups`; a power of two long.
    // INVARIANT: at least half of the slots are empty, so that every search ends.
    table: Vec<Option<(u32, u32)>>,
    /// Literals with the same first word, and their numbers.
    groups: Vec<Group>,
}

/// Literals that begin alike.
type Group = Vec<Entry>;

/// A literal, made ready to be compared.
#[derive(Debug)]
struct Entry {
    /// The eight bytes behind the first four, caseless, and which of them there are.
    next: u64,
    mask: u64,
    /// The whole, if these comparisons leave something open.
    rest: Option<Box<[u8]>>,
    number: u32,
}

/// 16 KiB: stays in the first cache, and passes 2 % of what is not there for 3,000 literals.
type Filter = [u64; 1 << (FILTER_BITS - 6)];

const FILTER_BITS: u32 = 17;

impl Anchors {
    /// Takes lower-case literals of at least 3 bytes that do not start with white space; each is
    /// reported under its place in the list.
    pub(crate) fn new(literals: &[String]) -> Self {
        let mut long: BTreeMap<u32, Group> = BTreeMap::new();
        let mut short: BTreeMap<u32, Group> = BTreeMap::new();
        for (number, literal) in (0..).zip(literals) {
            let bytes = literal.as_bytes();
            let (by_word, word) = match bytes {
                [a, b, c] => (&mut short, short_word(caseless([*a, *b, *c, 0]))),
                [a, b, c, d, ..] => (&mut long, caseless([*a, *b, *c, *d])),
                _ => continue,
            };
            let entry = Entry::new(bytes, number);
            by_word.entry(word).or_default().push(entry);
        }
        Self {
            long: Index::new(long),
            short: Index::new(short),
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
    fn new(by_word: BTreeMap<u32, Group>) -> Self {
        let mut filter = Box::new([0; 1 << (FILTER_BITS - 6)]);
        let mut table = vec![None; (4 * by_word.len()).next_power_of_two()];
        let mut groups = Vec::with_capacity(by_word.len());
        for (group, (word, literals)) in (0..).zip(by_word) {
            set(&mut filter, word);
            let free = probes(word, table.len()).find(|&at| matches!(table.get(at), Some(None)));
            if let Some(slot) = free.and_then(|at| table.get_mut(at)) {
                *slot = Some((word, group));
            }
            groups.push(literals);
        }
        Self {
            filter,
            table,
            groups,
        }
    }

    fn verify(&self, text: &[u8], at: usize, word: u32, found: &mut impl FnMut(u32, usize)) {
        let group = probes(word, self.table.len())
            .map_while(|at| *self.table.get(at)?)
            .find(|&(other, _)| other == word)
            .and_then(|(_, group)| self.groups.get(group as usize));
        let Some(group) = group else {
            return;
        };
        let next = next_word(text, at);
        for entry in group {
            if (next ^ entry.next) & entry.mask == 0
                && entry
                    .rest
                    .as_ref()
                    .is_none_or(|rest| starts_with(text, at, rest))
            {
                found(entry.number, at);
            }
        }
    }
}

impl Entry {
    fn new(literal: &[u8], number: u32) -> Self {
        let behind = literal.get(4..).unwrap_or_default();
        let known = behind.len().min(8);
        // Of letters alone nothing falls together.
        let plain = literal.len() <= 12 && literal.iter().all(u8::is_ascii_lowercase);
        Self {
            next: next_word(literal, 0),
            mask: u64::MAX.checked_shr(64 - 8 * known as u32).unwrap_or(0),
            rest: (!plain).then(|| literal.into()),
            number,
        }
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

/// The slots of a table of `len` in which `word` may be.
fn probes(word: u32, len: usize) -> impl Iterator<Item = usize> {
    let first = word.wrapping_mul(0x9E37_79B1) >> 8;
    (0..len).map(move |step| (first as usize + step) & (len - 1))
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
