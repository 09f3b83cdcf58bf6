use std::io;

use crate::{Message, Source, hdf5::Hdf5, pickle};

/// What a file is, by its bytes. Its name decides nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Format {
    /// No bytes.
    Empty,
    /// A Python pickle of any protocol.
    Pickle,
    /// A zip archive, wherever in the file its end is.
    Zip,
    /// A tar archive.
    Tar,
    /// 7-Zip.
    SevenZip,
    /// RAR.
    Rar,
    /// gzip (RFC 1952).
    Gzip,
    /// zlib (RFC 1950).
    Zlib,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// LZMA in its own old format, as Python's `lzma` reads too.
    Lzma,
    /// Zstandard (RFC 8878).
    Zstd,
    /// LZ4 frames.
    Lz4,
    /// One `NumPy` array.
    Npy,
    /// HDF5, as Keras wrote it before version 3.
    Hdf5,
    /// GGUF.
    Gguf,
    /// safetensors.
    Safetensors,
    /// TensorFlow Lite.
    TfLite,
    /// ExecuTorch.
    ExecuTorch,
    /// R's serialised data, not compressed.
    Rds,
    /// JSON, by its first character.
    Json,
    /// XML, by its first tag.
    Xml,
    /// Text in UTF-8 or UTF-16 that is nothing of the above.
    Text,
    /// A program or library of Linux.
    Elf,
    /// A program or library of Windows.
    Pe,
    /// A program or library of macOS, or a Java class, which begin alike.
    MachO,
    /// WebAssembly.
    Wasm,
    /// A SQLite database.
    Sqlite,
    /// Parquet.
    Parquet,
    /// Arrow's file format.
    Arrow,
    /// PDF.
    Pdf,
    /// A picture: PNG, JPEG, GIF, WebP, BMP, TIFF.
    Image,
    /// Sound or film: WAV, FLAC, MP3, Ogg, MP4.
    Media,
    /// A font: TrueType, OpenType, WOFF.
    Font,
    /// A message of protobuf to its last byte, behind the first bytes of something else.
    Protobuf,
    /// None of these.
    Unknown,
}

impl Format {
    /// The name used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Pickle => "pickle",
            Self::Zip => "zip",
            Self::Tar => "tar",
            Self::SevenZip => "7z",
            Self::Rar => "rar",
            Self::Gzip => "gzip",
            Self::Zlib => "zlib",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Lzma => "lzma",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::Npy => "npy",
            Self::Hdf5 => "hdf5",
            Self::Gguf => "gguf",
            Self::Safetensors => "safetensors",
            Self::TfLite => "tflite",
            Self::ExecuTorch => "executorch",
            Self::Rds => "rds",
            Self::Json => "json",
            Self::Xml => "xml",
            Self::Text => "text",
            Self::Elf => "elf",
            Self::Pe => "pe",
            Self::MachO => "mach-o",
            Self::Wasm => "wasm",
            Self::Sqlite => "sqlite",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
            Self::Pdf => "pdf",
            Self::Image => "image",
            Self::Media => "media",
            Self::Font => "font",
            Self::Protobuf => "protobuf",
            Self::Unknown => "unknown",
        }
    }

    /// Whether a loader of this format only ever gets data out of it.
    #[must_use]
    pub const fn is_inert(self) -> bool {
        matches!(
            self,
            Self::Empty
                | Self::Json
                | Self::Text
                | Self::Parquet
                | Self::Arrow
                | Self::Image
                | Self::Media
                | Self::Font
        )
    }
}

/// Bytes that are looked at from the start.
const HEAD: u64 = 4 << 10;

