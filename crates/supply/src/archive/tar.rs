use bartizan_core::{CheckError, Rule, Span};
use bartizan_formats::{
    Format, Section,
    archive::{TarKind, tar},
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
                match entry.kind {
                    TarKind::Nothing => check_path(&entry.path, entry.at, desk),
                    TarKind::Odd => {
                        let at = Span::new(entry.at, entry.at);
                        desk.report(&rules::ODD_MEMBER, at, "")
                    }
                    TarKind::Link => {
                        let target = entry.target.as_deref().unwrap_or_default();
                        check_link(&entry.path, target, entry.at, desk)
                    }
                    TarKind::File => {
                        check_path(&entry.path, entry.at, desk)?;
                        let file = Section::new(artifact.source, entry.at, entry.length);
                        desk.member(&entry.path, &file)
                    }
                }
            })();
            if let Err(error) = looked {
                stopped = Err(error);
                return Err(bartizan_formats::ParseError::malformed(entry.at, "stopped"));
            }
            Ok(())
        });
        stopped?;
        Ok(outcome?)
    }
}
