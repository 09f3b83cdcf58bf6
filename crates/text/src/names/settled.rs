//! How much of a text is decided before the rest of it is known.

use super::{
    Names,
    candidate::{self, joins_before},
    token::{self, Class, Piece},
};

/// Tokens behind a phrase that its end and its features look at.
const LOOK_AHEAD: usize = 5;
/// Tokens and bytes that a phrase may begin before a word that is not read to its end.
const LOOK_BACK: (usize, usize) = (6, 64);

impl Names<'_> {
    /// The byte of `text` before which no more text behind it changes what [`Names::find`] finds:
    /// matches that start before it are final.
    #[must_use]
    pub fn settled_in(&self, text: &str) -> usize {
        let reach = Self::REACH_BYTES;
        let certain = text.len().saturating_sub(reach);
        // Beyond twice the reach nothing matters but what was open at the cut, which began before
        // what is certain.
        let from = floor(text, text.len().saturating_sub(2 * reach));
        let tail = text.get(from..).unwrap_or_default();
        let cut = self.first_open_word(tail);
        let mut open = cut;
        candidate::phrases(tail, &self.model, |phrase| {
            if phrase.end >= cut || !is_final(tail, phrase.end) {
                open = open.min(phrase.start);
            }
        });
        certain.max(from + open)
    }

    /// Where a phrase could begin around a word of which more may come.
    fn first_open_word(&self, text: &str) -> usize {
        let mut at = text.len();
        let mut after = None;
        // The last word can grow, and whether the one before it is a name depends on it.
        for _ in 0..2 {
            let piece = token::previous(text, at);
            after = Some(piece);
            at = piece.start.min(at);
        }
        let first = at;
        for _ in 0..LOOK_BACK.0 {
            let piece = token::previous(text, at);
            if piece.class == Class::Break
                || first - piece.start > LOOK_BACK.1
                || !joins_before(text, piece, after, &self.model)
            {
                break;
            }
            after = Some(piece);
            at = piece.start;
        }
        at
    }
}

/// Whether all is there that decides about a phrase which ends at `end`.
fn is_final(text: &str, end: usize) -> bool {
    let mut at = end;
    for _ in 0..LOOK_AHEAD {
        let Piece { end, .. } = token::next(text, at);
        if end >= text.len() {
            return false;
        }
        at = end.max(at + 1);
    }
    true
}

/// The last place where a character starts, up to `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at)
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0)
}
