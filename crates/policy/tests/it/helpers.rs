use std::{borrow::Cow, sync::Arc};

use bartizan_core::{
    Category, CheckError, Confidence, Coverage, Finding, Layer, Origin, Report, Rule, RuleRef,
    Severity, Span,
};
use bartizan_policy::{Date, DecisionContext, Direction};

/// The day of every test.
pub(crate) fn today() -> Date {
    "2026-11-21".parse().unwrap()
}

pub(crate) fn input() -> DecisionContext<'static> {
    DecisionContext::new(Direction::Input, Origin::User, today())
}

pub(crate) fn output() -> DecisionContext<'static> {
    DecisionContext::new(Direction::Output, Origin::Model, today())
}

/// A finding of a rule that is named after its category.
pub(crate) fn finding(category: Category, severity: Severity, confidence: f32) -> Finding {
    named(&format!("test.{category}"), category, severity, confidence)
}

pub(crate) fn named(id: &str, category: Category, severity: Severity, confidence: f32) -> Finding {
    Finding {
        rule: RuleRef::Shared(Arc::new(Rule {
            id: id.to_owned().into(),
            title: "a rule".into(),
            severity,
            category,
            refs: Cow::Borrowed(&[]),
            why: "".into(),
            fix: "".into(),
            entity: None,
        })),
        layer: Layer::Rules,
        confidence: Confidence::clamped(confidence),
        span: Span::new(3, 9),
        via: Vec::new(),
        message: "SECRETWORD".into(),
    }
}

/// A report in which the rules layer finished.
pub(crate) fn report(findings: impl IntoIterator<Item = Finding>) -> Report {
    Report {
        findings: findings.into_iter().collect(),
        coverage: vec![covered(Layer::Rules, Ok(()))],
    }
}

pub(crate) fn covered(layer: Layer, outcome: Result<(), CheckError>) -> Coverage {
    Coverage {
        check: "test",
        layer,
        outcome,
    }
}
