//! The notations in which one text can stand for another.

use std::borrow::Cow;

use bartizan_core::Transform;
use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// How often a decoded text is decoded again.
const DEPTH: usize = 2;
/// Encoded words that are shorter say too little.
const SHORTEST: usize = 12;
/// Most bytes that are decoded of one value; what is longer counts as made by the model.
const LONGEST: usize = 64 << 10;
/// Most readings of one value.
const MOST: usize = 64;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, LENIENT);

/// What a value reads like after percent-encoding, base64, and hexadecimal digits in it are decoded.
pub(crate) struct Readings {
    /// The readings, each with the way there.
    pub(crate) all: Vec<(String, Transform)>,
    /// Whether there are more than are listed.
    pub(crate) is_cut: bool,
}

/// What `value` reads like, at most [`MOST`] readings.
pub(crate) fn readings(value: &str) -> Readings {
    let mut all: Vec<(String, Transform)> = Vec::new();
    let mut level = vec![value.to_owned()];
    for _ in 0..DEPTH {
        let mut next = Vec::new();
        for text in level.iter().filter(|text| text.len() <= LONGEST) {
            for (decoded, transform) in once(text) {
                if !all.iter().any(|(known, _)| *known == decoded) && decoded != value {
                    if all.len() >= MOST {
                        return Readings { all, is_cut: true };
                    }
                    next.push(decoded.clone());
                    all.push((decoded, transform));
                }
            }
        }
        level = next;
    }
    Readings { all, is_cut: false }
}

fn once(text: &str) -> Vec<(String, Transform)> {
    let mut found = Vec::new();
    if text.contains('%') {
        found.push((percent_decoded(text).into_owned(), Transform::Url));
    }
    let is_inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_');
    for word in text.split(|c| !is_inside(c)) {
        if word.len() < SHORTEST {
            continue;
        }
        if let Some(decoded) = from_hex(word) {
            found.push((decoded, Transform::Hex));
        }
        for engine in [STANDARD, URL_SAFE] {
            let decoded = engine.decode(word).ok().and_then(readable);
            if let Some(decoded) = decoded {
                found.push((decoded, Transform::Base64));
                break;
            }
        }
    }
    found
}

fn readable(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    let is_text = |c: char| !c.is_control() || c.is_whitespace();
    text.chars().all(is_text).then_some(text)
}

fn from_hex(word: &str) -> Option<String> {
    let digits = word.strip_prefix("0x").unwrap_or(word);
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let byte = |pair: &[u8; 2]| {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        u8::try_from(high? << 4 | low?).ok()
    };
    let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
    readable(bytes?)
}

/// RFC 3986, section 2.1; what is no encoding stays as it is.
pub(crate) fn percent_decoded(text: &str) -> Cow<'_, str> {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy()
}

/// How `value` may stand in a text that hides it, folded as texts are compared, with the way back.
pub(crate) fn disguises(value: &str) -> Vec<(String, Transform)> {
    let mut all = Vec::new();
    if value.len() >= 4 && value.len() <= LONGEST {
        for shift in 0..3 {
            all.extend(base64_at(value, shift).map(|text| (text, Transform::Base64)));
        }
        let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
        all.push((hex, Transform::Hex));
        all.push((value.chars().rev().collect(), Transform::Reversed));
        let rotated = value.chars().map(|c| match c {
            'a'..='z' => char::from((c as u8 - b'a' + 13) % 26 + b'a'),
            c => c,
        });
        all.push((rotated.collect(), Transform::Rotated));
    }
    all
}

/// The letters of base64 that `value` has wherever it begins in the encoded text, in lower case:
/// comparing loses the case, and 12 letters are still more than chance gives.
fn base64_at(value: &str, shift: usize) -> Option<String> {
    let padded = [vec![0; shift], value.as_bytes().to_vec()].concat();
    let encoded = STANDARD.encode(&padded);
    let encoded = encoded.trim_end_matches('=');
    // The first and the last letter share bits with their neighbours.
    let first = (shift * 8).div_ceil(6);
    let last = encoded.len().checked_sub(1)?;
    let inner = encoded.get(first..last)?;
    (inner.len() >= 8).then(|| inner.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_value_is_read() {
        let inner = "attacker@evil.example";
        let base64 = STANDARD.encode(inner);
        let hex: String = inner.bytes().map(|byte| format!("{byte:02x}")).collect();
        let twice = STANDARD.encode(&base64);
        for text in [
            &base64,
            &hex,
            &twice,
            &format!("https://x.example/?q={base64}"),
            &"attacker%40evil.example".to_owned(),
        ] {
            let read = readings(text).all;
            assert!(read.iter().any(|(read, _)| read == inner), "{text}");
        }
        assert!(readings("plain words of no interest").all.is_empty());
    }

    #[test]
    fn a_sign_is_no_hexadecimal_digit() {
        assert_eq!(percent_decoded("a%+4b%41"), "a%+4bA");
        assert_eq!(from_hex("+a+a+a+a+a+a"), None);
    }

    #[test]
    fn a_value_of_many_encoded_words_is_decoded_only_so_often() {
        let word = |number: usize| STANDARD.encode(format!("encoded {number}"));
        let text = |words: usize| (0..words).map(word).collect::<Vec<_>>().join(" ");
        let few = readings(&text(MOST));
        assert_eq!((few.all.len(), few.is_cut), (MOST, false));
        let many = readings(&text(MOST + 1));
        assert_eq!((many.all.len(), many.is_cut), (MOST, true));
    }

    #[test]
    fn a_disguise_is_found_at_any_alignment() {
        let value = "attacker@evil.example";
        for before in ["", "x", "xy", "xyz"] {
            let text = STANDARD
                .encode(format!("{before}{value}, and more"))
                .to_ascii_lowercase();
            assert!(
                disguises(value)
                    .iter()
                    .any(|(needle, _)| text.contains(needle)),
                "{before}"
            );
        }
    }
}
