//! What clients get of what an upstream says.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::{MAIL, ONE, chat, start, start_with, with_upstream};
use crate::{
    mock::{Format, Mock, Reply, Step},
    stream::CANARY,
};

#[tokio::test]
async fn out_23_and_ws_31_every_choice_and_argument_is_clean() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "").await;
    let choice = |index: u32, text: &str, call: &str| {
        json!({"index": index, "finish_reason": "stop", "message": {"role": "assistant",
            "content": text, "tool_calls": [{"id": "c", "type": "function",
            "function": {"name": "mail", "arguments": json!({"to": call}).to_string()}}]}})
    };
    let mut answer = Format::Chat.body("");
    answer["choices"] = json!([
        choice(0, "Fine.", "nobody"),
        choice(1, "Fine, too.", MAIL),
        choice(2, &format!("Ask {MAIL}."), "nobody"),
    ]);
    mock.then(Reply::json(200, &answer));
    let mut body = chat("Who knows?");
    body["n"] = 3.into();
    let got = gateway.chat(&body).await;
    assert_eq!(got.status, 200, "{got:?}");
    assert_eq!(got.header("x-bartizan-decision"), "redact");
    assert!(!got.body.contains("jane"), "{got:?}");
    let said = got.json();
    assert_eq!(
        said["choices"][2]["message"]["content"],
        "Ask [REDACTED_EMAIL]."
    );
    let call = said.pointer("/choices/1/message/tool_calls/0/function/arguments");
    let call: Value = serde_json::from_str(call.unwrap().as_str().unwrap()).unwrap();
    assert_eq!(call["to"], "[REDACTED_EMAIL]");
    assert!(gateway.recorded(&got).await.was_filtered);
}

#[tokio::test]
async fn a_blocked_answer_is_an_answer_that_was_filtered() {
    let mock = Mock::saying(&format!("The word is {CANARY}.")).await;
    let gateway = with_upstream(&mock, "").await;
    for (path, body, pointer, value) in [
        (
            "/v1/chat/completions",
            chat("Which word?"),
            "/choices/0/finish_reason",
            "content_filter",
        ),
        (
            "/v1/responses",
            json!({"model": "m", "input": "Which word?"}),
            "/status",
            "incomplete",
        ),
        (
            "/v1/messages",
            json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Which word?"}]}),
            "/stop_reason",
            "refusal",
        ),
    ] {
        let got = gateway.post(path, &body).await;
        assert_eq!(got.status, 200, "{path}: {got:?}");
        assert_eq!(got.json().pointer(pointer).unwrap(), value, "{got:?}");
        assert!(!got.body.contains("k7qz2m4x"), "{got:?}");
        assert_eq!(got.header("x-bartizan-decision"), "block");
        let recorded = gateway.recorded(&got).await;
        assert_eq!(recorded.outcome.as_str(), "output_blocked");
        assert_eq!(recorded.completion_tokens, 7, "it was paid for");
    }
}

/// The model complies once and refuses when it is asked again.
#[tokio::test]
async fn jb_09_a_refused_answer_is_asked_for_again() {
    let mock = Mock::saying("I cannot tell.").await;
    let gateway = with_upstream(&mock, "guarding: {regenerate: 1}\n").await;
    mock.then(Format::Chat.whole(&format!("The word is {CANARY}.")));
    let got = gateway.chat(&chat("Which word?")).await;
    assert_eq!((got.status, got.said().as_str()), (200, "I cannot tell."));
    assert_eq!(mock.requests(), 2);
    let recorded = gateway.recorded(&got).await;
    assert_eq!(recorded.regenerated, 1);
    assert_eq!(recorded.outcome.as_str(), "answered");
    assert_eq!(recorded.completion_tokens, 14, "both were paid for");
    // As often as configured, no more.
    for _ in 0..2 {
        mock.then(Format::Chat.whole(&format!("The word is {CANARY}.")));
    }
    let got = gateway.chat(&chat("Which word is it?")).await;
    let reason = got.json()["choices"][0]["finish_reason"].clone();
    assert_eq!(reason, "content_filter", "{got:?}");
    assert_eq!(mock.requests(), 4);
}

#[tokio::test]
async fn faults_of_an_upstream_are_named_without_its_words() {
    const WORDS: &str = "UPSTREAM-SECRET-TEXT";
    let mock = Mock::saying("Fine.").await;
    let yaml = ONE.replace(
        "retry: {attempts: 0}",
        "retry: {attempts: 0}\n    max-answer-bytes: 4096\n    first-byte-ms: 400",
    );
    let gateway = start(&yaml, &[&mock]).await;
    let huge = format!("{{\"x\": \"{}\"}}", WORDS.repeat(1_000));
    for (reply, statuses) in [
        (Reply::error(429, "rate_limit_exceeded"), vec![429]),
        (Reply::error(500, "server_error"), vec![502, 500]),
        (Reply::error(400, "context_length_exceeded"), vec![400]),
        (Reply::error(401, "invalid_api_key"), vec![502, 500]),
        (Reply::raw([Step::Reset]), vec![502]),
        (Reply::raw([Step::Close]), vec![502]),
        (Reply::raw([Step::Stall]), vec![504]),
        (
            Reply::raw([Step::Send(format!("{WORDS}\r\n\r\n").into()), Step::Close]),
            vec![502],
        ),
        (
            Reply::whole(200, "application/json", format!("{{\"{WORDS}")),
            vec![502],
        ),
        (Reply::whole(200, "text/html", WORDS), vec![502]),
        (Reply::whole(200, "application/json", huge), vec![502]),
        (
            Reply::with_headers(302, &[("location", "http://x.example")], WORDS),
            vec![502],
        ),
    ] {
        let about = format!("{:?}", &reply).chars().take(90).collect::<String>();
        mock.then(reply);
        let got = gateway.chat(&chat("Hello.")).await;
        assert!(statuses.contains(&got.status), "{about}: {got:?}");
        assert!(!format!("{got:?}").contains(WORDS), "{got:?}");
        assert!(got.json()["error"]["code"].is_string(), "{got:?}");
        let recorded = gateway.recorded(&got).await;
        assert_eq!(recorded.status, got.status, "{about}");
        assert_ne!(recorded.outcome.as_str(), "answered", "{about}");
    }
}

