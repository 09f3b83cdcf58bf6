//! When chunks were retrieved for a question, before a model sees them.

use axum::{
    extract::{Request, State},
    response::Response,
};
use bartizan_core::{Direction, Origin};
use bartizan_guard::{
    conversation::{Conversation, Format, Part, PartKind},
    prompt::{Envelope, NONCE_BYTES},
};
use bartizan_rag::{admission::Admission, integrity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    QUERY,
    shared::{ChunkBody, Ruling, Setting, apart, bounded, is_kept, report, seal_key},
};
use crate::{
    fault::{Fault, FaultKind},
    guard_api::{
        GuardApi,
        report::Report,
        request::{Incoming, Shape, parse, serve},
    },
};

/// A question and what was retrieved for it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "RAG query check")]
pub(in crate::guard_api) struct QueryRequest {
    /// The question, if it was not judged before.
    query: Option<String>,
    /// The chunks, best first.
    chunks: Vec<ChunkBody>,
}

/// What was seen, and what a model may be given.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::guard_api) struct Retrieved {
    /// What was seen: the chunks first, in order, then the question.
    report: Report,
    /// Whether the question may be asked.
    query_allowed: bool,
    /// What may be done with each chunk.
    chunks: Vec<Ruling>,
    /// The chunks that may be used, each between markers that no text can forge; empty if there are
    /// none.
    context: String,
    /// The sentences for the system prompt that say what the markers mean.
    instruction: String,
}

/// Answers it.
pub(in crate::guard_api) async fn query(State(api): State<GuardApi>, request: Request) -> Response {
    serve(api, request, Shape::Own, checked).await
}

async fn checked(api: GuardApi, incoming: Incoming) -> Result<Retrieved, Fault> {
    let asked: QueryRequest = parse(&incoming.body)?;
    let asked_chunks = bounded(asked.chunks, api.config.max_batch, "chunks")?;
    let started = api.clock.nanos();
    let setting = Setting::of(&api, &incoming, QUERY, Direction::Input)?;
    let (chunks, seals): (Vec<_>, Vec<_>) = asked_chunks.into_iter().map(ChunkBody::chunk).unzip();
    let key = seal_key(&api);
    let requires_seal = api.rag.require_seal && key.is_some();
    let clock = std::sync::Arc::clone(&api.clock);
    let (chunks, mut look) = apart({
        let setting = setting.clone();
        move || {
            let admission = Admission::new(setting.judge.clone(), setting.sources.clone());
            let nanos = || clock.nanos();
            let mut look =
                setting.with(|cx| admission.chunks(&chunks, setting.tenant(), &nanos, cx));
            if let Some(query) = asked.query {
                let part = Part::new("query", Origin::User, PartKind::Text, query);
                let question = Conversation {
                    format: Format::Generic,
                    parts: vec![part],
                };
                let seen = setting.with(|cx| setting.judge.look(&question, None, &nanos, cx));
                look.judgement.parts.extend(seen);
                look.conversation.parts.extend(question.parts);
            }
            (chunks, look)
        }
    })
    .await?;
    if let Some(key) = &key {
        let stored = chunks.iter().cloned().map(|mut chunk| {
            chunk.vector = None;
            chunk
        });
        for ((chunk, seal), part) in stored.zip(&seals).zip(&mut look.judgement.parts) {
            let broken = key
                .broken_seal(&chunk, seal.as_deref())
                .filter(|_| requires_seal || seal.is_some());
            integrity::report(broken, "rag-seal", &mut part.inspection.report);
        }
    }
    let judgement = setting.with(|cx| setting.judge.decide(look.judgement.parts, cx));
    let (report, checked) = report(
        &api,
        &incoming,
        &setting,
        look.conversation,
        judgement,
        started,
    );
    let envelope = Envelope::new(nonce()?);
    let mut redactor = api.service.redactor(&incoming.principal).without_tokens();
    let mut context = String::new();
    let mut rulings = Vec::with_capacity(chunks.len());
    for (part, chunk) in chunks.iter().enumerate() {
        let keep = is_kept(&checked.judgement, part);
        let text = keep.then(|| {
            let safe = checked
                .judgement
                .safe_text(part, chunk.text.as_bytes(), &mut redactor);
            String::from_utf8_lossy(&safe).into_owned()
        });
        if let Some(text) = &text {
            let numbered = format!("[{}] {text}", part + 1);
            let wrapped = envelope
                .wrap(&numbered, Origin::Retrieved)
                .map_err(|error| Fault::new(FaultKind::Internal, "internal", error.to_string()))?;
            context.push_str(&wrapped);
            context.push('\n');
        }
        rulings.push(Ruling {
            id: chunk.id.clone(),
            keep,
            text,
            seal: None,
        });
    }
    let question = chunks.len();
    Ok(Retrieved {
        report,
        query_allowed: is_kept(&checked.judgement, question),
        chunks: rulings,
        context,
        instruction: format!(
            "{} Answer from that data only, and cite it by its number, as in [1]. If it does not \
             answer the question, say: {}",
            envelope.instruction(),
            api.rag.grounding.fallback
        ),
    })
}

fn nonce() -> Result<[u8; NONCE_BYTES], Fault> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce)
        .map_err(|_| Fault::new(FaultKind::Internal, "internal", "no random bytes"))?;
    Ok(nonce)
}
