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

#[cfg(test)]
mod tests {
    use bartizan_text::Patterns;

    use super::*;

    /// Most work that a byte of any text may cause over a byte of mixed text. A count, not a time:
    /// the same on every machine.
    const MOST: f64 = 5.0;

    /// Most of a text that is nothing but the starts of patterns.
    const MOST_OF_STARTS: f64 = 32.0;

    const STARTS: &[&str] = &[
        "`ignore ignore`",
        "`ignore all previous`",
        "`you are now you are`",
        "`system system:`",
        "`<|im_start|>`",
        "`password = `",
        "`api_key: `",
        "`ghp_`",
        "`sk-`",
        "`eyJ.`",
        "`-----BEGIN `",
        "`http://http://`",
        "`://`",
    ];

    /// Literals found, expressions tried, and bytes that these read, weighed by about their
    /// nanoseconds, for each byte of `text`.
    fn work(patterns: &Patterns, text: &str) -> f64 {
        let (literals, _) = patterns.attempts(text);
        let efforts = patterns.efforts(text);
        let tried: usize = efforts.iter().map(|effort| effort.tried).sum();
        let bytes: usize = efforts.iter().map(|effort| effort.bytes).sum();
        (10 * literals + 100 * tried + bytes) as f64 / text.len() as f64
    }

    #[test]
    fn no_text_makes_the_scan_work_much_more() {
        let guard = engines::full().expect("the default settings are valid");
        let patterns = guard.scanner().patterns();
        let base = work(patterns, &corpus::mixed(64 << 10));
        let over: Vec<_> = hostile::texts(8 << 10)
            .filter_map(|(name, text)| {
                let most = match STARTS.contains(&name) {
                    true => MOST_OF_STARTS,
                    false => MOST,
                };
                let ratio = work(patterns, &text) / base;
                (ratio > most).then_some((name, ratio))
            })
            .collect();
        assert!(over.is_empty(), "{over:?}");
    }
}
