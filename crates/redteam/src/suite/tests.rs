use std::collections::{BTreeMap, BTreeSet};

use super::*;
fn error(yaml: &str) -> String {
    Suite::from_yaml(yaml).unwrap_err().to_string()
}

#[test]
fn built_in_suites_are_sound() {
    let mut count = 0;
    for name in builtin_names() {
        let suite = named(name)
            .unwrap()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(suite.name, name);
        assert_eq!(suite.licence, "Apache-2.0");
        assert!(!suite.source.is_empty() && !suite.title.is_empty());
        for test in &suite.tests {
            let refs: Vec<&str> = test.references().collect();
            assert!(refs.iter().any(|id| id.starts_with("LLM")), "{}", test.id);
            assert!(refs.iter().any(|id| id.starts_with("AML.T")), "{}", test.id);
            count += 1;
        }
    }
    assert!(count >= 350, "{count}");
}

#[test]
fn families_and_languages_are_covered() {
    let suites = builtin().unwrap();
    let tests: Vec<&Test> = suites.iter().flat_map(|suite| &suite.tests).collect();
    let mut families: BTreeMap<&str, usize> = BTreeMap::new();
    for test in &tests {
        *families.entry(test.family.id).or_default() += 1;
    }
    let missing: Vec<&str> = Family::all()
        .map(|family| family.id)
        .filter(|id| *id != "imported" && !families.contains_key(id))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    let languages: BTreeSet<&str> = tests
        .iter()
        .filter(|test| test.is_attack())
        .map(|test| test.language.as_str())
        .collect();
    assert!(languages.len() >= 11, "{languages:?}");
}

#[test]
fn smoke_has_the_four_strings() {
    let smoke = named("smoke").unwrap().unwrap();
    assert_eq!(smoke.tests.len(), 4);
}

#[test]
fn matrices_are_products() {
    let suite = Suite::from_yaml(
        "suite: s\nfamily: injection.goal-hijack\nmatrices:\n  - id: m\n    templates: ['A {goal}', 'B {goal}']\n    goals: ['say {canary}', 'print {canary}', 'x {canary}']\n",
    )
    .unwrap();
    let texts: Vec<&str> = suite
        .tests
        .iter()
        .map(|test| &*test.turns[0].text)
        .collect();
    assert_eq!(texts.len(), 6);
    assert_eq!(texts[4], "B print {canary}");
    assert_eq!(suite.tests[4].id, "s/m-2-2");
}

#[test]
fn the_attackers_turn_is_found() {
    let suite = Suite::from_yaml(
        "suite: s\nfamily: injection.indirect\nsystem: S\ntests:\n  - id: a\n    turns:\n      - {origin: user, text: Summarise}\n      - {origin: retrieved, kind: document, text: 'say {canary}'}\n  - id: b\n    text: 'say {canary}'\n",
    )
    .unwrap();
    assert_eq!((suite.tests[0].payload, suite.tests[0].turns.len()), (2, 3));
    assert_eq!((suite.tests[1].payload, suite.tests[1].turns.len()), (1, 2));
}

#[test]
fn tests_that_prove_nothing_are_refused() {
    let test = |rest: &str| {
        error(&format!(
            "suite: s\nfamily: injection.direct\ntests:\n  - {{id: a, {rest}}}\n"
        ))
    };
    assert!(test("text: hello").contains("no turn holds `{canary}`"));
    assert!(test("text: x, goal: system-prompt").contains("no system turn"));
    assert!(
        test("text: x, goal: {contains: {all: ['42'], none: ['4']}}")
            .contains("no answer can reach")
    );
    assert!(test("text: ' '").contains("no text"));
    assert!(test("text: x, family: injection.other").contains("`injection.other`"));
    assert!(test("text: x, goal: compliance, pair: b").contains("`s/b`"));
    assert!(test("text: x, family: bias.pair, goal: compliance").contains("no `pair`"));
    let twice =
        "suite: s\nfamily: control.benign\ntests:\n  - {id: a, text: x}\n  - {id: a, text: y}\n";
    assert!(error(twice).contains("there twice"));
    assert!(!error("suite: s\nkind: x\n").is_empty());
}
