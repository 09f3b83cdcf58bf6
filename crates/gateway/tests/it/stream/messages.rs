use bartizan_gateway::{
    endpoint::Endpoint,
    wire::stream::{Ending, StreamSetup},
};
use serde_json::{Value, json};

use super::{Got, run, setup, sse};

fn start() -> Value {
    json!({"type": "message_start", "message": {"id": "msg_1", "type": "message",
        "role": "assistant", "content": [], "model": "m-1", "stop_reason": null,
        "stop_sequence": null, "usage": {"input_tokens": 12, "output_tokens": 1,
            "cache_read_input_tokens": 4}}})
}

fn open(index: u64, block: Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn text(index: u64) -> Value {
    open(index, json!({"type": "text", "text": ""}))
}

fn delta(index: u64, delta: Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

fn say(index: u64, text: &str) -> Value {
    delta(index, json!({"type": "text_delta", "text": text}))
}

fn think(index: u64, text: &str) -> Value {
    delta(index, json!({"type": "thinking_delta", "thinking": text}))
}

fn stop(index: u64) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn end(reason: &str) -> [Value; 2] {
    [
        json!({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null},
            "usage": {"output_tokens": 25}}),
        json!({"type": "message_stop"}),
    ]
}

fn guard_with(setup: StreamSetup, events: &[Value], reason: Option<&str>) -> Got {
    let mut all = vec![start()];
    all.extend_from_slice(events);
    all.extend(reason.into_iter().flat_map(end));
    run(Endpoint::Messages, setup, &[sse(&all).as_bytes()])
}

fn guard(events: &[Value]) -> Got {
    guard_with(setup(), events, Some("end_turn"))
}

#[test]
fn text_is_redacted_before_the_end_of_its_block() {
    let got = guard(&[
        text(0),
        json!({"type": "ping"}),
        say(0, "write to jane@exa"),
        say(0, "mple.com"),
        stop(0),
        text(1),
        say(1, "bye"),
        stop(1),
    ]);
    assert_eq!(got.text("/delta/text"), "write to [REDACTED_EMAIL]bye");
    assert_eq!(
        got.names(),
        [
            "message_start",
            "content_block_start",
            "ping",
            "content_block_delta",
            "content_block_stop",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop"
        ]
    );
    let usage = got.outcome.usage;
    assert_eq!(
        (usage.input, usage.output, usage.cached),
        (Some(12), Some(25), Some(4))
    );
    assert_eq!(got.outcome.finish_reasons, [(0, "end_turn".to_owned())]);
    assert_eq!(got.outcome.ending, Ending::Complete);
    assert_eq!(got.rules()[0].0, "content[0]");
}

#[test]
fn text_in_the_start_of_a_block_is_guarded() {
    let got = guard(&[
        open(0, json!({"type": "text", "text": "to jane@exa"})),
        say(0, "mple.com"),
        stop(0),
    ]);
    assert_eq!(got.text("/delta/text"), "to [REDACTED_EMAIL]");
    assert!(!got.raw.contains("jane"));
}

#[test]
fn a_signed_thought_passes_as_it_is_or_not_at_all() {
    let thought = open(
        0,
        json!({"type": "thinking", "thinking": "", "signature": ""}),
    );
    let signature = delta(
        0,
        json!({"type": "signature_delta", "signature": "Ab3+/=="}),
    );
    let got = guard(&[
        thought.clone(),
        think(0, "Let me "),
        think(0, "think."),
        signature.clone(),
        stop(0),
        text(1),
        say(1, "Done."),
        stop(1),
    ]);
    assert_eq!(got.text("/delta/thinking"), "Let me think.");
    assert_eq!(got.text("/delta/signature"), "Ab3+/==");
    let order: Vec<&str> = got
        .events
        .iter()
        .filter_map(|(_, event)| event["delta"]["type"].as_str())
        .collect();
    assert_eq!(order, ["thinking_delta", "signature_delta", "text_delta"]);

    let got = guard(&[
        thought,
        think(0, "Jane is jane@exa"),
        think(0, "mple.com."),
        signature,
        stop(0),
    ]);
    assert_eq!(got.outcome.ending, Ending::Blocked);
    assert!(
        !got.raw.contains("jane@") && !got.raw.contains("REDACTED"),
        "{}",
        got.raw
    );
    assert_eq!(got.text("/delta/stop_reason"), "refusal");
}

#[test]
fn a_signature_that_is_text_is_judged() {
    let got = guard(&[
        open(
            0,
            json!({"type": "thinking", "thinking": "", "signature": ""}),
        ),
        delta(
            0,
            json!({"type": "signature_delta", "signature": "mail jane@example.com"}),
        ),
    ]);
    assert_eq!(got.outcome.ending, Ending::Blocked);
    assert!(!got.raw.contains("jane"));
}

#[test]
fn a_call_is_held_until_it_is_whole() {
    let call = open(
        1,
        json!({"type": "tool_use", "id": "toolu_1", "name": "send", "input": {}}),
    );
    let part = |json: &str| delta(1, json!({"type": "input_json_delta", "partial_json": json}));
    let events = [
        text(0),
        say(0, "I will."),
        stop(0),
        call.clone(),
        part(""),
        part("{\"to\":\"jane@"),
        part("example.com\"}"),
        stop(1),
    ];
    let got = guard_with(setup(), &events, Some("tool_use"));
    assert_eq!(
        got.text("/delta/partial_json"),
        "{\"to\":\"[REDACTED_EMAIL]\"}"
    );
    let (_, started) = &got
        .events
        .iter()
        .find(|(_, event)| event["index"] == 1)
        .unwrap();
    assert_eq!(started, &call);
    // The whole input at the start.
    let got = guard(&[
        open(
            0,
            json!({"type": "tool_use", "id": "t", "name": "send", "input": {"to": "jane@example.com"}}),
        ),
        stop(0),
    ]);
    assert_eq!(
        got.text("/delta/partial_json"),
        "{\"to\":\"[REDACTED_EMAIL]\"}"
    );
    assert!(!got.raw.contains("jane"));
    // Blocked: the client never heard of the call.
    let got = guard(&[
        text(0),
        say(0, "I will."),
        stop(0),
        call,
        part("{\"card\":\"4111 1111 1111 1111\"}"),
        stop(1),
    ]);
    assert_eq!(got.outcome.ending, Ending::Blocked);
    assert!(!got.raw.contains("tool_use") && !got.raw.contains("4111"));
    assert_eq!(got.text("/delta/stop_reason"), "refusal");
}

#[test]
fn a_block_in_the_middle_ends_as_a_refusal() {
    let events = [
        text(0),
        say(0, "the card is 4111 1111 1111 1111, use it"),
        stop(0),
    ];
    let refusal = Some("I cannot say that.".to_owned());
    let got = guard_with(
        StreamSetup { refusal, ..setup() },
        &events,
        Some("end_turn"),
    );
    assert_eq!(got.text("/delta/text"), "the card is I cannot say that.");
    assert_eq!(
        got.names(),
        [
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop"
        ]
    );
    assert_eq!(got.text("/delta/stop_reason"), "refusal");
    // Before any block, too.
    let bad = json!({"type": "message_start", "message": {"id": "to jane@example.com"}});
    let got = run(Endpoint::Messages, setup(), &[sse(&[bad]).as_bytes()]);
    assert_eq!(got.outcome.ending, Ending::Blocked);
    assert!(!got.raw.contains("jane"));
}

#[test]
fn citations_that_may_not_pass_are_left_out() {
    let cite = |text: &str| {
        delta(
            0,
            json!({"type": "citations_delta", "citation": {"type": "char_location",
            "cited_text": text, "document_index": 0, "start_char_index": 0, "end_char_index": 5}}),
        )
    };
    let got = guard(&[
        text(0),
        say(0, "see"),
        cite("a good source"),
        cite("by jane@example.com"),
        stop(0),
    ]);
    assert!(got.raw.contains("a good source") && !got.raw.contains("jane"));
    assert_eq!(got.outcome.ending, Ending::Complete);
}

#[test]
fn unknown_events_deltas_and_blocks_are_judged() {
    let bad = [
        json!({"type": "brand_new", "note": "jane@example.com"}),
        delta(0, json!({"type": "new_delta", "words": "jane@example.com"})),
        open(
            1,
            json!({"type": "web_search_tool_result", "content": [{"title": "jane@example.com"}]}),
        ),
    ];
    for bad in bad {
        let got = guard(&[text(0), bad]);
        assert_eq!(got.outcome.ending, Ending::Blocked);
        assert!(!got.raw.contains("jane"));
    }
    let got = guard(&[
        text(0),
        json!({"type": "brand_new", "note": "hello there"}),
        stop(0),
    ]);
    assert!(got.raw.contains("hello there"));
    assert_eq!(got.outcome.ending, Ending::Complete);
}

#[test]
fn errors_keep_their_kind_and_lose_their_words() {
    let error =
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "marker-4711"}});
    let got = guard(&[text(0), say(0, "half"), error]);
    assert!(!got.raw.contains("marker"));
    let (name, event) = got.events.last().unwrap();
    assert_eq!(
        (name.as_str(), &event["error"]["type"]),
        ("error", &json!("overloaded_error"))
    );
    assert_eq!(got.text("/delta/text"), "", "held back");
    assert_eq!(got.outcome.ending, Ending::UpstreamError);
}

#[test]
fn an_upstream_that_breaks_off_is_told() {
    let got = guard_with(setup(), &[text(0), say(0, "half")], None);
    assert_eq!(got.outcome.ending, Ending::Truncated);
    assert_eq!(got.text("/delta/text"), "", "held back");
    assert_eq!(got.events.last().unwrap().0, "error");
    // All but the last event.
    let mut events = vec![start(), text(0), say(0, "whole"), stop(0)];
    events.push(end("end_turn")[0].clone());
    let got = run(Endpoint::Messages, setup(), &[sse(&events).as_bytes()]);
    assert_eq!(got.outcome.ending, Ending::Complete);
    assert_eq!(got.events.last().unwrap().0, "message_stop");
}

#[test]
fn what_makes_no_sense_ends_the_stream() {
    for events in [
        vec![say(0, "no block")],
        vec![text(0), text(0)],
        vec![text(0), stop(0), say(0, "late")],
        vec![text(0), think(0, "wrong kind")],
        vec![stop(3)],
        vec![json!({"no": "type"})],
    ] {
        let got = guard(&events);
        assert!(
            matches!(got.outcome.ending, Ending::Malformed(_)),
            "{:?}",
            got.outcome.ending
        );
    }
}
