use bartizan_gateway::{
    endpoint::Endpoint,
    wire::stream::{Ending, StreamSetup},
};
use serde_json::{Value, json};

use super::{Got, run, setup, sse};

fn created() -> Value {
    json!({"type": "response.created", "response": {"id": "resp_1", "object": "response",
        "created_at": 1_700_000_000, "model": "m-1", "status": "in_progress", "output": [],
        "instructions": "You are the mail desk of jane@example.com.",
        "metadata": {"owner": "jane@example.com"}, "user": "jane@example.com",
        "tools": [{"type": "function", "name": "f", "description": "mail jane@example.com"}],
        "text": {"format": {"type": "text"}}, "tool_choice": "auto"}})
}

fn added(output: u64, item: Value) -> Value {
    json!({"type": "response.output_item.added", "output_index": output, "item": item})
}

fn message(text: Option<&str>) -> Value {
    let content = text.map(|text| {
        json!({"type": "output_text", "text": text, "annotations": [],
        "logprobs": [{"token": text, "logprob": -0.1}]})
    });
    json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
        "content": content.into_iter().collect::<Vec<_>>()})
}

fn delta(family: &str, delta: &str) -> Value {
    json!({"type": format!("response.{family}.delta"), "item_id": "msg_1", "output_index": 0,
        "content_index": 0, "delta": delta, "logprobs": [{"token": delta, "logprob": -0.1}],
        "obfuscation": "x9Y"})
}

fn done(family: &str, key: &str, text: &str) -> Value {
    json!({"type": format!("response.{family}.done"), "item_id": "msg_1", "output_index": 0,
        "content_index": 0, key: text})
}

fn completed(output: Value) -> Value {
    json!({"type": "response.completed", "response": {"id": "resp_1", "object": "response",
        "created_at": 1_700_000_000, "model": "m-1", "status": "completed", "output": output,
        "usage": {"input_tokens": 9, "output_tokens": 5, "total_tokens": 14,
            "input_tokens_details": {"cached_tokens": 2},
            "output_tokens_details": {"reasoning_tokens": 3}}}})
}

fn guard_with(setup: StreamSetup, events: &[Value]) -> Got {
    let mut events = events.to_vec();
    for (number, event) in (0..).zip(&mut events) {
        event["sequence_number"] = Value::from(number);
    }
    let got = run(Endpoint::Responses, setup, &[sse(&events).as_bytes()]);
    for (number, (name, event)) in (0..).zip(&got.events) {
        assert_eq!(event["sequence_number"], Value::from(number), "{name}");
        assert_eq!(event["type"], name.as_str());
    }
    got
}

fn guard(events: &[Value]) -> Got {
    guard_with(setup(), events)
}

const MAIL: &str = "write to jane@example.com";
const SAFE: &str = "write to [REDACTED_EMAIL]";

#[test]
fn every_copy_says_what_was_released() {
    let part = |kind: &str, text: &str| {
        json!({"type": format!("response.content_part.{kind}"), "item_id": "msg_1",
            "output_index": 0, "content_index": 0,
            "part": {"type": "output_text", "text": text, "annotations": []}})
    };
    let got = guard(&[
        created(),
        added(0, message(None)),
        part("added", ""),
        delta("output_text", "write to jane@exa"),
        delta("output_text", "mple.com"),
        done("output_text", "text", MAIL),
        part("done", MAIL),
        json!({"type": "response.output_item.done", "output_index": 0, "item": message(Some(MAIL))}),
        completed(json!([message(Some(MAIL))])),
    ]);
    assert!(!got.raw.contains("jane"), "{}", got.raw);
    assert_eq!(got.text("/delta"), SAFE);
    assert_eq!(got.text("/text"), SAFE);
    assert_eq!(got.text("/part/text"), SAFE);
    assert_eq!(got.text("/item/content/0/text"), SAFE);
    assert_eq!(got.text("/response/output/0/content/0/text"), SAFE);
    assert_eq!(
        got.names(),
        [
            "response.created",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed"
        ]
    );
    let outcome = &got.outcome;
    assert_eq!(outcome.ending, Ending::Complete);
    assert_eq!(outcome.finish_reasons, [(0, "completed".to_owned())]);
    assert_eq!(
        (
            outcome.usage.input,
            outcome.usage.output,
            outcome.usage.cached,
            outcome.usage.reasoning
        ),
        (Some(9), Some(5), Some(2), Some(3))
    );
    assert_eq!(got.rules()[0].0, "output[0].content[0]");
}

