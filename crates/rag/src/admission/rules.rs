//! The rules of admission.

use std::borrow::Cow;

use bartizan_core::{Category, Rule, Severity};

const REFS: &[Cow<'static, str>] = &[
    Cow::Borrowed("LLM04:2025"),
    Cow::Borrowed("LLM08:2025"),
    Cow::Borrowed("AML.T0070"),
];

/// Every rule of admission.
pub static RULES: [&Rule; 8] = [
    &SOURCE_REFUSED,
    &SOURCE_DENIED,
    &SOURCE_LOOK_ALIKE,
    &DATE_IN_FUTURE,
    &TOO_OLD,
    &FOREIGN_TENANT,
    &DUPLICATE_ID,
    &CHUNK_TOO_LONG,
];

/// An origin that is not on the list.
pub(super) static SOURCE_REFUSED: Rule = Rule::new(
    "rag.source-refused",
    "a document from an origin that is not allowed",
    Severity::High,
    Category::Integrity,
    REFS,
    [
        "Whoever may add documents decides what answers say.",
        "Add the origin to `rag.sources.allow` if it is yours to trust.",
    ],
    None,
);
/// An origin that is on the list of those refused.
pub(super) static SOURCE_DENIED: Rule = Rule::new(
    "rag.source-denied",
    "a document from an origin that is denied",
    Severity::High,
    Category::Integrity,
    REFS,
    [
        "The origin was put on the list of those that are refused.",
        "Leave the document out.",
    ],
    None,
);
/// An origin made to be taken for another.
pub(super) static SOURCE_LOOK_ALIKE: Rule = Rule::new(
    "rag.source-look-alike",
    "an origin that looks like one of yours and is another",
    Severity::High,
    Category::Integrity,
    REFS,
    [
        "A host that differs by a letter, a look-alike character, or what follows it belongs to somebody else.",
        "Leave the document out and look for who added it.",
    ],
    None,
);
/// A date that has not come.
pub(super) static DATE_IN_FUTURE: Rule = Rule::new(
    "rag.date-in-future",
    "a document from the future",
    Severity::High,
    Category::Integrity,
    REFS,
    [
        "A date that has not come puts a document before all others wherever the newest wins.",
        "Correct the date at its source, or leave the document out.",
    ],
    None,
);
/// A date too long ago.
pub(super) static TOO_OLD: Rule = Rule::new(
    "rag.document-too-old",
    "a document past its age limit",
    Severity::Medium,
    Category::Integrity,
    REFS,
    [
        "What was true then may mislead now.",
        "Renew the document, or raise `rag.sources.max-age-days`.",
    ],
    None,
);
/// A chunk of another tenant.
pub(super) static FOREIGN_TENANT: Rule = Rule::new(
    "rag.foreign-tenant",
    "a chunk of another tenant",
    Severity::Critical,
    Category::Integrity,
    REFS,
    [
        "One customer's documents must not reach another's answers.",
        "Filter by tenant before scoring, and find out how the chunk came here.",
    ],
    None,
);
/// Two chunks of one id.
pub(super) static DUPLICATE_ID: Rule = Rule::new(
    "rag.duplicate-id",
    "two chunks with the same id",
    Severity::Medium,
    Category::Integrity,
    REFS,
    [
        "A citation of the id may mean either, so one can stand in for the other.",
        "Give every chunk an id of its own.",
    ],
    None,
);
/// A chunk past its limit.
pub(super) static CHUNK_TOO_LONG: Rule = Rule::new(
    "rag.chunk-too-long",
    "a chunk longer than the limit",
    Severity::Medium,
    Category::Integrity,
    REFS,
    [
        "A chunk that fills the context leaves no room for what contradicts it.",
        "Split it, or raise `rag.sources.max-chunk-chars`.",
    ],
    None,
);
