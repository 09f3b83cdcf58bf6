//! An answer that follows piece by piece.

use std::{sync::Arc, time::Duration};

use bartizan_core::{Finding, Verdict};
use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body::Frame;
use http_body_util::StreamBody;

use super::{
    exchange::{Exchange, Stop},
    input::{Passed, refusal_of},
};
use crate::{
    body::{Body, BoxError},
    content::MAX_CONTENT,
    record::{Hashing, Label, Outcome, Side, StreamBegun, What},
    upstream::{Route, UpstreamBody, UpstreamResponse},
    wire::stream::{Ending, Flow, GuardedStream, StreamSetup},
};

/// A stream that may begin.
pub(super) struct Opened {
    head: Response<()>,
    body: UpstreamBody,
    guard: GuardedStream,
}

/// A guarded stream under way, whoever moves its bytes. Dropped in the middle, it records that the
/// client went away.
pub(super) struct Tally {
    exchange: Option<Exchange>,
    guard: Option<GuardedStream>,
    hashing: Option<Hashing>,
    length: u64,
}

impl Exchange {
    /// The guard of an answer that comes as a stream.
    pub(super) fn stream_guard(
        &self,
        passed: Passed,
        route: &Route,
    ) -> Result<GuardedStream, Stop> {
        let engine = Arc::clone(&self.engine);
        let principal = Arc::clone(&self.principal);
        let why = refusal_of(&passed.judgement.decision);
        let restore = passed.vault.map(Arc::new);
        let setup = StreamSetup {
            judge: engine.judge.clone(),
            redactor: Arc::new({
                let engine = Arc::clone(&engine);
                move || engine.one_way_redactor(&principal)
            }),
            restore: restore.clone(),
            sink: engine.sink,
            route: route.pattern().to_string(),
            tenant: self.principal.tenant.to_string(),
            today: super::engine::today(&*self.gateway.clock),
            logprobs: self.may_see_logprobs(),
            refusal: Some(engine.judge.policy().refusal(why, &self.locale).to_owned()),
            config: engine.stream.clone(),
            calls: self.call_examiner(restore),
        };
        GuardedStream::new(self.endpoint, setup)
            .map_err(|_| Stop::rejected(super::output::unexpected()))
    }

    /// Puts the guard before an upstream's stream.
    pub(super) fn guard_stream(
        &self,
        response: UpstreamResponse,
        passed: Passed,
        route: &Route,
    ) -> Result<Opened, Stop> {
        let guard = self.stream_guard(passed, route)?;
        let mut head = Response::new(());
        *head.headers_mut() = response.headers;
        let headers = head.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/event-stream; charset=utf-8"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.remove(header::CONTENT_LENGTH);
        // Proxies in front must not gather what we pass on at once.
        headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
        Ok(Opened {
            head,
            body: response.body,
            guard,
        })
    }

    /// Begins the stream once that is recorded; its end is recorded before its last bytes go.
    pub(super) async fn open(self, opened: Opened) -> Response<Body> {
        if let Err(stop) = self.begin_stream().await {
            return self.end(stop).await;
        }
        let mut response = opened.head.map(|()| Body::Empty);
        self.sign(&mut response);
        let flowing = Flowing {
            tally: Tally::new(self, opened.guard),
            upstream: Some(opened.body),
        };
        let frames = futures_util::stream::unfold(flowing, |mut flowing| async move {
            let bytes = flowing.next().await?;
            Some((Ok::<_, BoxError>(Frame::data(bytes)), flowing))
        });
        response.map(|_| Body::stream(StreamBody::new(frames)))
    }

    /// Records that a stream begins.
    pub(super) async fn begin_stream(&self) -> Result<(), Stop> {
        let begun = StreamBegun {
            user_id: (&self.principal.id).into(),
            model: self.interaction.model.clone(),
            endpoint: self.endpoint.path().into(),
            request_hash: self.interaction.request_hash,
            upstream: self.interaction.upstream.clone(),
            policy_version: Label::Known(self.engine.judge.policy().version().into()),
        };
        let kept = self.slot.add(What::StreamBegun(begun)).await;
        kept.map_err(Stop::rejected)
    }
}

/// A stream of an upstream of ours.
struct Flowing {
    tally: Tally,
    upstream: Option<UpstreamBody>,
}

impl Flowing {
    /// The next bytes for the client; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        let mut out = Vec::new();
        while let Some(upstream) = &mut self.upstream {
            let exchange = self.tally.exchange.as_mut()?;
            let guard = self.tally.guard.as_mut()?;
            let clock = Arc::clone(&exchange.gateway.clock);
            let before = clock.nanos();
            let batch = Duration::from_millis(exchange.engine.stream.batch_ms);
            let piece = if guard.is_waiting() {
                tokio::time::timeout(batch, upstream.next()).await
            } else {
                Ok(upstream.next().await)
            };
            exchange.waited += clock.nanos().saturating_sub(before);
            let flow = match piece {
                Err(_quiet) => guard.flush(&mut out),
                Ok(Some(Ok(bytes))) => guard.push(&bytes, &mut out),
                Ok(Some(Err(_)) | None) => {
                    guard.finish(&mut out);
                    Flow::Ended
                }
            };
            if flow == Flow::Ended {
                self.upstream = None;
            }
            if !out.is_empty() {
                break;
            }
        }
        self.tally.count(&out);
        if self.upstream.is_none() {
            self.tally.end().await;
        }
        (!out.is_empty()).then(|| Bytes::from(out))
    }
}