/// Fixed bytes at fixed places.
#[rustfmt::skip]
const MAGIC: &[(usize, &[u8], Format)] = &[
    (0, b"PK\x03\x04", Format::Zip),
    (0, b"PK\x05\x06", Format::Zip),
    (0, b"PK\x07\x08", Format::Zip),
    (257, b"ustar", Format::Tar),
    (0, b"7z\xbc\xaf\x27\x1c", Format::SevenZip),
    (0, b"Rar!\x1a\x07", Format::Rar),
    (0, b"\x1f\x8b", Format::Gzip),
    (0, b"BZh", Format::Bzip2),
    (0, b"\xfd7zXZ\x00", Format::Xz),
    (0, b"\x28\xb5\x2f\xfd", Format::Zstd),
    (0, b"\x04\x22\x4d\x18", Format::Lz4),
    (0, b"\x93NUMPY", Format::Npy),
    (0, b"\x89HDF\r\n\x1a\n", Format::Hdf5),
    (0, b"GGUF", Format::Gguf),
    (4, b"TFL3", Format::TfLite),
    (4, b"ET12", Format::ExecuTorch),
    (0, b"RDX2\n", Format::Rds),
    (0, b"RDX3\n", Format::Rds),
    (0, b"X\n\x00\x00\x00\x02", Format::Rds),
    (0, b"X\n\x00\x00\x00\x03", Format::Rds),
    (0, b"\x7fELF", Format::Elf),
    (0, b"\xcf\xfa\xed\xfe", Format::MachO),
    (0, b"\xce\xfa\xed\xfe", Format::MachO),
    (0, b"\xca\xfe\xba\xbe", Format::MachO),
    (0, b"\0asm", Format::Wasm),
    (0, b"SQLite format 3\0", Format::Sqlite),
    (0, b"PAR1", Format::Parquet),
    (0, b"ARROW1", Format::Arrow),
    (0, b"%PDF-", Format::Pdf),
    (0, b"\x89PNG\r\n\x1a\n", Format::Image),
    (0, b"\xff\xd8\xff", Format::Image),
    (0, b"GIF87a", Format::Image),
    (0, b"GIF89a", Format::Image),
    (0, b"II*\0", Format::Image),
    (0, b"MM\0*", Format::Image),
    (0, b"fLaC", Format::Media),
    (0, b"ID3", Format::Media),
    (0, b"OggS", Format::Media),
    (0, b"\0\x01\0\0\0", Format::Font),
    (0, b"OTTO", Format::Font),
    (0, b"wOFF", Format::Font),
    (0, b"wOF2", Format::Font),
];

/// What the bytes can be read as, likeliest first; never none.
///
/// More than one means that two programs may see two different files.
///
/// # Errors
/// What the file system says.
pub fn sniff(source: &dyn Source) -> io::Result<Vec<Format>> {
    let head = source.read(0, HEAD)?;
    if head.is_empty() {
        return Ok(vec![Format::Empty]);
    }
    let starts = |&&(at, magic, _): &&(usize, &[u8], Format)| {
        head.get(at..).is_some_and(|rest| rest.starts_with(magic))
    };
    let mut formats: Vec<Format> = MAGIC.iter().filter(starts).map(|entry| entry.2).collect();
    formats.dedup();
    let checks: [(bool, Format); 10] = [
        (
            // Whoever reads HDF5 looks behind a block of the user's too.
            !formats.contains(&Format::Hdf5) && Hdf5::signature(source).is_some(),
            Format::Hdf5,
        ),
        (
            !formats.contains(&Format::Tar) && is_old_tar(&head),
            Format::Tar,
        ),
        (is_riff(&head, b"WEBP"), Format::Image),
        (is_riff(&head, b"WAVE"), Format::Media),
        (is_film(&head), Format::Media),
        (is_pe(&head), Format::Pe),
        (is_zlib(&head), Format::Zlib),
        (is_lzma(&head), Format::Lzma),
        (is_safetensors(&head, source.len()), Format::Safetensors),
        (
            !formats.contains(&Format::Zip) && ends_as_zip(source)?,
            Format::Zip,
        ),
    ];
    formats.extend(
        checks
            .into_iter()
            .filter_map(|(is, format)| is.then_some(format)),
    );
    if pickle::is_pickle(source) {
        // What begins like one is one first of all, even if a zip follows.
        let at = usize::from(formats.iter().any(|format| *format != Format::Zip));
        formats.insert(at.min(formats.len()), Format::Pickle);
    }
    if formats.is_empty() {
        formats.push(text(&head));
    }
    if may_hide_protobuf(&formats, source.len()) && is_protobuf(source)? {
        formats.push(Format::Protobuf);
    }
    Ok(formats)
}

