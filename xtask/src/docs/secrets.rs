//! The formats of secrets.

use std::{collections::BTreeMap, fmt::Write as _};

use bartizan_text::secrets::formats::{self, SecretFormat};

use super::{Known, NOTICE, cell};

/// Anchors shown of each format.
const ANCHORS: usize = 4;

/// The page.
pub(super) fn page(known: &Known) -> String {
    let mut known_formats: BTreeMap<&str, Vec<&SecretFormat>> = BTreeMap::new();
    for format in formats::all().chain(formats::structural()) {
        known_formats
            .entry(&format.rule.id)
            .or_default()
            .push(format);
    }
    let rules: Vec<_> = known.of(|area| area == "secret").collect();
    let mut out = format!(
        "# Formats of secrets\n\n{NOTICE}\n\n\
         Bartizan knows {} kinds of secrets. Most are known by the fixed text that they start with. A \
         **proof** is a\nchecksum or an inner structure: it makes a finding certain when it holds and \
         doubtful when it does not.\nDocumented examples, placeholders, references to a secrets \
         manager, and digests pass.\n\n\
         | rule | entity | what | severity | starts with | proof | confidence |\n\
         | --- | --- | --- | --- | --- | --- | ---: |\n",
        rules.len()
    );
    for rule in rules {
        let formats = known_formats.get(&*rule.id).map_or(&[][..], Vec::as_slice);
        let proof = formats.iter().any(|format| format.proof.is_some());
        let mut confidence: Vec<String> = formats
            .iter()
            .map(|format| format!("{:.2}", format.confidence))
            .collect();
        confidence.sort();
        confidence.dedup();
        let _ = writeln!(
            out,
            "| `{}` | `{}` | {} | {} | {} | {} | {} |",
            rule.id,
            rule.entity.as_deref().unwrap_or_default(),
            cell(&rule.title),
            rule.severity,
            anchors(formats),
            if proof { "yes" } else { "" },
            confidence.join(" / ")
        );
    }
    out
}

fn anchors(formats: &[&SecretFormat]) -> String {
    let mut all: Vec<&str> = Vec::new();
    for anchor in formats.iter().flat_map(|format| format.anchors) {
        if !all.contains(anchor) {
            all.push(anchor);
        }
    }
    let shown: Vec<String> = all
        .iter()
        .take(ANCHORS)
        .map(|anchor| format!("`{}`", cell(anchor).replace('`', "'")))
        .collect();
    match all.len().saturating_sub(ANCHORS) {
        0 => shown.join(", "),
        more => format!("{}, and {more} more", shown.join(", ")),
    }
}
