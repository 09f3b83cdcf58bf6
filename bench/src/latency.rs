//! Time of one prompt.

use std::hint::black_box;

use crate::{
    clock::{median, now, per_byte, percentile, wall_nanos},
    corpus, engines,
    table::{Table, verdict},
};

/// Goals for a prompt of 1 KB in plain English, in microseconds.
const P50: f64 = 12.0;
const P99: f64 = 50.0;
const VISITS: usize = 5;

pub(crate) fn run(prompts: usize, runs: usize) -> Result<(), miette::Report> {
    let guard = engines::full().map_err(|error| miette::miette!("{error}"))?;
    let mut table = Table::new(
        "Latency",
        &format!(
            "One prompt through the full default guard (layers 1 to 4). Each of {prompts} different prompts is visited {VISITS} times, in rounds; its time by the wall is the median of its visits, which other work on the machine rarely cuts into. CPU: processor time of all of them by their number, median of {runs}."
        ),
        &[
            "prompt",
            "p50 µs",
            "p90 µs",
            "p99 µs",
            "CPU mean µs",
            "goal p50 / p99",
            "met",
        ],
    );
    let cases = [
        (
            "1 KB of plain English",
            corpus::english(prompts * 1000),
            1000,
            Some((P50, P99)),
        ),
        (
            "400 bytes of plain English",
            corpus::english(prompts * 400),
            400,
            None,
        ),
        (
            "8 KB of plain English",
            corpus::english(prompts * 1000),
            8000,
            None,
        ),
        (
            "1 KB with personal data",
            corpus::personal(prompts * 1000),
            1000,
            None,
        ),
        (
            "1 KB of mixed text",
            corpus::mixed(prompts * 1000),
            1000,
            None,
        ),
    ];
    for (name, text, size, goal) in &cases {
        let pieces: Vec<&str> = engines::pieces(text, *size).collect();
        let mut visits: Vec<Vec<f64>> = vec![Vec::with_capacity(VISITS); pieces.len()];
        for _ in 0..VISITS {
            for (piece, times) in pieces.iter().zip(&mut visits) {
                let start = now();
                black_box(engines::inspect(&guard, piece));
                times.push(wall_nanos(start) as f64 / 1000.0);
            }
        }
        let times: Vec<f64> = visits.into_iter().map(median).collect();
        let mean = per_byte(runs, pieces.len(), || {
            for piece in &pieces {
                black_box(engines::inspect(&guard, piece));
            }
        }) / 1000.0;
        let (p50, p99) = (
            percentile(times.clone(), 50.0),
            percentile(times.clone(), 99.0),
        );
        table.row([
            (*name).to_owned(),
            format!("{p50:.1}"),
            format!("{:.1}", percentile(times, 90.0)),
            format!("{p99:.1}"),
            format!("{mean:.1}"),
            goal.map_or_else(String::new, |(a, b)| format!("{a:.0} / {b:.0}")),
            goal.map_or("", |(a, b)| verdict(p50 <= a && p99 <= b))
                .to_owned(),
        ]);
    }
    Ok(())
}
