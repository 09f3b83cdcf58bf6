use std::sync::Arc;

use bartizan_access::Permission;
use bartizan_core::Direction;
use bartizan_guard::{Judge, redact::Redactor};
use bartizan_text::rules::RuleSet;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use parking_lot::RwLock;
use tower::ServiceExt as _;

use super::{
    Engine, KnownAnswers, ReviewQueue, Ruling, exchange::Exchange, output::REQUEST_ID, routes,
};
use crate::{
    adapters::Present,
    agents::{AgentDesk, AgentState},
    body::Body,
    clock::Clock,
    consent::ConsentDesk,
    content::Keeper,
    endpoint::{Dialect, Endpoint},
    extraction::{Extraction, ExtractionEvent},
    fault::Fault,
    guard_api::{GuardService, Judged, RequestId as RequestIdText},
    identity::{self, Authenticator},
    judge::JudgeLayer,
    key_desk::KeyDesk,
    limits::{self, Limits},
    predict::{Predicted, Watch},
    principal::Principal,
    record::{self, Interaction, Label, Recorder, RequestId, Side, What},
    serve::{BodyLimits, Peer, Service},
    telemetry::{Metrics, TraceContext, Traces},
    upstream::Upstreams,
    wire,
};

/// The gateway: everything that a request meets.
pub struct Gateway {
    engine: Present<Engine>,
    pub(super) clock: Arc<dyn Clock>,
    authenticator: Present<Authenticator>,
    limits: Present<Limits>,
    pub(super) extraction: Arc<Extraction>,
    judge_layer: RwLock<Option<Arc<JudgeLayer>>>,
    pub(super) recorder: Recorder,
    pub(super) metrics: Arc<Metrics>,
    pub(super) traces: Option<Traces>,
    pub(super) review: Arc<ReviewQueue>,
    pub(super) known_answers: KnownAnswers,
    pub(super) body_limits: BodyLimits,
    pub(super) agents: AgentDesk,
    pub(super) consent: Option<ConsentDesk>,
    pub(crate) keeper: Option<Keeper>,
    pub(super) agent_state: Arc<AgentState>,
}

/// What a gateway is made of.
pub(crate) struct GatewayParts {
    /// Rules, policy, and models.
    pub(crate) engine: Present<Engine>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who may ask.
    pub authenticator: Arc<Authenticator>,
    /// How often and how much.
    pub limits: Arc<Limits>,
    /// Who copies a model.
    pub extraction: Arc<Extraction>,
    /// Whoever is asked for a second opinion.
    pub judge_layer: Option<Arc<JudgeLayer>>,
    /// Where events go.
    pub recorder: Recorder,
    /// Counts.
    pub metrics: Arc<Metrics>,
    /// Spans, if they are wanted.
    pub traces: Option<Traces>,
    /// Bounds of request bodies.
    pub body_limits: BodyLimits,
    /// Kill switches and approvals.
    pub agents: AgentDesk,
    /// Who agreed to what, where there is a key for their names.
    pub consent: Option<ConsentDesk>,
    /// Where contents are kept, where they are.
    pub keeper: Option<Keeper>,
}

/// What a change of the configuration replaces, all of it at once.
pub(crate) struct Generation {
    /// Rules, policy, and models.
    pub(crate) engine: Arc<Engine>,
    /// Who may ask.
    pub(crate) authenticator: Arc<Authenticator>,
    /// How often and how much.
    pub(crate) limits: Arc<Limits>,
    /// Whoever is asked for a second opinion; what the former ones said is forgotten.
    pub(crate) judge_layer: Option<Arc<JudgeLayer>>,
}

impl Gateway {
    /// A gateway of `parts`.
    #[must_use]
    pub(crate) fn new(parts: GatewayParts) -> Arc<Self> {
        let waiting = parts.engine.get().guarding.review.max_waiting;
        Arc::new(Self {
            engine: parts.engine,
            clock: parts.clock,
            authenticator: Present::new(parts.authenticator),
            limits: Present::new(parts.limits),
            extraction: parts.extraction,
            judge_layer: RwLock::new(parts.judge_layer),
            recorder: parts.recorder,
            metrics: parts.metrics,
            traces: parts.traces,
            review: Arc::new(ReviewQueue::new(waiting)),
            known_answers: KnownAnswers::default(),
            body_limits: parts.body_limits,
            agents: parts.agents,
            consent: parts.consent,
            keeper: parts.keeper,
            agent_state: Arc::default(),
        })
    }

