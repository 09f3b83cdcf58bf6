//! Every built-in suite against the standard layers, without a network: what passes, and how fast.
//!
//! `cargo run --release -p bartizan-redteam --example layers -- [QUERIES] [TOLL] [CHAINS...]`
//!
//! Writes the report as Markdown; `QUERIES` (0 for none) is the budget of an attacker with feedback
//! for each of 60 goals, who adapts to all layers, to each alone, and to all but one, and may ask
//! `TOLL` points of its reader.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::indexing_slicing
)]

use std::{sync::Arc, time::Instant};

use bartizan_guard::{
    Guard, Judge, Settings,
    shape::{Shape, ShapeLimits},
};
use bartizan_policy::Date;
use bartizan_redteam::{
    Chain, LayerSet, Layers, Scorer, Test,
    adaptive::{Means, hunt},
    builtin,
    report::{self, Adaptive, Setting},
    run::{Plan, run},
};
use bartizan_text::rules::RuleSet;

fn main() {
    let guard = Guard::standard(&Settings::default(), RuleSet::builtin()).unwrap();
    let shape = Shape::new(ShapeLimits::default());
    let judge = Judge::new(Arc::new(guard), Arc::default(), Some(shape));
    let suites = builtin().unwrap();
    let mut arguments = std::env::args().skip(1);
    let queries: u32 = arguments
        .next()
        .map_or(0, |queries| queries.parse().unwrap());
    let max_toll: u32 = arguments.next().map_or(3, |toll| toll.parse().unwrap());
    let mut chains: Vec<Chain> = arguments.map(|names| names.parse().unwrap()).collect();
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
    // What is built when the first text comes is no cost of a layer.
    judge.warm(Date::MIN);
    let layers = Layers::new(judge.clone(), Date::MIN, &clock);
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let scorer = Scorer::new(judge.guard());
    let watch = Instant::now();
    let done = run(&plan, &layers, &scorer, jobs, &|_, _| true);
    let seconds = watch.elapsed().as_secs_f64();
    let mut report = report::summarise(
        &plan,
        &done,
        &Setting {
            target: "the standard layers",
            rules_version: None,
            suites: &suites,
            seconds,
        },
    );
    let mut searches = Vec::new();
    if queries > 0 {
        let goals: Vec<&Test> = plan
            .tests
            .iter()
            .copied()
            .filter(|test| test.is_mutable())
            .collect();
        let goals: Vec<&Test> = goals
            .iter()
            .copied()
            .step_by(goals.len().div_ceil(60))
            .collect();
        let mut against = vec![None];
        for layer in done.asked.iter() {
            let alone = LayerSet::of(layer);
            against.extend([Some(alone), Some(done.asked.without(alone))]);
        }
        let means = Means {
            queries,
            max_toll,
            seed: 1,
            ..Means::default()
        };
        for against in against {
            let hunts = hunt(&goals, &layers, &scorer, against, means, jobs);
            searches.push(Adaptive {
                against,
                means,
                hunts,
            });
        }
    }
    let stack = report::stack(&plan, &done);
    report.layers = Some(report::layer_table(&plan, &done, &stack, &searches, 0.05));
    report.adaptive = searches.iter().map(Into::into).collect();
    println!("{}", report::markdown(&report));
    for row in &report.adaptive {
        println!("{}: {:?}", row.against, row.chains);
    }
    let count = done.records.len();
    let rate = count as f64 / seconds;
    println!("{count} attempts in {seconds:.1} s on {jobs} threads: {rate:.0}/s");
}
