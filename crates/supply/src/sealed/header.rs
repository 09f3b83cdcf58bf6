use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hmac,
};
use bartizan_core::Secret;
use bartizan_formats::{ParseError, Reader, Source};

use super::{
    Fresh, SealedError, Unlock,
    chunk::{MAX_CHUNKS, TAG, derive},
};

const MAGIC: &[u8; 8] = b"BZSEALED";
const VERSION: u8 = 1;

/// A chunk has 256 KiB: long enough that its tag costs nothing, short enough to be opened alone.
const CHUNK_BITS: u8 = 18;

/// Chunks that readers take: 4 KiB to 4 MiB.
const CHUNK_RANGE: std::ops::RangeInclusive<u8> = 12..=22;

/// Bytes of a wrapped key: nonce, key, tag.
const WRAPPED: usize = 12 + 32 + TAG;

/// Bytes of the code that ends the head.
const CODE: usize = 32;

/// Most bytes of a name or a token of a service.
const MAX_TEXT: usize = 4 << 10;

/// How the key of a file is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Under a key of 32 bytes.
    Key,
    /// Under a passphrase, stretched with this salt by Argon2id as RFC 9106, section 4, recommends
    /// second.
    Passphrase {
        /// Random, and of this file only.
        salt: [u8; 16],
    },
    /// By a service: Vault's transit engine.
    Transit {
        /// Where the engine is mounted.
        mount: String,
        /// The key's name in it.
        key: String,
        /// What the service needs to give the file's key.
        token: String,
    },
}

/// The head of a sealed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    lock: Lock,
    length: u64,
    chunk_bits: u8,
    /// Which key wraps, and what it wrapped.
    wrapped: Option<([u8; 8], [u8; WRAPPED])>,
    /// Everything up to the code, and the code.
    bytes: Vec<u8>,
}

impl Sealed {
    /// Whether a file begins as a sealed one does.
    #[must_use]
    pub fn is(source: &dyn Source) -> bool {
        source
            .read(0, MAGIC.len() as u64)
            .is_ok_and(|start| start == MAGIC)
    }

    /// Reads the head. What it says is proved by [`super::Opened::new`] only.
    ///
    /// # Errors
    /// When it is none, or the file has not as many bytes as it says.
    pub fn read(source: &dyn Source) -> Result<Self, SealedError> {
        if !Self::is(source) {
            return Err(SealedError::NotSealed);
        }
        let what = "the head of a sealed file";
        let mut reader = Reader::new(source, MAGIC.len() as u64);
        let cut = |error: ParseError| match error {
            ParseError::Io(error) => SealedError::Read(error),
            _ => SealedError::Truncated,
        };
        let version = reader.u8(what).map_err(cut)?;
        if version != VERSION {
            return Err(SealedError::Version(version));
        }
        let chunk_bits = reader.u8(what).map_err(cut)?;
        if !CHUNK_RANGE.contains(&chunk_bits) {
            return Err(SealedError::Head("chunks of an odd size"));
        }
        let length = reader.u64(what).map_err(cut)?;
        let kind = reader.u8(what).map_err(cut)?;
        let text = |reader: &mut Reader<'_>| {
            let length = u64::from(reader.u16(what).map_err(cut)?);
            if length > MAX_TEXT as u64 {
                return Err(SealedError::Head("a name that is too long"));
            }
            let bytes = reader.bytes(length, MAX_TEXT as u64, what).map_err(cut)?;
            String::from_utf8(bytes).map_err(|_| SealedError::Head("a name that is no UTF-8"))
        };
        let lock = match kind {
            1 => Lock::Key,
            2 => Lock::Passphrase {
                salt: reader.array(what).map_err(cut)?,
            },
            3 => Lock::Transit {
                mount: text(&mut reader)?,
                key: text(&mut reader)?,
                token: text(&mut reader)?,
            },
            _ => return Err(SealedError::Head("a lock of an unknown kind")),
        };
        let wrapped = if kind == 3 {
            None
        } else {
            Some((
                reader.array(what).map_err(cut)?,
                reader.array(what).map_err(cut)?,
            ))
        };
        let end = reader.position().saturating_add(CODE as u64);
        let bytes = source.read(0, end).map_err(SealedError::Read)?;
        let head = Self {
            lock,
            length,
            chunk_bits,
            wrapped,
            bytes,
        };
        if head.chunks() > MAX_CHUNKS {
            return Err(SealedError::TooLong);
        }
        let tags = head.chunks().saturating_mul(TAG as u64);
        let whole = end.saturating_add(length).saturating_add(tags);
        match source.len().cmp(&whole) {
            std::cmp::Ordering::Less => Err(SealedError::Truncated),
            std::cmp::Ordering::Greater => Err(SealedError::Trailing),
            std::cmp::Ordering::Equal => Ok(head),
        }
    }

    pub(super) fn make(
        lock: Lock,
        length: u64,
        key: Option<&Secret<[u8; 32]>>,
        fresh: &Fresh,
    ) -> Result<Self, SealedError> {
        let wrapped = match (&lock, key) {
            (Lock::Transit { .. }, None) => None,
            (Lock::Key | Lock::Passphrase { .. }, Some(key)) => Some(wrap(key, fresh)?),
            _ => return Err(SealedError::Kind),
        };
        let mut bytes = MAGIC.to_vec();
        bytes.extend([VERSION, CHUNK_BITS]);
        bytes.extend(length.to_le_bytes());
        match &lock {
            Lock::Key => bytes.push(1),
            Lock::Passphrase { salt } => {
                bytes.push(2);
                bytes.extend(salt);
            }
            Lock::Transit { mount, key, token } => {
                bytes.push(3);
                for text in [mount, key, token] {
                    let length = u16::try_from(text.len()).ok();
                    let length = length.filter(|length| usize::from(*length) <= MAX_TEXT);
                    let length = length.ok_or(SealedError::Head("a name that is too long"))?;
                    bytes.extend(length.to_le_bytes());
                    bytes.extend(text.as_bytes());
                }
            }
        }
        if let Some((id, wrapped)) = &wrapped {
            bytes.extend(id);
            bytes.extend(wrapped);
        }
        let code = hmac::sign(&code_key(&fresh.data_key)?, &bytes);
        bytes.extend(code.as_ref());
        let head = Self {
            lock,
            length,
            chunk_bits: CHUNK_BITS,
            wrapped,
            bytes,
        };
        if head.chunks() > MAX_CHUNKS {
            return Err(SealedError::TooLong);
        }
        Ok(head)
    }

    /// How its key is kept.
    #[must_use]
    pub const fn lock(&self) -> &Lock {
        &self.lock
    }

    /// Plain bytes of the file.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) const fn chunk_size(&self) -> usize {
        1 << self.chunk_bits
    }

    /// How many chunks there are; a file without bytes has one.
    pub(super) fn chunks(&self) -> u64 {
        self.length.div_ceil(1 << self.chunk_bits).max(1)
    }

    /// Plain bytes of a chunk.
    pub(super) fn plain_bytes(&self, number: u64) -> u64 {
        let start = number.saturating_mul(1 << self.chunk_bits);
        self.length.saturating_sub(start).min(1 << self.chunk_bits)
    }

    /// Where a chunk begins in the sealed file.
    pub(super) fn place(&self, number: u64) -> u64 {
        let step = (1_u64 << self.chunk_bits) + TAG as u64;
        (self.bytes.len() as u64).saturating_add(number.saturating_mul(step))
    }

    /// The file's own key, after the head was proved with it.
    pub(super) fn unlock(&self, with: &Unlock<'_>) -> Result<Secret<[u8; 32]>, SealedError> {
        let key = match (with, &self.wrapped) {
            (Unlock::Key(key), Some((id, wrapped))) => unwrap(key, *id, wrapped)?,
            (Unlock::DataKey(key), None) => Secret::new(*key.expose()),
            _ => return Err(SealedError::Kind),
        };
        let at = self.bytes.len().saturating_sub(CODE);
        let (head, code) = self.bytes.split_at_checked(at).unwrap_or_default();
        hmac::verify(&code_key(&key)?, head, code).map_err(|_| SealedError::AlteredHead)?;
        Ok(key)
    }
}

