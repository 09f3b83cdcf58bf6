//! What each layer does alone, what the stack does without it, and which layers are enough.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_core::Layer;
use bartizan_measure::Estimate;

use crate::LayerSet;

/// Attempts by the sets of layers that stop them.
#[derive(Clone, Debug, Default)]
pub struct StackSample {
    /// How many attempts are stopped by exactly these smallest sets.
    patterns: BTreeMap<Box<[LayerSet]>, u64>,
    all: u64,
}

impl StackSample {
    /// Counts an attempt that each of `catchers` stops; none for one that passes.
    pub fn add(&mut self, catchers: &[LayerSet]) {
        *self.patterns.entry(catchers.into()).or_default() += 1;
        self.all += 1;
    }

    /// Attempts.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.all
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.all == 0
    }

    /// Attempts that `layers` stop.
    #[must_use]
    pub fn stopped(&self, layers: LayerSet) -> u64 {
        let stops = |catchers: &[LayerSet]| catchers.iter().any(|set| set.is_in(layers));
        self.patterns
            .iter()
            .filter(|(catchers, _)| stops(catchers))
            .map(|(_, count)| count)
            .sum()
    }

    /// The share of attempts that pass `layers`; `None` without attempts.
    #[must_use]
    pub fn passed(&self, layers: LayerSet) -> Option<Estimate> {
        Estimate::share(self.all - self.stopped(layers), self.all)
    }

    /// Every layer that some attempt is stopped by.
    #[must_use]
    pub fn layers(&self) -> LayerSet {
        let sets = self.patterns.keys().flat_map(|catchers| catchers.iter());
        sets.fold(LayerSet::default(), |all, &set| all.with(set))
    }
}

/// Attacks and controls, by the layers that stop them.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    /// What should be stopped.
    pub attacks: StackSample,
    /// What should pass.
    pub controls: StackSample,
    /// The layers that were asked.
    pub asked: LayerSet,
    /// What each layer takes for an attempt on average, in nanoseconds.
    pub costs: BTreeMap<Layer, f64>,
}

/// What one layer adds.
#[derive(Clone, Debug, PartialEq)]
pub struct Contribution {
    /// The layer.
    pub layer: Layer,
    /// Share of attacks that pass it alone.
    pub passed_alone: Option<Estimate>,
    /// Share of attacks that pass all the others.
    pub passed_without: Option<Estimate>,
    /// Share of controls that it stops alone.
    pub false_alone: Option<Estimate>,
    /// Its Shapley value (Shapley, A Value for n-Person Games, 1953): the share of attacks that it
    /// adds on average, whatever the order in which layers are added. The values of all layers add
    /// up to the share that the stack stops.
    pub value: Option<f64>,
    /// What it takes, in nanoseconds for an attempt.
    pub nanos: f64,
}

/// Layers that are enough.
#[derive(Clone, Debug, PartialEq)]
pub struct Enough {
    /// The layers.
    pub layers: LayerSet,
    /// Share of attacks that pass them.
    pub passed: Estimate,
    /// Share of controls that they stop.
    pub false_positives: Option<Estimate>,
    /// What they take, in nanoseconds for an attempt.
    pub nanos: f64,
}

/// Layers of which every subset is looked at; more would take too long.
const MOST_LAYERS: usize = 14;

impl Stack {
    /// Every layer that was asked, first those that stop something.
    #[must_use]
    pub fn contributions(&self) -> Vec<Contribution> {
        let values = self.shapley();
        self.asked
            .iter()
            .map(|layer| {
                let alone = LayerSet::of(layer);
                let controls = &self.controls;
                Contribution {
                    layer,
                    passed_alone: self.attacks.passed(alone),
                    passed_without: self.attacks.passed(self.asked.without(alone)),
                    false_alone: Estimate::share(controls.stopped(alone), controls.len()),
                    value: values
                        .as_ref()
                        .map(|values| values.get(&layer).copied().unwrap_or(0.0)),
                    nanos: self.costs.get(&layer).copied().unwrap_or(0.0),
                }
            })
            .collect()
    }

