use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    num::{NonZeroU64, NonZeroUsize},
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use bartizan_formats::Source;

use super::{Algorithm, Digest, DigestError, Hasher, Manifest, Resource, ResourceName, Tree};

/// Bytes that are read at once: they fit into the second-level cache together with the tables.
pub(crate) const BLOCK: usize = 128 << 10;

/// How finely files are digested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Granularity {
    /// Whole files.
    #[default]
    Files,
    /// Pieces of at most that many bytes, so that several processors work on one file. Files
    /// without bytes have no pieces and are not covered.
    Shards(NonZeroU64),
}

impl Granularity {
    /// The pieces of a file of `length` bytes.
    pub fn ranges(self, length: u64) -> impl Iterator<Item = Option<(u64, u64)>> {
        let (whole, size) = match self {
            Self::Files => (true, NonZeroU64::MIN),
            Self::Shards(size) => (false, size),
        };
        let shards = if whole {
            0
        } else {
            length.div_ceil(size.get())
        };
        let shard = move |number: u64| {
            let start = number.saturating_mul(size.get());
            Some((start, start.saturating_add(size.get()).min(length)))
        };
        whole
            .then_some(None)
            .into_iter()
            .chain((0..shards).map(shard))
    }
}

/// A file, or a range of it, to be digested.
#[derive(Clone, Debug)]
pub struct Piece {
    /// The file.
    pub path: PathBuf,
    /// Whether a link may stand in the file's place.
    pub follow: bool,
    /// First byte.
    pub start: u64,
    /// How many bytes it must have; a whole file must end there.
    pub length: u64,
    /// Whether the file ends with this piece.
    pub is_last: bool,
}

/// Digests every file of `tree` with at most `threads` threads. Resources come in the order of code
/// points of their names.
///
/// # Errors
/// When a file cannot be read or changes meanwhile.
pub fn hash_tree(
    tree: &Tree,
    algorithm: Algorithm,
    granularity: Granularity,
    threads: NonZeroUsize,
) -> Result<Manifest, DigestError> {
    let mut names = Vec::new();
    let mut pieces = Vec::new();
    for file in &tree.files {
        for range in granularity.ranges(file.length) {
            let (start, end) = range.unwrap_or((0, file.length));
            pieces.push(Piece {
                path: file.path.clone(),
                follow: file.follow,
                start,
                length: end - start,
                is_last: end == file.length,
            });
            names.push(ResourceName {
                path: file.name.clone(),
                range,
            });
        }
    }
    let digests = hash_pieces(&pieces, algorithm, threads);
    let mut resources = Vec::with_capacity(names.len());
    for (name, digest) in names.into_iter().zip(digests) {
        let resource = Resource {
            name,
            digest: digest?,
        };
        resources.push((resource.name.to_string(), resource));
    }
    resources.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(Manifest {
        resources: resources
            .into_iter()
            .map(|(_, resource)| resource)
            .collect(),
    })
}

/// Digests what any source holds, block by block.
///
/// # Errors
/// When it cannot be read, or ends before its length.
pub fn hash_source(source: &dyn Source, algorithm: Algorithm) -> io::Result<Digest> {
    let mut hasher = Hasher::new(algorithm);
    let mut block = vec![0; BLOCK];
    let mut at = 0;
    while at < source.len() {
        let read = source.read_at(at, &mut block)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        hasher.update(block.get(..read).unwrap_or_default());
        at += read as u64;
    }
    Ok(hasher.finish())
}

