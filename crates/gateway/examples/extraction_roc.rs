//! Prints how often each detector of extraction flags honest users and attackers, over a range of
//! settings, by seeded simulation: `cargo run -p bartizan-gateway --example extraction_roc [RUNS]`.
#![expect(clippy::print_stdout, reason = "an example that prints a table")]

use bartizan_gateway::extraction::{
    ExtractionConfig, Signal,
    simulation::{Actor, simulate},
};

const QUERIES: usize = 300;

fn main() {
    let runs = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let runs: u64 = runs.unwrap_or(100);
    println!("share of {runs} runs of {QUERIES} queries in which a signal was raised");
    print!("{:<16}", "");
    for signal in Signal::ALL {
        print!("{:>12}", signal.as_str());
    }
    println!("{:>12}{:>12}", "suspicion", "median n");
    let config = ExtractionConfig::default();
    for actor in Actor::HONEST.into_iter().chain(Actor::ATTACKERS) {
        row(&config, actor, runs);
    }
    println!();
    println!(
        "similarity: true and false positive rate by threshold (perturbation and sweep; honest)"
    );
    for similarity in [0.7, 0.8, 0.9, 0.95] {
        let config = ExtractionConfig {
            similarity,
            ..ExtractionConfig::default()
        };
        curve(
            similarity,
            &config,
            Signal::Similarity,
            &[Actor::Perturbation, Actor::PromptSweep],
            runs,
        );
    }
    println!("uncertainty: by the share of unsure answers that honest users get");
    for unsure_share in [0.1, 0.2, 0.3] {
        let config = ExtractionConfig {
            unsure_share,
            ..ExtractionConfig::default()
        };
        curve(
            unsure_share,
            &config,
            Signal::Uncertainty,
            &[Actor::ActiveLearning],
            runs,
        );
    }
}

fn row(config: &ExtractionConfig, actor: Actor, count: u64) {
    let runs: Vec<_> = (0..count)
        .map(|seed| simulate(config, actor, QUERIES, seed))
        .collect();
    print!("{:<16}", format!("{actor:?}"));
    for signal in Signal::ALL {
        let seen = runs.iter().filter(|run| run.first_of(signal).is_some());
        print!("{:>12.2}", seen.count() as f64 / count as f64);
    }
    let mean: f64 = runs.iter().map(|run| run.most).sum::<f64>() / count as f64;
    let mut first: Vec<usize> = runs
        .iter()
        .filter_map(|run| run.first.iter().map(|(_, at)| *at).min())
        .collect();
    first.sort_unstable();
    let median = first.get(first.len() / 2);
    let median = median.map_or_else(|| "-".to_owned(), ToString::to_string);
    println!("{mean:>12.2}{median:>12}");
}

fn curve(setting: f64, config: &ExtractionConfig, signal: Signal, attackers: &[Actor], count: u64) {
    let rate = |actors: &[Actor]| {
        let runs = actors
            .iter()
            .flat_map(|actor| (0..count).map(|seed| simulate(config, *actor, QUERIES, seed)));
        let seen: Vec<bool> = runs.map(|run| run.first_of(signal).is_some()).collect();
        seen.iter().filter(|seen| **seen).count() as f64 / seen.len().max(1) as f64
    };
    println!(
        "  {setting:<6} true {:.3}  false {:.3}",
        rate(attackers),
        rate(&Actor::HONEST)
    );
}
