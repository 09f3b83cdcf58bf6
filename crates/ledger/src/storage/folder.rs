use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use parking_lot::Mutex;

use super::{MAX_AHEAD, Storage};

/// A folder of the file system, readable by its owner only.
pub struct Folder {
    root: PathBuf,
    /// The file that was appended to last: the next bytes most likely go there too.
    tail: Mutex<Option<Tail>>,
    /// Held by whoever writes.
    lock: Option<File>,
}

struct Tail {
    name: String,
    file: File,
    /// How long the file is on the disk. Writing within it changes data only, and the wait for that is
    /// not a wait for what others do in the same file system.
    length: u64,
}

const LOCK: &str = "lock";

/// Least and most bytes by which a file grows.
const AHEAD: std::ops::RangeInclusive<u64> = 64 << 10..=MAX_AHEAD;

impl Folder {
    /// The folder for one writer, made if it is not there.
    ///
    /// # Errors
    /// When it cannot be made, or another process writes there.
    pub fn exclusive(root: &Path) -> io::Result<Self> {
        private_folder(root)?;
        let lock = private(&root.join(LOCK), |options| {
            options.append(true).create(true)
        })?;
        // A reader that looks whether somebody writes holds it for a moment.
        let is_ours = || {
            lock.try_lock()
                .inspect_err(|_| std::thread::yield_now())
                .is_ok()
        };
        if !(0..100).any(|_| is_ours()) {
            let message = "another process writes this ledger";
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, message));
        }
        Ok(Self {
            lock: Some(lock),
            ..Self::shared(root)
        })
    }

    /// The folder for readers, also while another process writes.
    #[must_use]
    pub fn shared(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            tail: Mutex::new(None),
            lock: None,
        }
    }

    /// Whether a process writes there now, as far as can be told.
    #[must_use]
    pub fn is_written(&self) -> bool {
        let path = self.root.join(LOCK);
        self.lock.is_some()
            || is_file(&path) && File::open(path).is_ok_and(|lock| lock.try_lock_shared().is_err())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn tail(&self, name: &str) -> io::Result<Tail> {
        let path = self.path(name);
        if let Some(folder) = path.parent() {
            private_folder(folder)?;
        }
        let file = private(&path, |options| {
            options.write(true).create(true).truncate(false)
        })?;
        Ok(Tail {
            name: name.to_owned(),
            length: file.metadata()?.len(),
            file,
        })
    }

    fn refuse_readers(&self) -> io::Result<()> {
        match self.lock {
            Some(_) => Ok(()),
            None => Err(io::ErrorKind::PermissionDenied.into()),
        }
    }
}

