use std::{borrow::Cow, ops::ControlFlow};

use crate::{Confidence, Finding, Layer, RuleRef, Span, Transform};

/// What one check may spend on one subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Units of work: bytes looked at, opcodes, tokens, rows.
    pub max_steps: u64,
    /// Findings that one check may report.
    pub max_findings: u64,
}

impl Default for Limits {
    /// Four gibisteps and 100,000 findings: beyond every honest subject, within every machine.
    fn default() -> Self {
        Self {
            max_steps: 1 << 32,
            max_findings: 100_000,
        }
    }
}

/// How far a check looks around a place before it can decide about it, in bytes of the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// The longest match with the context that can change its confidence.
    Bounded(u64),
    /// Any byte may matter; runs at the end of a stream and can only block, flag or recall.
    Unbounded,
}

impl Reach {
    /// The longer of the two.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Ord::max(self, other)
    }
}

/// Receives findings as they are made.
pub trait FindingSink {
    /// `Break` asks the check to stop early.
    fn finding(&mut self, finding: Finding) -> ControlFlow<()>;
}

impl FindingSink for Vec<Finding> {
    fn finding(&mut self, finding: Finding) -> ControlFlow<()> {
        self.push(finding);
        ControlFlow::Continue(())
    }
}

/// A check's view of the outside: it spends limits and reports findings, nothing else.
pub struct Cx<'a> {
    layer: Layer,
    limits: Limits,
    steps: u64,
    findings: u64,
    sink: &'a mut dyn FindingSink,
}

impl<'a> Cx<'a> {
    /// A context for one check on one subject.
    pub fn new(layer: Layer, limits: Limits, sink: &'a mut dyn FindingSink) -> Self {
        Self {
            layer,
            limits,
            steps: 0,
            findings: 0,
            sink,
        }
    }

    /// Accounts for `n` steps of work.
    ///
    /// # Errors
    /// [`CheckError::Exhausted`] when the budget is used up.
    pub fn spend(&mut self, n: u64) -> Result<(), CheckError> {
        self.steps = self.steps.saturating_add(n);
        if self.steps > self.limits.max_steps {
            return Err(CheckError::Exhausted {
                limit: "max-steps",
                at: self.limits.max_steps,
            });
        }
        Ok(())
    }

    /// Reports a finding in the text as received.
    ///
    /// # Errors
    /// See [`Cx::report_via`].
    pub fn report(
        &mut self,
        rule: &RuleRef,
        span: Option<Span>,
        confidence: Confidence,
        message: impl Into<Cow<'static, str>>,
    ) -> Result<(), CheckError> {
        self.report_via(rule, span, confidence, &[], message)
    }

    /// Reports a finding that was seen in a view made by `via`.
    ///
    /// # Errors
    /// [`CheckError::Stopped`] when the receiver has seen enough, [`CheckError::Exhausted`] when
    /// the check has reported too much.
    pub fn report_via(
        &mut self,
        rule: &RuleRef,
        span: Option<Span>,
        confidence: Confidence,
        via: &[Transform],
        message: impl Into<Cow<'static, str>>,
    ) -> Result<(), CheckError> {
        self.findings = self.findings.saturating_add(1);
        if self.findings > self.limits.max_findings {
            return Err(CheckError::Exhausted {
                limit: "max-findings",
                at: self.limits.max_findings,
            });
        }
        let finding = Finding {
            rule: rule.clone(),
            layer: self.layer,
            confidence,
            span,
            via: via.to_vec(),
            message: message.into(),
        };
        match self.sink.finding(finding) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(CheckError::Stopped),
        }
    }
}

/// One question asked of a subject of type `S`: text, an artifact, a table, a model.
pub trait Check<S: ?Sized>: Send + Sync {
    /// Stable name, unique among the checks of one guard, e.g. `secrets`.
    fn name(&self) -> &'static str;

    /// The layer it belongs to.
    fn layer(&self) -> Layer;

    /// Every rule that it may report under.
    fn rules(&self) -> Vec<RuleRef>;

    /// How far it looks around a place before it decides about it.
    fn reach(&self) -> Reach {
        Reach::Unbounded
    }

    /// Where more text, if the subject is the start of a stream, could first change what this check
    /// says: findings that start before this byte of the subject are final.
    ///
    /// `None`: all but the last [`Check::reach`] bytes.
    fn settled(&self, subject: &S) -> Option<u64> {
        let _ = subject;
        None
    }

    /// Whether it takes milliseconds even for a short subject, so that an asynchronous caller makes
    /// room for others first.
    fn is_slow(&self) -> bool {
        false
    }

    /// Looks at `subject` and reports what it sees.
    ///
    /// # Errors
    /// When it did not look at everything.
    fn check(&self, subject: &S, cx: &mut Cx<'_>) -> Result<(), CheckError>;
}

/// Why a check did not look at everything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// A limit was reached.
    #[error("limit `{limit}` reached at {at}")]
    Exhausted {
        /// The limit's configuration key.
        limit: &'static str,
        /// Its value.
        at: u64,
    },
    /// The subject cannot be parsed.
    #[error("malformed input: {0}")]
    Malformed(Cow<'static, str>),
    /// Something that the check needs is missing or broken.
    #[error("unavailable: {0}")]
    Unavailable(Cow<'static, str>),
    /// The caller had seen enough.
    #[error("stopped by the caller")]
    Stopped,
}
