//! What all formats share: the setup, what was found so far, and how a stream stops.

use bartizan_core::{Direction, Finding, Origin, Report, Verdict};
use bartizan_guard::{
    Judgement, NO_CLOCK, StreamSubject,
    conversation::{Conversation, Format as Wire, Part},
    redact::Redactor,
};
use bartizan_policy::DecisionContext;

use super::{
    Ending, FoundIn, MAX_FINDINGS, Outcome, StreamSetup,
    channel::Channel,
    json::{Edits, Tape, Value},
    leaves::Rest,
};

/// A format of a stream.
pub(super) trait Format: Send {
    /// Takes one event.
    fn event(
        &mut self,
        core: &mut Core,
        name: &str,
        data: &str,
        out: &mut Vec<u8>,
    ) -> Result<Next, Stop>;

    /// Looks at what waits.
    fn flush(&mut self, core: &mut Core, out: &mut Vec<u8>) -> Result<(), Stop>;

    /// Whether text waits to be looked at.
    fn is_waiting(&self) -> bool;

    /// The upstream ended without saying so: writes the end, or tells what is missing.
    fn finish(&mut self, core: &mut Core, out: &mut Vec<u8>) -> Result<(), Stop>;

    /// Ends the stream for the client.
    fn close(&mut self, core: &mut Core, stop: Stop, out: &mut Vec<u8>);
}

/// What follows an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    More,
    End,
}

/// Why a stream stops before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Blocked,
    Limit(&'static str),
    Unread,
    Malformed(&'static str),
    Upstream,
    Truncated,
}

impl Stop {
    /// Whether we refuse what the upstream could go on with.
    pub(super) const fn is_refusal(self) -> bool {
        matches!(self, Self::Blocked | Self::Limit(_) | Self::Unread)
    }

    pub(super) const fn ending(self) -> Ending {
        match self {
            Self::Blocked => Ending::Blocked,
            Self::Limit(key) => Ending::Limit(key),
            Self::Unread => Ending::Unread,
            Self::Malformed(what) => Ending::Malformed(what),
            Self::Upstream => Ending::UpstreamError,
            Self::Truncated => Ending::Truncated,
        }
    }

    /// What the client reads about a failure that is not its own.
    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::Malformed(_) => "the upstream sent what is no stream of this format",
            Self::Truncated => "the upstream broke off in the middle of its answer",
            _ => "the upstream failed while it answered",
        }
    }
}

/// The part of a guarded stream that every format has.
pub(super) struct Core {
    pub(super) setup: StreamSetup,
    pub(super) outcome: Outcome,
    pub(super) rest: Rest,
    /// Made when it is first needed.
    redactor: Option<Redactor>,
    channels: usize,
    call_bytes: usize,
    /// Memory for the event at hand.
    pub(super) tape: Tape,
    pub(super) edits: Edits,
}

impl Core {
    pub(super) fn new(setup: StreamSetup) -> Self {
        Self {
            redactor: None,
            setup,
            outcome: Outcome::default(),
            rest: Rest::default(),
            channels: 0,
            call_bytes: 0,
            tape: Tape::default(),
            edits: Edits::default(),
        }
    }

    pub(super) const fn is_ended(&self) -> bool {
        !matches!(self.outcome.ending, Ending::Open)
    }

    /// Counts one more text or call.
    pub(super) const fn open(&mut self) -> Result<(), Stop> {
        self.channels += 1;
        if self.channels > self.setup.config.max_channels {
            return Err(Stop::Limit("max-channels"));
        }
        Ok(())
    }

    /// A channel for the text at `name`.
    pub(super) fn channel(&mut self, name: String) -> Result<Channel, Stop> {
        self.open()?;
        Ok(Channel::new(name, self))
    }

    /// Appends to a call that is held; all of them together are bounded.
    pub(super) fn hold(&mut self, call: &mut String, more: &str) -> Result<(), Stop> {
        self.call_bytes += more.len();
        if self.call_bytes > self.setup.config.max_call_bytes {
            return Err(Stop::Limit("max-call-bytes"));
        }
        call.push_str(more);
        Ok(())
    }

    /// Counts text of the upstream.
    pub(super) fn count_text(&mut self, bytes: usize) -> Result<(), Stop> {
        self.outcome.text_bytes += bytes as u64;
        if self.outcome.text_bytes > self.setup.config.max_text_bytes as u64 {
            return Err(Stop::Limit("max-text-bytes"));
        }
        Ok(())
    }

    /// Records why a choice ended; the last reason counts.
    pub(super) fn finished(&mut self, index: u64, reason: &str) {
        let reasons = &mut self.outcome.finish_reasons;
        reasons.retain(|(known, _)| *known != index);
        reasons.push((index, reason.to_owned()));
    }

    /// The redactor of what is judged as a whole.
    pub(super) fn redactor(&mut self) -> &mut Redactor {
        let make = &self.setup.redactor;
        self.redactor.get_or_insert_with(|| make().without_tokens())
    }

