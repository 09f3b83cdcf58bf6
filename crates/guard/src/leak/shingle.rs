//! Runs of words as keyed 64-bit hashes.

use std::{collections::VecDeque, ops::Range};

/// Hashes words and runs of words under a key.
///
/// Rabin-Karp over the words of a text (Karp and Rabin, 1987), modulo 2^64, where each word is a
/// keyed hash. The key keeps the hashes of one instance from telling anything to another; it is no
/// MAC, and the hashes stay in memory.
#[derive(Clone, Copy)]
pub(super) struct Hasher {
    key: [u64; 2],
    base: u64,
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher([redacted])")
    }
}

impl Hasher {
    pub(super) const fn new(key: [u8; 16]) -> Self {
        let [a, b] = halves(key);
        Self {
            key: [a | 1, b],
            // Odd, so that no word loses its weight in a run.
            base: fold(a ^ 0x9e37_79b9_7f4a_7c15, b ^ 0xd1b5_4a32_d192_ed03) | 1,
        }
    }

    /// The hash of a word whose bytes come in lower case.
    const fn word(self, word: &[u8]) -> u64 {
        let mut hash = self.key[1] ^ word.len() as u64;
        let mut rest = word;
        while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
            hash = fold(hash ^ lower(u64::from_le_bytes(*chunk)), self.key[0]);
            rest = tail;
        }
        let mut last = 0;
        let mut shift = 0;
        while let Some((byte, tail)) = rest.split_first() {
            last |= (byte.to_ascii_lowercase() as u64) << shift;
            shift += 8;
            rest = tail;
        }
        fold(hash ^ last, self.key[0] ^ 0xa076_1d64_78bd_642f)
    }
}

const fn halves(key: [u8; 16]) -> [u64; 2] {
    let all = u128::from_le_bytes(key);
    [all as u64, (all >> 64) as u64]
}

/// Both halves of the product, folded: the mixing step of wyhash.
const fn fold(a: u64, b: u64) -> u64 {
    let product = (a as u128) * (b as u128);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Eight bytes with their ASCII letters in lower case.
const fn lower(bytes: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let ascii = bytes & (0x7f * ONES);
    let from_a = ascii + (0x80 - b'A' as u64) * ONES;
    let past_z = ascii + (0x80 - b'Z' as u64 - 1) * ONES;
    let upper = from_a & !past_z & !bytes & (0x80 * ONES);
    bytes | (upper >> 2)
}

/// One run of `n` words of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shingle {
    pub(super) hash: u64,
    /// First byte of its first word.
    pub(super) start: usize,
    /// Byte after its last word.
    pub(super) end: usize,
    /// How many half words it holds: a character of a script without blanks is half a word.
    pub(super) weight: u32,
}

/// Calls `each` with every run of `N` words of `text`, in order.
pub(super) fn shingles<const N: usize>(hasher: Hasher, text: &str, mut each: impl FnMut(Shingle)) {
    let mut ring = [(0_u64, 0_usize, 0_u32); N];
    let mut seen = 0;
    let mut rolling = 0_u64;
    let mut weight = 0;
    let mut leaving_factor = 1_u64;
    for _ in 1..N {
        leaving_factor = leaving_factor.wrapping_mul(hasher.base);
    }
    words(text, |range, half_words| {
        let bytes = text.as_bytes().get(range.clone()).unwrap_or_default();
        let hash = match bytes.is_ascii() {
            true => hasher.word(bytes),
            false => {
                let word = text.get(range.clone()).unwrap_or_default().to_lowercase();
                hasher.word(word.as_bytes())
            }
        };
        let Some(slot) = ring.get_mut(seen % N) else {
            return;
        };
        rolling = rolling
            .wrapping_sub(slot.0.wrapping_mul(leaving_factor))
            .wrapping_mul(hasher.base)
            .wrapping_add(hash);
        weight = weight + half_words - slot.2;
        *slot = (hash, range.start, half_words);
        seen += 1;
        if seen >= N {
            let start = ring.get(seen % N).map_or(0, |first| first.1);
            each(Shingle {
                hash: fold(rolling ^ hasher.key[1], hasher.base),
                start,
                end: range.end,
                weight,
            });
        }
    });
}

/// Where the last `count` words of `text` begin, of which the last may be cut short.
pub(super) fn last_words(text: &str, count: usize) -> usize {
    let mut starts = VecDeque::new();
    words(text, |range, _| {
        if starts.len() == count {
            starts.pop_front();
        }
        starts.push_back(range.start);
    });
    starts.front().copied().unwrap_or(text.len())
}

/// Calls `each` with every word and its weight: runs of letters and digits count 2, characters of
/// scripts that are written without blanks stand alone and count 1.
fn words(text: &str, mut each: impl FnMut(Range<usize>, u32)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte.is_ascii() && !byte.is_ascii_alphanumeric() {
            at += 1;
            continue;
        }
        let start = at;
        while let Some(&byte) = bytes.get(at) {
            if byte.is_ascii_alphanumeric() {
                at += 1;
                continue;
            }
            if byte.is_ascii() {
                break;
            }
            let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else {
                break;
            };
            if is_unspaced(c) {
                if at > start {
                    break;
                }
                at += c.len_utf8();
                each(start..at, 1);
                break;
            }
            if !c.is_alphanumeric() {
                break;
            }
            at += c.len_utf8();
        }
        if at == start {
            // Punctuation that is not ASCII.
            at += text
                .get(at..)
                .and_then(|rest| rest.chars().next())
                .map_or(1, char::len_utf8);
            continue;
        }
        let single = text.get(start..at).and_then(|word| word.chars().next());
        if !single.is_some_and(is_unspaced) {
            each(start..at, 2);
        }
    }
}

