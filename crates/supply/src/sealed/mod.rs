//! Files encrypted at rest: an envelope of chunks that are opened one by one, under a key of the
//! file's own that another key wraps. The format is in `docs/src/reference/sealed-files.md`.
//!
//! Random bytes and keys come in as arguments. Nothing is given out before it was authenticated.

mod chunk;
mod error;
mod header;
mod opened;

use std::io::{Read, Write};

use bartizan_core::Secret;
pub use error::SealedError;
pub use header::{Lock, Sealed};
pub use opened::Opened;

use chunk::Chunks;

/// What the caller draws at random for one file, and for no other.
pub struct Fresh {
    /// The file's own key.
    pub data_key: Secret<[u8; 32]>,
    /// The nonce under which the key is wrapped.
    pub nonce: [u8; 12],
}

/// The key that wraps, or the file's own key where another service keeps the one that wraps it.
pub enum Unlock<'k> {
    /// A key of 32 bytes: given, or what a passphrase was stretched to.
    Key(&'k Secret<[u8; 32]>),
    /// What the service gave.
    DataKey(&'k Secret<[u8; 32]>),
}

/// Writes `length` bytes of `plain` as a sealed file that `lock` describes.
///
/// With [`Lock::Transit`] `key` is not used: the service has wrapped `fresh.data_key`.
///
/// # Errors
/// When there are not just as many bytes, or something cannot be read or written.
pub fn seal(
    plain: &mut dyn Read,
    length: u64,
    lock: Lock,
    key: Option<&Secret<[u8; 32]>>,
    fresh: &Fresh,
    out: &mut dyn Write,
) -> Result<u64, SealedError> {
    let header = Sealed::make(lock, length, key, fresh)?;
    let chunks = Chunks::new(&fresh.data_key, &header)?;
    out.write_all(header.bytes()).map_err(SealedError::Write)?;
    let size = chunks.size();
    let mut written = header.bytes().len() as u64;
    let mut room = Vec::with_capacity(size + chunk::TAG);
    for number in 0..header.chunks() {
        room.clear();
        let wanted = header.plain_bytes(number);
        let read = plain.take(wanted).read_to_end(&mut room);
        if read.map_err(SealedError::Read)? as u64 != wanted {
            return Err(SealedError::Changed);
        }
        chunks.seal(number, number + 1 == header.chunks(), &mut room)?;
        out.write_all(&room).map_err(SealedError::Write)?;
        written += room.len() as u64;
    }
    // A file that grew is another file.
    let mut more = [0];
    match plain.read(&mut more).map_err(SealedError::Read)? {
        0 => Ok(written),
        _ => Err(SealedError::Changed),
    }
}
