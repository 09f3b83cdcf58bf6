//! Version 1 of the JSON report on files: fields are added, never changed or removed.

use std::collections::BTreeMap;

use bartizan_policy::{GapCause, Policy};
use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::{Judged, by_severity, coverage, word};
use crate::problem::Problem;

/// What `bartizan scan --format json` prints. Holds names of imports, and nothing else of the files.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Bartizan scan report")]
pub(crate) struct Report<'a> {
    /// 1
    version: u32,
    tool: Tool,
    /// `clean`, `incomplete`, `review`, or `malicious`; of several files the worst.
    verdict: &'static str,
    /// Whether everything was looked at.
    complete: bool,
    /// SHA-256 of the checked policy, in hexadecimal.
    policy_version: &'a str,
    /// Findings by severity.
    counts: BTreeMap<&'static str, usize>,
    /// How many artifacts each check looked at.
    coverage: BTreeMap<&'static str, usize>,
    /// One entry per file and per member of an archive, in order of their paths; a member follows
    /// its archive.
    artifacts: Vec<Entry<'a>>,
}

/// The program that wrote the report.
#[derive(Debug, Serialize, JsonSchema)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

/// A file, or a member of an archive.
#[derive(Debug, Serialize, JsonSchema)]
struct Entry<'a> {
    /// Its path; a member follows its archive and a `!`.
    path: &'a str,
    /// What its bytes can be read as, likeliest first.
    formats: Vec<&'static str>,
    /// Its length.
    bytes: u64,
    /// `clean`, `incomplete`, `review`, or `malicious`.
    verdict: &'static str,
    /// Whether every check looked at everything.
    complete: bool,
    /// The checks that looked at it.
    checks: Vec<&'static str>,
    /// What was not looked at.
    gaps: Vec<Gap>,
    /// What was seen, in order of place.
    findings: Vec<Seen<'a>>,
}

/// A check that did not look at everything.
#[derive(Debug, Serialize, JsonSchema)]
struct Gap {
    check: &'static str,
    /// `exhausted`, `malformed`, `unavailable`, `stopped`, or `other`.
    #[schemars(with = "String")]
    cause: GapCause,
    /// Why, in words.
    message: String,
}

/// A finding.
#[derive(Debug, Serialize, JsonSchema)]
struct Seen<'a> {
    /// The rule's id, e.g. `pickle.runs-process`.
    rule: &'a str,
    title: &'a str,
    category: &'static str,
    /// `info`, `low`, `medium`, `high`, or `critical`.
    severity: &'static str,
    /// From 0 to 1.
    confidence: f32,
    /// Bytes of the artifact; `null` for the artifact as a whole.
    span: Option<Range>,
    /// What was seen.
    message: &'a str,
    /// What it leads to: `allow`, `ask`, or `block`.
    action: &'static str,
    /// The policy row that decided.
    policy_row: &'a str,
    /// Whether the allow-list accepts it.
    accepted: bool,
    /// Outside references, e.g. `CWE-502`.
    refs: Vec<&'a str>,
}

/// Half-open: `end` is one past the last.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
struct Range {
    start: u64,
    end: u64,
    /// The line of its start, from 1; only of texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// The column of its start in code points, from 1; only of texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
}

/// The schema of a report.
pub(crate) fn schema() -> Schema {
    schemars::schema_for!(Report<'_>)
}

/// The report on all files.
pub(crate) fn report(all: &[Judged], policy: &Policy) -> Result<String, Problem> {
    let report = Report {
        version: 1,
        tool: Tool {
            name: "bartizan",
            version: env!("CARGO_PKG_VERSION"),
        },
        verdict: word(all).as_str(),
        complete: all.iter().all(|judged| judged.scanned.report.is_complete()),
        policy_version: policy.version(),
        counts: by_severity(all)
            .into_iter()
            .map(|(severity, count)| (severity.as_str(), count))
            .collect(),
        coverage: coverage(all),
        artifacts: all.iter().map(entry).collect(),
    };
    let text = serde_json::to_string_pretty(&report);
    text.map(|text| text + "\n")
        .map_err(|error| Problem::new(format!("cannot write the report: {error}")))
}

fn entry(judged: &Judged) -> Entry<'_> {
    let scanned = &judged.scanned;
    let checks = scanned.report.coverage.iter();
    let gaps = scanned.report.gaps().map(|(coverage, error)| Gap {
        check: coverage.check,
        cause: error.into(),
        message: error.to_string(),
    });
    let findings = judged.listed().into_iter().map(|(finding, reason)| Seen {
        rule: &finding.rule.id,
        title: &finding.rule.title,
        category: finding.rule.category.as_str(),
        severity: finding.rule.severity.as_str(),
        confidence: finding.confidence.get(),
        span: finding.span.map(|span| {
            let positions = judged.positions.as_ref();
            let at = positions.map(|positions| positions.get(span.as_range().start));
            Range {
                start: span.start(),
                end: span.end(),
                line: at.map(|at| at.line),
                column: at.map(|at| at.column),
            }
        }),
        message: &finding.message,
        action: reason.action.as_str(),
        policy_row: &reason.row,
        accepted: reason.exception.is_some(),
        refs: finding.rule.refs.iter().map(|one| &**one).collect(),
    });
    Entry {
        path: &scanned.path,
        formats: scanned
            .formats
            .iter()
            .map(|format| format.as_str())
            .collect(),
        bytes: scanned.bytes,
        verdict: judged.word().as_str(),
        complete: scanned.report.is_complete(),
        checks: checks.map(|check| check.check).collect(),
        gaps: gaps.collect(),
        findings: findings.collect(),
    }
}
