//! Readings that no syntax gives away: leetspeak, reversed text, and rotated letters.

use std::{ops::Range, sync::LazyLock};

use aho_corasick::packed::{self, Searcher};
use bartizan_core::Transform;

use super::{
    hidden::reverse_into,
    piece::{Piece, Pieces},
    words,
};

/// Reads tokens of letters and digits as leetspeak, where that makes known words. Only tokens
/// around `seams`, where a letter meets a digit or sign, can be such.
pub(super) fn leet(text: &str, places: &[Range<usize>], seams: &[usize], pieces: &mut Pieces) {
    let mut piece = Piece::default();
    for place in places {
        let range = whole_words(text, place.clone());
        let first = seams.partition_point(|seam| *seam <= range.start);
        let last = seams.partition_point(|seam| *seam < range.end);
        let seams = seams.get(first..last).unwrap_or_default();
        if seams.is_empty() || !is_leetspeak(text, &range, seams) {
            continue;
        }
        let Some(part) = text.get(range.clone()) else {
            continue;
        };
        piece.part(range.start);
        let mut at = range.start;
        for token in part.split_inclusive(|c: char| !is_leet(c)) {
            let end = at + token.len();
            let core = token.trim_end_matches(|c: char| !is_leet(c) || c == '!');
            if core.bytes().any(|b| b.is_ascii_alphabetic()) || core.len() <= 5 {
                piece.put_bytes(&read_leet(core), at);
            } else {
                piece.copy(text, at..at + core.len());
            }
            piece.copy(text, at + core.len()..end);
            at = end;
        }
    }
    if !piece.text.is_empty() {
        pieces.push((Transform::Leet, piece));
    }
}

/// Whether `range` of `text` holds one longer known word with digits for letters, or three short
/// ones, at its `seams`.
fn is_leetspeak(text: &str, range: &Range<usize>, seams: &[usize]) -> bool {
    let bytes = text.as_bytes();
    let (mut known, mut done) = (0, range.start);
    let is_sign = |byte: &&u8| is_leet(char::from(**byte));
    let is_trigger = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'@' | b'$');
    for &seam in seams {
        if seam < done {
            continue;
        }
        let before = bytes.get(done..seam).unwrap_or_default();
        let behind = bytes.get(seam..range.end).unwrap_or_default();
        // One more than a word has, so that longer tokens are told.
        let before = before.iter().rev().take(MAX_LEET + 1).take_while(is_sign);
        let start = seam - before.count();
        done = seam + behind.iter().take_while(is_sign).count();
        let Some(token) = text.get(start..done) else {
            continue;
        };
        if !token.as_bytes().iter().any(is_trigger) {
            continue;
        }
        let token = token.trim_end_matches('!');
        if token.len() < 2 || token.len() > MAX_LEET || !may_be_leet(token) {
            continue;
        }
        if is_known_leet(token) {
            known += if token.len() >= 5 { 3 } else { 1 };
            if known >= 3 {
                return true;
            }
        }
    }
    false
}

/// Whether [`read_leet`] reads a known word in `token`, of at most [`MAX_LEET`] bytes.
fn is_known_leet(token: &str) -> bool {
    ['i', 'l'].iter().any(|one| {
        let mut buffer = [0; MAX_LEET];
        for (to, byte) in buffer.iter_mut().zip(token.bytes()) {
            *to = match byte {
                b'1' => *one as u8,
                _ => unleet(byte).unwrap_or(byte).to_ascii_lowercase(),
            };
        }
        let word = buffer.get(..token.len()).map(std::str::from_utf8);
        matches!(word, Some(Ok(word)) if words::is_known(word))
    })
}

/// Whether `token` has letters, and only digits that stand for letters: the others are part of no
/// word.
fn may_be_leet(token: &str) -> bool {
    let (mut letters, mut stray) = (false, false);
    for byte in token.bytes() {
        letters |= byte.is_ascii_alphabetic();
        stray |= matches!(byte, b'2' | b'6');
    }
    letters && !stray
}

/// Longer tokens are no words.
const MAX_LEET: usize = 20;

fn is_leet(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '@' | '$' | '!')
}

const fn unleet(byte: u8) -> Option<u8> {
    Some(match byte {
        b'0' => b'o',
        b'1' | b'!' => b'i',
        b'3' => b'e',
        b'4' | b'@' => b'a',
        b'5' | b'$' => b's',
        b'7' => b't',
        b'8' => b'b',
        b'9' => b'g',
        _ => return None,
    })
}

/// Letters for the digits of `token`; a `1` that only fits as an `l` becomes one.
fn read_leet(token: &str) -> String {
    let read = |one: char| -> String {
        token
            .bytes()
            .map(|b| match b {
                b'1' => one,
                _ => char::from(unleet(b).unwrap_or(b)),
            })
            .collect()
    };
    let word = read('i');
    if !token.contains('1') || words::is_known(&word.to_ascii_lowercase()) {
        return word;
    }
    let other = read('l');
    if words::is_known(&other.to_ascii_lowercase()) {
        other
    } else {
        word
    }
}

