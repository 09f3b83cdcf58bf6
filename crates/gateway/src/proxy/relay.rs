//! A request whose model somebody else asks: a proxy shows us what it has, part by part, and does
//! what we say. Everything that a request of our own meets, it meets here too.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};

use super::{
    Gateway,
    exchange::{Exchange, Stop},
    input::Passed,
    output::json_response,
    stream::Tally,
};
use crate::{
    body::Body,
    clock::Clock,
    endpoint::Endpoint,
    fault::Fault,
    principal::Principal,
    record::Label,
    serve::expect_json,
    upstream::{Route, UpstreamError},
};

/// A request of which the head is known.
pub(crate) struct Relay {
    exchange: Exchange,
    /// Since when we wait for the proxy, in nanoseconds of the clock.
    idle_since: u64,
}

/// A request that may go on to its model.
pub(crate) struct Relayed {
    exchange: Exchange,
    passed: Passed,
    route: Arc<Route>,
    idle_since: u64,
}

/// A stream on its way back.
pub(crate) struct RelayedStream {
    tally: Tally,
    clock: Arc<dyn Clock>,
    idle_since: u64,
}

impl Gateway {
    /// Begins a request of whoever was proved, or says what it is told instead.
    pub(crate) async fn relay(
        self: &Arc<Self>,
        endpoint: Endpoint,
        headers: &HeaderMap,
        proved: Result<Arc<Principal>, Fault>,
    ) -> Result<Box<Relay>, Response<Body>> {
        let mut exchange = self.begin(endpoint, headers, proved).await?;
        exchange.interaction.upstream = Label::Known("envoy".into());
        Ok(Box::new(Relay {
            exchange,
            idle_since: self.clock.nanos(),
        }))
    }
}

impl Relay {
    /// Judges the request with its whole body; what does not go on has its answer here.
    pub(crate) async fn accept(
        self,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Box<Relayed>, Response<Body>> {
        let Self {
            mut exchange,
            idle_since,
        } = self;
        wait(&mut exchange, idle_since);
        let accepted = async {
            expect_json(headers).map_err(Stop::rejected)?;
            let request = exchange.read(body)?;
            if exchange.endpoint == Endpoint::Moderations {
                return Ok(Err(exchange.moderate(&request).await));
            }
            exchange.begin_agent(&request, headers).await?;
            exchange.accept(request, headers).await.map(Ok)
        };
        match accepted.await {
            Ok(Ok((passed, route))) => Ok(Box::new(Relayed {
                idle_since: exchange.gateway.clock.nanos(),
                exchange,
                passed,
                route,
            })),
            Ok(Err(answer)) => Err(exchange.close(answer).await),
            Err(stop) => Err(exchange.end(stop).await),
        }
    }

    /// What the client is told in the place of everything else.
    pub(crate) async fn refuse(self, fault: Fault) -> Response<Body> {
        let mut exchange = self.exchange;
        wait(&mut exchange, self.idle_since);
        exchange.end(Stop::rejected(fault)).await
    }
}

impl Relayed {
    /// The body as it goes to the model.
    pub(crate) const fn body(&self) -> &Bytes {
        self.passed.outgoing.body()
    }

    /// Whether a stream was asked for.
    pub(crate) const fn wants_stream(&self) -> bool {
        self.passed.outgoing.stream()
    }

    /// Judges a whole answer: `Ok` is the answer, perhaps redacted, `Err` what the client gets in its
    /// place.
    pub(crate) async fn whole(
        self,
        status: StatusCode,
        body: Bytes,
    ) -> Result<Response<Body>, Response<Body>> {
        let Self {
            mut exchange,
            passed,
            route,
            idle_since,
        } = self;
        wait(&mut exchange, idle_since);
        let answered = async {
            let answer = exchange.read_answer(body)?;
            let usage = answer.usage();
            exchange.spend(usage, &answer);
            match exchange.guard_answer(&answer, &passed, &route).await? {
                Ok(body) => {
                    exchange.answered(&answer);
                    Ok(body)
                }
                Err(why) => Err(Stop::Output { why, usage }),
            }
        };
        match answered.await {
            Ok(body) => {
                let answer = json_response(status, HeaderMap::new(), body);
                let closed = exchange.close(answer).await;
                // What cannot be recorded is not given.
                if closed.status() == status {
                    Ok(closed)
                } else {
                    Err(closed)
                }
            }
            Err(stop) => Err(exchange.end(stop).await),
        }
    }

    /// Begins a stream: the headers that say what was done so far, and the stream.
    pub(crate) async fn stream(self) -> Result<(HeaderMap, Box<RelayedStream>), Response<Body>> {
        let Self {
            mut exchange,
            passed,
            route,
            idle_since,
        } = self;
        wait(&mut exchange, idle_since);
        let guard = match exchange.stream_guard(passed, &route) {
            Ok(guard) => guard,
            Err(stop) => return Err(exchange.end(stop).await),
        };
        if let Err(stop) = exchange.begin_stream().await {
            return Err(exchange.end(stop).await);
        }
        let mut head = Response::new(Body::Empty);
        exchange.sign(&mut head);
        let clock = Arc::clone(&exchange.gateway.clock);
        let stream = RelayedStream {
            idle_since: clock.nanos(),
            tally: Tally::new(exchange, guard),
            clock,
        };
        Ok((std::mem::take(head.headers_mut()), Box::new(stream)))
    }

    /// What the client is told where the model gave no answer that can be used.
    pub(crate) async fn fail(self, error: UpstreamError) -> Response<Body> {
        let mut exchange = self.exchange;
        wait(&mut exchange, self.idle_since);
        exchange.end(Stop::rejected(error.fault())).await
    }
}

impl RelayedStream {
    /// What the client gets for the next bytes of the model's stream.
    pub(crate) async fn push(&mut self, bytes: &[u8], is_last: bool) -> Bytes {
        let now = self.clock.nanos();
        self.tally.waited(now.saturating_sub(self.idle_since));
        let out = self.tally.push(bytes, is_last).await;
        self.idle_since = self.clock.nanos();
        out
    }
}

/// Time since `since` was not ours.
fn wait(exchange: &mut Exchange, since: u64) {
    let now = exchange.gateway.clock.nanos();
    exchange.waited += now.saturating_sub(since);
}
