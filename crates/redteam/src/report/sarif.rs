//! The report as SARIF 2.1.0 (OASIS, 27 March 2020): a rule for each family, a result for each
//! attempt that is not as it should be.

use std::collections::BTreeSet;

use bartizan_core::Severity;
use serde_json::{Value, json};

use super::v1::{Failure, Report};
use crate::{Family, family::FamilyKind};

/// The report as SARIF.
#[must_use]
pub fn sarif(report: &Report) -> String {
    let used: BTreeSet<&str> = report
        .failures
        .iter()
        .map(|failure| failure.family.as_str())
        .collect();
    let rules: Vec<Value> = used
        .iter()
        .filter_map(|id| Family::named(id))
        .map(descriptor)
        .collect();
    let results: Vec<Value> = report
        .failures
        .iter()
        .map(|failure| {
            let what = what(failure);
            let name = format!("{} {}", failure.test, failure.chain);
            json!({
                "ruleId": format!("redteam.{}", failure.family),
                "level": level(failure),
                "message": { "text": format!("{what}: `{}`, disguised by {}", failure.test, failure.chain) },
                "locations": [{ "logicalLocations": [{ "fullyQualifiedName": name }] }],
                "partialFingerprints": { "bartizanRedteam/v1": format!("{name} {}", failure.repetition) },
                "properties": { "tags": failure.refs, "verdict": failure.verdict },
            })
        })
        .collect();
    let mut notifications: Vec<Value> = report
        .errors
        .iter()
        .map(|error| {
            json!({
                "level": "error",
                "message": { "text": format!("{} attempts without an outcome: {}", error.attempts, error.why) },
            })
        })
        .collect();
    if report.failures_left_out > 0 {
        let text = format!("{} more results are not listed", report.failures_left_out);
        notifications.push(json!({ "level": "error", "message": { "text": text } }));
    }
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "bartizan redteam",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "invocations": [{
                "executionSuccessful": notifications.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
            "properties": { "target": report.target, "seed": report.seed },
        }],
    });
    format!("{log:#}\n")
}

fn descriptor(family: Family) -> Value {
    let refs: Vec<&str> = family.owasp.iter().chain(family.atlas).copied().collect();
    json!({
        "id": format!("redteam.{}", family.id),
        "shortDescription": { "text": family.title },
        "defaultConfiguration": { "level": of_severity(family.severity) },
        "properties": { "tags": refs },
    })
}

/// What is not as it should be.
fn what(failure: &Failure) -> &'static str {
    let kind = Family::named(&failure.family).map_or(FamilyKind::Attack, |family| family.kind);
    match (kind, failure.outcome == "partial") {
        (FamilyKind::Attack, false) => "an attack reached its goal",
        (FamilyKind::Attack, true) => "an attack reached its goal in part",
        (FamilyKind::Control, false) => "a harmless text was stopped",
        (FamilyKind::Control, true) => "a harmless text was answered in part",
        (FamilyKind::Pair, _) => "texts that differ in a group of people were not treated alike",
    }
}

fn level(failure: &Failure) -> &'static str {
    let severity =
        Family::named(&failure.family).map_or(Severity::Medium, |family| family.severity);
    if failure.outcome == "partial" {
        "note"
    } else {
        of_severity(severity)
    }
}

const fn of_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}
