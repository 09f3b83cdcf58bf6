use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use axum::{
    extract::{Request, State},
    response::Response,
};
use bartizan_core::Origin;
use bartizan_guard::{Guard, NO_CLOCK, Settings, Subject, position::Positions};
use bartizan_text::{
    pii::{Pii, PiiConfig},
    rules::RuleSet,
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        GuardApi,
        request::{Incoming, Shape, answer, parse, principal, request_id, serve, unprocessable},
    },
    ad_hoc::{AdHoc, DEFAULT_FLAGS, Expression, Recogniser, compile},
};
use crate::{
    fault::{Fault, FaultKind},
    principal::Scope,
};

pub(crate) const ANALYZE: &str = "/analyze";
pub(crate) const RECOGNIZERS: &str = "/recognizers";
pub(crate) const SUPPORTED_ENTITIES: &str = "/supportedentities";

/// A text or a list of texts.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(title = "Presidio analyze request")]
pub(crate) struct AnalyzeRequest {
    text: OneOrMany,
    /// Two letters, ISO 639-1.
    language: String,
    /// Only these entities; all if absent or empty.
    #[serde(default)]
    entities: Option<Vec<String>>,
    /// Least score, 0 to 1; 0.5 if absent.
    #[serde(default)]
    score_threshold: Option<f32>,
    /// Whether the reason is wanted.
    #[serde(default)]
    return_decision_process: Option<bool>,
    /// Recognisers of this request.
    #[serde(default)]
    ad_hoc_recognizers: Option<Vec<AdHoc>>,
    /// Words about the text that make kinds of entities likelier, e.g. the name of a column.
    #[serde(default)]
    context: Option<Vec<String>>,
    /// Values that are no findings.
    #[serde(default)]
    allow_list: Option<Vec<String>>,
    /// `exact` or `regex`.
    #[serde(default)]
    allow_list_match: Option<AllowListMatch>,
    /// Python's flags for patterns.
    #[serde(default)]
    regex_flags: Option<u32>,
    /// Ignored.
    #[serde(default)]
    #[serde(rename = "correlation_id")]
    _correlation_id: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum AllowListMatch {
    #[default]
    Exact,
    Regex,
}

/// An entity that was found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "Presidio recognizer result")]
pub(crate) struct Found {
    /// Why, if asked for.
    analysis_explanation: Option<Explanation>,
    /// One past the last code point.
    end: usize,
    entity_type: String,
    /// 0 to 1.
    score: f32,
    /// First code point.
    start: usize,
}

/// Why something was found; never the text.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Explanation {
    recognizer: String,
    pattern_name: Option<String>,
    pattern: Option<String>,
    original_score: f32,
    score: f32,
    textual_explanation: Option<String>,
    score_context_improvement: f32,
    supportive_context_word: String,
    validation_result: Option<bool>,
}

/// Answers `/analyze`.
pub(crate) async fn analyze(State(api): State<GuardApi>, request: Request) -> Response {
    serve(api, request, Shape::Plain, |api, incoming| async move {
        let task = move || respond(&api, &incoming);
        // Patterns of strangers run on a thread of their own.
        tokio::task::spawn_blocking(task)
            .await
            .map_err(|_| Fault::new(FaultKind::Internal, "internal", "the analyzer broke down"))?
    })
    .await
}

/// One list, or one per text.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    One(Vec<Found>),
    Many(Vec<Vec<Found>>),
}

fn respond(api: &GuardApi, incoming: &Incoming) -> Result<Answer, Fault> {
    let asked: AnalyzeRequest = parse(&incoming.body)?;
    let search = Search::new(&asked)?;
    match &asked.text {
        OneOrMany::One(text) if text.is_empty() => {
            Err(unprocessable("missing-field", "No text provided").about("text"))
        }
        OneOrMany::One(text) => Ok(Answer::One(search.run(text)?)),
        OneOrMany::Many(texts) if texts.is_empty() => {
            Err(unprocessable("missing-field", "No text provided").about("text"))
        }
        OneOrMany::Many(texts) if texts.len() > api.config.max_batch.saturating_mul(16) => {
            Err(unprocessable("batch-size", "too many texts").about("text"))
        }
        OneOrMany::Many(texts) => {
            let all: Result<Vec<_>, Fault> = texts.iter().map(|text| search.run(text)).collect();
            Ok(Answer::Many(all?))
        }
    }
}

/// The detectors behind `/analyze`: personal data, names, and secrets, unsure matches included.
struct Engine {
    guard: Guard,
    /// Entities by the context words of their recognisers.
    context: BTreeMap<&'static str, BTreeSet<&'static str>>,
    entities: BTreeSet<String>,
}

/// Least confidence that is looked for; what a request does not ask for is left out later.
const LEAST: f32 = 0.3;
/// Least score unless a request says otherwise.
const DEFAULT_THRESHOLD: f32 = 0.5;
/// What a context word adds, and the least score that it leads to, as in Presidio's
/// `LemmaContextAwareEnhancer`.
const CONTEXT_ADDS: f32 = 0.35;
const CONTEXT_LEAST: f32 = 0.4;
/// Words before a match among which a context word counts.
const CONTEXT_WORDS: usize = 5;

