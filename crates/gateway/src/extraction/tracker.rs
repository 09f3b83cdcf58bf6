use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use parking_lot::Mutex;

use super::{
    ExtractionConfig, ExtractionEvent, Query, Signal,
    profile::{Profile, Sketched},
    sketch::{RowSketch, Scale},
};

/// Watches every principal's queries. Shared by all requests; each principal belongs to one of a
/// few locks.
#[derive(Debug)]
pub struct Extraction {
    config: ExtractionConfig,
    shards: [Mutex<Shard>; SHARDS],
    /// How the rows of all principals are spread, by model.
    scales: Mutex<HashMap<String, Scale>>,
}

/// Models of which the spread is known; names come from the configuration, so there are few.
const MOST_MODELS: usize = 256;

const SHARDS: usize = 16;

/// The principals behind one lock.
#[derive(Debug, Default)]
struct Shard {
    profiles: HashMap<Arc<str>, (u64, Profile)>,
    /// Principals by when they were last seen, as a running number.
    order: BTreeMap<u64, Arc<str>>,
    next: u64,
}

impl Extraction {
    /// Detectors as configured.
    #[must_use]
    pub fn new(config: ExtractionConfig) -> Self {
        Self {
            config,
            shards: std::array::from_fn(|_| Mutex::default()),
            scales: Mutex::default(),
        }
    }

    /// What it is set to.
    #[must_use]
    pub const fn config(&self) -> &ExtractionConfig {
        &self.config
    }

    /// Sees a query of `principal` to `model`, before it is answered. Returns what should be
    /// recorded.
    pub fn query(
        &self,
        principal: &str,
        model: &str,
        query: Query<'_>,
        now_ms: u64,
    ) -> Vec<ExtractionEvent> {
        if !self.config.enabled {
            return Vec::new();
        }
        let sketched = Sketched::of(query);
        let scale = match &sketched {
            Sketched::Row { sketch, .. } => self.scale(model, sketch),
            Sketched::Text { .. } => None,
        };
        self.with(principal, |profile, config| {
            profile.query(config, scale.as_ref(), sketched, now_ms)
        })
        .map_or_else(Vec::new, |(name, seen, profile)| {
            self.events(&name, seen, &profile, now_ms)
        })
    }

    /// Sees how sure the model was of its answer: the likeliest class's probability less the next
    /// one's, 0 to 1.
    pub fn answered(&self, principal: &str, margin: f64, now_ms: u64) -> Vec<ExtractionEvent> {
        self.with(principal, |profile, config| {
            profile.answered(config, margin, now_ms)
        })
        .map_or_else(Vec::new, |(name, seen, profile)| {
            self.events(&name, seen, &profile, now_ms)
        })
    }

    /// Sees that a request of `principal` was refused for an attack.
    pub fn refused(&self, principal: &str, now_ms: u64) -> Vec<ExtractionEvent> {
        self.with(principal, |profile, config| profile.refused(config, now_ms))
            .map_or_else(Vec::new, |(name, seen, profile)| {
                self.events(&name, seen, &profile, now_ms)
            })
    }

    /// Suspicion against `principal`, 0 to 1.
    #[must_use]
    pub fn suspicion(&self, principal: &str, now_ms: u64) -> f64 {
        if !self.config.enabled {
            return 0.0;
        }
        let shard = self.shard(principal).lock();
        shard.profiles.get(principal).map_or(0.0, |(_, profile)| {
            profile.suspicion.at(now_ms, self.half_life_ms())
        })
    }

    /// What limits of `principal` are multiplied by: 1 without suspicion, `least-factor` at full
    /// suspicion.
    #[must_use]
    pub fn factor(&self, principal: &str, now_ms: u64) -> f64 {
        1.0 - (1.0 - self.config.least_factor) * tightened(self.suspicion(principal, now_ms))
    }

    /// What thresholds of attack categories are multiplied by for `principal`.
    #[must_use]
    pub fn threshold_factor(&self, principal: &str, now_ms: u64) -> f32 {
        let tightened = tightened(self.suspicion(principal, now_ms)) as f32;
        1.0 - (1.0 - self.config.least_threshold_factor) * tightened
    }

