use futures_util::future::BoxFuture;

use super::{ModelBackend, Scores, Tensor};
use crate::fault::Fault;

/// A built-in classifier with fixed weights, so that the first request works. Its answers mean
/// nothing, and say so.
#[derive(Clone, Copy, Debug, Default)]
pub struct Demonstration;

/// Its classes.
const CLASSES: [&str; 3] = ["demonstration-a", "demonstration-b", "demonstration-c"];

impl Demonstration {
    /// The names of its classes.
    #[must_use]
    pub fn labels() -> Vec<String> {
        CLASSES.map(str::to_owned).to_vec()
    }

    fn row(values: &[f64]) -> Vec<f64> {
        let scale = values.len().max(1) as f64;
        let logits: Vec<f64> = (0..CLASSES.len())
            .map(|class| {
                let sum: f64 = (0_u32..)
                    .zip(values)
                    .map(|(at, value)| {
                        let angle = f64::from(at + 1) * (class as f64 + 1.0);
                        angle.sin() * value.clamp(-1e6, 1e6) / 100.0
                    })
                    .sum();
                sum / scale.sqrt()
            })
            .collect();
        let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let powers: Vec<f64> = logits.iter().map(|logit| (logit - most).exp()).collect();
        let total: f64 = powers.iter().sum();
        powers.into_iter().map(|power| power / total).collect()
    }
}

impl ModelBackend for Demonstration {
    fn predict<'a>(&'a self, input: &'a Tensor) -> BoxFuture<'a, Result<Scores, Fault>> {
        let scores = input.iter().map(Self::row).collect();
        Box::pin(async move { Ok(Scores::Classes(scores)) })
    }

    fn is_demonstration(&self) -> bool {
        true
    }
}
