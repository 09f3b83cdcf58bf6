use std::ops::Range;

use bartizan_core::{Finding, Origin, Span};
use bartizan_guard::{
    Judgement,
    conversation::{Conversation, Document, ParseLimits, Part, PartKind, Slot, Value},
    prompt::Envelope,
    redact::Redactor,
};
use bytes::Bytes;
use serde_json::json;

use super::elements::{Element, Elements, cuts};
use crate::endpoint::Endpoint;

/// Changes to the raw bytes of a body; what is not changed stays as it came, byte for byte.
///
/// Nothing happens before [`Edits::apply`]. Prints how many there are, never what they say.
pub struct Edits<'a> {
    pub(super) endpoint: Endpoint,
    pub(super) body: &'a Bytes,
    pub(super) conversation: &'a Conversation,
    elements: &'a Elements,
    splices: Vec<Splice>,
    /// New values of members at the top, `None` to remove.
    members: Vec<(String, Option<String>)>,
    renamed: bool,
}

/// Why a body cannot be changed as asked; whoever asked refuses it then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The text stands in the document only encoded, or the finding has no place in it.
    #[error("what is to be replaced in `{path}` has no place in the document")]
    Unmapped {
        /// The path of the part.
        path: String,
    },
    /// A judgement about another conversation, or a place outside.
    #[error("there is no such place in the document")]
    NoSuchPlace,
    /// Two changes of the same bytes.
    #[error("two changes touch the same bytes")]
    Overlap,
    /// The changed body would not be read alike by all.
    #[error("the changed document is not valid")]
    Invalid,
    /// The word of the envelope stands in the body.
    #[error("the envelope's word stands in the document")]
    NonceInBody,
    /// The message that has to go is the one that asks for an answer.
    #[error("the last message cannot be dropped")]
    LastMessage,
    /// Text that was signed and would no longer match its signature.
    #[error("`{path}` is signed and cannot be changed")]
    Signed {
        /// The path of the part.
        path: String,
    },
}

#[derive(Clone)]
struct Splice {
    range: Range<usize>,
    text: String,
    /// A removal swallows changes inside of it.
    swallows: bool,
}

impl<'a> Edits<'a> {
    pub(super) const fn new(
        endpoint: Endpoint,
        body: &'a Bytes,
        conversation: &'a Conversation,
        elements: &'a Elements,
    ) -> Self {
        Self {
            endpoint,
            body,
            conversation,
            elements,
            splices: Vec::new(),
            members: Vec::new(),
            renamed: false,
        }
    }

