//! The decision table: which value may go where.

use bartizan_core::Origin;
use bartizan_policy::glob_matches;

use crate::{
    ArgumentKind as Kind, Audience, FlowAction, FlowConfig, Risk, SourceKind as Source, Trace,
};

/// What the table is asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow<'a> {
    pub(crate) principal: &'a str,
    pub(crate) tool: &'a str,
    pub(crate) risk: Risk,
    pub(crate) audience: Audience,
    pub(crate) argument: &'a str,
    pub(crate) kind: Kind,
    pub(crate) trace: &'a Trace,
}

impl FlowConfig {
    /// Whether the row is about `flow`.
    pub(crate) fn is_about(&self, flow: &Flow<'_>) -> bool {
        fn any<T: PartialEq>(wanted: &[T], actual: &T) -> bool {
            wanted.is_empty() || wanted.contains(actual)
        }
        let globs = |wanted: &[String], actual: &str| {
            wanted.is_empty() || wanted.iter().any(|pattern| glob_matches(pattern, actual))
        };
        let writers = flow.trace.label.writers;
        any(&self.risks, &flow.risk)
            && any(&self.audiences, &flow.audience)
            && any(&self.kinds, &flow.kind)
            && any(&self.sources, &flow.trace.source)
            && globs(&self.tools, flow.tool)
            && globs(&self.arguments, flow.argument)
            && globs(&self.principals, flow.principal)
            && (self.writers.is_empty() || self.writers.iter().any(|w| writers.contains(*w)))
            && self
                .private
                .is_none_or(|private| private == flow.trace.label.readers.is_private())
    }
}

struct Line {
    name: &'static str,
    risks: &'static [Risk],
    audiences: &'static [Audience],
    kinds: &'static [Kind],
    writers: &'static [Origin],
    sources: &'static [Source],
    private: Option<bool>,
    action: FlowAction,
}

const ANY: Line = Line {
    name: "",
    risks: &[],
    audiences: &[],
    kinds: &[],
    writers: &[],
    sources: &[],
    private: None,
    action: FlowAction::Allow,
};

const FOREIGN: &[Origin] = &[Origin::Retrieved, Origin::Tool];
const SEVERE: &[Risk] = &[Risk::High, Risk::Critical];
const MADE: &[Source] = &[Source::Copied, Source::Derived];
/// What leads others to a place, or runs.
const LEADING: &[Kind] = &[
    Kind::Recipient,
    Kind::Url,
    Kind::Path,
    Kind::Command,
    Kind::Sql,
    Kind::Credential,
    Kind::Amount,
];
const CONTROL: &[Kind] = &[
    Kind::Recipient,
    Kind::Url,
    Kind::Path,
    Kind::Amount,
    Kind::Command,
    Kind::Sql,
    Kind::Identifier,
    Kind::Credential,
];

/// What happens where a configuration says nothing, by risk class.
#[rustfmt::skip]
const TABLE: &[Line] = &[
    // What the user or the operator wrote, or chose out of their own records, may go anywhere.
    Line { name: "named", sources: &[Source::Named, Source::Resolved], ..ANY },
    // What is for the user alone is shown to nobody else by a page or an address.
    Line { name: "private-to-public", audiences: &[Audience::Public], sources: &[Source::Copied], private: Some(true), action: FlowAction::Deny, ..ANY },
    Line { name: "private-in-address", audiences: &[Audience::Public], kinds: &[Kind::Url], sources: &[Source::Derived], private: Some(true), action: FlowAction::Deny, ..ANY },
    Line { name: "perhaps-private-to-public", audiences: &[Audience::Public], kinds: &[Kind::Content, Kind::Other, Kind::Link, Kind::Path, Kind::Identifier], sources: &[Source::Derived], private: Some(true), action: FlowAction::Ask, ..ANY },
    // Text of others chooses nothing that reaches others, pays, runs, or deletes.
    Line { name: "foreign-control", risks: SEVERE, kinds: CONTROL, sources: &[Source::Copied], writers: FOREIGN, action: FlowAction::Deny, ..ANY },
    // What the model made after reading it may be its work, too.
    Line { name: "derived-recipient", risks: SEVERE, kinds: &[Kind::Recipient, Kind::Url, Kind::Credential], sources: &[Source::Derived], writers: FOREIGN, action: FlowAction::Deny, ..ANY },
    Line { name: "derived-control", risks: SEVERE, kinds: CONTROL, sources: &[Source::Derived], writers: FOREIGN, action: FlowAction::Ask, ..ANY },
    // Nobody said what these choose.
    Line { name: "foreign-other", risks: SEVERE, kinds: &[Kind::Other], sources: &[Source::Copied], writers: FOREIGN, action: FlowAction::Ask, ..ANY },
    Line { name: "derived-other", risks: &[Risk::Critical], kinds: &[Kind::Other], sources: &[Source::Derived], writers: FOREIGN, action: FlowAction::Ask, ..ANY },
    Line { name: "foreign-change", risks: &[Risk::Medium], kinds: LEADING, sources: MADE, writers: FOREIGN, action: FlowAction::Ask, ..ANY },
    Line { name: "foreign-address", risks: &[Risk::Low], kinds: &[Kind::Url, Kind::Command, Kind::Sql], sources: MADE, writers: FOREIGN, action: FlowAction::Ask, ..ANY },
    // Nobody publishes in the user's name what others wrote.
    Line { name: "foreign-to-public", audiences: &[Audience::Public], kinds: &[Kind::Content, Kind::Other, Kind::Link], sources: &[Source::Copied], writers: FOREIGN, action: FlowAction::Ask, ..ANY },
    // A link in a message leads whoever reads it.
    Line { name: "foreign-link", audiences: &[Audience::Named, Audience::Public], kinds: &[Kind::Link], sources: MADE, writers: FOREIGN, action: FlowAction::Ask, ..ANY },
    Line { name: "rest", ..ANY },
];

/// The built-in rows in the order in which they are tried.
pub(crate) fn rows() -> Vec<FlowConfig> {
    TABLE
        .iter()
        .map(|line| FlowConfig {
            name: format!("default.{}", line.name),
            risks: line.risks.to_vec(),
            audiences: line.audiences.to_vec(),
            kinds: line.kinds.to_vec(),
            writers: line.writers.to_vec(),
            sources: line.sources.to_vec(),
            private: line.private,
            action: line.action,
            ..FlowConfig::default()
        })
        .collect()
}
