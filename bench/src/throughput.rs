//! Megabytes a second on mixed text.

use std::{hint::black_box, path::Path};

use crate::{
    clock::{megabytes_per_second, per_byte},
    corpus,
    engines::{self, Sensitive},
    forty,
    table::{Table, verdict},
};

/// Goal of the sensitive set, in megabytes a second.
const SENSITIVE: f64 = 350.0;
/// Goal of the full set, in megabytes a second.
const FULL: f64 = 200.0;
/// Goal of the full set, as a multiple of Presidio's analyzer with patterns only.
const OVER_PRESIDIO: f64 = 1000.0;

const SIZES: [(&str, usize); 3] = [("1 KiB", 1 << 10), ("64 KiB", 64 << 10), ("1 MiB", 1 << 20)];

pub(crate) fn run(
    megabytes: usize,
    runs: usize,
    presidio: Option<&Path>,
) -> Result<(), miette::Report> {
    let text = corpus::mixed(megabytes * 1_000_000);
    let peer = forty::combined(false).map_err(|error| miette::miette!("{error}"))?;
    let sensitive = Sensitive::new().map_err(|error| miette::miette!("{error}"))?;
    let full = engines::full().map_err(|error| miette::miette!("{error}"))?;
    let mut table = Table::new(
        "Throughput",
        &format!(
            "{megabytes} MB of mixed text (prose, mail, chat, code, logs, JSON, ten languages), read in pieces; processor time of one thread, median of {runs}."
        ),
        &[
            "engine",
            "piece",
            "findings",
            "ns/byte",
            "MB/s",
            "against the peer",
            "goal MB/s",
            "met",
        ],
    );
    let mut best_full = 0.0f64;
    for (name, size) in SIZES {
        let mut hits = 0;
        let mut cost = |work: &dyn Fn(&str) -> usize| {
            let nanos = per_byte(runs, text.len(), || {
                hits = engines::pieces(&text, size)
                    .map(|piece| black_box(work(piece)))
                    .sum();
            });
            (nanos, hits)
        };
        let (base, base_hits) = cost(&|piece| peer.find_iter(piece).count());
        let ours = cost(&|piece| sensitive.findings(piece));
        let decoded = cost(&|piece| sensitive.findings_decoded(piece));
        let all = cost(&|piece| engines::inspect(&full, piece));
        best_full = best_full.max(megabytes_per_second(all.0));
        let rows = [
            ("peer: 40 patterns in one `regex`", (base, base_hits), None),
            ("personal data and secrets", ours, Some(SENSITIVE)),
            ("the same, encodings followed", decoded, None),
            ("full default guard", all, Some(FULL)),
        ];
        for (engine, (nanos, hits), goal) in rows {
            let speed = megabytes_per_second(nanos);
            table.row([
                engine.to_owned(),
                name.to_owned(),
                hits.to_string(),
                format!("{nanos:.2}"),
                format!("{speed:.0}"),
                format!("{:.2} x", base / nanos),
                goal.map_or_else(String::new, |goal| format!("{goal:.0}")),
                goal.map_or("", |goal| verdict(speed >= goal)).to_owned(),
            ]);
        }
    }
    match presidio.map(read_presidio) {
        Some(Ok(speed)) => table.note(&format!(
            "Presidio's analyzer, patterns only, on a sample of the same text: {speed:.3} MB/s. The full guard at its best piece size is {:.0} x that (goal {OVER_PRESIDIO:.0} x: {}).",
            best_full / speed,
            verdict(best_full / speed >= OVER_PRESIDIO),
        )),
        Some(Err(reason)) => table.note(&format!("Presidio was not measured: {reason}.")),
        None => table.note("Presidio was not measured: no `--presidio` result was given (`bench/run` makes one)."),
    }
    Ok(())
}

/// Megabytes a second from the JSON that `bench/presidio.py` wrote.
fn read_presidio(path: &Path) -> Result<f64, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if let Some(reason) = value.get("skipped").and_then(|reason| reason.as_str()) {
        return Err(reason.to_owned());
    }
    value
        .get("mb_per_s")
        .and_then(serde_json::Value::as_f64)
        .filter(|speed| *speed > 0.0)
        .ok_or_else(|| "the file holds no `mb_per_s`".to_owned())
}
