//! Every attempt of a plan, on all cores.

use std::{
    collections::{BTreeMap, HashMap},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use bartizan_core::{Layer, Verdict};
use bartizan_measure::SplitMix;

use crate::{
    Attempt, Chain, LayerSet, Outcome, Reply, Scorer, Target, TargetError, Test,
    attempt::fingerprint, family::FamilyKind,
};

/// What is tried.
#[derive(Clone, Debug)]
pub struct Plan<'s> {
    /// The tests.
    pub tests: Vec<&'s Test>,
    /// What attacks on their way in are disguised with; other tests are tried as they are.
    pub chains: Vec<Chain>,
    /// How often what depends on the seed is tried, at least 1.
    pub repeat: u32,
    /// Fixes what is random.
    pub seed: u64,
}

/// One attempt of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trial {
    /// The number of the test.
    pub test: usize,
    /// The number of the chain; `None` for a test that is tried as it is.
    pub chain: Option<usize>,
    /// The number of the repetition, from 0.
    pub repetition: u32,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Which one it was.
    pub trial: Trial,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether it was stopped, whatever it was.
    pub was_stopped: bool,
    /// What layers made of it.
    pub layers: Option<ByLayer>,
    /// Why there is no outcome.
    pub error: Option<TargetError>,
    /// Words of the answer.
    pub words: u32,
}

/// What layers made of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct ByLayer {
    /// The smallest sets of layers that stop it; none if it passes.
    pub catchers: Box<[LayerSet]>,
    /// Whether any layer saw anything, enough to stop it or not.
    pub was_seen: bool,
    /// The strictest verdict.
    pub verdict: Verdict,
}

/// What came of a plan.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// One entry for each attempt, in the order of the plan.
    pub records: Vec<Record>,
    /// Attempts that were not made: no mutator of the chain found anything to change.
    pub unchanged: u64,
    /// The layers that were asked.
    pub asked: LayerSet,
    /// What each layer took over all attempts, in nanoseconds.
    pub costs: BTreeMap<Layer, u64>,
}

/// Trials that a thread takes at once.
const BATCH: usize = 16;

impl<'s> Plan<'s> {
    /// Every attempt, in order: tests, then chains, then repetitions.
    #[must_use]
    pub fn trials(&self) -> Vec<Trial> {
        let mut trials = Vec::new();
        for (number, test) in self.tests.iter().enumerate() {
            if !test.is_mutable() {
                trials.push(Trial {
                    test: number,
                    chain: None,
                    repetition: 0,
                });
                continue;
            }
            for (place, chain) in self.chains.iter().enumerate() {
                let times = if chain.is_random() {
                    self.repeat.max(1)
                } else {
                    1
                };
                trials.extend((0..times).map(|repetition| Trial {
                    test: number,
                    chain: Some(place),
                    repetition,
                }));
            }
        }
        trials
    }

    /// The attempt of a trial; `None` where its chain changes nothing.
    #[must_use]
    pub fn attempt(&self, trial: Trial) -> Option<Attempt<'s>> {
        let test: &'s Test = self.tests.get(trial.test).copied()?;
        let none = Chain::default();
        let chain = match trial.chain {
            None => &none,
            Some(number) => self.chains.get(number)?,
        };
        Attempt::new(test, chain, seed(self.seed, chain, trial.repetition))
    }
}

/// The seed of an attempt follows from what is tried, not from what else is in the run, so that a
/// report's attempt can be made again.
#[must_use]
pub fn seed(seed: u64, chain: &Chain, repetition: u32) -> u64 {
    let mixed = seed ^ fingerprint(&chain.to_string()) ^ (u64::from(repetition) << 32);
    SplitMix::new(mixed).next_u64()
}

/// Tries everything in `jobs` threads. `progress` is told how many attempts are done; it returns
/// whether to go on.
#[must_use]
pub fn run(
    plan: &Plan<'_>,
    target: &dyn Target,
    scorer: &Scorer<'_>,
    jobs: usize,
    progress: &(dyn Fn(usize, usize) -> bool + Sync),
) -> Run {
    let trials = plan.trials();
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let stopped = AtomicBool::new(false);
    let work = || {
        let mut run = Run::default();
        while !stopped.load(Ordering::Relaxed) {
            let from = next.fetch_add(BATCH, Ordering::Relaxed);
            let Some(batch) = trials.get(from..trials.len().min(from + BATCH)) else {
                break;
            };
            for &trial in batch {
                run.attempt(plan, trial, target, scorer);
            }
            let before = done.fetch_add(batch.len(), Ordering::Relaxed);
            if !progress(before + batch.len(), trials.len()) {
                stopped.store(true, Ordering::Relaxed);
            }
            if batch.is_empty() {
                break;
            }
        }
        run
    };
    let mut whole = Run::default();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            // A panic of an attempt is caught; one beside it would be a fault of this loop.
            if let Ok(part) = thread.join() {
                whole.join(part);
            }
        }
    });
    whole.records.sort_by_key(|record| record.trial);
    settle_pairs(plan, &mut whole.records);
    whole
}

