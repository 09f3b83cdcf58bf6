use std::io;

use parking_lot::Mutex;

use crate::{
    CHECKPOINT, Checkpoint, CheckpointError, Entries, Hash, Inclusion, SignedCheckpoint, Storage,
    TILE_WIDTH, Tile, TlogProof, Trust, bundle::MAX_BUNDLE, bundle_path, edge, inclusion_holds,
    proof::Subtrees,
};

/// A ledger that is read: entries, hashes, and proofs, at some size. Nothing is trusted; proofs are
/// verified before they are given.
pub struct Reader<'a> {
    storage: &'a dyn Storage,
    size: u64,
    /// The tiles that were read last: proofs ask for the same ones again and again.
    recent: Mutex<Vec<(Tile, Vec<Hash>)>>,
}

/// Why a ledger cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no ledger.
    #[error("there is no ledger: `checkpoint` is missing")]
    NoLedger,
    /// A file is missing.
    #[error("the file `{file}` of the ledger is missing")]
    Missing {
        /// The file.
        file: String,
    },
    /// A file is not as long as it must be, or is malformed.
    #[error("the file `{file}` of the ledger is malformed")]
    Malformed {
        /// The file.
        file: String,
    },
    /// A file cannot be read.
    #[error("the file `{file}` of the ledger cannot be read ({})", .error.kind())]
    Storage {
        /// The file.
        file: String,
        /// Why.
        error: io::Error,
    },
    /// There is no such entry.
    #[error("the ledger has {size} entries, none has the number {index}")]
    NoEntry {
        /// The number.
        index: u64,
        /// How many there are.
        size: u64,
    },
    /// What was read does not lead to the checkpoint.
    #[error(
        "the ledger does not lead to its checkpoint; hint: `bartizan ledger verify` says what was altered"
    )]
    Altered,
    /// The checkpoint is not to be trusted.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

const RECENT: usize = 16;

impl<'a> Reader<'a> {
    /// The ledger in `storage` when it had `size` entries.
    #[must_use]
    pub const fn new(storage: &'a dyn Storage, size: u64) -> Self {
        Self {
            storage,
            size,
            recent: Mutex::new(Vec::new()),
        }
    }

