//! Chunks of Chat Completions and of Completions.
//!
//! Source: the types of OpenAI's SDK (`ChatCompletionChunk`, `Completion`), version 3.54.

use super::{
    call,
    channel::Channel,
    core::{Core, Format, Next, Stop},
    json::{Edits, Kind as Json, Tape, Value, escape, quote},
    leaves::{is_identifier, is_plain_key},
};
use crate::wire::sse;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `choices[].delta`.
    Chat,
    /// `choices[].text`.
    Text,
}

/// A stream of chunks.
pub(super) struct Chat {
    kind: Kind,
    /// The members that every chunk repeats, from `{` to the last of them.
    head: String,
    /// The id in it.
    id: String,
    choices: Vec<Choice>,
}

#[derive(Default)]
struct Choice {
    index: u64,
    is_started: bool,
    is_ended: bool,
    texts: Vec<Text>,
    calls: Vec<Call>,
    /// Items of `logprobs.content` until the text is complete, and the tokens they spell.
    logprobs: String,
    tokens: String,
}

/// A member of `delta` that is a text, whatever its name.
struct Text {
    key: String,
    channel: Channel,
}

/// A call of a tool, held until it is complete.
#[derive(Default)]
struct Call {
    /// `None` for the one call of the old `function_call`.
    index: Option<u64>,
    id: String,
    /// `function`, or what the upstream says.
    kind: String,
    name: String,
    arguments: String,
    /// Other members as they were written, each with its key.
    others: String,
}

/// The members that every chunk repeats.
const HEAD: &[&str] = &[
    "id",
    "object",
    "created",
    "model",
    "system_fingerprint",
    "service_tier",
];

/// What the last chunk is about when nothing went wrong.
const DONE: &str = "[DONE]";

impl Chat {
    pub(super) const fn new(kind: Kind) -> Self {
        Self {
            kind,
            head: String::new(),
            id: String::new(),
            choices: Vec::new(),
        }
    }

    fn chunk(
        &mut self,
        core: &mut Core,
        root: Value<'_>,
        data: &str,
        edits: &mut Edits,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        if root.kind() != Json::Object {
            return Err(Stop::Malformed("an event is no object"));
        }
        if root.get("error").is_some_and(|error| !error.is_null()) {
            return Err(Stop::Upstream);
        }
        self.learn_head(root);
        let mut keep = false;
        let mut has_choices = false;
        for member in root.children() {
            match member.key() {
                "choices" if member.is_null() => {}
                "choices" => {
                    // Nothing else is looked at here, so nothing else may pass.
                    if member.kind() != Json::Array {
                        return Err(Stop::Malformed("choices are no list"));
                    }
                    for (position, choice) in (0..).zip(member.children()) {
                        has_choices = true;
                        keep |= self.choice(core, position, choice, edits, out)?;
                    }
                }
                "usage" => {
                    if !member.is_null() {
                        keep = true;
                        learn_usage(core, member);
                    }
                    core.rest.collect(member);
                }
                // Padding against guesses from lengths, which change here anyway.
                "obfuscation" => edits.replace_string(member.range(), ""),
                key if HEAD.contains(&key) => core.rest.collect(member),
                _ => {
                    keep |= !is_nothing(member);
                    core.rest.collect(member);
                }
            }
        }
        core.judge_rest()?;
        if keep || !has_choices {
            write(out, edits, data);
        }
        Ok(())
    }

    /// Keeps what every chunk repeats, for chunks of our own. Azure's first chunk has no id yet.
    fn learn_head(&mut self, root: Value<'_>) {
        let id = root.get("id").and_then(Value::raw_str).unwrap_or_default();
        if !self.head.is_empty() && (id.is_empty() || id == self.id) {
            return;
        }
        self.id.clear();
        self.id.push_str(id);
        self.head.clear();
        for key in HEAD {
            let Some(value) = root.get(key) else {
                continue;
            };
            let fits = match value.kind() {
                Json::Number | Json::Null => true,
                _ => value.raw_str().is_some_and(is_identifier),
            };
            if fits {
                self.head.push(if self.head.is_empty() { '{' } else { ',' });
                quote(&mut self.head, key);
                self.head.push(':');
                self.head.push_str(value.raw());
            }
        }
    }

