use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bartizan_core::{Layer, Verdict};
use opentelemetry::{
    InstrumentationScope, KeyValue,
    trace::{
        Event as SpanEvent, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
    },
};
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{SpanData, SpanEvents, SpanExporter as _, SpanLinks},
};
use tokio::sync::mpsc;

use super::{TraceContext, TracesConfig};
use crate::{
    endpoint::Endpoint,
    record::{Event, Interaction, Outcome, RuleHit, Side, What},
};

/// Spans of requests on their way to a collector, in the words of OpenTelemetry's GenAI conventions
/// at version [`CONVENTIONS`], with verdicts in the namespace `bartizan.guard`; no content.
///
/// Spans are made from the record's events when a request has ended. Those that a slow collector
/// leaves no room for are dropped and counted.
#[derive(Clone, Debug)]
pub struct Traces {
    queue: mpsc::Sender<Vec<SpanData>>,
    dropped: Arc<AtomicU64>,
    sample_ratio: f64,
    scope: InstrumentationScope,
}

/// The version of the semantic conventions.
pub const CONVENTIONS: &str = "https://opentelemetry.io/schemas/1.41.1";

/// Requests whose spans wait for the collector.
const QUEUE: usize = 2_048;

/// Most requests in one export.
const BATCH: usize = 128;

/// How long spans wait for company.
const LINGER: Duration = Duration::from_millis(500);

/// Spans cannot be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TracesError {
    /// No trusted certificate authorities.
    #[error("the certificate authorities of this machine cannot be read")]
    Authorities,
    /// The exporter refuses its settings.
    #[error("spans cannot be sent to the configured collector")]
    Exporter,
}

/// When a request's upstream was busy, in microseconds since the request's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UpstreamTime {
    /// When the request left.
    pub start_us: u64,
    /// When the answer's last byte came.
    pub end_us: u64,
}

impl Traces {
    /// Begins to export as configured, on the current runtime.
    ///
    /// # Errors
    /// When the settings cannot be used; whether the collector is there shows later.
    pub fn start(config: &TracesConfig, version: &'static str) -> Result<Self, TracesError> {
        let timeout = Duration::from_millis(config.timeout_ms.into());
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(provider)
            .map_err(|_| TracesError::Authorities)?
            .https_or_http()
            .enable_http1()
            .build();
        let headers: HashMap<String, String> = config.headers.0.clone().into_iter().collect();
        let mut exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(HyperClient::new(connector, timeout, None))
            .with_headers(headers)
            .with_endpoint(config.endpoint.as_str())
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(timeout)
            .build()
            .map_err(|_| TracesError::Exporter)?;
        let resource = Resource::builder_empty()
            .with_attributes([
                KeyValue::new("service.name", config.service_name.clone()),
                KeyValue::new("service.version", version),
            ])
            .with_schema_url([], CONVENTIONS)
            .build();
        exporter.set_resource(&resource);
        let (queue, waiting) = mpsc::channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        tokio::spawn(export(exporter, waiting, Arc::clone(&dropped)));
        Ok(Self {
            queue,
            dropped,
            sample_ratio: config.sample_ratio,
            scope: InstrumentationScope::builder("bartizan")
                .with_version(version)
                .with_schema_url(CONVENTIONS)
                .build(),
        })
    }

    /// Share of requests that are traced.
    #[must_use]
    pub const fn sample_ratio(&self) -> f64 {
        self.sample_ratio
    }

