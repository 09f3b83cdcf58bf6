//! Telephone numbers as one of the recognisers.

use bartizan_core::Severity;

use super::phone;
use super::recogniser::{Recogniser, by_grammar, rule};

/// Telephone numbers; found by [`phone::match_at`].
pub(super) static PHONE: Recogniser = Recogniser {
    rule: rule(
        "pii.phone-number",
        "telephone number",
        "PHONE_NUMBER",
        Severity::Medium,
    ),
    shapes: &[],
    check: by_grammar,
    plausible: 0.85,
    valid: 0.85,
    context: phone::CONTEXT,
};
