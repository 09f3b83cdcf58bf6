//! Leaves an upstream alone that fails, and tries it again with care. Knows no clock.

use schemars::JsonSchema;
use serde::Deserialize;

/// When an upstream is left alone: `upstreams.<name>.breaker`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct BreakerConfig {
    /// Failures in a row after which it opens; 0 for never.
    pub failures: u32,
    /// Share of failures within `window-ms` at which it opens, above 0 to 1.
    pub failure_share: f64,
    /// Least number of requests within `window-ms` for that share to count.
    pub min_requests: u32,
    /// Milliseconds of the window.
    pub window_ms: u64,
    /// Milliseconds that it stays open; doubled each time that a trial fails.
    pub open_ms: u64,
    /// Most milliseconds that it stays open.
    pub max_open_ms: u64,
    /// Good trials after which it closes.
    pub trials: u32,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            failures: 5,
            failure_share: 0.5,
            min_requests: 20,
            window_ms: 10_000,
            open_ms: 5_000,
            max_open_ms: 60_000,
            trials: 2,
        }
    }
}

impl BreakerConfig {
    pub(super) fn check(&self, wrong: &mut impl FnMut(&str, String)) {
        if !(self.failure_share > 0.0 && self.failure_share <= 1.0) {
            let share = self.failure_share;
            wrong(
                "breaker.failure-share",
                format!("`{share}` is not above 0 and at most 1"),
            );
        }
        for (field, value) in [
            ("breaker.window-ms", self.window_ms),
            ("breaker.open-ms", self.open_ms),
            ("breaker.max-open-ms", self.max_open_ms),
        ] {
            if !(1..=3_600_000).contains(&value) {
                wrong(field, format!("`{value}` is not between 1 and 3600000"));
            }
        }
    }
}

/// What a breaker lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// Everything.
    Closed,
    /// Nothing.
    Open,
    /// One request at a time, as a trial.
    HalfOpen,
}

impl BreakerState {
    /// The name used in the record and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// A circuit breaker as a state machine. Times are nanoseconds of a clock that never goes back.
#[derive(Clone, Debug)]
pub struct Breaker {
    config: BreakerConfig,
    state: State,
    in_a_row: u32,
    /// This window, and the last one.
    windows: [Window; 2],
    /// Times that it opened since it was last closed.
    openings: u32,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed,
    Open { until: u64 },
    HalfOpen { busy: bool, good: u32 },
}

#[derive(Clone, Copy, Debug, Default)]
struct Window {
    started: u64,
    good: u32,
    bad: u32,
}

const MS: u64 = 1_000_000;

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub const fn new(config: BreakerConfig) -> Self {
        Self {
            config,
            state: State::Closed,
            in_a_row: 0,
            windows: [Window {
                started: 0,
                good: 0,
                bad: 0,
            }; 2],
            openings: 0,
        }
    }