/// Digests `pieces` with at most `threads` threads; one answer for each, in the same order.
///
/// Longest pieces first, so that no thread is left with a long one at the end. The memory is one
/// block for each thread.
pub fn hash_pieces(
    pieces: &[Piece],
    algorithm: Algorithm,
    threads: NonZeroUsize,
) -> Vec<Result<Digest, DigestError>> {
    let mut order: Vec<usize> = (0..pieces.len()).collect();
    order
        .sort_by_key(|&index| std::cmp::Reverse(pieces.get(index).map_or(0, |piece| piece.length)));
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let answers: Mutex<Vec<(usize, Result<Digest, DigestError>)>> =
        Mutex::new(Vec::with_capacity(pieces.len()));
    let work = || {
        let mut block = vec![0; BLOCK];
        let mut own = Vec::new();
        while !failed.load(Ordering::Relaxed) {
            let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) else {
                break;
            };
            let Some(piece) = pieces.get(index) else {
                break;
            };
            own.push((index, piece.digest(algorithm, &mut block)));
        }
        match answers.lock() {
            Ok(mut answers) => answers.append(&mut own),
            Err(_) => failed.store(true, Ordering::Relaxed),
        }
    };
    let threads = threads.get().min(pieces.len());
    if threads <= 1 {
        work();
    } else {
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(work);
            }
        });
    }
    let mut all: Vec<Option<Result<Digest, DigestError>>> = Vec::new();
    all.resize_with(pieces.len(), || None);
    for (index, answer) in answers.into_inner().unwrap_or_default() {
        if let Some(place) = all.get_mut(index) {
            *place = Some(answer);
        }
    }
    all.into_iter()
        .zip(pieces)
        .map(|(answer, piece)| {
            // A thread that is gone has digested nothing.
            answer.unwrap_or_else(|| {
                Err(DigestError::Changed {
                    path: piece.path.clone(),
                })
            })
        })
        .collect()
}

impl Piece {
    fn digest(&self, algorithm: Algorithm, block: &mut [u8]) -> Result<Digest, DigestError> {
        let mut file = open_regular(&self.path, self.follow)?;
        let mut hasher = Hasher::new(algorithm);
        self.read(&mut file, block, |bytes| {
            hasher.update(bytes);
            Ok(())
        })?;
        Ok(hasher.finish())
    }

    /// Hands the piece's bytes to `take`, block by block, and makes sure that they are all there.
    pub(crate) fn read(
        &self,
        file: &mut File,
        block: &mut [u8],
        mut take: impl FnMut(&[u8]) -> Result<(), DigestError>,
    ) -> Result<(), DigestError> {
        let changed = || DigestError::Changed {
            path: self.path.clone(),
        };
        if self.start > 0 {
            file.seek(SeekFrom::Start(self.start))
                .map_err(DigestError::io(&self.path))?;
        }
        let mut left = self.length;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
            let room = block.get_mut(..wanted).ok_or_else(changed)?;
            let read = file.read(room).map_err(DigestError::io(&self.path))?;
            if read == 0 {
                return Err(changed());
            }
            take(room.get(..read).unwrap_or_default())?;
            left = left.saturating_sub(read as u64);
        }
        // A file that grew is another file.
        let mut more = [0];
        if self.is_last && file.read(&mut more).map_err(DigestError::io(&self.path))? > 0 {
            return Err(changed());
        }
        Ok(())
    }
}