/// Where pieces of words stand that are frequent in disguises and rare in text.
#[derive(Debug, Default)]
pub(super) struct Signs {
    /// Of reversed text.
    pub(super) reversed: Vec<usize>,
    /// Of spelling alphabets.
    pub(super) alphabet: Vec<usize>,
}

impl Signs {
    pub(super) fn find(text: &str) -> Self {
        let mut signs = Self::default();
        for hit in SIGNS.iter().flat_map(|searcher| searcher.find_iter(text)) {
            let of = if hit.pattern().as_usize() < REVERSED.len() {
                &mut signs.reversed
            } else {
                &mut signs.alphabet
            };
            of.push(hit.start());
        }
        signs
    }
}

/// Reads the text backwards around `signs`.
pub(super) fn reversed(text: &str, signs: &[usize], pieces: &mut Pieces) {
    let mut piece = Piece::default();
    let mut done = 0;
    let mut near: Option<Range<usize>> = None;
    let mut hits = signs.iter().copied();
    loop {
        let hit = hits.next();
        match (&mut near, hit) {
            (Some(range), Some(at)) if at <= range.end + AROUND => range.end = at,
            (range, hit) => {
                if let Some(place) = range.take() {
                    let start = place.start.saturating_sub(AROUND).max(done);
                    let whole = whole_words(text, start..place.end + AROUND);
                    let whole = whole.start.max(done)..whole.end;
                    done = whole.end;
                    if let Some(part) = text.get(whole.clone()) {
                        let mut read = Piece::default();
                        reverse_into(&mut read, part, whole.start);
                        let (known, _) = words::count(&read.text.to_lowercase());
                        if known >= 2 {
                            piece.part(whole.start);
                            piece.append(&read, whole.end);
                        }
                    }
                }
                *range = hit.map(|at| at..at);
            }
        }
        if hit.is_none() {
            break;
        }
    }
    if !piece.text.is_empty() {
        pieces.push((Transform::Reversed, piece));
    }
}

/// Pieces that are frequent in reversed English, and rare in text. Four letters at least and few
/// of them, so that the packed searcher stays fast.
const REVERSED: [&str; 19] = [
    " eht ", " dna ", "noitc", "erong", "tpmor", "suoiv", "metsy", "drows", " ruoy", " uoy ",
    " siht ", "laever", "selur", "ssapy", "sdrow", " taht ", " htiw ", "terces", "tegro",
];

/// Ends of words of the spelling alphabet of aviation that stand for frequent letters.
const ALPHABET: [&str; 4] = ["ango ", "ANGO ", "scar ", "SCAR "];

static SIGNS: LazyLock<Option<Searcher>> = LazyLock::new(|| {
    packed::Builder::new()
        .extend(REVERSED.iter().chain(&ALPHABET))
        .build()
});

/// Text around a sign of reversal that is read with it, in bytes.
const AROUND: usize = 256;

/// Turns rotated and mirrored letters back, where that makes known words; `shifted` tells where
/// ROT47 may stand.
pub(super) fn rotated(text: &str, shifted: &[Range<usize>], pieces: &mut Pieces) {
    let end = text.floor_char_boundary(text.len().min(ROTATED_MAX));
    let mut found: Vec<(u8, Piece)> = Vec::new();
    let mut at = 0;
    while at < end {
        let range = at..text.ceil_char_boundary((at + WINDOW).min(end));
        at = range.end;
        let Some(window) = text.get(range.clone()) else {
            continue;
        };
        if !is_odd(window.as_bytes()) {
            continue;
        }
        let turns = best_shift(window.as_bytes()).into_iter().chain([MIRRORED]);
        let mut readings = turns.map(|turn| (turn, turned_by(window, turn)));
        let Some((shift, read)) = readings.find(|(_, read)| says_more(read, window)) else {
            continue;
        };
        let piece = match found.iter_mut().find(|(known, _)| *known == shift) {
            Some((_, piece)) => piece,
            None => {
                found.push((shift, Piece::default()));
                let Some((_, piece)) = found.last_mut() else {
                    continue;
                };
                piece
            }
        };
        piece.part(range.start);
        piece.put_bytes(&read, range.start);
    }
    let mut whole = Piece::default();
    for place in shifted {
        let range = whole_words(text, place.clone());
        let read = text.get(range.clone()).map(rot47).unwrap_or_default();
        if words::count(&read.to_ascii_lowercase()).0 >= 3 {
            whole.part(range.start);
            whole.put_bytes(&read, range.start);
        }
    }
    if !whole.text.is_empty() {
        found.push((0, whole));
    }
    let rotated = found
        .into_iter()
        .map(|(_, piece)| (Transform::Rotated, piece));
    pieces.extend(rotated);
}

