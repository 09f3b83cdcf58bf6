use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

/// How long a budget lasts; it begins anew at the boundary in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Period {
    /// From midnight to midnight.
    Day,
    /// From the first of a month to the first of the next.
    Month,
}

impl Period {
    /// When the period that `unix_ms` lies in ends, in milliseconds since 1970. It also names the
    /// period.
    pub(super) fn ends_ms(self, unix_ms: u64) -> u64 {
        let end = || {
            let now = Timestamp::from_millisecond(i64::try_from(unix_ms).ok()?).ok()?;
            let date = now.to_zoned(TimeZone::UTC).date();
            let next = match self {
                Self::Day => date.checked_add(1.day()).ok()?,
                Self::Month => date.first_of_month().checked_add(1.month()).ok()?,
            };
            let end = next.to_zoned(TimeZone::UTC).ok()?.timestamp();
            u64::try_from(end.as_millisecond()).ok()
        };
        // Past the year 9999 there is one period without end.
        end().unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_at_utc_boundaries() {
        let ms = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond() as u64;
        for (period, now, end) in [
            (Period::Day, "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"),
            (
                Period::Day,
                "2026-11-21T23:59:59.999Z",
                "2026-11-22T00:00:00Z",
            ),
            (
                Period::Day,
                "2026-12-31T23:59:59.999Z",
                "2027-01-01T00:00:00Z",
            ),
            (
                Period::Month,
                "2028-02-29T12:00:00Z",
                "2028-03-01T00:00:00Z",
            ),
            (
                Period::Month,
                "2026-01-31T12:00:00Z",
                "2026-02-01T00:00:00Z",
            ),
            (
                Period::Month,
                "2026-12-01T00:00:00Z",
                "2027-01-01T00:00:00Z",
            ),
        ] {
            assert_eq!(period.ends_ms(ms(now)), ms(end), "{now}");
        }
        assert_eq!(Period::Day.ends_ms(u64::MAX), u64::MAX);
    }
}
