use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Which way a text goes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Towards the model.
    #[default]
    Input,
    /// From the model.
    Output,
}

impl Direction {
    /// The name used in configuration and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The place where an output will be shown or run; decides what in it is dangerous.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sink {
    /// A web page, between tags.
    Html,
    /// A renderer of Markdown with links and images.
    Markdown,
    /// A SQL interpreter.
    Sql,
    /// A command line.
    Shell,
    /// A template engine.
    Template,
    /// A place that takes an address.
    Url,
    /// A table opened in a spreadsheet.
    Csv,
}

impl Sink {
    /// Every sink.
    pub const ALL: [Self; 7] = [
        Self::Html,
        Self::Markdown,
        Self::Sql,
        Self::Shell,
        Self::Template,
        Self::Url,
        Self::Csv,
    ];

    /// The name used in configuration and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Markdown => "markdown",
            Self::Sql => "sql",
            Self::Shell => "shell",
            Self::Template => "template",
            Self::Url => "url",
            Self::Csv => "csv",
        }
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no sink.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown sink `{0}`, expected one of html, markdown, sql, shell, template, url, csv")]
pub struct UnknownSink(String);

impl FromStr for Sink {
    type Err = UnknownSink;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|sink| sink.as_str() == text)
            .ok_or_else(|| UnknownSink(text.to_owned()))
    }
}
