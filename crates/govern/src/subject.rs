//! Somebody whom data is about.

use std::fmt;

use aws_lc_rs::hmac;
use bartizan_core::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An identifier of somebody, for instance an address of mail. Never printed.
pub struct Subject {
    text: Secret<String>,
    hash: SubjectHash,
}

impl Subject {
    /// Bytes of an identifier, least and most: what is shorter names many.
    pub const BYTES: std::ops::RangeInclusive<usize> = 3..=1_024;

    /// The subject of that identifier; spaces around it do not count. `None` for a text that is not
    /// of [`Self::BYTES`] or holds control characters.
    #[must_use]
    pub fn new(text: &str, key: &SubjectKey) -> Option<Self> {
        let text = text.trim();
        let is_one = Self::BYTES.contains(&text.len()) && !text.chars().any(char::is_control);
        is_one.then(|| Self {
            hash: key.hash(text),
            text: Secret::new(text.to_owned()),
        })
    }

    /// The identifier, for those who look for it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// What it is called wherever something is kept.
    #[must_use]
    pub const fn hash(&self) -> &SubjectHash {
        &self.hash
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({})", self.hash)
    }
}

/// A keyed hash of an identifier: HMAC-SHA-256 (RFC 2104, FIPS 180-4), 64 hexadecimal digits. A plain
/// hash of an address or number is that address or number to whoever tries them all.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct SubjectHash(String);

impl SubjectHash {
    /// Its digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SubjectHash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 64 && text.bytes().all(is_digit) {
            Ok(Self(text))
        } else {
            Err("a keyed hash has 64 hexadecimal digits")
        }
    }
}

impl From<SubjectHash> for String {
    fn from(hash: SubjectHash) -> Self {
        hash.0
    }
}

impl fmt::Display for SubjectHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The key of [`SubjectHash`]: who has it can tell whether a hash is that of a guessed identifier.
pub struct SubjectKey(hmac::Key);

impl SubjectKey {
    /// A key made of a master key, for this purpose only.
    #[must_use]
    pub fn derive(master: &[u8; 32]) -> Self {
        let master = hmac::Key::new(hmac::HMAC_SHA256, master);
        let key = hmac::sign(&master, b"bartizan subject hash 1");
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()))
    }

    /// The hash of an identifier. Mail addresses and names are compared without case.
    #[must_use]
    pub fn hash(&self, text: &str) -> SubjectHash {
        let tag = hmac::sign(&self.0, text.trim().to_lowercase().as_bytes());
        let digits = tag.as_ref().iter().map(|byte| format!("{byte:02x}"));
        SubjectHash(digits.collect())
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_keyed_and_nothing_shows_the_name() {
        let (one, two) = (SubjectKey::derive(&[1; 32]), SubjectKey::derive(&[2; 32]));
        let subject = Subject::new(" Alice@Example.com ", &one).unwrap();
        assert_eq!(subject.hash(), &one.hash("alice@example.com"));
        assert_ne!(one.hash("alice"), two.hash("alice"));
        let shown = format!("{subject:?} {one:?}");
        assert!(!shown.to_lowercase().contains("alice"), "{shown}");
        assert!(Subject::new("a", &one).is_none() && Subject::new("a\nbc", &one).is_none());
    }
}