    /// Whether nothing is to change.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.splices.is_empty() && self.members.is_empty()
    }

    /// Whether the body as it came has that member at its top.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.elements.find(name).is_some()
    }

    /// Sets a member at the top of the body.
    pub fn set(&mut self, name: &str, value: &serde_json::Value) {
        self.member(name, Some(value.to_string()));
    }

    /// Removes a member at the top of the body.
    pub fn remove(&mut self, name: &str) {
        if self.elements.find(name).is_some() {
            self.member(name, None);
        }
    }

    /// Sets members of `parent`, which is a member at the top.
    ///
    /// # Errors
    /// When `parent` is neither an object nor null.
    pub fn set_in(
        &mut self,
        parent: &str,
        values: &[(&str, serde_json::Value)],
    ) -> Result<(), EditError> {
        let fresh = || {
            values
                .iter()
                .cloned()
                .map(|(name, value)| (name.to_owned(), value))
        };
        let Some(element) = self.elements.find(parent) else {
            self.set(parent, &serde_json::Value::Object(fresh().collect()));
            return Ok(());
        };
        let place = element.value.clone();
        let document = Document::read(self.bytes(&place), &ParseLimits::default())
            .map_err(|_| EditError::Invalid)?;
        let object = document.root();
        if object.is_null() {
            self.set(parent, &serde_json::Value::Object(fresh().collect()));
            return Ok(());
        }
        if !object.is_object() {
            return Err(EditError::Invalid);
        }
        let mut new = Vec::new();
        for (name, value) in values {
            match object.get(name) {
                Some(old) => {
                    let old = old.range();
                    self.splice(
                        place.start + old.start..place.start + old.end,
                        value.to_string(),
                    );
                }
                None => new.push(format!("{}:{value}", json!(name))),
            }
        }
        if !new.is_empty() {
            let comma = if object.members().len() > 0 { "," } else { "" };
            let at = place.start + 1;
            self.splice(at..at, format!("{}{comma}", new.join(",")));
        }
        Ok(())
    }

    /// Names another model.
    pub fn model(&mut self, name: &str) {
        self.set("model", &json!(name));
    }

    /// Asks for no randomness above `ceiling` (JB-10). A request that says nothing gets the
    /// ceiling, since the upstream's default may be higher.
    pub fn temperature_ceiling(&mut self, ceiling: f64) {
        let asked = self
            .elements
            .find("temperature")
            .and_then(|element| std::str::from_utf8(self.bytes(&element.value)).ok())
            .and_then(|text| text.parse::<f64>().ok());
        if asked.is_none_or(|asked| asked > ceiling) {
            self.set("temperature", &json!(ceiling));
        }
    }

    /// Bans tokens, by the numbers that the upstream's model gives them (JB-10).
    ///
    /// # Errors
    /// When the request's own `logit_bias` is no object.
    pub fn ban_tokens(&mut self, tokens: &[u32]) -> Result<(), EditError> {
        let names: Vec<String> = tokens.iter().map(u32::to_string).collect();
        let bans: Vec<(&str, serde_json::Value)> = names
            .iter()
            .map(|name| (name.as_str(), json!(-100)))
            .collect();
        self.set_in("logit_bias", &bans)
    }

    /// Asks for the count of tokens at the end of a stream.
    ///
    /// # Errors
    /// When `stream_options` is no object.
    pub fn include_usage(&mut self) -> Result<(), EditError> {
        self.set_in("stream_options", &[("include_usage", json!(true))])
    }

    /// Asks for no probabilities of tokens (EX-09).
    pub fn ask_no_logprobs(&mut self) {
        self.remove("logprobs");
        self.remove("top_logprobs");
        if let Some(include) = self.elements.find("include")
            && let Ok(list) = serde_json::from_slice::<Vec<String>>(self.bytes(&include.value))
        {
            let kept: Vec<String> = list
                .into_iter()
                .filter(|name| !name.contains("logprobs"))
                .collect();
            self.set("include", &json!(kept));
        }
    }

    /// Puts `text` before everything else that the model is told (IN-13), in the way of the format.
    ///
    /// # Errors
    /// When what is there is of no known shape.
    pub fn prepend_system(&mut self, text: &str) -> Result<(), EditError> {
        match self.endpoint {
            Endpoint::ChatCompletions => {
                let element = self.element("messages")?;
                let list = self.bytes(&element.value);
                let document = Document::read(list, &ParseLimits::default())
                    .map_err(|_| EditError::Invalid)?;
                // A model that knows developers takes no system message beside theirs.
                let role = document
                    .root()
                    .items()
                    .next()
                    .and_then(|first| first.get("role")?.as_str())
                    .filter(|role| *role == "developer")
                    .unwrap_or("system");
                let message = json!({"role": role, "content": text}).to_string();
                self.prepend_item(element.value.clone(), &message)
            }
            Endpoint::Messages | Endpoint::CountTokens => {
                let block = json!({"type": "text", "text": text});
                self.prepend_text("system", text, &block.to_string())
            }
            Endpoint::Responses => self.prepend_text("instructions", text, ""),
            Endpoint::Completions => self.prepend_text("prompt", text, ""),
            Endpoint::Embeddings | Endpoint::Moderations | Endpoint::Models | Endpoint::Model => {
                Ok(())
            }
        }
    }

    /// Puts `span` of the text of the part of that number into other words. Probabilities of tokens
    /// cannot be put into other words and are taken out.
    ///
    /// # Errors
    /// When the text does not stand in the document.
    pub fn replace(&mut self, part: usize, span: Span, text: &str) -> Result<(), EditError> {
        let part = self.part(part)?;
        if part.text.get(span.as_range()).is_none() {
            return Err(EditError::NoSuchPlace);
        }
        if part.slot() == Slot::Probabilities {
            return self.drop_repetitions();
        }
        let (place, splice) = part.splice(span, text).ok_or_else(|| unmapped(part))?;
        self.renamed |= part.slot() == Slot::Key;
        self.splice(place.as_range(), splice);
        Ok(())
    }

    /// Puts every part that came from outside, a tool's result or a document, between the marks of
    /// `envelope` (IN-12). Returns how many texts were wrapped.
    ///
    /// # Errors
    /// When the word of the envelope stands in the body.
    pub fn wrap_foreign(&mut self, envelope: &Envelope) -> Result<usize, EditError> {
        self.wrap(envelope, |part| {
            matches!(part.origin, Origin::Tool | Origin::Retrieved)
                && matches!(
                    part.kind,
                    PartKind::Text | PartKind::ToolResult | PartKind::Document
                )
        })
    }

    /// Puts the texts of the parts that `chosen` picks between the marks of `envelope`, each string
    /// of the document once. Returns how many.
    ///
    /// # Errors
    /// When the word of the envelope stands in the body.
    pub fn wrap(
        &mut self,
        envelope: &Envelope,
        chosen: impl Fn(&Part) -> bool,
    ) -> Result<usize, EditError> {
        if memchr::memmem::find(self.body, envelope.tag().as_bytes()).is_some() {
            return Err(EditError::NonceInBody);
        }
        let mut strings: Vec<(Span, Origin)> = self
            .conversation
            .parts
            .iter()
            // A number in a string of JSON stands in a string; one on its own does not.
            .filter(|part| part.slot() == Slot::String || part.nesting() > 1)
            .filter(|part| chosen(part))
            .filter_map(|part| Some((part.outermost()?, part.origin)))
            .collect();
        strings.dedup_by_key(|(string, _)| *string);
        for (string, origin) in &strings {
            let place = string.as_range();
            let (open, close) = envelope.markers(*origin);
            self.splice(place.start..place.start, in_string(&open));
            self.splice(place.end..place.end, in_string(&close));
        }
        Ok(strings.len())
    }

    /// Takes what `judgement` says out of the texts, as `redactor` writes it. Returns how many
    /// stretches were replaced.
    ///
    /// # Errors
    /// When something to be taken out has no place in the document, or is signed: nothing may be
    /// sent then.
    pub fn redact(
        &mut self,
        judgement: &Judgement,
        redactor: &mut Redactor,
    ) -> Result<usize, EditError> {
        if judgement.parts.len() != self.conversation.parts.len() {
            return Err(EditError::NoSuchPlace);
        }
        let mut replaced = 0;
        for (number, part) in self.conversation.parts.iter().enumerate() {
            let removals = judgement.removals(number);
            if !removals.is_empty() {
                replaced += self.redact_part(part, &removals, redactor)?;
            }
        }
        if replaced > 0 {
            self.drop_repetitions()?;
        }
        Ok(replaced)
    }

    fn redact_part(
        &mut self,
        part: &Part,
        removals: &[&Finding],
        redactor: &mut Redactor,
    ) -> Result<usize, EditError> {
        if part.slot() == Slot::Probabilities {
            // They go as a whole, see `drop_repetitions`.
            return Ok(1);
        }
        if is_signed(part) {
            return Err(EditError::Signed {
                path: part.path.clone(),
            });
        }
        let splices = part.redactions(removals, redactor);
        let splices = splices.ok_or_else(|| unmapped(part))?;
        self.renamed |= part.slot() == Slot::Key;
        let count = splices.len();
        for (place, text) in splices {
            self.splice(place.as_range(), text);
        }
        Ok(count)
    }

    /// Takes out what repeats a text in another form: probabilities of tokens and their numbers.
    pub(super) fn drop_repetitions(&mut self) -> Result<(), EditError> {
        let document =
            Document::read(self.body, &ParseLimits::default()).map_err(|_| EditError::Invalid)?;
        let mut found = Vec::new();
        repetitions(document.root(), &mut found);
        for (place, empty) in found {
            self.splices.push(Splice {
                range: place,
                text: empty.to_owned(),
                swallows: true,
            });
        }
        Ok(())
    }

    /// The changed body.
    ///
    /// # Errors
    /// When two changes touch the same bytes, or a changed key makes the document one that readers
    /// disagree about.
    pub fn apply(mut self) -> Result<Bytes, EditError> {
        self.splice_members();
        if self.splices.is_empty() {
            return Ok(self.body.clone());
        }
        // What is put in before a removal stands outside of it.
        self.splices.sort_by_key(|splice| {
            let range = &splice.range;
            (range.start, !range.is_empty(), !splice.swallows, range.end)
        });
        let grown: usize = self.splices.iter().map(|splice| splice.text.len()).sum();
        let mut out: Vec<u8> = Vec::with_capacity(self.body.len() + grown);
        let mut at = 0;
        let mut swallowed = 0;
        for splice in &self.splices {
            let Range { start, end } = splice.range;
            if start < swallowed && end <= swallowed {
                continue;
            }
            if start < at || end > self.body.len() {
                return Err(EditError::Overlap);
            }
            out.extend_from_slice(self.bytes(&(at..start)));
            out.extend_from_slice(splice.text.as_bytes());
            at = end;
            if splice.swallows {
                swallowed = end;
            }
        }
        out.extend_from_slice(self.bytes(&(at..self.body.len())));
        let out = Bytes::from(out);
        if self.renamed {
            // Two keys may have become the same.
            let limits = ParseLimits {
                max_bytes: usize::MAX,
                max_values: usize::MAX,
                ..ParseLimits::default()
            };
            Document::read(&out, &limits).map_err(|_| EditError::Invalid)?;
        }
        Ok(out)
    }

    fn splice_members(&mut self) {
        let elements = self.elements;
        let mut removed = Vec::new();
        for (name, value) in std::mem::take(&mut self.members) {
            let place = elements
                .list
                .iter()
                .position(|element| element.name == name);
            match (
                place.and_then(|index| Some((index, elements.list.get(index)?))),
                value,
            ) {
                (Some((_, element)), Some(value)) => self.splices.push(Splice {
                    range: element.value.clone(),
                    text: value,
                    swallows: false,
                }),
                (Some((index, _)), None) => removed.push(index),
                (None, Some(value)) => {
                    let at = elements.inside;
                    let comma = if elements.list.is_empty() { "" } else { "," };
                    self.splice(at..at, format!("{}:{value}{comma}", json!(name)));
                }
                (None, None) => {}
            }
        }
        let ranges: Vec<Range<usize>> = elements
            .list
            .iter()
            .map(|element| element.start..element.value.end)
            .collect();
        self.cut(cuts(&ranges, &removed));
    }

    pub(super) fn cut(&mut self, cuts: Vec<Range<usize>>) {
        self.splices.extend(cuts.into_iter().map(|range| Splice {
            range,
            text: String::new(),
            swallows: true,
        }));
    }

    pub(super) fn splice(&mut self, range: Range<usize>, text: String) {
        self.splices.push(Splice {
            range,
            text,
            swallows: false,
        });
    }

    pub(super) fn bytes(&self, range: &Range<usize>) -> &'a [u8] {
        self.body.get(range.clone()).unwrap_or_default()
    }

    pub(super) fn element(&self, name: &str) -> Result<&'a Element, EditError> {
        self.elements.find(name).ok_or(EditError::NoSuchPlace)
    }

    fn part(&self, number: usize) -> Result<&'a Part, EditError> {
        self.conversation
            .parts
            .get(number)
            .ok_or(EditError::NoSuchPlace)
    }

    fn member(&mut self, name: &str, value: Option<String>) {
        self.members.retain(|(known, _)| known != name);
        self.members.push((name.to_owned(), value));
    }

    fn prepend_item(&mut self, list: Range<usize>, item: &str) -> Result<(), EditError> {
        let bytes = self.bytes(&list);
        if bytes.first() != Some(&b'[') {
            return Err(EditError::Invalid);
        }
        let is_empty = bytes
            .get(1..)
            .is_none_or(|rest| rest.trim_ascii_start().starts_with(b"]"));
        let comma = if is_empty { "" } else { "," };
        let at = list.start + 1;
        self.splice(at..at, format!("{item}{comma}"));
        Ok(())
    }

    /// Puts `text` before the text of a member, or `block` before its blocks.
    fn prepend_text(&mut self, name: &str, text: &str, block: &str) -> Result<(), EditError> {
        let Some(element) = self.elements.find(name) else {
            self.set(name, &json!(text));
            return Ok(());
        };
        let place = element.value.clone();
        match self.bytes(&place).first() {
            Some(b'"') => {
                let at = place.start + 1;
                self.splice(at..at, in_string(&format!("{text}\n\n")));
                Ok(())
            }
            Some(b'[') if !block.is_empty() => self.prepend_item(place, block),
            // A list of prompts, each on its own.
            Some(b'[') => {
                let document = Document::read(self.bytes(&place), &ParseLimits::default())
                    .map_err(|_| EditError::Invalid)?;
                for item in document.root().items() {
                    if item.as_str().is_none() {
                        return Err(EditError::Invalid);
                    }
                    let at = place.start + item.range().start + 1;
                    self.splice(at..at, in_string(&format!("{text}\n\n")));
                }
                Ok(())
            }
            Some(b'n') => {
                self.set(name, &json!(text));
                Ok(())
            }
            _ => Err(EditError::Invalid),
        }
    }
}

