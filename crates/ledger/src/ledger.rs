use std::{io, ops::Range, sync::Arc};

use crate::{
    CHECKPOINT, Checkpoint, CheckpointError, Completed, Edge, Entries, Hash, MAX_ENTRY, Settle,
    SignedCheckpoint, Signer, Storage, TILE_WIDTH, Tile, Trust, bundle_path, encode_entry,
    segment::{self, Body, Decoded, Frame},
    settle::Unsettled,
};

/// A ledger that is written.
///
/// An entry counts as kept when the disk has it in `tail`, in a frame that ends with a signed
/// checkpoint. Tiles and the checkpoint for others are written from memory by [`Ledger::publish`]
/// without waiting, since after a power cut they are written again from the tail.
// INVARIANT: entries from the base of the oldest file in `tail` on are all in `tail`, and the disk
// has the tiles of all before.
pub struct Ledger {
    storage: Arc<dyn Storage>,
    signer: Signer,
    edge: Edge,
    checkpoint: SignedCheckpoint,
    mark: Vec<u8>,
    /// The file of the tail that is appended to, and where.
    segment: u64,
    at: u64,
    /// Whether there may be something behind `at`.
    dirty: bool,
    /// A file of the tail that was not to come to be.
    stray: Option<String>,
    /// The entries behind the last full bundle.
    bundle: Vec<u8>,
    /// Full bundles and tiles that are not written yet.
    unwritten: Vec<(String, Vec<u8>)>,
    unwritten_bytes: usize,
    /// Partial tiles that were written last.
    partials: Vec<String>,
    published: Option<u64>,
    unsettled: Arc<Unsettled>,
}

/// What was found at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Entries whose tiles were written again.
    pub replayed: u64,
    /// Bytes at the end of the tail that a crash left half-written; they were cut off. Nobody was
    /// told that they are kept.
    pub torn_bytes: u64,
}

/// Why a ledger cannot be opened or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The disk is full or broken, or another process writes.
    #[error("the ledger cannot be read or written ({})", .0.kind())]
    Storage(#[from] io::Error),
    /// An entry is too long.
    #[error("an entry has {bytes} bytes, more than {MAX_ENTRY}")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// Entries of one commit are too long together.
    #[error("a commit has more than {} bytes", segment::MAX_COMMIT)]
    TooMuch,
    /// The mark is too long.
    #[error("a mark has more than {} bytes", segment::MAX_MARK)]
    Mark,
    /// The tail is gone.
    #[error(
        "the ledger has a checkpoint but no tail; hint: restore the folder `tail`, or move the ledger away to begin another"
    )]
    NoTail,
    /// The tail is not what was written.
    #[error(
        "the file `{file}` of the ledger is not what was written; hint: `bartizan ledger verify` says more, and a ledger that is moved away is followed by a new one"
    )]
    Altered {
        /// The file.
        file: String,
    },
    /// The tail is signed by another key.
    #[error("the ledger is not signed by this key: {0}")]
    Key(#[from] CheckpointError),
}

impl Ledger {
    /// Opens the ledger in `storage`, or begins one named as the key of `signer`. What a crash left
    /// is put in order.
    ///
    /// # Errors
    /// When its tail was altered or is signed by another key, or files cannot be read or written.
    pub fn open(storage: Arc<dyn Storage>, signer: Signer) -> Result<(Self, Opened), LedgerError> {
        let mut opened = Opened::default();
        let (segments, stale) = segment::numbers(&storage.list(segment::TAIL)?);
        let mut ledger: Option<Self> = None;
        let mut base = 0;
        for (place, &number) in segments.iter().enumerate() {
            let is_last = place + 1 == segments.len();
            let name = segment::path(number);
            let bytes = storage.read(&name, segment::MAX_SEGMENT)?;
            let bytes = bytes.unwrap_or_default();
            if ledger.is_none() {
                ledger = Self::begin(&storage, &signer, number, &bytes)?;
                base = ledger.as_ref().map_or(0, Self::size);
            }
            let whole = match &mut ledger {
                Some(ledger) => ledger.replay(number, &bytes)?,
                None => 0,
            };
            let rest = segment::rest(&bytes, whole);
            if rest.is_empty() && whole > 0 {
                continue;
            }
            // Only the last frame of all can have been in the making.
            if !is_last || segment::has_frame(rest) {
                return Err(LedgerError::Altered { file: name });
            }
            opened.torn_bytes = rest.len() as u64;
            if whole == 0 {
                storage.remove(&name)?;
            } else {
                storage.truncate(&name, whole as u64)?;
            }
        }
        let mut ledger = match ledger {
            Some(ledger) => ledger,
            None if storage.read(CHECKPOINT, u64::from(u16::MAX))?.is_some() => {
                return Err(LedgerError::NoTail);
            }
            None => {
                let mut ledger = Self::empty(storage, signer);
                ledger.next_segment()?;
                ledger
            }
        };
        ledger.refuse_rollback()?;
        let stale = stale.into_iter().map(segment::path);
        ledger.unsettled.pending.lock().segments.splice(0..0, stale);
        opened.replayed = ledger.size() - base;
        ledger.publish()?;
        Ok((ledger, opened))
    }

