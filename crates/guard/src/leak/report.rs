use std::{collections::BTreeSet, ops::Range};

use bartizan_core::{CheckError, Confidence, Cx, Rule, RuleRef};
use bartizan_text::View;

/// Reports what leaks in the readings of one text, each place once.
#[derive(Debug, Default)]
pub(super) struct Leaks {
    reported: BTreeSet<(&'static str, u64, u64)>,
}

impl Leaks {
    /// Reports `rule` at `range` of `view` unless an earlier reading did.
    pub(super) fn report(
        &mut self,
        rule: &'static Rule,
        view: &View<'_>,
        range: Range<usize>,
        confidence: f32,
        cx: &mut Cx<'_>,
    ) -> Result<(), CheckError> {
        let span = view.span(range);
        if !self.reported.insert((&rule.id, span.start(), span.end())) {
            return Ok(());
        }
        cx.report_via(
            &RuleRef::Static(rule),
            Some(span),
            Confidence::clamped(confidence * trust(view)),
            &view.via,
            rule.title.clone(),
        )
    }
}

/// A run of words does not come out of a wrong decoding by chance.
const fn trust(view: &View<'_>) -> f32 {
    if view.via.is_empty() { 1.0 } else { 0.98 }
}
