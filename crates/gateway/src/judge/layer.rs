use std::{borrow::Cow, sync::Arc, time::Duration};

use aws_lc_rs::hmac;
use bartizan_core::{
    Category, CheckError, Confidence, Coverage, Direction, Finding, Layer, Origin, Rule, RuleRef,
    Severity, Verdict,
};
use bartizan_guard::{JudgedPart, Judgement, Step};
use bartizan_policy::{DecisionContext, Policy};
use futures_util::future::join_all;
use parking_lot::Mutex;

use super::{
    Ask, JudgeConfig, JudgeScope, Opinion, Question, Unanswered, cache::Cache, parse_answer,
};
use crate::clock::Clock;

/// Rules of the judge.
pub static RULES: [&Rule; 2] = [&ATTACK, &HARMFUL_ANSWER];

static ATTACK: Rule = Rule {
    id: Cow::Borrowed("judge.attack"),
    title: Cow::Borrowed("a language model takes the text for an attack"),
    severity: Severity::High,
    category: Category::Injection,
    refs: Cow::Borrowed(&[Cow::Borrowed("LLM01:2025")]),
    why: Cow::Borrowed("Other layers were not sure about the text, and a model that was asked is."),
    fix: Cow::Borrowed("Refuse the text, or add an exception after review."),
    entity: None,
};

static HARMFUL_ANSWER: Rule = Rule {
    id: Cow::Borrowed("judge.harmful-answer"),
    title: Cow::Borrowed("a language model takes the answer for one that gives in to an attack"),
    severity: Severity::High,
    category: Category::Exfiltration,
    refs: Cow::Borrowed(&[Cow::Borrowed("LLM02:2025"), Cow::Borrowed("LLM05:2025")]),
    why: Cow::Borrowed("An answer that follows an injected order does the attacker's work."),
    fix: Cow::Borrowed("Refuse the answer, or ask for another one."),
    entity: None,
};

/// Text repeated at the seam of two pieces, in bytes.
const OVERLAP: usize = 512;

/// Asks a model about texts. One for the process; clones of the `Arc` share budget and cache.
pub struct JudgeLayer {
    config: JudgeConfig,
    model: Arc<str>,
    ask: Arc<dyn Ask>,
    clock: Arc<dyn Clock>,
    key: hmac::Key,
    cache: Mutex<Cache>,
    budget: Mutex<Budget>,
}

/// A text that may be asked about: the part of the judgement with the same place.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The text of the part.
    pub text: &'a str,
}

/// What the judge says about the parts of a request, to be added with [`amend`].
#[derive(Clone, Debug, Default)]
pub struct Opinions {
    /// The number of the part, its findings, and whether the judge finished.
    parts: Vec<(usize, Vec<Finding>, Coverage)>,
    /// Milliseconds and questions that it took.
    nanos: u64,
    /// Questions that were put to the model; the others were remembered.
    pub questions: usize,
}

#[derive(Debug, Default)]
struct Budget {
    minute: u64,
    spent: u32,
}

impl JudgeLayer {
    /// A judge that puts its questions through `ask`. `None` when no model is configured, or when
    /// the system gives no random bytes.
    #[must_use]
    pub fn new(config: JudgeConfig, ask: Arc<dyn Ask>, clock: Arc<dyn Clock>) -> Option<Self> {
        if !config.is_on() {
            return None;
        }
        let mut key = [0; 32];
        getrandom::fill(&mut key).ok()?;
        Some(Self {
            model: config.model.as_str().into(),
            config,
            ask,
            clock,
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            cache: Mutex::default(),
            budget: Mutex::default(),
        })
    }

