//! Before a document or chunks are stored.

use axum::{
    extract::{Request, State},
    response::Response,
};
use bartizan_core::Direction;
use bartizan_rag::{
    admission::Admission,
    document::{Kind, Limits, Sanitised, sanitise},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    INGEST,
    shared::{ChunkBody, Ruling, Setting, apart, bounded, is_kept, report, seal_key},
};
use crate::{
    fault::{Fault, FaultKind},
    guard_api::{
        GuardApi,
        report::Report,
        request::{Incoming, Shape, parse, serve, unprocessable},
    },
};

/// A document or chunks to be stored: exactly one of the two.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "RAG ingest check")]
pub(in crate::guard_api) struct IngestRequest {
    /// A document as it was fetched.
    document: Option<DocumentBody>,
    /// Chunks of text.
    chunks: Option<Vec<ChunkBody>>,
}

/// A document: exactly one of `text` and `base64`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct DocumentBody {
    /// Its text, for pages, Markdown, mail, and plain text.
    text: Option<String>,
    /// Its bytes in Base64, for every kind.
    base64: Option<String>,
    /// Its file name, for its ending.
    name: String,
    /// `text`, `html`, `markdown`, `mail`, `docx`, or `pdf`; told from the content if left out.
    kind: Option<String>,
    /// The address that it was fetched from.
    source: Option<String>,
    /// Its day, `YYYY-MM-DD`.
    date: Option<String>,
}

/// What was seen, and what may be stored.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::guard_api) struct Ingested {
    /// What was seen: the visible text is the first part, each way of hiding one more.
    report: Report,
    /// Whether the document, or every chunk, may be stored.
    admitted: bool,
    /// The text to store: what a reader sees, with personal data and secrets replaced. Absent where
    /// the document is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// What the document hides, without what it says.
    hidden: Vec<HiddenBody>,
    /// What may be done with each chunk.
    chunks: Vec<Ruling>,
}

/// A passage that no reader sees.
#[derive(Debug, Serialize, JsonSchema)]
struct HiddenBody {
    /// How it is hidden, e.g. `colour`.
    hiding: &'static str,
    /// The part of the document, e.g. `word/document.xml`; empty for a document of one part.
    part: String,
    /// First byte in the part, where the format has places.
    start: Option<u64>,
    /// One past the last byte.
    end: Option<u64>,
    /// Its length in bytes.
    bytes: usize,
}

/// Answers it.
pub(in crate::guard_api) async fn ingest(
    State(api): State<GuardApi>,
    request: Request,
) -> Response {
    serve(api, request, Shape::Own, checked).await
}

async fn checked(api: GuardApi, incoming: Incoming) -> Result<Ingested, Fault> {
    let asked: IngestRequest = parse(&incoming.body)?;
    match (asked.document, asked.chunks) {
        (Some(document), None) => self::document(&api, &incoming, document).await,
        (None, Some(chunks)) => self::chunks(&api, &incoming, chunks).await,
        _ => Err(unprocessable(
            "ambiguous-input",
            "give exactly one of `document` and `chunks`",
        )),
    }
}

