use std::sync::Arc;

use bartizan_core::Verdict;
use bartizan_gateway::{
    endpoint::Endpoint,
    wire::stream::{Ending, GuardedStream, StreamConfig, StreamSetup},
};
use bartizan_guard::redact::{Keys, Vault};
use serde_json::{Value, json};

use super::{CANARY, Got, run, setup, sse, whole};

const DONE: &str = "[DONE]";

fn chunk(choices: Value) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000,
        "model": "m-1", "choices": choices,
    })
}

fn delta(index: u64, delta: Value) -> Value {
    chunk(json!([{"index": index, "delta": delta, "finish_reason": null}]))
}

fn say(index: u64, text: &str) -> Value {
    delta(index, json!({"content": text}))
}

fn end(index: u64, reason: &str) -> Value {
    chunk(json!([{"index": index, "delta": {}, "finish_reason": reason}]))
}

fn guard_with(setup: StreamSetup, events: &[Value]) -> Got {
    run(Endpoint::ChatCompletions, setup, &[sse(events).as_bytes()])
}

fn guard(events: &[Value]) -> Got {
    guard_with(setup(), events)
}

/// What the client reads in a choice.
fn read(got: &Got, index: u64, key: &str) -> String {
    let mut text = String::new();
    for (_, event) in &got.events {
        for choice in event["choices"].as_array().into_iter().flatten() {
            if choice["index"] == index {
                text.push_str(choice["delta"][key].as_str().unwrap_or_default());
            }
        }
    }
    text
}

fn finish(got: &Got, index: u64) -> Option<String> {
    let choices = got
        .events
        .iter()
        .flat_map(|(_, event)| event["choices"].as_array());
    choices
        .flatten()
        .filter(|choice| choice["index"] == index)
        .find_map(|choice| Some(choice["finish_reason"].as_str()?.to_owned()))
}

fn last(got: &Got) -> &Value {
    &got.events.last().unwrap().1
}

#[test]
fn ordinary_text_passes() {
    let got = guard(&[
        delta(0, json!({"role": "assistant", "content": ""})),
        say(0, "Hello, "),
        say(0, "world"),
        end(0, "stop"),
        json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m-1",
            "choices": [],
            "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10,
                "completion_tokens_details": {"reasoning_tokens": 1}},
        }),
        DONE.into(),
    ]);
    assert_eq!(read(&got, 0, "content"), "Hello, world");
    assert_eq!(finish(&got, 0).as_deref(), Some("stop"));
    assert_eq!(last(&got), DONE);
    assert_eq!(got.events[0].1["choices"][0]["delta"]["role"], "assistant");
    let outcome = &got.outcome;
    assert_eq!(outcome.ending, Ending::Complete);
    assert_eq!(outcome.verdict, Verdict::Allow);
    assert_eq!(
        (outcome.usage.input, outcome.usage.output),
        (Some(7), Some(3))
    );
    assert_eq!(outcome.usage.reasoning, Some(1));
    assert_eq!(outcome.finish_reasons, [(0, "stop".to_owned())]);
    assert_eq!(outcome.text_bytes, 12);
    assert_eq!(outcome.released_bytes, 12);
    for (_, event) in &got.events[..got.events.len() - 2] {
        assert_eq!(event["id"], "chatcmpl-1");
        assert_eq!(event["model"], "m-1");
        assert_eq!(event["object"], "chat.completion.chunk");
    }
}

/// Every choice passes the filter, and every text of it, also where choices interleave and a value
/// is cut into pieces.
#[test]
fn ws_31_every_choice_and_every_field() {
    let mut events = Vec::new();
    for piece in ["write to jane.aus", "ten@exam", "ple.com now"] {
        for index in 0..3 {
            events.push(say(index, piece));
            events.push(delta(
                index,
                json!({"reasoning_content": piece, "refusal": piece, "brand_new": piece}),
            ));
        }
    }
    events.extend((0..3).map(|index| end(index, "stop")));
    events.push(DONE.into());
    let got = guard(&events);
    for index in 0..3 {
        for key in ["content", "reasoning_content", "refusal", "brand_new"] {
            assert_eq!(
                read(&got, index, key),
                "write to [REDACTED_EMAIL] now",
                "{index} {key}"
            );
        }
    }
    assert!(!got.raw.contains("jane"), "{}", got.raw);
    assert_eq!(got.outcome.verdict, Verdict::Redact);
    assert_eq!(got.outcome.findings.len(), 12);
    assert!(
        got.rules()
            .iter()
            .any(|(channel, _)| *channel == "choices[2].brand_new")
    );
}

