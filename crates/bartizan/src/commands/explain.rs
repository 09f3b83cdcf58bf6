//! `bartizan explain`: the page of a rule.

use std::{collections::BTreeMap, fmt::Write};

use bartizan_core::{Confidence, Direction, Finding, Layer, Origin, Report, Rule, RuleRef};
use bartizan_gateway::judge::ServiceKind;
use bartizan_policy::{DecisionContext, Policy, Thresholds};
use bartizan_posture::config::{self, ConfigFiles};
use bartizan_supply::Inspector;
use bartizan_text::rules::{RawRule, RuleFile};

use super::story;
use crate::{
    cli::Explain,
    clock,
    engine::{Engine, read_config},
    exit::Exit,
    output,
    packs::PackFiles,
    problem::{Problem, Problems, nearest},
    render::{
        human::{severity_style, wrapped},
        safe,
    },
};

/// Examples that a page shows.
const EXAMPLES: usize = 3;

/// Shows one page, or the list of all of them.
pub(crate) fn run(arguments: &Explain) -> Result<Exit, Problems> {
    let config = read_config(&arguments.setup)?;
    if let Some(request) = arguments.rule.as_deref().and_then(|id| id.parse().ok()) {
        return story::show(request, arguments.data.as_deref(), &config);
    }
    let mut folders = config.file.packs.clone();
    folders.extend(arguments.setup.packs.iter().cloned());
    let engine = Engine::deciding(&arguments.setup, config)?;
    let rules = engine.all_rules();
    let Some(id) = &arguments.rule else {
        output::stdout(&list(&rules))?;
        return Ok(Exit::Clean);
    };
    let Some(rule) = rules.iter().find(|rule| rule.id == *id) else {
        return Err(unknown(id, &rules).into());
    };
    let written = if folders.is_empty() {
        None
    } else {
        written_rule(&PackFiles::read(&folders)?, id)
    };
    output::stdout(&page(&engine, rule, written.as_ref(), output::columns()))?;
    Ok(Exit::Clean)
}

fn unknown(id: &str, rules: &[RuleRef]) -> Problem {
    let problem = Problem::new(format!("there is no rule `{}`", safe::line(id)));
    // A near id, or the right name in the wrong area or in none.
    let name = |id: &str| id.split_once('.').map_or(id, |(_, name)| name).to_owned();
    let names: Vec<String> = rules.iter().map(|rule| name(&rule.id)).collect();
    let by_name = || {
        let near = nearest(&name(id), names.iter().map(String::as_str))?.to_owned();
        rules.iter().find(|rule| name(&rule.id) == near)
    };
    let near =
        nearest(id, rules.iter().map(|rule| &*rule.id)).or_else(|| by_name().map(|rule| &*rule.id));
    match near {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help("`bartizan explain` lists all rules"),
    }
}

/// Every rule by area.
fn list(rules: &[RuleRef]) -> String {
    let mut areas: BTreeMap<&str, Vec<&RuleRef>> = BTreeMap::new();
    for rule in rules {
        let area = rule.id.split_once('.').map_or("", |(area, _)| area);
        areas.entry(area).or_default().push(rule);
    }
    let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let mut out = String::new();
    for (area, rules) in &areas {
        let _ = writeln!(out, "{area} ({})", rules.len());
        for rule in rules {
            let style = severity_style(rule.severity);
            let _ = writeln!(
                out,
                "  {:<width$}  {style}{:<8}{style:#}  {}",
                rule.id,
                rule.severity.as_str(),
                rule.title
            );
        }
    }
    let _ = writeln!(
        out,
        "{} rules; `bartizan explain RULE` shows one",
        rules.len()
    );
    out
}

