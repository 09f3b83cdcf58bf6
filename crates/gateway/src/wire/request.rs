use bartizan_guard::conversation::{
    Conversation, ConversationError, Document, Format, ParseLimits, Value,
};
use bytes::Bytes;

use super::{Edits, ServerTools, Unread, elements::Elements, media};
use crate::{
    endpoint::Endpoint,
    fault::{Fault, FaultKind},
};

/// A request, read once: what the pipeline has to know, and every text of it.
///
/// Prints its route and length, never what it says.
#[derive(Clone)]
pub struct Request {
    endpoint: Endpoint,
    body: Bytes,
    elements: Elements,
    conversation: Conversation,
    facts: Facts,
}

/// What a request asks for, beside its texts.
#[derive(Clone, Default, PartialEq)]
struct Facts {
    model: String,
    stream: bool,
    choices: u32,
    max_tokens: Option<u64>,
    asks_logprobs: bool,
    user: Option<String>,
    include_usage: bool,
    server_tools: ServerTools,
    temperature: Option<f64>,
    state: ServerState,
}

/// What a request wants the upstream to remember, or refers to of what it remembers.
///
/// Prints what there is, never its names, which a client can choose.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ServerState {
    /// The answer that it goes on from.
    pub previous_response_id: Option<String>,
    /// The conversation that it belongs to.
    pub conversation: Option<String>,
    /// The stored prompt that it fills in.
    pub prompt: Option<String>,
    /// The container in which code ran before.
    pub container: Option<String>,
    /// Whether it is to run without anybody waiting.
    pub background: bool,
    /// Whether the answer is to be stored; `None` for the upstream's default.
    pub store: Option<bool>,
}

impl ServerState {
    /// Whether the model will see text that is not in this request.
    #[must_use]
    pub const fn refers_back(&self) -> bool {
        self.previous_response_id.is_some()
            || self.conversation.is_some()
            || self.prompt.is_some()
            || self.container.is_some()
    }
}

impl std::fmt::Debug for ServerState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerState")
            .field("refers_back", &self.refers_back())
            .field("background", &self.background)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// Bytes of the name of a model.
const MAX_MODEL: usize = 256;

/// Answers that one request may ask for.
const MAX_CHOICES: u64 = 128;

impl Request {
    /// Reads the body of a request to `endpoint`.
    ///
    /// # Errors
    /// A fault that names the field, and nothing of what it holds: the body is no JSON or JSON that
    /// parsers read differently, a field is missing or of the wrong type, or a text comes in a form
    /// that cannot be looked at, such as lists of tokens.
    pub fn read(endpoint: Endpoint, body: Bytes, limits: &ParseLimits) -> Result<Self, Fault> {
        let (elements, conversation, facts) = {
            let document = Document::read(&body, limits).map_err(unreadable)?;
            let root = document.root();
            if !root.is_object() {
                return Err(Fault::new(
                    FaultKind::BadRequest,
                    "wrong_type",
                    format!("the body is {}, expected an object", root.kind()),
                ));
            }
            let facts = Facts::of(endpoint, root)?;
            check_texts(endpoint, root)?;
            let conversation = document
                .conversation(format(endpoint), limits)
                .map_err(unreadable)?;
            (Elements::of(root), conversation, facts)
        };
        Ok(Self {
            endpoint,
            body,
            elements,
            conversation,
            facts,
        })
    }

