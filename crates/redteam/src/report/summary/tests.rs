use bartizan_core::{Layer, Verdict};

use super::*;
use crate::{
    Attempt, Evidence, LayerSet, Reply, Scorer, Seen, Target, TargetError,
    report::{garak, junit, layer_table, markdown, sarif, stack, trend},
    run::run,
};

/// Rules stop what says `rules`, the classifier what says `odd`; `break` breaks.
struct Two;

impl Target for Two {
    fn ask(&self, attempt: &Attempt<'_>) -> Result<Reply, TargetError> {
        let text = &attempt.turns.last().ok_or(TargetError::Form)?.text;
        if text.contains("break") {
            return Err(TargetError::Incomplete);
        }
        let mut evidence = Vec::new();
        for (word, layer) in [("rules", Layer::Rules), ("odd", Layer::Classifier)] {
            if text.contains(word) {
                evidence.push(Evidence {
                    needs: LayerSet::of(layer),
                    verdict: Verdict::Block,
                    confidence: 0.9,
                });
            }
        }
        Ok(Reply::Decided(Seen {
            verdict: evidence
                .iter()
                .map(|one| one.verdict)
                .max()
                .unwrap_or_default(),
            evidence,
            asked: [Layer::Rules, Layer::Classifier].into_iter().collect(),
            costs: vec![(Layer::Rules, 10), (Layer::Classifier, 30)],
        }))
    }
}

const SUITE: &str = "
suite: s
licence: Apache-2.0
family: injection.direct
tests:
  - {id: a, text: 'rules {canary}'}
  - {id: b, text: 'odd {canary}'}
  - {id: c, text: 'other {canary}', language: de}
  - {id: d, text: 'break {canary}'}
  - {id: e, family: control.benign, text: good morning}
  - {id: f, family: control.hard-benign, text: an odd morning}
";

fn report() -> Report {
    let suites = [Suite::from_yaml(SUITE).unwrap()];
    let plan = Plan {
        tests: suites[0].tests.iter().collect(),
        chains: vec![Chain::default(), "upper-case".parse().unwrap()],
        repeat: 1,
        seed: 1,
    };
    let guard = bartizan_guard::Guard::standard(
        &bartizan_guard::Settings::default(),
        bartizan_text::rules::RuleSet::builtin(),
    )
    .unwrap();
    let done = run(&plan, &Two, &Scorer::new(&guard), 2, &|_, _| true);
    let setting = Setting {
        target: "two",
        rules_version: None,
        suites: &suites,
        seconds: 1.0,
    };
    let mut report = summarise(&plan, &done, &setting);
    let stack = stack(&plan, &done);
    report.layers = Some(layer_table(&plan, &done, &stack, &[], 0.7));
    report
}

#[test]
fn numbers_are_those_by_hand() {
    let report = report();
    // Three tests as they are and three in capitals, which nobody sees; `break` is in no rate.
    assert_eq!(report.attempts, 10);
    let family = &report.families[0];
    assert_eq!((family.attempts, family.failed, family.errors), (7, 5, 1));
    let value = |number: Option<Number>| number.unwrap().value;
    assert_eq!(value(report.bypassed_plain), 1.0 / 3.0);
    assert_eq!(value(report.false_positives), 0.0);
    assert_eq!(value(report.false_positives_hard), 1.0);
    assert!(!report.complete);
    assert_eq!(report.errors[0].attempts, 1);
    assert_eq!(report.by_chain[0].name, "upper-case");
    let languages: Vec<&str> = report.languages.iter().map(|group| &*group.name).collect();
    assert_eq!(languages, ["de", "en"]);
    // 5 of 7 is likely, high is 4, and nothing saw them.
    let risk = &report.risks[0];
    assert_eq!(
        (risk.likelihood, risk.impact, risk.detectability),
        (5, 4, 5)
    );
    assert_eq!(
        (risk.score, risk.priority.as_str(), risk.hours),
        (100, "P0", 24)
    );
    assert_eq!(report.failures.len(), 6);
}