    /// Requests whose spans were dropped.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Exports the spans of a request that has ended with `event`.
    pub fn finish(&self, context: &TraceContext, event: &Event, upstream: Option<UpstreamTime>) {
        if !context.sampled {
            return;
        }
        let What::LlmInteraction(interaction) = &event.what else {
            return;
        };
        let spans = Spans {
            scope: &self.scope,
            context,
            start: at(event.timestamp.0)
                .checked_sub(Duration::from_micros(interaction.latency_us))
                .unwrap_or(UNIX_EPOCH),
        };
        let spans = spans.of(event, interaction, upstream);
        if self.queue.try_send(spans).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn export(
    exporter: SpanExporter,
    mut waiting: mpsc::Receiver<Vec<SpanData>>,
    dropped: Arc<AtomicU64>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut lost = false;
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        if batch.len() < BATCH && !waiting.is_closed() {
            let more = BATCH - batch.len();
            tokio::time::sleep(LINGER).await;
            for _ in 0..more {
                let Ok(spans) = waiting.try_recv() else { break };
                batch.push(spans);
            }
        }
        let requests = batch.len() as u64;
        let failed = exporter.export(batch.drain(..).flatten().collect()).await;
        if failed.is_err() {
            dropped.fetch_add(requests, Ordering::Relaxed);
        }
        // Once, not at every batch.
        if failed.is_err() && !lost {
            tracing::warn!("the collector takes no spans");
        }
        lost = failed.is_err();
    }
}

/// Makes the spans of one request.
struct Spans<'a> {
    scope: &'a InstrumentationScope,
    context: &'a TraceContext,
    start: SystemTime,
}

fn at(unix_ms: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(unix_ms)
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl Spans<'_> {
    fn of(
        &self,
        event: &Event,
        interaction: &Interaction,
        upstream: Option<UpstreamTime>,
    ) -> Vec<SpanData> {
        let end = self.start + Duration::from_micros(interaction.latency_us);
        let endpoint = interaction.endpoint.as_str();
        let operation = Endpoint::ALL
            .into_iter()
            .find(|known| known.path() == endpoint)
            .map_or("guard", Endpoint::operation);
        let model = interaction.model.to_string();
        let usage = [
            KeyValue::new("gen_ai.operation.name", operation),
            KeyValue::new("gen_ai.request.model", model.clone()),
            KeyValue::new(
                "gen_ai.usage.input_tokens",
                number(interaction.prompt_tokens),
            ),
            KeyValue::new(
                "gen_ai.usage.output_tokens",
                number(interaction.completion_tokens),
            ),
        ];
        let name = format!("{operation} {model}");

        let mut root = self.span(name.clone(), self.context.span_id, self.start, end);
        root.parent_span_id = SpanId::from_bytes(self.context.parent.unwrap_or_default());
        root.parent_span_is_remote = self.context.parent.is_some();
        root.span_kind = SpanKind::Server;
        root.attributes.extend(usage.iter().cloned());
        root.attributes.extend([
            KeyValue::new("gen_ai.request.stream", interaction.stream),
            KeyValue::new("http.route", endpoint.to_owned()),
            KeyValue::new("http.response.status_code", i64::from(interaction.status)),
            KeyValue::new("bartizan.guard.decision", interaction.decision.as_str()),
            KeyValue::new("bartizan.guard.outcome", interaction.outcome.as_str()),
            KeyValue::new("bartizan.guard.filtered", interaction.was_filtered),
            KeyValue::new(
                "bartizan.guard.policy_version",
                interaction.policy_version.to_string(),
            ),
            KeyValue::new(
                "bartizan.guard.overhead_us",
                number(interaction.overhead_us),
            ),
        ]);
        if let Some(id) = event.request_id {
            let id = KeyValue::new("bartizan.request_id", id.to_string());
            root.attributes.push(id);
        }
        if let Some(first) = interaction.first_byte_us {
            let seconds = first as f64 / 1e6;
            let name = "gen_ai.response.time_to_first_chunk";
            root.attributes.push(KeyValue::new(name, seconds));
        }
        if is_failure(interaction.outcome) {
            let kind = interaction.outcome.as_str();
            root.attributes.push(KeyValue::new("error.type", kind));
            root.status = Status::error("");
        }
        let mut spans = Vec::new();
        let mut results = Vec::new();
        let begin = self.start;
        self.side("input", &interaction.input, begin, &mut spans);
        results.extend(
            interaction
                .input
                .rules
                .iter()
                .map(|hit| result("input", hit, end)),
        );
        if let Some(output) = &interaction.output {
            let took: u64 = output.layer_ns.iter().map(|(_, nanos)| nanos).sum();
            let begin = end.checked_sub(Duration::from_nanos(took)).unwrap_or(end);
            self.side("output", output, begin, &mut spans);
            results.extend(output.rules.iter().map(|hit| result("output", hit, end)));
        }
        root.events = SpanEvents::default();
        root.events.events = results;

        if let Some(time) = upstream {
            let from = self.start + Duration::from_micros(time.start_us);
            let until = self.start + Duration::from_micros(time.end_us.max(time.start_us));
            let mut span = self.span(name, self.context.upstream_span_id, from, until);
            span.span_kind = SpanKind::Client;
            span.attributes.extend(usage);
            span.attributes.extend([
                KeyValue::new(
                    "gen_ai.response.model",
                    interaction.model_version.to_string(),
                ),
                KeyValue::new("bartizan.upstream", interaction.upstream.to_string()),
            ]);
            spans.push(span);
        }
        spans.push(root);
        spans
    }

    /// One span per layer, laid out one after the other: how long each took is known, not when it
    /// began.
    fn side(&self, way: &'static str, side: &Side, mut begin: SystemTime, out: &mut Vec<SpanData>) {
        for (place, (layer, nanos)) in side.layer_ns.iter().enumerate() {
            let end = begin + Duration::from_nanos(nanos);
            let id = child_id(self.context.span_id, way, place);
            let mut span = self.span(format!("bartizan.guard.{layer}"), id, begin, end);
            let verdict = verdict(side, layer);
            span.attributes.extend([
                KeyValue::new("bartizan.guard.layer", layer.as_str()),
                KeyValue::new("bartizan.guard.direction", way),
                KeyValue::new("bartizan.guard.verdict", verdict.as_str()),
            ]);
            out.push(span);
            begin = end;
        }
    }

    fn span(&self, name: String, id: [u8; 8], start: SystemTime, end: SystemTime) -> SpanData {
        SpanData {
            span_context: SpanContext::new(
                TraceId::from_bytes(self.context.trace_id),
                SpanId::from_bytes(id),
                TraceFlags::SAMPLED,
                false,
                TraceState::default(),
            ),
            parent_span_id: SpanId::from_bytes(self.context.span_id),
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: name.into(),
            start_time: start,
            end_time: end,
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: self.scope.clone(),
        }
    }
}

