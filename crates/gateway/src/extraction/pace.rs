//! When queries come, how inputs are spread, and what the model was unsure of.

/// Gaps that are remembered.
const GAPS: usize = 32;
/// Gaps from which on they are judged.
const LEAST_GAPS: usize = 20;
/// The robust coefficient of variation below which gaps are a clockwork's. Gaps of people and of
/// services that serve people are skewed: theirs is above 0.5.
const CLOCKWORK: f64 = 0.15;

/// The gaps between queries, in milliseconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Gaps {
    last_ms: Option<u64>,
    gaps: Vec<f32>,
    next: usize,
}

impl Gaps {
    /// Sees a query; whether the last ones came like clockwork.
    pub(super) fn see(&mut self, now_ms: u64) -> bool {
        let Some(last) = self.last_ms.replace(now_ms) else {
            return false;
        };
        let gap = now_ms.saturating_sub(last) as f32;
        if let Some(slot) = self.gaps.get_mut(self.next) {
            *slot = gap;
        } else {
            self.gaps.push(gap);
        }
        self.next = (self.next + 1) % GAPS;
        self.gaps.len() >= LEAST_GAPS && variation(&self.gaps) < CLOCKWORK
    }
}

/// 1.4826 times the median absolute deviation over the median (Rousseeuw, Croux: "Alternatives to
/// the Median Absolute Deviation", 1993); infinite for gaps that a clock of milliseconds cannot
/// tell apart.
fn variation(gaps: &[f32]) -> f64 {
    let middle = median(gaps.to_vec());
    if middle < 20.0 {
        return f64::INFINITY;
    }
    let deviations = gaps.iter().map(|gap| (gap - middle).abs()).collect();
    1.4826 * f64::from(median(deviations)) / f64::from(middle)
}

fn median(mut values: Vec<f32>) -> f32 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    let (_, median, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    *median
}

/// Rows from which on their spread is judged.
const LEAST_ROWS: usize = 20;
/// Values of a row that are looked at.
const MOST_VALUES: usize = 16;
/// Cells of the range.
const CELLS: usize = 64;

/// How values are spread over the range that the model takes, as a histogram that forgets.
#[derive(Clone, Debug, Default)]
pub(super) struct Spread {
    cells: Vec<f32>,
    rows: usize,
    values: f32,
}

impl Spread {
    /// Sees a row; whether the rows are spread evenly over the whole range, as made-up inputs are
    /// and real ones are not (Kolmogorov–Smirnov against the uniform distribution, at 1 %).
    pub(super) fn see(&mut self, values: &[f64], (least, most): (f64, f64)) -> bool {
        let width = most - least;
        if !(width > 0.0 && width.is_finite()) || values.is_empty() {
            return false;
        }
        if self.cells.is_empty() {
            self.cells = vec![0.0; CELLS];
        }
        for value in values.iter().take(MOST_VALUES) {
            let place = ((value - least) / width).clamp(0.0, 1.0);
            let cell = ((place * CELLS as f64) as usize).min(CELLS - 1);
            if let Some(slot) = self.cells.get_mut(cell) {
                *slot += 1.0;
            }
            self.values += 1.0;
        }
        self.rows += 1;
        // Older rows fade, so that a key that was honest once does not hide behind it.
        if self.rows > 200 {
            for cell in &mut self.cells {
                *cell /= 2.0;
            }
            self.values /= 2.0;
            self.rows = 100;
        }
        if self.rows < LEAST_ROWS || self.values < 60.0 {
            return false;
        }
        let (mut sum, mut distance) = (0.0_f32, 0.0_f32);
        for (cell, count) in self.cells.iter().enumerate() {
            sum += count / self.values;
            let even = (cell + 1) as f32 / CELLS as f32;
            distance = distance.max((sum - even).abs());
        }
        distance < 1.63 / self.values.sqrt()
    }
}

/// A sequential test whether more answers are unsure than honest users get (Page, "Continuous
/// Inspection Schemes", 1954).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unsure {
    sum: f64,
}

/// Evidence, as a logarithm of a likelihood ratio, at which it is told.
const ENOUGH: f64 = 20.0;
/// Share of unsure answers of somebody who seeks them.
const SEEKING: f64 = 0.5;

