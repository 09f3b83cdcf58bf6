use bartizan_core::{Category, Layer, Origin, Severity, Verdict};
use serde::Serialize;

use crate::{Direction, glob};

/// One line of the decision table: which findings it is about, and what they lead to.
///
/// Every condition that is left empty holds for any finding; the first row all of whose conditions
/// hold decides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its name in decisions; built-in ones start with `default.`.
    pub name: String,
    /// Layers.
    pub layers: Vec<Layer>,
    /// Kinds of harm.
    pub categories: Vec<Category>,
    /// Rule ids; `*` stands for any run of characters.
    pub rules: Vec<String>,
    /// Only findings at least this severe.
    pub min_severity: Option<Severity>,
    /// Who wrote the text.
    pub origins: Vec<Origin>,
    /// Routes; `*` stands for any run of characters.
    pub routes: Vec<String>,
    /// Tenants; `*` stands for any run of characters.
    pub tenants: Vec<String>,
    /// Before or after the model.
    pub direction: Option<Direction>,
    /// What happens from which confidence on.
    pub thresholds: Thresholds,
}

impl Row {
    /// Whether the row is about this finding.
    pub(crate) fn is_about(&self, evidence: &Described<'_>) -> bool {
        fn any<T: PartialEq>(wanted: &[T], actual: &T) -> bool {
            wanted.is_empty() || wanted.contains(actual)
        }
        any(&self.layers, &evidence.layer)
            && any(&self.categories, &evidence.category)
            && any(&self.origins, &evidence.origin)
            && self
                .min_severity
                .is_none_or(|floor| evidence.severity >= floor)
            && self
                .direction
                .is_none_or(|direction| direction == evidence.direction)
            && glob::matches_any(&self.rules, evidence.rule)
            && glob::matches_any(&self.routes, evidence.route)
            && glob::matches_any(&self.tenants, evidence.tenant)
    }
}

/// What rows and exceptions look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Described<'a> {
    pub(crate) rule: &'a str,
    pub(crate) layer: Layer,
    pub(crate) category: Category,
    pub(crate) severity: Severity,
    pub(crate) origin: Origin,
    pub(crate) direction: Direction,
    pub(crate) route: &'a str,
    pub(crate) tenant: &'a str,
}

/// From which confidence on, in `[0, 1]`, what happens; `None` never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Thresholds {
    /// The finding is listed in the decision.
    pub flag: Option<f32>,
    /// The place is edited.
    pub redact: Option<f32>,
    /// A human is asked.
    pub ask: Option<f32>,
    /// The whole is refused.
    pub block: Option<f32>,
}

impl Thresholds {
    /// The strictest action that `confidence` reaches, with every threshold multiplied by
    /// `factor`; [`Verdict::Allow`] means flagged, `None` not even that.
    #[must_use]
    pub fn action(&self, confidence: f32, factor: f32) -> Option<Verdict> {
        let reached =
            |threshold: Option<f32>| threshold.is_some_and(|from| confidence >= from * factor);
        [
            (self.block, Verdict::Block),
            (self.ask, Verdict::Ask),
            (self.redact, Verdict::Redact),
            (self.flag, Verdict::Allow),
        ]
        .into_iter()
        .find_map(|(threshold, verdict)| reached(threshold).then_some(verdict))
    }
}
