//! Words that are written as names are, found by a scan for capitals and for scripts without case.

use super::{
    letters::Traits,
    shape,
    token::{self, Chunks, Class, Piece, char_at, char_before},
};
use crate::lanes::{BLOCK, bits};

/// A word that is written as names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub piece: Piece,
    /// Identity without case, as [`token::piece_identity`] tells it.
    pub id: u32,
    /// See [`shape`].
    pub shape: u8,
}

/// Calls `visit` with each word that is written as names are, in order of place.
pub fn candidates(text: &str, mut visit: impl FnMut(Found)) {
    let bytes = text.as_bytes();
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    let mut last = [b' '; BLOCK];
    for (byte, from) in last.iter_mut().zip(rest) {
        *byte = *from;
    }
    let mut done = 0;
    let mut base = 0;
    for block in blocks.iter().chain(std::iter::once(&last)) {
        let mut starts = starts_of(block);
        while starts != 0 {
            let at = base + starts.trailing_zeros() as usize;
            starts &= starts - 1;
            if at < done {
                continue;
            }
            done = match bytes.get(at) {
                Some(0..0x80) => ascii_candidate(text, at, &mut visit),
                Some(&lead) => other_candidate(text, at, lead, &mut visit),
                None => break,
            };
        }
        base += BLOCK;
    }
}

/// One bit for each byte that is a capital ASCII letter or not ASCII.
#[inline]
fn starts_of(block: &[u8; BLOCK]) -> u64 {
    bits(block, |lanes| lanes.within(b'A', b'Z') | lanes.foreign())
}

const TOP: u64 = 0x8080_8080_8080_8080;

/// Looks at the word whose first letter is the capital at `at`; returns where it ends.
#[inline]
fn ascii_candidate(text: &str, at: usize, visit: &mut impl FnMut(Found)) -> usize {
    let bytes = text.as_bytes();
    let before = at.checked_sub(1).and_then(|b| bytes.get(b));
    if let Some(&before) = before
        && (before.is_ascii_alphanumeric() || before == b'_')
    {
        return at + 1;
    }
    let mut chunks = Chunks::default();
    let (mut length, mut capitals) = (0, 0);
    loop {
        let (letters, upper, word) = letters(bytes, at + length);
        length += letters;
        capitals += upper;
        if letters > 0 {
            chunks.add(word);
        }
        if letters < 8 {
            break;
        }
    }
    let end = at + length;
    match bytes.get(end) {
        Some(0x80..) => {
            let piece = token::next(text, at);
            if starts_word(text, at) && may_be_name(bytes, piece.start, piece.end) {
                visit_word(text, piece, visit);
            }
            return piece.end;
        }
        Some(b'0'..=b'9' | b'_') => return end,
        _ => {}
    }
    let form = if length == 1 || length > token::MAX_WORD {
        return end;
    } else if capitals == 1 {
        shape::CAPITALISED
    } else if capitals == length {
        shape::UPPER
    } else if capitals == 2 && has_prefix(bytes, at) {
        shape::MIXED
    } else {
        return end;
    };
    if may_be_name(bytes, at, end)
        && (before.is_none_or(u8::is_ascii) || starts_word(text, at))
        && let Some(&first) = bytes.get(at)
    {
        visit(Found {
            piece: Piece {
                start: at,
                end,
                class: Class::Word,
                first: char::from(first),
            },
            id: chunks.identity(),
            shape: form,
        });
    }
    end
}

/// How many of the eight bytes from `at` on are ASCII letters up to the first other byte, how many
/// of them capitals, and they themselves with zeros behind.
#[inline]
fn letters(bytes: &[u8], at: usize) -> (usize, usize, u64) {
    let word = token::eight(bytes, at);
    let length = token::letters(word);
    let keep = if length == 8 {
        u64::MAX
    } else {
        (1_u64 << (8 * length)) - 1
    };
    let upper = !(word << 2) & TOP & keep;
    (length, upper.count_ones() as usize, word & keep)
}

