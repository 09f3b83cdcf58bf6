use std::{
    collections::{BTreeMap, HashSet},
    io::Read,
};

use bartizan_formats::{
    Format, Source,
    archive::{Codec, Input, TarKind, reader, tar_stream},
    sniff,
};

use super::ImageError;

/// Most bytes that come out of all layers.
const MAX_UNPACKED: u64 = 64 << 30;

/// Most bytes of one file that is kept, and of all of them.
const MAX_FILE: u64 = 64 << 20;
const MAX_KEPT: u64 = 512 << 20;

/// What marks a file of a lower layer as gone, and a folder as emptied (OCI Image Format
/// Specification 1.1, "Whiteouts").
const GONE: &str = ".wh.";
const EMPTIED: &str = ".wh..wh..opq";

/// What a container sees of the files that are asked for.
pub(crate) struct Files {
    wanted: fn(&str) -> bool,
    /// Bytes by path; `None` for what was there and could not be kept.
    pub(crate) found: BTreeMap<String, Option<Vec<u8>>>,
    unpacked: u64,
}

impl Files {
    pub(super) fn new(wanted: fn(&str) -> bool) -> Self {
        Self {
            wanted,
            found: BTreeMap::new(),
            unpacked: 0,
        }
    }

    /// Lays one layer over those before it.
    pub(super) fn apply(&mut self, layer: &dyn Source) -> Result<(), ImageError> {
        let formats = sniff(layer)?;
        let codec = match formats.first() {
            Some(Format::Gzip) => Some(Codec::Gzip),
            Some(Format::Zstd) => Some(Codec::Zstd),
            Some(Format::Tar) => None,
            // Two blocks of zeros: a layer without files.
            _ if layer.read(0, 512)?.iter().all(|&byte| byte == 0) => None,
            _ => return Err(ImageError::Layer),
        };
        let unpacked: Box<dyn Read + '_> = match codec {
            Some(codec) => reader(codec, layer).map_err(|_| ImageError::Layer)?,
            None => Box::new(Input::new(layer)),
        };
        let left = MAX_UNPACKED.saturating_sub(self.unpacked);
        let mut counted = Counted {
            inner: unpacked,
            left,
        };
        let mut own = HashSet::new();
        let read = tar_stream(&mut counted, |path, kind, size, bytes| {
            let path = plain(path);
            self.entry(&path, kind, size, bytes, &mut own)
        });
        if counted.left == 0 {
            return Err(ImageError::Exhausted {
                limit: "unpacked bytes of an image",
                max: MAX_UNPACKED,
            });
        }
        self.unpacked += left - counted.left;
        read.map_err(|_| ImageError::Layer)
    }

    fn entry(
        &mut self,
        path: &str,
        kind: TarKind,
        size: u64,
        bytes: &mut dyn Read,
        own: &mut HashSet<String>,
    ) -> std::io::Result<()> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name == EMPTIED {
            self.remove_below(folder, own);
            return Ok(());
        }
        if let Some(name) = name.strip_prefix(GONE) {
            let gone = if folder.is_empty() {
                name.to_owned()
            } else {
                format!("{folder}/{name}")
            };
            self.remove_below(&gone, own);
            if !own.contains(&gone) {
                self.found.remove(&gone);
            }
            return Ok(());
        }
        if matches!(kind, TarKind::Folder | TarKind::Notes) {
            return Ok(());
        }
        // Whatever is no folder takes the place of what was there and below it.
        self.remove_below(path, &HashSet::new());
        if !(self.wanted)(path) {
            self.found.remove(path);
            return Ok(());
        }
        let kept: u64 = self
            .found
            .values()
            .flatten()
            .map(|bytes| bytes.len() as u64)
            .sum();
        let fits = size <= MAX_FILE && kept.saturating_add(size) <= MAX_KEPT;
        let content = if kind == TarKind::File && fits {
            let mut content = Vec::new();
            bytes.take(size).read_to_end(&mut content)?;
            Some(content)
        } else {
            None
        };
        own.insert(path.to_owned());
        self.found.insert(path.to_owned(), content);
        Ok(())
    }
}

impl Files {
    /// Takes away what is below a folder, but what this layer brought itself.
    fn remove_below(&mut self, folder: &str, own: &HashSet<String>) {
        let start = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        let below = self.found.range(start.clone()..);
        let below = below.map(|(path, _)| path);
        let below = below.take_while(|path| path.starts_with(&start));
        let gone: Vec<String> = below.filter(|path| !own.contains(*path)).cloned().collect();
        for path in gone {
            self.found.remove(&path);
        }
    }
}

/// A path without what leads nowhere.
fn plain(path: &str) -> String {
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    parts.collect::<Vec<_>>().join("/")
}

/// A reader that stops when too much came out.
struct Counted<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)? as u64;
        self.left = self.left.saturating_sub(read);
        if self.left == 0 && read > 0 {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        usize::try_from(read).map_err(std::io::Error::other)
    }
}
