//! Letters that are written as words or as other signs: spelling alphabets, Braille, regional
//! indicators.

use std::ops::Range;

use bartizan_core::Transform;
use memchr::memmem;

use super::{
    piece::{Piece, Pieces},
    turned::whole_words,
};

/// Fewer letters in a row are no word.
const MIN_LETTERS: usize = 5;
/// Text around a sign that is read with it, in bytes.
const AROUND: usize = 256;

/// The spelling alphabet of aviation (ICAO Annex 10, volume II, figure 5-1), with other spellings
/// of the same words.
const ALPHABET: [&str; 29] = [
    "alfa", "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india",
    "juliet", "juliett", "kilo", "lima", "mike", "november", "oscar", "papa", "quebec", "romeo",
    "sierra", "tango", "uniform", "victor", "whiskey", "whisky", "xray", "yankee", "zulu",
];

/// Reads words of a spelling alphabet around `signs`.
pub(super) fn alphabet(text: &str, signs: &[usize], pieces: &mut Pieces) {
    let mut piece = Piece::default();
    let mut done = 0;
    let mut signs = signs.iter().copied().peekable();
    while let Some(sign) = signs.next() {
        let mut end = sign + AROUND;
        while let Some(next) = signs.next_if(|next| *next <= end) {
            end = next + AROUND;
        }
        let start = sign.saturating_sub(AROUND).max(done);
        let range = whole_words(text, start..end);
        let range = range.start.max(done)..range.end;
        done = range.end;
        words(text, range, &mut piece);
    }
    if !piece.text.is_empty() {
        pieces.push((Transform::Spelled, piece));
    }
}

/// Reads the letters in `range`, row by row.
fn words(text: &str, range: Range<usize>, piece: &mut Piece) {
    let part = text.get(range.clone()).unwrap_or_default();
    let mut row = Row::default();
    let mut at = range.start;
    for token in part
        .split_inclusive(|c: char| !c.is_ascii_alphabetic())
        .chain(["#"])
    {
        let word = token.trim_end_matches(|c: char| !c.is_ascii_alphabetic());
        let place = at..at + word.len();
        let gap = token.get(word.len()..).unwrap_or_default();
        at += token.len();
        let lower = word.to_ascii_lowercase();
        if let Ok(known) = ALPHABET.binary_search(&lower.as_str()) {
            let letter = ALPHABET.get(known).and_then(|word| word.get(..1));
            row.letter(letter.unwrap_or_default(), place);
        } else if !word.is_empty() || matches!(gap, "#") {
            row.end(piece);
        }
        // A blank stands between letters, anything else between words.
        if !matches!(gap, "" | " ") {
            row.gap(at - gap.len()..at);
        }
    }
}

/// Braille patterns of a to z (Unicode 16, chart U+2800).
const BRAILLE: &str = "⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵";

/// Reads Braille cells and regional indicators as letters.
pub(super) fn cells(text: &str, pieces: &mut Pieces) {
    let leads = [b"\xe2\xa0".as_slice(), b"\xf0\x9f\x87"];
    if text.is_ascii()
        || leads
            .iter()
            .all(|lead| memmem::find(text.as_bytes(), lead).is_none())
    {
        return;
    }
    let mut piece = Piece::default();
    let mut row = Row::default();
    for (at, c) in text.char_indices() {
        let place = at..at + c.len_utf8();
        match cell(c) {
            Some(letter) => row.letter(letter.encode_utf8(&mut [0; 4]), place),
            None if c.is_alphanumeric() => row.end(&mut piece),
            None => row.put(c.encode_utf8(&mut [0; 4]), place),
        }
    }
    row.end(&mut piece);
    if !piece.text.is_empty() {
        pieces.push((Transform::Spelled, piece));
    }
}

fn cell(c: char) -> Option<char> {
    let place = match c {
        '\u{1f1e6}'..='\u{1f1ff}' => usize::try_from(u32::from(c) - 0x1f1e6).ok(),
        '\u{2801}'..='\u{283f}' => BRAILLE.chars().position(|known| known == c),
        _ => None,
    };
    ('a'..='z').nth(place?)
}

/// Letters that follow each other.
#[derive(Default)]
struct Row {
    read: Piece,
    start: Option<usize>,
    end: usize,
    letters: usize,
}

impl Row {
    fn letter(&mut self, letter: &str, place: Range<usize>) {
        self.start.get_or_insert(place.start);
        self.end = place.end;
        self.read.put(letter, place);
        self.letters += 1;
    }

    /// What stands between letters and means itself.
    fn put(&mut self, text: &str, place: Range<usize>) {
        if self.letters > 0 {
            self.read.put(text, place);
        }
    }

    /// Where a word ends.
    fn gap(&mut self, place: Range<usize>) {
        if !self.read.text.ends_with(' ') {
            self.put(" ", place);
        }
    }

    fn end(&mut self, piece: &mut Piece) {
        let row = std::mem::take(self);
        if row.letters >= MIN_LETTERS {
            piece.part(row.start.unwrap_or_default());
            piece.append(&row.read, row.end);
        }
    }
}