impl Unsure {
    /// Sees an answer; whether there is enough evidence. Then it starts again.
    pub(super) fn see(&mut self, is_unsure: bool, honest: f64) -> bool {
        let seeking = SEEKING.max(honest + 0.1).min(0.95);
        let honest = honest.clamp(0.01, seeking - 0.05);
        let evidence = if is_unsure {
            (seeking / honest).ln()
        } else {
            ((1.0 - seeking) / (1.0 - honest)).ln()
        };
        self.sum = (self.sum + evidence).max(0.0);
        let enough = self.sum >= ENOUGH;
        if enough {
            self.sum = 0.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extraction::simulation::Dice;

    /// How often traffic that is drawn so is flagged with exactly twenty gaps.
    fn flagged_gaps(mut draw: impl FnMut(&mut Dice) -> f64) -> f64 {
        const RUNS: u64 = 3_000;
        let mut flagged = 0;
        for seed in 0..RUNS {
            let mut dice = Dice::new(seed);
            let mut gaps = Gaps::default();
            let mut now = 0;
            let mut last = false;
            for _ in 0..=LEAST_GAPS {
                last = gaps.see(now);
                now += (draw(&mut dice) * 1_000.0) as u64;
            }
            flagged += u64::from(last);
        }
        flagged as f64 / RUNS as f64
    }

    #[test]
    fn ex_04_less_than_one_per_cent_of_skewed_gaps_are_a_clockwork() {
        let exponential = |dice: &mut Dice| -(1.0 - dice.uniform()).ln();
        assert!(flagged_gaps(|dice| 5.0 * exponential(dice)) < 0.01);
        assert!(flagged_gaps(|dice| (1.0 + dice.normal()).exp()) < 0.01);
        assert!(flagged_gaps(|dice| (1.0 + 0.5 * dice.normal()).exp()) < 0.01);
        // Pareto with index 1.2, and the sum of four exponentials, the most even of these.
        assert!(flagged_gaps(|dice| (1.0 - dice.uniform()).powf(-1.0 / 1.2)) < 0.01);
        assert!(flagged_gaps(|dice| (0..4).map(|_| exponential(dice)).sum()) < 0.01);
        assert!(flagged_gaps(|dice| 2.0 + 0.1 * dice.normal()) > 0.95);
    }

    #[test]
    fn ex_04_less_than_one_per_cent_of_skewed_rows_are_made_up() {
        let flagged = |draw: fn(&mut Dice) -> f64| {
            const RUNS: u64 = 500;
            let mut flagged = 0;
            for seed in 0..RUNS {
                let mut dice = Dice::new(seed);
                let mut spread = Spread::default();
                let mut last = false;
                for _ in 0..LEAST_ROWS {
                    let row: Vec<f64> = (0..10).map(|_| draw(&mut dice)).collect();
                    last = spread.see(&row, (0.0, 1.0));
                }
                flagged += u64::from(last);
            }
            flagged as f64 / RUNS as f64
        };
        assert!(flagged(|dice| 0.1 * (0.7 * dice.normal()).exp()) < 0.01);
        assert!(flagged(|dice| dice.uniform().powi(2)) < 0.01);
        assert!(flagged(|dice| 0.5 + 0.1 * dice.normal()) < 0.01);
        assert!(flagged(Dice::uniform) > 0.95);
    }

    #[test]
    fn clockwork_and_bursts() {
        let mut gaps = Gaps::default();
        let flagged = (0..40).filter(|tick| gaps.see(tick * 1_000)).count();
        assert!(flagged > 0);
        let mut burst = Gaps::default();
        assert!((0..40).all(|_| !burst.see(5)));
    }

    #[test]
    fn even_and_skewed_values() {
        let mut even = Spread::default();
        let mut skewed = Spread::default();
        let mut flagged = (0, 0);
        for row in 0..100_u32 {
            // The golden ratio spreads points evenly.
            let at = |n: u32| f64::from(n) * 0.618_033_988_75 % 1.0;
            let values: Vec<f64> = (0..10).map(|n| at(row * 10 + n)).collect();
            flagged.0 += u32::from(even.see(&values, (0.0, 1.0)));
            let values: Vec<f64> = values.iter().map(|value| value.powi(3)).collect();
            flagged.1 += u32::from(skewed.see(&values, (0.0, 1.0)));
        }
        assert!(flagged.0 > 50 && flagged.1 == 0, "{flagged:?}");
    }
}
