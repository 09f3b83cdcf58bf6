//! Rows EX-01 to EX-05, JB-07: by simulation, seeded.

use parking_lot::Mutex;

use super::{
    simulation::{Actor, Outcome, simulate},
    *,
};

const SEEDS: u64 = 40;
/// Queries of each run; the example measures longer ones.
const QUERIES: usize = 150;

/// The runs of an actor, made once for all tests.
fn runs(actor: Actor) -> Vec<Outcome> {
    static KNOWN: Mutex<Vec<(Actor, Vec<Outcome>)>> = Mutex::new(Vec::new());
    let mut known = KNOWN.lock();
    if let Some((_, runs)) = known.iter().find(|(of, _)| *of == actor) {
        return runs.clone();
    }
    let config = ExtractionConfig::default();
    let runs: Vec<Outcome> = (0..SEEDS)
        .map(|seed| simulate(&config, actor, QUERIES, seed))
        .collect();
    known.push((actor, runs.clone()));
    runs
}

/// The share of runs in which the signal came within so many queries.
fn rate(actor: Actor, queries: usize, signal: Signal) -> f64 {
    let runs = runs(actor);
    let seen = runs
        .iter()
        .filter(|run| run.first_of(signal).is_some_and(|at| at <= queries));
    seen.count() as f64 / SEEDS as f64
}

#[test]
fn ex_01_near_copies_are_flagged_and_repeats_are_not() {
    assert!(rate(Actor::Perturbation, QUERIES, Signal::Similarity) > 0.95);
    assert!(rate(Actor::PromptSweep, QUERIES, Signal::Similarity) > 0.95);
    for honest in Actor::HONEST {
        let rate = rate(honest, QUERIES, Signal::Similarity);
        assert!(rate <= 0.01, "{honest:?}: {rate}");
    }
}

#[test]
fn ex_02_systematic_steps_are_flagged_and_prices_in_a_chat_are_not() {
    assert!(rate(Actor::Grid, QUERIES, Signal::Probing) > 0.95);
    assert!(rate(Actor::BoundarySearch, QUERIES, Signal::Probing) > 0.95);
    for honest in Actor::HONEST {
        let rate = rate(honest, QUERIES, Signal::Probing);
        assert!(rate <= 0.01, "{honest:?}: {rate}");
    }
    // A sequence in a text.
    let extraction = Extraction::new(ExtractionConfig::default());
    let mut seen = Vec::new();
    for number in 0..40_u64 {
        let text = format!("Score of a car of {} km?", 10_000 + 250 * number);
        seen.extend(extraction.query("k", "m", Query::Text(&text), number * number * 3_000));
    }
    assert!(seen.iter().any(|event| event.signal == Signal::Probing));
}

#[test]
fn ex_03_too_many_queries_are_told_once_a_day_and_user() {
    let extraction = Extraction::new(ExtractionConfig {
        daily_queries: 100,
        ..ExtractionConfig::default()
    });
    let day = 86_400_000;
    let mut told = Vec::new();
    for (user, offset) in [("a", 0), ("b", 7)] {
        for query in 0..500_u64 {
            // Two days; the clock is set back for a while on the second.
            let now = day * 20_000 + query / 250 * day + (query % 250) * 5_003 + offset;
            let now = if query == 300 { now - day } else { now };
            let text = format!("question {}", query * query % 9_973);
            let seen = extraction.query(user, "m", Query::Text(&text), now);
            told.extend(
                seen.into_iter()
                    .filter(|event| event.signal == Signal::Volume),
            );
        }
    }
    let named: Vec<(&str, u64)> = told.iter().map(|e| (&*e.principal, e.today)).collect();
    assert_eq!(named, [("a", 101), ("a", 101), ("b", 101), ("b", 101)]);
}

/// Less than one per cent of skewed, real-like traffic, with twenty gaps and with more.
#[test]
fn ex_04_clockwork_and_made_up_inputs() {
    assert!(rate(Actor::Clockwork, 40, Signal::Timing) > 0.95);
    assert!(rate(Actor::RandomRows, 60, Signal::Synthetic) > 0.95);
    for honest in Actor::HONEST {
        for queries in [22, QUERIES] {
            for signal in [Signal::Timing, Signal::Synthetic] {
                let rate = rate(honest, queries, signal);
                assert!(rate < 0.01, "{honest:?} {signal:?} {queries}: {rate}");
            }
        }
    }
}

#[test]
fn ex_05_active_learning_is_flagged_before_2000_queries() {
    let config = ExtractionConfig::default();
    for seed in 0..8 {
        let run = simulate(&config, Actor::ActiveLearning, 600, seed);
        assert!(run.first_of(Signal::Uncertainty).is_some(), "{seed}");
    }
    for honest in [Actor::HonestRows, Actor::HonestService] {
        let rate = rate(honest, QUERIES, Signal::Uncertainty);
        assert!(rate <= 0.01, "{honest:?}: {rate}");
    }
}

/// Ten variants from one key: later ones meet lower thresholds and tighter limits, an event tells
/// of it, and it cools down.
#[test]
fn jb_07_repeated_attempts_tighten_and_cool_down() {
    let extraction = Extraction::new(ExtractionConfig::default());
    let mut told = 0;
    let mut factors = Vec::new();
    for attempt in 0..10 {
        factors.push(extraction.threshold_factor("k", attempt * 1_000));
        told += extraction.refused("k", attempt * 1_000).len();
    }
    assert!(factors.is_sorted_by(|a, b| a >= b), "{factors:?}");
    assert_eq!(factors.first(), Some(&1.0));
    assert!(factors.last().unwrap() < &0.8);
    assert!((1..=3).contains(&told), "{told}");
    assert!(extraction.factor("k", 10_000) < 0.5);
    assert_eq!(extraction.factor("k", 10_000 + 6 * 3_600_000), 1.0);
}
