//! One pass over a text for the patterns of every detector.

use std::ops::Range;

/// The patterns of one detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group(u16);

/// A pattern matched in a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Whose pattern.
    pub group: Group,
    /// Which one: the number that [`PatternsBuilder::add`] returned.
    pub pattern: u32,
    /// The whole match, in bytes of the view.
    pub range: Range<usize>,
    /// The first capture group if the pattern has one and it took part, else the whole match.
    pub value: Range<usize>,
}

/// One pattern and how to find the places worth trying it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternSpec<'a> {
    /// A regular expression in the syntax of the `regex` crate, matched on bytes of the folded
    /// view: `\w` is an ASCII letter, digit, underscore or any non-ASCII byte, `\W` its
    /// complement, `\d`, `\s` and `\b` are ASCII. At most one capture group.
    pub pattern: &'a str,
    /// Literals one of which every match starts with (ASCII case does not matter). Empty: derived
    /// from the pattern.
    pub anchors: &'a [&'a str],
    /// Whether ASCII case matters.
    pub case_sensitive: bool,
}

/// Why a pattern was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// Not a regular expression.
    #[error("bad pattern: {0}")]
    Syntax(String),
    /// Every match must start with one of a few literals.
    #[error(
        "the pattern can start with anything; let it start with words of at least 3 letters, or give `anchors`"
    )]
    NoAnchor,
    /// The pattern can match the empty string.
    #[error("the pattern matches the empty text")]
    Empty,
}

/// Collects the patterns of every detector.
#[derive(Debug, Default)]
pub struct PatternsBuilder {}

impl PatternsBuilder {
    /// Opens the group of one detector.
    pub fn group(&mut self) -> Group {
        Group(0)
    }

    /// Adds a pattern to `group`; returns its number within the group, counted from 0.
    ///
    /// # Errors
    /// When the pattern is not usable.
    pub fn add(&mut self, _group: Group, _spec: &PatternSpec<'_>) -> Result<u32, PatternError> {
        Ok(0)
    }

    /// Builds the set.
    #[must_use]
    pub fn build(self) -> Patterns {
        Patterns {}
    }
}

/// The patterns of every detector, matched in one pass.
#[derive(Debug)]
pub struct Patterns {}

impl Patterns {
    /// Every hit in `text`, in order of start; hits may overlap.
    #[must_use]
    pub fn scan(&self, _text: &str) -> Vec<Hit> {
        Vec::new()
    }
}
