use std::collections::BTreeMap;

use crate::{
    CHECKPOINT, Completed, Damage, Edge, Entries, Hash, Kind, ReadError, Reader, SignedCheckpoint,
    Storage, TILE_WIDTH, Tile, Trust, bundle_path,
    proof::Subtrees,
    segment::{self, Body, Decoded},
};

/// What a look at a whole ledger came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its newest checkpoint, where the signature is right.
    pub checkpoint: Option<SignedCheckpoint>,
    /// How many entries were looked at and are what was written.
    pub entries: u64,
    /// How many more are kept in `tail` and not published yet.
    pub unpublished: u64,
    /// Bytes at the end of `tail` that are no whole frame: a crash left them, or somebody cut it.
    /// The next start of the writer removes them.
    pub torn_bytes: u64,
    /// The first thing that is wrong.
    pub damage: Option<Damage>,
}

/// Reads every entry of the ledger in `storage` and holds it against the tiles, the newest
/// checkpoint, what is in `tail`, and `against`: checkpoints that were kept elsewhere, whose
/// signatures were verified. `tail` is passed over while another process writes.
///
/// # Errors
/// When there is no ledger, or its files cannot be read; what is wrong with it is no error.
pub fn verify(
    storage: &dyn Storage,
    trust: &Trust,
    against: &[SignedCheckpoint],
    is_written: bool,
) -> Result<Outcome, ReadError> {
    let mut outcome = Outcome {
        checkpoint: None,
        entries: 0,
        unpublished: 0,
        torn_bytes: 0,
        damage: None,
    };
    let bytes = Reader::checkpoint_bytes(storage)?;
    let Ok(signed) = SignedCheckpoint::open(&bytes, trust) else {
        outcome.damage = Some(at_checkpoint(Kind::CheckpointSignature, None));
        return Ok(outcome);
    };
    let size = signed.checkpoint.size;
    let mut walk = Walk {
        reader: Reader::new(storage, size),
        root: signed.checkpoint.root,
        edge: Edge::default(),
        waypoints: Waypoints::default(),
        sure: 0,
        upper: None,
    };
    for old in against {
        if old.checkpoint.size > size {
            outcome.damage = Some(at_checkpoint(Kind::Rollback, Some(size)));
        }
        let file = CHECKPOINT.to_owned();
        walk.waypoints.add(old, Kind::Rollback, file);
    }
    outcome.checkpoint = Some(signed);
    if outcome.damage.is_some() {
        return Ok(outcome);
    }
    let tail = if is_written {
        Tail::default()
    } else {
        Tail::read(storage, trust, &mut walk.waypoints)?
    };
    outcome.torn_bytes = tail.torn_bytes;
    outcome.damage = damage(walk.run())?.or(tail.damage);
    outcome.entries = match &outcome.damage {
        None => size,
        Some(damage) => walk.edge.size().min(damage.entry.unwrap_or(size)),
    };
    if let Some(end) = tail.end {
        outcome.unpublished = end.saturating_sub(size);
        // What is published was in the tail before.
        if end < size && outcome.damage.is_none() {
            outcome.damage = Some(Damage {
                kind: Kind::Truncated,
                entry: Some(end),
                exact: false,
                file: segment::TAIL.to_owned(),
            });
        }
    }
    Ok(outcome)
}

/// Bundles in which the place of an entry is looked for: 16 million entries. A size is only a number.
const SEARCHED: usize = 1 << 16;

/// What is missing or malformed is damage; what cannot be read is not known.
fn damage(walked: Result<Option<Damage>, Stop>) -> Result<Option<Damage>, ReadError> {
    match walked {
        Ok(damage) => Ok(damage),
        Err(Stop::Damage(damage)) => Ok(Some(damage)),
        Err(Stop::Error(error)) => Err(error),
    }
}

enum Stop {
    Damage(Damage),
    Error(ReadError),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        let (kind, file) = match error {
            ReadError::Missing { file } => (Kind::Missing, file),
            ReadError::Malformed { file } => (Kind::Altered, file),
            error => return Self::Error(error),
        };
        Self::Damage(Damage {
            kind,
            entry: None,
            exact: false,
            file,
        })
    }
}

