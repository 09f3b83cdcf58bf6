//! The report as JSON Lines that tools for garak's reports read (docs/source/reporting.rst).

use serde_json::{Value, json};

use super::v1::{Failure, Report};

/// The report as garak writes its own, with the run's id, a UUID. Its attempts are those that are
/// not as they should be, without prompts and answers; its evaluations count all, and its last line
/// says how many of the attempts are not listed.
#[must_use]
pub fn garak(report: &Report, run: &str) -> String {
    let mut lines = vec![
        json!({ "entry_type": "start_run setup", "plugins.target_type": "bartizan", "plugins.target_name": report.target, "run.seed": report.seed }),
        json!({ "entry_type": "init", "garak_version": "bartizan", "run": run }),
    ];
    let failures = report.failures.iter().enumerate();
    lines.extend(failures.map(|(number, failure)| attempt(number, failure)));
    for group in &report.families {
        let passed = group.attempts - group.failed;
        lines.push(json!({
            "entry_type": "eval",
            "probe": format!("bartizan.{}", group.name),
            "detector": DETECTOR,
            "passed": passed,
            "fails": group.failed,
            "nones": group.errors,
            "total": group.attempts,
            "total_evaluated": group.attempts,
            "total_processed": group.attempts + group.errors,
        }));
    }
    lines.push(json!({ "entry_type": "completion", "run": run, "attempts_left_out": report.failures_left_out }));
    let mut out = String::new();
    for line in lines {
        out.push_str(&line.to_string());
        out.push('\n');
    }
    out
}

/// What takes the place of garak's detectors.
const DETECTOR: &str = "bartizan.Outcome";

fn attempt(number: usize, failure: &Failure) -> Value {
    let score = if failure.outcome == "partial" {
        0.5
    } else {
        1.0
    };
    json!({
        "entry_type": "attempt",
        "uuid": format!("{number:08x}-0000-4000-8000-000000000000"),
        "seq": number,
        "status": 2,
        "probe_classname": format!("bartizan.{}", failure.family),
        "probe_params": {},
        "targets": [],
        "prompt": null,
        "outputs": [],
        "detector_results": { DETECTOR: [score] },
        "notes": { "test": failure.test, "chain": failure.chain, "repetition": failure.repetition, "verdict": failure.verdict },
        "goal": failure.refs.join(" "),
        "conversations": [],
    })
}
