//! One request to a model, from its body to the event that tells how it ended.

use std::sync::Arc;

use bartizan_access::Permission;
use bartizan_core::Origin;
use bartizan_govern::SubjectHash;
use bartizan_guard::shape;
use bartizan_policy::RefusalKey;
use bytes::Bytes;
use http::{HeaderMap, Response};
use hyper::body::Incoming;

use super::{Engine, Gateway, ServerSideHistory, input::Passed, stream::Opened};
use crate::{
    agents::AgentTurn,
    body::Body,
    endpoint::Endpoint,
    extraction::Query,
    fault::{Fault, FaultKind},
    judge::JudgeLayer,
    limits,
    principal::Principal,
    record::{Interaction, Label, LimitHit, Outcome, Side, Slot, What},
    serve::{expect_json, read_body},
    telemetry::{InFlight, TraceContext, UpstreamTime},
    upstream::Route,
    wire::{Request, ServerTools, Usage},
};

/// A request under way.
pub(super) struct Exchange {
    pub(super) gateway: Arc<Gateway>,
    pub(super) engine: Arc<Engine>,
    pub(super) principal: Arc<Principal>,
    pub(super) endpoint: Endpoint,
    pub(super) slot: Slot,
    /// Nanoseconds of the clock when the request came.
    pub(super) started: u64,
    /// Nanoseconds spent waiting for others: the client, the upstream, a judge, a reviewer.
    pub(super) waited: u64,
    pub(super) interaction: Interaction,
    /// What was seen on the way to the model, and back.
    pub(super) input: Side,
    pub(super) output: Option<Side>,
    /// The admission to the limits, until it is settled.
    pub(super) admission: Option<limits::Admission>,
    /// Tokens spent so far.
    pub(super) usage: limits::Usage,
    pub(super) choices: u32,
    /// What of it the upstream runs itself, where that is to be told.
    pub(super) server_tools: ServerTools,
    /// What it says of an agent, where agents are configured.
    pub(super) agent: Option<Arc<AgentTurn>>,
    pub(super) locale: String,
    /// Where it stands in a trace, if spans are wanted.
    pub(super) trace: Option<TraceContext>,
    pub(super) upstream_time: Option<UpstreamTime>,
    pub(super) in_flight: InFlight,
    /// Whom it is about, where consent or contents hang on it.
    pub(super) subject: Option<SubjectHash>,
    /// What came and what went, where contents are kept.
    pub(super) came: Bytes,
    pub(super) went: Vec<u8>,
}

/// Why there is no answer of the model.
pub(super) enum Stop {
    /// Something went wrong, or is not allowed.
    Fault(Fault, Outcome),
    /// The policy refused what the client sent.
    Input { why: RefusalKey, stream: bool },
    /// The policy refused what the model said.
    Output {
        why: RefusalKey,
        usage: Option<Usage>,
    },
}

impl Stop {
    pub(super) fn rejected(fault: Fault) -> Self {
        let outcome = match fault.kind {
            FaultKind::TooManyRequests => Outcome::Limited,
            FaultKind::Internal | FaultKind::Unavailable => Outcome::Failed,
            FaultKind::BadGateway | FaultKind::GatewayTimeout => Outcome::UpstreamFailed,
            _ => Outcome::Rejected,
        };
        Self::Fault(fault, outcome)
    }
}

/// What the client gets.
pub(super) enum Reply {
    /// An answer that is all there.
    Whole(Response<Body>),
    /// One that follows piece by piece.
    Stream(Box<Opened>),
}

impl Exchange {
    /// Answers the request.
    pub(super) async fn run(mut self, request: http::Request<Incoming>) -> Response<Body> {
        match self.answer(request).await {
            Ok(Reply::Whole(response)) => self.close(response).await,
            Ok(Reply::Stream(opened)) => self.open(*opened).await,
            Err(stop) => self.end(stop).await,
        }
    }

    async fn answer(&mut self, request: http::Request<Incoming>) -> Result<Reply, Stop> {
        let (head, body) = request.into_parts();
        let bytes = self.receive(&head.headers, body).await?;
        let request = self.read(bytes)?;
        if self.endpoint == Endpoint::Moderations {
            return Ok(Reply::Whole(self.moderate(&request).await));
        }
        self.begin_agent(&request, &head.headers).await?;
        let (passed, route) = self.accept(request, &head.headers).await?;
        let response = self.ask(&passed, &head.headers, &route).await?;
        if passed.outgoing.stream() && response.is_event_stream() {
            let opened = self.guard_stream(response, passed, &route)?;
            return Ok(Reply::Stream(Box::new(opened)));
        }
        self.whole(response, passed, &head.headers, &route)
            .await
            .map(Reply::Whole)
    }

    /// Everything that a request must pass before a model is asked.
    pub(super) async fn accept(
        &mut self,
        request: Request,
        headers: &HeaderMap,
    ) -> Result<(Passed, Arc<Route>), Stop> {
        let route = self.route(&request)?;
        self.check_consent(&request, headers).await?;
        self.admit(&request).await?;
        self.check_server_side_history(&request)?;
        self.check_server_tools(&request)?;
        self.watch(&request);
        let passed = self.judge_input(request, &route).await?;
        Ok((passed, route))
    }

    async fn receive(&mut self, headers: &HeaderMap, body: Incoming) -> Result<Bytes, Stop> {
        expect_json(headers).map_err(Stop::rejected)?;
        let before = self.gateway.clock.nanos();
        let bytes = read_body(body, &self.gateway.body_limits)
            .await
            .map_err(Stop::rejected)?;
        self.waited += self.gateway.clock.nanos().saturating_sub(before);
        Ok(bytes)
    }

