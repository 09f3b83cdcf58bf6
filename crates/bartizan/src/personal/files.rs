//! Files with a record in each line.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, BufRead as _, BufReader, BufWriter, Read as _, Write as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use bartizan_govern::{
    FilesConfig, Holds, LineMatcher, StoreEntry, StoreFault, Subject, SubjectStore,
};
use serde_json::Value;

/// Bytes of a line at most.
const MAX_LINE: u64 = 16 << 20;

/// Files whose names fit some patterns.
pub(super) struct Files {
    name: String,
    class: String,
    patterns: Vec<PathBuf>,
    lines: LineMatcher,
}

impl Files {
    pub(super) fn new(entry: &StoreEntry, config: &FilesConfig, patterns: Vec<PathBuf>) -> Self {
        Self {
            name: entry.name.clone(),
            class: entry.class.clone(),
            patterns,
            lines: LineMatcher::new(config),
        }
    }

    /// The files that are there now, in order. What fits and is no ordinary file, as a link or a
    /// pipe, is a fault: it may hold what nobody looked at.
    fn paths(&self) -> Result<Vec<PathBuf>, StoreFault> {
        let mut all = Vec::new();
        for pattern in &self.patterns {
            let name = pattern
                .file_name()
                .and_then(OsStr::to_str)
                .unwrap_or_default();
            if !name.contains('*') {
                match fs::symlink_metadata(pattern) {
                    Ok(file) => all.push(ordinary(pattern.clone(), file.file_type())?),
                    // A file that is not there holds nothing.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(fault(pattern, &error)),
                }
                continue;
            }
            let folder = pattern.parent().unwrap_or(Path::new("."));
            let folder = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            let entries = match fs::read_dir(folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries.map_err(|error| fault(folder, &error))?,
            };
            for entry in entries {
                let entry = entry.map_err(|error| fault(folder, &error))?;
                let found = entry.file_name();
                if bartizan_policy::glob_matches(name, &found.to_string_lossy()) {
                    let kind = entry.file_type().map_err(|error| fault(folder, &error))?;
                    all.push(ordinary(entry.path(), kind)?);
                }
            }
        }
        all.sort();
        all.dedup();
        Ok(all)
    }

    /// Looks at every line of every file.
    fn each(
        &self,
        mut look: impl FnMut(&Path, u64, &[u8]) -> Result<(), StoreFault>,
    ) -> Result<(), StoreFault> {
        for path in self.paths()? {
            lines(&path, |number, line| look(&path, number, line))?;
        }
        Ok(())
    }

    /// Rewrites every file without the lines that are to go; says how many those were.
    fn without(
        &self,
        goes: impl Fn(&Path, u64, &[u8]) -> Result<bool, StoreFault>,
    ) -> Result<u64, StoreFault> {
        let mut removed = 0;
        for path in self.paths()? {
            removed += rewrite(&path, |number, line| goes(&path, number, line))?;
        }
        Ok(removed)
    }

    /// Whether a line is older than that.
    fn is_old(
        &self,
        path: &Path,
        number: u64,
        line: &[u8],
        before_ms: i64,
    ) -> Result<bool, StoreFault> {
        let time = self.lines.time_ms(line).ok_or_else(|| StoreFault::NoTime {
            place: path.display().to_string(),
            line: number,
        })?;
        Ok(time < before_ms)
    }

    fn is_held(&self, line: &[u8], holds: &Holds) -> bool {
        !holds.is_empty() && self.lines.is_about_any(line, |one| holds.hold(one))
    }

    fn timed(&self) -> Result<(), StoreFault> {
        if self.lines.has_time() {
            Ok(())
        } else {
            Err(StoreFault::Timeless)
        }
    }
}

impl SubjectStore for Files {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "files"
    }

    fn class(&self) -> &str {
        &self.class
    }

    fn count(&mut self, subject: &Subject) -> Result<u64, StoreFault> {
        let mut found = 0;
        self.each(|_, _, line| {
            found += u64::from(self.lines.is_about(line, subject.expose()));
            Ok(())
        })?;
        Ok(found)
    }

    fn erase(&mut self, subject: &Subject) -> Result<u64, StoreFault> {
        self.without(|_, _, line| Ok(self.lines.is_about(line, subject.expose())))
    }

    fn export(&mut self, subject: &Subject) -> Result<Vec<Value>, StoreFault> {
        let mut records = Vec::new();
        self.each(|_, _, line| {
            if self.lines.is_about(line, subject.expose()) {
                let record = serde_json::from_slice(line)
                    .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(line).into_owned()));
                records.push(record);
            }
            Ok(())
        })?;
        Ok(records)
    }

    fn count_old(&mut self, before_ms: i64, holds: &Holds) -> Result<(u64, u64), StoreFault> {
        self.timed()?;
        let (mut old, mut held) = (0, 0);
        self.each(|path, number, line| {
            if self.is_old(path, number, line, before_ms)? {
                old += 1;
                held += u64::from(self.is_held(line, holds));
            }
            Ok(())
        })?;
        Ok((old, held))
    }

    fn remove_old(&mut self, before_ms: i64, holds: &Holds) -> Result<u64, StoreFault> {
        self.timed()?;
        self.without(|path, number, line| {
            Ok(self.is_old(path, number, line, before_ms)? && !self.is_held(line, holds))
        })
    }
}

