use bartizan_core::{Category, CheckError, Layer, Origin, Report, Severity, Verdict};
use bartizan_policy::{
    Band, Decision, DecisionContext, Direction, GapCause, Policy, Record, RefusalKey, Refused,
    Subject,
};

use crate::helpers::{covered, finding, input, named, output, report, today};

fn policy(yaml: &str) -> Policy {
    Policy::from_yaml(yaml).unwrap()
}

fn verdict(
    category: Category,
    severity: Severity,
    confidence: f32,
    cx: &DecisionContext<'_>,
) -> Verdict {
    let report = report([finding(category, severity, confidence)]);
    Policy::default().decide(&report, cx).enforced()
}

#[test]
fn the_built_in_rows() {
    use Category::*;
    use Severity::*;
    use Verdict::*;
    for (category, severity, confidence, expected) in [
        (Injection, High, 0.85, Block),
        (Injection, High, 0.5, Ask),
        (Jailbreak, High, 0.4, Allow),
        (PromptExtraction, Medium, 0.8, Block),
        (ToolHijack, High, 0.79, Ask),
        (Exfiltration, Critical, 0.9, Block),
        (Pii, Medium, 0.9, Redact),
        (Pii, Medium, 0.4, Allow),
        (Pii, Info, 1.0, Allow),
        (Secret, Critical, 0.9, Redact),
        (Obfuscation, Low, 1.0, Allow),
        (Obfuscation, High, 0.95, Block),
        (Shape, High, 1.0, Block),
        (Amplification, Medium, 0.7, Ask),
        (Session, High, 0.9, Block),
        (Custom, High, 0.9, Block),
    ] {
        assert_eq!(
            verdict(category, severity, confidence, &input()),
            expected,
            "{category} {confidence}"
        );
    }
    for (category, severity, confidence, expected) in [
        (SinkHazard, Medium, 0.9, Redact),
        (SinkHazard, High, 0.9, Block),
        (SinkHazard, Low, 1.0, Allow),
        (Leak, High, 0.9, Block),
        (Pii, High, 0.9, Redact),
        (Exfiltration, High, 0.9, Block),
    ] {
        assert_eq!(
            verdict(category, severity, confidence, &output()),
            expected,
            "{category} {confidence}"
        );
    }
}

#[test]
fn in_14_foreign_text_is_trusted_less_and_the_operator_more() {
    let by = |origin| DecisionContext::new(Direction::Input, origin, today());
    let at =
        |origin, confidence| verdict(Category::Injection, Severity::High, confidence, &by(origin));
    assert_eq!(at(Origin::Retrieved, 0.75), Verdict::Block);
    assert_eq!(at(Origin::Tool, 0.45), Verdict::Ask);
    assert_eq!(at(Origin::User, 0.75), Verdict::Ask);
    assert_eq!(at(Origin::System, 1.0), Verdict::Allow);
}

#[test]
fn a_canary_in_an_answer_is_blocked() {
    let leak = named("leak.canary", Category::Leak, Severity::Critical, 0.4);
    let decision = Policy::default().decide(&report([leak]), &output());
    assert_eq!(decision.enforced(), Verdict::Block);
    assert_eq!(decision.reasons[0].row, "default.leak-canary");
}

#[test]
fn in_18_each_action_can_be_chosen_per_rule_and_is_named() {
    for (threshold, expected) in [
        ("flag: 0.1", Verdict::Allow),
        ("redact: 0.1", Verdict::Redact),
        ("ask: 0.1", Verdict::Ask),
        ("block: 0.1", Verdict::Block),
    ] {
        let policy = policy(&format!(
            "rows:\n  - name: mine\n    rule: ['test.inj*']\n    {threshold}\n"
        ));
        let decision = policy.decide(
            &report([finding(Category::Injection, Severity::High, 0.9)]),
            &input(),
        );
        assert_eq!(decision.enforced(), expected);
        assert_eq!(
            (decision.reasons[0].row.as_str(), decision.reasons[0].action),
            ("mine", expected)
        );
    }
}

