//! Words that are written as names are, found by a scan for capitals and for scripts without case.

use super::token::{self, Class, Piece, char_at, char_before};

/// Calls `visit` with each word that is written as names are.
pub fn candidates(text: &str, mut visit: impl FnMut(Piece)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = next_start(bytes, at) {
        at = found;
        let Some(c) = char_at(text, at) else {
            at += 1;
            continue;
        };
        if c.is_ascii() {
            let (end, named) = ascii_word(bytes, at);
            let piece = match bytes.get(end) {
                Some(0x80..) => token::next(text, at),
                _ => Piece {
                    start: at,
                    end,
                    class: Class::Word,
                    first: c,
                },
            };
            if named && starts_word(text, at) && may_be_name(text, piece) {
                visit(piece);
            }
            at = piece.end;
            continue;
        }
        let class = token::class_of(c);
        at += match class {
            Class::Ideograph => {
                if !matches!(c, '\u{3041}'..='\u{309f}') {
                    visit(Piece {
                        start: at,
                        end: at + c.len_utf8(),
                        class,
                        first: c,
                    });
                }
                c.len_utf8()
            }
            Class::Word => {
                let piece = token::next(text, at);
                if (c.is_uppercase() || is_hebrew_or_arabic(c))
                    && starts_word(text, at)
                    && may_be_name(text, piece)
                {
                    visit(piece);
                }
                piece.end - at
            }
            _ => c.len_utf8(),
        };
    }
}

/// The next capital ASCII letter or byte of another character from `at` on.
#[inline]
fn next_start(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let (words, tail) = rest.as_chunks::<8>();
    let mut start = at;
    for word in words {
        // Eight bytes at once (Warren, Hacker's Delight, 2nd edition, section 6-1): bit 7 of each
        // byte says whether it is at least `A`, above `Z`, not ASCII.
        let word = u64::from_le_bytes(*word);
        let low = word & !TOP;
        let hits = ((low + (ONES * (0x80 - 0x41))) & !(low + (ONES * (0x7f - 0x5a))) | word) & TOP;
        if hits != 0 {
            return Some(start + hits.trailing_zeros() as usize / 8);
        }
        start += 8;
    }
    tail.iter()
        .position(|b| *b >= 0x80 || b.is_ascii_uppercase())
        .map(|more| start + more)
}

const ONES: u64 = 0x0101_0101_0101_0101;
const TOP: u64 = ONES << 7;

/// The end of the ASCII word at `at`, and whether its letters are those of a name: `Smith`,
/// `SMITH`, `McDonald`, no initials, no identifiers, no codes.
#[inline]
fn ascii_word(bytes: &[u8], at: usize) -> (usize, bool) {
    let word = bytes.get(at..).unwrap_or_default();
    let (mut length, mut capitals, mut others) = (0, 0, 0);
    for byte in word {
        match byte {
            b'a'..=b'z' => {}
            b'A'..=b'Z' => capitals += 1,
            b'0'..=b'9' | b'_' => others += 1,
            _ => break,
        }
        length += 1;
    }
    let mixed = || {
        word.get(..length)
            .is_some_and(|word| PREFIXES.iter().any(|prefix| word.starts_with(prefix)))
    };
    let named = others == 0
        && length <= token::MAX_WORD
        && (capitals == 1 && (length > 1 || word.get(1).is_some_and(|b| *b >= 0x80))
            || capitals == length && length > 1
            || capitals == 2 && mixed());
    (at + length, named)
}

/// What names begin with that have a capital inside.
const PREFIXES: [&[u8]; 9] = [
    b"Mc", b"Mac", b"De", b"Di", b"Du", b"La", b"Le", b"Van", b"Fitz",
];

#[inline]
fn starts_word(text: &str, at: usize) -> bool {
    match at
        .checked_sub(1)
        .and_then(|before| text.as_bytes().get(before))
    {
        None => true,
        Some(byte) if byte.is_ascii() => !byte.is_ascii_alphanumeric() && *byte != b'_',
        Some(_) => {
            let c = char_before(text, at).unwrap_or(' ');
            let piece = token::next(text, at - c.len_utf8());
            piece.class != Class::Word || piece.start >= at
        }
    }
}

const fn is_hebrew_or_arabic(c: char) -> bool {
    matches!(c, '\u{5d0}'..='\u{5ea}' | '\u{620}'..='\u{64a}' | '\u{671}'..='\u{6d3}')
}

/// Whether a word stands where names stand, not where identifiers of code and paths do.
#[inline]
fn may_be_name(text: &str, piece: Piece) -> bool {
    if piece.class != Class::Word {
        return false;
    }
    let bytes = text.as_bytes();
    let byte_at = |at: usize| bytes.get(at).copied().unwrap_or(b' ');
    let before = piece.start.checked_sub(1).map_or(b' ', byte_at);
    if matches!(
        before,
        b'.' | b'$' | b'@' | b'#' | b'\\' | b'/' | b'%' | b'~'
    ) && !(before == b'.' && piece.start >= 2 && byte_at(piece.start - 2).is_ascii_uppercase())
    {
        return false;
    }
    match byte_at(piece.end) {
        b'(' | b'[' | b'@' | b'\\' | b'/' => false,
        b':' => byte_at(piece.end + 1) != b':',
        b'.' => !byte_at(piece.end + 1).is_ascii_lowercase(),
        b'=' => false,
        _ => true,
    }
}
