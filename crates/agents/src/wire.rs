//! Transcripts out of the bodies of OpenAI Chat Completions, OpenAI Responses, and Anthropic
//! Messages. A text whose place no table knows counts as written by others.

use std::collections::{BTreeMap, HashMap};

use bartizan_core::Origin;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{Call, Entry, Label, Offer, Said, ToolResult, Transcript, json, run::canonical};

/// Who writes what stands in a field at the top of a request.
const FIELDS: &[(&str, Origin)] = &[
    ("system", Origin::System),
    ("instructions", Origin::System),
    ("prompt", Origin::User),
    ("documents", Origin::Retrieved),
    ("context", Origin::Retrieved),
    ("search_results", Origin::Retrieved),
];

/// Who speaks in a role.
const ROLES: &[(&str, Origin)] = &[
    ("system", Origin::System),
    ("developer", Origin::System),
    ("user", Origin::User),
    ("assistant", Origin::Model),
    ("model", Origin::Model),
    ("tool", Origin::Tool),
    ("function", Origin::Tool),
];

/// The transcript that a request holds. `labels` are what the application says of single texts, by
/// the name of the call that a result answers, or by place.
#[must_use]
pub fn transcript_of(request: &Value, labels: &BTreeMap<String, Label>) -> Transcript {
    let mut reader = Reader {
        transcript: Transcript::default(),
        tools: HashMap::new(),
        labels,
    };
    for (field, origin) in FIELDS {
        if let Some(value) = request.get(field) {
            reader.said(*origin, value, field);
        }
    }
    for list in ["messages", "input"] {
        match request.get(list) {
            Some(Value::Array(items)) => {
                for (at, item) in items.iter().enumerate() {
                    reader.item(item, &format!("{list}[{at}]"));
                }
            }
            Some(value) => reader.said(Origin::User, value, list),
            None => {}
        }
    }
    for list in ["tools", "functions"] {
        let offers = request.get(list).and_then(Value::as_array);
        for (at, offer) in offers.into_iter().flatten().enumerate() {
            reader.offer(offer, format!("{list}[{at}]"));
        }
    }
    reader.transcript
}

/// The calls that an answer holds, in every choice.
#[must_use]
pub fn calls_of(answer: &Value) -> Vec<Call> {
    let labels = BTreeMap::new();
    let mut reader = Reader {
        transcript: Transcript::default(),
        tools: HashMap::new(),
        labels: &labels,
    };
    let choices = answer.get("choices").and_then(Value::as_array);
    for (at, choice) in choices.into_iter().flatten().enumerate() {
        if let Some(message) = choice.get("message") {
            reader.calls(message, &format!("choices[{at}].message"));
        }
    }
    for list in ["output", "content"] {
        let items = answer.get(list).and_then(Value::as_array);
        for (at, item) in items.into_iter().flatten().enumerate() {
            reader.block(item, Origin::Model, &format!("{list}[{at}]"));
        }
    }
    let calls = reader.transcript.entries.into_iter();
    calls
        .filter_map(|entry| match entry {
            Entry::Call(call) => Some(call),
            _ => None,
        })
        .collect()
}

/// What a header says of texts: `call_1=foreign+private, messages[0]=trusted`. The words are
/// `foreign`, `trusted`, and `private`, which alone means foreign, too. `None` for anything else.
#[must_use]
pub fn labels_of(header: &str) -> Option<BTreeMap<String, Label>> {
    let mut labels = BTreeMap::new();
    for pair in header
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
    {
        let (name, words) = pair.rsplit_once('=')?;
        let mut label: Option<Label> = None;
        let mut private = false;
        for word in words.split('+').map(str::trim) {
            match word {
                "foreign" => label = Some(Label::of(Origin::Tool)),
                "trusted" if label.is_none() => label = Some(Label::of(Origin::System)),
                "private" => private = true,
                _ => return None,
            }
        }
        let label = label.unwrap_or_else(|| Label::of(Origin::Tool));
        let label = if private { label.only(["user"]) } else { label };
        labels.insert(name.trim().to_owned(), label);
    }
    Some(labels)
}

struct Reader<'a> {
    transcript: Transcript,
    /// The tools that were called, by the name of the call.
    tools: HashMap<String, String>,
    labels: &'a BTreeMap<String, Label>,
}

