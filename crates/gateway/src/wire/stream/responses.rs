//! Events of OpenAI's Responses.
//!
//! Source: the types of OpenAI's SDK (`ResponseStreamEvent`), version 3.54. The full text is repeated
//! in `.done` events, in items, and in the whole response at the end: every copy is rewritten from
//! what was released.

use super::{
    call,
    channel::Channel,
    chat::write,
    core::{Core, Format, Next, Stop},
    json::{Edits, Kind, Tape, Value, quote},
    leaves::{is_identifier, is_plain_key, is_type},
};
use crate::wire::sse;

/// A stream of events.
#[derive(Default)]
pub(super) struct Responses {
    parts: Vec<Part>,
    items: Vec<Item>,
    /// `"id":...,"created_at":...,"model":...` of the response.
    head: String,
    /// The number of the next event.
    sequence: Option<u64>,
}

/// A text or a call within an item of the output.
struct Part {
    family: String,
    output: u64,
    /// Its number among the contents, summaries, or commands of the item.
    sub: u64,
    sub_key: &'static str,
    item_id: String,
    body: Body,
    /// Whether the client heard of it by deltas.
    is_streamed: bool,
}

enum Body {
    Text(Box<Channel>),
    /// Held until it is complete, then what was released of it.
    Call {
        text: String,
        is_ended: bool,
    },
}

struct Item {
    output: u64,
    id: String,
    is_message: bool,
    /// The tool that it calls.
    name: String,
}

/// Calls: held and judged as wholes. The rest are texts.
const CALLS: &[&str] = &[
    "response.function_call_arguments",
    "response.mcp_call_arguments",
    "response.custom_tool_call_input",
    "response.code_interpreter_call_code",
    "response.shell_call_command",
];

const OUTPUT_TEXT: &str = "response.output_text";
const REFUSAL: &str = "response.refusal";

/// Members that number a part within its item.
const SUB_KEYS: &[&str] = &["content_index", "summary_index", "command_index"];

/// Members of a `.done` event that repeat the whole.
const DONE_KEYS: &[&str] = &[
    "text",
    "refusal",
    "arguments",
    "input",
    "code",
    "command",
    "transcript",
];

/// Members of a response that repeat the request, which the client knows; and what it gets instead.
const ECHOES: &[(&str, &str)] = &[
    ("instructions", "null"),
    ("tools", "[]"),
    ("metadata", "{}"),
    ("prompt", "null"),
    ("user", "null"),
    ("safety_identifier", "null"),
    ("prompt_cache_key", "null"),
];

/// Events and members that hold media.
const MEDIA_EVENTS: &[&str] = &[
    "response.audio.delta",
    "response.image_generation_call.partial_image",
];

struct At<'a> {
    family: &'a str,
    output: u64,
    sub: u64,
    sub_key: &'static str,
}

impl Responses {
    fn take(
        &mut self,
        core: &mut Core,
        root: Value<'_>,
        data: &str,
        edits: &mut Edits,
        out: &mut Vec<u8>,
    ) -> Result<Next, Stop> {
        let kind = root
            .get("type")
            .and_then(Value::raw_str)
            .filter(|kind| is_type(kind))
            .ok_or(Stop::Malformed("an event has no type"))?;
        if kind == "error" {
            return Err(Stop::Upstream);
        }
        if MEDIA_EVENTS.contains(&kind) && !core.setup.config.pass_unread_media {
            return Err(Stop::Unread);
        }
        let mut next = Next::More;
        let mut passes = true;
        let number = |key: &str| root.get(key).and_then(Value::u64);
        let output = number("output_index").unwrap_or(0);
        let sub = SUB_KEYS
            .iter()
            .find_map(|key| Some((*key, number(key)?)))
            .unwrap_or(("", 0));
        for member in root.children() {
            let at = |family| At {
                family,
                output,
                sub: sub.1,
                sub_key: sub.0,
            };
            match (member.key(), member.kind()) {
                ("type", _) => {}
                ("sequence_number", _) => {
                    let first = member.u64().unwrap_or(0);
                    self.sequence.get_or_insert(first);
                }
                ("obfuscation", _) => edits.replace_string(member.range(), ""),
                ("logprobs", _) => edits.replace(member.range(), "[]"),
                ("response", Kind::Object) => {
                    let is_last = matches!(
                        kind,
                        "response.completed" | "response.incomplete" | "response.failed"
                    );
                    self.response(core, member, is_last, edits, out)?;
                    if is_last {
                        next = Next::End;
                    }
                }
                ("item", Kind::Object) => {
                    let is_done = kind == "response.output_item.done";
                    self.item(core, output, member, is_done, edits, out)?;
                }
                ("part", Kind::Object) => {
                    let is_done = kind.ends_with(".done");
                    self.part(core, (output, sub.1), member, is_done, edits, out)?;
                }
                ("annotation", _) => {
                    passes = core.passes(&format!("output[{output}].annotations"), member);
                }
                ("delta" | "partial_image_b64", Kind::String) if MEDIA_EVENTS.contains(&kind) => {}
                ("delta", Kind::String) if kind.ends_with(".delta") => {
                    let family = kind.strip_suffix(".delta").unwrap_or(kind);
                    let id = root
                        .get("item_id")
                        .and_then(Value::raw_str)
                        .unwrap_or_default();
                    passes = self.delta(core, &at(family), id, member, edits)?;
                }
                (key, Kind::String) if kind.ends_with(".done") && DONE_KEYS.contains(&key) => {
                    let family = kind.strip_suffix(".done").unwrap_or(kind);
                    self.copy(core, &at(family), member, true, edits, out)?;
                }
                _ => core.rest.collect(member),
            }
        }
        core.judge_rest()?;
        if passes {
            if let (Some(member), Some(number)) = (root.get("sequence_number"), &mut self.sequence)
            {
                edits.replace(member.range(), &number.to_string());
                *number += 1;
            }
            sse::write_name(out, kind);
            write(out, edits, data);
        }
        Ok(next)
    }

