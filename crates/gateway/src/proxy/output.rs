//! What the model said: read, looked at, edited, and closed with an event.

use bartizan_core::{Direction, Verdict};
use bartizan_guard::{Judgement, redact::Vault, shape::TokenEstimate};
use bartizan_policy::RefusalKey;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use super::{
    exchange::{Exchange, Stop},
    input::{Passed, refusal_of},
};
use crate::{
    body::Body,
    content::Content,
    endpoint::Endpoint,
    fault::{Fault, FaultKind},
    limits,
    record::{At, Cost, Event, Label, Outcome, SCHEMA_VERSION, Side, What},
    telemetry::{TRACEPARENT, TraceContext, UpstreamTime},
    upstream::{Route, UpstreamRequest, UpstreamResponse},
    wire::{self, Answer, Logprobs, Refused, Usage, moderations},
};

/// Headers of our own.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-bartizan-request-id");
const DECISION: HeaderName = HeaderName::from_static("x-bartizan-decision");
const APPLIED: HeaderName = HeaderName::from_static("x-bartizan-applied");
const OVERHEAD: HeaderName = HeaderName::from_static("x-bartizan-overhead-us");
/// Where SDKs look for the id of a request.
const OPENAI_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const ANTHROPIC_REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

impl Exchange {
    /// Sends what was let through.
    pub(super) async fn ask(
        &mut self,
        passed: &Passed,
        headers: &HeaderMap,
        route: &Route,
    ) -> Result<UpstreamResponse, Stop> {
        let outgoing = UpstreamRequest {
            endpoint: self.endpoint,
            body: passed.outgoing.body().clone(),
            model: passed.outgoing.model_place(),
            model_name: passed.outgoing.model().into(),
            headers: self.outgoing_headers(headers),
        };
        let permit = self.permit(passed, outgoing)?;
        let before = self.gateway.clock.nanos();
        let response = self.engine.upstreams.ask(route, &permit).await;
        let after = self.gateway.clock.nanos();
        self.waited += after.saturating_sub(before);
        self.upstream_time = Some(UpstreamTime {
            start_us: before.saturating_sub(self.started) / 1_000,
            end_us: after.saturating_sub(self.started) / 1_000,
        });
        let response = response.map_err(|error| Stop::rejected(error.fault()))?;
        self.interaction.upstream = Label::from(response.target.upstream());
        self.interaction.model_version = response.target.model().map_or(Label::NONE, Label::from);
        Ok(response)
    }

    /// The client's headers, with our place in its trace.
    fn outgoing_headers(&self, headers: &HeaderMap) -> HeaderMap {
        let mut headers = headers.clone();
        let parent = self.trace.as_ref().and_then(TraceContext::traceparent);
        if let Some(parent) = parent.and_then(|parent| HeaderValue::try_from(parent).ok()) {
            headers.insert(TRACEPARENT, parent);
        }
        headers
    }

    /// Guards an answer that is given in one piece; asks again for one that is refused, as often as
    /// configured (JB-09).
    pub(super) async fn whole(
        &mut self,
        mut response: UpstreamResponse,
        passed: Passed,
        headers: &HeaderMap,
        route: &Route,
    ) -> Result<Response<Body>, Stop> {
        let mut again = self.engine.guarding.regenerate;
        loop {
            let head = std::mem::take(&mut response.headers);
            let status = response.status;
            let body = self.collect(response).await?;
            let answer = self.read_answer(body)?;
            let usage = answer.usage();
            self.spend(usage, &answer);
            match self.guard_answer(&answer, &passed, route).await? {
                Ok(body) => {
                    self.answered(&answer);
                    return Ok(json_response(status, head, body));
                }
                Err(_) if again > 0 => {
                    again -= 1;
                    self.interaction.regenerated = self.interaction.regenerated.saturating_add(1);
                    response = self.ask(&passed, headers, route).await?;
                }
                Err(why) => return Err(Stop::Output { why, usage }),
            }
        }
    }

    /// Takes down that the answer goes to the client.
    pub(super) fn answered(&mut self, answer: &Answer) {
        if let Some(id) = answer.id()
            && self.endpoint == Endpoint::Responses
        {
            self.gateway.known_answers.remember(id, &self.principal.id);
        }
        self.interaction.outcome = Outcome::Answered;
    }

