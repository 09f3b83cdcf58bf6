//! External processing: a client that plays Envoy, in the order and the modes in which Envoy shows
//! requests and answers.

use std::collections::BTreeMap;

use bartizan_gateway::envoy::messages::{
    BodySendMode, CommonAnswer, CommonResponse, Done, HeaderMap, HeaderMutation, HeaderValue,
    HttpBody, HttpHeaders, HttpTrailers, ImmediateResponse, Mutation, PROCESS, ProcessingRequest,
    ProcessingResponse, ProtocolConfiguration, Seen,
};
use bytes::Bytes;
use futures_util::stream;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tonic::{Status, Streaming};
use tonic_prost::ProstCodec;

use super::{ATTACK, MAIL, Running, chat, start, start_with};
use crate::mock::Format;

/// How Envoy sends bodies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Buffered,
    /// In pieces of so many bytes, each of which waits for its answer.
    Streamed(usize),
    /// In pieces that wait for nothing.
    Duplex(usize),
    /// As the sample in `deploy/envoy` has it: in pieces, unless it is asked for the whole.
    Wished,
}

const MODES: [Mode; 5] = [
    Mode::Buffered,
    Mode::Wished,
    Mode::Streamed(7),
    Mode::Streamed(100_000),
    Mode::Duplex(11),
];

impl Mode {
    fn number(self) -> i32 {
        match self {
            Self::Buffered => BodySendMode::Buffered,
            Self::Streamed(_) | Self::Wished => BodySendMode::Streamed,
            Self::Duplex(_) => BodySendMode::FullDuplexStreamed,
        }
        .into()
    }

    fn pieces(self, body: &str) -> Vec<HttpBody> {
        let size = match self {
            Self::Buffered | Self::Wished => body.len(),
            Self::Streamed(size) | Self::Duplex(size) => size,
        };
        let mut pieces: Vec<HttpBody> = body
            .as_bytes()
            .chunks(size.max(1))
            .map(|piece| HttpBody {
                body: Bytes::copy_from_slice(piece),
                end_of_stream: false,
            })
            .collect();
        pieces.last_mut().unwrap().end_of_stream = true;
        pieces
    }
}

/// One conversation.
struct Talk {
    to: mpsc::Sender<ProcessingRequest>,
    from: Streaming<ProcessingResponse>,
}

impl Talk {
    async fn open(gateway: &Running) -> Self {
        let origin = format!("http://{}", gateway.envoy.unwrap());
        let client: Client<HttpConnector, tonic::body::Body> =
            Client::builder(TokioExecutor::new())
                .http2_only(true)
                .build_http();
        let mut grpc = tonic::client::Grpc::with_origin(client, origin.parse().unwrap());
        let (to, messages) = mpsc::channel(1_000);
        let messages = stream::unfold(messages, |mut messages| async move {
            Some((messages.recv().await?, messages))
        });
        let codec = ProstCodec::<ProcessingRequest, ProcessingResponse>::default();
        let from = grpc
            .streaming(
                tonic::Request::new(messages),
                PROCESS.parse().unwrap(),
                codec,
            )
            .await
            .unwrap()
            .into_inner();
        Self { to, from }
    }

    async fn tell(&self, seen: Seen, config: Option<Mode>) {
        let message = ProcessingRequest {
            request: Some(seen),
            observability_mode: false,
            protocol_config: config.map(|mode| ProtocolConfiguration {
                request_body_mode: mode.number(),
                response_body_mode: mode.number(),
            }),
        };
        // Whoever is gone does not hear.
        let _ = self.to.send(message).await;
    }

    async fn hear(&mut self) -> Result<Option<ProcessingResponse>, Status> {
        let next = tokio::time::timeout(std::time::Duration::from_secs(20), self.from.message());
        next.await.unwrap()
    }

    async fn ask(&mut self, seen: Seen, config: Option<Mode>) -> Done {
        let (done, _) = self.ask_with_wish(seen, config).await;
        done
    }

    /// The answer, and in which mode the answer's body is wanted.
    async fn ask_with_wish(&mut self, seen: Seen, config: Option<Mode>) -> (Done, Option<i32>) {
        self.tell(seen, config).await;
        let heard = self.hear().await.unwrap().unwrap();
        let wish = heard.mode_override.map(|mode| mode.response_body_mode);
        (heard.response.unwrap(), wish)
    }
}

