//! Tokens of a text, readable from any place in both directions.

use super::gazetteer::Gazetteer;
use super::identity::lower;
pub(super) use super::identity::{Chunks, eight, letters};
use super::letters::Traits;
pub use super::{
    identity::{SEED, char_identity, identity, mix},
    shape::{self, word_shape},
};

/// Longest run of word characters, in bytes, that is a word; longer runs break a line of thought.
pub(super) const MAX_WORD: usize = 40;
/// Longest run of blanks, in bytes, that separates two tokens of one phrase.
pub(super) const MAX_GAP: usize = 4;
/// Upper bound of the bytes that one token covers together with the blanks before it.
pub(super) const MAX_STEP: usize = MAX_WORD + MAX_GAP + 4;

/// What a token is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Letters, digits, marks and underscores in any mixture, with at least one that is no digit.
    Word,
    /// ASCII digits.
    Number,
    /// One character of a script that is written without spaces.
    Ideograph,
    /// Any other character.
    Mark,
    /// A line feed.
    Newline,
    /// A run that is longer than any name, or the end of the text.
    Break,
}

/// Where a token is and what its first character is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What it is made of.
    pub class: Class,
    /// The first character; NUL for a [`Class::Break`].
    pub first: char,
}

/// A token with all that the tagger wants to know about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// First byte in the text.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What it is made of.
    pub class: Class,
    /// Identity without case.
    pub id: u32,
    /// See [`shape`].
    pub shape: u8,
    /// Whether blanks stand before it.
    pub spaced: bool,
    /// The gazetteer's flags.
    pub listed: u8,
    /// Identities of the first three and of the last two, three and four characters.
    pub affixes: [u32; 4],
}

/// The identity of what stands at `piece`; of words without case.
#[must_use]
#[inline]
pub fn piece_identity(text: &str, piece: Piece) -> u32 {
    match piece.class {
        Class::Word => identity(text.get(piece.start..piece.end).unwrap_or_default()),
        Class::Number => mix(SEED, (piece.end - piece.start).min(6) as u32),
        Class::Break => 0,
        Class::Ideograph | Class::Mark | Class::Newline => char_identity(piece.first),
    }
}

/// The token that starts at `at` or after blanks there.
#[must_use]
#[inline]
pub fn next(text: &str, at: usize) -> Piece {
    let bytes = text.as_bytes();
    let mut start = at;
    loop {
        match bytes.get(start) {
            None => return broken(text.len(), text.len()),
            Some(b' ' | b'\r') => start += 1,
            Some(0..0x80) => break,
            Some(_) => match char_at(text, start) {
                Some(c) if is_blank(c) => start += c.len_utf8(),
                _ => break,
            },
        }
        if start - at > MAX_GAP {
            return broken(at, start);
        }
    }
    let Some(first) = char_at(text, start) else {
        return broken(start, text.len());
    };
    let class = class_of(first);
    let mut end = start + first.len_utf8();
    if class != Class::Word {
        return Piece {
            start,
            end,
            class,
            first,
        };
    }
    let mut digits = first.is_ascii_digit();
    if first.is_ascii_alphabetic() {
        loop {
            let letters = letters(eight(bytes, end));
            end += letters;
            if letters < 8 || end - start > MAX_WORD {
                break;
            }
        }
        if end - start > MAX_WORD {
            return broken(start, end.min(start + MAX_WORD + 1));
        }
    }
    while let Some(&byte) = bytes.get(end) {
        if byte < 0x80 {
            if !is_word_byte(byte) {
                break;
            }
            digits &= byte.is_ascii_digit();
            end += 1;
        } else {
            match char_at(text, end) {
                Some(c) if class_of(c) == Class::Word => end += c.len_utf8(),
                _ => break,
            }
            digits = false;
        }
        if end - start > MAX_WORD {
            return broken(start, end);
        }
    }
    let class = if digits { Class::Number } else { Class::Word };
    Piece {
        start,
        end,
        class,
        first,
    }
}

