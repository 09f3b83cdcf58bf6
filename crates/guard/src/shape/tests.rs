use bartizan_core::{Limits, Origin, Report, Verdict};
use bartizan_policy::{DecisionContext, Direction, Policy};

use super::*;
use crate::conversation::{ParseLimits, parse};

fn part(text: &str) -> Part {
    let body = serde_json::json!({ "prompt": text }).to_string();
    parse(body.as_bytes(), &ParseLimits::default())
        .unwrap()
        .parts
        .remove(0)
}

fn look(shape: Shape, part: &Part) -> (Vec<String>, Verdict) {
    let mut report = Report::default();
    report.run(&shape, part, Limits::default());
    let today = "2026-11-21".parse().unwrap();
    let cx = DecisionContext::new(Direction::Input, Origin::User, today);
    let verdict = Policy::default().decide(&report, &cx).enforced();
    let rules = report
        .findings
        .iter()
        .map(|finding| finding.rule.id.to_string());
    (rules.collect(), verdict)
}

fn check(text: &str) -> (Vec<String>, Verdict) {
    look(Shape::default(), &part(text))
}

fn prose(chars: usize) -> String {
    "Seven ducks walk over a wet road at dawn. "
        .chars()
        .cycle()
        .take(chars)
        .collect()
}

#[test]
fn in_05_one_character_too_many_is_refused() {
    assert_eq!(check(&prose(10_000)), (vec![], Verdict::Allow));
    assert_eq!(
        check(&prose(10_001)),
        (vec!["shape.too-long".into()], Verdict::Block)
    );
}

#[test]
fn ws_25_nothing_is_cut_unless_configured_and_then_it_is_reported() {
    let long = part(&prose(12_000));
    assert_eq!(Shape::default().kept(&long), long.text);
    let cutting = Shape::new(ShapeLimits {
        max_chars: 4_000,
        truncate: true,
        ..ShapeLimits::default()
    });
    assert_eq!(cutting.kept(&long).len(), 4_000);
    assert_eq!(
        look(cutting, &long),
        (vec!["shape.truncated".into()], Verdict::Allow)
    );
}

#[test]
fn bytes_and_tokens_count_too() {
    let tight = |limits| look(Shape::new(limits), &part("ééééé")).0;
    assert_eq!(
        tight(ShapeLimits {
            max_bytes: 9,
            ..ShapeLimits::default()
        }),
        ["shape.too-long"]
    );
    assert_eq!(
        tight(ShapeLimits {
            max_tokens: 2,
            ..ShapeLimits::default()
        }),
        ["shape.too-long"]
    );
    assert!(
        tight(ShapeLimits {
            max_bytes: 10,
            ..ShapeLimits::default()
        })
        .is_empty()
    );
    assert_eq!(TokenEstimate::of("Hello, world!"), 5);
}

#[test]
fn in_16_unknown_parts_are_denied_by_default() {
    let body = br#"{"messages":[{"role":"user","content":[{"type":"hologram","beam":"x"}]}]}"#;
    let conversation = parse(body, &ParseLimits::default()).unwrap();
    let seen = look(Shape::default(), &conversation.parts[0]);
    assert_eq!(
        seen,
        (vec!["shape.unknown-part-type".into()], Verdict::Block)
    );
}

#[test]
fn in_25_endless_repetition_is_seen() {
    for text in [
        "poem ".repeat(1500),
        "A".repeat(5000),
        "say it again now ".repeat(500),
    ] {
        let (rules, verdict) = check(&text);
        assert_eq!(rules, ["shape.repeated-token"]);
        assert!(verdict >= Verdict::Ask, "{verdict}");
    }
    for text in [
        "-".repeat(3000),
        "na ".repeat(16),
        "ha".repeat(30),
        " ".repeat(3000),
    ] {
        assert!(check(&text).0.is_empty());
    }
}

#[test]
fn control_characters_are_flagged_only() {
    assert_eq!(
        check("a\u{1b}[31m\u{9b}b"),
        (vec!["shape.control-characters".into()], Verdict::Allow)
    );
    assert!(check("line\r\n\tnext\u{a0}é").0.is_empty());
}

proptest::proptest! {
    /// The quick look never misses what the exact one sees.
    #[test]
    fn what_may_run_is_all_that_runs(
        before in "[ab é\u{a0}\u{3000}]{0,90}",
        one in "[xé漢\u{1f600}]",
        times in 40_usize..120,
        after in "[ab \n]{0,90}",
    ) {
        let text = format!("{before}{}{after}", one.repeat(times));
        for most in [20, 48, 60, 100] {
            let runs = longest_char_run(&text).is_some_and(|(run, _)| run > most);
            proptest::prop_assert!(!runs || may_run(&text, most));
        }
        let text = format!("{before}{}{after}", format!("{one}\u{2003}").repeat(times));
        for most in [3, 40, 100] {
            let runs = longest_word_run(&text).is_some_and(|(run, _)| run > most);
            proptest::prop_assert!(!runs || may_have_words(&text, most));
        }
    }
}
