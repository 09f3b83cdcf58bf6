use std::{collections::HashMap, sync::Arc};

use futures_util::future::{BoxFuture, FutureExt as _};
use parking_lot::Mutex;

use super::{
    gcra::{Bucket, Level},
    store::{Adjustment, Charge, ChargeKind, LimitStore, Outcome, StoreFailed},
};
use crate::clock::Clock;

/// Counters in memory: buckets on the clock that never goes back, budgets on UTC.
///
/// Bounded: counters that say nothing any more (empty buckets, ended budgets) are swept as others
/// are added, and a store full of live ones refuses new names, which closes.
pub struct MemoryStore {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
    max_counters: usize,
}

#[derive(Default)]
struct State {
    counters: HashMap<[u8; 16], Counter>,
    /// Sweep when there are so many.
    sweep_at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counter {
    Rate(Level),
    Budget { used: u64, ends_ms: u64 },
}

const FIRST_SWEEP: usize = 1_024;

impl MemoryStore {
    /// A store of at most `max_counters`, about 60 bytes each.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, max_counters: usize) -> Self {
        let state = Mutex::new(State {
            counters: HashMap::new(),
            sweep_at: FIRST_SWEEP.min(max_counters),
        });
        Self {
            state,
            clock,
            max_counters,
        }
    }

    /// Makes every charge, or none; without waiting.
    ///
    /// # Errors
    /// When the store is full.
    pub fn charge_now(&self, charges: &[Charge]) -> Result<Outcome, StoreFailed> {
        let (now_us, now_ms) = self.now();
        let mut state = self.state.lock();
        let mut refused: Option<(usize, u64)> = None;
        let mut put = |index: usize, wait_ms: u64| {
            if refused.is_none_or(|(_, longest)| wait_ms > longest) {
                refused = Some((index, wait_ms));
            }
        };
        for (index, charge) in charges.iter().enumerate() {
            let old = state.counters.get(&charge.name).copied();
            if let Err(wait_ms) = charged(old, charge, now_us, now_ms) {
                put(index, wait_ms);
            }
        }
        if let Some((index, wait_ms)) = refused {
            return Ok(Outcome::Refused { index, wait_ms });
        }
        state.make_room(charges.len(), self.max_counters, now_us, now_ms)?;
        for charge in charges {
            let old = state.counters.get(&charge.name).copied();
            if let Ok(new) = charged(old, charge, now_us, now_ms) {
                state.counters.insert(charge.name, new);
            }
        }
        Ok(Outcome::Charged)
    }

    /// Corrects charges; without waiting.
    pub fn adjust_now(&self, adjustments: &[Adjustment]) {
        let (now_us, now_ms) = self.now();
        let mut state = self.state.lock();
        for adjustment in adjustments {
            // A counter that was swept meanwhile was empty: what was charged is paid, but more
            // than was charged still counts.
            let old = state.counters.get(&adjustment.name).copied();
            if old.is_none() && state.counters.len() >= self.max_counters {
                continue;
            }
            if let Some(new) = adjusted(old, adjustment, now_us, now_ms) {
                state.counters.insert(adjustment.name, new);
            }
        }
    }

