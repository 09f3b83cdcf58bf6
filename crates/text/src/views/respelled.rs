//! Misspelt forms of the words that attacks are made of.

use std::{ops::Range, sync::LazyLock};

use bartizan_core::Transform;

use super::{
    piece::{Piece, Pieces},
    turned::whole_words,
};

/// Words that rules turn on and that no common word resembles, five letters at least.
const WORDS: [&str; 61] = [
    "above",
    "always",
    "another",
    "answer",
    "assistant",
    "bypass",
    "character",
    "confidential",
    "content",
    "context",
    "conversation",
    "developer",
    "directions",
    "directives",
    "disregard",
    "everything",
    "example",
    "explain",
    "filters",
    "follow",
    "forget",
    "guidelines",
    "hidden",
    "ignore",
    "initial",
    "instead",
    "instruction",
    "instructions",
    "jailbreak",
    "message",
    "operator",
    "output",
    "override",
    "password",
    "policies",
    "policy",
    "pretend",
    "previous",
    "previously",
    "print",
    "prior",
    "prompt",
    "prompts",
    "repeat",
    "replaced",
    "reset",
    "respond",
    "restriction",
    "restrictions",
    "reveal",
    "rules",
    "safety",
    "secret",
    "system",
    "unfiltered",
    "unlimited",
    "unrestricted",
    "verbatim",
    "whatever",
    "without",
    "write",
];

/// Words of the language that a slip makes of those.
const OTHERS: [&str; 8] = [
    "contest", "forgot", "massage", "police", "portend", "precious", "repent", "sacred",
];

/// The longest word that is looked at.
pub(super) const MAX_LEN: usize = 16;
/// Shorter words resemble others too easily when a letter is missing, or one too many.
const MIN_INSERTED: usize = 6;
/// The same when a letter is another.
const MIN_REPLACED: usize = 8;
/// Text around a misspelt word that is read with it, in bytes.
const AROUND: usize = 128;

/// One bit for each length that a misspelt form of a word may have, by its first and last letter.
static LENGTHS: LazyLock<[u32; 26 * 26]> = LazyLock::new(|| {
    let mut lengths = [0; 26 * 26];
    for word in WORDS {
        if let Some(bits) = ends(word.as_bytes()).and_then(|ends| lengths.get_mut(ends)) {
            let around = if word.len() < MIN_INSERTED {
                0b010
            } else {
                0b111
            };
            *bits |= around << (word.len() - 1);
        }
    }
    lengths
});

/// The place of the first and the last letter of `word` in a table.
fn ends(word: &[u8]) -> Option<usize> {
    let place = |byte: &u8| usize::from((byte | 0x20).wrapping_sub(b'a'));
    let (first, last) = (place(word.first()?), place(word.last()?));
    (first < 26 && last < 26).then_some(first * 26 + last)
}

/// Whether `word`, of letters, has the ends and the length of one of those; most have not.
#[inline]
pub(super) fn may_be(word: &[u8]) -> bool {
    let lengths = ends(word).and_then(|ends| LENGTHS.get(ends));
    word.len() <= MAX_LEN && lengths.is_some_and(|bits| bits >> word.len() & 1 == 1)
}

/// Puts those of `found` right that are misspelt, with the text around them.
pub(super) fn decode(text: &str, found: &[Range<usize>], pieces: &mut Pieces) {
    let mut right = found.iter().filter_map(|range| {
        let word = text.as_bytes().get(range.clone())?;
        let mut lower = [0; MAX_LEN];
        let lower = lower.get_mut(..word.len())?;
        lower.copy_from_slice(word);
        lower.make_ascii_lowercase();
        Some((range.clone(), meant(lower)?))
    });
    let mut piece = Piece::default();
    let mut next = right.next();
    let mut done = 0;
    while let Some((first, _)) = &next {
        let start = first.start.saturating_sub(AROUND).max(done);
        let start = whole_words(text, start..first.start).start.max(done);
        piece.part(start);
        let mut at = start;
        while let Some((range, word)) = next.take_if(|(range, _)| range.start <= at + 2 * AROUND) {
            piece.copy(text, at..range.start);
            piece.put(word, range.clone());
            at = range.end;
            next = right.next();
        }
        done = whole_words(text, at..at + AROUND).end.max(at);
        piece.copy(text, at..done);
    }
    if !piece.text.is_empty() {
        pieces.push((Transform::Respelled, piece));
    }
}

/// The word that `word`, in lower case, is a misspelt form of.
fn meant(word: &[u8]) -> Option<&'static str> {
    let first = word.first()?;
    let from = WORDS.partition_point(|right| right.as_bytes().first() < Some(first));
    let mut alike = WORDS
        .iter()
        .skip(from)
        .take_while(|right| right.as_bytes().first() == Some(first));
    let is_right = |right: &&&str| right.as_bytes() == word;
    if alike.clone().any(|right| is_right(&right)) || OTHERS.iter().any(|other| is_right(&other)) {
        return None;
    }
    alike
        .find(|right| resembles(word, right.as_bytes()))
        .copied()
}

/// Whether `word` has the ends of `right` and its other letters in any order, or differs from it by
/// one letter.
fn resembles(word: &[u8], right: &[u8]) -> bool {
    if ends(word) != ends(right) {
        return false;
    }
    if word.len() == right.len() {
        let differing = word.iter().zip(right).filter(|(a, b)| a != b).count();
        return (differing == 1 && right.len() >= MIN_REPLACED) || sorted(word) == sorted(right);
    }
    let (short, long) = if word.len() < right.len() {
        (word, right)
    } else {
        (right, word)
    };
    let same = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    long.len() == short.len() + 1
        && right.len() >= MIN_INSERTED
        && short.get(same..) == long.get(same + 1..)
}

fn sorted(word: &[u8]) -> [u8; MAX_LEN] {
    let mut letters = [0; MAX_LEN];
    letters
        .iter_mut()
        .zip(word)
        .for_each(|(to, from)| *to = *from);
    letters.sort_unstable();
    letters
}