    /// What was published was in the tail before: a tail that ends earlier was set back, and to go
    /// on from there would be to write another past.
    fn refuse_rollback(&self) -> Result<(), LedgerError> {
        let published = self.storage.read(CHECKPOINT, u64::from(u16::MAX))?;
        let signed = published.and_then(|note| SignedCheckpoint::open(&note, &self.trust()).ok());
        match signed {
            Some(signed) if signed.checkpoint.size > self.edge.size() => {
                Err(LedgerError::Altered {
                    file: segment::TAIL.to_owned(),
                })
            }
            _ => Ok(()),
        }
    }

    fn empty(storage: Arc<dyn Storage>, signer: Signer) -> Self {
        let edge = Edge::default();
        Self {
            storage,
            checkpoint: checkpoint_of(&edge, &signer),
            signer,
            edge,
            mark: Vec::new(),
            segment: 0,
            at: 0,
            dirty: false,
            stray: None,
            bundle: Vec::new(),
            unwritten: Vec::new(),
            unwritten_bytes: 0,
            partials: Vec::new(),
            published: None,
            unsettled: Arc::default(),
        }
    }

    /// A ledger in the state at the beginning of the oldest file; `None` if that has no whole frame.
    fn begin(
        storage: &Arc<dyn Storage>,
        signer: &Signer,
        number: u64,
        bytes: &[u8],
    ) -> Result<Option<Self>, LedgerError> {
        let Decoded::Whole(frame, _) = segment::decode(bytes) else {
            return Ok(None);
        };
        let Body::Base { edge, bundle } = frame.body else {
            return Err(altered(number));
        };
        let mut ledger = Self::empty(Arc::clone(storage), signer.clone());
        ledger.edge = edge;
        ledger.bundle = bundle.to_vec();
        ledger.mark = frame.mark.to_vec();
        Ok(Some(ledger))
    }

    /// Takes in what a file has, and gives how many of its bytes are whole frames.
    fn replay(&mut self, number: u64, bytes: &[u8]) -> Result<usize, LedgerError> {
        let trust = self.trust();
        let mut at = 0;
        while let Decoded::Whole(frame, length) =
            segment::decode(bytes.get(at..).unwrap_or_default())
        {
            let fits = match frame.body {
                Body::Base { edge, bundle } => {
                    at == 0 && edge == self.edge && bundle == self.bundle
                }
                Body::Commit(entries) => {
                    at > 0 && frame.size == self.edge.size() && {
                        let entries: Result<Vec<&[u8]>, _> = Entries::of(entries).collect();
                        let entries = entries.map_err(|_| altered(number))?;
                        self.take_in(&entries);
                        true
                    }
                }
            };
            let signed = SignedCheckpoint::open(frame.note, &trust)?;
            let reached = (self.edge.size(), self.edge.root());
            if !fits || (signed.checkpoint.size, signed.checkpoint.root) != reached {
                return Err(altered(number));
            }
            self.checkpoint = signed;
            self.mark = frame.mark.to_vec();
            at += length;
        }
        if at > 0 {
            let former = std::mem::replace(&mut self.segment, number);
            if former != 0 {
                let mut pending = self.unsettled.pending.lock();
                pending.segments.push(segment::path(former));
            }
            self.at = at as u64;
        }
        Ok(at)
    }

