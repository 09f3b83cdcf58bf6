use std::io::{self, Read};

use super::Input;
use crate::{ParseError, Source};

/// What an entry of a tar archive is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TarKind {
    /// A file.
    File,
    /// A file whose holes are not in the archive, so that its bytes here are not those that come out.
    Sparse,
    /// A folder.
    Folder,
    /// Notes about all entries that follow (POSIX pax, type `g`).
    Notes,
    /// A link to another path.
    Link,
    /// A device, a pipe, or something unknown.
    Odd,
}

/// An entry of a tar archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TarEntry {
    /// Its path as written; bytes that are no UTF-8 are replaced.
    pub path: String,
    /// What it is.
    pub kind: TarKind,
    /// Where a link leads.
    pub target: Option<String>,
    /// Where its bytes begin.
    pub at: u64,
    /// How many there are.
    pub length: u64,
}

/// Entries of a tar archive (POSIX pax, GNU), in order, with the error that ended them if they did not
/// end by themselves.
pub fn tar(
    source: &dyn Source,
    mut each: impl FnMut(TarEntry) -> Result<(), ParseError>,
) -> Result<(), ParseError> {
    let mut archive = tar::Archive::new(Input::new(source));
    for entry in archive.entries_with_seek()? {
        let mut entry = entry.map_err(|error| because(&error))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let kind = kind(&mut entry);
        let at = entry.raw_file_position();
        let length = if entry.header().entry_type().is_gnu_sparse() {
            let size = entry.header().entry_size();
            size.map_err(|error| because(&error))?
        } else {
            entry.size()
        };
        if at.saturating_add(length) > source.len() {
            return Err(ParseError::Truncated {
                at: source.len(),
                what: "an entry of the archive",
            });
        }
        each(TarEntry {
            path: text(&entry.path_bytes()),
            kind,
            target: entry.link_name_bytes().map(|target| text(&target)),
            at,
            length,
        })?;
    }
    Ok(())
}

/// Whether the notes before an entry say that it is sparse, as GNU tar writes it in archives of pax
/// ("GNU tar", "Storing Sparse Files").
fn has_holes(entry: &mut tar::Entry<'_, impl Read>) -> bool {
    let Ok(Some(notes)) = entry.pax_extensions() else {
        return false;
    };
    notes
        .flatten()
        .any(|note| note.key_bytes().starts_with(b"GNU.sparse."))
}

/// Entries of a tar archive that can be read once only, each with its path, what it is, its size, and
/// its bytes.
///
/// # Errors
/// When the archive is broken or cut off, and what `each` returns.
pub fn tar_stream(
    reader: impl Read,
    mut each: impl FnMut(&str, TarKind, u64, &mut dyn Read) -> io::Result<()>,
) -> Result<(), ParseError> {
    let mut archive = tar::Archive::new(reader);
    for entry in archive.entries()? {
        let mut entry = entry.map_err(|error| because(&error))?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let (kind, size) = (kind(&mut entry), entry.size());
        each(&path, kind, size, &mut entry).map_err(|error| because(&error))?;
    }
    Ok(())
}

fn kind(entry: &mut tar::Entry<'_, impl Read>) -> TarKind {
    let header = entry.header().entry_type();
    match header {
        _ if header.is_gnu_sparse() || has_holes(entry) => TarKind::Sparse,
        // Before POSIX, a slash at the end of its name was all that made a folder.
        _ if header.is_file() && entry.path_bytes().ends_with(b"/") => TarKind::Folder,
        _ if header.is_file() || header.is_contiguous() => TarKind::File,
        _ if header.is_symlink() || header.is_hard_link() => TarKind::Link,
        _ if header.is_dir() => TarKind::Folder,
        _ if header.is_pax_global_extensions() => TarKind::Notes,
        _ => TarKind::Odd,
    }
}

fn because(error: &io::Error) -> ParseError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ParseError::malformed(0, "the archive is cut off"),
        _ => ParseError::malformed(0, "a header of the archive is broken"),
    }
}