/// The token that ends at `at` or before blanks there.
#[must_use]
#[inline]
pub fn previous(text: &str, at: usize) -> Piece {
    let mut end = at;
    let last = loop {
        let Some(c) = char_before(text, end) else {
            return broken(0, 0);
        };
        if !is_blank(c) {
            break c;
        }
        end -= c.len_utf8();
        if at - end > MAX_GAP {
            return broken(end, at);
        }
    };
    let class = class_of(last);
    let mut start = end - last.len_utf8();
    let mut first = last;
    if class != Class::Word {
        return Piece {
            start,
            end,
            class,
            first,
        };
    }
    let mut digits = last.is_ascii_digit();
    if last.is_ascii_alphabetic() {
        let bytes = text.as_bytes();
        while let Some(word) = start
            .checked_sub(8)
            .and_then(|at| bytes.get(at..start)?.first_chunk())
        {
            let letters = letters(u64::from_be_bytes(*word));
            start -= letters;
            if letters < 8 || end - start > MAX_WORD {
                break;
            }
        }
        if end - start > MAX_WORD {
            return broken(start.max(end - MAX_WORD - 1), end);
        }
        first = bytes.get(start).map_or(last, |&byte| char::from(byte));
    }
    while let Some(c) = char_before(text, start) {
        if class_of(c) != Class::Word {
            break;
        }
        digits &= c.is_ascii_digit();
        start -= c.len_utf8();
        first = c;
        if end - start > MAX_WORD {
            return broken(start, end);
        }
    }
    let class = if digits { Class::Number } else { Class::Word };
    Piece {
        start,
        end,
        class,
        first,
    }
}

/// Everything about `piece`; `before` is where the token before it ends.
#[must_use]
#[inline]
pub fn describe(text: &str, piece: Piece, before: usize, gazetteer: &Gazetteer<'_>) -> Token {
    let mut token = Token {
        start: piece.start,
        end: piece.end,
        class: piece.class,
        id: mix(SEED, u32::from(piece.first)),
        shape: shape::MARK,
        spaced: before < piece.start,
        listed: 0,
        affixes: [0; 4],
    };
    match piece.class {
        Class::Mark => {}
        Class::Newline => token.shape = shape::NEWLINE,
        Class::Break => {
            token.shape = shape::BREAK;
            token.id = 0;
        }
        Class::Number => {
            let length = (piece.end - piece.start).min(6) as u8;
            token.shape = shape::NUMBER + length;
            token.id = mix(SEED, u32::from(length));
        }
        Class::Ideograph => {
            token.shape = shape::ideograph_shape(piece.first);
            token.listed = gazetteer.flags(token.id);
        }
        Class::Word => describe_word(text, piece, gazetteer, &mut token),
    }
    token
}

fn describe_word(text: &str, piece: Piece, gazetteer: &Gazetteer<'_>, token: &mut Token) {
    let word = text.get(piece.start..piece.end).unwrap_or_default();
    let mut last = [0_u32; 4];
    let mut head = [0_u32; 3];
    if word.is_ascii() {
        let small = |byte: &u8| u32::from(byte.to_ascii_lowercase());
        for (place, byte) in last.iter_mut().rev().zip(word.bytes().rev()) {
            *place = small(&byte);
        }
        for (place, byte) in head.iter_mut().zip(word.bytes()) {
            *place = small(&byte);
        }
    } else {
        for (place, c) in last.iter_mut().rev().zip(word.chars().rev()) {
            *place = u32::from(lower(c));
        }
        for (place, c) in head.iter_mut().zip(word.chars()) {
            *place = u32::from(lower(c));
        }
    }
    let ends = |from: usize| last.iter().skip(from).fold(SEED, |hash, &c| mix(hash, c));
    let start = match head {
        [.., 0] => 0,
        all => all.iter().fold(SEED, |hash, &c| mix(hash, c)),
    };
    token.affixes = [start, ends(2), ends(1), ends(0)];
    token.id = identity(word);
    token.shape = word_shape(word);
    token.listed = gazetteer.flags(token.id);
}

