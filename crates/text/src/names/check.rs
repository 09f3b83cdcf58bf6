//! Names and places as findings.

use std::borrow::Cow;

use bartizan_core::{
    Category, Check, CheckError, Cx, Layer, Reach, Rule, RuleRef, Severity, Span, Transform,
};

use super::{NameKind, Names};
use crate::Text;

macro_rules! rule {
    ($id:literal, $title:literal, $severity:ident, $why:literal, $entity:literal) => {
        Rule {
            id: Cow::Borrowed($id),
            title: Cow::Borrowed($title),
            severity: Severity::$severity,
            category: Category::Pii,
            refs: Cow::Borrowed(&[Cow::Borrowed("LLM02:2025"), Cow::Borrowed("CWE-359")]),
            why: Cow::Borrowed($why),
            fix: Cow::Borrowed("Redact it, or allow it for this origin if the task needs it."),
            entity: Some(Cow::Borrowed($entity)),
        }
    };
}

static RULES: [Rule; 4] = [
    rule!(
        "pii.person",
        "name of a person",
        Medium,
        "A name ties whatever else the text says to a person.",
        "PERSON"
    ),
    rule!(
        "pii.address",
        "postal address",
        Medium,
        "An address tells where a person lives or works.",
        "ADDRESS"
    ),
    rule!(
        "pii.location",
        "town, region or country",
        Low,
        "Places narrow down who a text is about.",
        "LOCATION"
    ),
    rule!(
        "pii.organization",
        "company or institution",
        Info,
        "An employer narrows down who a text is about.",
        "ORGANIZATION"
    ),
];

impl NameKind {
    /// The rule that it is reported under.
    #[must_use]
    pub fn rule(self) -> &'static Rule {
        let [person, address, location, organization] = &RULES;
        match self {
            Self::Person => person,
            Self::Address => address,
            Self::Location => location,
            Self::Organization => organization,
        }
    }
}

impl Check<Text<'_>> for Names<'_> {
    fn name(&self) -> &'static str {
        "names"
    }

    fn layer(&self) -> Layer {
        Layer::Sensitive
    }

    fn rules(&self) -> Vec<RuleRef> {
        self.config
            .kinds
            .iter()
            .map(|kind| RuleRef::Static(kind.rule()))
            .collect()
    }

    fn reach(&self) -> Reach {
        Self::REACH
    }

    fn settled(&self, subject: &Text<'_>) -> Option<u64> {
        let raw = subject.raw();
        // The last stretch of valid text; a character cut short at the end is no part of it.
        let (mut start, mut valid) = (0, "");
        let mut at = 0;
        for chunk in raw.utf8_chunks() {
            if !chunk.valid().is_empty() {
                (start, valid) = (at, chunk.valid());
            }
            at += chunk.valid().len() + chunk.invalid().len();
        }
        let settled = start + self.settled_in(valid);
        // The last byte of the main view that came from there or before.
        let main = subject.main();
        if main.map.is_identity() {
            return Some(settled.min(main.text.len()) as u64);
        }
        let (mut low, mut high) = (0, main.text.len());
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if main.span(middle..middle).as_range().start <= settled {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Some(low as u64)
    }

    fn check(&self, subject: &Text<'_>, cx: &mut Cx<'_>) -> Result<(), CheckError> {
        let mut found = Vec::new();
        let mut look = |text: &str, start: u64| -> Result<(), CheckError> {
            cx.spend(text.len() as u64)?;
            self.find(text, &mut found);
            for name in found.drain(..) {
                let span = Span::from_range(name.range).shifted(start);
                cx.report(
                    &RuleRef::Static(name.kind.rule()),
                    Some(span),
                    name.confidence,
                    name.kind.rule().title.clone(),
                )?;
            }
            Ok(())
        };
        // Text without mistakes, which is nearly all of it, is told several times faster.
        if let Ok(text) = std::str::from_utf8(subject.raw()) {
            look(text, 0)?;
        } else {
            let mut start = 0;
            for chunk in subject.raw().utf8_chunks() {
                look(chunk.valid(), start)?;
                start += (chunk.valid().len() + chunk.invalid().len()) as u64;
            }
        }
        for view in subject
            .views()
            .skip(1)
            .filter(|view| view.via.last().is_some_and(|&last| is_encoding(last)))
        {
            cx.spend(view.text.len() as u64)?;
            self.find(&view.text, &mut found);
            for name in found.drain(..) {
                let rule = name.kind.rule();
                cx.report_via(
                    &RuleRef::Static(rule),
                    Some(view.span(name.range)),
                    name.confidence,
                    &view.via,
                    rule.title.clone(),
                )?;
            }
        }
        Ok(())
    }
}

/// Whether a view made by it reads as it was written; leet and reversed text would invent names.
const fn is_encoding(transform: Transform) -> bool {
    matches!(
        transform,
        Transform::Base64
            | Transform::Base32
            | Transform::Hex
            | Transform::Binary
            | Transform::Url
            | Transform::HtmlEntities
            | Transform::UnicodeEscape
            | Transform::QuotedPrintable
            | Transform::Tags
            | Transform::VariationSelectors
    )
}
