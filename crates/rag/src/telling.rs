//! Findings of one check on one part, and how far the check came.

use std::borrow::Cow;

use bartizan_core::{
    CheckError, Confidence, Coverage, Cx, Layer, Limits, Report, Rule, RuleRef, Span,
};

/// A check of this crate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Teller {
    pub(crate) check: &'static str,
    pub(crate) layer: Layer,
}

/// What it tells of a part.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) rule: &'static Rule,
    pub(crate) span: Option<Span>,
    pub(crate) confidence: Confidence,
    pub(crate) message: Cow<'static, str>,
}

impl Told {
    /// That the whole part falls under `rule`, for certain.
    pub(crate) fn certain(rule: &'static Rule) -> Self {
        Self {
            rule,
            span: None,
            confidence: Confidence::CERTAIN,
            message: rule.title.clone(),
        }
    }
}

impl Teller {
    /// Adds `found` to `report`, and that the check came as far as `outcome`. A finding for which
    /// there is no room is a gap: the first error is the one that counts.
    pub(crate) fn tell(
        self,
        report: &mut Report,
        mut outcome: Result<(), CheckError>,
        found: impl IntoIterator<Item = Told>,
    ) {
        let Self { check, layer } = self;
        let mut cx = Cx::new(layer, Limits::default(), &mut report.findings);
        for one in found {
            let rule = RuleRef::Static(one.rule);
            let told = cx.report(&rule, one.span, one.confidence, one.message);
            outcome = outcome.and(told);
        }
        report.coverage.push(Coverage {
            check,
            layer,
            outcome,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::RULES;

    #[test]
    fn a_finding_without_room_is_a_gap_and_the_first_error_counts() {
        let teller = Teller {
            check: "rag-source",
            layer: Layer::Provenance,
        };
        let most = Limits::default().max_findings;
        let rule = RULES[0];
        let told = |count: u64, outcome| {
            let mut report = Report::default();
            teller.tell(
                &mut report,
                outcome,
                (0..count).map(|_| Told::certain(rule)),
            );
            report.coverage.remove(0).outcome
        };
        assert_eq!(told(most, Ok(())), Ok(()));
        let full = CheckError::Exhausted {
            limit: "max-findings",
            at: most,
        };
        assert_eq!(told(most + 1, Ok(())), Err(full));
        let broken = CheckError::Malformed("broken".into());
        assert_eq!(told(most + 1, Err(broken.clone())), Err(broken));
    }
}