fn engine() -> Result<&'static Engine, Fault> {
    static ENGINE: OnceLock<Option<Engine>> = OnceLock::new();
    let built = ENGINE.get_or_init(|| {
        let settings = Settings {
            disable: [
                "disguise",
                "rules",
                "template-tokens",
                "hidden-text",
                "canaries",
                "leak",
                "leak-whole",
                "sink",
                "sink-whole",
            ]
            .map(str::to_owned)
            .to_vec(),
            pii: PiiConfig {
                enable: vec!["DATE_TIME".into(), "URL".into()],
                min_confidence: LEAST,
                ..PiiConfig::default()
            },
            ..Settings::default()
        };
        let guard = Guard::standard(&settings, RuleSet::builtin()).ok()?;
        let mut context: BTreeMap<&'static str, BTreeSet<&'static str>> = BTreeMap::new();
        let pii = Pii::default();
        for recogniser in pii.recognisers() {
            if let Some(std::borrow::Cow::Borrowed(entity)) = recogniser.rule.entity {
                context
                    .entry(entity)
                    .or_default()
                    .extend(recogniser.context);
            }
        }
        let rules = guard.rules();
        let entities = rules
            .iter()
            .filter_map(|rule| Some(rule.entity.as_deref()?.to_owned()));
        let entities = entities.collect();
        Some(Engine {
            guard,
            context,
            entities,
        })
    });
    built.as_ref().ok_or_else(|| {
        Fault::new(
            FaultKind::Internal,
            "internal",
            "the analyzer cannot be built",
        )
    })
}

/// What one request looks for.
struct Search<'a> {
    engine: &'static Engine,
    asked: &'a AnalyzeRequest,
    threshold: f32,
    recognisers: Vec<Recogniser>,
    context: BTreeSet<String>,
    allowed: Vec<Expression>,
}

impl<'a> Search<'a> {
    fn new(asked: &'a AnalyzeRequest) -> Result<Self, Fault> {
        let engine = engine()?;
        let is_language = asked.language.len() == 2
            && asked.language.bytes().all(|byte| byte.is_ascii_lowercase());
        if !is_language {
            let message = "`language` is not two lower-case letters, such as `en`";
            return Err(unprocessable("invalid-field", message).about("language"));
        }
        let threshold = asked.score_threshold.unwrap_or(DEFAULT_THRESHOLD);
        if !(0.0..=1.0).contains(&threshold) {
            let message = "`score_threshold` is not between 0 and 1";
            return Err(unprocessable("invalid-field", message).about("score_threshold"));
        }
        let flags = asked.regex_flags.unwrap_or(DEFAULT_FLAGS);
        let recognisers = compile(asked.ad_hoc_recognizers.clone().unwrap_or_default(), flags)?;
        for entity in asked.entities.iter().flatten() {
            let is_known = engine.entities.contains(entity)
                || recognisers.iter().any(|ad_hoc| ad_hoc.entity == *entity);
            if !is_known {
                let message =
                    "`entities` names an entity that no recognizer finds; see /supportedentities";
                return Err(unprocessable("unknown-entity", message).about("entities"));
            }
        }
        let mut allowed = Vec::new();
        if asked.allow_list_match == Some(AllowListMatch::Regex) {
            for (at, pattern) in asked.allow_list.iter().flatten().enumerate().take(256) {
                let place = format!("allow_list[{at}]");
                allowed.push(Expression::new(pattern, flags, &place)?);
            }
        }
        let context = asked.context.iter().flatten();
        Ok(Self {
            engine,
            asked,
            threshold,
            recognisers,
            context: context.map(|word| word.to_lowercase()).collect(),
            allowed,
        })
    }

    fn run(&self, text: &str) -> Result<Vec<Found>, Fault> {
        let subject = Subject::input(text.as_bytes(), Origin::User);
        let inspection = self.engine.guard.inspect(&subject, NO_CLOCK);
        if let Some((_, error)) = inspection.report.gaps().next() {
            let message = format!("not everything could be looked at: {error}");
            return Err(Fault::new(FaultKind::Unavailable, "incomplete", message));
        }
        let mut hits: Vec<Hit> = Vec::new();
        for finding in inspection.report.findings {
            let (Some(span), Some(entity)) = (finding.span, finding.rule.entity.as_deref()) else {
                continue;
            };
            let mut hit = Hit {
                range: span.as_range(),
                entity: entity.to_owned(),
                score: finding.confidence.get(),
                recogniser: finding.rule.id.clone().into_owned(),
                pattern: None,
                raised: 0.0,
            };
            let words = self.engine.context.get(entity);
            let is_meant = |word: &String| words.is_some_and(|words| words.contains(&**word));
            if self.context.iter().any(is_meant) {
                hit.raise();
            }
            hits.push(hit);
        }
        for recogniser in &self.recognisers {
            for (name, expression, score) in &recogniser.patterns {
                for range in expression.find_all(text)? {
                    let mut hit = Hit {
                        entity: recogniser.entity.clone(),
                        score: *score,
                        recogniser: recogniser.name.clone(),
                        pattern: Some(name.clone()),
                        raised: 0.0,
                        range,
                    };
                    let near = words_before(text, hit.range.start);
                    let is_near =
                        |word: &String| near.contains(word) || self.context.contains(word);
                    if recogniser.context.iter().any(is_near) {
                        hit.raise();
                    }
                    hits.push(hit);
                    if hits.len() > MOST_HITS {
                        let message = "too many matches; use closer patterns";
                        return Err(unprocessable("too-many-matches", message));
                    }
                }
            }
        }
        hits.retain(|hit| self.is_wanted(hit, text));
        Ok(self.tell(text, without_duplicates(hits)))
    }

