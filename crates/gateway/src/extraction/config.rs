use schemars::JsonSchema;
use serde::Deserialize;

/// Detectors of model extraction.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ExtractionConfig {
    /// Whether queries are watched.
    pub enabled: bool,
    /// Recent queries that are remembered per principal, 20 to 1,000.
    pub window: usize,
    /// Two queries are near copies from this similarity on, 0 to 1.
    pub similarity: f64,
    /// Share of near copies in the window that is a sweep, 0 to 1.
    pub sweep_share: f64,
    /// Queries per UTC day that are too many to be explained.
    pub daily_queries: u64,
    /// Principals that are remembered; beyond that, the one that was silent longest is forgotten.
    pub max_principals: usize,
    /// Seconds until suspicion has halved.
    pub half_life_seconds: u64,
    /// What limits are multiplied by at full suspicion, above 0 to 1.
    pub least_factor: f64,
    /// What thresholds of attacks are multiplied by at full suspicion, 0.1 to 1.
    pub least_threshold_factor: f32,
    /// An answer is unsure when the two likeliest classes are nearer than this, 0 to 1.
    pub unsure_margin: f64,
    /// Share of unsure answers that honest users get at most, 0 to 1.
    pub unsure_share: f64,
}

impl Default for ExtractionConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            window: 100,
            similarity: 0.9,
            sweep_share: 0.5,
            daily_queries: 10_000,
            max_principals: 4_096,
            half_life_seconds: 3_600,
            least_factor: 0.1,
            least_threshold_factor: 0.6,
            unsure_margin: 0.2,
            unsure_share: 0.2,
        }
    }
}

impl ExtractionConfig {
    /// Every mistake: the key, and what is wrong with it.
    #[must_use]
    pub fn check(&self) -> Vec<(&'static str, String)> {
        let mut mistakes = Vec::new();
        if !(20..=1_000).contains(&self.window) {
            mistakes.push(("window", "must be from 20 to 1000 queries".into()));
        }
        for (key, value) in [
            ("similarity", self.similarity),
            ("sweep-share", self.sweep_share),
            ("unsure-margin", self.unsure_margin),
            ("unsure-share", self.unsure_share),
        ] {
            if !(value > 0.0 && value < 1.0) {
                mistakes.push((key, format!("`{value}` is not between 0 and 1")));
            }
        }
        if !(self.least_factor > 0.0 && self.least_factor <= 1.0) {
            mistakes.push(("least-factor", "must be above 0 and at most 1".into()));
        }
        if !(0.1..=1.0).contains(&self.least_threshold_factor) {
            mistakes.push(("least-threshold-factor", "must be from 0.1 to 1".into()));
        }
        if self.max_principals == 0 {
            mistakes.push(("max-principals", "must be at least 1".into()));
        }
        mistakes
    }
}