/// Opens a file for reading, without waiting for a pipe's other end, and not through a link unless
/// that is allowed.
pub(crate) fn open_regular(path: &Path, follow: bool) -> Result<File, DigestError> {
    #[cfg(unix)]
    let file = {
        use rustix::fs::{Mode, OFlags};
        let mut flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        if !follow {
            flags |= OFlags::NOFOLLOW;
        }
        rustix::fs::open(path, flags, Mode::empty())
            .map(File::from)
            .map_err(|error| DigestError::io(path)(error.into()))?
    };
    #[cfg(not(unix))]
    let file = {
        let _ = follow;
        File::open(path).map_err(DigestError::io(path))?
    };
    let metadata = file.metadata().map_err(DigestError::io(path))?;
    if metadata.is_file() {
        return Ok(file);
    }
    Err(DigestError::Changed {
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::digest::Selection;

    fn two() -> NonZeroUsize {
        NonZeroUsize::new(2).unwrap()
    }

    fn manifest(root: &Path, granularity: Granularity) -> Result<Manifest, DigestError> {
        let tree = Tree::walk(root, &Selection::default())?.complete(root)?;
        hash_tree(&tree, Algorithm::Sha256, granularity, two())
    }

    fn folder_digest(root: &Path) -> Digest {
        let manifest = manifest(root, Granularity::Files).unwrap();
        manifest.folder_digest(Algorithm::Sha256)
    }

    fn model(at: &Path) {
        fs::create_dir_all(at.join("sub")).unwrap();
        fs::write(at.join("config.json"), "{}").unwrap();
        fs::write(at.join("sub/model.safetensors"), "weights").unwrap();
    }

    /// The shell line of the bad case gave two digests for one folder at two paths.
    #[test]
    fn ws_34_the_place_does_not_matter() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().join("here");
        let there = folder.path().join("somewhere else/deep");
        model(&here);
        model(&there);
        assert_eq!(folder_digest(&here), folder_digest(&there));
    }

    #[test]
    fn ws_34_every_file_matters() {
        let folder = tempfile::tempdir().unwrap();
        model(folder.path());
        let before = folder_digest(folder.path());
        fs::write(folder.path().join("config.json"), "{ }").unwrap();
        let changed = folder_digest(folder.path());
        fs::write(folder.path().join("config.json"), "{}").unwrap();
        fs::write(folder.path().join("code.py"), "").unwrap();
        let added = folder_digest(folder.path());
        fs::rename(folder.path().join("code.py"), folder.path().join("cod3.py")).unwrap();
        let renamed = folder_digest(folder.path());
        let all = [&before, &changed, &added, &renamed];
        for (at, one) in all.iter().enumerate() {
            assert!(all.iter().skip(at + 1).all(|other| other != one));
        }
    }

    #[test]
    fn ws_34_blanks_in_names_are_no_matter_and_nothing_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let spaced = folder.path().join("my model");
        fs::create_dir(&spaced).unwrap();
        assert!(matches!(
            manifest(&spaced, Granularity::Files),
            Err(DigestError::Empty { .. })
        ));
        fs::write(spaced.join("a b.bin"), "x").unwrap();
        let digest = folder_digest(&spaced);
        assert_ne!(digest, Algorithm::Sha256.digest(b""));
        assert!(digest.to_string().starts_with("sha256:"));
    }

    /// Made by `find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum`.
    #[test]
    fn coreutils_say_the_same() {
        let folder = tempfile::tempdir().unwrap();
        model(folder.path());
        assert_eq!(
            folder_digest(folder.path()).to_string(),
            "sha256:dab96f5de67b1e9ee7623eba26e649dea8aef91ec144875a46d4d58cdc267811"
        );
    }

    #[test]
    fn shards_cover_every_byte_once() {
        let size = NonZeroU64::new(4).unwrap();
        let ranges = |length| -> Vec<_> { Granularity::Shards(size).ranges(length).collect() };
        assert_eq!(ranges(0), []);
        assert_eq!(ranges(4), [Some((0, 4))]);
        assert_eq!(ranges(10), [Some((0, 4)), Some((4, 8)), Some((8, 10))]);
        let whole: Vec<_> = Granularity::Files.ranges(10).collect();
        assert_eq!(whole, [None]);
    }

    #[test]
    fn shards_and_files_agree_about_the_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..BLOCK * 2 + 5).map(|at| (at % 251) as u8).collect();
        fs::write(folder.path().join("w"), &bytes).unwrap();
        let size = BLOCK + 3;
        let shards = Granularity::Shards(NonZeroU64::new(size as u64).unwrap());
        let manifest = manifest(folder.path(), shards).unwrap();
        let said: Vec<_> = manifest
            .resources
            .iter()
            .map(|resource| resource.digest.clone())
            .collect();
        let expected: Vec<_> = bytes
            .chunks(size)
            .map(|chunk| Algorithm::Sha256.digest(chunk))
            .collect();
        assert_eq!(said, expected);
    }

    #[test]
    fn a_file_that_changed_is_no_digest() {
        let folder = tempfile::tempdir().unwrap();
        model(folder.path());
        let mut tree = Tree::walk(folder.path(), &Selection::default()).unwrap();
        for grown in [1, 3] {
            tree.files[0].length = grown;
            let result = hash_tree(&tree, Algorithm::Sha256, Granularity::Files, two());
            assert!(matches!(result, Err(DigestError::Changed { .. })));
        }
    }
}
