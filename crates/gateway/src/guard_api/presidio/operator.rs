//! What stands in the place of an entity.

use aws_lc_rs::{
    cipher::{
        AES_128, AES_192, AES_256, DecryptionContext, PaddedBlockDecryptingKey,
        PaddedBlockEncryptingKey, UnboundCipherKey,
    },
    digest,
    iv::FixedLength,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::request::unprocessable;
use crate::fault::Fault;

/// An operator by Presidio's name, with its parameters.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Operator {
    /// Another text, or `<ENTITY>`.
    Replace {
        #[serde(default)]
        new_value: Option<String>,
    },
    /// Nothing.
    Redact {},
    /// One character, repeated.
    Mask {
        masking_char: String,
        chars_to_mask: i64,
        from_end: bool,
    },
    /// A digest in hexadecimal.
    Hash {
        #[serde(default)]
        hash_type: HashType,
        /// At least 16 bytes; random if absent.
        #[serde(default)]
        salt: Option<String>,
    },
    /// AES-CBC with a random start, in URL-safe base 64.
    Encrypt {
        /// 16, 24, or 32 bytes.
        key: String,
    },
    /// The same text.
    Keep {},
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HashType {
    #[default]
    Sha256,
    Sha512,
}

/// The names, in Presidio's order.
pub(crate) const OPERATORS: [&str; 6] = ["encrypt", "hash", "keep", "mask", "redact", "replace"];

impl Operator {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Replace { .. } => "replace",
            Self::Redact {} => "redact",
            Self::Mask { .. } => "mask",
            Self::Hash { .. } => "hash",
            Self::Encrypt { .. } => "encrypt",
            Self::Keep {} => "keep",
        }
    }

    /// Whether its parameters make sense.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        match self {
            Self::Mask { masking_char, .. } if masking_char.chars().count() != 1 => {
                Err(bad("Invalid input, masking_char must be a character"))
            }
            Self::Hash {
                salt: Some(salt), ..
            } if salt.len() < 16 => Err(bad("Salt must be at least 16 bytes (128 bits)")),
            Self::Encrypt { key } if !matches!(key.len(), 16 | 24 | 32) => Err(bad(
                "Invalid input, key must be of length 128, 192 or 256 bits",
            )),
            _ => Ok(()),
        }
    }

    /// What stands in the place of `text`, an `entity`.
    pub(crate) fn apply(&self, entity: &str, text: &str) -> Result<String, Fault> {
        Ok(match self {
            Self::Replace { new_value } => match new_value.as_deref() {
                Some(value) if !value.is_empty() => value.to_owned(),
                _ => format!("<{entity}>"),
            },
            Self::Redact {} => String::new(),
            Self::Keep {} => text.to_owned(),
            Self::Mask {
                masking_char,
                chars_to_mask,
                from_end,
            } => {
                let total = text.chars().count();
                let masked = usize::try_from((*chars_to_mask).max(0))
                    .unwrap_or(usize::MAX)
                    .min(total);
                let mask = masking_char.repeat(masked);
                if *from_end {
                    let shown: String = text.chars().take(total - masked).collect();
                    shown + &mask
                } else {
                    mask + &text.chars().skip(masked).collect::<String>()
                }
            }
            Self::Hash { hash_type, salt } => {
                let mut random = [0; 32];
                let salt = match salt {
                    Some(salt) => salt.as_bytes(),
                    None => {
                        getrandom::fill(&mut random).map_err(|_| broken())?;
                        random.as_slice()
                    }
                };
                let algorithm = match hash_type {
                    HashType::Sha256 => &digest::SHA256,
                    HashType::Sha512 => &digest::SHA512,
                };
                let mut context = digest::Context::new(algorithm);
                context.update(text.as_bytes());
                context.update(salt);
                let digest = context.finish();
                digest
                    .as_ref()
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect()
            }
            Self::Encrypt { key } => encrypt(key.as_bytes(), text)?,
        })
    }
}

fn cipher_key(key: &[u8]) -> Result<UnboundCipherKey, Fault> {
    let algorithm = match key.len() {
        16 => &AES_128,
        24 => &AES_192,
        _ => &AES_256,
    };
    UnboundCipherKey::new(algorithm, key)
        .map_err(|_| bad("Invalid input, key must be of length 128, 192 or 256 bits"))
}

