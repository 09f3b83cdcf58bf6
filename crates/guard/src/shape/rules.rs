use std::borrow::Cow;

use bartizan_core::{Category, Rule, Severity};

/// Every rule of this layer.
pub static RULES: [&Rule; 5] = [&TOO_LONG, &TRUNCATED, &UNKNOWN_PART, &CONTROLS, &REPEATED];

const fn rule(
    id: &'static str,
    title: &'static str,
    severity: Severity,
    category: Category,
    why: &'static str,
    fix: &'static str,
) -> Rule {
    const REFS: &[Cow<'static, str>] = &[Cow::Borrowed("LLM10:2025")];
    Rule::new(id, title, severity, category, REFS, [why, fix], None)
}

pub(super) static TOO_LONG: Rule = rule(
    "shape.too-long",
    "text longer than allowed",
    Severity::High,
    Category::Shape,
    "Long texts cost time and money, and bury instructions where nobody looks.",
    "Send a shorter text, or raise the limit for this route.",
);

pub(super) static TRUNCATED: Rule = rule(
    "shape.truncated",
    "text was cut to the limit",
    Severity::Info,
    Category::Shape,
    "The model did not see the end of the text, so its answer may miss what stood there.",
    "Send a shorter text, raise the limit, or switch truncation off.",
);

pub(super) static UNKNOWN_PART: Rule = rule(
    "shape.unknown-part-type",
    "a part of a kind that no format knows",
    Severity::High,
    Category::Shape,
    "What is not understood cannot be checked, while the model behind may understand it.",
    "Send text, or allow the rule `shape.unknown-part-type` for this route after review.",
);

pub(super) static CONTROLS: Rule = rule(
    "shape.control-characters",
    "control characters in a text",
    Severity::Low,
    Category::Shape,
    "Control characters change how terminals and logs show a text, and hide parts of it.",
    "Remove them before sending.",
);

pub(super) static REPEATED: Rule = rule(
    "shape.repeated-token",
    "one word or character repeated without end",
    Severity::Medium,
    Category::Amplification,
    "Endless repetition makes models ramble, leak training data, or work until the limit.",
    "Send the text without the repetition.",
);
