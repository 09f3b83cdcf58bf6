//! Prints what each defence of `/predict` costs an honest client and a thief: the thief trains a
//! surrogate on what it is told. `cargo run -p bartizan-gateway --example output_defences`.
#![expect(clippy::print_stdout, reason = "an example that prints a table")]

use bartizan_gateway::{
    extraction::simulation::Dice,
    predict::{OutputConfig, Prediction, ReverseSigmoid, Shaper},
};

const FEATURES: usize = 8;
const CLASSES: usize = 4;
const QUERIES: usize = 600;
const FRESH: usize = 2_000;

/// A linear softmax classifier: the model, and the thief's copy of it.
#[derive(Clone)]
struct Linear([[f64; FEATURES]; CLASSES]);

impl Linear {
    fn probabilities(&self, row: &[f64]) -> Vec<f64> {
        let dot = |weights: &[f64; FEATURES]| -> f64 {
            weights.iter().zip(row).map(|(w, x)| w * x).sum()
        };
        let logits: Vec<f64> = self.0.iter().map(dot).collect();
        let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let powers: Vec<f64> = logits.iter().map(|logit| (logit - most).exp()).collect();
        let total: f64 = powers.iter().sum();
        powers.into_iter().map(|power| power / total).collect()
    }

    /// One pass of gradient descent on cross-entropy against soft targets.
    fn learn(&mut self, told: &[(Vec<f64>, Vec<f64>)], rate: f64) {
        for (row, target) in told {
            let now = self.probabilities(row);
            for ((weights, now), target) in self.0.iter_mut().zip(now).zip(target) {
                for (weight, value) in weights.iter_mut().zip(row) {
                    *weight -= rate * (now - target) * value;
                }
            }
        }
    }
}

fn main() {
    let mut dice = Dice::new(7);
    let mut model = Linear([[0.0; FEATURES]; CLASSES]);
    for weight in model.0.iter_mut().flatten() {
        *weight = dice.normal();
    }
    let bare = OutputConfig {
        top_k: 0,
        decimals: None,
        noise: 0.0,
        ..OutputConfig::default()
    };
    let table = [
        ("nothing", bare.clone()),
        (
            "two decimals",
            OutputConfig {
                decimals: Some(2),
                ..bare.clone()
            },
        ),
        (
            "noise 0.01",
            OutputConfig {
                noise: 0.01,
                ..bare.clone()
            },
        ),
        (
            "noise 0.1",
            OutputConfig {
                noise: 0.1,
                ..bare.clone()
            },
        ),
        (
            "top 1",
            OutputConfig {
                top_k: 1,
                ..bare.clone()
            },
        ),
        (
            "reverse sigmoid",
            OutputConfig {
                reverse_sigmoid: Some(ReverseSigmoid::default()),
                ..bare.clone()
            },
        ),
        (
            "label only",
            OutputConfig {
                label_only: true,
                ..bare
            },
        ),
        ("default", OutputConfig::default()),
    ];
    println!("a surrogate from {QUERIES} queries; over {FRESH} fresh rows");
    println!(
        "{:<16}{:>16}{:>20}{:>22}",
        "defence", "labels changed", "surrogate agrees", "mean error of scores"
    );
    for (name, config) in table {
        let (changed, agrees, error) = steal(&model, &config);
        println!("{name:<16}{changed:>15.2}%{agrees:>19.1}%{error:>22.4}");
    }
}

/// Labels that the defence changed, fresh rows on which the surrogate agrees with the model, and
/// the mean difference of their scores.
fn steal(model: &Linear, config: &OutputConfig) -> (f64, f64, f64) {
    let labels: Vec<String> = (0..CLASSES).map(|class| class.to_string()).collect();
    let shaper = Shaper::new(&[1; 32]);
    let mut dice = Dice::new(11);
    let mut row = || -> Vec<f64> { (0..FEATURES).map(|_| dice.normal()).collect() };
    let told: Vec<(Vec<f64>, Vec<f64>)> = (0..QUERIES)
        .map(|_| {
            let row = row();
            let honest = model.probabilities(&row);
            let told = shaper.classes(config, &labels, "m", &row, &honest);
            (row, target(&told))
        })
        .collect();
    let mut surrogate = Linear([[0.0; FEATURES]; CLASSES]);
    for pass in 0..60 {
        surrogate.learn(&told, 0.1 / (1.0 + f64::from(pass) / 10.0));
    }
    let (mut changed, mut agrees, mut error) = (0_u32, 0_u32, 0.0);
    for _ in 0..FRESH {
        let row = row();
        let honest = model.probabilities(&row);
        let copied = surrogate.probabilities(&row);
        let label = |scores: &[f64]| Prediction::whole(&labels, scores).label;
        let shown = shaper.classes(config, &labels, "m", &row, &honest).label;
        changed += u32::from(shown != label(&honest));
        agrees += u32::from(label(&copied) == label(&honest));
        let difference = honest.iter().zip(&copied).map(|(a, b)| (a - b).abs());
        error += difference.sum::<f64>() / CLASSES as f64;
    }
    let share = |count: u32| 100.0 * f64::from(count) / FRESH as f64;
    (share(changed), share(agrees), error / FRESH as f64)
}

/// What a thief makes of an answer: what is missing is spread over the classes that were not told.
fn target(told: &Prediction) -> Vec<f64> {
    let class = |label: &str| label.parse::<usize>().unwrap_or(0);
    let mut target = vec![f64::NAN; CLASSES];
    if told.probabilities.is_empty() {
        let top = told.label.as_deref().map(class);
        return (0..CLASSES)
            .map(|at| f64::from(u8::from(Some(at) == top)))
            .collect();
    }
    let mut left = 1.0;
    for ranked in &told.probabilities {
        if let Some(slot) = target.get_mut(class(&ranked.label)) {
            *slot = ranked.probability;
            left -= ranked.probability;
        }
    }
    let missing = target.iter().filter(|share| share.is_nan()).count().max(1) as f64;
    for share in &mut target {
        if share.is_nan() {
            *share = f64::max(left, 0.0) / missing;
        }
    }
    target
}
