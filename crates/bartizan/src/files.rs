//! Files that are written whole or not at all.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use tempfile::NamedTempFile;

use crate::{input::escaped, problem::Problem};

/// Who may read a file that is put in its place.
#[derive(Clone, Debug)]
pub(crate) enum Readers {
    /// Everybody.
    All,
    /// Its owner.
    Owner,
    /// Whoever these permissions let.
    Of(Permissions),
}

/// Writes text. A file that is there keeps who may read it, a new one everybody reads; what is no
/// file, such as a pipe, is written to as it is.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Problem> {
    let cannot = |error: io::Error| cannot_write(path, &error);
    let known = fs::metadata(path).ok();
    let is_file = known.as_ref().is_none_or(fs::Metadata::is_file);
    // `/dev/stdout` may be a file that others write to as well.
    if !is_file || path.starts_with("/dev") {
        return fs::write(path, text).map_err(cannot);
    }
    // The file behind a link, not the link.
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let readers = known.map_or(Readers::All, |known| Readers::Of(known.permissions()));
    let written = || {
        let mut file = beside(&place)?;
        file.write_all(text.as_bytes())?;
        put(file, &place, readers)
    };
    written().map_err(cannot)
}

/// Lets `fill` write a file beside `path`, which takes its place when that went well.
pub(crate) fn write_with<T>(
    path: &Path,
    readers: Readers,
    fill: impl FnOnce(&mut File) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let cannot = |error: io::Error| cannot_write(path, &error);
    let mut file = beside(path).map_err(cannot)?;
    let filled = fill(file.as_file_mut())?;
    put(file, path, readers).map_err(cannot)?;
    Ok(filled)
}

/// Puts a file that only its owner reads in its place.
pub(crate) fn replace_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = beside(path)?;
    file.write_all(bytes)?;
    put(file, path, Readers::Owner)
}

/// Makes a file that only its owner reads, or empties the one that is there.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)
}

/// A file that cannot be written.
pub(crate) fn cannot_write(path: &Path, error: &io::Error) -> Problem {
    Problem::new(format!("cannot write `{}`: {error}", escaped(path)))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// A new file in the folder of `path`, which only its owner reads.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = folder_of(path);
    // Without the folder, the error would name a file that nobody asked for.
    fs::metadata(folder)?;
    NamedTempFile::new_in(folder)
}

/// Puts `file` in the place of `path` in one step, so that it is the old or the new one whenever the
/// process ends, and waits until the disk has it.
fn put(file: NamedTempFile, path: &Path, readers: Readers) -> io::Result<()> {
    let permissions = match readers {
        Readers::All => Some(Permissions::from_mode(0o644)),
        Readers::Owner => None,
        Readers::Of(permissions) => Some(permissions),
    };
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder_of(path))?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_that_is_there_keeps_its_mode_and_its_links() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&path, &link).unwrap();
        write(&link, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_no_file_is_not_replaced_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("null");
        symlink("/dev/null", &link).unwrap();
        write(&link, "text").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        assert!(write(folder.path(), "text").is_err());
    }

    #[test]
    fn what_is_replaced_is_whole_and_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        fs::write(&path, "a longer one of before").unwrap();
        replace_private(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(replace_private(&folder.path().join("none/kept"), b"new").is_err());
    }
}
