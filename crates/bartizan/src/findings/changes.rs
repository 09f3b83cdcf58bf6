use std::collections::{BTreeSet, HashSet};

use super::{Saved, Seen, record::Open};

/// What changed from one run to another.
pub(crate) struct Changes<'a> {
    /// Findings that only the later run has.
    pub(crate) new: Vec<&'a Seen>,
    /// Findings that only the earlier run has.
    pub(crate) gone: Vec<&'a Seen>,
    /// Findings that both have.
    pub(crate) unchanged: usize,
    /// What the later run did not look at.
    pub(crate) open: Vec<&'a Open>,
    /// Findings of the earlier run in what the later did not look at: not gone, not known.
    pub(crate) unknown: Vec<&'a Seen>,
}

/// Compares two runs by the fingerprints of their findings.
pub(crate) fn changes<'a>(old: &'a Saved, new: &'a Saved) -> Changes<'a> {
    let names = |saved: &'a Saved| -> HashSet<&'a str> {
        let findings = saved.findings.iter();
        findings.map(|seen| seen.fingerprint.as_str()).collect()
    };
    let (before, after) = (names(old), names(new));
    let open: BTreeSet<&Open> = new.incomplete.iter().collect();
    let is_open = |seen: &&Seen| open.iter().any(|open| open.path == seen.path);
    let absent = old
        .findings
        .iter()
        .filter(|seen| !after.contains(seen.fingerprint.as_str()));
    let (unknown, gone) = absent.partition(is_open);
    let new: Vec<&Seen> = new
        .findings
        .iter()
        .filter(|seen| !before.contains(seen.fingerprint.as_str()))
        .collect();
    Changes {
        unchanged: before.intersection(&after).count(),
        new,
        gone,
        unknown,
        open: open.into_iter().collect(),
    }
}
