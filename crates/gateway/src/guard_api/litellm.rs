//! LiteLLM's generic guardrail: `POST /beta/litellm_basic_guardrail_api`.
//!
//! What LiteLLM can rewrite comes back rewritten; what it cannot (tools, pictures, arguments of
//! calls) is blocked where it would have to be edited.

use std::collections::{BTreeMap, HashMap};

use axum::{
    extract::{Request, State},
    response::Response,
};
use bartizan_core::{Direction, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    GuardApi,
    engine::{Checked, Content, Input},
    request::{Incoming, Shape, parse, serve, unprocessable},
};
use crate::fault::Fault;

pub(super) const PATH: &str = "/beta/litellm_basic_guardrail_api";

/// What LiteLLM sends. Fields that it adds later are accepted; those that carry content are judged.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(title = "LiteLLM generic guardrail request")]
pub(super) struct GuardrailRequest {
    /// Which way the texts go.
    input_type: InputType,
    /// The texts that may be rewritten.
    #[serde(default)]
    texts: Option<Vec<String>>,
    /// Addresses of pictures, or pictures in base 64.
    #[serde(default)]
    images: Option<Vec<String>>,
    /// Tools as given to the model.
    #[serde(default)]
    tools: Option<Vec<Value>>,
    /// Calls of tools.
    #[serde(default)]
    tool_calls: Option<Vec<Value>>,
    /// The conversation.
    #[serde(default)]
    structured_messages: Option<Vec<Value>>,
    /// Everything else, e.g. `model`, `request_data`, `litellm_call_id`; not content.
    #[serde(flatten)]
    _rest: BTreeMap<String, Value>,
}

/// Which way texts go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum InputType {
    /// Towards the model.
    Request,
    /// From the model.
    Response,
}

