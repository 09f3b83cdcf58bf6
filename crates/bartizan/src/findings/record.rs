use std::path::{Path, PathBuf};

use bartizan_core::Report;
use bartizan_policy::Date;
use serde::{Deserialize, Serialize};

use super::{Baseline, Fingerprints, baseline::Standing};
use crate::{
    cli::Keeping,
    clock, files,
    input::{escaped, read_bytes},
    output,
    problem::{Problem, Problems},
    render::{human::plural, safe},
};

const FORMAT: &str = "bartizan-findings";

/// Most bytes of a saved run.
const MAX_BYTES: u64 = 256 << 20;

/// What one run saw, as `--save` writes it: names of imports and packages, nothing else of the files.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Saved {
    format: String,
    version: u32,
    /// The command, e.g. `scan`.
    pub(crate) command: String,
    /// The day of the run, `YYYY-MM-DD`.
    pub(crate) day: String,
    /// Every finding, those that were accepted too.
    pub(crate) findings: Vec<Seen>,
    /// Every check that did not look at everything.
    pub(crate) incomplete: Vec<Open>,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seen {
    pub(crate) fingerprint: String,
    pub(crate) rule: String,
    pub(crate) severity: String,
    pub(crate) path: String,
    pub(crate) message: String,
    pub(crate) accepted: bool,
}

/// A check that did not look at everything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Open {
    pub(crate) path: String,
    pub(crate) check: String,
}

impl Saved {
    /// Reads a saved run.
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        let bytes = read_bytes(path, MAX_BYTES)?;
        let saved: Option<Self> = serde_json::from_slice(&bytes).ok();
        let saved = saved.filter(|saved| saved.format == FORMAT && saved.version == 1);
        saved.ok_or_else(|| {
            Problem::new(format!("`{}` is no saved run", escaped(path)))
                .help("`bartizan scan --save FILE` and `bartizan deps --save FILE` write one")
        })
    }
}

/// Takes accepted findings out of reports, and writes down all of them.
pub(crate) struct Keeper {
    fingerprints: Fingerprints,
    baseline: Baseline,
    today: Date,
    accepted: usize,
    notes: Vec<String>,
    save: Option<PathBuf>,
    saved: Saved,
}

impl Keeper {
    /// What the arguments ask for.
    pub(crate) fn new(command: &str, arguments: &Keeping) -> Result<Self, Problems> {
        let today = clock::today();
        let baseline = arguments.baseline.as_deref().map(Baseline::read);
        Ok(Self {
            fingerprints: Fingerprints::default(),
            baseline: baseline.transpose()?.unwrap_or_default(),
            today,
            accepted: 0,
            notes: Vec::new(),
            save: arguments.save.clone(),
            saved: Saved {
                format: FORMAT.to_owned(),
                version: 1,
                command: command.to_owned(),
                day: today.to_string(),
                findings: Vec::new(),
                incomplete: Vec::new(),
            },
        })
    }

    /// Takes what is accepted out of the report on one file. What was not looked at stays: nobody
    /// can accept what nobody saw.
    pub(crate) fn take(&mut self, path: &str, report: &mut Report) {
        let mut kept = Vec::with_capacity(report.findings.len());
        for finding in report.findings.drain(..) {
            let fingerprint = self.fingerprints.next(path, &finding);
            let standing = self.baseline.standing(&fingerprint, self.today);
            let is_accepted = standing == Standing::Accepted;
            self.accepted += usize::from(is_accepted);
            if let Standing::RunOut(day) = standing {
                let path = safe::line(path);
                let rule = &finding.rule.id;
                let note = format!("`{rule}` in `{path}` was accepted until {day}");
                self.notes.push(note);
            }
            if self.save.is_some() {
                self.saved.findings.push(Seen {
                    fingerprint,
                    rule: finding.rule.id.to_string(),
                    severity: finding.rule.severity.as_str().to_owned(),
                    path: path.to_owned(),
                    message: finding.message.to_string(),
                    accepted: is_accepted,
                });
            }
            if !is_accepted {
                kept.push(finding);
            }
        }
        report.findings = kept;
        self.saved
            .incomplete
            .extend(report.gaps().map(|(coverage, _)| Open {
                path: path.to_owned(),
                check: coverage.check.to_owned(),
            }));
    }

    /// Says what was accepted, and writes the run down if asked to.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        for note in &self.notes {
            output::note(note);
        }
        if self.accepted > 0 {
            let findings = plural(self.accepted, "finding");
            output::note(&format!(
                "the baseline accepts {} {findings}",
                self.accepted
            ));
        }
        match self.baseline.unused() {
            0 => {}
            unused => output::note(&format!(
                "{unused} {} of the baseline accept nothing any more",
                plural(unused, "line")
            )),
        }
        let Some(path) = &self.save else {
            return Ok(());
        };
        let text = serde_json::to_string_pretty(&self.saved)
            .map_err(|error| Problem::new(format!("cannot write the run down: {error}")))?;
        files::write(path, &(text + "\n"))
    }
}