/// Calls `look` with each line and its number, without the end of the line; empty ones are left out.
fn lines(
    path: &Path,
    mut look: impl FnMut(u64, &[u8]) -> Result<(), StoreFault>,
) -> Result<(), StoreFault> {
    let file = File::open(path).map_err(|error| fault(path, &error))?;
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    let mut number = 0;
    while next(&mut reader, path, &mut line)? {
        number += 1;
        let text = line.trim_ascii();
        if !text.is_empty() {
            look(number, text)?;
        }
    }
    Ok(())
}

/// Reads the next line with its end; `false` behind the last one.
fn next(reader: &mut BufReader<File>, path: &Path, line: &mut Vec<u8>) -> Result<bool, StoreFault> {
    line.clear();
    let read = reader.by_ref().take(MAX_LINE + 1).read_until(b'\n', line);
    let read = read.map_err(|error| fault(path, &error))?;
    if read as u64 > MAX_LINE {
        return Err(StoreFault::LongLine {
            place: path.display().to_string(),
            most: MAX_LINE,
        });
    }
    Ok(read > 0)
}

/// Writes a file anew without the lines that go, and puts it in the place of the old one in one
/// step. A file that nothing goes from is left alone.
fn rewrite(
    path: &Path,
    goes: impl Fn(u64, &[u8]) -> Result<bool, StoreFault>,
) -> Result<u64, StoreFault> {
    let failed = |error: io::Error| fault(path, &error);
    let file = File::open(path).map_err(failed)?;
    let before = file.metadata().map_err(failed)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut beside = path.file_name().unwrap_or_default().to_owned();
    beside.push(".bartizan-new");
    let beside = folder.join(beside);
    // What a former run left behind when it was ended.
    let _ = fs::remove_file(&beside);
    let new = File::create_new(&beside).map_err(|error| fault(&beside, &error))?;
    let removed = (|| {
        new.set_permissions(before.permissions()).map_err(failed)?;
        let mut writer = BufWriter::new(&new);
        let mut reader = BufReader::new(file);
        let (mut line, mut number, mut removed) = (Vec::new(), 0, 0);
        while next(&mut reader, path, &mut line)? {
            number += 1;
            let text = line.trim_ascii();
            if !text.is_empty() && goes(number, text)? {
                removed += 1;
            } else {
                writer.write_all(&line).map_err(failed)?;
            }
        }
        writer.flush().map_err(failed)?;
        drop(writer);
        new.sync_all().map_err(failed)?;
        Ok(removed)
    })();
    let removed = match removed {
        Ok(0) | Err(_) => {
            fs::remove_file(&beside).map_err(|error| fault(&beside, &error))?;
            return removed;
        }
        Ok(removed) => removed,
    };
    let now = fs::symlink_metadata(path).map_err(failed)?;
    let state = |file: &fs::Metadata| {
        (
            file.len(),
            file.modified().unwrap_or(SystemTime::UNIX_EPOCH),
        )
    };
    if state(&before) != state(&now) {
        fs::remove_file(&beside).map_err(|error| fault(&beside, &error))?;
        return Err(StoreFault::Changed(path.display().to_string()));
    }
    fs::rename(&beside, path).map_err(failed)?;
    // The rename outlives a power cut once its folder is on the disk.
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed)?;
    Ok(removed)
}

/// The path of an ordinary file.
fn ordinary(path: PathBuf, kind: fs::FileType) -> Result<PathBuf, StoreFault> {
    if kind.is_file() {
        return Ok(path);
    }
    Err(StoreFault::Io {
        place: path.display().to_string(),
        why: "no ordinary file".to_owned(),
    })
}

fn fault(path: &Path, error: &io::Error) -> StoreFault {
    StoreFault::Io {
        place: path.display().to_string(),
        why: error.kind().to_string(),
    }
}
