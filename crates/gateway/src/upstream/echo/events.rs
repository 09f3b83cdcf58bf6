//! Answers as streams of events, one string per event.

use serde_json::{Value, json};

use super::{
    Reply,
    whole::{output_item, output_text, response as whole_response, usage},
};

/// Chunks of Chat Completions; choices take turns.
pub(super) fn chat(reply: &Reply) -> Vec<String> {
    let id = reply.id("chatcmpl-");
    let chunk = |choices: Value| {
        json!({
            "id": id,
            "object": "chat.completion.chunk",
            "created": reply.now,
            "model": reply.asked.model,
            "choices": choices,
        })
    };
    let choice = |index: usize, delta: Value, finish: Value| {
        let choice = json!({
            "index": index, "delta": delta, "logprobs": null, "finish_reason": finish,
        });
        data(&chunk(json!([choice])))
    };
    let all = 0..reply.asked.choices;
    let mut events = Vec::new();
    for index in all.clone() {
        let delta = json!({"role": "assistant", "content": ""});
        events.push(choice(index, delta, Value::Null));
    }
    for piece in reply.pieces() {
        for index in all.clone() {
            events.push(choice(index, json!({"content": piece}), Value::Null));
        }
    }
    for index in all {
        events.push(choice(index, json!({}), json!("stop")));
    }
    end(reply, chunk, events)
}

/// Chunks of Completions; choices take turns.
pub(super) fn completion(reply: &Reply) -> Vec<String> {
    let id = reply.id("cmpl-");
    let chunk = |choices: Value| {
        json!({
            "id": id,
            "object": "text_completion",
            "created": reply.now,
            "model": reply.asked.model,
            "choices": choices,
        })
    };
    let choice = |index: usize, text: &str, finish: Value| {
        let choice =
            json!({"index": index, "text": text, "logprobs": null, "finish_reason": finish});
        data(&chunk(json!([choice])))
    };
    let all = 0..reply.asked.choices;
    let mut events = Vec::new();
    for piece in reply.pieces() {
        for index in all.clone() {
            events.push(choice(index, piece, Value::Null));
        }
    }
    for index in all {
        events.push(choice(index, "", json!("stop")));
    }
    end(reply, chunk, events)
}

fn end(reply: &Reply, chunk: impl Fn(Value) -> Value, mut events: Vec<String>) -> Vec<String> {
    if reply.asked.include_usage {
        let mut last = chunk(json!([]));
        if let Value::Object(fields) = &mut last {
            fields.insert("usage".to_owned(), usage(reply));
        }
        events.push(data(&last));
    }
    events.push("data: [DONE]\n\n".to_owned());
    events
}

/// Events of Responses.
pub(super) fn response(reply: &Reply) -> Vec<String> {
    let item = reply.id("msg_");
    let place = |mut fields: Value| {
        if let Value::Object(fields) = &mut fields {
            fields.insert("item_id".to_owned(), json!(item));
            fields.insert("output_index".to_owned(), json!(0));
            fields.insert("content_index".to_owned(), json!(0));
        }
        fields
    };
    let begun = json!({"response": whole_response(reply, "in_progress")});
    let mut events = vec![
        ("response.created", begun.clone()),
        ("response.in_progress", begun),
        (
            "response.output_item.added",
            json!({"output_index": 0, "item": output_item(reply, "in_progress")}),
        ),
        (
            "response.content_part.added",
            place(json!({"part": output_text("")})),
        ),
    ];
    for piece in reply.pieces() {
        let delta = place(json!({"delta": piece, "logprobs": []}));
        events.push(("response.output_text.delta", delta));
    }
    events.extend([
        (
            "response.output_text.done",
            place(json!({"text": reply.text, "logprobs": []})),
        ),
        (
            "response.content_part.done",
            place(json!({"part": output_text(&reply.text)})),
        ),
        (
            "response.output_item.done",
            json!({"output_index": 0, "item": output_item(reply, "completed")}),
        ),
        (
            "response.completed",
            json!({"response": whole_response(reply, "completed")}),
        ),
    ]);
    (0..)
        .zip(events)
        .map(|(number, (name, mut fields))| {
            if let Value::Object(fields) = &mut fields {
                fields.insert("sequence_number".to_owned(), json!(number));
            }
            named(name, fields)
        })
        .collect()
}

/// Events of Anthropic's messages.
pub(super) fn message(reply: &Reply) -> Vec<String> {
    let (input, output) = reply.tokens();
    let start = json!({
        "id": reply.id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": reply.asked.model,
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
        "usage": {"input_tokens": input, "output_tokens": 1},
    });
    let mut events = vec![
        named("message_start", json!({"message": start})),
        named(
            "content_block_start",
            json!({"index": 0, "content_block": {"type": "text", "text": ""}}),
        ),
        named("ping", json!({})),
    ];
    for piece in reply.pieces() {
        let delta = json!({"type": "text_delta", "text": piece});
        events.push(named(
            "content_block_delta",
            json!({"index": 0, "delta": delta}),
        ));
    }
    let stop = json!({"stop_reason": "end_turn", "stop_sequence": null});
    events.extend([
        named("content_block_stop", json!({"index": 0})),
        named(
            "message_delta",
            json!({"delta": stop, "usage": {"output_tokens": output}}),
        ),
        named("message_stop", json!({})),
    ]);
    events
}

fn data(event: &Value) -> String {
    format!("data: {event}\n\n")
}

/// An event whose name stands before its data, and in it as `type`.
fn named(name: &str, mut fields: Value) -> String {
    if let Value::Object(fields) = &mut fields {
        fields.insert("type".to_owned(), Value::from(name));
    }
    format!("event: {name}\ndata: {fields}\n\n")
}