#[tokio::test]
async fn a_fallback_answers_and_is_recorded() {
    let (broken, whole) = (Mock::saying("no").await, Mock::saying("Fine.").await);
    broken.always(Reply::error(503, "server_error"));
    let yaml = "upstreams:
  first: {kind: vllm, base-url: MOCK1, allow-private: true, retry: {attempts: 0}}
  second: {kind: vllm, base-url: MOCK2, allow-private: true, retry: {attempts: 0}}
routes:
  - {model: '*', targets: [{upstream: first}], fallbacks: [{upstream: second, model: other}]}
";
    let yaml = yaml
        .replace("MOCK1", &broken.base_url())
        .replace("MOCK2", &whole.base_url());
    let gateway = start(&yaml, &[]).await;
    let got = gateway.chat(&chat("Hello.")).await;
    assert_eq!((got.status, got.said().as_str()), (200, "Fine."));
    assert_eq!(whole.last().json()["model"], "other");
    let recorded = gateway.recorded(&got).await;
    assert_eq!(recorded.upstream.as_str(), "second");
    assert_eq!(recorded.model_version.as_str(), "other");
}

#[tokio::test]
async fn api_15_tokens_and_cost_are_recorded() {
    let mock = Mock::saying("Fine.").await;
    let more = "limits:
  preset: none
  prices:
    '*': {input: 2.00, output: 10.00}
";
    let yaml = format!("{ONE}{more}");
    let gateway = start(&yaml, &[&mock]).await;
    let got = gateway.chat(&chat("Hello.")).await;
    let recorded = gateway.recorded(&got).await;
    assert_eq!((recorded.prompt_tokens, recorded.completion_tokens), (5, 7));
    // 5 · 2 + 7 · 10 millionths of a dollar.
    assert_eq!(recorded.cost.0, 80);
}

/// Nobody is left without an entry, however a request ends.
#[tokio::test]
async fn aud_06_every_model_route_leaves_an_event() {
    let mock = Mock::saying("Fine.").await;
    let gateway = start_with(ONE, "", &[&mock]).await;
    for (path, body) in [
        ("/v1/chat/completions", chat("Hello.")),
        ("/v1/completions", json!({"model": "m", "prompt": "Hello."})),
        ("/v1/responses", json!({"model": "m", "input": "Hello."})),
        ("/v1/embeddings", json!({"model": "m", "input": "Hello."})),
        ("/v1/moderations", json!({"model": "m", "input": "Hello."})),
        (
            "/v1/messages",
            json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi."}]}),
        ),
        (
            "/v1/messages/count_tokens",
            json!({"model": "m", "messages": [{"role": "user", "content": "Hi."}]}),
        ),
    ] {
        let got = gateway.post(path, &body).await;
        assert_eq!(got.status, 200, "{path}: {got:?}");
        let recorded = gateway.recorded(&got).await;
        assert_eq!(recorded.endpoint.as_str(), path);
        assert_eq!(recorded.outcome.as_str(), "answered", "{path}");
        assert_eq!(recorded.status, 200, "{path}");
        assert!(!recorded.user_id.is_none());
    }
    for path in ["/v1/models", "/v1/models/nothing"] {
        let got = gateway.get(path).await;
        let recorded = gateway.recorded(&got).await;
        assert_eq!(recorded.status, got.status, "{path}");
    }
    // Refused before anything was read.
    let credential = format!("Bearer {}", gateway.key);
    for (kind, body) in [("text/plain", "{}"), ("application/json", "{")] {
        let headers = [
            ("authorization", credential.as_str()),
            ("content-type", kind),
        ];
        let got = gateway
            .send(Method::POST, "/v1/chat/completions", &headers, body)
            .await;
        assert!((400..500).contains(&got.status), "{got:?}");
        let recorded = gateway.recorded(&got).await;
        assert_eq!(recorded.outcome.as_str(), "rejected");
    }
    // The guard's own routes.
    let got = gateway
        .post("/v1/guard/check", &json!({"text": "Hello."}))
        .await;
    assert_eq!(got.status, 200);
    gateway.gateway.recorder().flush().await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(
        gateway.recorded(&got).await.endpoint.as_str(),
        "/v1/guard/check"
    );
}
