use std::sync::Arc;

use aws_lc_rs::hmac;
use bartizan_core::{Direction, Verdict};
use bartizan_guard::{Judgement, Step};
use bartizan_policy::{DecisionContext, Policy};
use futures_util::future::join_all;

use super::{
    Ask, ClassifierConfig, JudgeConfig,
    asker::{Asker, Means, OfOne},
    examiner::Examiner,
};
use crate::clock::Clock;

/// Asks others about texts: a model that judges, and classifiers outside. One for the process;
/// clones of the `Arc` share budgets and caches.
pub struct JudgeLayer {
    means: Means,
    askers: Vec<Asker>,
}

/// A text that may be asked about: the part of the judgement with the same place.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The text of the part.
    pub text: &'a str,
}

/// What others say about the parts of a request, to be added with [`amend`].
#[derive(Clone, Debug, Default)]
pub struct Opinions(Vec<OfOne>);

impl JudgeLayer {
    /// A layer that puts its questions through `ask`. `None` when nobody is configured, or when the
    /// system gives no random bytes.
    #[must_use]
    pub fn new(
        judge: &JudgeConfig,
        classifiers: &[ClassifierConfig],
        ask: Arc<dyn Ask>,
        clock: Arc<dyn Clock>,
    ) -> Option<Self> {
        let judge = judge.is_on().then(|| Examiner::Judge(judge.clone()));
        let services = classifiers.iter().cloned().map(Examiner::Service);
        let askers: Vec<Asker> = judge.into_iter().chain(services).map(Asker::new).collect();
        if askers.is_empty() {
            return None;
        }
        let mut key = [0; 32];
        getrandom::fill(&mut key).ok()?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        Some(Self {
            means: Means { ask, clock, key },
            askers,
        })
    }

    /// Whether a stream cannot be given because somebody is to see whole answers.
    #[must_use]
    pub fn refuses_streams(&self) -> bool {
        let mut askers = self.askers.iter();
        askers.any(|asker| asker.examiner.refuses_streams())
    }

    /// Asks about every part of `judgement` that is in scope; `texts` are the parts' texts, in
    /// order. Never asks about what is refused already, and never about the operator's own prompt.
    pub async fn review(
        &self,
        judgement: &Judgement,
        texts: &[Asked<'_>],
        direction: Direction,
    ) -> Opinions {
        if judgement.decision.enforced() >= Verdict::Block {
            return Opinions::default();
        }
        let asked = self
            .askers
            .iter()
            .map(|asker| asker.review(&self.means, judgement, texts, direction));
        Opinions(join_all(asked).await)
    }
}

impl std::fmt::Debug for JudgeLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let examiners = self.askers.iter().map(|asker| &asker.examiner);
        f.debug_list().entries(examiners).finish()
    }
}

impl Opinions {
    /// Whether there is nothing to add.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|one| one.parts.is_empty())
    }

    /// Questions that were put; the answers to others were remembered.
    #[must_use]
    pub fn questions(&self) -> usize {
        self.0.iter().map(|one| one.questions).sum()
    }
}

/// Adds what others say to `judgement` and lets `policy` decide again; `cx` is the context of the
/// first decision.
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
    for one in opinions.0 {
        let mut nanos = Some(one.nanos);
        for (number, findings, coverage) in one.parts {
            let Some(part) = judgement.parts.get_mut(number) else {
                continue;
            };
            part.inspection.trace.push(Step {
                check: coverage.check,
                layer: coverage.layer,
                findings: findings.len(),
                // The questions ran side by side.
                nanos: nanos.take().unwrap_or(0),
            });
            part.inspection.report.findings.extend(findings);
            part.inspection.report.coverage.push(coverage);
        }
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

#[cfg(test)]
mod tests;
