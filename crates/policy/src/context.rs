use std::fmt;

use bartizan_core::{Direction, Finding, Origin, Report};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What a decision depends on beside the report.
#[derive(Clone, Copy)]
pub struct DecisionContext<'a> {
    /// Which way the text goes.
    pub direction: Direction,
    /// Who wrote it, where [`crate::Policy::decide`] is given a single report.
    pub origin: Origin,
    /// The route, as named in the gateway's configuration; empty for none.
    pub route: &'a str,
    /// The tenant; empty for none.
    pub tenant: &'a str,
    /// Today, for exceptions that expire.
    pub today: Date,
    /// Multiplies the thresholds of attack categories, in `[0.1, 1]`; below 1 after suspicious
    /// turns.
    pub threshold_factor: f32,
    /// The keyed hash of the text of a finding in a part, in lower-case hexadecimal; asked only
    /// where an exception for a text could apply.
    pub text_hash: Option<TextHash<'a>>,
}

/// Gives the keyed hash of the text that a finding in the part of that number is about.
pub type TextHash<'a> = &'a dyn Fn(u32, &Finding) -> Option<String>;

impl<'a> DecisionContext<'a> {
    /// A text of `origin` on its way in `direction`, on no route and for no tenant.
    #[must_use]
    pub const fn new(direction: Direction, origin: Origin, today: Date) -> Self {
        Self {
            direction,
            origin,
            route: "",
            tenant: "",
            today,
            threshold_factor: 1.0,
            text_hash: None,
        }
    }

    pub(crate) fn recorded(&self) -> RecordedContext {
        RecordedContext {
            direction: self.direction,
            route: self.route.to_owned(),
            tenant: self.tenant.to_owned(),
            today: self.today.to_string(),
            threshold_factor: clamped_factor(self.threshold_factor),
        }
    }
}

impl fmt::Debug for DecisionContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.recorded().fmt(f)
    }
}

/// One part of a conversation with what was found in it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The number of the part.
    pub part: u32,
    /// Who wrote it.
    pub origin: Origin,
    /// What was found, and what was looked at.
    pub report: &'a Report,
}

/// The context of a decision as its record keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedContext {
    /// Which way the text went.
    pub direction: Direction,
    /// The route.
    pub route: String,
    /// The tenant.
    pub tenant: String,
    /// The day of the decision, `YYYY-MM-DD`.
    pub today: String,
    /// What the thresholds of attack categories were multiplied by.
    pub threshold_factor: f32,
}

/// NaN and values above 1 must not loosen a policy, values near 0 must not block everything.
fn clamped_factor(factor: f32) -> f32 {
    if factor.is_nan() {
        1.0
    } else {
        factor.clamp(0.1, 1.0)
    }
}