fn page(engine: &Engine, rule: &RuleRef, written: Option<&RawRule>, columns: usize) -> String {
    let style = severity_style(rule.severity);
    let mut out = format!(
        "{style}{}{style:#}[{}]: {}\n\n",
        rule.severity, rule.id, rule.title
    );
    let (layer, check) = owner(engine, rule);
    let mut row = |label: &str, text: &str| {
        let indent = 16;
        let lines = wrapped(text, columns.saturating_sub(indent));
        let _ = write!(out, "{label:<indent$}");
        out.push_str(&lines.join(&format!("\n{:indent$}", "")));
        out.push('\n');
    };
    row("why it matters", &rule.why);
    row("what to do", &rule.fix);
    row("category", rule.category.as_str());
    if let Some(entity) = &rule.entity {
        row("entity", entity);
    }
    row(
        "found by",
        &format!("the check `{check}` of the {layer} layer"),
    );
    for (number, reference) in rule.refs.iter().enumerate() {
        let label = if number == 0 { "references" } else { "" };
        match link(reference) {
            Some(link) => row(label, &format!("{reference} {link}")),
            None => row(label, reference),
        }
    }
    for (number, line) in rows(engine.judge.policy(), rule, layer).iter().enumerate() {
        row(if number == 0 { "policy" } else { "" }, line);
    }
    if let Some(origins) = written.and_then(|written| written.origins.as_ref()) {
        let origins: Vec<&str> = origins
            .value
            .iter()
            .map(|origin| origin.value.as_str())
            .collect();
        row("reads", &format!("text of {}", origins.join(", ")));
    }
    for (number, example) in examples(rule, written).iter().enumerate() {
        row(
            if number == 0 { "examples" } else { "" },
            &safe::line(example),
        );
    }
    out
}

/// Texts that the rule is about: those of its pack, or those of the packs that come with the program.
fn examples(rule: &Rule, written: Option<&RawRule>) -> Vec<String> {
    // Made by `cargo xtask packs`; a test reads it.
    const BUILTIN: &str = include_str!("examples.json");
    match written.and_then(|written| written.examples.as_ref()) {
        Some(examples) => examples
            .value
            .iter()
            .take(EXAMPLES)
            .map(|example| example.value.trim().to_owned())
            .collect(),
        None => {
            let mut configured = config::rules::builtin().iter();
            if let Some(known) = configured.find(|known| known.rule.id == rule.id) {
                return known.bad.iter().take(EXAMPLES).cloned().collect();
            }
            serde_json::from_str::<BTreeMap<&str, Vec<String>>>(BUILTIN)
                .ok()
                .and_then(|mut all| all.remove(&*rule.id))
                .unwrap_or_default()
        }
    }
}

/// The layer and the check that report under a rule.
fn owner(engine: &Engine, rule: &Rule) -> (Layer, &'static str) {
    let area = rule.id.split_once('.').map_or("", |(area, _)| area);
    let of_check = engine
        .judge
        .guard()
        .checks()
        .iter()
        .find(|check| check.rules().iter().any(|other| other.id == rule.id));
    let of_inspector = bartizan_supply::INSPECTORS
        .iter()
        .copied()
        .chain([&ConfigFiles as &dyn Inspector])
        .find(|inspector| inspector.rules().iter().any(|other| other.id == rule.id));
    match (of_check, of_inspector) {
        (Some(check), _) => (check.layer(), check.name()),
        (None, Some(inspector)) => (Layer::Artifact, inspector.name()),
        (None, None)
            if bartizan_transformer::RULES
                .iter()
                .any(|other| other.id == rule.id) =>
        {
            (Layer::Transformer, "transformer")
        }
        (None, None) if area == "session" => (Layer::Session, "session"),
        (None, None) if area == "judge" => (Layer::Judge, "judge"),
        (None, None) if area == "external" => (Layer::External, service_of(&rule.id)),
        (None, None) => (Layer::Shape, "shape"),
    }
}

/// The service outside that a rule belongs to.
fn service_of(id: &str) -> &'static str {
    let service = id.split('.').nth(1).unwrap_or_default();
    let mut names = ServiceKind::ALL.into_iter().map(ServiceKind::as_str);
    names.find(|name| *name == service).unwrap_or("external")
}