fn at_checkpoint(kind: Kind, entry: Option<u64>) -> Damage {
    Damage {
        kind,
        exact: kind == Kind::Rollback,
        entry,
        file: CHECKPOINT.to_owned(),
    }
}

/// Roots that the ledger must have had on its way.
#[derive(Default)]
struct Waypoints(BTreeMap<u64, Vec<(Hash, Kind, String)>>);

impl Waypoints {
    fn add(&mut self, signed: &SignedCheckpoint, kind: Kind, file: String) {
        let roots = self.0.entry(signed.checkpoint.size).or_default();
        roots.push((signed.checkpoint.root, kind, file));
    }
}

struct Walk<'a> {
    reader: Reader<'a>,
    /// What the newest checkpoint says that all of it leads to.
    root: Hash,
    edge: Edge,
    waypoints: Waypoints,
    /// Entries that are sure to be what they were, by a checkpoint on the way.
    sure: u64,
    /// The first tile above the leaves that is not what the leaves say.
    upper: Option<Damage>,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<Option<Damage>, Stop> {
        self.pass()?;
        for number in 0..self.reader.bundles() {
            self.bundle(number)?;
        }
        let levels = self.edge.levels().to_vec();
        for (level, hashes) in (0..).zip(levels).skip(1) {
            if !hashes.is_empty() {
                let index = self.edge.size().checked_shr(8 * (u32::from(level) + 1));
                let index = index.unwrap_or(0);
                self.compare(&[(Tile { level, index }, hashes)])?;
            }
        }
        if let Some(upper) = self.upper.take() {
            return Ok(Some(upper));
        }
        if self.edge.root() == self.root {
            return Ok(None);
        }
        Ok(Some(Damage {
            exact: false,
            ..at_checkpoint(Kind::Altered, Some(self.sure))
        }))
    }

    fn bundle(&mut self, number: u64) -> Result<(), Stop> {
        let first = number * TILE_WIDTH;
        let tile = Tile {
            level: 0,
            index: number,
        };
        let truth = self
            .reader
            .tile(tile)
            .map_err(|error| self.at(first, error))?;
        let bundle = self.reader.bundle(number);
        let (bytes, width) = bundle.map_err(|error| self.at(first, error))?;
        let (mut leaves, mut whole) = (Vec::with_capacity(width), true);
        for entry in Entries::of(&bytes).take(TILE_WIDTH as usize + 1) {
            match entry {
                Ok(entry) => leaves.push(Hash::leaf(entry)),
                Err(_) => whole = false,
            }
        }
        let right = whole && leaves.len() == width;
        if !right || leaves.get(..truth.len()) != Some(&truth) {
            return Err(Stop::Damage(self.classify(number, &leaves, &truth, width)?));
        }
        let mut completed = Vec::new();
        for leaf in truth {
            self.edge.push(leaf, &mut completed);
            self.pass()?;
        }
        completed.retain(|(tile, _)| tile.level > 0);
        self.compare(&completed)
    }

    /// Holds what the leaves say against the tiles above them.
    fn compare(&mut self, completed: &[Completed]) -> Result<(), Stop> {
        for (tile, hashes) in completed {
            if self.upper.is_some() {
                return Ok(());
            }
            let span = 1 << (8 * u32::from(tile.level)).min(63);
            let first = tile.index.saturating_mul(TILE_WIDTH).saturating_mul(span);
            let stored = self
                .reader
                .tile(*tile)
                .map_err(|error| self.at(first, error))?;
            let differs = hashes.iter().zip(&stored).position(|(a, b)| a != b);
            let place = match differs {
                Some(place) => place as u64,
                None if hashes.len() == stored.len() => continue,
                None => 0,
            };
            self.upper = Some(Damage {
                kind: Kind::Altered,
                entry: Some(first + place * span),
                exact: false,
                file: tile.path(stored.len() as u64),
            });
        }
        Ok(())
    }

    /// Holds the root against the checkpoints on the way.
    fn pass(&mut self) -> Result<(), Stop> {
        let size = self.edge.size();
        let Some(roots) = self.waypoints.0.remove(&size) else {
            return Ok(());
        };
        let root = self.edge.root();
        match roots.into_iter().find(|(known, ..)| *known != root) {
            None => {
                self.sure = size;
                Ok(())
            }
            Some((_, kind, file)) => Err(Stop::Damage(self.upper.take().unwrap_or(Damage {
                kind,
                entry: Some(self.sure),
                exact: false,
                file,
            }))),
        }
    }

    /// A file that is needed for the entries from `first` on is missing or malformed.
    fn at(&self, first: u64, error: ReadError) -> Stop {
        let mut damage = match Stop::from(error) {
            Stop::Damage(damage) => damage,
            stop @ Stop::Error(_) => return stop,
        };
        let later = (first / TILE_WIDTH + 1..self.reader.bundles())
            .take(SEARCHED)
            .any(|number| self.reader.bundle(number).is_ok());
        if damage.kind == Kind::Missing && !later {
            damage.kind = Kind::Truncated;
        }
        damage.entry = Some(first);
        damage.exact = true;
        Stop::Damage(damage)
    }

    /// Says what was done to a bundle that is not what its tile says, or to the tile.
    fn classify(
        &self,
        number: u64,
        leaves: &[Hash],
        truth: &[Hash],
        width: usize,
    ) -> Result<Damage, Stop> {
        let place = leaves
            .iter()
            .zip(truth)
            .position(|(a, b)| a != b)
            .unwrap_or_else(|| leaves.len().min(truth.len()));
        let entry = number * TILE_WIDTH + place as u64;
        let damage = |kind, exact| Damage {
            kind,
            entry: Some(entry),
            exact,
            file: bundle_path(number, width as u64),
        };
        if !self.is_authentic(number, truth) {
            // The entries may be right and the tile wrong, or nothing may be known.
            let same = leaves.get(..truth.len()).filter(|_| leaves.len() == width);
            let tile = Tile {
                level: 0,
                index: number,
            };
            return Ok(match same {
                Some(leaves) if self.is_authentic(number, leaves) => Damage {
                    file: tile.path(truth.len() as u64),
                    ..damage(Kind::Altered, true)
                },
                _ => damage(Kind::Altered, false),
            });
        }
        let Some(found) = leaves.get(place) else {
            let end = number + 1 == self.reader.bundles();
            let kind = if end { Kind::Truncated } else { Kind::Missing };
            return Ok(damage(kind, true));
        };
        let Some(wanted) = truth.get(place) else {
            return Ok(damage(Kind::Inserted, true));
        };
        let kind = match self.place_of(*found, entry) {
            Some(other) => {
                let there = self.reader.entry(other).map(|entry| Hash::leaf(&entry));
                if there.is_ok_and(|leaf| leaf == *wanted) {
                    Kind::Swapped
                } else {
                    Kind::Missing
                }
            }
            None if leaves.get(place + 1..).unwrap_or_default().contains(wanted) => Kind::Inserted,
            None if place as u64 == TILE_WIDTH - 1
                && (self.reader.entry(entry + 1))
                    .is_ok_and(|next| Hash::leaf(&next) == *wanted) =>
            {
                Kind::Inserted
            }
            None => Kind::Altered,
        };
        Ok(damage(kind, true))
    }

    /// Where an entry that stands too early belongs.
    fn place_of(&self, leaf: Hash, after: u64) -> Option<u64> {
        let mut bundles = (after / TILE_WIDTH..self.reader.bundles()).take(SEARCHED);
        bundles.find_map(|index| {
            let tile = self.reader.tile(Tile { level: 0, index }).ok()?;
            (index * TILE_WIDTH..)
                .zip(tile)
                .find(|(number, hash)| *number > after && *hash == leaf)
                .map(|(number, _)| number)
        })
    }

    /// Whether these hashes of leaves lead to the checkpoint, with the tiles beside and above.
    fn is_authentic(&self, number: u64, leaves: &[Hash]) -> bool {
        let instead = Instead {
            reader: &self.reader,
            number,
            leaves,
        };
        instead
            .over(0, self.reader.size())
            .is_ok_and(|root| root == self.root)
    }
}