#[test]
fn calls_are_held_until_they_are_whole() {
    let part = |index: u64, part: Value| {
        delta(
            0,
            json!({"tool_calls": [{"index": index, "function": part}]}),
        )
    };
    let start = |index: u64, id: &str| {
        delta(
            0,
            json!({"role": "assistant", "content": null, "tool_calls": [
            {"index": index, "id": id, "type": "function", "function": {"name": "send", "arguments": ""}}]}),
        )
    };
    let mut stream = GuardedStream::new(Endpoint::ChatCompletions, setup()).unwrap();
    let mut out = Vec::new();
    let events = [
        start(0, "call_a"),
        part(0, json!({"arguments": "{\"to\": \"jane@exa"})),
        start(1, "call_b"),
        part(1, json!({"arguments": "{\"n\":"})),
        part(0, json!({"arguments": "mple.com\", \"card\": \"none\"}"})),
        part(1, json!({"arguments": " 1}"})),
    ];
    stream.push(sse(&events).as_bytes(), &mut out);
    assert!(!String::from_utf8_lossy(&out).contains("send"));
    stream.push(
        sse(&[end(0, "tool_calls"), DONE.into()]).as_bytes(),
        &mut out,
    );
    let raw = String::from_utf8(out).unwrap();
    let calls: Vec<Value> = super::events(&raw)
        .into_iter()
        .flat_map(|(_, event)| {
            event["choices"][0]["delta"]["tool_calls"]
                .as_array()
                .cloned()
        })
        .flatten()
        .collect();
    assert_eq!(
        calls,
        [
            json!({"index": 0, "id": "call_a", "type": "function", "function": {
                "name": "send", "arguments": "{\"to\": \"[REDACTED_EMAIL]\", \"card\": \"none\"}"}}),
            json!({"index": 1, "id": "call_b", "type": "function", "function": {
                "name": "send", "arguments": "{\"n\": 1}"}}),
        ]
    );
    assert_eq!(
        stream.outcome().findings[0].channel,
        "choices[0].tool_calls[0]"
    );
}