    /// The route.
    #[must_use]
    pub const fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// The bytes as they came.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// Every text of it.
    #[must_use]
    pub const fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// The model asked for; empty only for moderations.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.facts.model
    }

    /// Where in the body the JSON string stands that names the model, quotes included.
    #[must_use]
    pub fn model_place(&self) -> Option<std::ops::Range<usize>> {
        Some(self.elements.find("model")?.value.clone())
    }

    /// Whether the answer is to be a stream.
    #[must_use]
    pub const fn stream(&self) -> bool {
        self.facts.stream
    }

    /// How many answers it asks for, at least 1; for `best_of` those that are paid for.
    #[must_use]
    pub const fn choices(&self) -> u32 {
        self.facts.choices
    }

    /// The most tokens that one answer may have, if it says so.
    #[must_use]
    pub const fn max_tokens(&self) -> Option<u64> {
        self.facts.max_tokens
    }

    /// Whether it asks for probabilities of tokens.
    #[must_use]
    pub const fn asks_logprobs(&self) -> bool {
        self.facts.asks_logprobs
    }

    /// Whom the client says it acts for. Anybody can write anything there.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.facts.user.as_deref()
    }

    /// Whether a stream is to end with a count of tokens.
    #[must_use]
    pub const fn include_usage(&self) -> bool {
        self.facts.include_usage
    }

    /// The kinds of tools that it gives the model and that the upstream runs itself, such as searches or servers
    /// of the Model Context Protocol: what they return reaches the model without passing here, and
    /// is looked at only when it comes back in the answer. Tools of a kind that is not known count.
    #[must_use]
    pub const fn server_tools(&self) -> ServerTools {
        self.facts.server_tools
    }

    /// The randomness that it asks for.
    #[must_use]
    pub const fn temperature(&self) -> Option<f64> {
        self.facts.temperature
    }

    /// What the upstream is to remember, or refers to.
    #[must_use]
    pub const fn state(&self) -> &ServerState {
        &self.facts.state
    }

    /// What it carries that nobody here can read: pictures, sounds, files.
    #[must_use]
    pub fn unread(&self) -> Vec<Unread> {
        media::unread(&self.conversation)
    }

    /// Changes to its bytes.
    #[must_use]
    pub const fn edit(&self) -> Edits<'_> {
        Edits::new(
            self.endpoint,
            &self.body,
            &self.conversation,
            &self.elements,
        )
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("endpoint", &self.endpoint)
            .field("bytes", &self.body.len())
            .field("parts", &self.conversation.parts.len())
            .finish_non_exhaustive()
    }
}

/// The format of the requests of a route.
pub(super) const fn format(endpoint: Endpoint) -> Format {
    match endpoint {
        Endpoint::ChatCompletions => Format::ChatCompletions,
        Endpoint::Responses => Format::Responses,
        Endpoint::Messages | Endpoint::CountTokens => Format::AnthropicMessages,
        Endpoint::Completions | Endpoint::Embeddings | Endpoint::Moderations => Format::Completion,
        Endpoint::Models | Endpoint::Model => Format::Generic,
    }
}

fn unreadable(error: ConversationError) -> Fault {
    let (kind, code) = match &error {
        ConversationError::TooLong { .. } => (FaultKind::TooLarge, "body_too_long"),
        ConversationError::Json { .. } => (FaultKind::BadRequest, "invalid_json"),
        ConversationError::TooManyParts { .. } => (FaultKind::BadRequest, "too_many_parts"),
        ConversationError::Empty { .. } => (FaultKind::BadRequest, "empty_conversation"),
        _ => (FaultKind::BadRequest, "wrong_type"),
    };
    let fault = Fault::new(kind, code, error.to_string());
    match error {
        ConversationError::Empty { path } => fault.about(path),
        ConversationError::WrongType { path, .. } => fault.about(path),
        _ => fault,
    }
}

fn missing(path: impl Into<String>) -> Fault {
    let path = path.into();
    Fault::new(
        FaultKind::BadRequest,
        "missing_required_parameter",
        format!("`{path}` is missing"),
    )
    .about(path)
}

fn wrong(path: impl Into<String>, found: Value<'_, '_>, expected: &str) -> Fault {
    let path = path.into();
    Fault::new(
        FaultKind::BadRequest,
        "wrong_type",
        format!("`{path}` is {}, expected {expected}", found.kind()),
    )
    .about(path)
}

fn out_of_range(path: &str, expected: &str) -> Fault {
    Fault::new(
        FaultKind::BadRequest,
        "out_of_range",
        format!("`{path}` is out of range, expected {expected}"),
    )
    .about(path)
}

