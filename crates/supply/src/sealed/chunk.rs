//! The chunks: STREAM over AES-256-GCM (Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated
//! Encryption and its Nonce-Reuse Misuse-Resistance", 2015, section 7; NIST SP 800-38D).

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf,
};
use bartizan_core::Secret;

use super::{Sealed, SealedError};

/// Bytes that authenticate a chunk.
pub(super) const TAG: usize = 16;

/// Chunks under one key: their number has four bytes in the nonce.
pub(super) const MAX_CHUNKS: u64 = 1 << 32;

/// Seals and opens the chunks of one file.
///
/// The key is drawn for this file and derived over its whole head, so that a nonce of zeros, the
/// number of the chunk, and whether it is the last one are never used twice under it.
pub(super) struct Chunks {
    key: LessSafeKey,
    size: usize,
}

impl Chunks {
    pub(super) fn new(data_key: &Secret<[u8; 32]>, head: &Sealed) -> Result<Self, SealedError> {
        let key = derive(data_key.expose(), head.bytes(), "chunks")?;
        Ok(Self {
            key: LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.expose())?),
            size: head.chunk_size(),
        })
    }

    /// Plain bytes of a chunk that is not the last one.
    pub(super) const fn size(&self) -> usize {
        self.size
    }

    pub(super) fn seal(
        &self,
        number: u64,
        is_last: bool,
        room: &mut Vec<u8>,
    ) -> Result<(), SealedError> {
        let nonce = nonce(number, is_last)?;
        Ok(self
            .key
            .seal_in_place_append_tag(nonce, Aad::empty(), room)?)
    }

    /// Opens the chunk in `room`, and leaves only the plain bytes in it.
    pub(super) fn open(
        &self,
        number: u64,
        is_last: bool,
        room: &mut Vec<u8>,
    ) -> Result<(), SealedError> {
        let nonce = nonce(number, is_last)?;
        let plain = self.key.open_in_place(nonce, Aad::empty(), room);
        let length = plain.map_err(|_| SealedError::AlteredChunk(number))?.len();
        room.truncate(length);
        Ok(())
    }
}

/// Seven zeros, the number with the high byte first, and 1 for the last chunk.
fn nonce(number: u64, is_last: bool) -> Result<Nonce, SealedError> {
    let number = u32::try_from(number).map_err(|_| SealedError::TooLong)?;
    let mut nonce = [0; NONCE_LEN];
    if let Some(place) = nonce.get_mut(7..11) {
        place.copy_from_slice(&number.to_be_bytes());
    }
    if let Some(place) = nonce.last_mut() {
        *place = u8::from(is_last);
    }
    Ok(Nonce::assume_unique_for_key(nonce))
}

/// A key out of `from` for `label` (HKDF-SHA-256, RFC 5869).
pub(super) fn derive(
    from: &[u8; 32],
    salt: &[u8],
    label: &str,
) -> Result<Secret<[u8; 32]>, SealedError> {
    let mut key = [0; 32];
    let info = [b"bartizan/sealed/1/".as_slice(), label.as_bytes()];
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(from)
        .expand(&info, hkdf::HKDF_SHA256)?
        .fill(&mut key)?;
    Ok(Secret::new(key))
}
