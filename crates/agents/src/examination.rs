use std::fmt;

use bartizan_core::{Confidence, Finding, Layer, Rule, Transform};

use crate::{ArgumentKind, FlowAction, SourceKind};

/// What was decided about one call, and why.
#[derive(Clone, Debug, Default)]
pub struct Examination {
    /// What stands against it; empty if it may be made.
    pub objections: Vec<Objection>,
    /// Where every value came from.
    pub values: Vec<ValueStory>,
}

/// One thing that stands against a call.
#[derive(Clone, Debug)]
pub struct Objection {
    /// The rule.
    pub rule: &'static Rule,
    /// What happens: ask or deny.
    pub action: FlowAction,
    /// What is wrong, without words of the call.
    pub message: String,
    /// How the text was written that chose the value.
    pub via: Option<Transform>,
}

/// Where one value of a call came from, and which row let it pass or stopped it.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueStory {
    /// The argument.
    pub argument: String,
    /// What it chooses.
    pub kind: ArgumentKind,
    /// How it came about.
    pub source: SourceKind,
    /// Where the texts stand that hold it.
    pub places: Vec<String>,
    /// Whether not everyone may read it.
    pub private: bool,
    /// The row that decided.
    pub row: String,
    /// What it said.
    pub action: FlowAction,
}

impl Examination {
    /// The strictest of what was decided.
    #[must_use]
    pub fn action(&self) -> FlowAction {
        self.objections
            .iter()
            .map(|objection| objection.action)
            .max()
            .unwrap_or(FlowAction::Allow)
    }

    /// The objections as findings.
    pub fn findings(&self) -> impl Iterator<Item = Finding> {
        self.objections.iter().map(Objection::finding)
    }
}

impl Objection {
    pub(crate) fn deny(rule: &'static Rule, message: impl Into<String>) -> Self {
        Self {
            rule,
            action: FlowAction::Deny,
            message: message.into(),
            via: None,
        }
    }

    pub(crate) fn ask(rule: &'static Rule, message: impl Into<String>) -> Self {
        Self {
            action: FlowAction::Ask,
            ..Self::deny(rule, message)
        }
    }

    /// As a finding about the call as a whole: what a table decides is certain.
    #[must_use]
    pub fn finding(&self) -> Finding {
        Finding {
            rule: self.rule.into(),
            layer: Layer::Provenance,
            confidence: Confidence::CERTAIN,
            span: None,
            via: self.via.into_iter().collect(),
            message: self.message.clone().into(),
        }
    }
}

impl fmt::Display for Examination {
    /// One line for each value, and one for each objection.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for value in &self.values {
            let what = match value.action {
                FlowAction::Allow => "may pass",
                FlowAction::Ask => "asks",
                FlowAction::Deny => "is refused",
            };
            write!(
                f,
                "`{}`, a {}, is {}",
                value.argument,
                value.kind.as_str(),
                value.source.as_str()
            )?;
            if !value.places.is_empty() {
                write!(f, " from {}", value.places.join(", "))?;
            }
            writeln!(f, " and {what}, by row `{}`", value.row)?;
        }
        for objection in &self.objections {
            writeln!(f, "{}: {}", objection.rule.id, objection.message)?;
        }
        Ok(())
    }
}