impl Facts {
    fn of(endpoint: Endpoint, root: Value<'_, '_>) -> Result<Self, Fault> {
        let model = match text(root, "model")? {
            Some(name) if name.is_empty() || name.len() > MAX_MODEL => {
                return Err(out_of_range("model", "a name of 1 to 256 bytes"));
            }
            Some(name) => name.to_owned(),
            None if endpoint == Endpoint::Moderations => String::new(),
            None => return Err(missing("model")),
        };
        let limit = match endpoint {
            Endpoint::ChatCompletions => {
                count(root, "max_completion_tokens")?.or(count(root, "max_tokens")?)
            }
            Endpoint::Responses => count(root, "max_output_tokens")?,
            _ => count(root, "max_tokens")?,
        };
        if endpoint == Endpoint::Messages && limit.is_none() {
            return Err(missing("max_tokens"));
        }
        let mut choices = 1;
        for name in ["n", "best_of"] {
            let count = count(root, name)?.unwrap_or(1);
            if !(1..=MAX_CHOICES).contains(&count) {
                return Err(out_of_range(name, "1 to 128"));
            }
            choices = choices.max(count);
        }
        let user = match endpoint {
            Endpoint::Messages => member(root, "metadata", "user_id")?,
            _ => text(root, "user")?.or(text(root, "safety_identifier")?),
        };
        let include_usage = match object(root, "stream_options")? {
            Some(options) => truth(options, "include_usage")?.unwrap_or(false),
            None => false,
        };
        Ok(Self {
            model,
            stream: truth(root, "stream")?.unwrap_or(false),
            choices: u32::try_from(choices).unwrap_or(u32::MAX),
            max_tokens: limit,
            asks_logprobs: asks_logprobs(root)?,
            user: user.map(str::to_owned),
            include_usage,
            server_tools: ServerTools::of(root),
            temperature: number(root, "temperature")?,
            state: ServerState::of(endpoint, root)?,
        })
    }
}

impl ServerState {
    fn of(endpoint: Endpoint, root: Value<'_, '_>) -> Result<Self, Fault> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        // A name, or an object with the name in it.
        let named = |name: &str| match root.get(name).filter(|value| !value.is_null()) {
            Some(value) if value.is_object() => {
                Ok(Some(value.get("id").and_then(Value::as_str).unwrap_or("")))
            }
            Some(_) => text(root, name),
            None => Ok(None),
        };
        let stored = match endpoint {
            Endpoint::Responses => named("prompt")?,
            _ => None,
        };
        Ok(Self {
            previous_response_id: owned(text(root, "previous_response_id")?),
            conversation: owned(named("conversation")?),
            prompt: owned(stored),
            container: owned(named("container")?),
            background: truth(root, "background")?.unwrap_or(false),
            store: truth(root, "store")?,
        })
    }
}

fn asks_logprobs(root: Value<'_, '_>) -> Result<bool, Fault> {
    let wanted = match root.get("logprobs") {
        // The older format has a count there, the newer one a truth value.
        Some(value) if value.is_number() => true,
        _ => truth(root, "logprobs")?.unwrap_or(false),
    };
    let top = count(root, "top_logprobs")?.unwrap_or(0) > 0;
    let included = root
        .get("include")
        .into_iter()
        .flat_map(Value::items)
        .any(|item| item.as_str().is_some_and(|name| name.contains("logprobs")));
    Ok(wanted || top || included)
}

/// A member that is present and not null.
fn present<'d, 'a>(root: Value<'d, 'a>, name: &str) -> Option<Value<'d, 'a>> {
    root.get(name).filter(|value| !value.is_null())
}

fn text<'d>(root: Value<'d, '_>, name: &str) -> Result<Option<&'d str>, Fault> {
    let Some(value) = present(root, name) else {
        return Ok(None);
    };
    let text = value.as_str().ok_or_else(|| wrong(name, value, "a text"))?;
    Ok(Some(text))
}

fn truth(root: Value<'_, '_>, name: &str) -> Result<Option<bool>, Fault> {
    let Some(value) = present(root, name) else {
        return Ok(None);
    };
    let truth = value
        .as_bool()
        .ok_or_else(|| wrong(name, value, "true or false"))?;
    Ok(Some(truth))
}

fn count(root: Value<'_, '_>, name: &str) -> Result<Option<u64>, Fault> {
    let Some(value) = present(root, name) else {
        return Ok(None);
    };
    if value.is_number() && value.as_u64().is_none() {
        return Err(out_of_range(name, "a whole number from 0"));
    }
    let count = value
        .as_u64()
        .ok_or_else(|| wrong(name, value, "a whole number"))?;
    Ok(Some(count))
}

fn number(root: Value<'_, '_>, name: &str) -> Result<Option<f64>, Fault> {
    let Some(value) = present(root, name) else {
        return Ok(None);
    };
    let number = value
        .as_f64()
        .ok_or_else(|| wrong(name, value, "a number"))?;
    Ok(Some(number))
}

fn object<'d, 'a>(root: Value<'d, 'a>, name: &str) -> Result<Option<Value<'d, 'a>>, Fault> {
    match present(root, name) {
        Some(value) if value.is_object() => Ok(Some(value)),
        Some(value) => Err(wrong(name, value, "an object")),
        None => Ok(None),
    }
}