    /// What it lets through.
    #[must_use]
    pub const fn state(&self) -> BreakerState {
        match self.state {
            State::Closed => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// Asks for a request to be let through. Each request let through ends in [`Self::success`],
    /// [`Self::failure`], or [`Self::abandoned`].
    ///
    /// # Errors
    /// Nanoseconds until it is worth asking again.
    pub fn admit(&mut self, now: u64) -> Result<(), u64> {
        match &mut self.state {
            State::Closed => Ok(()),
            State::Open { until } if now < *until => Err(*until - now),
            State::Open { .. } => {
                self.state = State::HalfOpen {
                    busy: true,
                    good: 0,
                };
                Ok(())
            }
            State::HalfOpen { busy: true, .. } => Err(MS * 100),
            State::HalfOpen { busy, .. } => {
                *busy = true;
                Ok(())
            }
        }
    }

    /// A request went well.
    pub fn success(&mut self, now: u64) {
        match &mut self.state {
            State::Closed => {
                self.in_a_row = 0;
                self.roll(now);
                let [current, _] = &mut self.windows;
                current.good = current.good.saturating_add(1);
            }
            State::HalfOpen { busy, good } => {
                *busy = false;
                *good += 1;
                if *good >= self.config.trials {
                    *self = Self::new(self.config);
                }
            }
            // A request from before it opened.
            State::Open { .. } => {}
        }
    }

    /// A request failed for reasons that are the upstream's.
    pub fn failure(&mut self, now: u64) {
        match self.state {
            State::Closed => {
                self.in_a_row = self.in_a_row.saturating_add(1);
                self.roll(now);
                let [current, _] = &mut self.windows;
                current.bad = current.bad.saturating_add(1);
                if self.trips() {
                    self.open(now);
                }
            }
            State::HalfOpen { .. } => self.open(now),
            State::Open { .. } => {}
        }
    }

    /// A request ended without saying anything about the upstream: the client went away.
    pub const fn abandoned(&mut self) {
        if let State::HalfOpen { busy, .. } = &mut self.state {
            *busy = false;
        }
    }

    fn trips(&self) -> bool {
        if self.config.failures == 0 {
            return false;
        }
        let (good, bad) = self.windows.iter().fold((0_u64, 0_u64), |(good, bad), w| {
            (good + u64::from(w.good), bad + u64::from(w.bad))
        });
        let all = good + bad;
        self.in_a_row >= self.config.failures
            || (all >= u64::from(self.config.min_requests)
                && bad as f64 >= self.config.failure_share * all as f64)
    }

    fn open(&mut self, now: u64) {
        let doubled = self
            .config
            .open_ms
            .saturating_mul(1 << self.openings.min(20))
            .min(self.config.max_open_ms.max(self.config.open_ms));
        self.openings = self.openings.saturating_add(1);
        self.in_a_row = 0;
        self.windows = [Window::default(); 2];
        self.state = State::Open {
            until: now.saturating_add(doubled.saturating_mul(MS)),
        };
    }

    /// Starts a new window when half of `window-ms` is over.
    fn roll(&mut self, now: u64) {
        let half = self.config.window_ms.saturating_mul(MS) / 2;
        let [current, last] = &mut self.windows;
        let age = now.saturating_sub(current.started);
        if age < half {
            return;
        }
        *last = if age < 2 * half {
            *current
        } else {
            Window::default()
        };
        *current = Window {
            started: now,
            ..Window::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn breaker() -> Breaker {
        Breaker::new(BreakerConfig::default())
    }

    #[test]
    fn opens_after_failures_in_a_row_and_closes_after_good_trials() {
        let mut b = breaker();
        for _ in 0..5 {
            assert_eq!(b.admit(0), Ok(()));
            b.failure(0);
        }
        assert_eq!(b.state(), BreakerState::Open);
        assert_eq!(b.admit(1_000 * MS), Err(4_000 * MS));
        assert_eq!(b.admit(5_000 * MS), Ok(()));
        assert_eq!(b.state(), BreakerState::HalfOpen);
        assert!(b.admit(5_000 * MS).is_err(), "one trial at a time");
        b.success(5_001 * MS);
        assert_eq!(b.admit(5_002 * MS), Ok(()));
        b.success(5_003 * MS);
        assert_eq!(b.state(), BreakerState::Closed);
    }

    #[test]
    fn a_failed_trial_doubles_the_time_up_to_the_most() {
        let mut b = breaker();
        let mut now = 0;
        for _ in 0..5 {
            b.failure(now);
        }
        let mut waits = Vec::new();
        for _ in 0..6 {
            let wait = b.admit(now).unwrap_err();
            waits.push(wait / MS);
            now += wait;
            b.admit(now).unwrap();
            b.failure(now);
        }
        assert_eq!(waits, [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
    }

    #[test]
    fn an_abandoned_trial_makes_room_for_the_next() {
        let mut b = breaker();
        (0..5).for_each(|_| b.failure(0));
        b.admit(5_000 * MS).unwrap();
        b.abandoned();
        assert_eq!(b.admit(5_000 * MS), Ok(()));
    }

    #[test]
    fn opens_at_a_share_of_failures_within_the_window_only() {
        let mut b = breaker();
        for _ in 0..10 {
            b.success(0);
            b.failure(0);
        }
        assert_eq!(b.state(), BreakerState::Open);
        let mut b = breaker();
        for n in 0..1_000 {
            let now = n * 2_000 * MS;
            b.success(now);
            b.failure(now);
        }
        assert_eq!(
            b.state(),
            BreakerState::Closed,
            "1 per second is below 20 in 10 s"
        );
    }

    #[test]
    fn no_failures_means_never() {
        let config = BreakerConfig {
            failures: 0,
            ..BreakerConfig::default()
        };
        let mut b = Breaker::new(config);
        (0..1_000).for_each(|_| b.failure(0));
        assert_eq!(b.state(), BreakerState::Closed);
    }

    proptest! {
        /// Whatever happens, it is never stuck: after the longest time open, one request passes.
        #[test]
        fn never_stuck(steps in prop::collection::vec((0_u8..4, 0_u64..20_000), 0..200)) {
            let mut b = breaker();
            let mut now = 0;
            let mut running = 0_u32;
            for (step, ms) in steps {
                now += ms * MS;
                match step {
                    0 => running += u32::from(b.admit(now).is_ok()),
                    _ if running == 0 => {}
                    1 => { running -= 1; b.success(now); }
                    2 => { running -= 1; b.failure(now); }
                    _ => { running -= 1; b.abandoned(); }
                }
            }
            for _ in 0..running { b.abandoned(); }
            prop_assert!(b.admit(now + 60_000 * MS).is_ok());
        }
    }
}
