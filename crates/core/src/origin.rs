use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Who wrote a piece of text; decides how far it is trusted.
///
/// Set once at the edge, never inferred later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The operator's own prompt.
    System,
    /// The person on the other side.
    User,
    /// A document that retrieval brought in.
    Retrieved,
    /// The result of a tool call.
    Tool,
    /// The model's own output.
    Model,
}

impl Origin {
    /// Every origin, most trusted first.
    pub const ALL: [Self; 5] = [
        Self::System,
        Self::User,
        Self::Retrieved,
        Self::Tool,
        Self::Model,
    ];

    /// The name used in configuration, packs and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Retrieved => "retrieved",
            Self::Tool => "tool",
            Self::Model => "model",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown origin `{0}`, expected one of system, user, retrieved, tool, model")]
pub struct UnknownOrigin(String);

impl FromStr for Origin {
    type Err = UnknownOrigin;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|origin| origin.as_str() == text)
            .ok_or_else(|| UnknownOrigin(text.to_owned()))
    }
}