impl std::fmt::Debug for Edits<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Edits")
            .field("endpoint", &self.endpoint)
            .field("changes", &(self.splices.len() + self.members.len()))
            .finish_non_exhaustive()
    }
}

fn unmapped(part: &Part) -> EditError {
    EditError::Unmapped {
        path: part.path.clone(),
    }
}

/// `text` as it stands in a JSON string, without the quotes.
fn in_string(text: &str) -> String {
    let quoted = json!(text).to_string();
    quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or_default()
        .to_owned()
}

/// Whether a part is a thought of Anthropic's models, whose signature its change would break.
fn is_signed(part: &Part) -> bool {
    part.origin == Origin::Model && part.kind == PartKind::Text && part.path.ends_with(".thinking")
}

/// Members that hold a text once more as tokens, and what to put in their place.
const REPETITIONS: &[&str] = &[
    "logprobs",
    "top_logprobs",
    "prompt_logprobs",
    "token_ids",
    "prompt_token_ids",
];

/// Where such members stand: at the top, in choices, and in the blocks of items; never in arguments
/// of tools or what they return, where such a name is the tool's own.
fn repetitions(root: Value<'_, '_>, found: &mut Vec<(Range<usize>, &'static str)>) {
    let mut look = |object: Value<'_, '_>| {
        for member in object.members() {
            let value = member.value;
            if REPETITIONS.contains(&member.key) && (value.is_object() || value.is_list()) {
                let in_block = object.get("type").is_some();
                found.push((value.range(), if in_block { "[]" } else { "null" }));
            }
        }
    };
    look(root);
    for list in ["choices", "output", "input", "content"] {
        for item in root.get(list).into_iter().flat_map(|list| list.items()) {
            look(item);
            if let Some(message) = item.get("message") {
                look(message);
            }
            for block in item
                .get("content")
                .into_iter()
                .flat_map(|list| list.items())
            {
                look(block);
            }
        }
    }
}
