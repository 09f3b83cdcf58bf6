//! The net while it learns: embeddings, one convolution with the strongest answer per window, and
//! two dense layers (the shape of Kim 2014, with Adam of Kingma and Ba 2015 for what is dense and
//! Adagrad of Duchi et al. 2011 for embeddings).

use ndarray::{Array2, ArrayView2};

use crate::shape::{BLOCK, FEATURES, FILTERS, HEADS, HIDDEN, MEAN, ROW, TAPS, WIDTH};

/// Rows of up to three embeddings that are averaged for one token; `u32::MAX` is none.
pub(crate) type Rows = [u32; 3];
/// No row.
pub(crate) const NONE: u32 = u32::MAX;

/// Everything that is learnt.
#[derive(Clone)]
pub(crate) struct Net {
    /// `rows × WIDTH`.
    pub(crate) embed: Vec<f32>,
    /// Where the embeddings began, to be pulled back to.
    pub(crate) base: Vec<f32>,
    /// `WIDTH × ROW`, tap by tap, then the means.
    pub(crate) project: Array2<f32>,
    /// Dense parameters: see [`Dense`].
    pub(crate) dense: Vec<f32>,
}

/// Where each dense parameter stands in [`Net::dense`].
pub(crate) struct Dense;

impl Dense {
    pub(crate) const BIAS: usize = 0;
    pub(crate) const W1: usize = FILTERS;
    pub(crate) const B1: usize = Self::W1 + FEATURES * HIDDEN;
    pub(crate) const W2: usize = Self::B1 + HIDDEN;
    pub(crate) const B2: usize = Self::W2 + HIDDEN * HEADS;
    pub(crate) const LEN: usize = Self::B2 + HEADS;
}

/// What one window's features were made of.
#[derive(Clone)]
pub(crate) struct Window {
    /// The strongest answers, then the means.
    pub(crate) features: [f32; FEATURES],
    /// At which token each filter answered strongest; [`NONE`] where it did not answer.
    pub(crate) places: [u32; FILTERS],
    /// Its tokens.
    pub(crate) tokens: (usize, usize),
}

/// A text on its way through the net.
pub(crate) struct Forward {
    /// `tokens × WIDTH`.
    pub(crate) x: Array2<f32>,
    /// The windows.
    pub(crate) windows: Vec<Window>,
}

/// What a window leads to.
pub(crate) struct Answer {
    pub(crate) hidden: [f32; HIDDEN],
    pub(crate) heads: [f32; HEADS],
}

impl Net {
    /// A net that has learnt nothing, over pretrained embeddings.
    pub(crate) fn new(base: Vec<f32>, random: &mut fastrand::Rng) -> Self {
        let mut normal = |scale: f32| {
            let sum: f32 = (0..12).map(|_| random.f32()).sum();
            (sum - 6.0) * scale
        };
        let project = Array2::from_shape_simple_fn((WIDTH, ROW), || normal(0.4));
        let mut dense = vec![0.0; Dense::LEN];
        for weight in &mut dense[Dense::W1..Dense::B1] {
            *weight = normal((2.0 / FEATURES as f32).sqrt());
        }
        for weight in &mut dense[Dense::W2..Dense::B2] {
            *weight = normal((1.0 / HIDDEN as f32).sqrt());
        }
        Self {
            embed: base.clone(),
            base,
            project,
            dense,
        }
    }

    /// The embedding rows of `tokens`.
    fn gather(&self, tokens: &[Rows]) -> Array2<f32> {
        let mut x = Array2::<f32>::zeros((tokens.len(), WIDTH));
        for (mut to, rows) in x.rows_mut().into_iter().zip(tokens) {
            let Some(to) = to.as_slice_mut() else {
                continue;
            };
            let share = 1.0 / rows.iter().filter(|row| **row != NONE).count().max(1) as f32;
            for row in rows.iter().filter(|row| **row != NONE) {
                let from = &self.embed[*row as usize * WIDTH..][..WIDTH];
                for (a, b) in to.iter_mut().zip(from) {
                    *a += b * share;
                }
            }
        }
        x
    }

