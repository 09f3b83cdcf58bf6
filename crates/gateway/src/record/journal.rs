use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use super::{
    Entry,
    frame::{self, Decoded},
};

/// Files to which events are appended before the answer is given, and from which they are moved
/// into the store.
///
/// A `write` that returned has put its bytes into the kernel's page cache, so they outlive the
/// process however it ends. What a crash left half-written at the end is cut off at the next start.
pub(super) struct Journal {
    folder: PathBuf,
    id: String,
    file: File,
    at: Position,
    /// Files that are full, and of which the disk may not have all.
    unsynced: Vec<File>,
    /// Whether the end of the file is not known to be the end of a frame.
    broken: bool,
    /// Takes what would go into the file.
    #[cfg(test)]
    full: Option<File>,
    // Held for its lock.
    _lock: File,
}

/// A place in a journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The number of the file.
    pub segment: u64,
    /// Bytes from its start.
    pub offset: u64,
}

/// Bytes after which a new file is begun.
pub(super) const SEGMENT: u64 = 16 << 20;

impl Journal {
    /// Opens the journal in `folder` and gives the bytes of a torn frame that were cut off its end.
    ///
    /// # Errors
    /// When files cannot be made or read, or another process holds it.
    pub(super) fn open(folder: &Path) -> io::Result<(Self, u64)> {
        private_folder(folder)?;
        let lock = private_file(&folder.join("lock"))?;
        lock.try_lock().map_err(|_| {
            io::Error::new(
                io::ErrorKind::ResourceBusy,
                "another process holds the journal",
            )
        })?;
        let id = identity(&folder.join("id"))?;
        let segment = segments(folder)?.last().copied().unwrap_or(1);
        let mut file = private_file(&path(folder, segment))?;
        let whole = whole_length(&mut file)?;
        let torn = file.metadata()?.len().saturating_sub(whole);
        if torn > 0 {
            file.set_len(whole)?;
        }
        let at = Position {
            segment,
            offset: whole,
        };
        let journal = Self {
            folder: folder.to_owned(),
            id,
            file,
            at,
            unsynced: Vec::new(),
            broken: false,
            #[cfg(test)]
            full: None,
            _lock: lock,
        };
        Ok((journal, torn))
    }

    /// Its name in the store, for several gateways that share one.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Where the next frame goes.
    pub(super) const fn end(&self) -> Position {
        self.at
    }

    /// Appends whole frames; all of them or none.
    ///
    /// # Errors
    /// When the disk is full or broken.
    pub(super) fn append(&mut self, frames: &[u8]) -> io::Result<Position> {
        if self.at.offset >= SEGMENT || self.broken {
            self.next_segment()?;
        }
        if let Err(error) = self.write(frames) {
            // A part of it may be there: the next frame must not follow half of one.
            self.broken = self.file.set_len(self.at.offset).is_err();
            return Err(error);
        }
        self.at.offset += frames.len() as u64;
        Ok(self.at)
    }

    /// Tries whether a frame could be appended now, without leaving one.
    pub(super) fn probe(&mut self) -> io::Result<()> {
        self.append(&[0; 4096])?;
        self.at.offset -= 4096;
        self.broken = true;
        self.file.set_len(self.at.offset)?;
        self.broken = false;
        Ok(())
    }

    /// The files of which the disk may not have all, to wait for it on another thread.
    pub(super) fn unsynced(&mut self) -> io::Result<Unsynced> {
        let current = self.file.try_clone()?;
        let full = std::mem::take(&mut self.unsynced);
        Ok(Unsynced {
            folder: (!full.is_empty()).then(|| self.folder.clone()),
            files: full.into_iter().chain([current]).collect(),
        })
    }

    fn write(&mut self, frames: &[u8]) -> io::Result<()> {
        #[cfg(test)]
        if let Some(full) = &mut self.full {
            return full.write_all(frames);
        }
        self.file.write_all(frames)
    }

    /// Lets the disk be full, or have room again. `/dev/full` takes no byte.
    #[cfg(test)]
    pub(super) fn fill_disk(&mut self, full: bool) {
        self.full = full.then(|| OpenOptions::new().append(true).open("/dev/full").unwrap());
    }

