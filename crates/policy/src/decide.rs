use bartizan_core::{Finding, Layer, Report, Verdict};
use jiff::civil::Date;

use crate::{
    Band, Decision, DecisionContext, Evidence, Gap, GapCause, OnIncomplete, PartRecord, Policy,
    Reason, Record, RecordedContext, RefusalKey, Subject, Warning, glob,
    policy::{expired, tightens},
    row::Described,
    score,
};

impl Policy {
    /// Decides about one text of `cx.origin`.
    #[must_use]
    pub fn decide(&self, report: &Report, cx: &DecisionContext<'_>) -> Decision {
        let subject = Subject {
            part: 0,
            origin: cx.origin,
            report,
        };
        self.decide_parts(&[subject], cx)
    }

    /// What `finding` asks for by itself, for a stream that must act before it has seen everything;
    /// what is in shadow asks for nothing.
    #[must_use]
    pub fn action(&self, finding: &Finding, cx: &DecisionContext<'_>) -> Verdict {
        if self.is_shadow() {
            return Verdict::Allow;
        }
        let subject = Subject {
            part: 0,
            origin: cx.origin,
            report: &Report::default(),
        };
        let mut pending = Pending::new(self, cx.recorded(), cx.today);
        pending.finding(&subject, finding, cx);
        pending
            .reasons
            .iter()
            .filter(|reason| !reason.shadow)
            .map(|reason| reason.action)
            .fold(Verdict::Allow, Verdict::join)
    }

    /// Decides about all parts of a conversation together. No part at all is not looked at, so it
    /// is blocked.
    #[must_use]
    pub fn decide_parts(&self, subjects: &[Subject<'_>], cx: &DecisionContext<'_>) -> Decision {
        let mut pending = Pending::new(self, cx.recorded(), cx.today);
        for subject in subjects {
            pending.part(PartRecord::of(subject));
            for finding in &subject.report.findings {
                pending.finding(subject, finding, cx);
            }
        }
        pending.finish()
    }

    /// Decides again what a stored decision decided. With the same policy version the outcome is
    /// the same; with another one it tells what would change.
    ///
    /// A stored `today` that is no day counts as the last day of all, on which no exception holds.
    #[must_use]
    pub fn replay(&self, record: &Record) -> Decision {
        let today = record.context.today.parse().unwrap_or(Date::MAX);
        let mut pending = Pending::new(self, record.context.clone(), today);
        for part in &record.parts {
            pending.part(part.clone());
        }
        for reason in &record.reasons {
            pending.evidence(reason.evidence.clone());
        }
        pending.finish()
    }

    fn is_rule_in_shadow(&self, rule: &str) -> bool {
        let globs = &self.content.shadow_rules;
        globs.iter().any(|pattern| glob::matches(pattern, rule))
    }
}

impl PartRecord {
    fn of(subject: &Subject<'_>) -> Self {
        let coverage = &subject.report.coverage;
        let incomplete: Vec<_> = subject
            .report
            .gaps()
            .map(|(check, error)| (check.layer, check.check.to_owned(), GapCause::from(error)))
            .collect();
        let mut complete: Vec<Layer> = coverage
            .iter()
            .map(|check| check.layer)
            .filter(|layer| !incomplete.iter().any(|(other, ..)| other == layer))
            .collect();
        complete.sort_unstable();
        complete.dedup();
        Self {
            part: subject.part,
            origin: subject.origin,
            complete,
            incomplete,
        }
    }
}

/// A decision in the making.
struct Pending<'a> {
    policy: &'a Policy,
    context: RecordedContext,
    today: Date,
    parts: Vec<PartRecord>,
    reasons: Vec<Reason>,
    gaps: Vec<Gap>,
    /// Parts in which other layers stand in, and whether that is in shadow.
    degraded: Vec<(u32, bool)>,
    warnings: Vec<Warning>,
}