    pub(super) fn subject(&self) -> StreamSubject {
        StreamSubject {
            origin: Origin::Model,
            direction: Direction::Output,
            sink: self.setup.sink,
            route: self.setup.route.clone(),
            tenant: self.setup.tenant.clone(),
            today: self.setup.today,
        }
    }

    fn context(setup: &StreamSetup) -> DecisionContext<'_> {
        let mut cx = DecisionContext::new(Direction::Output, Origin::Model, setup.today);
        cx.route = &setup.route;
        cx.tenant = &setup.tenant;
        cx
    }

    /// Records what was found in the text at `channel`.
    pub(super) fn note(&mut self, channel: &str, findings: Vec<Finding>) {
        for finding in findings {
            let report = Report {
                findings: vec![finding.clone()],
                coverage: Vec::new(),
            };
            let policy = self.setup.judge.policy();
            let decision = policy.decide(&report, &Self::context(&self.setup));
            // What no row of the policy lists is not reported.
            if let Some(reason) = decision.reasons.first() {
                let (action, shadow) = (reason.action, reason.shadow || policy.is_shadow());
                self.found(channel, finding, action, shadow);
            }
        }
    }

    fn found(&mut self, channel: &str, finding: Finding, action: Verdict, shadow: bool) {
        if !shadow {
            self.outcome.verdict = self.outcome.verdict.join(action);
        }
        if self.outcome.findings.len() >= MAX_FINDINGS {
            self.outcome.findings_left_out += 1;
            return;
        }
        self.outcome.findings.push(FoundIn {
            channel: channel.to_owned(),
            finding,
            action,
            shadow,
        });
    }

    /// Records checks that did not look at everything, and stops where the policy says so.
    pub(super) fn note_gaps(&mut self, gaps: &[bartizan_core::Coverage]) -> Result<(), Stop> {
        let report = Report {
            findings: Vec::new(),
            coverage: gaps.to_vec(),
        };
        for gap in gaps {
            if !self.outcome.gaps.contains(gap) {
                self.outcome.gaps.push(gap.clone());
            }
        }
        let policy = self.setup.judge.policy();
        let decision = policy.decide(&report, &Self::context(&self.setup));
        let action = decision
            .gaps
            .iter()
            .filter(|gap| gap.check.is_some() && !gap.shadow && !policy.is_shadow())
            .map(|gap| gap.action)
            .max()
            .unwrap_or_default();
        self.outcome.verdict = self.outcome.verdict.join(action);
        if action >= Verdict::Ask {
            return Err(Stop::Blocked);
        }
        Ok(())
    }

    /// Judges parts of the answer that are complete, and records what was found in them.
    pub(super) fn judge(&mut self, channel: &str, parts: Vec<Part>) -> Judgement {
        self.judge_with(channel, parts, Vec::new())
    }

    /// The same with what others say against it.
    pub(super) fn judge_with(
        &mut self,
        channel: &str,
        parts: Vec<Part>,
        against: Vec<Finding>,
    ) -> Judgement {
        let conversation = Conversation {
            format: Wire::Answer,
            parts,
        };
        let cx = Self::context(&self.setup);
        let judge = &self.setup.judge;
        let mut parts = judge.look(&conversation, self.setup.sink, NO_CLOCK, &cx);
        if let Some(part) = parts.first_mut() {
            part.inspection.report.findings.extend(against);
        }
        let judgement = judge.decide(parts, &cx);
        let in_shadow = self.setup.judge.policy().is_shadow();
        for reason in &judgement.decision.reasons {
            if let Some(finding) = judgement.finding(reason) {
                let shadow = reason.shadow || in_shadow;
                self.found(channel, finding.clone(), reason.action, shadow);
            }
        }
        self.outcome.verdict = self.outcome.verdict.join(judgement.decision.enforced());
        let gaps = judgement
            .parts
            .iter()
            .flat_map(|part| &part.inspection.report.coverage)
            .filter(|coverage| coverage.outcome.is_err());
        for gap in gaps {
            if !self.outcome.gaps.contains(gap) {
                self.outcome.gaps.push(gap.clone());
            }
        }
        judgement
    }

    /// Judges what no table of the format knew, collected in [`Self::rest`]: it passes or stops the
    /// stream.
    pub(super) fn judge_rest(&mut self) -> Result<(), Stop> {
        if self.rest.is_empty() {
            return Ok(());
        }
        let parts = self.rest.take()?;
        if parts.is_empty() {
            return Ok(());
        }
        let verdict = self.judge("other", parts).decision.enforced();
        if verdict >= Verdict::Redact {
            self.outcome.verdict = self.outcome.verdict.join(Verdict::Block);
            return Err(Stop::Blocked);
        }
        Ok(())
    }

    /// Whether `value`, which a client can do without, may pass as it is.
    pub(super) fn passes(&mut self, channel: &str, value: Value<'_>) -> bool {
        let mut rest = Rest::default();
        rest.collect(value);
        if rest.is_empty() {
            return true;
        }
        let Ok(parts) = rest.take() else {
            return false;
        };
        self.judge(channel, parts).decision.enforced() < Verdict::Redact
    }
}
