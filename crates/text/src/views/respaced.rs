//! Words with marks, line breaks, or more blanks than one between them or inside them, as in
//! `ignore_all_rules`, `**ig**nore`, or one word a line.

use std::ops::Range;

use bartizan_core::Transform;

use super::{
    piece::{Piece, Pieces},
    turned::whole_words,
    words,
};

/// Fewer known words in such a place are names in code.
const MIN_KNOWN: usize = 3;

/// Reads the marks in `places` as a reader does.
pub(super) fn decode(text: &str, places: &[Range<usize>], pieces: &mut Pieces) {
    let mut piece = Piece::default();
    for place in places {
        let range = whole_words(text, place.clone());
        let (read, weight) = read(text, range.clone());
        let (known, all) = words::count(&read.text.to_ascii_lowercase());
        if weight > all && known >= MIN_KNOWN {
            piece.part(range.start);
            piece.append(&read, range.end);
        }
    }
    if !piece.text.is_empty() {
        pieces.push((Transform::Respaced, piece));
    }
}

/// What a run of marks stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Itself,
    Blank,
    /// A mark around a word.
    Nothing,
    /// A mark within a known word.
    Joint,
}

/// `range` of `text` with its marks read, and how much speaks for that reading: two for each mark
/// that is none, and more for one within a known word.
fn read(text: &str, range: Range<usize>) -> (Piece, usize) {
    /// Outweighs the words around it.
    const KNOWN: usize = 16;
    let bytes = text.as_bytes();
    let (mut piece, mut kept, mut at) = (Piece::default(), range.start, range.start);
    let mut weight = 0;
    while at < range.end {
        let mark = bytes.get(at).copied().unwrap_or_default();
        if !is_mark(mark) {
            at += 1;
            continue;
        }
        let run = bytes.get(at..range.end).unwrap_or_default();
        let end = at + run.iter().take_while(|byte| **byte == mark).count();
        let meaning = meaning(bytes, at..end, mark);
        if meaning != Meaning::Itself {
            weight += if meaning == Meaning::Joint { KNOWN } else { 2 };
            piece.copy(text, kept..at);
            if meaning == Meaning::Blank {
                piece.put(" ", at..end);
            }
            kept = end;
        }
        at = end;
    }
    piece.copy(text, kept..range.end);
    (piece, weight)
}

const fn is_mark(byte: u8) -> bool {
    is_emphasis(byte) || matches!(byte, b'+'..=b'/' | b'|' | b'\n' | b' ')
}

/// Marks that stand around words and mean nothing there.
const fn is_emphasis(byte: u8) -> bool {
    matches!(byte, b'*' | b'_' | b'~' | b'`')
}

fn meaning(bytes: &[u8], run: Range<usize>, mark: u8) -> Meaning {
    let before = bytes.get(..run.start).and_then(<[u8]>::last);
    let touches = [before, bytes.get(run.end)].map(|byte| byte.is_some_and(is_letter));
    if mark == b' ' && run.len() == 1 {
        return Meaning::Itself;
    }
    let [left, right] = match touches {
        [true, true] => [before_run(bytes, run.start), behind_run(bytes, run.end)],
        [true, false] | [false, true] if is_emphasis(mark) => return Meaning::Nothing,
        _ => return Meaning::Itself,
    };
    let are_known = words::is_known(&left) && words::is_known(&right);
    if !are_known && words::is_known(&format!("{left}{right}")) {
        return Meaning::Joint;
    }
    match mark {
        b'*' | b'~' | b'`' if !are_known => Meaning::Nothing,
        _ => Meaning::Blank,
    }
}

/// Longer words are not known.
const MAX_PART: usize = 20;

/// The letters of ASCII that end at `at`, in lower case.
fn before_run(bytes: &[u8], at: usize) -> String {
    let before = bytes.get(..at).unwrap_or_default().iter().rev();
    let len = before
        .take(MAX_PART)
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    String::from_utf8_lossy(bytes.get(at - len..at).unwrap_or_default()).to_ascii_lowercase()
}

/// The letters of ASCII that begin at `at`, in lower case.
fn behind_run(bytes: &[u8], at: usize) -> String {
    let behind = bytes.get(at..).unwrap_or_default().iter();
    let len = behind
        .take(MAX_PART)
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    String::from_utf8_lossy(bytes.get(at..at + len).unwrap_or_default()).to_ascii_lowercase()
}

const fn is_letter(byte: &u8) -> bool {
    byte.is_ascii_alphabetic() || *byte >= 0x80
}
