//! Answers that follow piece by piece.

use std::time::Duration;

use http::Method;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::{ATTACK, Got, MAIL, Running, chat, with_upstream};
use crate::{
    mock::{Format, Mock, Reply, Step},
    stream::{CANARY, events},
};

/// What a stream of chat chunks says.
pub(super) fn said(body: &str) -> String {
    let pieces = events(body);
    let text = |(_, event): &(String, Value)| {
        let piece = event.pointer("/choices/0/delta/content")?;
        Some(piece.as_str()?.to_owned())
    };
    pieces.iter().filter_map(text).collect()
}

async fn stream(gateway: &Running, text: &str) -> Got {
    let mut body = chat(text);
    body["stream"] = true.into();
    gateway.chat(&body).await
}

#[tokio::test]
async fn out_23_personal_data_split_over_chunks_is_taken_out() {
    let text = format!("Please write to {MAIL} or call soon. Thank you very much for asking.");
    let mock = Mock::saying(&text).await;
    let gateway = with_upstream(&mock, "").await;
    for size in [1, 7, 40, 10_000] {
        mock.then(Reply::stream(&Format::Chat.events(&text, 3), size));
        let got = stream(&gateway, "Whom do I ask?").await;
        assert_eq!(got.status, 200, "{got:?}");
        assert_eq!(
            said(&got.body),
            "Please write to [REDACTED_EMAIL] or call soon. Thank you very much for asking.",
            "{size}"
        );
        assert!(got.body.ends_with("data: [DONE]\n\n"), "{got:?}");
        let recorded = gateway.recorded(&got).await;
        assert!(recorded.was_filtered && recorded.stream);
        assert_eq!(recorded.outcome.as_str(), "answered");
    }
}

#[tokio::test]
async fn other_formats_are_guarded_in_streams_too() {
    let text = format!("Please write to {MAIL} soon.");
    let mock = Mock::saying(&text).await;
    let gateway = with_upstream(&mock, "").await;
    for (path, body) in [
        (
            "/v1/responses",
            json!({"model": "m", "input": "Whom?", "stream": true}),
        ),
        (
            "/v1/messages",
            json!({"model": "m", "max_tokens": 99, "stream": true,
                "messages": [{"role": "user", "content": "Whom?"}]}),
        ),
        (
            "/v1/completions",
            json!({"model": "m", "prompt": "Whom?", "stream": true}),
        ),
    ] {
        let got = gateway.post(path, &body).await;
        assert_eq!(got.status, 200, "{path}: {got:?}");
        assert!(
            got.header("content-type").starts_with("text/event-stream"),
            "{path}"
        );
        assert!(
            !got.body.contains("jane") && !got.body.contains("austen@"),
            "{path}: {got:?}"
        );
        assert!(got.body.contains("[REDACTED_EMAIL]"), "{path}: {got:?}");
        assert_eq!(
            gateway.recorded(&got).await.outcome.as_str(),
            "answered",
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_blocked_stream_ends_as_filtered() {
    let mock = Mock::saying(&format!("The word is {CANARY}, as you asked.")).await;
    let gateway = with_upstream(&mock, "").await;
    let got = stream(&gateway, "Which word?").await;
    assert_eq!(got.status, 200, "{got:?}");
    assert!(!said(&got.body).contains("k7qz"), "{got:?}");
    assert!(got.body.contains("\"content_filter\""), "{got:?}");
    assert!(got.body.ends_with("data: [DONE]\n\n"), "{got:?}");
    let recorded = gateway.recorded(&got).await;
    assert_eq!(recorded.outcome.as_str(), "output_blocked");
}

#[tokio::test]
async fn a_blocked_input_of_a_stream_is_no_stream() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "").await;
    let got = stream(&gateway, ATTACK).await;
    assert_eq!(got.status, 400, "{got:?}");
    assert_eq!(mock.requests(), 0);
}

/// What the upstream had sent before it broke off is guarded like the rest.
#[tokio::test]
async fn a_reset_in_the_middle_lets_no_unguarded_byte_out() {
    let text = format!("Please write to {MAIL} and ask.");
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "").await;
    let whole = Reply::each(&Format::Chat.events(&text, 4));
    // With its last chunk and without `[DONE]` it is whole.
    for cut in 2..whole.steps() - 2 {
        for end in [Step::Reset, Step::Close] {
            mock.then(whole.clone().cut(cut, end));
            let got = stream(&gateway, "Whom do I ask?").await;
            let said = if got.status == 200 {
                said(&got.body)
            } else {
                String::new()
            };
            // Up to the cut it is judged as the whole: a part of an address may be none.
            assert!(
                !said.contains(MAIL) && text.starts_with(&said)
                    || said.contains("[REDACTED_EMAIL]"),
                "{cut}: {said}"
            );
            let is_told = got.status >= 500 || got.body.contains("\"error\":");
            assert!(is_told, "{cut}: {got:?}");
            let recorded = gateway.recorded(&got).await;
            assert_eq!(recorded.outcome.as_str(), "upstream_failed", "{cut}");
        }
    }
}

