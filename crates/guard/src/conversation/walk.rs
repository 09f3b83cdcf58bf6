//! From JSON to parts. One recursion visits every value; tables say what a key or a block type
//! means in its place.

use std::{fmt::Write as _, ops::Range, sync::Arc};

use bartizan_core::Origin;
use bartizan_text::OffsetMap;

use super::{
    ConversationError, Format, ParseLimits, Part, PartKind, Slot, blob, image,
    json::{self, Data, Text, Value},
    place::{
        BLOCKS, Block, Place, ROLES, ROOT_FIELDS, Shape, identifier_field, is_identifier,
        is_plain_key, lookup,
    },
    probabilities,
};

/// Takes a document of `format` apart.
pub(super) fn parts(
    root: &Value<'_>,
    format: Format,
    limits: &ParseLimits,
) -> Result<Vec<Part>, ConversationError> {
    let origin = match format {
        Format::Answer => Origin::Model,
        _ => Origin::User,
    };
    let mut walker = Walker::new(format, origin, limits);
    walker.root(root)?;
    Ok(walker.finish())
}

/// Takes one value apart that stands at `path`, in `place`.
pub(super) fn parts_at(
    value: &Value<'_>,
    path: &str,
    place: &Place,
    limits: &ParseLimits,
) -> Result<Vec<Part>, ConversationError> {
    let mut walker = Walker::new(Format::Mcp, place.origin, limits);
    path.clone_into(&mut walker.path);
    let key = path.rsplit('.').next().unwrap_or_default();
    walker.visit(value, key, place)?;
    Ok(walker.finish())
}

struct Walker<'l> {
    format: Format,
    /// Who wrote what no place says more about.
    origin: Origin,
    limits: &'l ParseLimits,
    parts: Vec<Part>,
    path: String,
    /// The maps of the strings whose JSON is being walked, innermost first.
    outer: Vec<Arc<OffsetMap>>,
    /// Where the outermost of these strings stands in the document.
    outermost: Range<usize>,
    groups: u32,
}

type Outcome = Result<(), ConversationError>;

impl<'l> Walker<'l> {
    const fn new(format: Format, origin: Origin, limits: &'l ParseLimits) -> Self {
        Self {
            format,
            origin,
            limits,
            parts: Vec::new(),
            path: String::new(),
            outer: Vec::new(),
            outermost: 0..0,
            groups: 0,
        }
    }

