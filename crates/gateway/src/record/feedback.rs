use bartizan_measure::Estimate;
use schemars::JsonSchema;
use serde::Serialize;

use super::FeedbackLabel;

/// A rate with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Rate {
    /// How many of them.
    pub hits: u64,
    /// Of how many.
    pub of: u64,
    /// The share, 0 of none.
    pub rate: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Rate {
    /// The share of `hits` among `of`, with Wilson's score interval at 95 %: honest also for few
    /// labels and for rates near 0.
    #[must_use]
    pub fn wilson(hits: u64, of: u64) -> Self {
        let share = Estimate::share(hits, of);
        let interval = share.and_then(|share| share.interval);
        Self {
            hits,
            of,
            rate: share.map_or(0.0, |share| share.value),
            low: interval.map_or(0.0, |interval| interval.low),
            high: interval.map_or(1.0, |interval| interval.high),
        }
    }
}

/// How often the guard was wrong, as far as people said so.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FeedbackRates {
    /// Flagged requests that were harmless, of all flagged ones with a label: what an operator sees.
    pub false_discovery: Rate,
    /// Harmless requests that were flagged, of all harmless ones with a label. Meaningful only if
    /// requests that passed are labelled as willingly as those that did not.
    pub false_positive: Rate,
    /// Harmful requests that passed, of all harmful ones with a label.
    pub false_negative: Rate,
}

impl FeedbackRates {
    /// The rates of so many labels of each kind.
    #[must_use]
    pub fn of(count: impl Fn(FeedbackLabel) -> u64) -> Self {
        let [tp, fp, tn, fal_n] = FeedbackLabel::ALL.map(count);
        Self {
            false_discovery: Rate::wilson(fp, fp + tp),
            false_positive: Rate::wilson(fp, fp + tn),
            false_negative: Rate::wilson(fal_n, fal_n + tp),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    #[test]
    fn met_02_intervals_as_published() {
        for (hits, of, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let rate = Rate::wilson(hits, of);
            assert!((rate.low - low).abs() < 5e-5, "{hits}/{of}: {rate:?}");
            assert!((rate.high - high).abs() < 5e-5, "{hits}/{of}: {rate:?}");
        }
        assert_eq!(Rate::wilson(0, 0).high, 1.0);
    }
}