impl<'a> Pending<'a> {
    fn new(policy: &'a Policy, context: RecordedContext, today: Date) -> Self {
        Self {
            policy,
            context,
            today,
            parts: Vec::new(),
            reasons: Vec::new(),
            gaps: Vec::new(),
            degraded: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn finding(&mut self, subject: &Subject<'_>, finding: &Finding, cx: &DecisionContext<'_>) {
        let described = Described {
            rule: &finding.rule.id,
            layer: finding.layer,
            category: finding.rule.category,
            severity: finding.rule.severity,
            origin: subject.origin,
            direction: cx.direction,
            route: cx.route,
            tenant: cx.tenant,
        };
        if self.act(&described, finding.confidence.get()).is_none() {
            return;
        }
        let hashed = self
            .policy
            .content
            .exceptions
            .iter()
            .any(|exception| exception.text_hash.is_some() && exception.is_about(&described));
        let text_hash = cx
            .text_hash
            .filter(|_| hashed)
            .and_then(|hash| hash(subject.part, finding));
        self.evidence(Evidence {
            part: subject.part,
            origin: subject.origin,
            rule: finding.rule.id.clone().into_owned(),
            layer: finding.layer,
            category: finding.rule.category,
            severity: finding.rule.severity,
            confidence: finding.confidence.get(),
            span: finding.span,
            text_hash,
        });
    }

    /// The row that decides and what it asks for; `None` where nothing is to be listed.
    fn act(&self, described: &Described<'_>, confidence: f32) -> Option<(&'a str, Verdict)> {
        if !self.policy.layer(described.layer).enabled {
            return None;
        }
        let row = self
            .policy
            .content
            .rows
            .iter()
            .find(|row| row.is_about(described))?;
        let factor = if tightens(described.category) {
            self.context.threshold_factor
        } else {
            1.0
        };
        let action = row.thresholds.action(confidence, factor)?;
        Some((&row.name, action))
    }

    fn evidence(&mut self, evidence: Evidence) {
        let described = Described {
            rule: &evidence.rule,
            layer: evidence.layer,
            category: evidence.category,
            severity: evidence.severity,
            origin: evidence.origin,
            direction: self.context.direction,
            route: &self.context.route,
            tenant: &self.context.tenant,
        };
        let Some((row, asked)) = self.act(&described, evidence.confidence) else {
            return;
        };
        let mut exception = None;
        let exceptions = &self.policy.content.exceptions;
        for (index, entry) in exceptions.iter().enumerate() {
            if !(entry.is_about(&described) && entry.covers_text(evidence.text_hash.as_deref())) {
                continue;
            }
            if !entry.is_expired(self.today) {
                exception = Some(index);
                break;
            }
            let warning = expired(index, entry);
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
        self.reasons.push(Reason {
            action: if exception.is_some() {
                Verdict::Allow
            } else {
                asked
            },
            row: row.to_owned(),
            exception,
            shadow: self.policy.layer(evidence.layer).shadow
                || self.policy.is_rule_in_shadow(&evidence.rule),
            stands_in: false,
            evidence,
        });
    }

    fn part(&mut self, part: PartRecord) {
        if part.complete.is_empty() && part.incomplete.is_empty() {
            self.gaps.push(nothing_ran(Some(part.part)));
        }
        for (layer, check, cause) in &part.incomplete {
            self.gap(&part, *layer, Some(check), *cause);
        }
        for (&layer, settings) in &self.policy.content.layers {
            let ran = part.complete.contains(&layer)
                || part.incomplete.iter().any(|(other, ..)| *other == layer);
            if settings.required && !ran {
                self.gap(&part, layer, None, GapCause::Absent);
            }
        }
        self.parts.push(part);
    }

    fn gap(&mut self, part: &PartRecord, layer: Layer, check: Option<&String>, cause: GapCause) {
        let settings = self.policy.layer(layer);
        if !settings.enabled {
            return;
        }
        let others = |other: &&Layer| **other != layer && self.policy.layer(**other).enabled;
        let action = match settings.on_incomplete {
            OnIncomplete::Closed => Verdict::Block,
            OnIncomplete::Open => Verdict::Allow,
            OnIncomplete::Degrade if part.complete.iter().any(|other| others(&other)) => {
                self.degraded.push((part.part, settings.shadow));
                Verdict::Allow
            }
            OnIncomplete::Degrade => Verdict::Block,
        };
        self.gaps.push(Gap {
            part: Some(part.part),
            layer: Some(layer),
            check: check.cloned(),
            cause,
            action,
            shadow: settings.shadow,
        });
    }

    fn finish(mut self) -> Decision {
        if self.parts.is_empty() {
            self.gaps.push(nothing_ran(None));
        }
        self.stand_in();
        self.reasons.sort_by(|a, b| place(a).cmp(&place(b)));
        let policy = &self.policy.content;
        let score = score::safety(self.reasons.iter());
        let enforced_score = score::safety(self.reasons.iter().filter(|reason| !reason.shadow));
        let counts = policy.score.enforce.contains(&self.context.direction);
        let asked_by = |score: f64| {
            if counts {
                policy.score.band(score).verdict()
            } else {
                Verdict::Allow
            }
        };
        let verdict = self.join(|_| true).join(asked_by(score));
        let enforced = if policy.shadow {
            Verdict::Allow
        } else {
            self.join(|shadow| !shadow).join(asked_by(enforced_score))
        };
        let band: Band = policy.score.band(score);
        Decision {
            verdict,
            enforced,
            score,
            band,
            refusal: (enforced >= Verdict::Ask).then(|| self.refusal()),
            reasons: self.reasons,
            gaps: self.gaps,
            warnings: self.warnings,
            parts: self.parts,
            context: self.context,
            policy_version: self.policy.shared_version(),
        }
    }

    /// The strictest action of the reasons and gaps whose `shadow` is `counted`.
    fn join(&self, counted: impl Fn(bool) -> bool) -> Verdict {
        let reasons = self
            .reasons
            .iter()
            .map(|reason| (reason.shadow, reason.action));
        let gaps = self.gaps.iter().map(|gap| (gap.shadow, gap.action));
        reasons
            .chain(gaps)
            .filter(|&(shadow, _)| counted(shadow))
            .fold(Verdict::Allow, |joined, (_, action)| joined.join(action))
    }

    fn stand_in(&mut self) {
        for reason in &mut self.reasons {
            let degraded = self
                .degraded
                .iter()
                .any(|&(part, shadow)| part == reason.evidence.part && (!shadow || reason.shadow));
            if degraded && reason.exception.is_none() && reason.action < Verdict::Ask {
                reason.action = Verdict::Ask;
                reason.stands_in = true;
            }
        }
    }

    /// The category of the strictest reason that is enforced; of equals, the first in order of
    /// [`bartizan_core::Category`], so that the text does not depend on the order of findings.
    fn refusal(&self) -> RefusalKey {
        let gap = self
            .gaps
            .iter()
            .filter(|gap| !gap.shadow)
            .map(|gap| gap.action)
            .max();
        self.reasons
            .iter()
            .filter(|reason| !reason.shadow && reason.exception.is_none())
            .filter(|reason| gap.is_none_or(|gap| reason.action >= gap))
            .max_by_key(|reason| (reason.action, std::cmp::Reverse(reason.evidence.category)))
            .map_or(RefusalKey::Incomplete, |reason| {
                RefusalKey::Category(reason.evidence.category)
            })
    }
}

fn place(reason: &Reason) -> (u32, Option<bartizan_core::Span>, Layer, &str, u32) {
    let evidence = &reason.evidence;
    // Confidences are never negative, so their bits are in their order.
    let confidence = evidence.confidence.to_bits();
    (
        evidence.part,
        evidence.span,
        evidence.layer,
        &evidence.rule,
        confidence,
    )
}

const fn nothing_ran(part: Option<u32>) -> Gap {
    Gap {
        part,
        layer: None,
        check: None,
        cause: GapCause::Absent,
        action: Verdict::Block,
        shadow: false,
    }
}
