//! What is measured.

use std::sync::Arc;

use bartizan_core::{Check, Cx, Finding, Layer, Limits, Origin};
use bartizan_guard::{Guard, NO_CLOCK, Settings, SettingsError, Subject};
use bartizan_text::{
    PatternsBuilder, Scanner, Text,
    pii::{Pii, PiiConfig},
    rules::RuleSet,
    secrets::Secrets,
    views::ViewLimits,
};

/// Personal data and secrets alone: what the forty patterns of the peer look for, and more.
pub(crate) struct Sensitive {
    scanner: Scanner,
    pii: Pii,
    secrets: Secrets,
}

impl Sensitive {
    pub(crate) fn new() -> Result<Self, SettingsError> {
        let mut patterns = PatternsBuilder::default();
        let secrets = Secrets::new(&mut patterns)?;
        Ok(Self {
            pii: Pii::register(&mut patterns, &PiiConfig::default())?,
            secrets,
            scanner: Scanner::new(Arc::new(patterns.build()), ViewLimits::default()),
        })
    }

    /// Findings in `text` as it stands, encodings not followed, as the peer does.
    pub(crate) fn findings(&self, text: &str) -> usize {
        self.check(&self.scanner.read_main(Origin::User, text.as_bytes()))
    }

    /// Findings in `text` and in what is encoded in it.
    pub(crate) fn findings_decoded(&self, text: &str) -> usize {
        self.check(&self.scanner.read(Origin::User, text.as_bytes()))
    }

    /// What [`Sensitive::findings`] counts.
    pub(crate) fn found(&self, text: &str) -> Vec<Finding> {
        self.list(&self.scanner.read_main(Origin::User, text.as_bytes()))
    }

    fn check(&self, text: &Text<'_>) -> usize {
        self.list(text).len()
    }

    fn list(&self, text: &Text<'_>) -> Vec<Finding> {
        let mut found: Vec<Finding> = Vec::new();
        for check in [&self.pii as &dyn Check<Text<'_>>, &self.secrets] {
            let mut cx = Cx::new(Layer::Sensitive, Limits::default(), &mut found);
            // A limit that is reached cuts the findings short, not the measurement.
            let _ = check.check(text, &mut cx);
        }
        found
    }
}

/// The guard with everything that is on by default.
pub(crate) fn full() -> Result<Guard, SettingsError> {
    Guard::standard(&Settings::default(), RuleSet::builtin())
}

/// Findings of `guard` in `text`.
pub(crate) fn inspect(guard: &Guard, text: &str) -> usize {
    let subject = Subject::input(text.as_bytes(), Origin::User);
    guard.inspect(&subject, NO_CLOCK).report.findings.len()
}

/// `text` in pieces of at most `size` bytes that do not cut characters.
pub(crate) fn pieces(text: &str, size: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.floor_char_boundary(size.min(rest.len()));
        let (piece, after) = rest.split_at_checked(end)?;
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}
