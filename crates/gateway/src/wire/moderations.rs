//! Moderations, served by ourselves: OpenAI's request and answer around our judgement.

use bartizan_core::{Category, Layer, Verdict};
use bartizan_guard::Judgement;
use serde_json::{Map, Value, json};

use super::Request;

/// OpenAI's categories. A rule of the category `harm` speaks to the one of its name, with `-` for
/// `/`: `external.openai-moderation.self-harm-intent` to `self-harm/intent`. Where nobody looks for
/// harm they are false with a score of 0, and apply to no type of input. What our rules know of
/// illicit conduct is advice to attack systems, which is not what OpenAI means.
const CATEGORIES: [&str; 13] = [
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
];

/// Our own categories, listed beside OpenAI's under `bartizan/`; clients of OpenAI's SDK keep
/// fields that they do not know.
const OURS: [Category; Category::ALL.len()] = Category::ALL;

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
    let mut harms = [0.0_f32; CATEGORIES.len()];
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
        if reason.evidence.category == Category::Harm {
            let name = reason.evidence.rule.rsplit('.').next().unwrap_or_default();
            for (theirs, score) in CATEGORIES.iter().zip(&mut harms) {
                if theirs.replace('/', "-") == name {
                    *score = score.max(reason.evidence.confidence);
                }
            }
        }
    }
    let gap = judgement
        .decision
        .gaps
        .iter()
        .any(|gap| gap.action >= Verdict::Redact && !gap.shadow && gap.part.is_none_or(inside));
    let looked = parts.iter().all(|part| asked_for_harm(judgement, *part));
    let types = input_types(parts, request);
    let (mut categories, mut category_scores, mut applied) = (Map::new(), Map::new(), Map::new());
    let mut add = |name: String, score: f32, looked: bool| {
        categories.insert(name.clone(), json!(score > 0.0));
        let score = (f64::from(score) * 1e4).round() / 1e4;
        category_scores.insert(name.clone(), json!(score));
        applied.insert(name, if looked { json!(types) } else { json!([]) });
    };
    for (name, score) in CATEGORIES.into_iter().zip(harms) {
        add(name.to_owned(), score, looked);
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

/// Whether a classifier outside looked at the part to the end.
fn asked_for_harm(judgement: &Judgement, part: usize) -> bool {
    judgement.parts.get(part).is_some_and(|part| {
        let coverage = &part.inspection.report.coverage;
        let mut external = coverage.iter().filter(|one| one.layer == Layer::External);
        external.any(|one| one.outcome.is_ok())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The page says of every category what fills it, and names no other.
    #[test]
    fn the_page_of_the_reference_is_true() {
        let page = include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../docs/src/reference/moderations.md"
        ));
        let row = |line: &str| {
            let mut cells = line.strip_prefix("| `")?.split(" | ");
            let name = cells.next()?.trim_end_matches('`').to_owned();
            Some((name, cells.next()?.trim_end_matches(" |").to_owned()))
        };
        let rows: Vec<(String, String)> = page.lines().filter_map(row).collect();
        let theirs = CATEGORIES.iter().map(|(name, ours)| {
            let names: Vec<String> = ours
                .iter()
                .map(|category| format!("`bartizan/{}`", category.as_str()))
                .collect();
            let filled = if names.is_empty() {
                "nothing".to_owned()
            } else {
                names.join(", ")
            };
            ((*name).to_owned(), filled)
        });
        let (said, ours) = rows.split_at(CATEGORIES.len());
        assert_eq!(said, theirs.collect::<Vec<_>>());
        let said: Vec<&str> = ours.iter().map(|(name, _)| name.as_str()).collect();
        let names = OURS.map(|category| format!("bartizan/{}", category.as_str()));
        assert_eq!(said, names);
    }
}