#[test]
fn the_first_row_that_fits_decides() {
    let policy = policy(
        "rows:
  - { name: chat-pii, category: [pii], route: ['chat*'], tenant: [acme], block: 0.5 }
  - { name: no-pii, category: [pii], severity: high, ignore: true }
",
    );
    let pii = || report([finding(Category::Pii, Severity::High, 0.9)]);
    let at = |route, tenant| DecisionContext {
        route,
        tenant,
        ..input()
    };
    assert_eq!(
        policy.decide(&pii(), &at("chat-1", "acme")).enforced(),
        Verdict::Block
    );
    let ignored = policy.decide(&pii(), &at("chat-1", "other"));
    assert_eq!(ignored.enforced(), Verdict::Allow);
    assert!(ignored.reasons.is_empty());
}

#[test]
fn co_07_a_layer_that_did_not_finish_does_what_is_configured() {
    let broken = |findings: Vec<_>| Report {
        findings,
        coverage: vec![
            covered(Layer::Rules, Ok(())),
            covered(Layer::Judge, Err(CheckError::Unavailable("timeout".into()))),
        ],
    };
    let weak = || vec![finding(Category::Injection, Severity::High, 0.35)];
    for (mode, findings, expected) in [
        ("closed", vec![], Verdict::Block),
        ("open", vec![], Verdict::Allow),
        ("open", weak(), Verdict::Allow),
        ("degrade", vec![], Verdict::Allow),
        ("degrade", weak(), Verdict::Ask),
    ] {
        let policy = policy(&format!("layers: {{ judge: {{ on-incomplete: {mode} }} }}"));
        let decision = policy.decide(&broken(findings), &input());
        assert_eq!(decision.enforced(), expected, "{mode}");
        assert_eq!(decision.gaps[0].cause, GapCause::Unavailable);
    }
    let closed = Policy::default().decide(&broken(vec![]), &input());
    assert_eq!(closed.enforced(), Verdict::Block, "closed by default");
    assert_eq!(closed.refusal, Some(RefusalKey::Incomplete));
    let alone = Report {
        findings: vec![],
        coverage: vec![covered(Layer::Judge, Err(CheckError::Stopped))],
    };
    let degrade = policy("layers: { judge: { on-incomplete: degrade } }");
    assert_eq!(
        degrade.decide(&alone, &input()).enforced(),
        Verdict::Block,
        "nobody stands in"
    );
}

#[test]
fn co_07_what_nobody_looked_at_is_never_let_through() {
    let open = policy("layers: { rules: { on-incomplete: open } }");
    assert_eq!(
        open.decide(&Report::default(), &input()).enforced(),
        Verdict::Block
    );
    assert_eq!(open.decide_parts(&[], &input()).enforced(), Verdict::Block);
    let required = policy("layers: { classifier: { required: true } }");
    let decision = required.decide(&report([]), &input());
    assert_eq!(decision.enforced(), Verdict::Block);
    assert_eq!(
        (decision.gaps[0].layer, decision.gaps[0].cause),
        (Some(Layer::Classifier), GapCause::Absent)
    );
}

#[test]
fn a_layer_that_is_off_does_not_count() {
    let policy = policy("layers: { rules: { enabled: false } }");
    let mut report = report([finding(Category::Injection, Severity::High, 1.0)]);
    report.coverage = vec![
        covered(Layer::Rules, Err(CheckError::Stopped)),
        covered(Layer::Shape, Ok(())),
    ];
    let decision = policy.decide(&report, &input());
    assert_eq!(decision.verdict(), Verdict::Allow);
    assert!(decision.gaps.is_empty());
}

#[test]
fn in_23_shadow_lets_pass_and_tells_what_would_have_been() {
    for yaml in [
        "shadow: true",
        "layers: { rules: { shadow: true } }",
        "shadow-rules: ['test.*']",
    ] {
        let decision = policy(yaml).decide(
            &report([finding(Category::Injection, Severity::High, 0.9)]),
            &input(),
        );
        assert_eq!(
            (decision.verdict(), decision.enforced()),
            (Verdict::Block, Verdict::Allow),
            "{yaml}"
        );
        assert_eq!(decision.refusal, None);
    }
    let both = report([
        finding(Category::Injection, Severity::High, 0.9),
        finding(Category::Pii, Severity::High, 0.9),
    ]);
    let decision = policy("shadow-rules: [test.injection]").decide(&both, &input());
    assert_eq!(
        (decision.verdict(), decision.enforced()),
        (Verdict::Block, Verdict::Redact)
    );
    assert_eq!(decision.redactions().count(), 1);
}

