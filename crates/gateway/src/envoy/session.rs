//! One request of Envoy's client, from its head to the end of its answer.

use std::{mem, net::SocketAddr, sync::Arc};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Response, StatusCode, header};
use tonic::Status;

use super::{
    EnvoyIdentity, OtherRoutes,
    headers::{self, Head},
    messages::{
        BodyMutation, BodySendMode, CommonAnswer, CommonResponse, Done, HeaderMutation,
        HeaderSendMode, HttpBody, HttpHeaders, Mutation, ProcessingMode, ProcessingRequest,
        ProcessingResponse, ProtocolConfiguration, Seen, StreamedBodyResponse, TrailersResponse,
    },
    service::Shared,
};
use crate::{
    body::{self, Body},
    endpoint::Endpoint,
    fault::{Fault, FaultKind},
    identity::{CREDENTIAL_HEADERS, is_name},
    principal::{Entitlements, Principal, Proof, Scope},
    proxy::{Relay, Relayed, RelayedStream, routes},
    serve::{Peer, too_large},
    upstream::UpstreamError,
};

/// What is known of one request, and what is awaited.
pub(super) struct Session {
    shared: Arc<Shared>,
    peer: Arc<Peer>,
    modes: Modes,
    state: State,
}

enum State {
    /// Nothing came yet.
    Start,
    /// The head of the request is known, and its body is coming.
    Request {
        relay: Box<Relay>,
        headers: HeaderMap,
        body: Gathered,
    },
    /// The request went on, and the answer has not begun.
    Sent(Box<Relayed>),
    /// An answer is coming that is judged as a whole.
    Whole {
        relayed: Box<Relayed>,
        status: StatusCode,
        body: Gathered,
    },
    /// An answer is coming that is judged piece by piece.
    Stream(Box<RelayedStream>),
    /// The operator lets it pass without a look.
    Unseen,
    /// Nothing more is said.
    Over,
}

/// In which mode bodies come; `None` where an older Envoy does not say.
#[derive(Clone, Copy, Default)]
struct Modes {
    request: Option<BodySendMode>,
    response: Option<BodySendMode>,
}

impl Modes {
    /// Modes in which everything can be seen.
    fn of(config: ProtocolConfiguration) -> Result<Self, Status> {
        let mode = |number: i32| {
            BodySendMode::try_from(number)
                .ok()
                .filter(|mode| !matches!(mode, BodySendMode::BufferedPartial | BodySendMode::Grpc))
                .ok_or_else(|| {
                    Status::failed_precondition(
                        "a body mode in which not everything is seen cannot be guarded",
                    )
                })
        };
        Ok(Self {
            request: Some(mode(config.request_body_mode)?),
            response: Some(mode(config.response_body_mode)?),
        })
    }

    /// Asks for the modes that suit; those of full duplex cannot be changed.
    fn wish(
        self,
        head: HeaderSendMode,
        request: BodySendMode,
        response: BodySendMode,
    ) -> Option<ProcessingMode> {
        let is_duplex = |mode| mode == Some(BodySendMode::FullDuplexStreamed);
        if is_duplex(self.request) || is_duplex(self.response) {
            return None;
        }
        Some(ProcessingMode {
            response_header_mode: head.into(),
            request_body_mode: request.into(),
            response_body_mode: response.into(),
        })
    }
}

/// A body so far.
#[derive(Default)]
struct Gathered {
    bytes: BytesMut,
    pieces: usize,
}

impl Gathered {
    /// Whether it is still within `most` bytes.
    fn add(&mut self, piece: &[u8], most: usize) -> bool {
        let fits = piece.len() <= most.saturating_sub(self.bytes.len());
        if fits {
            self.bytes.extend_from_slice(piece);
            self.pieces += 1;
        }
        fits
    }
}

type Answers = Result<Vec<ProcessingResponse>, Status>;

impl Session {
    pub(super) fn new(shared: Arc<Shared>, peer: Arc<Peer>) -> Self {
        Self {
            shared,
            peer,
            modes: Modes::default(),
            state: State::Start,
        }
    }

