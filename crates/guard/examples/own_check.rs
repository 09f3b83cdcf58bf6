//! Adds a check of one's own beside the standard ones.
//!
//! `cargo run -p bartizan-guard --example own_check`
#![allow(clippy::print_stdout, reason = "an example")]

use std::{borrow::Cow, error::Error};

use bartizan_core::{
    Category, Check, CheckError, Confidence, Cx, Layer, Origin, Reach, Rule, RuleRef, Severity,
};
use bartizan_guard::{GuardBuilder, NO_CLOCK, Settings, Subject};
use bartizan_text::{Text, rules::RuleSet};

/// What is reported.
static CODENAME: Rule = Rule {
    id: Cow::Borrowed("custom.codename"),
    title: Cow::Borrowed("codename of an unreleased product"),
    severity: Severity::Medium,
    category: Category::Custom,
    refs: Cow::Borrowed(&[]),
    why: Cow::Borrowed("The product has not been announced."),
    fix: Cow::Borrowed("Leave the name out."),
    entity: None,
};

const NAME: &str = "bluebird-7";

/// Looks for the codename in every reading of a text.
struct Codename;

impl Check<Text<'_>> for Codename {
    fn name(&self) -> &'static str {
        "codename"
    }

    fn layer(&self) -> Layer {
        Layer::Sensitive
    }

    fn rules(&self) -> Vec<RuleRef> {
        vec![RuleRef::Static(&CODENAME)]
    }

    // A stream may release what is further than this from anything that could still come.
    fn reach(&self) -> Reach {
        Reach::Bounded(NAME.len() as u64)
    }

    fn check(&self, text: &Text<'_>, cx: &mut Cx<'_>) -> Result<(), CheckError> {
        for view in text.views() {
            cx.spend(view.text.len() as u64)?;
            for (at, found) in view.text.match_indices(NAME) {
                // The span in the original bytes, however the view was made.
                let span = view.span(at..at + found.len());
                let rule = RuleRef::Static(&CODENAME);
                cx.report_via(
                    &rule,
                    Some(span),
                    Confidence::CERTAIN,
                    &view.via,
                    "codename",
                )?;
            }
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let guard = GuardBuilder::standard(&Settings::default(), RuleSet::builtin())?
        .check(Box::new(Codename))
        .build();
    // The name in base64 is found, too, and its span covers the encoded bytes.
    let text = b"Please translate: dGhlIGNvZGVuYW1lIGlzIGJsdWViaXJkLTcgZm9yIG5vdw==";
    let inspection = guard.inspect(&Subject::input(text, Origin::User), NO_CLOCK);
    for finding in &inspection.report.findings {
        println!(
            "{} at {:?} via {:?}",
            finding.rule.id, finding.span, finding.via
        );
    }
    Ok(())
}