/// Whether `c` belongs to a script that is written without blanks between words.
const fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

/// A set of hashes: 8 bytes each at a load of three quarters, and a bit filter in front.
///
/// About 12 bytes per hash.
#[derive(Debug, Default)]
pub(super) struct HashTable {
    // INVARIANT: not full; 0 is an empty place.
    slots: Vec<u64>,
    /// About eight bits a hash; keeps most lookups out of `slots`.
    filter: Vec<u64>,
    len: usize,
}

impl HashTable {
    pub(super) fn new(mut hashes: Vec<u64>) -> Self {
        for hash in &mut hashes {
            *hash = (*hash).max(1);
        }
        hashes.sort_unstable();
        hashes.dedup();
        let mut table = Self {
            slots: vec![0; hashes.len() + hashes.len() / 3 + 1],
            filter: vec![0; hashes.len() / 8 + 1],
            len: hashes.len(),
        };
        for hash in hashes {
            let (word, bit) = table.bit(hash);
            if let Some(word) = table.filter.get_mut(word) {
                *word |= bit;
            }
            let mut at = place(hash, table.slots.len());
            while table.slots.get(at).is_some_and(|slot| *slot != 0) {
                at = (at + 1) % table.slots.len();
            }
            if let Some(slot) = table.slots.get_mut(at) {
                *slot = hash;
            }
        }
        table
    }

    /// Number of hashes.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Bytes of memory.
    pub(super) const fn bytes(&self) -> usize {
        (self.slots.len() + self.filter.len()) * 8
    }

    pub(super) fn contains(&self, hash: u64) -> bool {
        if self.len == 0 {
            return false;
        }
        let hash = hash.max(1);
        let (word, bit) = self.bit(hash);
        if self.filter.get(word).is_none_or(|word| word & bit == 0) {
            return false;
        }
        let mut at = place(hash, self.slots.len());
        while let Some(&slot) = self.slots.get(at) {
            if slot == hash {
                return true;
            }
            if slot == 0 {
                return false;
            }
            at = if at + 1 == self.slots.len() {
                0
            } else {
                at + 1
            };
        }
        false
    }

    fn bit(&self, hash: u64) -> (usize, u64) {
        // Other bits of the hash than those that choose the place.
        let mixed = hash.rotate_left(32);
        (place(mixed, self.filter.len()), 1 << (hash & 63))
    }
}

/// `hash` as a place below `len`: Lemire, "Fast random integer generation in an interval", 2019.
fn place(hash: u64, len: usize) -> usize {
    usize::try_from((u128::from(hash) * len as u128) >> 64).unwrap_or(0)
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test may panic")]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<(String, u32)> {
        let mut out = Vec::new();
        words(text, |range, weight| {
            out.push((text[range].to_owned(), weight))
        });
        out
    }

    fn hashes(text: &str) -> Vec<u64> {
        let mut out = Vec::new();
        shingles::<3>(Hasher::new([7; 16]), text, |s| out.push(s.hash));
        out
    }

    #[test]
    fn words_are_runs_of_letters_or_single_characters() {
        let expected = [("One", 2), ("Grüße2", 2), ("中", 1), ("文", 1), ("x", 2)];
        let found = said(" One, — «Grüße2»中文x… ");
        assert_eq!(
            found
                .iter()
                .map(|(w, n)| (w.as_str(), *n))
                .collect::<Vec<_>>(),
            expected
        );
    }

    #[test]
    fn runs_do_not_depend_on_case_punctuation_or_what_came_before() {
        let all = hashes("zero ONE, two—three FOUR-five");
        assert_eq!(all.len(), 4);
        assert_eq!(all[1..3], hashes("one two three, four")[..]);
        assert_ne!(hashes("one two three"), hashes("three two one"));
        assert_eq!(hashes("ÄPFEL and BIRNEN"), hashes("äpfel AND birnen"));
    }

    #[test]
    fn letters_are_lowered_eight_at_a_time() {
        for byte in 0..=u8::MAX {
            let bytes = u64::from_le_bytes([byte; 8]);
            assert_eq!(
                lower(bytes),
                u64::from_le_bytes([byte.to_ascii_lowercase(); 8])
            );
        }
    }

    #[test]
    fn tables_hold_what_was_put_in() {
        let hasher = Hasher::new([1; 16]);
        let hashes: Vec<u64> = (0..10_000_u32)
            .map(|n| hasher.word(format!("w{n}").as_bytes()))
            .collect();
        let table = HashTable::new(hashes[..5_000].to_vec());
        assert_eq!(table.len(), 5_000);
        assert!(table.bytes() <= 12 * 5_000, "{}", table.bytes());
        assert!(hashes[..5_000].iter().all(|hash| table.contains(*hash)));
        assert!(!hashes[5_000..].iter().any(|hash| table.contains(*hash)));
        assert!(!HashTable::default().contains(5));
    }
}