/// Whether models of which nothing is fixed but their fields may stand behind what was found.
///
/// Text in the whole of a file proves that it is none; a few bytes of a weak magic prove nothing
/// about a short file, which may be fields by chance.
fn may_hide_protobuf(formats: &[Format], length: u64) -> bool {
    let is_weak = |format: &Format| {
        matches!(
            format,
            Format::Pickle
                | Format::Zlib
                | Format::Lzma
                | Format::Json
                | Format::Text
                | Format::Xml
        )
    };
    *formats != [Format::Unknown] && (length > HEAD || !formats.iter().all(is_weak))
}

/// Whether all of a file is fields of a message, and none of it only looks so because it is text.
///
/// A picture of which a loader of protobuf takes the first bytes for a field that it does not know
/// is a model like any other to it: what it does not know, it skips.
fn is_protobuf(source: &dyn Source) -> io::Result<bool> {
    /// Fields after which the file is one even if the rest is broken; models have a dozen.
    const MOST: usize = 1 << 20;
    let mut fields = Message::new(source).fields().take(MOST);
    Ok(fields.all(|field| field.is_ok()) && !is_all_text(source)?)
}

fn is_all_text(source: &dyn Source) -> io::Result<bool> {
    const BLOCK: u64 = 64 << 10;
    let mut at = 0;
    while at < source.len() {
        let block = source.read(at, BLOCK)?;
        if block.is_empty()
            || block
                .iter()
                .any(|&byte| byte < 0x80 && is_odd(char::from(byte)))
        {
            return Ok(false);
        }
        at += block.len() as u64;
    }
    Ok(true)
}

/// The header of a tar from before POSIX gave it a magic: what proves it is its checksum alone.
fn is_old_tar(head: &[u8]) -> bool {
    let Some((header, _)) = head.split_first_chunk::<512>() else {
        return false;
    };
    let header = tar::Header::from_byte_slice(header);
    let bytes = header.as_bytes();
    // Some programs of old counted bytes as signed, and Python's `tarfile` takes either sum.
    let sum = |value: fn(u8) -> i64| -> i64 {
        let counted = bytes.iter().enumerate().map(|(at, byte)| match at {
            148..156 => value(b' '),
            _ => value(*byte),
        });
        counted.sum()
    };
    let sums = [sum(i64::from), sum(|byte| i64::from(byte.cast_signed()))];
    let is_one = |claimed| sums.contains(&i64::from(claimed));
    bytes.iter().any(|byte| *byte != 0) && header.cksum().is_ok_and(is_one)
}

/// RIFF (Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0").
fn is_riff(head: &[u8], kind: &[u8]) -> bool {
    head.starts_with(b"RIFF") && head.get(8..).is_some_and(|rest| rest.starts_with(kind))
}

/// The first box of ISO/IEC 14496-12, 4.3, whose length has no more than three bytes.
fn is_film(head: &[u8]) -> bool {
    matches!(head, [0, _, _, _, b'f', b't', b'y', b'p', ..])
}

/// A control character that no text has.
fn is_odd(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}' | '\u{1b}')
}

/// `MZ`, and the header that it points to (Microsoft, "PE Format").
fn is_pe(head: &[u8]) -> bool {
    let offset = head.get(0x3c..0x40).and_then(|bytes| bytes.try_into().ok());
    let Some(offset) = offset.map(u32::from_le_bytes) else {
        return false;
    };
    let header = usize::try_from(offset).ok().and_then(|at| head.get(at..));
    head.starts_with(b"MZ") && header.is_some_and(|header| header.starts_with(b"PE\0\0"))
}

