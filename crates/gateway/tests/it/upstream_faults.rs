//! Upstreams that fail, and addresses that must not be contacted (API-20, NET-04).

use std::{
    collections::VecDeque,
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use bartizan_gateway::{
    clock::ManualClock,
    fault::FaultKind,
    upstream::{
        BreakerState, ConnectError, Refusal, Resolve, UpstreamError, UpstreamEvent, UpstreamParts,
        UpstreamResponse,
    },
};
use bytes::Bytes;
use tokio::time::Instant;

use crate::{
    mock::{Format, Mock, Reply, Step, chunk, stream_head},
    upstream::{Setup, setup, setup_with},
};

const ONE: &str = "upstreams:\n  a:\n    MOCK\n    ";

fn one(mock: &Mock, more: &str) -> Setup {
    setup(&format!("{ONE}{more}"), &[mock])
}

fn with_fallback(a: &Mock, b: &Mock, more: &str) -> Setup {
    let yaml = format!(
        "upstreams:
  a:
    MOCK
    {more}
  b:
    MOCK
routes: [{{model: '*', targets: [{{upstream: a}}], fallbacks: [{{upstream: b}}]}}]"
    );
    setup(&yaml, &[a, b])
}

async fn text(answer: UpstreamResponse) -> String {
    String::from_utf8(answer.body.collect().await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn api_20_refused_at_the_door_is_tried_again() {
    let mock = Mock::saying("hello").await;
    let setup = one(&mock, "retry: {base-ms: 1}");
    for status in [429, 503, 529] {
        mock.then(Reply::error(status, "rate_limit_exceeded"));
        let answer = setup.chat().await.unwrap();
        assert_eq!(answer.attempts, 2);
        assert!(text(answer).await.contains("hello"));
    }
}

#[tokio::test]
async fn api_20_what_may_have_been_worked_on_is_not_sent_twice() {
    let mock = Mock::saying("hello").await;
    let setup = one(&mock, "retry: {base-ms: 1}\n    breaker: {failures: 0}");
    for reply in [
        Reply::raw([Step::Reset]),
        Reply::raw([Step::Close]),
        Reply::error(500, "server_error"),
        Reply::error(502, "x"),
        Reply::error(504, "x"),
        Reply::whole(200, "application/json", "{}").cut(0, Step::Close),
    ] {
        let before = mock.requests();
        mock.then(reply);
        assert!(setup.chat().await.is_err());
        assert_eq!(mock.requests(), before + 1);
    }
    // Unless the operator says so.
    let lax = one(&mock, "retry: {base-ms: 1, after-sent: true}");
    mock.then(Reply::raw([Step::Reset]))
        .then(Reply::error(502, "x"));
    assert_eq!(lax.chat().await.unwrap().attempts, 3);
}

#[tokio::test]
async fn api_20_a_broken_answer_is_never_asked_for_again() {
    let mock = Mock::saying("hello").await;
    let lax = one(&mock, "retry: {base-ms: 1, after-sent: true}");
    let events = Format::Chat.events("hello", 1);
    let stream = Reply::stream(&events, 100);
    mock.then(stream.clone().cut(2, Step::Reset));
    let answer = lax.chat().await.unwrap();
    assert_eq!(answer.body.collect().await, Err(UpstreamError::Broken));
    // Also when it only lacks its end.
    mock.then(stream.clone().cut(stream.steps() - 1, Step::Close));
    let answer = lax.chat().await.unwrap();
    assert_eq!(answer.body.collect().await, Err(UpstreamError::Broken));
    assert_eq!(mock.requests(), 2);
}

#[tokio::test]
async fn api_20_an_upstream_that_is_down_falls_back_with_an_event() {
    let (gone, there) = (Mock::saying("gone").await, Mock::saying("there").await);
    let setup = with_fallback(&gone, &there, "retry: {attempts: 0}");
    drop(gone);
    // The port is free as soon as the task has ended.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let answer = setup.chat().await.unwrap();
    assert_eq!(&**answer.target.upstream(), "b");
    assert_eq!(answer.attempts, 2);
    assert!(text(answer).await.contains("there"));
    let fell = UpstreamEvent::FellBack {
        from: "a".into(),
        to: "b".into(),
        error: "connect",
    };
    assert!(setup.events().contains(&fell), "{:?}", setup.events());
}

#[tokio::test]
async fn api_20_a_refused_key_falls_back_and_a_bad_request_does_not() {
    let (a, b) = (Mock::saying("a").await, Mock::saying("b").await);
    let setup = with_fallback(&a, &b, "retry: {attempts: 0}");
    a.then(Reply::error(401, "invalid_api_key"));
    assert_eq!(&**setup.chat().await.unwrap().target.upstream(), "b");
    a.then(Reply::error(400, "context_length_exceeded"));
    let error = setup.chat().await.unwrap_err();
    let fault = error.fault();
    assert_eq!(
        (fault.kind, fault.code),
        (FaultKind::BadRequest, "context_length_exceeded")
    );
    assert_eq!(b.requests(), 1);
}

#[tokio::test]
async fn api_20_the_breaker_opens_tries_and_closes() {
    let clock = Arc::new(ManualClock::at(1_000));
    let mock = Mock::saying("hello").await;
    let parts = UpstreamParts {
        clock: clock.clone(),
        ..UpstreamParts::default()
    };
    let yaml = format!(
        "{ONE}breaker: {{failures: 3, open-ms: 1000, trials: 1}}\n    retry: {{attempts: 0}}"
    );
    let setup = setup_with(&yaml, &[&mock], parts);
    for _ in 0..3 {
        mock.then(Reply::error(500, "server_error"));
        assert!(setup.chat().await.is_err());
    }
    let error = setup.chat().await.unwrap_err();
    assert!(matches!(error, UpstreamError::Open { .. }), "{error}");
    assert_eq!(error.fault().kind, FaultKind::Unavailable);
    assert!(error.fault().retry_after.is_some());
    assert_eq!(mock.requests(), 3, "left alone");
    clock.advance_ms(1_001);
    setup.chat().await.unwrap();
    let states: Vec<_> = setup
        .events()
        .into_iter()
        .filter_map(|event| match event {
            UpstreamEvent::Breaker { state, .. } => Some(state),
            _ => None,
        })
        .collect();
    use BreakerState::{Closed, HalfOpen, Open};
    assert_eq!(states, [Open, HalfOpen, Closed]);
}

#[tokio::test]
async fn api_20_a_trial_whose_client_goes_away_does_not_block_the_next() {
    let clock = Arc::new(ManualClock::at(1_000));
    let mock = Mock::saying("hello").await;
    let parts = UpstreamParts {
        clock: clock.clone(),
        ..UpstreamParts::default()
    };
    let setup = setup_with(&format!("{ONE}breaker: {{failures: 1}}"), &[&mock], parts);
    mock.then(Reply::error(500, "x"))
        .then(Reply::raw([Step::Stall]));
    assert!(setup.chat().await.is_err());
    clock.advance_ms(60_000);
    let gone = tokio::time::timeout(Duration::from_millis(50), setup.chat()).await;
    assert!(gone.is_err());
    setup.chat().await.unwrap();
}

#[tokio::test]
async fn every_time_out_holds() {
    let mock = Mock::saying("hello").await;
    let setup = one(
        &mock,
        "first-byte-ms: 100\n    idle-ms: 100\n    total-ms: 300",
    );
    mock.then(Reply::raw([Step::Stall]));
    assert_eq!(setup.chat().await.unwrap_err(), UpstreamError::FirstByte);
    let stream = Reply::stream(&Format::Chat.events("hello", 1), 50);
    mock.then(stream.clone().cut(3, Step::Stall));
    let answer = setup.chat().await.unwrap();
    assert_eq!(answer.body.collect().await, Err(UpstreamError::Idle));
    mock.then(stream.paced(Duration::from_millis(50)));
    let answer = setup.chat().await.unwrap();
    let error = answer.body.collect().await.unwrap_err();
    assert_eq!(error, UpstreamError::Total);
    assert_eq!(error.fault().kind, FaultKind::GatewayTimeout);
}

#[tokio::test]
async fn answers_that_cannot_be_examined_are_not_taken() {
    let mock = Mock::saying("hello").await;
    let setup = one(&mock, "max-answer-bytes: 2000\n    breaker: {failures: 0}");
    let endless = Bytes::from(format!("x-filler: {}\r\n", "y".repeat(1_000)));
    for (reply, expected) in [
        (
            Reply::with_headers(302, &[("location", "http://127.0.0.1/")], ""),
            UpstreamError::Unusable,
        ),
        (
            Reply::with_headers(200, &[("content-encoding", "gzip")], "\u{1f}"),
            UpstreamError::Unusable,
        ),
        (
            Reply::raw([Step::Send("no http\r\n\r\n".into())]),
            UpstreamError::Broken,
        ),
        (
            Reply::raw([
                Step::Send("HTTP/1.1 200 OK\r\n".into()),
                Step::Endless(endless),
            ]),
            UpstreamError::Broken,
        ),
    ] {
        mock.then(reply);
        let error = setup.chat().await.unwrap_err();
        assert_eq!(error, expected);
        assert_eq!(error.fault().kind, FaultKind::BadGateway);
    }
    mock.then(Reply::whole(200, "application/json", vec![b' '; 2_001]));
    let answer = setup.chat().await.unwrap();
    assert_eq!(answer.body.collect().await, Err(UpstreamError::TooLarge));
    let more = Step::Endless(chunk(&[b'x'; 500]));
    mock.then(Reply::raw([Step::Send(stream_head()), more]));
    let answer = setup.chat().await.unwrap();
    assert_eq!(answer.body.collect().await, Err(UpstreamError::TooLarge));
}

#[tokio::test]
async fn nothing_that_an_upstream_says_about_an_error_goes_on() {
    let mock = Mock::saying("hello").await;
    let setup = one(&mock, "retry: {attempts: 0}\n    breaker: {failures: 0}");
    for status in [
        400, 401, 403, 404, 409, 413, 418, 422, 429, 500, 503, 529, 599,
    ] {
        mock.then(Reply::error(status, "UPSTREAM-SECRET-CODE"));
        let error = setup.chat().await.unwrap_err();
        let fault = error.fault();
        let said = format!("{error} {error:?} {fault} {fault:?} {:?}", setup.events());
        assert!(!said.contains("UPSTREAM-SECRET"), "{status} {said}");
    }
}

#[tokio::test]
async fn an_answer_that_nobody_wants_is_let_go() {
    let mock = Mock::saying("hello").await;
    let setup = one(&mock, "");
    let endless = Step::Endless(chunk(&[b'x'; 1_000]));
    mock.then(Reply::raw([Step::Send(stream_head()), endless]));
    let mut answer = setup.chat().await.unwrap();
    answer.body.next().await.unwrap().unwrap();
    assert_eq!(mock.open(), 1);
    drop(answer);
    let deadline = Instant::now() + Duration::from_secs(5);
    while mock.open() > 0 {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Answers from a list, one answer per question.
struct Stub(Mutex<VecDeque<Vec<SocketAddr>>>);

impl Stub {
    fn parts(answers: impl IntoIterator<Item = Vec<SocketAddr>>) -> UpstreamParts {
        UpstreamParts {
            resolver: Arc::new(Self(Mutex::new(answers.into_iter().collect()))),
            ..UpstreamParts::default()
        }
    }
}

impl Resolve for Stub {
    fn resolve(
        &self,
        _host: &str,
        _port: u16,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>> {
        let answer = self.0.lock().unwrap().pop_front();
        Box::pin(async { answer.ok_or_else(|| io::ErrorKind::NotFound.into()) })
    }
}

const NAMED: &str = "upstreams:
  a:
    base-url: http://model.example:PORT/v1
    allow-plain-text: true
    connect-ms: 300
    retry: {attempts: 0}
    breaker: {failures: 0}
";

#[tokio::test]
async fn net_04_a_name_that_turns_to_a_private_address_is_refused() {
    let mock = Mock::saying("hello").await;
    let port = mock.address.port();
    let yaml = NAMED.replace("PORT", &port.to_string());
    let public: SocketAddr = format!("198.41.0.4:{port}").parse().unwrap();
    // Rebinding: public at first, then here; then both at once; then as IPv4 in IPv6.
    let mapped: SocketAddr = format!("[::ffff:127.0.0.1]:{port}").parse().unwrap();
    let parts = Stub::parts([
        vec![public],
        vec![mock.address],
        vec![public, mock.address],
        vec![mapped],
    ]);
    let setup = setup_with(&yaml, &[], parts);
    let first = setup.chat().await.unwrap_err();
    assert!(
        matches!(
            first,
            UpstreamError::Connect(ConnectError::Tcp | ConnectError::Timeout)
        ),
        "{first}"
    );
    for _ in 0..3 {
        let error = setup.chat().await.unwrap_err();
        let refused = ConnectError::Refused(Refusal::Private);
        assert_eq!(error, UpstreamError::Connect(refused));
    }
    let error = setup.chat().await.unwrap_err();
    assert_eq!(error, UpstreamError::Connect(ConnectError::Resolve));
    assert_eq!(mock.connections(), 0);
}

#[tokio::test]
async fn net_04_the_address_that_was_checked_is_the_one_connected_to() {
    let mock = Mock::saying("hello").await;
    let port = mock.address.port();
    let yaml = NAMED.replace("PORT", &port.to_string()) + "    allow-private: true\n";
    // Asked once per connection: a second answer would lead elsewhere.
    let elsewhere: SocketAddr = "127.0.0.1:1".parse().unwrap();
    let setup = setup_with(
        &yaml,
        &[],
        Stub::parts([vec![mock.address], vec![elsewhere]]),
    );
    for _ in 0..3 {
        assert!(text(setup.chat().await.unwrap()).await.contains("hello"));
    }
    assert_eq!(
        mock.last().header("host"),
        Some(format!("model.example:{port}").as_str())
    );
    let metadata: SocketAddr = "169.254.169.254:80".parse().unwrap();
    let setup = setup_with(&yaml, &[], Stub::parts([vec![metadata]]));
    let refused = ConnectError::Refused(Refusal::Metadata);
    assert_eq!(
        setup.chat().await.unwrap_err(),
        UpstreamError::Connect(refused)
    );
}
