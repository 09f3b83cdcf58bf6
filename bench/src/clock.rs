//! Time of one thread on a processor, which other work on the machine does not change.

use std::{fs, time::Instant};

/// Nanoseconds that this thread ran, from `/proc/thread-self/schedstat` (Linux,
/// `Documentation/scheduler/sched-stats.rst`: the first field). The kernel brings it up to date
/// every few milliseconds: measure 50 ms or more.
pub(crate) fn cpu_nanos() -> u64 {
    fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// Nanoseconds since `start` by the wall.
pub(crate) fn wall_nanos(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Now, by the wall.
#[expect(
    clippy::disallowed_methods,
    reason = "a binary that measures needs the clock"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Processor time per byte in nanoseconds of `work` over `bytes`, the median of `runs`. No `runs`:
/// the work is done once and not measured, for tools that count its instructions.
pub(crate) fn per_byte(runs: usize, bytes: usize, mut work: impl FnMut()) -> f64 {
    // The first round compiles patterns and fills caches.
    work();
    if runs == 0 {
        return 0.0;
    }
    let times = (0..runs)
        .map(|_| {
            // Short work is repeated until the kernel's account is precise enough.
            let mut rounds = 0u32;
            let started = cpu_nanos();
            loop {
                work();
                rounds += 1;
                let nanos = cpu_nanos().saturating_sub(started);
                if nanos >= 60_000_000 {
                    break nanos as f64 / f64::from(rounds) / bytes.max(1) as f64;
                }
            }
        })
        .collect();
    median(times)
}

/// The value in the middle.
pub(crate) fn median(values: Vec<f64>) -> f64 {
    percentile(values, 50.0)
}

/// The value below which `percent` of `values` lie (nearest rank).
pub(crate) fn percentile(mut values: Vec<f64>, percent: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() as f64 * percent / 100.0) as usize;
    let last = values.len().saturating_sub(1);
    values.get(rank.min(last)).copied().unwrap_or(0.0)
}

/// Megabytes a second of a cost in nanoseconds per byte.
pub(crate) fn megabytes_per_second(nanos_per_byte: f64) -> f64 {
    1000.0 / nanos_per_byte
}