impl std::fmt::Debug for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Folder")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl Storage for Folder {
    fn read(&self, name: &str, max: u64) -> io::Result<Option<Vec<u8>>> {
        let path = self.path(name);
        match fs::symlink_metadata(&path) {
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(error),
            // A pipe would be waited for, a device would have no end.
            Ok(metadata) if !metadata.is_file() => {
                return Err(io::Error::other("not an ordinary file"));
            }
            Ok(metadata) if metadata.len() > max => return Err(io::ErrorKind::FileTooLarge.into()),
            Ok(_) => {}
        }
        let file = match File::open(&path) {
            Err(error) if is_missing(&error) => return Ok(None),
            file => file?,
        };
        let length = file.metadata()?.len().min(max);
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        file.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(Some(bytes))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(self.path(folder)) {
            Err(error) if is_missing(&error) => return Ok(Vec::new()),
            entries => entries?,
        };
        entries
            .filter_map(|entry| match entry {
                Ok(entry) => entry.file_name().into_string().ok().map(Ok),
                Err(error) => Some(Err(error)),
            })
            .collect()
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.refuse_readers()?;
        let path = self.path(name);
        let new = self.path(&format!("{name}.new"));
        let create = || {
            private(&new, |options| {
                options.write(true).create(true).truncate(true)
            })
        };
        let mut file = match create() {
            Err(error) if is_missing(&error) => {
                if let Some(folder) = path.parent() {
                    private_folder(folder)?;
                }
                create()?
            }
            file => file?,
        };
        file.write_all(bytes)
            .and_then(|()| fs::rename(&new, &path))
            .inspect_err(|_| {
                // What is left of it is in nobody's way, and the next attempt replaces it.
                let _ = fs::remove_file(&new);
            })
    }

    fn append(&self, name: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.refuse_readers()?;
        let mut held = self.tail.lock();
        let mut tail = match held.take() {
            Some(tail) if tail.name == name => tail,
            _ => self.tail(name)?,
        };
        let made = tail.length == 0;
        let end = at + bytes.len() as u64;
        tail.file.seek(SeekFrom::Start(at))?;
        tail.file.write_all(bytes)?;
        if end <= tail.length {
            tail.file.sync_data()?;
        } else {
            // As much again, so that few of many waits are for a file that grows.
            let ahead = end.clamp(*AHEAD.start(), *AHEAD.end());
            io::copy(&mut io::repeat(0).take(ahead), &mut tail.file)?;
            tail.file.sync_all()?;
            tail.length = end + ahead;
        }
        if made {
            self.sync(&[name.to_owned()])?;
        }
        *held = Some(tail);
        Ok(())
    }

    fn sync(&self, names: &[String]) -> io::Result<()> {
        let mut folders = BTreeSet::new();
        for name in names {
            let path = self.path(name);
            match File::open(&path) {
                // Replaced by a later one since; that one is among the names.
                Err(error) if is_missing(&error) => {}
                file => file?.sync_all()?,
            }
            let above = path.ancestors().skip(1);
            folders.extend(
                above
                    .take_while(|folder| folder.starts_with(&self.root))
                    .map(Path::to_owned),
            );
        }
        for folder in folders {
            match File::open(folder) {
                Err(error) if is_missing(&error) => {}
                folder => folder?.sync_all()?,
            }
        }
        Ok(())
    }

    fn truncate(&self, name: &str, length: u64) -> io::Result<()> {
        self.refuse_readers()?;
        *self.tail.lock() = None;
        let file = private(&self.path(name), |options| options.write(true))?;
        file.set_len(length)?;
        file.sync_all()
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.refuse_readers()?;
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(error) if !is_missing(&error) => return Err(error),
            _ => {}
        }
        // The folder of a partial tile goes with it.
        if let Some(folder) = path.parent()
            && folder.extension().is_some_and(|extension| extension == "p")
        {
            let _ = fs::remove_dir(folder);
        }
        Ok(())
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file())
}

fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn private(
    path: &Path,
    how: impl FnOnce(&mut OpenOptions) -> &mut OpenOptions,
) -> io::Result<File> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    how(&mut options).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_files_for_one_writer() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("ledger");
        let folder = Folder::exclusive(&root).unwrap();
        assert!(Folder::exclusive(&root).is_err(), "two writers");
        assert!(Folder::shared(&root).is_written());
        folder.write("tile/0/000.p/3", b"abc").unwrap();
        folder.append("tail/1", 0, b"one").unwrap();
        folder.append("tail/1", 3, b"two").unwrap();
        folder.truncate("tail/1", 4).unwrap();
        folder.append("tail/1", 4, b"2").unwrap();
        let names = ["tile/0/000.p/3".to_owned(), "gone".to_owned()];
        folder.sync(&names).unwrap();
        let reader = Folder::shared(&root);
        let read = |name, max| reader.read(name, max);
        let tail = read("tail/1", 1 << 20).unwrap().unwrap();
        let zeros = tail.strip_prefix(b"onet2").unwrap();
        assert!(zeros.iter().all(|byte| *byte == 0));
        assert_eq!(read("tile/0/000.p/3", 3).unwrap().unwrap(), b"abc");
        assert!(read("tile/0/000.p/3", 2).is_err(), "too long");
        assert_eq!(read("tile/0/000", 9).unwrap(), None);
        assert_eq!(read("tail/1/under", 9).unwrap(), None);
        assert!(read("tail", 9).is_err(), "a folder");
        assert_eq!(reader.list("tail").unwrap(), ["1"]);
        assert!(reader.list("nothing").unwrap().is_empty());
        assert!(reader.write("a", b"").is_err(), "readers do not write");
        folder.remove("tile/0/000.p/3").unwrap();
        folder.remove("tile/0/000.p/3").unwrap();
        assert!(!root.join("tile/0/000.p").exists());
        drop(folder);
        assert!(!Folder::shared(&root).is_written());
    }

    #[cfg(unix)]
    #[test]
    fn links_and_pipes_are_not_read() {
        let place = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/zero", place.path().join("checkpoint")).unwrap();
        let folder = Folder::shared(place.path());
        assert!(folder.read("checkpoint", 10).is_err());
        std::os::unix::fs::symlink("/dev/zero", place.path().join("lock")).unwrap();
        assert!(!folder.is_written());
    }
}