#[test]
fn text_that_comes_only_in_a_copy_is_guarded() {
    let got = guard(&[created(), completed(json!([message(Some(MAIL))]))]);
    assert_eq!(got.text("/response/output/0/content/0/text"), SAFE);
    assert_eq!(got.text("/delta"), "");
    let got = guard(&[
        created(),
        json!({"type": "response.output_item.done", "output_index": 0, "item": message(Some(MAIL))}),
        completed(json!([])),
    ]);
    assert_eq!(got.text("/item/content/0/text"), SAFE);
    // At its start an item is empty, whatever it says.
    let got = guard(&[
        created(),
        added(0, message(Some(MAIL))),
        completed(json!([])),
    ]);
    assert!(!got.raw.contains("jane"));
}

#[test]
fn every_family_of_texts_is_guarded() {
    for (family, key) in [
        ("output_text", "text"),
        ("refusal", "refusal"),
        ("reasoning_text", "text"),
        ("reasoning_summary_text", "text"),
        ("brand_new_text", "text"),
    ] {
        let got = guard(&[
            created(),
            delta(family, "write to jane@exa"),
            delta(family, "mple.com"),
            done(family, key, MAIL),
            completed(json!([])),
        ]);
        assert_eq!(got.text("/delta"), SAFE, "{family}");
        assert_eq!(got.text(&format!("/{key}")), SAFE, "{family}");
        assert!(!got.raw.contains("jane"), "{family}");
        // And without its end.
        let got = guard(&[
            created(),
            delta(family, "jane@exa"),
            delta(family, "mple.com"),
            completed(json!([])),
        ]);
        assert_eq!(got.text("/delta"), "[REDACTED_EMAIL]", "{family}");
    }
}

#[test]
fn calls_are_held_and_judged_as_wholes() {
    for (family, key, kind, field) in [
        (
            "function_call_arguments",
            "arguments",
            "function_call",
            "arguments",
        ),
        ("mcp_call_arguments", "arguments", "mcp_call", "arguments"),
        (
            "custom_tool_call_input",
            "input",
            "custom_tool_call",
            "input",
        ),
        (
            "code_interpreter_call_code",
            "code",
            "code_interpreter_call",
            "code",
        ),
    ] {
        let item = |text: &str| json!({"type": kind, "id": "fc_1", "call_id": "call_1", "name": "send", field: text});
        let whole = "{\"to\":\"jane@example.com\"}";
        let safe = "{\"to\":\"[REDACTED_EMAIL]\"}";
        let events = [
            created(),
            added(0, item("")),
            delta(family, "{\"to\":\"jane@"),
            delta(family, "example.com\"}"),
            done(family, key, whole),
            json!({"type": "response.output_item.done", "output_index": 0, "item": item(whole)}),
            completed(json!([item(whole)])),
        ];
        let got = guard(&events);
        assert!(!got.raw.contains("jane"), "{family} {}", got.raw);
        assert_eq!(got.text("/delta"), safe, "{family}");
        assert_eq!(got.text(&format!("/{key}")), safe, "{family}");
        assert_eq!(got.text(&format!("/item/{field}")), safe, "{family}");
        assert_eq!(
            got.text(&format!("/response/output/0/{field}")),
            safe,
            "{family}"
        );
        // Only in the end, without deltas.
        let got = guard(&[created(), completed(json!([item(whole)]))]);
        assert_eq!(
            got.text(&format!("/response/output/0/{field}")),
            safe,
            "{family}"
        );
    }
}

#[test]
fn what_repeats_the_request_is_left_out() {
    let got = guard(&[created(), completed(json!([]))]);
    assert!(
        !got.raw.contains("jane") && !got.raw.contains("mail desk"),
        "{}",
        got.raw
    );
    assert_eq!(got.outcome.ending, Ending::Complete);
    assert!(got.raw.contains("\"format\":{\"type\":\"text\"}"));
}

