//! Which rules speak to which entry of outside catalogues.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{Known, NOTICE, area};
use crate::links::slug;

/// OWASP Top 10 for LLM Applications 2025, <https://genai.owasp.org/llm-top-10/>.
const OWASP: [(&str, &str); 10] = [
    ("LLM01:2025", "Prompt Injection"),
    ("LLM02:2025", "Sensitive Information Disclosure"),
    ("LLM03:2025", "Supply Chain"),
    ("LLM04:2025", "Data and Model Poisoning"),
    ("LLM05:2025", "Improper Output Handling"),
    ("LLM06:2025", "Excessive Agency"),
    ("LLM07:2025", "System Prompt Leakage"),
    ("LLM08:2025", "Vector and Embedding Weaknesses"),
    ("LLM09:2025", "Misinformation"),
    ("LLM10:2025", "Unbounded Consumption"),
];

/// Names of MITRE ATLAS techniques and of weaknesses (CWE).
const NAMES: &[(&str, &str)] = &[
    ("AML.T0029", "Denial of AI Service"),
    ("AML.T0051", "LLM Prompt Injection"),
    ("AML.T0051.000", "LLM Prompt Injection: Direct"),
    ("AML.T0051.001", "LLM Prompt Injection: Indirect"),
    ("AML.T0053", "AI Agent Tool Invocation"),
    ("AML.T0054", "LLM Jailbreak"),
    ("AML.T0056", "Extract LLM System Prompt"),
    ("AML.T0057", "LLM Data Leakage"),
    ("CWE-78", "OS Command Injection"),
    ("CWE-79", "Cross-site Scripting"),
    ("CWE-89", "SQL Injection"),
    ("CWE-94", "Code Injection"),
    ("CWE-359", "Exposure of Private Personal Information"),
    ("CWE-601", "Open Redirect"),
    ("CWE-798", "Use of Hard-coded Credentials"),
    ("CWE-918", "Server-Side Request Forgery"),
    ("CWE-1236", "Formula Elements in a CSV File"),
    ("CWE-1336", "Template Engine Injection"),
];

/// What this version has instead of rules.
const NOTES: [(&str, &str); 4] = [
    (
        "LLM04:2025",
        "no rules yet: data sets and models are not subjects of this version",
    ),
    (
        "LLM06:2025",
        "only what asks for a tool call; what tools may do is not governed yet",
    ),
    (
        "LLM08:2025",
        "no rules yet; retrieved text is judged as any foreign text",
    ),
    (
        "LLM09:2025",
        "no rules yet: claims are not held against evidence",
    ),
];

/// The page.
pub(super) fn page(known: &Known) -> String {
    let mut by_ref: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for rule in known.rules.values() {
        for name in rule.refs.iter() {
            by_ref.entry(name).or_default().push(&rule.id);
        }
    }
    let mut out = format!(
        "# Coverage\n\n{NOTICE}\n\n\
         Which rules speak to which entry of a catalogue. A rule in a cell says that Bartizan looks \
         for\nsome of what the entry is about, not that it stops all of it: \
         [the threat model](../concepts/limits.md) tells\nwhat passes.\n\n\
         ## OWASP Top 10 for LLM Applications 2025\n"
    );
    for (name, title) in OWASP {
        let _ = write!(out, "\n### {name}\n\n{title}: ");
        let ids = by_ref.get(name).map_or(&[][..], Vec::as_slice);
        let note = NOTES.iter().find(|(noted, _)| *noted == name);
        let mut said = listed(ids);
        if let Some((_, note)) = note {
            said = if said.is_empty() {
                (*note).to_owned()
            } else {
                format!("{said}\n\nMind: {note}")
            };
        }
        if said.is_empty() {
            said = "no rules yet".to_owned();
        }
        let _ = writeln!(out, "{said}.");
    }
    for (title, prefix) in [
        ("MITRE ATLAS", "AML."),
        ("Common Weakness Enumeration", "CWE-"),
    ] {
        let _ = writeln!(out, "\n## {title}");
        for (name, ids) in by_ref.iter().filter(|(name, _)| name.starts_with(prefix)) {
            let address = address(name).unwrap_or_default();
            let title = NAMES
                .iter()
                .find(|(known, _)| known == name)
                .map_or(*name, |(_, title)| title);
            let _ = write!(
                out,
                "\n### {name}\n\n[{title}]({address}): {}.\n",
                listed(ids)
            );
        }
    }
    out
}

/// Rules by name; those of large areas by number.
fn listed(ids: &[&str]) -> String {
    let large = [
        (
            "multilingual",
            "rules.md#multilingual-the-core-attacks-in-other-languages",
        ),
        ("pii", "entities.md"),
        ("secret", "secrets.md"),
    ];
    let mut said: Vec<String> = ids
        .iter()
        .filter(|id| large.iter().all(|(name, _)| area(id) != *name))
        .map(|id| format!("[`{id}`](rules.md#{})", slug(id)))
        .collect();
    for (name, page) in large {
        let count = ids.iter().filter(|id| area(id) == name).count();
        if count > 0 {
            said.push(format!("[{count} rules of `{name}`]({page})"));
        }
    }
    said.join(", ")
}

/// A reference of a rule as a link to where this page or the catalogue speaks of it.
pub(super) fn link(name: &str) -> String {
    if address(name).is_some() || OWASP.iter().any(|(known, _)| *known == name) {
        format!("[{name}](coverage.md#{})", slug(name))
    } else {
        name.to_owned()
    }
}

/// Where the catalogue speaks of `name`.
fn address(name: &str) -> Option<String> {
    if let Some(number) = name.strip_prefix("CWE-") {
        return Some(format!(
            "https://cwe.mitre.org/data/definitions/{number}.html"
        ));
    }
    name.starts_with("AML.")
        .then(|| format!("https://atlas.mitre.org/techniques/{name}"))
}