/// RFC 1950, section 2.2: deflate, a window of at most 32 KiB, no dictionary, a check of the two bytes.
fn is_zlib(head: &[u8]) -> bool {
    let &[method, flags, ..] = head else {
        return false;
    };
    let check = u16::from_be_bytes([method, flags]);
    // Only the window that everybody writes, since two bytes prove little.
    method == 0x78 && flags & 0x20 == 0 && check.is_multiple_of(31)
}

/// The header of LZMA "alone": properties, a dictionary and a size that can be.
///
/// The sizes of dictionaries are those of `lzma_alone_decoder` when it guesses, as Python's `lzma` has
/// it: a power of two, one and a half times that, or the largest number.
fn is_lzma(head: &[u8]) -> bool {
    let Some((&[properties, rest @ ..], tail)) = head.split_first_chunk::<13>() else {
        return false;
    };
    let (dictionary, size) = rest.split_at(4);
    let Ok(dictionary) = <[u8; 4]>::try_from(dictionary) else {
        return false;
    };
    let Ok(size) = <[u8; 8]>::try_from(size) else {
        return false;
    };
    let dictionary = u32::from_le_bytes(dictionary);
    let size = u64::from_le_bytes(size);
    let is_round = |size: u32| {
        size >= 1 << 12
            && (size.is_power_of_two() || (size / 3).is_power_of_two() && size.is_multiple_of(3))
    };
    // The first byte of the coded data is always zero.
    properties == 0x5d
        && (dictionary == u32::MAX || is_round(dictionary))
        && (size == u64::MAX || size < 1 << 40)
        && tail.first() == Some(&0)
}

/// Eight bytes of length, then a JSON object that ends within the file.
fn is_safetensors(head: &[u8], length: u64) -> bool {
    let Some((size, rest)) = head.split_first_chunk::<8>() else {
        return false;
    };
    let size = u64::from_le_bytes(*size);
    size >= 2 && size <= length.saturating_sub(8) && rest.starts_with(b"{")
}

/// The record that ends a zip, which a reader looks for from the end (APPNOTE 6.3.10, 4.3.16).
const ZIP_END: u64 = 22;

/// Whether a zip ends this file, whatever it begins with.
fn ends_as_zip(source: &dyn Source) -> io::Result<bool> {
    let length = (ZIP_END + 0xffff).min(source.len());
    let start = source.len() - length;
    let tail = source.read(start, length)?;
    let mut end = tail.len();
    while let Some(at) = memchr::memmem::rfind(tail.get(..end).unwrap_or_default(), b"PK\x05\x06") {
        if is_zip_end(
            source,
            start + at as u64,
            tail.get(at..).unwrap_or_default(),
        )? {
            return Ok(true);
        }
        end = at + 3;
    }
    Ok(false)
}

/// Whether the record's directory stands right before it or where it says.
fn is_zip_end(source: &dyn Source, at: u64, record: &[u8]) -> io::Result<bool> {
    let number = |from: usize| {
        let bytes = record.get(from..from + 4)?.try_into().ok()?;
        Some(u64::from(u32::from_le_bytes(bytes)))
    };
    let (Some(size), Some(offset)) = (number(12), number(16)) else {
        return Ok(false);
    };
    for place in [at.checked_sub(size), Some(offset)].into_iter().flatten() {
        if source.read(place, 4)? == b"PK\x01\x02" {
            return Ok(true);
        }
    }
    Ok(at >= 20 && source.read(at - 20, 4)? == b"PK\x06\x07")
}

