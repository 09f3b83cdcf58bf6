//! The time, as an argument.

use std::sync::atomic::{AtomicU64, Ordering};

/// What time it is.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970-01-01 UTC; may jump when the machine's clock is set.
    fn unix_ms(&self) -> u64;

    /// Nanoseconds from any fixed point; never goes back.
    fn nanos(&self) -> u64;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the gateway asks the machine for the time"
)]
impl Clock for SystemClock {
    fn unix_ms(&self) -> u64 {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as u64)
    }

    fn nanos(&self) -> u64 {
        use std::{sync::OnceLock, time::Instant};
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed().as_nanos() as u64
    }
}

/// A clock that stands still until it is moved; for tests.
#[derive(Debug, Default)]
pub struct ManualClock {
    nanos: AtomicU64,
}

impl ManualClock {
    /// A clock at `unix_ms`.
    #[must_use]
    pub fn at(unix_ms: u64) -> Self {
        Self {
            nanos: AtomicU64::new(unix_ms.saturating_mul(1_000_000)),
        }
    }

    /// Moves it on by so many milliseconds.
    pub fn advance_ms(&self, ms: u64) {
        self.nanos
            .fetch_add(ms.saturating_mul(1_000_000), Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn unix_ms(&self) -> u64 {
        self.nanos.load(Ordering::Relaxed) / 1_000_000
    }

    fn nanos(&self) -> u64 {
        self.nanos.load(Ordering::Relaxed)
    }
}
