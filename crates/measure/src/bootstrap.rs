use crate::{
    interval::{Interval, count},
    random::SplitMix,
    ranking::{Case, Ranking},
};

/// The scores of one detector over cases in a fixed order, ready to be resampled.
#[derive(Clone, Debug)]
pub struct Scores {
    ranking: Ranking,
    is_positive: Vec<bool>,
    /// Level of each positive case, in the order of the cases.
    pub(crate) of_positives: Vec<u32>,
    /// Level of each negative case, in the order of the cases.
    pub(crate) of_negatives: Vec<u32>,
}

impl Scores {
    /// Sorts `cases` and remembers where each went.
    #[must_use]
    pub fn new(cases: &[Case]) -> Self {
        let ranking = Ranking::new(cases);
        let (mut of_positives, mut of_negatives) = (Vec::new(), Vec::new());
        for case in cases {
            let level = ranking
                .levels
                .partition_point(|level| level.score.total_cmp(&case.score).is_gt());
            let level = u32::try_from(level).unwrap_or(u32::MAX);
            if case.positive {
                of_positives.push(level);
            } else {
                of_negatives.push(level);
            }
        }
        Self {
            ranking,
            is_positive: cases.iter().map(|case| case.positive).collect(),
            of_positives,
            of_negatives,
        }
    }

    /// The cases sorted.
    #[must_use]
    pub const fn ranking(&self) -> &Ranking {
        &self.ranking
    }

    /// Whether both are about cases of the same kinds in the same order.
    #[must_use]
    pub fn same_cases(&self, other: &Self) -> bool {
        self.is_positive == other.is_positive
    }
}

/// The percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section
/// 13.3), stratified: positive and negative cases are resampled apart, so that their numbers stay
/// (as in pROC: Robin et al., BMC Bioinformatics 12:77, 2011).
///
/// Assumes that cases are independent. Cases that come in groups, such as variants of one attack,
/// make the intervals too narrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// Samples drawn; 1,000 or more for ends that can be relied on.
    pub replicates: u32,
    /// Fixes the samples.
    pub seed: u64,
}

impl Bootstrap {
    /// 95 % intervals of the numbers that `statistic` reads off one detector's ranking, in their
    /// order, each `None` where fewer than half of the samples had the number. Without replicates
    /// there are none.
    #[must_use]
    pub fn intervals(
        self,
        scores: &Scores,
        statistic: impl Fn(&Ranking) -> Vec<Option<f64>>,
    ) -> Vec<Option<Interval>> {
        self.over(&[scores], |rankings| match rankings {
            [ranking] => statistic(ranking),
            _ => Vec::new(),
        })
    }

    /// 95 % intervals of numbers that are read off the rankings of two detectors over the same
    /// cases, such as differences: both are resampled alike.
    ///
    /// The order of the cases must be the same in both, see [`Scores::same_cases`]; there are no
    /// intervals otherwise.
    #[must_use]
    pub fn paired(
        self,
        first: &Scores,
        second: &Scores,
        statistic: impl Fn(&Ranking, &Ranking) -> Vec<Option<f64>>,
    ) -> Vec<Option<Interval>> {
        if !first.same_cases(second) {
            return Vec::new();
        }
        self.over(&[first, second], |rankings| match rankings {
            [first, second] => statistic(first, second),
            _ => Vec::new(),
        })
    }

    fn over(
        self,
        detectors: &[&Scores],
        statistic: impl Fn(&[Ranking]) -> Vec<Option<f64>>,
    ) -> Vec<Option<Interval>> {
        let mut random = SplitMix::new(self.seed);
        let mut rankings: Vec<Ranking> = detectors
            .iter()
            .map(|scores| scores.ranking.clone())
            .collect();
        let mut values: Vec<Vec<f64>> = Vec::new();
        for _ in 0..self.replicates {
            for level in rankings.iter_mut().flat_map(|ranking| &mut ranking.levels) {
                (level.positives, level.negatives) = (0, 0);
            }
            resample(detectors, &mut rankings, &mut random);
            let numbers = statistic(&rankings);
            values.resize(values.len().max(numbers.len()), Vec::new());
            for (column, value) in values.iter_mut().zip(numbers) {
                column.extend(value);
            }
        }
        let least = self.replicates.div_ceil(2).max(1) as usize;
        let interval = |mut column: Vec<f64>| {
            if column.len() < least {
                return None;
            }
            column.sort_unstable_by(f64::total_cmp);
            Some(Interval {
                low: quantile(&column, 0.025)?,
                high: quantile(&column, 0.975)?,
            })
        };
        values.into_iter().map(interval).collect()
    }
}

