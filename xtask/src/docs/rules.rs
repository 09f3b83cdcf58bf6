//! What each rule finds, why it matters, and what to do.

use std::{collections::BTreeMap, fmt::Write as _};

use bartizan_core::RuleRef;

use super::{Known, NOTICE, area, coverage};
use crate::links::slug;

/// Areas with pages of their own, since their rules differ in their formats only.
const ELSEWHERE: [(&str, &str, &str); 2] = [
    ("pii", "Personal data", "entities.md"),
    ("secret", "Keys, tokens, and passwords", "secrets.md"),
];

/// What the areas are about.
const TITLES: &[(&str, &str)] = &[
    ("archive", "traps in archives"),
    ("artifact", "files that are not what they say"),
    ("amplification", "work without end"),
    (
        "dependency",
        "packages with known weaknesses, and packages asked for carelessly",
    ),
    ("encoding", "orders that hide in a code"),
    ("exfiltration", "ways to carry data out"),
    ("extraction", "attempts to read the instructions"),
    ("indirect", "orders in documents and tool results"),
    ("jailbreak", "attempts to switch the safety policy off"),
    ("grounding", "answers that their evidence does not support"),
    ("leak", "what was given in confidence"),
    ("multilingual", "the core attacks in other languages"),
    ("obfuscation", "text that hides what it says"),
    ("output", "hazards for the place where an output goes"),
    ("pickle", "what loading a pickle would do"),
    ("prompt", "attempts to override the instructions"),
    ("rag", "retrieved documents and chunks"),
    ("session", "risk over turns"),
    ("agent", "what may flow where in an agent"),
    ("mcp", "servers of the Model Context Protocol"),
    ("shape", "sizes, kinds, and repetition"),
    ("torch", "code in PyTorch's archives"),
    ("signature", "who answers for a model"),
    ("tool", "attempts to call or misuse a tool"),
    ("image", "recipes of images"),
    ("compose", "compositions of containers"),
    ("kubernetes", "manifests of Kubernetes"),
    ("terraform", "infrastructure in Terraform"),
    ("pipeline", "pipelines of GitHub and GitLab"),
    ("runtime", "what starts the servers of models"),
];

/// The page.
pub(super) fn page(known: &Known) -> String {
    let mut areas: BTreeMap<&str, Vec<&RuleRef>> = BTreeMap::new();
    for rule in known.rules.values() {
        areas.entry(area(&rule.id)).or_default().push(rule);
    }
    let mut out = format!(
        "# Rules\n\n{NOTICE}\n\n\
         Every finding names a rule. `bartizan explain RULE` prints the same page.\n\
         Bartizan has {} rules:\n\n| area | rules | about |\n| --- | ---: | --- |\n",
        known.rules.len()
    );
    for (area, rules) in &areas {
        let (link, about) = match ELSEWHERE.iter().find(|(name, ..)| name == area) {
            Some((_, title, page)) => (format!("[`{area}`]({page})"), title.to_lowercase()),
            None => (
                format!("[`{area}`](#{})", slug(&heading(area))),
                about(area).to_owned(),
            ),
        };
        let _ = writeln!(out, "| {link} | {} | {about} |", rules.len());
    }
    for (area, rules) in areas {
        if ELSEWHERE.iter().any(|(name, ..)| *name == area) {
            continue;
        }
        let _ = write!(out, "\n## {}\n", heading(area));
        for rule in rules {
            out.push_str(&section(known, rule));
        }
    }
    out
}

fn about(area: &str) -> &'static str {
    TITLES
        .iter()
        .find(|(name, _)| *name == area)
        .map_or("", |(_, title)| title)
}

fn heading(area: &str) -> String {
    match about(area) {
        "" => format!("`{area}`"),
        about => format!("`{area}`: {about}"),
    }
}

fn section(known: &Known, rule: &RuleRef) -> String {
    let mut facts = vec![
        format!("severity {}", rule.severity),
        format!("category {}", rule.category),
    ];
    if let Some((family, languages)) = known.packs.get(&*rule.id) {
        facts.extend(family.iter().map(|family| format!("family {family}")));
        if !languages.is_empty() {
            facts.push(format!("languages {}", languages.join(", ")));
        }
    }
    let refs: Vec<String> = rule.refs.iter().map(|name| coverage::link(name)).collect();
    if !refs.is_empty() {
        facts.push(refs.join(", "));
    }
    format!(
        "\n### `{}`\n\nFinds: {}.\n\n{}\n\n**Why it matters.** {}\n\n**What to do.** {}\n",
        rule.id,
        rule.title,
        facts.join(" · "),
        rule.why,
        rule.fix
    )
}