#[test]
fn the_table_of_layers_is_that_by_hand() {
    let table = report().layers.unwrap();
    assert_eq!((table.attacks, table.controls), (7, 2));
    let rows: Vec<(&str, f64)> = table
        .layers
        .iter()
        .map(|row| (row.layer.as_str(), row.passed_alone.unwrap().value))
        .collect();
    assert_eq!(rows, [("rules", 6.0 / 7.0), ("classifier", 6.0 / 7.0)]);
    assert!((table.heat[0].stopped_by_all - 2.0 / 7.0).abs() < 1e-12);
    assert_eq!(table.cheapest, None);
    assert_eq!(table.front.len(), 3);
}

#[test]
fn trends_name_what_is_new() {
    let (mut before, now) = (report(), report());
    before.failures.remove(0);
    let trend = trend(&before, &now);
    assert_eq!((trend.newly_failed.len(), trend.mended.len()), (1, 0));
    assert!(trend.families.iter().all(|row| row.change == "same"));
}

#[test]
fn failures_that_are_not_listed_are_said_to_be_left_out() {
    let mut report = report();
    report.errors.clear();
    let successful = |report: &Report| -> serde_json::Value {
        let log: serde_json::Value = serde_json::from_str(&sarif(report)).unwrap();
        log["runs"][0]["invocations"][0]["executionSuccessful"].clone()
    };
    assert_eq!(successful(&report), true);
    report.failures_left_out = 2;
    assert_eq!(successful(&report), false);
    assert_eq!(trend(&report, &report).left_out, 4);
    assert!(garak(&report, "r").contains("\"attempts_left_out\":2"));
}

#[test]
fn a_failed_pair_is_no_attack_in_sarif() {
    let mut report = report();
    report.failures.truncate(1);
    let text = |report: &Report| -> String {
        let log: serde_json::Value = serde_json::from_str(&sarif(report)).unwrap();
        let message = &log["runs"][0]["results"][0]["message"]["text"];
        message.as_str().unwrap().to_owned()
    };
    assert!(text(&report).starts_with("an attack reached its goal: "));
    report.failures[0].family = "bias.pair".to_owned();
    assert!(!text(&report).contains("attack reached"));
}

#[test]
fn a_report_is_read_back() {
    let report = report();
    let text = serde_json::to_string(&report).unwrap();
    let read: Report = serde_json::from_str(&text).unwrap();
    assert_eq!(read.failures, report.failures);
    assert_eq!(read.risks, report.risks);
    assert_eq!(trend(&read, &report).newly_failed, Vec::<String>::new());
}

#[test]
fn other_forms_say_the_same() {
    let report = report();
    let text = junit(&report);
    assert!(text.contains("tests=\"") && text.contains("failures=\""));
    assert_eq!(text.matches("<testcase ").count(), report.families.len());
    let text = markdown(&report);
    assert!(text.contains("| injection.direct | 5 of 7 |"), "{text}");
    let log: serde_json::Value = serde_json::from_str(&sarif(&report)).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), report.failures.len());
    let lines: Vec<serde_json::Value> = garak(&report, "7e1c0c8e-0000-4000-8000-000000000000")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.iter().all(|line| line["entry_type"].is_string()));
    let evals: Vec<_> = lines
        .iter()
        .filter(|line| line["entry_type"] == "eval")
        .collect();
    assert_eq!(evals[0]["passed"], 2);
    assert_eq!(evals[0]["total_evaluated"], 7);
}

#[test]
fn answers_are_not_in_any_form() {
    // What a report holds is ids and numbers: the texts of the suite stand in none of its forms.
    let report = report();
    let json = serde_json::to_string(&report).unwrap();
    for text in [
        json,
        markdown(&report),
        junit(&report),
        sarif(&report),
        garak(&report, "x"),
    ] {
        assert!(
            !text.contains("good morning") && !text.contains("other "),
            "{text}"
        );
    }
}
