use crate::{
    Confusion,
    interval::{count, ratio},
};

/// A case with what a detector said of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    /// The higher, the more the detector takes it for positive. A NaN counts as higher than
    /// everything, so that a broken score does not pass for a harmless one.
    pub score: f64,
    /// Whether it is one that should be caught.
    pub positive: bool,
}

/// Cases sorted by score, those of equal score together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranking {
    // INVARIANT: highest score first, each score once. Resampled levels may hold no case.
    pub(crate) levels: Vec<Level>,
    pub(crate) positives: u64,
    pub(crate) negatives: u64,
}

/// The cases of one score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// The score.
    pub score: f64,
    /// Positive cases that have it.
    pub positives: u64,
    /// Negative cases that have it.
    pub negatives: u64,
}

/// What a threshold leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Positive cases at or above it.
    pub true_positives: u64,
    /// Negative cases at or above it.
    pub false_positives: u64,
}

/// A threshold that keeps a false-positive rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Operating {
    /// Cases are caught from this score on; `None` if every threshold catches too many.
    pub threshold: Option<f64>,
    /// What it leads to.
    pub confusion: Confusion,
    /// Whether there are enough negative cases to see the rate: one of them weighs no more.
    pub is_resolved: bool,
}

impl Ranking {
    /// Sorts `cases`.
    #[must_use]
    pub fn new(cases: &[Case]) -> Self {
        let mut sorted = cases.to_vec();
        sorted.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
        let mut ranking = Self::default();
        for case in sorted {
            let (positive, negative) = (u64::from(case.positive), u64::from(!case.positive));
            ranking.positives += positive;
            ranking.negatives += negative;
            match ranking.levels.last_mut() {
                Some(level) if level.score.total_cmp(&case.score).is_eq() => {
                    level.positives += positive;
                    level.negatives += negative;
                }
                _ => ranking.levels.push(Level {
                    score: case.score,
                    positives: positive,
                    negatives: negative,
                }),
            }
        }
        ranking
    }

    /// The levels, highest score first.
    #[must_use]
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// Positive cases.
    #[must_use]
    pub const fn positives(&self) -> u64 {
        self.positives
    }

    /// Negative cases.
    #[must_use]
    pub const fn negatives(&self) -> u64 {
        self.negatives
    }

    /// What each threshold leads to: above every score first, then at each level.
    pub fn points(&self) -> impl Iterator<Item = Point> {
        let start = Point {
            true_positives: 0,
            false_positives: 0,
        };
        let steps = self.levels.iter().scan(start, |point, level| {
            point.true_positives += level.positives;
            point.false_positives += level.negatives;
            Some(*point)
        });
        std::iter::once(start).chain(steps)
    }

    /// The area under the ROC curve, in `[0, 1]`: how likely a positive case scores above a
    /// negative one, ties counting half (Hanley and McNeil, Radiology 143, 1982; the Mann-Whitney
    /// statistic). `None` without cases of both kinds.
    #[must_use]
    pub fn auc(&self) -> Option<f64> {
        if self.positives == 0 || self.negatives == 0 {
            return None;
        }
        let mut area = 0.0;
        let mut above = 0;
        for level in &self.levels {
            // Each negative case loses to the positive ones above it, and half to those beside it.
            area += count(level.negatives) * (count(above) + count(level.positives) / 2.0);
            above += level.positives;
        }
        Some(area / count(self.positives) / count(self.negatives))
    }

    /// Average precision, in `[0, 1]`: the sum over thresholds of precision times the recall
    /// gained, without interpolation (Manning, Raghavan and Schütze, Introduction to Information
    /// Retrieval, 2008, section 8.4). `None` without positive cases.
    #[must_use]
    pub fn average_precision(&self) -> Option<f64> {
        if self.positives == 0 {
            return None;
        }
        let mut sum = 0.0;
        for (level, point) in self.levels.iter().zip(self.points().skip(1)) {
            let caught = point.true_positives + point.false_positives;
            if let Some(precision) = ratio(point.true_positives, caught) {
                sum += precision * count(level.positives);
            }
        }
        Some(sum / count(self.positives))
    }

    /// The lowest threshold whose false-positive rate is at most `rate`, in `[0, 1]`. Thresholds
    /// lie at scores that occur; nothing is interpolated. `None` without negative cases.
    #[must_use]
    pub fn at_false_positive_rate(&self, rate: f64) -> Option<Operating> {
        if self.negatives == 0 {
            return None;
        }
        let allowed = rate * count(self.negatives);
        let mut best = (
            None,
            Point {
                true_positives: 0,
                false_positives: 0,
            },
        );
        for (level, point) in self.levels.iter().zip(self.points().skip(1)) {
            // A share of 1 % of 300 is 3, whatever the rounding of 0.01.
            if count(point.false_positives) > allowed * (1.0 + 1e-12) {
                break;
            }
            best = (Some(level.score), point);
        }
        let (threshold, point) = best;
        Some(Operating {
            threshold,
            confusion: self.confusion(point),
            is_resolved: allowed * (1.0 + 1e-12) >= 1.0,
        })
    }

