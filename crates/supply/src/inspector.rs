use bartizan_core::{CheckError, Confidence, Cx, Rule, RuleRef, Span};
use bartizan_formats::{Format, Source};

use crate::{Artifact, scan::Scan};

/// What knows one kind of file.
///
/// Every inspector that matches is asked, since a file can be two things at once.
pub trait Inspector: Send + Sync {
    /// Stable name, unique in the table, e.g. `pickle`; coverage is listed under it.
    fn name(&self) -> &'static str;

    /// Every built-in rule that it may report under.
    fn rules(&self) -> &'static [&'static Rule];

    /// Whether it knows this artifact, by content; `formats` is what the bytes can be read as.
    fn matches(&self, artifact: &Artifact<'_>, formats: &[Format]) -> bool;

    /// Looks at all of it.
    ///
    /// # Errors
    /// When it did not look at everything: the artifact is incomplete, never clean.
    fn inspect(&self, artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError>;
}

/// An inspector's view of the outside: budgets that the whole scan shares, findings, members.
pub struct Desk<'a> {
    pub(crate) path: &'a str,
    pub(crate) bytes: u64,
    pub(crate) depth: u32,
    pub(crate) formats: &'a [Format],
    pub(crate) cx: Cx<'a>,
    pub(crate) run: &'a mut (dyn Scan + 'a),
}

impl Desk<'_> {
    /// Reports something about `span` of the artifact, or about all of it.
    ///
    /// # Errors
    /// When too much was reported.
    pub fn report(
        &mut self,
        rule: &'static Rule,
        span: Option<Span>,
        message: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Result<(), CheckError> {
        self.report_as(&rule.into(), span, Confidence::CERTAIN, message)
    }

    /// As [`Desk::report`], under a rule that may have been loaded, and less than certain.
    ///
    /// # Errors
    /// When too much was reported.
    pub fn report_as(
        &mut self,
        rule: &RuleRef,
        span: Option<Span>,
        confidence: Confidence,
        message: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Result<(), CheckError> {
        // What a file says about places in itself may be a lie.
        let span = span.filter(|span| span.end() <= self.bytes);
        self.cx.report(rule, span, confidence, message)
    }

    /// What the artifact can be read as, likeliest first.
    #[must_use]
    pub fn formats(&self) -> &[Format] {
        self.formats
    }

    /// Accounts for `steps` of work: opcodes, entries, kibibytes.
    ///
    /// # Errors
    /// When the scan's budget is used up.
    pub fn spend(&mut self, steps: u64) -> Result<(), CheckError> {
        self.run.spend(steps)
    }

    /// How many steps may still be spent.
    #[must_use]
    pub fn may_step(&self) -> u64 {
        self.run.may_step()
    }

    /// How many bytes may still be unpacked: the bound for what a decompressor may write.
    #[must_use]
    pub fn may_unpack(&self) -> u64 {
        self.run.may_unpack()
    }

    /// Accounts for `bytes` that were unpacked.
    ///
    /// # Errors
    /// When that was more than there may be.
    pub fn unpacked(&mut self, bytes: u64) -> Result<(), CheckError> {
        self.run.unpacked(bytes)
    }

    /// Hands on what is inside, to be looked at as a file of its own: `outer!name`.
    ///
    /// # Errors
    /// When there are too many members, or they stand too deep.
    pub fn member(&mut self, name: &str, source: &dyn Source) -> Result<(), CheckError> {
        self.run.member(self.path, self.depth, name, source, None)
    }

    /// Hands on what is inside and known to be of one format, whatever its bytes look like.
    ///
    /// # Errors
    /// As [`Desk::member`].
    pub fn member_as(
        &mut self,
        name: &str,
        source: &dyn Source,
        format: Format,
    ) -> Result<(), CheckError> {
        self.run
            .member(self.path, self.depth, name, source, Some(format))
    }
}