fn code_key(data_key: &Secret<[u8; 32]>) -> Result<hmac::Key, SealedError> {
    let key = derive(data_key.expose(), b"", "head")?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, key.expose()))
}

/// Tells keys apart and says nothing about them.
fn id_of(key: &Secret<[u8; 32]>) -> Result<[u8; 8], SealedError> {
    let id = derive(key.expose(), b"", "id")?;
    let (id, _) = id
        .expose()
        .split_first_chunk()
        .ok_or(SealedError::Library)?;
    Ok(*id)
}

fn wrapping(key: &Secret<[u8; 32]>) -> Result<LessSafeKey, SealedError> {
    let key = derive(key.expose(), b"", "wrap")?;
    Ok(LessSafeKey::new(UnboundKey::new(
        &AES_256_GCM,
        key.expose(),
    )?))
}

fn wrap(key: &Secret<[u8; 32]>, fresh: &Fresh) -> Result<([u8; 8], [u8; WRAPPED]), SealedError> {
    let nonce = Nonce::assume_unique_for_key(fresh.nonce);
    let mut room = *fresh.data_key.expose();
    let tag = wrapping(key)?.seal_in_place_separate_tag(nonce, Aad::empty(), &mut room)?;
    let wrapped = [&fresh.nonce[..], &room, tag.as_ref()].concat();
    let wrapped = wrapped.try_into().map_err(|_| SealedError::Library)?;
    Ok((id_of(key)?, wrapped))
}

fn unwrap(
    key: &Secret<[u8; 32]>,
    id: [u8; 8],
    wrapped: &[u8; WRAPPED],
) -> Result<Secret<[u8; 32]>, SealedError> {
    if id_of(key)? != id {
        return Err(SealedError::WrongKey);
    }
    let (nonce, sealed) = wrapped.split_first_chunk().ok_or(SealedError::Library)?;
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let mut room = sealed.to_vec();
    let plain = wrapping(key)?.open_in_place(nonce, Aad::empty(), &mut room);
    // The key is the right one by its id, so what it wrapped was altered.
    let plain: &[u8] = plain.map_err(|_| SealedError::AlteredHead)?;
    let key = plain.try_into().map(Secret::new);
    zeroize::Zeroize::zeroize(&mut room);
    key.map_err(|_| SealedError::Library)
}