    /// Takes a choice of a chunk; says whether the chunk is worth sending for it.
    fn choice(
        &mut self,
        core: &mut Core,
        position: u64,
        value: Value<'_>,
        edits: &mut Edits,
        out: &mut Vec<u8>,
    ) -> Result<bool, Stop> {
        if value.kind() != Json::Object {
            return Err(Stop::Malformed("a choice is no object"));
        }
        let index = match value.get("index") {
            Some(index) => index
                .u64()
                .ok_or(Stop::Malformed("a choice has no number"))?,
            None => position,
        };
        let kind = self.kind;
        let at = match self.choices.iter().position(|choice| choice.index == index) {
            Some(at) => at,
            None => {
                core.open()?;
                self.choices.push(Choice {
                    index,
                    ..Choice::default()
                });
                self.choices.len() - 1
            }
        };
        let Some(choice) = self.choices.get_mut(at) else {
            return Ok(false);
        };
        let finish = value
            .get("finish_reason")
            .filter(|reason| !reason.is_null());
        let mut keep = finish.is_some();
        for member in value.children() {
            match (kind, member.key()) {
                (_, "index" | "finish_reason") => core.rest.collect(member),
                (Kind::Chat, "delta") => keep |= choice.delta(core, member, edits)?,
                (Kind::Text, "text") => choice.text(core, member)?,
                (_, "logprobs") => choice.learn_logprobs(core, kind, member, edits)?,
                _ => {
                    keep |= !is_nothing(member);
                    core.rest.collect(member);
                }
            }
        }
        if let Some(finish) = finish {
            core.judge_rest()?;
            let envelope = Envelope {
                kind,
                head: &self.head,
            };
            choice.end(core, &envelope, out)?;
            let reason = finish.raw_str().filter(|reason| is_plain_key(reason));
            core.finished(index, reason.unwrap_or("other"));
        }
        for text in &mut choice.texts {
            if let Some(range) = text.place(kind, value) {
                keep |= text.channel.is_ready();
                text.channel
                    .send(core, |_, ready| edits.replace_string(range, ready));
            }
        }
        keep |= !choice.is_started;
        choice.is_started = true;
        Ok(keep)
    }

    fn send_ready(&mut self, core: &mut Core, out: &mut Vec<u8>) {
        let envelope = Envelope {
            kind: self.kind,
            head: &self.head,
        };
        for choice in &mut self.choices {
            choice.send_ready(core, &envelope, out);
        }
    }
}

impl Format for Chat {
    fn event(
        &mut self,
        core: &mut Core,
        name: &str,
        data: &str,
        out: &mut Vec<u8>,
    ) -> Result<Next, Stop> {
        if data.trim() == DONE {
            self.finish(core, out)?;
            return Ok(Next::End);
        }
        if name == "error" {
            return Err(Stop::Upstream);
        }
        let mut tape: Tape = std::mem::take(&mut core.tape);
        let mut edits = std::mem::take(&mut core.edits);
        edits.clear();
        let outcome = match tape.read(data) {
            Ok(root) => self.chunk(core, root, data, &mut edits, out),
            Err(_) => Err(Stop::Malformed("an event is no JSON")),
        };
        core.tape = tape;
        core.edits = edits;
        outcome.map(|()| Next::More)
    }

    fn flush(&mut self, core: &mut Core, out: &mut Vec<u8>) -> Result<(), Stop> {
        let mut texts = self.choices.iter_mut().flat_map(|choice| &mut choice.texts);
        let outcome = texts.try_for_each(|text| text.channel.flush(core));
        self.send_ready(core, out);
        outcome
    }

    fn is_waiting(&self) -> bool {
        let mut texts = self.choices.iter().flat_map(|choice| &choice.texts);
        texts.any(|text| text.channel.is_waiting())
    }

    fn finish(&mut self, _core: &mut Core, out: &mut Vec<u8>) -> Result<(), Stop> {
        let is_complete =
            !self.choices.is_empty() && self.choices.iter().all(|choice| choice.is_ended);
        if !is_complete {
            return Err(Stop::Truncated);
        }
        sse::write(out, "", DONE);
        Ok(())
    }

    fn close(&mut self, core: &mut Core, stop: Stop, out: &mut Vec<u8>) {
        self.send_ready(core, out);
        if stop.is_refusal() {
            if self.choices.is_empty() {
                self.choices.push(Choice::default());
            }
            let envelope = Envelope {
                kind: self.kind,
                head: &self.head,
            };
            let refusal = core.setup.refusal.clone();
            for choice in self.choices.iter().filter(|choice| !choice.is_ended) {
                if let Some(refusal) = &refusal {
                    envelope.text(out, choice.index, envelope.main_text(), refusal);
                }
                envelope.end(out, choice.index, "content_filter");
                core.finished(choice.index, "content_filter");
            }
        } else {
            let mut error = String::from("{\"error\":{\"message\":");
            quote(&mut error, stop.message());
            error.push_str(
                ",\"type\":\"server_error\",\"param\":null,\"code\":\"upstream_error\"}}",
            );
            sse::write(out, "", &error);
        }
        sse::write(out, "", DONE);
    }
}

