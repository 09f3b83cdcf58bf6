//! Attackers that see what became of their last attempt and try again.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use bartizan_core::Verdict;
use bartizan_measure::{Estimate, SplitMix};
use serde::Serialize;

use crate::{
    Attempt, Chain, LayerSet, MUTATORS, Mutator, Outcome, Reply, Scorer, Seen, Target, Test,
    attempt::fingerprint,
};

/// How an attacker searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// A chain at random each time.
    Random,
    /// Chains that were less suspicious are changed and crossed: a (µ + λ) evolution strategy (Beyer
    /// and Schwefel, Evolution Strategies, 2002).
    Evolution,
}

impl Strategy {
    /// The name used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Evolution => "evolution",
        }
    }
}

/// What an attacker may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Means {
    /// How it searches.
    pub strategy: Strategy,
    /// Questions for each goal.
    pub queries: u32,
    /// Mutators in a chain, at most.
    pub depth: usize,
    /// What a disguise may ask of its reader: points over the chain, see [`crate::Toll`]. Above 3
    /// lie encodings of encodings, which few models follow.
    pub max_toll: u32,
    /// Fixes what is random.
    pub seed: u64,
}

impl Default for Means {
    /// Evolution with 500 questions, 3 mutators, and 3 points.
    fn default() -> Self {
        Self {
            strategy: Strategy::Evolution,
            queries: 500,
            depth: 3,
            max_toll: 3,
            seed: 0,
        }
    }
}

/// What became of one goal.
#[derive(Clone, Debug, PartialEq)]
pub struct Hunt {
    /// The number of the test.
    pub test: usize,
    /// The question that reached the goal, from 1; `None` if none did.
    pub reached_at: Option<u32>,
    /// Questions that were asked.
    pub queries: u32,
    /// The chain of that question, or the least suspicious one.
    pub chain: Chain,
    /// The seed with which the attempt is made again.
    pub seed: u64,
    /// Questions that were not answered.
    pub errors: u32,
}

/// Searches for each of `tests`, attacks on their way in, in `jobs` threads. Where the target
/// consists of layers, `layers` are those that decide.
#[must_use]
pub fn hunt(
    tests: &[&Test],
    target: &dyn Target,
    scorer: &Scorer<'_>,
    layers: Option<LayerSet>,
    means: Means,
    jobs: usize,
) -> Vec<Hunt> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(test) = tests.get(number) else {
                return;
            };
            let mut hunter = Hunter::new(test, number, target, scorer, layers, means);
            let hunt = hunter.hunt();
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.push(hunt);
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(work);
        }
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|hunt: &Hunt| hunt.test);
    found
}

/// The share of goals that are reached with at most so many questions. Goals of which every
/// question failed are not counted.
#[must_use]
pub fn success_at(hunts: &[Hunt], queries: u32) -> Option<Estimate> {
    let known = || hunts.iter().filter(|hunt| hunt.errors < hunt.queries);
    let reached = known().filter(|hunt| hunt.reached_at.is_some_and(|at| at <= queries));
    Estimate::share(reached.count() as u64, known().count() as u64)
}

/// Chains that an evolution keeps.
const PARENTS: usize = 6;

/// A chain that was tried.
#[derive(Clone)]
struct Tried {
    chain: Chain,
    seed: u64,
    suspicion: f32,
}

struct Hunter<'a, 's> {
    test: &'s Test,
    number: usize,
    target: &'a dyn Target,
    scorer: &'a Scorer<'a>,
    layers: Option<LayerSet>,
    means: Means,
    random: SplitMix,
    best: Vec<Tried>,
    errors: u32,
}

impl<'a, 's> Hunter<'a, 's> {
    fn new(
        test: &'s Test,
        number: usize,
        target: &'a dyn Target,
        scorer: &'a Scorer<'a>,
        layers: Option<LayerSet>,
        means: Means,
    ) -> Self {
        Self {
            random: SplitMix::new(means.seed ^ fingerprint(&test.id)),
            best: Vec::new(),
            errors: 0,
            test,
            number,
            target,
            scorer,
            layers,
            means,
        }
    }

