//! A linear-chain conditional random field, trained by AdaGrad (Duchi, Hazan, Singer 2011) on the
//! likelihood of what is known: a token may be allowed several labels.

use bartizan_text::names::model::{FORBIDDEN, LABELS, SCALE};

/// Rows of weights, a power of two.
pub(super) const ROWS: usize = 1 << 17;

/// One phrase to learn from.
pub(super) struct Sequence {
    /// Rows of each token.
    pub(super) rows: Vec<Vec<u32>>,
    /// Bits of the labels that each token may have.
    pub(super) allowed: Vec<u8>,
}

/// The weights in training.
pub(super) struct Field {
    pub(super) rows: Vec<[f32; LABELS]>,
    squares: Vec<[f32; LABELS]>,
    pub(super) transitions: [[f32; LABELS]; LABELS + 1],
    transition_squares: [[f32; LABELS]; LABELS + 1],
}

type Row = [f32; LABELS];

/// Whether label `to` can follow `from` (the start of the phrase is [`LABELS`]).
pub(super) const fn possible(from: usize, to: usize) -> bool {
    match to {
        2 => matches!(from, 1 | 2),
        4 => matches!(from, 3 | 4),
        6 => matches!(from, 5 | 6),
        _ => true,
    }
}

impl Field {
    pub(super) fn new() -> Self {
        Self {
            rows: vec![[0.0; LABELS]; ROWS],
            squares: vec![[1e-4; LABELS]; ROWS],
            transitions: [[0.0; LABELS]; LABELS + 1],
            transition_squares: [[1e-2; LABELS]; LABELS + 1],
        }
    }

    /// One step on one phrase; returns its negative log-likelihood.
    pub(super) fn learn(&mut self, sequence: &Sequence, rate: f32) -> f32 {
        let emitted: Vec<Row> = sequence.rows.iter().map(|rows| self.score(rows)).collect();
        let free = vec![u8::MAX; emitted.len()];
        let (total, all, all_pairs) = self.expect(&emitted, &free);
        let (known, some, some_pairs) = self.expect(&emitted, &sequence.allowed);
        if !(total.is_finite() && known.is_finite()) {
            return 0.0;
        }
        for ((rows, expected), observed) in sequence.rows.iter().zip(&all).zip(&some) {
            let mut gradient = [0.0; LABELS];
            for ((g, e), o) in gradient.iter_mut().zip(expected).zip(observed) {
                *g = o - e;
            }
            if gradient.iter().all(|g| g.abs() < 1e-3) {
                continue;
            }
            for &row in rows {
                if let (Some(weights), Some(squares)) = (
                    self.rows.get_mut(row as usize),
                    self.squares.get_mut(row as usize),
                ) {
                    for ((w, s), g) in weights.iter_mut().zip(squares).zip(&gradient) {
                        *s += g * g;
                        *w += rate * g / s.sqrt();
                    }
                }
            }
        }
        for (from, (observed, expected)) in some_pairs.iter().zip(&all_pairs).enumerate() {
            for (to, (o, e)) in observed.iter().zip(expected).enumerate() {
                if let (Some(w), Some(s)) = (
                    self.transitions.get_mut(from).and_then(|r| r.get_mut(to)),
                    self.transition_squares
                        .get_mut(from)
                        .and_then(|r| r.get_mut(to)),
                ) {
                    let g = o - e;
                    *s += g * g;
                    *w += rate * g / s.sqrt();
                }
            }
        }
        total - known
    }

    fn score(&self, rows: &[u32]) -> Row {
        let mut sum = [0.0; LABELS];
        for row in rows.iter().filter_map(|&row| self.rows.get(row as usize)) {
            for (s, w) in sum.iter_mut().zip(row) {
                *s += w;
            }
        }
        sum
    }

