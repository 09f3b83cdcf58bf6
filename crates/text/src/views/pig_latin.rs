//! Pig Latin: the consonants before the first vowel of a word moved to its end, and `ay` behind.

use std::ops::Range;

use bartizan_core::Transform;

use super::{
    piece::{Piece, Pieces},
    turned::whole_words,
    words,
};

/// Fewer known words than this more may be chance.
const MIN_KNOWN: usize = 3;

/// Consonants that words begin with together, longest first.
const ONSETS: [&str; 48] = [
    "syst", "thr", "str", "spr", "spl", "scr", "sch", "shr", "squ", "th", "sh", "ch", "ph", "wh",
    "wr", "qu", "tr", "pr", "pl", "br", "bl", "cr", "cl", "dr", "fr", "fl", "gr", "gl", "st", "sp",
    "sc", "sk", "sl", "sm", "sn", "sw", "tw", "kn", "gn", "sy", "my", "by", "ty", "dw", "rh", "gh",
    "ps", "hy",
];

/// Turns the words of `places` back.
pub(super) fn decode(text: &str, places: &[Range<usize>], pieces: &mut Pieces) {
    let mut piece = Piece::default();
    for place in places {
        let range = whole_words(text, place.clone());
        let read = read(text, range.clone());
        let before = text.get(range.clone()).unwrap_or_default();
        let before = words::count(&before.to_ascii_lowercase()).0;
        if words::count(&read.text.to_ascii_lowercase()).0 >= before + MIN_KNOWN {
            piece.part(range.start);
            piece.append(&read, range.end);
        }
    }
    if !piece.text.is_empty() {
        pieces.push((Transform::PigLatin, piece));
    }
}

fn read(text: &str, range: Range<usize>) -> Piece {
    let mut piece = Piece::default();
    let part = text.get(range.clone()).unwrap_or_default();
    let mut at = range.start;
    for token in part.split_inclusive(|c: char| !c.is_ascii_alphabetic()) {
        let word = token.trim_end_matches(|c: char| !c.is_ascii_alphabetic());
        let end = at + word.len();
        match turned_back(&word.to_ascii_lowercase()) {
            Some(read) => piece.put(&read, at..end),
            None => piece.copy(text, at..end),
        }
        at += token.len();
        piece.copy(text, end..at);
    }
    piece
}

/// What `word`, in lower case, was; `None` if it does not end as Pig Latin does.
fn turned_back(word: &str) -> Option<String> {
    let stem = word.strip_suffix("ay").filter(|stem| stem.len() > 1)?;
    // Words that began with a vowel have `way` behind them.
    let whole = stem.strip_suffix('w').filter(|whole| whole.len() > 1);
    if let Some(whole) = whole.filter(|whole| words::is_known(whole)) {
        return Some(whole.to_owned());
    }
    let moved = |onset: &str| {
        let rest = stem.strip_suffix(onset).filter(|rest| !rest.is_empty())?;
        Some(format!("{onset}{rest}"))
    };
    let last = stem.get(stem.len() - 1..)?;
    let mut readings = ONSETS.iter().copied().chain([last]).filter_map(moved);
    let first = readings.next()?;
    if words::is_known(&first) {
        return Some(first);
    }
    let known = readings.find(|word| words::is_known(word));
    Some(known.or(whole.map(str::to_owned)).unwrap_or(first))
}