    fn hunt(&mut self) -> Hunt {
        let mut queries = 0;
        let mut reached = None;
        let mut tries = 0;
        // A search whose mutators change nothing must end, too.
        while queries < self.means.queries && tries < self.means.queries.saturating_mul(4) {
            tries += 1;
            // The first question is the attack as it is.
            let chain = if tries == 1 {
                Chain::default()
            } else {
                self.next_chain()
            };
            let seed = self.random.next_u64();
            let Some(attempt) = Attempt::new(self.test, &chain, seed) else {
                continue;
            };
            queries += 1;
            // A target that panics at one question may answer the next.
            let asked = catch_unwind(AssertUnwindSafe(|| self.ask(&attempt)));
            match asked.unwrap_or(None) {
                None => self.errors += 1,
                Some((true, _)) => {
                    reached = Some((queries, chain, seed));
                    break;
                }
                Some((false, suspicion)) => self.keep(Tried {
                    chain,
                    seed,
                    suspicion,
                }),
            }
        }
        let least = self.best.first();
        let (reached_at, chain, seed) = match reached {
            Some((at, chain, seed)) => (Some(at), chain, seed),
            None => (
                None,
                least.map(|tried| tried.chain.clone()).unwrap_or_default(),
                least.map_or(0, |tried| tried.seed),
            ),
        };
        Hunt {
            test: self.number,
            reached_at,
            queries,
            chain,
            seed,
            errors: self.errors,
        }
    }

    /// Whether the goal is reached, and how suspicious the attempt was; `None` for an error.
    fn ask(&self, attempt: &Attempt<'_>) -> Option<(bool, f32)> {
        let reply = self.target.ask(attempt);
        match (&reply, self.layers) {
            (Ok(Reply::Decided(seen)), Some(layers)) => {
                let verdict = verdict_of(seen, layers);
                let is_reached = verdict < attempt.test.stops_at;
                Some((is_reached, seen.suspicion(layers)))
            }
            (Ok(Reply::Decided(seen)), None) => {
                let is_reached = seen.verdict < attempt.test.stops_at;
                Some((is_reached, seen.suspicion(seen.asked)))
            }
            _ => match self.scorer.outcome(attempt, &reply) {
                Outcome::Failed => Some((true, 0.0)),
                Outcome::Partial => Some((false, 1.0)),
                Outcome::Held => Some((false, 2.0)),
                Outcome::Error => None,
            },
        }
    }

    fn keep(&mut self, tried: Tried) {
        let is_known = self.best.iter().any(|known| known.chain == tried.chain);
        if is_known && !tried.chain.is_random() {
            return;
        }
        let place = self
            .best
            .partition_point(|known| known.suspicion <= tried.suspicion);
        self.best.insert(place, tried);
        self.best.truncate(PARENTS);
    }

    fn next_chain(&mut self) -> Chain {
        // A fresh one from time to time, so that a search does not stay where it began.
        let is_fresh = self.means.strategy == Strategy::Random
            || self.best.is_empty()
            || self.random.below(4) == 0;
        let chain = if is_fresh { self.fresh() } else { self.child() };
        self.bounded(chain)
    }

    fn fresh(&mut self) -> Vec<&'static Mutator> {
        let length = 1 + self.below(self.means.depth.max(1));
        (0..length).filter_map(|_| self.mutator()).collect()
    }

    /// A parent with one mutator exchanged, added, or taken away, or crossed with another.
    fn child(&mut self) -> Vec<&'static Mutator> {
        let mut chain = self.parent();
        match self.below(4) {
            0 if chain.len() > 1 => {
                let at = self.below(chain.len());
                chain.remove(at);
            }
            1 if chain.len() < self.means.depth => {
                let at = self.below(chain.len() + 1);
                chain.splice(at..at, self.mutator());
            }
            2 => {
                let other = self.parent();
                let at = self.below(chain.len() + 1);
                chain.truncate(at);
                chain.extend(other);
                chain.truncate(self.means.depth);
            }
            _ => {
                let at = self.below(chain.len());
                if let (Some(new), Some(old)) = (self.mutator(), chain.get_mut(at)) {
                    *old = new;
                }
            }
        }
        chain
    }

    fn parent(&mut self) -> Vec<&'static Mutator> {
        let at = self.below(self.best.len());
        let parent = self.best.get(at);
        parent.map_or_else(Vec::new, |tried| tried.chain.mutators().to_vec())
    }

    fn mutator(&mut self) -> Option<&'static Mutator> {
        let at = self.below(MUTATORS.len());
        MUTATORS.get(at)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.random.below(bound as u64)).unwrap_or(0)
    }

    /// The chain without what asks too much of its reader, and without anything twice.
    fn bounded(&self, mutators: Vec<&'static Mutator>) -> Chain {
        let mut kept: Vec<&'static Mutator> = Vec::new();
        let mut toll = 0;
        for mutator in mutators {
            let more = mutator.toll.points();
            let is_new = kept.iter().all(|known| known.name != mutator.name);
            if is_new && toll + more <= self.means.max_toll {
                toll += more;
                kept.push(mutator);
            }
        }
        Chain::of(&kept)
    }
}

/// The verdict of some of the layers; of all of them that with the score over all findings.
fn verdict_of(seen: &Seen, layers: LayerSet) -> Verdict {
    if seen.asked.is_in(layers) {
        seen.verdict
    } else {
        seen.verdict_of(layers)
    }
}

#[cfg(test)]
mod tests;
