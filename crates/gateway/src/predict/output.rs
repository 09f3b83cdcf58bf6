use aws_lc_rs::hmac;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What clients see of a model's scores. Principals entitled to `probabilities` see all of them as
/// they are.
///
/// Applied in this order: noise, reverse sigmoid, top-k, rounding, label only.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct OutputConfig {
    /// Only the label, no probability.
    pub label_only: bool,
    /// How many of the likeliest classes are shown; 0 for all.
    pub top_k: usize,
    /// Decimal places of probabilities; `null` for all.
    pub decimals: Option<u8>,
    /// Largest change of a probability by noise, 0 to 0.5. The same input gets the same noise, so
    /// asking again averages nothing out.
    pub noise: f64,
    /// Inputs that agree when rounded to multiples of this get the same noise; in units of the
    /// feature, above 0.
    pub noise_grid: f64,
    /// Deceptive scores after Lee et al., "Defending Against Neural Network Model Stealing Attacks
    /// Using Deceptive Perturbations" (2018), equation 3: the label stays.
    pub reverse_sigmoid: Option<ReverseSigmoid>,
}

/// The two constants of the reverse sigmoid.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ReverseSigmoid {
    /// The size of the change, 0 to 1.
    pub beta: f64,
    /// How fast it grows towards sure scores, above 0.
    pub gamma: f64,
}

impl Default for ReverseSigmoid {
    fn default() -> Self {
        Self {
            beta: 0.7,
            gamma: 0.2,
        }
    }
}

impl Default for OutputConfig {
    /// The likeliest class with two decimal places and noise of up to 0.01.
    fn default() -> Self {
        Self {
            label_only: false,
            top_k: 1,
            decimals: Some(2),
            noise: 0.01,
            noise_grid: 1e-3,
            reverse_sigmoid: None,
        }
    }
}

/// What is told about one row.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Prediction {
    /// The likeliest class; absent for numbers that are no probabilities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The likeliest classes, likeliest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub probabilities: Vec<Ranked>,
    /// Numbers that are no probabilities.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<f64>,
}

/// A class and its probability.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Ranked {
    /// The class.
    pub label: String,
    /// 0 to 1.
    pub probability: f64,
}

/// Shapes scores for clients, with noise under one key.
#[derive(Clone, Debug)]
pub struct Shaper {
    key: hmac::Key,
}

impl Shaper {
    /// A shaper whose noise is bound to `key`; another key gives other noise.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
        }
    }

    /// What a client that is not entitled to more sees of the probabilities of one row's classes.
    #[must_use]
    pub fn classes(
        &self,
        config: &OutputConfig,
        labels: &[String],
        model: &str,
        row: &[f64],
        probabilities: &[f64],
    ) -> Prediction {
        let mut shown = probabilities.to_vec();
        if config.noise > 0.0 {
            let mut noise = self.noise(model, row, config.noise_grid);
            for probability in &mut shown {
                *probability += config.noise * (2.0 * noise.next() - 1.0);
            }
            normalise(&mut shown);
        }
        let top = argmax(&shown);
        if let Some(constants) = config.reverse_sigmoid {
            constants.apply(&mut shown);
            // The scores deceive, the label does not.
            if let Some(most) = argmax(&shown)
                && let Some(top) = top
            {
                shown.swap(top, most);
            }
        }
        let mut ranked = rank(labels, &shown);
        if let Some(top) = top {
            // Among equals, the label comes first.
            let label = name(labels, top);
            ranked.sort_by_key(|class| class.label != label);
            ranked
                .get_mut(1..)
                .unwrap_or_default()
                .sort_by(|a, b| b.probability.total_cmp(&a.probability));
        }
        if config.top_k > 0 {
            ranked.truncate(config.top_k);
        }
        if let Some(decimals) = config.decimals {
            for class in &mut ranked {
                class.probability = rounded(class.probability, decimals);
            }
        }
        Prediction {
            label: top.map(|top| name(labels, top)),
            probabilities: if config.label_only {
                Vec::new()
            } else {
                ranked
            },
            values: Vec::new(),
        }
    }

    /// What a client that is not entitled to more sees of numbers that are no probabilities: they
    /// are rounded, and get no noise, since nobody knows their scale.
    #[must_use]
    pub fn values(config: &OutputConfig, values: &[f64]) -> Prediction {
        let round = |value: &f64| match config.decimals {
            Some(decimals) => rounded(*value, decimals),
            None => *value,
        };
        Prediction {
            label: None,
            probabilities: Vec::new(),
            values: values.iter().map(round).collect(),
        }
    }

    /// A stream of numbers that depends on the key, the model, and the cell of the grid in which
    /// the input lies, and on nothing else.
    fn noise(&self, model: &str, row: &[f64], grid: f64) -> Noise {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(b"bartizan/v1/noise/");
        context.update(&(model.len() as u64).to_be_bytes());
        context.update(model.as_bytes());
        for value in row {
            // `+ 0.0` makes -0 and 0 the same.
            let cell = if grid > 0.0 {
                (value / grid).round() + 0.0
            } else {
                value + 0.0
            };
            context.update(&cell.to_bits().to_be_bytes());
        }
        let tag = context.sign();
        let seed = tag.as_ref().first_chunk::<8>().copied().unwrap_or_default();
        Noise(u64::from_be_bytes(seed))
    }
}

