use bartizan_core::{CheckError, Rule, Span};
use bartizan_formats::{
    Bytes, Format, ParseError, Section, Source,
    archive::{Codec, ZipEntry, crc32, unpack, zip},
};

use super::{check_link, check_path, rules, settle, torch};
use crate::{Artifact, Desk, Inspector};

/// Knows zip archives: PyTorch's, `NumPy`'s, Keras', and all others.
pub(crate) struct Zips;

/// Most bytes of a link's target.
const TARGET: u64 = 4 << 10;

/// Most files in one archive.
const FILES: u64 = 200_000;

impl Inspector for Zips {
    fn name(&self) -> &'static str {
        "zip"
    }

    fn rules(&self) -> &'static [&'static Rule] {
        rules::ALL
    }

    fn matches(&self, _: &Artifact<'_>, formats: &[Format]) -> bool {
        formats.contains(&Format::Zip)
    }

    fn inspect(&self, artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
        let archive = zip(artifact.source, FILES)?;
        desk.spend(archive.entries.len() as u64)?;
        for &(oddity, at) in archive.oddities.iter().take(16) {
            desk.report(&rules::DISAGREEMENT, Span::new(at, at), oddity.as_str())?;
        }
        let layout = torch::Layout::of(&archive.entries);
        layout.report_package(&archive.entries, desk)?;
        let mut outcome = Ok(());
        for entry in &archive.entries {
            // One file that cannot be unpacked does not keep the others from being looked at.
            let looked = file(artifact.source, entry, &layout, desk);
            if matches!(looked, Err(CheckError::Stopped)) {
                return looked;
            }
            outcome = outcome.and(looked);
        }
        outcome
    }
}

fn file(
    archive: &dyn Source,
    entry: &ZipEntry,
    layout: &torch::Layout,
    desk: &mut Desk<'_>,
) -> Result<(), CheckError> {
    check_path(&entry.name, entry.header_at, desk)?;
    if entry.name.ends_with('/') && entry.size == 0 && entry.packed == 0 {
        return Ok(());
    }
    if layout.is_storage(&entry.name) && !entry.is_link {
        return Ok(());
    }
    let Some(data_at) = entry.data_at else {
        return Err(CheckError::Malformed(
            "a file of the archive is missing".into(),
        ));
    };
    let packed = Section::new(archive, data_at, entry.packed);
    if packed.len() < entry.packed {
        return Err(CheckError::Malformed(
            "a file of the archive is cut off".into(),
        ));
    }
    let codec = match entry.method {
        0 => None,
        8 => Some(Codec::Deflate),
        12 => Some(Codec::Bzip2),
        93 => Some(Codec::Zstd),
        95 => Some(Codec::Xz),
        _ if entry.is_encrypted() => {
            return Err(CheckError::Unavailable(
                "a file of the archive is encrypted".into(),
            ));
        }
        _ => {
            let why = "a file of the archive is compressed in an unknown way";
            return Err(CheckError::Unavailable(why.into()));
        }
    };
    if entry.is_link {
        return link(entry, codec, &packed, desk);
    }
    let Some(codec) = codec else {
        checksum(entry, &packed, desk)?;
        return look(entry, layout, &packed, desk);
    };
    let unpacked = unpack(codec, &packed, desk.may_unpack());
    if unpacked.bytes.is_empty() && unpacked.outcome.is_err() && entry.is_encrypted() {
        return Err(CheckError::Unavailable(
            "a file of the archive is encrypted".into(),
        ));
    }
    let came = unpacked.bytes.len() as u64;
    if unpacked.outcome.is_ok() && came != entry.size {
        disagreement(entry, "a file that is longer or shorter than it says", desk)?;
    }
    settle(packed.len(), unpacked, desk, |bytes, desk| {
        check_crc(entry, bytes, desk)?;
        look(entry, layout, &Bytes(bytes), desk)
    })
}

/// Most bytes of a stored file whose checksum is checked: more is data that no scanner refuses.
const CHECKED: u64 = 16 << 20;

fn checksum(entry: &ZipEntry, bytes: &dyn Source, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    if bytes.len() > CHECKED {
        return Ok(());
    }
    desk.spend(bytes.len() >> 6)?;
    let bytes = bytes.read(0, bytes.len()).map_err(ParseError::from)?;
    check_crc(entry, &bytes, desk)
}

fn check_crc(entry: &ZipEntry, bytes: &[u8], desk: &mut Desk<'_>) -> Result<(), CheckError> {
    if entry.is_encrypted() {
        return disagreement(entry, "a file that says it is encrypted and is not", desk);
    }
    // PyTorch reads files whose checksum is wrong; Python's `zipfile` refuses them.
    if crc32(bytes) != entry.crc {
        return disagreement(entry, "a file with a wrong checksum", desk);
    }
    Ok(())
}

fn disagreement(
    entry: &ZipEntry,
    words: &'static str,
    desk: &mut Desk<'_>,
) -> Result<(), CheckError> {
    let at = Span::new(entry.header_at, entry.header_at);
    desk.report(&rules::DISAGREEMENT, at, words)
}

fn look(
    entry: &ZipEntry,
    layout: &torch::Layout,
    bytes: &dyn Source,
    desk: &mut Desk<'_>,
) -> Result<(), CheckError> {
    if layout.is_script(&entry.name) {
        if bytes.len() > CHECKED {
            return Err(CheckError::Exhausted {
                limit: "bytes of a script",
                at: CHECKED,
            });
        }
        let code = bytes.read(0, bytes.len()).map_err(ParseError::from)?;
        if torch::opens_files(&code) {
            desk.report(&rules::SCRIPT, None, "")?;
        }
    }
    desk.member(&entry.name, bytes)
}

/// A link's content is its target.
fn link(
    entry: &ZipEntry,
    codec: Option<Codec>,
    packed: &dyn Source,
    desk: &mut Desk<'_>,
) -> Result<(), CheckError> {
    let target = match codec {
        None => packed.read(0, TARGET).map_err(ParseError::from)?,
        Some(codec) => {
            let unpacked = unpack(codec, packed, TARGET);
            unpacked.outcome.map_err(CheckError::from)?;
            unpacked.bytes
        }
    };
    let target = String::from_utf8_lossy(&target);
    check_link(&entry.name, &target, entry.header_at, desk)
}