impl Reader<'_> {
    fn said(&mut self, origin: Origin, value: &Value, path: &str) {
        let text = texts(value);
        if !text.is_empty() {
            self.transcript.entries.push(Entry::Said(Said {
                origin,
                text,
                path: path.to_owned(),
                label: self.labels.get(path).cloned(),
            }));
        }
    }

    /// A message, or an item of the Responses format.
    fn item(&mut self, item: &Value, path: &str) {
        let Some(role) = item.get("role").and_then(Value::as_str) else {
            return self.block(item, Origin::User, path);
        };
        // A role that nobody knows speaks for nobody.
        let origin = ROLES
            .iter()
            .find_map(|(name, origin)| (*name == role).then_some(*origin))
            .unwrap_or(Origin::Retrieved);
        let content = item.get("content").unwrap_or(&Value::Null);
        if origin == Origin::Tool {
            let id = text_of(item, &["tool_call_id", "name"]);
            let name = text_of(item, &["name"]);
            return self.result(id, name, texts(content), None, format!("{path}.content"));
        }
        match content {
            Value::Array(blocks) => {
                for (at, block) in blocks.iter().enumerate() {
                    self.block(block, origin, &format!("{path}.content[{at}]"));
                }
            }
            content => self.said(origin, content, &format!("{path}.content")),
        }
        if origin == Origin::Model {
            self.calls(item, path);
        } else if let Value::Object(members) = item {
            // What stands beside the content, nobody vouches for.
            for (key, value) in members {
                if !matches!(
                    key.as_str(),
                    "role" | "content" | "name" | "id" | "type" | "status" | "cache_control"
                ) {
                    self.said(Origin::Retrieved, value, &format!("{path}.{key}"));
                }
            }
        }
    }

    /// The calls of a message in the Chat format.
    fn calls(&mut self, message: &Value, path: &str) {
        let calls = message.get("tool_calls").and_then(Value::as_array);
        for (at, call) in calls.into_iter().flatten().enumerate() {
            let inner = call
                .get("function")
                .or_else(|| call.get("custom"))
                .unwrap_or(call);
            self.call(call, inner, format!("{path}.tool_calls[{at}]"));
        }
        if let Some(call) = message.get("function_call").filter(|call| call.is_object()) {
            self.call(call, call, format!("{path}.function_call"));
        }
    }

    fn call(&mut self, outer: &Value, inner: &Value, path: String) {
        let tool = text_of(inner, &["name", "type"]);
        let id = text_of(outer, &["call_id", "id", "name"]);
        let arguments = ["arguments", "input", "action", "operation", "code"]
            .iter()
            .find_map(|key| inner.get(key))
            .map_or(Value::Null, parsed);
        self.tools.insert(id.clone(), tool.clone());
        self.transcript.entries.push(Entry::Call(Call {
            id,
            tool,
            arguments,
            path,
        }));
    }

    fn result(
        &mut self,
        call: String,
        name: String,
        text: String,
        failed: Option<bool>,
        path: String,
    ) {
        let tool = self.tools.get(&call).cloned().unwrap_or(name);
        let label = self
            .labels
            .get(&call)
            .or_else(|| self.labels.get(&path))
            .cloned();
        self.transcript.entries.push(Entry::Result(ToolResult {
            failed: failed.unwrap_or_else(|| looks_failed(&text)),
            call,
            tool,
            text,
            path,
            label,
        }));
    }

    /// A block of content, or an item of the Responses format, in a message of `origin`.
    fn block(&mut self, block: &Value, origin: Origin, path: &str) {
        let kind = block.get("type").and_then(Value::as_str).unwrap_or("text");
        match kind {
            "message" => self.item(block, path),
            "text" | "input_text" | "output_text" | "refusal" => self.said(origin, block, path),
            "thinking" | "redacted_thinking" | "reasoning" | "summary_text" => {
                self.said(Origin::Model, block, path);
            }
            kind if kind.ends_with("_result") || kind.ends_with("_output") => {
                let id = text_of(block, &["tool_use_id", "call_id"]);
                let failed = block.get("is_error").and_then(Value::as_bool);
                let content = ["content", "output", "results"]
                    .iter()
                    .find_map(|key| block.get(key));
                let text = texts(content.unwrap_or(block));
                self.result(id, String::new(), text, failed, path.to_owned());
            }
            kind if kind == "tool_use"
                || kind.ends_with("_tool_use")
                || kind.ends_with("_call") =>
            {
                self.call(block, block, path.to_owned());
                // Calls that the upstream made itself stand there with what came back.
                for key in ["results", "output", "outputs"] {
                    if let Some(value) = block.get(key).filter(|value| !value.is_null()) {
                        self.said(Origin::Tool, value, &format!("{path}.{key}"));
                    }
                }
            }
            // Nobody here can read them, and they may well hold words.
            kind if kind.contains("image") || kind.contains("audio") => {
                self.said(Origin::Retrieved, &Value::from(kind), path);
            }
            // Documents, files, and whatever is new.
            _ => self.said(Origin::Retrieved, block, path),
        }
    }

    fn offer(&mut self, offer: &Value, path: String) {
        let inner = offer.get("function").unwrap_or(offer);
        self.transcript.offered.push(Offer {
            name: text_of(inner, &["name", "type"]),
            digest: definition_digest(offer),
            path,
        });
    }
}