/// A tree with other hashes in one tile of leaves.
struct Instead<'a> {
    reader: &'a Reader<'a>,
    number: u64,
    leaves: &'a [Hash],
}

impl Subtrees for Instead<'_> {
    type Error = ReadError;

    fn subtree(&self, height: u32, index: u64) -> Result<Hash, ReadError> {
        let first = index << height;
        let (from, to) = (
            first / TILE_WIDTH,
            (first + ((1 << height) - 1)) / TILE_WIDTH,
        );
        if !(from..=to).contains(&self.number) {
            return self.reader.subtree(height, index);
        }
        if height > 8 {
            let left = self.subtree(height - 1, 2 * index)?;
            return Ok(Hash::node(left, self.subtree(height - 1, 2 * index + 1)?));
        }
        let place = (first % TILE_WIDTH) as usize;
        let hashes = self.leaves.get(place..place + (1 << height));
        hashes.map(crate::edge::root).ok_or(ReadError::Altered)
    }
}

/// What the files of the tail say.
#[derive(Default)]
struct Tail {
    /// How many entries the ledger has by the last whole frame; `None` without a tail.
    end: Option<u64>,
    torn_bytes: u64,
    damage: Option<Damage>,
}

impl Tail {
    /// Reads the files, each frame of which must go on where the last one ended, and be signed.
    /// Their checkpoints must be passed on the way.
    fn read(
        storage: &dyn Storage,
        trust: &Trust,
        waypoints: &mut Waypoints,
    ) -> Result<Self, ReadError> {
        let failed = |error| ReadError::Storage {
            file: segment::TAIL.to_owned(),
            error,
        };
        let names = storage.list(segment::TAIL).map_err(failed)?;
        let (numbers, _) = segment::numbers(&names);
        let mut tail = Self::default();
        let mut edge: Option<Edge> = None;
        for (place, &number) in numbers.iter().enumerate() {
            let file = segment::path(number);
            let bytes = storage.read(&file, segment::MAX_SEGMENT).map_err(failed)?;
            let bytes = bytes.unwrap_or_default();
            let mut at = 0;
            while let Decoded::Whole(frame, length) =
                segment::decode(bytes.get(at..).unwrap_or_default())
            {
                let signed = SignedCheckpoint::open(frame.note, trust).ok();
                let next = follow(edge.take(), frame.body, frame.size, at == 0);
                let right = match (&next, &signed) {
                    (Some(edge), Some(signed)) => {
                        let reached = (edge.size(), edge.root());
                        (signed.checkpoint.size, signed.checkpoint.root) == reached
                    }
                    _ => false,
                };
                let (Some(next), Some(signed), true) = (next, signed, right) else {
                    tail.damage = Some(altered(Some(frame.size), file));
                    return Ok(tail);
                };
                waypoints.add(&signed, Kind::Altered, file.clone());
                tail.end = Some(next.size());
                edge = Some(next);
                at += length;
            }
            let rest = segment::rest(&bytes, at);
            let is_last = place + 1 == numbers.len();
            if at > 0 && rest.is_empty() {
                continue;
            }
            if !is_last || segment::has_frame(rest) {
                tail.damage = Some(altered(tail.end, file));
                return Ok(tail);
            }
            tail.torn_bytes = rest.len().max(1) as u64;
        }
        Ok(tail)
    }
}

fn altered(entry: Option<u64>, file: String) -> Damage {
    Damage {
        kind: Kind::Altered,
        entry,
        exact: false,
        file,
    }
}

/// The tree after a frame; `None` if the frame does not go on where the last one ended.
fn follow(before: Option<Edge>, body: Body<'_>, size: u64, is_first: bool) -> Option<Edge> {
    match body {
        Body::Base { edge, .. } => {
            let goes_on = before.is_none_or(|before| before == edge);
            (is_first && goes_on).then_some(edge)
        }
        Body::Commit(entries) => {
            let mut edge = before.filter(|before| !is_first && before.size() == size)?;
            let mut completed = Vec::new();
            for entry in Entries::of(entries) {
                edge.push(Hash::leaf(entry.ok()?), &mut completed);
                completed.clear();
            }
            Some(edge)
        }
    }
}
