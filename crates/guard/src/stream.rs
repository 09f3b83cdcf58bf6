use std::sync::Arc;

use bartizan_core::{Coverage, Direction, Finding, Origin, Reach, Report, Sink, Verdict};
use bartizan_policy::{DecisionContext, Policy};
use bartizan_text::{Text, View};

use crate::{
    Guard,
    redact::{Redactor, stretches},
    window::{Action, Cluster, Examine, Examined, Flow, Window, WindowConfig},
};

/// A guarded stream: text goes in piece by piece, what may be shown comes out.
///
/// Checks of bounded reach look at every place before it is released, and redact or stop there.
/// Encodings and checks without a bound are looked at in blocks of [`DEEP_BLOCK`] bytes at fixed
/// places of the stream, so that their findings do not depend on how it was cut; they come too
/// late to redact, and stop what follows or recall what was shown.
pub struct Stream {
    window: Window<Reader>,
    /// What is still to be looked at deeply, behind the overlap.
    deep: Vec<u8>,
    /// Place of `deep` in the stream.
    deep_at: u64,
    /// Bytes at the start of `deep` that the last block held already.
    overlap: usize,
    verdict: Verdict,
    coverage: Vec<Coverage>,
    findings: Vec<Finding>,
}

/// What a stream is about.
#[derive(Clone, Debug)]
pub struct StreamSubject {
    /// Who wrote it.
    pub origin: Origin,
    /// Which way it goes.
    pub direction: Direction,
    /// Where it will be shown or run, if that is known.
    pub sink: Option<Sink>,
    /// The route, empty for none.
    pub route: String,
    /// The tenant, empty for none.
    pub tenant: String,
    /// Today, for exceptions that expire.
    pub today: bartizan_policy::Date,
}

/// Bytes of a block in which encodings and unbounded checks are looked at.
pub const DEEP_BLOCK: usize = 256 << 10;

/// Bytes that two such blocks share.
const DEEP_OVERLAP: usize = 16 << 10;

impl Stream {
    /// A stream through `guard` under `policy`.
    #[must_use]
    pub fn new(
        guard: Arc<Guard>,
        policy: Arc<Policy>,
        redactor: Redactor,
        subject: StreamSubject,
        config: WindowConfig,
    ) -> Self {
        let reader = Reader {
            guard,
            policy,
            redactor,
            subject,
            gaps: Vec::new(),
        };
        Self {
            window: Window::new(reader, config),
            deep: Vec::new(),
            deep_at: 0,
            overlap: 0,
            verdict: Verdict::Allow,
            coverage: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// Takes `bytes` in and appends what may be released now to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Flow {
        for piece in bytes.chunks(DEEP_BLOCK) {
            self.deep.extend_from_slice(piece);
            let flow = self.window.push(piece, out);
            while self.decided_deep() >= DEEP_BLOCK + DEEP_OVERLAP {
                self.look_deep(DEEP_BLOCK + DEEP_OVERLAP);
            }
            if flow != Flow::Open {
                break;
            }
        }
        self.collect();
        self.flow()
    }

    /// Looks at what waits for its step to fill and appends what may be released to `out`; for a
    /// writer who pauses.
    pub fn flush(&mut self, out: &mut Vec<u8>) -> Flow {
        if self.flow() == Flow::Open {
            self.window.flush(out);
            self.collect();
        }
        self.flow()
    }

    /// Says that nothing follows; appends the rest to `out`.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Flow {
        let mut rest = Vec::new();
        if self.flow() == Flow::Open {
            self.window.finish(&mut rest);
        }
        // What follows a stop is nobody's to see, so that the answer does not depend on it.
        self.look_deep(self.decided_deep());
        if self.verdict < Verdict::Ask {
            out.append(&mut rest);
        }
        self.collect();
        self.flow()
    }

    /// Bytes held back at the moment.
    #[must_use]
    pub const fn held(&self) -> usize {
        self.window.held()
    }

    /// Bytes that came since the last look.
    #[must_use]
    pub const fn waiting(&self) -> usize {
        self.window.waiting()
    }

    /// Whether anything further is released.
    #[must_use]
    pub fn flow(&self) -> Flow {
        match self.window.flow() {
            Flow::Open if self.verdict >= Verdict::Ask => Flow::Stopped,
            flow => flow,
        }
    }

    /// The strictest of what was decided so far.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Findings since the last call, each once, spans in bytes of the stream. Those that came too
    /// late to act on the text are behind those that did not.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// Checks that did not look at everything; empty for a complete stream.
    #[must_use]
    pub fn gaps(&self) -> &[Coverage] {
        &self.coverage
    }

    /// The redactor, e.g. for its vault.
    pub fn into_redactor(self) -> Redactor {
        self.window.into_examiner().redactor
    }

    fn collect(&mut self) {
        for gap in self.window.examiner_mut().gaps.drain(..) {
            if !self.coverage.contains(&gap) {
                self.coverage.push(gap);
            }
        }
        for finding in self.window.take_findings() {
            let action = self.window.examiner().action(&finding);
            self.verdict = self.verdict.join(action);
            self.findings.push(finding);
        }
    }

    /// Bytes at the start of `deep` that are decided.
    fn decided_deep(&self) -> usize {
        let decided = self.window.decided().saturating_sub(self.deep_at);
        usize::try_from(decided).map_or(self.deep.len(), |decided| decided.min(self.deep.len()))
    }