/// SplitMix64 (Steele et al., "Fast Splittable Pseudorandom Number Generators", 2014).
struct Noise(u64);

impl Noise {
    /// The next number from 0 up to 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl ReverseSigmoid {
    fn apply(self, probabilities: &mut [f64]) {
        let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
        for probability in probabilities.iter_mut() {
            let y = probability.clamp(1e-6, 1.0 - 1e-6);
            let logit = (y / (1.0 - y)).ln();
            *probability = y - self.beta * (sigmoid(self.gamma * logit) - 0.5);
        }
        normalise(probabilities);
    }
}

impl Prediction {
    /// Everything, as it is.
    #[must_use]
    pub fn whole(labels: &[String], probabilities: &[f64]) -> Self {
        let top = argmax(probabilities);
        Self {
            label: top.map(|top| name(labels, top)),
            probabilities: rank(labels, probabilities),
            values: Vec::new(),
        }
    }
}

impl OutputConfig {
    /// Every mistake: the key, and what is wrong with it.
    #[must_use]
    pub fn check(&self) -> Vec<(&'static str, String)> {
        let mut mistakes = Vec::new();
        if !(0.0..=0.5).contains(&self.noise) {
            mistakes.push(("noise", "must be from 0 to 0.5".into()));
        }
        if !(self.noise_grid > 0.0 && self.noise_grid.is_finite()) {
            mistakes.push(("noise-grid", "must be above 0".into()));
        }
        if self.decimals.is_some_and(|decimals| decimals > 15) {
            mistakes.push(("decimals", "must be at most 15".into()));
        }
        if let Some(ReverseSigmoid { beta, gamma }) = self.reverse_sigmoid
            && !((0.0..=1.0).contains(&beta) && gamma > 0.0 && gamma.is_finite())
        {
            let message = "`beta` must be from 0 to 1, and `gamma` above 0";
            mistakes.push(("reverse-sigmoid", message.into()));
        }
        mistakes
    }
}

fn argmax(values: &[f64]) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (at, &value) in values.iter().enumerate() {
        // The first of equals.
        if best.is_none_or(|(_, most)| value > most) {
            best = Some((at, value));
        }
    }
    best.map(|(at, _)| at)
}

/// Within 0 and 1, and 1 together.
fn normalise(values: &mut [f64]) {
    for value in values.iter_mut() {
        *value = value.clamp(0.0, 1.0);
    }
    let total: f64 = values.iter().sum();
    if total > 0.0 {
        for value in values.iter_mut() {
            *value /= total;
        }
    }
}

fn rank(labels: &[String], probabilities: &[f64]) -> Vec<Ranked> {
    let mut ranked: Vec<Ranked> = probabilities
        .iter()
        .enumerate()
        .map(|(at, &probability)| Ranked {
            label: name(labels, at),
            probability,
        })
        .collect();
    ranked.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    ranked
}

fn name(labels: &[String], at: usize) -> String {
    labels.get(at).cloned().unwrap_or_else(|| at.to_string())
}