    /// Principals that are remembered.
    #[must_use]
    pub fn principals(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| shard.lock().profiles.len())
            .sum()
    }

    const fn half_life_ms(&self) -> u64 {
        self.config.half_life_seconds.saturating_mul(1_000)
    }

    /// How rows for `model` are spread, this one included.
    fn scale(&self, model: &str, row: &RowSketch) -> Option<Scale> {
        let mut scales = self.scales.lock();
        if let Some(scale) = scales.get_mut(model) {
            scale.see(row);
            return Some(scale.clone());
        }
        if scales.len() >= MOST_MODELS {
            return None;
        }
        let scale = scales.entry(model.to_owned()).or_default();
        scale.see(row);
        Some(scale.clone())
    }

    fn shard(&self, principal: &str) -> &Mutex<Shard> {
        // FNV-1a: who chooses principals' names gains nothing by filling one shard.
        let hash = principal
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
            });
        let [first, rest @ ..] = &self.shards;
        match hash as usize % SHARDS {
            0 => first,
            at => rest.get(at - 1).unwrap_or(first),
        }
    }

    fn with(
        &self,
        principal: &str,
        see: impl FnOnce(&mut Profile, &ExtractionConfig) -> Vec<Signal>,
    ) -> Option<(Arc<str>, Vec<Signal>, Snapshot)> {
        if !self.config.enabled {
            return None;
        }
        let mut shard = self.shard(principal).lock();
        let (name, profile) = shard.touch(principal, self.config.max_principals.div_ceil(SHARDS));
        let seen = see(profile, &self.config);
        let snapshot = Snapshot {
            suspicion: profile.suspicion,
            today: profile.today(),
        };
        Some((name, seen, snapshot))
    }

    fn events(
        &self,
        principal: &Arc<str>,
        seen: Vec<Signal>,
        snapshot: &Snapshot,
        now_ms: u64,
    ) -> Vec<ExtractionEvent> {
        let suspicion = snapshot.suspicion.at(now_ms, self.half_life_ms());
        seen.into_iter()
            .map(|signal| ExtractionEvent {
                at_ms: now_ms,
                principal: Arc::clone(principal),
                signal,
                suspicion,
                today: snapshot.today,
            })
            .collect()
    }
}

struct Snapshot {
    suspicion: super::Suspicion,
    today: u64,
}

/// Suspicion below a fifth changes nothing.
fn tightened(suspicion: f64) -> f64 {
    ((suspicion - 0.2) / 0.8).clamp(0.0, 1.0)
}

impl Shard {
    fn touch(&mut self, principal: &str, most: usize) -> (Arc<str>, &mut Profile) {
        let number = self.next;
        self.next += 1;
        let name: Arc<str> = match self.profiles.get(principal) {
            Some((last, _)) => self
                .order
                .remove(last)
                .unwrap_or_else(|| Arc::from(principal)),
            None => Arc::from(principal),
        };
        if !self.profiles.contains_key(principal)
            && self.profiles.len() >= most.max(1)
            && let Some((_, silent)) = self.order.pop_first()
        {
            self.profiles.remove(&silent);
        }
        self.order.insert(number, Arc::clone(&name));
        let entry = self.profiles.entry(Arc::clone(&name)).or_default();
        entry.0 = number;
        (name, &mut entry.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_the_silent_are_forgotten() {
        let config = ExtractionConfig {
            max_principals: 64,
            ..ExtractionConfig::default()
        };
        let extraction = Extraction::new(config);
        for number in 0..2_000 {
            extraction.query(&format!("key-{number}"), "m", Query::Text("hello"), number);
            extraction.query("steady", "m", Query::Text("hello"), number);
        }
        assert!(extraction.principals() <= 64);
        let shard = extraction.shard("steady").lock();
        assert!(shard.profiles.contains_key("steady"));
        assert_eq!(shard.profiles.len(), shard.order.len());
    }

    #[test]
    fn limits_tighten_along_suspicion_and_loosen_again() {
        let extraction = Extraction::new(ExtractionConfig::default());
        assert_eq!(extraction.factor("k", 0), 1.0);
        let mut last = 1.0;
        for attempt in 0..20 {
            extraction.refused("k", attempt);
            let factor = extraction.factor("k", attempt);
            assert!(factor <= last);
            last = factor;
        }
        assert!((0.1..0.2).contains(&last), "{last}");
        assert!(extraction.threshold_factor("k", 20) < 0.7);
        let later = 20 + 5 * 3_600_000;
        assert_eq!(extraction.factor("k", later), 1.0);
        assert_eq!(extraction.threshold_factor("k", later), 1.0);
        assert_eq!(extraction.factor("other", 20), 1.0);
    }

    #[test]
    fn switched_off_it_sees_nothing() {
        let config = ExtractionConfig {
            enabled: false,
            ..ExtractionConfig::default()
        };
        let extraction = Extraction::new(config);
        for _ in 0..100 {
            assert!(extraction.refused("k", 0).is_empty());
        }
        assert_eq!(extraction.suspicion("k", 0), 0.0);
        assert_eq!(extraction.principals(), 0);
    }
}
