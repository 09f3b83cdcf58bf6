//! Events of Anthropic's Messages.
//!
//! Source: the types of Anthropic's SDK (`RawMessageStreamEvent`), version 2.12.

use super::{
    call,
    channel::Channel,
    chat::write,
    core::{Core, Format, Next, Stop},
    json::{Edits, Kind, Tape, Value, quote},
    leaves::{is_base64, is_plain_key},
};
use crate::wire::sse;

/// A stream of events.
#[derive(Default)]
pub(super) struct Messages {
    blocks: Vec<Block>,
    is_started: bool,
    /// Whether the upstream said why it ended.
    has_reason: bool,
    error: Option<&'static str>,
}

struct Block {
    index: u64,
    body: Body,
    is_ended: bool,
}

enum Body {
    Text(Channel),
    /// Signed by the upstream: it passes as it is or not at all.
    Thinking(Channel),
    /// Held until it is complete.
    Call {
        /// The event that starts it.
        start: String,
        name: String,
        input: String,
    },
    Other,
}

/// Kinds of errors that a client may act on.
const ERRORS: &[&str] = &[
    "api_error",
    "overloaded_error",
    "rate_limit_error",
    "timeout_error",
];

impl Messages {
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
            .filter(|kind| is_plain_key(kind))
            .ok_or(Stop::Malformed("an event has no type"))?;
        let mut passes = true;
        let mut next = Next::More;
        match kind {
            "error" => {
                let error = root
                    .get("error")
                    .and_then(|error| error.get("type")?.raw_str());
                self.error = ERRORS.iter().copied().find(|known| Some(*known) == error);
                return Err(Stop::Upstream);
            }
            "message_start" => self.start(core, root),
            "content_block_start" => passes = self.start_block(core, root, data, edits)?,
            "content_block_delta" => passes = self.delta(core, root, edits, out)?,
            "content_block_stop" => {
                core.rest.collect(root);
                self.stop_block(core, index(root)?, out)?;
            }
            "message_delta" => {
                self.close_blocks(core, out)?;
                let reason = root.get("delta").and_then(|delta| delta.get("stop_reason"));
                if let Some(reason) = reason.and_then(Value::raw_str) {
                    self.has_reason = true;
                    let reason = if is_plain_key(reason) {
                        reason
                    } else {
                        "other"
                    };
                    core.finished(0, reason);
                }
                if let Some(usage) = root.get("usage") {
                    learn_usage(core, usage);
                }
                core.rest.collect(root);
            }
            "message_stop" => {
                self.close_blocks(core, out)?;
                core.rest.collect(root);
                next = Next::End;
            }
            _ => core.rest.collect(root),
        }
        core.judge_rest()?;
        if passes {
            sse::write_name(out, kind);
            write(out, edits, data);
        }
        Ok(next)
    }

    fn start(&mut self, core: &mut Core, root: Value<'_>) {
        self.is_started = true;
        if let Some(usage) = root.get("message").and_then(|message| message.get("usage")) {
            learn_usage(core, usage);
        }
        core.rest.collect(root);
    }

    /// Says whether the event goes out now.
    fn start_block(
        &mut self,
        core: &mut Core,
        root: Value<'_>,
        data: &str,
        edits: &mut Edits,
    ) -> Result<bool, Stop> {
        let index = index(root)?;
        if self.blocks.iter().any(|block| block.index == index) {
            return Err(Stop::Malformed("a content block starts twice"));
        }
        let block = root
            .get("content_block")
            .ok_or(Stop::Malformed("a content block is missing"))?;
        let kind = block
            .get("type")
            .and_then(Value::raw_str)
            .unwrap_or_default();
        let name = format!("content[{index}]");
        let (body, key) = match kind {
            "text" => (Body::Text(core.channel(name)?), "text"),
            "thinking" => (Body::Thinking(core.channel(name)?.signed()), "thinking"),
            "tool_use" | "server_tool_use" | "mcp_tool_use" => {
                core.open()?;
                let text = |key| block.get(key).and_then(Value::str).unwrap_or_default();
                let call = Body::Call {
                    start: String::new(),
                    name: text("name").into_owned(),
                    input: String::new(),
                };
                (call, "input")
            }
            _ => {
                core.open()?;
                (Body::Other, "")
            }
        };
        let mut new = Block {
            index,
            body,
            is_ended: false,
        };
        for member in root
            .children()
            .filter(|member| member.key() != "content_block")
        {
            core.rest.collect(member);
        }
        for member in block.children() {
            match (&mut new.body, member.key()) {
                (Body::Text(channel) | Body::Thinking(channel), member_key)
                    if member_key == key && member.kind() == Kind::String =>
                {
                    edits.replace(member.range(), "\"\"");
                    channel.push(core, &member.str().unwrap_or_default())?;
                }
                (Body::Call { input, .. }, "input") => {
                    if member.children().next().is_some() || member.kind() == Kind::String {
                        core.hold(input, member.raw())?;
                    }
                    edits.replace(member.range(), "{}");
                }
                (Body::Other, "data")
                    if kind == "redacted_thinking" && member.raw_str().is_some_and(is_base64) => {}
                _ => core.rest.collect(member),
            }
        }
        let is_call = if let Body::Call { start, .. } = &mut new.body {
            core.hold(start, &edits.apply(data))?;
            true
        } else {
            false
        };
        self.blocks.push(new);
        Ok(!is_call)
    }

    /// Says whether the event goes out now.
    fn delta(
        &mut self,
        core: &mut Core,
        root: Value<'_>,
        edits: &mut Edits,
        out: &mut Vec<u8>,
    ) -> Result<bool, Stop> {
        let index = index(root)?;
        let delta = root
            .get("delta")
            .ok_or(Stop::Malformed("a delta is missing"))?;
        let kind = delta
            .get("type")
            .and_then(Value::raw_str)
            .unwrap_or_default();
        let block = self
            .blocks
            .iter_mut()
            .find(|block| block.index == index && !block.is_ended)
            .ok_or(Stop::Malformed("a delta has no content block"))?;
        let (key, is_known) = match (kind, &block.body) {
            ("text_delta", Body::Text(_)) => ("text", true),
            ("thinking_delta", Body::Thinking(_)) => ("thinking", true),
            ("input_json_delta", Body::Call { .. }) => ("partial_json", true),
            ("text_delta" | "thinking_delta" | "input_json_delta", _) => {
                return Err(Stop::Malformed("a delta does not fit its content block"));
            }
            _ => ("", false),
        };
        for member in root.children().filter(|member| member.key() != "delta") {
            core.rest.collect(member);
        }
        if kind == "citations_delta" {
            return Ok(core.passes(&format!("content[{index}].citations"), delta));
        }
        let mut passes = !is_known;
        for member in delta.children() {
            if !is_known || member.key() != key {
                core.rest.collect(member);
                continue;
            }
            let piece = member.str().unwrap_or_default();
            match &mut block.body {
                Body::Text(channel) | Body::Thinking(channel) => {
                    channel.push(core, &piece)?;
                    if channel.is_ready() {
                        passes = true;
                        channel.send(core, |_, ready| {
                            edits.replace_string(member.range(), ready);
                        });
                    }
                }
                Body::Call { input, .. } => core.hold(input, &piece)?,
                Body::Other => {}
            }
        }
        if kind == "signature_delta" {
            // Clients take the thought for complete when its signature comes.
            block.finish_text(core, out)?;
        }
        Ok(passes)
    }

    /// Writes everything that comes before the end of a block.
    fn stop_block(&mut self, core: &mut Core, index: u64, out: &mut Vec<u8>) -> Result<(), Stop> {
        let block = self
            .blocks
            .iter_mut()
            .find(|block| block.index == index && !block.is_ended)
            .ok_or(Stop::Malformed(
                "the end of a content block without a start",
            ))?;
        block.finish_text(core, out)?;
        block.finish_call(core, out)?;
        block.is_ended = true;
        Ok(())
    }

    /// Ends blocks that the upstream left open.
    fn close_blocks(&mut self, core: &mut Core, out: &mut Vec<u8>) -> Result<(), Stop> {
        for block in self.blocks.iter_mut().filter(|block| !block.is_ended) {
            block.finish_text(core, out)?;
            block.finish_call(core, out)?;
            block.is_ended = true;
            write_stop(out, block.index);
        }
        Ok(())
    }
}

