use std::sync::Arc;

use bartizan_core::{Category, CheckError, Layer, Origin, Severity, Span, Verdict};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Band, RecordedContext, RefusalKey, Warning};

/// What a policy decided, why, and everything needed to decide it again; holds no content.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    pub(crate) verdict: Verdict,
    pub(crate) enforced: Verdict,
    /// The composite safety score in `[0, 1]`, 1 is safe.
    pub score: f64,
    /// Where the score falls.
    pub band: Band,
    /// One entry per finding that was listed, in order of part and place.
    pub reasons: Vec<Reason>,
    /// What was not looked at.
    pub gaps: Vec<Gap>,
    /// What the operator should look at.
    pub warnings: Vec<Warning>,
    /// Which text the other side gets, when the enforced verdict is to ask or to block.
    pub refusal: Option<RefusalKey>,
    /// What was looked at.
    pub parts: Vec<PartRecord>,
    /// What the decision depended on beside the findings.
    pub context: RecordedContext,
    #[serde(serialize_with = "text")]
    pub(crate) policy_version: Arc<str>,
}

impl Decision {
    /// What the policy asks for, shadows included.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// What is to be done: the verdict without what is in shadow.
    #[must_use]
    pub const fn enforced(&self) -> Verdict {
        self.enforced
    }

    /// The version of the policy that decided, see [`crate::Policy::version`].
    #[must_use]
    pub fn policy_version(&self) -> &str {
        &self.policy_version
    }

    /// The findings that are to be edited out: those with [`Verdict::Redact`] that are not in
    /// shadow.
    pub fn redactions(&self) -> impl Iterator<Item = &Reason> {
        self.reasons
            .iter()
            .filter(|reason| reason.action == Verdict::Redact && !reason.shadow)
    }
}

/// What one finding led to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reason {
    /// The finding.
    #[serde(flatten)]
    pub evidence: Evidence,
    /// What it asks for; [`Verdict::Allow`] means that it is listed only.
    pub action: Verdict,
    /// The name of the row that decided.
    pub row: String,
    /// The place in the allow-list of the entry that lets it pass.
    pub exception: Option<usize>,
    /// Whether it is reported only.
    pub shadow: bool,
    /// Whether it was raised to [`Verdict::Ask`] because it stands in for a check that did not
    /// finish.
    pub stands_in: bool,
}

/// A finding as a decision keeps it: where it is and what kind it is, not what it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The number of the part.
    pub part: u32,
    /// Who wrote the part.
    pub origin: Origin,
    /// The rule's id.
    pub rule: String,
    /// The layer that saw it.
    pub layer: Layer,
    /// Kind of harm.
    pub category: Category,
    /// How bad it is if true.
    pub severity: Severity,
    /// How sure the check was, in `[0, 1]`.
    pub confidence: f32,
    /// Where in the part.
    #[serde(deserialize_with = "span")]
    pub span: Option<Span>,
    /// The keyed hash of the text, where an exception for a text could apply.
    pub text_hash: Option<String>,
}

/// A check that did not look at everything, and what that led to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The number of the part; `None` if there was no part at all.
    pub part: Option<u32>,
    /// The layer; `None` if no check ran at all.
    pub layer: Option<Layer>,
    /// The check; `None` if no check of the layer ran.
    pub check: Option<String>,
    /// Why.
    pub cause: GapCause,
    /// What it asks for.
    pub action: Verdict,
    /// Whether it is reported only.
    pub shadow: bool,
}

/// Why a check did not look at everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum GapCause {
    /// A limit was reached.
    Exhausted,
    /// The subject cannot be parsed.
    Malformed,
    /// Something that the check needs is missing or broken.
    Unavailable,
    /// The caller had seen enough.
    Stopped,
    /// No check ran.
    Absent,
    /// Something else.
    Other,
}

impl From<&CheckError> for GapCause {
    fn from(error: &CheckError) -> Self {
        match error {
            CheckError::Exhausted { .. } => Self::Exhausted,
            CheckError::Malformed(_) => Self::Malformed,
            CheckError::Unavailable(_) => Self::Unavailable,
            CheckError::Stopped => Self::Stopped,
            _ => Self::Other,
        }
    }
}

/// What was looked at in one part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecord {
    /// The number of the part.
    pub part: u32,
    /// Who wrote it.
    pub origin: Origin,
    /// The layers of which every check finished.
    pub complete: Vec<Layer>,
    /// The checks that did not.
    pub incomplete: Vec<(Layer, String, GapCause)>,
}

/// A stored decision, read back to be decided again with [`crate::Policy::replay`].
///
/// Reads the JSON of a [`Decision`] and takes of it what went in.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Record {
    /// What the decision depended on beside the findings.
    pub context: RecordedContext,
    /// What was looked at.
    pub parts: Vec<PartRecord>,
    /// What was found.
    pub reasons: Vec<RecordedReason>,
    /// The version of the policy that decided.
    pub policy_version: String,
}

/// A finding of a stored decision.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct RecordedReason {
    /// The finding.
    #[serde(flatten)]
    pub evidence: Evidence,
}

fn text<S: serde::Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Span>, D::Error> {
    #[derive(Deserialize)]
    struct Ends {
        start: u64,
        end: u64,
    }
    let Some(ends) = Option::<Ends>::deserialize(deserializer)? else {
        return Ok(None);
    };
    Span::new(ends.start, ends.end)
        .map(Some)
        .ok_or_else(|| serde::de::Error::custom("the span ends before it starts"))
}
