use std::collections::BTreeMap;

use axum::{
    extract::{Request, State},
    response::Response,
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        GuardApi,
        position::bytes_of,
        request::{Incoming, Shape, answer, parse, principal, request_id, serve, unprocessable},
    },
    operator::{OPERATORS, Operator, decrypt},
};
use crate::{fault::Fault, principal::Scope};

pub(crate) const ANONYMIZE: &str = "/anonymize";
pub(crate) const ANONYMIZERS: &str = "/anonymizers";
pub(crate) const DEANONYMIZE: &str = "/deanonymize";
pub(crate) const DEANONYMIZERS: &str = "/deanonymizers";

/// A text, what was found in it, and what to do about it.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(title = "Presidio anonymize request")]
pub(crate) struct AnonymizeRequest {
    text: String,
    /// What `/analyze` answered.
    analyzer_results: Vec<Result_>,
    /// The operator of each entity; `DEFAULT` for the others.
    #[serde(default)]
    anonymizers: Option<BTreeMap<String, Operator>>,
}

/// An entity in a text.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "AnalyzerResult")]
struct Result_ {
    /// First code point.
    start: usize,
    /// One past the last code point.
    end: usize,
    entity_type: String,
    #[serde(default)]
    score: Option<f64>,
}

/// The text with every entity replaced.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Presidio anonymize answer")]
pub(crate) struct Anonymized {
    text: String,
    /// What was replaced, last first.
    items: Vec<Item>,
}

/// What was replaced.
#[derive(Debug, Serialize, JsonSchema)]
struct Item {
    /// First code point in the new text.
    start: usize,
    /// One past the last code point.
    end: usize,
    entity_type: String,
    /// What stands there now.
    text: String,
    operator: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
}

/// A text with encrypted entities in it.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(title = "Presidio deanonymize request")]
pub(crate) struct DeanonymizeRequest {
    text: String,
    /// The items that `/anonymize` answered.
    anonymizer_results: Vec<Result_>,
    /// The operator of each entity; `DEFAULT` for the others.
    deanonymizers: BTreeMap<String, Deanonymizer>,
}

/// How an entity comes back.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Deanonymizer {
    /// Turns `encrypt` back.
    Decrypt { key: String },
    /// Leaves it.
    DeanonymizeKeep {},
}

/// Answers `/anonymize`.
pub(crate) async fn anonymize(State(api): State<GuardApi>, request: Request) -> Response {
    serve(api, request, Shape::Plain, async |_, incoming: Incoming| {
        let asked: AnonymizeRequest = parse(&incoming.body)?;
        let operators = asked.anonymizers.unwrap_or_default();
        for operator in operators.values() {
            operator.check()?;
        }
        let by_default = Operator::Replace { new_value: None };
        let found = spans(&asked.text, asked.analyzer_results)?;
        let kept = merged(&asked.text, without_conflicts(found));
        replaced(&asked.text, kept, |entity, value| {
            let operator = operators
                .get(entity)
                .or_else(|| operators.get("DEFAULT"))
                .unwrap_or(&by_default);
            Ok((operator.apply(entity, value)?, operator.name()))
        })
    })
    .await
}

/// Answers `/deanonymize`.
pub(crate) async fn deanonymize(State(api): State<GuardApi>, request: Request) -> Response {
    serve(api, request, Shape::Plain, async |_, incoming: Incoming| {
        let asked: DeanonymizeRequest = parse(&incoming.body)?;
        let mut found = spans(&asked.text, asked.anonymizer_results)?;
        found.sort_by_key(|span| (span.start, span.end));
        if found.is_sorted_by(|a, b| a.end <= b.start) {
            replaced(&asked.text, found, |entity, value| {
                let operators = &asked.deanonymizers;
                match operators.get(entity).or_else(|| operators.get("DEFAULT")) {
                    Some(Deanonymizer::Decrypt { key }) => Ok((decrypt(key, value)?, "decrypt")),
                    Some(Deanonymizer::DeanonymizeKeep {}) => {
                        Ok((value.to_owned(), "deanonymize_keep"))
                    }
                    None => Err(unprocessable(
                        "invalid-operator",
                        "`deanonymizers` has no operator for an entity, and no `DEFAULT`",
                    )),
                }
            })
        } else {
            Err(bad("`anonymizer_results` overlap"))
        }
    })
    .await
}

/// An entity in bytes of the text.
#[derive(Clone, Debug)]
struct Span {
    start: usize,
    end: usize,
    entity: String,
    score: Option<f64>,
}

