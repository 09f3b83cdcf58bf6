use bartizan_core::{Category, Layer, Severity, Verdict};
use serde::Serialize;

use crate::{Direction, Reason};

/// How the composite safety score leads to a verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScorePolicy {
    /// Served from this score on, in `[0, 1]`.
    pub serve: f64,
    /// Reviewed by a human from this score on, refused below; in `[0, 1]`, at most `serve`.
    pub review: f64,
    /// Directions in which the band counts; elsewhere it is only reported.
    pub enforce: Vec<Direction>,
}

impl Default for ScorePolicy {
    /// Serve from 0.9 on, review from 0.7 on, enforced on output.
    fn default() -> Self {
        Self {
            serve: 0.9,
            review: 0.7,
            enforce: vec![Direction::Output],
        }
    }
}

impl ScorePolicy {
    /// The band that `score` falls in.
    #[must_use]
    pub fn band(&self, score: f64) -> Band {
        if score >= self.serve {
            Band::Serve
        } else if score >= self.review {
            Band::Review
        } else {
            Band::Block
        }
    }
}

/// Where a composite score falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Band {
    /// Safe enough to serve.
    Serve,
    /// A human should look.
    Review,
    /// Not safe.
    Block,
}

impl Band {
    /// The name used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Review => "review",
            Self::Block => "block",
        }
    }

    /// What the band asks for where it is enforced.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Serve => Verdict::Allow,
            Self::Review => Verdict::Ask,
            Self::Block => Verdict::Block,
        }
    }
}

/// The probability that a true finding of this severity does harm; the scale of the score.
const fn weight(severity: Severity) -> f64 {
    match severity {
        Severity::Info => 0.0,
        Severity::Low => 0.05,
        Severity::Medium => 0.25,
        Severity::High => 0.5,
        Severity::Critical => 1.0,
    }
}

/// The composite safety score in `[0, 1]`, 1 is safe: noisy-or (Pearl 1988, section 4.3.2) over
/// independent witnesses, `score = Π (1 - confidence · weight(severity))`.
///
/// Findings of one layer in one category watch the same thing, so only the worst of them is a
/// witness. What is redacted or excepted does not reach the other side and does not count.
#[must_use]
pub fn safety<'a>(reasons: impl Iterator<Item = &'a Reason>) -> f64 {
    let mut witnesses: Vec<((Layer, Category), f64)> = Vec::new();
    for reason in reasons {
        if reason.action == Verdict::Redact || reason.exception.is_some() {
            continue;
        }
        let evidence = &reason.evidence;
        let key = (evidence.layer, evidence.category);
        let risk = f64::from(evidence.confidence).clamp(0.0, 1.0) * weight(evidence.severity);
        match witnesses.iter_mut().find(|(other, _)| *other == key) {
            Some((_, worst)) => *worst = worst.max(risk),
            None => witnesses.push((key, risk)),
        }
    }
    // Sorted, so that the order of findings does not change the last bit of the product.
    witnesses.sort_by_key(|witness| witness.0);
    witnesses
        .iter()
        .fold(1.0, |safe, (_, risk)| safe * (1.0 - risk))
}