#[test]
fn in_23_exceptions_hold_until_their_day() {
    let hash = "0123456789abcdef0123456789abcdef";
    let yaml = format!(
        "allow:
  - {{ rule: test.injection, text: {hash}, reason: our slogan, expires: '2026-11-21' }}
  - {{ rule: 'test.*', tenant: acme, reason: red team, expires: '2026-11-20' }}
"
    );
    let policy = policy(&yaml);
    let attack = report([finding(Category::Injection, Severity::High, 0.9)]);
    let same = |_: u32, _: &bartizan_core::Finding| Some(hash.to_owned());
    let known = policy.decide(
        &attack,
        &DecisionContext {
            text_hash: Some(&same),
            ..input()
        },
    );
    assert_eq!(known.enforced(), Verdict::Allow);
    assert_eq!((known.reasons[0].exception, known.score), (Some(0), 1.0));
    let other = policy.decide(&attack, &input());
    assert_eq!(other.enforced(), Verdict::Block, "another text");
    let expired = policy.decide(
        &attack,
        &DecisionContext {
            tenant: "acme",
            ..input()
        },
    );
    assert_eq!(expired.enforced(), Verdict::Block, "expired yesterday");
    assert_eq!(expired.warnings, policy.warnings(today()));
    assert_eq!(
        expired.warnings[0].to_string(),
        "entry 1 of `allow` for `test.*` expired on 2026-11-20 and is ignored; renew or remove it"
    );
}

#[test]
fn ws_76_every_band_of_the_score_is_reached() {
    let mut seen = std::collections::BTreeSet::new();
    for step in 0..=100 {
        let confidence = step as f32 / 100.0;
        let decision = Policy::default().decide(
            &report([finding(Category::Custom, Severity::High, confidence)]),
            &output(),
        );
        seen.insert((decision.score * 1000.0) as u32);
        let expected = match decision.score {
            score if score >= 0.9 => Band::Serve,
            score if score >= 0.7 => Band::Review,
            _ => Band::Block,
        };
        assert_eq!(decision.band, expected);
    }
    assert!(seen.len() > 50, "continuous: {}", seen.len());
    assert!(
        seen.iter().any(|score| (700..900).contains(score)),
        "review is reached"
    );
    assert!(seen.iter().any(|score| *score < 700) && seen.iter().any(|score| *score >= 900));
    // Two witnesses of which each alone is only reviewed.
    let one = finding(Category::Custom, Severity::High, 0.45);
    let mut two = finding(Category::Leak, Severity::High, 0.45);
    two.layer = Layer::Leak;
    let alone = Policy::default().decide(&report([one.clone()]), &output());
    assert_eq!((alone.band, alone.enforced()), (Band::Review, Verdict::Ask));
    let together = Policy::default().decide(&report([one, two]), &output());
    assert_eq!(
        (together.band, together.enforced()),
        (Band::Block, Verdict::Block)
    );
}

#[test]
fn out_08_what_is_redacted_does_not_lower_the_score() {
    let decision = Policy::default().decide(
        &report([finding(Category::Pii, Severity::Critical, 0.9)]),
        &output(),
    );
    assert_eq!(
        (decision.score, decision.enforced()),
        (1.0, Verdict::Redact)
    );
}

#[test]
fn jb_07_suspicion_lowers_the_thresholds_of_attacks_only() {
    let wary = DecisionContext {
        threshold_factor: 0.5,
        ..input()
    };
    assert_eq!(
        verdict(Category::Injection, Severity::High, 0.45, &wary),
        Verdict::Block
    );
    assert_eq!(
        verdict(Category::Pii, Severity::High, 0.45, &wary),
        Verdict::Allow
    );
    for odd in [f32::NAN, 7.0] {
        let cx = DecisionContext {
            threshold_factor: odd,
            ..input()
        };
        assert_eq!(
            verdict(Category::Injection, Severity::High, 0.8, &cx),
            Verdict::Block
        );
    }
}

#[test]
fn jb_03_co_11_refusals_are_the_same_for_a_category_and_reveal_nothing() {
    let policy = Policy::default();
    let refuse = |rule: &str| {
        let finding = named(rule, Category::Jailbreak, Severity::High, 0.9);
        let key = policy.decide(&report([finding]), &input()).refusal.unwrap();
        policy.refusal(key, "en").to_owned()
    };
    assert_eq!(refuse("prompt.dan"), refuse("prompt.developer-mode"));
    assert_eq!(refuse("prompt.dan"), "I can't help with this request.");
}

