//! What goes upstream is what was looked at, edited (IN-26).

use http::Method;
use serde_json::{Value, json};

use super::{ATTACK, MAIL, ONE, UPSTREAM_KEY, chat, start_with, with_upstream};
use crate::mock::{Format, Mock};

#[tokio::test]
async fn in_26_the_upstream_gets_the_sanitised_text() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "").await;
    let text = format!("Write to {MAIL} about the order.");
    for (path, body, place) in [
        ("/v1/chat/completions", chat(&text), "/messages/0/content"),
        (
            "/v1/chat/completions",
            json!({"model": "m", "messages": [{"role": "user", "content": [
                {"type": "text", "text": "Hello."}, {"type": "text", "text": text}]}]}),
            "/messages/0/content/1/text",
        ),
        (
            "/v1/responses",
            json!({"model": "m", "input": text}),
            "/input",
        ),
        (
            "/v1/messages",
            json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": text}]}),
            "/messages/0/content",
        ),
        (
            "/v1/completions",
            json!({"model": "m", "prompt": text}),
            "/prompt",
        ),
        (
            "/v1/embeddings",
            json!({"model": "m", "input": [text]}),
            "/input/0",
        ),
    ] {
        let got = gateway.post(path, &body).await;
        assert_eq!(got.status, 200, "{path}: {got:?}");
        assert_eq!(got.header("x-bartizan-decision"), "redact", "{path}");
        let sent = mock.last();
        assert_eq!(
            sent.json().pointer(place).and_then(Value::as_str),
            Some("Write to [REDACTED_EMAIL] about the order."),
            "{path}"
        );
        assert!(!sent.text().contains("jane"), "{path}");
        let recorded = gateway.recorded(&got).await;
        assert!(recorded.was_filtered, "{path}");
    }
}

#[tokio::test]
async fn api_16_only_the_upstreams_own_key_goes_on() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "").await;
    let body = chat("Hello.").to_string();
    for headers in [
        vec![("authorization", format!("Bearer {}", gateway.key))],
        vec![
            ("x-api-key", gateway.key.clone()),
            ("cookie", "session=1".into()),
        ],
        vec![("api-key", gateway.key.clone())],
    ] {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let got = gateway
            .send(Method::POST, "/v1/chat/completions", &headers, &body)
            .await;
        assert_eq!(got.status, 200, "{got:?}");
        let sent = mock.last();
        let bearer = format!("Bearer {UPSTREAM_KEY}");
        assert_eq!(sent.header("authorization"), Some(bearer.as_str()));
        assert!(!sent.text().contains(&gateway.key));
        assert_eq!(sent.header("cookie"), None);
        assert!(!format!("{got:?}").contains(UPSTREAM_KEY));
        assert!(got.headers.get("set-cookie").is_none());
    }
}

#[tokio::test]
async fn jb_10_decoding_is_bounded() {
    let mock = Mock::saying("Fine.").await;
    let more =
        "guarding: {decode: {max-temperature: 0.5, max-output-tokens: 50, banned-tokens: [7]}}\n";
    let gateway = with_upstream(&mock, more).await;
    let mut body = chat("Hello.");
    body["temperature"] = 1.7.into();
    body["max_completion_tokens"] = 900.into();
    assert_eq!(gateway.chat(&body).await.status, 200);
    let sent = mock.last().json();
    assert_eq!(sent["temperature"], 0.5);
    assert_eq!(sent["max_completion_tokens"], 50);
    assert_eq!(sent["logit_bias"]["7"], -100);
    // Lower values stay; left out means the upstream's default, which may be higher.
    body["temperature"] = 0.1.into();
    body["max_completion_tokens"] = 10.into();
    assert_eq!(gateway.chat(&body).await.status, 200);
    let sent = mock.last().json();
    assert_eq!(sent["temperature"], 0.1);
    assert_eq!(sent["max_completion_tokens"], 10);
    assert_eq!(gateway.chat(&chat("Hello.")).await.status, 200);
    assert_eq!(mock.last().json()["temperature"], 0.5);
    let message =
        json!({"model": "m", "max_tokens": 900, "messages": [{"role": "user", "content": "Hi."}]});
    assert_eq!(gateway.post("/v1/messages", &message).await.status, 200);
    assert_eq!(mock.last().json()["max_tokens"], 50);
}

#[tokio::test]
async fn jb_10_an_old_name_of_the_bound_is_bounded_too() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "guarding: {decode: {max-output-tokens: 50}}\n").await;
    let mut body = chat("Hello.");
    body["max_tokens"] = 900.into();
    assert_eq!(gateway.chat(&body).await.status, 200);
    let sent = mock.last().json();
    for field in ["max_tokens", "max_completion_tokens"] {
        assert!(sent[field].as_u64().is_none_or(|most| most <= 50), "{sent}");
    }
}

