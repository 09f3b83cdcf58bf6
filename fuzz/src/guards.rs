use std::sync::{Arc, OnceLock};

use bartizan_core::{Limits, Origin, Report};
use bartizan_guard::{Guard, Settings};
use bartizan_text::{PatternsBuilder, Scanner, Text, rules::RuleSet, views::ViewLimits};

/// A guard of the standard checks without those named in `disable`.
pub(crate) fn guard(disable: &[&str]) -> Arc<Guard> {
    let settings = Settings {
        disable: disable.iter().map(|&name| name.to_owned()).collect(),
        ..Settings::default()
    };
    Arc::new(Guard::standard(&settings, RuleSet::builtin()).expect("the names are known"))
}

/// Everything on.
pub(crate) fn standard() -> &'static Arc<Guard> {
    static GUARD: OnceLock<Arc<Guard>> = OnceLock::new();
    GUARD.get_or_init(|| guard(&[]))
}

/// A scanner without patterns.
pub(crate) fn plain_scanner() -> &'static Scanner {
    static SCANNER: OnceLock<Scanner> = OnceLock::new();
    SCANNER.get_or_init(|| {
        let patterns = Arc::new(PatternsBuilder::default().build());
        Scanner::new(patterns, ViewLimits::default())
    })
}

/// What `check` reports about `text`; its spans are in range and on whole characters.
pub(crate) fn report_of(
    check: &dyn for<'t> bartizan_core::Check<Text<'t>>,
    scanner: &Scanner,
    raw: &[u8],
) -> Report {
    let text = scanner.read(Origin::User, raw);
    let mut report = Report::default();
    report.run::<Text<'_>>(check, &text, Limits::default());
    spans_are_sound(&report, raw);
    report
}

/// Spans lie in `raw`, none is empty, and in a valid text none cuts a character.
pub(crate) fn spans_are_sound(report: &Report, raw: &[u8]) {
    let valid = std::str::from_utf8(raw).ok();
    for finding in &report.findings {
        let Some(span) = finding.span else { continue };
        let range = span.as_range();
        assert!(range.end <= raw.len(), "{} at {range:?}", finding.rule.id);
        assert!(!range.is_empty(), "{} at {range:?}", finding.rule.id);
        if let Some(valid) = valid {
            assert!(
                valid.is_char_boundary(range.start) && valid.is_char_boundary(range.end),
                "{} at {range:?} cuts a character",
                finding.rule.id
            );
        }
    }
}
