//! `bartizan replay`: decides stored decisions again.

use std::{fmt::Write, io::Read};

use bartizan_policy::{Policy, Record};
use serde_json::Value;

use crate::{
    cli::Replay,
    engine::{self, read_config},
    exit::Exit,
    input::{escaped, read_text},
    output,
    problem::{Problem, Problems},
    render::human::short,
};

/// Says for every stored decision whether the policy still decides the same.
pub(crate) fn run(arguments: &Replay) -> Result<Exit, Problems> {
    let policy = engine::policy(&arguments.setup, &read_config(&arguments.setup)?)?;
    let name = escaped(&arguments.file);
    let text = if arguments.file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin()
            .lock()
            .read_to_string(&mut text)
            .map_err(|error| Problem::new(format!("cannot read standard input: {error}")))?;
        text
    } else {
        read_text(&arguments.file)?
    };
    let stored: Value = serde_json::from_str(&text).map_err(|error| {
        Problem::new(format!(
            "`{name}` is no JSON at line {}, column {}",
            error.line(),
            error.column()
        ))
    })?;
    let decisions = decisions(&stored);
    if decisions.is_empty() {
        return Err(Problem::new(format!("`{name}` holds no decision"))
            .help("write one with `bartizan check --format json --decision`")
            .into());
    }
    let mut out = String::new();
    let mut exit = Exit::Clean;
    for (number, decision) in (1..).zip(decisions) {
        let record: Record = serde_json::from_value(decision.clone()).map_err(|error| {
            Problem::new(format!(
                "decision {number} of `{name}` cannot be read: {error}"
            ))
            .help("was it written by another version?")
        })?;
        let differences = differences(&policy, &record, decision);
        let versions = if record.policy_version == policy.version() {
            format!("policy {}", short(policy.version()))
        } else {
            let (then, now) = (short(&record.policy_version), short(policy.version()));
            format!("policy {then} then, {now} now")
        };
        if differences.is_empty() {
            let verdict = decision.get("verdict").and_then(Value::as_str);
            let _ = writeln!(
                out,
                "same: decision {number}, {} ({versions})",
                verdict.unwrap_or("?")
            );
        } else {
            exit = Exit::Findings;
            let _ = writeln!(out, "different: decision {number} ({versions})");
            for difference in differences {
                let _ = writeln!(out, "  {difference}");
            }
        }
    }
    output::stdout(&out)?;
    Ok(exit)
}

/// The decisions of a report, or the single one that it is.
fn decisions(stored: &Value) -> Vec<&Value> {
    match stored.get("subjects").and_then(Value::as_array) {
        Some(subjects) => subjects
            .iter()
            .filter_map(|subject| subject.get("decision"))
            .collect(),
        None if stored.get("policy_version").is_some() => vec![stored],
        None => Vec::new(),
    }
}

/// What is decided otherwise now.
fn differences(policy: &Policy, record: &Record, stored: &Value) -> Vec<String> {
    // Through text, as the stored one went, so that numbers are rounded alike. A decision consists
    // of what JSON can hold.
    let now: Value = serde_json::to_string(&policy.replay(record))
        .and_then(|text| serde_json::from_str(&text))
        .unwrap_or(Value::Null);
    let mut differences = Vec::new();
    for key in ["verdict", "enforced", "score", "band", "refusal"] {
        let (then, now) = (stored.get(key), now.get(key));
        if then != now {
            let show = |value: Option<&Value>| {
                value.map_or_else(|| "nothing".to_owned(), Value::to_string)
            };
            differences.push(format!("{key}: {} then, {} now", show(then), show(now)));
        }
    }
    let count = |decision: &Value, key: &str| {
        decision
            .get(key)
            .and_then(Value::as_array)
            .map_or(0, Vec::len)
    };
    for key in ["reasons", "gaps"] {
        if stored.get(key) != now.get(key) {
            let (then, now) = (count(stored, key), count(&now, key));
            differences.push(format!(
                "{key}: {then} then, {now} now, not all of them the same"
            ));
        }
    }
    differences
}