impl Choice {
    fn name(&self, key: &str) -> String {
        let key = if is_plain_key(key) { key } else { "other" };
        format!("choices[{}].{key}", self.index)
    }

    /// Takes a delta; says whether anything in it has to be sent at once.
    fn delta(
        &mut self,
        core: &mut Core,
        delta: Value<'_>,
        edits: &mut Edits,
    ) -> Result<bool, Stop> {
        let mut keep = false;
        for member in delta.children() {
            match (member.key(), member.kind()) {
                (_, Json::Null | Json::Bool) => {}
                ("role", _) => core.rest.collect(member),
                ("tool_calls", Json::Array) => {
                    for (position, call) in (0..).zip(member.children()) {
                        self.call(core, position, call)?;
                    }
                    edits.replace(member.range(), "[]");
                }
                ("function_call", Json::Object) => {
                    let at = self.call_at(core, None)?;
                    self.call_part(core, at, member)?;
                    edits.replace(member.range(), "null");
                }
                ("audio", _) => {
                    if !core.setup.config.pass_unread_media {
                        return Err(Stop::Unread);
                    }
                    keep = true;
                    for part in member.children() {
                        match part.key() {
                            "data" => {}
                            _ => core.rest.collect(part),
                        }
                    }
                }
                (_, Json::String) => self.text(core, member)?,
                _ => {
                    keep |= !is_nothing(member);
                    core.rest.collect(member);
                }
            }
        }
        Ok(keep)
    }

    /// Takes a piece of the text that is called as its member is. What was released of it takes the
    /// place of the piece when the choice was read.
    fn text(&mut self, core: &mut Core, value: Value<'_>) -> Result<(), Stop> {
        let Some(piece) = value.str() else {
            core.rest.collect(value);
            return Ok(());
        };
        if piece.is_empty() {
            return Ok(());
        }
        let key = value.key();
        let at = match self.texts.iter().position(|text| text.key == key) {
            Some(at) => at,
            None => {
                let mut channel = core.channel(self.name(key))?;
                if core.setup.logprobs && key == "content" {
                    channel = channel.keeping();
                }
                if !is_plain_key(key) {
                    core.rest.collect(value);
                }
                self.texts.push(Text {
                    key: key.to_owned(),
                    channel,
                });
                self.texts.len() - 1
            }
        };
        if let Some(text) = self.texts.get_mut(at)
            && !self.is_ended
        {
            text.channel.push(core, &piece)?;
        }
        Ok(())
    }

    fn call_at(&mut self, core: &mut Core, index: Option<u64>) -> Result<usize, Stop> {
        if let Some(at) = self.calls.iter().position(|call| call.index == index) {
            return Ok(at);
        }
        core.open()?;
        self.calls.push(Call {
            index,
            ..Call::default()
        });
        Ok(self.calls.len() - 1)
    }

    fn call(&mut self, core: &mut Core, position: u64, value: Value<'_>) -> Result<(), Stop> {
        let index = value.get("index").and_then(Value::u64).unwrap_or(position);
        let at = self.call_at(core, Some(index))?;
        for member in value.children() {
            let Some(call) = self.calls.get_mut(at) else {
                continue;
            };
            match member.key() {
                "index" => {}
                "id" | "type" => {
                    core.rest.collect(member);
                    let field = if member.key() == "id" {
                        &mut call.id
                    } else {
                        &mut call.kind
                    };
                    if field.is_empty() {
                        core.hold(field, &member.str().unwrap_or_default())?;
                    }
                }
                "function" | "custom" => self.call_part(core, at, member)?,
                _ => {
                    core.rest.collect(member);
                    core.hold(&mut call.others, ",")?;
                    core.hold(&mut call.others, &member_text(member))?;
                }
            }
        }
        Ok(())
    }

