use std::{sync::Arc, time::Duration};

use aws_lc_rs::hmac;
use bartizan_core::{CheckError, Confidence, Coverage, Direction, Finding, RuleRef};
use bartizan_guard::Judgement;
use futures_util::future::join_all;
use parking_lot::Mutex;

use super::{
    Ask, Asked, Unanswered,
    cache::Cache,
    examiner::{Examiner, Hit},
    terms::Terms,
};
use crate::clock::Clock;

/// Text repeated at the seam of two pieces, in bytes.
const OVERLAP: usize = 512;

/// What asking takes; shared by all who are asked.
pub(super) struct Means {
    pub(super) ask: Arc<dyn Ask>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) key: hmac::Key,
}

/// Puts questions to one examiner, within its terms, and remembers the answers.
pub(super) struct Asker {
    pub(super) examiner: Examiner,
    terms: Terms,
    cache: Mutex<Cache<Arc<[Hit]>>>,
    budget: Mutex<Budget>,
}

/// What one examiner says about the parts of a request.
#[derive(Clone, Debug)]
pub(super) struct OfOne {
    /// The number of the part, its findings, and whether the examiner finished.
    pub(super) parts: Vec<(usize, Vec<Finding>, Coverage)>,
    /// Nanoseconds that it took; the questions ran side by side.
    pub(super) nanos: u64,
    /// Questions that were put; the others were remembered.
    pub(super) questions: usize,
}

#[derive(Debug, Default)]
struct Budget {
    minute: u64,
    spent: u32,
}

impl Asker {
    pub(super) fn new(examiner: Examiner) -> Self {
        Self {
            terms: examiner.terms(),
            examiner,
            cache: Mutex::default(),
            budget: Mutex::default(),
        }
    }

    /// Asks about every part of `judgement` that is in scope.
    pub(super) async fn review(
        &self,
        means: &Means,
        judgement: &Judgement,
        texts: &[Asked<'_>],
        direction: Direction,
    ) -> OfOne {
        let mut all = OfOne {
            parts: Vec::new(),
            nanos: 0,
            questions: 0,
        };
        if !self.terms.directions.contains(&direction) {
            return all;
        }
        let started = means.clock.nanos();
        let [_, per_request] = self.examiner.limits();
        let mut left = self.terms.max_questions;
        let mut waiting = Vec::new();
        for (number, (part, asked)) in judgement.parts.iter().zip(texts).enumerate() {
            if !self.examiner.is_about(part, asked.text) {
                continue;
            }
            let pieces = pieces(asked.text, self.terms.max_bytes);
            let granted = pieces.len() <= left;
            left = left.saturating_sub(pieces.len());
            waiting.push(async move {
                if !granted {
                    let at = self.terms.max_questions as u64;
                    return (number, vec![(Err(exhausted(per_request, at)), false)]);
                }
                let answers = pieces.iter().map(|text| self.hits(means, text, direction));
                (number, join_all(answers).await)
            });
        }
        for (number, answers) in join_all(waiting).await {
            all.questions += answers.iter().filter(|(_, asked)| *asked).count();
            let (hits, outcome) = together(answers.into_iter().map(|(answer, _)| answer));
            let coverage = Coverage {
                check: self.examiner.name(),
                layer: self.examiner.layer(),
                outcome,
            };
            let findings = hits.into_iter().map(|hit| self.finding(hit)).collect();
            all.parts.push((number, findings, coverage));
        }
        all.nanos = means.clock.nanos().saturating_sub(started);
        all
    }

    /// What is found in one piece, and whether it was asked about now.
    async fn hits(
        &self,
        means: &Means,
        text: &str,
        direction: Direction,
    ) -> (Result<Arc<[Hit]>, CheckError>, bool) {
        let key = cache_key(&means.key, text, direction);
        let now = means.clock.unix_ms();
        let max_age = self.terms.cache_seconds.saturating_mul(1_000);
        if let Some(known) = self.cache.lock().get(&key, now, max_age) {
            return (Ok(known), false);
        }
        if !self.spend(&*means.clock) {
            let [per_minute, _] = self.examiner.limits();
            let at = u64::from(self.terms.per_minute);
            return (Err(exhausted(per_minute, at)), false);
        }
        let answer = self.put(means, text, direction).await;
        if let Ok(hits) = &answer {
            let mut cache = self.cache.lock();
            cache.put(key, Arc::clone(hits), now, self.terms.cache_entries);
        }
        let unavailable = |error: Unanswered| CheckError::Unavailable(error.to_string().into());
        (answer.map_err(unavailable), true)
    }

    async fn put(
        &self,
        means: &Means,
        text: &str,
        direction: Direction,
    ) -> Result<Arc<[Hit]>, Unanswered> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| Unanswered::Unreachable)?;
        let nonce: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let question = self.examiner.question(text, direction, &nonce);
        let limit = Duration::from_millis(self.terms.timeout_ms);
        let answer = tokio::time::timeout(limit, means.ask.ask(&question))
            .await
            .map_err(|_elapsed| Unanswered::TimedOut)??;
        let hits = self.examiner.read(&answer, direction, &nonce)?;
        Ok(hits.into())
    }

    fn spend(&self, clock: &dyn Clock) -> bool {
        let minute = clock.nanos() / 60_000_000_000;
        let mut budget = self.budget.lock();
        if budget.minute != minute {
            *budget = Budget { minute, spent: 0 };
        }
        let granted = budget.spent < self.terms.per_minute;
        budget.spent += u32::from(granted);
        granted
    }

    fn finding(&self, hit: Hit) -> Finding {
        Finding {
            rule: RuleRef::Static(hit.rule),
            layer: self.examiner.layer(),
            confidence: Confidence::clamped(hit.confidence),
            span: None,
            via: Vec::new(),
            message: hit.rule.title.clone(),
        }
    }
}

fn cache_key(key: &hmac::Key, text: &str, direction: Direction) -> [u8; 16] {
    let mut context = hmac::Context::with_key(key);
    context.update(direction.as_str().as_bytes());
    context.update(b"\0");
    context.update(text.as_bytes());
    let mut short = [0; 16];
    for (to, from) in short.iter_mut().zip(context.sign().as_ref()) {
        *to = *from;
    }
    short
}

/// What is found in one piece is found, with the most confidence of any piece; no answer about one
/// piece is no answer about the whole.
fn together(
    answers: impl Iterator<Item = Result<Arc<[Hit]>, CheckError>>,
) -> (Vec<Hit>, Result<(), CheckError>) {
    let mut all: Vec<Hit> = Vec::new();
    let mut outcome = Ok(());
    for answer in answers {
        match answer {
            Ok(hits) => {
                for hit in hits.iter() {
                    match all.iter_mut().find(|known| known.rule.id == hit.rule.id) {
                        Some(known) => known.confidence = known.confidence.max(hit.confidence),
                        None => all.push(*hit),
                    }
                }
            }
            Err(error) => outcome = Err(error),
        }
    }
    (all, outcome)
}

const fn exhausted(limit: &'static str, at: u64) -> CheckError {
    CheckError::Exhausted { limit, at }
}

/// `text` in pieces of at most `most` bytes that overlap, cut between characters.
pub(super) fn pieces(text: &str, most: usize) -> Vec<&str> {
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
