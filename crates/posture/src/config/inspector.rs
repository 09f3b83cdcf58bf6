use bartizan_core::{CheckError, Rule, Span};
use bartizan_formats::{Format, text_of};
use bartizan_supply::{Artifact, Desk, Inspector};

use super::{Document, DocumentError, rules, tree::TreeError};

/// The longest file that is read, in bytes.
const MAX_BYTES: u64 = 8 << 20;

/// Knows files that configure something.
#[derive(Clone, Copy, Debug)]
pub struct ConfigFiles;

impl Inspector for ConfigFiles {
    fn name(&self) -> &'static str {
        "configuration"
    }

    fn rules(&self) -> &'static [&'static Rule] {
        static RULES: std::sync::LazyLock<Vec<&'static Rule>> =
            std::sync::LazyLock::new(|| rules::builtin().iter().map(|rule| &rule.rule).collect());
        &RULES
    }

    fn matches(&self, artifact: &Artifact<'_>, formats: &[Format]) -> bool {
        formats.contains(&Format::Text) && Document::may_be(artifact.path)
    }

    fn inspect(&self, artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
        if artifact.source.len() > MAX_BYTES {
            return Err(CheckError::Exhausted {
                limit: "configuration bytes",
                at: MAX_BYTES,
            });
        }
        desk.spend(1 + (artifact.source.len() >> 8))?;
        let bytes = artifact.source.read(0, MAX_BYTES);
        let bytes = bytes.map_err(|_| CheckError::Unavailable("cannot read".into()))?;
        let text = text_of(&bytes);
        let Some(document) = Document::read(artifact.path, &text).map_err(gap)? else {
            return Ok(());
        };
        let is_as_stored = text.as_bytes() == bytes;
        for rule in rules::builtin() {
            for place in rule.find(&document) {
                let span = is_as_stored.then(|| Span::from_range(place));
                desk.report(&rule.rule, span, "")?;
            }
        }
        Ok(())
    }
}

fn gap(error: DocumentError) -> CheckError {
    match error {
        DocumentError::Tree(TreeError::Exhausted { limit, at }) => {
            CheckError::Exhausted { limit, at }
        }
        DocumentError::Template => CheckError::Unavailable(error.to_string().into()),
        DocumentError::Tree(_) => CheckError::Malformed(error.to_string().into()),
    }
}
