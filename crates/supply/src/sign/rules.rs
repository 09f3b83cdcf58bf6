use bartizan_core::{Category, Rule, RuleRef, Severity};
use std::borrow::Cow;

macro_rules! rule {
    ($name:ident, $id:literal, $title:literal, $severity:ident, $why:literal, $fix:literal) => {
        pub(crate) static $name: Rule = Rule::new(
            $id,
            $title,
            Severity::$severity,
            Category::Integrity,
            &[
                Cow::Borrowed("CWE-345"),
                Cow::Borrowed("LLM03:2025"),
                Cow::Borrowed("AML.T0010"),
            ],
            [$why, $fix],
            None,
        );
    };
}

rule!(
    ALTERED,
    "signature.altered-file",
    "a file is not what was signed",
    Critical,
    "Its bytes were changed after the model was signed, by accident or on purpose.",
    "Fetch the model again from its maker, and do not load this copy."
);
rule!(
    MISSING,
    "signature.missing-file",
    "a signed file is missing",
    High,
    "What is left out can change what the rest does, for example a configuration that pins a safe format.",
    "Fetch the model again from its maker."
);
rule!(
    UNSIGNED,
    "signature.unsigned-file",
    "a file is not covered by the signature",
    High,
    "Loaders also read files that they find beside the weights, and nobody answers for this one.",
    "Take the file away, sign the model again, or pass over unsigned files on purpose."
);
rule!(
    LINK,
    "signature.link",
    "a link or a special file stands where a signed file should be",
    High,
    "A link can lead to other bytes a moment later, so nothing holds about it.",
    "Put the file itself in its place."
);
rule!(
    INVALID,
    "signature.invalid",
    "the signature does not hold",
    Critical,
    "Nobody who is trusted vouches for these files.",
    "Ask the maker for the right signature and key, and do not load the model until then."
);
rule!(
    UNTRUSTED,
    "signature.untrusted-signer",
    "the signer is not among those who are trusted",
    Critical,
    "The signature may be sound, but its maker may not sign this model.",
    "Have a trusted signer sign the model, or add the signer to the policy after review."
);
rule!(
    ABSENT,
    "signature.absent",
    "the model has no signature",
    High,
    "Without one, whoever can write the files decides what is loaded.",
    "Sign the model with `bartizan sign`, or fetch its signature."
);

/// Every rule about signatures.
#[must_use]
pub fn rules() -> Vec<RuleRef> {
    [
        &ALTERED, &MISSING, &UNSIGNED, &LINK, &INVALID, &UNTRUSTED, &ABSENT,
    ]
    .map(RuleRef::Static)
    .into()
}

/// A signature that does not hold, as a finding.
#[must_use]
pub fn invalid(error: &super::VerifyError) -> bartizan_core::Finding {
    finding(&INVALID, error.to_string())
}

/// A signer who may not sign this, as a finding.
#[must_use]
pub fn untrusted(why: &'static str) -> bartizan_core::Finding {
    finding(&UNTRUSTED, why)
}

/// A finding that is certain and about the whole of what it names.
pub(crate) fn finding(
    rule: &'static Rule,
    message: impl Into<Cow<'static, str>>,
) -> bartizan_core::Finding {
    bartizan_core::Finding {
        rule: RuleRef::Static(rule),
        layer: bartizan_core::Layer::Artifact,
        confidence: bartizan_core::Confidence::CERTAIN,
        span: None,
        via: Vec::new(),
        message: message.into(),
    }
}
