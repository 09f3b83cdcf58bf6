//! One connection: handshake, protocol, requests.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulConnection},
};
use tokio::{net::TcpStream, sync::watch};
use tokio_rustls::TlsAcceptor;

use super::{
    config::ServerConfig,
    gate::{Gate, Slot},
    io::{Activity, Open, Patience, Taking, Watched},
    service::{Peer, Service},
    tls::Tls,
};
use crate::{
    body::{Body, BoxError},
    fault::{Fault, FaultKind},
};

/// What the operator wants of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Go on.
    No,
    /// End when the open requests are answered.
    Drain,
    /// End now.
    Cut,
}

/// What all connections of a server share.
pub(super) struct Shared<S> {
    pub(super) service: S,
    pub(super) gate: Arc<Gate>,
    pub(super) tls: Option<Arc<Tls>>,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    /// For clients that may begin with HTTP/2 without TLS.
    either: Option<auto::Builder<TokioExecutor>>,
    patience: Patience,
    handshake: Duration,
}

impl<S: Service> Shared<S> {
    pub(super) fn new(
        service: S,
        gate: Arc<Gate>,
        tls: Option<Arc<Tls>>,
        config: &ServerConfig,
    ) -> Self {
        let either = (config.http2_plain_text && tls.is_none()).then(|| either_builder(config));
        Self {
            service,
            gate,
            tls,
            http1: http1_builder(config),
            http2: http2_builder(config),
            either,
            patience: Patience {
                header: Duration::from_millis(config.header_ms),
                idle: Duration::from_millis(config.idle_ms),
                grace: Duration::from_millis(config.grace_ms),
                min_bytes_per_second: config.min_bytes_per_second,
            },
            handshake: Duration::from_millis(config.handshake_ms),
        }
    }

    /// Serves one connection to its end. What goes wrong on it is nobody else's business.
    pub(super) async fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        peer: Peer,
        mut stop: watch::Receiver<Stop>,
    ) {
        let activity = Arc::new(Activity::new(self.patience));
        let watched = Watched::new(stream, Arc::clone(&activity));
        let Some(tls) = &self.tls else {
            return self.serve_plain(watched, peer, activity, &mut stop).await;
        };
        let handshake = TlsAcceptor::from(tls.current()).accept(watched);
        let Ok(Ok(mut stream)) = tokio::time::timeout(self.handshake, handshake).await else {
            return;
        };
        activity.handshake_done();
        let (socket, session) = stream.get_mut();
        let http2 = session.alpn_protocol() == Some(b"h2");
        let peer = Arc::new(Peer {
            certificates: session
                .peer_certificates()
                .map(<[_]>::to_vec)
                .unwrap_or_default(),
            encrypted: true,
            ..peer
        });
        if http2 {
            socket.http2();
        }
        let service = self.requests(peer, activity, http2);
        let io = TokioIo::new(stream);
        if http2 {
            drive(self.http2.serve_connection(io, service), &mut stop).await;
        } else {
            drive(self.http1.serve_connection(io, service), &mut stop).await;
        }
    }

    async fn serve_plain(
        self: &Arc<Self>,
        mut stream: Watched<TcpStream>,
        peer: Peer,
        activity: Arc<Activity>,
        stop: &mut watch::Receiver<Stop>,
    ) {
        let peer = Arc::new(peer);
        let Some(either) = &self.either else {
            let service = self.requests(peer, activity, false);
            let connection = self.http1.serve_connection(TokioIo::new(stream), service);
            return drive(connection, stop).await;
        };
        // Which protocol it is shows only later: heads are then bounded by the idle time.
        stream.http2();
        let service = self.requests(peer, activity, true);
        drive(either.serve_connection(TokioIo::new(stream), service), stop).await;
    }

    fn requests(
        self: &Arc<Self>,
        peer: Arc<Peer>,
        activity: Arc<Activity>,
        http2: bool,
    ) -> impl hyper::service::Service<
        Request<Incoming>,
        Response = Response<Answer>,
        Error = Infallible,
        Future: Send + 'static,
    > + use<S> {
        let shared = Arc::clone(self);
        service_fn(move |request| {
            let shared = Arc::clone(&shared);
            let peer = Arc::clone(&peer);
            let open = activity.open();
            let taking = http2.then(|| activity.watch());
            async move {
                let (answer, slot) = shared.answer(request, peer).await;
                Ok(answer.map(|body| Answer {
                    body,
                    taking,
                    _open: open,
                    _slot: slot,
                }))
            }
        })
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: Arc<Peer>,
    ) -> (Response<Body>, Option<Slot>) {
        let method = request.method().clone();
        let uri = request.uri().clone();
        let fault = |fault: &Fault| self.service.fault(&method, uri.path(), fault);
        let slot = match self.gate.enter().await {
            Ok(slot) => slot,
            Err(overloaded) => return (fault(&overloaded), None),
        };
        let called = AssertUnwindSafe(self.service.call(request, peer));
        let answer = called.catch_unwind().await.unwrap_or_else(|_panic| {
            fault(&Fault::new(
                FaultKind::Internal,
                "internal_error",
                "something went wrong on our side",
            ))
        });
        (answer, Some(slot))
    }
}

fn http1_builder(config: &ServerConfig) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        // Hyper's own time-out would also bound idle connections; `Watched` tells them apart.
        .header_read_timeout(None)
        .max_header_size(config.max_header_bytes)
        .max_buf_size(config.max_header_bytes.max(MIN_BUFFER));
    if config.max_headers != HEADERS_ON_STACK {
        builder.max_headers(config.max_headers);
    }
    builder
}

/// Hyper refuses less.
const MIN_BUFFER: usize = 64 * 1_024;

/// Hyper keeps so many headers on the stack, and any other number on the heap.
const HEADERS_ON_STACK: usize = 100;

fn http2_builder(config: &ServerConfig) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .max_concurrent_streams(config.max_streams_per_connection)
        .max_header_list_size(header_list(config))
        .max_send_buf_size(MIN_BUFFER);
    builder
}

/// Between pings of an HTTP/2 connection with open requests, and how long an echo may take.
const PING: Duration = Duration::from_secs(20);

fn either_builder(config: &ServerConfig) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(config.header_ms))
        .max_headers(config.max_headers)
        .max_buf_size(config.max_header_bytes.max(MIN_BUFFER));
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .max_concurrent_streams(config.max_streams_per_connection)
        .max_header_list_size(header_list(config))
        .max_send_buf_size(MIN_BUFFER);
    builder
}

fn header_list(config: &ServerConfig) -> u32 {
    u32::try_from(config.max_header_bytes).unwrap_or(u32::MAX)
}

async fn drive<C: GracefulConnection>(connection: C, stop: &mut watch::Receiver<Stop>) {
    let mut connection = std::pin::pin!(connection);
    loop {
        let wanted = *stop.borrow_and_update();
        match wanted {
            Stop::No => {}
            Stop::Drain => connection.as_mut().graceful_shutdown(),
            Stop::Cut => return,
        }
        tokio::select! {
            biased;
            _ended = connection.as_mut() => return,
            changed = stop.changed() => {
                if changed.is_err() {
                    return;
                }
            }
        }
    }
}

/// An answer on its way to the client; its request is open, and its slot taken, until it is gone.
struct Answer {
    body: Body,
    taking: Option<Arc<Taking>>,
    _open: Open,
    _slot: Option<Slot>,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if let Some(taking) = &this.taking {
            taking.asked();
        }
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        if let (Poll::Ready(Some(Ok(frame))), Some(taking)) = (&frame, &this.taking) {
            taking.handed(frame.data_ref().map_or(0, Bytes::len));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
