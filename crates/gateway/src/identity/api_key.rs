use std::fmt;

use aws_lc_rs::{digest, hmac};
use bartizan_core::Secret;

/// An API key: `bz_<prefix>_<secret>_<checksum>`, in base 62.
///
/// The prefix of 12 characters is visible and finds the key; the secret of 43 characters is 256
/// random bits; the checksum of 6 characters tells a typing error, and lets a scanner for leaked
/// secrets tell a key from noise without asking us.
pub struct ApiKey {
    text: Secret<String>,
}

const PREFIX: usize = 12;
const SECRET: usize = 43;
const CHECKSUM: usize = 6;
const LENGTH: usize = 3 + PREFIX + 1 + SECRET + 1 + CHECKSUM;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A text is no API key of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an api key, or one with a typing error")]
pub struct ParseKeyError;

impl ApiKey {
    /// A new random key; nothing if the operating system gives no random bytes.
    #[must_use]
    pub fn generate() -> Option<Self> {
        let mut text = String::with_capacity(LENGTH);
        text.push_str("bz_");
        push_random(&mut text, PREFIX)?;
        text.push('_');
        push_random(&mut text, SECRET)?;
        let checksum = checksum(&text);
        text.push('_');
        text.push_str(&checksum);
        Some(Self {
            text: Secret::new(text),
        })
    }

    /// The key in `text`.
    ///
    /// # Errors
    /// When it has another form, or its checksum does not fit.
    pub fn parse(text: &str) -> Result<Self, ParseKeyError> {
        let (head, sum) = text.rsplit_once('_').ok_or(ParseKeyError)?;
        let mut parts = head.split('_');
        let shape = (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some("bz"), Some(prefix), Some(secret), None) = shape else {
            return Err(ParseKeyError);
        };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let fits = prefix.len() == PREFIX
            && secret.len() == SECRET
            && digits(prefix)
            && digits(secret)
            && sum == checksum(head);
        if !fits {
            return Err(ParseKeyError);
        }
        Ok(Self {
            text: Secret::new(text.to_owned()),
        })
    }

    /// Whether `text` claims to be one.
    #[must_use]
    pub fn looks_like(text: &str) -> bool {
        text.starts_with("bz_")
    }

    /// The visible part: `bz_` and 12 characters.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.text.expose().get(..3 + PREFIX).unwrap_or_default()
    }

    /// The whole key; shown once.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// What is stored of it: HMAC-SHA-256 under the pepper.
    #[must_use]
    pub fn hash(&self, pepper: &hmac::Key) -> [u8; 32] {
        let tag = hmac::sign(pepper, self.text.expose().as_bytes());
        tag.as_ref().first_chunk().copied().unwrap_or_default()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({}_[redacted])", self.prefix())
    }
}

/// Pushes `count` digits, each equally likely: bytes from 248 on, the last whole multiple of 62,
/// are drawn again.
fn push_random(text: &mut String, count: usize) -> Option<()> {
    let end = text.len() + count;
    let mut bytes = [0; 64];
    while text.len() < end {
        getrandom::fill(&mut bytes).ok()?;
        let digits = bytes
            .iter()
            .filter(|byte| **byte < 248)
            .filter_map(|byte| DIGITS.get(usize::from(byte % 62)))
            .map(|digit| char::from(*digit));
        let missing = end - text.len();
        text.extend(digits.take(missing));
    }
    zeroize::Zeroize::zeroize(&mut bytes);
    Some(())
}

/// The first 32 bits of SHA-256, in 6 digits.
fn checksum(head: &str) -> String {
    let digest = digest::digest(&digest::SHA256, head.as_bytes());
    let first = digest.as_ref().first_chunk().copied().unwrap_or_default();
    let mut rest = u32::from_be_bytes(first) as usize;
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS.get(rest % 62).copied().unwrap_or(b'0');
        rest /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_changed_character_is_a_typing_error() {
        let key = ApiKey::generate().unwrap();
        let text = key.expose().to_owned();
        assert_eq!(text.len(), LENGTH);
        assert_eq!(ApiKey::parse(&text).unwrap().prefix(), key.prefix());
        for at in 0..text.len() {
            for digit in ["0", "Z", "_", " "] {
                let mut changed = text.clone();
                changed.replace_range(at..=at, digit);
                assert_eq!(ApiKey::parse(&changed).is_ok(), changed == text, "{at}");
            }
            assert!(ApiKey::parse(text.get(..at).unwrap()).is_err());
        }
    }

    #[test]
    fn keys_differ_and_hide() {
        let (one, two) = (ApiKey::generate().unwrap(), ApiKey::generate().unwrap());
        assert_ne!(one.expose(), two.expose());
        let shown = format!("{one:?}");
        assert!(shown.contains(one.prefix()));
        assert!(shown.len() < 40, "{shown}");
        let pepper = |byte| hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32]);
        assert_ne!(one.hash(&pepper(1)), one.hash(&pepper(2)));
        assert_ne!(one.hash(&pepper(1)), two.hash(&pepper(1)));
    }

    proptest! {
        #[test]
        fn parse_takes_anything(text in ".{0,100}") {
            prop_assert!(ApiKey::parse(&text).is_err());
        }
    }
}