#[tokio::test]
async fn malformed_events_end_the_stream_without_their_words() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "").await;
    for events in [
        "data: {UPSTREAM-SECRET-TEXT\n\n",
        "data: {\"choices\": \"UPSTREAM-SECRET-TEXT\"}\n\n",
        "event: error\ndata: {\"error\": {\"message\": \"UPSTREAM-SECRET-TEXT\"}}\n\n",
        "UPSTREAM-SECRET-TEXT",
    ] {
        mock.then(Reply::stream(events, 9));
        let got = stream(&gateway, "Hello.").await;
        assert!(!got.body.contains("UPSTREAM-SECRET-TEXT"), "{got:?}");
        let recorded = gateway.recorded(&got).await;
        assert_ne!(recorded.outcome.as_str(), "answered", "{events}");
    }
}

#[tokio::test]
async fn a_client_that_goes_away_is_recorded() {
    let mock = Mock::saying("x").await;
    mock.say(&"word ".repeat(500), Duration::from_millis(20));
    let gateway = with_upstream(&mock, "").await;
    let mut body = chat("Tell me a story.");
    body["stream"] = true.into();
    let credential = format!("Bearer {}", gateway.key);
    let headers = [("authorization", credential.as_str())];
    let body = body.to_string();
    let mut response = gateway
        .open(Method::POST, "/v1/chat/completions", &headers, &body)
        .await;
    let id = response.headers()["x-bartizan-request-id"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    let mut seen = String::new();
    while !seen.contains("word") {
        let frame = response.frame().await.unwrap().unwrap();
        seen.push_str(&String::from_utf8_lossy(&frame.into_data().unwrap()));
    }
    drop(response);
    let story = gateway.story(id).await;
    let recorded = story.interaction().unwrap();
    assert_eq!(recorded.outcome.as_str(), "client_gone");
    assert!(recorded.stream);
    assert!(recorded.completion_tokens > 0, "what was said was paid for");
    for _ in 0..100 {
        if mock.open() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the upstream still speaks to nobody");
}

/// The client leaves before the upstream has begun to answer.
#[tokio::test]
async fn a_client_that_does_not_wait_is_recorded() {
    let mock = Mock::saying("x").await;
    mock.then(Format::Chat.whole("late").after(Duration::from_secs(2)));
    let gateway = with_upstream(&mock, "").await;
    let credential = format!("Bearer {}", gateway.key);
    let headers = [("authorization", credential.as_str())];
    let body = chat("Hello.").to_string();
    let asked = gateway.open(Method::POST, "/v1/chat/completions", &headers, &body);
    assert!(
        tokio::time::timeout(Duration::from_millis(600), asked)
            .await
            .is_err()
    );
    for _ in 0..100 {
        let page = gateway.gateway.render_metrics();
        if page
            .lines()
            .any(|line| line.contains("client_gone") || line.contains("abandoned"))
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{}", gateway.gateway.render_metrics());
}

/// An upstream that does not stream although it was asked to is guarded, too.
#[tokio::test]
async fn an_answer_in_one_piece_in_the_place_of_a_stream_is_guarded() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "").await;
    mock.then(Format::Chat.whole(&format!("Write to {MAIL}.")));
    let got = stream(&gateway, "Whom do I ask?").await;
    assert_eq!(
        (got.status, got.said().as_str()),
        (200, "Write to [REDACTED_EMAIL].")
    );
    // The other way round there is nothing that could be read.
    mock.then(Reply::stream(&Format::Chat.events(MAIL, 4), 50));
    let got = gateway.chat(&chat("Whom do I ask?")).await;
    assert_eq!(got.status, 502, "{got:?}");
}

#[tokio::test]
async fn only_histories_that_passed_here_are_gone_on_from() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "").await;
    let other = gateway.new_key(&["infer"]).await;
    for stream in [false, true] {
        let path = "/v1/responses";
        let next = json!({"model": "m", "input": "Go on.", "previous_response_id": "resp_mock",
            "stream": stream});
        if !stream {
            let got = gateway.post(path, &next).await;
            assert_eq!(got.status, 400, "{got:?}");
            assert_eq!(mock.requests(), 0);
        }
        let first = json!({"model": "m", "input": "Hello.", "stream": stream});
        assert_eq!(gateway.post(path, &first).await.status, 200);
        assert_eq!(gateway.post(path, &next).await.status, 200);
        assert_eq!(gateway.post_as(&other, path, &next).await.status, 400);
    }
}

