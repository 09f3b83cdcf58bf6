//! Shapes of tokens; numbers are [`NUMBER`] plus their length, up to 6.

use super::letters::Traits;

/// `smith`
pub const LOWER: u8 = 0;
/// `Smith`
pub const CAPITALISED: u8 = 1;
/// `SMITH`
pub const UPPER: u8 = 2;
/// `S`
pub const INITIAL: u8 = 3;
/// `McDonald`, `camelCase`
pub const MIXED: u8 = 4;
/// `E7G1T7`
pub const ALPHANUMERIC: u8 = 5;
/// A word of a script without case.
pub const CASELESS: u8 = 6;
/// `user_name`
pub const IDENTIFIER: u8 = 7;
/// One Han character.
pub const HAN: u8 = 8;
/// One Hiragana character.
pub const HIRAGANA: u8 = 9;
/// One Katakana character.
pub const KATAKANA: u8 = 10;
/// One Hangul syllable.
pub const HANGUL: u8 = 11;
/// Punctuation and symbols.
pub const MARK: u8 = 12;
/// A line feed.
pub const NEWLINE: u8 = 13;
/// The end of what can be seen.
pub const BREAK: u8 = 14;
/// Digits; plus their number, up to 6.
pub const NUMBER: u8 = 16;

/// The shape of a word.
#[must_use]
#[inline]
pub fn word_shape(word: &str) -> u8 {
    if word.is_ascii() {
        return ascii_shape(word.as_bytes());
    }
    let (mut uppers, mut lowers, mut digits, mut others) = (0_usize, 0_usize, 0_usize, 0_usize);
    let mut first_upper = false;
    for (index, c) in word.chars().enumerate() {
        if c == '_' {
            return IDENTIFIER;
        }
        let of = Traits::of(c);
        if of.is_uppercase() {
            uppers += 1;
            first_upper |= index == 0;
        } else if of.is_lowercase() {
            lowers += 1;
        } else if c.is_ascii_digit() {
            digits += 1;
        } else {
            others += 1;
        }
    }
    match (uppers, lowers, digits) {
        (_, _, 1..) => ALPHANUMERIC,
        (0, _, 0) if others > 0 => CASELESS,
        (0, _, _) => LOWER,
        (1, 0, _) => INITIAL,
        (_, 0, _) => UPPER,
        (1, _, _) if first_upper => CAPITALISED,
        _ => MIXED,
    }
}

#[inline]
fn ascii_shape(word: &[u8]) -> u8 {
    let (mut uppers, mut lowers, mut digits) = (0_usize, 0_usize, 0_usize);
    for byte in word {
        uppers += usize::from(byte.is_ascii_uppercase());
        lowers += usize::from(byte.is_ascii_lowercase());
        digits += usize::from(byte.is_ascii_digit());
    }
    let first_upper = word.first().is_some_and(u8::is_ascii_uppercase);
    match (uppers, lowers, digits) {
        _ if uppers + lowers + digits < word.len() => IDENTIFIER,
        (_, _, 1..) => ALPHANUMERIC,
        (0, _, _) => LOWER,
        (1, 0, _) => INITIAL,
        (_, 0, _) => UPPER,
        (1, _, _) if first_upper => CAPITALISED,
        _ => MIXED,
    }
}

/// The shape of a character of a script without spaces.
pub(super) const fn ideograph_shape(c: char) -> u8 {
    match c {
        '\u{3041}'..='\u{309f}' => HIRAGANA,
        '\u{30a0}'..='\u{30ff}' => KATAKANA,
        '\u{ac00}'..='\u{d7a3}' => HANGUL,
        _ => HAN,
    }
}
