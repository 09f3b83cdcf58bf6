//! The generic cell rate algorithm (ITU-T I.371, annex A) on integers.
//!
//! A bucket is the time at which it will be empty again, in whole microseconds and a remainder in
//! units of 1/`per`, so that a rate like 7 per minute has no rounding error. Every number stays
//! below 2^53: the same arithmetic runs in Redis' Lua, whose numbers are doubles.

/// A rate: `amount` per `window_us`, of which up to `amount` may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// How much per window; at least 1.
    pub amount: u64,
    /// The window in microseconds, 1 to 366 days.
    pub window_us: u64,
}

/// When a bucket will be empty again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Level {
    /// In microseconds of whichever clock the store has.
    pub(super) us: u64,
    /// And this many parts of [`Bucket::amount`] of a microsecond.
    pub(super) fraction: u64,
}

/// 2^53 - 1: what a double holds exactly.
pub(super) const MAX: u64 = (1 << 53) - 1;

impl Bucket {
    /// How much later a bucket is empty when `cost` is put into it. A cost above what the bucket
    /// holds fills it whole: else a large request could never pass.
    pub(super) fn step(self, cost: u64) -> Level {
        let amount = u128::from(self.amount.max(1));
        let product = u128::from(cost.min(self.amount)) * u128::from(self.window_us);
        Level {
            us: narrow(product / amount),
            fraction: narrow(product % amount),
        }
    }

    /// As [`Self::step`], for what was used beyond what was charged: not cut at the bucket's size.
    pub(super) fn excess(self, cost: u64) -> Level {
        let amount = u128::from(self.amount.max(1));
        let product = u128::from(cost) * u128::from(self.window_us);
        Level {
            us: narrow(product / amount).min(self.window_us.saturating_mul(16)),
            fraction: narrow(product % amount),
        }
    }

    /// The level after `step`, or how many microseconds from `now` until it would fit.
    pub(super) fn put(self, old: Option<Level>, now: u64, step: Level) -> Result<Level, u64> {
        let old = self.seen(old, now);
        let mut us = old.us + step.us;
        let mut fraction = old.fraction + step.fraction;
        if fraction >= self.amount {
            fraction -= self.amount;
            us += 1;
        }
        let full = now + self.window_us;
        if us > full || (us == full && fraction > 0) {
            return Err(us - full + u64::from(fraction > 0));
        }
        Ok(Level { us, fraction })
    }

    /// The level after `step` was added or, with `back`, taken out; never refused. Debt is kept to
    /// 16 windows.
    pub(super) fn shift(self, old: Option<Level>, now: u64, step: Level, back: bool) -> Level {
        let old = old.unwrap_or(Level {
            us: now,
            fraction: 0,
        });
        if back {
            // The fraction is dropped in the client's favour: less than a microsecond.
            return Level {
                us: old.us.saturating_sub(step.us),
                fraction: 0,
            };
        }
        let old = self.seen(Some(old), now);
        Level {
            us: (old.us + step.us).min(now + self.window_us.saturating_mul(16)),
            fraction: old.fraction,
        }
    }

    /// The stored level as it counts now: what is past is empty, and what lies further ahead than
    /// a debt can (the clock went back) is cut to a full bucket.
    fn seen(self, old: Option<Level>, now: u64) -> Level {
        match old {
            Some(old) if old.us > now + self.window_us.saturating_mul(16) => Level {
                us: now + self.window_us,
                fraction: 0,
            },
            // The amount was made smaller since.
            Some(old) if old.us >= now && old.fraction >= self.amount => Level {
                us: old.us + 1,
                fraction: 0,
            },
            Some(old) if old.us >= now => old,
            _ => Level {
                us: now,
                fraction: 0,
            },
        }
    }
}

fn narrow(wide: u128) -> u64 {
    u64::try_from(wide).unwrap_or(u64::MAX).min(MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: u64 = 1_800_000_000_000_000;

    #[test]
    fn the_101st_call_is_refused_and_says_when_to_come_again() {
        for window_us in [60_000_000, 3_600_000_000] {
            let bucket = Bucket {
                amount: 100,
                window_us,
            };
            let mut level = None;
            for call in 0..100 {
                let put = bucket.put(level, START, bucket.step(1));
                level = Some(put.unwrap_or_else(|_| panic!("call {call}")));
            }
            let wait = bucket.put(level, START, bucket.step(1)).unwrap_err();
            assert_eq!(wait, window_us / 100);
            assert!(bucket.put(level, START + wait - 1, bucket.step(1)).is_err());
            assert!(bucket.put(level, START + wait, bucket.step(1)).is_ok());
        }
    }

    #[test]
    fn clock_that_goes_back_costs_at_most_a_full_bucket() {
        let bucket = Bucket {
            amount: 10,
            window_us: 60_000_000,
        };
        let level = bucket.put(None, START, bucket.step(1)).unwrap();
        let day = 86_400_000_000;
        let wait = bucket
            .put(Some(level), START - day, bucket.step(1))
            .unwrap_err();
        assert!(wait <= 6_000_000, "{wait}");
    }

    proptest! {
        /// In any run of calls of cost 1 at one moment exactly `amount` pass, for every rate.
        #[test]
        fn exactly_the_amount_passes(amount in 1_u64..2_000, window in 1_u64..40_000_000_000) {
            let bucket = Bucket { amount, window_us: window.max(1_000_000) };
            let mut level = None;
            let mut passed = 0;
            while let Ok(next) = bucket.put(level, START, bucket.step(1)) {
                level = Some(next);
                passed += 1;
                prop_assert!(passed <= amount);
            }
            prop_assert_eq!(passed, amount);
        }

        /// Over any time, no more than a burst and what the time allows passes; all below 2^53.
        #[test]
        fn never_more_than_a_burst_and_the_rate(
            amount in 1_u64..1_000_000,
            calls in prop::collection::vec((1_u64..100_000, 0_u64..30_000_000), 1..60),
        ) {
            let bucket = Bucket { amount, window_us: 60_000_000 };
            let (mut level, mut now, mut passed) = (None, START, 0_u128);
            for (cost, wait) in calls {
                now += wait;
                let cost = cost.min(amount);
                if let Ok(next) = bucket.put(level, now, bucket.step(cost)) {
                    level = Some(next);
                    passed += u128::from(cost);
                    prop_assert!(next.us <= MAX && next.fraction < amount);
                }
            }
            let time = u128::from(now - START) * u128::from(amount);
            prop_assert!(passed * 60_000_000 <= u128::from(amount) * 60_000_000 + time);
        }

        /// What is charged and given back leaves the bucket as it was, to the microsecond.
        #[test]
        fn giving_back_undoes(amount in 1_u64..1_000_000, cost in 1_u64..1_000_000, used in 0_u64..1_000_000) {
            let bucket = Bucket { amount, window_us: 60_000_000 };
            let cost = cost.min(amount);
            let first = bucket.step(used.min(amount - 1));
            let before = bucket.put(None, START, first).unwrap();
            if let Ok(after) = bucket.put(Some(before), START, bucket.step(cost)) {
                let undone = bucket.shift(Some(after), START, bucket.step(cost), true);
                prop_assert!(undone.us.abs_diff(before.us) <= 1);
            }
        }
    }
}