/// A chunk of one choice of a chat.
fn piece(index: u64, delta: &Value, end: Option<&str>) -> String {
    let chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": index, "delta": delta, "finish_reason": end}]});
    format!("data: {chunk}\n\n")
}

/// What each of two choices says, and how it ends.
fn choices(body: &str) -> [(String, Option<String>); 2] {
    let mut all: [(String, Option<String>); 2] = Default::default();
    for (_, event) in events(body) {
        for choice in event["choices"].as_array().into_iter().flatten() {
            let (said, end) = &mut all[choice["index"].as_u64().unwrap() as usize];
            said.push_str(choice["delta"]["content"].as_str().unwrap_or_default());
            if let Some(reason) = choice["finish_reason"].as_str() {
                assert_eq!(end.replace(reason.to_owned()), None, "{body}");
            }
        }
    }
    all
}

/// Two choices whose chunks take turns; each ends with its last word.
fn interleaved(one: &str, two: &str) -> String {
    let mut words = [one, two].map(|text| text.split_inclusive(' ').peekable());
    let mut out = String::new();
    while words.iter_mut().any(|words| words.peek().is_some()) {
        for (index, words) in (0..).zip(&mut words) {
            let Some(word) = words.next() else { continue };
            out.push_str(&piece(index, &json!({"content": word}), None));
            if words.peek().is_none() {
                out.push_str(&piece(index, &json!({}), Some("stop")));
            }
        }
    }
    out + "data: [DONE]\n\n"
}

async fn stream_of_two(gateway: &Running) -> Got {
    let mut body = chat("Whom do I ask?");
    body["stream"] = true.into();
    body["n"] = 2.into();
    gateway.chat(&body).await
}

#[tokio::test]
async fn choices_that_take_turns_are_edited_each_for_itself() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "").await;
    let events = interleaved(
        &format!("Please write to {MAIL} and ask about the order."),
        "Nobody here knows whom you may ask about it today.",
    );
    for size in [1, 23, 100_000] {
        mock.then(Reply::stream(&events, size));
        let got = stream_of_two(&gateway).await;
        assert_eq!(got.status, 200, "{got:?}");
        let stop = Some("stop".to_owned());
        let [one, two] = choices(&got.body);
        assert_eq!(
            one,
            (
                "Please write to [REDACTED_EMAIL] and ask about the order.".to_owned(),
                stop.clone()
            )
        );
        assert_eq!(
            two,
            (
                "Nobody here knows whom you may ask about it today.".to_owned(),
                stop
            )
        );
        let recorded = gateway.recorded(&got).await;
        assert_eq!(recorded.outcome.as_str(), "answered");
    }
}

/// One choice that is blocked ends the stream for every choice that has not ended before.
#[tokio::test]
async fn a_blocked_choice_ends_those_that_are_open() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "").await;
    let secret = format!("It took me a good while, but the word is {CANARY}, as you asked.");
    let long = "Nobody here knows ".repeat(40);
    for (other, ended) in [("No.", "stop"), (long.as_str(), "content_filter")] {
        mock.then(Reply::each(&interleaved(&secret, other)));
        let got = stream_of_two(&gateway).await;
        assert_eq!(got.status, 200, "{got:?}");
        assert!(!got.body.contains("k7qz"), "{got:?}");
        assert!(got.body.ends_with("data: [DONE]\n\n"), "{got:?}");
        let [one, two] = choices(&got.body);
        assert_eq!(one.1.as_deref(), Some("content_filter"), "{got:?}");
        assert_eq!(two.1.as_deref(), Some(ended), "{got:?}");
        if ended == "stop" {
            assert_eq!(two.0, other);
        }
        let recorded = gateway.recorded(&got).await;
        assert_eq!(recorded.outcome.as_str(), "output_blocked");
    }
    // In one piece, one refused choice refuses the answer.
    let whole = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "No."}},
        {"index": 1, "finish_reason": "stop", "message": {"role": "assistant", "content": secret}},
    ]});
    mock.then(Reply::json(200, &whole));
    let mut body = chat("Whom do I ask?");
    body["n"] = 2.into();
    let got = gateway.chat(&body).await;
    assert_eq!(got.status, 200, "{got:?}");
    let said = got.json();
    assert_eq!(said["choices"].as_array().unwrap().len(), 2, "{got:?}");
    for choice in said["choices"].as_array().unwrap() {
        assert_eq!(choice["finish_reason"], "content_filter", "{got:?}");
    }
    assert!(!got.body.contains("k7qz"), "{got:?}");
}
