//! When a model answered, before a person sees it.

use axum::{
    extract::{Request, State},
    response::Response,
};
use bartizan_core::{Direction, Origin};
use bartizan_guard::conversation::{Conversation, Format, Part, PartKind};
use bartizan_rag::grounding::{Evidence, Grounding, Unsupported};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ANSWER,
    shared::{Setting, apart, is_kept, report},
};
use crate::{
    fault::Fault,
    guard_api::{
        GuardApi,
        report::Report,
        request::{Incoming, Shape, parse, serve, unprocessable},
    },
};

/// An answer and the evidence that it was made from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "RAG answer check")]
pub(in crate::guard_api) struct AnswerRequest {
    /// What the model said.
    answer: String,
    /// The chunks that it was given, in the order of their numbers.
    evidence: Vec<EvidenceBody>,
}

/// A piece of evidence.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EvidenceBody {
    /// The chunk's id.
    id: String,
    /// What it says.
    text: String,
}

/// What was seen, and what may be shown.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::guard_api) struct Answered {
    /// What was seen.
    report: Report,
    /// Whether the answer rests on its evidence.
    grounded: bool,
    /// Share of the claims that hold, from 0 to 1.
    score: f32,
    /// Its claims, in order.
    claims: Vec<ClaimBody>,
    /// Its citations, in order.
    citations: Vec<CitationBody>,
    /// What to show: the answer without citations of nothing and without personal data, or the
    /// fallback where it is not grounded or is refused.
    text: String,
    /// Whether `text` is the fallback, so that a person should look at the question.
    fallback: bool,
}

/// A sentence of the answer.
#[derive(Debug, Serialize, JsonSchema)]
struct ClaimBody {
    /// First byte of the answer.
    start: usize,
    /// One past the last byte.
    end: usize,
    /// The id of the evidence that has most of it.
    evidence: Option<String>,
    /// Share of its words in one passage of that evidence, from 0 to 1.
    overlap: f32,
    /// What does not hold: `number`, `name`, `words`, or `denial`; empty where everything does.
    unsupported: Vec<&'static str>,
}

/// A citation.
#[derive(Debug, Serialize, JsonSchema)]
struct CitationBody {
    /// First byte of the answer.
    start: usize,
    /// One past the last byte.
    end: usize,
    /// The id of the evidence; `null` if there is none.
    evidence: Option<String>,
}

/// Answers it.
pub(in crate::guard_api) async fn answer(
    State(api): State<GuardApi>,
    request: Request,
) -> Response {
    serve(api, request, Shape::Own, checked).await
}

async fn checked(api: GuardApi, incoming: Incoming) -> Result<Answered, Fault> {
    let asked: AnswerRequest = parse(&incoming.body)?;
    let most = api.config.max_batch;
    if asked.evidence.len() > most {
        let message = format!("`evidence` may have at most {most} entries");
        return Err(unprocessable("batch-size", message).about("evidence"));
    }
    let started = api.clock.nanos();
    let setting = Setting::of(&api, &incoming, ANSWER, Direction::Output)?;
    let clock = std::sync::Arc::clone(&api.clock);
    let (asked, grounding, conversation, judgement) = apart({
        let (setting, rag) = (setting.clone(), std::sync::Arc::clone(&api.rag));
        move || {
            let pieces = asked.evidence.iter().map(|piece| Evidence {
                id: &piece.id,
                text: &piece.text,
            });
            let pieces: Vec<Evidence<'_>> = pieces.collect();
            let grounding = Grounding::of(&asked.answer, &pieces, &rag.grounding);
            let part = Part::new(
                "answer",
                Origin::Model,
                PartKind::Text,
                asked.answer.clone(),
            );
            let conversation = Conversation {
                format: Format::Answer,
                parts: vec![part],
            };
            let nanos = || clock.nanos();
            let mut parts = setting.with(|cx| setting.judge.look(&conversation, None, &nanos, cx));
            if let Some(part) = parts.first_mut() {
                grounding.report(&mut part.inspection.report);
            }
            let judgement = setting.with(|cx| setting.judge.decide(parts, cx));
            (asked, grounding, conversation, judgement)
        }
    })
    .await?;
    let (report, checked) = report(&api, &incoming, &setting, conversation, judgement, started);
    let grounded = grounding.is_grounded(&api.rag.grounding);
    // Claims alone are a matter of grounding, which is answered by the fallback.
    let kept = is_kept(&checked.judgement, 0);
    let mut redactor = api.service.redactor(&incoming.principal).without_tokens();
    let strips_only = grounding.claims.iter().all(|claim| claim.is_supported());
    let stripped = grounding.stripped(&asked.answer);
    let text = if kept && grounded {
        checked.safe_part(0, &mut redactor)
    } else if strips_only && !grounding.claims.is_empty() && is_only_citations(&checked) {
        // Nothing is wrong but citations, and those are gone.
        Some(stripped)
    } else {
        None
    };
    let id = |number: usize| asked.evidence.get(number).map(|piece| piece.id.clone());
    Ok(Answered {
        report,
        grounded,
        score: grounding.score(),
        claims: grounding
            .claims
            .iter()
            .map(|claim| ClaimBody {
                start: claim.range.start,
                end: claim.range.end,
                evidence: claim.evidence.and_then(id),
                overlap: claim.overlap,
                unsupported: claim
                    .unsupported
                    .iter()
                    .map(|(why, _)| name(*why))
                    .collect(),
            })
            .collect(),
        citations: grounding
            .citations
            .iter()
            .map(|citation| CitationBody {
                start: citation.range.start,
                end: citation.range.end,
                evidence: citation.evidence.and_then(id),
            })
            .collect(),
        fallback: text.is_none(),
        text: text.unwrap_or_else(|| api.rag.grounding.fallback.clone()),
    })
}

/// Whether nothing in the answer is acted on but its citations.
fn is_only_citations(checked: &crate::guard_api::engine::Checked) -> bool {
    let judgement = &checked.judgement;
    judgement.is_complete()
        && judgement
            .reasons(0)
            .filter(|reason| reason.action > bartizan_core::Verdict::Allow && !reason.shadow)
            .all(|reason| reason.evidence.rule == "grounding.unresolved-citation")
}

const fn name(why: Unsupported) -> &'static str {
    match why {
        Unsupported::Number => "number",
        Unsupported::Name => "name",
        Unsupported::Words => "words",
        Unsupported::Denial => "denial",
    }
}
