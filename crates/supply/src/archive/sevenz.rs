use bartizan_core::{CheckError, Rule};
use bartizan_formats::{
    Bytes, Format, ParseError,
    archive::{collect, sevenz},
};

use super::{check_path, rules, settle};
use crate::{Artifact, Desk, Inspector};

/// Knows 7-Zip archives.
pub(crate) struct SevenZips;

impl Inspector for SevenZips {
    fn name(&self) -> &'static str {
        "7z"
    }

    fn rules(&self) -> &'static [&'static Rule] {
        rules::ALL
    }

    fn matches(&self, _: &Artifact<'_>, formats: &[Format]) -> bool {
        formats.contains(&Format::SevenZip)
    }

    fn inspect(&self, artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
        let mut stopped = Ok(());
        let outcome = sevenz(artifact.source, |path, reader| {
            let looked = (|| {
                desk.spend(1)?;
                check_path(path, 0, desk)?;
                let unpacked = collect(reader, desk.may_unpack());
                let packed = artifact.source.len();
                settle(packed, unpacked, desk, |bytes, desk| {
                    desk.member(path, &Bytes(bytes))
                })
            })();
            if let Err(error) = looked {
                stopped = Err(error);
                return Err(ParseError::malformed(0, "stopped"));
            }
            Ok(())
        });
        stopped?;
        Ok(outcome?)
    }
}