impl Tally {
    pub(super) fn new(exchange: Exchange, guard: GuardedStream) -> Self {
        Self {
            hashing: Some(exchange.gateway.recorder.hasher().begin()),
            exchange: Some(exchange),
            guard: Some(guard),
            length: 0,
        }
    }

    /// Nanoseconds that were not ours.
    #[cfg(feature = "envoy")]
    pub(super) fn waited(&mut self, nanos: u64) {
        if let Some(exchange) = &mut self.exchange {
            exchange.waited += nanos;
        }
    }

    /// What the client gets for the next bytes of a stream that somebody else fetches; with the last ones, everything that
    /// is left, once the end is recorded.
    #[cfg(feature = "envoy")]
    pub(super) async fn push(&mut self, bytes: &[u8], is_last: bool) -> Bytes {
        let mut out = Vec::new();
        let mut flow = Flow::Ended;
        if let Some(guard) = self.guard.as_mut() {
            flow = guard.push(bytes, &mut out);
            if is_last && flow == Flow::Open {
                guard.finish(&mut out);
                flow = Flow::Ended;
            }
        }
        self.count(&out);
        if flow == Flow::Ended {
            self.end().await;
        }
        out.into()
    }

    fn count(&mut self, out: &[u8]) {
        if out.is_empty() {
            return;
        }
        if let Some(hashing) = &mut self.hashing {
            hashing.update(out);
        }
        if let Some(exchange) = &mut self.exchange
            && exchange.gateway.keeper.is_some()
            && exchange.went.len() <= MAX_CONTENT
        {
            exchange.went.extend_from_slice(out);
        }
        if self.length == 0
            && let Some(exchange) = &mut self.exchange
        {
            let since = exchange.gateway.clock.nanos();
            let since = since.saturating_sub(exchange.started);
            exchange.interaction.first_byte_us = Some(since / 1_000);
        }
        self.length += out.len() as u64;
    }

    /// Records how the stream ended. When that cannot be kept, it is recorded as a gap: what the
    /// client has cannot be taken back.
    async fn end(&mut self) {
        let Some((mut exchange, outcome)) = self.outcome() else {
            return;
        };
        exchange.interaction.outcome = outcome;
        // What the stream did is done; a database that fails now costs an approval, not more.
        let _ = exchange.ask_for_calls().await;
        let _ = exchange.use_approvals().await;
        exchange.settle().await;
        let (slot, interaction) = exchange.into_record();
        let _ = slot.finish(interaction).await;
    }

    /// Takes the exchange out, with what the stream came to.
    fn outcome(&mut self) -> Option<(Exchange, Outcome)> {
        let mut exchange = self.exchange.take()?;
        let seen = self.guard.take()?.into_outcome();
        let tokens = |bytes: u64| bytes.div_ceil(4);
        let input = exchange.interaction.prompt_tokens;
        exchange.usage.input_tokens += seen.usage.input.unwrap_or(input);
        exchange.usage.output_tokens +=
            seen.usage.output.unwrap_or_else(|| tokens(seen.text_bytes));
        exchange.usage.cached_input_tokens += seen.usage.cached.unwrap_or(0);
        exchange.interaction.status = 200;
        exchange.interaction.response_length = self.length;
        exchange.interaction.response_hash = self.hashing.take().map(Hashing::finish);
        if let Some(id) = &seen.id {
            exchange
                .gateway
                .known_answers
                .remember(id, &exchange.principal.id);
        }
        let action = |finding: &Finding| {
            let found = seen.findings.iter().find(|found| found.finding == *finding);
            found
                .filter(|found| !found.shadow)
                .map_or(Verdict::Allow, |found| found.action)
        };
        let findings = seen.findings.iter().map(|found| &found.finding);
        exchange.output = Some(Side::of_stream(seen.verdict, findings, action, &seen.gaps));
        let outcome = match seen.ending {
            Ending::Complete => Outcome::Answered,
            Ending::Blocked | Ending::Limit(_) | Ending::Unread => Outcome::OutputBlocked,
            Ending::Malformed(_) | Ending::UpstreamError | Ending::Truncated => {
                Outcome::UpstreamFailed
            }
            Ending::Open => Outcome::ClientGone,
        };
        Some((exchange, outcome))
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        // The client went away, or the gateway stops.
        let Some((mut exchange, _)) = self.outcome() else {
            return;
        };
        exchange.interaction.outcome = Outcome::ClientGone;
        exchange.count();
        let admission = exchange.admission.take();
        let usage = exchange.usage;
        if let (Some(admission), Ok(runtime)) = (admission, tokio::runtime::Handle::try_current()) {
            runtime.spawn(admission.settle(usage));
        }
        let (slot, interaction) = exchange.into_record();
        slot.finish_now(interaction);
    }
}
