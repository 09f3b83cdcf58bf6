//! The one place that asks what time it is.
#![expect(
    clippy::disallowed_methods,
    reason = "the binary hands the time to the libraries"
)]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bartizan_policy::Date;
use jiff::{Timestamp, tz::TimeZone};

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
    timestamp().unwrap_or_default().to_string()
}

/// Today in UTC; the first day of all if the clock stands before 1970.
pub(crate) fn today() -> Date {
    timestamp().map_or(Date::MIN, |now| now.to_zoned(TimeZone::UTC).date())
}

/// Whole seconds since 1970; `None` if the clock stands before that.
fn timestamp() -> Option<Timestamp> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Timestamp::from_second(i64::try_from(since.as_secs()).ok()?).ok()
}
