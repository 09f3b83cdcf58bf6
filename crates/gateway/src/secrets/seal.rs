use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use bartizan_core::Secret;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroize as _;

/// Why sealed bytes do not open: another key, another name, or changed bytes. Not told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SealError;

/// `plain` sealed with AES-256-GCM (NIST SP 800-38D) under `key` and bound to `name`: 12 random
/// bytes of nonce, the ciphertext, and 16 bytes of tag, in base64. A key seals a few thousand
/// values in its life, far from the 2^32 that random nonces allow.
pub(crate) fn seal(key: &[u8; 32], name: &str, plain: &[u8]) -> Result<String, SealError> {
    let key = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| SealError)?;
    let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
    sealed.extend_from_slice(plain);
    let nonce = key
        .seal_in_place_append_tag(Aad::from(context(name)), &mut sealed)
        .map_err(|_| SealError)?;
    sealed.splice(..0, nonce.as_ref().iter().copied());
    Ok(STANDARD.encode(sealed))
}

/// What [`seal`] sealed.
pub(crate) fn open(key: &[u8; 32], name: &str, sealed: &str) -> Result<Secret<Vec<u8>>, SealError> {
    let key = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| SealError)?;
    let mut bytes = STANDARD.decode(sealed).map_err(|_| SealError)?;
    let Some((nonce, text)) = bytes.split_first_chunk_mut::<NONCE_LEN>() else {
        return Err(SealError);
    };
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let plain = key
        .open_in_place(nonce, Aad::from(context(name)), text)
        .map(|plain| plain.to_vec());
    bytes.zeroize();
    plain.map(Secret::new).map_err(|_| SealError)
}

fn context(name: &str) -> Vec<u8> {
    [b"bartizan/sealed/v1/", name.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_with_its_key_and_name() {
        let sealed = seal(&[1; 32], "a", b"value").unwrap();
        assert_eq!(open(&[1; 32], "a", &sealed).unwrap().expose(), b"value");
        assert!(open(&[2; 32], "a", &sealed).is_err());
        assert!(open(&[1; 32], "b", &sealed).is_err());
        assert_ne!(sealed, seal(&[1; 32], "a", b"value").unwrap());
        let bytes = STANDARD.decode(&sealed).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(
                open(&[1; 32], "a", &STANDARD.encode(&changed)).is_err(),
                "{at}"
            );
            assert!(
                open(&[1; 32], "a", &STANDARD.encode(&bytes[..at])).is_err(),
                "{at}"
            );
        }
    }
}