fn rounded(value: f64, decimals: u8) -> f64 {
    let scale = 10_f64.powi(i32::from(decimals.min(15)));
    let rounded = (value * scale).round() / scale;
    if rounded.is_finite() { rounded } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Vec<String> {
        ["a", "b", "c"].map(str::to_owned).to_vec()
    }

    fn shaped(config: &OutputConfig, row: &[f64], probabilities: &[f64]) -> Prediction {
        Shaper::new(&[5; 32]).classes(config, &labels(), "m", row, probabilities)
    }

    fn bare() -> OutputConfig {
        OutputConfig {
            top_k: 0,
            decimals: None,
            noise: 0.0,
            ..OutputConfig::default()
        }
    }

    fn listed(prediction: &Prediction) -> Vec<(&str, f64)> {
        let classes = prediction.probabilities.iter();
        classes
            .map(|class| (&*class.label, class.probability))
            .collect()
    }

    #[test]
    fn each_defence_by_itself() {
        let row = [1.0, 2.0];
        let scores = [0.123_456, 0.7, 0.176_544];
        let whole = shaped(&bare(), &row, &scores);
        assert_eq!(
            listed(&whole),
            [("b", 0.7), ("c", 0.176_544), ("a", 0.123_456)]
        );
        let top = OutputConfig { top_k: 2, ..bare() };
        assert_eq!(listed(&shaped(&top, &row, &scores)).len(), 2);
        let two = OutputConfig {
            decimals: Some(2),
            ..bare()
        };
        assert_eq!(
            listed(&shaped(&two, &row, &scores)),
            [("b", 0.7), ("c", 0.18), ("a", 0.12)]
        );
        let label = OutputConfig {
            label_only: true,
            ..bare()
        };
        let told = shaped(&label, &row, &scores);
        assert_eq!(
            (told.label.as_deref(), told.probabilities.len()),
            (Some("b"), 0)
        );
        let by_default = shaped(&OutputConfig::default(), &row, &scores);
        assert_eq!(by_default.probabilities.len(), 1);
        assert_eq!(Shaper::values(&two, &[1.005, -2.0]).values, [1.0, -2.0]);
    }

    #[test]
    fn the_reverse_sigmoid_deceives_about_scores_and_keeps_labels() {
        let config = OutputConfig {
            reverse_sigmoid: Some(ReverseSigmoid::default()),
            ..bare()
        };
        let mut state = Noise(1);
        for _ in 0..1_000 {
            let mut scores = [state.next(), state.next(), state.next()];
            normalise(&mut scores);
            let told = shaped(&config, &[0.0], &scores);
            let honest = Prediction::whole(&labels(), &scores);
            assert_eq!(told.label, honest.label);
            assert_eq!(told.probabilities[0].label, honest.label.unwrap());
            let total: f64 = told
                .probabilities
                .iter()
                .map(|class| class.probability)
                .sum();
            assert!((total - 1.0).abs() < 1e-9);
        }
        let sure = shaped(&config, &[0.0], &[0.98, 0.01, 0.01]);
        assert!(sure.probabilities[0].probability < 0.9, "{sure:?}");
    }

    #[test]
    fn the_same_input_gets_the_same_noise() {
        let config = OutputConfig {
            noise: 0.05,
            ..bare()
        };
        let scores = [0.5, 0.3, 0.2];
        let first = shaped(&config, &[1.0, 2.0], &scores);
        assert_ne!(listed(&first)[0].1, 0.5);
        for _ in 0..100 {
            assert_eq!(shaped(&config, &[1.0, 2.0], &scores), first);
        }
        // Asking a hair beside it averages nothing out either.
        assert_eq!(shaped(&config, &[1.000_01, 2.0], &scores), first);
        assert_ne!(shaped(&config, &[1.1, 2.0], &scores), first);
        let other = Shaper::new(&[6; 32]).classes(&config, &labels(), "m", &[1.0, 2.0], &scores);
        assert_ne!(other, first);
        let other = Shaper::new(&[5; 32]).classes(&config, &labels(), "n", &[1.0, 2.0], &scores);
        assert_ne!(other, first);
        assert_eq!(
            shaped(&config, &[-0.0, 2.0], &scores),
            shaped(&config, &[0.0, 2.0], &scores)
        );
    }

    /// Three Gaussian classes, told apart by their exact posterior; EX-08 allows one per cent.
    #[test]
    fn noise_costs_less_than_one_per_cent_of_accuracy() {
        let shaper = Shaper::new(&[9; 32]);
        let config = OutputConfig {
            decimals: Some(2),
            ..OutputConfig::default()
        };
        let mut state = Noise(42);
        let means: [[f64; 2]; 3] = [[0.0, 0.0], [2.0, 0.0], [1.0, 1.8]];
        let (mut honest, mut noisy, mut changed) = (0_u32, 0_u32, 0_u32);
        const SAMPLES: u32 = 20_000;
        for sample in 0..SAMPLES {
            let class = sample as usize % 3;
            let mut normal = || {
                // Box and Muller (1958).
                let (u, v) = (state.next().max(1e-12), state.next());
                (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
            };
            let point = means[class].map(|mean| mean + normal());
            let mut posterior = means.map(|mean| {
                let distance: f64 = mean.iter().zip(point).map(|(m, p)| (m - p).powi(2)).sum();
                (-distance / 2.0).exp()
            });
            normalise(&mut posterior);
            let truth = ["a", "b", "c"][class];
            let plain = Prediction::whole(&labels(), &posterior).label.unwrap();
            let told = shaper.classes(&config, &labels(), "m", &point, &posterior);
            let told = told.label.unwrap();
            honest += u32::from(plain == truth);
            noisy += u32::from(told == truth);
            changed += u32::from(told != plain);
        }
        let loss = f64::from(honest.abs_diff(noisy)) / f64::from(SAMPLES);
        assert!(loss < 0.01, "{loss}");
        assert!(changed > 0, "noise that changes nothing is none");
    }

    #[test]
    fn settings_are_checked() {
        assert!(OutputConfig::default().check().is_empty());
        let bad = OutputConfig {
            noise: f64::NAN,
            noise_grid: 0.0,
            decimals: Some(16),
            reverse_sigmoid: Some(ReverseSigmoid {
                beta: 2.0,
                gamma: 0.0,
            }),
            ..OutputConfig::default()
        };
        assert_eq!(bad.check().len(), 4);
    }
}