    /// Ends every text that is still open.
    fn settle(&mut self, core: &mut Core, out: &mut Vec<u8>) -> Result<(), Stop> {
        for part in &mut self.parts {
            if let Body::Text(channel) = &mut part.body {
                let outcome = channel.finish(core);
                part.send_ready(core, &mut self.sequence, out);
                outcome?;
            }
        }
        Ok(())
    }

    /// The whole response: its head at the start, with everything in it at the end.
    fn response(
        &mut self,
        core: &mut Core,
        response: Value<'_>,
        is_last: bool,
        edits: &mut Edits,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        if is_last {
            self.settle(core, out)?;
            let reason = response
                .get("incomplete_details")
                .and_then(|details| details.get("reason"))
                .or_else(|| response.get("status"))
                .and_then(Value::raw_str)
                .filter(|reason| is_plain_key(reason));
            core.finished(0, reason.unwrap_or("other"));
        }
        self.head.clear();
        for member in response.children() {
            let key = member.key();
            let echo = ECHOES.iter().find(|(name, _)| *name == key);
            match (key, member.kind()) {
                ("output", Kind::Array) => {
                    for (output, item) in (0..).zip(member.children()) {
                        self.item(core, output, item, is_last, edits, out)?;
                    }
                }
                ("error", Kind::Object) => edits.replace(
                    member.range(),
                    "{\"code\":\"server_error\",\"message\":\"the upstream failed while it answered\"}",
                ),
                ("usage", _) => {
                    learn_usage(core, member);
                    core.rest.collect(member);
                }
                // The shape that the client asked for.
                ("text", Kind::Object) => {
                    if !core.passes("text", member) {
                        edits.replace(member.range(), "null");
                    }
                }
                _ => match echo {
                    Some((_, instead)) => edits.replace(member.range(), instead),
                    None => core.rest.collect(member),
                },
            }
            if matches!(key, "id" | "created_at" | "model") {
                let fits =
                    member.kind() == Kind::Number || member.raw_str().is_some_and(is_identifier);
                if fits && key == "id" {
                    core.outcome.id = member.raw_str().map(str::to_owned);
                }
                if fits {
                    self.head.push_str(&format!("\"{key}\":{},", member.raw()));
                }
            }
        }
        Ok(())
    }