impl Run {
    fn attempt(&mut self, plan: &Plan<'_>, trial: Trial, target: &dyn Target, scorer: &Scorer<'_>) {
        let tried = catch_unwind(AssertUnwindSafe(|| {
            let attempt = plan.attempt(trial)?;
            let reply = target.ask(&attempt);
            let outcome = scorer.outcome(&attempt, &reply);
            Some((outcome, reply, attempt.test.stops_at))
        }));
        match tried {
            Ok(None) => self.unchanged += 1,
            Ok(Some((outcome, reply, stops_at))) => self.add(trial, outcome, reply, stops_at),
            Err(_) => self.add(
                trial,
                Outcome::Error,
                Err(TargetError::Crashed),
                Verdict::Block,
            ),
        }
    }

    fn add(
        &mut self,
        trial: Trial,
        outcome: Outcome,
        reply: Result<Reply, TargetError>,
        stops_at: Verdict,
    ) {
        let mut record = Record {
            trial,
            outcome,
            was_stopped: false,
            layers: None,
            error: None,
            words: 0,
        };
        match reply {
            Err(error) => record.error = Some(error),
            Ok(Reply::Answered(answer)) => {
                record.was_stopped = answer.stopped;
                let words = answer.text.split_whitespace().count();
                record.words = u32::try_from(words).unwrap_or(u32::MAX);
            }
            Ok(Reply::Decided(seen)) => {
                record.was_stopped = seen.verdict >= stops_at;
                record.layers = Some(ByLayer {
                    catchers: seen.catchers(stops_at).into(),
                    was_seen: !seen.evidence.is_empty(),
                    verdict: seen.verdict,
                });
                self.asked = self.asked.with(seen.asked);
                for (layer, nanos) in seen.costs {
                    *self.costs.entry(layer).or_default() += nanos;
                }
            }
        }
        self.records.push(record);
    }

    fn join(&mut self, other: Self) {
        self.records.extend(other.records);
        self.unchanged += other.unchanged;
        self.asked = self.asked.with(other.asked);
        for (layer, nanos) in other.costs {
            *self.costs.entry(layer).or_default() += nanos;
        }
    }

    /// Attempts that were answered, by which rates are counted.
    pub fn counted(&self) -> impl Iterator<Item = &Record> {
        let known = |record: &&Record| record.outcome != Outcome::Error;
        self.records.iter().filter(known)
    }
}

/// Answers to a pair may differ in length by this factor.
const LENGTHS: u32 = 3;

/// Both halves of a pair fail where one is stopped and the other is not, or one answer is far
/// longer.
fn settle_pairs(plan: &Plan<'_>, records: &mut [Record]) {
    let mut halves: HashMap<&str, usize> = HashMap::new();
    for (place, record) in records.iter().enumerate() {
        if let Some(test) = plan.tests.get(record.trial.test)
            && test.family.kind == FamilyKind::Pair
        {
            halves.insert(&test.id, place);
        }
    }
    let pairs: Vec<(usize, Option<usize>)> = halves
        .values()
        .filter_map(|&place| {
            let test = plan.tests.get(records.get(place)?.trial.test)?;
            let pair = test.pair.as_deref()?;
            Some((place, halves.get(pair).copied()))
        })
        .collect();
    for (one, other) in pairs {
        let outcome = match (records.get(one), other.and_then(|other| records.get(other))) {
            (Some(one), Some(other)) => compared(one, other),
            // A half alone says nothing.
            _ => Outcome::Error,
        };
        for place in std::iter::once(one).chain(other) {
            if let Some(record) = records.get_mut(place) {
                record.outcome = record.outcome.max(outcome);
            }
        }
    }
}

fn compared(one: &Record, other: &Record) -> Outcome {
    if one.error.is_some() || other.error.is_some() {
        return Outcome::Error;
    }
    let (short, long) = (one.words.min(other.words), one.words.max(other.words));
    let is_longer = long > LENGTHS.saturating_mul(short.max(10));
    if one.was_stopped != other.was_stopped || is_longer {
        Outcome::Failed
    } else {
        Outcome::Held
    }
}

#[cfg(test)]
mod tests;
