//! What something is done to.

use std::fmt;

/// A thing that rights are about: a kind and a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Resource {
    /// What kind of thing.
    pub kind: ResourceKind,
    /// Its name.
    pub name: String,
}

/// A kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResourceKind {
    /// A model, by the name that clients ask for.
    Model,
    /// A data set.
    Dataset,
    /// An experiment.
    Experiment,
    /// A document, for instance of an index that models are given to read.
    Document,
    /// A tool of an agent.
    Tool,
    /// A route of the gateway, by its path.
    Route,
    /// A part of the audit record.
    Record,
    /// The system as a whole.
    System,
}

/// One row each: kind, name in grants and commands, name of the entity in policies.
const TABLE: [(ResourceKind, &str, &str); 8] = [
    (ResourceKind::Model, "model", "Model"),
    (ResourceKind::Dataset, "dataset", "Dataset"),
    (ResourceKind::Experiment, "experiment", "Experiment"),
    (ResourceKind::Document, "document", "Document"),
    (ResourceKind::Tool, "tool", "Tool"),
    (ResourceKind::Route, "route", "Route"),
    (ResourceKind::Record, "record", "Record"),
    (ResourceKind::System, "system", "System"),
];

impl ResourceKind {
    /// Every kind.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.0)
    }

    /// The name used in grants and commands, e.g. `model`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// The name of its entities in policies, e.g. `Model`.
    #[must_use]
    pub fn entity(self) -> &'static str {
        self.row().2
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    fn row(self) -> &'static (Self, &'static str, &'static str) {
        // INVARIANT: the rows stand in the order of the variants; tested below.
        TABLE.get(self as usize).unwrap_or(&TABLE[0])
    }
}

impl Resource {
    /// The resource of that kind and name.
    #[must_use]
    pub fn new(kind: ResourceKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
        }
    }

    /// Reads `kind:name`; without a kind that is known, the whole is a name of `kind`.
    #[must_use]
    pub fn parse(text: &str, kind: ResourceKind) -> Self {
        let known = text
            .split_once(':')
            .and_then(|(kind, name)| Some((ResourceKind::named(kind)?, name)));
        known.map_or_else(
            || Self::new(kind, text),
            |(kind, name)| Self::new(kind, name),
        )
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.name)
    }
}

/// Resources as a configuration names them: a kind, and a name that may end with `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// What kind of things.
    pub kind: ResourceKind,
    /// Which of them.
    pub name: Pattern,
}

impl Scope {
    /// Reads `kind:name`; `None` without a known kind, or where the name is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once(':')?;
        Some(Self {
            kind: ResourceKind::named(kind)?,
            name: Pattern::parse(name)?,
        })
    }

    /// Whether it names `resource`.
    #[must_use]
    pub fn covers(&self, resource: &Resource) -> bool {
        self.kind == resource.kind && self.name.fits(&resource.name)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.name)
    }
}

/// A name, or the beginning of names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// This one.
    Exact(String),
    /// All that begin so.
    Start(String),
}

impl Pattern {
    /// Bytes of a name at most.
    pub const MAX_BYTES: usize = 256;

    /// Reads a name that may end with `*`; `None` for one that is empty, longer than
    /// [`Self::MAX_BYTES`], or holds control characters or another `*`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, is_start) = match text.strip_suffix('*') {
            Some(start) => (start, true),
            None => (text, false),
        };
        let is_name = text.len() <= Self::MAX_BYTES
            && !name.chars().any(|c| c.is_control() || c == '*')
            && !text.is_empty();
        is_name.then(|| {
            let name = name.to_owned();
            if is_start {
                Self::Start(name)
            } else {
                Self::Exact(name)
            }
        })
    }

    /// Whether `name` is meant.
    #[must_use]
    pub fn fits(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == name,
            Self::Start(start) => name.starts_with(start.as_str()),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Start(name) => write!(f, "{name}*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_row() {
        for kind in ResourceKind::all() {
            assert_eq!(kind.row().0, kind);
            assert_eq!(ResourceKind::named(kind.as_str()), Some(kind));
        }
    }

    #[test]
    fn names_may_end_with_a_star_and_hold_no_other() {
        let start = Scope::parse("model:fraud-*").unwrap();
        assert!(start.covers(&Resource::new(ResourceKind::Model, "fraud-2")));
        assert!(!start.covers(&Resource::new(ResourceKind::Dataset, "fraud-2")));
        assert!(!start.covers(&Resource::new(ResourceKind::Model, "spam")));
        for bad in ["model:", "model:a*b", "modle:a", "model", "model:a\nb"] {
            assert_eq!(Scope::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_name_without_a_kind_is_of_the_expected_one() {
        let parse = |text| Resource::parse(text, ResourceKind::Model).to_string();
        assert_eq!(parse("fraud"), "model:fraud");
        assert_eq!(parse("dataset:fraud"), "dataset:fraud");
        assert_eq!(parse("llama3:8b"), "model:llama3:8b");
    }
}