    /// An item of the output: with nothing in it at its start, with everything at its end.
    fn item(
        &mut self,
        core: &mut Core,
        output: u64,
        item: Value<'_>,
        is_done: bool,
        edits: &mut Edits,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        let kind = item
            .get("type")
            .and_then(Value::raw_str)
            .unwrap_or_default();
        self.learn_item(core, output, kind, item)?;
        let call = match kind {
            "function_call" => Some(("arguments", "response.function_call_arguments")),
            "mcp_call" => Some(("arguments", "response.mcp_call_arguments")),
            "custom_tool_call" => Some(("input", "response.custom_tool_call_input")),
            "code_interpreter_call" => Some(("code", "response.code_interpreter_call_code")),
            _ => None,
        };
        for member in item.children() {
            match (member.key(), member.kind()) {
                ("content" | "summary", Kind::Array) if matches!(kind, "message" | "reasoning") => {
                    for (sub, part) in (0..).zip(member.children()) {
                        self.part(core, (output, sub), part, is_done, edits, out)?;
                    }
                }
                (key, Kind::String) if call.is_some_and(|(field, _)| field == key) => {
                    let at = At {
                        family: call.map_or("", |(_, family)| family),
                        output,
                        sub: 0,
                        sub_key: "",
                    };
                    self.copy(core, &at, member, is_done, edits, out)?;
                }
                ("result", Kind::String) if kind == "image_generation_call" => {
                    if !core.setup.config.pass_unread_media {
                        return Err(Stop::Unread);
                    }
                }
                _ => core.rest.collect(member),
            }
        }
        Ok(())
    }

    fn learn_item(
        &mut self,
        core: &mut Core,
        output: u64,
        kind: &str,
        item: Value<'_>,
    ) -> Result<(), Stop> {
        if self.items.iter().any(|known| known.output == output) {
            return Ok(());
        }
        core.open()?;
        let text = |key| {
            let text = item.get(key).and_then(Value::raw_str);
            text.filter(|text| is_identifier(text))
                .unwrap_or_default()
                .to_owned()
        };
        self.items.push(Item {
            output,
            id: text("id"),
            is_message: kind == "message",
            name: text("name"),
        });
        Ok(())
    }

    /// A part of a message or of a thought.
    fn part(
        &mut self,
        core: &mut Core,
        (output, sub): (u64, u64),
        part: Value<'_>,
        is_done: bool,
        edits: &mut Edits,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        let kind = part
            .get("type")
            .and_then(Value::raw_str)
            .unwrap_or_default();
        let known = match kind {
            "output_text" => Some(("text", OUTPUT_TEXT, "content_index")),
            "refusal" => Some(("refusal", REFUSAL, "content_index")),
            "reasoning_text" => Some(("text", "response.reasoning_text", "content_index")),
            "summary_text" => Some(("text", "response.reasoning_summary_text", "summary_index")),
            _ => None,
        };
        for member in part.children() {
            match (known, member.key(), member.kind()) {
                (Some((field, family, sub_key)), key, Kind::String) if key == field => {
                    let at = At {
                        family,
                        output,
                        sub,
                        sub_key,
                    };
                    self.copy(core, &at, member, is_done, edits, out)?;
                }
                (Some(_), "logprobs", _) => edits.replace(member.range(), "[]"),
                (Some(_), "annotations", Kind::Array) => {
                    if !core.passes(&format!("output[{output}].annotations"), member) {
                        edits.replace(member.range(), "[]");
                    }
                }
                _ => core.rest.collect(member),
            }
        }
        Ok(())
    }

    /// Where the part at `at` is kept, made if it is new.
    fn find(&mut self, core: &mut Core, at: &At<'_>) -> Result<usize, Stop> {
        let known = self.parts.iter().position(|part| {
            part.family == at.family && part.output == at.output && part.sub == at.sub
        });
        if let Some(known) = known {
            return Ok(known);
        }
        let body = if CALLS.contains(&at.family) {
            core.open()?;
            Body::Call {
                text: String::new(),
                is_ended: false,
            }
        } else {
            let place = match at.sub_key {
                "" => format!("output[{}]", at.output),
                "summary_index" => format!("output[{}].summary[{}]", at.output, at.sub),
                _ => format!("output[{}].content[{}]", at.output, at.sub),
            };
            Body::Text(Box::new(core.channel(place)?.keeping()))
        };
        self.parts.push(Part {
            family: at.family.to_owned(),
            output: at.output,
            sub: at.sub,
            sub_key: at.sub_key,
            item_id: String::new(),
            body,
            is_streamed: false,
        });
        Ok(self.parts.len() - 1)
    }

    /// Takes a delta; says whether its event goes out now.
    fn delta(
        &mut self,
        core: &mut Core,
        at: &At<'_>,
        item_id: &str,
        value: Value<'_>,
        edits: &mut Edits,
    ) -> Result<bool, Stop> {
        let found = self.find(core, at)?;
        let Some(part) = self.parts.get_mut(found) else {
            return Ok(false);
        };
        if part.item_id.is_empty() && is_identifier(item_id) {
            part.item_id.push_str(item_id);
        }
        part.is_streamed = true;
        let piece = value.str().unwrap_or_default();
        match &mut part.body {
            Body::Text(channel) => {
                channel.push(core, &piece)?;
                let is_ready = channel.is_ready();
                channel.send(core, |_, ready| edits.replace_string(value.range(), ready));
                Ok(is_ready)
            }
            Body::Call { text, is_ended } => {
                if !*is_ended {
                    core.hold(text, &piece)?;
                }
                Ok(false)
            }
        }
    }

