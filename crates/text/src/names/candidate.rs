//! Places worth tagging: words that may belong to a name, and the phrases around them.

use std::ops::Range;

use super::{
    gazetteer::listed,
    model::Model,
    token::{self, Class, MAX_STEP, Piece, SEED, char_at, char_before, mix, shape},
};

/// Tokens and bytes of a phrase to the left of a candidate.
const LEFT: (usize, usize) = (6, 64);
/// Tokens and bytes of a phrase to the right of a candidate.
const RIGHT: (usize, usize) = (10, 96);
/// How far from a byte the decision that it belongs to a phrase looks, in bytes: a window that
/// ends at the byte, its candidate, the neighbours of that one, and a line feed's surroundings.
pub(super) const WINDOW_REACH: usize = RIGHT.1 + 6 * MAX_STEP;

/// Features of a candidate; unused ones are 0.
pub type CandidateFeatures = [u32; 6];

/// How a word is written; each way has its own thresholds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CandidateKind {
    /// With a capital letter.
    Cased,
    /// In a script without case.
    Caseless,
    /// One character of a script without spaces.
    Ideograph,
}

/// What the first filter looks at.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// How it is written.
    pub kind: CandidateKind,
    /// The gazetteer's flags.
    pub listed: u8,
    /// The first two are its own, the others its neighbours'; the first is its identity.
    pub features: CandidateFeatures,
}

/// Calls `visit` with each maximal phrase around the candidates that pass the first filter.
pub fn phrases(text: &str, model: &Model<'_>, mut visit: impl FnMut(Range<usize>)) {
    let mut open: Option<Range<usize>> = None;
    candidates(text, |piece| {
        if !accepts(text, piece, model) {
            return;
        }
        let start = extend_left(text, piece.start, model);
        let end = extend_right(text, piece.end, model);
        match &mut open {
            Some(phrase) if start <= phrase.end => phrase.end = phrase.end.max(end),
            _ => {
                if let Some(phrase) = open.replace(start..end) {
                    visit(phrase);
                }
            }
        }
    });
    if let Some(phrase) = open {
        visit(phrase);
    }
}

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

/// Whether the first filter lets the word pass.
fn accepts(text: &str, piece: Piece, model: &Model<'_>) -> bool {
    let id = token::identity(text.get(piece.start..piece.end).unwrap_or_default());
    if model.is_common(id) {
        return false;
    }
    let Some((kind, own)) = describe_word(text, piece, id, model) else {
        return false;
    };
    let Some(so_far) = model.accepts_alone(kind, own) else {
        return false;
    };
    model.accepts(kind, so_far, describe_context(text, piece, own))
}

/// The features of the first filter; `None` for what is written as no name is.
#[must_use]
pub fn describe(text: &str, piece: Piece, model: &Model<'_>) -> Option<Candidate> {
    let id = token::identity(text.get(piece.start..piece.end)?);
    let (kind, own) = describe_word(text, piece, id, model)?;
    let [a, b, flags] = own;
    let [c, d, e, f] = describe_context(text, piece, own);
    Some(Candidate {
        kind,
        listed: flags as u8,
        features: [a, b, c, d, e, f],
    })
}

/// Identity, form with flags, and flags of a word.
fn describe_word(
    text: &str,
    piece: Piece,
    id: u32,
    model: &Model<'_>,
) -> Option<(CandidateKind, [u32; 3])> {
    let word = text.get(piece.start..piece.end)?;
    let (kind, form) = if piece.class == Class::Ideograph {
        (CandidateKind::Ideograph, shape::HAN)
    } else {
        match token::word_shape(word) {
            shape::INITIAL | shape::ALPHANUMERIC | shape::IDENTIFIER | shape::LOWER => return None,
            shape::CASELESS => (CandidateKind::Caseless, shape::CASELESS),
            form => (CandidateKind::Cased, form),
        }
    };
    let flags = model.gazetteer().flags(id);
    if form == shape::UPPER && flags & (listed::FIRST | listed::LAST | listed::PLACE) == 0 {
        return None;
    }
    Some((
        kind,
        [
            id,
            mix(mix(SEED, 0x100 + u32::from(form)), u32::from(flags)),
            u32::from(flags),
        ],
    ))
}

