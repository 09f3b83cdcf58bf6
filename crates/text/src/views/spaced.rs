//! Codes of short groups: spaced letters, hexadecimal and binary bytes, Morse.

use std::ops::Range;

use bartizan_core::Transform;

use super::{
    piece::{Piece, Pieces, is_plausible},
    words,
};
use crate::lanes::{BLOCK, bits};

/// Joins words that are written letter by letter; returns where and how many letters.
pub(super) fn join(
    text: &str,
    places: &[Range<usize>],
    pieces: &mut Pieces,
) -> Vec<(Range<usize>, u32)> {
    let (mut piece, mut found) = (Piece::default(), Vec::new());
    for place in places {
        let Some(part) = text.get(place.clone()) else {
            continue;
        };
        let chars: Vec<(usize, char)> = part
            .char_indices()
            .map(|(at, c)| (place.start + at, c))
            .collect();
        let mut from = 0;
        while from < chars.len() {
            // The last letter of a word is no single letter.
            if from > 0 && chars.get(from - 1).is_some_and(|(_, c)| is_sign(*c)) {
                from += 1;
                continue;
            }
            let (len, read, letters) = spelled(chars.get(from..).unwrap_or_default());
            if letters >= MIN_SPELLED {
                let start = chars.get(from).map_or(place.start, |(at, _)| *at);
                let end = chars.get(from + len).map_or(place.end, |(at, _)| *at);
                piece.part(start);
                piece.append(&read, end);
                found.push((start..end, letters));
            }
            from += len;
        }
    }
    if !piece.text.is_empty() {
        pieces.push((Transform::Joined, piece));
    }
    found
}

/// Letters that must stand alone in a row.
const MIN_SPELLED: u32 = 5;

fn is_sign(c: char) -> bool {
    c.is_alphanumeric()
}

/// Reads single letters with the same separator between them: how many characters that took, what
/// they say, and how many letters there are.
fn spelled(chars: &[(usize, char)]) -> (usize, Piece, u32) {
    let mut piece = Piece::default();
    let (mut at, mut letters) = (0, 0u32);
    // Where the first gap was that is none of the separator alone, and whether the last one was.
    let (mut first_other, mut after_other) = (None, false);
    let separator = match chars {
        [(_, a), (_, s), (_, b), ..] if is_sign(*a) && is_separator(*s) && is_sign(*b) => *s,
        _ => return (1, piece, 0),
    };
    while let Some((from, c)) = chars.get(at).copied() {
        if !is_sign(c) || chars.get(at + 1).is_some_and(|(_, next)| is_sign(*next)) {
            break;
        }
        piece.put(c.encode_utf8(&mut [0; 4]), from..from + c.len_utf8());
        letters += u32::from(c.is_alphabetic());
        at += 1;
        let gap = chars.get(at..).unwrap_or_default();
        let gap_len = gap.iter().take(6).take_while(|(_, c)| !is_sign(*c)).count();
        let follows = gap.get(gap_len).is_some_and(|(_, c)| is_sign(*c))
            && !gap.get(gap_len + 1).is_some_and(|(_, c)| is_sign(*c));
        if !follows {
            break;
        }
        let gap = gap.get(..gap_len).unwrap_or_default();
        match gap {
            [(_, s)] if *s == separator => after_other = false,
            // A word of one letter may follow a word, but not two of them.
            _ if after_other => break,
            _ => {
                after_other = true;
                first_other.get_or_insert(at - 1);
                let (start, end) = match (gap.first(), gap.last()) {
                    (Some((start, _)), Some((end, c))) => (*start, *end + c.len_utf8()),
                    _ => break,
                };
                let signs: String = gap
                    .iter()
                    .map(|(_, c)| *c)
                    .filter(|c| *c != separator && !c.is_whitespace())
                    .collect();
                piece.put(&format!("{signs} "), start..end);
            }
        }
        at += gap_len;
    }
    if letters < MIN_SPELLED {
        // Another separator may begin there.
        at = first_other.unwrap_or(at).max(1);
    }
    (at.max(1), piece, letters)
}

const fn is_separator(c: char) -> bool {
    matches!(
        c,
        ' ' | '.'
            | '-'
            | '_'
            | '*'
            | '|'
            | '/'
            | '~'
            | '+'
            | '\u{b7}'
            | ','
            | ':'
            | '\''
            | '\t'
            | '\n'
    )
}

