use std::fmt;

use serde::Serialize;

use super::json::{Data, Value};

/// A wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A request to OpenAI's Chat Completions.
    ChatCompletions,
    /// A request to OpenAI's Responses.
    Responses,
    /// A request to Anthropic's Messages.
    AnthropicMessages,
    /// A request to a completion or embedding endpoint.
    Completion,
    /// A bare list of messages, or a single one.
    Messages,
    /// An answer of any of these.
    Answer,
    /// A value of a message of the Model Context Protocol, see [`super::Document::parts`].
    Mcp,
    /// Any other JSON.
    Generic,
}

impl Format {
    /// Tells the format by its fields.
    pub(super) fn of(root: &Value<'_>) -> Self {
        if let Data::Array(items) = &root.data {
            let messages = items.is_empty() || items.iter().all(|item| item.has("role"));
            return if messages {
                Self::Messages
            } else {
                Self::Generic
            };
        }
        if root.has("messages") {
            return if is_anthropic(root) {
                Self::AnthropicMessages
            } else {
                Self::ChatCompletions
            };
        }
        // Requests first: a request must not pass for an answer by a field of its own.
        if let Some(input) = root.get("input") {
            let items = input.items().iter().any(Value::is_object);
            let responses = items || RESPONSES_ONLY.iter().any(|key| root.has(key));
            return if responses {
                Self::Responses
            } else {
                Self::Completion
            };
        }
        if root.has("prompt") {
            return Self::Completion;
        }
        let answers = [
            ("choices", None),
            ("output", None),
            ("content", Some("message")),
        ];
        let is_answer = |&(key, kind): &(&str, Option<&str>)| {
            root.has(key) && kind.is_none_or(|kind| root.str("type") == Some(kind))
        };
        if answers.iter().any(is_answer) {
            return Self::Answer;
        }
        if root.has("role") && root.has("content") {
            return Self::Messages;
        }
        Self::Generic
    }

    /// The name used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChatCompletions => "chat-completions",
            Self::Responses => "responses",
            Self::AnthropicMessages => "anthropic-messages",
            Self::Completion => "completion",
            Self::Messages => "messages",
            Self::Answer => "answer",
            Self::Mcp => "mcp",
            Self::Generic => "generic",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Fields of a request to Responses that a request for embeddings does not have.
const RESPONSES_ONLY: &[&str] = &[
    "instructions",
    "max_output_tokens",
    "previous_response_id",
    "reasoning",
    "store",
    "text",
    "tools",
];

/// Blocks that only Anthropic's format has.
const ANTHROPIC_BLOCKS: &[&str] = &["tool_use", "tool_result", "document", "image", "thinking"];

fn is_anthropic(root: &Value<'_>) -> bool {
    root.has("system")
        || root.has("anthropic_version")
        || root.get("messages").is_some_and(|messages| {
            messages
                .items()
                .iter()
                .filter_map(|message| message.get("content"))
                .flat_map(Value::items)
                .filter_map(|block| block.str("type"))
                .any(|kind| ANTHROPIC_BLOCKS.contains(&kind))
        })
}