    /// The generation of rules and policy that new requests meet.
    #[must_use]
    pub fn engine(&self) -> Arc<Engine> {
        self.engine.get()
    }

    /// Puts another generation in the place of the present one; requests under way end with theirs.
    pub(crate) fn replace(&self, next: Generation) {
        self.know(&next.engine.upstreams);
        self.limits.replace(next.limits);
        self.authenticator.replace(next.authenticator);
        *self.judge_layer.write() = next.judge_layer;
        self.engine.replace(next.engine);
    }

    /// Where the present generation is found.
    pub(crate) const fn cell(&self) -> &Present<Engine> {
        &self.engine
    }

    /// Whoever is asked for a second opinion.
    pub(super) fn judge_layer(&self) -> Option<Arc<JudgeLayer>> {
        self.judge_layer.read().clone()
    }

    /// Names models and upstreams that metrics tell apart.
    pub(crate) fn know(&self, upstreams: &Upstreams) {
        self.metrics.configured(
            upstreams.patterns().map(|name| &**name),
            upstreams.states().map(|(name, _)| &**name),
        );
    }

    /// Where events go.
    #[must_use]
    pub const fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// What is rendered at `/metrics`.
    #[must_use]
    pub fn render_metrics(&self) -> String {
        self.metrics.set_record(&self.recorder);
        if let Some(keeper) = &self.keeper {
            self.metrics.set_content_dropped(keeper.dropped());
        }
        self.metrics.render()
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Who may ask.
    #[must_use]
    pub fn authenticator(&self) -> Arc<Authenticator> {
        self.authenticator.get()
    }

    /// How often and how much.
    #[must_use]
    pub fn limits(&self) -> Arc<Limits> {
        self.limits.get()
    }

    /// Kill switches and approvals of agents.
    pub(crate) const fn agents(&self) -> &AgentDesk {
        &self.agents
    }

    /// What this process remembers of agents.
    pub(crate) fn agent_state(&self) -> Arc<AgentState> {
        Arc::clone(&self.agent_state)
    }

    /// Decides about a request that is held here; `false` if none of that id is.
    pub(crate) fn rule_held(&self, request_id: &str, by: &str, ruling: Ruling) -> bool {
        self.review.rule(request_id, by, ruling).is_some()
    }

    /// Keys of the database, to manage them.
    #[must_use]
    pub fn key_desk(&self) -> KeyDesk {
        let keys = Arc::clone(self.authenticator().keys());
        KeyDesk::new(keys, self.recorder.clone())
    }

    /// Proves who asks; a failure is recorded, and the client learns nothing of its reason.
    pub(crate) fn authenticate(
        &self,
        headers: &HeaderMap,
        peer: &Peer,
    ) -> Result<Arc<Principal>, Fault> {
        let other = identity::Peer {
            address: peer.address.ip(),
            chain: &peer.certificates,
        };
        let denied = match self.authenticator().authenticate(headers, &other) {
            Ok(principal) => return Ok(principal),
            Err(denied) => denied,
        };
        self.recorder.note(What::AuthFailure(record::AuthFailure {
            reason: denied.reason.as_str().into(),
            proof: Label::NONE,
            ip_address: self.recorder.address(peer.address.ip()),
            user_id: Label::NONE,
        }));
        Err(denied.into())
    }

    /// Records what the detectors of extraction report.
    pub(super) fn suspect(&self, principal: &Principal, model: &Label, event: &ExtractionEvent) {
        self.recorder.note(What::Suspicion(record::Suspicion {
            user_id: (&principal.id).into(),
            model: model.clone(),
            detector: event.signal.as_str().into(),
            score: event.suspicion as f32,
            level: match event.suspicion {
                ..0.3 => "low",
                ..0.7 => "elevated",
                _ => "high",
            }
            .into(),
        }));
    }

    /// Records what belongs to the request of that id; one that is no id of ours names none.
    pub(super) fn note_about(&self, request_id: &str, what: What) {
        match request_id.parse() {
            Ok(id) => self.recorder.note_about(id, what),
            Err(_) => self.recorder.note(what),
        }
    }

    async fn model_route(
        self: &Arc<Self>,
        endpoint: Endpoint,
        request: Request<Incoming>,
        peer: &Peer,
    ) -> Response<Body> {
        let proved = self.authenticate(request.headers(), peer);
        let exchange = match self.begin(endpoint, request.headers(), proved).await {
            Ok(exchange) => exchange,
            Err(response) => return response,
        };
        match endpoint {
            Endpoint::Models | Endpoint::Model => {
                let dialect = wire::models::dialect(request.headers());
                exchange.list_models(request.uri().path(), dialect).await
            }
            _ => exchange.run(request).await,
        }
    }

    /// A request of that principal under way, or what it is told instead.
    pub(super) async fn begin(
        self: &Arc<Self>,
        endpoint: Endpoint,
        headers: &HeaderMap,
        proved: Result<Arc<Principal>, Fault>,
    ) -> Result<Exchange, Response<Body>> {
        let started = self.clock.nanos();
        let id = RequestId::new(&*self.clock);
        let dialect = match endpoint {
            Endpoint::Models | Endpoint::Model => wire::models::dialect(headers),
            _ => endpoint.dialect(),
        };
        let refuse = |fault: &Fault| {
            let id = id.to_string();
            let mut response = wire::fault(fault, dialect, &id);
            name_request(&mut response, &id);
            response
        };
        let principal = proved.map_err(|fault| refuse(&fault))?;
        self.may_begin(&principal, endpoint, id)
            .map_err(|fault| refuse(&fault))?;
        let who = Label::from(&principal.id);
        let admitted = self.recorder.admit(id, who.clone(), endpoint.path()).await;
        let slot = admitted.map_err(|fault| refuse(&fault))?;
        let interaction = Interaction {
            user_id: who,
            endpoint: endpoint.path().into(),
            team: (&principal.team).into(),
            tenant: (&principal.tenant).into(),
            ..Interaction::default()
        };
        Ok(Exchange {
            gateway: Arc::clone(self),
            engine: self.engine(),
            principal,
            endpoint,
            slot,
            started,
            waited: 0,
            interaction,
            input: Side::default(),
            output: None,
            admission: None,
            usage: limits::Usage::default(),
            choices: 1,
            server_tools: wire::ServerTools::default(),
            agent: None,
            locale: locale(headers),
            trace: self
                .traces
                .as_ref()
                .map(|traces| TraceContext::from_headers(headers, traces.sample_ratio())),
            upstream_time: None,
            in_flight: self.metrics.in_flight(),
            subject: None,
            came: Bytes::new(),
            went: Vec::new(),
        })
    }

    /// What is told to whom no request is begun for.
    pub(crate) fn turn_away(&self, path: &str, fault: &Fault) -> Response<Body> {
        let id = RequestId::new(&*self.clock).to_string();
        let mut response = wire::fault(fault, dialect_of(path), &id);
        name_request(&mut response, &id);
        response
    }

    /// Checks that whoever asks may use the route, and tells the route who that is.
    fn let_in(
        &self,
        request: &mut Request<Incoming>,
        peer: &Arc<Peer>,
        id: &Arc<str>,
    ) -> Result<(), Fault> {
        let path = request.uri().path();
        let (pattern, scope) = routes::access(path).ok_or_else(|| routes::not_found(path))?;
        if let Some(scope) = scope {
            let principal = self.authenticate(request.headers(), peer)?;
            self.may_enter(&principal, scope, path, pattern, id)?;
            request.extensions_mut().insert(principal.let_in(scope));
        }
        let extensions = request.extensions_mut();
        extensions.insert(RequestIdText(Arc::clone(id)));
        extensions.insert(Arc::clone(peer));
        Ok(())
    }
}

/// The gateway as a service: routes of models go straight through, all others through a router.
pub struct Front {
    gateway: Arc<Gateway>,
    router: axum::Router,
}

impl Front {
    /// The front of `gateway`; `router` holds the routes that are no model's.
    #[must_use]
    pub const fn new(gateway: Arc<Gateway>, router: axum::Router) -> Self {
        Self { gateway, router }
    }

