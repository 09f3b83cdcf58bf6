//! Every built-in suite against the standard layers, without a network: what passes, and how fast.
//!
//! `cargo run --release -p bartizan-redteam --example layers [CHAINS...]`
#![allow(clippy::print_stdout, clippy::disallowed_methods, clippy::unwrap_used)]

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use bartizan_guard::{
    Guard, Judge, Settings,
    shape::{Shape, ShapeLimits},
};
use bartizan_policy::Date;
use bartizan_redteam::{
    Chain, Layers, Outcome, Scorer, builtin,
    run::{Plan, run},
};
use bartizan_text::rules::RuleSet;

fn main() {
    let guard = Guard::standard(&Settings::default(), RuleSet::builtin()).unwrap();
    let shape = Shape::new(ShapeLimits::default());
    let judge = Judge::new(Arc::new(guard), Arc::default(), Some(shape));
    let suites = builtin().unwrap();
    let mut chains: Vec<Chain> = std::env::args()
        .skip(1)
        .map(|names| names.parse().unwrap())
        .collect();
    if chains.is_empty() {
        chains = Chain::each();
    }
    let plan = Plan {
        tests: suites.iter().flat_map(|suite| &suite.tests).collect(),
        chains,
        repeat: 1,
        seed: 1,
    };
    let started = Instant::now();
    let clock = move || u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let layers = Layers::new(judge.clone(), Date::MIN, &clock);
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let watch = Instant::now();
    let done = run(
        &plan,
        &layers,
        &Scorer::new(judge.guard()),
        jobs,
        &|_, _| true,
    );
    let seconds = watch.elapsed().as_secs_f64();
    let mut plain: BTreeMap<&str, [u64; 2]> = BTreeMap::new();
    let mut by_chain: BTreeMap<String, [u64; 2]> = BTreeMap::new();
    for record in done.counted() {
        let test = plan.tests[record.trial.test];
        let failed = u64::from(record.outcome == Outcome::Failed);
        let chain = record
            .trial
            .chain
            .map(|chain| plan.chains[chain].to_string());
        if chain.as_ref().is_none_or(|chain| chain == "none") {
            let counts = plain.entry(test.family.id).or_default();
            counts[0] += failed;
            counts[1] += 1;
            if failed > 0 {
                println!("failed: {}", test.id);
            }
        }
        if let Some(chain) = chain {
            let counts = by_chain.entry(chain).or_default();
            counts[0] += failed;
            counts[1] += 1;
        }
    }
    for (name, [failed, all]) in plain {
        println!("{name:32} {failed:5} of {all:5}");
    }
    for (name, [failed, all]) in by_chain {
        println!("{name:32} {failed:5} of {all:5}");
    }
    let count = done.records.len();
    println!(
        "{count} attempts in {seconds:.1} s: {:.0}/s",
        count as f64 / seconds
    );
}
