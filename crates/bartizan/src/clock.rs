//! The one place that asks what time it is.
#![expect(
    clippy::disallowed_methods,
    reason = "the binary hands the time to the libraries"
)]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bartizan_policy::Date;

/// A clock that starts now.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Nanoseconds since the start.
    pub(crate) fn nanos(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Now in UTC, as RFC 3339 writes it, in whole seconds.
pub(crate) fn now() -> String {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let now = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    now.unwrap_or_default().to_string()
}

/// Today in UTC; the first day of all if the clock stands before 1970.
pub(crate) fn today() -> Date {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or(Date::MIN, |now| {
            now.to_zoned(jiff::tz::TimeZone::UTC).date()
        })
}