#[test]
fn arguments_hide_nothing() {
    let call = |arguments: &str| {
        let got = guard(&[
            delta(
                0,
                json!({"tool_calls": [{"index": 0, "id": "c", "type": "function",
                "function": {"name": "f", "arguments": arguments}}]}),
            ),
            end(0, "tool_calls"),
            DONE.into(),
        ]);
        let arguments: String = got.text("/choices/0/delta/tool_calls/0/function/arguments");
        (arguments, got.outcome.ending)
    };
    let mail = "[REDACTED_EMAIL]";
    // Escaped, nested in JSON in a string, as a key, in what is no JSON at all.
    assert_eq!(
        call(r#"{"a":"jane\u0040example.com"}"#).0,
        format!(r#"{{"a":"{mail}"}}"#)
    );
    assert_eq!(
        call(r#"{"a":"{\"b\":[\"jane@example.com\"],\"c\":1}"}"#).0,
        format!(r#"{{"a":"{{\"b\":[\"{mail}\"],\"c\":1}}"}}"#)
    );
    assert_eq!(
        call(r#"{"jane@example.com":1}"#).0,
        format!(r#"{{"{mail}":1}}"#)
    );
    assert_eq!(call("to jane@example.com").0, format!("to {mail}"));
    assert_eq!(
        call(r#"{"a": "jane@example.com"#).0,
        format!(r#"{{"a": "{mail}"#)
    );
    // A card number without quotes blocks as one with them does.
    assert_eq!(
        call(r#"{"a":4111111111111111}"#),
        (String::new(), Ending::Blocked)
    );
    assert_eq!(call(r#"{"a":"4111 1111 1111 1111"}"#).1, Ending::Blocked);
}

#[test]
fn a_name_of_a_tool_is_judged() {
    for name in ["jane@example.com", "4111111111111111"] {
        let got = guard(&[
            delta(
                0,
                json!({"tool_calls": [{"index": 0, "id": "c", "type": "function",
                "function": {"name": name, "arguments": "{}"}}]}),
            ),
            end(0, "tool_calls"),
        ]);
        assert_eq!(got.outcome.ending, Ending::Blocked);
        assert!(!got.raw.contains(name));
    }
}

#[test]
fn the_old_function_call_is_held_too() {
    let got = guard(&[
        delta(
            0,
            json!({"function_call": {"name": "f", "arguments": "{\"a\":\"jane@"}}),
        ),
        delta(0, json!({"function_call": {"arguments": "example.com\"}"}})),
        end(0, "function_call"),
        DONE.into(),
    ]);
    let call = got.events.iter().find_map(|(_, event)| {
        let call = &event["choices"][0]["delta"]["function_call"];
        call.is_object().then(|| call.clone())
    });
    assert_eq!(
        call,
        Some(json!({"name": "f", "arguments": "{\"a\":\"[REDACTED_EMAIL]\"}"}))
    );
}

#[test]
fn a_block_ends_every_choice() {
    let events = [
        say(0, "the first one goes on and on. "),
        say(1, "the card is 4111 1111"),
        say(1, " 1111 1111 and that is it"),
        end(1, "stop"),
        say(0, "never read"),
        DONE.into(),
    ];
    let got = guard(&events);
    assert_eq!(got.outcome.ending, Ending::Blocked);
    assert_eq!(got.outcome.verdict, Verdict::Block);
    assert_eq!(read(&got, 1, "content"), "the card is ");
    assert!(!got.raw.contains("4111") && !got.raw.contains("never read"));
    for index in 0..2 {
        assert_eq!(finish(&got, index).as_deref(), Some("content_filter"));
    }
    assert_eq!(last(&got), DONE);
    assert!(got.outcome.trailing_bytes == 0 && got.raw.matches(DONE).count() == 1);

    let refusal = Some("This was withheld.".to_owned());
    let got = guard_with(StreamSetup { refusal, ..setup() }, &events);
    assert_eq!(read(&got, 1, "content"), "the card is This was withheld.");
}

#[test]
fn a_finding_of_the_whole_text_ends_the_stream_too() {
    let events = [
        say(0, &format!("the reference is {CANARY}")),
        end(0, "stop"),
        DONE.into(),
    ];
    let got = guard(&events);
    assert_eq!(got.outcome.ending, Ending::Blocked);
    assert_eq!(finish(&got, 0).as_deref(), Some("content_filter"));

    // Held whole, nothing of it is shown.
    let config = StreamConfig {
        hold_whole: true,
        ..StreamConfig::default()
    };
    let got = guard_with(StreamSetup { config, ..setup() }, &events);
    assert_eq!(got.outcome.ending, Ending::Blocked);
    assert_eq!(read(&got, 0, "content"), "");
}

#[test]
fn probabilities_are_taken_out_or_come_behind_their_text() {
    let token = |text: &str, other: &str| {
        json!({"token": text, "logprob": -0.1, "bytes": null,
            "top_logprobs": [{"token": other, "logprob": -0.2, "bytes": null}]})
    };
    let events = |last: &str, other: &str| {
        [
            chunk(
                json!([{"index": 0, "delta": {"content": "Hel"}, "finish_reason": null,
                "logprobs": {"content": [token("Hel", "Hal")], "refusal": null}}]),
            ),
            chunk(
                json!([{"index": 0, "delta": {"content": last}, "finish_reason": null,
                "logprobs": {"content": [token(last, other)], "refusal": null}}]),
            ),
            end(0, "stop"),
            DONE.into(),
        ]
    };
    let got = guard(&events("lo", "la"));
    assert!(
        !got.raw.contains("Hal") && !got.raw.contains("logprob\":"),
        "{}",
        got.raw
    );

    let entitled = || StreamSetup {
        logprobs: true,
        ..setup()
    };
    let got = guard_with(entitled(), &events("lo", "la"));
    let logprobs: Vec<Value> = got
        .events
        .iter()
        .filter_map(|(_, event)| event.pointer("/choices/0/logprobs/content").cloned())
        .collect();
    assert_eq!(logprobs, [json!([token("Hel", "Hal"), token("lo", "la")])]);
    // What was redacted does not come back in them, nor does an alternative that may not pass.
    let got = guard_with(entitled(), &events(" jane@example.com ", "x"));
    assert!(!got.raw.contains("jane"), "{}", got.raw);
    let got = guard_with(entitled(), &events("lo", "jane@example.com"));
    assert!(!got.raw.contains("jane"), "{}", got.raw);
    assert_eq!(got.outcome.ending, Ending::Complete);
}

#[test]
fn unknown_fields_are_judged() {
    let with = |value: Value| {
        let mut chunk = say(0, "hi");
        chunk["choices"][0]["vendor"] = value;
        guard(&[chunk, end(0, "stop"), DONE.into()])
    };
    let got = with(json!({"note": "all is well", "score": 0.5}));
    assert_eq!(got.outcome.ending, Ending::Complete);
    assert!(got.raw.contains("all is well"));
    for bad in [
        json!({"note": "jane@example.com"}),
        json!([[{"deep": ["to jane@example.com"]}]]),
        json!({"jane@example.com": true}),
        json!("{\"a\":\"jane\\u0040example.com\"}"),
        json!(4_111_111_111_111_111_u64),
    ] {
        let got = with(bad);
        assert_eq!(got.outcome.ending, Ending::Blocked);
        assert!(
            !got.raw.contains("jane") && !got.raw.contains("4111"),
            "{}",
            got.raw
        );
    }
    // Cut into two events, it is seen when its second half comes.
    let mut events = [say(0, "a"), say(0, "b"), end(0, "stop")];
    events[0]["x"] = json!({"t": "jane@exa"});
    events[1]["x"] = json!({"t": "mple.com"});
    let got = guard(&events);
    assert_eq!(got.outcome.ending, Ending::Blocked);
    assert!(!got.raw.contains("mple.com"));
}

#[test]
fn an_identifier_that_is_none_is_judged() {
    let mut chunk = say(0, "hi");
    chunk["model"] = json!("jane@example.com");
    let got = guard(&[chunk, end(0, "stop")]);
    assert_eq!(got.outcome.ending, Ending::Blocked);
    assert!(!got.raw.contains("jane"));
}

#[test]
fn errors_of_the_upstream_say_nothing_of_its_words() {
    for error in [
        "data: {\"error\":{\"message\":\"marker-4711\",\"type\":\"x\",\"code\":500}}\n\n",
        "event: error\ndata: marker-4711\n\n",
        "data: marker-4711\n\n",
        "data: [\"marker-4711\"]\n\n",
        "data: {\"id\":\"1\",\"choices\":[\"marker-4711\"]}\n\n",
        "data: \"marker-4711\n\n",
        "data: never finished",
    ] {
        let stream = sse(&[say(0, "so far, so good")]) + error;
        let got = run(Endpoint::ChatCompletions, setup(), &[stream.as_bytes()]);
        assert!(
            !got.raw.contains("marker") && !got.raw.contains("never finished"),
            "{}",
            got.raw
        );
        assert_eq!(read(&got, 0, "content"), "", "held back");
        let (_, frame) = &got.events[got.events.len() - 2];
        assert_eq!(frame["error"]["type"], "server_error");
        assert_eq!(last(&got), DONE);
    }
}

#[test]
fn broken_bytes_end_the_stream() {
    let stream = [sse(&[say(0, "hello")]).as_bytes(), b"data: \xff\xfe\n\n"].concat();
    let got = run(Endpoint::ChatCompletions, setup(), &[&stream]);
    assert_eq!(got.outcome.ending, Ending::Malformed("no UTF-8"));
    assert_eq!(read(&got, 0, "content"), "", "held back");
}

#[test]
fn an_upstream_that_breaks_off_is_told() {
    let call = delta(
        0,
        json!({"tool_calls": [{"index": 0, "id": "c", "type": "function",
        "function": {"name": "f", "arguments": "{\"a\":"}}]}),
    );
    let got = guard(&[say(0, "half a sent"), call]);
    assert_eq!(got.outcome.ending, Ending::Truncated);
    assert_eq!(read(&got, 0, "content"), "", "half a value looks like none");
    assert!(!got.raw.contains("\"f\""), "half a call is no call");
    assert!(got.raw.contains("\"error\"") && got.raw.ends_with("data: [DONE]\n\n"));
    // Without any event at all, too.
    assert_eq!(guard(&[]).outcome.ending, Ending::Truncated);
    assert_eq!(guard(&[DONE.into()]).outcome.ending, Ending::Truncated);
}

#[test]
fn a_missing_end_mark_is_made_up() {
    let got = guard(&[say(0, "whole"), end(0, "stop")]);
    assert_eq!(got.outcome.ending, Ending::Complete);
    assert_eq!(last(&got), DONE);
}

#[test]
fn what_comes_after_the_end_is_dropped() {
    let stream = sse(&[
        say(0, "whole"),
        end(0, "stop"),
        say(0, "late"),
        DONE.into(),
        say(0, "later"),
    ]);
    let got = run(
        Endpoint::ChatCompletions,
        setup(),
        &[stream.as_bytes(), b"data: more\n\n"],
    );
    assert!(!got.raw.contains("late") && !got.raw.contains("more"));
    assert_eq!(got.outcome.trailing_bytes, 12);
    assert_eq!(got.outcome.ending, Ending::Complete);
}

#[test]
fn sound_passes_only_where_it_may() {
    let sound = delta(
        0,
        json!({"audio": {"id": "a", "data": "AAAA", "transcript": "hello"}}),
    );
    let events = [sound, end(0, "stop"), DONE.into()];
    assert_eq!(guard(&events).outcome.ending, Ending::Unread);
    let config = StreamConfig {
        pass_unread_media: true,
        ..StreamConfig::default()
    };
    let got = guard_with(StreamSetup { config, ..setup() }, &events);
    assert_eq!(got.outcome.ending, Ending::Complete);
    assert!(got.raw.contains("AAAA"));
}

#[test]
fn limits_end_a_stream() {
    let with = |config: StreamConfig, events: &[Value]| {
        let got = guard_with(StreamSetup { config, ..setup() }, events);
        assert_eq!(finish(&got, 0).as_deref(), Some("content_filter"));
        got.outcome.ending
    };
    let default = StreamConfig::default;
    let text = say(0, &"word ".repeat(1000));
    let config = StreamConfig {
        max_text_bytes: 2000,
        ..default()
    };
    assert_eq!(
        with(config, std::slice::from_ref(&text)),
        Ending::Limit("max-text-bytes")
    );
    let config = StreamConfig {
        max_event_bytes: 2000,
        ..default()
    };
    assert_eq!(with(config, &[text]), Ending::Limit("max-event-bytes"));
    let call = delta(
        0,
        json!({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "[1,".repeat(1000)}}]}),
    );
    let config = StreamConfig {
        max_call_bytes: 2000,
        ..default()
    };
    assert_eq!(with(config, &[call]), Ending::Limit("max-call-bytes"));
    let config = StreamConfig {
        max_channels: 20,
        ..default()
    };
    let many: Vec<Value> = (0..30).map(|index| say(index, "x")).collect();
    assert_eq!(with(config, &many), Ending::Limit("max-channels"));
    // What cannot be decided within the limit: a key without an end.
    let key = format!(
        "-----BEGIN RSA {} KEY-----\n{}",
        "PRIVATE",
        "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n".repeat(400)
    );
    let config = StreamConfig {
        max_hold_back_bytes: 4096,
        ..default()
    };
    let pieces: Vec<Value> = key
        .as_bytes()
        .chunks(50)
        .map(|piece| say(0, std::str::from_utf8(piece).unwrap()))
        .collect();
    let got = guard_with(StreamSetup { config, ..setup() }, &pieces);
    assert!(!got.raw.contains("MIIE"), "{}", got.raw);
}

#[test]
fn placeholders_come_back_as_values() {
    let keys = Keys::new([1; 32]);
    let mut vault = Vault::new(&keys, "session");
    let token = vault.token("EMAIL_ADDRESS", "jane.austen@example.com");
    let restore = Some(Arc::new(vault));
    let (head, tail) = token.split_at(9);
    let events = [
        say(0, "I wrote to "),
        say(0, head),
        say(0, tail),
        say(
            0,
            " and to joe@example.com, not to [EMAIL_ADDRESS_9_ABCDEFGH].",
        ),
        delta(
            0,
            json!({"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {
            "name": "send", "arguments": format!("{{\"to\":[\"{token}\"],\"cc\":\"joe@example.com\"}}")}}]}),
        ),
        end(0, "stop"),
        DONE.into(),
    ];
    let got = guard_with(StreamSetup { restore, ..setup() }, &events);
    assert_eq!(
        read(&got, 0, "content"),
        "I wrote to jane.austen@example.com and to [REDACTED_EMAIL], not to [EMAIL_ADDRESS_9_ABCDEFGH]."
    );
    assert_eq!(
        got.text("/choices/0/delta/tool_calls/0/function/arguments"),
        "{\"to\":[\"jane.austen@example.com\"],\"cc\":\"[REDACTED_EMAIL]\"}"
    );
}

#[test]
fn text_that_waits_is_shown_when_the_upstream_pauses() {
    let mut stream = GuardedStream::new(Endpoint::ChatCompletions, setup()).unwrap();
    let mut out = Vec::new();
    let text = "The committee describes the weather of the past forty years. ".repeat(12);
    let cut = text.len() - 100;
    stream.push(sse(&[say(0, &text[..cut])]).as_bytes(), &mut out);
    let shown = out.len();
    stream.push(sse(&[say(0, &text[cut..])]).as_bytes(), &mut out);
    assert_eq!(out.len(), shown, "a batch is not full");
    assert!(stream.is_waiting());
    stream.flush(&mut out);
    assert!(out.len() > shown && !stream.is_waiting());
}

#[test]
fn comments_keep_the_connection_open() {
    let mut stream = GuardedStream::new(Endpoint::ChatCompletions, setup()).unwrap();
    let mut out = Vec::new();
    stream.push(b": marker-4711\n\n: x\n", &mut out);
    assert_eq!(String::from_utf8_lossy(&out), ": keep-alive\n\n");
}

#[test]
fn completions_are_guarded_too() {
    let say = |index: u64, text: &str, finish: Option<&str>| {
        json!({"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m",
            "choices": [{"index": index, "text": text, "finish_reason": finish,
                "logprobs": {"tokens": [text], "token_logprobs": [-0.1]}}]})
    };
    let events = [
        say(0, "to jane@exa", None),
        say(1, "to jane@exa", None),
        say(0, "mple.com.", Some("stop")),
        say(1, "mple.com.", Some("length")),
        DONE.into(),
    ];
    let got = run(Endpoint::Completions, setup(), &[sse(&events).as_bytes()]);
    for index in 0..2_u64 {
        let text: String = got
            .events
            .iter()
            .filter(|(_, event)| event["choices"][0]["index"] == index)
            .filter_map(|(_, event)| event["choices"][0]["text"].as_str())
            .collect();
        assert_eq!(text, whole("to jane@example.com.").0);
    }
    assert!(!got.raw.contains("jane") && !got.raw.contains("token_logprobs"));
    let reasons: Vec<_> = got
        .outcome
        .finish_reasons
        .iter()
        .map(|(_, reason)| reason.as_str())
        .collect();
    assert_eq!(reasons, ["stop", "length"]);
}

#[test]
fn a_policy_in_shadow_reports_and_lets_pass() {
    let policy =
        "shadow: true\nrows:\n  - {name: no-cards, rule: ['pii.credit-card*'], block: 0.3}\n";
    let policy = Arc::new(bartizan_policy::Policy::from_yaml(policy).unwrap());
    let mut setup = setup();
    setup.judge = bartizan_guard::Judge::new(Arc::clone(setup.judge.guard()), policy, None);
    let got = guard_with(
        setup,
        &[
            say(0, "the card is 4111 1111 1111 1111"),
            end(0, "stop"),
            DONE.into(),
        ],
    );
    assert_eq!(read(&got, 0, "content"), "the card is 4111 1111 1111 1111");
    assert_eq!(got.outcome.verdict, Verdict::Allow);
    assert!(
        got.outcome
            .findings
            .iter()
            .any(|found| found.shadow && found.action == Verdict::Block)
    );
}

#[test]
fn words_that_every_event_repeats_are_judged_once() {
    let events: Vec<Value> = ["one ", "two ", "three"]
        .into_iter()
        .map(|piece| {
            let mut chunk = say(0, piece);
            chunk["provider"] = json!("Some Vendor, Inc.");
            chunk["content_filter_results"] =
                json!({"hate": {"filtered": false, "severity": "safe"}});
            chunk
        })
        .chain([end(0, "stop"), DONE.into()])
        .collect();
    let got = guard(&events);
    assert_eq!(got.outcome.ending, Ending::Complete);
    assert_eq!(read(&got, 0, "content"), "one two three");
    assert_eq!(got.raw.matches("Some Vendor, Inc.").count(), 3);
}