/// Decodes spaced hexadecimal, binary, decimal, and octal bytes, and Morse code.
pub(super) fn codes(text: &str, places: &[Range<usize>], pieces: &mut Pieces) {
    let mut hex = Piece::default();
    let mut binary = Piece::default();
    let mut numbers = Piece::default();
    let mut morse = Piece::default();
    for place in places {
        if let Some(part) = text.get(place.clone()) {
            if has_groups(part.as_bytes()) {
                groups(part, place.start, &mut hex, &mut binary);
            }
            if has_numbers(part.as_bytes()) {
                char_codes(part, place.start, &mut numbers);
            }
            if has_dots(part.as_bytes()) {
                dots(part, place.start, &mut morse);
            }
        }
    }
    for (transform, piece) in [
        (Transform::Hex, hex),
        (Transform::Binary, binary),
        (Transform::CharCodes, numbers),
        (Transform::Morse, morse),
    ] {
        if !piece.text.is_empty() {
            pieces.push((transform, piece));
        }
    }
}

/// Whether `byte` stands between the tokens of a code.
const fn is_between(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b',' | b':' | b';' | b'\n' | b'\r' | b'\t' | b'-' | b'[' | b']' | b'{' | b'}' | b'"'
    )
}

/// Whether enough tokens in a row could be the bytes of a text: what [`groups`] reads, told in one
/// quick pass. Times and dates are such rows of numbers, but hold control characters.
fn has_groups(part: &[u8]) -> bool {
    let mut row = Row::default();
    let mut start = 0;
    let (blocks, rest) = part.as_chunks::<BLOCK>();
    let mut last = [b' '; BLOCK];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    for (number, block) in blocks.iter().chain([&last]).enumerate() {
        let mut between = bits(block, |lanes| {
            let small = lanes.within(b'\t', b'\n') | lanes.is(b'\r') | lanes.is(b' ');
            let signs = lanes.is(b'"') | lanes.within(b',', b'-') | lanes.within(b':', b';');
            let brackets = lanes.is(b'[') | lanes.is(b']') | lanes.is(b'{') | lanes.is(b'}');
            small | signs | brackets
        });
        while between != 0 {
            let at = (number * BLOCK + between.trailing_zeros() as usize).min(part.len());
            between &= between - 1;
            let token = part.get(start..at).unwrap_or_default();
            if !token.is_empty() && row.goes_on(token) {
                return true;
            }
            start = at + 1;
        }
    }
    row.may_be_text()
}

/// Tokens in a row that have the length of one byte.
#[derive(Default)]
struct Row {
    length: usize,
    digits: usize,
    /// One of them is no byte of a text.
    is_spoilt: bool,
}

impl Row {
    /// Adds `token`; true if the row before it, which it ends, may be text.
    fn goes_on(&mut self, token: &[u8]) -> bool {
        let digits = token.strip_prefix(b"0x").unwrap_or(token);
        let (is_byte, is_text) = match *digits {
            [a, b] => match (hex_of(a), hex_of(b)) {
                (Some(a), Some(b)) => (true, is_of_text(a << 4 | b)),
                _ => (false, false),
            },
            [_, _, _, _, _, _, _, _] => (true, true),
            _ => (false, false),
        };
        if is_byte && (self.length == 0 || self.digits == digits.len()) {
            self.length += 1;
            self.digits = digits.len();
            self.is_spoilt |= !is_text;
            return false;
        }
        let ended = self.may_be_text();
        *self = Self {
            length: usize::from(is_byte),
            digits: digits.len(),
            is_spoilt: is_byte && !is_text,
        };
        ended
    }

    const fn may_be_text(&self) -> bool {
        self.length >= MIN_GROUPS && !self.is_spoilt
    }
}

fn hex_of(digit: u8) -> Option<u8> {
    u8::try_from(char::from(digit).to_digit(16)?).ok()
}

/// Whether a text may hold `byte`: no control character.
const fn is_of_text(byte: u8) -> bool {
    !(byte < b' ' && !matches!(byte, b'\n' | b'\r' | b'\t') || byte == 0x7f)
}

