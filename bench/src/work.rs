//! One engine over one text, and nothing else, so that a profile shows that alone.

use std::hint::black_box;

use clap::ValueEnum;

use crate::{
    clock::per_byte,
    corpus,
    engines::{self, Sensitive},
    hostile,
    table::Table,
};

/// What does the work.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Engine {
    /// The guard with everything that is on by default
    Full,
    /// Personal data and secrets in the text as it stands
    Sensitive,
}

pub(crate) fn run(
    engine: Engine,
    runs: usize,
    bytes: usize,
    piece: usize,
    only: &str,
) -> Result<(), miette::Report> {
    let guard = engines::full().map_err(|error| miette::miette!("{error}"))?;
    let sensitive = Sensitive::new().map_err(|error| miette::miette!("{error}"))?;
    let mut table = Table::new(
        "Work",
        &format!("{engine:?}; pieces of {piece} bytes; processor time, median of {runs}."),
        &["text", "ns/byte", "MB/s"],
    );
    for (name, text) in texts(bytes, only) {
        let nanos = per_byte(runs, text.len(), || {
            for piece in engines::pieces(&text, piece) {
                black_box(match engine {
                    Engine::Full => engines::inspect(&guard, piece),
                    Engine::Sensitive => sensitive.findings(piece),
                });
            }
        });
        table.row([
            name.to_owned(),
            format!("{nanos:.2}"),
            format!("{:.0}", 1000.0 / nanos),
        ]);
    }
    Ok(())
}

/// A name with a text.
type Named = (&'static str, fn(usize) -> String);

/// The texts whose names hold `only`, of about `bytes` each.
fn texts(bytes: usize, only: &str) -> Vec<(&'static str, String)> {
    const ORDINARY: [Named; 9] = [
        ("English", corpus::english),
        ("mixed", corpus::mixed),
        ("code", corpus::only_code),
        ("log", corpus::only_log),
        ("personal", corpus::personal),
        ("German", |bytes| corpus::language(0, bytes)),
        ("Russian", |bytes| corpus::language(5, bytes)),
        ("Chinese", |bytes| corpus::language(6, bytes)),
        ("Arabic", |bytes| corpus::language(8, bytes)),
    ];
    let ordinary = ORDINARY
        .iter()
        .filter(|(name, _)| name.contains(only))
        .map(|(name, text)| (*name, text(bytes)));
    let hostile = hostile::texts(bytes).filter(|(name, _)| !only.is_empty() && name.contains(only));
    ordinary.chain(hostile).collect()
}
