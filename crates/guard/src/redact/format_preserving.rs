use aes::Aes256;
use bartizan_core::Secret;
use fpe::ff1::{FF1, FlexibleNumeralString};

/// Format-preserving encryption, FF1 of NIST SP 800-38G Rev. 1 with AES-256.
///
/// Digits become digits, letters become letters of the same case, everything else stays where it
/// is, so that `415-555-2671` still looks like a phone number. Deterministic for a key and a tweak,
/// and reversible. Check digits are not kept.
///
/// SP 800-38G asks for a domain of at least 10^6 values: a value with 1 to 5 digits or 1 to 4 letters
/// is refused, since these would have to stay in clear.
#[derive(Debug)]
pub struct FormatPreserving {
    key: Secret<[u8; 32]>,
}

/// Why a value has no format-preserving replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The value has too few letters or digits.
    #[error("too few letters or digits for format-preserving encryption; use another style")]
    TooShort,
    /// The value has letters outside ASCII.
    #[error("format-preserving encryption takes ASCII letters and digits only; use another style")]
    NotAscii,
}

/// Fewest characters of a class whose domain holds a million values.
const MIN_DIGITS: usize = 6;
const MIN_LETTERS: usize = 5;

#[derive(Clone, Copy)]
enum Way {
    Encrypt,
    Decrypt,
}

impl FormatPreserving {
    /// Encryption under `key`.
    #[must_use]
    pub const fn new(key: Secret<[u8; 32]>) -> Self {
        Self { key }
    }

    /// Encrypts `value`, bound to `tweak` (e.g. the entity and the tenant).
    ///
    /// # Errors
    /// When the value is too short or not ASCII.
    pub fn encrypt(&self, tweak: &str, value: &str) -> Result<String, FormatError> {
        self.apply(tweak, value, Way::Encrypt)
    }

    /// Decrypts what [`FormatPreserving::encrypt`] made.
    ///
    /// # Errors
    /// When the value is too short or not ASCII.
    pub fn decrypt(&self, tweak: &str, value: &str) -> Result<String, FormatError> {
        self.apply(tweak, value, Way::Decrypt)
    }

    fn apply(&self, tweak: &str, value: &str, way: Way) -> Result<String, FormatError> {
        if value.chars().any(|c| !c.is_ascii() && c.is_alphanumeric()) {
            return Err(FormatError::NotAscii);
        }
        let digits = value.bytes().filter(u8::is_ascii_digit).count();
        let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
        if digits < MIN_DIGITS && digits > 0 || letters < MIN_LETTERS && letters > 0 {
            return Err(FormatError::TooShort);
        }
        if digits + letters == 0 {
            return Err(FormatError::TooShort);
        }
        let value = self.class(tweak, value, 10, way)?;
        self.class(tweak, &value, 26, way)
    }

    /// Encrypts the characters of one class among themselves.
    fn class(&self, tweak: &str, value: &str, radix: u16, way: Way) -> Result<String, FormatError> {
        let numerals: Vec<u16> = value.chars().filter_map(|c| numeral(c, radix)).collect();
        if numerals.is_empty() {
            return Ok(value.to_owned());
        }
        let cipher = FF1::<Aes256>::new(self.key.expose(), u32::from(radix))
            .map_err(|_| FormatError::TooShort)?;
        let text = FlexibleNumeralString::from(numerals);
        let turned = match way {
            Way::Encrypt => cipher.encrypt(tweak.as_bytes(), &text),
            Way::Decrypt => cipher.decrypt(tweak.as_bytes(), &text),
        }
        .map_err(|_| FormatError::TooShort)?;
        let mut turned = Vec::from(turned).into_iter();
        Ok(value
            .chars()
            .map(|c| match numeral(c, radix) {
                Some(_) => turned.next().map_or(c, |numeral| character(numeral, c)),
                None => c,
            })
            .collect())
    }
}

fn numeral(c: char, radix: u16) -> Option<u16> {
    let from = match (radix, c) {
        (10, '0'..='9') => '0',
        (26, 'a'..='z') => 'a',
        (26, 'A'..='Z') => 'A',
        _ => return None,
    };
    u16::try_from(u32::from(c) - u32::from(from)).ok()
}

/// The character of `numeral` in the class and case of `like`.
fn character(numeral: u16, like: char) -> char {
    let from = match like {
        '0'..='9' => '0',
        'A'..='Z' => 'A',
        _ => 'a',
    };
    char::from_u32(u32::from(from) + u32::from(numeral)).unwrap_or(like)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cipher() -> FormatPreserving {
        FormatPreserving::new(Secret::new([7; 32]))
    }

    #[test]
    fn keeps_the_format() {
        let out = cipher()
            .encrypt("PHONE_NUMBER", "+1 (415) 555-2671")
            .unwrap();
        let shape = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "9");
        assert_eq!(shape(&out), "+9 (999) 999-9999");
        assert_ne!(out, "+1 (415) 555-2671");
    }

    #[test]
    fn refuses_small_domains() {
        assert_eq!(cipher().encrypt("x", "12345"), Err(FormatError::TooShort));
        assert_eq!(
            cipher().encrypt("x", "AB123456C"),
            Err(FormatError::TooShort)
        );
        assert_eq!(cipher().encrypt("x", "élodie"), Err(FormatError::NotAscii));
    }

    #[test]
    fn the_tweak_matters() {
        let (a, b) = (
            cipher().encrypt("a", "123456789"),
            cipher().encrypt("b", "123456789"),
        );
        assert_ne!(a, b);
    }

    proptest! {
        #[test]
        fn round_trips(value in "[0-9]{6,20}[-@. ]{0,3}[a-zA-Z]{5,20}") {
            let out = cipher().encrypt("t", &value).unwrap();
            prop_assert_eq!(out.len(), value.len());
            prop_assert_eq!(cipher().decrypt("t", &out).unwrap(), value);
        }
    }
}