/// What the policy does about a rule, by who writes: one line for each row that can decide.
fn rows(policy: &Policy, rule: &RuleRef, layer: Layer) -> Vec<String> {
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    for origin in Origin::ALL {
        let direction = if origin == Origin::Model {
            Direction::Output
        } else {
            Direction::Input
        };
        let finding = Finding {
            rule: rule.clone(),
            layer,
            confidence: Confidence::CERTAIN,
            span: None,
            via: Vec::new(),
            message: "".into(),
        };
        let report = Report {
            findings: vec![finding],
            coverage: Vec::new(),
        };
        let decision = policy.decide(
            &report,
            &DecisionContext::new(direction, origin, clock::today()),
        );
        let row = decision.reasons.first().map_or("", |reason| &reason.row);
        let who = format!("{origin} on {direction}");
        match rows.iter_mut().find(|(known, _)| known == row) {
            Some((_, origins)) => origins.push(who),
            None => rows.push((row.to_owned(), vec![who])),
        }
    }
    rows.into_iter()
        .map(|(name, origins)| {
            let row = policy.rows().iter().find(|row| row.name == name);
            let acts = row.map_or_else(|| "not listed".to_owned(), |row| acts(&row.thresholds));
            format!("{}: {acts} (row `{name}`)", origins.join(", "))
        })
        .collect()
}

fn acts(thresholds: &Thresholds) -> String {
    let steps = [
        ("flag", thresholds.flag),
        ("redact", thresholds.redact),
        ("ask", thresholds.ask),
        ("block", thresholds.block),
    ];
    let said: Vec<String> = steps
        .into_iter()
        .filter_map(|(name, from)| Some(format!("{name} from {:.0} %", from? * 100.0)))
        .collect();
    said.join(", ")
}

/// The rule as its pack writes it.
fn written_rule(packs: &PackFiles, id: &str) -> Option<RawRule> {
    packs
        .files
        .iter()
        .filter_map(|file| serde_saphyr::from_str::<RuleFile>(&file.text).ok())
        .flat_map(|file| file.rules)
        .find(|rule| rule.id.value == id)
}

/// Where a reference can be read.
fn link(reference: &str) -> Option<String> {
    if let Some(number) = reference.strip_prefix("CWE-") {
        return Some(format!(
            "https://cwe.mitre.org/data/definitions/{number}.html"
        ));
    }
    if reference.starts_with("AML.") {
        return Some(format!("https://atlas.mitre.org/techniques/{reference}"));
    }
    let (_, slug) = OWASP.iter().find(|(name, _)| *name == reference)?;
    Some(format!("https://genai.owasp.org/llmrisk/{slug}/"))
}

/// The pages of the OWASP Top 10 for LLM applications, 2025.
const OWASP: [(&str, &str); 10] = [
    ("LLM01:2025", "llm01-prompt-injection"),
    ("LLM02:2025", "llm022025-sensitive-information-disclosure"),
    ("LLM03:2025", "llm032025-supply-chain"),
    ("LLM04:2025", "llm042025-data-and-model-poisoning"),
    ("LLM05:2025", "llm052025-improper-output-handling"),
    ("LLM06:2025", "llm062025-excessive-agency"),
    ("LLM07:2025", "llm072025-system-prompt-leakage"),
    ("LLM08:2025", "llm082025-vector-and-embedding-weaknesses"),
    ("LLM09:2025", "llm092025-misinformation"),
    ("LLM10:2025", "llm102025-unbounded-consumption"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_have_links() {
        assert_eq!(
            link("CWE-79").as_deref(),
            Some("https://cwe.mitre.org/data/definitions/79.html")
        );
        assert!(link("AML.T0051.000").is_some() && link("LLM01:2025").is_some());
        assert_eq!(link("GDPR Art. 9"), None);
    }
}