/// Whether enough tokens begin with a dot or a dash for Morse code.
fn has_dots(part: &[u8]) -> bool {
    /// As many as a count of eight bits holds.
    const CHUNK: usize = 255;
    let behind = part.get(1..).unwrap_or_default();
    // The first may stand at the start.
    let mut count = 1;
    for (before, behind) in part.chunks(CHUNK).zip(behind.chunks(CHUNK)) {
        // No branches, so that it vectorises.
        let pairs = before.iter().zip(behind);
        count += usize::from(pairs.fold(0u8, |sum, (before, byte)| {
            let after_gap =
                (*before == b' ') | (*before == b'\n') | (*before == b'/') | (*before == b'|');
            sum.wrapping_add(u8::from(after_gap & ((*byte == b'.') | (*byte == b'-'))))
        }));
        if count >= MIN_MORSE {
            return true;
        }
    }
    false
}

/// Bytes written one by one as two hexadecimal or eight binary digits.
fn groups(part: &str, base: usize, hex: &mut Piece, binary: &mut Piece) {
    let mut of_hex: Vec<(u8, Range<usize>)> = Vec::new();
    let mut of_binary: Vec<(u8, Range<usize>)> = Vec::new();
    let mut at = base;
    for token in part.as_bytes().split(|byte| is_between(*byte)) {
        let range = at..at + token.len();
        at = range.end + 1;
        if token.is_empty() {
            continue;
        }
        let digits = token.strip_prefix(b"0x").unwrap_or(token);
        let (two, eight) = match digits.len() {
            2 => (byte_of(digits, 16), None),
            8 => (None, byte_of(digits, 2)),
            _ => (None, None),
        };
        next_group(&mut of_hex, two, &range, hex);
        next_group(&mut of_binary, eight, &range, binary);
    }
    grouped(&of_hex, hex);
    grouped(&of_binary, binary);
}

fn byte_of(digits: &[u8], radix: u32) -> Option<u8> {
    digits.iter().try_fold(0u8, |held, digit| {
        let digit = u8::try_from(char::from(*digit).to_digit(radix)?).ok()?;
        let held = held.wrapping_mul(u8::try_from(radix).ok()?);
        Some(held.wrapping_add(digit))
    })
}

/// Goes on with the bytes before, or reads them when there is none.
fn next_group(
    bytes: &mut Vec<(u8, Range<usize>)>,
    byte: Option<u8>,
    range: &Range<usize>,
    piece: &mut Piece,
) {
    match byte {
        Some(byte) => bytes.push((byte, range.clone())),
        None if bytes.is_empty() => {}
        None => {
            grouped(bytes, piece);
            bytes.clear();
        }
    }
}

/// Fewer bytes one by one are numbers.
const MIN_GROUPS: usize = 4;

/// Reads `bytes`, each with the place that it came from, if they may be text.
pub(super) fn grouped(bytes: &[(u8, Range<usize>)], piece: &mut Piece) {
    if bytes.len() < MIN_GROUPS {
        return;
    }
    let plain: Vec<u8> = bytes.iter().map(|(byte, _)| *byte).collect();
    let Ok(text) = std::str::from_utf8(&plain) else {
        return;
    };
    if !is_plausible(text) {
        return;
    }
    for (at, c) in text.char_indices() {
        let last = bytes.get(at + c.len_utf8() - 1);
        if let (Some((_, from)), Some((_, to))) = (bytes.get(at), last) {
            if at == 0 {
                piece.part(from.start);
            }
            piece.put(c.encode_utf8(&mut [0; 4]), from.start..to.end);
        }
    }
}

/// Fewer decimal or octal numbers are no text.
const MIN_NUMBERS: usize = 8;

/// Whether enough numbers of two or three digits follow each other.
fn has_numbers(part: &[u8]) -> bool {
    let (mut row, mut digits) = (0usize, 0usize);
    for byte in part {
        if byte.is_ascii_digit() {
            digits += 1;
            continue;
        }
        row = match (digits, is_between(*byte)) {
            (0, true) => row,
            (2 | 3, true) => row + 1,
            _ => 0,
        };
        if row >= MIN_NUMBERS {
            return true;
        }
        digits = 0;
    }
    row + usize::from(matches!(digits, 2 | 3)) >= MIN_NUMBERS
}