    async fn collect(&mut self, response: UpstreamResponse) -> Result<Bytes, Stop> {
        let before = self.gateway.clock.nanos();
        let mut body = response.body;
        let mut first = Bytes::new();
        let mut all = BytesMut::new();
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|error| Stop::rejected(error.fault()))?;
            if first.is_empty() && all.is_empty() {
                first = piece;
                continue;
            }
            if all.is_empty() {
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&piece);
        }
        self.waited += self.gateway.clock.nanos().saturating_sub(before);
        Ok(if all.is_empty() { first } else { all.freeze() })
    }

    pub(super) fn read_answer(&self, body: Bytes) -> Result<Answer, Stop> {
        let logprobs = if self.may_see_logprobs() {
            Logprobs::Pass
        } else {
            Logprobs::Strip
        };
        Answer::read(self.endpoint, body, &self.engine.parse, logprobs).map_err(Stop::rejected)
    }

    /// Adds what an answer cost, as its upstream counts or as estimated.
    pub(super) fn spend(&mut self, usage: Option<Usage>, answer: &Answer) {
        let usage = usage.unwrap_or_else(|| Usage {
            input: self.interaction.prompt_tokens,
            output: answer
                .conversation()
                .parts
                .iter()
                .map(|part| TokenEstimate::of(&part.text) as u64)
                .sum(),
            ..Usage::default()
        });
        self.usage.input_tokens += usage.input;
        self.usage.output_tokens += usage.output;
        self.usage.cached_input_tokens += usage.cached_input;
    }

    /// The answer as the client may have it, or why it may not (the inner error).
    pub(super) async fn guard_answer(
        &mut self,
        answer: &Answer,
        passed: &Passed,
        route: &Route,
    ) -> Result<Result<Bytes, RefusalKey>, Stop> {
        if answer.conversation().parts.is_empty() {
            // Counts and vectors say nothing.
            self.output = Some(Side::default());
            return Ok(Ok(answer.body().clone()));
        }
        let flows = self.answer_flows(answer.body(), passed.vault.as_ref());
        let judgement = self
            .look(
                Direction::Output,
                answer.conversation(),
                flows,
                route.pattern(),
            )
            .await;
        self.output = Some(Side::of(&judgement));
        let enforced = self
            .enforce(Direction::Output, &judgement, answer.conversation())
            .await?;
        if let Err(why) = enforced {
            return Ok(Err(why));
        }
        self.use_approvals().await?;
        let edited = self.edit_answer(answer, &judgement, passed.vault.as_ref());
        Ok(edited.ok_or_else(|| refusal_of(&judgement.decision)))
    }

    /// The answer redacted, and with the values of the request's placeholders in it again; `None`
    /// when something cannot be taken out.
    fn edit_answer(
        &self,
        answer: &Answer,
        judgement: &Judgement,
        vault: Option<&Vault>,
    ) -> Option<Bytes> {
        let mut edits = answer.edit().ok()?;
        if judgement.decision.enforced() >= Verdict::Redact {
            let mut redactor = self.engine.one_way_redactor(&self.principal);
            edits.redact(judgement, &mut redactor).ok()?;
        }
        let body = if edits.is_empty() {
            answer.body().clone()
        } else {
            edits.apply().ok()?
        };
        let Some(vault) = vault else {
            return Some(body);
        };
        let logprobs = Logprobs::Pass;
        let answer = Answer::read(self.endpoint, body, &self.engine.parse, logprobs).ok()?;
        let mut edits = answer.edit().ok()?;
        for (number, part) in answer.conversation().parts.iter().enumerate() {
            let restored = vault.restore(&part.text);
            if restored != part.text {
                let whole = bartizan_core::Span::from_range(0..part.text.len());
                edits.replace(number, whole, &restored).ok()?;
            }
        }
        if edits.is_empty() {
            return Some(answer.body().clone());
        }
        edits.apply().ok()
    }

    /// Judges texts for `/v1/moderations`, which asks no upstream.
    pub(super) async fn moderate(&mut self, request: &wire::Request) -> Response<Body> {
        let judgement = self
            .look(Direction::Input, request.conversation(), None, "")
            .await;
        self.input = Side {
            // Whoever asks what is wrong with a text is told so, not refused.
            enforced: Verdict::Allow,
            ..Side::of(&judgement)
        };
        let id = self.slot.request_id().to_string();
        let answer = moderations::answer(request, &judgement, &id);
        json_response(StatusCode::OK, HeaderMap::new(), answer.to_string().into())
    }

    /// What the client gets instead of an answer.
    pub(super) fn refusal(&mut self, stop: Stop) -> Response<Body> {
        let id = self.slot.request_id().to_string();
        let (why, usage) = match &stop {
            Stop::Fault(fault, outcome) => {
                self.interaction.outcome = *outcome;
                return wire::fault(fault, self.endpoint.dialect(), &id);
            }
            Stop::Input { why, .. } => (*why, None),
            Stop::Output { why, usage } => (*why, *usage),
        };
        let model = self.interaction.model.clone();
        let refused = Refused {
            text: self.engine.judge.policy().refusal(why, &self.locale),
            request_id: &id,
            model: model.as_str(),
            created: self.gateway.clock.unix_ms() / 1_000,
            choices: self.choices,
            usage,
        };
        let refusal = &self.engine.refusal;
        if let Stop::Input { stream, .. } = stop {
            self.interaction.outcome = Outcome::InputBlocked;
            wire::refuse_input(self.endpoint, stream, &refused, refusal)
        } else {
            self.interaction.outcome = Outcome::OutputBlocked;
            wire::refuse_output(self.endpoint, &refused, refusal)
        }
    }

    /// Says in headers what was done.
    pub(super) fn sign(&self, response: &mut Response<Body>) {
        let headers = response.headers_mut();
        let id = self.slot.request_id().to_string();
        let put = |headers: &mut HeaderMap, name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        };
        put(headers, REQUEST_ID, &id);
        put(headers, OPENAI_REQUEST_ID, &id);
        put(headers, ANTHROPIC_REQUEST_ID, &id);
        let enforced = self
            .output
            .as_ref()
            .map_or(Verdict::Allow, |side| side.enforced)
            .max(self.input.enforced);
        put(headers, DECISION, enforced.as_str());
        let mut layers: Vec<&str> = Vec::new();
        for (layer, _) in self
            .input
            .layer_ns
            .iter()
            .chain(self.output.iter().flat_map(|side| side.layer_ns.iter()))
        {
            if !layers.contains(&layer.as_str()) {
                layers.push(layer.as_str());
            }
        }
        put(headers, APPLIED, &layers.join(","));
        headers.insert(OVERHEAD, (self.overhead() / 1_000).into());
        self.sign_server_tools(headers);
    }

    /// Nanoseconds that were ours so far.
    pub(super) fn overhead(&self) -> u64 {
        let now = self.gateway.clock.nanos();
        now.saturating_sub(self.started).saturating_sub(self.waited)
    }

    /// Closes the exchange with what the client is told in the place of an answer.
    pub(super) async fn end(mut self, stop: Stop) -> Response<Body> {
        let response = self.refusal(stop);
        self.close(response).await
    }

    /// Settles the limits and records how it ended; the response goes out only when that is kept.
    pub(super) async fn close(mut self, mut response: Response<Body>) -> Response<Body> {
        self.settle().await;
        self.sign(&mut response);
        self.interaction.status = response.status().as_u16();
        if let Body::Full(bytes) = response.body() {
            self.interaction.response_length = bytes.len() as u64;
            if self.gateway.keeper.is_some() {
                self.went = bytes.to_vec();
            }
            self.interaction.response_hash = Some(self.gateway.recorder.hasher().hash(bytes));
        }
        let dialect = self.endpoint.dialect();
        let (slot, interaction) = self.into_record();
        let id = slot.request_id().to_string();
        match slot.finish(interaction).await {
            Ok(()) => response,
            Err(fault) => wire::fault(&fault, dialect, &id),
        }
    }

    pub(super) async fn settle(&mut self) {
        self.count();
        if let Some(agent) = &self.agent {
            agent.spend(self.usage.input_tokens + self.usage.output_tokens);
        }
        if let Some(admission) = self.admission.take() {
            admission.settle(self.usage).await;
        }
    }

    /// Takes down what was spent.
    pub(super) fn count(&mut self) {
        if let Some(admission) = &self.admission {
            self.interaction.cost = Cost(admission.cost(self.usage).unwrap_or(0));
        }
        if self.usage != limits::Usage::default() {
            self.interaction.prompt_tokens = self.usage.input_tokens;
            self.interaction.completion_tokens = self.usage.output_tokens;
        }
    }

    pub(super) fn into_record(mut self) -> (crate::record::Slot, crate::record::Interaction) {
        let now = self.gateway.clock.nanos();
        self.interaction.latency_us = now.saturating_sub(self.started) / 1_000;
        self.interaction.overhead_us = self.overhead() / 1_000;
        self.interaction.policy_version = Label::Known(self.engine.judge.policy().version().into());
        self.note_server_tools();
        let Self {
            gateway,
            slot,
            interaction,
            input,
            output,
            trace,
            upstream_time,
            in_flight,
            subject,
            came,
            went,
            ..
        } = self;
        drop(in_flight);
        if let (Some(keeper), Some(subject)) = (&gateway.keeper, subject)
            && interaction.excluded.is_empty()
        {
            keeper.keep(Content {
                subject,
                request_id: slot.request_id(),
                at_ms: gateway.clock.unix_ms(),
                input: came,
                output: went.into(),
            });
        }
        let interaction = interaction.judged(input, output);
        if let (Some(traces), Some(context)) = (&gateway.traces, trace)
            && context.sampled
        {
            let event = Event {
                v: SCHEMA_VERSION,
                timestamp: At(gateway.clock.unix_ms()),
                request_id: Some(slot.request_id()),
                what: What::LlmInteraction(Box::new(interaction.clone())),
            };
            traces.finish(&context, &event, upstream_time);
        }
        (slot, interaction)
    }
}

/// A body of JSON with those of the upstream's headers that may go back.
pub(super) fn json_response(status: StatusCode, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

/// A fault that says that the answer is not what was asked for.
pub(super) fn unexpected() -> Fault {
    Fault::new(
        FaultKind::BadGateway,
        "upstream_answer_unusable",
        "the upstream did not answer with the kind of body that was asked for",
    )
}
