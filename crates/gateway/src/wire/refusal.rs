use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Usage, fault::response};
use crate::{
    body::Body,
    endpoint::{Dialect, Endpoint},
    fault::{Fault, FaultKind},
};

/// What a client gets in the place of what was blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RefusalConfig {
    /// How a blocked request is answered. `error` by default.
    pub input: InputRefusal,
    /// The status of that error: 400 (default), 403, or 422.
    pub input_status: u16,
    /// How a blocked answer is replaced. `filtered` by default.
    pub output: OutputRefusal,
}

impl Default for RefusalConfig {
    fn default() -> Self {
        Self {
            input: InputRefusal::default(),
            input_status: 400,
            output: OutputRefusal::default(),
        }
    }
}

impl RefusalConfig {
    /// What is wrong with it, each with its place below this block.
    #[must_use]
    pub fn check(&self) -> Vec<(&'static str, String)> {
        if matches!(self.input_status, 400 | 403 | 422) {
            return Vec::new();
        }
        vec![(
            "input-status",
            format!("`{}` is not one of 400, 403, 422", self.input_status),
        )]
    }
}

/// How a blocked request is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InputRefusal {
    /// With an error whose code is `content_filter`.
    #[default]
    Error,
    /// With an answer that says the refusal text, as if the model had declined.
    Answer,
}

/// How a blocked answer is replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OutputRefusal {
    /// By an answer that says the refusal text and ended for `content_filter`.
    #[default]
    Filtered,
    /// By an error whose code is `content_filter`.
    Error,
}

/// What a refusal says. Holds nothing of what was refused.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// The text of the policy.
    pub text: &'a str,
    /// Our id of the request.
    pub request_id: &'a str,
    /// The model as the client named it, once that is known to the configuration.
    pub model: &'a str,
    /// Now, in seconds since 1970.
    pub created: u64,
    /// How many answers were asked for.
    pub choices: u32,
    /// What the upstream spent, if it was asked.
    pub usage: Option<Usage>,
}

/// The answer to a request that was blocked before any upstream heard of it. `stream` is whether
/// the client waits for events.
#[must_use]
pub fn refuse_input(
    endpoint: Endpoint,
    stream: bool,
    refused: &Refused<'_>,
    config: &RefusalConfig,
) -> Response<Body> {
    match config.input {
        InputRefusal::Answer if has_text(endpoint) => {
            if stream {
                events(endpoint, refused)
            } else {
                whole(endpoint, refused)
            }
        }
        _ => error(endpoint, config.input_status, refused),
    }
}

/// What a client gets in the place of a whole answer that was blocked.
#[must_use]
pub fn refuse_output(
    endpoint: Endpoint,
    refused: &Refused<'_>,
    config: &RefusalConfig,
) -> Response<Body> {
    match config.output {
        OutputRefusal::Filtered if has_text(endpoint) => whole(endpoint, refused),
        _ => error(endpoint, config.input_status, refused),
    }
}

const fn has_text(endpoint: Endpoint) -> bool {
    matches!(
        endpoint,
        Endpoint::ChatCompletions
            | Endpoint::Completions
            | Endpoint::Responses
            | Endpoint::Messages
    )
}

fn error(endpoint: Endpoint, status: u16, refused: &Refused<'_>) -> Response<Body> {
    let fault = Fault::new(
        FaultKind::BadRequest,
        "content_filter",
        refused.text.to_owned(),
    );
    let mut response = super::fault(&fault, endpoint.dialect(), refused.request_id);
    if let Ok(status) = StatusCode::from_u16(status) {
        *response.status_mut() = status;
    }
    response
}

fn whole(endpoint: Endpoint, refused: &Refused<'_>) -> Response<Body> {
    let body = answer(endpoint, refused);
    response(
        StatusCode::OK,
        &body,
        endpoint.dialect(),
        refused.request_id,
    )
}