/// The SHA-256 of a definition in lower-case hexadecimal, whatever the order of its members.
#[must_use]
pub fn definition_digest(definition: &Value) -> String {
    let digest = Sha256::digest(canonical(definition));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text_of(value: &Value, keys: &[&str]) -> String {
    let found = keys.iter().find_map(|key| value.get(key)?.as_str());
    found.unwrap_or_default().to_owned()
}

/// Arguments that are JSON in a string, read.
fn parsed(value: &Value) -> Value {
    match value {
        Value::String(text) => json::read(text).unwrap_or_else(|| value.clone()),
        other => other.clone(),
    }
}

/// Every text in a value, one on a line; JSON that is not text keeps its form, so that records stay
/// together.
fn texts(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(blocks)
            if blocks
                .iter()
                .all(|block| block.get("text").is_some_and(Value::is_string)) =>
        {
            let texts: Vec<&str> = blocks
                .iter()
                .filter_map(|block| block.get("text")?.as_str())
                .collect();
            texts.join("\n")
        }
        Value::Object(members)
            if members.get("text").is_some_and(Value::is_string) && members.len() <= 4 =>
        {
            text_of(value, &["text"])
        }
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Whether a tool says that it failed, where the format has no field for that.
fn looks_failed(text: &str) -> bool {
    let start = text.trim_start();
    let says = ["error", "traceback", "exception"].iter().any(|word| {
        start
            .get(..word.len())
            .is_some_and(|first| first.eq_ignore_ascii_case(word))
    });
    says || start.starts_with('{')
        && serde_json::from_str::<Value>(start).is_ok_and(|value| {
            value
                .get("error")
                .is_some_and(|error| !error.is_null() && error != false)
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(transcript: &Transcript) -> Vec<String> {
        let shown = |entry: &Entry| match entry {
            Entry::Said(said) => format!("{} {}: {}", said.path, said.origin, said.text),
            Entry::Call(call) => format!("{} calls {} {}", call.path, call.tool, call.arguments),
            Entry::Result(result) => {
                let failed = if result.failed { " failed" } else { "" };
                format!("{} {}{failed}: {}", result.path, result.tool, result.text)
            }
        };
        transcript.entries.iter().map(shown).collect()
    }

    #[test]
    fn the_three_formats_give_the_same_story() {
        let chat = json!({"messages": [
            {"role": "system", "content": "rules"},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "read", "arguments": "{\"path\":\"a\"}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "Error: gone"},
        ]});
        insta::assert_snapshot!(shown(&transcript_of(&chat, &BTreeMap::new())).join("\n"), @r#"
        messages[0].content system: rules
        messages[1].content user: hi
        messages[2].tool_calls[0] calls read {"path":"a"}
        messages[3].content read failed: Error: gone
        "#);
        let responses = json!({"instructions": "rules", "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "function_call", "call_id": "c1", "name": "read", "arguments": "{\"path\":\"a\"}"},
            {"type": "function_call_output", "call_id": "c1", "output": "Error: gone"},
        ]});
        insta::assert_snapshot!(shown(&transcript_of(&responses, &BTreeMap::new())).join("\n"), @r#"
        instructions system: rules
        input[0].content[0] user: hi
        input[1] calls read {"path":"a"}
        input[2] read failed: Error: gone
        "#);
        let messages = json!({"system": "rules", "messages": [
            {"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "document", "title": "d"}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "read", "input": {"path": "a"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "is_error": true, "content": "gone"}]},
        ]});
        insta::assert_snapshot!(shown(&transcript_of(&messages, &BTreeMap::new())).join("\n"), @r#"
        system system: rules
        messages[0].content[0] user: hi
        messages[0].content[1] retrieved: {"type":"document","title":"d"}
        messages[1].content[0] calls read {"path":"a"}
        messages[2].content[0] read failed: gone
        "#);
    }

    #[test]
    fn calls_of_every_answer() {
        let chat = json!({"choices": [{"message": {"tool_calls": [
            {"id": "a", "function": {"name": "x", "arguments": "{}"}}]}}]});
        let responses = json!({"output": [{"type": "function_call", "call_id": "a", "name": "x", "arguments": "{}"}]});
        let messages = json!({"content": [{"type": "text", "text": "t"}, {"type": "tool_use", "id": "a", "name": "x", "input": {}}]});
        for answer in [chat, responses, messages] {
            let calls = calls_of(&answer);
            let [call] = calls.as_slice() else {
                panic!("{calls:?}");
            };
            assert_eq!((call.tool.as_str(), &call.arguments), ("x", &json!({})));
        }
    }

    #[test]
    fn labels_are_read_or_refused() {
        let labels = labels_of("call_1=private, messages[0].content=trusted").unwrap();
        assert!(labels["call_1"].readers.is_private());
        assert!(labels["call_1"].writers.is_foreign());
        assert!(!labels["messages[0].content"].writers.is_foreign());
        for bad in ["call_1", "call_1=loose", "call_1=foreign+trusted"] {
            assert!(labels_of(bad).is_none(), "{bad}");
        }
    }
}
