//! A copy as one file: a zip archive with a manifest of digests, signed where there is a key.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Write},
    path::{Component, Path, PathBuf},
};

use aws_lc_rs::digest::{Context, SHA256};
use bartizan_core::hex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zip::{ZipArchive, ZipWriter, result::ZipError, write::SimpleFileOptions};

use crate::{
    personal::{Proof, verify},
    problem::Problem,
};

/// What a copy holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The version of this form, 1.
    pub(crate) version: u32,
    /// `backup`.
    pub(crate) kind: String,
    /// The program that wrote it.
    pub(crate) program: String,
    /// When, RFC 3339.
    pub(crate) created: String,
    /// Every file.
    pub(crate) files: Vec<Packed>,
}

/// A file of a copy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Packed {
    /// Its path, with `/`.
    name: String,
    bytes: u64,
    /// SHA-256, 64 hexadecimal digits.
    sha256: String,
}

impl Manifest {
    /// The version of its form.
    const VERSION: u32 = 1;
}

/// The manifest in the archive, its first file.
const MANIFEST: &str = "manifest.json";

/// Bytes of a manifest, and files, at most.
const MAX_MANIFEST: u64 = 256 << 20;

/// Writes every file under `from` into `out`.
pub(crate) fn pack(
    from: &Path,
    out: File,
    created: String,
    proof: Option<&Proof>,
) -> Result<Manifest, Problem> {
    let mut files = Vec::new();
    walk(from, "", &mut files).map_err(|error| failed(&error))?;
    let manifest = Manifest {
        version: Manifest::VERSION,
        kind: "backup".to_owned(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        created,
        files,
    };
    let account = serde_json::to_value(&manifest).ok();
    let Some(Value::Object(account)) = account else {
        return Err(Problem::new("the manifest cannot be written"));
    };
    let text = match proof {
        Some(proof) => proof.sign(account)?,
        None => Value::Object(account).to_string(),
    };
    let write = || -> Result<(), ZipError> {
        let options = SimpleFileOptions::default().large_file(true);
        let mut archive = ZipWriter::new(out);
        archive.start_file(MANIFEST, options)?;
        archive.write_all(text.as_bytes())?;
        for file in &manifest.files {
            archive.start_file(file.name.as_str(), options)?;
            io::copy(&mut File::open(from.join(&file.name))?, &mut archive)?;
        }
        archive.finish()?.sync_all()?;
        Ok(())
    };
    write().map_err(|error| Problem::new(format!("the backup cannot be written ({error})")))?;
    Ok(manifest)
}

/// Writes every file of the archive under `to`, an empty folder, and holds it against the manifest,
/// whose signature is checked with `public_key` if there is one. Says whether it was signed.
pub(crate) fn unpack(
    file: File,
    to: &Path,
    public_key: Option<&str>,
) -> Result<(Manifest, bool), Problem> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|_| no_backup())?;
    let mut text = String::new();
    archive
        .by_name(MANIFEST)
        .map_err(|_| no_backup())?
        .take(MAX_MANIFEST)
        .read_to_string(&mut text)
        .map_err(|_| no_backup())?;
    let account: Map<String, Value> = serde_json::from_str(&text).map_err(|_| no_backup())?;
    let is_signed = account.contains_key("signature");
    if let (true, Some(key)) = (is_signed, public_key)
        && !verify(&account, key)?
    {
        return Err(
            Problem::new("the signature of the backup is not of this key")
                .help("set `BARTIZAN_KEY` as it was when the backup was taken"),
        );
    }
    let manifest: Manifest = serde_json::from_str(&text).map_err(|_| no_backup())?;
    if manifest.version != Manifest::VERSION || manifest.kind != "backup" {
        return Err(no_backup());
    }
    for packed in &manifest.files {
        let path = to.join(inside(&packed.name).ok_or_else(no_backup)?);
        let member = archive.by_name(&packed.name).map_err(|_| no_backup())?;
        let (bytes, sha256) =
            extract(member, &path, packed.bytes).map_err(|error| failed(&error))?;
        if bytes != packed.bytes || sha256 != packed.sha256 {
            return Err(Problem::new("a file of the backup is not what was written")
                .help("take another backup; nothing was restored"));
        }
    }
    Ok((manifest, is_signed))
}