    /// The bytes of the newest checkpoint, not verified.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn checkpoint_bytes(storage: &dyn Storage) -> Result<Vec<u8>, ReadError> {
        read(storage, CHECKPOINT, 64 << 10)?.ok_or(ReadError::NoLedger)
    }

    /// The newest checkpoint, and the ledger at its size.
    ///
    /// # Errors
    /// When there is none, or it is not signed as it must be.
    pub fn newest(
        storage: &'a dyn Storage,
        trust: &Trust,
    ) -> Result<(Self, SignedCheckpoint), ReadError> {
        let bytes = Self::checkpoint_bytes(storage)?;
        let signed = SignedCheckpoint::open(&bytes, trust)?;
        Ok((Self::new(storage, signed.checkpoint.size), signed))
    }

    /// How many entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// How many bundles they are in.
    #[must_use]
    pub const fn bundles(&self) -> u64 {
        self.size.div_ceil(TILE_WIDTH)
    }

    /// The bytes of the bundle of that number, and how many entries they must be: more than there
    /// were at this size where the ledger has grown since.
    ///
    /// # Errors
    /// When it is missing or cannot be read.
    pub fn bundle(&self, index: u64) -> Result<(Vec<u8>, usize), ReadError> {
        let width = width(self.size, index);
        let (bytes, width) =
            self.read_at_least(|width| bundle_path(index, width), width, MAX_BUNDLE)?;
        Ok((bytes, width as usize))
    }

    /// The entry of that number.
    ///
    /// # Errors
    /// When there is none, or its bundle cannot be read.
    pub fn entry(&self, index: u64) -> Result<Vec<u8>, ReadError> {
        let no_entry = || ReadError::NoEntry {
            index,
            size: self.size,
        };
        if index >= self.size {
            return Err(no_entry());
        }
        let number = index / TILE_WIDTH;
        let (bundle, width) = self.bundle(number)?;
        let place = (index % TILE_WIDTH) as usize;
        match Entries::of(&bundle).nth(place) {
            Some(Ok(entry)) => Ok(entry.to_vec()),
            _ => Err(ReadError::Malformed {
                file: bundle_path(number, width as u64),
            }),
        }
    }

    /// The hashes of a tile, as far as they were there at this size.
    ///
    /// # Errors
    /// When it is missing, too short, or cannot be read.
    pub fn tile(&self, tile: Tile) -> Result<Vec<Hash>, ReadError> {
        let mut recent = self.recent.lock();
        if let Some((_, hashes)) = recent.iter().find(|(known, _)| *known == tile) {
            return Ok(hashes.clone());
        }
        let nodes = self.size.checked_shr(8 * u32::from(tile.level));
        let width = width(nodes.unwrap_or(0), tile.index);
        let (bytes, there) =
            self.read_at_least(|width| tile.path(width), width, 32 * TILE_WIDTH)?;
        if bytes.len() as u64 != 32 * there {
            return Err(ReadError::Malformed {
                file: tile.path(there),
            });
        }
        let hashes: Vec<Hash> = bytes
            .chunks_exact(32)
            .filter_map(|hash| Some(Hash::from_bytes(hash.try_into().ok()?)))
            .take(width as usize)
            .collect();
        if recent.len() >= RECENT {
            recent.remove(0);
        }
        recent.push((tile, hashes.clone()));
        Ok(hashes)
    }

    /// A file of `width` or, where the ledger has grown since, of more.
    fn read_at_least(
        &self,
        path: impl Fn(u64) -> String,
        width: u64,
        max: u64,
    ) -> Result<(Vec<u8>, u64), ReadError> {
        let missing = || ReadError::Missing { file: path(width) };
        if width == 0 {
            return Err(missing());
        }
        // A partial one may be replaced by a wider one between two looks.
        for _ in 0..8 {
            for width in [width, TILE_WIDTH] {
                if let Some(bytes) = read(self.storage, &path(width), max)? {
                    return Ok((bytes, width));
                }
            }
            let folder = format!("{}.p", path(TILE_WIDTH));
            let storage = |error| ReadError::Storage {
                file: folder.clone(),
                error,
            };
            let wider = self.storage.list(&folder).map_err(storage)?;
            let wider = wider.iter().filter_map(|name| name.parse().ok());
            let Some(wider) = wider
                .filter(|other| (width..TILE_WIDTH).contains(other))
                .max()
            else {
                break;
            };
            if let Some(bytes) = read(self.storage, &path(wider), max)? {
                return Ok((bytes, wider));
            }
        }
        // It may have become full just now.
        let full = read(self.storage, &path(TILE_WIDTH), max)?.ok_or_else(missing)?;
        Ok((full, TILE_WIDTH))
    }

    /// The root at this size, from tiles.
    ///
    /// # Errors
    /// When tiles cannot be read.
    pub fn root(&self) -> Result<Hash, ReadError> {
        self.over(0, self.size)
    }

    /// That the entry of that number is in the ledger of `checkpoint`.
    ///
    /// # Errors
    /// When there is none, tiles cannot be read, or they do not lead to the checkpoint.
    pub fn inclusion(&self, index: u64, checkpoint: &Checkpoint) -> Result<Inclusion, ReadError> {
        let size = checkpoint.size.min(self.size);
        if index >= size {
            return Err(ReadError::NoEntry { index, size });
        }
        let inclusion = Subtrees::inclusion(self, index, size)?;
        let leaf = self.subtree(0, index)?;
        inclusion_holds(leaf, &inclusion, size, checkpoint.root).map_err(|_| ReadError::Altered)?;
        Ok(inclusion)
    }

    /// The same in the form that third parties check, with the entry that it proves.
    ///
    /// # Errors
    /// When there is none, files cannot be read, or they do not lead to the checkpoint.
    pub fn prove(
        &self,
        index: u64,
        signed: &SignedCheckpoint,
    ) -> Result<(TlogProof, Vec<u8>), ReadError> {
        let inclusion = self.inclusion(index, &signed.checkpoint)?;
        let entry = self.entry(index)?;
        if Hash::leaf(&entry) != self.subtree(0, index)? {
            return Err(ReadError::Altered);
        }
        let proof = TlogProof {
            inclusion,
            checkpoint: signed.note.to_string(),
        };
        Ok((proof, entry))
    }

    /// That the ledger of `old` entries is the beginning of this one.
    ///
    /// # Errors
    /// When tiles cannot be read, or there were never so few.
    pub fn consistency(&self, old: u64) -> Result<Vec<Hash>, ReadError> {
        if old > self.size {
            return Err(ReadError::NoEntry {
                index: old,
                size: self.size,
            });
        }
        Subtrees::consistency(self, old, self.size)
    }
}

impl Subtrees for Reader<'_> {
    type Error = ReadError;

    fn subtree(&self, height: u32, index: u64) -> Result<Hash, ReadError> {
        let (level, within) = (height / 8, height % 8);
        let first = index << within;
        let tile = Tile {
            level: level as u8,
            index: first / TILE_WIDTH,
        };
        let hashes = self.tile(tile)?;
        let place = (first % TILE_WIDTH) as usize;
        match hashes.get(place..place + (1 << within)) {
            Some(hashes) => Ok(edge::root(hashes)),
            None => Err(ReadError::Malformed {
                file: tile.path(TILE_WIDTH),
            }),
        }
    }
}

/// How many of `nodes` are in the tile of that number.
pub(crate) const fn width(nodes: u64, index: u64) -> u64 {
    let left = nodes.saturating_sub(index.saturating_mul(TILE_WIDTH));
    if left < TILE_WIDTH { left } else { TILE_WIDTH }
}

fn read(storage: &dyn Storage, name: &str, max: u64) -> Result<Option<Vec<u8>>, ReadError> {
    storage.read(name, max).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => ReadError::Malformed {
            file: name.to_owned(),
        },
        _ => ReadError::Storage {
            file: name.to_owned(),
            error,
        },
    })
}

impl std::fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}
