//! What a scan says about files that are built here, byte by byte.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must fail"
)]

mod archives;
mod assembler;
mod bypasses;
mod convert;
mod honest;
mod image;
mod pickles;
mod sealed;
mod ziprig;

use bartizan_core::Severity;
use bartizan_formats::Bytes;
use bartizan_supply::{Artifact, ScanLimits, Scanned, scan};

/// What a file comes to, by the built-in policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Clean,
    Incomplete,
    Review,
    Malicious,
}
use Word::{Clean, Incomplete, Malicious, Review};

fn look(bytes: &[u8]) -> Vec<Scanned> {
    let artifact = Artifact {
        path: "file",
        source: &Bytes(bytes),
    };
    scan(&artifact, &ScanLimits::default())
}

fn word(scanned: &[Scanned]) -> Word {
    let one = |scanned: &Scanned| {
        let findings = scanned.report.findings.iter();
        match findings.map(|finding| finding.rule.severity).max() {
            Some(Severity::Critical | Severity::High) => Malicious,
            Some(Severity::Medium) => Review,
            _ if !scanned.report.is_complete() => Incomplete,
            _ => Clean,
        }
    };
    scanned.iter().map(one).max().unwrap_or(Clean)
}

/// Asserts what a file comes to, and that a rule is among the reasons.
#[track_caller]
fn check(name: &str, bytes: &[u8], expected: Word, rule: &str) {
    let scanned = look(bytes);
    let said: Vec<String> = scanned
        .iter()
        .flat_map(|one| {
            let findings = one.report.findings.iter();
            let findings = findings
                .map(|finding| format!("{} {}: {}", one.path, finding.rule.id, finding.message));
            let gaps = one.report.gaps();
            findings
                .chain(gaps.map(|(check, error)| format!("{} {}: {error}", one.path, check.check)))
        })
        .collect();
    assert_eq!(word(&scanned), expected, "{name}: {said:#?}");
    let has_rule = |one: &Scanned| {
        let mut findings = one.report.findings.iter();
        findings.any(|finding| finding.rule.id == rule)
    };
    assert!(
        rule.is_empty() || scanned.iter().any(has_rule),
        "{name} lacks {rule}: {said:#?}"
    );
}
