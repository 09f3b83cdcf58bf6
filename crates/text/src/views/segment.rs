//! Words that are written without blanks between them.

use std::ops::Range;

use bartizan_core::Transform;

use super::{
    piece::{Piece, Pieces},
    words,
};

/// Longer runs are no sentence.
const MAX_RUN: usize = 2048;
/// Letters after which known words must have been seen.
const TASTE: usize = 32;

/// Puts blanks back into those of `runs` that are made of letters.
pub(super) fn decode(text: &str, runs: &[Range<usize>], pieces: &mut Pieces) {
    let mut piece = Piece::default();
    for run in runs {
        let letters = text.as_bytes().get(run.clone()).unwrap_or_default();
        if !letters.iter().all(u8::is_ascii_alphabetic) {
            continue;
        }
        let Some(starts) = split(&letters.to_ascii_lowercase()) else {
            continue;
        };
        piece.part(run.start);
        let ends = starts.iter().skip(1).copied().chain([letters.len()]);
        for (start, end) in starts.iter().zip(ends) {
            if *start > 0 {
                let at = run.start + start;
                piece.put(" ", at..at);
            }
            piece.copy(text, run.start + start..run.start + end);
        }
        piece.part_goes_on(run.end);
    }
    if !piece.text.is_empty() {
        pieces.push((Transform::Respaced, piece));
    }
}

/// Where the words of `letters`, in lower case, begin, if most of it is known words.
///
/// The split with the greatest sum of squared lengths of known words, found from left to right
/// (Viterbi); letters between known words stay together.
pub(super) fn split(letters: &[u8]) -> Option<Vec<usize>> {
    if letters.len() > MAX_RUN {
        return None;
    }
    let taste = letters.get(..TASTE.min(letters.len()))?;
    is_worded(&best(taste)).then_some(())?;
    let words = best(letters);
    if !is_worded(&words) {
        return None;
    }
    let mut starts = Vec::new();
    let mut before = true;
    let mut at = 0;
    for (len, is_known) in words {
        if is_known || before {
            starts.push(at);
        }
        before = is_known;
        at += len;
    }
    Some(starts)
}

/// Whether known words of three letters and more are three at least, and make up half the letters.
fn is_worded(words: &[(usize, bool)]) -> bool {
    let all: usize = words.iter().map(|(len, _)| len).sum();
    let known = words
        .iter()
        .filter(|(len, is_known)| *is_known && *len >= 3);
    let (count, letters) = known.fold((0, 0), |(count, sum), (len, _)| (count + 1, sum + len));
    count >= 3 && letters * 2 >= all
}

/// Lengths of known words and of single letters between them.
fn best(letters: &[u8]) -> Vec<(usize, bool)> {
    // For each end: the best sum, and the length of the last word, 0 where none ends yet.
    let mut ends: Vec<(usize, usize, bool)> = vec![(0, 0, false); letters.len() + 1];
    for at in 0..letters.len() {
        let sum = ends.get(at).map_or(0, |end| end.0);
        let mut reach = |len: usize, gain: usize, is_known: bool| {
            if let Some(end) = ends.get_mut(at + len)
                && (end.1 == 0 || sum + gain > end.0)
            {
                *end = (sum + gain, len, is_known);
            }
        };
        reach(1, 0, false);
        let rest = letters.get(at..).unwrap_or_default();
        for len in words::lengths(rest) {
            reach(len, len * len, true);
        }
    }
    let mut words = Vec::new();
    let mut at = letters.len();
    while at > 0 {
        let Some((_, len, is_known)) = ends.get(at).copied() else {
            break;
        };
        words.push((len, is_known));
        at = at.saturating_sub(len);
    }
    words.reverse();
    words
}
