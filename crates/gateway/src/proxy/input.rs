//! What the client sent: looked at, decided about, and put into the form that goes on.

use std::{sync::Arc, time::Duration};

use bartizan_core::{Direction, Origin, Verdict};
use bartizan_guard::{
    Judgement,
    conversation::Conversation,
    prompt::{Envelope, Hardening, NONCE_BYTES},
    redact::{Redactor, Vault},
};
use bartizan_policy::{Approval, Decision, Permit, RefusalKey};

use super::{
    History, ReviewItem, Ruling,
    engine::{Circumstances, Flows},
    exchange::{Exchange, Stop},
    history::droppable,
};
use crate::{
    endpoint::Endpoint,
    fault::{Fault, FaultKind},
    judge::{Asked, amend},
    record::{Outcome, Review, Side, What},
    upstream::{Route, UpstreamRequest},
    wire::{EditError, Edits, Request},
};

/// A request that the policy let through.
pub(super) struct Passed {
    /// As it goes on.
    pub(super) outgoing: Request,
    pub(super) judgement: Judgement,
    /// What was replaced by placeholders that can be turned back; `None` where nothing was.
    pub(super) vault: Option<Vault>,
    /// Who released it, where the policy asked.
    pub(super) approval: Option<Approval>,
}

impl Exchange {
    /// Looks at what the client sent, and makes of it what may go on.
    pub(super) async fn judge_input(
        &mut self,
        mut request: Request,
        route: &Route,
    ) -> Result<Passed, Stop> {
        let mut judgement = self
            .look(
                Direction::Input,
                request.conversation(),
                self.request_flows(),
                route.pattern(),
            )
            .await;
        self.input = Side::of(&judgement);
        if judgement.decision.enforced() >= Verdict::Block
            && self.engine.guarding.history == History::Drop
            && let Some(shorter) = self.without_bad_turns(&request, &judgement)
        {
            let dropped = std::mem::take(&mut self.input);
            request = shorter;
            judgement = self
                .look(
                    Direction::Input,
                    request.conversation(),
                    self.request_flows(),
                    route.pattern(),
                )
                .await;
            let kept = Side::of(&judgement);
            self.input = Side {
                verdict: kept.verdict.max(dropped.verdict),
                // Something was taken out, whatever the rest is.
                enforced: kept.enforced.max(Verdict::Redact),
                rules: [dropped.rules, kept.rules.clone()].concat(),
                ..kept
            };
        }
        let stream = request.stream();
        let approval = self
            .enforce(Direction::Input, &judgement, request.conversation())
            .await?
            .map_err(|why| Stop::Input { why, stream })?;
        // Keys are derived only where something is replaced.
        let mut redactor = (judgement.decision.enforced() >= Verdict::Redact)
            .then(|| self.engine.redactor(&self.principal));
        let outgoing = self.prepare(request, &judgement, redactor.as_mut())?;
        Ok(Passed {
            outgoing,
            judgement,
            vault: redactor
                .map(Redactor::into_vault)
                .filter(|vault| !vault.is_empty()),
            approval,
        })
    }

    /// Looks at a conversation, asks the judge where one is configured, and decides.
    pub(super) async fn look(
        &mut self,
        direction: Direction,
        conversation: &Conversation,
        flows: Option<Flows>,
        route: &str,
    ) -> Judgement {
        let clock = Arc::clone(&self.gateway.clock);
        let now = clock.unix_ms();
        let principal = Arc::clone(&self.principal);
        let circumstances = Circumstances {
            direction,
            route,
            principal: &principal,
            threshold_factor: self.gateway.extraction.threshold_factor(&principal.id, now),
        };
        let judgement = self
            .engine
            .judge(conversation, &circumstances, flows.as_ref(), &*clock);
        let Some(layer) = self.gateway.judge_layer() else {
            return judgement;
        };
        let texts: Vec<Asked<'_>> = conversation
            .parts
            .iter()
            .map(|part| Asked { text: &part.text })
            .collect();
        let before = clock.nanos();
        let opinions = layer.review(&judgement, &texts, direction).await;
        self.waited += clock.nanos().saturating_sub(before);
        self.engine
            .decide(conversation, &circumstances, &*clock, |cx| {
                amend(judgement, opinions, self.engine.judge.policy(), cx)
            })
    }

    /// The request without the turns that are refused, if only earlier ones are.
    fn without_bad_turns(&self, request: &Request, judgement: &Judgement) -> Option<Request> {
        let parts = droppable(request.conversation(), judgement)?;
        let mut edits = request.edit();
        edits.drop_turns(parts).ok()?;
        let body = edits.apply().ok()?;
        Request::read(self.endpoint, body, &self.engine.parse).ok()
    }

