use bartizan_core::{Layer, Origin};
use bartizan_guard::{Judge, Judgement};
use bartizan_policy::{Date, DecisionContext};

use crate::{Attempt, Evidence, LayerSet, Reply, Seen, Target, TargetError, Test};

/// Bartizan's own layers, in process and without a model.
pub struct Layers<'c> {
    judge: Judge,
    today: Date,
    clock: &'c (dyn Fn() -> u64 + Sync),
}

impl<'c> Layers<'c> {
    /// The layers of `judge`; `clock` gives nanoseconds from any point. What the layers cost is
    /// reported, so a judge that has judged nothing is to be [warmed](Judge::warm) before.
    #[must_use]
    pub const fn new(judge: Judge, today: Date, clock: &'c (dyn Fn() -> u64 + Sync)) -> Self {
        Self {
            judge,
            today,
            clock,
        }
    }

    fn judged(&self, attempt: &Attempt<'_>) -> Judgement {
        let test: &Test = attempt.test;
        let origin = attempt
            .turns
            .last()
            .map_or(Origin::User, |turn| turn.origin);
        let cx = DecisionContext::new(test.direction, origin, self.today);
        self.judge
            .conversation(&attempt.conversation(), test.sink, self.clock, &cx)
    }
}

impl Target for Layers<'_> {
    fn ask(&self, attempt: &Attempt<'_>) -> Result<Reply, TargetError> {
        let judgement = self.judged(attempt);
        // What is stopped for a check that did not finish was not recognised.
        if !judgement.is_complete() {
            return Err(TargetError::Incomplete);
        }
        Ok(Reply::Decided(seen(&judgement)))
    }
}

fn seen(judgement: &Judgement) -> Seen {
    let verdict = judgement.decision.verdict();
    let mut evidence: Vec<Evidence> = judgement
        .listed()
        .iter()
        .filter(|item| item.reason.exception.is_none())
        .map(|item| {
            let own = LayerSet::of(item.finding.layer);
            // What is seen in a view is seen with the layer that makes views.
            let needs = if item.finding.via.is_empty() {
                own
            } else {
                own.with(LayerSet::of(Layer::Normalise))
            };
            Evidence {
                needs,
                verdict: item.reason.action,
                confidence: item.finding.confidence.get(),
            }
        })
        .collect();
    let alone = evidence.iter().map(|evidence| evidence.verdict).max();
    // What only the score over all findings asks for, it takes all their layers to see.
    if alone.unwrap_or_default() < verdict {
        let needs = evidence
            .iter()
            .fold(LayerSet::default(), |set, one| set.with(one.needs));
        let confidence = evidence
            .iter()
            .map(|one| one.confidence)
            .fold(0.0, f32::max);
        evidence.push(Evidence {
            needs,
            verdict,
            confidence,
        });
    }
    let mut costs: Vec<(Layer, u64)> = Vec::new();
    for step in judgement.trace() {
        match costs.iter_mut().find(|(layer, _)| *layer == step.layer) {
            Some((_, nanos)) => *nanos += step.nanos,
            None => costs.push((step.layer, step.nanos)),
        }
    }
    let coverage = judgement
        .parts
        .iter()
        .flat_map(|part| &part.inspection.report.coverage);
    Seen {
        verdict,
        evidence,
        asked: coverage.map(|check| check.layer).collect(),
        costs,
    }
}