/// Characters written one by one as decimal numbers, or as octal ones of three digits. Rows of
/// numbers are common, so they must say known words.
fn char_codes(part: &str, base: usize, piece: &mut Piece) {
    for (radix, lengths) in [(10, 2..=3), (8, 3..=3)] {
        let mut row: Vec<(u8, Range<usize>)> = Vec::new();
        let mut at = base;
        for token in part
            .as_bytes()
            .split(|byte| is_between(*byte))
            .chain([b"#".as_slice()])
        {
            let range = at..at + token.len();
            at = range.end + 1;
            if token.is_empty() {
                continue;
            }
            let byte = lengths
                .contains(&token.len())
                .then(|| std::str::from_utf8(token).ok())
                .flatten()
                .and_then(|digits| u8::from_str_radix(digits, radix).ok())
                .filter(|byte| is_of_text(*byte));
            match byte {
                Some(byte) => row.push((byte, range)),
                None => {
                    let mut read = Piece::default();
                    if row.len() >= MIN_NUMBERS {
                        grouped(&row, &mut read);
                    }
                    if words::count(&read.text.to_lowercase()).0 >= 2 {
                        let ends = (row.first(), row.last());
                        if let (Some((_, first)), Some((_, last))) = ends {
                            piece.part(first.start);
                            piece.append(&read, last.end);
                        }
                    }
                    row.clear();
                }
            }
        }
    }
}

/// Letters of Morse code that must follow each other.
const MIN_MORSE: usize = 5;

fn dots(part: &str, base: usize, piece: &mut Piece) {
    let mut read = Piece::default();
    let (mut letters, mut start, mut end) = (0usize, None, base);
    let mut at = base;
    for token in part.split_inclusive([' ', '\n', '/', '|']).chain(["#"]) {
        let code = token.trim_end_matches([' ', '\n', '/', '|']);
        let range = at..at + code.len();
        let next = at + token.len();
        at = next;
        let gap = |read: &mut Piece, range: Range<usize>| {
            if !read.text.is_empty() && !read.text.ends_with(' ') {
                read.put(" ", range);
            }
        };
        if let Some(c) = morse(code) {
            start.get_or_insert(range.start);
            read.put(c.encode_utf8(&mut [0; 4]), range);
            letters += 1;
            end = next;
            if token.ends_with(['/', '|', '\n']) {
                gap(&mut read, next - 1..next);
            }
        } else if code.is_empty() {
            gap(&mut read, range.start..next);
        } else if code.len() == 1 && matches!(code, "," | ":" | "?" | "!" | "'" | "\"" | "(" | ")")
        {
            read.put(code, range);
        } else {
            if letters >= MIN_MORSE {
                piece.part(start.unwrap_or(base));
                piece.append(&read, end);
            }
            read = Piece::default();
            (letters, start) = (0, None);
        }
    }
}

/// ITU-R M.1677-1, section 1.1.
fn morse(code: &str) -> Option<char> {
    /// The longest code of the table.
    const MAX_CODE: usize = 6;
    const CODES: [&str; 36] = [
        ".-", "-...", "-.-.", "-..", ".", "..-.", "--.", "....", "..", ".---", "-.-", ".-..", "--",
        "-.", "---", ".--.", "--.-", ".-.", "...", "-", "..-", "...-", ".--", "-..-", "-.--",
        "--..", "-----", ".----", "..---", "...--", "....-", ".....", "-....", "--...", "---..",
        "----.",
    ];
    const SIGNS: [(&str, char); 7] = [
        (".-.-.-", '.'),
        ("--..--", ','),
        ("..--..", '?'),
        ("-.-.--", '!'),
        ("---...", ':'),
        ("-....-", '-'),
        (".----.", '\''),
    ];
    let is_code = |byte| matches!(byte, b'.' | b'-');
    if code.len() > MAX_CODE || !code.bytes().all(is_code) {
        return None;
    }
    if let Some(index) = CODES.iter().position(|known| *known == code) {
        return "abcdefghijklmnopqrstuvwxyz0123456789".chars().nth(index);
    }
    SIGNS
        .iter()
        .find(|(known, _)| *known == code)
        .map(|(_, c)| *c)
}
