//! How a text is cut into words, the same at training and at inference.

use std::ops::Range;

/// Bytes of a word that count; what follows them does not change its identity.
const LONGEST: usize = 28;

/// One word of a text.
#[derive(Clone, Copy, Debug)]
pub struct Word<'w> {
    /// Its letters in lower case, digits, or punctuation marks.
    pub bytes: &'w [u8],
    /// Whether it is made of letters, so that its beginning and end say something.
    pub is_lettered: bool,
}

impl Word<'_> {
    /// Its identity in the vocabulary.
    #[must_use]
    pub fn hash(&self) -> u32 {
        hash(0, self.bytes)
    }

    /// What stands for a word that is not in the vocabulary: its beginning, its end, and the whole,
    /// each as one of `buckets` numbers. `buckets` is at least 1.
    #[must_use]
    pub fn parts(&self, buckets: u32) -> [u32; 3] {
        let whole = hash(1, self.bytes);
        let (head, tail) = if self.is_lettered {
            (head(self.bytes), tail(self.bytes))
        } else {
            (self.bytes, self.bytes)
        };
        [hash(2, head), hash(3, tail), whole].map(|hash| hash % buckets.max(1))
    }
}

/// Calls `see` with each word of `text` and the bytes at which it stands.
///
/// Runs of letters and digits are words. A script that is written without spaces gives one word for
/// each character. Numbers, very long runs, and punctuation stand for their kind; spaces and
/// commas are passed over, so that they separate nothing.
pub fn for_each(text: &str, mut see: impl FnMut(Word<'_>, Range<usize>)) {
    let mut buffer = Buffer::default();
    let mut chars = text.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        if first == ' ' || first == ',' || (first.is_whitespace() && first != '\n') {
            continue;
        }
        let mut end = start + first.len_utf8();
        buffer.clear();
        if stands_alone(first) {
            buffer.push(first);
        } else if first.is_alphanumeric() {
            let mut all_digits = first.is_ascii_digit();
            buffer.push_lower(first);
            while let Some(&(at, next)) = chars.peek() {
                if !(next.is_alphanumeric() || next == '\'') || stands_alone(next) {
                    break;
                }
                all_digits &= next.is_ascii_digit();
                buffer.push_lower(next);
                end = at + next.len_utf8();
                chars.next();
            }
            let word = buffer.word();
            if all_digits {
                buffer.number(end - start);
            } else if end - start > LONGEST && word.is_ascii() {
                buffer.long();
            } else {
                see(
                    Word {
                        bytes: word,
                        is_lettered: true,
                    },
                    start..end,
                );
                continue;
            }
        } else {
            buffer.push(first);
            let mut run = 1;
            while let Some(&(at, next)) = chars.peek() {
                if next != first {
                    break;
                }
                run += 1;
                if run <= 3 {
                    buffer.push(next);
                }
                end = at + next.len_utf8();
                chars.next();
            }
        }
        see(
            Word {
                bytes: buffer.word(),
                is_lettered: false,
            },
            start..end,
        );
    }
}

/// Whether `c` belongs to a script that is written without spaces between words.
const fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}'       // Thai, Lao
        | '\u{1000}'..='\u{109f}'     // Myanmar
        | '\u{1780}'..='\u{17ff}'     // Khmer
        | '\u{3040}'..='\u{30ff}'     // kana
        | '\u{3400}'..='\u{9fff}'     // ideographs
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

/// The first four characters.
fn head(word: &[u8]) -> &[u8] {
    let end = starts(word).nth(4).unwrap_or(word.len());
    word.get(..end).unwrap_or(word)
}

/// The last four characters.
fn tail(word: &[u8]) -> &[u8] {
    let count = starts(word).count();
    let from = starts(word).nth(count.saturating_sub(4)).unwrap_or(0);
    word.get(from..).unwrap_or(word)
}

/// Where the characters of UTF-8 start.
fn starts(word: &[u8]) -> impl Iterator<Item = usize> {
    (0..)
        .zip(word)
        .filter(|(_, byte)| **byte & 0xc0 != 0x80)
        .map(|(at, _)| at)
}

/// FNV-1a (draft-eastlake-fnv, 64 bits), folded to 32 with a final mix.
fn hash(kind: u8, bytes: &[u8]) -> u32 {
    const PRIME: u64 = 0x100_0000_01b3;
    let mut state = (0xcbf2_9ce4_8422_2325 ^ u64::from(kind)).wrapping_mul(PRIME);
    for byte in bytes {
        state = (state ^ u64::from(*byte)).wrapping_mul(PRIME);
    }
    state ^= state >> 32;
    state = state.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    u32::try_from(state >> 32).unwrap_or(u32::MAX)
}

/// The word in the making, on the stack.
struct Buffer {
    bytes: [u8; LONGEST + 4],
    len: usize,
}

impl Default for Buffer {
    fn default() -> Self {
        Self {
            bytes: [0; LONGEST + 4],
            len: 0,
        }
    }
}

impl Buffer {
    const fn clear(&mut self) {
        self.len = 0;
    }

    fn push(&mut self, c: char) {
        if self.len >= LONGEST {
            return;
        }
        let size = c.len_utf8();
        if let Some(place) = self.bytes.get_mut(self.len..self.len + size) {
            c.encode_utf8(place);
            self.len += size;
        }
    }

    fn push_lower(&mut self, c: char) {
        if c.is_ascii() {
            self.push(c.to_ascii_lowercase());
        } else {
            c.to_lowercase().for_each(|lower| self.push(lower));
        }
    }

    /// A number of `digits` digits.
    fn number(&mut self, digits: usize) {
        self.clear();
        for _ in 0..digits.min(5) {
            self.push('0');
        }
    }

    /// A run that is longer than words are.
    fn long(&mut self) {
        self.clear();
        self.push('\u{1}');
    }

    fn word(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        for_each(text, |word, _| {
            words.push(String::from_utf8(word.bytes.to_vec()).unwrap());
        });
        words
    }

    #[test]
    fn words_numbers_and_marks_stand_for_themselves() {
        assert_eq!(
            words("Don't IGNORE, the 12345678 rules!!!!!\n### gpt4 指示"),
            [
                "don't", "ignore", "the", "00000", "rules", "!!!", "\n", "###", "gpt4", "指", "示"
            ]
        );
        assert_eq!(words(&"a".repeat(64)), ["\u{1}"]);
    }

    #[test]
    fn an_unknown_word_has_a_beginning_and_an_end() {
        let parts = |bytes: &str| {
            Word {
                bytes: bytes.as_bytes(),
                is_lettered: true,
            }
            .parts(1 << 30)
        };
        let [head, tail, whole] = parts("instructions");
        assert_eq!(parts("instructed")[0], head);
        assert_eq!(parts("directions")[1], tail);
        assert_ne!(parts("instructed")[2], whole);
    }

    proptest! {
        #[test]
        fn words_stand_in_order_at_characters(text in "\\PC{0,80}") {
            let mut last = 0;
            for_each(&text, |word, range| {
                assert!(last <= range.start && range.start < range.end);
                assert!(text.get(range.clone()).is_some());
                assert!(!word.bytes.is_empty());
                last = range.end;
            });
        }
    }
}
