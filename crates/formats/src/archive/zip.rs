use std::collections::{BTreeMap, HashSet};

use crate::{ParseError, Source};

/// A file in a zip archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZipEntry {
    /// Its name as the directory writes it; bytes that are no UTF-8 are replaced.
    pub name: String,
    /// How it is compressed: 0 stored, 8 deflate, 12 bzip2, 14 LZMA, 93 Zstandard, 95 xz.
    pub method: u16,
    /// General purpose bits.
    pub flags: u16,
    /// Checksum of its bytes.
    pub crc: u32,
    /// Bytes in the archive.
    pub packed: u64,
    /// Bytes when unpacked, as claimed.
    pub size: u64,
    /// Whether it is a symbolic link, by its Unix mode.
    pub is_link: bool,
    /// Where its own header stands.
    pub header_at: u64,
    /// Where its bytes begin; `None` if no header stands where the directory says.
    pub data_at: Option<u64>,
}

impl ZipEntry {
    /// Whether it says that it is encrypted.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.flags & 1 != 0
    }
}

/// Where programs that read zip archives differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ZipOddity {
    /// More than one directory can be found.
    Directories,
    /// Two files have one name.
    Duplicate,
    /// A file has another name in its own header.
    Name,
    /// A file is compressed or sized differently by its own header.
    Header,
    /// A file stands between the others, and the directory does not list it.
    Hidden,
    /// Files share bytes.
    Overlap,
}

impl ZipOddity {
    /// What is odd, in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Directories => "more than one directory",
            Self::Duplicate => "two files with one name",
            Self::Name => "a file with another name in its own header",
            Self::Header => "a file that its own header describes differently",
            Self::Hidden => "a file that the directory does not list",
            Self::Overlap => "files that share bytes",
        }
    }
}

/// What a zip archive holds for any program that reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zip {
    /// Every file of every directory, and those that none lists.
    pub entries: Vec<ZipEntry>,
    /// What programs disagree about, and where.
    pub oddities: Vec<(ZipOddity, u64)>,
}

// Signatures (APPNOTE 6.3.10, section 4.3).
const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END64: &[u8] = b"PK\x06\x06";
const LOCATOR64: &[u8] = b"PK\x06\x07";

/// Length of the end record without its comment, and of the longest comment.
const END_LENGTH: u64 = 22;
const COMMENT: u64 = 0xffff;

/// Most directories of one archive; an honest one has one.
const DIRECTORIES: usize = 8;

/// Bytes of a gap that are searched for a hidden file.
const GAP: u64 = 64 << 10;

/// Reads the directories of a zip archive, at most `max_entries` files; bytes of files are not read.
///
/// # Errors
/// When there is no directory, or one is broken.
pub fn zip(source: &dyn Source, max_entries: u64) -> Result<Zip, ParseError> {
    let mut zip = Zip::default();
    let directories = directories(source)?;
    if directories.is_empty() {
        return Err(ParseError::malformed(
            source.len(),
            "no directory of the archive",
        ));
    }
    if directories.len() > DIRECTORIES {
        return Err(ParseError::Exhausted {
            limit: "directories of one zip",
            max: DIRECTORIES as u64,
        });
    }
    if let Some(second) = directories.get(1) {
        zip.oddities.push((ZipOddity::Directories, second.at));
    }
    let mut seen = HashSet::new();
    for directory in &directories {
        let entries = directory.entries(source, max_entries)?;
        let mut names = HashSet::new();
        for mut entry in entries {
            if !names.insert(entry.name.clone()) {
                zip.oddities.push((ZipOddity::Duplicate, entry.header_at));
            }
            if let Some(oddity) = entry.locate(source, directory.shift)? {
                zip.oddities.push((oddity, entry.header_at));
            }
            if seen.insert((entry.name.clone(), entry.header_at)) {
                zip.entries.push(entry);
            }
        }
    }
    hidden(source, &mut zip, max_entries)?;
    Ok(zip)
}

/// A directory, and what must be added to its offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Directory {
    at: u64,
    length: u64,
    shift: u64,
}

/// Every directory that a program may take for the one.
fn directories(source: &dyn Source) -> Result<Vec<Directory>, ParseError> {
    let length = (END_LENGTH + COMMENT).min(source.len());
    let start = source.len() - length;
    let tail = source.read(start, length)?;
    let mut found: Vec<Directory> = Vec::new();
    let mut end = tail.len();
    while let Some(at) = memchr::memmem::rfind(tail.get(..end).unwrap_or_default(), END) {
        end = at + END.len() - 1;
        let record = tail.get(at..).unwrap_or_default();
        for directory in claims(source, start + at as u64, record)? {
            if !found.contains(&directory) {
                found.push(directory);
            }
        }
    }
    Ok(found)
}

