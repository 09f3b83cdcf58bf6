//! The museum: what attacks of each format look like, and what honest files look like, made by small
//! writers.

mod code;
mod configs;
mod graphs;
mod keras;
mod templates;
mod weights;
mod write;

use bartizan_core::Severity;
use bartizan_formats::Bytes;

use crate::{Artifact, ScanLimits, Scanned, scan};

/// Everything that was seen in one file and its members.
fn look(path: &str, bytes: &[u8]) -> Vec<Scanned> {
    let artifact = Artifact {
        path,
        source: &Bytes(bytes),
    };
    scan(&artifact, &ScanLimits::default())
}

/// The rules that a file falls under, without repetition, each with its first letter: `H` and above
/// blocks, `M` asks, `L` notes; `gap` when the scan is not complete.
fn rules(path: &str, bytes: &[u8]) -> Vec<String> {
    let mut out = Vec::new();
    for scanned in look(path, bytes) {
        for finding in &scanned.report.findings {
            out.push(finding.rule.id.to_string());
        }
        if !scanned.report.is_complete() {
            out.push("gap".to_owned());
        }
    }
    out.sort();
    out.dedup();
    out
}

/// A file is seen as exactly these rules.
#[track_caller]
fn check(path: &str, bytes: &[u8], expected: &[&str]) {
    let text = String::from_utf8_lossy(bytes);
    assert_eq!(rules(path, bytes), expected, "{path}: {text}");
}

/// A file is stopped: blocked or asked about, or at least not finished.
#[track_caller]
fn stopped(path: &str, bytes: &[u8]) {
    let scanned = look(path, bytes);
    let seen = scanned.iter().any(|one| {
        let bad = |severity: Severity| severity >= Severity::Medium;
        one.report
            .findings
            .iter()
            .any(|finding| bad(finding.rule.severity))
            || !one.report.is_complete()
    });
    assert!(seen, "{path}: {:?}", rules(path, bytes));
}

/// A file is clean: nothing that asks or blocks, and everything was looked at.
#[track_caller]
fn clean(path: &str, bytes: &[u8]) {
    check(path, bytes, &[]);
}
