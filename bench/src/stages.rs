//! Where the time goes.

use std::{collections::BTreeMap, hint::black_box};

use bartizan_core::Origin;
use bartizan_guard::Subject;
use bartizan_text::views::{self, ViewLimits};

use crate::{
    clock::{now, per_byte, wall_nanos},
    corpus, engines,
    table::Table,
};

pub(crate) fn run(
    runs: usize,
    bytes: usize,
    size: usize,
    only: &str,
) -> Result<(), miette::Report> {
    let guard = engines::full().map_err(|error| miette::miette!("{error}"))?;
    let texts = [
        ("English", corpus::english(bytes)),
        ("mixed", corpus::mixed(bytes)),
        ("code", corpus::only_code(bytes)),
        ("log", corpus::only_log(bytes)),
        ("Russian", corpus::language(5, bytes)),
    ];
    let mut table = Table::new(
        "Stages",
        &format!(
            "Nanoseconds per byte in pieces of {size} bytes. Fold, derive, scan and whole: processor time, median of {runs}; checks: by the wall."
        ),
        &[
            "text",
            "fold",
            "derive",
            "scan main",
            "anchors / tried per KB",
            "whole",
            "of which checks",
        ],
    );
    for (name, text) in texts.iter().filter(|(name, _)| name.contains(only)) {
        let cost = |work: &dyn Fn(&str)| {
            per_byte(runs, text.len(), || {
                engines::pieces(text, size).for_each(work)
            })
        };
        let fold = cost(&|piece| {
            black_box(views::main_view(piece.as_bytes()));
        });
        let limits = ViewLimits::default();
        let both = cost(&|piece| {
            let main = views::main_view(piece.as_bytes());
            black_box(views::derive(piece.as_bytes(), &main, &limits));
        });
        let scan = cost(&|piece| {
            black_box(guard.scanner().patterns().scan(piece));
        });
        let (anchors, tried) = guard.scanner().patterns().attempts(text);
        let whole = cost(&|piece| {
            black_box(engines::inspect(&guard, piece));
        });
        let start = now();
        let clock = || wall_nanos(start);
        let mut steps: BTreeMap<&str, u64> = BTreeMap::new();
        for piece in engines::pieces(text, size) {
            let subject = Subject::input(piece.as_bytes(), Origin::User);
            for step in guard.inspect(&subject, &clock).trace {
                *steps.entry(step.check).or_default() += step.nanos;
            }
        }
        let steps: Vec<String> = steps
            .iter()
            .map(|(check, nanos)| format!("{check} {:.2}", *nanos as f64 / text.len() as f64))
            .collect();
        table.row([
            (*name).to_owned(),
            format!("{fold:.2}"),
            format!("{:.2}", both - fold),
            format!("{scan:.2}"),
            format!(
                "{} / {}",
                anchors * 1000 / text.len(),
                tried * 1000 / text.len()
            ),
            format!("{whole:.2}"),
            steps.join(", "),
        ]);
    }
    Ok(())
}
