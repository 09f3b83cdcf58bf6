//! The texts of values that no table knows.

use bartizan_core::Origin;
use bartizan_guard::conversation::{Part, PartKind};

use super::{
    core::Stop,
    json::{Kind, Tape, Value, unescape},
};

/// Texts that wait to be judged, each with the end of what stood at its place in earlier events, so
/// that nothing hides by being split.
#[derive(Debug, Default)]
pub(super) struct Rest {
    fresh: Vec<(String, String)>,
    /// By place.
    tails: Vec<(String, String)>,
}

/// Bytes of earlier text at the same place.
const TAIL: usize = 2 << 10;

/// Most places that are remembered.
const MAX_PLACES: usize = 64;

/// How often a string may hold JSON whose strings hold JSON.
const MAX_NESTED: usize = 3;

impl Rest {
    pub(super) const fn is_empty(&self) -> bool {
        self.fresh.is_empty()
    }

    /// Collects the texts in `value`, its key included.
    pub(super) fn collect(&mut self, value: Value<'_>) {
        let key = value.key();
        if (key.is_empty() || is_plain_key(key)) && says_nothing(value) {
            return;
        }
        self.inside(value, &mut String::new(), 0);
    }

    fn inside(&mut self, value: Value<'_>, place: &mut String, nested: usize) {
        let length = place.len();
        let key = value.key();
        if !key.is_empty() {
            place.push('.');
            if is_plain_key(key) {
                place.push_str(key);
            } else {
                self.fresh.push((place.clone(), unescape(key).into_owned()));
            }
        }
        match value.kind() {
            Kind::Null | Kind::Bool => {}
            Kind::Number => {
                if !says_nothing(value) {
                    self.fresh.push((place.clone(), value.raw().to_owned()));
                }
            }
            Kind::String => self.string(value, place, nested),
            Kind::Array | Kind::Object => {
                for child in value.children() {
                    self.inside(child, place, nested);
                }
            }
        }
        place.truncate(length);
    }

    fn string(&mut self, value: Value<'_>, place: &mut String, nested: usize) {
        if says_nothing(value) {
            return;
        }
        let text = value.str().unwrap_or_default();
        if nested < MAX_NESTED && text.trim_start().starts_with(['{', '[']) {
            let mut tape = Tape::default();
            if let Ok(inner) = tape.read(&text) {
                self.inside(inner, place, nested + 1);
                return;
            }
        }
        self.fresh.push((place.clone(), text.into_owned()));
    }

    /// The texts that were collected since the last call.
    pub(super) fn take(&mut self) -> Result<Vec<Part>, Stop> {
        let mut parts = Vec::with_capacity(self.fresh.len());
        for (place, text) in self.fresh.drain(..) {
            let is_repeated =
                |(known, tail): &(String, String)| *known == place && tail.ends_with(&text);
            // The same words in every event; digits could be pieces of a number.
            let is_words = text.len() >= 4 && !text.bytes().any(|byte| byte.is_ascii_digit());
            if is_words && self.tails.iter().any(is_repeated) {
                continue;
            }
            let places = self.tails.len();
            let whole = match self.tails.iter_mut().find(|(known, _)| *known == place) {
                Some((_, tail)) => {
                    tail.push_str(&text);
                    tail.clone()
                }
                None if places >= MAX_PLACES => {
                    return Err(Stop::Malformed("too many unknown fields"));
                }
                None => {
                    self.tails.push((place.clone(), text.clone()));
                    text
                }
            };
            parts.push(Part::new(place, Origin::Model, PartKind::Field, whole));
        }
        for (_, tail) in &mut self.tails {
            if let Some(cut) = tail.len().checked_sub(TAIL) {
                let cut = (cut..=tail.len())
                    .find(|&at| tail.is_char_boundary(at))
                    .unwrap_or_default();
                tail.drain(..cut);
            }
        }
        Ok(parts)
    }
}

/// Whether a value that holds no others has nothing in it to judge.
fn says_nothing(value: Value<'_>) -> bool {
    match value.kind() {
        Kind::Null | Kind::Bool => true,
        Kind::Number => !is_long_number(value.raw()),
        Kind::String => value.raw_str().is_some_and(is_word) || is_inert(value) || is_opaque(value),
        Kind::Array | Kind::Object => false,
    }
}

/// Keys whose values name things. What is no identifier there is judged like any text.
const NAMES: &[&str] = &[
    "id",
    "model",
    "name",
    "call_id",
    "item_id",
    "response_id",
    "tool_use_id",
    "tool_call_id",
    "system_fingerprint",
    "file_id",
    "container_id",
    "previous_response_id",
];

/// Keys whose values are one of a few words.
const WORDS: &[&str] = &[
    "type",
    "object",
    "role",
    "status",
    "finish_reason",
    "stop_reason",
    "service_tier",
];

/// Longest identifier in bytes.
const MAX_IDENTIFIER: usize = 128;

/// Whether a string stands where an identifier belongs and is one.
fn is_inert(value: Value<'_>) -> bool {
    let key = value.key();
    value.raw_str().is_some_and(|text| {
        NAMES.contains(&key) && is_identifier(text) || WORDS.contains(&key) && is_type(text)
    })
}

/// Whether `text` is a word that a format defines, such as the type of an event: too few digits to
/// be a number of a person.
pub(super) fn is_type(text: &str) -> bool {
    text.len() <= 80
        && text.bytes().filter(u8::is_ascii_digit).count() <= 6
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

/// Whether `text` is one word such as an id or a model; an address is none.
pub(super) fn is_identifier(text: &str) -> bool {
    text.len() <= MAX_IDENTIFIER
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte))
}

/// A word of an enumeration: no value that could be personal or secret is so short and so plain.
fn is_word(text: &str) -> bool {
    text.len() <= 24
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// Keys whose values only the upstream can read.
const OPAQUE: &[&str] = &[
    "signature",
    "thought_signature",
    "encrypted_content",
    "encrypted_index",
];

/// Whether a string is sealed by the upstream: no text of a model, and nothing that a client reads.
fn is_opaque(value: Value<'_>) -> bool {
    OPAQUE.contains(&value.key()) && value.raw_str().is_some_and(is_base64)
}

/// Whether `text` has only characters of base 64 (RFC 4648, sections 4 and 5).
pub(super) fn is_base64(text: &str) -> bool {
    text.bytes().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
    })
}

/// Numbers that are long enough to be a card or an account.
pub(super) fn is_long_number(raw: &str) -> bool {
    !raw.contains('.') && raw.bytes().filter(u8::is_ascii_digit).count() >= 12
}

/// Whether a key can be named in a record.
pub(super) fn is_plain_key(key: &str) -> bool {
    let digits = key.bytes().filter(u8::is_ascii_digit).count();
    (1..=40).contains(&key.len())
        && digits <= 4
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}
