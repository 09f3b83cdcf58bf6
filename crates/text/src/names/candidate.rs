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
pub(super) const WINDOW_REACH: usize = RIGHT.1 + 8 * MAX_STEP;

/// Features of a candidate; unused ones are 0.
pub type CandidateFeatures = [u32; 6];

/// A word that may belong to a name, with the features that the first filter looks at.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Where it is.
    pub piece: Piece,
    /// What the first filter looks at; the first is its identity.
    pub features: CandidateFeatures,
}

/// Calls `visit` with each maximal phrase around the candidates that pass the first filter.
pub fn phrases(text: &str, model: &Model<'_>, mut visit: impl FnMut(Range<usize>)) {
    let mut open: Option<Range<usize>> = None;
    candidates(text, model, |piece| {
        let Some(candidate) = describe(text, piece, model) else {
            return;
        };
        if !model.accepts(&candidate.features) {
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

/// Bytes that are looked at together when nothing is there.
const CHUNK: usize = 32;

/// Calls `visit` with each word that is written as names are.
pub fn candidates(text: &str, model: &Model<'_>, mut visit: impl FnMut(Piece)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if let Some(chunk) = bytes.get(at..at + CHUNK)
            && !chunk
                .iter()
                .fold(false, |any, &b| any | (b >= 0x80) | b.is_ascii_uppercase())
        {
            at += CHUNK;
            continue;
        }
        let end = (at + CHUNK).min(bytes.len());
        while at < end {
            let Some(&byte) = bytes.get(at) else {
                return;
            };
            if byte < 0x80 {
                if byte.is_ascii_uppercase() && starts_word(text, at) {
                    let piece = token::next(text, at);
                    if !model.is_common(piece, text) && may_be_name(text, piece) {
                        visit(piece);
                    }
                    at = piece.end;
                } else {
                    at += 1;
                }
                continue;
            }
            let Some(c) = char_at(text, at) else {
                at += 1;
                continue;
            };
            if byte < 0xc3 || (0xe2..0xe3).contains(&byte) {
                at += c.len_utf8();
                continue;
            }
            let piece = token::next(text, at);
            match piece.class {
                Class::Ideograph => {
                    if !matches!(c, '\u{3041}'..='\u{309f}') {
                        visit(piece);
                    }
                    at = piece.end;
                }
                Class::Word if starts_word(text, at) => {
                    if (c.is_uppercase() || is_hebrew_or_arabic(c)) && may_be_name(text, piece) {
                        visit(piece);
                    }
                    at = piece.end;
                }
                _ => at = piece.end.max(at + c.len_utf8()),
            }
        }
    }
}

fn starts_word(text: &str, at: usize) -> bool {
    match at.checked_sub(1).and_then(|before| text.as_bytes().get(before)) {
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
fn may_be_name(text: &str, piece: Piece) -> bool {
    if piece.class != Class::Word {
        return false;
    }
    let bytes = text.as_bytes();
    let byte_at = |at: usize| bytes.get(at).copied().unwrap_or(b' ');
    let before = piece.start.checked_sub(1).map_or(b' ', byte_at);
    if matches!(before, b'.' | b'$' | b'@' | b'#' | b'\\' | b'/' | b'%' | b'~') && !(before == b'.' && piece.start >= 2 && byte_at(piece.start - 2).is_ascii_uppercase()) {
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

/// The features of the first filter; `None` for what is written as no name is.
#[must_use]
pub fn describe(text: &str, piece: Piece, model: &Model<'_>) -> Option<Candidate> {
    let gazetteer = model.gazetteer();
    let word = text.get(piece.start..piece.end)?;
    let id = token::identity(word);
    let ideograph = piece.class == Class::Ideograph;
    let flags = gazetteer.flags(id);
    let form = if ideograph { shape::HAN } else { token::word_shape(word) };
    let plain = match form {
        shape::UPPER | shape::MIXED => flags & (listed::FIRST | listed::LAST | listed::PLACE) != 0 || word.starts_with("Mc") || word.starts_with("Mac"),
        shape::INITIAL | shape::ALPHANUMERIC | shape::IDENTIFIER | shape::LOWER => false,
        _ => true,
    };
    if !plain {
        return None;
    }
    let before = token::previous(text, piece.start);
    let after = token::next(text, piece.end);
    let before_id = rough_identity(text, before);
    let mut after_id = rough_identity(text, after);
    let mut features = [id, mix(mix(SEED, 0x100 + u32::from(form)), u32::from(flags)), 0, 0, 0, 0];
    if ideograph {
        features[4] = mix(mix(mix(SEED, 0x401), before_id), id);
        features[5] = mix(mix(mix(SEED, 0x402), id), after_id);
    } else if after.class == Class::Word && after.first.is_uppercase() {
        let word = text.get(after.start..after.end)?;
        let next_flags = gazetteer.flags(after_id);
        after_id = 0x500 + u32::from(next_flags) * 32 + u32::from(token::word_shape(word));
        features[4] = mix(mix(mix(SEED, 0x403), u32::from(flags)), after_id);
    } else {
        features[4] = mix(mix(mix(SEED, 0x404), u32::from(flags)), before_id);
    }
    features[2] = mix(mix(SEED, 0x200), before_id);
    features[3] = mix(mix(SEED, 0x300), after_id);
    Some(Candidate { piece, features })
}

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
        if from - piece.start > LEFT.1 || !joins(text, piece, before_number, model) {
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
        if piece.end - from > RIGHT.1 || !joins(text, piece, piece.class == Class::Word && before_number(), model) {
            break;
        }
        at = piece.end;
    }
    at
}

/// Whether a phrase can go on over `piece`.
fn joins(text: &str, piece: Piece, before_number: bool, model: &Model<'_>) -> bool {
    match piece.class {
        Class::Break => false,
        Class::Number | Class::Ideograph => true,
        Class::Newline => joins_lines(text, piece),
        Class::Mark => match piece.first {
            ',' | '.' | '-' | '/' | '(' | ')' | '#' | '&' | '№' | '°' | 'º' | 'ª' | '·' | '‐' | '–' | '、' | '・' => true,
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
                shape::LOWER => before_number || model.gazetteer().flags(token::identity(word)) & (listed::STREET | listed::PARTICLE) != 0,
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
            Class::Break | Class::Newline => break,
            _ if distance == 0 && matches!(before.first, ':' | ';' | '.' | '"' | '>' | '}' | '|') => return false,
            _ => at = before.start,
        }
    }
    let mut at = piece.end;
    for _ in 0..3 {
        let after = token::next(text, at);
        match after.class {
            Class::Number => return true,
            Class::Break | Class::Newline => break,
            _ => at = after.end,
        }
    }
    false
}
