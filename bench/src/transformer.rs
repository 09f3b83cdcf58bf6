//! Classifiers of one's own, window by window, beside the embedded one on the same text.

use std::{collections::BTreeMap, hint::black_box, path::PathBuf};

use bartizan_classify::Model;
use bartizan_transformer::Transformer;

use crate::{
    clock::{now, percentile, wall_nanos},
    corpus,
    table::Table,
};

/// Tokens of the windows that are measured.
const TOKENS: [usize; 3] = [64, 128, 512];
/// Bytes of English that fill the longest window, whatever the words.
const BYTES: usize = 4_000;

pub(crate) fn run(folders: &[PathBuf], runs: usize) -> Result<(), miette::Report> {
    let mut table = Table::new(
        "Classifiers of one's own",
        &format!(
            "One window of plain English on one thread, median of {runs}, by the wall; and how many times as long as the embedded classifier takes for the same text."
        ),
        &["classifier", "tokens", "ms", "times the embedded one"],
    );
    let embedded = Model::embedded().map_err(|error| miette::miette!("{error}"))?;
    let text = corpus::english(BYTES * 4);
    for folder in folders {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        for tokens in TOKENS {
            let transformer = Transformer::load(folder, &BTreeMap::new(), tokens)
                .map_err(|error| miette::miette!("{error}"))?;
            let (windows, _) = transformer.cut(&text, 1);
            let window = windows.first().and_then(|span| text.get(span.clone()));
            let window = window.unwrap_or_default();
            let slow = median_of(runs, || {
                black_box(transformer.ask(window));
            });
            let fast = median_of(runs.max(101), || {
                black_box(embedded.scores(window));
            });
            table.row([
                name.to_string(),
                tokens.to_string(),
                format!("{:.1}", slow / 1e6),
                format!("{:.0}", slow / fast),
            ]);
        }
    }
    Ok(())
}

/// Nanoseconds.
fn median_of(runs: usize, mut work: impl FnMut()) -> f64 {
    let times = (0..runs).map(|_| {
        let start = now();
        work();
        wall_nanos(start) as f64
    });
    percentile(times.collect(), 50.0)
}
