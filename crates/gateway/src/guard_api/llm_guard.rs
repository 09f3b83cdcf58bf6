//! LLM Guard's API: `POST /analyze/prompt`, `/analyze/output`, `/scan/prompt`, `/scan/output`.

use std::collections::BTreeMap;

use axum::{
    extract::{Request, State},
    response::Response,
};
use bartizan_core::{Category, Direction, Origin, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    GuardApi,
    engine::{Checked, Input},
    request::{Incoming, Shape, parse, serve, unprocessable},
};
use crate::fault::Fault;

pub(super) const ANALYZE_PROMPT: &str = "/analyze/prompt";
pub(super) const ANALYZE_OUTPUT: &str = "/analyze/output";
pub(super) const SCAN_PROMPT: &str = "/scan/prompt";
pub(super) const SCAN_OUTPUT: &str = "/scan/output";

/// A prompt.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(title = "LLM Guard prompt")]
pub(super) struct PromptRequest {
    prompt: String,
    /// Scanners to leave out; refused unless the operator allows it.
    #[serde(default)]
    scanners_suppress: Vec<String>,
}

/// A model's answer and the prompt that it is about.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(title = "LLM Guard output")]
pub(super) struct OutputRequest {
    prompt: String,
    output: String,
    /// Scanners to leave out; refused unless the operator allows it.
    #[serde(default)]
    scanners_suppress: Vec<String>,
}

/// What the scanners say.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "LLM Guard answer")]
pub(super) struct Scanned {
    /// Whether nothing was found that is acted on.
    is_valid: bool,
    /// The risk by scanner: -1 for none, otherwise up to 1.
    scanners: BTreeMap<&'static str, f32>,
    /// The safe version of a prompt; empty where not everything was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    sanitized_prompt: Option<String>,
    /// The safe version of an output; empty where not everything was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    sanitized_output: Option<String>,
}

/// Answers `/analyze/prompt`.
pub(super) async fn analyze_prompt(State(api): State<GuardApi>, request: Request) -> Response {
    serve(api, request, Shape::LlmGuard, async |api, incoming| {
        prompt(&api, &incoming, ANALYZE_PROMPT, true).await
    })
    .await
}

/// Answers `/scan/prompt`.
pub(super) async fn scan_prompt(State(api): State<GuardApi>, request: Request) -> Response {
    serve(api, request, Shape::LlmGuard, async |api, incoming| {
        prompt(&api, &incoming, SCAN_PROMPT, false).await
    })
    .await
}

/// Answers `/analyze/output`.
pub(super) async fn analyze_output(State(api): State<GuardApi>, request: Request) -> Response {
    serve(api, request, Shape::LlmGuard, async |api, incoming| {
        output(&api, &incoming, ANALYZE_OUTPUT, true).await
    })
    .await
}

/// Answers `/scan/output`.
pub(super) async fn scan_output(State(api): State<GuardApi>, request: Request) -> Response {
    serve(api, request, Shape::LlmGuard, async |api, incoming| {
        output(&api, &incoming, SCAN_OUTPUT, false).await
    })
    .await
}

async fn prompt(
    api: &GuardApi,
    incoming: &Incoming,
    route: &'static str,
    sanitize: bool,
) -> Result<Scanned, Fault> {
    let asked: PromptRequest = parse(&incoming.body)?;
    suppressible(api, &asked.scanners_suppress)?;
    let input = Input::text(asked.prompt, Origin::User, Direction::Input);
    let checked = api.check(route, incoming, input).await?;
    let mut scanned = scanned(&checked, INPUT, &asked.scanners_suppress);
    scanned.sanitized_prompt = sanitize.then(|| sanitized(api, incoming, &checked));
    Ok(scanned)
}

async fn output(
    api: &GuardApi,
    incoming: &Incoming,
    route: &'static str,
    sanitize: bool,
) -> Result<Scanned, Fault> {
    let asked: OutputRequest = parse(&incoming.body)?;
    suppressible(api, &asked.scanners_suppress)?;
    // The prompt was looked at on its way in; here it is context only.
    drop(asked.prompt);
    let input = Input::text(asked.output, Origin::Model, Direction::Output);
    let checked = api.check(route, incoming, input).await?;
    let mut scanned = scanned(&checked, OUTPUT, &asked.scanners_suppress);
    scanned.sanitized_output = sanitize.then(|| sanitized(api, incoming, &checked));
    Ok(scanned)
}

fn suppressible(api: &GuardApi, suppressed: &[String]) -> Result<(), Fault> {
    if suppressed.is_empty() || api.config.allow_scanners_suppress {
        return Ok(());
    }
    let message =
        "leaving scanners out is not allowed here; the operator can set `allow-scanners-suppress`";
    Err(unprocessable("scanners-suppress", message).about("scanners_suppress"))
}

/// LLM Guard's scanners by the kinds of harm that they are about, on the way in.
const INPUT: fn(Category) -> &'static str = |category| match category {
    Category::Injection
    | Category::Jailbreak
    | Category::PromptExtraction
    | Category::ToolHijack
    | Category::Exfiltration
    | Category::Session => "PromptInjection",
    Category::Obfuscation => "InvisibleText",
    Category::Pii => "Anonymize",
    Category::Secret | Category::Leak => "Secrets",
    Category::Amplification | Category::Shape => "TokenLimit",
    Category::SinkHazard
    | Category::CodeExecution
    | Category::Integrity
    | Category::Vulnerability
    | Category::Misconfiguration => "BanCode",
    Category::Harm => "Toxicity",
    Category::Custom => "Regex",
};

/// The same on the way out.
const OUTPUT: fn(Category) -> &'static str = |category| match category {
    Category::Exfiltration | Category::SinkHazard => "MaliciousURLs",
    Category::Pii | Category::Secret | Category::Leak => "Sensitive",
    Category::Shape | Category::Amplification => "ReadingTime",
    Category::Harm => "Toxicity",
    Category::Injection
    | Category::Jailbreak
    | Category::PromptExtraction
    | Category::ToolHijack
    | Category::Obfuscation
    | Category::Session
    | Category::CodeExecution
    | Category::Integrity
    | Category::Vulnerability
    | Category::Misconfiguration
    | Category::Custom => "Regex",
};

fn scanned(
    checked: &Checked,
    scanner: fn(Category) -> &'static str,
    suppressed: &[String],
) -> Scanned {
    let decision = &checked.judgement.decision;
    let mut scanners: BTreeMap<&'static str, f32> = Category::ALL
        .into_iter()
        .map(|category| (scanner(category), -1.0))
        .collect();
    scanners.retain(|name, _| !suppressed.iter().any(|other| other == name));
    let mut is_valid = !decision
        .gaps
        .iter()
        .any(|gap| !gap.shadow && gap.action > Verdict::Allow);
    for reason in &decision.reasons {
        if reason.shadow || reason.action == Verdict::Allow {
            continue;
        }
        // What was left out does not count.
        if let Some(risk) = scanners.get_mut(scanner(reason.evidence.category)) {
            is_valid = false;
            *risk = risk.max(reason.evidence.confidence);
        }
    }
    if suppressed.is_empty() {
        is_valid &= decision.enforced() == Verdict::Allow;
    }
    Scanned {
        is_valid,
        scanners,
        sanitized_prompt: None,
        sanitized_output: None,
    }
}

fn sanitized(api: &GuardApi, incoming: &Incoming, checked: &Checked) -> String {
    let mut redactor = api.service.redactor(&incoming.principal);
    checked.safe(&mut redactor).unwrap_or_default()
}