    /// What catching every case from `threshold` on leads to.
    #[must_use]
    pub fn at(&self, threshold: f64) -> Confusion {
        let caught = self
            .levels
            .partition_point(|level| level.score.total_cmp(&threshold).is_ge());
        let point = self.points().nth(caught).unwrap_or(Point {
            true_positives: 0,
            false_positives: 0,
        });
        self.confusion(point)
    }

    const fn confusion(&self, point: Point) -> Confusion {
        Confusion {
            true_positives: point.true_positives,
            false_negatives: self.positives - point.true_positives,
            false_positives: point.false_positives,
            true_negatives: self.negatives - point.false_positives,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Cases of 1 (positive) and 0 with scores.
    pub(crate) fn cases(labels: &[u8], scores: &[f64]) -> Vec<Case> {
        assert_eq!(labels.len(), scores.len());
        labels
            .iter()
            .zip(scores)
            .map(|(&label, &score)| Case {
                score,
                positive: label == 1,
            })
            .collect()
    }

    pub(crate) const LABELS: [u8; 14] = [1, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0];
    pub(crate) const SCORES: [f64; 14] = [
        0.95, 0.9, 0.9, 0.8, 0.7, 0.7, 0.7, 0.5, 0.4, 0.35, 0.3, 0.3, 0.1, 0.0,
    ];

    /// By hand for the four cases of scikit-learn's own example, then
    /// `sklearn.metrics.roc_auc_score` and `average_precision_score` of scikit-learn 1.9.1.
    #[test]
    fn areas_are_those_of_scikit_learn() {
        let few = Ranking::new(&cases(&[0, 0, 1, 1], &[0.1, 0.4, 0.35, 0.8]));
        assert_eq!(few.auc(), Some(0.75));
        assert!((few.average_precision().unwrap() - 5.0 / 6.0).abs() < 1e-12);
        let ranking = Ranking::new(&cases(&LABELS, &SCORES));
        assert!((ranking.auc().unwrap() - 0.822_916_666_666_666_7).abs() < 1e-12);
        assert!((ranking.average_precision().unwrap() - 0.740_873_015_873_015_8).abs() < 1e-12);
    }

    #[test]
    fn equal_scores_say_nothing() {
        let ranking = Ranking::new(&cases(&[1, 0, 1, 0], &[0.5; 4]));
        assert_eq!(ranking.levels().len(), 1);
        assert_eq!(ranking.auc(), Some(0.5));
        assert_eq!(ranking.average_precision(), Some(0.5));
    }

    #[test]
    fn one_kind_alone_has_no_area() {
        let benign = Ranking::new(&cases(&[0, 0], &[0.1, 0.2]));
        assert_eq!((benign.auc(), benign.average_precision()), (None, None));
        let attacks = Ranking::new(&cases(&[1, 1], &[0.1, 0.2]));
        assert_eq!(attacks.auc(), None);
        assert_eq!(attacks.at_false_positive_rate(0.01), None);
    }

    #[test]
    fn a_rate_is_never_exceeded() {
        // Eight negative cases; the highest stands at 0.9, the next at 0.7.
        let ranking = Ranking::new(&cases(&LABELS, &SCORES));
        let at = |rate| ranking.at_false_positive_rate(rate).unwrap();
        assert_eq!(at(0.1).threshold, Some(0.95));
        assert_eq!(at(0.1).confusion.true_positives, 1);
        assert!(!at(0.1).is_resolved);
        assert_eq!(at(0.125).threshold, Some(0.8));
        assert!(at(0.125).is_resolved);
        assert_eq!(at(0.125).confusion.true_positives, 3);
        assert_eq!(at(1.0).confusion.recall().unwrap().value, 1.0);
        let hopeless = Ranking::new(&cases(&[0, 1], &[0.9, 0.1]));
        let none = hopeless.at_false_positive_rate(0.5).unwrap();
        assert_eq!((none.threshold, none.confusion.true_positives), (None, 0));
        // 300 * 0.01 is 3.
        let labels: Vec<u8> = std::iter::repeat_n(0, 300).chain([1]).collect();
        let scores: Vec<f64> = (0..301).map(f64::from).collect();
        let many = Ranking::new(&cases(&labels, &scores));
        let operating = many.at_false_positive_rate(0.01).unwrap();
        assert_eq!(operating.confusion.false_positives, 3);
    }

    #[test]
    fn a_threshold_includes_its_score() {
        let ranking = Ranking::new(&cases(&LABELS, &SCORES));
        let confusion = ranking.at(0.7);
        assert_eq!(
            (confusion.true_positives, confusion.false_positives),
            (5, 2)
        );
        assert_eq!(ranking.at(2.0).true_positives, 0);
        assert_eq!(ranking.at(0.0).all(), 14);
    }

    #[test]
    fn a_broken_score_does_not_pass() {
        let ranking = Ranking::new(&cases(&[1, 0], &[f64::NAN, 1.0]));
        assert_eq!(ranking.auc(), Some(1.0));
    }
}