    /// A copy of a whole text or call: it is complete now, and the copy says what was released.
    fn copy(
        &mut self,
        core: &mut Core,
        at: &At<'_>,
        value: Value<'_>,
        is_done: bool,
        edits: &mut Edits,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        if !is_done {
            // Its deltas, or its end, are still to come.
            edits.replace(value.range(), "\"\"");
            return Ok(());
        }
        let found = self.find(core, at)?;
        let name = self.name(at.output);
        let Some(part) = self.parts.get_mut(found) else {
            return Ok(());
        };
        if !part.is_streamed {
            let whole = value.str().unwrap_or_default();
            match &mut part.body {
                Body::Text(channel) => channel.push(core, &whole)?,
                Body::Call { text, is_ended } => {
                    if text.is_empty() && !*is_ended {
                        core.hold(text, &whole)?;
                    }
                }
            }
        }
        part.finish(core, &name, &mut self.sequence, out)?;
        match &part.body {
            Body::Text(channel) => edits.replace_string(value.range(), channel.sent()),
            Body::Call { text, .. } => edits.replace_string(value.range(), text),
        }
        Ok(())
    }

    /// The tool that the item of that number calls.
    fn name(&self, output: u64) -> String {
        self.items
            .iter()
            .find(|item| item.output == output)
            .map(|item| item.name.clone())
            .unwrap_or_default()
    }

    fn next_number(&mut self) -> u64 {
        next(&mut self.sequence)
    }

    /// What was released of the messages so far, as items.
    fn released(&self, refusal: Option<&str>) -> String {
        let mut output = String::from("[");
        for item in self.items.iter().filter(|item| item.is_message) {
            if output.len() > 1 {
                output.push(',');
            }
            output.push_str("{\"type\":\"message\",\"id\":");
            quote(&mut output, &item.id);
            output.push_str(",\"role\":\"assistant\",\"status\":\"incomplete\",\"content\":[");
            let mut is_first = true;
            for part in self.parts.iter().filter(|part| part.output == item.output) {
                let (Body::Text(channel), start) = (
                    &part.body,
                    match part.family.as_str() {
                        OUTPUT_TEXT => "{\"type\":\"output_text\",\"annotations\":[],\"text\":",
                        REFUSAL => "{\"type\":\"refusal\",\"refusal\":",
                        _ => continue,
                    },
                ) else {
                    continue;
                };
                if !std::mem::take(&mut is_first) {
                    output.push(',');
                }
                output.push_str(start);
                quote(&mut output, channel.sent());
                output.push('}');
            }
            output.push_str("]}");
        }
        if let Some(refusal) = refusal {
            if output.len() > 1 {
                output.push(',');
            }
            output.push_str("{\"type\":\"message\",\"id\":\"msg_refusal\",\"role\":\"assistant\",\"status\":\"incomplete\",\"content\":[{\"type\":\"refusal\",\"refusal\":");
            quote(&mut output, refusal);
            output.push_str("}]}");
        }
        output.push(']');
        output
    }
}

impl Format for Responses {
    fn event(
        &mut self,
        core: &mut Core,
        name: &str,
        data: &str,
        out: &mut Vec<u8>,
    ) -> Result<Next, Stop> {
        if data.trim() == "[DONE]" {
            return Err(Stop::Truncated);
        }
        let mut tape = std::mem::take(&mut core.tape);
        let mut edits = std::mem::take(&mut core.edits);
        edits.clear();
        let outcome = match Tape::read(&mut tape, data) {
            Ok(root) => self.take(core, root, data, &mut edits, out),
            Err(_) if name == "error" => Err(Stop::Upstream),
            Err(_) => Err(Stop::Malformed("an event is no JSON")),
        };
        core.tape = tape;
        core.edits = edits;
        outcome
    }

    fn flush(&mut self, core: &mut Core, out: &mut Vec<u8>) -> Result<(), Stop> {
        for part in &mut self.parts {
            if let Body::Text(channel) = &mut part.body {
                let outcome = channel.flush(core);
                part.send_ready(core, &mut self.sequence, out);
                outcome?;
            }
        }
        Ok(())
    }