#[test]
fn ws_28_ws_09_a_decision_holds_no_content() {
    let decision = Policy::default().decide(
        &report([finding(Category::Injection, Severity::High, 0.9)]),
        &input(),
    );
    let json = serde_json::to_string(&decision).unwrap();
    for text in [json, format!("{decision:?}")] {
        assert!(!text.contains("SECRETWORD"));
    }
}

#[test]
fn in_28_a_decision_explains_itself() {
    let decision = Policy::default().decide(
        &report([finding(Category::Injection, Severity::High, 0.9)]),
        &input(),
    );
    let mut json = serde_json::to_value(&decision).unwrap();
    assert_eq!(json["policy_version"].as_str().unwrap().len(), 64);
    json["policy_version"] = "[version]".into();
    insta::assert_snapshot!(json, @r#"
{"verdict":"block","enforced":"block","score":0.550000011920929,"band":"block","reasons":[{"part":0,"origin":"user","rule":"test.injection","layer":"rules","category":"injection","severity":"high","confidence":0.8999999761581421,"span":{"start":3,"end":9},"text_hash":null,"action":"block","row":"default.attack-by-user","exception":null,"shadow":false,"stands_in":false}],"gaps":[],"warnings":[],"refusal":"injection","parts":[{"part":0,"origin":"user","complete":["rules"],"incomplete":[]}],"context":{"direction":"input","route":"","tenant":"","today":"2026-11-21","threshold_factor":1.0},"policy_version":"[version]"}
"#);
}

#[test]
fn in_29_a_stored_decision_can_be_replayed() {
    let policy = policy(
        "allow:\n  - { rule: test.pii, origin: user, reason: r, expires: '2027-01-01' }\nlayers: { judge: { on-incomplete: degrade } }",
    );
    let mut report = report([
        finding(Category::Injection, Severity::High, 0.55),
        finding(Category::Pii, Severity::High, 0.9),
        finding(Category::Custom, Severity::Low, 0.1),
    ]);
    report.coverage.push(covered(
        Layer::Judge,
        Err(CheckError::Exhausted {
            limit: "max-steps",
            at: 1,
        }),
    ));
    let decision = policy.decide(
        &report,
        &DecisionContext {
            route: "r",
            threshold_factor: 0.9,
            ..input()
        },
    );
    let stored = serde_json::to_string(&decision).unwrap();
    let record: Record = serde_json::from_str(&stored).unwrap();
    assert_eq!(record.policy_version, policy.version());
    let again: Decision = policy.replay(&record);
    assert_eq!(again, decision);
    assert_ne!(
        Policy::default().replay(&record).enforced(),
        decision.enforced(),
        "another policy decides otherwise"
    );
}

#[test]
fn a_permit_needs_a_decision_of_this_policy() {
    let policy = Policy::default();
    let clean = policy.decide(&report([]), &input());
    assert_eq!(*policy.admit("request", &clean).unwrap().get(), "request");
    let redact = policy.decide(
        &report([finding(Category::Pii, Severity::High, 0.9)]),
        &input(),
    );
    assert!(matches!(
        policy.admit("request", &redact),
        Err(Refused::Verdict {
            verdict: Verdict::Redact,
            ..
        })
    ));
    assert_eq!(
        policy
            .admit_redacted("edited", &redact)
            .unwrap()
            .into_inner(),
        "edited"
    );
    let block = policy.decide(
        &report([finding(Category::Injection, Severity::High, 0.9)]),
        &input(),
    );
    assert!(policy.admit_redacted("request", &block).is_err());
    let other = Policy::from_yaml("shadow: true").unwrap();
    assert!(matches!(
        other.admit("request", &clean),
        Err(Refused::OtherPolicy { .. })
    ));
}

#[test]
fn parts_are_decided_together() {
    let (clean, attack) = (
        report([]),
        report([finding(Category::Injection, Severity::High, 0.75)]),
    );
    let subjects = [
        Subject {
            part: 0,
            origin: Origin::User,
            report: &clean,
        },
        Subject {
            part: 7,
            origin: Origin::Tool,
            report: &attack,
        },
    ];
    let decision = Policy::default().decide_parts(&subjects, &input());
    assert_eq!(decision.enforced(), Verdict::Block);
    assert_eq!(decision.reasons[0].evidence.part, 7);
    assert_eq!(decision.reasons[0].row, "default.attack-in-foreign-text");
}