    /// Log-partition, marginals of labels and expected transitions under a mask of labels.
    fn expect(&self, emitted: &[Row], allowed: &[u8]) -> (f32, Vec<Row>, [Row; LABELS + 1]) {
        let mut factors = [[0.0; LABELS]; LABELS + 1];
        for (from, (row, weights)) in factors.iter_mut().zip(&self.transitions).enumerate() {
            for (to, (factor, weight)) in row.iter_mut().zip(weights).enumerate() {
                *factor = if possible(from, to) {
                    weight.exp()
                } else {
                    0.0
                };
            }
        }
        let mut log_total = 0.0;
        let mut own: Vec<Row> = Vec::with_capacity(emitted.len());
        for (scores, &mask) in emitted.iter().zip(allowed) {
            let top = scores.iter().copied().fold(f32::MIN, f32::max);
            log_total += top;
            let mut row = [0.0; LABELS];
            for (label, (value, score)) in row.iter_mut().zip(scores).enumerate() {
                if mask >> label & 1 == 1 {
                    *value = (score - top).exp();
                }
            }
            own.push(row);
        }
        let mut forward: Vec<Row> = Vec::with_capacity(own.len());
        for row in &own {
            let mut next = match (forward.last(), factors.last()) {
                (None, Some(start)) => *start,
                (Some(last), _) => spread(last, &factors),
                _ => [1.0; LABELS],
            };
            for (n, o) in next.iter_mut().zip(row) {
                *n *= o;
            }
            log_total += normalise(&mut next).ln();
            forward.push(next);
        }
        let mut marginals = forward.clone();
        let mut pairs = [[0.0; LABELS]; LABELS + 1];
        let mut after = [1.0; LABELS];
        for at in (0..own.len()).rev() {
            let (Some(marginal), Some(row)) = (marginals.get_mut(at), own.get(at)) else {
                continue;
            };
            for (m, a) in marginal.iter_mut().zip(&after) {
                *m *= a;
            }
            normalise(marginal);
            let mut later = *row;
            for (l, a) in later.iter_mut().zip(&after) {
                *l *= a;
            }
            if at == 0 {
                if let (Some(start), Some(factor)) = (pairs.last_mut(), factors.last()) {
                    let mut joint = *factor;
                    joint.iter_mut().zip(&later).for_each(|(j, l)| *j *= l);
                    normalise(&mut joint);
                    start.iter_mut().zip(&joint).for_each(|(p, j)| *p += j);
                }
                continue;
            }
            let Some(last) = forward.get(at - 1) else {
                continue;
            };
            let mut joint = [[0.0; LABELS]; LABELS];
            let mut sum = 0.0;
            let mut before = [0.0; LABELS];
            for ((j, (&chance, factor)), b) in joint
                .iter_mut()
                .zip(last.iter().zip(&factors))
                .zip(&mut before)
            {
                for ((value, f), l) in j.iter_mut().zip(factor).zip(&later) {
                    *b += f * l;
                    *value = chance * f * l;
                    sum += *value;
                }
            }
            if sum > 0.0 {
                for (pair, j) in pairs.iter_mut().zip(&joint) {
                    pair.iter_mut()
                        .zip(j)
                        .for_each(|(p, value)| *p += value / sum);
                }
            }
            normalise(&mut before);
            after = before;
        }
        (log_total, marginals, pairs)
    }

    /// The weights as they are stored.
    pub(super) fn stored(&self) -> (Vec<[i8; LABELS]>, [[i16; LABELS]; LABELS + 1]) {
        let rows = self
            .rows
            .iter()
            .map(|row| row.map(|w| (w * SCALE).round().clamp(-127.0, 127.0) as i8))
            .collect();
        let mut transitions = [[0; LABELS]; LABELS + 1];
        for (from, (stored, weights)) in transitions.iter_mut().zip(&self.transitions).enumerate() {
            for (to, (s, w)) in stored.iter_mut().zip(weights).enumerate() {
                *s = if possible(from, to) {
                    (w * SCALE).round().clamp(-2000.0, 2000.0) as i16
                } else {
                    FORBIDDEN
                };
            }
        }
        (rows, transitions)
    }
}

fn spread(last: &Row, factors: &[Row; LABELS + 1]) -> Row {
    let mut next = [0.0; LABELS];
    for (chance, factor) in last.iter().zip(factors) {
        for (n, f) in next.iter_mut().zip(factor) {
            *n += chance * f;
        }
    }
    next
}

fn normalise(row: &mut Row) -> f32 {
    let sum: f32 = row.iter().sum();
    if sum > 0.0 {
        row.iter_mut().for_each(|value| *value /= sum);
    }
    sum
}

/// Shuffles by a fixed generator (xorshift64*, Vigna 2016), so that training repeats itself.
pub(super) fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = Xorshift::new(seed);
    for at in (1..items.len()).rev() {
        items.swap(at, state.below(at as u64 + 1) as usize);
    }
}

/// A small deterministic generator.
pub(super) struct Xorshift(u64);

impl Xorshift {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`.
    pub(super) const fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }
}