fn encrypt(key: &[u8], text: &str) -> Result<String, Fault> {
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(cipher_key(key)?).map_err(|_| broken())?;
    let mut data = text.as_bytes().to_vec();
    let context = key.encrypt(&mut data).map_err(|_| broken())?;
    let DecryptionContext::Iv128(start) = context else {
        return Err(broken());
    };
    let mut sealed: Vec<u8> = start.as_ref().to_vec();
    sealed.extend_from_slice(&data);
    Ok(URL_SAFE.encode(sealed))
}

/// Turns what [`Operator::Encrypt`] made back into the text.
pub(crate) fn decrypt(key: &str, text: &str) -> Result<String, Fault> {
    let wrong = || bad("the text was not encrypted with this key");
    let sealed = URL_SAFE.decode(text).map_err(|_| wrong())?;
    let (start, data) = sealed.split_first_chunk::<16>().ok_or_else(wrong)?;
    let key =
        PaddedBlockDecryptingKey::cbc_pkcs7(cipher_key(key.as_bytes())?).map_err(|_| broken())?;
    let mut data = data.to_vec();
    let context = DecryptionContext::Iv128(FixedLength::from(*start));
    let plain = key.decrypt(&mut data, context).map_err(|_| wrong())?;
    String::from_utf8(plain.to_vec()).map_err(|_| wrong())
}

fn bad(message: &'static str) -> Fault {
    unprocessable("invalid-operator", message)
}

fn broken() -> Fault {
    Fault::new(
        crate::fault::FaultKind::Internal,
        "internal",
        "the operator broke down",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, text: &str, expected: &str) {
        let operator: Operator = serde_json::from_str(json).unwrap();
        operator.check().unwrap();
        assert_eq!(operator.apply("PHONE_NUMBER", text).unwrap(), expected);
    }

    #[test]
    fn operators_do_what_presidio_documents() {
        check(r#"{"type": "replace"}"#, "1", "<PHONE_NUMBER>");
        check(
            r#"{"type": "replace", "new_value": ""}"#,
            "1",
            "<PHONE_NUMBER>",
        );
        check(
            r#"{"type": "replace", "new_value": "ANONYMIZED"}"#,
            "1",
            "ANONYMIZED",
        );
        check(r#"{"type": "redact"}"#, "1", "");
        check(r#"{"type": "keep"}"#, "1", "1");
        let mask = |count: i64, end: bool| {
            format!(
                r#"{{"type": "mask", "masking_char": "*", "chars_to_mask": {count}, "from_end": {end}}}"#
            )
        };
        check(&mask(4, true), "034453334", "03445****");
        check(&mask(4, false), "034453334", "****53334");
        check(&mask(99, true), "éa", "**");
        check(&mask(-1, true), "ab", "ab");
        // `printf abc0123456789abcdef | sha256sum`
        check(
            r#"{"type": "hash", "salt": "0123456789abcdef"}"#,
            "abc",
            "a98e029ed029d04e9897394ec35a4f73ccbe4fc01b386f19835ee5cbca762360",
        );
    }

    #[test]
    fn encryption_turns_back() {
        for key in ["1111111111111111", &"2".repeat(24), &"3".repeat(32)] {
            let operator = Operator::Encrypt {
                key: key.to_owned(),
            };
            operator.check().unwrap();
            let sealed = operator.apply("X", "Jürgen").unwrap();
            assert_ne!(sealed, operator.apply("X", "Jürgen").unwrap());
            assert_eq!(decrypt(key, &sealed).unwrap(), "Jürgen");
            assert!(decrypt(&"9".repeat(key.len()), &sealed).is_err());
        }
        assert!(
            Operator::Encrypt {
                key: "short".into()
            }
            .check()
            .is_err()
        );
        assert!(decrypt("1111111111111111", "AAAA").is_err());
    }

    /// Made with Python's `cryptography`, as Presidio makes it: the start, then AES-128-CBC.
    #[test]
    fn what_presidio_encrypted_turns_back() {
        let sealed = "AAECAwQFBgcICQoLDA0OD1JRH_1swzXojcDt__qivthedq_E8AFRW0qZ8KRPQxxW";
        let opened = decrypt("WmZq4t7w!z%C&F)J", sealed).unwrap();
        assert_eq!(opened, "text_for_encryption");
    }
}
