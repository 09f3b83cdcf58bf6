use std::{fmt, sync::Arc, time::Duration};

use aws_lc_rs::digest;

use super::{
    MemoryStore, Preset, Rate,
    store::{Charge, ChargeKind, Outcome},
};
use crate::clock::Clock;

/// Whether a call may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may.
    Allowed,
    /// It may not, before that time has passed.
    Refused {
        /// When to come again.
        retry_after: Duration,
    },
}

impl Decision {
    /// Whether it may.
    #[must_use]
    pub const fn is_allowed(self) -> bool {
        matches!(self, Self::Allowed)
    }
}

/// Counts one call of `key` against `max` calls per `window` in `store`: the library call under the
/// gateway's own limits. A full store refuses, as does a `max` of 0.
#[must_use]
pub fn rate_limit(store: &MemoryStore, key: &str, max: u64, window: Duration) -> Decision {
    let second = Duration::from_secs(1);
    let rate = Rate {
        amount: max,
        window: window.max(Duration::from_micros(1)),
    };
    if max == 0 {
        return Decision::Refused {
            retry_after: window,
        };
    }
    let digest = digest::digest(&digest::SHA256, key.as_bytes());
    let charge = Charge {
        name: digest.as_ref().first_chunk().copied().unwrap_or_default(),
        kind: ChargeKind::Rate(rate.bucket()),
        cost: 1,
    };
    match store.charge_now(&[charge]) {
        Ok(Outcome::Charged) => Decision::Allowed,
        Ok(Outcome::Refused { wait_ms, .. }) => Decision::Refused {
            retry_after: Duration::from_millis(wait_ms),
        },
        Err(_) => Decision::Refused {
            retry_after: second,
        },
    }
}

/// One rate for every user, counted apart.
#[derive(Clone)]
pub struct UserLimits {
    store: Arc<MemoryStore>,
    rate: Rate,
}

impl UserLimits {
    /// `rate` for each of at most `max_users` at a time.
    #[must_use]
    pub fn new(rate: Rate, max_users: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            store: Arc::new(MemoryStore::new(clock, max_users)),
            rate,
        }
    }

    /// The same with a preset's rate: 100 in 60 seconds or in 60 minutes; nothing for none.
    #[must_use]
    pub fn preset(preset: Preset, max_users: usize, clock: Arc<dyn Clock>) -> Option<Self> {
        preset.rate().map(|rate| Self::new(rate, max_users, clock))
    }

    /// Counts one call of `user`.
    #[must_use]
    pub fn check_limit(&self, user: &str) -> Decision {
        rate_limit(&self.store, user, self.rate.amount, self.rate.window)
    }
}

impl fmt::Debug for UserLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserLimits")
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn both_presets_refuse_the_101st_call() {
        for (preset, wait_ms) in [(Preset::PerMinute, 600), (Preset::PerHour, 36_000)] {
            let clock = Arc::new(ManualClock::at(1_000));
            let users = UserLimits::preset(preset, 1_000, clock.clone()).unwrap();
            for _ in 0..100 {
                assert!(users.check_limit("a").is_allowed());
            }
            let retry_after = Duration::from_millis(wait_ms);
            assert_eq!(users.check_limit("a"), Decision::Refused { retry_after });
            assert!(users.check_limit("b").is_allowed());
            clock.advance_ms(wait_ms);
            assert!(users.check_limit("a").is_allowed());
        }
        let clock = Arc::new(ManualClock::at(1_000));
        assert!(UserLimits::preset(Preset::None, 1_000, clock).is_none());
    }

    #[test]
    fn counts_each_key_apart() {
        let store = MemoryStore::new(Arc::new(ManualClock::at(1_000)), 1_000);
        let window = Duration::from_secs(60);
        assert!(rate_limit(&store, "a", 1, window).is_allowed());
        assert!(!rate_limit(&store, "a", 1, window).is_allowed());
        assert!(rate_limit(&store, "b", 1, window).is_allowed());
        assert!(!rate_limit(&store, "c", 0, window).is_allowed());
    }
}
