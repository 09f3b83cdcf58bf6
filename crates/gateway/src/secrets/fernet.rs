use aws_lc_rs::{
    cipher::{AES_128, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey},
    hmac,
    iv::FixedLength,
};
use bartizan_core::Secret;
use base64::{Engine as _, engine::general_purpose::URL_SAFE};

/// A key of Fernet (<https://github.com/fernet/spec/blob/master/Spec.md>): 16 bytes to sign, 16 to
/// encrypt. Only for import of stores that were kept with it; ours are AES-256-GCM.
#[derive(Debug)]
pub struct FernetKey(Secret<[u8; 32]>);

/// Why a token does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FernetError {
    /// The key is not 32 bytes in URL-safe base64.
    #[error("the key is not 32 bytes in url-safe base64")]
    Key,
    /// Another key, or not a token. Not told apart.
    #[error("the token cannot be opened with this key")]
    Token,
}

/// Version, time, and initialisation vector.
const HEADER: usize = 1 + 8 + 16;
const MAX_TOKEN_BYTES: usize = 64 * 1024;

impl FernetKey {
    /// The key in URL-safe base64, as `Fernet.generate_key()` writes it.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(key: &str) -> Result<Self, FernetError> {
        let bytes = Secret::new(URL_SAFE.decode(key.trim()).map_err(|_| FernetError::Key)?);
        let key = bytes
            .expose()
            .as_slice()
            .try_into()
            .map_err(|_| FernetError::Key)?;
        Ok(Self(Secret::new(key)))
    }

    /// What `token` holds. Its age does not matter: a store is read, not a message.
    ///
    /// # Errors
    /// When it was not made with this key.
    pub fn open(&self, token: &str) -> Result<Secret<Vec<u8>>, FernetError> {
        let token = token.trim();
        if token.len() > MAX_TOKEN_BYTES {
            return Err(FernetError::Token);
        }
        let bytes = URL_SAFE.decode(token).map_err(|_| FernetError::Token)?;
        let at = bytes.len().checked_sub(32).ok_or(FernetError::Token)?;
        let (signed, tag) = bytes.split_at_checked(at).ok_or(FernetError::Token)?;
        let (signing, encrypting) = self.0.expose().split_at(16);
        // Encrypt-then-MAC: nothing is decrypted that was not signed.
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, signing), signed, tag)
            .map_err(|_| FernetError::Token)?;
        let (header, text) = signed
            .split_first_chunk::<HEADER>()
            .ok_or(FernetError::Token)?;
        let [0x80, .., _] = header else {
            return Err(FernetError::Token);
        };
        let iv = header.last_chunk::<16>().ok_or(FernetError::Token)?;
        let mut text = text.to_vec();
        let plain = UnboundCipherKey::new(&AES_128, encrypting)
            .and_then(PaddedBlockDecryptingKey::cbc_pkcs7)
            .and_then(|key| {
                let context = DecryptionContext::Iv128(FixedLength::from(iv));
                key.decrypt(&mut text, context).map(|plain| plain.to_vec())
            });
        zeroize::Zeroize::zeroize(&mut text);
        plain.map(Secret::new).map_err(|_| FernetError::Token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `verify.json` of the specification.
    const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    const TOKEN: &str = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";

    #[test]
    fn opens_the_token_of_the_specification() {
        let key = FernetKey::parse(KEY).unwrap();
        assert_eq!(key.open(TOKEN).unwrap().expose(), b"hello");
        assert_eq!(format!("{key:?}"), "FernetKey([redacted])");
    }

    #[test]
    fn refuses_every_changed_byte_and_other_keys() {
        let key = FernetKey::parse(KEY).unwrap();
        let bytes = URL_SAFE.decode(TOKEN).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(key.open(&URL_SAFE.encode(&changed)).is_err(), "{at}");
            assert!(key.open(&URL_SAFE.encode(&bytes[..at])).is_err(), "{at}");
        }
        let other = FernetKey::parse(&URL_SAFE.encode([3; 32])).unwrap();
        assert_eq!(other.open(TOKEN).unwrap_err(), FernetError::Token);
        assert_eq!(FernetKey::parse("abc").unwrap_err(), FernetError::Key);
    }
}