impl Format for Messages {
    fn event(
        &mut self,
        core: &mut Core,
        name: &str,
        data: &str,
        out: &mut Vec<u8>,
    ) -> Result<Next, Stop> {
        if data.trim() == "[DONE]" {
            self.finish(core, out)?;
            return Ok(Next::End);
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
        for block in &mut self.blocks {
            if let Body::Text(channel) | Body::Thinking(channel) = &mut block.body {
                let outcome = channel.flush(core);
                block.send_ready(core, out);
                outcome?;
            }
        }
        Ok(())
    }

    fn is_waiting(&self) -> bool {
        self.blocks.iter().any(|block| match &block.body {
            Body::Text(channel) | Body::Thinking(channel) => channel.is_waiting(),
            Body::Call { .. } | Body::Other => false,
        })
    }

    fn finish(&mut self, _core: &mut Core, out: &mut Vec<u8>) -> Result<(), Stop> {
        if !self.has_reason {
            return Err(Stop::Truncated);
        }
        sse::write(out, "message_stop", "{\"type\":\"message_stop\"}");
        Ok(())
    }

    fn close(&mut self, core: &mut Core, stop: Stop, out: &mut Vec<u8>) {
        for block in &mut self.blocks {
            block.send_ready(core, out);
        }
        if !stop.is_refusal() {
            let mut data = String::from("{\"type\":\"error\",\"error\":{\"type\":\"");
            data.push_str(self.error.unwrap_or("api_error"));
            data.push_str("\",\"message\":");
            quote(&mut data, stop.message());
            data.push_str("}}");
            sse::write(out, "error", &data);
            return;
        }
        if !self.is_started {
            sse::write(
                out,
                "message_start",
                "{\"type\":\"message_start\",\"message\":{\"id\":\"\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[],\"model\":\"\",\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":0,\"output_tokens\":0}}}",
            );
        }
        let mut refusal = core.setup.refusal.clone();
        for block in self.blocks.iter().filter(|block| !block.is_ended) {
            match &block.body {
                // Its start was held.
                Body::Call { .. } => continue,
                Body::Text(_) => {
                    if let Some(refusal) = refusal.take() {
                        write_delta(out, block.index, "text_delta", "text", &refusal);
                    }
                }
                Body::Thinking(_) | Body::Other => {}
            }
            write_stop(out, block.index);
        }
        if let Some(refusal) = refusal {
            // A call that was held was not heard of: its number is free.
            let heard = self
                .blocks
                .iter()
                .filter(|block| block.is_ended || !matches!(block.body, Body::Call { .. }));
            let index = heard.map(|block| block.index + 1).max().unwrap_or(0);
            let start = format!(
                "{{\"type\":\"content_block_start\",\"index\":{index},\"content_block\":{{\"type\":\"text\",\"text\":\"\"}}}}"
            );
            sse::write(out, "content_block_start", &start);
            write_delta(out, index, "text_delta", "text", &refusal);
            write_stop(out, index);
        }
        let tokens = core.outcome.usage.output.unwrap_or(0);
        let end = format!(
            "{{\"type\":\"message_delta\",\"delta\":{{\"stop_reason\":\"refusal\",\"stop_sequence\":null}},\"usage\":{{\"output_tokens\":{tokens}}}}}"
        );
        sse::write(out, "message_delta", &end);
        sse::write(out, "message_stop", "{\"type\":\"message_stop\"}");
        core.finished(0, "refusal");
    }
}

impl Block {
    fn finish_text(&mut self, core: &mut Core, out: &mut Vec<u8>) -> Result<(), Stop> {
        let (Body::Text(channel) | Body::Thinking(channel)) = &mut self.body else {
            return Ok(());
        };
        let outcome = channel.finish(core);
        self.send_ready(core, out);
        outcome
    }