    /// The layers that make a difference, which are those of some attempt.
    fn players(&self) -> Vec<Layer> {
        let sets = self.attacks.layers().with(self.controls.layers());
        sets.iter().collect()
    }

    /// Exact Shapley values of the share stopped; `None` for more than [`MOST_LAYERS`] layers.
    /// A layer that stops nothing, in no set, has the value 0.
    fn shapley(&self) -> Option<BTreeMap<Layer, f64>> {
        let players: Vec<Layer> = self.attacks.layers().iter().collect();
        let count = players.len();
        if count > MOST_LAYERS || self.attacks.is_empty() {
            return None;
        }
        let worth: Vec<f64> = subsets(&players)
            .map(|layers| ratio(self.attacks.stopped(layers), self.attacks.len()))
            .collect();
        let mut values = BTreeMap::new();
        for (place, &layer) in players.iter().enumerate() {
            let bit = 1_usize << place;
            let mut value = 0.0;
            for (mask, without) in worth.iter().enumerate().filter(|(mask, _)| mask & bit == 0) {
                let with = worth.get(mask | bit).copied().unwrap_or(*without);
                value += weight(mask.count_ones(), count) * (with - without);
            }
            values.insert(layer, value);
        }
        Some(values)
    }

    /// The cheapest layers of which at most the share `wanted` of attacks passes; of those that
    /// cost the same, the fewest. `None` if no subset is enough.
    #[must_use]
    pub fn cheapest(&self, wanted: f64) -> Option<Enough> {
        let players = self.players();
        if players.len() > MOST_LAYERS || self.attacks.is_empty() {
            return None;
        }
        let enough = subsets(&players).filter_map(|layers| {
            let passed = self.attacks.passed(layers)?;
            (passed.value <= wanted).then(|| self.priced(layers, passed))
        });
        enough.min_by(|a, b| {
            let sizes = || a.layers.iter().count().cmp(&b.layers.iter().count());
            a.nanos.total_cmp(&b.nanos).then_with(sizes)
        })
    }

    fn priced(&self, layers: LayerSet, passed: Estimate) -> Enough {
        // From 0, since a sum of nothing is -0.
        let nanos = layers
            .iter()
            .filter_map(|layer| self.costs.get(&layer))
            .fold(0.0, |sum, nanos| sum + nanos);
        let controls = &self.controls;
        Enough {
            layers,
            passed,
            false_positives: Estimate::share(controls.stopped(layers), controls.len()),
            nanos,
        }
    }

    /// The subsets that nothing beats in cost and share passed at once, cheapest first.
    #[must_use]
    pub fn front(&self) -> Vec<Enough> {
        let players = self.players();
        if players.len() > MOST_LAYERS || self.attacks.is_empty() {
            return Vec::new();
        }
        let mut all: Vec<Enough> = subsets(&players)
            .filter_map(|layers| Some(self.priced(layers, self.attacks.passed(layers)?)))
            .collect();
        all.sort_by(|a, b| {
            let passed = || a.passed.value.total_cmp(&b.passed.value);
            a.nanos.total_cmp(&b.nanos).then_with(passed)
        });
        let mut best = f64::INFINITY;
        all.retain(|one| {
            let is_better = one.passed.value < best;
            best = best.min(one.passed.value);
            is_better
        });
        all
    }
}

/// Every subset, in the order of the binary numbers whose bits stand for the layers.
fn subsets(players: &[Layer]) -> impl Iterator<Item = LayerSet> {
    let unique: BTreeSet<&Layer> = players.iter().collect();
    let count = unique.len().min(MOST_LAYERS);
    (0..1_usize << count).map(move |mask| {
        players
            .iter()
            .enumerate()
            .filter(|(place, _)| mask >> place & 1 == 1)
            .map(|(_, &layer)| layer)
            .collect()
    })
}

