//! Moderations, served by ourselves: OpenAI's request and answer around our judgement.

use bartizan_core::{Category, Verdict};
use bartizan_guard::Judgement;
use serde_json::{Map, Value, json};

use super::Request;

/// OpenAI's categories, and the rules of ours that speak to them.
///
/// The classifier's heads are wider than OpenAI's subdivisions, so only the main categories have
/// one; the others are always false with a score of 0. As everywhere here, a finding counts where
/// the policy acts on it, and the built-in policy only lists harm.
const CATEGORIES: &[(&str, &[&str])] = &[
    ("harassment", &["classifier.harm-harassment"]),
    ("harassment/threatening", &[]),
    ("hate", &["classifier.harm-hate"]),
    ("hate/threatening", &[]),
    (
        "illicit",
        &["classifier.harm-illegal", "classifier.harm-dangerous"],
    ),
    ("illicit/violent", &[]),
    ("self-harm", &["classifier.harm-self-harm"]),
    ("self-harm/instructions", &[]),
    ("self-harm/intent", &[]),
    ("sexual", &["classifier.harm-sexual"]),
    ("sexual/minors", &[]),
    ("violence", &["classifier.harm-violence"]),
    ("violence/graphic", &[]),
];

/// Our own categories, listed beside OpenAI's under `bartizan/`; clients of OpenAI's SDK keep
/// fields that they do not know.
const OURS: [Category; 15] = Category::ALL;

/// The answer to a request for moderation, from the judgement over its conversation: one result for
/// each text of a list, one for a text on its own, one for all parts of a multi-modal input.
///
/// A result is flagged when our policy would redact or block it, or when not everything of it could
/// be looked at.
#[must_use]
pub fn answer(request: &Request, judgement: &Judgement, request_id: &str) -> Value {
    let groups = groups(request);
    let results: Vec<Value> = groups
        .iter()
        .map(|parts| result(parts, request, judgement))
        .collect();
    let model = match request.model() {
        "" => "bartizan-guard",
        model => model,
    };
    json!({
        "id": format!("modr-{}", request_id.replace('-', "")),
        "model": model,
        "results": results,
    })
}

/// The parts of each result.
fn groups(request: &Request) -> Vec<Vec<usize>> {
    let parts = &request.conversation().parts;
    let input: Vec<usize> = (0..parts.len())
        .filter(|number| {
            parts
                .get(*number)
                .is_some_and(|part| part.path == "input" || part.path.starts_with("input["))
        })
        .collect();
    let is_list_of_texts = input.iter().all(|number| {
        parts
            .get(*number)
            .is_some_and(|part| part.path.starts_with("input[") && part.path.ends_with(']'))
    });
    if is_list_of_texts && !input.is_empty() {
        input.into_iter().map(|number| vec![number]).collect()
    } else {
        vec![input]
    }
}

fn result(parts: &[usize], request: &Request, judgement: &Judgement) -> Value {
    let mut scores = [0.0_f32; OURS.len()];
    let mut theirs = [0.0_f32; CATEGORIES.len()];
    let mut acted = false;
    let inside = |part: u32| parts.contains(&(part as usize));
    for reason in &judgement.decision.reasons {
        if !inside(reason.evidence.part) || reason.shadow || reason.action == Verdict::Allow {
            continue;
        }
        acted |= reason.action >= Verdict::Redact;
        for (category, score) in OURS.iter().zip(&mut scores) {
            if *category == reason.evidence.category {
                *score = score.max(reason.evidence.confidence);
            }
        }
        for ((_, rules), score) in CATEGORIES.iter().zip(&mut theirs) {
            if rules.contains(&reason.evidence.rule.as_str()) {
                *score = score.max(reason.evidence.confidence);
            }
        }
    }
    let gap = judgement
        .decision
        .gaps
        .iter()
        .any(|gap| gap.action >= Verdict::Redact && !gap.shadow && gap.part.is_none_or(inside));
    let types = input_types(parts, request);
    let (mut categories, mut category_scores, mut applied) = (Map::new(), Map::new(), Map::new());
    let mut add = |name: String, score: f32, looked: bool| {
        categories.insert(name.clone(), json!(score > 0.0));
        let score = (f64::from(score) * 1e4).round() / 1e4;
        category_scores.insert(name.clone(), json!(score));
        applied.insert(name, if looked { json!(types) } else { json!([]) });
    };
    for ((name, rules), score) in CATEGORIES.iter().zip(theirs) {
        add((*name).to_owned(), score, !rules.is_empty());
    }
    for (category, score) in OURS.into_iter().zip(scores) {
        add(format!("bartizan/{}", category.as_str()), score, true);
    }
    json!({
        "flagged": acted || gap,
        "categories": categories,
        "category_scores": category_scores,
        "category_applied_input_types": applied,
    })
}

/// What was looked at: a picture counts only by its metadata, which is text.
fn input_types(parts: &[usize], request: &Request) -> Vec<&'static str> {
    let all = &request.conversation().parts;
    let has_text = parts
        .iter()
        .any(|number| all.get(*number).is_some_and(|part| !part.text.is_empty()));
    if has_text { vec!["text"] } else { Vec::new() }
}
