//! What text that is not ASCII costs over text that is.

use std::hint::black_box;

use crate::{
    clock::per_byte,
    corpus, engines, forty,
    table::{Table, verdict},
};

/// Most that another script may cost, per byte, over plain ASCII.
const LIMIT: f64 = 1.5;
const PIECE: usize = 64 << 10;

pub(crate) fn run(runs: usize) -> Result<(), miette::Report> {
    let guard = engines::full().map_err(|error| miette::miette!("{error}"))?;
    let bytes = forty::combined(false).map_err(|error| miette::miette!("{error}"))?;
    let unicode = forty::combined(true).map_err(|error| miette::miette!("{error}"))?;
    let mut table = Table::new(
        "Other scripts",
        &format!(
            "4 MB each in pieces of 64 KiB; processor time per byte, median of {runs}, and its ratio to plain English in the same column."
        ),
        &[
            "text",
            "full guard ns/byte",
            "ratio",
            "limit",
            "met",
            "peer in byte mode",
            "peer in Unicode mode",
        ],
    );
    let mut base = None;
    for (name, text) in cases(4_000_000) {
        let cost = |work: &dyn Fn(&str) -> usize| {
            per_byte(runs, text.len(), || {
                for piece in engines::pieces(&text, PIECE) {
                    black_box(work(piece));
                }
            })
        };
        let ours = cost(&|piece| engines::inspect(&guard, piece));
        let plain = cost(&|piece| bytes.find_iter(piece).count());
        let cliff = cost(&|piece| unicode.find_iter(piece).count());
        let (a, b, c) = *base.get_or_insert((ours, plain, cliff));
        table.row([
            name.to_owned(),
            format!("{ours:.2}"),
            format!("{:.2}", ours / a),
            format!("{LIMIT:.1}"),
            verdict(ours / a <= LIMIT).to_owned(),
            format!("{:.2}", plain / b),
            format!("{:.2}", cliff / c),
        ]);
    }
    Ok(())
}

fn cases(bytes: usize) -> [(&'static str, String); 6] {
    [
        ("plain English", corpus::english(bytes)),
        (
            "a Cyrillic letter in every eighth word",
            corpus::every_eighth_word_cyrillic(bytes),
        ),
        ("German", corpus::language(0, bytes)),
        ("Russian", corpus::language(5, bytes)),
        ("Chinese", corpus::language(6, bytes)),
        ("Arabic", corpus::language(8, bytes)),
    ]
}
