//! Encodings and ciphers.

use data_encoding::{BASE32, BASE64, BASE64URL_NOPAD, HEXLOWER};

pub(super) fn base64(text: &str) -> String {
    BASE64.encode(text.as_bytes())
}

pub(super) fn base64_url(text: &str) -> String {
    BASE64URL_NOPAD.encode(text.as_bytes())
}

pub(super) fn base32(text: &str) -> String {
    BASE32.encode(text.as_bytes())
}

pub(super) fn hex(text: &str) -> String {
    HEXLOWER.encode(text.as_bytes())
}

pub(super) fn octal(text: &str) -> String {
    bytes(text, " ", |byte| format!("{byte:03o}"))
}

pub(super) fn decimal(text: &str) -> String {
    bytes(text, " ", |byte| byte.to_string())
}

pub(super) fn binary(text: &str) -> String {
    bytes(text, " ", |byte| format!("{byte:08b}"))
}

pub(super) fn url(text: &str) -> String {
    bytes(text, "", |byte| format!("%{byte:02X}"))
}

pub(super) fn quoted_printable(text: &str) -> String {
    bytes(text, "", |byte| format!("={byte:02X}"))
}

fn bytes(text: &str, gap: &str, write: impl Fn(u8) -> String) -> String {
    text.bytes().map(write).collect::<Vec<_>>().join(gap)
}

pub(super) fn html_entities(text: &str) -> String {
    text.chars()
        .map(|character| format!("&#{};", u32::from(character)))
        .collect()
}

pub(super) fn unicode_escape(text: &str) -> String {
    text.encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect()
}

/// Four bytes as five digits to the base 85; `z` for four zeros.
pub(super) fn ascii85(text: &str) -> String {
    let mut out = String::from("<~");
    for chunk in text.as_bytes().chunks(4) {
        let mut word = [0; 4];
        for (to, from) in word.iter_mut().zip(chunk) {
            *to = *from;
        }
        let mut number = u32::from_be_bytes(word);
        if number == 0 && chunk.len() == 4 {
            out.push('z');
            continue;
        }
        let mut digits = [b'!'; 5];
        for digit in digits.iter_mut().rev() {
            *digit = b'!' + u8::try_from(number % 85).unwrap_or(0);
            number /= 85;
        }
        let kept = digits.iter().take(chunk.len() + 1);
        out.extend(kept.map(|&digit| char::from(digit)));
    }
    out.push_str("~>");
    out
}

/// Lines of 45 bytes, each with its length in front (POSIX.1-2024, `uuencode`).
pub(super) fn uuencode(text: &str) -> String {
    let digit = |value: u8| match value & 63 {
        0 => '`',
        value => char::from(value + 32),
    };
    let mut out = String::from("begin 644 data\n");
    for line in text.as_bytes().chunks(45) {
        out.push(digit(u8::try_from(line.len()).unwrap_or(0)));
        for chunk in line.chunks(3) {
            let at = |place: usize| chunk.get(place).copied().unwrap_or(0);
            let (a, b, c) = (at(0), at(1), at(2));
            out.extend([
                digit(a >> 2),
                digit(a << 4 | b >> 4),
                digit(b << 2 | c >> 6),
                digit(c),
            ]);
        }
        out.push('\n');
    }
    out.push_str("`\nend");
    out
}

/// Latin letters moved by `by` places, at most 25; `None` without such letters.
pub(super) fn rotated(text: &str, by: u8) -> Option<String> {
    letters(text, |place| (place + by) % 26)
}

pub(super) fn atbash(text: &str) -> Option<String> {
    letters(text, |place| 25 - place)
}

fn letters(text: &str, place: impl Fn(u8) -> u8) -> Option<String> {
    let moved = |character: char| match character {
        'a'..='z' => moved(character, b'a', &place),
        'A'..='Z' => moved(character, b'A', &place),
        other => other,
    };
    super::changed(text, text.chars().map(moved).collect())
}

fn moved(letter: char, first: u8, place: impl Fn(u8) -> u8) -> char {
    u8::try_from(letter).map_or(letter, |byte| char::from(first + place(byte - first)))
}

pub(super) fn rot47(text: &str) -> String {
    let moved = |character: char| match u8::try_from(character) {
        Ok(byte @ 33..=126) => char::from(33 + (byte - 33 + 47) % 94),
        _ => character,
    };
    text.chars().map(moved).collect()
}

