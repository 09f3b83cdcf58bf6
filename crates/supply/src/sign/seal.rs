use std::{
    fs::{self, File},
    io::{Seek as _, Write as _},
    path::{Component, Path},
};

use super::{
    Comparison, Mismatch, MismatchKind,
    compare::{Plan, SignedFile},
};
use crate::digest::{BLOCK, DigestError, Hasher, Piece, open_regular};

/// Exactly the bytes that were compared, out of reach of whoever can write the model's folder.
#[derive(Debug)]
pub struct Sealed {
    /// The files by name, each at its start.
    pub files: Vec<(String, File)>,
    /// What differed; nothing is to be loaded unless this is empty.
    pub mismatches: Vec<Mismatch>,
}

/// Copies a signed model into memory that nobody can write any more (Linux `memfd_create` with
/// seals), and compares what was copied. What a check saw and what a loader reads are then the same
/// bytes. Files that were not signed are not copied.
///
/// # Errors
/// When a file cannot be read, there is no memory for it, or the system has no such memory.
#[cfg(target_os = "linux")]
pub fn seal(comparison: &Comparison<'_>) -> Result<Sealed, DigestError> {
    use rustix::fs::{MemfdFlags, SealFlags};
    let root = comparison.root;
    let io = |error: rustix::io::Errno| DigestError::io(root)(error.into());
    let mut sealed = copy(comparison, |_| {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let memory = rustix::fs::memfd_create("bartizan", flags).map_err(io)?;
        Ok(File::from(memory))
    })?;
    for (_, file) in &mut sealed.files {
        let all = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
        rustix::fs::fcntl_add_seals(&*file, all).map_err(io)?;
        file.rewind().map_err(DigestError::io(root))?;
    }
    Ok(sealed)
}

/// There is no such memory here; [`seal_in_folder`] works everywhere.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn seal(comparison: &Comparison<'_>) -> Result<Sealed, DigestError> {
    let error = std::io::Error::from(std::io::ErrorKind::Unsupported);
    Err(DigestError::io(comparison.root)(error))
}

/// Copies a signed model into `folder`, which must be new and only the caller's, and compares what
/// was copied. Files that were not signed are not copied. The files may only be read.
///
/// Who has the caller's own rights can still write the copies; see [`seal`] for more.
///
/// # Errors
/// When a file cannot be read or written.
pub fn seal_in_folder(
    comparison: &Comparison<'_>,
    folder: &Path,
) -> Result<Vec<Mismatch>, DigestError> {
    let sealed = copy(comparison, |name| {
        let path = folder.join(name);
        // Names come from walking the model, so they cannot lead elsewhere; this makes sure.
        let is_below = Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !is_below {
            return Err(DigestError::Changed { path });
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(DigestError::io(parent))?;
        }
        File::create_new(&path).map_err(DigestError::io(&path))
    })?;
    for (name, file) in &sealed.files {
        let path = folder.join(name);
        let metadata = file.metadata().map_err(DigestError::io(&path))?;
        let mut permissions = metadata.permissions();
        permissions.set_readonly(true);
        file.set_permissions(permissions)
            .map_err(DigestError::io(&path))?;
    }
    Ok(sealed.mismatches)
}

fn copy(
    comparison: &Comparison<'_>,
    mut create: impl FnMut(&str) -> Result<File, DigestError>,
) -> Result<Sealed, DigestError> {
    let plan = Plan::of(comparison)?;
    let mut sealed = Sealed {
        files: Vec::new(),
        mismatches: plan.mismatches,
    };
    let mut block = vec![0; BLOCK];
    for file in &plan.files {
        let mut to = create(&file.name)?;
        if !copy_file(comparison, file, &mut to, &mut block)? {
            sealed.mismatches.push(Mismatch {
                file: file.name.clone(),
                kind: MismatchKind::Altered,
            });
        }
        sealed.files.push((file.name.clone(), to));
    }
    if !sealed.mismatches.is_empty() {
        sealed.files.clear();
        sealed.mismatches.sort_by(|a, b| a.file.cmp(&b.file));
    }
    Ok(sealed)
}

/// Copies a file through one descriptor, and says whether what was copied is what was signed.
fn copy_file(
    comparison: &Comparison<'_>,
    file: &SignedFile<'_>,
    to: &mut File,
    block: &mut [u8],
) -> Result<bool, DigestError> {
    let mut from = open_regular(&file.path, file.follow)?;
    let mut is_same = true;
    for (piece, (_, expected)) in file.pieces().zip(&file.shards) {
        let mut hasher = Hasher::new(comparison.statement.algorithm);
        Piece::read(&piece, &mut from, block, |bytes| {
            hasher.update(bytes);
            to.write_all(bytes).map_err(DigestError::io(&file.path))
        })?;
        is_same &= hasher.finish() == **expected;
    }
    Ok(is_same)
}
