use std::{
    collections::VecDeque,
    future::{Ready, ready},
    pin::Pin,
    sync::Arc,
};

use futures_util::{Stream, stream};
use http::{Request, Response};
use hyper::body::Incoming;
use tonic::{Status, Streaming, server::StreamingService};
use tonic_prost::ProstCodec;

use super::{
    EnvoyConfig,
    messages::{PROCESS, ProcessingRequest, ProcessingResponse},
    session::Session,
};
use crate::{
    body::Body,
    proxy::Gateway,
    serve::{Peer, Service},
};

/// Answers Envoy.
pub struct EnvoyService {
    shared: Arc<Shared>,
    max_message: usize,
}

/// What all conversations share.
pub(super) struct Shared {
    pub(super) gateway: Arc<Gateway>,
    pub(super) config: EnvoyConfig,
    /// Most bytes of a request's body.
    pub(super) max_body: usize,
}

/// Bytes of a message beside a body: heads, and the message's own.
const BESIDE_BODY: usize = 1 << 20;

impl EnvoyService {
    /// A service that judges with `gateway`, and takes bodies of requests of at most `max_body`
    /// bytes.
    #[must_use]
    pub fn new(gateway: Arc<Gateway>, config: EnvoyConfig, max_body: usize) -> Self {
        let most = max_body.max(config.max_answer_bytes);
        Self {
            shared: Arc::new(Shared {
                gateway,
                config,
                max_body,
            }),
            max_message: most.saturating_add(BESIDE_BODY),
        }
    }
}

impl Service for EnvoyService {
    async fn call(&self, request: Request<Incoming>, peer: Arc<Peer>) -> Response<Body> {
        if request.uri().path() != PROCESS {
            let status = Status::unimplemented("only external processing is served here");
            return status.into_http::<tonic::body::Body>().map(Body::stream);
        }
        let codec = ProstCodec::<ProcessingResponse, ProcessingRequest>::default();
        let mut grpc = tonic::server::Grpc::new(codec)
            .max_decoding_message_size(self.max_message)
            .max_encoding_message_size(self.max_message);
        let conversation = Conversation {
            shared: Arc::clone(&self.shared),
            peer,
        };
        grpc.streaming(conversation, request)
            .await
            .map(Body::stream)
    }
}

/// One HTTP request of Envoy's client, told in a stream of messages.
struct Conversation {
    shared: Arc<Shared>,
    peer: Arc<Peer>,
}

impl StreamingService<ProcessingRequest> for Conversation {
    type Response = ProcessingResponse;
    type ResponseStream = Pin<Box<dyn Stream<Item = Result<ProcessingResponse, Status>> + Send>>;
    type Future = Ready<Result<tonic::Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: tonic::Request<Streaming<ProcessingRequest>>) -> Self::Future {
        let talk = Talk {
            session: Session::new(Arc::clone(&self.shared), Arc::clone(&self.peer)),
            messages: request.into_inner(),
            ready: VecDeque::new(),
            over: false,
        };
        let answers = stream::unfold(talk, |mut talk| async move {
            let next = talk.next().await?;
            Some((next, talk))
        });
        ready(Ok(tonic::Response::new(Box::pin(answers))))
    }
}

struct Talk {
    session: Session,
    messages: Streaming<ProcessingRequest>,
    ready: VecDeque<ProcessingResponse>,
    over: bool,
}

impl Talk {
    /// The next answer; `None` at the end.
    async fn next(&mut self) -> Option<Result<ProcessingResponse, Status>> {
        loop {
            if let Some(response) = self.ready.pop_front() {
                return Some(Ok(response));
            }
            if self.over {
                return None;
            }
            match self.messages.message().await {
                Ok(Some(message)) => match self.session.hear(message).await {
                    Ok(responses) => {
                        self.ready.extend(responses);
                        self.over = self.session.is_over();
                    }
                    Err(status) => {
                        self.over = true;
                        return Some(Err(status));
                    }
                },
                Ok(None) => return None,
                Err(status) => {
                    self.over = true;
                    return Some(Err(status));
                }
            }
        }
    }
}
