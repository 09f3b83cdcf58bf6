use crate::{
    interval::{Estimate, count, ratio},
    ranking::Ranking,
};

/// Whether scores are the probabilities that they look like.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// Bins of equal width over `[0, 1]`, lowest first; a bin holds its upper end.
    pub bins: Vec<Bin>,
    /// Expected calibration error in `[0, 1]`: how far the share of positive cases lies from the
    /// mean score, averaged over bins by their cases (Guo et al., ICML 2017, equation 3).
    pub expected_error: f64,
    /// The largest such distance (equation 4).
    pub maximum_error: f64,
    /// The mean squared distance of score and truth, in `[0, 1]` (G. W. Brier, Monthly Weather
    /// Review 78, 1950, for two classes).
    pub brier: f64,
}

/// The cases whose score falls in a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// The lower end, not in the bin but for 0.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Cases in it.
    pub cases: u64,
    /// Positive ones.
    pub positives: u64,
    /// Mean score; `None` without cases.
    pub mean_score: Option<f64>,
}

impl Bin {
    /// The share of positive cases; `None` without cases.
    #[must_use]
    pub fn share(&self) -> Option<Estimate> {
        Estimate::share(self.positives, self.cases)
    }

    /// The distance of share and mean score; `None` without cases.
    fn error(&self) -> Option<f64> {
        Some((ratio(self.positives, self.cases)? - self.mean_score?).abs())
    }
}

impl Calibration {
    /// Sorts the cases of `ranking` into `bins` bins. Scores outside `[0, 1]` count as its ends.
    /// `None` without cases or bins.
    #[must_use]
    pub fn of(ranking: &Ranking, bins: u32) -> Option<Self> {
        let edges: Vec<f64> = (0..=bins)
            .map(|edge| f64::from(edge) / f64::from(bins))
            .collect();
        let mut sums = vec![(0_u64, 0_u64, 0.0_f64); bins as usize];
        let mut squares = 0.0;
        for level in &ranking.levels {
            let score = if level.score.is_nan() {
                1.0
            } else {
                level.score.clamp(0.0, 1.0)
            };
            let inner = edges.get(1..).unwrap_or_default();
            let bin = inner.partition_point(|&edge| edge < score);
            let cases = level.positives + level.negatives;
            if let Some(sum) = sums.get_mut(bin) {
                sum.0 += cases;
                sum.1 += level.positives;
                sum.2 += score * count(cases);
            }
            squares += count(level.positives) * (1.0 - score).powi(2)
                + count(level.negatives) * score.powi(2);
        }
        let all = ranking.positives + ranking.negatives;
        if all == 0 || bins == 0 {
            return None;
        }
        let bins: Vec<Bin> = sums
            .into_iter()
            .zip(edges.windows(2))
            .map(|((cases, positives, sum), ends)| Bin {
                low: ends.first().copied().unwrap_or(0.0),
                high: ends.last().copied().unwrap_or(1.0),
                cases,
                positives,
                mean_score: (cases > 0).then(|| sum / count(cases)),
            })
            .collect();
        let errors = || {
            bins.iter()
                .filter_map(|bin| Some((bin.error()?, bin.cases)))
        };
        let weighted: f64 = errors().map(|(error, cases)| error * count(cases)).sum();
        let maximum_error = errors().map(|(error, _)| error).fold(0.0, f64::max);
        Some(Self {
            bins,
            expected_error: weighted / count(all),
            maximum_error,
            brier: squares / count(all),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranking::tests::{LABELS, SCORES, cases};

    /// By hand, two bins: (0, 0.5] holds 0.2 (0), 0.4 (1), 0.5 (0); (0.5, 1] holds 0.6 (1), 0.9 (1).
    #[test]
    fn errors_are_those_computed_by_hand() {
        let ranking = Ranking::new(&cases(&[0, 1, 0, 1, 1], &[0.2, 0.4, 0.5, 0.6, 0.9]));
        let calibration = Calibration::of(&ranking, 2).unwrap();
        let [low, high] = *calibration.bins else {
            panic!("two bins were asked for")
        };
        assert_eq!((low.cases, low.positives), (3, 1));
        assert_eq!((high.cases, high.positives), (2, 2));
        // |1/3 - 1.1/3| * 3/5 + |1 - 0.75| * 2/5 = 0.02 + 0.1
        assert!((calibration.expected_error - 0.12).abs() < 1e-12);
        assert!((calibration.maximum_error - 0.25).abs() < 1e-12);
        // (0.04 + 0.36 + 0.25 + 0.16 + 0.01) / 5
        assert!((calibration.brier - 0.164).abs() < 1e-12);
    }

    /// `sklearn.metrics.brier_score_loss` of scikit-learn 1.9.1, and numpy for the bins.
    #[test]
    fn errors_are_those_of_scikit_learn() {
        let ranking = Ranking::new(&cases(&LABELS, &SCORES));
        let calibration = Calibration::of(&ranking, 10).unwrap();
        assert!((calibration.brier - 0.1825).abs() < 1e-12);
        assert!((calibration.expected_error - 0.185_714_285_714_285_7).abs() < 1e-12);
    }

    #[test]
    fn an_edge_belongs_to_the_bin_below() {
        let scores: Vec<f64> = (0..=10).map(|tenth| f64::from(tenth) / 10.0).collect();
        let ranking = Ranking::new(&cases(&[0; 11], &scores));
        let counts: Vec<u64> = Calibration::of(&ranking, 10)
            .unwrap()
            .bins
            .iter()
            .map(|bin| bin.cases)
            .collect();
        assert_eq!(counts, [2, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn no_cases_have_no_calibration() {
        assert_eq!(Calibration::of(&Ranking::default(), 10), None);
        let one = Ranking::new(&cases(&[1], &[1.0]));
        assert_eq!(Calibration::of(&one, 0), None);
        assert_eq!(Calibration::of(&one, 10).unwrap().expected_error, 0.0);
    }
}