    /// Whether nothing more is to be said.
    pub(super) const fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// What is to be done with the part that Envoy shows.
    ///
    /// An error ends the conversation; Envoy then refuses the request.
    pub(super) async fn hear(&mut self, message: ProcessingRequest) -> Answers {
        if message.observability_mode {
            return Err(Status::failed_precondition(
                "in observability mode nothing could be refused",
            ));
        }
        if let Some(config) = message.protocol_config {
            self.modes = Modes::of(config)?;
        }
        let seen = message
            .request
            .ok_or_else(|| Status::invalid_argument("the message shows nothing"))?;
        match seen {
            Seen::RequestHeaders(head) => self.request_head(head).await,
            Seen::RequestBody(body) => self.request_body(body).await,
            Seen::RequestTrailers(_) => self.request_trailers().await,
            Seen::ResponseHeaders(head) => self.response_head(head).await,
            Seen::ResponseBody(body) => self.response_body(body).await,
            Seen::ResponseTrailers(_) => self.response_trailers().await,
        }
    }

    async fn request_head(&mut self, head: HttpHeaders) -> Answers {
        let State::Start = mem::replace(&mut self.state, State::Over) else {
            return Err(out_of_order());
        };
        let gateway = Arc::clone(&self.shared.gateway);
        let is_all = head.end_of_stream;
        let Some(head) = Head::read(head.headers) else {
            let fault = Fault::new(
                FaultKind::BadRequest,
                "invalid_request",
                "the head of the request cannot be read",
            );
            return self.refuse(gateway.turn_away("", &fault));
        };
        let Some(endpoint) = Endpoint::of(&head.method, &head.path) else {
            if self.shared.config.other_routes == OtherRoutes::PassUnseen {
                return self.pass_unseen(Vec::new());
            }
            let fault = routes::not_found(&head.path);
            return self.refuse(gateway.turn_away(&head.path, &fault));
        };
        let proved = self.prove(&head.headers);
        // What is compressed cannot be looked at, and a body that changes has another length.
        let mut taken = vec![
            header::ACCEPT_ENCODING.to_string(),
            header::CONTENT_LENGTH.to_string(),
        ];
        if proved
            .as_ref()
            .is_ok_and(|who| who.proof != Proof::Anonymous)
        {
            taken.extend(CREDENTIAL_HEADERS.map(|name| name.to_string()));
        }
        if matches!(endpoint, Endpoint::Models | Endpoint::Model) {
            taken.retain(|name| name != header::CONTENT_LENGTH.as_str());
            let proved = proved.and_then(|who| gateway.may_list(&who));
            return match proved {
                Ok(()) => self.pass_unseen(taken),
                Err(fault) => self.refuse(gateway.turn_away(&head.path, &fault)),
            };
        }
        let relay = match gateway.relay(endpoint, &head.headers, proved).await {
            Ok(relay) => relay,
            Err(refused) => return self.refuse(refused),
        };
        if is_all {
            return match relay.accept(&head.headers, Bytes::new()).await {
                Ok(_) => Err(Status::internal("a request without a body was let through")),
                Err(refused) => self.refuse(refused),
            };
        }
        self.state = State::Request {
            relay,
            headers: head.headers,
            body: Gathered::default(),
        };
        let done = Done::RequestHeaders(common(headers_only(Vec::new(), taken)));
        Ok(vec![ProcessingResponse {
            response: Some(done),
            mode_override: self.modes.wish(
                HeaderSendMode::Send,
                BodySendMode::Buffered,
                BodySendMode::Buffered,
            ),
        }])
    }

    /// Who asks, as the configuration has it.
    fn prove(&self, headers: &HeaderMap) -> Result<Arc<Principal>, Fault> {
        let config = &self.shared.config;
        let named = |header: &Option<String>| {
            let value = headers.get(header.as_deref()?)?;
            Some(value.to_str().unwrap_or_default().to_owned())
        };
        match config.identity {
            EnvoyIdentity::Keys => {
                let address = named(&config.address_header).and_then(|text| text.parse().ok());
                let peer = Peer {
                    address: SocketAddr::new(
                        address.unwrap_or(self.peer.address.ip()),
                        self.peer.address.port(),
                    ),
                    // Envoy's own certificate says nothing about its clients.
                    certificates: Vec::new(),
                    encrypted: self.peer.encrypted,
                };
                self.shared.gateway.authenticate(headers, &peer)
            }
            EnvoyIdentity::TrustEnvoy => {
                let id = match &config.principal_header {
                    None => Some(ENVOY.to_owned()),
                    header => named(header).filter(|name| is_name(name, 1)),
                };
                let id = id.ok_or_else(|| {
                    Fault::new(
                        FaultKind::Unauthenticated,
                        "principal_missing",
                        "nobody said who asks",
                    )
                })?;
                Ok(Arc::new(Principal {
                    id: id.into(),
                    proof: Proof::Anonymous,
                    tenant: "".into(),
                    team: "".into(),
                    groups: Vec::new(),
                    scopes: [Scope::Infer].into(),
                    models: Vec::new(),
                    entitlements: Entitlements::default(),
                }))
            }
        }
    }