    /// How many counters there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.lock().counters.len()
    }

    /// Whether there is no counter.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Microseconds that never go back and are never 0, and milliseconds since 1970.
    fn now(&self) -> (u64, u64) {
        (self.clock.nanos() / 1_000 + 1, self.clock.unix_ms())
    }

    /// Every live counter; levels as microseconds from now.
    pub(super) fn snapshot(&self) -> Vec<([u8; 16], Counter)> {
        let (now_us, now_ms) = self.now();
        let state = self.state.lock();
        let live = |(name, counter): (&[u8; 16], &Counter)| match *counter {
            Counter::Rate(level) if level.us > now_us => {
                let us = level.us - now_us;
                Some((*name, Counter::Rate(Level { us, ..level })))
            }
            Counter::Budget { ends_ms, .. } if ends_ms > now_ms => Some((*name, *counter)),
            _ => None,
        };
        state.counters.iter().filter_map(live).collect()
    }

    /// Puts back what [`Self::snapshot`] gave, `passed_us` later. What was counted meanwhile stays.
    pub(super) fn restore(
        &self,
        saved: impl IntoIterator<Item = ([u8; 16], Counter)>,
        passed_us: u64,
    ) {
        let (now_us, now_ms) = self.now();
        let mut state = self.state.lock();
        for (name, counter) in saved {
            if state.counters.len() >= self.max_counters {
                return;
            }
            let counter = match counter {
                Counter::Rate(level) if level.us > passed_us => Counter::Rate(Level {
                    us: now_us + (level.us - passed_us),
                    ..level
                }),
                Counter::Budget { ends_ms, .. } if ends_ms > now_ms => counter,
                _ => continue,
            };
            state.counters.entry(name).or_insert(counter);
        }
        state.sweep_at = state
            .counters
            .len()
            .saturating_mul(2)
            .clamp(FIRST_SWEEP, self.max_counters.max(FIRST_SWEEP));
    }
}

impl State {
    /// Sweeps when the store has doubled since the last time: a constant cost per charge.
    fn make_room(
        &mut self,
        more: usize,
        max: usize,
        now_us: u64,
        now_ms: u64,
    ) -> Result<(), StoreFailed> {
        if self.counters.len() + more <= self.sweep_at.min(max) {
            return Ok(());
        }
        self.counters.retain(|_, counter| match *counter {
            Counter::Rate(level) => level.us >= now_us,
            Counter::Budget { ends_ms, .. } => ends_ms > now_ms,
        });
        let live = self.counters.len();
        self.counters.shrink_to(live.saturating_mul(2));
        self.sweep_at = live.saturating_mul(2).clamp(FIRST_SWEEP.min(max), max);
        if live + more > max {
            return Err(StoreFailed);
        }
        Ok(())
    }
}

fn charged(
    old: Option<Counter>,
    charge: &Charge,
    now_us: u64,
    now_ms: u64,
) -> Result<Counter, u64> {
    match charge.kind {
        ChargeKind::Rate(bucket) => bucket
            .put(level(old), now_us, bucket.step(charge.cost))
            .map(Counter::Rate)
            .map_err(|wait_us| wait_us.div_ceil(1_000)),
        ChargeKind::Budget { max, ends_ms } => {
            let used = used(old).saturating_add(charge.cost);
            if used > max {
                return Err(ends_ms.saturating_sub(now_ms));
            }
            Ok(Counter::Budget { used, ends_ms })
        }
    }
}

fn adjusted(
    old: Option<Counter>,
    adjustment: &Adjustment,
    now_us: u64,
    now_ms: u64,
) -> Option<Counter> {
    let (charged, actual) = (adjustment.charged, adjustment.actual);
    match adjustment.kind {
        ChargeKind::Rate(bucket) => {
            let old = level(old);
            let (step, back) = correction(bucket, charged, actual);
            if back && old.is_none() {
                return None;
            }
            Some(Counter::Rate(bucket.shift(old, now_us, step, back)))
        }
        ChargeKind::Budget { ends_ms, .. } => (ends_ms > now_ms).then(|| Counter::Budget {
            used: used(old).saturating_sub(charged).saturating_add(actual),
            ends_ms,
        }),
    }
}

/// By how much a bucket is to be shifted, and whether back.
pub(super) fn correction(bucket: Bucket, charged: u64, actual: u64) -> (Level, bool) {
    // What was charged was cut at the bucket's size.
    let charged = charged.min(bucket.amount);
    if actual <= charged {
        (bucket.excess(charged - actual), true)
    } else {
        (bucket.excess(actual - charged), false)
    }
}

const fn level(counter: Option<Counter>) -> Option<Level> {
    match counter {
        Some(Counter::Rate(level)) => Some(level),
        _ => None,
    }
}

const fn used(counter: Option<Counter>) -> u64 {
    match counter {
        Some(Counter::Budget { used, .. }) => used,
        _ => 0,
    }
}

