use std::borrow::Cow;

use bartizan_core::{
    Check, CheckError, Coverage, Direction, Layer, Limits, Origin, Report, RuleRef, Sink,
};
use bartizan_text::{Scanner, Text};

/// A check on texts, whatever their lifetime.
pub type TextCheck = Box<dyn for<'t> Check<Text<'t>>>;

/// Ordered layers over a text.
///
/// Immutable: new rules or settings make a new guard, which takes the old one's place behind an
/// `Arc`. The transformer and judge layers are further checks.
pub struct Guard {
    scanner: Scanner,
    // INVARIANT: sorted by layer.
    checks: Vec<TextCheck>,
    config: GuardConfig,
}

/// What a guard spends on one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardConfig {
    /// Longest text in bytes; longer ones are not looked at. Below 4 GiB.
    pub max_bytes: u64,
    /// What one check may spend on one text.
    pub limits: Limits,
}

impl Default for GuardConfig {
    /// 256 MiB a text.
    fn default() -> Self {
        Self {
            max_bytes: 256 << 20,
            limits: Limits::default(),
        }
    }
}

/// A text and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The bytes as received.
    pub text: &'a [u8],
    /// Who wrote it.
    pub origin: Origin,
    /// Which way it goes.
    pub direction: Direction,
    /// Where it will be shown or run, if that is known.
    pub sink: Option<Sink>,
}

impl<'a> Subject<'a> {
    /// A text of a user on its way to the model.
    #[must_use]
    pub const fn input(text: &'a [u8], origin: Origin) -> Self {
        Self {
            text,
            origin,
            direction: Direction::Input,
            sink: None,
        }
    }

    /// An answer of the model on its way to `sink`.
    #[must_use]
    pub const fn output(text: &'a [u8], sink: Option<Sink>) -> Self {
        Self {
            text,
            origin: Origin::Model,
            direction: Direction::Output,
            sink,
        }
    }
}

/// What the layers saw in one text, and what each cost.
#[derive(Clone, Debug, Default)]
pub struct Inspection {
    /// Findings and coverage.
    pub report: Report,
    /// One entry per check, in the order in which they ran.
    pub trace: Vec<Step>,
}

/// What one check did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The check.
    pub check: &'static str,
    /// Its layer.
    pub layer: Layer,
    /// Findings that it reported.
    pub findings: usize,
    /// Time that it took, in nanoseconds of the given clock.
    pub nanos: u64,
}

/// A clock: nanoseconds from any fixed point.
pub type Clock<'a> = &'a dyn Fn() -> u64;

/// The clock of a caller who does not ask what a check costs.
pub const NO_CLOCK: Clock<'static> = &|| 0;

impl Guard {
    /// A guard that reads with `scanner` and asks `checks`.
    #[must_use]
    pub fn new(scanner: Scanner, mut checks: Vec<TextCheck>, config: GuardConfig) -> Self {
        checks.sort_by_key(|check| check.layer());
        Self {
            scanner,
            checks,
            config,
        }
    }

    /// Asks every check about `subject`.
    #[must_use]
    pub fn inspect(&self, subject: &Subject<'_>, clock: Clock<'_>) -> Inspection {
        self.inspect_until(subject, clock, |_| false)
    }

    /// Asks checks until `enough` says so; checks that were not asked count as stopped.
    #[must_use]
    pub fn inspect_until(
        &self,
        subject: &Subject<'_>,
        clock: Clock<'_>,
        mut enough: impl FnMut(&Report) -> bool,
    ) -> Inspection {
        let mut inspection = Inspection::default();
        if subject.text.len() as u64 > self.config.max_bytes {
            inspection.refuse(CheckError::Exhausted {
                limit: "max-bytes",
                at: self.config.max_bytes,
            });
            return inspection;
        }
        let started = clock();
        let text = self.read(subject);
        let mut before = clock();
        inspection.trace.push(Step {
            check: "read",
            layer: Layer::Normalise,
            findings: 0,
            nanos: before.saturating_sub(started),
        });
        for check in &self.checks {
            if enough(&inspection.report) {
                inspection.report.coverage.push(Coverage {
                    check: check.name(),
                    layer: check.layer(),
                    outcome: Err(CheckError::Stopped),
                });
                continue;
            }
            let seen = inspection.report.findings.len();
            inspection
                .report
                .run::<Text<'_>>(&**check, &text, self.config.limits);
            let now = clock();
            inspection.trace.push(Step {
                check: check.name(),
                layer: check.layer(),
                findings: inspection.report.findings.len() - seen,
                nanos: now.saturating_sub(before),
            });
            before = now;
        }
        inspection
    }

    /// Reads `subject` as the checks will see it.
    #[must_use]
    pub fn read<'a>(&self, subject: &Subject<'a>) -> Text<'a> {
        let mut text = self.scanner.read(subject.origin, subject.text);
        text.direction = subject.direction;
        text.sink = subject.sink;
        text
    }

    /// The checks in the order in which they run.
    #[must_use]
    pub fn checks(&self) -> &[TextCheck] {
        &self.checks
    }

    /// Whether a check takes milliseconds even for a short text.
    #[must_use]
    pub fn is_slow(&self) -> bool {
        self.checks.iter().any(|check| check.is_slow())
    }

    /// Every rule of every check, by id.
    #[must_use]
    pub fn rules(&self) -> Vec<RuleRef> {
        let mut rules: Vec<RuleRef> = self.checks.iter().flat_map(|check| check.rules()).collect();
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        rules.dedup();
        rules
    }

    /// The scanner.
    #[must_use]
    pub const fn scanner(&self) -> &Scanner {
        &self.scanner
    }

    /// What it spends.
    #[must_use]
    pub const fn config(&self) -> &GuardConfig {
        &self.config
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<Cow<'_, str>> = self.checks.iter().map(|c| c.name().into()).collect();
        f.debug_struct("Guard")
            .field("checks", &names)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Inspection {
    /// Records that nothing could be looked at.
    fn refuse(&mut self, error: CheckError) {
        self.report.coverage.push(Coverage {
            check: "shape",
            layer: Layer::Shape,
            outcome: Err(error),
        });
    }
}