    async fn other_route(
        &self,
        mut request: Request<Incoming>,
        peer: &Arc<Peer>,
    ) -> Response<Body> {
        let id: Arc<str> = RequestId::new(&*self.gateway.clock).to_string().into();
        let path = request.uri().path().to_owned();
        let mut response = match self.gateway.let_in(&mut request, peer, &id) {
            Ok(()) => match self.router.clone().oneshot(request).await {
                Ok(response) => response.map(Body::stream),
                Err(never) => match never {},
            },
            Err(fault) => wire::fault(&fault, dialect_of(&path), &id),
        };
        name_request(&mut response, &id);
        response
    }
}

impl Service for Front {
    async fn call(&self, request: Request<Incoming>, peer: Arc<Peer>) -> Response<Body> {
        match Endpoint::of(request.method(), request.uri().path()) {
            Some(endpoint) => self.gateway.model_route(endpoint, request, &peer).await,
            None => self.other_route(request, &peer).await,
        }
    }

    fn fault(&self, _: &Method, path: &str, fault: &Fault) -> Response<Body> {
        self.gateway.turn_away(path, fault)
    }
}

/// Whose shapes a path's errors have.
fn dialect_of(path: &str) -> Dialect {
    let is_anthropic = path.starts_with("/anthropic/") || path.ends_with("/messages");
    if is_anthropic {
        Dialect::Anthropic
    } else {
        Dialect::OpenAi
    }
}

fn name_request(response: &mut Response<Body>, id: &str) {
    if let Ok(value) = http::HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
}

/// The language in which the client wants to read refusals: the first of `Accept-Language`.
fn locale(headers: &HeaderMap) -> String {
    let wanted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split([',', ';']).next())
        .map(str::trim)
        .filter(|locale| locale.len() <= 35);
    wanted.unwrap_or_default().to_owned()
}

