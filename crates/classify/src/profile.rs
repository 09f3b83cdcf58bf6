//! How much ordinary text may be mistaken for an attack.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A choice between catching more and disturbing less.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Catches more: about 2 in 100 ordinary texts are mistaken.
    Strict,
    /// About 1 in 200.
    #[default]
    Balanced,
    /// Disturbs less: about 1 in 1,000.
    Permissive,
}

/// Profiles there are.
pub const PROFILES: usize = 3;

impl Profile {
    /// Every profile, strictest first.
    pub const ALL: [Self; PROFILES] = [Self::Strict, Self::Balanced, Self::Permissive];

    /// The name used in configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Balanced => "balanced",
            Self::Permissive => "permissive",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown profile `{0}`, expected one of strict, balanced, permissive")]
pub struct UnknownProfile(String);

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|profile| profile.as_str() == text)
            .ok_or_else(|| UnknownProfile(text.to_owned()))
    }
}

/// From which probability on a head is heard, doubted, and believed under one profile.
///
/// Probabilities in `[0, 1]`, in order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Worth a note.
    pub flag: f32,
    /// Worth a question.
    pub ask: f32,
    /// Worth a refusal.
    pub block: f32,
}

impl Thresholds {
    /// The confidence that each threshold stands for, whatever the profile: the built-in policy
    /// lists from 0.3, asks from 0.5, and refuses from 0.8 on.
    const ANCHORS: [f32; 5] = [0.0, 0.3, 0.5, 0.8, 1.0];

    /// Whether they are probabilities in order.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        0.0 < self.flag && self.flag <= self.ask && self.ask <= self.block && self.block < 1.0
    }

    /// The confidence, in `[0, 1]`, of a finding of probability `p`: linear between the
    /// thresholds, so that a policy's bounds mean the stated shares of ordinary text.
    #[must_use]
    pub fn confidence(&self, p: f32) -> f32 {
        let knots = [0.0, self.flag, self.ask, self.block, 1.0];
        let mut confidence = 0.0;
        for (from, to) in knots
            .iter()
            .zip(Self::ANCHORS)
            .zip(knots.iter().zip(Self::ANCHORS).skip(1))
        {
            let ((low, below), (high, above)) = (from, to);
            if p >= *low {
                let way = if high > low {
                    (p - low) / (high - low)
                } else {
                    1.0
                };
                confidence = below + way.min(1.0) * (above - below);
            }
        }
        confidence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_stand_for_the_bounds_of_the_policy() {
        let thresholds = Thresholds {
            flag: 0.6,
            ask: 0.9,
            block: 0.97,
        };
        for (p, expected) in [
            (0.0, 0.0),
            (0.3, 0.15),
            (0.6, 0.3),
            (0.9, 0.5),
            (0.97, 0.8),
            (1.0, 1.0),
        ] {
            assert!((thresholds.confidence(p) - expected).abs() < 1e-5, "{p}");
        }
        let steps: Vec<f32> = (0..=1000)
            .map(|n| thresholds.confidence(n as f32 / 1000.0))
            .collect();
        assert!(steps.is_sorted());
    }

    #[test]
    fn a_name_is_read_back() {
        for profile in Profile::ALL {
            assert_eq!(profile.as_str().parse(), Ok(profile));
        }
        assert_eq!(
            "lax".parse::<Profile>().unwrap_err().to_string(),
            "unknown profile `lax`, expected one of strict, balanced, permissive"
        );
    }
}
