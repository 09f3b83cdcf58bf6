//! The answer of `/v1/guard/check`: version 1 of the report, field for field what
//! `bartizan check --format json` prints, and places in UTF-16 for those who count so.

use std::collections::HashMap;

use bartizan_core::{Span, Verdict};
use bartizan_guard::{Listed, position::Positions, redact::Redactor};
use bartizan_policy::{Band, Decision};
use bartizan_text::rules::RuleSet;
use schemars::JsonSchema;
use serde::Serialize;

use super::engine::{Checked, Content};

/// What was seen in every input, and what is to be done.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Report {
    /// 1
    version: u32,
    tool: Tool,
    /// The request's id, as the record knows it.
    request_id: String,
    #[serde(flatten)]
    outcome: Outcome,
    /// SHA-256 of the checked policy, in hexadecimal.
    policy_version: String,
    /// SHA-256 over all rule packs, in hexadecimal.
    rules_version: String,
    /// One entry per input, in order.
    subjects: Vec<Subject>,
}

/// The program that made the report.
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
    /// The verdict without what is in shadow: what is to be done.
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
struct Subject {
    /// Its place in the request: `text`, `messages`, `document`, or `inputs[3]`.
    name: String,
    /// `text`, or the wire format of a conversation, e.g. `chat-completions`.
    format: &'static str,
    #[serde(flatten)]
    outcome: Outcome,
    /// What to tell whoever wrote it, when it is to be asked about or blocked.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Refusal>,
    /// What was not looked at.
    gaps: Vec<Gap>,
    /// What it consists of; a text is one part.
    parts: Vec<Part>,
    /// What was seen, in order of part and place.
    findings: Vec<Entry>,
    /// What the operator should look at.
    warnings: Vec<String>,
    /// The safe version, with `redact`; absent where not everything was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    redacted: Option<String>,
    /// What each check cost.
    timings: Timings,
}

/// A refusal; names no rule and no place.
#[derive(Debug, Serialize, JsonSchema)]
struct Refusal {
    /// The kind of harm, e.g. `injection`, or `incomplete`.
    code: &'static str,
    /// For people.
    message: String,
}

/// A check that did not look at everything.
#[derive(Debug, Serialize, JsonSchema)]
struct Gap {
    /// The number of the part.
    part: Option<u32>,
    layer: Option<&'static str>,
    check: Option<String>,
    /// `exhausted`, `malformed`, `unavailable`, `stopped`, `absent`, or `other`.
    #[schemars(with = "String")]
    cause: bartizan_policy::GapCause,
    /// What it asks for.
    action: &'static str,
}

/// A part of an input.
#[derive(Debug, Serialize, JsonSchema)]
struct Part {
    /// Where it stands, e.g. `messages[2].content[0].text`; empty for a text.
    path: String,
    /// Who wrote it.
    origin: &'static str,
    /// What it is, e.g. `text` or `tool-result`.
    kind: String,
    /// Its length in bytes.
    bytes: usize,
}

