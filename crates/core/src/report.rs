use std::ops::ControlFlow;

use crate::{Check, CheckError, Cx, Finding, FindingSink, Layer, Limits};

/// Whether one check ran to its end on one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The check's name.
    pub check: &'static str,
    /// Its layer.
    pub layer: Layer,
    /// `Err` says why it did not look at everything.
    pub outcome: Result<(), CheckError>,
}

/// Findings, and the record of what was and was not looked at.
///
/// "No findings" means "clean" only when [`Report::is_complete`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// What was seen.
    pub findings: Vec<Finding>,
    /// One entry per check that was asked.
    pub coverage: Vec<Coverage>,
}

impl Report {
    /// Whether at least one check ran and every check ran to its end.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.coverage.is_empty() && self.coverage.iter().all(|check| check.outcome.is_ok())
    }

    /// The checks that did not look at everything.
    pub fn gaps(&self) -> impl Iterator<Item = (&Coverage, &CheckError)> {
        self.coverage
            .iter()
            .filter_map(|check| Some((check, check.outcome.as_ref().err()?)))
    }

    /// Runs one check on `subject` and records what it saw and whether it finished.
    pub fn run<S: ?Sized>(&mut self, check: &dyn Check<S>, subject: &S, limits: Limits) {
        let mut cx = Cx::new(check.layer(), limits, &mut self.findings);
        let outcome = check.check(subject, &mut cx);
        self.coverage.push(Coverage {
            check: check.name(),
            layer: check.layer(),
            outcome,
        });
    }
}

impl FindingSink for Report {
    fn finding(&mut self, finding: Finding) -> ControlFlow<()> {
        self.findings.push(finding);
        ControlFlow::Continue(())
    }
}
