//! How often a request is sent again, and how much of the traffic may be such repeats.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

/// When a request is sent again: `upstreams.<name>.retry`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RetryConfig {
    /// Repeats at the same upstream, 0 to 10. Fallbacks come after them.
    pub attempts: u32,
    /// Sends a request again, there or to a fallback, although the upstream may have worked on it:
    /// after a broken connection, a time-out, 502, or 504. It may then be paid for twice.
    pub after_sent: bool,
    /// Milliseconds before the first repeat, doubled for each further one; the wait is drawn
    /// evenly between 0 and that.
    pub base_ms: u64,
    /// Most milliseconds between two tries. An upstream that wants more time is not tried again.
    pub max_ms: u64,
    /// Repeats per request, on average, 0 to 1.
    pub budget: f64,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            attempts: 2,
            after_sent: false,
            base_ms: 50,
            max_ms: 2_000,
            budget: 0.2,
        }
    }
}

impl RetryConfig {
    pub(super) fn check(&self, wrong: &mut impl FnMut(&str, String)) {
        let Self {
            attempts, budget, ..
        } = self;
        if *attempts > 10 {
            wrong("retry.attempts", format!("`{attempts}` is over 10"));
        }
        if !(0.0..=1.0).contains(budget) {
            wrong("retry.budget", format!("`{budget}` is not between 0 and 1"));
        }
        if self.max_ms > 60_000 || self.base_ms > self.max_ms {
            wrong(
                "retry.max-ms",
                "it is between `base-ms` and 60000".to_owned(),
            );
        }
    }

    /// The wait before repeat number `repeat`, from 0. `random` is any number, `asked` what the
    /// upstream asked for. `None` when it asked for too much.
    pub(super) fn wait(
        &self,
        repeat: u32,
        random: u64,
        asked: Option<Duration>,
    ) -> Option<Duration> {
        let most = Duration::from_millis(self.max_ms);
        let asked = asked.unwrap_or_default();
        if asked > most {
            return None;
        }
        let cap = self
            .base_ms
            .saturating_mul(1 << repeat.min(16))
            .min(self.max_ms);
        // "Full jitter": repeats of many clients do not come together.
        let jitter = Duration::from_millis(random % (cap + 1));
        Some(asked.saturating_add(jitter).min(most))
    }
}

/// Tokens that repeats are paid with: each request brings `budget`, each repeat costs one. So a
/// failing upstream is not buried under repeats.
#[derive(Clone, Copy, Debug)]
pub struct RetryBudget {
    /// In thousandths.
    tokens: u64,
}

const ONE: u64 = 1_000;
/// What is there at the start, and at most: ten repeats.
const MOST: u64 = 10 * ONE;

impl Default for RetryBudget {
    fn default() -> Self {
        Self { tokens: MOST }
    }
}

impl RetryBudget {
    /// A request came.
    pub fn request(&mut self, config: &RetryConfig) {
        let brings = (config.budget.clamp(0.0, 1.0) * ONE as f64) as u64;
        self.tokens = (self.tokens + brings).min(MOST);
    }

    /// Whether a repeat can be paid; pays it.
    pub const fn repeat(&mut self) -> bool {
        let pays = self.tokens >= ONE;
        if pays {
            self.tokens -= ONE;
        }
        pays
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_stay_a_share_of_requests() {
        let config = RetryConfig::default();
        let mut budget = RetryBudget::default();
        let mut repeats = 0;
        for _ in 0..1_000 {
            budget.request(&config);
            repeats += u32::from(budget.repeat());
            repeats += u32::from(budget.repeat());
        }
        assert!((200..=210).contains(&repeats), "{repeats}");
    }

    #[test]
    fn waits_grow_are_spread_and_heed_the_upstream() {
        let config = RetryConfig::default();
        let ms = |repeat, random, asked: Option<u64>| {
            config
                .wait(repeat, random, asked.map(Duration::from_millis))
                .map(|wait| wait.as_millis())
        };
        assert_eq!(ms(0, 50, None), Some(50));
        assert_eq!(ms(0, 51, None), Some(0));
        assert_eq!(ms(40, 2_000, None), Some(2_000));
        assert_eq!(ms(0, 7, Some(1_000)), Some(1_007));
        assert_eq!(ms(0, 7, Some(2_001)), None);
    }
}
