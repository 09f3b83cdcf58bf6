//! Places worth tagging: words that may belong to a name, and the phrases around them.

use std::ops::Range;

use super::{
    gazetteer::listed,
    letters::Traits,
    model::Model,
    token::{self, Class, MAX_STEP, Piece, SEED, char_at, char_before, mix, piece_identity, shape},
};

pub use super::scan::{Found, candidates};

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
    candidates(text, |found| {
        if !accepts(text, found, model) {
            return;
        }
        let start = extend_left(text, found.piece.start, model);
        let end = extend_right(text, found.piece.end, model);
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

/// Whether the first filter lets the word pass.
#[inline]
fn accepts(text: &str, found: Found, model: &Model<'_>) -> bool {
    let Some((kind, own)) = describe_word(found, model) else {
        return false;
    };
    let Some(so_far) = model.accepts_alone(kind, own) else {
        return false;
    };
    model.accepts(kind, so_far, describe_context(text, found.piece, own))
}

/// The features of the first filter; `None` for what is no name.
#[must_use]
pub fn describe(text: &str, found: Found, model: &Model<'_>) -> Option<Candidate> {
    let (kind, own) = describe_word(found, model)?;
    let [a, b, flags] = own;
    let [c, d, e, f] = describe_context(text, found.piece, own);
    Some(Candidate {
        kind,
        listed: flags as u8,
        features: [a, b, c, d, e, f],
    })
}

/// Identity, form with flags, and flags of a word.
#[inline]
fn describe_word(found: Found, model: &Model<'_>) -> Option<(CandidateKind, [u32; 3])> {
    let Found {
        id, shape: form, ..
    } = found;
    let flags = model.gazetteer().flags(id);
    let known = flags & (listed::FIRST | listed::LAST | listed::PLACE) != 0;
    if flags & listed::EVERYDAY != 0 || form == shape::UPPER && !known {
        return None;
    }
    let kind = match form {
        shape::HAN => CandidateKind::Ideograph,
        shape::CASELESS => CandidateKind::Caseless,
        _ => CandidateKind::Cased,
    };
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
    let before = piece_identity(text, token::previous(text, piece.start));
    let next = token::next(text, piece.end);
    let mut after = piece_identity(text, next);
    let both = if piece.class == Class::Ideograph {
        [
            mix(mix(mix(SEED, 0x401), before), id),
            mix(mix(mix(SEED, 0x402), id), after),
        ]
    } else {
        if next.class == Class::Word && Traits::of(next.first).is_uppercase() {
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
                let inside = |c: Option<char>| c.is_some_and(|c| Traits::of(c).is_alphanumeric());
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

/// Whether a phrase could go on over `piece` if `after`, which may still grow, stands behind it.
pub(super) fn joins_before(
    text: &str,
    piece: Piece,
    after: Option<Piece>,
    model: &Model<'_>,
) -> bool {
    // What a line feed or a mark within a word depends on may not be there yet.
    matches!(piece.class, Class::Newline)
        || matches!(piece.first, '\'' | '’' | '`' | '´' | '"' | '״' | '׳')
        || joins(
            text,
            piece,
            || after.is_some_and(|after| after.class == Class::Number),
            model,
        )
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
