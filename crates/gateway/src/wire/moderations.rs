//! Moderations, served by ourselves: OpenAI's request and answer around our judgement.

use bartizan_core::{Category, Layer, Verdict};
use bartizan_guard::Judgement;
use serde_json::{Map, Value, json};

use super::Request;

/// OpenAI's categories, and the classifier's rules that speak to them.
///
/// The embedded classifier's heads are wider than OpenAI's subdivisions, so only the main categories
/// have one. A classifier outside speaks to the category of its rule's name, with `-` for `/`:
/// `external.openai-moderation.self-harm-intent` to `self-harm/intent`. A category that nothing spoke
/// to is false with a score of 0, and applies to no type of input.
const CATEGORIES: [(&str, &[&str]); 13] = [
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
fn ours() -> impl Iterator<Item = Category> {
    let of_texts = |category: &Category| !Category::FILES.contains(category);
    Category::ALL.into_iter().filter(of_texts)
}

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
    let mut scores = [0.0_f32; Category::ALL.len() - Category::FILES.len()];
    let mut theirs = [0.0_f32; CATEGORIES.len()];
    let mut acted = false;
    let is_inside = |part: u32| parts.contains(&(part as usize));
    for reason in &judgement.decision.reasons {
        if !is_inside(reason.evidence.part) || reason.shadow || reason.action == Verdict::Allow {
            continue;
        }
        acted |= reason.action >= Verdict::Redact;
        for (category, score) in ours().zip(&mut scores) {
            if category == reason.evidence.category {
                *score = score.max(reason.evidence.confidence);
            }
        }
        if reason.evidence.category == Category::Harm {
            let rule = reason.evidence.rule.as_str();
            for ((name, rules), score) in CATEGORIES.iter().zip(&mut theirs) {
                if rules.contains(&rule) || speaks_to(rule, name) {
                    *score = score.max(reason.evidence.confidence);
                }
            }
        }
    }
    let gap =
        judgement.decision.gaps.iter().any(|gap| {
            gap.action >= Verdict::Redact && !gap.shadow && gap.part.is_none_or(is_inside)
        });
    let covered = |layer| parts.iter().all(|part| was_asked(judgement, *part, layer));
    let (inside, outside) = (covered(Layer::Classifier), covered(Layer::External));
    let types = input_types(parts, request);
    let (mut categories, mut category_scores, mut applied) = (Map::new(), Map::new(), Map::new());
    let mut add = |name: String, score: f32, looked: bool| {
        categories.insert(name.clone(), json!(score > 0.0));
        let score = (f64::from(score) * 1e4).round() / 1e4;
        category_scores.insert(name.clone(), json!(score));
        applied.insert(name, if looked { json!(types) } else { json!([]) });
    };
    for ((name, rules), score) in CATEGORIES.into_iter().zip(theirs) {
        let looked = outside || (inside && !rules.is_empty());
        add(name.to_owned(), score, looked);
    }
    for (category, score) in ours().zip(scores) {
        add(format!("bartizan/{}", category.as_str()), score, true);
    }
    json!({
        "flagged": acted || gap,
        "categories": categories,
        "category_scores": category_scores,
        "category_applied_input_types": applied,
    })
}

/// Whether the rule of a classifier outside speaks to OpenAI's category.
fn speaks_to(rule: &str, name: &str) -> bool {
    let last = rule
        .strip_prefix("external.")
        .and_then(|rest| rest.rsplit('.').next());
    last.is_some_and(|last| last == name.replace('/', "-"))
}

/// Whether a layer looked at the part.
fn was_asked(judgement: &Judgement, part: usize, layer: Layer) -> bool {
    judgement.parts.get(part).is_some_and(|part| {
        let coverage = &part.inspection.report.coverage;
        let mut of_layer = coverage.iter().filter(|one| one.layer == layer);
        of_layer.any(|one| one.outcome.is_ok())
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
            let names: Vec<String> = ours.iter().map(|rule| format!("`{rule}`")).collect();
            let filled = if names.is_empty() {
                "classifiers outside".to_owned()
            } else {
                names.join(", ")
            };
            ((*name).to_owned(), filled)
        });
        let (said, ours) = rows.split_at(CATEGORIES.len());
        assert_eq!(said, theirs.collect::<Vec<_>>());
        let said: Vec<&str> = ours.iter().map(|(name, _)| name.as_str()).collect();
        let names = super::ours().map(|category| format!("bartizan/{}", category.as_str()));
        assert_eq!(said, names.collect::<Vec<_>>());
    }
}