async fn document(
    api: &GuardApi,
    incoming: &Incoming,
    asked: DocumentBody,
) -> Result<Ingested, Fault> {
    let bytes = match (asked.text, asked.base64) {
        (Some(text), None) => text.into_bytes(),
        (None, Some(text)) => BASE64_STANDARD
            .decode(text)
            .map_err(|_| unprocessable("invalid-field", "not Base64").about("base64"))?,
        _ => {
            let message = "give exactly one of `text` and `base64`";
            return Err(unprocessable("ambiguous-input", message).about("document"));
        }
    };
    let kind = match asked.kind {
        Some(name) => name
            .parse::<Kind>()
            .map_err(|_| unprocessable("invalid-field", "no kind of document").about("kind"))?,
        None => Kind::sniff(&bytes, &asked.name).ok_or_else(|| {
            let message = "the document is of no kind that can be read";
            unprocessable("unknown-kind", message).about("document")
        })?,
    };
    let limits = Limits {
        max_bytes: api.rag.max_document_bytes,
        max_expanded_bytes: api.rag.max_expanded_bytes,
        ..Limits::default()
    };
    let started = api.clock.nanos();
    let setting = Setting::of(api, incoming, INGEST, Direction::Input)?;
    let clock = std::sync::Arc::clone(&api.clock);
    let (document, look) = apart({
        let setting = setting.clone();
        move || {
            let document = sanitise(&bytes, kind, &limits)?;
            let admission = Admission::new(setting.judge.clone(), setting.sources.clone());
            let look = setting.with(|cx| {
                let nanos = || clock.nanos();
                let source = asked.source.as_deref();
                admission.document(&document, source, asked.date.as_deref(), &nanos, cx)
            });
            Ok::<_, bartizan_rag::document::SanitiseError>((document, look))
        }
    })
    .await?
    .map_err(|error| {
        Fault::new(
            FaultKind::Unprocessable,
            "unreadable-document",
            error.to_string(),
        )
    })?;
    let kept = (0..look.judgement.parts.len()).all(|part| is_kept(&look.judgement, part));
    let (report, checked) = report(
        api,
        incoming,
        &setting,
        look.conversation,
        look.judgement,
        started,
    );
    let mut redactor = api.service.redactor(&incoming.principal).without_tokens();
    let text = kept.then(|| checked.safe_part(0, &mut redactor)).flatten();
    Ok(Ingested {
        report,
        admitted: text.is_some(),
        text,
        hidden: hidden(&document),
        chunks: Vec::new(),
    })
}

fn hidden(document: &Sanitised) -> Vec<HiddenBody> {
    let passages = document.hidden.iter().take(1000);
    passages
        .map(|passage| HiddenBody {
            hiding: passage.hiding.as_str(),
            part: document
                .parts
                .get(passage.place.part)
                .cloned()
                .unwrap_or_default(),
            start: passage.place.span.map(|span| span.start()),
            end: passage.place.span.map(|span| span.end()),
            bytes: passage.text.len(),
        })
        .collect()
}

async fn chunks(
    api: &GuardApi,
    incoming: &Incoming,
    asked: Vec<ChunkBody>,
) -> Result<Ingested, Fault> {
    let asked = bounded(asked, api.config.max_batch, "chunks")?;
    let started = api.clock.nanos();
    let setting = Setting::of(api, incoming, INGEST, Direction::Input)?;
    let mut chunks: Vec<_> = asked.into_iter().map(|chunk| chunk.chunk().0).collect();
    // What a client stores is its own, whatever it says.
    for chunk in &mut chunks {
        if chunk.tenant.is_none() {
            chunk.tenant = setting.tenant().map(str::to_owned);
        }
    }
    let clock = std::sync::Arc::clone(&api.clock);
    let (mut chunks, look) = apart({
        let setting = setting.clone();
        move || {
            let admission = Admission::new(setting.judge.clone(), setting.sources.clone());
            let nanos = || clock.nanos();
            let look = setting.with(|cx| admission.chunks(&chunks, setting.tenant(), &nanos, cx));
            (chunks, look)
        }
    })
    .await?;
    let (report, checked) = report(
        api,
        incoming,
        &setting,
        look.conversation,
        look.judgement,
        started,
    );
    let key = seal_key(api);
    let mut redactor = api.service.redactor(&incoming.principal).without_tokens();
    let mut rulings = Vec::with_capacity(chunks.len());
    for (part, chunk) in chunks.iter_mut().enumerate() {
        let keep = is_kept(&checked.judgement, part);
        let text = keep.then(|| {
            let safe = checked
                .judgement
                .safe_text(part, chunk.text.as_bytes(), &mut redactor);
            String::from_utf8_lossy(&safe).into_owned()
        });
        // The embedding is made of the text that is stored, so the seal is over that text alone.
        let seal = text.as_ref().and_then(|text| {
            chunk.text.clone_from(text);
            chunk.vector = None;
            key.as_ref().map(|key| key.seal(chunk))
        });
        rulings.push(Ruling {
            id: chunk.id.clone(),
            keep,
            text,
            seal,
        });
    }
    Ok(Ingested {
        report,
        admitted: rulings.iter().all(|ruling| ruling.keep),
        text: None,
        hidden: Vec::new(),
        chunks: rulings,
    })
}