fn spans(text: &str, results: Vec<Result_>) -> Result<Vec<Span>, Fault> {
    let places: Vec<usize> = results.iter().flat_map(|r| [r.start, r.end]).collect();
    let bytes = bytes_of(text, &places);
    let (pairs, _) = bytes.as_chunks::<2>();
    results
        .into_iter()
        .zip(pairs)
        .map(|(result, pair)| {
            if result.start > result.end {
                return Err(bad(
                    "Invalid input, start index must be smaller than end index",
                ));
            }
            if result.entity_type.is_empty() {
                return Err(bad("Invalid input, result must contain entity_type"));
            }
            let [Some(start), Some(end)] = *pair else {
                return Err(bad("Invalid analyzer result, it ends behind the text"));
            };
            Ok(Span {
                start,
                end,
                entity: result.entity_type,
                score: result.score,
            })
        })
        .collect()
}

/// Overlapping spans of one entity become one; of others, those within another go, and of those in
/// the same place the likeliest stays. Spans that still overlap are cut when they are replaced.
fn without_conflicts(mut found: Vec<Span>) -> Vec<Span> {
    found.sort_by(|a, b| (&a.entity, a.start, a.end).cmp(&(&b.entity, b.start, b.end)));
    let mut joined: Vec<Span> = Vec::with_capacity(found.len());
    for span in found {
        match joined.last_mut() {
            Some(last) if last.entity == span.entity && span.start <= last.end => {
                last.end = last.end.max(span.end);
                last.score = match (last.score, span.score) {
                    (Some(a), Some(b)) => Some(a.max(b)),
                    (a, b) => a.or(b),
                };
            }
            _ => joined.push(span),
        }
    }
    joined.sort_by(|a, b| {
        let likely = |span: &Span| span.score.unwrap_or(0.0);
        a.start
            .cmp(&b.start)
            .then(b.end.cmp(&a.end))
            .then(likely(b).total_cmp(&likely(a)))
    });
    let mut kept: Vec<Span> = Vec::with_capacity(joined.len());
    let mut furthest: Option<usize> = None;
    for span in joined {
        if furthest.is_some_and(|end| span.end <= end) {
            continue;
        }
        furthest = Some(span.end);
        kept.push(span);
    }
    kept
}

/// Neighbours of one entity with only spaces between them become one.
fn merged(text: &str, found: Vec<Span>) -> Vec<Span> {
    let mut kept: Vec<Span> = Vec::with_capacity(found.len());
    for span in found {
        match kept.last_mut() {
            Some(last)
                if last.entity == span.entity
                    && text.get(last.end..span.start).is_some_and(|between| {
                        !between.is_empty() && between.bytes().all(|byte| byte == b' ')
                    }) =>
            {
                last.end = span.end;
            }
            _ => kept.push(span),
        }
    }
    kept
}

/// `text` with every span of `found`, which are sorted, replaced. Of spans that overlap, the
/// earlier one ends where the later one starts.
fn replaced(
    text: &str,
    found: Vec<Span>,
    mut replace: impl FnMut(&str, &str) -> Result<(String, &'static str), Fault>,
) -> Result<Anonymized, Fault> {
    let mut out = String::with_capacity(text.len());
    let mut items = Vec::with_capacity(found.len());
    let (mut from, mut chars) = (0, 0);
    let starts: Vec<usize> = found.iter().map(|span| span.start).skip(1).collect();
    for (at, span) in found.into_iter().enumerate() {
        let before = text.get(from..span.start).unwrap_or_default();
        out.push_str(before);
        chars += before.chars().count();
        // The operator sees all of it, also what the next one covers.
        let value = text.get(span.start..span.end).unwrap_or_default();
        let (new, operator) = replace(&span.entity, value)?;
        let end = chars + new.chars().count();
        out.push_str(&new);
        items.push(Item {
            start: chars,
            end,
            entity_type: span.entity,
            text: new,
            operator,
            score: span.score,
        });
        chars = end;
        from = starts.get(at).map_or(span.end, |&next| span.end.min(next));
    }
    out.push_str(text.get(from..).unwrap_or_default());
    items.reverse();
    Ok(Anonymized { text: out, items })
}

fn bad(message: &'static str) -> Fault {
    unprocessable("invalid-result", message)
}

/// Answers `/anonymizers`.
pub(crate) async fn anonymizers(State(api): State<GuardApi>, request: Request) -> Response {
    list(&api, &request, &OPERATORS)
}

/// Answers `/deanonymizers`.
pub(crate) async fn deanonymizers(State(api): State<GuardApi>, request: Request) -> Response {
    list(&api, &request, &["decrypt", "deanonymize_keep"])
}

fn list(api: &GuardApi, request: &Request, names: &[&str]) -> Response {
    let id = request_id(request, &*api.clock);
    match principal(request, Scope::Guard) {
        Ok(_) => answer(StatusCode::OK, &names),
        Err(fault) => Shape::Plain.fault(&fault, &id),
    }
}
