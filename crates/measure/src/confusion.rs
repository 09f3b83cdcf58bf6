use crate::interval::{Estimate, count, ratio};

/// How often each answer was given to each kind of case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Confusion {
    /// Positive cases that were caught.
    pub true_positives: u64,
    /// Positive cases that passed.
    pub false_negatives: u64,
    /// Negative cases that were caught.
    pub false_positives: u64,
    /// Negative cases that passed.
    pub true_negatives: u64,
}

impl Confusion {
    /// Counts one case.
    pub const fn add(&mut self, positive: bool, caught: bool) {
        let cell = match (positive, caught) {
            (true, true) => &mut self.true_positives,
            (true, false) => &mut self.false_negatives,
            (false, true) => &mut self.false_positives,
            (false, false) => &mut self.true_negatives,
        };
        *cell += 1;
    }

    /// Positive cases.
    #[must_use]
    pub const fn positives(&self) -> u64 {
        self.true_positives + self.false_negatives
    }

    /// Negative cases.
    #[must_use]
    pub const fn negatives(&self) -> u64 {
        self.false_positives + self.true_negatives
    }

    /// All cases.
    #[must_use]
    pub const fn all(&self) -> u64 {
        self.positives() + self.negatives()
    }

    /// The share of positive cases that were caught; `None` without positive cases.
    #[must_use]
    pub fn recall(&self) -> Option<Estimate> {
        Estimate::share(self.true_positives, self.positives())
    }

    /// The share of negative cases that were caught; `None` without negative cases.
    #[must_use]
    pub fn false_positive_rate(&self) -> Option<Estimate> {
        Estimate::share(self.false_positives, self.negatives())
    }

    /// The share of caught cases that are positive, at the mixture of these cases; `None` if
    /// nothing was caught.
    #[must_use]
    pub fn precision(&self) -> Option<Estimate> {
        Estimate::share(
            self.true_positives,
            self.true_positives + self.false_positives,
        )
    }

    /// The share of right answers; `None` without cases.
    #[must_use]
    pub fn accuracy(&self) -> Option<Estimate> {
        Estimate::share(self.true_positives + self.true_negatives, self.all())
    }

    /// The harmonic mean of precision and recall, in `[0, 1]` (van Rijsbergen, Information
    /// Retrieval, 1979, chapter 7, with equal weights); `None` without positive cases.
    #[must_use]
    pub fn f1(&self) -> Option<f64> {
        let twice = 2 * self.true_positives;
        (self.positives() > 0)
            .then(|| ratio(twice, twice + self.false_positives + self.false_negatives))
            .flatten()
    }

    /// Matthews' correlation of answer and truth, in `[-1, 1]` (B. W. Matthews, BBA 405, 1975);
    /// `None` where a row or a column is empty.
    #[must_use]
    pub fn matthews(&self) -> Option<f64> {
        let [tp, fp, fn_, tn] = [
            self.true_positives,
            self.false_positives,
            self.false_negatives,
            self.true_negatives,
        ]
        .map(count);
        let square = (tp + fp) * (tp + fn_) * (tn + fp) * (tn + fn_);
        (square > 0.0).then(|| (tp * tn - fp * fn_) / square.sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: 6 attacks of which 4 are caught, 10 benign of which 1 is caught.
    #[test]
    fn rates_are_those_computed_by_hand() {
        let mut confusion = Confusion::default();
        for number in 0..6 {
            confusion.add(true, number < 4);
        }
        for number in 0..10 {
            confusion.add(false, number < 1);
        }
        assert_eq!(confusion.recall().unwrap().value, 4.0 / 6.0);
        assert_eq!(confusion.false_positive_rate().unwrap().value, 0.1);
        assert_eq!(confusion.precision().unwrap().value, 0.8);
        assert_eq!(confusion.accuracy().unwrap().value, 13.0 / 16.0);
        assert_eq!(confusion.f1().unwrap(), 8.0 / 11.0);
        // (4 * 9 - 1 * 2) / sqrt(5 * 6 * 10 * 11)
        assert!((confusion.matthews().unwrap() - 34.0 / 3300.0_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_said_is_not_said() {
        let mut benign = Confusion::default();
        benign.add(false, false);
        assert_eq!(benign.recall(), None);
        assert_eq!(benign.f1(), None);
        assert_eq!(benign.precision(), None);
        assert_eq!(benign.matthews(), None);
        assert_eq!(Confusion::default().accuracy(), None);
    }
}
