use bartizan_core::Verdict;

use crate::{Decision, Policy};

/// Proof that a policy let `T` through. Only [`Policy::admit`] and [`Policy::admit_redacted`] make
/// one, so whoever asks for a `Permit<Request>` cannot be handed an unchecked request.
///
/// ```compile_fail
/// let forged = bartizan_policy::Permit { value: "request" };
/// ```
///
/// ```compile_fail
/// # fn f(mut permit: bartizan_policy::Permit<String>) {
/// permit.get_mut().push_str("changed after the check");
/// # }
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Permit<T> {
    value: T,
}

impl<T> Permit<T> {
    /// What was let through.
    pub const fn get(&self) -> &T {
        &self.value
    }

    /// What was let through, without the proof.
    pub fn into_inner(self) -> T {
        self.value
    }
}

/// A person's word that something may pass although the policy asks about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    reviewer: String,
}

impl Approval {
    /// The approval of `reviewer`, who must not be the one who asked.
    #[must_use]
    pub fn by(reviewer: impl Into<String>) -> Self {
        Self {
            reviewer: reviewer.into(),
        }
    }

    /// Whose it is.
    #[must_use]
    pub fn reviewer(&self) -> &str {
        &self.reviewer
    }
}

/// Why there is no permit; gives the value back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused<T> {
    /// The decision is stricter than what was asked for.
    #[error("the decision is `{verdict}`")]
    Verdict {
        /// What was not let through.
        value: T,
        /// The verdict that is enforced.
        verdict: Verdict,
    },
    /// The decision was made by another policy.
    #[error("the decision was made by another version of the policy, decide again")]
    OtherPolicy {
        /// What was not let through.
        value: T,
    },
}

impl Policy {
    /// Lets `value` through unchanged if `decision`, made by this policy, allows that.
    ///
    /// # Errors
    /// For every verdict but [`Verdict::Allow`], and for a decision of another policy.
    pub fn admit<T>(&self, value: T, decision: &Decision) -> Result<Permit<T>, Refused<T>> {
        self.admit_up_to(Verdict::Allow, value, decision)
    }

    /// Lets `value`, in which every place to redact was edited, through if `decision` allows that.
    ///
    /// # Errors
    /// For every verdict above [`Verdict::Redact`], and for a decision of another policy.
    pub fn admit_redacted<T>(
        &self,
        value: T,
        decision: &Decision,
    ) -> Result<Permit<T>, Refused<T>> {
        self.admit_up_to(Verdict::Redact, value, decision)
    }

    /// Lets `value`, about which the decision asks a person, through because that person released it.
    ///
    /// # Errors
    /// For a verdict that blocks, and for a decision of another policy.
    pub fn admit_reviewed<T>(
        &self,
        value: T,
        decision: &Decision,
        approval: &Approval,
    ) -> Result<Permit<T>, Refused<T>> {
        let Approval { reviewer: _ } = approval;
        self.admit_up_to(Verdict::Ask, value, decision)
    }

    fn admit_up_to<T>(
        &self,
        most: Verdict,
        value: T,
        decision: &Decision,
    ) -> Result<Permit<T>, Refused<T>> {
        if decision.policy_version() != self.version() {
            return Err(Refused::OtherPolicy { value });
        }
        let verdict = decision.enforced();
        if verdict > most {
            return Err(Refused::Verdict { value, verdict });
        }
        Ok(Permit { value })
    }
}
