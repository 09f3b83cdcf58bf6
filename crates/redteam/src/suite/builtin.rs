//! The suites in the binary. All are written for Bartizan.

use super::{Suite, SuiteError};

/// Name and text of each built-in suite, in the order of reports.
const SUITES: [(&str, &str); 14] = [
    ("smoke", include_str!("../../suites/smoke.yaml")),
    ("injection", include_str!("../../suites/injection.yaml")),
    (
        "multilingual",
        include_str!("../../suites/multilingual.yaml"),
    ),
    ("indirect", include_str!("../../suites/indirect.yaml")),
    ("jailbreak", include_str!("../../suites/jailbreak.yaml")),
    ("multi-turn", include_str!("../../suites/multi-turn.yaml")),
    ("extraction", include_str!("../../suites/extraction.yaml")),
    ("leak", include_str!("../../suites/leak.yaml")),
    ("agent", include_str!("../../suites/agent.yaml")),
    ("output", include_str!("../../suites/output.yaml")),
    (
        "amplification",
        include_str!("../../suites/amplification.yaml"),
    ),
    ("harm", include_str!("../../suites/harm.yaml")),
    ("bias", include_str!("../../suites/bias.yaml")),
    ("controls", include_str!("../../suites/controls.yaml")),
];

/// The names of the built-in suites.
pub fn builtin_names() -> impl ExactSizeIterator<Item = &'static str> {
    SUITES.iter().map(|(name, _)| *name)
}

/// Every built-in suite but `smoke`, whose texts the others hold in other words.
///
/// # Errors
/// When a suite is broken, which the tests of this crate rule out.
pub fn builtin() -> Result<Vec<Suite>, SuiteError> {
    let rest = SUITES.iter().filter(|(name, _)| *name != "smoke");
    rest.map(|(_, yaml)| Suite::from_yaml(yaml)).collect()
}

/// The built-in suite of that name; `None` if there is none.
#[must_use]
pub fn named(name: &str) -> Option<Result<Suite, SuiteError>> {
    let (_, yaml) = SUITES.iter().find(|(known, _)| *known == name)?;
    Some(Suite::from_yaml(yaml))
}