/// A path that stays where it is put.
fn inside(name: &str) -> Option<PathBuf> {
    let path = Path::new(name);
    let is_inside = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    (is_inside && !name.is_empty()).then(|| path.to_owned())
}

fn extract(member: impl Read, path: &Path, most: u64) -> io::Result<(u64, String)> {
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let mut options = File::options();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    // One byte more than there may be shows that there are more.
    let summed = sum(member.take(most.saturating_add(1)), &mut file)?;
    file.sync_all()?;
    Ok(summed)
}

/// Copies, and tells length and digest.
fn sum(mut from: impl Read, to: &mut impl Write) -> io::Result<(u64, String)> {
    let (mut digest, mut bytes) = (Context::new(&SHA256), 0);
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = from.read(&mut buffer)?;
        let piece = buffer.get(..read).unwrap_or_default();
        if piece.is_empty() {
            return Ok((bytes, hex::encode(digest.finish().as_ref())));
        }
        digest.update(piece);
        to.write_all(piece)?;
        bytes += piece.len() as u64;
    }
}

fn walk(root: &Path, under: &str, files: &mut Vec<Packed>) -> io::Result<()> {
    let mut entries = fs::read_dir(root.join(under))?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let name = if under.is_empty() {
            name
        } else {
            format!("{under}/{name}")
        };
        if entry.file_type()?.is_dir() {
            walk(root, &name, files)?;
        } else {
            let (bytes, sha256) = sum(File::open(entry.path())?, &mut io::sink())?;
            files.push(Packed {
                name,
                bytes,
                sha256,
            });
        }
    }
    Ok(())
}

fn no_backup() -> Problem {
    Problem::new("the file is no backup, or is damaged")
}

fn failed(error: &io::Error) -> Problem {
    Problem::new(format!(
        "the files of the backup cannot be used ({})",
        error.kind()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_outside() {
        for name in ["../a", "/a", "a/../../b", "", "./a", "a/.."] {
            assert_eq!(inside(name), None, "{name}");
        }
        assert_eq!(
            inside("ledger/tile/0/000"),
            Some("ledger/tile/0/000".into())
        );
    }

    #[test]
    fn what_was_packed_comes_out_and_what_was_changed_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("a")).unwrap();
        fs::create_dir(&to).unwrap();
        fs::write(from.join("a/b"), "text of a file").unwrap();
        let file = folder.path().join("backup");
        let packed = pack(&from, File::create(&file).unwrap(), String::new(), None).unwrap();
        assert_eq!(packed.files.len(), 1);
        unpack(File::open(&file).unwrap(), &to, None).unwrap();
        assert_eq!(
            fs::read_to_string(to.join("a/b")).unwrap(),
            "text of a file"
        );
        fs::remove_dir_all(&to).unwrap();
        let mut bytes = fs::read(&file).unwrap();
        let length = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
        // Behind the header of a file, its name, and what follows the name.
        let places: Vec<usize> = (0..bytes.len() - 30)
            .filter(|&at| bytes[at..].starts_with(b"PK\x03\x04"))
            .map(|at| at + 30 + length(at + 26) + length(at + 28) + 4)
            .collect();
        assert_eq!(places.len(), 2, "the list and the file");
        for at in places {
            bytes[at] ^= 1;
            fs::write(&file, &bytes).unwrap();
            fs::create_dir(&to).unwrap();
            assert!(
                unpack(File::open(&file).unwrap(), &to, None).is_err(),
                "{at}"
            );
            fs::remove_dir_all(&to).unwrap();
            bytes[at] ^= 1;
        }
    }
}
