use std::io::{self, BufReader, Read};

use super::Input;
use crate::{ParseError, Source};

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Bare deflate (RFC 1951), as in zip.
    Deflate,
    /// zlib (RFC 1950).
    Zlib,
    /// gzip (RFC 1952), one member after the other.
    Gzip,
    /// bzip2, one stream after the other.
    Bzip2,
    /// xz, one stream after the other.
    Xz,
    /// LZMA in its own old format.
    Lzma,
    /// Zstandard (RFC 8878), one frame after the other.
    Zstd,
    /// LZ4 frames.
    Lz4,
}

/// What came out.
#[derive(Debug)]
pub struct Unpacked {
    /// The bytes, at most as many as were allowed.
    pub bytes: Vec<u8>,
    /// Whether that is all of them: not cut by the budget, not broken.
    pub outcome: Result<(), ParseError>,
}

/// Kibibytes of a dictionary that a decoder may keep.
const DICTIONARY: u32 = 128 << 10;

/// Unpacks at most `most` bytes.
///
/// What came out before an error is kept: a loader that reads piece by piece has seen it too.
#[must_use]
pub fn unpack(codec: Codec, source: &dyn Source, most: u64) -> Unpacked {
    match reader(codec, source) {
        Ok(reader) => collect(reader, most),
        Err(error) => Unpacked {
            bytes: Vec::new(),
            outcome: Err(error),
        },
    }
}

/// What comes out, piece by piece. Whoever reads it bounds how much that is.
///
/// # Errors
/// When the compressed bytes do not begin as they should, or ask for too much memory.
pub fn reader<'s>(codec: Codec, source: &'s dyn Source) -> Result<Box<dyn Read + 's>, ParseError> {
    let input = BufReader::with_capacity(64 << 10, Input::new(source));
    let broken = |error: io::Error| because(&error, 0);
    Ok(match codec {
        Codec::Deflate => Box::new(flate2::bufread::DeflateDecoder::new(input)),
        Codec::Zlib => Box::new(flate2::bufread::ZlibDecoder::new(input)),
        Codec::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        Codec::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(input)),
        Codec::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(input, true, DICTIONARY)),
        Codec::Lzma => Box::new(
            lzma_rust2::LzmaReader::new_mem_limit(input, DICTIONARY, None).map_err(broken)?,
        ),
        Codec::Zstd => {
            let mut reader = zstd::stream::read::Decoder::with_buffer(input).map_err(broken)?;
            // Windows of 2^27 bytes, as the command line tool allows (RFC 8878, 3.1.1.1.2).
            reader.window_log_max(27).map_err(broken)?;
            Box::new(reader)
        }
        Codec::Lz4 => Box::new(Frames(lz4_flex::frame::FrameDecoder::new(input))),
    })
}

/// LZ4 frames one after the other: the decoder stops after each.
struct Frames<R: Read>(lz4_flex::frame::FrameDecoder<R>);

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => self.0.read(buffer),
            read => Ok(read),
        }
    }
}

fn because(error: &io::Error, at: u64) -> ParseError {
    match error.kind() {
        io::ErrorKind::OutOfMemory => ParseError::Exhausted {
            limit: "dictionary-kibibytes",
            max: u64::from(DICTIONARY),
        },
        _ => ParseError::malformed(at, "the compressed bytes are broken"),
    }
}

/// Reads at most `most` bytes of what a decoder gives, and keeps what came before an error.
#[must_use]
pub fn collect(reader: impl Read, most: u64) -> Unpacked {
    let mut bytes = Vec::new();
    let read = reader.take(most.saturating_add(1)).read_to_end(&mut bytes);
    let came = bytes.len() as u64;
    let outcome = match read {
        Err(error) => Err(because(&error, came)),
        Ok(_) if came > most => Err(ParseError::Exhausted {
            limit: "max-unpacked-bytes",
            max: most,
        }),
        Ok(_) => Ok(()),
    };
    bytes.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Unpacked { bytes, outcome }
}

/// The checksum of zip and gzip.
#[must_use]
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::Bytes;

    #[test]
    fn a_bomb_stops_at_the_budget() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&vec![0; 4 << 20]).unwrap();
        let packed = gzip.finish().unwrap();
        let unpacked = unpack(Codec::Gzip, &Bytes(&packed), 1 << 20);
        assert_eq!(unpacked.bytes.len(), 1 << 20);
        assert!(matches!(
            unpacked.outcome,
            Err(ParseError::Exhausted { .. })
        ));
        let whole = unpack(Codec::Gzip, &Bytes(&packed), 4 << 20);
        assert!(whole.outcome.is_ok());
        let cut = unpack(Codec::Gzip, &Bytes(&packed[..packed.len() - 9]), 4 << 20);
        assert!(cut.outcome.is_err() && !cut.bytes.is_empty());
    }
}
