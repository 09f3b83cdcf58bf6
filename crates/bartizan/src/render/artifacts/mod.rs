//! What a scan saw in files, for people and for programs.

pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod sarif;

use std::collections::BTreeMap;

use bartizan_core::{Finding, Severity, Verdict};
use bartizan_guard::position::Positions;
use bartizan_policy::{Decision, Reason};
use bartizan_supply::Scanned;

use crate::exit::Exit;

/// A file or a member of one, and what was decided about it.
pub(crate) struct Judged {
    /// What was seen.
    pub(crate) scanned: Scanned,
    /// What the policy says.
    pub(crate) decision: Decision,
    /// Lines and columns of its findings, if it is a text that was at hand.
    pub(crate) positions: Option<Positions>,
}

/// What a file comes to, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Word {
    /// Everything was looked at, and nothing was found that asks for anything.
    Clean,
    /// Not everything was looked at.
    Incomplete,
    /// Nobody can vouch for it: a person decides.
    Review,
    /// It runs code, or lies.
    Malicious,
}

impl Word {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Incomplete => "incomplete",
            Self::Review => "review",
            Self::Malicious => "malicious",
        }
    }
}

impl Judged {
    /// The listed findings with what they lead to, in order of place.
    pub(crate) fn listed(&self) -> Vec<(&Finding, &Reason)> {
        let mut listed: Vec<(&Finding, &Reason)> = self
            .scanned
            .report
            .findings
            .iter()
            .filter_map(|finding| Some((finding, self.reason(finding)?)))
            .collect();
        listed.sort_by_key(|(finding, _)| finding.span);
        listed
    }

    fn reason(&self, finding: &Finding) -> Option<&Reason> {
        self.decision.reasons.iter().find(|reason| {
            reason.evidence.rule == finding.rule.id && reason.evidence.span == finding.span
        })
    }

    /// What it comes to. What the allow-list accepts counts as nothing.
    pub(crate) fn word(&self) -> Word {
        let actions = self.decision.reasons.iter().map(|reason| reason.action);
        match actions.max().unwrap_or_default() {
            Verdict::Block => Word::Malicious,
            Verdict::Ask | Verdict::Redact => Word::Review,
            Verdict::Allow if !self.scanned.report.is_complete() => Word::Incomplete,
            Verdict::Allow => Word::Clean,
        }
    }

    /// How the command ends if this is all.
    pub(crate) fn exit(&self) -> Exit {
        let mut reasons = self.decision.reasons.iter();
        if reasons.any(|reason| reason.exception.is_none()) {
            Exit::Findings
        } else if self.scanned.report.is_complete() {
            Exit::Clean
        } else {
            Exit::Incomplete
        }
    }
}

/// What all of them come to.
pub(crate) fn word(all: &[Judged]) -> Word {
    all.iter().map(Judged::word).max().unwrap_or(Word::Clean)
}

/// How many findings there are of each severity, worst first.
pub(crate) fn by_severity(all: &[Judged]) -> [(Severity, usize); 5] {
    let mut severities = Severity::ALL.map(|severity| (severity, 0));
    for (finding, _) in all.iter().flat_map(Judged::listed) {
        for (severity, count) in &mut severities {
            *count += usize::from(*severity == finding.rule.severity);
        }
    }
    severities.reverse();
    severities
}

/// How many artifacts each inspector looked at, by name.
pub(crate) fn coverage(all: &[Judged]) -> BTreeMap<&'static str, usize> {
    let mut coverage = BTreeMap::new();
    for judged in all {
        for check in &judged.scanned.report.coverage {
            *coverage.entry(check.check).or_default() += 1;
        }
    }
    coverage
}