/// The codes of a to z and 0 to 9.
const MORSE: [&str; 36] = [
    ".-", "-...", "-.-.", "-..", ".", "..-.", "--.", "....", "..", ".---", "-.-", ".-..", "--",
    "-.", "---", ".--.", "--.-", ".-.", "...", "-", "..-", "...-", ".--", "-..-", "-.--", "--..",
    "-----", ".----", "..---", "...--", "....-", ".....", "-....", "--...", "---..", "----.",
];

const NATO: [&str; 26] = [
    "Alfa", "Bravo", "Charlie", "Delta", "Echo", "Foxtrot", "Golf", "Hotel", "India", "Juliett",
    "Kilo", "Lima", "Mike", "November", "Oscar", "Papa", "Quebec", "Romeo", "Sierra", "Tango",
    "Uniform", "Victor", "Whiskey", "Xray", "Yankee", "Zulu",
];

/// Braille patterns of a to z (Unicode, U+2800 to U+28FF).
const BRAILLE: &str = "⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵";

/// The place of a letter or digit in a table of a to z and 0 to 9.
fn place(character: char) -> Option<usize> {
    let lower = character.to_ascii_lowercase();
    match lower {
        'a'..='z' => Some(usize::from(u8::try_from(lower).ok()? - b'a')),
        '0'..='9' => Some(usize::from(u8::try_from(lower).ok()? - b'0') + 26),
        _ => None,
    }
}

pub(super) fn morse(text: &str) -> Option<String> {
    spelled(text, &MORSE, " / ")
}

pub(super) fn nato(text: &str) -> Option<String> {
    spelled(text, &NATO, ", ")
}

/// Each word by its letters; `None` if no letter has a code.
fn spelled(text: &str, table: &[&str], gap: &str) -> Option<String> {
    let word = |word: &str| -> Vec<&str> {
        word.chars()
            .filter_map(|character| table.get(place(character)?).copied())
            .collect()
    };
    let words: Vec<String> = text
        .split_whitespace()
        .map(|text| word(text).join(" "))
        .filter(|word| !word.is_empty())
        .collect();
    (!words.is_empty()).then(|| words.join(gap))
}

pub(super) fn braille(text: &str) -> Option<String> {
    let table: Vec<char> = BRAILLE.chars().collect();
    let cell = |character: char| {
        let found = place(character).and_then(|place| table.get(place));
        found.copied().unwrap_or(character)
    };
    super::changed(text, text.chars().map(cell).collect())
}

pub(super) fn pig_latin(text: &str) -> Option<String> {
    let is_vowel = |c: char| "aeiouAEIOU".contains(c);
    let word = |word: &str| {
        if !word.chars().all(|c| c.is_ascii_alphabetic()) || word.is_empty() {
            return word.to_owned();
        }
        let start = word.find(is_vowel).unwrap_or(0);
        let (head, tail) = word.split_at(start);
        match head {
            "" => format!("{word}way"),
            head => format!("{tail}{head}ay"),
        }
    };
    let words: Vec<String> = text.split(' ').map(word).collect();
    super::changed(text, words.join(" "))
}

pub(super) fn reversed_words(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split(' ').rev().collect();
    super::changed(text, words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_those_of_others() {
        // Python: base64.a85encode(b"Hello, world", adobe=True), binascii.b2a_uu with backtick=True
        assert_eq!(ascii85("Hello, world"), "<~87cURD_*#TDfTZ)~>");
        assert_eq!(uuencode("Cat"), "begin 644 data\n#0V%T\n`\nend");
        // codecs.encode("Hello", "rot13"), and the example of Wikipedia's page on ROT47
        assert_eq!(rotated("Hello", 13).unwrap(), "Uryyb");
        assert_eq!(
            rot47("The Quick Brown Fox Jumps Over The Lazy Dog."),
            "%96 \"F:4< qC@H? u@I yF>AD ~G6C %96 {2KJ s@8]"
        );
        assert_eq!(atbash("Hello").unwrap(), "Svool");
        assert_eq!(morse("SOS 1").unwrap(), "... --- ... / .----");
        assert_eq!(nato("ab").unwrap(), "Alfa Bravo");
        assert_eq!(braille("abc xyz").unwrap(), "⠁⠃⠉ ⠭⠽⠵");
        assert_eq!(octal("A"), "101");
        assert_eq!(unicode_escape("é😀"), "\\u00e9\\ud83d\\ude00");
        assert_eq!(html_entities("<"), "&#60;");
        assert_eq!(
            pig_latin("ignore the string").unwrap(),
            "ignoreway ethay ingstray"
        );
    }

    #[test]
    fn what_has_no_letters_is_left_alone() {
        assert_eq!(rotated("42", 13), None);
        assert_eq!(morse("…"), None);
    }
}
