//! Attempts as requests to a model, and answers as replies. Bytes only: who sends them is not said
//! here.

use bartizan_core::{Direction, Origin};
use serde_json::{Value, json};

use crate::{Answer, Attempt, Goal, Reply, TargetError, ToolCall, Turn, attempt::TurnKind};

/// How an endpoint is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wire {
    /// OpenAI's Chat Completions, as most servers speak it.
    OpenAi {
        /// The model.
        model: String,
    },
    /// Anthropic's Messages.
    Anthropic {
        /// The model.
        model: String,
    },
    /// JSON of one's own.
    Template {
        /// A JSON document with `{{prompt}}`, `{{system}}`, or `{{messages}}` in strings; a string
        /// that is `{{messages}}` alone becomes the list of messages.
        body: Value,
        /// Where the answer stands: a JSON pointer (RFC 6901); empty for the body as text.
        answer: String,
    },
}

/// Most tokens of an answer: enough to tell, and no more than an attempt should cost.
const MAX_TOKENS: u32 = 2_048;

impl Wire {
    /// The body of a request. `has_prompt` is whether the target has a system prompt of its own, so
    /// that none is sent.
    ///
    /// # Errors
    /// [`TargetError::Unfit`] for a test of answers, which no endpoint is asked about.
    pub fn request(&self, attempt: &Attempt<'_>, has_prompt: bool) -> Result<Value, TargetError> {
        if attempt.test.direction == Direction::Output {
            return Err(TargetError::Unfit);
        }
        let system: Vec<&str> = attempt
            .turns
            .iter()
            .filter(|turn| turn.origin == Origin::System && !has_prompt)
            .map(|turn| turn.text.as_str())
            .collect();
        let system = system.join("\n\n");
        let messages = messages(&attempt.turns);
        Ok(match self {
            Self::OpenAi { model } => {
                let mut all = Vec::new();
                if !system.is_empty() {
                    all.push(json!({ "role": "system", "content": system }));
                }
                all.extend(messages);
                let mut body = json!({ "model": model, "messages": all, "max_tokens": MAX_TOKENS });
                if let Some(tools) = tools(
                    &attempt.test.goal,
                    |name| json!({ "type": "function", "function": { "name": name, "parameters": open() } }),
                ) {
                    put(&mut body, "tools", tools);
                }
                body
            }
            Self::Anthropic { model } => {
                let mut body = json!({ "model": model, "messages": merged(messages), "max_tokens": MAX_TOKENS });
                if !system.is_empty() {
                    put(&mut body, "system", json!(system));
                }
                if let Some(tools) = tools(
                    &attempt.test.goal,
                    |name| json!({ "name": name, "input_schema": open() }),
                ) {
                    put(&mut body, "tools", tools);
                }
                body
            }
            Self::Template { body, .. } => filled(body, &system, &messages),
        })
    }

    /// What a response of `status` with `body` is.
    ///
    /// # Errors
    /// When it is neither an answer nor a refusal of a guard.
    pub fn reply(&self, status: u16, body: &[u8]) -> Result<Reply, TargetError> {
        let value: Option<Value> = serde_json::from_slice(body).ok();
        if !(200..300).contains(&status) {
            let is_refusal = value.as_ref().is_some_and(says_filtered);
            return if is_refusal {
                Ok(Reply::Answered(Answer::stopped()))
            } else {
                Err(TargetError::Status(status))
            };
        }
        let answer = match self {
            Self::OpenAi { .. } => value.as_ref().and_then(openai),
            Self::Anthropic { .. } => value.as_ref().and_then(anthropic),
            Self::Template { answer, .. } if answer.is_empty() => {
                Some(Answer::of(String::from_utf8_lossy(body)))
            }
            Self::Template { answer, .. } => {
                let found = value.as_ref().and_then(|value| value.pointer(answer));
                found.map(|found| match found {
                    Value::String(text) => Answer::of(text),
                    other => Answer::of(other.to_string()),
                })
            }
        };
        answer.map(Reply::Answered).ok_or(TargetError::Form)
    }
}

/// The turns but the system's, as messages. What a document or a tool says comes in the user's name,
/// which is how most applications hand it on.
fn messages(turns: &[Turn]) -> Vec<Value> {
    turns
        .iter()
        .filter(|turn| turn.origin != Origin::System)
        .map(|turn| {
            let text = &turn.text;
            let (role, content) = match (turn.origin, turn.kind) {
                (Origin::Model, _) => ("assistant", text.clone()),
                (Origin::User, _) => ("user", text.clone()),
                (_, TurnKind::Metadata) => ("user", format!("Text of the attachment:\n{text}")),
                (_, TurnKind::ToolDescription) => {
                    ("user", format!("Description of a tool:\n{text}"))
                }
                (Origin::Tool, _) => ("user", format!("Result of a tool:\n{text}")),
                _ => ("user", format!("Document:\n{text}")),
            };
            json!({ "role": role, "content": content })
        })
        .collect()
}

