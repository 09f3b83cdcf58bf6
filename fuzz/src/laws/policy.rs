use std::borrow::Cow;

use bartizan_core::{
    Category, Confidence, Coverage, Direction, Finding, Layer, Origin, Report, Rule, RuleRef,
    Severity, Span,
};
use bartizan_policy::{DecisionContext, Policy};

/// Policy files: every mistake has a place in the file; with what loads, one more finding never
/// makes the verdict milder, and the same report gives the same decision.
pub fn policy(data: &[u8]) {
    let yaml = String::from_utf8_lossy(data);
    let policy = match Policy::from_yaml(&yaml) {
        Ok(policy) => policy,
        Err(error) => {
            assert!(!error.mistakes.is_empty());
            for mistake in &error.mistakes {
                assert!(!mistake.to_string().is_empty());
                if let Some(bytes) = &mistake.bytes {
                    assert!(yaml.get(bytes.clone()).is_some(), "{bytes:?}");
                }
            }
            return;
        }
    };
    assert_eq!(
        Policy::from_yaml(&yaml)
            .expect("it loaded before")
            .version(),
        policy.version()
    );
    let today = "2026-11-21".parse().expect("a day");
    for direction in [Direction::Input, Direction::Output] {
        let mut cx = DecisionContext::new(direction, Origin::User, today);
        cx.route = "chat";
        cx.tenant = "acme";
        let mut report = Report {
            findings: Vec::new(),
            coverage: vec![Coverage {
                check: "rules",
                layer: Layer::Rules,
                outcome: Ok(()),
            }],
        };
        let mut last = policy.decide(&report, &cx);
        for (number, category) in Category::ALL.into_iter().enumerate() {
            report.findings.push(finding(number, category));
            let next = policy.decide(&report, &cx);
            assert!(
                next.enforced() >= last.enforced(),
                "milder after {category}"
            );
            assert!(next.score <= last.score, "safer after {category}");
            assert!((0.0..=1.0).contains(&next.score));
            last = next;
        }
        let again = policy.decide(&report, &cx);
        assert_eq!(again.enforced(), last.enforced());
    }
}

fn finding(number: usize, category: Category) -> Finding {
    Finding {
        rule: RuleRef::Shared(std::sync::Arc::new(Rule {
            id: format!("test.{category}").into(),
            title: Cow::Borrowed("a rule"),
            severity: Severity::ALL[number % Severity::ALL.len()],
            category,
            refs: Cow::Borrowed(&[]),
            why: Cow::Borrowed(""),
            fix: Cow::Borrowed(""),
            entity: None,
        })),
        layer: Layer::Rules,
        confidence: Confidence::clamped((number % 11) as f32 / 10.0),
        span: Span::new(3, 9),
        via: Vec::new(),
        message: Cow::Borrowed("a finding"),
    }
}
