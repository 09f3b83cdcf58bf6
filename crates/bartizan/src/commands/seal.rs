//! `bartizan seal` and `unseal`: files and folders encrypted at rest.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufWriter, Cursor, Read, Write as _},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest;
use bartizan_core::hex;
use bartizan_formats::{Bytes, FileSource, Source};
use bartizan_supply::{
    digest::{Selection, Tree},
    sealed::{Sealed, SealedError, seal},
};
use serde::{Deserialize, Serialize};

use crate::{
    cli::{Seal, Unseal},
    exit::Exit,
    files::{Readers, cannot_write, write_with},
    input::{cannot_read, escaped, read_bytes},
    output,
    problem::{Problem, Problems},
    render::{human::plural, safe},
    sealing::{LockKind, Ring, problem},
    signing::digest_problem,
};

/// The sealed list of the files of a folder, so that none is taken out, added, or put in another's
/// place.
pub(crate) const MANIFEST: &str = ".bartizan-sealed";

/// Most bytes of such a list.
const MAX_MANIFEST_BYTES: u64 = 256 << 20;

/// Bytes that are gathered before they are written.
const BUFFER: usize = 1 << 20;

/// What a folder held.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    version: u32,
    /// SHA-256 of each plain file, hexadecimal, by its name below the folder.
    files: BTreeMap<String, String>,
}

/// Seals a file or a folder.
pub(crate) fn run(arguments: &Seal) -> Result<Exit, Problems> {
    let kind = match &arguments.transit {
        None => LockKind::Given,
        Some(place) => match place.split_once('/') {
            Some((mount, key)) => LockKind::Transit(mount.to_owned(), key.to_owned()),
            None => {
                let problem = Problem::new("`--transit` names no mount and key");
                return Err(problem
                    .help("write `MOUNT/KEY`, e.g. `transit/models`")
                    .into());
            }
        },
    };
    let ring = Ring::new(&arguments.key)?;
    let (from, to) = (&arguments.from, &arguments.to);
    if !from.is_dir() {
        write_with(to, Readers::All, |file| {
            seal_file(&ring, &kind, from, file).map(drop)
        })?;
        return said("sealed", 1, to);
    }
    let tree = walk(from)?;
    let count = into_folder(to, |folder| {
        let mut manifest = Manifest {
            version: 1,
            files: BTreeMap::new(),
        };
        for file in &tree.files {
            let mut out = create(folder, &file.name)?;
            let digest = seal_file(&ring, &kind, &file.path, &mut out)?;
            manifest.files.insert(file.name.clone(), digest);
        }
        let text = serde_json::to_vec(&manifest)
            .map_err(|error| Problem::new(format!("cannot write the list: {error}")))?;
        let mut out = create(folder, MANIFEST)?;
        let length = text.len() as u64;
        seal_bytes(&ring, &kind, &mut Cursor::new(text), length, &mut out, to)?;
        Ok(tree.files.len())
    })?;
    said("sealed", count, to)
}

/// Opens a sealed file or folder. Nothing takes its place before all of it was authenticated.
pub(crate) fn unseal(arguments: &Unseal) -> Result<Exit, Problems> {
    let ring = Ring::new(&arguments.key)?;
    let (from, to) = (&arguments.from, &arguments.to);
    if !from.is_dir() {
        write_with(to, Readers::Owner, |file| {
            unseal_file(&ring, from, file).map(drop)
        })?;
        return said("opened", 1, to);
    }
    let tree = walk(from)?;
    let list = from.join(MANIFEST);
    let bytes = read_bytes(&list, MAX_MANIFEST_BYTES)?;
    let opened = ring.open(&list, Bytes(&bytes))?;
    let text = opened
        .read(0, opened.len())
        .map_err(|error| cannot_read(&list, &error))?;
    let manifest: Option<Manifest> = serde_json::from_slice(&text).ok();
    let manifest = manifest
        .filter(|manifest| manifest.version == 1)
        .ok_or_else(|| Problem::new(format!("`{}` is no list of files", escaped(&list))))?;
    let names = |name: &&str| *name != MANIFEST;
    let there: Vec<&str> = tree
        .files
        .iter()
        .map(|file| file.name.as_str())
        .filter(names)
        .collect();
    let listed: Vec<&str> = manifest.files.keys().map(String::as_str).collect();
    let odd = there.iter().find(|name| !listed.contains(name));
    let missing = listed.iter().find(|name| !there.contains(name));
    for (name, what) in [(odd, "was added to"), (missing, "was taken out of")] {
        if let Some(name) = name {
            let message = format!("`{}` {what} `{}`", safe::line(name), escaped(from));
            return Err(Problem::new(message).into());
        }
    }
    let count = into_folder(to, |folder| {
        for file in tree.files.iter().filter(|file| file.name != MANIFEST) {
            let mut out = create(folder, &file.name)?;
            let digest = unseal_file(&ring, &file.path, &mut out)?;
            if manifest.files.get(&file.name) != Some(&digest) {
                let name = safe::line(&file.name);
                return Err(Problem::new(format!(
                    "another file stands in the place of `{name}`"
                )));
            }
        }
        Ok(manifest.files.len())
    })?;
    said("opened", count, to)
}

