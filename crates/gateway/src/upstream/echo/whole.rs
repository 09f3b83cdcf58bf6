//! Answers in one piece.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{MODEL, Reply};
use crate::endpoint::Endpoint;

pub(super) fn answer(endpoint: Endpoint, reply: &Reply) -> Vec<String> {
    let body = match endpoint {
        Endpoint::ChatCompletions => chat(reply),
        Endpoint::Completions => completion(reply),
        Endpoint::Responses => response(reply, "completed"),
        Endpoint::Embeddings => embeddings(reply),
        Endpoint::Messages => message(reply),
        Endpoint::CountTokens => json!({"input_tokens": reply.tokens().0}),
        Endpoint::Models => json!({"object": "list", "data": [model(reply)]}),
        Endpoint::Model => model(reply),
        // It judges nothing, and must not look as if it did.
        Endpoint::Moderations => {
            json!({"id": reply.id("modr-"), "model": MODEL, "results": []})
        }
    };
    vec![body.to_string()]
}

fn chat(reply: &Reply) -> Value {
    let choice = |index: usize| {
        json!({
            "index": index,
            "message": {"role": "assistant", "content": reply.text, "refusal": null},
            "logprobs": null,
            "finish_reason": "stop",
        })
    };
    json!({
        "id": reply.id("chatcmpl-"),
        "object": "chat.completion",
        "created": reply.now,
        "model": reply.asked.model,
        "choices": (0..reply.asked.choices).map(choice).collect::<Vec<_>>(),
        "usage": usage(reply),
    })
}

fn completion(reply: &Reply) -> Value {
    let choice = |index: usize| json!({"index": index, "text": reply.text, "logprobs": null, "finish_reason": "stop"});
    json!({
        "id": reply.id("cmpl-"),
        "object": "text_completion",
        "created": reply.now,
        "model": reply.asked.model,
        "choices": (0..reply.asked.choices).map(choice).collect::<Vec<_>>(),
        "usage": usage(reply),
    })
}

/// Usage as Chat Completions and Completions have it.
pub(super) fn usage(reply: &Reply) -> Value {
    let (input, output) = reply.tokens();
    let output = output * reply.asked.choices;
    json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output})
}

/// A response; without output unless its status is `completed`.
pub(super) fn response(reply: &Reply, status: &str) -> Value {
    let (input, output) = reply.tokens();
    let done = status == "completed";
    let items = if done {
        json!([output_item(reply, "completed")])
    } else {
        json!([])
    };
    let usage = json!({
        "input_tokens": input,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input + output,
    });
    json!({
        "id": reply.id("resp_"),
        "object": "response",
        "created_at": reply.now,
        "status": status,
        "error": null,
        "incomplete_details": null,
        "instructions": null,
        "metadata": {},
        "model": reply.asked.model,
        "output": items,
        "parallel_tool_calls": true,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": if done { usage } else { Value::Null },
    })
}

/// The one item of a response; without content unless its status is `completed`.
pub(super) fn output_item(reply: &Reply, status: &str) -> Value {
    let content = if status == "completed" {
        json!([output_text(&reply.text)])
    } else {
        json!([])
    };
    json!({
        "id": reply.id("msg_"),
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    })
}

pub(super) fn output_text(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": []})
}

fn message(reply: &Reply) -> Value {
    let (input, output) = reply.tokens();
    json!({
        "id": reply.id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": reply.asked.model,
        "content": [{"type": "text", "text": reply.text}],
        "stop_reason": "end_turn",
        "stop_sequence": null,
        "usage": {"input_tokens": input, "output_tokens": output},
    })
}

fn model(reply: &Reply) -> Value {
    json!({"id": MODEL, "object": "model", "created": reply.now, "owned_by": "bartizan"})
}

fn embeddings(reply: &Reply) -> Value {
    let item = |(index, text): (usize, &String)| {
        let vector = vector(text);
        let embedding = if reply.asked.base64 {
            let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
            Value::from(BASE64_STANDARD.encode(bytes))
        } else {
            vector.into_iter().map(f64::from).collect()
        };
        json!({"object": "embedding", "index": index, "embedding": embedding})
    };
    let items: Vec<_> = reply.asked.inputs.iter().enumerate().map(item).collect();
    let input: usize = reply.asked.inputs.iter().map(String::len).sum();
    let tokens = input.div_ceil(4);
    json!({
        "object": "list",
        "data": items,
        "model": reply.asked.model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    })
}

/// Eight numbers of length one that depend on the text and mean nothing: FNV-1a of the text, then
/// steps of a linear congruence.
fn vector(text: &str) -> [f32; 8] {
    let mut state = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let raw: [f32; 8] = std::array::from_fn(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    });
    let length = raw
        .iter()
        .map(|x| x * x)
        .sum::<f32>()
        .sqrt()
        .max(f32::MIN_POSITIVE);
    raw.map(|x| x / length)
}
