use bartizan_core::{CheckError, Coverage, Cx, Layer, Limits, Report};
use bartizan_formats::{Format, Source, sniff};

use crate::{Artifact, Desk, INSPECTORS, Inspector, polyglot};

/// What one scan of one file may cost, with everything that is inside it.
///
/// No clock: the same file has the same outcome on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanLimits {
    /// Bytes that may be unpacked, in all.
    pub max_unpacked_bytes: u64,
    /// Members of archives, in all.
    pub max_members: u64,
    /// How deep archives may stand in archives.
    pub max_depth: u32,
    /// Opcodes, entries, and kibibytes, in all.
    pub max_steps: u64,
    /// Findings of one inspector on one artifact.
    pub max_findings: u64,
}

impl Default for ScanLimits {
    /// 256 MiB, 100,000 members, 8 deep, 64 Mi steps: about ten seconds on a slow machine.
    fn default() -> Self {
        Self {
            max_unpacked_bytes: 256 << 20,
            max_members: 100_000,
            max_depth: 8,
            max_steps: 64 << 20,
            max_findings: 1_000,
        }
    }
}

/// What was seen in one artifact.
#[derive(Clone, Debug, PartialEq)]
pub struct Scanned {
    /// Its path, see [`Artifact::path`].
    pub path: String,
    /// What it can be read as, likeliest first.
    pub formats: Vec<Format>,
    /// Its length in bytes.
    pub bytes: u64,
    /// What was seen, and which inspectors finished.
    pub report: Report,
}

/// Looks at a file and at everything that is inside it.
///
/// The file itself comes first; members follow in the order in which they were found.
#[must_use]
pub fn scan(artifact: &Artifact<'_>, limits: &ScanLimits) -> Vec<Scanned> {
    scan_with(artifact, limits, INSPECTORS)
}

/// As [`scan`], by inspectors of the caller's choice: they are asked in their order.
#[must_use]
pub fn scan_with(
    artifact: &Artifact<'_>,
    limits: &ScanLimits,
    inspectors: &[&dyn Inspector],
) -> Vec<Scanned> {
    let mut run = Run {
        inspectors,
        limits: *limits,
        steps: 0,
        unpacked: 0,
        members: 0,
        scanned: Vec::new(),
    };
    run.look(artifact, 0, None);
    run.scanned
}

/// One scan while it goes on.
struct Run<'a> {
    inspectors: &'a [&'a dyn Inspector],
    limits: ScanLimits,
    steps: u64,
    unpacked: u64,
    members: u64,
    scanned: Vec<Scanned>,
}

/// The coverage entry of a file that nobody knew.
const NOBODY: &str = "format";

/// The coverage entry of a file of which only data can be had.
const INERT: &str = "inert";

/// What a [`Desk`] asks of the scan that it belongs to.
pub(crate) trait Scan {
    fn spend(&mut self, steps: u64) -> Result<(), CheckError>;
    fn may_step(&self) -> u64;
    fn may_unpack(&self) -> u64;
    fn unpacked(&mut self, bytes: u64) -> Result<(), CheckError>;
    fn member(
        &mut self,
        path: &str,
        depth: u32,
        name: &str,
        source: &dyn Source,
        format: Option<Format>,
    ) -> Result<(), CheckError>;
}

impl Scan for Run<'_> {
    fn spend(&mut self, steps: u64) -> Result<(), CheckError> {
        let at = self.limits.max_steps;
        spend(&mut self.steps, steps, at, "max-steps")
    }

    fn may_step(&self) -> u64 {
        self.limits.max_steps.saturating_sub(self.steps)
    }

    fn may_unpack(&self) -> u64 {
        let left = self.limits.max_unpacked_bytes.saturating_sub(self.unpacked);
        // A step is a kibibyte, so no more than the steps pay for.
        left.min(self.may_step().saturating_mul(1 << 10))
    }

    fn unpacked(&mut self, bytes: u64) -> Result<(), CheckError> {
        let at = self.limits.max_unpacked_bytes;
        spend(&mut self.unpacked, bytes, at, "max-unpacked-bytes")?;
        self.spend(bytes >> 10)
    }

    fn member(
        &mut self,
        path: &str,
        depth: u32,
        name: &str,
        source: &dyn Source,
        format: Option<Format>,
    ) -> Result<(), CheckError> {
        let at = self.limits.max_members;
        spend(&mut self.members, 1, at, "max-members")?;
        if depth >= self.limits.max_depth {
            return Err(CheckError::Exhausted {
                limit: "max-depth",
                at: u64::from(self.limits.max_depth),
            });
        }
        let path = format!("{path}!{name}");
        let member = Artifact {
            path: &path,
            source,
        };
        self.look(&member, depth + 1, format);
        Ok(())
    }
}

impl Run<'_> {
    /// Asks every inspector that knows the artifact.
    fn look(&mut self, artifact: &Artifact<'_>, depth: u32, format: Option<Format>) {
        let formats = match format {
            Some(format) => vec![format],
            None => sniff(artifact.source).unwrap_or_else(|_| vec![Format::Unknown]),
        };
        let place = self.scanned.len();
        // The place is taken first, so that a container stands before its members.
        self.scanned.push(Scanned {
            path: artifact.path.to_owned(),
            formats: formats.clone(),
            bytes: artifact.source.len(),
            report: Report::default(),
        });
        let mut report = Report::default();
        for inspector in self.inspectors {
            if !inspector.matches(artifact, &formats) {
                continue;
            }
            let limits = Limits {
                max_steps: self.limits.max_steps,
                max_findings: self.limits.max_findings,
            };
            let mut desk = Desk {
                path: artifact.path,
                bytes: artifact.source.len(),
                depth,
                formats: &formats,
                cx: Cx::new(Layer::Artifact, limits, &mut report.findings),
                run: self,
            };
            let outcome = desk
                .spend(1)
                .and_then(|()| inspector.inspect(artifact, &mut desk));
            report.coverage.push(Coverage {
                check: inspector.name(),
                layer: Layer::Artifact,
                outcome,
            });
        }
        if report
            .coverage
            .iter()
            .all(|coverage| coverage.check == polyglot::NAME)
        {
            report.coverage.push(unknown(&formats));
        }
        if let Some(scanned) = self.scanned.get_mut(place) {
            scanned.report = report;
        }
    }
}

/// What is known to hold nothing but data is clean; what nobody knows is a gap.
fn unknown(formats: &[Format]) -> Coverage {
    let is_inert = formats.iter().all(|format| format.is_inert());
    let why = "no check knows what this file is";
    Coverage {
        check: if is_inert { INERT } else { NOBODY },
        layer: Layer::Artifact,
        outcome: if is_inert {
            Ok(())
        } else {
            Err(CheckError::Unavailable(why.into()))
        },
    }
}

fn spend(used: &mut u64, more: u64, most: u64, limit: &'static str) -> Result<(), CheckError> {
    *used = used.saturating_add(more);
    if *used > most {
        return Err(CheckError::Exhausted { limit, at: most });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bartizan_formats::Bytes;

    use super::*;

    fn look(bytes: &[u8]) -> Vec<Scanned> {
        let artifact = Artifact {
            path: "file",
            source: &Bytes(bytes),
        };
        scan(&artifact, &ScanLimits::default())
    }

    #[test]
    fn what_nobody_knows_is_incomplete() {
        let scanned = look(b"\0\x01\x02\x03");
        assert_eq!(scanned[0].report.gaps().count(), 1);
        assert!(look(b"plain text\n")[0].report.is_complete());
    }
}
