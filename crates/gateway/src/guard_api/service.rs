use std::sync::Arc;

use bartizan_core::Direction;
use bartizan_guard::{Judge, Judgement, redact::Redactor};
use bartizan_text::rules::RuleSet;

use crate::{judge::JudgeLayer, principal::Principal};

/// The guard behind the routes, as it is at this moment. Asked once per request, so that a reload
/// never mixes two configurations in one answer.
pub trait GuardService: Send + Sync + 'static {
    /// What looks and decides.
    fn judge(&self) -> Judge;

    /// The rules that it looks for, for their version and families.
    fn rules(&self) -> Arc<RuleSet>;

    /// What replaces values in safe versions for `principal`.
    fn redactor(&self, principal: &Principal) -> Redactor;

    /// A model that is asked for a second opinion.
    fn second_opinion(&self) -> Option<Arc<JudgeLayer>> {
        None
    }

    /// The thresholds of attack categories are multiplied by this for `principal`, see
    /// [`crate::extraction::Extraction::threshold_factor`].
    fn threshold_factor(&self, principal: &Principal) -> f32 {
        let _ = principal;
        1.0
    }

    /// The master key of seals on chunks that were admitted; without one there are no seals.
    fn seal_key(&self) -> Option<[u8; 32]> {
        None
    }

    /// Hears of every judgement, for the record, metrics, and suspicion.
    fn judged(&self, judged: &Judged<'_>) {
        let _ = judged;
    }
}

/// A judgement that a route made. Holds no content.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The path of the route, e.g. `/v1/guard/check`.
    pub route: &'static str,
    /// Who asked.
    pub principal: &'a Principal,
    /// The request's id.
    pub request_id: &'a str,
    /// Which way the text went.
    pub direction: Direction,
    /// What was seen and decided.
    pub judgement: &'a Judgement,
    /// What it cost, in nanoseconds.
    pub nanos: u64,
}

/// The id of a request, as an extension of it; made here where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub Arc<str>);
