//! Letters that look the same to a reader and differ for a pattern.

use super::changed;

/// Letters of other scripts that look alike (Unicode TR 39, `confusables.txt`).
const HOMOGLYPHS: [(char, char); 18] = [
    ('a', 'а'),
    ('c', 'с'),
    ('e', 'е'),
    ('i', 'і'),
    ('j', 'ј'),
    ('o', 'о'),
    ('p', 'р'),
    ('s', 'ѕ'),
    ('x', 'х'),
    ('y', 'у'),
    ('A', 'Α'),
    ('B', 'Β'),
    ('E', 'Ε'),
    ('I', 'Ι'),
    ('O', 'Ο'),
    ('P', 'Ρ'),
    ('S', 'Ѕ'),
    ('T', 'Τ'),
];

const LEET: [(char, char); 7] = [
    ('a', '4'),
    ('e', '3'),
    ('i', '1'),
    ('o', '0'),
    ('s', '5'),
    ('t', '7'),
    ('g', '9'),
];

fn swap(text: &str, table: &[(char, char)]) -> Option<String> {
    let swapped = |character: char| {
        let found = table.iter().find(|(from, _)| *from == character);
        found.map_or(character, |(_, to)| *to)
    };
    changed(text, text.chars().map(swapped).collect())
}

pub(super) fn homoglyph(text: &str) -> Option<String> {
    swap(text, &HOMOGLYPHS)
}

pub(super) fn leet(text: &str) -> Option<String> {
    swap(text, &LEET)
}

/// The forms of printable ASCII at U+FF01 to U+FF5E.
pub(super) fn fullwidth(text: &str) -> Option<String> {
    let wide = |character: char| match character {
        '!'..='~' => char::from_u32(u32::from(character) + 0xFEE0).unwrap_or(character),
        other => other,
    };
    changed(text, text.chars().map(wide).collect())
}

/// Latin letters from an alphabet that begins at these code points.
pub(super) fn math(text: &str, capital: u32, small: u32) -> Option<String> {
    let from = |character: char, first: char, base: u32| {
        char::from_u32(base + u32::from(character) - u32::from(first)).unwrap_or(character)
    };
    let styled = |character: char| match character {
        'A'..='Z' => from(character, 'A', capital),
        'a'..='z' => from(character, 'a', small),
        other => other,
    };
    changed(text, text.chars().map(styled).collect())
}

/// Letters as halves of flags, with blanks so that no flag appears.
pub(super) fn regional(text: &str) -> Option<String> {
    let mut out = String::new();
    for character in text.chars() {
        let upper = character.to_ascii_uppercase();
        if upper.is_ascii_uppercase() {
            let code = 0x1F1E6 + u32::from(upper) - u32::from('A');
            out.push(char::from_u32(code).unwrap_or(character));
            out.push('\u{200a}');
        } else {
            out.push(character);
        }
    }
    changed(text, out)
}

pub(super) fn mixed_case(text: &str) -> Option<String> {
    let cased = |(place, character): (usize, char)| match place % 2 {
        0 => character.to_ascii_lowercase(),
        _ => character.to_ascii_uppercase(),
    };
    changed(text, text.chars().enumerate().map(cased).collect())
}

pub(super) fn after_each(text: &str, mark: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len() * (1 + mark.len()));
    for character in text.chars() {
        out.push(character);
        if character.is_alphabetic() {
            out.push_str(mark);
        }
    }
    changed(text, out)
}

/// `gap` between letters and `wide` between words.
pub(super) fn joined(text: &str, gap: &str, wide: &str) -> Option<String> {
    let word = |word: &str| -> String {
        let letters: Vec<String> = word.chars().map(String::from).collect();
        letters.join(gap)
    };
    changed(
        text,
        text.split_whitespace()
            .map(word)
            .collect::<Vec<_>>()
            .join(wide),
    )
}

/// Backwards between RIGHT-TO-LEFT OVERRIDE and POP, so that it is shown forwards.
pub(super) fn bidi(text: &str) -> String {
    let backwards: String = text.chars().rev().collect();
    format!("\u{202e}{backwards}\u{202c}")
}

/// ASCII as tag characters, U+E0020 to U+E007E, behind a visible letter.
pub(super) fn tags(text: &str) -> String {
    let tag = |character: char| match character {
        ' '..='~' => char::from_u32(0xE0000 + u32::from(character)).unwrap_or(character),
        other => other,
    };
    std::iter::once('A').chain(text.chars().map(tag)).collect()
}

/// Bytes as variation selectors 1 to 256, behind a visible character.
pub(super) fn variation_selectors(text: &str) -> String {
    let selector = |byte: u8| {
        let code = match byte {
            0..=15 => 0xFE00 + u32::from(byte),
            _ => 0xE0100 + u32::from(byte) - 16,
        };
        char::from_u32(code).unwrap_or(' ')
    };
    std::iter::once('😀')
        .chain(text.bytes().map(selector))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_exchanged() {
        assert_eq!(fullwidth("Hi!").unwrap(), "Ｈｉ！");
        assert_eq!(math("Hi", 0x1D400, 0x1D41A).unwrap(), "𝐇𝐢");
        assert_eq!(math("Hi", 0x24B6, 0x24D0).unwrap(), "Ⓗⓘ");
        assert_eq!(leet("elite").unwrap(), "3l173");
        assert_eq!(joined("ab cd", " ", "   ").unwrap(), "a b   c d");
        assert_eq!(tags("a").chars().nth(1), Some('\u{e0061}'));
        assert_eq!(variation_selectors("a").chars().nth(1), Some('\u{e0151}'));
        assert_eq!(homoglyph("xyz").unwrap().chars().next(), Some('\u{445}'));
        assert_eq!(homoglyph("42"), None);
    }
}