    /// What the decision leads to: nothing, a person's word, or a refusal (the inner error).
    pub(super) async fn enforce(
        &mut self,
        direction: Direction,
        judgement: &Judgement,
        conversation: &Conversation,
    ) -> Result<Result<Option<Approval>, RefusalKey>, Stop> {
        let enforced = judgement.decision.enforced();
        if enforced < Verdict::Ask {
            return Ok(Ok(None));
        }
        let now = self.gateway.clock.unix_ms();
        if direction == Direction::Input {
            for event in self.gateway.extraction.refused(&self.principal.id, now) {
                self.gateway
                    .suspect(&self.principal, &self.interaction.model, &event);
            }
        }
        if enforced == Verdict::Ask && direction == Direction::Output {
            self.ask_for_calls().await?;
        }
        if enforced == Verdict::Ask
            && let Some(approval) = self.review(direction, judgement, conversation).await?
        {
            return Ok(Ok(Some(approval)));
        }
        Ok(Err(refusal_of(&judgement.decision)))
    }

    /// Holds the request until a person decides, if anybody may wait at all.
    async fn review(
        &mut self,
        direction: Direction,
        judgement: &Judgement,
        conversation: &Conversation,
    ) -> Result<Option<Approval>, Stop> {
        let wait = self.engine.guarding.review.wait_seconds;
        if wait == 0 {
            return Ok(None);
        }
        let mut redactor = self.engine.redactor(&self.principal);
        let safe = |(number, part): (usize, &bartizan_guard::conversation::Part)| {
            let safe = judgement.safe_text(number, part.text.as_bytes(), &mut redactor);
            String::from_utf8_lossy(&safe).into_owned()
        };
        let texts: Vec<String> = conversation.parts.iter().enumerate().map(safe).collect();
        let item = ReviewItem {
            request_id: self.slot.request_id().to_string(),
            principal: self.principal.id.to_string(),
            direction: direction.as_str(),
            since_unix_ms: self.gateway.clock.unix_ms(),
            rules: judgement
                .decision
                .reasons
                .iter()
                .map(|reason| reason.evidence.rule.clone())
                .collect(),
            safe_text: texts.join("\n"),
        };
        let ticket = self.gateway.review.hold(item).map_err(|full| {
            let fault = Fault::new(FaultKind::Unavailable, "review_full", full.to_string());
            Stop::Fault(fault, Outcome::Held)
        })?;
        let before = self.gateway.clock.nanos();
        self.note_review("held", &self.principal.id.clone(), 0)
            .await?;
        let ruling = ticket.ruling(Duration::from_secs(wait)).await;
        let held = self.gateway.clock.nanos().saturating_sub(before);
        self.waited += held;
        let (action, reviewer) = match &ruling {
            Some((Ruling::Release, by)) => ("approved", by.as_str()),
            Some((Ruling::Block, by)) => ("rejected", by.as_str()),
            None => ("expired", ""),
        };
        self.note_review(action, &reviewer.into(), held / 1_000_000)
            .await?;
        if ruling.is_some() {
            self.calls_decided().await?;
        }
        Ok(match ruling {
            Some((Ruling::Release, by)) => Some(Approval::by(by)),
            _ => None,
        })
    }

    async fn note_review(
        &self,
        action: &'static str,
        who: &Arc<str>,
        held_ms: u64,
    ) -> Result<(), Stop> {
        let event = Review {
            user_id: who.into(),
            action: action.into(),
            held_ms,
        };
        self.slot
            .add(What::Review(event))
            .await
            .map_err(Stop::rejected)
    }

    /// The request as it goes on: redacted, hardened, bounded. Read again after a change, so that
    /// what goes on is what a reader reads.
    fn prepare(
        &self,
        request: Request,
        judgement: &Judgement,
        redactor: Option<&mut Redactor>,
    ) -> Result<Request, Stop> {
        let changed = |request: &Request, redactor: Option<&mut Redactor>| {
            let mut edits = request.edit();
            if let Some(redactor) = redactor {
                edits.redact(judgement, redactor)?;
            }
            self.harden(request, &mut edits)?;
            self.bound(request, &mut edits)?;
            self.leave_nothing(request, &mut edits);
            if edits.is_empty() {
                return Ok(None);
            }
            edits.apply().map(Some)
        };
        // What cannot be taken out cannot go on.
        let stream = request.stream();
        let refuse = |_: EditError| Stop::Input {
            why: refusal_of(&judgement.decision),
            stream,
        };
        match changed(&request, redactor).map_err(refuse)? {
            None => Ok(request),
            Some(body) => Request::read(self.endpoint, body, &self.engine.parse)
                .map_err(|_| refuse(EditError::Invalid)),
        }
    }

