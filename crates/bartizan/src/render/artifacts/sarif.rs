//! The report on files as SARIF 2.1.0 (OASIS, 27 March 2020), for code scanning.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use bartizan_core::{Finding, Rule, hex};
use bartizan_policy::{Policy, Reason};
use serde_json::{Value, json};

use super::Judged;
use crate::render::sarif::{driver, level_of, log, uri};

/// The log of one run over all files.
pub(crate) fn report(all: &[Judged], policy: &Policy) -> String {
    let mut rules: BTreeMap<&str, &Rule> = BTreeMap::new();
    let mut results = Vec::new();
    let mut notifications = Vec::new();
    for judged in all {
        let mut occurrences: BTreeMap<&str, usize> = BTreeMap::new();
        for (finding, reason) in judged.listed() {
            rules.insert(&finding.rule.id, &finding.rule);
            let occurrence = occurrences.entry(&finding.rule.id).or_insert(0);
            *occurrence += 1;
            results.push(result(judged, finding, reason, *occurrence));
        }
        for (coverage, error) in judged.scanned.report.gaps() {
            let text = format!(
                "`{}` did not look at all of `{}`: {error}",
                coverage.check, judged.scanned.path
            );
            notifications.push(json!({
                "level": "error",
                "message": { "text": text },
                "descriptor": { "id": "incomplete" },
            }));
        }
    }
    log(driver(&rules), &results, &notifications, policy)
}

fn result(judged: &Judged, finding: &Finding, reason: &Reason, occurrence: usize) -> Value {
    let path = judged.scanned.path.as_str();
    // Neither text nor place: the n-th finding of a rule in a file stays the same when bytes move.
    let identity = format!("bartizan/1\n{}\n{path}\n{occurrence}", finding.rule.id);
    let fingerprint = digest::digest(&digest::SHA256, identity.as_bytes());
    let (file, member) = match path.split_once('!') {
        Some((file, _)) => (file, true),
        None => (path, false),
    };
    let mut physical = json!({ "artifactLocation": { "uri": uri(file) } });
    // A place in a member is no place in the file.
    if let (Some(span), Some(physical), false) = (finding.span, physical.as_object_mut(), member) {
        let mut region = json!({ "byteOffset": span.start(), "byteLength": span.len() });
        if let (Some(positions), Some(region)) = (&judged.positions, region.as_object_mut()) {
            let ends = [span.as_range().start, span.as_range().end];
            let [start, end] = ends.map(|at| positions.get(at));
            region.insert("startLine".to_owned(), start.line.into());
            region.insert("startColumn".to_owned(), start.column.into());
            region.insert("endLine".to_owned(), end.line.into());
            region.insert("endColumn".to_owned(), end.column.into());
        }
        physical.insert("region".to_owned(), region);
    }
    let text = match &*finding.message {
        "" => finding.rule.title.to_string(),
        message => format!("{}: {message}", finding.rule.title),
    };
    let mut result = json!({
        "ruleId": finding.rule.id,
        "level": level_of(reason),
        "message": { "text": text },
        "locations": [{
            "physicalLocation": physical,
            "logicalLocations": [{ "fullyQualifiedName": path }],
        }],
        "partialFingerprints": { "bartizanPlace/v1": hex::encode(fingerprint.as_ref()) },
        "rank": f64::from((finding.confidence.get() * 1000.0).round()) / 10.0,
        "properties": {
            "layer": finding.layer,
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
