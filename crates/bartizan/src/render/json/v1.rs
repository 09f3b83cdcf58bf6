//! Version 1 of the JSON report: fields are added, never changed or removed.

use std::collections::HashMap;

use bartizan_core::{Finding, Verdict};
use bartizan_guard::position::Positions;
use bartizan_policy::{Band, Decision, Reason};
use schemars::{JsonSchema, Schema};
use serde::Serialize;

use crate::{
    engine::Engine,
    problem::Problem,
    render::{Checked, Listed},
};

/// What `bartizan check --format json` prints. Holds no checked text, except `redacted`, which is
/// the safe version.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Bartizan report")]
pub(crate) struct Report<'a> {
    /// 1
    version: u32,
    tool: Tool,
    #[serde(flatten)]
    outcome: Outcome,
    /// SHA-256 of the checked policy, in hexadecimal.
    policy_version: &'a str,
    /// SHA-256 over all rule packs, in hexadecimal.
    rules_version: &'a str,
    /// One entry per input, in order.
    subjects: Vec<Subject<'a>>,
}

/// The program that wrote the report.
#[derive(Debug, Serialize, JsonSchema)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

/// What it comes to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Outcome {
    /// What the policy asks for: `allow`, `redact`, `ask`, or `block`; of several inputs the
    /// strictest.
    verdict: &'static str,
    /// The verdict without what is in shadow.
    enforced: &'static str,
    /// The composite safety score from 0 to 1, 1 is safe; of several inputs the lowest.
    score: f64,
    /// Where the score falls: `serve`, `review`, or `block`.
    band: &'static str,
    /// Whether every check looked at everything.
    complete: bool,
}

/// One input.
#[derive(Debug, Serialize, JsonSchema)]
struct Subject<'a> {
    /// Its path, `stdin`, or `text`.
    name: &'a str,
    /// `text`, or the wire format of a conversation, e.g. `chat-completions`.
    format: &'static str,
    #[serde(flatten)]
    outcome: Outcome,
    /// What was not looked at.
    gaps: Vec<Gap<'a>>,
    /// What it consists of; a text is one part.
    parts: Vec<Part<'a>>,
    /// What was seen, in order of part and place.
    findings: Vec<Entry<'a>>,
    /// What the operator should look at.
    warnings: Vec<String>,
    /// The safe version, with `--redact`.
    #[serde(skip_serializing_if = "Option::is_none")]
    redacted: Option<String>,
    /// The whole decision, with `--decision`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    decision: Option<&'a Decision>,
    /// What each check cost, with `--timings`.
    #[serde(skip_serializing_if = "Option::is_none")]
    timings: Option<Timings>,
}

/// A check that did not look at everything.
#[derive(Debug, Serialize, JsonSchema)]
struct Gap<'a> {
    /// The number of the part.
    part: Option<u32>,
    layer: Option<&'static str>,
    check: Option<&'a str>,
    /// `exhausted`, `malformed`, `unavailable`, `stopped`, `absent`, or `other`.
    #[schemars(with = "String")]
    cause: bartizan_policy::GapCause,
    /// What it asks for.
    action: &'static str,
}

/// A part of a subject.
#[derive(Debug, Serialize, JsonSchema)]
struct Part<'a> {
    /// Where it stands, e.g. `messages[2].content[0].text`; empty for a text.
    path: &'a str,
    /// Who wrote it.
    origin: &'static str,
    /// What it is, e.g. `text` or `tool-result`.
    kind: &'a str,
    /// Its length in bytes.
    bytes: usize,
}

