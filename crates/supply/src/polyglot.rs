//! Files that are two things at once.

use std::borrow::Cow;

use bartizan_core::{Category, CheckError, Rule, Severity};
use bartizan_formats::Format;

use crate::{Artifact, Desk, Inspector};

/// Knows files that can be read in more than one way.
pub(crate) struct Polyglots;

const REFS: &[Cow<'static, str>] = &[Cow::Borrowed("CWE-436"), Cow::Borrowed("CWE-434")];

static POLYGLOT: Rule = Rule::new(
    "artifact.polyglot",
    "the file is two things at once",
    Severity::Medium,
    Category::Integrity,
    REFS,
    [
        "A scanner and a loader may take it for different things. Bartizan looked at all of them.",
        "Find out which program reads the other half, or refuse the file.",
    ],
    None,
);

static RULES: &[&Rule] = &[&POLYGLOT];

/// The inspector's name: it knows that a file is two things, and neither of them.
pub(crate) const NAME: &str = "polyglot";

impl Inspector for Polyglots {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [&'static Rule] {
        RULES
    }

    fn matches(&self, _: &Artifact<'_>, formats: &[Format]) -> bool {
        // Two bytes are no proof of a second format.
        // TensorFlow Lite's own tools append notes as a zip.
        // The first file of a tar stands where HDF5 may begin.
        formats != [Format::TfLite, Format::Zip]
            && formats != [Format::Tar, Format::Hdf5]
            && formats.len() > 1
            && formats.iter().any(|format| *format != Format::Zlib)
    }

    fn inspect(&self, _: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
        let names: Vec<&str> = desk
            .formats()
            .iter()
            .map(|format| format.as_str())
            .collect();
        let words = names.join(" and ");
        desk.report(&POLYGLOT, None, words)
    }
}
