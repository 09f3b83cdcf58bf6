//! The classifier alone, and what it adds to the guard.

use std::hint::black_box;

use bartizan_classify::Model;
use bartizan_guard::{Guard, Settings};
use bartizan_text::rules::RuleSet;

use crate::{
    clock::{median, now, percentile, wall_nanos},
    corpus, engines,
    table::{Table, verdict},
};

/// Goals for a prompt of 1 KB in plain English, in microseconds.
const P50: f64 = 40.0;
const P99: f64 = 120.0;
/// Goal for the first use: the digest of the weights and the table of words, in milliseconds.
const LOAD: f64 = 20.0;
const VISITS: usize = 5;

pub(crate) fn run(prompts: usize) -> Result<(), miette::Report> {
    let mut table = Table::new(
        "Classifier",
        &format!(
            "One prompt of 1 KB in plain English. Each of {prompts} different prompts is visited {VISITS} times, in rounds; its time by the wall is the median of its visits."
        ),
        &["what", "p50 µs", "p99 µs", "goal p50 / p99", "met"],
    );
    let start = now();
    let model = Model::embedded().map_err(|error| miette::miette!("{error}"))?;
    let load = wall_nanos(start) as f64 / 1e6;
    let settings = Settings {
        disable: vec!["classifier".to_owned()],
        ..Settings::default()
    };
    let without = Guard::standard(&settings, RuleSet::builtin())
        .map_err(|error| miette::miette!("{error}"))?;
    let with = engines::full().map_err(|error| miette::miette!("{error}"))?;
    let text = corpus::english(prompts * 1000);
    let pieces: Vec<&str> = engines::pieces(&text, 1000).collect();
    let goal = Some((P50, P99));
    row(
        &mut table,
        "the classifier alone",
        goal,
        &pieces,
        &|piece| {
            black_box(model.scores(piece));
        },
    );
    row(
        &mut table,
        "the guard without it",
        None,
        &pieces,
        &|piece| {
            black_box(engines::inspect(&without, piece));
        },
    );
    row(&mut table, "the guard with it", None, &pieces, &|piece| {
        black_box(engines::inspect(&with, piece));
    });
    table.row([
        "first use, ms".to_owned(),
        format!("{load:.1}"),
        String::new(),
        format!("{LOAD:.0}"),
        verdict(load <= LOAD).to_owned(),
    ]);
    Ok(())
}

fn row(
    table: &mut Table,
    name: &str,
    goal: Option<(f64, f64)>,
    pieces: &[&str],
    work: &dyn Fn(&str),
) {
    let mut visits: Vec<Vec<f64>> = vec![Vec::with_capacity(VISITS); pieces.len()];
    for _ in 0..VISITS {
        for (piece, times) in pieces.iter().zip(&mut visits) {
            let start = now();
            work(piece);
            times.push(wall_nanos(start) as f64 / 1000.0);
        }
    }
    let times: Vec<f64> = visits.into_iter().map(median).collect();
    let (p50, p99) = (percentile(times.clone(), 50.0), percentile(times, 99.0));
    table.row([
        name.to_owned(),
        format!("{p50:.1}"),
        format!("{p99:.1}"),
        goal.map_or_else(String::new, |(a, b)| format!("{a:.0} / {b:.0}")),
        goal.map_or("", |(a, b)| verdict(p50 <= a && p99 <= b))
            .to_owned(),
    ]);
}