    /// The name and the arguments of a call.
    fn call_part(&mut self, core: &mut Core, at: usize, value: Value<'_>) -> Result<(), Stop> {
        let Some(call) = self.calls.get_mut(at) else {
            return Ok(());
        };
        for member in value.children() {
            let text = member.str().unwrap_or_default();
            match member.key() {
                // Some upstreams repeat the whole name in every piece.
                "name" if call.name == text => {}
                "name" => core.hold(&mut call.name, &text)?,
                "arguments" | "input" => core.hold(&mut call.arguments, &text)?,
                _ => core.rest.collect(member),
            }
        }
        Ok(())
    }

    /// Probabilities repeat the text token by token, and show what else it could have been: they are
    /// taken out, and sent behind the text if the client may see them.
    fn learn_logprobs(
        &mut self,
        core: &mut Core,
        kind: Kind,
        value: Value<'_>,
        edits: &mut Edits,
    ) -> Result<(), Stop> {
        if value.is_null() {
            return Ok(());
        }
        edits.replace(value.range(), "null");
        if !core.setup.logprobs || kind == Kind::Text {
            return Ok(());
        }
        for item in value.get("content").iter().flat_map(|list| list.children()) {
            let token = item.get("token").and_then(Value::str).unwrap_or_default();
            self.tokens.push_str(&token);
            if !self.logprobs.is_empty() {
                self.logprobs.push(',');
            }
            core.hold(&mut self.logprobs, item.raw())?;
        }
        Ok(())
    }

    /// Sends the rest of the texts, the calls, and the probabilities.
    fn end(
        &mut self,
        core: &mut Core,
        envelope: &Envelope<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        if self.is_ended {
            return Ok(());
        }
        let mut texts = self.texts.iter_mut();
        let finished = texts.try_for_each(|text| text.channel.finish(core));
        self.send_ready(core, envelope, out);
        finished?;
        let calls = std::mem::take(&mut self.calls);
        for call in &calls {
            let name = match call.index {
                Some(index) => self.name("tool_calls") + &format!("[{index}]"),
                None => self.name("function_call"),
            };
            let arguments = call::judge(core, &name, &call.name, &call.arguments)?;
            envelope.call(out, self.index, call, &arguments);
        }
        self.send_logprobs(core, envelope, out);
        self.is_ended = true;
        Ok(())
    }

    /// Probabilities of a text that came out as the upstream sent it, if their tokens spell that
    /// text and their alternatives may pass.
    fn send_logprobs(&mut self, core: &mut Core, envelope: &Envelope<'_>, out: &mut Vec<u8>) {
        let items = std::mem::take(&mut self.logprobs);
        let tokens = std::mem::take(&mut self.tokens);
        let content = self.texts.iter().find(|text| text.key == "content");
        if items.is_empty() || content.is_none_or(|text| text.channel.sent() != tokens) {
            return;
        }
        let items = format!("[{items}]");
        let mut tape = Tape::default();
        let may_pass = tape
            .read(&items)
            .is_ok_and(|list| core.passes(&self.name("logprobs"), list));
        if may_pass {
            envelope.logprobs(out, self.index, &items);
        }
    }

    fn send_ready(&mut self, core: &mut Core, envelope: &Envelope<'_>, out: &mut Vec<u8>) {
        let index = self.index;
        for text in &mut self.texts {
            if text.channel.is_ready() {
                let key = &text.key;
                text.channel
                    .send(core, |_, ready| envelope.text(out, index, key, ready));
            }
        }
    }
}

impl Text {
    /// Where the text stands in `choice`, if it does.
    fn place(&self, kind: Kind, choice: Value<'_>) -> Option<std::ops::Range<usize>> {
        let holder = match kind {
            Kind::Chat => choice.get("delta")?,
            Kind::Text => choice,
        };
        let value = holder.get(&self.key)?;
        (value.kind() == Json::String).then(|| value.range())
    }
}

/// What surrounds a chunk of our own.
struct Envelope<'a> {
    kind: Kind,
    head: &'a str,
}