    /// Appends entries, all of them or none, and returns when the disk has them. `mark` is
    /// remembered with them in the same step, in place of the former one.
    ///
    /// # Errors
    /// When an entry or all together are too long, or the disk is full or broken; then nothing has
    /// changed, and the next attempt may succeed.
    pub fn append<E: AsRef<[u8]>>(
        &mut self,
        entries: &[E],
        mark: Option<&[u8]>,
    ) -> Result<Range<u64>, LedgerError> {
        let mut body = Vec::new();
        let mut edge = self.edge.clone();
        let mut completed = Vec::new();
        for entry in entries {
            let entry = entry.as_ref();
            if !encode_entry(entry, &mut body) {
                return Err(LedgerError::TooLong { bytes: entry.len() });
            }
            if body.len() > segment::MAX_COMMIT {
                return Err(LedgerError::TooMuch);
            }
            edge.push(Hash::leaf(entry), &mut completed);
        }
        let from = self.edge.size();
        let mark = mark.unwrap_or(&self.mark);
        if mark.len() > segment::MAX_MARK {
            return Err(LedgerError::Mark);
        }
        let checkpoint = checkpoint_of(&edge, &self.signer);
        let note = checkpoint.note.to_string();
        let frame = Frame {
            size: from,
            mark,
            note: note.as_bytes(),
            body: Body::Commit(&body),
        };
        let mut bytes = Vec::with_capacity(body.len() + 1024);
        if !frame.encode(&mut bytes) {
            return Err(LedgerError::TooMuch);
        }
        let mark = mark.to_vec();
        self.clean()?;
        let appended = self
            .storage
            .append(&segment::path(self.segment), self.at, &bytes);
        if let Err(error) = appended {
            self.dirty = true;
            // Now if it can be, before the next append if not.
            let _ = self.clean();
            return Err(error.into());
        }
        self.at += bytes.len() as u64;
        self.mark = mark;
        self.checkpoint = checkpoint;
        self.put_aside(entries, completed);
        self.edge = edge;
        Ok(from..self.edge.size())
    }

    /// What cannot be known to be whole must not stand before what is acknowledged.
    fn clean(&mut self) -> io::Result<()> {
        if let Some(name) = &self.stray {
            self.storage.remove(name)?;
            self.stray = None;
        }
        if self.dirty {
            self.storage
                .truncate(&segment::path(self.segment), self.at)?;
            self.dirty = false;
        }
        Ok(())
    }

    fn take_in(&mut self, entries: &[&[u8]]) {
        let mut completed = Vec::new();
        for entry in entries {
            self.edge.push(Hash::leaf(entry), &mut completed);
        }
        self.put_aside(entries, completed);
    }

    /// Remembers what is to be written by the next [`Ledger::publish`].
    fn put_aside<E: AsRef<[u8]>>(&mut self, entries: &[E], completed: Vec<Completed>) {
        let mut full = completed
            .iter()
            .filter(|(tile, _)| tile.level == 0)
            .map(|(tile, _)| tile.index);
        // Bundles are as wide as tiles of level 0, and are full together with them.
        let mut index = full.next();
        let mut in_bundle = Entries::of(&self.bundle).count();
        for entry in entries {
            // Its length was looked at before.
            let _ = encode_entry(entry.as_ref(), &mut self.bundle);
            in_bundle += 1;
            if in_bundle == TILE_WIDTH as usize
                && let Some(number) = index
            {
                let bundle = std::mem::take(&mut self.bundle);
                self.unwritten_bytes += bundle.len();
                self.unwritten
                    .push((bundle_path(number, TILE_WIDTH), bundle));
                index = full.next();
                in_bundle = 0;
            }
        }
        for (tile, hashes) in &completed {
            self.unwritten
                .push((tile.path(TILE_WIDTH), bytes_of(hashes)));
        }
    }

