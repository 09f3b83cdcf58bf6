//! Lakera Guard: `POST /v2/guard`.

use axum::{
    extract::{Request, State},
    response::Response,
};
use bartizan_core::{Category, Direction, Verdict};
use bartizan_guard::position::Positions;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    GuardApi,
    engine::{Checked, Content, Input},
    request::{Incoming, Shape, parse, serve, unprocessable},
};
use crate::fault::Fault;

pub(super) const PATH: &str = "/v2/guard";

/// An interaction with a model.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(title = "Lakera guard request")]
pub(super) struct GuardRequest {
    /// Messages in OpenAI's shape. All of them are looked at; those of the assistant behind the
    /// last other one as answers.
    #[schemars(length(min = 1))]
    messages: Vec<Value>,
    /// Ignored: the policy is the gateway's.
    #[serde(default)]
    #[serde(rename = "project_id")]
    _project_id: Option<String>,
    /// Whether places are wanted.
    #[serde(default)]
    payload: Option<bool>,
    /// Whether detectors are wanted one by one.
    #[serde(default)]
    breakdown: Option<bool>,
    /// Ignored.
    #[serde(default)]
    #[serde(rename = "metadata")]
    _metadata: Option<Value>,
    /// Whether the version is wanted.
    #[serde(default)]
    dev_info: Option<bool>,
}

/// Whether it is to be stopped.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Lakera guard answer")]
pub(super) struct Guarded {
    /// Whether anything was found that is acted on, or not everything was looked at.
    flagged: bool,
    /// The places.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Vec<Place>>,
    /// The detectors.
    #[serde(skip_serializing_if = "Option::is_none")]
    breakdown: Option<Vec<Detector>>,
    /// The version.
    #[serde(skip_serializing_if = "Option::is_none")]
    dev_info: Option<DevInfo>,
    metadata: Metadata,
}

/// A place.
#[derive(Debug, Serialize, JsonSchema)]
struct Place {
    /// First code point in the message's text.
    start: usize,
    /// One past the last code point.
    end: usize,
    /// What stands there.
    text: String,
    /// E.g. `pii/email`.
    detector_type: String,
    labels: Vec<String>,
    /// The number of the message, from 0.
    message_id: usize,
}

/// A detector.
#[derive(Debug, Serialize, JsonSchema)]
struct Detector {
    project_id: &'static str,
    policy_id: String,
    detector_id: String,
    /// E.g. `prompt_attack`.
    detector_type: String,
    detected: bool,
    /// The number of the message, from 0.
    message_id: usize,
}