const fn broken(start: usize, end: usize) -> Piece {
    Piece {
        start,
        end,
        class: Class::Break,
        first: '\0',
    }
}

#[inline]
const fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[inline]
fn is_blank(c: char) -> bool {
    c == ' '
        || c == '\r'
        || (!c.is_ascii()
            && (Traits::of(c).is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}')))
}

/// What a token is made of that starts with `c`; [`Class::Word`] for digits, too.
#[inline]
pub(super) fn class_of(c: char) -> Class {
    match c {
        '\n' => Class::Newline,
        '_' => Class::Word,
        '\0'..='\x7f' => {
            if c.is_ascii_alphanumeric() {
                Class::Word
            } else {
                Class::Mark
            }
        }
        '\u{300}'..='\u{36f}'
        | '\u{591}'..='\u{5bd}'
        | '\u{5c1}'..='\u{5c2}'
        | '\u{64b}'..='\u{65f}'
        | '\u{670}' => Class::Word,
        '\u{3005}'
        | '\u{3041}'..='\u{30fa}'
        | '\u{30fc}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}' => Class::Ideograph,
        // Dashes, quotation marks, ellipses: the most frequent characters outside ASCII in English.
        '\u{2010}'..='\u{2027}' => Class::Mark,
        _ if Traits::of(c).is_alphanumeric() => Class::Word,
        _ => Class::Mark,
    }
}

/// The character that starts at byte `at`.
#[must_use]
#[inline]
pub(super) fn char_at(text: &str, at: usize) -> Option<char> {
    let byte = *text.as_bytes().get(at)?;
    if byte < 0x80 {
        return Some(char::from(byte));
    }
    text.get(at..)?.chars().next()
}

/// The character that ends at byte `at`.
#[must_use]
#[inline]
pub(super) fn char_before(text: &str, at: usize) -> Option<char> {
    let byte = *text.as_bytes().get(at.checked_sub(1)?)?;
    if byte < 0x80 {
        return Some(char::from(byte));
    }
    text.get(..at)?.chars().next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forward(text: &str) -> Vec<(usize, usize)> {
        let mut at = 0;
        let mut all = Vec::new();
        while at < text.len() {
            let piece = next(text, at);
            all.push((piece.start, piece.end));
            at = piece.end;
        }
        all
    }

    fn backward(text: &str) -> Vec<(usize, usize)> {
        let mut at = text.len();
        let mut all = Vec::new();
        while at > 0 {
            let piece = previous(text, at);
            all.push((piece.start, piece.end));
            at = piece.start;
        }
        all.reverse();
        all
    }

    #[test]
    fn both_directions_see_the_same_tokens() {
        for text in [
            "Dr. Élodie O'Brien-Smith, 12 Main St.",
            "我叫朱淑華，電話123。",
            "{\"name\": \"김은정\"}\nFOO_bar=1",
            "Сергій Ковальчук\r\nbuild.7",
        ] {
            assert_eq!(forward(text), backward(text), "{text}");
        }
    }

    #[test]
    fn shapes() {
        for (word, expected) in [
            ("smith", shape::LOWER),
            ("Élodie", shape::CAPITALISED),
            ("NATO", shape::UPPER),
            ("J", shape::INITIAL),
            ("McDonald", shape::MIXED),
            ("E7G", shape::ALPHANUMERIC),
            ("user_Name", shape::IDENTIFIER),
            ("שלום", shape::CASELESS),
        ] {
            assert_eq!(word_shape(word), expected, "{word}");
        }
    }

    #[test]
    fn a_long_run_is_no_word() {
        let run = "A".repeat(500);
        assert_eq!(next(&run, 0).class, Class::Break);
        assert_eq!(previous(&run, run.len()).class, Class::Break);
    }
}