    /// The windows of a text.
    pub(crate) fn forward(&self, tokens: &[Rows]) -> Forward {
        let x = self.gather(tokens);
        let u = x.dot(&self.project);
        let u = u.as_slice().unwrap_or(&[]);
        let count = tokens.len();
        let bias = &self.dense[Dense::BIAS..Dense::BIAS + FILTERS];
        let blocks: Vec<Window> = (0..count)
            .step_by(BLOCK)
            .map(|start| {
                let end = (start + BLOCK).min(count);
                let mut window = Window {
                    features: [0.0; FEATURES],
                    places: [NONE; FILTERS],
                    tokens: (start, end),
                };
                for at in start..end {
                    let mut sums = [0.0f32; FILTERS];
                    sums.copy_from_slice(bias);
                    for tap in 0..TAPS {
                        let Some(from) = (at + tap).checked_sub(TAPS / 2) else {
                            continue;
                        };
                        if from >= count {
                            continue;
                        }
                        let row = &u[from * ROW + tap * FILTERS..][..FILTERS];
                        for (sum, share) in sums.iter_mut().zip(row) {
                            *sum += share;
                        }
                    }
                    for (filter, sum) in sums.iter().enumerate() {
                        if *sum > window.features[filter] {
                            window.features[filter] = *sum;
                            window.places[filter] = at as u32;
                        }
                    }
                    let means = &u[at * ROW + TAPS * FILTERS..][..MEAN];
                    for (sum, share) in window.features[FILTERS..].iter_mut().zip(means) {
                        *sum += share;
                    }
                }
                window
            })
            .collect();
        let joined = |pair: &[Window]| {
            let mut window = pair[0].clone();
            if let Some(next) = pair.get(1) {
                for filter in 0..FILTERS {
                    if next.features[filter] > window.features[filter] {
                        window.features[filter] = next.features[filter];
                        window.places[filter] = next.places[filter];
                    }
                }
                for mean in FILTERS..FEATURES {
                    window.features[mean] += next.features[mean];
                }
                window.tokens.1 = next.tokens.1;
            }
            let words = (window.tokens.1 - window.tokens.0).max(1) as f32;
            for mean in &mut window.features[FILTERS..] {
                *mean /= words;
            }
            window
        };
        let windows = if blocks.len() == 1 {
            blocks.chunks(1).map(joined).collect()
        } else {
            blocks.windows(2).map(joined).collect()
        };
        Forward { x, windows }
    }

    /// What a window leads to.
    pub(crate) fn answer(&self, features: &[f32; FEATURES]) -> Answer {
        let dense = &self.dense;
        let mut hidden = [0.0; HIDDEN];
        hidden.copy_from_slice(&dense[Dense::B1..Dense::W2]);
        for (value, row) in features
            .iter()
            .zip(dense[Dense::W1..Dense::B1].chunks_exact(HIDDEN))
        {
            for (sum, weight) in hidden.iter_mut().zip(row) {
                *sum += value * weight;
            }
        }
        for value in &mut hidden {
            *value = value.max(0.0);
        }
        let mut heads = [0.0; HEADS];
        heads.copy_from_slice(&dense[Dense::B2..Dense::LEN]);
        for (value, row) in hidden
            .iter()
            .zip(dense[Dense::W2..Dense::B2].chunks_exact(HEADS))
        {
            for (sum, weight) in heads.iter_mut().zip(row) {
                *sum += value * weight;
            }
        }
        Answer { hidden, heads }
    }
}

/// What the loss asks of one window.
pub(crate) struct Slope<'a> {
    pub(crate) window: &'a Window,
    /// Its features, scaled as dropout did.
    pub(crate) features: &'a [f32; FEATURES],
    /// How dropout scaled them.
    pub(crate) kept: &'a [f32; FEATURES],
    /// What they led to.
    pub(crate) answer: &'a Answer,
    /// The slope of the loss in each head.
    pub(crate) heads: &'a [f32; HEADS],
}

/// Sums of gradients over a part of a batch.
pub(crate) struct Gradient {
    pub(crate) project: Array2<f32>,
    pub(crate) dense: Vec<f32>,
    embed: Vec<f32>,
    is_touched: Vec<bool>,
    pub(crate) touched: Vec<u32>,
}