    /// Asks about every part of `judgement` that is in scope; `texts` are the parts' texts, in
    /// order. Never asks about what is refused already, and never about the operator's own prompt.
    pub async fn review(
        &self,
        judgement: &Judgement,
        texts: &[Asked<'_>],
        direction: Direction,
    ) -> Opinions {
        let mut opinions = Opinions::default();
        if judgement.decision.enforced() >= Verdict::Block
            || !self.config.directions.contains(&direction)
        {
            return opinions;
        }
        let started = self.clock.nanos();
        let mut left = self.config.max_questions;
        let mut waiting = Vec::new();
        for (number, (part, asked)) in judgement.parts.iter().zip(texts).enumerate() {
            if !self.is_in_scope(part, asked.text) {
                continue;
            }
            let pieces = pieces(asked.text, self.config.max_bytes);
            let granted = pieces.len() <= left;
            left = left.saturating_sub(pieces.len());
            waiting.push(async move {
                if !granted {
                    let at = self.config.max_questions as u64;
                    return (number, Err(exhausted("judge-max-questions", at)), 0);
                }
                let answers = join_all(pieces.iter().map(|text| self.opinion(text, direction)));
                let answers = answers.await;
                let asked = answers.iter().filter(|(_, asked)| *asked).count();
                (number, together(answers.into_iter().map(|(a, _)| a)), asked)
            });
        }
        for (number, answer, asked) in join_all(waiting).await {
            opinions.questions += asked;
            let mut findings = Vec::new();
            if answer == Ok(Opinion::Attack) {
                findings.push(self.finding(direction));
            }
            let coverage = Coverage {
                check: "judge",
                layer: Layer::Judge,
                outcome: answer.map(|_| ()),
            };
            opinions.parts.push((number, findings, coverage));
        }
        opinions.nanos = self.clock.nanos().saturating_sub(started);
        opinions
    }

    fn is_in_scope(&self, part: &JudgedPart, text: &str) -> bool {
        if text.trim().is_empty() || part.origin == Origin::System {
            return false;
        }
        let attacks = part.inspection.report.findings.iter().filter(|finding| {
            let category = finding.rule.category;
            category.is_attack() || category == Category::Obfuscation
        });
        let most = attacks
            .map(|finding| finding.confidence.get())
            .fold(0.0, f32::max);
        match self.config.scope {
            JudgeScope::All => true,
            JudgeScope::GreyBand => {
                most >= self.config.grey_from && most < self.config.grey_below && most > 0.0
            }
        }
    }

    /// The opinion about one piece, and whether the model was asked for it.
    async fn opinion(
        &self,
        text: &str,
        direction: Direction,
    ) -> (Result<Opinion, CheckError>, bool) {
        let key = self.cache_key(text, direction);
        let now = self.clock.unix_ms();
        let max_age = self.config.cache_seconds.saturating_mul(1_000);
        if let Some(known) = self.cache.lock().get(&key, now, max_age) {
            return (Ok(known), false);
        }
        if !self.spend() {
            let at = u64::from(self.config.per_minute);
            return (Err(exhausted("judge-per-minute", at)), false);
        }
        let answer = self.put(text, direction).await;
        if let Ok(opinion) = answer {
            let mut cache = self.cache.lock();
            cache.put(key, opinion, now, self.config.cache_entries);
        }
        let unavailable = |error: Unanswered| CheckError::Unavailable(error.to_string().into());
        (answer.map_err(unavailable), true)
    }

    async fn put(&self, text: &str, direction: Direction) -> Result<Opinion, Unanswered> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| Unanswered::Unreachable)?;
        let nonce: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let question = Question::about(Arc::clone(&self.model), text, direction, &nonce);
        let limit = Duration::from_millis(self.config.timeout_ms);
        match tokio::time::timeout(limit, self.ask.ask(&question)).await {
            Ok(answer) => parse_answer(&answer?, &nonce),
            Err(_) => Err(Unanswered::TimedOut),
        }
    }

    fn spend(&self) -> bool {
        let minute = self.clock.nanos() / 60_000_000_000;
        let mut budget = self.budget.lock();
        if budget.minute != minute {
            *budget = Budget { minute, spent: 0 };
        }
        let granted = budget.spent < self.config.per_minute;
        budget.spent += u32::from(granted);
        granted
    }

    fn cache_key(&self, text: &str, direction: Direction) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(direction.as_str().as_bytes());
        context.update(b"\0");
        context.update(text.as_bytes());
        let mut key = [0; 16];
        for (to, from) in key.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        key
    }

    fn finding(&self, direction: Direction) -> Finding {
        let rule = match direction {
            Direction::Input => &ATTACK,
            Direction::Output => &HARMFUL_ANSWER,
        };
        Finding {
            rule: RuleRef::Static(rule),
            layer: Layer::Judge,
            confidence: Confidence::clamped(self.config.confidence),
            span: None,
            via: Vec::new(),
            message: rule.title.clone(),
        }
    }
}

impl std::fmt::Debug for JudgeLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JudgeLayer")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Opinions {
    /// Whether there is nothing to add.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

/// Adds what the judge says to `judgement` and lets `policy` decide again; `cx` is the context of
/// the first decision.
#[must_use]
pub fn amend(
    mut judgement: Judgement,
    opinions: Opinions,
    policy: &Policy,
    cx: &DecisionContext<'_>,
) -> Judgement {
    if opinions.is_empty() {
        return judgement;
    }
    let mut nanos = Some(opinions.nanos);
    for (number, findings, coverage) in opinions.parts {
        let Some(part) = judgement.parts.get_mut(number) else {
            continue;
        };
        part.inspection.trace.push(Step {
            check: "judge",
            layer: Layer::Judge,
            findings: findings.len(),
            // The questions ran side by side.
            nanos: nanos.take().unwrap_or(0),
        });
        part.inspection.report.findings.extend(findings);
        part.inspection.report.coverage.push(coverage);
    }
    let subjects: Vec<bartizan_policy::Subject<'_>> = (0..)
        .zip(&judgement.parts)
        .map(|(number, part)| bartizan_policy::Subject {
            part: number,
            origin: part.origin,
            report: &part.inspection.report,
        })
        .collect();
    judgement.decision = policy.decide_parts(&subjects, cx);
    judgement
}

/// An attack in one piece is an attack; no answer about one piece is no answer.
fn together(
    answers: impl Iterator<Item = Result<Opinion, CheckError>>,
) -> Result<Opinion, CheckError> {
    let mut joined = Ok(Opinion::Benign);
    for answer in answers {
        match answer {
            Ok(Opinion::Attack) => return Ok(Opinion::Attack),
            Ok(Opinion::Benign) => {}
            Err(error) => joined = Err(error),
        }
    }
    joined
}

const fn exhausted(limit: &'static str, at: u64) -> CheckError {
    CheckError::Exhausted { limit, at }
}

/// `text` in pieces of at most `most` bytes that overlap, cut between characters.
fn pieces(text: &str, most: usize) -> Vec<&str> {
    let overlap = OVERLAP.min(most / 4);
    let mut pieces = Vec::new();
    let mut from = 0_usize;
    loop {
        let end = text.floor_char_boundary(from.saturating_add(most));
        pieces.push(text.get(from..end).unwrap_or_default());
        if end >= text.len() {
            return pieces;
        }
        from = text
            .floor_char_boundary(end.saturating_sub(overlap))
            .max(from + 1);
        from = text.ceil_char_boundary(from);
    }
}

#[cfg(test)]
mod tests;