/// What the findings of one layer led to.
fn verdict(side: &Side, layer: Layer) -> Verdict {
    side.rules
        .iter()
        .filter(|hit| hit.layer == layer && !hit.shadow)
        .map(|hit| hit.action)
        .max()
        .unwrap_or_default()
}

/// The event that the conventions have for scores.
fn result(way: &'static str, hit: &RuleHit, when: SystemTime) -> SpanEvent {
    let attributes = vec![
        KeyValue::new("gen_ai.evaluation.name", hit.rule.to_string()),
        KeyValue::new("gen_ai.evaluation.score.value", f64::from(hit.confidence)),
        KeyValue::new("gen_ai.evaluation.score.label", hit.action.as_str()),
        KeyValue::new("bartizan.guard.category", hit.category.as_str()),
        KeyValue::new("bartizan.guard.severity", hit.severity.as_str()),
        KeyValue::new("bartizan.guard.direction", way),
        KeyValue::new("bartizan.guard.count", i64::from(hit.count)),
        KeyValue::new("bartizan.guard.shadow", hit.shadow),
    ];
    SpanEvent::new("gen_ai.evaluation.result", when, attributes, 0)
}

const fn is_failure(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::UpstreamFailed | Outcome::Failed)
}

/// An id for a span below the one of that id: different for every direction and place.
fn child_id(parent: [u8; 8], way: &str, place: usize) -> [u8; 8] {
    let place = place as u64 * 2 + u64::from(way == "output") + 1;
    // An odd factor: different places give different ids.
    (u64::from_be_bytes(parent) ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_be_bytes()
}
