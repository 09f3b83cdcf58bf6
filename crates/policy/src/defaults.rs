//! The built-in rows: what happens where a policy file says nothing.

use bartizan_core::{Category, Origin, Severity};

use crate::{Direction, Row, Thresholds};

/// The built-in rows in the order in which they are tried.
pub(crate) fn rows() -> Vec<Row> {
    TABLE
        .iter()
        .map(|line| Row {
            name: format!("default.{}", line.name),
            layers: Vec::new(),
            categories: line.categories.to_vec(),
            rules: line.rules.iter().map(|&rule| rule.to_owned()).collect(),
            min_severity: line.severity,
            origins: line.origins.to_vec(),
            routes: Vec::new(),
            tenants: Vec::new(),
            direction: line.direction,
            thresholds: line.thresholds,
        })
        .collect()
}

struct Line {
    name: &'static str,
    categories: &'static [Category],
    rules: &'static [&'static str],
    severity: Option<Severity>,
    origins: &'static [Origin],
    direction: Option<Direction>,
    thresholds: Thresholds,
}

/// Attacks that a model's answer can carry on.
const CARRIED: &[Category] = &[Category::ToolHijack, Category::Exfiltration];
/// Text that nobody of the conversation wrote.
const FOREIGN: &[Origin] = &[Origin::Retrieved, Origin::Tool];

const ANY: Line = Line {
    name: "",
    categories: &[],
    rules: &[],
    severity: None,
    origins: &[],
    direction: None,
    thresholds: Thresholds {
        flag: Some(0.3),
        redact: None,
        ask: Some(0.5),
        block: Some(0.8),
    },
};

const fn from(
    flag: Option<f32>,
    redact: Option<f32>,
    ask: Option<f32>,
    block: Option<f32>,
) -> Thresholds {
    Thresholds {
        flag,
        redact,
        ask,
        block,
    }
}

#[rustfmt::skip]
const TABLE: &[Line] = &[
    // Calls of tools: what a table of flows decided.
    Line { name: "agent-approval", rules: &["agent.approval", "agent.plan"], thresholds: from(Some(0.0), None, Some(0.0), None), ..ANY },
    Line { name: "agent", rules: &["agent.*"], thresholds: from(Some(0.0), None, None, Some(0.0)), ..ANY },
    // What must never leave. A canary is random, so a match is no accident.
    Line { name: "leak-canary", rules: &["leak.canary*"], thresholds: from(Some(0.0), None, None, Some(0.3)), ..ANY },
    Line { name: "leak", categories: &[Category::Leak], thresholds: from(Some(0.3), None, Some(0.5), Some(0.8)), ..ANY },
    // The operator's own prompt may say what it likes; it is told, not stopped.
    Line { name: "attack-in-system-prompt", categories: Category::ATTACKS, origins: &[Origin::System], thresholds: from(Some(0.3), None, None, None), ..ANY },
    // A document or a tool has no business giving orders.
    Line { name: "attack-in-foreign-text", categories: Category::ATTACKS, origins: FOREIGN, direction: Some(Direction::Input), thresholds: from(Some(0.2), None, Some(0.4), Some(0.7)), ..ANY },
    Line { name: "attack-by-user", categories: Category::ATTACKS, direction: Some(Direction::Input), ..ANY },
    // An answer that quotes an attack is no attack; one that carries data out is.
    Line { name: "attack-in-output", categories: CARRIED, direction: Some(Direction::Output), ..ANY },
    Line { name: "quoted-in-output", categories: Category::ATTACKS, direction: Some(Direction::Output), thresholds: from(Some(0.3), None, Some(0.9), None), ..ANY },
    // The place is edited and the rest goes on.
    Line { name: "personal-data", categories: &[Category::Pii], severity: Some(Severity::Low), thresholds: from(Some(0.3), Some(0.5), None, None), ..ANY },
    Line { name: "personal-data-minor", categories: &[Category::Pii], thresholds: from(Some(0.5), None, None, None), ..ANY },
    Line { name: "secret", categories: &[Category::Secret], thresholds: from(Some(0.2), Some(0.4), None, None), ..ANY },
    // Hazards for the place where an answer goes.
    Line { name: "sink-high", categories: &[Category::SinkHazard], severity: Some(Severity::High), thresholds: from(Some(0.2), Some(0.4), None, Some(0.8)), ..ANY },
    Line { name: "sink-medium", categories: &[Category::SinkHazard], severity: Some(Severity::Medium), thresholds: from(Some(0.3), Some(0.5), None, None), ..ANY },
    Line { name: "sink-low", categories: &[Category::SinkHazard], thresholds: from(Some(0.3), None, None, None), ..ANY },
    // Encoded text alone is no attack; what it says is judged in its view.
    Line { name: "obfuscation-high", categories: &[Category::Obfuscation], severity: Some(Severity::High), thresholds: from(Some(0.2), None, Some(0.6), Some(0.9)), ..ANY },
    Line { name: "obfuscation", categories: &[Category::Obfuscation], thresholds: from(Some(0.3), None, None, None), ..ANY },
    // Too long, of an unknown kind, not text.
    Line { name: "shape-high", categories: &[Category::Shape], severity: Some(Severity::High), thresholds: from(Some(0.0), None, None, Some(0.5)), ..ANY },
    Line { name: "shape", categories: &[Category::Shape], thresholds: from(Some(0.3), None, None, None), ..ANY },
    Line { name: "amplification", categories: &[Category::Amplification], thresholds: from(Some(0.3), None, Some(0.6), Some(0.85)), ..ANY },
    Line { name: "session", categories: &[Category::Session], thresholds: from(Some(0.3), None, Some(0.6), Some(0.8)), ..ANY },
    // A classifier's score is scaled so that its threshold stands at 0.8.
    Line { name: "harm", categories: &[Category::Harm], severity: Some(Severity::Medium), thresholds: from(Some(0.3), None, None, Some(0.8)), ..ANY },
    // A weak sign of it is noise.
    Line { name: "harm-minor", categories: &[Category::Harm], thresholds: from(Some(0.8), None, None, None), ..ANY },
    // Files: what runs or lies is refused, what nobody can vouch for waits for a person.
    Line { name: "artifact-high", categories: Category::FILES, severity: Some(Severity::High), thresholds: from(Some(0.0), None, Some(0.2), Some(0.5)), ..ANY },
    Line { name: "artifact-medium", categories: Category::FILES, severity: Some(Severity::Medium), thresholds: from(Some(0.0), None, Some(0.2), None), ..ANY },
    Line { name: "artifact-low", categories: Category::FILES, thresholds: from(Some(0.0), None, None, None), ..ANY },
    Line { name: "rest", ..ANY },
];
