//! Counters and histograms of fixed size, and the text format in which they are shown.
//!
//! The `metrics` exporter keeps every sample of a histogram until somebody scrapes, so its memory
//! depends on who does; these are arrays of atomics and depend on nobody.

use std::{
    collections::HashMap,
    fmt::{Display, Write as _},
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::RwLock;

/// A number that only grows.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counters under keys that are known to be few; those beyond the bound are counted under the
/// first key.
#[derive(Debug)]
pub(super) struct Table<K>(RwLock<HashMap<K, Arc<Counter>>>);

/// Most keys of a table.
pub(super) const MAX_KEYS: usize = 512;

impl<K: Eq + Hash + Clone + Ord + Default> Table<K> {
    pub(super) fn add(&self, key: K, count: u64) {
        if let Some(counter) = self.0.read().get(&key) {
            counter.add(count);
            return;
        }
        let mut table = self.0.write();
        let key = if table.len() < MAX_KEYS {
            key
        } else {
            K::default()
        };
        table.entry(key).or_default().add(count);
    }

    /// Keys and counts in the order of the keys.
    pub(super) fn all(&self) -> Vec<(K, u64)> {
        let table = self.0.read();
        let mut all: Vec<(K, u64)> = table
            .iter()
            .map(|(key, counter)| (key.clone(), counter.get()))
            .collect();
        all.sort();
        all
    }
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self(RwLock::new(HashMap::new()))
    }
}

/// Upper ends of buckets in nanoseconds, and as they are shown, in seconds.
pub(super) type Bounds = &'static [(u64, &'static str)];

/// From one microsecond to a tenth of a second: what layers and the gateway itself cost.
pub(super) const FINE: Bounds = &[
    (1_000, "0.000001"),
    (2_500, "0.0000025"),
    (5_000, "0.000005"),
    (10_000, "0.00001"),
    (25_000, "0.000025"),
    (50_000, "0.00005"),
    (100_000, "0.0001"),
    (200_000, "0.0002"),
    (400_000, "0.0004"),
    (1_000_000, "0.001"),
    (2_500_000, "0.0025"),
    (10_000_000, "0.01"),
    (100_000_000, "0.1"),
];

/// From a millisecond to two minutes: what models take.
pub(super) const COARSE: Bounds = &[
    (1_000_000, "0.001"),
    (5_000_000, "0.005"),
    (25_000_000, "0.025"),
    (100_000_000, "0.1"),
    (250_000_000, "0.25"),
    (500_000_000, "0.5"),
    (1_000_000_000, "1"),
    (2_500_000_000, "2.5"),
    (5_000_000_000, "5"),
    (10_000_000_000, "10"),
    (30_000_000_000, "30"),
    (60_000_000_000, "60"),
    (120_000_000_000, "120"),
];

/// How often a time fell between two bounds.
#[derive(Debug)]
pub(super) struct Histogram {
    bounds: Bounds,
    /// One more than bounds, the last for everything above.
    buckets: Box<[AtomicU64]>,
    nanos: AtomicU64,
}

impl Histogram {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            buckets: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            nanos: AtomicU64::new(0),
        }
    }

    pub(super) fn record(&self, nanos: u64) {
        let place = self.bounds.partition_point(|(bound, _)| *bound < nanos);
        if let Some(bucket) = self.buckets.get(place) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }
}

/// The text exposition format of Prometheus, version 0.0.4.
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    pub(super) fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    pub(super) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        self.labels(labels, None);
        let _ = writeln!(self.0, " {value}");
    }

    pub(super) fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "counter", help);
        self.sample(name, &[], value);
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "gauge", help);
        self.sample(name, &[], value);
    }

    pub(super) fn histogram(&mut self, name: &str, labels: &[(&str, &str)], of: &Histogram) {
        let mut below = 0;
        let ends = of.bounds.iter().map(|(_, shown)| *shown);
        for (bucket, end) in of.buckets.iter().zip(ends.chain(["+Inf"])) {
            below += bucket.load(Ordering::Relaxed);
            let _ = write!(self.0, "{name}_bucket");
            self.labels(labels, Some(end));
            let _ = writeln!(self.0, " {below}");
        }
        let seconds = of.nanos.load(Ordering::Relaxed) as f64 / 1e9;
        self.sample(&format!("{name}_sum"), labels, seconds);
        self.sample(&format!("{name}_count"), labels, below);
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }

    fn labels(&mut self, labels: &[(&str, &str)], end: Option<&str>) {
        let all = labels.iter().copied().chain(end.map(|end| ("le", end)));
        let mut open = '{';
        for (name, value) in all {
            self.0.push(open);
            open = ',';
            let _ = write!(self.0, "{name}=\"");
            for letter in value.chars() {
                match letter {
                    '\\' => self.0.push_str("\\\\"),
                    '"' => self.0.push_str("\\\""),
                    '\n' => self.0.push_str("\\n"),
                    other => self.0.push(other),
                }
            }
            self.0.push('"');
        }
        if open == ',' {
            self.0.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_add_up() {
        let histogram = Histogram::new(FINE);
        for nanos in [1_000, 1_001, 99_999_999, 100_000_001] {
            histogram.record(nanos);
        }
        let mut page = Page::default();
        page.histogram("x", &[("layer", "a\"b")], &histogram);
        let text = page.into_text();
        assert!(text.contains("x_bucket{layer=\"a\\\"b\",le=\"0.000001\"} 1\n"));
        assert!(text.contains("x_bucket{layer=\"a\\\"b\",le=\"0.0000025\"} 2\n"));
        assert!(text.contains("le=\"0.1\"} 3\n"));
        assert!(text.contains("le=\"+Inf\"} 4\n"));
        assert!(text.contains("x_count{layer=\"a\\\"b\"} 4\n"));
    }

    #[test]
    fn a_table_is_bounded() {
        let table = Table::<u64>::default();
        for key in 0..10_000 {
            table.add(key, 1);
        }
        let all = table.all();
        assert!(all.len() <= MAX_KEYS + 1);
        assert_eq!(all.iter().map(|(_, count)| count).sum::<u64>(), 10_000);
    }
}