/// The refusal as a whole answer of the route.
fn answer(endpoint: Endpoint, refused: &Refused<'_>) -> Value {
    let &Refused {
        text,
        model,
        created,
        ..
    } = refused;
    let id = id(endpoint, refused.request_id);
    let usage = refused.usage.unwrap_or_default();
    let choices = |choice: &dyn Fn(u32) -> Value| -> Vec<Value> {
        (0..refused.choices.max(1)).map(choice).collect()
    };
    let open_ai_usage = json!({
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.total(),
    });
    match endpoint {
        Endpoint::Completions => json!({
            "id": id, "object": "text_completion", "created": created, "model": model,
            "choices": choices(&|index| json!({
                "index": index, "text": text, "logprobs": null, "finish_reason": "content_filter",
            })),
            "usage": open_ai_usage,
        }),
        Endpoint::Responses => response_object(refused, "incomplete", &[item(refused)]),
        Endpoint::Messages => json!({
            "id": id, "type": "message", "role": "assistant", "model": model,
            "content": [{ "type": "text", "text": text }],
            "stop_reason": "refusal", "stop_sequence": null,
            "stop_details": { "type": "refusal", "category": null, "explanation": null },
            "usage": { "input_tokens": usage.input, "output_tokens": usage.output },
        }),
        _ => json!({
            "id": id, "object": "chat.completion", "created": created, "model": model,
            "choices": choices(&|index| json!({
                "index": index,
                "message": { "role": "assistant", "content": text, "refusal": null },
                "logprobs": null,
                "finish_reason": "content_filter",
            })),
            "usage": open_ai_usage,
        }),
    }
}

fn id(endpoint: Endpoint, request_id: &str) -> String {
    let prefix = match endpoint {
        Endpoint::Completions => "cmpl",
        Endpoint::Responses => "resp",
        Endpoint::Messages => "msg",
        _ => "chatcmpl",
    };
    let plain = request_id.replace('-', "");
    match endpoint {
        Endpoint::Responses | Endpoint::Messages => format!("{prefix}_{plain}"),
        _ => format!("{prefix}-{plain}"),
    }
}

fn response_object(refused: &Refused<'_>, status: &str, output: &[Value]) -> Value {
    let usage = refused.usage.unwrap_or_default();
    json!({
        "id": id(Endpoint::Responses, refused.request_id),
        "object": "response", "created_at": refused.created, "model": refused.model,
        "status": status,
        "incomplete_details": (status == "incomplete").then(|| json!({"reason": "content_filter"})),
        "error": null, "instructions": null, "metadata": {},
        "output": output,
        "parallel_tool_calls": true, "temperature": null, "top_p": null,
        "tool_choice": "auto", "tools": [],
        "usage": {
            "input_tokens": usage.input, "output_tokens": usage.output,
            "total_tokens": usage.total(),
            "input_tokens_details": { "cached_tokens": usage.cached_input, "cache_write_tokens": 0 },
            "output_tokens_details": { "reasoning_tokens": usage.reasoning },
        },
    })
}

fn item(refused: &Refused<'_>) -> Value {
    json!({
        "id": format!("msg_{}", refused.request_id.replace('-', "")),
        "type": "message", "role": "assistant", "status": "incomplete",
        "content": [{ "type": "output_text", "text": refused.text, "annotations": [] }],
    })
}

/// The refusal as a stream of events that is all there.
fn events(endpoint: Endpoint, refused: &Refused<'_>) -> Response<Body> {
    let mut out = String::new();
    match endpoint {
        Endpoint::Messages => message_events(refused, &mut out),
        Endpoint::Responses => response_events(refused, &mut out),
        _ => {
            chunk_events(endpoint, refused, &mut out);
            out.push_str("data: [DONE]\n\n");
        }
    }
    let mut response = Response::new(Body::from(Bytes::from(out)));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let name = match endpoint.dialect() {
        Dialect::OpenAi => "x-request-id",
        Dialect::Anthropic => "request-id",
    };
    if let Ok(id) = HeaderValue::from_str(refused.request_id) {
        headers.insert(name, id);
    }
    response
}

