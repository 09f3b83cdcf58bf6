use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use bartizan_core::{Category, Direction, Layer, Severity, Verdict};
use parking_lot::RwLock;
use schemars::JsonSchema;
use serde::Serialize;

use super::series::{COARSE, Counter, FINE, Histogram, Page, Table};
use crate::{
    endpoint::Endpoint,
    record::{
        Event, FeedbackLabel, FeedbackRates, Interaction, Label, Observe, Outcome, SinkState, What,
    },
};

/// Every number that the gateway shows, of fixed size however long it runs.
///
/// Counts what the record is told, see [`Observe`], so that both say the same.
#[derive(Debug)]
pub struct Metrics {
    version: &'static str,
    models: RwLock<HashMap<Arc<str>, Arc<ModelSeries>>>,
    other_models: ModelSeries,
    upstreams: RwLock<BTreeMap<Arc<str>, u8>>,
    upstream_changes: Table<Label2>,
    outcomes: [Counter; Outcome::ALL.len()],
    request: [Histogram; ENDPOINTS],
    overhead: Histogram,
    first_byte: Histogram,
    layers: [Histogram; Layer::ALL.len()],
    findings: [[Counter; Severity::ALL.len()]; Category::ALL.len()],
    acted: [[Counter; Verdict::ALL.len()]; 2],
    attempts: [Counter; 2],
    leaks: [[Counter; 2]; Category::ALL.len()],
    redactions: [Counter; 2],
    canaries: Counter,
    incomplete: [Counter; Layer::ALL.len()],
    auth_failures: Table<Label2>,
    limit_hits: Table<Label2>,
    suspicions: Table<Label2>,
    reviews: Table<Label2>,
    review_wait: Histogram,
    held: AtomicI64,
    feedback: [Counter; FeedbackLabel::ALL.len()],
    ml_events: Table<Label2>,
    config_changes: Table<Label2>,
    keys: Table<Label2>,
    abandoned: Counter,
    lost: Counter,
    in_flight: AtomicI64,
    queued: AtomicI64,
    backlog: AtomicU64,
    store_up: AtomicU64,
    record_ready: AtomicU64,
    content_dropped: AtomicU64,
    sinks: OnceLock<Vec<Arc<SinkState>>>,
}

/// What is counted per model.
#[derive(Debug, Default)]
struct ModelSeries {
    /// By endpoint, status, and decision.
    requests: Table<(u8, u16, u8)>,
    prompt_tokens: Counter,
    completion_tokens: Counter,
    /// In millionths of a US dollar.
    cost: Counter,
}

/// Two labels of the program's own words.
type Label2 = (String, String);

/// The routes that are told apart: those of models, then ours, then the rest.
const ENDPOINTS: usize = Endpoint::ALL.len() + OWN_ROUTES.len() + 1;

const OWN_ROUTES: [&str; 11] = [
    "/v1/guard/check",
    "/analyze",
    "/anonymize",
    "/v2/guard",
    "/contentsafety/text:shieldPrompt",
    "/predict",
    "/v2/models/{model}/infer",
    "/beta/litellm_basic_guardrail_api",
    "/v1/rag/ingest-check",
    "/v1/rag/query-check",
    "/v1/rag/answer-check",
];

/// Most models and upstreams that are told apart.
const MAX_NAMES: usize = 256;

fn endpoint_number(path: &str) -> usize {
    Endpoint::ALL
        .iter()
        .map(|endpoint| endpoint.path())
        .chain(OWN_ROUTES)
        .position(|known| known == path)
        .unwrap_or(ENDPOINTS - 1)
}

fn endpoint_name(number: usize) -> &'static str {
    Endpoint::ALL
        .iter()
        .map(|endpoint| endpoint.path())
        .chain(OWN_ROUTES)
        .nth(number)
        .unwrap_or("other")
}

/// What a security team counts, see `IF-18`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SecuritySummary {
    /// Events of every type.
    pub total_events: u64,
    /// By type.
    pub by_type: BTreeMap<String, u64>,
    /// By severity.
    pub by_severity: BTreeMap<String, u64>,
}

