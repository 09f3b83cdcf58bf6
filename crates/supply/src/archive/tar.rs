use bartizan_core::{CheckError, Rule, Span};
use bartizan_formats::{
    Format, ParseError, Section, Source,
    archive::{TarEntry, TarKind, tar},
};

use super::{check_link, check_path, rules};
use crate::{Artifact, Desk, Inspector};

/// Knows tar archives, PyTorch's before 0.1.10 among them.
pub(crate) struct Tars;

impl Inspector for Tars {
    fn name(&self) -> &'static str {
        "tar"
    }

    fn rules(&self) -> &'static [&'static Rule] {
        rules::ALL
    }

    fn matches(&self, _: &Artifact<'_>, formats: &[Format]) -> bool {
        formats.contains(&Format::Tar)
    }

    fn inspect(&self, artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
        let mut stopped = Ok(());
        let outcome = tar(artifact.source, |entry| {
            let looked = (|| {
                desk.spend(1)?;
                member(&entry, artifact.source, desk)
            })();
            if let Err(error) = looked {
                stopped = Err(error);
                return Err(ParseError::malformed(entry.at, "stopped"));
            }
            Ok(())
        });
        stopped?;
        Ok(outcome?)
    }
}

fn member(entry: &TarEntry, archive: &dyn Source, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let at = Span::new(entry.at, entry.at);
    match entry.kind {
        TarKind::File | TarKind::Folder => check_path(&entry.path, entry.at, desk)?,
        TarKind::Sparse => {
            check_path(&entry.path, entry.at, desk)?;
            let words = "a file with holes, which only some programs fill";
            desk.report(&rules::DISAGREEMENT, at, words)?;
        }
        TarKind::Notes => return notes(entry, archive, desk),
        TarKind::Link => {
            let target = entry.target.as_deref().unwrap_or_default();
            check_link(&entry.path, target, entry.at, desk)?;
        }
        TarKind::Odd => desk.report(&rules::ODD_MEMBER, at, "")?,
    }
    let has_bytes = matches!(entry.kind, TarKind::File | TarKind::Sparse);
    if !has_bytes && entry.length > 0 {
        // Python's `tarfile` reads on right after the header, and so takes these bytes for entries.
        let words = "bytes that belong to no file";
        desk.report(&rules::DISAGREEMENT, at, words)?;
    }
    if has_bytes || entry.length > 0 {
        let bytes = Section::new(archive, entry.at, entry.length);
        return desk.member(&entry.path, &bytes);
    }
    Ok(())
}

/// Most bytes of notes about all entries; Git writes 52.
const NOTES: u64 = 64 << 10;

/// Notes about all entries that Python's `tarfile` follows and others do not.
const FOLLOWED: &[&str] = &[" path=", " linkpath=", " size=", " GNU.sparse."];

fn notes(entry: &TarEntry, archive: &dyn Source, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    if entry.length > NOTES {
        return Err(CheckError::Exhausted {
            limit: "bytes of a tar's notes",
            at: NOTES,
        });
    }
    let bytes = archive
        .read(entry.at, entry.length)
        .map_err(ParseError::from)?;
    let has = |key: &str| memchr::memmem::find(&bytes, key.as_bytes()).is_some();
    if FOLLOWED.iter().any(|key| has(key)) {
        let words = "notes that give every entry another name or size";
        let at = Span::new(entry.at, entry.at);
        desk.report(&rules::DISAGREEMENT, at, words)?;
    }
    Ok(())
}
