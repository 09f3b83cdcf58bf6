use super::{ExtractionConfig, Query, Signal, Suspicion};

/// What is remembered of one principal.
#[derive(Debug, Default)]
pub(super) struct Profile {
    pub(super) suspicion: Suspicion,
    day: u64,
    today: u64,
}

const DAY_MS: u64 = 86_400_000;

impl Profile {
    /// Queries so far on the day of the last one.
    pub(super) const fn today(&self) -> u64 {
        self.today
    }

    pub(super) fn query(
        &mut self,
        config: &ExtractionConfig,
        _model: &str,
        _query: Query<'_>,
        now_ms: u64,
    ) -> Vec<Signal> {
        let mut seen = Vec::new();
        if self.count(config, now_ms) {
            self.raise(Signal::Volume, config, now_ms, &mut seen);
        }
        seen
    }

    pub(super) fn answered(
        &mut self,
        _config: &ExtractionConfig,
        _margin: f64,
        _now_ms: u64,
    ) -> Vec<Signal> {
        Vec::new()
    }

    pub(super) fn refused(&mut self, config: &ExtractionConfig, now_ms: u64) -> Vec<Signal> {
        let mut seen = Vec::new();
        self.raise(Signal::Refusals, config, now_ms, &mut seen);
        seen
    }

    /// Counts a query; whether it is the one that makes the day's number too large.
    fn count(&mut self, config: &ExtractionConfig, now_ms: u64) -> bool {
        let day = now_ms / DAY_MS;
        // A clock that is set back must not open the same day again.
        if day > self.day {
            self.day = day;
            self.today = 0;
        }
        self.today = self.today.saturating_add(1);
        self.today == config.daily_queries.saturating_add(1)
    }

    fn raise(
        &mut self,
        signal: Signal,
        config: &ExtractionConfig,
        now_ms: u64,
        seen: &mut Vec<Signal>,
    ) {
        let half_life_ms = config.half_life_seconds.saturating_mul(1_000);
        self.suspicion.raise(signal.weight(), now_ms, half_life_ms);
        seen.push(signal);
    }
}
