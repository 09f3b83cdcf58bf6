use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use bartizan_siem::{Format, Notice};
use futures_util::future::BoxFuture;
use parking_lot::Mutex;

use super::{super::journal, FileSink, Outlet, SinkError};

/// A file with an event in each line; a new one begins when it is full or the day is over.
pub(crate) struct FileOutlet(Arc<Mutex<Lines>>);

struct Lines {
    config: FileSink,
    format: Format,
    open: Option<Open>,
}

struct Open {
    file: File,
    bytes: u64,
    day: u64,
}

const DAY_MS: u64 = 86_400_000;

/// An event has far fewer bytes: the last line of a file begins within so many of its end.
const LONGEST_LINE: u64 = 1 << 20;

impl FileOutlet {
    /// Writes to the file of `config`, in `data` if its path is not absolute.
    pub(crate) fn new(mut config: FileSink, format: Format, data: &Path) -> Self {
        config.path = data.join(config.path);
        let lines = Lines {
            config,
            format,
            open: None,
        };
        Self(Arc::new(Mutex::new(lines)))
    }
}

impl Outlet for FileOutlet {
    fn send<'a>(&'a mut self, notices: &'a [Notice]) -> BoxFuture<'a, Result<(), SinkError>> {
        let (lines, notices) = (Arc::clone(&self.0), notices.to_vec());
        Box::pin(async move {
            let write = move || lines.lock().write(&notices);
            let written = tokio::task::spawn_blocking(write).await;
            Ok(written.map_err(io::Error::other)??)
        })
    }
}

impl Lines {
    /// Writes all of them and waits for the disk, or leaves the file as it was, but for what stands
    /// in files that became full on the way.
    fn write(&mut self, notices: &[Notice]) -> io::Result<()> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.open()?,
        };
        let mut text = String::new();
        for notice in notices {
            let line = notice.write(self.format, env!("CARGO_PKG_VERSION"));
            let day = notice.at_ms / DAY_MS;
            let length = open.bytes + text.len() as u64;
            let is_full = length + line.len() as u64 >= self.config.max_bytes;
            if length > 0 && (is_full || (self.config.daily && day > open.day)) {
                open.append(&text)?;
                text.clear();
                fs::rename(&self.config.path, self.full(notice.number))?;
                self.forget()?;
                open = self.open()?;
            }
            open.day = day.max(open.day);
            text.push_str(&line);
            text.push('\n');
        }
        open.append(&text)?;
        self.open = Some(open);
        Ok(())
    }

    /// Opens the file, without half a line that a crash may have left: its event is told again.
    fn open(&self) -> io::Result<Open> {
        let path = &self.config.path;
        let folder = path.parent().unwrap_or(Path::new("."));
        journal::private_folder(folder)?;
        let mut file = journal::private_file(path)?;
        let length = file.metadata()?.len();
        let from = length.saturating_sub(LONGEST_LINE);
        file.seek(SeekFrom::Start(from))?;
        let mut end = Vec::new();
        (&file).take(LONGEST_LINE).read_to_end(&mut end)?;
        let whole = end
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let bytes = from + whole as u64;
        if bytes < length {
            file.set_len(bytes)?;
        }
        let day = if bytes == 0 { 0 } else { day_of(&file)? };
        // The name of the file must outlive a power cut as its lines do.
        File::open(folder)?.sync_all()?;
        Ok(Open { file, bytes, day })
    }

    /// What the file is called when it is full and the next event has that number.
    fn full(&self, next: u64) -> PathBuf {
        let mut name = self.config.path.clone().into_os_string();
        name.push(format!(".{next:012}"));
        name.into()
    }

    /// Removes the oldest full files above `keep`.
    fn forget(&self) -> io::Result<()> {
        if self.config.keep == 0 {
            return Ok(());
        }
        let path = &self.config.path;
        let folder = path.parent().unwrap_or(Path::new("."));
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Ok(());
        };
        let is_full = |found: &str| {
            let number = found
                .strip_prefix(name)
                .and_then(|end| end.strip_prefix('.'));
            number.is_some_and(|number| {
                number.len() >= 12 && number.bytes().all(|byte| byte.is_ascii_digit())
            })
        };
        let mut full: Vec<String> = fs::read_dir(folder)?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|found| is_full(found))
            .collect();
        full.sort_unstable();
        let above = full.len().saturating_sub(self.config.keep as usize);
        for old in full.iter().take(above) {
            fs::remove_file(folder.join(old))?;
        }
        Ok(())
    }
}

impl Open {
    fn append(&mut self, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let written = self.file.write_all(text.as_bytes());
        if let Err(error) = written.and_then(|()| self.file.sync_data()) {
            self.file.set_len(self.bytes)?;
            return Err(error);
        }
        self.bytes += text.len() as u64;
        Ok(())
    }
}

/// The day in which a file was last written to, in days since 1970.
fn day_of(file: &File) -> io::Result<u64> {
    let at = file.metadata()?.modified()?;
    let since = at.duration_since(std::time::UNIX_EPOCH);
    Ok(since.map_or(0, |since| since.as_millis() as u64 / DAY_MS))
}
