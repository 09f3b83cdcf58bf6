//! Files that are written whole or not at all.

use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
};

use crate::{input::escaped, problem::Problem};

/// Writes text that everybody may read.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Problem> {
    write_with(path, Readers::All, |file| {
        file.write_all(text.as_bytes())
            .map_err(|error| cannot_write(path, &error))
    })
}

/// Who may read a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Everybody.
    All,
    /// Its owner.
    Owner,
}

/// Lets `fill` write a file beside `path`, which takes its place when that went well.
pub(crate) fn write_with<T>(
    path: &Path,
    readers: Readers,
    fill: impl FnOnce(&mut File) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let cannot = |error: io::Error| cannot_write(path, &error);
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    // Made so that only its owner reads it.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(cannot)?;
    let filled = fill(file.as_file_mut())?;
    #[cfg(unix)]
    if readers == Readers::All {
        use std::os::unix::fs::PermissionsExt as _;
        let everybody_reads = std::fs::Permissions::from_mode(0o644);
        file.as_file()
            .set_permissions(everybody_reads)
            .map_err(cannot)?;
    }
    #[cfg(not(unix))]
    let _ = readers;
    file.as_file().sync_all().map_err(cannot)?;
    file.persist(path).map_err(|error| cannot(error.error))?;
    Ok(filled)
}

/// A file that cannot be written.
pub(crate) fn cannot_write(path: &Path, error: &io::Error) -> Problem {
    Problem::new(format!("cannot write `{}`: {error}", escaped(path)))
}