impl GuardService for Gateway {
    fn judge(&self) -> Judge {
        self.engine().judge.clone()
    }

    fn rules(&self) -> Arc<RuleSet> {
        Arc::clone(&self.engine().rules)
    }

    fn redactor(&self, principal: &Principal) -> Redactor {
        self.engine().redactor(principal)
    }

    fn second_opinion(&self) -> Option<Arc<JudgeLayer>> {
        self.judge_layer()
    }

    fn seal_key(&self) -> Option<[u8; 32]> {
        Some(self.engine().redaction_key)
    }

    fn threshold_factor(&self, principal: &Principal) -> f32 {
        let now = self.clock.unix_ms();
        self.extraction.threshold_factor(&principal.id, now)
    }

    fn judged(&self, judged: &Judged<'_>) {
        let side = Side::of(judged.judgement);
        let (input, output) = match judged.direction {
            Direction::Input => (side, None),
            Direction::Output => (Side::default(), Some(side)),
        };
        let interaction = Interaction {
            user_id: (&judged.principal.id).into(),
            team: (&judged.principal.team).into(),
            tenant: (&judged.principal.tenant).into(),
            endpoint: judged.route.into(),
            status: StatusCode::OK.as_u16(),
            latency_us: judged.nanos / 1_000,
            overhead_us: judged.nanos / 1_000,
            policy_version: Label::Known(self.engine().judge.policy().version().into()),
            ..Interaction::default()
        };
        let interaction = interaction.judged(input, output);
        let what = What::LlmInteraction(Box::new(interaction));
        self.note_about(judged.request_id, what);
    }
}

impl Watch for Gateway {
    fn extraction(&self) -> Option<&Extraction> {
        Some(&self.extraction)
    }

    fn may_use(
        &self,
        principal: &Principal,
        permission: Permission,
        model: &str,
        known: Option<&str>,
        request_id: &str,
    ) -> Result<(), Fault> {
        let engine = self.engine();
        self.may_use_model(&engine, principal, permission, model, known, request_id)
    }

    fn predicted(&self, predicted: &Predicted<'_>) {
        let hasher = self.recorder.hasher();
        let model = Label::Known(predicted.model.into());
        for event in predicted.events {
            self.suspect(predicted.principal, &model, event);
        }
        let what = What::MlAudit(Box::new(record::MlAudit {
            event_type: "prediction".into(),
            user_id: (&predicted.principal.id).into(),
            action: "predict".into(),
            resource: model,
            status: match predicted.status {
                ..400 => "success",
                400..500 => "refused",
                _ => "failure",
            }
            .into(),
            status_code: predicted.status,
            latency_ms: predicted.nanos as f64 / 1e6,
            input_hash: Some(hasher.hash(&predicted.input_digest)),
            ..record::MlAudit::default()
        }));
        self.note_about(predicted.request_id, what);
    }
}