/// What LiteLLM is to do.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "LiteLLM generic guardrail answer")]
pub(super) struct GuardrailAnswer {
    action: Action,
    /// For the client, when blocked.
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked_reason: Option<String>,
    /// The texts with what is to be removed replaced, as many as came.
    #[serde(skip_serializing_if = "Option::is_none")]
    texts: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Action {
    /// Pass.
    None,
    /// Refuse.
    Blocked,
    /// Pass with `texts` in place of the texts.
    GuardrailIntervened,
}

/// Answers it.
pub(super) async fn guardrail(State(api): State<GuardApi>, request: Request) -> Response {
    serve(api, request, Shape::Own, answer).await
}

async fn answer(api: GuardApi, incoming: Incoming) -> Result<GuardrailAnswer, Fault> {
    let asked: GuardrailRequest = parse(&incoming.body)?;
    let texts = asked.texts.unwrap_or_default();
    let most = api.config.max_batch.saturating_mul(16);
    if texts.len() > most {
        let message = format!("at most {most} texts");
        return Err(unprocessable("batch-size", message).about("texts"));
    }
    let direction = match asked.input_type {
        InputType::Request => Direction::Input,
        InputType::Response => Direction::Output,
    };
    let messages = asked.structured_messages.unwrap_or_default();
    let mut all: Vec<Checked> = Vec::new();
    let mut documents: Vec<Value> = Vec::new();
    let mut places = None;
    if let Some((document, paths)) = document(&texts, &messages, direction) {
        documents.push(document);
        places = Some(paths);
    }
    let images = asked.images.unwrap_or_default();
    let messages = rest(messages, asked.tool_calls.unwrap_or_default(), &images);
    let tools = asked.tools.unwrap_or_default();
    if !messages.is_empty() {
        documents.push(json!({"messages": messages, "tools": tools}));
    } else if !tools.is_empty() {
        documents.push(json!({"tools": tools}));
    }
    for document in documents {
        let input = Input::conversation(document.to_string(), direction)?;
        all.push(api.check(PATH, &incoming, input).await?);
    }
    let verdict = all
        .iter()
        .map(Checked::verdict)
        .fold(Verdict::Allow, Verdict::join);
    if verdict >= Verdict::Ask {
        return Ok(blocked(&all));
    }
    if verdict == Verdict::Allow {
        return Ok(GuardrailAnswer {
            action: Action::None,
            blocked_reason: None,
            texts: None,
        });
    }
    let mut redactor = api.service.redactor(&incoming.principal);
    let (Some(first), Some(places)) = (all.first(), places) else {
        return Ok(blocked(&all));
    };
    let Content::Conversation { conversation, .. } = &first.input.content else {
        return Ok(blocked(&all));
    };
    let mut safe = texts;
    for (number, part) in conversation.parts.iter().enumerate() {
        if first.judgement.removals(number).is_empty() {
            continue;
        }
        let Some(slot) = places
            .get(&part.path)
            .and_then(|place| safe.get_mut(*place))
        else {
            return Ok(blocked(&all));
        };
        match first.safe_part(number, &mut redactor) {
            Some(text) => *slot = text,
            None => return Ok(blocked(&all)),
        }
    }
    // What has to be edited elsewhere is either the same text, which comes back edited, or out of
    // reach.
    let edited: Vec<&str> = conversation
        .parts
        .iter()
        .enumerate()
        .filter(|(number, _)| !first.judgement.removals(*number).is_empty())
        .map(|(_, part)| &*part.text)
        .collect();
    for checked in all.iter().skip(1) {
        let texts = checked.input.texts();
        for (number, text) in texts.into_iter().enumerate() {
            if !checked.judgement.removals(number).is_empty() && !edited.contains(&text) {
                return Ok(blocked(&all));
            }
        }
    }
    Ok(GuardrailAnswer {
        action: Action::GuardrailIntervened,
        blocked_reason: None,
        texts: Some(safe),
    })
}

fn blocked(all: &[Checked]) -> GuardrailAnswer {
    let strictest = all
        .iter()
        .filter_map(|checked| Some((checked.verdict(), checked.refusal()?)))
        .max_by_key(|(verdict, _)| *verdict);
    let reason = strictest.map_or("This content cannot be processed.", |(_, (_, text))| text);
    GuardrailAnswer {
        action: Action::Blocked,
        blocked_reason: Some(reason.to_owned()),
        texts: None,
    }
}

/// The texts as messages, each by whom the conversation says it is, and the path of each.
/// Neighbours of one role are parts of one message, so that nothing hides by being split.
fn document(
    texts: &[String],
    messages: &[Value],
    direction: Direction,
) -> Option<(Value, HashMap<String, usize>)> {
    if texts.is_empty() {
        return None;
    }
    let roles = roles(messages);
    let by_default = match direction {
        Direction::Input => "user",
        Direction::Output => "assistant",
    };
    let mut grouped: Vec<(&str, Vec<Value>)> = Vec::new();
    let mut places = HashMap::new();
    for (number, text) in texts.iter().enumerate() {
        let role = roles.get(&**text).copied().unwrap_or(by_default);
        if grouped.last().is_none_or(|(last, _)| *last != role) {
            grouped.push((role, Vec::new()));
        }
        let message = grouped.len() - 1;
        if let Some((_, blocks)) = grouped.last_mut() {
            let path = format!("messages[{message}].content[{}].text", blocks.len());
            places.insert(path, number);
            blocks.push(json!({"type": "text", "text": text}));
        }
    }
    let listed: Vec<Value> = grouped
        .into_iter()
        .map(|(role, content)| json!({"role": role, "content": content}))
        .collect();
    Some((json!({"messages": listed}), places))
}

/// Who wrote which text, as the conversation has it; what could be the user's is the user's.
fn roles(messages: &[Value]) -> HashMap<&str, &'static str> {
    let mut roles = HashMap::new();
    for message in messages {
        let role = match message.get("role").and_then(Value::as_str) {
            Some("system" | "developer") => "system",
            Some("assistant") => "assistant",
            // As the text of a user it is judged by the stricter rows for foreign text elsewhere.
            _ => "user",
        };
        let content = message.get("content");
        let blocks = content.and_then(Value::as_array).into_iter().flatten();
        let texts = blocks.filter_map(|block| block.get("text")).chain(content);
        for text in texts.filter_map(Value::as_str) {
            let known = roles.entry(text).or_insert(role);
            if role == "user" {
                *known = role;
            }
        }
    }
    roles
}

/// Everything else that carries content, as messages.
fn rest(mut messages: Vec<Value>, tool_calls: Vec<Value>, images: &[String]) -> Vec<Value> {
    if !tool_calls.is_empty() {
        messages.push(json!({"role": "assistant", "content": null, "tool_calls": tool_calls}));
    }
    if !images.is_empty() {
        let blocks: Vec<Value> = images
            .iter()
            .map(|image| json!({"type": "image_url", "image_url": {"url": image}}))
            .collect();
        messages.push(json!({"role": "user", "content": blocks}));
    }
    messages
}
