//! From a head's sum to a probability.

/// Platt scaling (Platt 1999): `p = 1 / (1 + exp(-(slope · x + offset)))`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// Positive.
    pub slope: f32,
    /// Log-odds at a sum of 0.
    pub offset: f32,
}

impl Calibration {
    /// The probability, in `[0, 1]`, that a sum stands for.
    #[must_use]
    pub fn probability(self, sum: f32) -> f32 {
        1.0 / (1.0 + (-(self.slope * sum + self.offset)).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greater_sum_is_more_probable() {
        let calibration = Calibration {
            slope: 0.7,
            offset: -2.0,
        };
        let sums = [-100.0, -3.0, 0.0, 1.0, 5.0, 100.0];
        let odds = sums.map(|sum| calibration.probability(sum));
        assert!(odds.is_sorted() && odds[0] >= 0.0 && odds[5] <= 1.0);
        assert!((odds[2] - 0.1192).abs() < 1e-4);
    }
}
