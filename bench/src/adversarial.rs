//! Text made to be slow.

use std::hint::black_box;

use crate::{
    clock::per_byte,
    corpus, engines, hostile,
    table::{Table, verdict},
};

/// Most that a byte of any text may cost over a byte of mixed text.
const LIMIT: f64 = 5.0;
const PIECE: usize = 256 << 10;

pub(crate) fn run(runs: usize, only: &str) -> Result<(), miette::Report> {
    let guard = engines::full().map_err(|error| miette::miette!("{error}"))?;
    let mut table = Table::new(
        "Hostile text",
        &format!(
            "256 KiB each in one piece, 10 MB where it says so, through the full default guard; processor time per byte, median of {runs}, and its ratio to mixed text."
        ),
        &["text", "bytes", "ns/byte", "ratio", "limit", "met"],
    );
    let mixed = corpus::mixed(PIECE);
    let base = per_byte(runs.max(3), mixed.len(), || {
        black_box(engines::inspect(&guard, &mixed));
    });
    let mut worst = 0.0f64;
    let mut row = |name: &str, text: &str| {
        let nanos = per_byte(runs, text.len(), || {
            black_box(engines::inspect(&guard, text));
        });
        worst = worst.max(nanos / base);
        table.row([
            name.to_owned(),
            text.len().to_string(),
            format!("{nanos:.2}"),
            format!("{:.2}", nanos / base),
            format!("{LIMIT:.0}"),
            verdict(nanos / base <= LIMIT).to_owned(),
        ]);
    };
    row("mixed text", &mixed);
    for (name, text) in hostile::texts(PIECE).filter(|(name, _)| name.contains(only)) {
        row(name, &text);
    }
    row(
        "10 MB of zero-width characters",
        &"\u{200b}".repeat(10_000_000 / 3),
    );
    table.note(&format!("Worst ratio: {worst:.2}."));
    Ok(())
}