fn member<'d>(root: Value<'d, '_>, name: &str, inner: &str) -> Result<Option<&'d str>, Fault> {
    match object(root, name)? {
        Some(object) => text(object, inner),
        None => Ok(None),
    }
}

/// Checks that the texts have a shape in which they can be looked at (WS-27).
fn check_texts(endpoint: Endpoint, root: Value<'_, '_>) -> Result<(), Fault> {
    match endpoint {
        Endpoint::ChatCompletions | Endpoint::Messages | Endpoint::CountTokens => {
            let messages = root.get("messages").ok_or_else(|| missing("messages"))?;
            if !messages.is_list() {
                return Err(wrong("messages", messages, "a list of messages"));
            }
            for (index, message) in messages.items().enumerate() {
                check_message(endpoint, index, message)?;
            }
            Ok(())
        }
        Endpoint::Completions => texts(root, "prompt"),
        Endpoint::Embeddings => texts(root, "input"),
        Endpoint::Moderations => match root.get("input") {
            Some(input) if input.items().any(Value::is_object) => Ok(()),
            _ => texts(root, "input"),
        },
        Endpoint::Responses => match present(root, "input") {
            Some(input) if input.is_numbers() => Err(wrong("input[0]", input, "an object")),
            Some(input) if input.as_str().is_some() || input.items().len() > 0 => items(input),
            Some(input) if input.is_list() => Err(empty("input")),
            Some(input) => Err(wrong("input", input, "a text or a list of items")),
            None if present(root, "previous_response_id").is_some()
                || present(root, "conversation").is_some()
                || present(root, "prompt").is_some() =>
            {
                Ok(())
            }
            None => Err(missing("input")),
        },
        Endpoint::Models | Endpoint::Model => Ok(()),
    }
}

fn items(input: Value<'_, '_>) -> Result<(), Fault> {
    let wrong_item = input
        .items()
        .enumerate()
        .find(|(_, item)| !item.is_object());
    match wrong_item {
        Some((index, item)) => Err(wrong(format!("input[{index}]"), item, "an object")),
        None => Ok(()),
    }
}

fn empty(path: &str) -> Fault {
    Fault::new(
        FaultKind::BadRequest,
        "empty_conversation",
        format!("`{path}` is empty"),
    )
    .about(path)
}

fn check_message(endpoint: Endpoint, index: usize, message: Value<'_, '_>) -> Result<(), Fault> {
    let at = |name: &str| format!("messages[{index}].{name}");
    if !message.is_object() {
        let expected = "a message such as {\"role\": \"user\", \"content\": \"...\"}";
        return Err(wrong(format!("messages[{index}]"), message, expected));
    }
    let Some(role) = message.get("role") else {
        return Err(missing(at("role")));
    };
    let role = role
        .as_str()
        .ok_or_else(|| wrong(at("role"), role, "a text"))?;
    let content = message.get("content");
    match content {
        Some(value) if value.as_str().is_some() || value.is_list() => Ok(()),
        Some(value) if !value.is_null() => Err(wrong(at("content"), value, "a text or a list")),
        // A model that called a tool, refused, or spoke may have written nothing.
        _ if endpoint == Endpoint::ChatCompletions
            && role == "assistant"
            && ["tool_calls", "function_call", "refusal", "audio"]
                .iter()
                .any(|name| present(message, name).is_some()) =>
        {
            Ok(())
        }
        Some(value) => Err(wrong(at("content"), value, "a text or a list")),
        None => Err(missing(at("content"))),
    }
}

/// Checks that a member is a text or a list of texts.
fn texts(root: Value<'_, '_>, name: &'static str) -> Result<(), Fault> {
    let value = present(root, name).ok_or_else(|| missing(name))?;
    if value.as_str().is_some() {
        return Ok(());
    }
    if !value.is_list() {
        return Err(wrong(name, value, "a text or a list of texts"));
    }
    if value.is_numbers() || value.items().any(|item| item.is_number() || item.is_list()) {
        return Err(Fault::new(
            FaultKind::BadRequest,
            "tokens_not_supported",
            format!(
                "`{name}` holds tokens, which cannot be looked at; send text (with LangChain: \
                 `check_embedding_ctx_length=False`)"
            ),
        )
        .about(name));
    }
    if value.items().len() == 0 {
        return Err(empty(name));
    }
    for (index, item) in value.items().enumerate() {
        if item.as_str().is_none() {
            return Err(wrong(format!("{name}[{index}]"), item, "a text"));
        }
    }
    Ok(())
}