    fn send_ready(&mut self, core: &mut Core, out: &mut Vec<u8>) {
        let index = self.index;
        let (channel, kind, key) = match &mut self.body {
            Body::Text(channel) => (channel, "text_delta", "text"),
            Body::Thinking(channel) => (channel, "thinking_delta", "thinking"),
            Body::Call { .. } | Body::Other => return,
        };
        if channel.is_ready() {
            channel.send(core, |_, ready| write_delta(out, index, kind, key, ready));
        }
    }

    fn finish_call(&mut self, core: &mut Core, out: &mut Vec<u8>) -> Result<(), Stop> {
        let Body::Call { start, name, input } = &self.body else {
            return Ok(());
        };
        let channel = format!("content[{}].input", self.index);
        let input = call::judge(core, &channel, name, input)?;
        sse::write(out, "content_block_start", start);
        if !input.is_empty() {
            write_delta(out, self.index, "input_json_delta", "partial_json", &input);
        }
        Ok(())
    }
}

fn index(root: Value<'_>) -> Result<u64, Stop> {
    root.get("index")
        .and_then(Value::u64)
        .ok_or(Stop::Malformed("a content block has no number"))
}

fn write_delta(out: &mut Vec<u8>, index: u64, kind: &str, key: &str, text: &str) {
    let mut data = format!(
        "{{\"type\":\"content_block_delta\",\"index\":{index},\"delta\":{{\"type\":\"{kind}\",\"{key}\":"
    );
    quote(&mut data, text);
    data.push_str("}}");
    sse::write(out, "content_block_delta", &data);
}

fn write_stop(out: &mut Vec<u8>, index: u64) {
    let data = format!("{{\"type\":\"content_block_stop\",\"index\":{index}}}");
    sse::write(out, "content_block_stop", &data);
}

fn learn_usage(core: &mut Core, usage: Value<'_>) {
    let known = &mut core.outcome.usage;
    let number = |key: &str| usage.get(key).and_then(Value::u64);
    known.input = number("input_tokens").or(known.input);
    known.output = number("output_tokens").or(known.output);
    known.cached = number("cache_read_input_tokens").or(known.cached);
}
