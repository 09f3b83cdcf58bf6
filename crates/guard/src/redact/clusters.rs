use std::ops::Range;

use bartizan_core::Finding;

/// A stretch of text covered by findings that overlap each other.
#[derive(Debug)]
pub struct Stretch<'a> {
    /// Bytes from the first to the last of them.
    pub range: Range<usize>,
    /// The finding that names it: most certain, then longest, then first.
    pub best: &'a Finding,
    /// All of them, in order of start.
    pub findings: Vec<&'a Finding>,
}

impl Stretch<'_> {
    /// Whether the best finding covers the whole stretch, so that its value is the stretch.
    #[must_use]
    pub fn is_one_value(&self) -> bool {
        self.best
            .span
            .is_some_and(|span| span.as_range() == self.range)
    }
}

/// Joins findings that share bytes, so that replacing every stretch leaves no fragment of any
/// finding and touches nothing else. Findings without a span, or with an empty one, are left out.
#[must_use]
pub fn stretches<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<Stretch<'a>> {
    let mut spanned: Vec<(Range<usize>, &Finding)> = findings
        .into_iter()
        .filter_map(|finding| Some((finding.span?.as_range(), finding)))
        .filter(|(range, _)| !range.is_empty())
        .collect();
    spanned.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut stretches: Vec<Stretch<'a>> = Vec::new();
    for (range, finding) in spanned {
        match stretches.last_mut() {
            Some(last) if range.start < last.range.end => {
                last.range.end = last.range.end.max(range.end);
                if rank(finding) > rank(last.best) {
                    last.best = finding;
                }
                last.findings.push(finding);
            }
            _ => stretches.push(Stretch {
                range,
                best: finding,
                findings: vec![finding],
            }),
        }
    }
    stretches
}

/// Order of the findings of a stretch; confidences are compared in thousandths.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a confidence lies between 0 and 1"
)]
fn rank(finding: &Finding) -> (i32, u64) {
    let thousandths = (finding.confidence.get() * 1000.0) as i32;
    (
        thousandths,
        finding.span.map_or(0, bartizan_core::Span::len),
    )
}

#[cfg(test)]
mod tests {
    use bartizan_core::{Category, Confidence, Layer, Rule, Severity, Span};
    use proptest::prelude::*;

    use super::*;

    static RULE: Rule = Rule {
        id: std::borrow::Cow::Borrowed("pii.test"),
        title: std::borrow::Cow::Borrowed("test"),
        severity: Severity::Low,
        category: Category::Pii,
        refs: std::borrow::Cow::Borrowed(&[]),
        why: std::borrow::Cow::Borrowed(""),
        fix: std::borrow::Cow::Borrowed(""),
        entity: None,
    };

    fn finding(range: Range<usize>, confidence: f32) -> Finding {
        Finding {
            rule: (&RULE).into(),
            layer: Layer::Sensitive,
            confidence: Confidence::clamped(confidence),
            span: Some(Span::from_range(range)),
            via: Vec::new(),
            message: "".into(),
        }
    }

    #[test]
    fn overlapping_findings_are_one_stretch_named_by_the_surest() {
        let found = [finding(5..9, 0.4), finding(0..6, 0.9), finding(20..22, 0.5)];
        let stretches = stretches(&found);
        assert_eq!(stretches.len(), 2);
        assert_eq!(stretches[0].range, 0..9);
        assert_eq!(stretches[0].best, &found[1]);
        assert!(!stretches[0].is_one_value() && stretches[1].is_one_value());
    }

    proptest! {
        #[test]
        fn every_byte_of_a_finding_and_no_other_is_covered(
            ranges in prop::collection::vec((0usize..60, 0usize..20), 0..12),
        ) {
            let found: Vec<Finding> = ranges.iter().map(|&(start, len)| finding(start..start + len, 0.5)).collect();
            let stretches = stretches(&found);
            for at in 0..100 {
                let found = found.iter().any(|f| f.span.unwrap().as_range().contains(&at));
                let covered = stretches.iter().any(|s| s.range.contains(&at));
                prop_assert_eq!(found, covered);
            }
            prop_assert!(stretches.windows(2).all(|w| w[0].range.end <= w[1].range.start));
        }
    }
}
