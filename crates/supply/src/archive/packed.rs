use bartizan_core::{CheckError, Rule};
use bartizan_formats::{Format, archive::Codec};

use super::{hand_on, rules};
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
        let formats = desk.formats().to_vec();
        let Some(codec) = codec(&formats) else {
            return Ok(());
        };
        hand_on("content", codec, artifact.source, desk).map(drop)
    }
}