/// The version.
#[derive(Debug, Serialize, JsonSchema)]
struct DevInfo {
    git_revision: &'static str,
    git_timestamp: &'static str,
    model_version: String,
    version: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Metadata {
    /// The request's id.
    request_uuid: String,
}

/// Answers it.
pub(super) async fn guard(State(api): State<GuardApi>, request: Request) -> Response {
    serve(api, request, Shape::Own, answer).await
}

async fn answer(api: GuardApi, incoming: Incoming) -> Result<Guarded, Fault> {
    let asked: GuardRequest = parse(&incoming.body)?;
    if asked.messages.is_empty() {
        return Err(
            unprocessable("empty-conversation", "send at least one message").about("messages"),
        );
    }
    for (number, message) in asked.messages.iter().enumerate() {
        if !message.get("role").is_some_and(Value::is_string) {
            let place = format!("messages[{number}]");
            let problem = format!("`{place}` is no message with a `role`");
            return Err(unprocessable("invalid-field", problem).about(place));
        }
    }
    let is_answer =
        |message: &&Value| message.get("role").and_then(Value::as_str) == Some("assistant");
    let answers = asked.messages.iter().rev().take_while(is_answer).count();
    let asked_first = asked.messages.len() - answers;
    let (questions, answers) = asked
        .messages
        .split_at_checked(asked_first)
        .unwrap_or((&asked.messages, &[]));
    let mut all: Vec<(usize, Checked)> = Vec::new();
    for (from, messages, direction) in [
        (0, questions, Direction::Input),
        (asked_first, answers, Direction::Output),
    ] {
        if messages.is_empty() {
            continue;
        }
        let document = Value::Array(messages.to_vec()).to_string();
        let input = Input::conversation(document, direction)?;
        all.push((from, api.check(PATH, &incoming, input).await?));
    }
    let flagged = all
        .iter()
        .any(|(_, checked)| checked.verdict() > Verdict::Allow);
    let policy = all
        .first()
        .map_or("", |(_, checked)| checked.policy.version());
    let places = places(&all);
    Ok(Guarded {
        flagged,
        breakdown: (asked.breakdown == Some(true)).then(|| breakdown(&all, policy)),
        payload: (asked.payload == Some(true)).then_some(places),
        dev_info: (asked.dev_info == Some(true)).then(|| DevInfo {
            git_revision: "",
            git_timestamp: "",
            model_version: api.service.rules().version().to_owned(),
            version: env!("CARGO_PKG_VERSION"),
        }),
        metadata: Metadata {
            request_uuid: incoming.request_id.to_string(),
        },
    })
}

/// The number of the message that a part belongs to, from its path `[2].content[0].text`.
fn message_of(path: &str) -> usize {
    let digits: String = path
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().unwrap_or(0)
}

fn places(all: &[(usize, Checked)]) -> Vec<Place> {
    let mut places = Vec::new();
    for (from, checked) in all {
        let Content::Conversation { conversation, .. } = &checked.input.content else {
            continue;
        };
        let listed = checked.judgement.listed();
        for group in listed.chunk_by(|a, b| a.part == b.part) {
            let Some(part) = group
                .first()
                .and_then(|item| conversation.parts.get(item.part))
            else {
                continue;
            };
            let spans = group.iter().filter_map(|item| item.finding.span);
            let ends = spans.flat_map(|span| [span.as_range().start, span.as_range().end]);
            let positions = Positions::of(part.text.as_bytes(), ends);
            for item in group {
                // Locations are of personal data and the like, which a caller may mask.
                let rule = &item.finding.rule;
                let is_maskable = matches!(rule.category, Category::Pii | Category::Secret);
                let Some(span) = item.finding.span.filter(|_| is_maskable) else {
                    continue;
                };
                if item.reason.action == Verdict::Allow || item.reason.shadow {
                    continue;
                }
                let range = span.as_range();
                let text = part.text.get(range.clone()).unwrap_or_default();
                places.push(Place {
                    start: positions.get(range.start).chars,
                    end: positions.get(range.end).chars,
                    text: text.to_owned(),
                    detector_type: detector(rule.category, rule.entity.as_deref()),
                    labels: Vec::new(),
                    message_id: from + message_of(&part.path),
                });
            }
        }
    }
    places
}

fn breakdown(all: &[(usize, Checked)], policy: &str) -> Vec<Detector> {
    let mut seen: std::collections::BTreeMap<(usize, String), bool> =
        std::collections::BTreeMap::new();
    for (from, checked) in all {
        for part in &checked.judgement.parts {
            let message = from + message_of(&part.path);
            for always in ["prompt_attack", "unknown_links"] {
                seen.entry((message, always.to_owned())).or_insert(false);
            }
        }
        for item in checked.judgement.listed() {
            let Some(part) = checked.judgement.parts.get(item.part) else {
                continue;
            };
            let rule = &item.finding.rule;
            let key = (
                from + message_of(&part.path),
                detector(rule.category, rule.entity.as_deref()),
            );
            let acted = item.reason.action > Verdict::Allow && !item.reason.shadow;
            *seen.entry(key).or_insert(false) |= acted;
        }
    }
    seen.into_iter()
        .map(|((message_id, detector_type), detected)| Detector {
            project_id: "bartizan",
            policy_id: policy.to_owned(),
            detector_id: format!("detector-{}", detector_type.replace('/', "-")),
            detector_type,
            detected,
            message_id,
        })
        .collect()
}

/// Lakera's name of a detector.
fn detector(category: Category, entity: Option<&str>) -> String {
    match category {
        Category::Pii | Category::Secret => {
            let label = match entity.unwrap_or("other") {
                "EMAIL_ADDRESS" => "email".to_owned(),
                "PHONE_NUMBER" => "phone_number".to_owned(),
                "PERSON" => "name".to_owned(),
                "US_SSN" => "us_social_security_number".to_owned(),
                "LOCATION" | "ADDRESS" => "address".to_owned(),
                other => other.to_ascii_lowercase(),
            };
            format!("pii/{label}")
        }
        Category::Exfiltration | Category::SinkHazard => "unknown_links".to_owned(),
        Category::Leak => "data_leakage".to_owned(),
        Category::Harm => "moderated_content".to_owned(),
        Category::CodeExecution
        | Category::Integrity
        | Category::Vulnerability
        | Category::Misconfiguration
        | Category::Custom => "custom".to_owned(),
        Category::Shape
        | Category::Obfuscation
        | Category::Injection
        | Category::Jailbreak
        | Category::PromptExtraction
        | Category::ToolHijack
        | Category::Amplification
        | Category::Session => "prompt_attack".to_owned(),
    }
}
