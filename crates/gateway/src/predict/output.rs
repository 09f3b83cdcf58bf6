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
}