/// A finding.
#[derive(Debug, Serialize, JsonSchema)]
struct Entry {
    /// The rule's id, e.g. `prompt.instruction-override`.
    rule: String,
    title: String,
    category: &'static str,
    /// The rule's label in its pack.
    #[serde(skip_serializing_if = "Option::is_none")]
    family: Option<String>,
    /// `info`, `low`, `medium`, `high`, or `critical`.
    severity: &'static str,
    /// From 0 to 1.
    confidence: f32,
    layer: &'static str,
    /// The number of the part.
    part: usize,
    /// The path of the part.
    path: String,
    /// Bytes of the part, as it was received; `null` for the part as a whole.
    span: Option<Range>,
    /// Code points of the part.
    chars: Option<Range>,
    /// UTF-16 code units of the part.
    utf16: Option<Range>,
    /// Where it begins in the part.
    location: Option<Location>,
    /// Bytes of the JSON document, where the part stands in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    document_span: Option<Range>,
    /// How the text was decoded in which it was seen, outermost first.
    via: Vec<&'static str>,
    /// What was seen; never the text itself.
    message: String,
    /// What it leads to; `allow` means that it is listed only.
    action: &'static str,
    /// The policy row that decided.
    policy_row: String,
    /// Whether it is reported only.
    shadow: bool,
    /// Whether the allow-list accepts it.
    accepted: bool,
    /// The kind of personal data or secret, by Presidio's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    entity: Option<String>,
    /// Outside references, e.g. `LLM01:2025`.
    refs: Vec<String>,
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
    /// From the text to the decision, in nanoseconds.
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

impl Report {
    /// The report on all inputs, each with its name.
    pub(super) fn new(
        request_id: &str,
        all: &[(String, Checked)],
        rules: &RuleSet,
        policy_version: &str,
        mut redactor: Option<Redactor>,
    ) -> Self {
        let families = rules.families();
        let subjects = all
            .iter()
            .map(|(name, checked)| Subject {
                redacted: redactor
                    .as_mut()
                    .and_then(|redactor| checked.safe(redactor)),
                ..subject(name, checked, &families)
            })
            .collect();
        Self {
            version: 1,
            tool: Tool {
                name: "bartizan",
                version: env!("CARGO_PKG_VERSION"),
            },
            request_id: request_id.to_owned(),
            outcome: joined(all),
            policy_version: policy_version.to_owned(),
            rules_version: rules.version().to_owned(),
            subjects,
        }
    }
}

fn subject(name: &str, checked: &Checked, families: &HashMap<&str, &str>) -> Subject {
    let decision = &checked.judgement.decision;
    let texts = checked.input.texts();
    let gaps = decision.gaps.iter().map(|gap| Gap {
        part: gap.part,
        layer: gap.layer.map(|layer| layer.as_str()),
        check: gap.check.clone(),
        cause: gap.cause,
        action: gap.action.as_str(),
    });
    let parts = checked.judgement.parts.iter().zip(&texts);
    let steps = checked.judgement.trace();
    Subject {
        name: name.to_owned(),
        format: checked.input.format(),
        outcome: outcome(decision, checked.judgement.is_complete()),
        refusal: checked.refusal().map(|(code, message)| Refusal {
            code,
            message: message.to_owned(),
        }),
        gaps: gaps.collect(),
        parts: parts
            .map(|(part, text)| Part {
                path: part.path.clone(),
                origin: part.origin.as_str(),
                kind: part.kind.as_str().to_owned(),
                bytes: text.len(),
            })
            .collect(),
        findings: entries(checked, families),
        warnings: decision.warnings.iter().map(ToString::to_string).collect(),
        redacted: None,
        timings: Timings {
            total_nanos: checked.nanos,
            checks: steps
                .iter()
                .map(|step| Cost {
                    check: step.check,
                    layer: step.layer.as_str(),
                    nanos: step.nanos,
                })
                .collect(),
        },
    }
}

fn entries(checked: &Checked, families: &HashMap<&str, &str>) -> Vec<Entry> {
    let listed = checked.judgement.listed();
    let texts = checked.input.texts();
    let mut entries = Vec::with_capacity(listed.len());
    for group in listed.chunk_by(|a, b| a.part == b.part) {
        let Some(part) = group.first().map(|item| item.part) else {
            continue;
        };
        let spans = group.iter().filter_map(|item| item.finding.span);
        let ends = spans.flat_map(|span| [span.as_range().start, span.as_range().end]);
        let positions = Positions::of(
            texts.get(part).copied().unwrap_or_default().as_bytes(),
            ends,
        );
        entries.extend(
            group
                .iter()
                .map(|item| entry(checked, item, &positions, families)),
        );
    }
    entries
}

fn entry(
    checked: &Checked,
    item: &Listed<'_>,
    positions: &Positions,
    families: &HashMap<&str, &str>,
) -> Entry {
    let (finding, reason) = (item.finding, item.reason);
    let rule = &finding.rule;
    let place = finding.span.map(|span| {
        let range = span.as_range();
        (positions.get(range.start), positions.get(range.end))
    });
    let document_span = || match &checked.input.content {
        Content::Text(_) => None,
        Content::Conversation { conversation, .. } => conversation
            .parts
            .get(item.part)?
            .document_span(finding.span?),
    };
    let parts = &checked.judgement.parts;
    Entry {
        rule: rule.id.clone().into_owned(),
        title: rule.title.clone().into_owned(),
        category: rule.category.as_str(),
        family: families.get(&*rule.id).map(|&family| family.to_owned()),
        severity: rule.severity.as_str(),
        confidence: finding.confidence.get(),
        layer: finding.layer.as_str(),
        part: item.part,
        path: parts
            .get(item.part)
            .map(|part| part.path.clone())
            .unwrap_or_default(),
        span: finding.span.map(range),
        chars: place.map(|(start, end)| Range {
            start: start.chars as u64,
            end: end.chars as u64,
        }),
        utf16: place.map(|(start, end)| Range {
            start: start.utf16 as u64,
            end: end.utf16 as u64,
        }),
        location: place.map(|(start, _)| Location {
            line: start.line,
            column: start.column,
        }),
        document_span: document_span().map(range),
        via: finding.via.iter().map(|via| via.as_str()).collect(),
        message: finding.message.clone().into_owned(),
        action: reason.action.as_str(),
        policy_row: reason.row.clone(),
        shadow: reason.shadow,
        accepted: reason.exception.is_some(),
        entity: rule.entity.as_deref().map(str::to_owned),
        refs: rule
            .refs
            .iter()
            .map(|reference| reference.clone().into_owned())
            .collect(),
    }
}

const fn range(span: Span) -> Range {
    Range {
        start: span.start(),
        end: span.end(),
    }
}

fn outcome(decision: &Decision, complete: bool) -> Outcome {
    Outcome {
        verdict: decision.verdict().as_str(),
        enforced: decision.enforced().as_str(),
        score: decision.score,
        band: decision.band.as_str(),
        complete,
    }
}

/// The strictest, the lowest, the worst.
fn joined(all: &[(String, Checked)]) -> Outcome {
    let decisions = || all.iter().map(|(_, checked)| &checked.judgement.decision);
    let strictest = |verdict: fn(&Decision) -> Verdict| {
        decisions()
            .map(verdict)
            .fold(Verdict::Allow, Verdict::join)
            .as_str()
    };
    Outcome {
        verdict: strictest(Decision::verdict),
        enforced: strictest(Decision::enforced),
        score: decisions()
            .map(|decision| decision.score)
            .fold(1.0, f64::min),
        band: decisions()
            .map(|decision| decision.band)
            .max()
            .unwrap_or(Band::Serve)
            .as_str(),
        complete: !all.is_empty()
            && all
                .iter()
                .all(|(_, checked)| checked.judgement.is_complete()),
    }
}