impl Envelope<'_> {
    const fn main_text(&self) -> &'static str {
        match self.kind {
            Kind::Chat => "content",
            Kind::Text => "text",
        }
    }

    /// Writes a chunk with one choice, whose members are `inner`.
    fn chunk(&self, out: &mut Vec<u8>, index: u64, inner: &str) {
        let mut data = String::with_capacity(self.head.len() + inner.len() + 40);
        if self.head.is_empty() {
            data.push_str(match self.kind {
                Kind::Chat => {
                    "{\"id\":\"\",\"object\":\"chat.completion.chunk\",\"created\":0,\"model\":\"\""
                }
                Kind::Text => {
                    "{\"id\":\"\",\"object\":\"text_completion\",\"created\":0,\"model\":\"\""
                }
            });
        } else {
            data.push_str(self.head);
        }
        data.push_str(",\"choices\":[{\"index\":");
        data.push_str(&index.to_string());
        data.push(',');
        data.push_str(inner);
        data.push_str("}]}");
        sse::write(out, "", &data);
    }

    fn text(&self, out: &mut Vec<u8>, index: u64, key: &str, text: &str) {
        let mut inner = String::with_capacity(text.len() + 64);
        match self.kind {
            Kind::Chat => {
                inner.push_str("\"delta\":{\"");
                inner.push_str(key);
                inner.push_str("\":");
                quote(&mut inner, text);
                inner.push_str("},\"finish_reason\":null");
            }
            Kind::Text => {
                inner.push_str("\"text\":");
                quote(&mut inner, text);
                inner.push_str(",\"logprobs\":null,\"finish_reason\":null");
            }
        }
        self.chunk(out, index, &inner);
    }

    fn call(&self, out: &mut Vec<u8>, index: u64, call: &Call, arguments: &str) {
        let mut inner = String::with_capacity(arguments.len() + 128);
        let is_custom = call.kind == "custom";
        match call.index {
            Some(number) => {
                inner.push_str("\"delta\":{\"tool_calls\":[{\"index\":");
                inner.push_str(&number.to_string());
                if !call.id.is_empty() {
                    inner.push_str(",\"id\":");
                    quote(&mut inner, &call.id);
                }
                inner.push_str(",\"type\":");
                let kind = if call.kind.is_empty() {
                    "function"
                } else {
                    &call.kind
                };
                quote(&mut inner, kind);
                inner.push_str(&call.others);
                inner.push_str(if is_custom {
                    ",\"custom\":{\"name\":"
                } else {
                    ",\"function\":{\"name\":"
                });
            }
            None => inner.push_str("\"delta\":{\"function_call\":{\"name\":"),
        }
        quote(&mut inner, &call.name);
        inner.push_str(if is_custom {
            ",\"input\":\""
        } else {
            ",\"arguments\":\""
        });
        escape(&mut inner, arguments);
        inner.push_str(if call.index.is_some() {
            "\"}}]},\"finish_reason\":null"
        } else {
            "\"}},\"finish_reason\":null"
        });
        self.chunk(out, index, &inner);
    }

    fn logprobs(&self, out: &mut Vec<u8>, index: u64, items: &str) {
        let inner = format!(
            "\"delta\":{{}},\"logprobs\":{{\"content\":{items},\"refusal\":null}},\"finish_reason\":null"
        );
        self.chunk(out, index, &inner);
    }

    fn end(&self, out: &mut Vec<u8>, index: u64, reason: &str) {
        let inner = match self.kind {
            Kind::Chat => format!("\"delta\":{{}},\"finish_reason\":\"{reason}\""),
            Kind::Text => {
                format!("\"text\":\"\",\"logprobs\":null,\"finish_reason\":\"{reason}\"")
            }
        };
        self.chunk(out, index, &inner);
    }
}

/// Whether a member says nothing that a client could miss.
fn is_nothing(value: Value<'_>) -> bool {
    match value.kind() {
        Json::Null => true,
        Json::Array | Json::Object => value.children().next().is_none(),
        Json::String => value.raw_str() == Some(""),
        Json::Bool | Json::Number => false,
    }
}

/// A member as it is written, with its key.
fn member_text(member: Value<'_>) -> String {
    format!("\"{}\":{}", member.key(), member.raw())
}

fn learn_usage(core: &mut Core, usage: Value<'_>) {
    let known = &mut core.outcome.usage;
    let number = |key: &str| usage.get(key).and_then(Value::u64);
    let detail = |object: &str, key: &str| usage.get(object)?.get(key)?.u64();
    known.input = number("prompt_tokens").or(known.input);
    known.output = number("completion_tokens").or(known.output);
    known.cached = detail("prompt_tokens_details", "cached_tokens").or(known.cached);
    known.reasoning = detail("completion_tokens_details", "reasoning_tokens").or(known.reasoning);
}

/// Writes an event without a name, its data edited. Bare line breaks in JSON are white space.
pub(super) fn write(out: &mut Vec<u8>, edits: &mut Edits, data: &str) {
    out.extend_from_slice(b"data: ");
    let start = out.len();
    edits.pieces(data, |piece| out.extend_from_slice(piece.as_bytes()));
    for byte in out.get_mut(start..).into_iter().flatten() {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    out.extend_from_slice(b"\n\n");
}
