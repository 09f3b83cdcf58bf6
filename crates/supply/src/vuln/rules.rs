use std::borrow::Cow;

use bartizan_core::{Category, Confidence, Finding, Layer, Rule, RuleRef, Severity, Span};

macro_rules! rule {
    ($name:ident, $id:literal, $title:literal, $severity:ident, $category:ident, $refs:expr, $why:literal, $fix:literal) => {
        pub(super) static $name: Rule = Rule::new(
            $id,
            $title,
            Severity::$severity,
            Category::$category,
            $refs,
            [$why, $fix],
            None,
        );
    };
}

const KNOWN: &[Cow<'static, str>] = &[
    Cow::Borrowed("CWE-1395"),
    Cow::Borrowed("LLM03:2025"),
    Cow::Borrowed("AML.T0010.001"),
];
const UNTRUSTED: &[Cow<'static, str>] = &[
    Cow::Borrowed("CWE-829"),
    Cow::Borrowed("LLM03:2025"),
    Cow::Borrowed("AML.T0010.001"),
];

rule!(
    CRITICAL,
    "dependency.critical-vulnerability",
    "a package has a critical vulnerability",
    Critical,
    Vulnerability,
    KNOWN,
    "The advisory's score is 9.0 or more: as a rule, anybody on the network can take over what uses the package.",
    "Move to a version that is not affected, or state in an exception why the weakness cannot be reached."
);
rule!(
    HIGH,
    "dependency.high-vulnerability",
    "a package has a vulnerability of high severity",
    High,
    Vulnerability,
    KNOWN,
    "The advisory's score is 7.0 to 8.9, or nobody has scored it, which is no reason to think little of it.",
    "Move to a version that is not affected, or state in an exception why the weakness cannot be reached."
);
rule!(
    MEDIUM,
    "dependency.medium-vulnerability",
    "a package has a vulnerability of medium severity",
    Medium,
    Vulnerability,
    KNOWN,
    "The advisory's score is 4.0 to 6.9.",
    "Move to a version that is not affected with the next release."
);
rule!(
    LOW,
    "dependency.low-vulnerability",
    "a package has a vulnerability of low severity",
    Low,
    Vulnerability,
    KNOWN,
    "The advisory's score is below 4.0.",
    "Move to a version that is not affected when it is convenient."
);
rule!(
    NOTICE,
    "dependency.notice",
    "a package is unmaintained or carries a notice",
    Info,
    Vulnerability,
    KNOWN,
    "Nobody may be there to mend the next weakness.",
    "Look for a package that is maintained."
);
rule!(
    UNPINNED,
    "dependency.unpinned",
    "a package is asked for without an exact version",
    Low,
    Misconfiguration,
    UNTRUSTED,
    "The next installation can bring other code than the one that was looked at.",
    "Write exact versions, or keep a lock file beside it."
);
rule!(
    UNHASHED,
    "dependency.no-hash",
    "a package is named without a digest",
    Low,
    Misconfiguration,
    UNTRUSTED,
    "An index that was broken into can serve other bytes under the same version.",
    "Let the tool write digests: `uv lock`, `poetry lock`, or `pip-compile --generate-hashes`."
);
rule!(
    ORIGIN,
    "dependency.other-origin",
    "a package does not come from its registry",
    Medium,
    Misconfiguration,
    UNTRUSTED,
    "What an address or a branch serves can change, and advisories do not know it.",
    "Fetch it from the registry, or pin a commit and review it."
);
rule!(
    TYPOSQUAT,
    "dependency.typosquat",
    "a package is called almost as a well-known one",
    High,
    Integrity,
    UNTRUSTED,
    "Packages under names that come of a slip are a common way to get code onto a machine.",
    "Make sure that it is the package that was meant; name it in an exception if it is."
);
rule!(
    RISKY,
    "dependency.runs-pickles",
    "a package is made for pickles",
    Low,
    CodeExecution,
    UNTRUSTED,
    "It loads objects by running what a file says, and its files carry code.",
    "Load weights from safetensors, and plain data from JSON."
);
rule!(
    EXPIRED,
    "dependency.expired-exception",
    "an exception has run out",
    Medium,
    Misconfiguration,
    KNOWN,
    "Somebody accepted a weakness for a time, and the time is over.",
    "Look at it again: mend it, or accept it anew with a reason."
);

/// Every rule about packages.
#[must_use]
pub fn rules() -> Vec<RuleRef> {
    [
        &CRITICAL, &HIGH, &MEDIUM, &LOW, &NOTICE, &UNPINNED, &UNHASHED, &ORIGIN, &TYPOSQUAT,
        &RISKY, &EXPIRED,
    ]
    .map(RuleRef::Static)
    .into()
}

/// The rule for a vulnerability of that severity.
pub(super) fn of_severity(severity: Severity) -> &'static Rule {
    match severity {
        Severity::Critical => &CRITICAL,
        Severity::High => &HIGH,
        Severity::Medium => &MEDIUM,
        Severity::Low => &LOW,
        Severity::Info => &NOTICE,
    }
}

/// The severity that stands in for one that nobody stated.
#[must_use]
pub const fn severity_of(stated: Option<Severity>) -> Severity {
    match stated {
        Some(severity) => severity,
        None => Severity::High,
    }
}

/// A finding about a place in a file; an empty one is no place.
pub(super) fn finding(rule: &'static Rule, place: (u64, u64), message: String) -> Finding {
    let (start, end) = place;
    Finding {
        rule: RuleRef::Static(rule),
        layer: Layer::Artifact,
        confidence: Confidence::CERTAIN,
        span: (start < end).then(|| Span::new(start, end)).flatten(),
        via: Vec::new(),
        message: Cow::Owned(message),
    }
}
