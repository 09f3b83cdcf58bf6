use bartizan_core::{CheckError, Rule};
use bartizan_formats::{
    Bytes, Format,
    archive::{Codec, unpack},
};

use super::{rules, settle};
use crate::{Artifact, Desk, Inspector};

/// Knows one file that is compressed by itself, as `joblib` and `pandas` write them.
pub(crate) struct Packed;

/// Formats that hold one file.
const CODECS: &[(Format, Codec)] = &[
    (Format::Gzip, Codec::Gzip),
    (Format::Zlib, Codec::Zlib),
    (Format::Bzip2, Codec::Bzip2),
    (Format::Xz, Codec::Xz),
    (Format::Lzma, Codec::Lzma),
    (Format::Zstd, Codec::Zstd),
    (Format::Lz4, Codec::Lz4),
];

fn codec(formats: &[Format]) -> Option<Codec> {
    let known = |format: &Format| CODECS.iter().find(|(known, _)| known == format);
    formats.iter().find_map(known).map(|(_, codec)| *codec)
}

impl Inspector for Packed {
    fn name(&self) -> &'static str {
        "compressed"
    }

    fn rules(&self) -> &'static [&'static Rule] {
        rules::ALL
    }

    fn matches(&self, _: &Artifact<'_>, formats: &[Format]) -> bool {
        codec(formats).is_some()
    }

    fn inspect(&self, artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
        let Some(codec) = codec(desk.formats()) else {
            return Ok(());
        };
        let unpacked = unpack(codec, artifact.source, desk.may_unpack());
        settle(artifact.source.len(), unpacked, desk, |bytes, desk| {
            desk.member("content", &Bytes(bytes))
        })
    }
}