    /// The parts, each of which knows whether the next one goes on with its text.
    fn finish(self) -> Vec<Part> {
        let mut parts = self.parts;
        let joins: Vec<bool> = parts
            .windows(2)
            .map(|pair| matches!(pair, [left, right] if left.group != 0 && left.group == right.group))
            .collect();
        for (part, joined) in parts.iter_mut().zip(joins) {
            part.joined_with_next = joined;
        }
        parts
    }
}
impl Walker<'_> {
    fn root(&mut self, root: &Value<'_>) -> Outcome {
        let messages = Place::new(Origin::User, PartKind::Text, Shape::Messages);
        match self.format {
            Format::Generic => self.visit(
                root,
                "",
                &Place::new(Origin::User, PartKind::Text, Shape::Any),
            ),
            Format::Messages => {
                non_empty(root, "messages")?;
                self.visit(root, "", &messages)
            }
            // Anthropic's answer is itself a message.
            Format::Answer if root.has("role") && root.has("content") => {
                let answer = Place::new(Origin::Model, PartKind::Text, Shape::Messages);
                self.visit(root, "", &answer)
            }
            _ => self.members(root, |walker, key, value| {
                if key == "messages" {
                    non_empty(value, "messages")?;
                }
                let known = ROOT_FIELDS.iter().find(|(name, _)| *name == key);
                let other = Place::new(walker.origin, PartKind::Field, Shape::Any);
                walker.visit(value, key, known.map_or(&other, |(_, place)| place))
            }),
        }
    }

    fn visit(&mut self, value: &Value<'_>, key: &str, place: &Place) -> Outcome {
        match &value.data {
            Data::Null | Data::Bool(_) | Data::Numbers(_) => Ok(()),
            Data::Number(text) => self.number(text, place),
            Data::String(text) => self.string(text, key, place),
            Data::Array(items) => self.array(items, key, place),
            Data::Object(_) => match place.shape {
                Shape::Messages => self.message(value, place),
                Shape::Content => self.block(value, place),
                Shape::Calls | Shape::Choices => self.nested(value, place),
                Shape::Text | Shape::Arguments | Shape::Any => {
                    self.members(value, |walker, key, value| walker.visit(value, key, place))
                }
            },
        }
    }

    fn array(&mut self, items: &[Value<'_>], key: &str, place: &Place) -> Outcome {
        let mut place = place.clone();
        // Blocks of one list are read as one text; prompts of one list are not.
        if place.shape == Shape::Content && !matches!(key, "prompt" | "input") {
            self.groups += 1;
            place.group = self.groups;
        }
        for (index, item) in items.iter().enumerate() {
            self.inside(
                |path| {
                    let _ = write!(path, "[{index}]");
                },
                |walker| walker.visit(item, key, &place),
            )?;
        }
        Ok(())
    }

    /// Visits the members of an object, and its keys where they could say something.
    fn members(
        &mut self,
        object: &Value<'_>,
        mut visit: impl FnMut(&mut Self, &str, &Value<'_>) -> Outcome,
    ) -> Outcome {
        if !object.is_object() {
            let place = Place::new(self.origin, PartKind::Text, Shape::Any);
            return self.visit(object, "", &place);
        }
        for (index, (key, value)) in object.members().iter().enumerate() {
            let plain = is_plain_key(&key.value);
            let step = |path: &mut String| {
                if !plain {
                    let _ = write!(path, "[#{index}]");
                    return;
                }
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&key.value);
            };
            self.inside(step, |walker| {
                if !plain {
                    let place = Place::new(walker.origin, PartKind::Field, Shape::Any);
                    walker.push_text(key, &place, Slot::Key)?;
                }
                visit(walker, &key.value, value)
            })?;
        }
        Ok(())
    }

    fn inside(
        &mut self,
        step: impl FnOnce(&mut String),
        visit: impl FnOnce(&mut Self) -> Outcome,
    ) -> Outcome {
        let length = self.path.len();
        step(&mut self.path);
        let outcome = visit(self);
        self.path.truncate(length);
        outcome
    }

    /// A message, or an item of the Responses format.
    fn message(&mut self, message: &Value<'_>, place: &Place) -> Outcome {
        let is_block = message.str("type").is_some_and(|kind| kind != "message");
        let brings_tools = message
            .str("type")
            .is_some_and(|kind| matches!(lookup(BLOCKS, kind), Some(Block::Tools)));
        if is_block && (!message.has("role") || brings_tools) {
            return self.block(message, &place.shaped(Shape::Content));
        }
        let role = message.str("role");
        let known = role.and_then(|role| lookup(ROLES, role));
        // Whatever an answer says about itself, the model wrote it.
        let origin = match self.format {
            Format::Answer => Origin::Model,
            _ => known.unwrap_or(place.origin),
        };
        if let Some(role) = role
            && known.is_none()
        {
            self.push_marker(origin, unknown(role))?;
        }
        let kind = if origin == Origin::Tool {
            PartKind::ToolResult
        } else {
            PartKind::Text
        };
        let said = Place::new(origin, kind, Shape::Content);
        self.members(message, |walker, key, value| match key {
            "content" | "parts" | "text" | "refusal" | "reasoning" | "reasoning_content" => {
                walker.visit(value, key, &said)
            }
            "tool_calls" | "function_call" => {
                let calls = Place::new(Origin::Model, PartKind::Field, Shape::Calls);
                walker.visit(value, key, &calls)
            }
            _ => walker.visit(value, key, &said.field()),
        })
    }

    /// Calls and choices: the same place further down until a key says otherwise.
    fn nested(&mut self, object: &Value<'_>, place: &Place) -> Outcome {
        let model = |kind, shape| Place::new(Origin::Model, kind, shape);
        self.members(object, |walker, key, value| match (place.shape, key) {
            (Shape::Calls, "arguments" | "input") => walker.visit(
                value,
                key,
                &model(PartKind::ToolCallArguments, Shape::Arguments),
            ),
            (Shape::Choices, "message" | "delta") => {
                walker.visit(value, key, &model(PartKind::Text, Shape::Messages))
            }
            (Shape::Choices, "text") => {
                walker.visit(value, key, &model(PartKind::Text, Shape::Text))
            }
            (Shape::Choices, "logprobs") => walker.probabilities(value, Origin::Model),
            (Shape::Calls, "function" | "custom") => walker.visit(value, key, place),
            _ => walker.visit(value, key, &place.field()),
        })
    }

    fn block(&mut self, block: &Value<'_>, place: &Place) -> Outcome {
        let kind = match block.str("type") {
            Some(kind) => kind,
            None if block.str("text").is_some() => "text",
            None => "untyped",
        };
        let Some(known) = lookup(BLOCKS, kind) else {
            let kind = unknown(kind);
            self.push_marker(place.origin, kind.clone())?;
            let inner = Place::new(place.origin, kind, Shape::Any);
            return self.members(block, |walker, key, value| walker.visit(value, key, &inner));
        };
        // In an answer everything but a result is the model's, a result is a tool's.
        let (origin, kind, shape, said): (Origin, PartKind, Shape, &[&str]) = match known {
            Block::Text => (
                place.origin,
                place.kind.clone(),
                Shape::Text,
                &["text", "refusal"],
            ),
            Block::Thought => (
                Origin::Model,
                PartKind::Text,
                Shape::Content,
                &["thinking", "text", "summary", "content"],
            ),
            Block::Call => (
                Origin::Model,
                PartKind::ToolCallArguments,
                Shape::Arguments,
                &["input", "arguments", "action", "operation", "code"],
            ),
            Block::Result => (
                Origin::Tool,
                PartKind::ToolResult,
                Shape::Content,
                &["content", "output", "results", "action", "queries"],
            ),
            Block::Image => return self.file(block, place.origin, &PartKind::Image),
            Block::Audio => return self.file(block, place.origin, &PartKind::Audio),
            Block::File => return self.file(block, place.origin, &PartKind::File),
            Block::Document => return self.file(block, Origin::Retrieved, &PartKind::Document),
            Block::Tools => {
                let tools = Place::new(Origin::Tool, PartKind::ToolDescription, Shape::Any);
                return self.members(block, |walker, key, value| walker.visit(value, key, &tools));
            }
            Block::Other => {
                let field = Place::new(place.origin, PartKind::Field, Shape::Any);
                return self.members(block, |walker, key, value| walker.visit(value, key, &field));
            }
        };
        let group = if shape == Shape::Text { place.group } else { 0 };
        let said_place = Place {
            origin,
            kind,
            shape,
            group,
        };
        let field = Place::new(origin, PartKind::Field, Shape::Any);
        let is_text = matches!(known, Block::Text);
        self.members(block, |walker, key, value| {
            if is_text && key == "logprobs" {
                return walker.probabilities(value, origin);
            }
            // What was said and is not shown, sealed for its maker.
            if matches!(known, Block::Thought) && key == "data" {
                return walker.visit(value, "encrypted_content", &field);
            }
            let is_result_entry =
                matches!(known, Block::Result) && !matches!(value.data, Data::String(_));
            if said.contains(&key) {
                // What a tool returns as an object of its own is data, not blocks.
                let shape = match &value.data {
                    Data::Object(inner)
                        if is_result_entry && !inner.iter().any(|(key, _)| key.value == "type") =>
                    {
                        Shape::Any
                    }
                    Data::Array(items)
                        if is_result_entry && !items.iter().all(|item| item.has("type")) =>
                    {
                        Shape::Any
                    }
                    _ => said_place.shape,
                };
                walker.visit(value, key, &said_place.shaped(shape))
            } else {
                walker.visit(value, key, &field)
            }
        })
    }

    fn file(&mut self, block: &Value<'_>, origin: Origin, kind: &PartKind) -> Outcome {
        let inner = Place::new(origin, kind.clone(), Shape::Any);
        let blocks = Place::new(origin, kind.clone(), Shape::Content);
        self.push_marker(origin, kind.clone())?;
        self.members(block, |walker, key, value| match (key, &value.data) {
            ("content", Data::Array(_)) => walker.visit(value, key, &blocks),
            ("source", Data::Object(members)) => {
                let is_blocks = members.iter().any(|(key, value)| {
                    key.value == "content" && matches!(value.data, Data::Array(_))
                });
                let place = if is_blocks { &blocks } else { &inner };
                // Text that says it is text is never a file in base64.
                let is_text = value.str("type") == Some("text");
                walker.members(value, |walker, key, value| match key {
                    "content" => walker.visit(value, key, place),
                    "data" if is_text => walker.visit(value, key, &inner.shaped(Shape::Text)),
                    _ => walker.visit(value, key, &inner),
                })
            }
            _ => walker.visit(value, key, &inner),
        })
    }

    fn string(&mut self, text: &Text<'_>, key: &str, place: &Place) -> Outcome {
        if self.is_structural(key, &text.value, place) {
            return Ok(());
        }
        match place.kind {
            _ if place.shape == Shape::Text => self.push_text(text, place, Slot::String),
            PartKind::Image | PartKind::Audio | PartKind::File | PartKind::Document => {
                self.embedded(text, key, place)
            }
            PartKind::ToolCallArguments | PartKind::ToolResult => self.maybe_json(text, place),
            _ => self.push_text(text, place, Slot::String),
        }
    }

    fn is_structural(&self, key: &str, text: &str, place: &Place) -> bool {
        let said = matches!(
            place.shape,
            Shape::Content | Shape::Text | Shape::Messages | Shape::Arguments
        );
        // A model that calls a tool may put anything into its name.
        let by_model = self.format == Format::Answer && key == "name";
        !said
            && !by_model
            && self.format != Format::Generic
            && identifier_field(key).is_some_and(|longest| text.len() <= longest)
            && is_identifier(text)
    }

    /// Numbers that are long enough to be a card or an account.
    fn number(&mut self, text: &Text<'_>, place: &Place) -> Outcome {
        if json::is_long_number(&text.value) {
            self.push_text(text, place, Slot::Number)?;
        }
        Ok(())
    }

    /// Probabilities of tokens repeat the text token by token, so they are read joined.
    fn probabilities(&mut self, value: &Value<'_>, origin: Origin) -> Outcome {
        for text in probabilities::texts(value) {
            let part = Part::new(&*self.path, origin, PartKind::Field, text);
            self.push(Part {
                slot: Slot::Probabilities,
                ..part
            })?;
        }
        Ok(())
    }

    /// JSON inside a string is walked, since its escapes would hide what it says.
    fn maybe_json(&mut self, text: &Text<'_>, place: &Place) -> Outcome {
        let looks = text.value.trim_start().starts_with(['{', '[']);
        if !looks || self.outer.len() >= self.limits.max_nested_json {
            return self.push_text(text, place, Slot::String);
        }
        let Ok(inner) = json::read(text.value.as_bytes(), self.limits) else {
            return self.push_text(text, place, Slot::String);
        };
        if self.outer.is_empty() {
            self.outermost = text.start..text.end;
        }
        self.outer.insert(0, Arc::new(text.map()));
        let outcome = self.visit(&inner, "", &place.shaped(Shape::Arguments));
        self.outer.remove(0);
        outcome
    }

    fn embedded(&mut self, text: &Text<'_>, key: &str, place: &Place) -> Outcome {
        let payload = match blob::data_url(&text.value) {
            Some((_, payload)) => payload,
            None if matches!(key, "data" | "file_data" | "image" | "result" | "blob")
                && blob::is_base64(&text.value) =>
            {
                &text.value
            }
            None => return self.push_text(text, place, Slot::String),
        };
        let Some(bytes) = blob::decode(payload, self.limits.max_blob_bytes) else {
            return self.push_text(text, place, Slot::String);
        };
        let picture = image::texts(&bytes);
        let mut texts = picture.texts;
        let is_text = !bytes.contains(&0) && std::str::from_utf8(&bytes).is_ok();
        if texts.is_empty() && is_text {
            texts.extend(String::from_utf8(bytes));
        }
        for (index, text) in texts.into_iter().enumerate() {
            let path = format!("{}#text[{index}]", self.path);
            self.push(Part::new(path, place.origin, PartKind::Metadata, text))?;
        }
        if picture.unread {
            self.push_marker(place.origin, unknown("unread-picture-text"))?;
        }
        Ok(())
    }

    fn push_text(&mut self, text: &Text<'_>, place: &Place, slot: Slot) -> Outcome {
        let mut maps = Vec::with_capacity(1 + self.outer.len());
        maps.push(Arc::new(text.map()));
        maps.extend(self.outer.iter().cloned());
        let outermost = if self.outer.is_empty() {
            text.start..text.end
        } else {
            self.outermost.clone()
        };
        self.push(Part {
            path: self.path.clone(),
            origin: place.origin,
            kind: place.kind.clone(),
            text: text.value.as_ref().to_owned(),
            joined_with_next: false,
            slot,
            outermost: (outermost.start, outermost.end),
            maps,
            group: place.group,
        })
    }

    fn push_marker(&mut self, origin: Origin, kind: PartKind) -> Outcome {
        self.push(Part::new(&*self.path, origin, kind, String::new()))
    }

    fn push(&mut self, part: Part) -> Outcome {
        if self.parts.len() >= self.limits.max_parts {
            return Err(ConversationError::TooManyParts {
                limit: self.limits.max_parts,
            });
        }
        self.parts.push(part);
        Ok(())
    }
}

fn non_empty(value: &Value<'_>, path: &'static str) -> Outcome {
    let found = match &value.data {
        Data::Array(items) if items.is_empty() => return Err(ConversationError::Empty { path }),
        Data::Numbers(_) => "a list of numbers",
        Data::Array(items) => {
            let wrong = items.iter().position(|item| !item.is_object());
            return wrong.map_or(Ok(()), |index| {
                Err(ConversationError::WrongType {
                    path: format!("{path}[{index}]"),
                    found: "no object",
                    expected: "a message such as {\"role\": \"user\", \"content\": \"...\"}",
                })
            });
        }
        Data::Object(_) => return Ok(()),
        Data::Null => "null",
        Data::Bool(_) => "a truth value",
        Data::Number(_) => "a number",
        Data::String(_) => "a text",
    };
    Err(ConversationError::WrongType {
        path: path.to_owned(),
        found,
        expected: "a list of messages",
    })
}

fn unknown(name: &str) -> PartKind {
    PartKind::Unknown(if is_plain_key(name) { name } else { "other" }.to_owned())
}
