use bartizan_guard::conversation::{
    Conversation, Document, Format, ParseLimits, Part, Slot, Value,
};
use base64::Engine as _;
use bytes::Bytes;

use super::{EditError, Edits, Usage, elements::Elements};
use crate::{
    endpoint::Endpoint,
    fault::{Fault, FaultKind},
};

/// What happens to probabilities of tokens (EX-09).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Logprobs {
    /// They are taken out.
    #[default]
    Strip,
    /// They pass, for clients that are entitled to them; their tokens are looked at like text.
    Pass,
}

/// A whole answer of an upstream, read once.
///
/// Prints its route and length, never what it says.
#[derive(Clone)]
pub struct Answer {
    endpoint: Endpoint,
    body: Bytes,
    elements: Elements,
    conversation: Conversation,
    logprobs: Logprobs,
    has_logprobs: bool,
    id: Option<String>,
    model: Option<String>,
    usage: Option<Usage>,
    finish_reasons: Vec<&'static str>,
}

impl Answer {
    /// Reads what an upstream answered on the route of `endpoint`.
    ///
    /// # Errors
    /// A fault without content, when it is no JSON or has not the shape of that route.
    pub fn read(
        endpoint: Endpoint,
        body: Bytes,
        limits: &ParseLimits,
        logprobs: Logprobs,
    ) -> Result<Self, Fault> {
        let (elements, mut conversation, facts) = {
            let document = Document::read(&body, limits).map_err(|_| unusable())?;
            let root = document.root();
            if !has_shape(endpoint, root) {
                return Err(unusable());
            }
            let conversation = document
                .conversation(Format::Answer, limits)
                .map_err(|_| unusable())?;
            (Elements::of(root), conversation, Facts::of(root))
        };
        let has_logprobs = conversation
            .parts
            .iter()
            .any(|part| part.slot() == Slot::Probabilities)
            || memchr::memmem::find(&body, b"logprobs").is_some();
        if logprobs == Logprobs::Strip {
            conversation
                .parts
                .retain(|part| part.slot() != Slot::Probabilities);
        }
        if endpoint == Endpoint::Embeddings {
            conversation.parts.retain(|part| !is_vector(part));
        }
        if endpoint == Endpoint::Responses {
            conversation.parts.retain(|part| !is_echo(&part.path));
        }
        Ok(Self {
            endpoint,
            body,
            elements,
            conversation,
            logprobs,
            has_logprobs,
            id: facts.id,
            model: facts.model,
            usage: facts.usage,
            finish_reasons: facts.finish_reasons,
        })
    }

    /// The route.
    #[must_use]
    pub const fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// The bytes as they came. What a client may see is what [`Self::edit`] makes of them.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// Every text of it, in every choice.
    #[must_use]
    pub const fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// The upstream's name for it. Not from this side: no label, no log.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The model that the upstream says wrote it. Not from this side: no label, no log.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// The tokens that it cost, if the upstream said so.
    #[must_use]
    pub const fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// Why each choice ended, in order; `other` for a reason that no format knows.
    #[must_use]
    pub fn finish_reasons(&self) -> &[&'static str] {
        &self.finish_reasons
    }

    /// Changes to its bytes, begun with what always goes: probabilities, unless they pass, and the
    /// instructions that OpenAI's Responses repeat, with all that was added to them here.
    ///
    /// # Errors
    /// When they cannot be taken out; nothing may be sent then.
    pub fn edit(&self) -> Result<Edits<'_>, EditError> {
        let mut edits = Edits::new(
            self.endpoint,
            &self.body,
            &self.conversation,
            &self.elements,
        );
        if self.logprobs == Logprobs::Strip && self.has_logprobs {
            edits.drop_repetitions()?;
        }
        if self.endpoint == Endpoint::Responses && self.elements.find(ECHO).is_some() {
            edits.set(ECHO, &serde_json::Value::Null);
        }
        Ok(edits)
    }
}

/// Whether a part is a vector in base64 (RFC 4648, section 4), as OpenAI's SDK asks for it: numbers
/// of four bytes each.
fn is_vector(part: &Part) -> bool {
    let place = part
        .path
        .strip_prefix("data[")
        .and_then(|rest| rest.split_once(']'));
    let engine = base64::engine::general_purpose::STANDARD;
    place.is_some_and(|(_, field)| field == ".embedding")
        && engine
            .decode(&part.text)
            .is_ok_and(|bytes| bytes.len() % 4 == 0)
}

/// The member of an answer that repeats the request's instructions.
const ECHO: &str = "instructions";

fn is_echo(path: &str) -> bool {
    path.strip_prefix(ECHO)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("endpoint", &self.endpoint)
            .field("bytes", &self.body.len())
            .field("parts", &self.conversation.parts.len())
            .finish_non_exhaustive()
    }
}

struct Facts {
    id: Option<String>,
    model: Option<String>,
    usage: Option<Usage>,
    finish_reasons: Vec<&'static str>,
}

impl Facts {
    fn of(root: Value<'_, '_>) -> Self {
        let text = |name: &str| root.get(name).and_then(Value::as_str).map(str::to_owned);
        let choices = root.get("choices").into_iter().flat_map(Value::items);
        let mut finish_reasons: Vec<&'static str> = choices
            .filter_map(|choice| choice.get("finish_reason")?.as_str())
            .map(finish_reason)
            .collect();
        let whole = ["stop_reason", "status"].map(|name| root.get(name).and_then(Value::as_str));
        finish_reasons.extend(whole.into_iter().flatten().map(finish_reason));
        Self {
            id: text("id"),
            model: text("model"),
            usage: root.get("usage").and_then(Usage::read),
            finish_reasons,
        }
    }
}

/// A reason to stop, from the list that the formats have.
#[must_use]
pub(super) fn finish_reason(name: &str) -> &'static str {
    const KNOWN: &[&str] = &[
        "stop",
        "length",
        "tool_calls",
        "function_call",
        "content_filter",
        "end_turn",
        "max_tokens",
        "stop_sequence",
        "tool_use",
        "pause_turn",
        "refusal",
        "model_context_window_exceeded",
        "completed",
        "incomplete",
        "failed",
        "in_progress",
        "queued",
        "cancelled",
    ];
    let known = KNOWN.iter().copied().find(|known| *known == name);
    known.unwrap_or("other")
}

fn has_shape(endpoint: Endpoint, root: Value<'_, '_>) -> bool {
    let list_of_objects = |name: &str| {
        root.get(name)
            .is_some_and(|list| list.is_list() && list.items().all(Value::is_object))
    };
    match endpoint {
        Endpoint::ChatCompletions | Endpoint::Completions => list_of_objects("choices"),
        Endpoint::Responses => list_of_objects("output"),
        Endpoint::Messages => list_of_objects("content"),
        Endpoint::Embeddings | Endpoint::Models => list_of_objects("data"),
        Endpoint::CountTokens => root
            .get("input_tokens")
            .is_some_and(|count| count.as_u64().is_some()),
        Endpoint::Moderations => list_of_objects("results"),
        Endpoint::Model => root.get("id").is_some(),
    }
}

fn unusable() -> Fault {
    Fault::new(
        FaultKind::BadGateway,
        "upstream_answer_unusable",
        "the upstream's answer is not one of this route",
    )
}
