//! Probabilities and thresholds out of scores of texts that the net did not learn from.

use bartizan_classify::{Calibration, Thresholds};

/// A score, whether it is one, and how much it counts.
pub(crate) type Weighted = (f32, bool, f32);

/// Platt (1999) by Newton's method on the weighted log-loss, both classes of equal weight.
pub(crate) fn platt(scores: &[Weighted]) -> Calibration {
    let total = |wanted: bool| -> f64 {
        let sum: f64 = scores
            .iter()
            .filter(|s| s.1 == wanted)
            .map(|s| f64::from(s.2))
            .sum();
        sum.max(1e-9)
    };
    let (positive, negative) = (total(true), total(false));
    let (mut slope, mut offset) = (1.0f64, 0.0f64);
    for _ in 0..50 {
        let (mut g0, mut g1, mut h00, mut h01, mut h11) = (0.0, 0.0, 1e-9, 0.0, 1e-9);
        for (score, is, weight) in scores {
            let x = f64::from(*score).clamp(-30.0, 30.0);
            let weight = f64::from(*weight) / if *is { positive } else { negative };
            let p = 1.0 / (1.0 + (-(slope * x + offset)).exp());
            let error = (p - f64::from(u8::from(*is))) * weight;
            let curve = (p * (1.0 - p)).max(1e-9) * weight;
            g0 += error * x;
            g1 += error;
            h00 += curve * x * x;
            h01 += curve * x;
            h11 += curve;
        }
        let determinant = h00 * h11 - h01 * h01;
        slope -= ((h11 * g0 - h01 * g1) / determinant).clamp(-0.5, 0.5);
        offset -= ((h00 * g1 - h01 * g0) / determinant).clamp(-1.0, 1.0);
        slope = slope.max(0.05);
    }
    Calibration {
        slope: slope as f32,
        offset: offset as f32,
    }
}

/// The score that a share of `weighted` reaches.
pub(crate) fn quantile(scores: &[(f32, f32)], share: f64) -> f32 {
    let mut sorted = scores.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let total: f64 = sorted.iter().map(|s| f64::from(s.1)).sum();
    let mut sum = 0.0;
    for (score, weight) in &sorted {
        sum += f64::from(*weight);
        if sum > share * total {
            return *score;
        }
    }
    sorted.last().map_or(0.0, |s| s.0)
}

/// Thresholds from the shares of ordinary text that may reach them.
pub(crate) fn thresholds(
    benign: &[(f32, f32)],
    calibration: Calibration,
    shares: [f64; 3],
) -> Thresholds {
    let [flag, ask, block] = shares.map(|share| {
        let p = calibration.probability(quantile(benign, share));
        p.clamp(0.05, 0.9999)
    });
    Thresholds {
        flag,
        ask: ask.max(flag),
        block: block.max(ask),
    }
}
