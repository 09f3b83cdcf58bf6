/// The 97.5 % quantile of the normal distribution: two-sided intervals at 95 %.
pub(crate) const Z: f64 = 1.959_963_984_540_054;

/// A 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end, at least `low`.
    pub high: f64,
}

/// A number with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Where it probably lies; `None` where that cannot be said.
    pub interval: Option<Interval>,
}

impl Interval {
    /// `value` and `margin` to both sides, cut at `low` and `high`.
    pub(crate) fn around(value: f64, margin: f64, low: f64, high: f64) -> Self {
        Self {
            low: (value - margin).clamp(low, high),
            high: (value + margin).clamp(low, high),
        }
    }
}

impl Estimate {
    /// The share of `hits`, at most `all`, among `all` with Wilson's interval; `None` if `all` is 0.
    #[must_use]
    pub fn share(hits: u64, all: u64) -> Option<Self> {
        let hits = hits.min(all);
        let interval = wilson(hits, all)?;
        Some(Self {
            value: ratio(hits, all)?,
            interval: Some(interval),
        })
    }
}

/// Wilson's score interval of the share of `hits`, at most `all` (E. B. Wilson, JASA 22, 1927, pages
/// 209-212), without correction for continuity; `None` if `all` is 0.
#[must_use]
pub fn wilson(hits: u64, all: u64) -> Option<Interval> {
    let hits = hits.min(all);
    let share = ratio(hits, all)?;
    let n = count(all);
    let scale = 1.0 + Z * Z / n;
    let centre = (share + Z * Z / (2.0 * n)) / scale;
    let margin = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
    let mut interval = Interval::around(centre, margin, 0.0, 1.0);
    // The ends are exact there; the formula misses them by a rounding error.
    if hits == 0 {
        interval.low = 0.0;
    }
    if hits == all {
        interval.high = 1.0;
    }
    Some(interval)
}

/// `part / whole`; `None` if the whole is 0.
pub(crate) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| count(part) / count(whole))
}

/// A count as a number; exact up to 2^53.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of cases stay far below 2^53"
)]
pub(crate) const fn count(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(left: f64, right: f64) {
        assert!((left - right).abs() < 5e-5, "{left} {right}");
    }

    /// Newcombe, Statistics in Medicine 17, 1998, pages 857-872, table I, method 3.
    #[test]
    fn shares_are_those_of_newcombe() {
        for (hits, all, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let interval = wilson(hits, all).unwrap();
            assert_near(interval.low, low);
            assert_near(interval.high, high);
        }
    }

    #[test]
    fn ends_are_exact_and_nothing_is_no_share() {
        assert_eq!(wilson(20, 20).unwrap().high, 1.0);
        assert_eq!(wilson(0, 20).unwrap().low, 0.0);
        assert_eq!(wilson(0, 0), None);
        assert_eq!(Estimate::share(0, 0), None);
        assert_eq!(Estimate::share(3, 2), Estimate::share(2, 2));
    }
}