    /// Writes tiles and the checkpoint, for readers. Does not wait for the disk.
    ///
    /// # Errors
    /// When the disk is full or broken; what was appended is kept all the same.
    pub fn publish(&mut self) -> Result<(), LedgerError> {
        let size = self.edge.size();
        if self.published == Some(size) {
            return Ok(());
        }
        while let Some((name, bytes)) = self.unwritten.last() {
            self.storage.write(name, bytes)?;
            // At once: a later one may fail, and the tail must not go before the disk has this one.
            self.unsettled.pending.lock().tiles.insert(name.clone());
            self.unwritten.pop();
        }
        self.unwritten_bytes = 0;
        let partials = self.write_partials()?;
        let note = self.checkpoint.note.to_string();
        self.storage.write(CHECKPOINT, note.as_bytes())?;
        // Later ones hold the same and more.
        let mut former = std::mem::replace(&mut self.partials, partials);
        former.retain(|name| !self.partials.contains(name));
        let mut pending = self.unsettled.pending.lock();
        pending.tiles.extend(self.partials.iter().cloned());
        pending.tiles.insert(CHECKPOINT.to_owned());
        for name in &former {
            pending.tiles.remove(name);
        }
        drop(pending);
        self.published = Some(size);
        for name in &former {
            self.storage.remove(name)?;
        }
        Ok(())
    }

    fn write_partials(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        let mut write = |name: String, bytes: &[u8]| {
            self.storage.write(&name, bytes)?;
            names.push(name);
            io::Result::Ok(())
        };
        let size = self.edge.size();
        for (level, hashes) in (0..).zip(self.edge.levels()) {
            if hashes.is_empty() {
                continue;
            }
            let index = size.checked_shr(8 * (u32::from(level) + 1)).unwrap_or(0);
            let width = hashes.len() as u64;
            if level == 0 {
                write(bundle_path(index, width), &self.bundle)?;
            }
            write(Tile { level, index }.path(width), &bytes_of(hashes))?;
        }
        Ok(names)
    }

    /// Begins a new file of the tail if the last one is long; what it gives is to be run, so that
    /// the earlier ones can go.
    ///
    /// # Errors
    /// When the disk is full or broken.
    pub fn rotate(&mut self) -> Result<Option<Settle>, LedgerError> {
        if self.at < segment::SEGMENT {
            return Ok(None);
        }
        self.settle().map(Some)
    }

    /// The same however long the last file is, e.g. at the end.
    ///
    /// # Errors
    /// When the disk is full or broken.
    pub fn settle(&mut self) -> Result<Settle, LedgerError> {
        self.publish()?;
        self.clean()?;
        let former = segment::path(self.segment);
        self.next_segment()?;
        self.unsettled.pending.lock().segments.push(former);
        Ok(Settle {
            storage: Arc::clone(&self.storage),
            unsettled: Arc::clone(&self.unsettled),
        })
    }

    fn next_segment(&mut self) -> Result<(), LedgerError> {
        let number = self.segment + 1;
        let note = self.checkpoint.note.to_string();
        let frame = Frame {
            size: self.edge.size(),
            mark: &self.mark,
            note: note.as_bytes(),
            body: Body::Base {
                edge: self.edge.clone(),
                bundle: &self.bundle,
            },
        };
        let mut bytes = Vec::new();
        if !frame.encode(&mut bytes) {
            return Err(LedgerError::TooMuch);
        }
        let name = segment::path(number);
        if let Err(error) = self.storage.append(&name, 0, &bytes) {
            // A whole one that nobody goes on with would be in the way of the next start.
            self.stray = Some(name);
            let _ = self.clean();
            return Err(error.into());
        }
        self.segment = number;
        self.at = bytes.len() as u64;
        Ok(())
    }

    /// How many entries are kept.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The signed checkpoint behind the last entry.
    #[must_use]
    pub const fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// What was remembered last.
    #[must_use]
    pub fn mark(&self) -> &[u8] {
        &self.mark
    }

    /// Bytes of entries that wait in memory for [`Ledger::publish`].
    #[must_use]
    pub const fn unpublished_bytes(&self) -> usize {
        self.unwritten_bytes + self.bundle.len()
    }

    /// Whose signature its checkpoints have.
    #[must_use]
    pub fn trust(&self) -> Trust {
        Trust {
            ledger: self.signer.verifier(),
            witnesses: Vec::new(),
        }
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger")
            .field("origin", &self.signer.name())
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}

fn checkpoint_of(edge: &Edge, signer: &Signer) -> SignedCheckpoint {
    let checkpoint = Checkpoint {
        origin: signer.name().to_owned(),
        size: edge.size(),
        root: edge.root(),
    };
    checkpoint.sign(signer)
}

fn altered(number: u64) -> LedgerError {
    LedgerError::Altered {
        file: segment::path(number),
    }
}

fn bytes_of(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}