/// Where an end record says that the directory is: by offset, and right before itself.
fn claims(source: &dyn Source, at: u64, record: &[u8]) -> Result<Vec<Directory>, ParseError> {
    let (Some(mut length), Some(mut offset)) = (u32_at(record, 12), u32_at(record, 16)) else {
        return Ok(Vec::new());
    };
    let count = u16_at(record, 10).unwrap_or(0);
    let mut before = at;
    if let Some((record_at, record)) = end64(source, at)?
        && let (Some(length64), Some(offset64)) = (u64_at(&record, 40), u64_at(&record, 48))
    {
        (length, offset, before) = (length64, offset64, record_at);
    }
    let mut found = Vec::new();
    let places = [
        before.checked_sub(length),
        (offset <= source.len()).then_some(offset),
    ];
    for place in places.into_iter().flatten() {
        let is_empty = length == 0 && count == 0 && found.is_empty();
        let is_there = source.read(place, 4)? == CENTRAL;
        let directory = Directory {
            at: place,
            length,
            shift: place.saturating_sub(offset),
        };
        if (is_there || is_empty) && !found.contains(&directory) {
            found.push(directory);
        }
    }
    // Both ways lead to the same place in an honest archive; the one by offset is what PyTorch takes.
    Ok(found)
}

/// The end record of zip64, where its locator or its length says.
fn end64(source: &dyn Source, end: u64) -> Result<Option<(u64, Vec<u8>)>, ParseError> {
    let Some(locator_at) = end.checked_sub(20) else {
        return Ok(None);
    };
    let locator = source.read(locator_at, 20)?;
    if !locator.starts_with(LOCATOR64) {
        return Ok(None);
    }
    for at in [locator_at.checked_sub(56), u64_at(&locator, 8)]
        .into_iter()
        .flatten()
    {
        let record = source.read(at, 56)?;
        if record.starts_with(END64) {
            return Ok(Some((at, record)));
        }
    }
    Ok(None)
}

impl Directory {
    fn entries(self, source: &dyn Source, max_entries: u64) -> Result<Vec<ZipEntry>, ParseError> {
        /// Longest directory that is read; 100,000 files have 10 MB.
        const LONGEST: u64 = 64 << 20;
        if self.length > LONGEST {
            return Err(ParseError::Exhausted {
                limit: "bytes of a zip directory",
                max: LONGEST,
            });
        }
        let bytes = source.read(self.at, self.length)?;
        let mut rest = &*bytes;
        let mut entries = Vec::new();
        while rest.starts_with(CENTRAL) {
            if entries.len() as u64 >= max_entries {
                return Err(ParseError::Exhausted {
                    limit: "max-members",
                    max: max_entries,
                });
            }
            let at = self.at + (bytes.len() - rest.len()) as u64;
            let (entry, length) = central(rest)
                .ok_or_else(|| ParseError::malformed(at, "an entry of the directory is cut off"))?;
            entries.push(entry);
            rest = rest.get(length..).unwrap_or_default();
        }
        if !rest.is_empty() {
            let at = self.at + (bytes.len() - rest.len()) as u64;
            return Err(ParseError::malformed(at, "no entry of the directory"));
        }
        Ok(entries)
    }
}

/// An entry of the directory (section 4.3.12) and its length.
fn central(bytes: &[u8]) -> Option<(ZipEntry, usize)> {
    let name_length = usize::from(u16_at(bytes, 28)?);
    let extra_length = usize::from(u16_at(bytes, 30)?);
    let comment_length = usize::from(u16_at(bytes, 32)?);
    let extra_at = 46 + name_length;
    let name = bytes.get(46..extra_at)?;
    let extra = bytes.get(extra_at..extra_at + extra_length)?;
    let length = extra_at + extra_length + comment_length;
    bytes.get(..length)?;
    let mut wide = Wide::of(extra);
    let mode = u32_at(bytes, 38)? >> 16;
    let size = wide.or(u32_at(bytes, 24)?);
    let packed = wide.or(u32_at(bytes, 20)?);
    let header_at = wide.or(u32_at(bytes, 42)?);
    let entry = ZipEntry {
        name: String::from_utf8_lossy(name).into_owned(),
        method: u16_at(bytes, 10)?,
        flags: u16_at(bytes, 8)?,
        crc: u32::try_from(u32_at(bytes, 16)?).ok()?,
        packed,
        size,
        is_link: mode & 0o170_000 == 0o120_000,
        header_at,
        data_at: None,
    };
    Some((entry, length))
}

/// The numbers of the zip64 extra field (section 4.5.3), in their order.
struct Wide<'a>(&'a [u8]);

