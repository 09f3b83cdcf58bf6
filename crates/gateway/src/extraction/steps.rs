//! Systematic steps from one query to the next: grids, arithmetic sequences, walks that halve.

/// Steps that are remembered.
const WINDOW: u32 = 32;
/// Steps that move one coordinate only, out of the window, that make a grid.
const GRID: u32 = 26;
/// Equal steps in a row that make a sequence.
const SEQUENCE: u32 = 12;
/// Halvings in a row that make a search for a boundary.
const HALVINGS: u32 = 5;
/// Values of a row that are compared.
const MOST: usize = 256;

/// The last step, and how the ones before looked.
#[derive(Clone, Debug, Default)]
pub(super) struct Steps {
    /// Of which frame the last query was; rows of numbers have frame 0.
    frame: u64,
    last: Vec<f64>,
    step: Vec<f64>,
    equal: u32,
    halved: u32,
    /// One bit per step, newest lowest: whether it moved one coordinate only.
    single: u32,
    seen: u32,
}

impl Steps {
    /// Sees a query; whether its steps are systematic.
    pub(super) fn see(&mut self, frame: u64, values: &[f64]) -> bool {
        let values = values.get(..MOST.min(values.len())).unwrap_or_default();
        if frame != self.frame || values.len() != self.last.len() {
            *self = Self {
                frame,
                last: values.to_vec(),
                ..Self::default()
            };
            return false;
        }
        let pairs = values.iter().zip(&self.last);
        let step: Vec<f64> = pairs.map(|(new, old)| new - old).collect();
        let moved = step.iter().filter(|part| **part != 0.0).count();
        self.last = values.to_vec();
        if moved == 0 {
            // Asking again is no step.
            return false;
        }
        self.equal = if is_multiple(&step, &self.step, 1.0) {
            self.equal + 1
        } else {
            0
        };
        let is_half = is_multiple(&step, &self.step, 0.5) || is_multiple(&step, &self.step, -0.5);
        self.halved = if is_half { self.halved + 1 } else { 0 };
        // With one or two values, a step moves one of them anyway.
        let is_single = moved == 1 && values.len() > 2;
        self.single = self.single << 1 | u32::from(is_single);
        self.seen = (self.seen + 1).min(WINDOW);
        self.step = step;
        self.equal >= SEQUENCE
            || self.halved >= HALVINGS
            || (self.seen == WINDOW && self.single.count_ones() >= GRID)
    }
}

/// Whether `step` is `factor` times `other`, which is not zero.
fn is_multiple(step: &[f64], other: &[f64], factor: f64) -> bool {
    let size = |values: &[f64]| values.iter().map(|value| value.abs()).fold(0.0, f64::max);
    let tolerance = 1e-3 * size(step);
    step.len() == other.len()
        && size(other) > 0.0
        && step
            .iter()
            .zip(other)
            .all(|(new, old)| (new - factor * old).abs() <= tolerance)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flagged(rows: impl IntoIterator<Item = Vec<f64>>) -> Option<usize> {
        let mut steps = Steps::default();
        rows.into_iter().position(|row| steps.see(0, &row))
    }

    #[test]
    fn grids_sequences_and_searches() {
        let grid = (0..100).map(|at| vec![f64::from(at % 10), f64::from(at / 10), 5.0, 1.0]);
        assert!(flagged(grid).unwrap() < 40);
        let line = (0..100).map(|at| vec![f64::from(at) * 0.1, f64::from(at) * 0.3]);
        assert!(flagged(line).unwrap() < 16);
        let (mut low, mut high) = (0.0_f64, 1.0_f64);
        let search = (0..40).map(move |_| {
            let middle = (low + high) / 2.0;
            if middle < 0.371 {
                low = middle;
            } else {
                high = middle;
            }
            vec![middle, 1.0 - middle, 3.0]
        });
        assert!(flagged(search).unwrap() < 10);
        let same = (0..100).map(|_| vec![1.0, 2.0]);
        assert_eq!(flagged(same), None);
    }
}