    fn is_wanted(&self, hit: &Hit, text: &str) -> bool {
        let asked = self.asked.entities.as_deref().unwrap_or_default();
        if hit.score < self.threshold || !(asked.is_empty() || asked.contains(&hit.entity)) {
            return false;
        }
        let value = text.get(hit.range.clone()).unwrap_or_default();
        let is_allowed = match self.asked.allow_list_match.unwrap_or_default() {
            AllowListMatch::Exact => {
                let mut list = self.asked.allow_list.iter().flatten();
                list.any(|allowed| allowed == value)
            }
            AllowListMatch::Regex => self.allowed.iter().any(|regex| regex.matches_all(value)),
        };
        !is_allowed
    }

    fn tell(&self, text: &str, hits: Vec<Hit>) -> Vec<Found> {
        let ends = hits.iter().flat_map(|hit| [hit.range.start, hit.range.end]);
        let positions = Positions::of(text.as_bytes(), ends);
        let explained = self.asked.return_decision_process == Some(true);
        hits.into_iter()
            .map(|hit| Found {
                start: positions.get(hit.range.start).chars,
                end: positions.get(hit.range.end).chars,
                score: hit.score,
                analysis_explanation: explained.then(|| Explanation {
                    recognizer: hit.recogniser,
                    pattern_name: hit.pattern,
                    pattern: None,
                    original_score: hit.score - hit.raised,
                    score: hit.score,
                    textual_explanation: None,
                    score_context_improvement: hit.raised,
                    supportive_context_word: String::new(),
                    validation_result: None,
                }),
                entity_type: hit.entity,
            })
            .collect()
    }
}

const MOST_HITS: usize = 100_000;

/// A match in bytes of the text.
struct Hit {
    range: std::ops::Range<usize>,
    entity: String,
    score: f32,
    recogniser: String,
    pattern: Option<String>,
    raised: f32,
}

impl Hit {
    fn raise(&mut self) {
        let raised = (self.score + CONTEXT_ADDS).clamp(CONTEXT_LEAST, 1.0);
        self.raised = raised - self.score;
        self.score = raised;
    }
}

/// The likeliest first; of one entity, none within a likelier one.
fn without_duplicates(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_by(|a, b| {
        (&a.entity, a.range.start, std::cmp::Reverse(a.range.end))
            .cmp(&(&b.entity, b.range.start, std::cmp::Reverse(b.range.end)))
            .then(b.score.total_cmp(&a.score))
    });
    let mut kept: Vec<Hit> = Vec::with_capacity(hits.len());
    for hit in hits {
        match kept.last_mut() {
            Some(last) if last.entity == hit.entity && hit.range.end <= last.range.end => {
                last.score = last.score.max(hit.score);
            }
            _ => kept.push(hit),
        }
    }
    kept.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then(a.range.start.cmp(&b.range.start))
            .then(a.entity.cmp(&b.entity))
    });
    kept
}

/// The last few words before `at`, in lower case.
fn words_before(text: &str, at: usize) -> Vec<String> {
    let from = text.floor_char_boundary(at.saturating_sub(256));
    let before = text.get(from..at).unwrap_or_default();
    before
        .rsplit(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(CONTEXT_WORDS)
        .map(str::to_lowercase)
        .collect()
}

/// Answers `/supportedentities`.
pub(crate) async fn supported_entities(State(api): State<GuardApi>, request: Request) -> Response {
    list(&api, &request, |engine| {
        engine.entities.iter().cloned().collect()
    })
}

/// Answers `/recognizers`.
pub(crate) async fn recognizers(State(api): State<GuardApi>, request: Request) -> Response {
    list(&api, &request, |engine| {
        let rules = engine.guard.rules();
        let named = rules.iter().filter(|rule| rule.entity.is_some());
        named.map(|rule| rule.id.clone().into_owned()).collect()
    })
}

fn list(api: &GuardApi, request: &Request, names: fn(&Engine) -> Vec<String>) -> Response {
    let id = request_id(request, &*api.clock);
    match principal(request, Scope::Guard).and_then(|_| engine()) {
        Ok(engine) => answer(StatusCode::OK, &names(engine)),
        Err(fault) => Shape::Plain.fault(&fault, &id),
    }
}
