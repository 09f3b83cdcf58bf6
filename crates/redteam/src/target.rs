use std::fmt;

use bartizan_core::{Layer, Verdict};

use crate::Attempt;

/// What is attacked.
pub trait Target: Sync {
    /// Asks it.
    ///
    /// # Errors
    /// When it gives no answer that can be scored; such attempts are in no rate.
    fn ask(&self, attempt: &Attempt<'_>) -> Result<Reply, TargetError>;
}

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// What layers decided, without a model behind them.
    Decided(Seen),
    /// What a system answered.
    Answered(Answer),
}

/// What a system answered.
///
/// Prints its length, never its text.
#[derive(Clone, Default, PartialEq)]
pub struct Answer {
    /// What it said.
    pub text: String,
    /// The tools that it called.
    pub tool_calls: Vec<ToolCall>,
    /// Whether a guard in front of it, or its provider, stopped the request or the answer.
    pub stopped: bool,
}

impl Answer {
    /// An answer in words.
    #[must_use]
    pub fn of(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// Nothing: it was stopped.
    #[must_use]
    pub fn stopped() -> Self {
        Self {
            stopped: true,
            ..Self::default()
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("bytes", &self.text.len())
            .field("tool_calls", &self.tool_calls.len())
            .field("stopped", &self.stopped)
            .finish()
    }
}

/// A call of a tool.
#[derive(Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// The tool.
    pub name: String,
    /// Its arguments, as JSON.
    pub arguments: String,
}

/// Why there is no answer to score.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// Not every check looked at everything.
    #[error("a check did not finish")]
    Incomplete,
    /// It cannot be reached, or gave no whole answer in time.
    #[error("the target cannot be reached")]
    Unreachable,
    /// It answered with a status that is neither an answer nor a refusal.
    #[error("the target answered with status {0}")]
    Status(u16),
    /// Its answer is not of the form that was expected.
    #[error("the answer is not of the expected form")]
    Form,
    /// It takes no attempts of this kind, e.g. answers to be checked.
    #[error("the target takes no attempts of this kind")]
    Unfit,
    /// It crashed.
    #[error("the target crashed")]
    Crashed,
}

/// A set of layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayerSet(u32);

impl LayerSet {
    /// The layer alone.
    #[must_use]
    pub fn of(layer: Layer) -> Self {
        let place = Layer::ALL.iter().position(|&known| known == layer);
        // There are 16 layers.
        Self(1 << place.unwrap_or(31))
    }

    /// With the others, too.
    #[must_use]
    pub const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Without the others.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Whether all of it is in `others`.
    #[must_use]
    pub const fn is_in(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The layers in the order in which they run.
    pub fn iter(self) -> impl Iterator<Item = Layer> {
        Layer::ALL
            .into_iter()
            .filter(move |&layer| Self::of(layer).is_in(self))
    }
}

impl FromIterator<Layer> for LayerSet {
    fn from_iter<T: IntoIterator<Item = Layer>>(layers: T) -> Self {
        layers
            .into_iter()
            .fold(Self::default(), |set, layer| set.with(Self::of(layer)))
    }
}

/// What layers saw in an attempt, so that every subset of them can be asked what it had decided.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// What all of them decided.
    pub verdict: Verdict,
    /// What was seen, and which layers it takes to see it.
    pub evidence: Vec<Evidence>,
    /// The layers that were asked.
    pub asked: LayerSet,
    /// What each layer took, in nanoseconds.
    pub costs: Vec<(Layer, u64)>,
}

/// Something that some layers see together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// The layers that it takes.
    pub needs: LayerSet,
    /// What the policy makes of it.
    pub verdict: Verdict,
    /// How sure they are, in `[0, 1]`.
    pub confidence: f32,
}

impl Seen {
    /// What `layers` alone had decided.
    #[must_use]
    pub fn verdict_of(&self, layers: LayerSet) -> Verdict {
        self.usable(layers)
            .fold(Verdict::Allow, |verdict, evidence| {
                verdict.join(evidence.verdict)
            })
    }

    /// How suspicious the attempt is to `layers`, in `[0, 4]`: the strictest verdict, and within it
    /// the highest confidence.
    #[must_use]
    pub fn suspicion(&self, layers: LayerSet) -> f32 {
        let step = |verdict: Verdict| match verdict {
            Verdict::Allow => 0.0,
            Verdict::Redact => 1.0,
            Verdict::Ask => 2.0,
            Verdict::Block => 3.0,
        };
        self.usable(layers)
            .map(|evidence| step(evidence.verdict) + evidence.confidence)
            .fold(0.0, f32::max)
    }

    fn usable(&self, layers: LayerSet) -> impl Iterator<Item = &Evidence> {
        self.evidence
            .iter()
            .filter(move |evidence| evidence.needs.is_in(layers))
    }

    /// The smallest sets of layers each of which stops the attempt alone at `from`.
    #[must_use]
    pub fn catchers(&self, from: Verdict) -> Vec<LayerSet> {
        let mut sets: Vec<LayerSet> = self
            .evidence
            .iter()
            .filter(|evidence| evidence.verdict >= from)
            .map(|evidence| evidence.needs)
            .collect();
        sets.sort_unstable();
        sets.dedup();
        let all = sets.clone();
        sets.retain(|set| !all.iter().any(|other| other != set && other.is_in(*set)));
        sets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(layers: &[Layer], verdict: Verdict, confidence: f32) -> Evidence {
        Evidence {
            needs: layers.iter().copied().collect(),
            verdict,
            confidence,
        }
    }

    #[test]
    fn subsets_decide_by_what_they_see() {
        let seen = Seen {
            verdict: Verdict::Block,
            evidence: vec![
                evidence(&[Layer::Rules, Layer::Normalise], Verdict::Block, 0.9),
                evidence(&[Layer::Classifier], Verdict::Ask, 0.6),
                evidence(&[Layer::Classifier, Layer::Normalise], Verdict::Block, 0.9),
                evidence(&[Layer::Sensitive], Verdict::Redact, 1.0),
            ],
            ..Seen::default()
        };
        let of = |layers: &[Layer]| layers.iter().copied().collect::<LayerSet>();
        assert_eq!(seen.verdict_of(of(&[Layer::Rules])), Verdict::Allow);
        assert_eq!(seen.verdict_of(of(&[Layer::Classifier])), Verdict::Ask);
        let both = of(&[Layer::Rules, Layer::Normalise]);
        assert_eq!(seen.verdict_of(both), Verdict::Block);
        assert_eq!(seen.suspicion(of(&[Layer::Sensitive])), 2.0);
        // The classifier needs no views, so what it sees with them adds nothing.
        assert_eq!(
            seen.catchers(Verdict::Ask),
            [both, of(&[Layer::Classifier])]
        );
    }

    #[test]
    fn sets_are_sets() {
        let set: LayerSet = [Layer::Rules, Layer::Sink, Layer::Rules]
            .into_iter()
            .collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [Layer::Rules, Layer::Sink]);
        assert!(LayerSet::of(Layer::Sink).is_in(set));
        assert!(!set.is_in(LayerSet::of(Layer::Sink)));
        assert!(set.without(set).is_empty());
    }
}
