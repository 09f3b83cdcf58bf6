use crate::interval::{Estimate, Interval, Z, count, ratio};

/// Cases on which two detectors over the same cases differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Discordant {
    /// Caught by the first only.
    pub only_first: u64,
    /// Caught by the second only.
    pub only_second: u64,
}

impl Discordant {
    /// Counts one case.
    pub const fn add(&mut self, first: bool, second: bool) {
        match (first, second) {
            (true, false) => self.only_first += 1,
            (false, true) => self.only_second += 1,
            _ => {}
        }
    }

    /// McNemar's test in its exact form: how likely the two would differ at least this unevenly if
    /// neither caught more; two-sided, in `(0, 1]`, 1 if they never differ (Q. McNemar,
    /// Psychometrika 12, 1947; the binomial form as in Agresti, Categorical Data Analysis, 3rd
    /// edition, section 11.1.1).
    #[must_use]
    pub fn mcnemar(&self) -> f64 {
        let all = self.only_first + self.only_second;
        let fewer = self.only_first.min(self.only_second);
        // Terms C(n, k) / 2^n from k = 0 on, as logarithms, since 2^-n vanishes from 1,075 on.
        let n = count(all);
        let mut term = -n * std::f64::consts::LN_2;
        let mut sum = term.exp();
        for k in 0..fewer {
            term += ((n - count(k)) / (count(k) + 1.0)).ln();
            sum += term.exp();
        }
        (2.0 * sum).min(1.0)
    }
}

/// How much more the second detector catches of `cases`, as a difference of shares in `[-1, 1]`,
/// with Agresti and Min's interval, which adds half a case to each cell (Statistics in Medicine 24,
/// 2005, pages 729-740, "Wald+2"). `None` without cases.
#[must_use]
pub fn paired_difference(discordant: Discordant, cases: u64) -> Option<Estimate> {
    ratio(discordant.only_second, cases)?;
    let (b, c) = (
        count(discordant.only_second) + 0.5,
        count(discordant.only_first) + 0.5,
    );
    let n = count(cases) + 2.0;
    let centre = (b - c) / n;
    let margin = Z * ((b + c) - (b - c) * (b - c) / n).max(0.0).sqrt() / n;
    let value = (count(discordant.only_second) - count(discordant.only_first)) / count(cases);
    Some(Estimate {
        value,
        interval: Some(Interval::around(centre, margin, -1.0, 1.0)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(only_first: u64, only_second: u64) -> Discordant {
        Discordant {
            only_first,
            only_second,
        }
    }

    /// `scipy.stats.binomtest(k, n, 0.5).pvalue` of SciPy 1.17.1.
    #[test]
    fn mcnemar_is_the_binomial_test() {
        for (first, second, p) in [
            (1, 7, 0.070_312_5),
            (12, 5, 0.143_463_134_765_625),
            (0, 10, 0.001_953_125),
            (150, 86, 3.715_936_139_571_386_6e-5),
            (900, 1_100, 8.457_089_533_505_63e-6),
        ] {
            let said = of(first, second).mcnemar();
            assert!(
                (said - p).abs() < 1e-9 * p.max(1e-12),
                "{first} {second} {said}"
            );
        }
        assert_eq!(of(0, 0).mcnemar(), 1.0);
        assert_eq!(of(7, 7).mcnemar(), 1.0);
    }

    /// Agresti and Min, section 1: approval of the British prime minister, 1,600 people, of whom 150
    /// changed from approval and 86 to it: 0.04 less, [0.021, 0.059] by the formula.
    #[test]
    fn differences_have_an_interval() {
        let change = paired_difference(of(86, 150), 1_600).unwrap();
        let interval = change.interval.unwrap();
        assert_eq!(change.value, 0.04);
        assert!((interval.low - 0.0212).abs() < 5e-4, "{interval:?}");
        assert!((interval.high - 0.0587).abs() < 5e-4, "{interval:?}");
        // Nothing seen to differ is not proved to be the same.
        let none = paired_difference(of(0, 0), 10).unwrap().interval.unwrap();
        assert!(none.low < -0.05 && none.high > 0.05);
        assert_eq!(paired_difference(of(0, 0), 0), None);
    }
}