impl<'a> Wide<'a> {
    fn of(mut extra: &'a [u8]) -> Self {
        while let (Some(id), Some(length)) = (u16_at(extra, 0), u16_at(extra, 2)) {
            let end = 4 + usize::from(length);
            let Some(field) = extra.get(4..end) else {
                break;
            };
            if id == 1 {
                return Self(field);
            }
            extra = extra.get(end..).unwrap_or_default();
        }
        Self(&[])
    }

    /// The next wide number where the narrow one is full.
    fn or(&mut self, narrow: u64) -> u64 {
        if narrow != u64::from(u32::MAX) {
            return narrow;
        }
        let wide = u64_at(self.0, 0);
        self.0 = self.0.get(8..).unwrap_or_default();
        wide.unwrap_or(narrow)
    }
}

impl ZipEntry {
    /// Finds its own header, and says what that disagrees about.
    fn locate(&mut self, source: &dyn Source, shift: u64) -> Result<Option<ZipOddity>, ParseError> {
        for at in [self.header_at.saturating_add(shift), self.header_at] {
            let header = source.read(at, 30)?;
            if !header.starts_with(LOCAL) {
                continue;
            }
            let Some((name_length, extra_length)) = u16_at(&header, 26).zip(u16_at(&header, 28))
            else {
                continue;
            };
            self.header_at = at;
            let name_at = at + 30;
            let name = source.read(name_at, u64::from(name_length))?;
            let extra_at = name_at + u64::from(name_length);
            self.data_at = Some(extra_at + u64::from(extra_length));
            if String::from_utf8_lossy(&name) != self.name {
                return Ok(Some(ZipOddity::Name));
            }
            let flags = u16_at(&header, 6).unwrap_or(0);
            let sizes = [u32_at(&header, 18), u32_at(&header, 22)].map(|size| size.unwrap_or(0));
            // Sizes that follow the data, or that are in the extra field, are not compared.
            let has_sizes = flags & 8 == 0 && !sizes.contains(&u64::from(u32::MAX));
            let differs = u16_at(&header, 8) != Some(self.method)
                || (flags ^ self.flags) & 1 != 0
                || (has_sizes && sizes != [self.packed, self.size]);
            return Ok(differs.then_some(ZipOddity::Header));
        }
        Ok(Some(ZipOddity::Header))
    }
}

/// Looks for files between those that are listed.
fn hidden(source: &dyn Source, zip: &mut Zip, max_entries: u64) -> Result<(), ParseError> {
    let mut ends: BTreeMap<u64, u64> = BTreeMap::new();
    for entry in &zip.entries {
        if let Some(data_at) = entry.data_at {
            ends.insert(entry.header_at, data_at.saturating_add(entry.packed));
        }
    }
    let mut starts: Vec<u64> = ends.keys().copied().skip(1).collect();
    starts.push(source.len());
    let mut found = Vec::new();
    for (&end, start) in ends.values().zip(starts) {
        if end > start {
            zip.oddities.push((ZipOddity::Overlap, start));
            continue;
        }
        let gap = source.read(end, GAP.min(start - end))?;
        for at in memchr::memmem::find_iter(&gap, LOCAL) {
            if (found.len() + zip.entries.len()) as u64 >= max_entries {
                return Err(ParseError::Exhausted {
                    limit: "max-members",
                    max: max_entries,
                });
            }
            if let Some(entry) = local(source, end + at as u64)? {
                zip.oddities.push((ZipOddity::Hidden, entry.header_at));
                found.push(entry);
            }
        }
    }
    zip.entries.append(&mut found);
    Ok(())
}

/// A file by its own header alone (section 4.3.7); without a size it reaches to the end.
fn local(source: &dyn Source, at: u64) -> Result<Option<ZipEntry>, ParseError> {
    let header = source.read(at, 30)?;
    let numbers = (|| {
        Some((
            u16_at(&header, 6)?,
            u16_at(&header, 8)?,
            u32_at(&header, 14)?,
            u32_at(&header, 18)?,
            u32_at(&header, 22)?,
            u64::from(u16_at(&header, 26)?),
            u64::from(u16_at(&header, 28)?),
        ))
    })();
    let Some((flags, method, crc, packed, size, name_length, extra_length)) = numbers else {
        return Ok(None);
    };
    let name = source.read(at + 30, name_length)?;
    let data_at = at + 30 + name_length + extra_length;
    let rest = source.len().saturating_sub(data_at);
    let packed = if flags & 8 != 0 && packed == 0 {
        rest
    } else {
        packed.min(rest)
    };
    Ok(Some(ZipEntry {
        name: String::from_utf8_lossy(&name).into_owned(),
        method,
        flags,
        crc: u32::try_from(crc).unwrap_or_default(),
        packed,
        size,
        is_link: false,
        header_at: at,
        data_at: Some(data_at),
    }))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u64::from(u32::from_le_bytes(bytes)))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
