use bartizan_core::{Category, Finding, Severity, Verdict};
use bartizan_policy::Policy;
use proptest::prelude::*;

use crate::helpers::{finding, input, output, report};

fn findings() -> impl Strategy<Value = Vec<Finding>> {
    let one = (
        0..Category::ALL.len(),
        0..Severity::ALL.len(),
        0.0_f32..=1.0,
    )
        .prop_map(|(category, severity, confidence)| {
            finding(Category::ALL[category], Severity::ALL[severity], confidence)
        });
    proptest::collection::vec(one, 0..12)
}

proptest! {
    #[test]
    fn more_findings_never_make_it_milder(a in findings(), b in findings()) {
        let policy = Policy::default();
        for cx in [input(), output()] {
            let alone = policy.decide(&report(a.clone()), &cx);
            let both = policy.decide(&report(a.iter().chain(&b).cloned()), &cx);
            prop_assert!(both.enforced() >= alone.enforced());
            prop_assert!(both.score <= alone.score);
        }
    }

    #[test]
    fn the_order_of_findings_does_not_matter(mut a in findings()) {
        let policy = Policy::default();
        let forwards = policy.decide(&report(a.clone()), &output());
        a.reverse();
        let backwards = policy.decide(&report(a), &output());
        prop_assert_eq!(forwards.enforced(), backwards.enforced());
        prop_assert_eq!(forwards.score.to_bits(), backwards.score.to_bits());
        prop_assert_eq!(forwards.refusal, backwards.refusal);
    }

    #[test]
    fn the_verdict_is_the_join_of_single_verdicts_on_input(a in findings()) {
        let policy = Policy::default();
        let joined = a
            .iter()
            .map(|finding| policy.decide(&report([finding.clone()]), &input()).enforced())
            .fold(Verdict::Allow, Verdict::join);
        prop_assert_eq!(policy.decide(&report(a), &input()).enforced(), joined);
    }

    #[test]
    fn shadow_changes_nothing_but_what_is_enforced(a in findings()) {
        let shadow = Policy::from_yaml("shadow: true").unwrap();
        let (would, does) = (shadow.decide(&report(a.clone()), &input()), Policy::default().decide(&report(a), &input()));
        prop_assert_eq!(would.verdict(), does.enforced());
        prop_assert_eq!(would.enforced(), Verdict::Allow);
    }

    #[test]
    fn any_text_is_a_policy_or_an_error(text in "[a-z:{}\\[\\]\\-,' \n0-9.]{0,80}") {
        let _ = Policy::from_yaml(&text);
    }
}