/// What names begin with that have a capital inside.
const PREFIXES: [&[u8]; 9] = [
    b"Mc", b"Mac", b"De", b"Di", b"Du", b"La", b"Le", b"Van", b"Fitz",
];

fn has_prefix(bytes: &[u8], at: usize) -> bool {
    bytes
        .get(at..)
        .is_some_and(|word| PREFIXES.iter().any(|prefix| word.starts_with(prefix)))
}

/// Looks at the character outside ASCII at `at`, whose first byte is `lead`; returns where to go
/// on.
fn other_candidate(text: &str, at: usize, lead: u8, visit: &mut impl FnMut(Found)) -> usize {
    let next = text.as_bytes().get(at + 1).copied().unwrap_or(0);
    // Small letters and signs, by far the most of them: Latin, Greek, Cyrillic, then Indic and Thai
    // letters, punctuation, emoji.
    match (lead, next) {
        (0x80..=0xbf, _) => return at + 1,
        (0xc2, _) | (0xc3, 0x9f..) | (0xce, 0xac..) | (0xcf, ..=0x8e) => return at + 2,
        (0xd0, 0xb0..) | (0xd1, ..=0x9f) | (0xcc | 0xcd, _) => return at + 2,
        (0xe0 | 0xe2, _) | (0xe3, 0x80) => return at + 3,
        (0xf0, ..=0x9f) => return at + 4,
        _ => {}
    }
    let Some(c) = char_at(text, at) else {
        return at + 1;
    };
    match token::class_of(c) {
        Class::Ideograph => {
            let end = at + c.len_utf8();
            if !matches!(c, '\u{3041}'..='\u{309f}') {
                visit(Found {
                    piece: Piece {
                        start: at,
                        end,
                        class: Class::Ideograph,
                        first: c,
                    },
                    id: token::char_identity(c),
                    shape: shape::HAN,
                });
            }
            end
        }
        Class::Word => {
            if !(Traits::of(c).is_uppercase() || is_hebrew_or_arabic(c)) {
                return at + c.len_utf8();
            }
            let piece = token::next(text, at);
            if starts_word(text, at) && may_be_name(text.as_bytes(), piece.start, piece.end) {
                visit_word(text, piece, visit);
            }
            piece.end
        }
        _ => at + c.len_utf8(),
    }
}

fn visit_word(text: &str, piece: Piece, visit: &mut impl FnMut(Found)) {
    if piece.class != Class::Word {
        return;
    }
    let word = text.get(piece.start..piece.end).unwrap_or_default();
    let form = token::word_shape(word);
    if matches!(
        form,
        shape::CAPITALISED | shape::UPPER | shape::MIXED | shape::CASELESS
    ) {
        visit(Found {
            piece,
            id: token::identity(word),
            shape: form,
        });
    }
}

fn starts_word(text: &str, at: usize) -> bool {
    match char_before(text, at) {
        None => true,
        Some(c) => token::class_of(c) != Class::Word,
    }
}

const fn is_hebrew_or_arabic(c: char) -> bool {
    matches!(c, '\u{5d0}'..='\u{5ea}' | '\u{620}'..='\u{64a}' | '\u{671}'..='\u{6d3}')
}

/// Whether a word stands where names stand, not where identifiers of code and paths do.
#[inline]
fn may_be_name(bytes: &[u8], start: usize, end: usize) -> bool {
    let byte_at = |at: usize| bytes.get(at).copied().unwrap_or(b' ');
    let before = start.checked_sub(1).map_or(b' ', byte_at);
    if matches!(
        before,
        b'.' | b'$' | b'@' | b'#' | b'\\' | b'/' | b'%' | b'~'
    ) && !(before == b'.' && start >= 2 && byte_at(start - 2).is_ascii_uppercase())
    {
        return false;
    }
    match byte_at(end) {
        b'(' | b'[' | b'@' | b'\\' | b'/' | b'=' => false,
        b':' => byte_at(end + 1) != b':',
        b'.' => !byte_at(end + 1).is_ascii_lowercase(),
        _ => true,
    }
}