fn data(value: &Value, out: &mut String) {
    out.push_str("data: ");
    out.push_str(&value.to_string());
    out.push_str("\n\n");
}

/// An event whose name is the `type` of its data.
fn named(value: &Value, out: &mut String) {
    let name = value.get("type").and_then(Value::as_str);
    out.push_str("event: ");
    out.push_str(name.unwrap_or_default());
    out.push('\n');
    data(value, out);
}

fn chunk_events(endpoint: Endpoint, refused: &Refused<'_>, out: &mut String) {
    let completion = endpoint == Endpoint::Completions;
    let object = if completion {
        "text_completion"
    } else {
        "chat.completion.chunk"
    };
    let chunk = |choice: Value| {
        json!({
            "id": id(endpoint, refused.request_id), "object": object,
            "created": refused.created, "model": refused.model, "choices": [choice],
        })
    };
    for index in 0..refused.choices.max(1) {
        if completion {
            let choice = json!({
                "index": index, "text": refused.text, "logprobs": null,
                "finish_reason": "content_filter",
            });
            data(&chunk(choice), out);
            continue;
        }
        let delta = json!({ "role": "assistant", "content": refused.text });
        let said = json!({ "index": index, "delta": delta, "finish_reason": null });
        let end = json!({ "index": index, "delta": {}, "finish_reason": "content_filter" });
        data(&chunk(said), out);
        data(&chunk(end), out);
    }
}

fn message_events(refused: &Refused<'_>, out: &mut String) {
    let mut message = answer(Endpoint::Messages, refused);
    if let Some(object) = message.as_object_mut() {
        object.insert("content".to_owned(), json!([]));
        object.insert("stop_reason".to_owned(), Value::Null);
        object.remove("stop_details");
    }
    let usage = refused.usage.unwrap_or_default();
    for event in [
        json!({ "type": "message_start", "message": message }),
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
        json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": refused.text } }),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({ "type": "message_delta", "delta": { "stop_reason": "refusal", "stop_sequence": null }, "usage": { "output_tokens": usage.output } }),
        json!({ "type": "message_stop" }),
    ] {
        named(&event, out);
    }
}

fn response_events(refused: &Refused<'_>, out: &mut String) {
    let done = item(refused);
    let item_id = done.get("id").cloned().unwrap_or_default();
    let text = refused.text;
    let empty = json!({
        "id": item_id, "type": "message", "role": "assistant", "status": "in_progress", "content": [],
    });
    let part = |text: &str| json!({ "type": "output_text", "text": text, "annotations": [] });
    let events = [
        json!({ "type": "response.created", "response": response_object(refused, "in_progress", &[]) }),
        json!({ "type": "response.output_item.added", "output_index": 0, "item": empty }),
        json!({ "type": "response.content_part.added", "item_id": item_id, "output_index": 0, "content_index": 0, "part": part("") }),
        json!({ "type": "response.output_text.delta", "item_id": item_id, "output_index": 0, "content_index": 0, "delta": text, "logprobs": [] }),
        json!({ "type": "response.output_text.done", "item_id": item_id, "output_index": 0, "content_index": 0, "text": text, "logprobs": [] }),
        json!({ "type": "response.content_part.done", "item_id": item_id, "output_index": 0, "content_index": 0, "part": part(text) }),
        json!({ "type": "response.output_item.done", "output_index": 0, "item": done }),
        json!({ "type": "response.incomplete", "response": response_object(refused, "incomplete", std::slice::from_ref(&done)) }),
    ];
    for (number, mut event) in events.into_iter().enumerate() {
        if let Some(object) = event.as_object_mut() {
            object.insert("sequence_number".to_owned(), json!(number));
        }
        named(&event, out);
    }
}
