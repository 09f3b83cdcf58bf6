//! The words of a list by their first bytes: rejects most places of a text at once.

use super::words::at;

/// Bits of the filters, as a power of two.
const BITS: u32 = 15;

/// Words by their first bytes, without ASCII case, with filters over these.
///
/// Other bytes may fall together with them: a place that passes has still to be compared.
#[derive(Debug)]
pub(super) struct Starts {
    /// One bit for each pair of first bytes, of every word.
    pairs: Box<[u64; 1 << 10]>,
    /// One bit for the hash of the first four bytes; a shorter word sets the bit of its pair in
    /// `short`.
    fours: Box<[u64; 1 << (BITS - 6)]>,
    /// One bit for each pair of first bytes, of words below four bytes.
    short: Box<[u64; 1 << 10]>,
    /// Keys by hash, each with its place in `groups`; a power of two long.
    // INVARIANT: at least half of the slots are empty, so that every search ends.
    table: Vec<Option<(u32, u32)>>,
    /// Numbers of the words that share a key, longest first.
    groups: Vec<Vec<usize>>,
}

impl Starts {
    /// The filters of `words`, in any case.
    pub(super) fn new(words: &[String]) -> Self {
        let mut starts = Self {
            pairs: Box::new([0; 1 << 10]),
            fours: Box::new([0; 1 << (BITS - 6)]),
            short: Box::new([0; 1 << 10]),
            table: Vec::new(),
            groups: Vec::new(),
        };
        starts.group(words);
        for word in words {
            let word = word.as_bytes();
            let pair = pair(at(word, 0), at(word, 1));
            set(starts.pairs.as_mut_slice(), pair);
            match word.first_chunk::<4>() {
                Some(first) => set(starts.fours.as_mut_slice(), four(*first)),
                None => set(starts.short.as_mut_slice(), pair),
            }
        }
        starts
    }

    fn group(&mut self, words: &[String]) {
        let mut numbers: Vec<(u32, usize)> = words
            .iter()
            .map(|word| {
                let word = word.as_bytes();
                word.first_chunk().map_or_else(|| short_key(word), long_key)
            })
            .zip(0..)
            .collect();
        let length = |number: usize| words.get(number).map_or(0, String::len);
        numbers.sort_by_key(|(key, number)| (*key, std::cmp::Reverse(length(*number))));
        self.table = vec![None; (2 * words.len().max(1)).next_power_of_two()];
        for same in numbers.chunk_by(|(one, _), (other, _)| one == other) {
            let Some((key, _)) = same.first() else {
                continue;
            };
            let free = probes(*key, self.table.len())
                .find(|slot| matches!(self.table.get(*slot), Some(None)));
            if let Some(slot) = free.and_then(|slot| self.table.get_mut(slot)) {
                *slot = Some((*key, u32::try_from(self.groups.len()).unwrap_or(u32::MAX)));
            }
            self.groups
                .push(same.iter().map(|(_, number)| *number).collect());
        }
    }

    /// The numbers of the words that may stand at the start of `rest`, longest first.
    pub(super) fn words_at(&self, rest: &[u8]) -> impl Iterator<Item = usize> {
        let long = rest.first_chunk().map(long_key);
        let of = |key| {
            probes(key, self.table.len())
                .map_while(|slot| *self.table.get(slot)?)
                .find(|(other, _)| *other == key)
                .and_then(|(_, group)| self.groups.get(group as usize))
        };
        let groups = [long.and_then(of), of(short_key(rest))];
        groups.into_iter().flatten().flatten().copied()
    }

    /// The next byte of `from..to` at which a word could start.
    pub(super) fn next(&self, text: &[u8], from: usize, to: usize) -> Option<usize> {
        let mut before = from
            .checked_sub(1)
            .map_or(0, |index| class_of(at(text, index)));
        for (index, byte) in (from..).zip(text.get(from..to)?) {
            let class = class_of(*byte);
            let starts = BEGINS.wrapping_shr(before << 2 | class) & 1 == 1;
            before = class;
            if starts && self.may_start(text, index) {
                return Some(index);
            }
        }
        None
    }

    /// Whether a word could start at `at_byte` of `text`.
    #[inline]
    fn may_start(&self, text: &[u8], at_byte: usize) -> bool {
        let Some(rest) = text.get(at_byte..) else {
            return false;
        };
        let pair = match rest {
            [first, second, ..] => pair(*first, *second),
            _ => return false,
        };
        if !has(self.pairs.as_slice(), pair) {
            return false;
        }
        has(self.short.as_slice(), pair)
            || rest
                .first_chunk::<4>()
                .is_some_and(|first| has(self.fours.as_slice(), four(*first)))
    }
}

const SMALL: u32 = 1;
const CAPITAL: u32 = 2;
const FOREIGN: u32 = 3;

/// No letter, a small one, a capital, or a byte outside ASCII.
#[inline]
#[expect(
    clippy::indexing_slicing,
    reason = "every byte has an entry, and this runs once for each byte near a number"
)]
const fn class_of(byte: u8) -> u32 {
    CLASSES[byte as usize] as u32
}

#[expect(clippy::indexing_slicing, reason = "evaluated when it is compiled")]
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < classes.len() {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' => SMALL as u8,
            b'A'..=b'Z' => CAPITAL as u8,
            0x80.. => FOREIGN as u8,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

/// One bit for each pair of a class and the class before it: not behind a letter of the same word.
const BEGINS: u32 =
    !(1 << (SMALL * 4 + SMALL) | 1 << (CAPITAL * 4 + SMALL) | 1 << (CAPITAL * 4 + CAPITAL));

/// The key of a word of four bytes or more.
fn long_key(first: &[u8; 4]) -> u32 {
    u32::from_le_bytes(*first) | 0x2020_2020
}

/// The key of a shorter word: below every long one.
fn short_key(word: &[u8]) -> u32 {
    pair(at(word, 0), at(word, 1)) as u32
}

/// The slots of a table of `length` in which `key` may be.
fn probes(key: u32, length: usize) -> impl Iterator<Item = usize> {
    let first = key.wrapping_mul(0x9E37_79B1) >> 8;
    (0..length).map(move |step| (first as usize + step) & (length - 1))
}

const fn pair(first: u8, second: u8) -> usize {
    ((first | 0x20) as usize) << 8 | (second | 0x20) as usize
}

/// Multiplicative hashing.
const fn four(first: [u8; 4]) -> usize {
    let word = u32::from_le_bytes(first) | 0x2020_2020;
    (word.wrapping_mul(0x9E37_79B1) >> (32 - BITS)) as usize
}

#[inline]
fn has(filter: &[u64], bit: usize) -> bool {
    filter
        .get(bit >> 6)
        .is_some_and(|bits| bits >> (bit & 63) & 1 == 1)
}

fn set(filter: &mut [u64], bit: usize) {
    if let Some(bits) = filter.get_mut(bit >> 6) {
        *bits |= 1 << (bit & 63);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_passes_in_any_case_and_little_else() {
        let words = ["passport", "dl", "iban", "паспорт", "ssn", "护照"].map(str::to_owned);
        let starts = Starts::new(&words);
        for word in words {
            let upper = word.to_ascii_uppercase();
            for text in [word, upper] {
                assert!(starts.may_start(text.as_bytes(), 0), "{text}");
            }
        }
        for text in ["pavement", "port", "ibis", "d", "", "слово"] {
            assert!(!starts.may_start(text.as_bytes(), 0), "{text}");
        }
    }
}