/// What stands beside a word.
fn describe_context(text: &str, piece: Piece, [id, form, _]: [u32; 3]) -> [u32; 4] {
    let before = rough_identity(text, token::previous(text, piece.start));
    let next = token::next(text, piece.end);
    let mut after = rough_identity(text, next);
    let both = if piece.class == Class::Ideograph {
        [
            mix(mix(mix(SEED, 0x401), before), id),
            mix(mix(mix(SEED, 0x402), id), after),
        ]
    } else {
        if next.class == Class::Word && next.first.is_uppercase() {
            let word = text.get(next.start..next.end).unwrap_or_default();
            after = 0x500 + u32::from(token::word_shape(word));
        }
        [
            mix(mix(mix(SEED, 0x403), form), after),
            mix(mix(mix(SEED, 0x404), form), before),
        ]
    };
    let [one, two] = both;
    [
        mix(mix(SEED, 0x200), before),
        mix(mix(SEED, 0x300), after),
        one,
        two,
    ]
}

#[inline]
fn rough_identity(text: &str, piece: Piece) -> u32 {
    match piece.class {
        Class::Word => token::identity(text.get(piece.start..piece.end).unwrap_or_default()),
        Class::Number => (piece.end - piece.start).min(6) as u32,
        Class::Break => 0,
        Class::Ideograph | Class::Mark | Class::Newline => mix(SEED, u32::from(piece.first)),
    }
}

fn extend_left(text: &str, from: usize, model: &Model<'_>) -> usize {
    let mut at = from;
    let mut before_number = false;
    for _ in 0..LEFT.0 {
        let piece = token::previous(text, at);
        if from - piece.start > LEFT.1 || !joins(text, piece, || before_number, model) {
            break;
        }
        before_number = piece.class == Class::Number;
        at = piece.start;
    }
    at
}

fn extend_right(text: &str, from: usize, model: &Model<'_>) -> usize {
    let mut at = from;
    for _ in 0..RIGHT.0 {
        let piece = token::next(text, at);
        let before_number = || token::next(text, piece.end).class == Class::Number;
        if piece.end - from > RIGHT.1 || !joins(text, piece, before_number, model) {
            break;
        }
        at = piece.end;
    }
    at
}

/// Whether a phrase can go on over `piece`.
fn joins(
    text: &str,
    piece: Piece,
    before_number: impl FnOnce() -> bool,
    model: &Model<'_>,
) -> bool {
    match piece.class {
        Class::Break => false,
        Class::Number | Class::Ideograph => true,
        Class::Newline => joins_lines(text, piece),
        Class::Mark => match piece.first {
            ',' | '.' | '-' | '/' | '(' | ')' | '#' | '&' | '№' | '°' | 'º' | 'ª' | '·' | '‐'
            | '–' | '、' | '・' => true,
            '\'' | '’' | '`' | '´' | '"' | '״' | '׳' => {
                let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
                inside(char_before(text, piece.start)) && inside(char_at(text, piece.end))
            }
            _ => false,
        },
        Class::Word => {
            let word = text.get(piece.start..piece.end).unwrap_or_default();
            match token::word_shape(word) {
                shape::IDENTIFIER => false,
                shape::LOWER => {
                    model.gazetteer().flags(token::identity(word))
                        & (listed::STREET | listed::PARTICLE)
                        != 0
                        || before_number()
                }
                _ => true,
            }
        }
    }
}

/// Whether the line feed may stand within an address: a number is near.
fn joins_lines(text: &str, piece: Piece) -> bool {
    let mut at = piece.start;
    for distance in 0..5 {
        let before = token::previous(text, at);
        match before.class {
            Class::Number => return true,
            Class::Word if has_digit(text, before) => return true,
            Class::Break | Class::Newline => break,
            _ if distance == 0
                && matches!(before.first, ':' | ';' | '.' | '"' | '>' | '}' | '|') =>
            {
                return false;
            }
            _ => at = before.start,
        }
    }
    let mut at = piece.end;
    for _ in 0..3 {
        let after = token::next(text, at);
        match after.class {
            Class::Number => return true,
            Class::Word if has_digit(text, after) => return true,
            Class::Break | Class::Newline => break,
            _ => at = after.end,
        }
    }
    false
}

fn has_digit(text: &str, piece: Piece) -> bool {
    text.as_bytes()
        .get(piece.start..piece.end)
        .is_some_and(|word| word.iter().any(u8::is_ascii_digit))
}