    async fn request_body(&mut self, piece: HttpBody) -> Answers {
        match mem::replace(&mut self.state, State::Over) {
            State::Request {
                relay,
                headers,
                mut body,
            } => {
                if !body.add(&piece.body, self.shared.max_body) {
                    let fault = too_large(self.shared.max_body);
                    return self.refuse(relay.refuse(fault).await);
                }
                let is_buffered = self.modes.request == Some(BodySendMode::Buffered);
                if !piece.end_of_stream && !is_buffered {
                    self.state = State::Request {
                        relay,
                        headers,
                        body,
                    };
                    return Ok(held(self.modes.request, Done::RequestBody));
                }
                self.judge_request(relay, &headers, body, piece.end_of_stream)
                    .await
            }
            State::Unseen => self.echo(self.modes.request, piece, Done::RequestBody),
            _ => Err(out_of_order()),
        }
    }

    async fn judge_request(
        &mut self,
        relay: Box<Relay>,
        headers: &HeaderMap,
        body: Gathered,
        is_last: bool,
    ) -> Answers {
        let pieces = body.pieces;
        let came = body.bytes.freeze();
        let relayed = match relay.accept(headers, came.clone()).await {
            Ok(relayed) => relayed,
            Err(refused) => return self.refuse(refused),
        };
        let goes = relayed.body().clone();
        self.state = State::Sent(relayed);
        let change = Change::of(pieces, &came, &goes);
        let answer = body_answer(self.modes.request, goes, change, is_last, Vec::new());
        Ok(vec![said(Done::RequestBody(answer))])
    }

    /// Trailers end a body whose last piece did not say that it was the last.
    async fn request_trailers(&mut self) -> Answers {
        match mem::replace(&mut self.state, State::Over) {
            State::Request {
                relay,
                headers,
                body,
            } if self.modes.request == Some(BodySendMode::FullDuplexStreamed) => {
                let mut answers = self.judge_request(relay, &headers, body, false).await?;
                if !self.is_over() {
                    answers.push(said(Done::RequestTrailers(TrailersResponse::default())));
                }
                Ok(answers)
            }
            State::Request { relay, .. } => {
                // The body was held, and trailers give no way to let it go.
                let fault = Fault::new(
                    FaultKind::BadRequest,
                    "trailers_not_taken",
                    "a request with trailers is not taken",
                );
                self.refuse(relay.refuse(fault).await)
            }
            state @ (State::Sent(_) | State::Unseen) => {
                self.state = state;
                Ok(vec![said(Done::RequestTrailers(
                    TrailersResponse::default(),
                ))])
            }
            _ => Err(out_of_order()),
        }
    }

    async fn response_head(&mut self, head: HttpHeaders) -> Answers {
        let relayed = match mem::replace(&mut self.state, State::Over) {
            State::Sent(relayed) => relayed,
            State::Unseen => {
                self.state = State::Unseen;
                return Ok(vec![said(Done::ResponseHeaders(CommonAnswer::default()))]);
            }
            State::Request { relay, .. } => {
                tracing::warn!(
                    "Envoy let a request pass before its body was shown; see `request_body_mode`"
                );
                let fault = Fault::new(
                    FaultKind::BadGateway,
                    "request_not_seen",
                    "the model answered before the request was looked at",
                );
                return self.refuse(relay.refuse(fault).await);
            }
            _ => return Err(out_of_order()),
        };
        let is_empty = head.end_of_stream;
        let error = match headers::answer(head.headers) {
            None => UpstreamError::Unusable,
            Some((status, _)) if status.is_client_error() || status.is_server_error() => {
                UpstreamError::Status {
                    status,
                    code: None,
                    retry_after: None,
                }
            }
            Some((status, headers))
                if status.is_success() && !is_empty && !body::is_encoded(&headers) =>
            {
                return self.answer_begins(relayed, status, &headers).await;
            }
            Some(_) => UpstreamError::Unusable,
        };
        self.refuse(relayed.fail(error).await)
    }

