use std::fmt;

use bartizan_core::Origin;
use serde_json::Value;

use crate::{Label, json};

/// A conversation of an agent: what was said, what was called, and what came back, in order.
///
/// Prints places and lengths, never what is said.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    /// What happened, oldest first.
    pub entries: Vec<Entry>,
    /// Tools that the request offers to the model.
    pub offered: Vec<Offer>,
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Entry {
    /// Somebody said something.
    Said(Said),
    /// The model called a tool.
    Call(Call),
    /// A tool answered.
    Result(ToolResult),
}

/// A text of the conversation.
#[derive(Clone)]
pub struct Said {
    /// Who wrote it.
    pub origin: Origin,
    /// What it says.
    pub text: String,
    /// Where it stands in the request, e.g. `messages[2]`.
    pub path: String,
    /// What the application says of it; `None` where that follows from the origin.
    pub label: Option<Label>,
}

/// A call of a tool.
#[derive(Clone, PartialEq)]
pub struct Call {
    /// The name that its result refers to.
    pub id: String,
    /// The tool, as the model wrote it.
    pub tool: String,
    /// The arguments: an object, or whatever the model wrote instead.
    pub arguments: Value,
    /// Where it stands.
    pub path: String,
}

/// What a tool returned.
#[derive(Clone)]
pub struct ToolResult {
    /// The call that it answers.
    pub call: String,
    /// The tool that was called; empty if the call is not in the conversation.
    pub tool: String,
    /// What it returned.
    pub text: String,
    /// Whether the tool failed.
    pub failed: bool,
    /// Where it stands.
    pub path: String,
    /// What the application says of it; `None` where that follows from the tool.
    pub label: Option<Label>,
}

/// A tool that the request offers to the model.
#[derive(Clone)]
pub struct Offer {
    /// Its name.
    pub name: String,
    /// SHA-256 of its definition, in lower-case hexadecimal.
    pub digest: String,
    /// Where it stands.
    pub path: String,
}

impl Transcript {
    /// The calls, oldest first.
    pub fn calls(&self) -> impl DoubleEndedIterator<Item = &Call> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Call(call) => Some(call),
            _ => None,
        })
    }

    /// What happened since the user spoke last.
    #[must_use]
    pub fn since_user(&self) -> &[Entry] {
        let by_user =
            |entry: &Entry| matches!(entry, Entry::Said(said) if said.origin == Origin::User);
        let first = self
            .entries
            .iter()
            .rposition(by_user)
            .map_or(0, |last| last + 1);
        self.entries.get(first..).unwrap_or_default()
    }
}

impl Call {
    /// The call written in one way, whatever the order of its members.
    #[must_use]
    pub fn canonical(&self) -> String {
        format!("{}\n{}", self.tool, crate::run::canonical(&self.arguments))
    }

    /// A call whose arguments came as text, which is read if it is JSON.
    #[must_use]
    pub fn from_text(tool: &str, arguments: &str, path: &str) -> Self {
        Self {
            id: String::new(),
            tool: tool.to_owned(),
            arguments: json::read(arguments).unwrap_or_else(|| Value::from(arguments)),
            path: path.to_owned(),
        }
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Said")
            .field("origin", &self.origin)
            .field("path", &self.path)
            .field("bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ToolResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolResult")
            .field("path", &self.path)
            .field("bytes", &self.text.len())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offer")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