/// What something without magic bytes is.
fn text(head: &[u8]) -> Format {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Format::Text;
    }
    let whole = match std::str::from_utf8(head) {
        Ok(text) => text,
        // A character that the edge of the head cuts.
        Err(error) if error.error_len().is_none() && head.len() as u64 == HEAD => {
            let valid = head.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
        Err(_) => return Format::Unknown,
    };
    if whole.is_empty() || whole.contains(is_odd) {
        return Format::Unknown;
    }
    let start = whole.trim_start_matches('\u{feff}').trim_start();
    match start.as_bytes() {
        [b'{' | b'[', ..] => Format::Json,
        [b'<', b'?' | b'!', ..] => Format::Xml,
        _ => Format::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bytes;

    fn check(bytes: &[u8], expected: &[Format]) {
        assert_eq!(sniff(&Bytes(bytes)).unwrap(), expected, "{bytes:?}");
    }

    #[test]
    fn content_decides() {
        check(b"", &[Format::Empty]);
        check(b"\x80\x04K\x01.", &[Format::Pickle]);
        check(b"cos\nsystem\n(S'true'\ntR.", &[Format::Pickle]);
        check(b"count the lines\nof this text\n", &[Format::Text]);
        check("h\u{e4}\n".as_bytes(), &[Format::Text]);
        check(b"{\"a\": 1}", &[Format::Json]);
        check(b"\x93NUMPY\x01\0v\0{'descr': '<f8'}", &[Format::Npy]);
        check(b"\x1f\x8b\x08\0\0\0", &[Format::Gzip]);
        check(
            b"\x10\0\0\0\0\0\0\0{\"a\": {}}       ",
            &[Format::Safetensors],
        );
        check(b"\0\x01\x02\x03", &[Format::Unknown]);
    }

    #[test]
    fn weak_magic_hides_no_fields() {
        // ir_version, and a producer whose name would make the file a film; one of a field that
        // nobody knows behind the first bytes of a picture.
        check(b"\x08\x07\x12\x04ftyp", &[Format::Unknown]);
        check(
            b"\x89PNG\r\n\x1a\n\0\0\x08\x07",
            &[Format::Image, Format::Protobuf],
        );
        check(
            b"ID3\x04\0\0\0\0\0\x08\x07",
            &[Format::Media, Format::Protobuf],
        );
        check(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", &[Format::Image]);
        check(b"\0\0\0\x18ftypisom", &[Format::Media]);
        check(b"RIFF\x04\0\0\0WAVEfmt ", &[Format::Media]);
        check(b"RIF3\x04\0\0\0WAVEfmt ", &[Format::Unknown]);
    }

    #[test]
    fn text_at_the_start_proves_nothing_about_the_end() {
        let lines = [&b"\"\x3e"[..], &[b'a'; 62]].concat().repeat(80);
        check(&lines, &[Format::Text]);
        check(
            &[&lines[..], b"\x08\x07"].concat(),
            &[Format::Text, Format::Protobuf],
        );
        check(&b"0".repeat(10_000), &[Format::Text]);
    }

    #[test]
    fn hdf5_is_found_behind_a_block_of_the_user() {
        let block = |start: &[u8], length: usize| {
            let mut bytes = start.to_vec();
            bytes.resize(length, b' ');
            bytes.extend(b"\x89HDF\r\n\x1a\n\0");
            bytes
        };
        check(&block(b"MATLAB 7.3 MAT-file", 512), &[Format::Hdf5]);
        check(&block(b"notes", 8192), &[Format::Hdf5]);
        check(
            &block(b"\x89PNG\r\n\x1a\n", 1024),
            &[Format::Image, Format::Hdf5],
        );
    }

    #[test]
    fn every_dictionary_that_python_guesses_is_lzma() {
        for size in [1_u32 << 12, 3 << 22, 1 << 23, u32::MAX] {
            let mut bytes = vec![0x5d];
            bytes.extend(size.to_le_bytes());
            bytes.extend([0xff; 8]);
            bytes.extend([0, 1, 2]);
            check(&bytes, &[Format::Lzma]);
        }
    }

    #[test]
    fn a_zip_is_found_behind_anything() {
        let mut bytes = b"\x80\x04K\x01.".to_vec();
        let start = bytes.len() as u32;
        bytes.extend(b"PK\x01\x02");
        bytes.extend([0; 42]);
        let size = bytes.len() as u32 - start;
        bytes.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
        bytes.extend(size.to_le_bytes());
        bytes.extend(start.to_le_bytes());
        bytes.extend([0, 0]);
        check(&bytes, &[Format::Pickle, Format::Zip]);
    }
}