/// A request that is being served; ends when it is dropped.
#[derive(Debug)]
pub struct InFlight(Arc<Metrics>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    /// Metrics of the program of that version, at zero.
    #[must_use]
    pub fn new(version: &'static str) -> Self {
        Self {
            version,
            models: RwLock::default(),
            other_models: ModelSeries::default(),
            upstreams: RwLock::default(),
            upstream_changes: Table::default(),
            outcomes: Default::default(),
            request: std::array::from_fn(|_| Histogram::new(COARSE)),
            overhead: Histogram::new(FINE),
            first_byte: Histogram::new(COARSE),
            layers: std::array::from_fn(|_| Histogram::new(FINE)),
            findings: Default::default(),
            acted: Default::default(),
            attempts: Default::default(),
            leaks: Default::default(),
            redactions: Default::default(),
            canaries: Counter::default(),
            incomplete: Default::default(),
            auth_failures: Table::default(),
            limit_hits: Table::default(),
            suspicions: Table::default(),
            reviews: Table::default(),
            review_wait: Histogram::new(COARSE),
            held: AtomicI64::new(0),
            feedback: Default::default(),
            ml_events: Table::default(),
            config_changes: Table::default(),
            keys: Table::default(),
            abandoned: Counter::default(),
            lost: Counter::default(),
            in_flight: AtomicI64::new(0),
            queued: AtomicI64::new(0),
            backlog: AtomicU64::new(0),
            store_up: AtomicU64::new(1),
            record_ready: AtomicU64::new(1),
            content_dropped: AtomicU64::new(0),
            sinks: OnceLock::new(),
        }
    }

    /// Tells models and upstreams of the configuration apart from now on; all others count as
    /// `other`. What was counted stays.
    pub fn configured<'n>(
        &self,
        models: impl IntoIterator<Item = &'n str>,
        upstreams: impl IntoIterator<Item = &'n str>,
    ) {
        let mut known = self.models.write();
        for model in models {
            if known.len() < MAX_NAMES {
                known.entry(model.into()).or_default();
            }
        }
        let mut known = self.upstreams.write();
        for upstream in upstreams {
            if known.len() < MAX_NAMES {
                known.entry(upstream.into()).or_insert(0);
            }
        }
    }

    /// Counts a request as being served until the result is dropped.
    #[must_use]
    pub fn in_flight(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(self))
    }

    /// Requests that wait for a place.
    pub fn set_queued(&self, waiting: usize) {
        let waiting = i64::try_from(waiting).unwrap_or(i64::MAX);
        self.queued.store(waiting, Ordering::Relaxed);
    }

    /// How the record stands, asked before every scrape.
    pub fn set_record(&self, recorder: &crate::record::Recorder) {
        self.backlog.store(recorder.backlog(), Ordering::Relaxed);
        self.store_up
            .store(recorder.store_answers().into(), Ordering::Relaxed);
        self.record_ready
            .store(recorder.is_ready().into(), Ordering::Relaxed);
    }

    /// Contents that were to be kept and were not, asked before every scrape.
    pub fn set_content_dropped(&self, dropped: u64) {
        self.content_dropped.store(dropped, Ordering::Relaxed);
    }

    /// Shows how these sinks stand; those of the first call.
    pub fn set_sinks(&self, sinks: Vec<Arc<SinkState>>) {
        let _ = self.sinks.set(sinks);
    }

    /// Totals of security events since the start.
    #[must_use]
    pub fn security_summary(&self) -> SecuritySummary {
        let mut by_type = BTreeMap::new();
        let mut by_severity = BTreeMap::new();
        let mut add = |kind: &str, severity: Severity, count: u64| {
            if count > 0 {
                *by_type.entry(kind.to_owned()).or_default() += count;
                *by_severity.entry(severity.to_string()).or_default() += count;
            }
        };
        for (category, counters) in Category::ALL.iter().zip(&self.findings) {
            for (severity, counter) in Severity::ALL.iter().zip(counters) {
                add(category.as_str(), *severity, counter.get());
            }
        }
        for (kind, severity, table) in [
            ("auth_failure", Severity::Medium, &self.auth_failures),
            ("limit_hit", Severity::Low, &self.limit_hits),
            ("suspicion", Severity::Medium, &self.suspicions),
        ] {
            add(kind, severity, table.all().iter().map(|(_, n)| n).sum());
        }
        SecuritySummary {
            total_events: by_type.values().sum(),
            by_type,
            by_severity,
        }
    }

    /// How often the guard was wrong, as far as people said so since the start.
    #[must_use]
    pub fn feedback_rates(&self) -> FeedbackRates {
        FeedbackRates::of(|label| self.feedback.get(label as usize).map_or(0, Counter::get))
    }

    fn interaction(&self, event: &Interaction) {
        let endpoint = endpoint_number(event.endpoint.as_str());
        let key = (endpoint as u8, event.status, event.decision as u8);
        let known = self.models.read().get(event.model.as_str()).cloned();
        let model = known.as_deref().unwrap_or(&self.other_models);
        model.requests.add(key, 1);
        model.prompt_tokens.add(event.prompt_tokens);
        model.completion_tokens.add(event.completion_tokens);
        model.cost.add(event.cost.0);
        add(&self.outcomes, event.outcome as usize, 1);
        if let Some(histogram) = self.request.get(endpoint) {
            histogram.record(event.latency_us.saturating_mul(1_000));
        }
        self.overhead
            .record(event.overhead_us.saturating_mul(1_000));
        if let Some(first) = event.first_byte_us {
            self.first_byte.record(first.saturating_mul(1_000));
        }
        let sides = [
            (Direction::Input, Some(&event.input)),
            (Direction::Output, event.output.as_ref()),
        ];
        for (direction, side) in sides {
            let Some(side) = side else { continue };
            let way = direction as usize;
            for (layer, nanos) in side.layer_ns.iter() {
                if let Some(histogram) = self.layers.get(layer as usize) {
                    histogram.record(nanos);
                }
            }
            if side.rules.iter().any(|hit| hit.category.is_attack()) {
                add(&self.attempts, way, 1);
            }
            if side.enforced == Verdict::Redact {
                add(&self.redactions, way, 1);
            }
            for gap in &side.gaps {
                let layer = Layer::ALL
                    .iter()
                    .position(|l| l.as_str() == gap.layer.as_str());
                add(&self.incomplete, layer.unwrap_or_default(), 1);
            }
            for hit in &side.rules {
                let count = hit.count.into();
                if let Some(row) = self.findings.get(hit.category as usize) {
                    add(row, hit.severity as usize, count);
                }
                if let Some(row) = self.acted.get(way) {
                    add(row, hit.action as usize, count);
                }
                if direction == Direction::Output && is_leak(hit.category) {
                    let stopped = usize::from(hit.action > Verdict::Allow && !hit.shadow);
                    if let Some(row) = self.leaks.get(hit.category as usize) {
                        add(row, stopped, 1);
                    }
                }
                if hit.rule.as_str() == "leak.canary" {
                    self.canaries.add(1);
                }
            }
        }
    }

    /// The page that Prometheus scrapes.
    #[must_use]
    pub fn render(&self) -> String {
        let mut page = Page::default();
        self.render_requests(&mut page);
        self.render_guard(&mut page);
        self.render_people(&mut page);
        self.render_self(&mut page);
        page.into_text()
    }

    fn render_requests(&self, page: &mut Page) {
        let models = self.models.read();
        let mut models: Vec<(&str, &ModelSeries)> = models
            .iter()
            .map(|(name, series)| (&**name, &**series))
            .collect();
        models.sort_by_key(|(name, _)| *name);
        models.push(("other", &self.other_models));

        let name = "bartizan_requests_total";
        page.family(
            name,
            "counter",
            "Requests by route, model, status, and decision.",
        );
        for (model, series) in &models {
            for ((endpoint, status, decision), count) in series.requests.all() {
                let decision = Verdict::ALL.get(usize::from(decision)).copied();
                let labels = [
                    ("endpoint", endpoint_name(endpoint.into())),
                    ("model", model),
                    ("status", &status.to_string()),
                    ("decision", decision.unwrap_or_default().as_str()),
                ];
                page.sample(name, &labels, count);
            }
        }
        let name = "bartizan_tokens_total";
        page.family(name, "counter", "Tokens of prompts and answers.");
        for (model, series) in &models {
            let of = |kind| [("model", *model), ("kind", kind)];
            page.sample(name, &of("prompt"), series.prompt_tokens.get());
            page.sample(name, &of("completion"), series.completion_tokens.get());
        }
        let name = "bartizan_cost_usd_total";
        page.family(name, "counter", "Cost of tokens in US dollars.");
        for (model, series) in &models {
            let dollars = series.cost.get() as f64 / 1e6;
            page.sample(name, &[("model", *model)], dollars);
        }
        let name = "bartizan_outcomes_total";
        page.family(name, "counter", "Requests by how they ended.");
        for (outcome, counter) in Outcome::ALL.iter().zip(&self.outcomes) {
            page.sample(name, &[("outcome", outcome.as_str())], counter.get());
        }
        let name = "bartizan_request_seconds";
        page.family(name, "histogram", "From the first byte to the last.");
        for (number, histogram) in self.request.iter().enumerate() {
            page.histogram(name, &[("endpoint", endpoint_name(number))], histogram);
        }
        let name = "bartizan_overhead_seconds";
        page.family(name, "histogram", "What of it was the gateway's.");
        page.histogram(name, &[], &self.overhead);
        let name = "bartizan_first_byte_seconds";
        page.family(
            name,
            "histogram",
            "Until the first byte of a streamed answer.",
        );
        page.histogram(name, &[], &self.first_byte);
        let served = self.in_flight.load(Ordering::Relaxed);
        page.gauge(
            "bartizan_in_flight_requests",
            "Requests being served.",
            served,
        );
        let queued = self.queued.load(Ordering::Relaxed);
        page.gauge(
            "bartizan_queued_requests",
            "Requests that wait for a place.",
            queued,
        );
        let name = "bartizan_upstream_state";
        page.family(name, "gauge", "Breaker: 0 closed, 1 half-open, 2 open.");
        for (upstream, state) in &*self.upstreams.read() {
            page.sample(name, &[("upstream", upstream)], state);
        }
        let name = "bartizan_upstream_changes_total";
        let help = "Changes of breakers.";
        table(page, name, help, ["upstream", "to"], &self.upstream_changes);
    }

    fn render_guard(&self, page: &mut Page) {
        let name = "bartizan_layer_seconds";
        page.family(
            name,
            "histogram",
            "What each layer took per direction of a request.",
        );
        for (layer, histogram) in Layer::ALL.iter().zip(&self.layers) {
            page.histogram(name, &[("layer", layer.as_str())], histogram);
        }
        let name = "bartizan_findings_total";
        page.family(name, "counter", "Findings by kind of harm and severity.");
        for (category, counters) in Category::ALL.iter().zip(&self.findings) {
            for (severity, counter) in Severity::ALL.iter().zip(counters) {
                let labels = [
                    ("category", category.as_str()),
                    ("severity", severity.as_str()),
                ];
                page.sample(name, &labels, counter.get());
            }
        }
        let ways = [Direction::Input, Direction::Output].map(Direction::as_str);
        let name = "bartizan_findings_acted_total";
        page.family(
            name,
            "counter",
            "Findings by direction and what they led to.",
        );
        for (way, counters) in ways.iter().zip(&self.acted) {
            for (action, counter) in Verdict::ALL.iter().zip(counters) {
                let labels = [("direction", *way), ("action", action.as_str())];
                page.sample(name, &labels, counter.get());
            }
        }
        let name = "bartizan_injection_attempts_total";
        page.family(
            name,
            "counter",
            "Requests with an attack on the instructions.",
        );
        for (way, counter) in ways.iter().zip(&self.attempts) {
            page.sample(name, &[("direction", *way)], counter.get());
        }
        let name = "bartizan_leaks_total";
        page.family(name, "counter", "Answers with data that should not leave.");
        let leaky = Category::ALL.iter().zip(&self.leaks);
        for (category, counters) in leaky.filter(|(category, _)| is_leak(**category)) {
            for (stopped, counter) in ["false", "true"].iter().zip(counters) {
                let labels = [("category", category.as_str()), ("stopped", *stopped)];
                page.sample(name, &labels, counter.get());
            }
        }
        let name = "bartizan_redactions_total";
        page.family(name, "counter", "Texts that were edited.");
        for (way, counter) in ways.iter().zip(&self.redactions) {
            page.sample(name, &[("direction", *way)], counter.get());
        }
        let hits = self.canaries.get();
        page.counter("bartizan_canary_hits_total", "Canary tokens seen.", hits);
        let name = "bartizan_incomplete_total";
        page.family(name, "counter", "Checks that did not look at everything.");
        for (layer, counter) in Layer::ALL.iter().zip(&self.incomplete) {
            page.sample(name, &[("layer", layer.as_str())], counter.get());
        }
    }

    fn render_people(&self, page: &mut Page) {
        for (name, help, labels, of) in [
            (
                "bartizan_auth_failures_total",
                "Missing and bad credentials.",
                ["reason", "proof"],
                &self.auth_failures,
            ),
            (
                "bartizan_limit_hits_total",
                "Spent limits and budgets.",
                ["limit", "scope"],
                &self.limit_hits,
            ),
            (
                "bartizan_suspicions_total",
                "Suspicions that a model is being copied.",
                ["detector", "level"],
                &self.suspicions,
            ),
            (
                "bartizan_reviews_total",
                "Requests that were held for a person, and decisions.",
                ["action", "of"],
                &self.reviews,
            ),
            (
                "bartizan_ml_events_total",
                "Events of classical models.",
                ["event", "status"],
                &self.ml_events,
            ),
            (
                "bartizan_config_changes_total",
                "Changes of configuration, policy, and rules.",
                ["what", "accepted"],
                &self.config_changes,
            ),
            (
                "bartizan_key_changes_total",
                "Changes of keys.",
                ["action", "of"],
                &self.keys,
            ),
        ] {
            table(page, name, help, labels, of);
        }
        let held = self.held.load(Ordering::Relaxed).max(0);
        page.gauge(
            "bartizan_reviews_pending",
            "Requests that wait for a person.",
            held,
        );
        let name = "bartizan_review_wait_seconds";
        page.family(name, "histogram", "How long requests waited for a person.");
        page.histogram(name, &[], &self.review_wait);
        let name = "bartizan_feedback_total";
        page.family(name, "counter", "What people say of decisions.");
        for (label, counter) in FeedbackLabel::ALL.iter().zip(&self.feedback) {
            page.sample(name, &[("label", label.as_str())], counter.get());
        }
        let rate = self.feedback_rates().false_discovery;
        let name = "bartizan_false_positive_share";
        let help =
            "Flagged requests that people call harmless, of all labelled, with its 95 % interval.";
        page.family(name, "gauge", help);
        for (bound, value) in [("low", rate.low), ("mid", rate.rate), ("high", rate.high)] {
            page.sample(name, &[("bound", bound)], value);
        }
    }

    fn render_self(&self, page: &mut Page) {
        let get = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let backlog = get(&self.backlog);
        page.gauge(
            "bartizan_audit_backlog_bytes",
            "Events not in the store yet.",
            backlog,
        );
        let up = get(&self.store_up);
        page.gauge(
            "bartizan_audit_store_up",
            "Whether the store takes events.",
            up,
        );
        let ready = get(&self.record_ready);
        page.gauge(
            "bartizan_audit_ready",
            "Whether there is room for events.",
            ready,
        );
        page.counter(
            "bartizan_audit_lost_total",
            "Events that were lost.",
            self.lost.get(),
        );
        page.counter(
            "bartizan_content_dropped_total",
            "Contents that were to be kept and were not.",
            get(&self.content_dropped),
        );
        let sinks = self.sinks.get().map_or(&[][..], Vec::as_slice);
        for (name, kind, help, value) in SINKS {
            page.family(name, kind, help);
            for sink in sinks {
                page.sample(name, &[("sink", sink.name())], value(sink));
            }
        }
        let abandoned = self.abandoned.get();
        page.counter(
            "bartizan_abandoned_total",
            "Requests without an end.",
            abandoned,
        );
        let name = "bartizan_build_info";
        page.family(name, "gauge", "The running version.");
        page.sample(name, &[("version", self.version)], 1);
        if let Some(bytes) = resident_bytes() {
            let help = "Resident memory size in bytes.";
            page.gauge("process_resident_memory_bytes", help, bytes);
        }
        if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
            page.gauge(
                "process_open_fds",
                "Number of open file descriptors.",
                files.count(),
            );
        }
    }
}

