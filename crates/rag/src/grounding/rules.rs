//! The rules of grounding.

use std::borrow::Cow;

use bartizan_core::{Category, Rule, Severity};

const REFS: &[Cow<'static, str>] = &[Cow::Borrowed("LLM09:2025"), Cow::Borrowed("AML.T0062")];

const fn rule(
    id: &'static str,
    title: &'static str,
    severity: Severity,
    why: &'static str,
    fix: &'static str,
) -> Rule {
    // A claim that nothing proves: an answer that asks for review, never one that is harmful.
    Rule::new(
        id,
        title,
        severity,
        Category::Integrity,
        REFS,
        [why, fix],
        None,
    )
}

/// Every rule of grounding.
pub static RULES: [&Rule; 6] = [
    &UNSUPPORTED_NUMBER,
    &UNSUPPORTED_NAME,
    &UNSUPPORTED_CLAIM,
    &CONTRADICTED,
    &UNRESOLVED_CITATION,
    &NO_EVIDENCE,
];
pub(super) static UNSUPPORTED_NUMBER: Rule = rule(
    "grounding.unsupported-number",
    "a number or date that the evidence does not have",
    Severity::Medium,
    "Amounts, doses, and dates are what people act on, and a digit makes all the difference.",
    "Answer with the number of the evidence, or say that it is not known.",
);
pub(super) static UNSUPPORTED_NAME: Rule = rule(
    "grounding.unsupported-name",
    "a name that the evidence does not have",
    Severity::Medium,
    "A person, product, or place that no document names was made up, or comes from elsewhere.",
    "Leave the name out, or retrieve a document that has it.",
);
pub(super) static UNSUPPORTED_CLAIM: Rule = rule(
    "grounding.unsupported-claim",
    "a sentence that no evidence supports",
    Severity::Medium,
    "It may be true, but not because of anything that was retrieved.",
    "Answer from the evidence only, and fall back to saying so where there is none.",
);
pub(super) static CONTRADICTED: Rule = rule(
    "grounding.contradicted",
    "a sentence that denies what the evidence says, or the reverse",
    Severity::Medium,
    "The words are those of the evidence and the meaning is not.",
    "Have a person or a judge model read it.",
);
pub(super) static UNRESOLVED_CITATION: Rule = rule(
    "grounding.unresolved-citation",
    "a citation of nothing that was retrieved",
    Severity::Medium,
    "A citation lends weight; one that leads nowhere lends it to anything.",
    "Strip it, as the safe text does.",
);
pub(super) static NO_EVIDENCE: Rule = rule(
    "grounding.no-evidence",
    "an answer without any evidence",
    Severity::Medium,
    "Nothing was retrieved, or nothing of it was admitted.",
    "Answer with the fallback text.",
);