/// Messages that alternate, as Anthropic asks for.
fn merged(messages: Vec<Value>) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    for message in messages {
        let content = message.get("content").and_then(Value::as_str);
        if let (Some(last), Some(content)) = (out.last_mut(), content)
            && last.get("role") == message.get("role")
            && let Some(Value::String(text)) = last.get_mut("content")
        {
            text.push_str("\n\n");
            text.push_str(content);
            continue;
        }
        out.push(message);
    }
    out
}

/// The tool that an attack wants to see called, so that there is one to call.
fn tools(goal: &Goal, describe: impl Fn(&str) -> Value) -> Option<Value> {
    match goal {
        Goal::Tool { name, .. } => Some(Value::Array(vec![describe(name)])),
        _ => None,
    }
}

/// A schema that takes every argument.
fn open() -> Value {
    json!({ "type": "object", "additionalProperties": true })
}

fn put(body: &mut Value, key: &str, value: Value) {
    if let Some(object) = body.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

/// The template with its places filled. They are filled in strings of the parsed document, so that
/// no attack can leave its string.
fn filled(template: &Value, system: &str, messages: &[Value]) -> Value {
    let said: Vec<&str> = messages
        .iter()
        .filter_map(|message| message.get("content")?.as_str())
        .collect();
    match template {
        Value::String(text) if text == "{{messages}}" => Value::Array(messages.to_vec()),
        Value::String(text) => {
            let mut parts = Vec::new();
            // One pass, so that an attack that holds a place is not filled again.
            let mut rest = text.as_str();
            while let Some((before, behind)) = rest.split_once("{{") {
                parts.push(before.to_owned());
                match behind.split_once("}}") {
                    Some(("prompt", tail)) => {
                        parts.push(said.join("\n\n"));
                        rest = tail;
                    }
                    Some(("system", tail)) => {
                        parts.push(system.to_owned());
                        rest = tail;
                    }
                    _ => {
                        parts.push("{{".to_owned());
                        rest = behind;
                    }
                }
            }
            Value::String(parts.concat() + rest)
        }
        Value::Array(items) => {
            let items = items.iter();
            Value::Array(items.map(|item| filled(item, system, messages)).collect())
        }
        Value::Object(members) => {
            let members = members.iter();
            let fill =
                |(key, value): (&String, &Value)| (key.clone(), filled(value, system, messages));
            Value::Object(members.map(fill).collect())
        }
        other => other.clone(),
    }
}

/// Whether an error is the refusal of a guard: ours and OpenAI's code, Azure's, and what gateways
/// write.
fn says_filtered(body: &Value) -> bool {
    const CODES: [&str; 4] = [
        "content_filter",
        "content_policy_violation",
        "ResponsibleAIPolicyViolation",
        "guardrail_violation",
    ];
    let error = body.get("error").unwrap_or(body);
    ["code", "type"]
        .iter()
        .filter_map(|key| error.get(key)?.as_str())
        .any(|code| CODES.contains(&code))
}

fn openai(body: &Value) -> Option<Answer> {
    let choice = body.pointer("/choices/0")?;
    let message = choice.get("message")?;
    let text = |key: &str| message.get(key).and_then(Value::as_str);
    let calls = message.get("tool_calls").and_then(Value::as_array);
    let call = |call: &Value| {
        let function = call.get("function")?;
        Some(ToolCall {
            name: function.get("name")?.as_str()?.to_owned(),
            arguments: function.get("arguments")?.as_str()?.to_owned(),
        })
    };
    let reason = choice.get("finish_reason").and_then(Value::as_str);
    Some(Answer {
        text: text("content")
            .or(text("refusal"))
            .unwrap_or_default()
            .to_owned(),
        tool_calls: calls.into_iter().flatten().filter_map(call).collect(),
        stopped: reason == Some("content_filter"),
    })
}

fn anthropic(body: &Value) -> Option<Answer> {
    let blocks = body.get("content")?.as_array()?;
    let texts = blocks
        .iter()
        .filter_map(|block| block.get("text")?.as_str());
    let call = |block: &Value| {
        let is_call = block.get("type")?.as_str()? == "tool_use";
        is_call.then_some(())?;
        Some(ToolCall {
            name: block.get("name")?.as_str()?.to_owned(),
            arguments: block.get("input")?.to_string(),
        })
    };
    let reason = body.get("stop_reason").and_then(Value::as_str);
    Some(Answer {
        text: texts.collect::<Vec<_>>().join("\n"),
        tool_calls: blocks.iter().filter_map(call).collect(),
        stopped: reason == Some("refusal"),
    })
}

#[cfg(test)]
mod tests;
