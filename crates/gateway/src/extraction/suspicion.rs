use serde::Serialize;

/// How sure we are that somebody copies or attacks the model: 0 for not at all, 1 for certain.
/// Halves with time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Suspicion {
    level: f64,
    at_ms: u64,
}

/// What raised it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signal {
    /// Many near copies of earlier queries.
    Similarity,
    /// Grids, arithmetic sequences, or walks along a boundary.
    Probing,
    /// More queries in a day than can be explained.
    Volume,
    /// Queries come like clockwork.
    Timing,
    /// Inputs are spread as no real data is.
    Synthetic,
    /// Queries seek what the model is unsure of.
    Uncertainty,
    /// Attempts that were refused.
    Refusals,
}

impl Signal {
    /// Every signal.
    pub const ALL: [Self; 7] = [
        Self::Similarity,
        Self::Probing,
        Self::Volume,
        Self::Timing,
        Self::Synthetic,
        Self::Uncertainty,
        Self::Refusals,
    ];

    /// The name used in events and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Similarity => "similarity",
            Self::Probing => "probing",
            Self::Volume => "volume",
            Self::Timing => "timing",
            Self::Synthetic => "synthetic",
            Self::Uncertainty => "uncertainty",
            Self::Refusals => "refusals",
        }
    }

    /// How much of what is missing to 1 it adds. A program may well be punctual or ask the same
    /// question of many documents; seeking what the model is unsure of has no other reason.
    pub(super) const fn weight(self) -> f64 {
        match self {
            Self::Uncertainty => 0.5,
            Self::Probing => 0.35,
            Self::Similarity | Self::Synthetic | Self::Volume => 0.25,
            Self::Refusals => 0.15,
            Self::Timing => 0.1,
        }
    }
}

impl Suspicion {
    /// Its level at `now_ms`, from 0 to 1, having halved every `half_life_ms`.
    #[must_use]
    pub fn at(&self, now_ms: u64, half_life_ms: u64) -> f64 {
        let passed = now_ms.saturating_sub(self.at_ms) as f64 / half_life_ms.max(1) as f64;
        self.level * (-passed).exp2()
    }

    /// Raises it by what `weight`, 0 to 1, adds of what is missing to 1.
    pub fn raise(&mut self, weight: f64, now_ms: u64, half_life_ms: u64) {
        let level = self.at(now_ms, half_life_ms);
        self.level = 1.0 - (1.0 - level) * (1.0 - weight.clamp(0.0, 1.0));
        self.at_ms = self.at_ms.max(now_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rises_towards_one_and_halves() {
        let mut suspicion = Suspicion::default();
        assert_eq!(suspicion.at(5, 100), 0.0);
        for _ in 0..50 {
            let before = suspicion.at(1_000, 100);
            suspicion.raise(0.5, 1_000, 100);
            assert!(suspicion.at(1_000, 100) >= before);
        }
        assert!((suspicion.at(1_000, 100) - 1.0).abs() < 1e-9);
        assert!((suspicion.at(1_100, 100) - 0.5).abs() < 1e-9);
        assert!(
            (suspicion.at(900, 100) - 1.0).abs() < 1e-9,
            "clock set back"
        );
    }
}