/// Bytes of a view in which rotated text is looked for.
const ROTATED_MAX: usize = 64 << 10;
/// Bytes that are tested for one shift.
const WINDOW: usize = 255;
/// Fewer letters tell nothing.
const MIN_LETTERS: u32 = 12;

/// Whether vowels are too few for a language: about 4 of 10 letters are, and at most 3 of 10
/// after any rotation of English.
fn is_odd(window: &[u8]) -> bool {
    let (mut letters, mut vowels) = (0u32, 0u32);
    for block in window.chunks(64) {
        let (l, v) = block.iter().fold((0u8, 0u8), |(letters, vowels), byte| {
            let low = byte | 0x20;
            let vowel =
                (low == b'a') | (low == b'e') | (low == b'i') | (low == b'o') | (low == b'u');
            (
                letters.wrapping_add(u8::from(low.wrapping_sub(b'a') < 26)),
                vowels.wrapping_add(u8::from(vowel)),
            )
        });
        letters += u32::from(l);
        vowels += u32::from(v);
    }
    letters >= MIN_LETTERS && (letters < 60 || vowels * 100 < letters * 34)
}

/// The rotation that makes the letters most like English, if it is not none at all.
fn best_shift(window: &[u8]) -> Option<u8> {
    let mut twice = [0u16; 52];
    for byte in window {
        let letter = usize::from((byte | 0x20).wrapping_sub(b'a'));
        if letter < 26
            && let Some(count) = twice.get_mut(letter)
        {
            *count = count.wrapping_add(1);
        }
    }
    let (low, high) = twice.split_at_mut(26);
    high.copy_from_slice(low);
    // 255 letters of 51 each stay below 16 bits.
    let score = |turned: &[u16]| -> u16 {
        FREQUENCIES
            .iter()
            .zip(turned)
            .fold(0, |sum: u16, (a, b)| sum.wrapping_add(a.wrapping_mul(*b)))
    };
    // Letters turned by `shift` were `26 - shift` places on.
    twice
        .windows(26)
        .zip([0u8].into_iter().chain((1..26).rev()))
        .max_by_key(|(turned, shift)| (score(turned), *shift == 0))
        .map(|(_, shift)| shift)
        .filter(|shift| *shift > 0)
}

/// Letters of English text, in per mille of how much each speaks for English: the logarithm of
/// the share of each (Lewand, Cryptological Mathematics, 2000) over that of `z`.
const FREQUENCIES: [u16; 26] = [
    47, 30, 36, 40, 51, 34, 33, 44, 45, 7, 23, 40, 35, 45, 46, 33, 3, 44, 44, 48, 36, 26, 35, 7,
    33, 0,
];

/// Stands for Atbash among the rotations.
const MIRRORED: u8 = 26;

/// Whether `read` holds known words enough for a text, and more than `window`, which it was.
fn says_more(read: &str, window: &str) -> bool {
    let (known, all) = words::count(&read.to_ascii_lowercase());
    (known >= 4 || known >= 2 && known * 8 >= all)
        && known > words::count(&window.to_ascii_lowercase()).0
}

/// The letters of `text` moved by `turn` places, or mirrored.
fn turned_by(text: &str, turn: u8) -> String {
    let place = |place: u8| match turn {
        MIRRORED => 25 - place,
        shift => (place + shift) % 26,
    };
    map_ascii(text, |byte| match byte {
        b'a'..=b'z' => place(byte - b'a') + b'a',
        b'A'..=b'Z' => place(byte - b'A') + b'A',
        _ => byte,
    })
}

/// The printable characters of ASCII moved by 47 of 94 places, which undoes itself.
fn rot47(text: &str) -> String {
    map_ascii(text, |byte| match byte {
        b'!'..=b'~' => b'!' + (byte - b'!' + 47) % 94,
        _ => byte,
    })
}

/// `text` with its bytes changed; `change` leaves those outside ASCII alone and makes none.
fn map_ascii(text: &str, change: impl Fn(u8) -> u8) -> String {
    String::from_utf8(text.bytes().map(change).collect()).unwrap_or_default()
}

/// `range` grown to the next spaces or line ends, at most 32 bytes to either side.
pub(super) fn whole_words(text: &str, range: Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(range.start.min(text.len()));
    let end = text.ceil_char_boundary(range.end.min(text.len()));
    let low = text.floor_char_boundary(start.saturating_sub(32));
    let high = text.ceil_char_boundary((end + 32).min(text.len()));
    let before = text.get(low..start).unwrap_or_default();
    let after = text.get(end..high).unwrap_or_default();
    let start = before.rfind(char::is_whitespace).map_or(low, |at| low + at);
    let end = after.find(char::is_whitespace).map_or(high, |at| end + at);
    start..end
}
