//! What of a request the echo looks at.

use serde_json::Value;

use crate::upstream::UpstreamRequest;

/// What a request asks for, as far as the echo cares.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// The model's name, to be repeated.
    pub(super) model: String,
    /// The last text of the user.
    pub(super) text: String,
    /// All inputs of an embedding.
    pub(super) inputs: Vec<String>,
    pub(super) stream: bool,
    /// Whether a stream ends with its usage.
    pub(super) include_usage: bool,
    /// Whether vectors are wanted as base64.
    pub(super) base64: bool,
    /// Choices, 1 to 16.
    pub(super) choices: usize,
}

impl Asked {
    /// Reads a request; what is not there or of another type is left at its default.
    pub(super) fn read(request: &UpstreamRequest) -> Self {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let inputs = body.get("input").or(body.get("prompt"));
        let text = body
            .get("messages")
            .map(last_of_user)
            .or_else(|| inputs.map(last_of_user))
            .unwrap_or_default();
        let flag = |value: Option<&Value>| value.and_then(Value::as_bool).unwrap_or(false);
        let choices = body.get("n").and_then(Value::as_u64).unwrap_or(1);
        Self {
            model: request.model_name.to_string(),
            text,
            inputs: inputs.map(strings).unwrap_or_default(),
            stream: flag(body.get("stream")),
            include_usage: flag(
                body.get("stream_options")
                    .and_then(|options| options.get("include_usage")),
            ),
            base64: body.get("encoding_format").and_then(Value::as_str) == Some("base64"),
            choices: usize::try_from(choices.clamp(1, 16)).unwrap_or(1),
        }
    }
}

/// The text itself, or of the last message of a user.
fn last_of_user(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items
            .iter()
            .rev()
            .find_map(|item| match item {
                Value::String(text) => Some(text.clone()),
                item if item.get("role").and_then(Value::as_str) == Some("user") => {
                    item.get("content").map(content)
                }
                _ => None,
            })
            .unwrap_or_default(),
        _ => String::new(),
    }
}

/// A content: a text, or parts with texts.
fn content(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts: Vec<_> = parts
                .iter()
                .filter_map(|part| part.get("text")?.as_str())
                .collect();
            texts.join("\n")
        }
        _ => String::new(),
    }
}

fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) if items.iter().all(Value::is_number) => vec![value.to_string()],
        Value::Array(items) => items
            .iter()
            .map(|item| {
                item.as_str()
                    .map_or_else(|| item.to_string(), str::to_owned)
            })
            .collect(),
        _ => Vec::new(),
    }
}
