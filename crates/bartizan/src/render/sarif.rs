//! The report as SARIF 2.1.0 (OASIS, 27 March 2020), for code scanning.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use bartizan_core::{Rule, Severity, Span, Verdict, hex};
use serde_json::{Value, json};

use super::{Checked, Listed, human::place_name};
use crate::engine::Engine;
use bartizan_guard::position::Positions;
use bartizan_policy::{Policy, Reason};

/// The log of one run over all subjects.
pub(crate) fn report(engine: &Engine, all: &[Checked]) -> String {
    let mut rules: BTreeMap<&str, &Rule> = BTreeMap::new();
    let mut results = Vec::new();
    let mut notifications = Vec::new();
    for checked in all {
        let listed = checked.listed();
        for item in &listed {
            rules.insert(&item.finding.rule.id, &item.finding.rule);
        }
        results.extend(self::results(checked, &listed));
        notifications.extend(gaps(checked));
    }
    let mut driver = driver(&rules);
    if let Some(driver) = driver.as_object_mut() {
        let versions = json!({ "rulesVersion": engine.rules.version() });
        driver.insert("properties".to_owned(), versions);
    }
    log(driver, &results, &notifications, engine.judge.policy())
}

/// What found it, with the rules that something was found under (section 3.19).
pub(super) fn driver(rules: &BTreeMap<&str, &Rule>) -> Value {
    let rules: Vec<Value> = rules.values().map(|rule| descriptor(rule)).collect();
    json!({
        "name": "bartizan",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": rules,
    })
}

/// The log of one run.
pub(super) fn log(
    driver: Value,
    results: &[Value],
    notifications: &[Value],
    policy: &Policy,
) -> String {
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                // Section 3.20.14: false when something kept the tool from finishing.
                "executionSuccessful": notifications.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
            "properties": { "policyVersion": policy.version() },
        }],
    });
    format!("{log:#}\n")
}

/// What a finding leads to, in SARIF's words (section 3.27.10).
pub(super) fn level_of(reason: &Reason) -> &'static str {
    match reason.action {
        _ if reason.shadow || reason.exception.is_some() => "note",
        Verdict::Block => "error",
        Verdict::Ask | Verdict::Redact => "warning",
        Verdict::Allow => "note",
    }
}

/// Section 3.49.
fn descriptor(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": rule.why },
        "help": { "text": format!("{} {}", rule.why, rule.fix) },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": {
            "tags": tags(rule),
            // What GitHub's code scanning sorts by.
            "security-severity": security_severity(rule.severity),
        },
    })
}

fn tags(rule: &Rule) -> Vec<String> {
    let references = rule
        .refs
        .iter()
        .map(|reference| match reference.strip_prefix("CWE-") {
            Some(number) => format!("external/cwe/cwe-{number}"),
            None => reference.to_string(),
        });
    ["security".to_owned(), rule.category.to_string()]
        .into_iter()
        .chain(references)
        .collect()
}

fn results(checked: &Checked, listed: &[Listed<'_>]) -> Vec<Value> {
    let spans = listed
        .iter()
        .filter_map(|item| document_span(checked, item));
    let ends = spans.flat_map(|span| [span.as_range().start, span.as_range().end]);
    let positions = Positions::of(&checked.subject.bytes, ends);
    let mut occurrences: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    listed
        .iter()
        .map(|item| {
            let occurrence = occurrences
                .entry((item.part, &item.finding.rule.id))
                .or_insert(0);
            *occurrence += 1;
            result(checked, item, &positions, *occurrence)
        })
        .collect()
}

/// The bytes of the file that a finding is about.
fn document_span(checked: &Checked, item: &Listed<'_>) -> Option<Span> {
    let span = item.finding.span?;
    match &checked.subject.conversation {
        None => Some(span),
        Some(conversation) => conversation.parts.get(item.part)?.document_span(span),
    }
}

fn result(checked: &Checked, item: &Listed<'_>, positions: &Positions, occurrence: usize) -> Value {
    let (finding, reason) = (item.finding, item.reason);
    let name = place_name(checked, item.part);
    // Neither text nor place: the n-th finding of a rule in a part stays the same when lines move.
    let identity = format!("bartizan/1\n{}\n{name}\n{occurrence}", finding.rule.id);
    let fingerprint = digest::digest(&digest::SHA256, identity.as_bytes());
    let mut location = json!({});
    if let Some(path) = &checked.subject.path {
        let mut physical = json!({ "artifactLocation": { "uri": uri(&path.to_string_lossy()) } });
        let span = document_span(checked, item);
        if let (Some(span), Some(physical)) = (span, physical.as_object_mut()) {
            let ends = [span.as_range().start, span.as_range().end];
            let [start, end] = ends.map(|at| positions.get(at));
            let region = json!({
                "byteOffset": span.start(), "byteLength": span.len(),
                "startLine": start.line, "startColumn": start.column,
                "endLine": end.line, "endColumn": end.column,
            });
            physical.insert("region".to_owned(), region);
        }
        location = json!({ "physicalLocation": physical });
    }
    if let Some(location) = location.as_object_mut() {
        let logical = json!([{ "fullyQualifiedName": name }]);
        location.insert("logicalLocations".to_owned(), logical);
    }
    let mut result = json!({
        "ruleId": finding.rule.id,
        "level": level_of(reason),
        "message": { "text": message(item) },
        "locations": [location],
        "partialFingerprints": { "bartizanPlace/v1": hex::encode(fingerprint.as_ref()) },
        "rank": f64::from((finding.confidence.get() * 1000.0).round()) / 10.0,
        "properties": {
            "layer": finding.layer,
            "via": finding.via,
            "action": reason.action,
            "policyRow": reason.row,
        },
    });
    if let (Some(_), Some(result)) = (reason.exception, result.as_object_mut()) {
        let accepted = json!([{ "kind": "external", "status": "accepted" }]);
        result.insert("suppressions".to_owned(), accepted);
    }
    result
}

fn message(item: &Listed<'_>) -> String {
    let title = &item.finding.rule.title;
    match item.detail() {
        "" => title.to_string(),
        detail => format!("{title}: {detail}"),
    }
}

/// Section 3.58.
fn gaps(checked: &Checked) -> Vec<Value> {
    let gaps = checked.judgement.decision.gaps.iter();
    gaps.map(|gap| {
        let check = gap.check.as_deref().unwrap_or("any check");
        json!({
            "level": "error",
            "message": { "text": format!("`{check}` did not look at all of `{}`", checked.subject.name) },
            "descriptor": { "id": "incomplete" },
            "properties": { "cause": gap.cause },
        })
    })
    .collect()
}

/// A relative reference (RFC 3986, section 4.2).
pub(super) fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

const fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info => "0.5",
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn paths_become_references() {
        assert_eq!(super::uri("a b/ü.md"), "a%20b/%C3%BC.md");
    }
}