impl LimitStore for MemoryStore {
    fn charge<'a>(&'a self, charges: &'a [Charge]) -> BoxFuture<'a, Result<Outcome, StoreFailed>> {
        std::future::ready(self.charge_now(charges)).boxed()
    }

    fn adjust<'a>(
        &'a self,
        adjustments: &'a [Adjustment],
    ) -> BoxFuture<'a, Result<(), StoreFailed>> {
        self.adjust_now(adjustments);
        std::future::ready(Ok(())).boxed()
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MemoryStore({} counters)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    fn rate(name: u8, cost: u64) -> Charge {
        Charge {
            name: [name; 16],
            kind: ChargeKind::Rate(Bucket {
                amount: 100,
                window_us: 60_000_000,
            }),
            cost,
        }
    }

    #[test]
    fn all_or_nothing() {
        let store = MemoryStore::new(Arc::new(ManualClock::at(1_000)), 100);
        let budget = |cost| Charge {
            name: [9; 16],
            kind: ChargeKind::Budget {
                max: 10,
                ends_ms: 5_000,
            },
            cost,
        };
        assert_eq!(
            store.charge_now(&[rate(1, 99), budget(4)]),
            Ok(Outcome::Charged)
        );
        let refused = Outcome::Refused {
            index: 1,
            wait_ms: 4_000,
        };
        assert_eq!(store.charge_now(&[rate(1, 1), budget(7)]), Ok(refused));
        // The rate was not charged with it.
        assert_eq!(
            store.charge_now(&[rate(1, 1), budget(6)]),
            Ok(Outcome::Charged)
        );
        let refused = Outcome::Refused {
            index: 0,
            wait_ms: 600,
        };
        assert_eq!(store.charge_now(&[rate(1, 1)]), Ok(refused));
    }

    #[test]
    fn settles_both_ways() {
        let clock = Arc::new(ManualClock::at(1_000));
        let store = MemoryStore::new(clock, 100);
        let settle = |charged, actual| Adjustment {
            name: [1; 16],
            kind: rate(1, 0).kind,
            charged,
            actual,
        };
        assert_eq!(store.charge_now(&[rate(1, 100)]), Ok(Outcome::Charged));
        store.adjust_now(&[settle(100, 40)]);
        assert_eq!(store.charge_now(&[rate(1, 60)]), Ok(Outcome::Charged));
        store.adjust_now(&[settle(60, 110)]);
        let refused = Outcome::Refused {
            index: 0,
            wait_ms: 30_600,
        };
        assert_eq!(store.charge_now(&[rate(1, 1)]), Ok(refused));
    }

    #[test]
    fn ws_17_idle_counters_are_dropped_and_memory_is_bounded() {
        let clock = Arc::new(ManualClock::at(1_000));
        let store = MemoryStore::new(clock.clone(), 5_000);
        let named = |n: u32| {
            let mut charge = rate(0, 1);
            charge.name[..4].copy_from_slice(&n.to_be_bytes());
            charge
        };
        for n in 0..200_000 {
            assert_eq!(store.charge_now(&[named(n)]), Ok(Outcome::Charged));
            clock.advance_ms(1);
        }
        assert!(store.len() <= 2_048, "{}", store.len());
        // Live ones are never dropped: a new name is refused instead.
        let mut refused = 0;
        for n in 0..10_000 {
            refused += usize::from(store.charge_now(&[named(n)]).is_err());
        }
        assert!(refused >= 5_000 && store.len() <= 5_000);
    }

    #[test]
    fn restart_keeps_counts() {
        let clock = Arc::new(ManualClock::at(1_000));
        let store = MemoryStore::new(clock.clone(), 100);
        store.charge_now(&[rate(1, 100)]).unwrap();
        let saved = store.snapshot();
        let again = MemoryStore::new(clock, 100);
        again.restore(saved, 6_000_000);
        let refused = Outcome::Refused {
            index: 0,
            wait_ms: 600,
        };
        assert_eq!(again.charge_now(&[rate(1, 10)]), Ok(Outcome::Charged));
        assert_eq!(again.charge_now(&[rate(1, 1)]), Ok(refused));
    }
}