/// A finding.
#[derive(Debug, Serialize, JsonSchema)]
struct Entry<'a> {
    /// The rule's id, e.g. `prompt.instruction-override`.
    rule: &'a str,
    title: &'a str,
    category: &'static str,
    /// The rule's label in its pack.
    #[serde(skip_serializing_if = "Option::is_none")]
    family: Option<&'a str>,
    /// `info`, `low`, `medium`, `high`, or `critical`.
    severity: &'static str,
    /// From 0 to 1.
    confidence: f32,
    layer: &'static str,
    /// The number of the part.
    part: usize,
    /// The path of the part.
    path: &'a str,
    /// Bytes of the part, as it was received; `null` for the part as a whole.
    span: Option<Range>,
    /// Code points of the part.
    chars: Option<Range>,
    /// Where it begins in the part.
    location: Option<Location>,
    /// Bytes of the JSON document, where the part stands in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    document_span: Option<Range>,
    /// How the text was decoded in which it was seen, outermost first.
    via: Vec<&'static str>,
    /// What was seen; never the text itself.
    message: &'a str,
    /// What it leads to; `allow` means that it is listed only.
    action: &'static str,
    /// The policy row that decided.
    policy_row: &'a str,
    /// Whether it is reported only.
    shadow: bool,
    /// Whether the allow-list accepts it.
    accepted: bool,
    /// The kind of personal data or secret, by Presidio's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    entity: Option<&'a str>,
    /// Outside references, e.g. `LLM01:2025`.
    refs: Vec<&'a str>,
}

/// Half-open: `end` is one past the last.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
struct Range {
    start: u64,
    end: u64,
}

/// A place for people.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
struct Location {
    /// From 1.
    line: usize,
    /// In code points, from 1.
    column: usize,
}

/// What the checks cost.
#[derive(Debug, Serialize, JsonSchema)]
struct Timings {
    /// From the bytes to the decision, in nanoseconds.
    total_nanos: u64,
    checks: Vec<Cost>,
}

/// What one check cost.
#[derive(Debug, Serialize, JsonSchema)]
struct Cost {
    check: &'static str,
    layer: &'static str,
    nanos: u64,
}

/// The schema of a report.
pub(crate) fn schema() -> Schema {
    schemars::schema_for!(Report<'_>)
}

/// What a report holds beside its findings.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extras {
    /// The whole decisions.
    pub(crate) decision: bool,
    /// What each check cost.
    pub(crate) timings: bool,
}

/// The report on all subjects.
pub(crate) fn report(
    engine: &Engine,
    all: &[Checked],
    safe_texts: Vec<Option<String>>,
    extras: Extras,
) -> Result<String, Problem> {
    let families = engine.rules.families();
    let subjects: Vec<Subject<'_>> = all
        .iter()
        .zip(safe_texts)
        .map(|(checked, redacted)| Subject {
            redacted,
            decision: extras.decision.then_some(&checked.judgement.decision),
            timings: extras.timings.then(|| timings(checked)),
            ..subject(checked, &families)
        })
        .collect();
    let outcome = joined(all);
    let report = Report {
        version: 1,
        tool: Tool {
            name: "bartizan",
            version: env!("CARGO_PKG_VERSION"),
        },
        outcome,
        policy_version: engine.judge.policy().version(),
        rules_version: engine.rules.version(),
        subjects,
    };
    let text = serde_json::to_string_pretty(&report);
    text.map(|text| text + "\n")
        .map_err(|error| Problem::new(format!("cannot write the report: {error}")))
}

/// A finding of a stream, as a line of JSON: places are bytes of the stream.
pub(crate) fn line(name: &str, finding: &Finding, reason: &Reason) -> String {
    let rule = &finding.rule;
    let span = finding.span.map(|span| Range {
        start: span.start(),
        end: span.end(),
    });
    let value = serde_json::json!({
        "version": 1,
        "name": name,
        "rule": rule.id,
        "title": rule.title,
        "category": rule.category,
        "severity": rule.severity,
        "confidence": finding.confidence,
        "layer": finding.layer,
        "span": span,
        "via": finding.via,
        "message": finding.message,
        "action": reason.action,
        "policy_row": reason.row,
        "shadow": reason.shadow,
        "entity": rule.entity,
    });
    format!("{value}\n")
}

fn subject<'a>(checked: &'a Checked, families: &HashMap<&str, &'a str>) -> Subject<'a> {
    let decision = &checked.judgement.decision;
    let texts = checked.subject.texts();
    let parts = &checked.judgement.parts;
    let gaps = decision.gaps.iter().map(|gap| Gap {
        part: gap.part,
        layer: gap.layer.map(|layer| layer.as_str()),
        check: gap.check.as_deref(),
        cause: gap.cause,
        action: gap.action.as_str(),
    });
    Subject {
        name: &checked.subject.name,
        format: checked.subject.format(),
        outcome: outcome(checked),
        gaps: gaps.collect(),
        parts: parts
            .iter()
            .zip(&texts)
            .map(|(part, text)| Part {
                path: &part.path,
                origin: part.origin.as_str(),
                kind: part.kind.as_str(),
                bytes: text.len(),
            })
            .collect(),
        findings: entries(checked, families),
        warnings: decision.warnings.iter().map(ToString::to_string).collect(),
        redacted: None,
        decision: None,
        timings: None,
    }
}