    fn is_waiting(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(&part.body, Body::Text(channel) if channel.is_waiting()))
    }

    fn finish(&mut self, _core: &mut Core, _out: &mut Vec<u8>) -> Result<(), Stop> {
        Err(Stop::Truncated)
    }

    fn close(&mut self, core: &mut Core, stop: Stop, out: &mut Vec<u8>) {
        for part in &mut self.parts {
            part.send_ready(core, &mut self.sequence, out);
        }
        if !stop.is_refusal() {
            let mut data =
                String::from("{\"type\":\"error\",\"code\":\"server_error\",\"message\":");
            quote(&mut data, stop.message());
            let number = self.next_number();
            data.push_str(&format!(",\"param\":null,\"sequence_number\":{number}}}"));
            sse::write(out, "error", &data);
            return;
        }
        let number = self.next_number();
        let head = if self.head.is_empty() {
            "\"id\":\"\",\"created_at\":0,\"model\":\"\","
        } else {
            &self.head
        };
        let output = self.released(core.setup.refusal.as_deref());
        let data = format!(
            "{{\"type\":\"response.incomplete\",\"sequence_number\":{number},\"response\":{{{head}\"object\":\"response\",\"status\":\"incomplete\",\"incomplete_details\":{{\"reason\":\"content_filter\"}},\"error\":null,\"output\":{output},\"parallel_tool_calls\":true,\"tool_choice\":\"auto\",\"tools\":[]}}}}"
        );
        sse::write(out, "response.incomplete", &data);
        core.finished(0, "content_filter");
    }
}

impl Part {
    /// Completes it, and sends what the client did not get yet.
    fn finish(
        &mut self,
        core: &mut Core,
        name: &str,
        sequence: &mut Option<u64>,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        let place = format!("output[{}]", self.output);
        match &mut self.body {
            Body::Text(channel) => {
                let outcome = channel.finish(core);
                self.send_ready(core, sequence, out);
                outcome
            }
            Body::Call { text, is_ended } => {
                if !std::mem::replace(is_ended, true) {
                    *text = call::judge(core, &place, name, text)?;
                    let text = std::mem::take(text);
                    if self.is_streamed && !text.is_empty() {
                        self.write_delta(&text, sequence, out);
                    }
                    if let Body::Call { text: kept, .. } = &mut self.body {
                        *kept = text;
                    }
                }
                Ok(())
            }
        }
    }

    fn send_ready(&mut self, core: &mut Core, sequence: &mut Option<u64>, out: &mut Vec<u8>) {
        let Body::Text(channel) = &mut self.body else {
            return;
        };
        if !channel.is_ready() {
            return;
        }
        let ready = channel.send(core, |_, ready| ready.to_owned());
        if self.is_streamed {
            self.write_delta(&ready, sequence, out);
        }
    }

    fn write_delta(&self, text: &str, sequence: &mut Option<u64>, out: &mut Vec<u8>) {
        let kind = format!("{}.delta", self.family);
        let number = next(sequence);
        let mut data = format!("{{\"type\":\"{kind}\",\"sequence_number\":{number},\"item_id\":");
        quote(&mut data, &self.item_id);
        data.push_str(&format!(",\"output_index\":{}", self.output));
        if !self.sub_key.is_empty() {
            data.push_str(&format!(",\"{}\":{}", self.sub_key, self.sub));
        }
        if self.family == OUTPUT_TEXT {
            data.push_str(",\"logprobs\":[]");
        }
        data.push_str(",\"delta\":");
        quote(&mut data, text);
        data.push('}');
        sse::write(out, &kind, &data);
    }
}

/// The number of the next event.
fn next(sequence: &mut Option<u64>) -> u64 {
    let number = sequence.get_or_insert(0);
    let this = *number;
    *number += 1;
    this
}

fn learn_usage(core: &mut Core, usage: Value<'_>) {
    let known = &mut core.outcome.usage;
    let number = |key: &str| usage.get(key).and_then(Value::u64);
    let detail = |object: &str, key: &str| usage.get(object)?.get(key)?.u64();
    known.input = number("input_tokens").or(known.input);
    known.output = number("output_tokens").or(known.output);
    known.cached = detail("input_tokens_details", "cached_tokens").or(known.cached);
    known.reasoning = detail("output_tokens_details", "reasoning_tokens").or(known.reasoning);
}