#[test]
fn annotations_and_unknown_events_are_judged() {
    let note = |title: &str| {
        json!({"type": "response.output_text.annotation.added", "item_id": "msg_1", "output_index": 0,
            "content_index": 0, "annotation_index": 0, "annotation": {"type": "url_citation",
            "url": "https://example.com", "title": title, "start_index": 0, "end_index": 1}})
    };
    let got = guard(&[
        created(),
        note("A fine page"),
        note("jane@example.com"),
        completed(json!([])),
    ]);
    assert!(got.raw.contains("A fine page") && !got.raw.contains("jane"));
    assert_eq!(got.outcome.ending, Ending::Complete);

    let got = guard(&[
        created(),
        json!({"type": "response.brand.new", "words": {"a": ["jane@example.com"]}}),
    ]);
    assert_eq!(got.outcome.ending, Ending::Blocked);
    assert!(!got.raw.contains("jane"));
    let got = guard(&[
        created(),
        added(
            0,
            json!({"type": "web_search_call", "id": "ws", "action": {"query": "jane@example.com"}}),
        ),
    ]);
    assert_eq!(got.outcome.ending, Ending::Blocked);
}

#[test]
fn pictures_and_sound_do_not_pass_unread() {
    for event in [
        json!({"type": "response.audio.delta", "delta": "AAAA"}),
        json!({"type": "response.image_generation_call.partial_image", "partial_image_b64": "AAAA"}),
        json!({"type": "response.output_item.done", "output_index": 0,
            "item": {"type": "image_generation_call", "id": "ig", "result": "AAAA"}}),
    ] {
        let events = [created(), event, completed(json!([]))];
        let got = guard(&events);
        assert_eq!(got.outcome.ending, Ending::Unread);
        assert!(!got.raw.contains("AAAA"));
        let mut setup = setup();
        setup.config.pass_unread_media = true;
        let got = guard_with(setup, &events);
        assert_eq!(got.outcome.ending, Ending::Complete);
        assert!(got.raw.contains("AAAA"));
    }
}

#[test]
fn a_block_in_the_middle_ends_incomplete() {
    let refusal = Some("I cannot say that.".to_owned());
    let events = [
        created(),
        added(0, message(None)),
        delta("output_text", "the card is 4111 1111 1111 1111, use it"),
        done(
            "output_text",
            "text",
            "the card is 4111 1111 1111 1111, use it",
        ),
    ];
    let got = guard_with(StreamSetup { refusal, ..setup() }, &events);
    assert!(!got.raw.contains("4111"));
    let (name, event) = got.events.last().unwrap();
    assert_eq!(name, "response.incomplete");
    let response = &event["response"];
    assert_eq!(response["id"], "resp_1");
    assert_eq!(response["model"], "m-1");
    assert_eq!(response["status"], "incomplete");
    assert_eq!(response["incomplete_details"]["reason"], "content_filter");
    assert_eq!(response["output"][0]["content"][0]["text"], "the card is ");
    assert_eq!(
        response["output"][1]["content"][0]["refusal"],
        "I cannot say that."
    );
    assert_eq!(got.text("/delta"), "the card is ");
}

#[test]
fn failures_lose_their_words() {
    let failed = json!({"type": "response.failed", "response": {"id": "resp_1", "object": "response",
        "model": "m-1", "status": "failed", "output": [],
        "error": {"code": "server_error", "message": "marker-4711"}}});
    let got = guard(&[created(), failed]);
    assert!(!got.raw.contains("marker"));
    assert_eq!(got.events.last().unwrap().0, "response.failed");
    let error = json!({"type": "error", "code": "x", "message": "marker-4711", "param": null});
    let got = guard(&[created(), delta("output_text", "half"), error]);
    assert!(!got.raw.contains("marker"));
    assert_eq!(got.text("/delta"), "", "held back");
    assert_eq!(got.events.last().unwrap().0, "error");
    assert_eq!(got.outcome.ending, Ending::UpstreamError);
}

#[test]
fn an_upstream_that_breaks_off_is_told() {
    let got = guard(&[created(), delta("output_text", "half")]);
    assert_eq!(got.outcome.ending, Ending::Truncated);
    assert_eq!(got.text("/delta"), "", "held back");
    assert_eq!(got.events.last().unwrap().0, "error");
}