/// `s! (n - s - 1)! / n!`: how likely a player finds just these `s` of the other players before it.
fn weight(before: u32, players: usize) -> f64 {
    let mut weight = 1.0;
    let count = u32::try_from(players).unwrap_or(u32::MAX);
    // 1 / (n * C(n - 1, s)), factor by factor.
    for step in 0..before {
        weight *= f64::from(step + 1) / f64::from(count - 1 - step);
    }
    weight / f64::from(count)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of attempts stay below 2^53"
)]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const R: Layer = Layer::Rules;
    const N: Layer = Layer::Normalise;
    const C: Layer = Layer::Classifier;

    fn set(layers: &[Layer]) -> LayerSet {
        layers.iter().copied().collect()
    }

    /// 4 seen by rules, 3 by rules with views, 2 by either, 1 by nobody.
    fn stack() -> Stack {
        let mut stack = Stack {
            asked: set(&[N, R, C, Layer::Sink]),
            costs: [(N, 10.0), (R, 5.0), (C, 50.0)].into(),
            ..Stack::default()
        };
        let attacks: [(u32, &[LayerSet]); 4] = [
            (4, &[set(&[R])]),
            (3, &[set(&[R, N])]),
            (2, &[set(&[R]), set(&[C])]),
            (1, &[]),
        ];
        for (times, catchers) in attacks {
            (0..times).for_each(|_| stack.attacks.add(catchers));
        }
        (0..9).for_each(|_| stack.controls.add(&[]));
        stack.controls.add(&[set(&[C])]);
        stack
    }

    #[test]
    fn shares_of_subsets() {
        let stack = stack();
        let passed = |layers: &[Layer]| stack.attacks.passed(set(layers)).unwrap().value;
        assert_eq!(passed(&[R]), 0.4);
        assert_eq!(passed(&[N]), 1.0);
        assert_eq!(passed(&[R, N, C]), 0.1);
        let contributions = stack.contributions();
        let of = |layer| contributions.iter().find(|one| one.layer == layer).unwrap();
        assert_eq!(of(N).passed_without.unwrap().value, 0.4);
        assert_eq!(of(C).false_alone.unwrap().value, 0.1);
        assert_eq!(of(Layer::Sink).value, Some(0.0));
    }

    /// By hand: rules alone bring 4 + half of 3 + half of 2, views half of 3, the classifier half
    /// of 2; together what the stack stops.
    #[test]
    fn shapley_values_are_those_by_hand() {
        let stack = stack();
        let contributions = stack.contributions();
        let value = |layer| {
            let one = contributions.iter().find(|one| one.layer == layer).unwrap();
            one.value.unwrap()
        };
        assert!((value(R) - 0.65).abs() < 1e-12, "{}", value(R));
        assert!((value(N) - 0.15).abs() < 1e-12);
        assert!((value(C) - 0.10).abs() < 1e-12);
        let sum: f64 = contributions.iter().filter_map(|one| one.value).sum();
        assert!((sum - 0.9).abs() < 1e-12);
    }

    #[test]
    fn the_cheapest_stack_is_found() {
        let stack = stack();
        let half = stack.cheapest(0.5).unwrap();
        assert_eq!((half.layers, half.nanos), (set(&[R]), 5.0));
        let most = stack.cheapest(0.1).unwrap();
        assert_eq!((most.layers, most.nanos), (set(&[R, N]), 15.0));
        assert_eq!(stack.cheapest(0.05), None);
        let front: Vec<LayerSet> = stack.front().iter().map(|one| one.layers).collect();
        assert_eq!(front, [set(&[]), set(&[R]), set(&[R, N])]);
    }

    #[test]
    fn weights_add_up() {
        for players in 1..10_usize {
            let binomial = |k: u32| {
                (0..k).fold(1.0, |all, step| {
                    let rest = f64::from(u32::try_from(players).unwrap() - 1 - step);
                    all * rest / f64::from(step + 1)
                })
            };
            let sum: f64 = (0..u32::try_from(players).unwrap())
                .map(|before| weight(before, players) * binomial(before))
                .sum();
            assert!((sum - 1.0).abs() < 1e-12, "{players}");
        }
    }
}
