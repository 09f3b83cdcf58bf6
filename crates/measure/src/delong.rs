//! The variance of areas under ROC curves, also of two over the same cases (DeLong, DeLong and
//! Clarke-Pearson, Biometrics 44, 1988, pages 837-845), with the placements read off sorted levels
//! as in Sun and Xu, IEEE Signal Processing Letters 21, 2014.

use crate::{
    Scores,
    interval::{Estimate, Interval, Z, count},
    ranking::Ranking,
};

/// How far the area of one detector lies above that of another over the same cases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AucDifference {
    /// The second area minus the first, with its interval.
    pub difference: Estimate,
    /// The variance of the difference.
    pub variance: f64,
}

/// The area under the ROC curve with DeLong's interval, cut at 0 and 1.
///
/// No interval where every positive case scores above every negative one or below, since the
/// estimated variance is 0 there and says nothing. `None` with fewer than two cases of a kind.
#[must_use]
pub fn delong(scores: &Scores) -> Option<Estimate> {
    let value = scores.ranking().auc()?;
    let placed = Placements::of(scores)?;
    let variance = covariance(&placed, &placed);
    let is_separated = value <= 0.0 || value >= 1.0;
    Some(Estimate {
        value,
        interval: (!is_separated)
            .then(|| Interval::around(value, Z * variance.max(0.0).sqrt(), 0.0, 1.0)),
    })
}

/// Compares two detectors over the same cases; `None` with fewer than two cases of a kind, or if
/// the cases are not the same.
#[must_use]
pub fn delong_paired(first: &Scores, second: &Scores) -> Option<AucDifference> {
    if !first.same_cases(second) {
        return None;
    }
    let (one, other) = (Placements::of(first)?, Placements::of(second)?);
    let value = second.ranking().auc()? - first.ranking().auc()?;
    let variance =
        covariance(&one, &one) + covariance(&other, &other) - 2.0 * covariance(&one, &other);
    let variance = variance.max(0.0);
    Some(AucDifference {
        difference: Estimate {
            value,
            interval: Some(Interval::around(value, Z * variance.sqrt(), -1.0, 1.0)),
        },
        variance,
    })
}

/// For each positive case the share of negative ones below it, and for each negative case the share
/// of positive ones above it, ties counting half (DeLong et al., equation 4).
struct Placements {
    positives: Vec<f64>,
    negatives: Vec<f64>,
}

impl Placements {
    fn of(scores: &Scores) -> Option<Self> {
        let ranking: &Ranking = scores.ranking();
        if ranking.positives < 2 || ranking.negatives < 2 {
            return None;
        }
        let (all_positives, all_negatives) = (count(ranking.positives), count(ranking.negatives));
        let (mut of_positive, mut of_negative) = (Vec::new(), Vec::new());
        let (mut above, mut below) = (0, ranking.negatives);
        for level in &ranking.levels {
            below -= level.negatives;
            of_positive.push((count(below) + count(level.negatives) / 2.0) / all_negatives);
            of_negative.push((count(above) + count(level.positives) / 2.0) / all_positives);
            above += level.positives;
        }
        let placed = |levels: &[u32], table: &[f64]| -> Vec<f64> {
            let places = levels.iter().map(|&level| table.get(level as usize));
            places.map(|place| place.copied().unwrap_or(0.0)).collect()
        };
        Some(Self {
            positives: placed(&scores.of_positives, &of_positive),
            negatives: placed(&scores.of_negatives, &of_negative),
        })
    }
}

/// The covariance of two areas (DeLong et al., equation 5).
fn covariance(one: &Placements, other: &Placements) -> f64 {
    sample_covariance(&one.positives, &other.positives) / count(one.positives.len() as u64)
        + sample_covariance(&one.negatives, &other.negatives) / count(one.negatives.len() as u64)
}

fn sample_covariance(one: &[f64], other: &[f64]) -> f64 {
    let n = count(one.len() as u64);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
    let (mean_one, mean_other) = (mean(one), mean(other));
    let products = one.iter().zip(other);
    let sum: f64 = products
        .map(|(a, b)| (a - mean_one) * (b - mean_other))
        .sum();
    sum / (n - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranking::tests::{LABELS, SCORES, cases};

    fn scores(labels: &[u8], scores: &[f64]) -> Scores {
        Scores::new(&cases(labels, scores))
    }

    /// Placements over all pairs, as the paper writes them down, in numpy 2.4.6.
    #[test]
    fn variances_are_those_of_the_definition() {
        let area = delong(&scores(&LABELS, &SCORES)).unwrap();
        let interval = area.interval.unwrap();
        assert!(
            (interval.low - 0.594_368_811_753_834_8).abs() < 1e-9,
            "{interval:?}"
        );
        assert!((interval.high - 1.0).abs() < 1e-9, "{interval:?}");
        let other = [
            0.6, 0.9, 0.2, 0.5, 0.7, 0.8, 0.7, 0.5, 0.1, 0.9, 0.3, 0.4, 0.6, 0.0,
        ];
        let compared = delong_paired(&scores(&LABELS, &SCORES), &scores(&LABELS, &other)).unwrap();
        assert!((compared.difference.value - 0.052_083_333_333_333_33).abs() < 1e-12);
        assert!((compared.variance - 0.023_902_529_761_904_76).abs() < 1e-12);
    }

    #[test]
    fn the_same_detector_does_not_differ() {
        let one = scores(&LABELS, &SCORES);
        let compared = delong_paired(&one, &one).unwrap();
        assert_eq!(compared.difference.value, 0.0);
        assert!(compared.variance < 1e-15);
    }

    #[test]
    fn what_cannot_be_compared_is_not() {
        let one = scores(&LABELS, &SCORES);
        let mut flipped = LABELS;
        flipped.swap(0, 13);
        assert_eq!(delong_paired(&one, &scores(&flipped, &SCORES)), None);
        assert_eq!(delong(&scores(&[1, 0, 0], &[1.0, 0.0, 0.5])), None);
        let apart = delong(&scores(&[1, 1, 0, 0], &[0.9, 0.8, 0.2, 0.1])).unwrap();
        assert_eq!((apart.value, apart.interval), (1.0, None));
    }
}