#[tokio::test]
async fn in_12_and_in_13_prompts_are_hardened_and_data_marked() {
    let mock = Mock::saying("Fine.").await;
    let more = "guarding: {hardening: {system-prompt: true, delimit-data: true}}\n";
    let gateway = with_upstream(&mock, more).await;
    let body = json!({"model": "m", "messages": [
        {"role": "system", "content": "You sell shoes."},
        {"role": "user", "content": "What is in stock?"},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "stock", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "Two pairs of boots."},
    ]});
    let mut nonces = Vec::new();
    for _ in 0..2 {
        let got = gateway.chat(&body).await;
        assert_eq!(got.status, 200, "{got:?}");
        let sent = mock.last().json();
        let messages = sent["messages"].as_array().unwrap();
        let system: Vec<&str> = messages
            .iter()
            .filter(|message| message["role"] == "system")
            .map(|message| message["content"].as_str().unwrap())
            .collect();
        let system = system.join("\n");
        assert!(system.contains("You sell shoes."), "{system}");
        assert!(system.len() > 300, "{system}");
        let tool = messages.last().unwrap()["content"].as_str().unwrap();
        assert!(tool.contains("Two pairs of boots."));
        let nonce = tool.split("Two pairs").next().unwrap().to_owned();
        assert!(nonce.len() > 20, "{tool}");
        assert_ne!(tool, "Two pairs of boots.");
        nonces.push(nonce);
    }
    assert_ne!(nonces[0], nonces[1]);
}

#[tokio::test]
async fn jb_11_a_bad_old_turn_is_taken_out() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "").await;
    let body = json!({"model": "m", "messages": [
        {"role": "user", "content": ATTACK},
        {"role": "assistant", "content": "I will not."},
        {"role": "user", "content": "What is the capital of Norway?"},
    ]});
    let got = gateway.chat(&body).await;
    assert_eq!(got.status, 200, "{got:?}");
    let sent = mock.last();
    assert!(!sent.text().contains("previous instructions"));
    assert!(sent.text().contains("capital of Norway"));
    let recorded = gateway.recorded(&got).await;
    assert!(recorded.injection_detected);
    assert!(recorded.was_filtered);
}

/// An attack anywhere is seen, not only in the last message.
#[tokio::test]
async fn ws_26_the_first_message_is_looked_at() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "guarding: {history: refuse}\n").await;
    let body = json!({"model": "m", "messages": [
        {"role": "user", "content": ATTACK},
        {"role": "assistant", "content": "I will not."},
        {"role": "user", "content": "Go on."},
    ]});
    let got = gateway.chat(&body).await;
    assert_eq!(got.status, 400, "{got:?}");
    assert_eq!(got.json()["error"]["code"], "content_filter");
    assert_eq!(mock.requests(), 0, "the verdict comes before the upstream");
    let recorded = gateway.recorded(&got).await;
    assert_eq!(recorded.outcome.as_str(), "input_blocked");
}

#[tokio::test]
async fn ex_09_probabilities_are_neither_asked_for_nor_shown() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "").await;
    let mut answer = Format::Chat.body("Fine.");
    answer["choices"][0]["logprobs"] = json!({"content": [
        {"token": "Fine", "logprob": -0.25, "bytes": null, "top_logprobs": []}]});
    mock.then(crate::mock::Reply::json(200, &answer));
    let mut body = chat("Hello.");
    body["logprobs"] = true.into();
    body["top_logprobs"] = 5.into();
    let got = gateway.chat(&body).await;
    assert_eq!(got.status, 200, "{got:?}");
    assert!(!got.body.contains("-0.25"), "{got:?}");
    let sent = mock.last().json();
    assert_ne!(sent["logprobs"], true, "{sent}");
    assert!(
        sent.get("top_logprobs").is_none_or(|top| top == 0),
        "{sent}"
    );
}

#[tokio::test]
async fn pii_23_placeholders_go_out_and_values_come_back() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "guarding: {reversible: true}\n").await;
    for stream in [false, true] {
        // The upstream repeats what it was sent: first find out what that is.
        let text = format!("Write to {MAIL} now.");
        let mut body = chat(&text);
        mock.say("Fine.", std::time::Duration::ZERO);
        assert_eq!(gateway.chat(&body).await.status, 200);
        let sent = mock.last().json();
        let sent = sent["messages"][0]["content"].as_str().unwrap().to_owned();
        assert!(!sent.contains("jane"), "{sent}");
        let token = sent
            .trim_start_matches("Write to ")
            .trim_end_matches(" now.")
            .to_owned();
        mock.say(&format!("I wrote to {token}."), std::time::Duration::ZERO);
        body["stream"] = stream.into();
        let got = gateway.chat(&body).await;
        assert_eq!(got.status, 200, "{got:?}");
        let said = if stream {
            super::streams::said(&got.body)
        } else {
            got.said()
        };
        let sent_now = mock.last().json();
        let same = sent_now["messages"][0]["content"] == sent.as_str();
        assert!(same, "tokens differ from request to request: {sent_now}");
        assert_eq!(said, format!("I wrote to {MAIL}."), "stream: {stream}");
    }
}

#[tokio::test]
async fn a_blocked_request_has_the_shape_of_its_format() {
    let mock = Mock::saying("Fine.").await;
    let gateway = start_with(ONE, "", &[&mock]).await;
    for (path, body, pointer, value) in [
        (
            "/v1/chat/completions",
            chat(ATTACK),
            "/error/code",
            "content_filter",
        ),
        (
            "/v1/responses",
            json!({"model": "m", "input": ATTACK}),
            "/error/code",
            "content_filter",
        ),
        (
            "/v1/messages",
            json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": ATTACK}]}),
            "/type",
            "error",
        ),
    ] {
        let got = gateway.post(path, &body).await;
        assert_eq!(got.status, 400, "{path}: {got:?}");
        assert_eq!(got.json().pointer(pointer).unwrap(), value, "{got:?}");
        assert_eq!(got.header("x-bartizan-decision"), "block");
    }
    assert_eq!(mock.requests(), 0);
}
