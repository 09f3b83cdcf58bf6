//! Documents and chunks on disk.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
};

use bartizan_rag::{admission::Chunk, document::Kind};

use crate::{
    commands::walk::{self, Place},
    input::{MAX_BYTES, cannot_read, escaped, read_bytes},
    problem::Problem,
};

/// Files that are looked at in one go.
const MAX_FILES: usize = 100_000;
/// Bytes of one line of chunks.
const MAX_LINE: u64 = 16 << 20;

/// The files that `paths` name, those of folders in order of their names, and what else is there.
pub(super) fn places(paths: &[PathBuf]) -> Result<Vec<Place>, Problem> {
    let places = walk::places(paths, &|_| true);
    if places.len() > MAX_FILES {
        let message = format!("there are more than {MAX_FILES} files in these folders");
        return Err(Problem::new(message).help("name their folders one by one"));
    }
    Ok(places)
}

/// Whether a file holds chunks.
pub(super) fn holds_chunks(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("jsonl"))
}

/// The bytes of a document.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    read_bytes(path, MAX_BYTES)
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