    fn next_segment(&mut self) -> io::Result<()> {
        let segment = self.at.segment + 1;
        let next = private_file(&path(&self.folder, segment))?;
        self.unsynced.push(std::mem::replace(&mut self.file, next));
        self.at = Position { segment, offset: 0 };
        self.broken = false;
        Ok(())
    }
}

/// Files to wait for.
pub(super) struct Unsynced {
    /// The folder, if files were made in it.
    folder: Option<PathBuf>,
    files: Vec<File>,
}

impl Unsynced {
    /// Waits until the disk has all of them.
    pub(super) fn wait(&self) -> io::Result<()> {
        for file in &self.files {
            file.sync_data()?;
        }
        match &self.folder {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

/// What was read of a journal.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) entries: Vec<Entry>,
    /// Where each of them ends.
    pub(super) places: Vec<Position>,
    /// Where the next piece begins.
    pub(super) end: Position,
    /// Bytes that are no frames; they cannot be what was written.
    pub(super) rotten: u64,
}

/// Reads frames between two places, about `bytes` bytes of them, at least one frame.
pub(super) fn read(
    folder: &Path,
    from: Position,
    until: Position,
    bytes: usize,
) -> io::Result<Piece> {
    let mut piece = Piece {
        end: from,
        ..Piece::default()
    };
    let file = File::open(path(folder, from.segment));
    let missing = matches!(&file, Err(error) if error.kind() == io::ErrorKind::NotFound);
    let last = if from.segment < until.segment && missing {
        0
    } else {
        let mut file = file?;
        let length = if from.segment < until.segment {
            file.metadata()?.len()
        } else {
            until.offset
        };
        file.seek(SeekFrom::Start(from.offset))?;
        let left = length.saturating_sub(from.offset);
        let wanted = left.min(bytes.max(frame::MAX_FRAME) as u64);
        let mut buffer = Vec::with_capacity(wanted as usize);
        file.take(wanted).read_to_end(&mut buffer)?;
        let mut rest = buffer.as_slice();
        while !rest.is_empty() {
            match frame::decode(rest) {
                Decoded::Whole(entry, length) => {
                    piece.entries.push(entry);
                    piece.end.offset += length as u64;
                    piece.places.push(piece.end);
                    rest = rest.get(length..).unwrap_or_default();
                }
                // The rest of it comes with the next piece.
                Decoded::Short if wanted < left && !piece.entries.is_empty() => break,
                Decoded::Short | Decoded::Rotten => {
                    // Nothing tells where the next frame begins.
                    piece.rotten = length.saturating_sub(piece.end.offset);
                    piece.end.offset = length;
                    break;
                }
            }
        }
        length
    };
    if piece.end.offset >= last && from.segment < until.segment {
        piece.end = Position {
            segment: from.segment + 1,
            offset: 0,
        };
    }
    Ok(piece)
}

/// Bytes between two places.
pub(super) fn distance(folder: &Path, from: Position, until: Position) -> u64 {
    if from.segment == until.segment {
        return until.offset.saturating_sub(from.offset);
    }
    let length = |segment| fs::metadata(path(folder, segment)).map_or(0, |file| file.len());
    let between: u64 = (from.segment..until.segment).map(length).sum();
    (between + until.offset).saturating_sub(from.offset)
}

/// Removes the files before `segment`, all of which were moved.
pub(super) fn remove_before(folder: &Path, segment: u64) -> io::Result<()> {
    for old in segments(folder)?.into_iter().filter(|&old| old < segment) {
        fs::remove_file(path(folder, old))?;
    }
    Ok(())
}

/// The first place that is still there.
pub(super) fn first(folder: &Path) -> io::Result<Position> {
    Ok(Position {
        segment: segments(folder)?.first().copied().unwrap_or(1),
        offset: 0,
    })
}

fn path(folder: &Path, segment: u64) -> PathBuf {
    folder.join(format!("{segment:012}.journal"))
}

fn segments(folder: &Path) -> io::Result<Vec<u64>> {
    let mut found: Vec<u64> = fs::read_dir(folder)?
        .filter_map(|entry| {
            let name = entry.ok()?.file_name();
            name.to_str()?.strip_suffix(".journal")?.parse().ok()
        })
        .collect();
    found.sort_unstable();
    Ok(found)
}

/// Bytes at the start of a file that are whole frames.
fn whole_length(file: &mut File) -> io::Result<u64> {
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let mut rest = bytes.as_slice();
    while let Decoded::Whole(_, length) = frame::decode(rest) {
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok((bytes.len() - rest.len()) as u64)
}

fn identity(path: &Path) -> io::Result<String> {
    let mut file = private_file(path)?;
    file.seek(SeekFrom::Start(0))?;
    let mut id = String::new();
    file.read_to_string(&mut id)?;
    if id.is_empty() {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        id = random.iter().map(|byte| format!("{byte:02x}")).collect();
        file.write_all(id.as_bytes())?;
        file.sync_all()?;
    }
    Ok(id)
}

pub(super) fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

pub(super) fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{At, Event, Gap, SCHEMA_VERSION, What};

    fn frame(lost: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        let what = What::Gap(Gap {
            lost,
            ..Gap::default()
        });
        let event = Event {
            v: SCHEMA_VERSION,
            timestamp: At(lost),
            request_id: None,
            what,
        };
        frame::encode(&event, &mut bytes);
        bytes
    }

    fn numbers(folder: &Path, until: Position, bytes: usize) -> Vec<u64> {
        let mut from = first(folder).unwrap();
        let mut numbers = Vec::new();
        while from < until {
            let piece = read(folder, from, until, bytes).unwrap();
            assert!(piece.end > from, "stands still at {from:?}");
            numbers.extend(piece.entries.iter().map(|entry| entry.at_ms));
            from = piece.end;
        }
        numbers
    }

    #[test]
    fn gives_back_what_was_appended_over_files_and_starts() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        for start in 0..3 {
            let (mut journal, torn) = Journal::open(folder).unwrap();
            assert_eq!(torn, 0);
            for number in 0..10 {
                journal.append(&frame(start * 10 + number)).unwrap();
            }
            journal.next_segment().unwrap();
        }
        let (journal, _) = Journal::open(folder).unwrap();
        let all: Vec<u64> = (0..30).collect();
        for bytes in [1, 100, 1 << 20] {
            assert_eq!(numbers(folder, journal.end(), bytes), all);
        }
        assert!(Journal::open(folder).is_err(), "two processes");
    }

    #[test]
    fn cuts_off_what_a_crash_left_half_written() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let (mut journal, _) = Journal::open(folder).unwrap();
        let end = journal.append(&frame(1)).unwrap();
        journal.append(&frame(2)).unwrap();
        drop(journal);
        let file = OpenOptions::new()
            .write(true)
            .open(path(folder, 1))
            .unwrap();
        file.set_len(end.offset + 7).unwrap();
        let (mut journal, torn) = Journal::open(folder).unwrap();
        assert_eq!(torn, 7);
        journal.append(&frame(3)).unwrap();
        assert_eq!(numbers(folder, journal.end(), 1 << 20), [1, 3]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_and_leaves_no_half_frame() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let (mut journal, _) = Journal::open(folder).unwrap();
        journal.append(&frame(1)).unwrap();
        journal.fill_disk(true);
        assert!(journal.append(&frame(2)).is_err());
        assert!(journal.probe().is_err());
        journal.fill_disk(false);
        journal.probe().unwrap();
        journal.append(&frame(3)).unwrap();
        assert_eq!(numbers(folder, journal.end(), 1 << 20), [1, 3]);
        assert_eq!(journal.end().segment, 1);
    }

    /// Such a file may end in half a frame.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_cannot_be_cut_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let (mut journal, _) = Journal::open(folder).unwrap();
        journal.append(&frame(1)).unwrap();
        journal.file = OpenOptions::new().append(true).open("/dev/full").unwrap();
        assert!(journal.append(&frame(2)).is_err());
        journal.append(&frame(3)).unwrap();
        assert_eq!(journal.end().segment, 2);
        assert_eq!(numbers(folder, journal.end(), 1 << 20), [1, 3]);
    }
}