fn said(word: &str, count: usize, to: &Path) -> Result<Exit, Problems> {
    let files = plural(count, "file");
    output::stdout(&format!("{word}: {count} {files} in `{}`\n", escaped(to)))?;
    Ok(Exit::Clean)
}

fn walk(folder: &Path) -> Result<Tree, Problem> {
    let tree = Tree::walk(folder, &Selection::default());
    let tree = tree.and_then(|tree| tree.complete(folder));
    tree.map_err(|error| digest_problem(&error))
}

/// Lets `fill` write a folder of mode 0700, which takes the place `to` when that went well.
fn into_folder<T>(to: &Path, fill: impl FnOnce(&Path) -> Result<T, Problem>) -> Result<T, Problem> {
    if to.exists() {
        let message = format!("`{}` is there already", escaped(to));
        return Err(Problem::new(message).help("name a folder that is not there yet"));
    }
    let parent = match to.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let draft = tempfile::tempdir_in(parent).map_err(|error| cannot_write(to, &error))?;
    let filled = fill(draft.path())?;
    fs::rename(draft.path(), to).map_err(|error| cannot_write(to, &error))?;
    // What is removed at the end of its life stands elsewhere now.
    let _: PathBuf = draft.keep();
    Ok(filled)
}

fn create(folder: &Path, name: &str) -> Result<File, Problem> {
    let path = folder.join(name);
    let made = || {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        File::create_new(&path)
    };
    made().map_err(|error| cannot_write(&path, &error))
}

/// Seals one file, and gives the digest of the plain one.
fn seal_file(ring: &Ring, kind: &LockKind, from: &Path, out: &mut File) -> Result<String, Problem> {
    let mut file = File::open(from).map_err(|error| cannot_read(from, &error))?;
    let source = file.try_clone().and_then(FileSource::new);
    let source = source.map_err(|error| cannot_read(from, &error))?;
    if Sealed::is(&source) {
        let message = format!("`{}` is sealed already", escaped(from));
        return Err(Problem::new(message));
    }
    let length = source.len();
    seal_bytes(ring, kind, &mut file, length, out, from)
}

fn seal_bytes(
    ring: &Ring,
    kind: &LockKind,
    plain: &mut dyn Read,
    length: u64,
    out: &mut File,
    name: &Path,
) -> Result<String, Problem> {
    let (lock, key, fresh) = ring.lock(kind)?;
    let key = key.as_ref().and_then(|key| key.wrapping());
    let mut plain = Digesting {
        inner: plain,
        digest: digest::Context::new(&digest::SHA256),
    };
    let mut out = BufWriter::with_capacity(BUFFER, out);
    seal(&mut plain, length, lock, key, &fresh, &mut out).map_err(|error| problem(name, &error))?;
    out.flush().map_err(|error| cannot_write(name, &error))?;
    Ok(hex::encode(plain.digest.finish().as_ref()))
}

/// Opens one file, and gives its digest.
fn unseal_file(ring: &Ring, from: &Path, out: &mut File) -> Result<String, Problem> {
    let source = File::open(from).and_then(FileSource::new);
    let source = source.map_err(|error| cannot_read(from, &error))?;
    let opened = ring.open(from, source)?;
    let mut context = digest::Context::new(&digest::SHA256);
    let each = opened.each(|plain| {
        context.update(plain);
        out.write_all(plain).map_err(SealedError::Write)
    });
    each.map_err(|error| problem(from, &error))?;
    Ok(hex::encode(context.finish().as_ref()))
}

/// A reader that digests what passes.
struct Digesting<'r> {
    inner: &'r mut dyn Read,
    digest: digest::Context,
}

impl Read for Digesting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.digest.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}