impl Gradient {
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            project: Array2::zeros((WIDTH, ROW)),
            dense: vec![0.0; Dense::LEN],
            embed: vec![0.0; rows * WIDTH],
            is_touched: vec![false; rows],
            touched: Vec::new(),
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.project.fill(0.0);
        self.dense.fill(0.0);
        for row in self.touched.drain(..) {
            self.embed[row as usize * WIDTH..][..WIDTH].fill(0.0);
            self.is_touched[row as usize] = false;
        }
    }

    /// Adds what `other` holds.
    pub(crate) fn add(&mut self, other: &Self) {
        self.project += &other.project;
        for (a, b) in self.dense.iter_mut().zip(&other.dense) {
            *a += b;
        }
        for row in &other.touched {
            let from: &[f32] = &other.embed[*row as usize * WIDTH..][..WIDTH];
            self.touch(*row, from, 1.0);
        }
    }

    fn touch(&mut self, row: u32, values: &[f32], share: f32) {
        let at = row as usize;
        if !self.is_touched[at] {
            self.is_touched[at] = true;
            self.touched.push(row);
        }
        for (a, b) in self.embed[at * WIDTH..][..WIDTH].iter_mut().zip(values) {
            *a += b * share;
        }
    }

    /// Adds what one slope asks for.
    pub(crate) fn backward(
        &mut self,
        net: &Net,
        tokens: &[Rows],
        forward: &Forward,
        slope: &Slope<'_>,
    ) {
        let Slope {
            window,
            features,
            kept,
            answer,
            heads,
        } = *slope;
        let mut hidden = [0.0; HIDDEN];
        for (unit, value) in answer.hidden.iter().enumerate() {
            let at = Dense::W2 + unit * HEADS;
            for (head, slope) in heads.iter().enumerate() {
                self.dense[at + head] += value * slope;
                if *value > 0.0 {
                    hidden[unit] += net.dense[at + head] * slope;
                }
            }
        }
        for (sum, slope) in self.dense[Dense::B2..].iter_mut().zip(heads) {
            *sum += slope;
        }
        for (sum, slope) in self.dense[Dense::B1..Dense::W2].iter_mut().zip(&hidden) {
            *sum += slope;
        }
        let mut inner = [0.0; FEATURES];
        for (feature, value) in features.iter().enumerate() {
            let at = Dense::W1 + feature * HIDDEN;
            for (unit, slope) in hidden.iter().enumerate() {
                self.dense[at + unit] += value * slope;
                inner[feature] += net.dense[at + unit] * slope;
            }
            inner[feature] *= kept[feature];
        }
        // The tokens that the window's filters see.
        let from = window.tokens.0.saturating_sub(TAPS / 2);
        let to = (window.tokens.1 + TAPS / 2).min(tokens.len());
        let mut slopes = Array2::<f32>::zeros((to - from, ROW));
        for filter in 0..FILTERS {
            let place = window.places[filter];
            if place == NONE || inner[filter] == 0.0 {
                continue;
            }
            self.dense[Dense::BIAS + filter] += inner[filter];
            for tap in 0..TAPS {
                let Some(at) = (place as usize + tap).checked_sub(TAPS / 2) else {
                    continue;
                };
                if at >= from && at < to {
                    slopes[[at - from, tap * FILTERS + filter]] += inner[filter];
                }
            }
        }
        let words = (window.tokens.1 - window.tokens.0).max(1) as f32;
        for at in window.tokens.0..window.tokens.1 {
            for mean in 0..MEAN {
                slopes[[at - from, TAPS * FILTERS + mean]] += inner[FILTERS + mean] / words;
            }
        }
        let x = ArrayView2::from_shape(
            (to - from, WIDTH),
            &forward.x.as_slice().unwrap_or(&[])[from * WIDTH..to * WIDTH],
        );
        let Ok(x) = x else { return };
        self.project += &x.t().dot(&slopes);
        let back = slopes.dot(&net.project.t());
        for (rows, slope) in tokens[from..to].iter().zip(back.rows()) {
            let share = 1.0 / rows.iter().filter(|row| **row != NONE).count().max(1) as f32;
            for row in rows.iter().filter(|row| **row != NONE) {
                if let Some(slope) = slope.as_slice() {
                    self.touch(*row, slope, share);
                }
            }
        }
    }
}

/// Steps down the gradient.
pub(crate) struct Optimiser {
    project: (Vec<f32>, Vec<f32>),
    dense: (Vec<f32>, Vec<f32>),
    embed: Vec<f32>,
    steps: i32,
}

impl Optimiser {
    pub(crate) fn new(net: &Net) -> Self {
        let pair = |len: usize| (vec![0.0; len], vec![0.0; len]);
        Self {
            project: pair(WIDTH * ROW),
            dense: pair(Dense::LEN),
            embed: vec![1e-6; net.embed.len()],
            steps: 0,
        }
    }

    /// One step of length `rate`; embeddings step `embed_rate` and are pulled back to where they
    /// began by `pull`.
    pub(crate) fn step(
        &mut self,
        net: &mut Net,
        gradient: &Gradient,
        rate: f32,
        embed_rate: f32,
        pull: f32,
    ) {
        self.steps += 1;
        if let (Some(to), Some(from)) = (net.project.as_slice_mut(), gradient.project.as_slice()) {
            adam(to, from, &mut self.project, self.steps, rate, 2e-5);
        }
        adam(
            &mut net.dense,
            &gradient.dense,
            &mut self.dense,
            self.steps,
            rate,
            1e-4,
        );
        for row in &gradient.touched {
            let at = *row as usize * WIDTH;
            let place = at..at + WIDTH;
            for (((to, base), from), seen) in net.embed[place.clone()]
                .iter_mut()
                .zip(&net.base[place.clone()])
                .zip(&gradient.embed[place.clone()])
                .zip(&mut self.embed[place.clone()])
            {
                *seen += from * from;
                *to -= embed_rate * from / seen.sqrt();
                *to -= pull * (*to - base);
            }
        }
    }
}

fn adam(
    to: &mut [f32],
    from: &[f32],
    moments: &mut (Vec<f32>, Vec<f32>),
    steps: i32,
    rate: f32,
    decay: f32,
) {
    let (first, second) = (1.0 - 0.9f32.powi(steps), 1.0 - 0.999f32.powi(steps));
    for (((to, slope), mean), square) in to
        .iter_mut()
        .zip(from)
        .zip(&mut moments.0)
        .zip(&mut moments.1)
    {
        *mean = 0.9 * *mean + 0.1 * slope;
        *square = 0.999 * *square + 0.001 * slope * slope;
        *to -= rate * (*mean / first) / ((*square / second).sqrt() + 1e-8);
        *to -= decay * rate * 10.0 * *to;
    }
}