/// Draws as many cases of each kind as there are, with replacement, the same for every detector.
fn resample(detectors: &[&Scores], rankings: &mut [Ranking], random: &mut SplitMix) {
    let Some(first) = detectors.first() else {
        return;
    };
    for _ in 0..first.of_positives.len() {
        let drawn = draw(random, first.of_positives.len());
        for (scores, ranking) in detectors.iter().zip(&mut *rankings) {
            if let Some(level) = scores.of_positives.get(drawn)
                && let Some(level) = ranking.levels.get_mut(*level as usize)
            {
                level.positives += 1;
            }
        }
    }
    for _ in 0..first.of_negatives.len() {
        let drawn = draw(random, first.of_negatives.len());
        for (scores, ranking) in detectors.iter().zip(&mut *rankings) {
            if let Some(level) = scores.of_negatives.get(drawn)
                && let Some(level) = ranking.levels.get_mut(*level as usize)
            {
                level.negatives += 1;
            }
        }
    }
}

fn draw(random: &mut SplitMix, below: usize) -> usize {
    usize::try_from(random.below(below as u64)).unwrap_or(0)
}

/// A quantile of sorted values with linear interpolation (Hyndman and Fan, The American
/// Statistician 50, 1996, definition 7); `None` without values.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = share * count(last as u64);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the last index"
    )]
    let low = at.floor() as usize;
    let (below, above) = (sorted.get(low)?, sorted.get((low + 1).min(last))?);
    Some(below + (above - below) * (at - at.floor()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranking::tests::{LABELS, SCORES, cases};

    const BOOTSTRAP: Bootstrap = Bootstrap {
        replicates: 2_000,
        seed: 1,
    };

    /// `numpy.quantile([1, 2, 3, 4, 10], [0.025, 0.5, 0.975])`
    #[test]
    fn quantiles_are_those_of_numpy() {
        let values = [1.0, 2.0, 3.0, 4.0, 10.0];
        let at = |share| quantile(&values, share).unwrap();
        assert!((at(0.025) - 1.1).abs() < 1e-12);
        assert_eq!(at(0.5), 3.0);
        assert!((at(0.975) - 9.4).abs() < 1e-12);
        assert_eq!(quantile(&[], 0.5), None);
    }

    /// The share caught at a fixed threshold is binomial: its bootstrap deviation is
    /// sqrt(p (1 - p) / n), so the interval is near p ± 1.96 of that.
    #[test]
    fn intervals_are_as_wide_as_theory_says() {
        let labels: Vec<u8> = std::iter::repeat_n(1, 400)
            .chain(std::iter::repeat_n(0, 100))
            .collect();
        let mut scores: Vec<f64> = std::iter::repeat_n(1.0, 300)
            .chain(std::iter::repeat_n(0.0, 100))
            .collect();
        scores.resize(500, 0.0);
        let scores = Scores::new(&cases(&labels, &scores));
        let intervals = BOOTSTRAP.intervals(&scores, |ranking| {
            vec![ranking.at(1.0).recall().map(|recall| recall.value)]
        });
        let recall = intervals[0].unwrap();
        let margin = 1.96 * (0.75_f64 * 0.25 / 400.0).sqrt();
        assert!((recall.low - (0.75 - margin)).abs() < 0.006, "{recall:?}");
        assert!((recall.high - (0.75 + margin)).abs() < 0.006, "{recall:?}");
    }

    #[test]
    fn a_seed_fixes_the_intervals() {
        let scores = Scores::new(&cases(&LABELS, &SCORES));
        let of = |seed| {
            Bootstrap {
                replicates: 200,
                seed,
            }
            .intervals(&scores, |ranking| {
                vec![ranking.auc(), ranking.average_precision()]
            })
        };
        assert_eq!(of(3), of(3));
        assert_ne!(of(3), of(4));
        let area = of(3)[0].unwrap();
        let value = scores.ranking().auc().unwrap();
        assert!(area.low < value && value < area.high);
    }

    #[test]
    fn pairs_are_resampled_alike() {
        let one = Scores::new(&cases(&LABELS, &SCORES));
        let same = |a: &Ranking, b: &Ranking| vec![a.auc().zip(b.auc()).map(|(a, b)| b - a)];
        let difference = BOOTSTRAP.paired(&one, &one, same);
        assert_eq!(
            difference,
            [Some(Interval {
                low: 0.0,
                high: 0.0
            })]
        );
        let mut flipped = LABELS;
        flipped.swap(0, 13);
        let other = Scores::new(&cases(&flipped, &SCORES));
        assert_eq!(BOOTSTRAP.paired(&one, &other, same), []);
    }

    #[test]
    fn what_no_sample_has_gets_no_interval() {
        let benign = Scores::new(&cases(&[0, 0], &[0.1, 0.2]));
        let area = |ranking: &Ranking| vec![ranking.auc()];
        assert_eq!(BOOTSTRAP.intervals(&benign, area), [None]);
        let none = Bootstrap {
            replicates: 0,
            seed: 0,
        };
        let scores = Scores::new(&cases(&LABELS, &SCORES));
        assert_eq!(none.intervals(&scores, area), []);
    }
}