    /// Looks at the encodings and asks the unbounded checks about the first `length` bytes of
    /// `deep`, and forgets them but for the overlap.
    fn look_deep(&mut self, length: usize) {
        let reader = self.window.examiner();
        let mut report = Report::default();
        reader.look_deep(self.deep.get(..length).unwrap_or(&self.deep), &mut report);
        let (at, overlap) = (self.deep_at, self.overlap as u64);
        for finding in report.findings {
            // What ends in the overlap was seen with the last block.
            if finding
                .span
                .is_some_and(|span| span.end() <= overlap && overlap > 0)
            {
                continue;
            }
            self.verdict = self.verdict.join(reader.action(&finding));
            self.findings.push(Finding {
                span: finding.span.map(|span| span.shifted(at)),
                ..finding
            });
        }
        self.coverage
            .extend(report.coverage.into_iter().filter(|c| c.outcome.is_err()));
        let seen = length.saturating_sub(DEEP_OVERLAP).min(self.deep.len());
        self.deep.drain(..seen);
        self.deep_at += seen as u64;
        self.overlap = length - seen;
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream")
            .field("decided", &self.window.decided())
            .field("held", &self.window.held())
            .field("verdict", &self.verdict)
            .finish_non_exhaustive()
    }
}

/// Examines the main view with the bounded checks.
struct Reader {
    guard: Arc<Guard>,
    policy: Arc<Policy>,
    redactor: Redactor,
    subject: StreamSubject,
    gaps: Vec<Coverage>,
}

/// What folding may depend on: the word before and after, in bytes.
const FOLD_CONTEXT: u64 = 128;

/// How far before a place any check looks, in bytes of the main view: context words, the names of
/// assignments, the line that a name stands in.
const LOOK_BACK: usize = 4 << 10;

impl Reader {
    fn action(&self, finding: &Finding) -> Verdict {
        let subject = &self.subject;
        let mut cx = DecisionContext::new(subject.direction, subject.origin, subject.today);
        cx.route = &subject.route;
        cx.tenant = &subject.tenant;
        self.policy.action(finding, &cx)
    }

    fn place<'t>(&self, mut text: Text<'t>) -> Text<'t> {
        text.direction = self.subject.direction;
        text.sink = self.subject.sink;
        text
    }

    fn look_deep(&self, bytes: &[u8], report: &mut Report) {
        let scanner = self.guard.scanner();
        let (whole, derived) = scanner.read_deep(self.subject.origin, bytes);
        let (whole, derived) = (self.place(whole), self.place(derived));
        for check in self.guard.checks() {
            let text = match check.reach() {
                Reach::Bounded(_) => &derived,
                Reach::Unbounded => &whole,
            };
            report.run::<Text<'_>>(&**check, text, self.guard.config().limits);
        }
    }
}

impl Examine for Reader {
    fn examine(&mut self, bytes: &[u8], last: bool) -> Examined {
        let scanner = self.guard.scanner();
        let text = self.place(scanner.read_main(self.subject.origin, bytes));
        let mut report = Report::default();
        let length = text.main().text.len() as u64;
        let mut settled = length.saturating_sub(FOLD_CONTEXT);
        for check in self.guard.checks() {
            if let Reach::Bounded(reach) = check.reach() {
                report.run::<Text<'_>>(&**check, &text, self.guard.config().limits);
                let sure = check.settled(&text);
                settled = settled.min(sure.unwrap_or(length.saturating_sub(reach)));
            }
        }
        let settled = if last {
            bytes.len()
        } else if length == 0 {
            // What folding removes may go on behind the end.
            0
        } else {
            place(text.main(), usize::try_from(settled).unwrap_or(usize::MAX))
        };
        self.gaps
            .extend(report.coverage.into_iter().filter(|c| c.outcome.is_err()));
        let mut clusters = Vec::new();
        for stretch in stretches(&report.findings) {
            let actions: Vec<(&Finding, Verdict)> = stretch
                .findings
                .iter()
                .map(|&finding| (finding, self.action(finding)))
                .collect();
            let verdict = actions.iter().map(|(_, action)| *action).max();
            let action = match verdict.unwrap_or_default() {
                Verdict::Allow => Action::Keep,
                Verdict::Redact => {
                    let redacted = actions
                        .iter()
                        .filter(|(_, action)| *action == Verdict::Redact)
                        .map(|(finding, _)| *finding);
                    let text = bytes.get(stretch.range.clone()).unwrap_or_default();
                    Action::Replace(self.redactor.rewrite(text, stretch.range.start, redacted))
                }
                Verdict::Ask | Verdict::Block => Action::Stop,
            };
            clusters.push(Cluster {
                range: stretch.range.clone(),
                action,
                findings: stretch.findings.iter().map(|&f| f.clone()).collect(),
            });
        }
        Examined { clusters, settled }
    }

    fn keep_from(&self, bytes: &[u8], released: usize) -> usize {
        let scanner = self.guard.scanner();
        let view = scanner.main(bytes.get(..released).unwrap_or_default());
        place(&view, view.text.len().saturating_sub(LOOK_BACK))
    }
}

/// Where byte `at` of `view` came from.
fn place(view: &View<'_>, at: usize) -> usize {
    view.span(at..at).as_range().start
}