fn head(pseudo: &[(&str, &str)], headers: &[(&str, &str)], end_of_stream: bool) -> HttpHeaders {
    let header = |(key, value): &(&str, &str)| HeaderValue {
        key: (*key).to_owned(),
        value: String::new(),
        raw_value: value.as_bytes().to_vec(),
    };
    HttpHeaders {
        headers: Some(HeaderMap {
            headers: pseudo.iter().chain(headers).map(header).collect(),
        }),
        end_of_stream,
    }
}

/// Headers after a mutation.
fn mutate(headers: &mut BTreeMap<String, String>, mutation: Option<HeaderMutation>) {
    let mutation = mutation.unwrap_or_default();
    for name in mutation.remove_headers {
        headers.remove(&name);
    }
    for option in mutation.set_headers {
        assert_eq!(option.append_action, 2);
        let header = option.header.unwrap();
        headers.insert(header.key, String::from_utf8(header.raw_value).unwrap());
    }
}

/// What Envoy's client got, and what the model got.
#[derive(Debug, Default)]
struct Played {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
    /// Headers and body that went to the model.
    sent: Option<(BTreeMap<String, String>, String)>,
}

impl Played {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    fn immediate(mut self, response: ImmediateResponse) -> Self {
        self.status = u16::try_from(response.status.unwrap().code).unwrap();
        self.headers.clear();
        mutate(&mut self.headers, response.headers);
        self.body = String::from_utf8(response.body.to_vec()).unwrap();
        self
    }
}

fn common(answer: CommonAnswer) -> CommonResponse {
    answer.response.unwrap_or_default()
}

/// What goes on in the place of a piece.
///
/// While the head waits, Envoy refuses a body of another length than the head says.
fn piece(came: &Bytes, answer: &CommonResponse, mode: Mode, head_waits: bool) -> Vec<u8> {
    let mutation = answer.body_mutation.clone().and_then(|body| body.mutation);
    let goes = match (mode, mutation) {
        (Mode::Duplex(_), Some(Mutation::StreamedResponse(part))) => part.body.to_vec(),
        (Mode::Duplex(_), other) => panic!("full duplex takes no {other:?}"),
        (_, None) => came.to_vec(),
        (_, Some(Mutation::ClearBody(true))) => Vec::new(),
        (_, Some(Mutation::Body(body))) => body.to_vec(),
        (_, other) => panic!("{mode:?} takes no {other:?}"),
    };
    if head_waits {
        let mut headers = BTreeMap::new();
        mutate(&mut headers, answer.header_mutation.clone());
        assert_eq!(headers["content-length"], goes.len().to_string());
    }
    goes
}

/// A model's answer.
struct Model<'a> {
    status: &'a str,
    kind: &'a str,
    body: String,
}

fn says(text: &str) -> Model<'static> {
    Model {
        status: "200",
        kind: "application/json",
        body: Format::Chat.body(text).to_string(),
    }
}

