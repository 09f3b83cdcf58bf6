use std::{
    io,
    sync::{Mutex, PoisonError},
};

use bartizan_core::Secret;
use bartizan_formats::Source;

use super::{Sealed, SealedError, Unlock, chunk::Chunks};

/// A sealed file as the plain one: any place of it can be read, and costs the chunk around it.
pub struct Opened<S> {
    source: S,
    head: Sealed,
    chunks: Chunks,
    /// The chunk that was opened last.
    last: Mutex<Option<(u64, Secret<Vec<u8>>)>>,
}

impl<S: Source> Opened<S> {
    /// Proves the head with a key; chunks are opened as they are read.
    ///
    /// # Errors
    /// When it is no sealed file, the key is another one, or the head was altered.
    pub fn new(source: S, with: &Unlock<'_>) -> Result<Self, SealedError> {
        let head = Sealed::read(&source)?;
        let key = head.unlock(with)?;
        let chunks = Chunks::new(&key, &head)?;
        Ok(Self {
            source,
            head,
            chunks,
            last: Mutex::new(None),
        })
    }

    /// Hands every plain byte to `take`, chunk by chunk, each after it was authenticated.
    ///
    /// # Errors
    /// When a chunk was altered or cannot be read, and what `take` returns.
    pub fn each<E: From<SealedError>>(
        &self,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        for number in 0..self.head.chunks() {
            take(self.chunk(number)?.expose())?;
        }
        Ok(())
    }

    fn chunk(&self, number: u64) -> Result<Secret<Vec<u8>>, SealedError> {
        let plain = self.head.plain_bytes(number);
        let length = plain.saturating_add(super::chunk::TAG as u64);
        let mut room = self
            .source
            .read(self.head.place(number), length)
            .map_err(SealedError::Read)?;
        if room.len() as u64 != length {
            return Err(SealedError::Truncated);
        }
        let is_last = number + 1 == self.head.chunks();
        self.chunks.open(number, is_last, &mut room)?;
        Ok(Secret::new(room))
    }
}

impl<S: Source> Source for Opened<S> {
    fn len(&self) -> u64 {
        self.head.length()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let there = self.len().saturating_sub(offset).min(buffer.len() as u64);
        let size = self.head.chunk_size() as u64;
        let mut done = 0;
        while done < there {
            let at = offset.saturating_add(done);
            let number = at / size;
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.as_ref().is_none_or(|(known, _)| *known != number) {
                *last = None;
                *last = Some((number, self.chunk(number).map_err(io::Error::other)?));
            }
            let plain = last.as_ref().map(|(_, plain)| plain.expose().as_slice());
            let from = usize::try_from(at % size).map_err(io::Error::other)?;
            let plain = plain
                .and_then(|plain| plain.get(from..))
                .unwrap_or_default();
            let start = usize::try_from(done).map_err(io::Error::other)?;
            let end = usize::try_from(there).map_err(io::Error::other)?;
            let room = buffer.get_mut(start..end).unwrap_or_default();
            let some = room.len().min(plain.len());
            if let (Some(room), Some(plain)) = (room.get_mut(..some), plain.get(..some)) {
                room.copy_from_slice(plain);
            }
            if some == 0 {
                break;
            }
            done += some as u64;
        }
        usize::try_from(done).map_err(io::Error::other)
    }
}
