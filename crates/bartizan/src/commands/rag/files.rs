//! Documents and chunks on disk.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
};

use bartizan_rag::{admission::Chunk, document::Kind};

use crate::{
    input::{MAX_BYTES, cannot_read, escaped},
    problem::Problem,
};

/// Files of one folder, with its folders.
const MAX_FILES: usize = 100_000;
/// Levels of folders.
const MAX_DEPTH: usize = 64;
/// Bytes of one line of chunks.
const MAX_LINE: u64 = 16 << 20;

/// The files that `paths` name, those of folders in order of their names; links within folders are
/// not followed.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Problem> {
    let mut out = Vec::new();
    for path in paths {
        if path.is_dir() {
            folder(path, 0, &mut out)?;
        } else {
            out.push(path.clone());
        }
    }
    Ok(out)
}

fn folder(path: &Path, depth: usize, out: &mut Vec<PathBuf>) -> Result<(), Problem> {
    if depth >= MAX_DEPTH || out.len() >= MAX_FILES {
        let message = format!("`{}` holds too many files or folders", escaped(path));
        return Err(Problem::new(message).help("name its folders one by one"));
    }
    let entries = std::fs::read_dir(path).map_err(|error| cannot_read(path, &error))?;
    let mut found = Vec::new();
    for entry in entries {
        found.push(entry.map_err(|error| cannot_read(path, &error))?);
    }
    found.sort_by_key(std::fs::DirEntry::file_name);
    for entry in found {
        let kind = entry
            .file_type()
            .map_err(|error| cannot_read(&entry.path(), &error))?;
        if kind.is_dir() {
            folder(&entry.path(), depth + 1, out)?;
        } else if kind.is_file() {
            out.push(entry.path());
        }
    }
    Ok(())
}

/// Whether a file holds chunks.
pub(super) fn holds_chunks(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("jsonl"))
}

/// The bytes of a document.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| cannot_read(path, &error))?;
    if bytes.len() as u64 > MAX_BYTES {
        let message = format!("`{}` has more than {MAX_BYTES} bytes", escaped(path));
        return Err(Problem::new(message).help("split the document"));
    }
    Ok(bytes)
}

/// The kind of a document.
pub(super) fn kind(given: Option<&str>, bytes: &[u8], path: &Path) -> Result<Kind, Problem> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match given {
        Some(name) => name
            .parse()
            .map_err(|error: bartizan_rag::document::UnknownKind| Problem::new(error.to_string())),
        None => Kind::sniff(bytes, &name).ok_or_else(|| {
            let message = format!("`{}` is of no kind that can be read", escaped(path));
            Problem::new(message).help("`--kind` says what it is")
        }),
    }
}

/// The chunks of files, in order.
pub(super) fn chunks(paths: &[PathBuf]) -> Result<Vec<Chunk>, Problem> {
    let mut all = Vec::new();
    for path in paths {
        all.extend(chunks_of(path)?);
    }
    Ok(all)
}

/// The chunks of one file.
pub(super) fn chunks_of(path: &Path) -> Result<Vec<Chunk>, Problem> {
    let file = File::open(path).map_err(|error| cannot_read(path, &error))?;
    let mut reader = BufReader::new(file);
    let mut chunks = Vec::new();
    for number in 1_usize.. {
        let mut line = Vec::new();
        let read = (&mut reader)
            .take(MAX_LINE + 1)
            .read_until(b'\n', &mut line);
        let read = read.map_err(|error| cannot_read(path, &error))?;
        let place = || format!("line {number} of `{}`", escaped(path));
        if read == 0 {
            break;
        }
        if read as u64 > MAX_LINE {
            return Err(Problem::new(format!("{} is too long", place())));
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let chunk: Chunk = serde_json::from_slice(&line).map_err(|_| {
            Problem::new(format!("{} is no chunk", place())).help(
                "a chunk is an object with `id`, `text`, and, where they are known, `document`, \
                 `source`, `tenant`, `date`, and `vector`",
            )
        })?;
        chunks.push(chunk);
    }
    if chunks.is_empty() {
        return Err(Problem::new(format!("`{}` holds no chunks", escaped(path))));
    }
    Ok(chunks)
}
