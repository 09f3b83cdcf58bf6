//! The notations in which one text can stand for another.

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

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, LENIENT);

/// What `value` reads like after percent-encoding, base64, and hexadecimal digits in it are decoded,
/// each with the way there.
pub(crate) fn readings(value: &str) -> Vec<(String, Transform)> {
    let mut all: Vec<(String, Transform)> = Vec::new();
    let mut level = vec![value.to_owned()];
    for _ in 0..DEPTH {
        let mut next = Vec::new();
        for text in level.iter().filter(|text| text.len() <= LONGEST) {
            for (decoded, transform) in once(text) {
                if !all.iter().any(|(known, _)| *known == decoded) && decoded != value {
                    next.push(decoded.clone());
                    all.push((decoded, transform));
                }
            }
        }
        level = next;
    }
    all
}

fn once(text: &str) -> Vec<(String, Transform)> {
    let mut found = Vec::new();
    if text.contains('%') {
        found.push((percent_decoded(text), Transform::Url));
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
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let pairs = digits.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    readable(bytes?)
}

/// RFC 3986, section 2.1; what is no encoding stays as it is.
pub(crate) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match code {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
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
            let read = readings(text);
            assert!(read.iter().any(|(read, _)| read == inner), "{text}");
        }
        assert!(readings("plain words of no interest").is_empty());
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
