//! The kinds of personal data.

use std::{collections::BTreeMap, fmt::Write as _};

use bartizan_text::pii::{Pii, Recogniser};
use miette::IntoDiagnostic as _;

use super::{Known, NOTICE, cell, everything};

/// Entities that are looked for only when asked for.
pub(super) const OFF: [&str; 2] = ["DATE_TIME", "URL"];

/// Context words shown of each entity.
const WORDS: usize = 4;

/// The page.
pub(super) fn page(known: &Known) -> miette::Result<String> {
    let pii = Pii::new(&everything()).into_diagnostic()?;
    let mut recognisers: BTreeMap<&str, Vec<&Recogniser>> = BTreeMap::new();
    for recogniser in pii.recognisers() {
        recognisers
            .entry(&recogniser.rule.id)
            .or_default()
            .push(recogniser);
    }
    let rules: Vec<_> = known.of(|area| area == "pii").collect();
    let mut out = format!(
        "# Entities of personal data\n\n{NOTICE}\n\n\
         Bartizan knows {} entities. Names are Presidio's where Presidio has the entity, and in its \
         style elsewhere.\n`DATE_TIME` and `URL` are looked for only when asked for.\n\n\
         - **plain**: confidence where the shape fits and nothing more can be checked. Below 0.3 only \
         a label right\n  before the value counts. Findings below 0.5 are not reported unless \
         configured.\n\
         - **checked**: confidence where a check digit, a range, or a plan agrees; `–` where there is \
         no such check.\n\
         - **context**: words near the value, in the languages of the country, that raise the \
         confidence to at\n  least 0.85, or 0.95 when checked; the first {WORDS} of each.\n\n\
         Two numbers with a stroke stand for ways of writing that differ, such as with and without \
         separators.\n\n\
         | entity | rule | what | severity | plain | checked | context |\n\
         | --- | --- | --- | --- | ---: | ---: | --- |\n",
        rules.len()
    );
    for rule in rules {
        let kinds = recognisers.get(&*rule.id).map_or(&[][..], Vec::as_slice);
        let _ = writeln!(
            out,
            "| `{}` | `{}` | {} | {} | {} | {} | {} |",
            rule.entity.as_deref().unwrap_or_default(),
            rule.id,
            cell(&rule.title),
            rule.severity,
            range(kinds.iter().map(|kind| kind.plausible)),
            range(
                kinds
                    .iter()
                    .filter(|kind| kind.valid > kind.plausible)
                    .map(|kind| kind.valid)
            ),
            words(kinds)
        );
    }
    Ok(out)
}

/// The different numbers, mildest first.
fn range(numbers: impl Iterator<Item = f32>) -> String {
    let mut shown: Vec<String> = numbers.map(|number| format!("{number:.2}")).collect();
    shown.sort();
    shown.dedup();
    match shown.as_slice() {
        [] => "–".to_owned(),
        shown => shown.join(" / "),
    }
}

fn words(kinds: &[&Recogniser]) -> String {
    let mut all: Vec<&str> = Vec::new();
    for word in kinds.iter().flat_map(|kind| kind.context) {
        if !all.contains(word) {
            all.push(word);
        }
    }
    let shown: Vec<String> = all.iter().take(WORDS).map(|word| cell(word)).collect();
    match all.len().saturating_sub(WORDS) {
        0 => shown.join(", "),
        more => format!("{}, and {more} more", shown.join(", ")),
    }
}