fn entries<'a>(checked: &'a Checked, families: &HashMap<&str, &'a str>) -> Vec<Entry<'a>> {
    let listed = checked.listed();
    let texts = checked.subject.texts();
    let mut entries = Vec::with_capacity(listed.len());
    for group in listed.chunk_by(|a, b| a.part == b.part) {
        let Some(part) = group.first().map(|item| item.part) else {
            continue;
        };
        let spans = group.iter().filter_map(|item| item.finding.span);
        let ends = spans.flat_map(|span| [span.as_range().start, span.as_range().end]);
        let positions = Positions::of(texts.get(part).copied().unwrap_or_default(), ends);
        entries.extend(
            group
                .iter()
                .map(|item| entry(checked, item, &positions, families)),
        );
    }
    entries
}

fn entry<'a>(
    checked: &'a Checked,
    item: &Listed<'a>,
    positions: &Positions,
    families: &HashMap<&str, &'a str>,
) -> Entry<'a> {
    let (finding, reason) = (item.finding, item.reason);
    let rule: &'a bartizan_core::Rule = &finding.rule;
    let place = finding.span.map(|span| {
        let range = span.as_range();
        (positions.get(range.start), positions.get(range.end))
    });
    let document_span = || {
        let conversation = checked.subject.conversation.as_ref()?;
        conversation
            .parts
            .get(item.part)?
            .document_span(finding.span?)
    };
    Entry {
        rule: &rule.id,
        title: &rule.title,
        category: rule.category.as_str(),
        family: families.get(&*rule.id).copied(),
        severity: rule.severity.as_str(),
        confidence: finding.confidence.get(),
        layer: finding.layer.as_str(),
        part: item.part,
        path: checked
            .judgement
            .parts
            .get(item.part)
            .map_or("", |part| &*part.path),
        span: finding.span.map(range),
        chars: place.map(|(start, end)| Range {
            start: start.chars as u64,
            end: end.chars as u64,
        }),
        location: place.map(|(start, _)| Location {
            line: start.line,
            column: start.column,
        }),
        document_span: document_span().map(range),
        via: finding.via.iter().map(|via| via.as_str()).collect(),
        message: &finding.message,
        action: reason.action.as_str(),
        policy_row: &reason.row,
        shadow: reason.shadow,
        accepted: reason.exception.is_some(),
        entity: rule.entity.as_deref(),
        refs: rule.refs.iter().map(|reference| &**reference).collect(),
    }
}

const fn range(span: bartizan_core::Span) -> Range {
    Range {
        start: span.start(),
        end: span.end(),
    }
}

fn outcome(checked: &Checked) -> Outcome {
    let decision = &checked.judgement.decision;
    Outcome {
        verdict: decision.verdict().as_str(),
        enforced: decision.enforced().as_str(),
        score: decision.score,
        band: decision.band.as_str(),
        complete: checked.is_complete(),
    }
}

/// The strictest, the lowest, the worst.
fn joined(all: &[Checked]) -> Outcome {
    let decisions = || all.iter().map(|checked| &checked.judgement.decision);
    let strictest = |verdict: fn(&Decision) -> Verdict| {
        decisions()
            .map(verdict)
            .fold(Verdict::Allow, Verdict::join)
            .as_str()
    };
    let worst = decisions().map(|decision| decision.band).max();
    Outcome {
        verdict: strictest(Decision::verdict),
        enforced: strictest(Decision::enforced),
        score: decisions()
            .map(|decision| decision.score)
            .fold(1.0, f64::min),
        band: worst.unwrap_or(Band::Serve).as_str(),
        complete: !all.is_empty() && all.iter().all(Checked::is_complete),
    }
}

fn timings(checked: &Checked) -> Timings {
    let steps = checked.judgement.trace();
    Timings {
        total_nanos: checked.nanos,
        checks: steps
            .iter()
            .map(|step| Cost {
                check: step.check,
                layer: step.layer.as_str(),
                nanos: step.nanos,
            })
            .collect(),
    }
}