    /// What the system prompt does not say, and marks around what others wrote (IN-12, IN-13).
    fn harden(&self, request: &Request, edits: &mut Edits<'_>) -> Result<(), EditError> {
        let hardening = &self.engine.guarding.hardening;
        if !matches!(
            self.endpoint,
            Endpoint::ChatCompletions | Endpoint::Responses | Endpoint::Messages
        ) {
            return Ok(());
        }
        let mut said = String::new();
        if hardening.system_prompt {
            let system: Vec<&str> = request
                .conversation()
                .parts
                .iter()
                .filter(|part| part.origin == Origin::System)
                .map(|part| part.text.as_str())
                .collect();
            said = Hardening::block(&Hardening::missing(&system.join("\n")));
        }
        if hardening.delimit_data {
            let mut nonce = [0; NONCE_BYTES];
            getrandom::fill(&mut nonce).map_err(|_| EditError::Invalid)?;
            let envelope = Envelope::new(nonce);
            if edits.wrap_foreign(&envelope)? > 0 {
                said.push_str(&envelope.instruction());
            }
        }
        if !said.is_empty() {
            edits.prepend_system(&said)?;
        }
        Ok(())
    }

    /// Bounds on decoding (JB-10), and no probabilities for those who are not entitled to them
    /// (EX-09).
    fn bound(&self, request: &Request, edits: &mut Edits<'_>) -> Result<(), EditError> {
        let guarding = &self.engine.guarding;
        let generates = matches!(
            self.endpoint,
            Endpoint::ChatCompletions
                | Endpoint::Completions
                | Endpoint::Responses
                | Endpoint::Messages
        );
        if let Some(ceiling) = guarding.decode.max_temperature
            && generates
            && request.temperature().is_none_or(|asked| asked > ceiling)
        {
            edits.temperature_ceiling(ceiling);
        }
        if let Some(most) = guarding.decode.max_output_tokens
            && generates
            && request.max_tokens().is_none_or(|asked| asked > most)
        {
            edits.set(max_tokens_field(self.endpoint, edits), &most.into());
        }
        if guarding.decode.max_output_tokens.is_some()
            && self.endpoint == Endpoint::ChatCompletions
            && edits.has(NEW_MAX_TOKENS)
        {
            // Some upstreams read the old name first, and none needs both.
            let bound = request.max_tokens().into_iter();
            let bound = bound.chain(guarding.decode.max_output_tokens).min();
            edits.set(NEW_MAX_TOKENS, &bound.into());
            edits.remove(OLD_MAX_TOKENS);
        }
        if !guarding.decode.banned_tokens.is_empty() && self.endpoint == Endpoint::ChatCompletions {
            edits.ban_tokens(&guarding.decode.banned_tokens)?;
        }
        if request.asks_logprobs() && !self.may_see_logprobs() {
            edits.ask_no_logprobs();
        }
        Ok(())
    }

    pub(super) fn may_see_logprobs(&self) -> bool {
        self.engine.guarding.logprobs_for_all || self.principal.entitlements.logprobs
    }

    /// The proof that the policy lets the request through.
    pub(super) fn permit(
        &self,
        passed: &Passed,
        request: UpstreamRequest,
    ) -> Result<Permit<UpstreamRequest>, Stop> {
        let policy = self.engine.judge.policy();
        let decision = &passed.judgement.decision;
        let permit = match &passed.approval {
            Some(approval) => policy.admit_reviewed(request, decision, approval),
            None => policy.admit_redacted(request, decision),
        };
        permit.map_err(|_| Stop::Input {
            why: refusal_of(decision),
            stream: passed.outgoing.stream(),
        })
    }
}

/// The names that Chat Completions has for the most tokens of an answer.
const NEW_MAX_TOKENS: &str = "max_completion_tokens";
const OLD_MAX_TOKENS: &str = "max_tokens";

fn max_tokens_field(endpoint: Endpoint, edits: &Edits<'_>) -> &'static str {
    match endpoint {
        Endpoint::ChatCompletions if !edits.has(OLD_MAX_TOKENS) => NEW_MAX_TOKENS,
        Endpoint::Responses => "max_output_tokens",
        _ => OLD_MAX_TOKENS,
    }
}

/// The kind of refusal; that of what was not looked at where the policy names none.
pub(super) fn refusal_of(decision: &Decision) -> RefusalKey {
    decision.refusal.unwrap_or(RefusalKey::Incomplete)
}
