//! Which patterns cost most, and on what.

use crate::{corpus, engines, table::Table};

/// Patterns listed for each text.
const LISTED: usize = 40;

pub(crate) fn run(only: &str) -> Result<(), miette::Report> {
    let guard = engines::full().map_err(|error| miette::miette!("{error}"))?;
    let texts = [
        ("English", corpus::english(400_000)),
        ("mixed", corpus::mixed(400_000)),
        ("code", corpus::only_code(400_000)),
        ("log", corpus::only_log(400_000)),
        ("personal", corpus::personal(400_000)),
    ];
    for (name, text) in texts.iter().filter(|(name, _)| name.contains(only)) {
        let mut efforts = guard.scanner().patterns().efforts(text);
        efforts.sort_by_key(|effort| std::cmp::Reverse(effort.bytes + 100 * effort.tried));
        let kilobytes = text.len() as f64 / 1000.0;
        let per_kilobyte = |count: usize| format!("{:.2}", count as f64 / kilobytes);
        let sum = |of: fn(&bartizan_text::scan::Effort<'_>) -> usize| {
            per_kilobyte(efforts.iter().map(of).sum())
        };
        let mut table = Table::new(
            &format!("Patterns tried in {name}"),
            &format!(
                "Per KB of text: {} tries, {} matches, {} bytes read.",
                sum(|effort| effort.tried),
                sum(|effort| effort.matched),
                sum(|effort| effort.bytes),
            ),
            &["tried", "matched", "bytes", "pattern"],
        );
        for effort in efforts.iter().take(LISTED) {
            table.row([
                per_kilobyte(effort.tried),
                per_kilobyte(effort.matched),
                per_kilobyte(effort.bytes),
                format!("`{}`", effort.pattern.replace('|', "\\|")),
            ]);
        }
    }
    Ok(())
}