    /// Takes the body apart.
    pub(super) fn read(&mut self, bytes: Bytes) -> Result<Request, Stop> {
        self.interaction.request_length = bytes.len() as u64;
        self.interaction.request_hash = Some(self.gateway.recorder.hasher().hash(&bytes));
        if self.gateway.keeper.is_some() {
            self.came = bytes.clone();
        }
        let request =
            Request::read(self.endpoint, bytes, &self.engine.parse).map_err(Stop::rejected)?;
        self.engine
            .media
            .check(&request.unread())
            .map_err(Stop::rejected)?;
        self.choices = request.choices();
        self.interaction.stream = request.stream();
        self.check_stream(&request)?;
        self.check_right(&request)?;
        Ok(request)
    }

    /// Asks the access policy, by the name that the client gives: whether there is a model of that
    /// name is none of the business of who may not ask it.
    fn check_right(&self, request: &Request) -> Result<(), Stop> {
        let model = request.model();
        let route = self.engine.upstreams.route(model);
        let permitted = self.gateway.may_use_model(
            &self.engine,
            &self.principal,
            Permission::ModelPredict,
            model,
            route.map(|route| &**route.pattern()),
            &self.slot.request_id().to_string(),
        );
        permitted.map_err(Stop::rejected)
    }

    /// Refuses a stream where somebody outside is to see the answer as a whole.
    fn check_stream(&self, request: &Request) -> Result<(), Stop> {
        let refused = |layer: Arc<JudgeLayer>| layer.refuses_streams();
        if !request.stream() || !self.gateway.judge_layer().is_some_and(refused) {
            return Ok(());
        }
        Err(Stop::rejected(
            Fault::new(
                FaultKind::BadRequest,
                "stream_not_available",
                "answers are looked at as a whole here; ask without `stream`",
            )
            .about("stream"),
        ))
    }

    /// Where the model is. The answer to a model that does not exist and to one that this
    /// principal may not use is the same.
    fn route(&mut self, request: &Request) -> Result<Arc<Route>, Stop> {
        let route = self
            .principal
            .may_use(request.model())
            .then(|| self.engine.upstreams.route(request.model()).cloned())
            .flatten();
        let Some(route) = route else {
            let fault = Fault::new(
                FaultKind::NotFound,
                "model_not_found",
                "there is no such model, or it is not open to this key; `GET /v1/models` lists those that are",
            );
            return Err(Stop::rejected(fault.about("model")));
        };
        self.interaction.model = Label::from(route.pattern());
        Ok(route)
    }

    async fn admit(&mut self, request: &Request) -> Result<(), Stop> {
        let now = self.gateway.clock.unix_ms();
        let tokens: usize = request
            .conversation()
            .parts
            .iter()
            .map(|part| shape::TokenEstimate::of(&part.text))
            .sum();
        self.interaction.prompt_tokens = tokens as u64;
        let per_answer = request.max_tokens();
        let asked = limits::Asked {
            principal: &self.principal,
            model: self.interaction.model.as_str(),
            input_tokens: tokens as u64,
            max_output_tokens: per_answer
                .map(|most| most.saturating_mul(u64::from(request.choices()))),
            factor: limits::Factor::new(self.gateway.extraction.factor(&self.principal.id, now)),
        };
        let admission = self.gateway.limits().admit(&asked).await;
        match admission {
            Ok(admission) => self.admission = Some(admission),
            Err(event) => {
                self.note_limit(&event).await?;
                return Err(Stop::rejected(event.into()));
            }
        }
        Ok(())
    }

    async fn note_limit(&self, event: &limits::LimitEvent) -> Result<(), Stop> {
        let hit = LimitHit {
            user_id: (&self.principal.id).into(),
            limit: event.what.into(),
            scope: (&event.rule).into(),
            model: self.interaction.model.clone(),
            retry_after_ms: u64::try_from(event.retry_after.as_millis()).unwrap_or(u64::MAX),
        };
        let kept = self.slot.add(What::LimitHit(hit)).await;
        kept.map_err(Stop::rejected)
    }

    /// Refuses to go on from text that nobody here looked at.
    fn check_server_side_history(&self, request: &Request) -> Result<(), Stop> {
        let state = request.state();
        let is_known = |name: &Option<String>| {
            name.as_deref()
                .is_none_or(|name| self.gateway.known_answers.knows(name, &self.principal.id))
        };
        let allowed = match self.engine.guarding.server_side_history {
            ServerSideHistory::AllowUnseen => true,
            ServerSideHistory::Refuse => !state.refers_back() && !state.background,
            ServerSideHistory::Known => {
                is_known(&state.previous_response_id)
                    && state.conversation.is_none()
                    && state.prompt.is_none()
                    && state.container.is_none()
                    && !state.background
            }
        };
        if allowed {
            return Ok(());
        }
        Err(Stop::rejected(
            Fault::new(
                FaultKind::BadRequest,
                "history_not_seen",
                "the request goes on from text that did not pass here; send the whole conversation",
            )
            .about("previous_response_id"),
        ))
    }

    /// Lets the detectors of extraction see the query.
    fn watch(&self, request: &Request) {
        let last = request
            .conversation()
            .parts
            .iter()
            .rev()
            .find(|part| part.origin == Origin::User);
        let Some(part) = last else { return };
        let now = self.gateway.clock.unix_ms();
        let extraction = &self.gateway.extraction;
        let model = self.interaction.model.as_str();
        for event in extraction.query(&self.principal.id, model, Query::Text(&part.text), now) {
            self.gateway
                .suspect(&self.principal, &self.interaction.model, &event);
        }
    }
}