/// The name, kind, help, and value of a series about a sink.
type SinkSeries = (
    &'static str,
    &'static str,
    &'static str,
    fn(&SinkState) -> u64,
);

/// What is shown of each sink of the record.
const SINKS: [SinkSeries; 4] = [
    (
        "bartizan_sink_up",
        "gauge",
        "Whether the sink took the last events.",
        |sink| sink.is_up().into(),
    ),
    (
        "bartizan_sink_behind_events",
        "gauge",
        "Events that the sink has not been told of.",
        SinkState::behind,
    ),
    (
        "bartizan_sink_events_total",
        "counter",
        "Events that the sink took.",
        SinkState::sent,
    ),
    (
        "bartizan_sink_failures_total",
        "counter",
        "Attempts that the sink did not take.",
        SinkState::failures,
    ),
];

impl Observe for Metrics {
    fn event(&self, event: &Event) {
        let words = |a: &Label, b: &Label| (a.to_string(), b.to_string());
        match &event.what {
            What::LlmInteraction(interaction) => self.interaction(interaction),
            What::AuthFailure(e) => self.auth_failures.add(words(&e.reason, &e.proof), 1),
            What::LimitHit(e) => self.limit_hits.add(words(&e.limit, &e.scope), 1),
            What::Suspicion(e) => self.suspicions.add(words(&e.detector, &e.level), 1),
            What::MlAudit(e) => self.ml_events.add(words(&e.event_type, &e.status), 1),
            What::KeyManagement(e) => self.keys.add(words(&e.action, &"key".into()), 1),
            What::ConfigChange(e) => {
                let accepted = if e.accepted { "true" } else { "false" };
                self.config_changes.add(words(&e.what, &accepted.into()), 1);
            }
            What::UpstreamState(e) => {
                let number = match e.to.as_str() {
                    "open" => 2,
                    "half-open" => 1,
                    _ => 0,
                };
                if let Some(state) = self.upstreams.write().get_mut(e.upstream.as_str()) {
                    *state = number;
                    self.upstream_changes.add(words(&e.upstream, &e.to), 1);
                }
            }
            What::Review(e) => {
                self.reviews.add(words(&e.action, &"request".into()), 1);
                if e.action.as_str() == "held" {
                    self.held.fetch_add(1, Ordering::Relaxed);
                } else {
                    self.held.fetch_sub(1, Ordering::Relaxed);
                    self.review_wait.record(e.held_ms.saturating_mul(1_000_000));
                }
            }
            What::Feedback(e) => add(&self.feedback, e.label as usize, 1),
            What::Abandoned(_) => self.abandoned.add(1),
            What::Gap(e) => self.lost.add(e.lost.max(1)),
            What::SecurityEvent(_) | What::StreamBegun(_) | What::Service(_) => {}
        }
    }
}

fn add(counters: &[Counter], place: usize, count: u64) {
    if let Some(counter) = counters.get(place) {
        counter.add(count);
    }
}

fn table(page: &mut Page, name: &str, help: &str, labels: [&str; 2], of: &Table<Label2>) {
    page.family(name, "counter", help);
    let [first, second] = labels;
    for ((a, b), count) in of.all() {
        page.sample(name, &[(first, a.as_str()), (second, b.as_str())], count);
    }
}

/// Whether such a finding in an answer means that data leaks.
const fn is_leak(category: Category) -> bool {
    matches!(
        category,
        Category::Pii | Category::Secret | Category::Leak | Category::Exfiltration
    )
}

/// From `/proc/self/status`, `None` where there is none.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}