/// Plays one request through, as Envoy would.
async fn play(
    gateway: &Running,
    mode: Mode,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
    model: &Model<'_>,
) -> Played {
    let mut played = Played::default();
    let mut talk = Talk::open(gateway).await;
    let pseudo = [(":method", "POST"), (":path", path), (":scheme", "http")];
    let mut sent: BTreeMap<String, String> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let seen = Seen::RequestHeaders(head(&pseudo, headers, false));
    match talk.ask(seen, Some(mode)).await {
        Done::ImmediateResponse(response) => return played.immediate(response),
        Done::RequestHeaders(answer) => mutate(&mut sent, common(answer).header_mutation),
        other => panic!("{other:?}"),
    }
    let mut goes = Vec::new();
    let pieces = mode.pieces(body);
    let mut heard = 0;
    for part in &pieces {
        talk.tell(Seen::RequestBody(part.clone()), None).await;
        if matches!(mode, Mode::Duplex(_)) && !part.end_of_stream && path == CHAT {
            continue;
        }
        heard += 1;
        match talk.hear().await.unwrap().unwrap().response.unwrap() {
            Done::ImmediateResponse(response) => return played.immediate(response),
            Done::RequestBody(answer) => {
                let answer = common(answer);
                let waits = matches!(mode, Mode::Buffered | Mode::Wished) && path == CHAT;
                goes.extend(piece(&part.body, &answer, mode, waits));
            }
            other => panic!("{other:?}"),
        }
        if !part.end_of_stream && path == CHAT {
            assert!(goes.is_empty(), "nothing goes on before it was judged");
        }
    }
    assert!(heard == pieces.len() || matches!(mode, Mode::Duplex(_)));
    played.sent = Some((sent, String::from_utf8(goes).unwrap()));

    let seen = head(
        &[(":status", model.status)],
        &[("content-type", model.kind), ("content-length", "1")],
        false,
    );
    played.status = model.status.parse().unwrap();
    played.headers = BTreeMap::from([("content-type".to_owned(), model.kind.to_owned())]);
    let (done, wish) = talk.ask_with_wish(Seen::ResponseHeaders(seen), None).await;
    let is_stream = model.kind == "text/event-stream";
    let mode = match (mode, wish) {
        (Mode::Wished, Some(wish)) if wish == i32::from(BodySendMode::Streamed) => {
            assert!(is_stream);
            Mode::Streamed(9)
        }
        (mode, _) => mode,
    };
    match done {
        Done::ImmediateResponse(response) => return played.immediate(response),
        Done::ResponseHeaders(answer) => {
            mutate(&mut played.headers, common(answer).header_mutation);
        }
        other => panic!("{other:?}"),
    }
    let mut goes = Vec::new();
    for part in mode.pieces(&model.body) {
        talk.tell(Seen::ResponseBody(part.clone()), None).await;
        if matches!(mode, Mode::Duplex(_)) && !part.end_of_stream && path == CHAT {
            continue;
        }
        loop {
            match talk.hear().await.unwrap().unwrap().response.unwrap() {
                Done::ImmediateResponse(response) => return played.immediate(response),
                Done::ResponseBody(answer) => {
                    let answer = common(answer);
                    let waits =
                        matches!(mode, Mode::Buffered | Mode::Wished) && !is_stream && path == CHAT;
                    goes.extend(piece(&part.body, &answer, mode, waits));
                    if !is_stream {
                        mutate(&mut played.headers, answer.header_mutation);
                    }
                    let mutation = answer.body_mutation.and_then(|body| body.mutation);
                    let is_last = match mutation {
                        Some(Mutation::StreamedResponse(part)) => part.end_of_stream,
                        _ => true,
                    };
                    if is_last || path != CHAT {
                        break;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }
    played.body = String::from_utf8(goes).unwrap();
    played
}

const ENVOY: &str = "envoy: {listen: '127.0.0.1:0'}\n";
const CHAT: &str = "/v1/chat/completions";

async fn gateway() -> Running {
    start(ENVOY, &[]).await
}

async fn chats(gateway: &Running, mode: Mode, body: &Value, model: &Model<'_>) -> Played {
    let bearer = format!("Bearer {}", gateway.key);
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("accept-encoding", "gzip"),
        ("content-length", "1"),
        ("x-kept", "yes"),
    ];
    play(gateway, mode, CHAT, &headers, &body.to_string(), model).await
}

#[tokio::test]
async fn what_is_clean_passes_as_it_came_in_every_mode() {
    let gateway = gateway().await;
    for mode in MODES {
        let asked = chat("What is the weather like in spring?");
        let played = chats(&gateway, mode, &asked, &says("Mild and wet.")).await;
        assert_eq!(played.status, 200, "{mode:?} {played:?}");
        assert_eq!(played.body, says("Mild and wet.").body, "{mode:?}");
        let (headers, body) = played.sent.as_ref().unwrap();
        assert_eq!(*body, asked.to_string());
        // Our key is not the model's, and what is compressed cannot be looked at.
        assert_eq!(
            headers.keys().map(String::as_str).collect::<Vec<_>>(),
            ["content-type", "x-kept"],
            "{mode:?}"
        );
        assert_eq!(played.headers["x-bartizan-decision"], "allow", "{mode:?}");
        let id = played.headers["x-bartizan-request-id"].parse().unwrap();
        let story = gateway.story(id).await;
        let recorded = story.interaction().unwrap();
        assert_eq!(recorded.upstream.as_str(), "envoy");
        assert_eq!(recorded.completion_tokens, 7);
    }
}

#[tokio::test]
async fn an_attack_ends_before_the_model_in_every_mode() {
    let gateway = gateway().await;
    for mode in MODES {
        let played = chats(&gateway, mode, &chat(ATTACK), &says("Sure!")).await;
        assert_eq!(played.status, 400, "{mode:?} {played:?}");
        assert_eq!(played.json()["error"]["code"], "content_filter");
        assert_eq!(played.headers["content-type"], "application/json");
        assert_eq!(played.headers["x-bartizan-decision"], "block");
        assert!(played.sent.is_none());
        let id = played.headers["x-bartizan-request-id"].parse().unwrap();
        assert!(gateway.story(id).await.interaction().is_some());
    }
}

/// The same refusal as through the gateway itself.
#[tokio::test]
async fn refusals_are_those_of_the_gateway() {
    let gateway = gateway().await;
    let direct = gateway.chat(&chat(ATTACK)).await;
    let played = chats(&gateway, Mode::Buffered, &chat(ATTACK), &says("")).await;
    assert_eq!(played.json()["error"], direct.json()["error"]);
    for name in direct.headers.keys() {
        let own = ["content-length", "date", "connection"];
        if !own.contains(&name.as_str()) {
            assert!(played.headers.contains_key(name.as_str()), "{name}");
        }
    }
}

#[tokio::test]
async fn personal_data_is_taken_out_on_both_ways() {
    let gateway = gateway().await;
    for mode in MODES {
        let asked = chat(&format!("Write to {MAIL} about spring."));
        let model = says("Or call +44 20 7946 0958 today.");
        let played = chats(&gateway, mode, &asked, &model).await;
        assert_eq!(played.status, 200, "{mode:?} {played:?}");
        let (_, body) = played.sent.as_ref().unwrap();
        assert!(
            body.contains("about spring") && !body.contains(MAIL),
            "{body}"
        );
        assert!(
            played.body.contains("today") && !played.body.contains("7946"),
            "{played:?}"
        );
        assert_eq!(played.headers["x-bartizan-decision"], "redact");
    }
}

#[tokio::test]
async fn a_bad_answer_is_replaced() {
    let gateway = gateway().await;
    let canary = crate::stream::CANARY;
    for mode in MODES {
        let model = says(&format!("The word is {canary}."));
        let played = chats(&gateway, mode, &chat("Hello."), &model).await;
        assert_eq!(played.status, 200, "{mode:?}");
        assert_eq!(
            played.json()["choices"][0]["finish_reason"],
            "content_filter"
        );
        assert!(!played.body.contains(canary));
    }
}

#[tokio::test]
async fn streams_are_guarded_piece_by_piece() {
    let gateway = gateway().await;
    let refusing = "rows: [{name: no-mail, category: [pii], direction: output, block: 0.5}]";
    let strict = start_with(ENVOY, refusing, &[]).await;
    let mut asked = chat("Hello.");
    asked["stream"] = json!(true);
    let streamed = |text: &str| Model {
        status: "200",
        kind: "text/event-stream",
        body: Format::Chat.events(text, 5),
    };
    let said = |body: &str| -> String {
        body.lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .filter_map(|data| serde_json::from_str::<Value>(data).ok())
            .filter_map(|event| Some(event["choices"][0]["delta"]["content"].as_str()?.to_owned()))
            .collect()
    };
    for mode in MODES {
        let model = streamed("Mild and wet. Call +44 20 7946 0958 today, it is fine.");
        let played = chats(&gateway, mode, &asked, &model).await;
        let text = said(&played.body);
        assert!(
            text.starts_with("Mild and wet. Call "),
            "{mode:?} {played:?}"
        );
        assert!(
            text.ends_with(" today, it is fine.") && !text.contains("7946"),
            "{text}"
        );
        assert!(played.body.ends_with("data: [DONE]\n\n"), "{mode:?}");
        assert!(played.headers.contains_key("x-bartizan-request-id"));
        assert!(!played.headers.contains_key("content-length"));

        let long = "and so on ".repeat(200);
        let model = streamed(&format!("Well, {MAIL} is it. {long}"));
        let played = chats(&strict, mode, &asked, &model).await;
        assert!(!said(&played.body).contains("jane"), "{mode:?} {played:?}");
        assert!(
            played.body.contains("content_filter"),
            "{mode:?} {played:?}"
        );
        assert!(
            !played.body.contains("and so on and so on"),
            "what follows is not shown"
        );
        let id = played.headers["x-bartizan-request-id"].parse().unwrap();
        let story = strict.story(id).await;
        let outcome = serde_json::to_value(story.interaction().unwrap()).unwrap();
        assert_eq!(outcome["outcome"], "output_blocked", "{outcome}");
    }
}

#[tokio::test]
async fn clients_prove_who_they_are_unless_envoy_is_trusted() {
    let gateway = gateway().await;
    let body = chat("Hello.").to_string();
    for headers in [
        &[][..],
        &[("authorization", "Bearer bz_nokey")],
        &[("x-api-key", "sk-something")],
    ] {
        let played = play(&gateway, Mode::Buffered, CHAT, headers, &body, &says("Hi")).await;
        assert_eq!(played.status, 401, "{headers:?}");
        assert!(played.sent.is_none());
    }
    let trusting =
        "envoy: {listen: '127.0.0.1:0', identity: trust-envoy, principal-header: x-user}\n";
    let gateway = start(trusting, &[]).await;
    let upstream_key = ("authorization", "Bearer sk-of-the-model");
    let played = play(
        &gateway,
        Mode::Buffered,
        CHAT,
        &[upstream_key],
        &body,
        &says("Hi"),
    )
    .await;
    assert_eq!(played.status, 401, "nobody said who it is");
    let headers = [upstream_key, ("x-user", "jane")];
    let played = play(&gateway, Mode::Buffered, CHAT, &headers, &body, &says("Hi")).await;
    assert_eq!(played.status, 200);
    assert_eq!(
        played.sent.unwrap().0["authorization"],
        "Bearer sk-of-the-model"
    );
    let id = played.headers["x-bartizan-request-id"].parse().unwrap();
    let story = gateway.story(id).await;
    assert_eq!(story.interaction().unwrap().user_id.as_str(), "jane");
}

/// What cannot be read, or would pass unseen, does not pass.
#[tokio::test]
async fn co_07_what_cannot_be_looked_at_is_refused() {
    let gateway = gateway().await;
    let hello = chat("Hello.");
    let broken = |kind: &'static str, status: &'static str, body: &str| Model {
        status,
        kind,
        body: body.to_owned(),
    };
    for (model, status) in [
        (broken("application/json", "200", "{"), 502),
        (broken("text/html", "200", "<html>UPSTREAM-WORDS"), 502),
        (broken("application/json", "500", "UPSTREAM-WORDS"), 502),
        (broken("application/json", "302", "UPSTREAM-WORDS"), 502),
    ] {
        let played = chats(&gateway, Mode::Buffered, &hello, &model).await;
        assert_eq!(played.status, status, "{played:?}");
        assert!(!played.body.contains("UPSTREAM-WORDS"));
    }
    let bearer = format!("Bearer {}", gateway.key);
    let authorization = ("authorization", bearer.as_str());
    let json = ("content-type", "application/json");
    for (headers, body, status) in [
        (&[authorization, json][..], "{", 400),
        (
            &[authorization, json, ("content-encoding", "gzip")],
            "{}",
            415,
        ),
        (&[authorization, ("content-type", "text/plain")], "{}", 415),
    ] {
        let played = play(&gateway, Mode::Buffered, CHAT, headers, body, &says("Hi")).await;
        assert_eq!(played.status, status, "{body}");
    }
    let headers = [authorization, json];
    let played = play(
        &gateway,
        Mode::Buffered,
        "/anything",
        &headers,
        "x",
        &says("Hi"),
    )
    .await;
    assert_eq!(played.status, 404);
    let passing = "envoy: {listen: '127.0.0.1:0', other-routes: pass-unseen}\n";
    let passing = start(passing, &[]).await;
    for mode in MODES {
        let played = play(&passing, mode, "/anything", &[], ATTACK, &says("Hi")).await;
        assert_eq!((played.status, played.body), (200, says("Hi").body));
        assert_eq!(played.sent.unwrap().1, ATTACK);
    }
}

/// An Envoy that is set up so that a body would go by is told so.
#[tokio::test]
async fn co_07_parts_that_are_not_shown_end_the_request() {
    let gateway = gateway().await;
    let bearer = format!("Bearer {}", gateway.key);
    let pseudo = [(":method", "POST"), (":path", CHAT)];
    let request = || {
        let headers = [("authorization", bearer.as_str())];
        Seen::RequestHeaders(head(&pseudo, &headers, false))
    };
    let answer = || Seen::ResponseHeaders(head(&[(":status", "200")], &[], false));

    // `request_body_mode: NONE`: the answer comes without a body of the request.
    let mut talk = Talk::open(&gateway).await;
    talk.ask(request(), None).await;
    let Done::ImmediateResponse(refused) = talk.ask(answer(), None).await else {
        panic!("the answer passed");
    };
    assert_eq!(refused.status.unwrap().code, 502);
    assert!(talk.hear().await.unwrap().is_none(), "that was all");

    // A request that ends with its head.
    let headers = [("authorization", bearer.as_str())];
    let mut talk = Talk::open(&gateway).await;
    let seen = Seen::RequestHeaders(head(&pseudo, &headers, true));
    assert!(matches!(
        talk.ask(seen, None).await,
        Done::ImmediateResponse(_)
    ));

    // Partly buffered bodies, and an observer that cannot refuse.
    for (config, observability_mode) in [(Some(BodySendMode::BufferedPartial), false), (None, true)]
    {
        let mut talk = Talk::open(&gateway).await;
        let message = ProcessingRequest {
            request: Some(request()),
            observability_mode,
            protocol_config: config.map(|mode| ProtocolConfiguration {
                request_body_mode: mode.into(),
                response_body_mode: BodySendMode::Buffered.into(),
            }),
        };
        talk.to.send(message).await.unwrap();
        let status = talk.hear().await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::FailedPrecondition);
    }

    // Out of order, or nothing at all.
    let body = HttpBody {
        body: "{}".into(),
        end_of_stream: true,
    };
    for first in [
        Seen::RequestBody(body.clone()),
        Seen::ResponseBody(body),
        answer(),
    ] {
        let mut talk = Talk::open(&gateway).await;
        talk.tell(first, None).await;
        assert!(talk.hear().await.is_err());
    }
    let mut talk = Talk::open(&gateway).await;
    talk.to.send(ProcessingRequest::default()).await.unwrap();
    assert!(talk.hear().await.is_err());
}

#[tokio::test]
async fn bodies_that_are_too_large_are_refused_while_they_come() {
    let yaml =
        "server: {max-body-bytes: 2000}\nenvoy: {listen: '127.0.0.1:0', max-answer-bytes: 3000}\n";
    let gateway = start(yaml, &[]).await;
    let long = "word ".repeat(1_000);
    for mode in [Mode::Buffered, Mode::Streamed(500)] {
        let played = chats(&gateway, mode, &chat(&long), &says("Hi")).await;
        assert_eq!(played.status, 413);
        let played = chats(&gateway, mode, &chat("Hello."), &says(&long)).await;
        assert_eq!(played.status, 502);
    }
}

/// Trailers tell the end where the last piece does not.
#[tokio::test]
async fn trailers_end_a_body_in_full_duplex() {
    let gateway = gateway().await;
    let bearer = format!("Bearer {}", gateway.key);
    let mode = Some(Mode::Duplex(1));
    let body = |text: String| HttpBody {
        body: text.into(),
        end_of_stream: false,
    };
    let mut talk = Talk::open(&gateway).await;
    let pseudo = [(":method", "POST"), (":path", CHAT)];
    let headers = [("authorization", bearer.as_str())];
    let seen = Seen::RequestHeaders(head(&pseudo, &headers, false));
    talk.ask(seen, mode).await;
    let asked = chat("Hello.").to_string();
    talk.tell(Seen::RequestBody(body(asked.clone())), None)
        .await;
    let Done::RequestBody(answer) = talk
        .ask(Seen::RequestTrailers(HttpTrailers::default()), None)
        .await
    else {
        panic!("no body");
    };
    let goes = piece(&Bytes::new(), &common(answer), Mode::Duplex(1), false);
    assert_eq!(goes, asked.as_bytes());
    let next = talk.hear().await.unwrap().unwrap().response;
    assert!(matches!(next, Some(Done::RequestTrailers(_))));
    let seen = head(
        &[(":status", "200")],
        &[("content-type", "application/json")],
        false,
    );
    talk.ask(Seen::ResponseHeaders(seen), None).await;
    talk.tell(Seen::ResponseBody(body(says("Hi").body)), None)
        .await;
    let Done::ResponseBody(answer) = talk
        .ask(Seen::ResponseTrailers(HttpTrailers::default()), None)
        .await
    else {
        panic!("no body");
    };
    let goes = piece(&Bytes::new(), &common(answer), Mode::Duplex(1), false);
    assert_eq!(goes, says("Hi").body.as_bytes());
    let next = talk.hear().await.unwrap().unwrap().response;
    assert!(matches!(next, Some(Done::ResponseTrailers(_))));
}

/// What needs no model is answered here.
#[tokio::test]
async fn moderations_are_answered_and_models_pass() {
    let gateway = gateway().await;
    let bearer = format!("Bearer {}", gateway.key);
    let headers = [("authorization", bearer.as_str())];
    let body = json!({"input": ATTACK}).to_string();
    let played = play(
        &gateway,
        Mode::Buffered,
        "/v1/moderations",
        &headers,
        &body,
        &says(""),
    )
    .await;
    assert_eq!(
        (played.status, &played.json()["results"][0]["flagged"]),
        (200, &json!(true))
    );
    assert!(played.sent.is_none());
    let mut talk = Talk::open(&gateway).await;
    let pseudo = [(":method", "GET"), (":path", "/v1/models")];
    let seen = Seen::RequestHeaders(head(&pseudo, &headers, true));
    let Done::RequestHeaders(answer) = talk.ask(seen, None).await else {
        panic!("models are not refused");
    };
    let removed = common(answer).header_mutation.unwrap().remove_headers;
    assert!(removed.contains(&"authorization".to_owned()));
    let mut talk = Talk::open(&gateway).await;
    let seen = Seen::RequestHeaders(head(&pseudo, &[], true));
    assert!(matches!(
        talk.ask(seen, None).await,
        Done::ImmediateResponse(_)
    ));
}

/// A client that goes away in the middle is accounted for, and its place among the running ones
/// comes back.
#[tokio::test]
async fn aud_06_a_conversation_that_breaks_off_is_recorded() {
    let policy = "";
    let yaml = format!("{ENVOY}limits: {{preset: none}}\n");
    let gateway = start_with(&yaml, policy, &[]).await;
    let bearer = format!("Bearer {}", gateway.key);
    let mut asked = chat("Hello.");
    asked["stream"] = json!(true);
    let mut talk = Talk::open(&gateway).await;
    let pseudo = [(":method", "POST"), (":path", CHAT)];
    let headers = [("authorization", bearer.as_str())];
    talk.ask(Seen::RequestHeaders(head(&pseudo, &headers, false)), None)
        .await;
    let body = HttpBody {
        body: asked.to_string().into(),
        end_of_stream: true,
    };
    talk.ask(Seen::RequestBody(body), None).await;
    let seen = head(
        &[(":status", "200")],
        &[("content-type", "text/event-stream")],
        false,
    );
    let Done::ResponseHeaders(answer) = talk.ask(Seen::ResponseHeaders(seen), None).await else {
        panic!("no answer");
    };
    let mut signed = BTreeMap::new();
    mutate(&mut signed, common(answer).header_mutation);
    drop(talk);
    let story = gateway
        .story(signed["x-bartizan-request-id"].parse().unwrap())
        .await;
    let recorded = serde_json::to_value(story.interaction().unwrap()).unwrap();
    assert_eq!(recorded["outcome"], "client_gone", "{recorded}");
}