    async fn answer_begins(
        &mut self,
        relayed: Box<Relayed>,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Answers {
        let mut set = Vec::new();
        let taken = vec![header::CONTENT_LENGTH.to_string()];
        let mode = if relayed.wants_stream() && body::is_of_type(headers, body::EVENT_STREAM) {
            let (signed, stream) = match relayed.stream().await {
                Ok(begun) => begun,
                Err(refused) => return self.refuse(refused),
            };
            set = headers::set(&signed);
            self.state = State::Stream(stream);
            BodySendMode::Streamed
        } else {
            self.state = State::Whole {
                relayed,
                status,
                body: Gathered::default(),
            };
            BodySendMode::Buffered
        };
        let done = Done::ResponseHeaders(common(headers_only(set, taken)));
        Ok(vec![ProcessingResponse {
            response: Some(done),
            mode_override: self
                .modes
                .wish(HeaderSendMode::Send, BodySendMode::Buffered, mode),
        }])
    }

    async fn response_body(&mut self, piece: HttpBody) -> Answers {
        match mem::replace(&mut self.state, State::Over) {
            State::Stream(mut stream) => {
                let out = stream.push(&piece.body, piece.end_of_stream).await;
                self.state = State::Stream(stream);
                if out.is_empty()
                    && !piece.end_of_stream
                    && self.modes.response == Some(BodySendMode::FullDuplexStreamed)
                {
                    return Ok(Vec::new());
                }
                let (mode, last) = (self.modes.response, piece.end_of_stream);
                let answer = body_answer(mode, out, Change::Piece, last, Vec::new());
                Ok(vec![said(Done::ResponseBody(answer))])
            }
            State::Whole {
                relayed,
                status,
                mut body,
            } => {
                if !body.add(&piece.body, self.shared.config.max_answer_bytes) {
                    return self.refuse(relayed.fail(UpstreamError::TooLarge).await);
                }
                let is_buffered = self.modes.response == Some(BodySendMode::Buffered);
                if !piece.end_of_stream && !is_buffered {
                    self.state = State::Whole {
                        relayed,
                        status,
                        body,
                    };
                    return Ok(held(self.modes.response, Done::ResponseBody));
                }
                self.judge_answer(relayed, status, body, piece.end_of_stream)
                    .await
            }
            State::Unseen => self.echo(self.modes.response, piece, Done::ResponseBody),
            _ => Err(out_of_order()),
        }
    }

    async fn judge_answer(
        &mut self,
        relayed: Box<Relayed>,
        status: StatusCode,
        body: Gathered,
        is_last: bool,
    ) -> Answers {
        let pieces = body.pieces;
        let came = body.bytes.freeze();
        let judged = relayed.whole(status, came.clone()).await;
        let response = match judged {
            Ok(answer) => answer,
            // The head may be gone already; with the same status only the body has to change.
            Err(instead) if instead.status() == status => instead,
            Err(instead) => return self.refuse(instead),
        };
        let (head, body) = response.into_parts();
        let goes = headers::whole(body);
        let change = Change::of(pieces, &came, &goes);
        let set = headers::set(&head.headers);
        self.state = State::Over;
        let answer = body_answer(self.modes.response, goes, change, is_last, set);
        Ok(vec![said(Done::ResponseBody(answer))])
    }

    async fn response_trailers(&mut self) -> Answers {
        let trailers = || said(Done::ResponseTrailers(TrailersResponse::default()));
        let is_duplex = self.modes.response == Some(BodySendMode::FullDuplexStreamed);
        match mem::replace(&mut self.state, State::Over) {
            State::Stream(mut stream) => {
                // Outside full duplex, what was held back has no way to the client any more.
                let out = stream.push(&[], true).await;
                let mut answers = Vec::new();
                if is_duplex && !out.is_empty() {
                    let mode = self.modes.response;
                    let answer = body_answer(mode, out, Change::Piece, false, Vec::new());
                    answers.push(said(Done::ResponseBody(answer)));
                }
                answers.push(trailers());
                Ok(answers)
            }
            State::Whole {
                relayed,
                status,
                body,
            } if is_duplex => {
                let mut answers = self.judge_answer(relayed, status, body, false).await?;
                let refused = |answer: &ProcessingResponse| {
                    matches!(answer.response, Some(Done::ImmediateResponse(_)))
                };
                if !answers.iter().any(refused) {
                    answers.push(trailers());
                }
                Ok(answers)
            }
            State::Whole { relayed, .. } => {
                self.refuse(relayed.fail(UpstreamError::Unusable).await)
            }
            State::Unseen => {
                self.state = State::Unseen;
                Ok(vec![trailers()])
            }
            _ => Err(out_of_order()),
        }
    }

    /// Answers in the place of the model, and ends the conversation.
    fn refuse(&mut self, response: Response<Body>) -> Answers {
        self.state = State::Over;
        Ok(vec![said(Done::ImmediateResponse(headers::immediate(
            response,
        )))])
    }

    /// Lets the request and its answer pass, and asks to be shown no more of them.
    fn pass_unseen(&mut self, taken: Vec<String>) -> Answers {
        self.state = State::Unseen;
        Ok(vec![ProcessingResponse {
            response: Some(Done::RequestHeaders(common(headers_only(
                Vec::new(),
                taken,
            )))),
            mode_override: self.modes.wish(
                HeaderSendMode::Skip,
                BodySendMode::None,
                BodySendMode::None,
            ),
        }])
    }

    /// Lets a piece pass as it is: an Envoy that takes no wishes shows what it was not asked for.
    fn echo(
        &mut self,
        mode: Option<BodySendMode>,
        piece: HttpBody,
        done: impl Fn(CommonAnswer) -> Done,
    ) -> Answers {
        self.state = State::Unseen;
        let answer = body_answer(
            mode,
            piece.body,
            Change::None,
            piece.end_of_stream,
            Vec::new(),
        );
        Ok(vec![said(done(answer))])
    }
}

/// What becomes of what Envoy showed.
#[derive(Clone, Copy, PartialEq)]
enum Change {
    /// It goes on as it is.
    None,
    /// It goes on as it is, and its head says how long it is.
    Length,
    /// Something else goes in its place, and its head says how long that is.
    Whole,
    /// Something else goes in its place; the head is gone.
    Piece,
}

impl Change {
    /// Between a whole body as it came, in so many pieces, and as it goes.
    fn of(pieces: usize, came: &Bytes, goes: &Bytes) -> Self {
        match pieces {
            1 if came == goes => Self::Length,
            1 => Self::Whole,
            _ => Self::Piece,
        }
    }
}

/// The name of all clients where Envoy does not tell them apart.
const ENVOY: &str = "envoy";

fn out_of_order() -> Status {
    Status::failed_precondition("the message comes out of order")
}

fn said(done: Done) -> ProcessingResponse {
    ProcessingResponse {
        response: Some(done),
        mode_override: None,
    }
}

const fn common(response: CommonResponse) -> CommonAnswer {
    CommonAnswer {
        response: Some(response),
    }
}

fn headers_only(
    set: Vec<super::messages::HeaderValueOption>,
    taken: Vec<String>,
) -> CommonResponse {
    CommonResponse {
        header_mutation: Some(HeaderMutation {
            set_headers: set,
            remove_headers: taken,
        }),
        body_mutation: None,
    }
}

/// The answer to a piece that is kept here until the body is complete.
fn held(
    mode: Option<BodySendMode>,
    done: impl Fn(CommonAnswer) -> Done,
) -> Vec<ProcessingResponse> {
    if mode == Some(BodySendMode::FullDuplexStreamed) {
        // Pieces wait for no answer there.
        return Vec::new();
    }
    let answer = CommonResponse {
        header_mutation: None,
        body_mutation: Some(BodyMutation {
            mutation: Some(Mutation::ClearBody(true)),
        }),
    };
    vec![said(done(common(answer)))]
}

/// The answer to a piece of a body, or to all of it: `goes` is what goes on in its place.
fn body_answer(
    mode: Option<BodySendMode>,
    goes: Bytes,
    change: Change,
    is_last: bool,
    mut set: Vec<super::messages::HeaderValueOption>,
) -> CommonAnswer {
    let is_duplex = mode == Some(BodySendMode::FullDuplexStreamed);
    if !is_duplex && matches!(change, Change::Length | Change::Whole) {
        set.push(headers::length(goes.len()));
    }
    let mutation = if is_duplex {
        Some(Mutation::StreamedResponse(StreamedBodyResponse {
            body: goes,
            end_of_stream: is_last,
        }))
    } else if matches!(change, Change::None | Change::Length) {
        None
    } else if goes.is_empty() {
        Some(Mutation::ClearBody(true))
    } else {
        Some(Mutation::Body(goes))
    };
    common(CommonResponse {
        header_mutation: Some(HeaderMutation {
            set_headers: set,
            remove_headers: Vec::new(),
        }),
        body_mutation: mutation.map(|mutation| BodyMutation {
            mutation: Some(mutation),
        }),
    })
}
