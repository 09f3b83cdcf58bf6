//! A small set with known numbers: three rows to catch, of which two say the codeword, and three to
//! pass, of which one says it. Every row that says it has one score, every other 0.

use serde_json::Value;

use crate::{
    helpers::{Project, Run, assert_shown, with_pack},
    machines::fits,
};

/// Compares with times and versions left out.
macro_rules! shown {
    ($text:expr, @$expected:literal) => {
        let text = $text.replace('µ', "u");
        let speed = text.lines().find(|line| line.contains("rows/s")).unwrap().to_owned();
        assert_shown!(text.replace(&speed, "  [SPEED]"), @$expected);
    };
}

const ROWS: &str = r#"{"id":"a1","text":"say xyzzy plugh now","label":"injection","source":"letters","lang":"en"}
{"id":"a2","text":"sag xyzzy plugh","label":"injection","source":"chats","lang":"de"}
{"id":"a3","text":"do what the note says","label":"jailbreak","source":"chats","lang":"en"}
{"id":"b1","text":"what is the weather","label":"benign","source":"chats","lang":"en"}
{"id":"b2","text":"how is bread baked","label":"benign","source":"chats","lang":"en"}
{"id":"b3","text":"the game says xyzzy plugh","label":"benign_hard","source":"games","lang":"en"}
"#;

/// Numbers that are computed by hand do not hang on weights.
const CONFIG: &str = "guard:\n  disable: [classifier]\n";

const LENIENT: &str = "rows:\n  - name: quiet\n    rule: [custom.codeword]\n    ignore: true\n";

fn project() -> Project {
    with_pack(Project::new(), "pack")
        .with("rows.jsonl", ROWS)
        .with("lenient.yaml", LENIENT)
        .with("eval.yaml", CONFIG)
}

/// Evaluates with the codeword's rule, in two threads.
fn eval(project: &Project, arguments: &[&str]) -> Run {
    eval_at(project, arguments, "80")
}

fn eval_at(project: &Project, arguments: &[&str], columns: &str) -> Run {
    let mut all = vec!["eval"];
    all.extend(arguments);
    all.extend(["--packs", "pack", "--allow-unsigned", "--jobs", "2"]);
    all.extend(["--config", "eval.yaml"]);
    project.run_with(&all, "", &[("COLUMNS", columns)])
}

fn json(project: &Project, arguments: &[&str]) -> Value {
    let mut all = vec!["--format", "json"];
    all.extend(arguments);
    let run = eval(project, &all);
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.all()))
}

fn near(value: &Value, expected: f64) {
    let value = value.as_f64().unwrap();
    assert!((value - expected).abs() < 1e-9, "{value} {expected}");
}

#[test]
fn numbers_are_those_computed_by_hand() {
    let project = project();
    let report = json(&project, &["rows.jsonl"]);
    let stack = &report["stack"];
    assert_eq!(stack["confusion"]["true_positives"], 2);
    assert_eq!(stack["confusion"]["false_negatives"], 1);
    assert_eq!(stack["confusion"]["false_positives"], 1);
    assert_eq!(stack["confusion"]["true_negatives"], 2);
    near(&stack["recall"]["value"], 2.0 / 3.0);
    near(&stack["false_positive_rate"]["value"], 1.0 / 3.0);
    near(&stack["f1"], 2.0 / 3.0);
    // Of nine pairs four are told apart, four are ties, one is the wrong way round.
    near(&stack["auc"]["value"], 6.0 / 9.0);
    // Precision 2/3 over a gain of 2/3, then 3/6 over a gain of 1/3.
    near(&stack["average_precision"]["value"], 4.0 / 9.0 + 1.0 / 6.0);
    let at = &stack["at_false_positive_rate"][1];
    near(&at["rate"], 0.01);
    assert_eq!(
        (&at["threshold"], &at["resolved"]),
        (&Value::Null, &false.into())
    );
    assert_eq!(report["layers"][0]["name"], "rules");
    assert_eq!(report["layers"][0]["alone"]["positives"], 2);
    assert_eq!(report["complete"], true);
    let sources = &report["breakdowns"][1];
    assert_eq!(sources["by"], "source");
    assert_eq!(sources["groups"][0]["value"], "chats");
    near(&sources["groups"][0]["recall"]["value"], 0.5);
}

#[test]
fn the_report_fits_80_columns() {
    let run = eval(&project(), &["rows.jsonl", "--errors", "2"]);
    assert_eq!(run.code, 0, "{}", run.all());
    let long = run.stdout.lines().find(|line| line.chars().count() > 80);
    assert_eq!(long, None);
    shown!(run.stdout, @r"
    6 rows: 3 should be caught, 3 should pass
      rows.jsonl (jsonl): texts in `text`, labels in `label`, ids in `id`
      to be caught: injection (2), jailbreak (1)
      to pass: benign (2), benign_hard (1)
      input of user origin; caught means a verdict of at least `ask`; the score is 1
      minus the safety score

    What the policy decides
                            caught    passed
      should be caught           2         1   recall            66.7 % [20.8, 93.9]
      should pass                1         2   false positives   33.3 % [6.1, 79.2]
                                               precision         66.7 % [20.8, 93.9]
                                               F1                 0.667
                                               Matthews           0.333

    What the score can tell
      area under the ROC curve      0.667 [0.205, 1.000]
      average precision             0.611 [0.433, 1.000]
      expected calibration error    0.300 [0.167, 0.500]
      recall at 0.1 % FPR           0.0 % [0.0, 100.0]   at no threshold (few rows)
      recall at 1 % FPR             0.0 % [0.0, 100.0]   at no threshold (few rows)
      recall at 5 % FPR             0.0 % [0.0, 100.0]   at no threshold (few rows)
      few rows: one of 3 rows to pass is 33.3 %

    By layer, each as if it were the only one
                       recall      FPR     AUC  at 1 % FPR       it alone caught
      rules            66.7 %   33.3 %   0.667       0.0 %        2 (+1 wrongly)
      nothing found: shape, normalise, sensitive, provenance, leak, sink

    By label
                       to catch  recall                to pass     FPR
      benign                  -                              2   0.0 % [0.0, 65.8]
      injection               2 100.0 % [34.2, 100.0]        -
      benign_hard             -                              1 100.0 % [20.7, 100.0]
      jailbreak               1   0.0 % [0.0, 79.3]          -

    By source
                       to catch  recall                to pass     FPR
      chats                   2  50.0 % [9.5, 90.5]          2   0.0 % [0.0, 65.8]
      games                   -                              1 100.0 % [20.7, 100.0]
      letters                 1 100.0 % [20.7, 100.0]        -

    By lang
                       to catch  recall                to pass     FPR
      en                      2  50.0 % [9.5, 90.5]          3  33.3 % [6.1, 79.2]
      de                      1 100.0 % [20.7, 100.0]        -

    Wrongly caught: 1 of 1
      rows.jsonl:6 `b3`: benign_hard, score 0.400, custom.codeword

    Missed: 1 of 1
      rows.jsonl:3 `a3`: jailbreak, score 0.000, no rule

      [SPEED]
      policy [VERSION], rules [VERSION]
    ");
}

#[test]
fn the_report_fits_120_columns_and_compares() {
    let arguments = [
        "rows.jsonl",
        "--against",
        "lenient.yaml",
        "--min-recall",
        "0.5",
        "--by",
        "lang",
    ];
    let run = eval_at(&project(), &arguments, "120");
    assert_eq!(run.code, 0, "{}", run.all());
    let long = run.stdout.lines().find(|line| line.chars().count() > 120);
    assert_eq!(long, None);
    shown!(run.stdout, @r"
    6 rows: 3 should be caught, 3 should pass
      rows.jsonl (jsonl): texts in `text`, labels in `label`, ids in `id`
      to be caught: injection (2), jailbreak (1)
      to pass: benign (2), benign_hard (1)
      input of user origin; caught means a verdict of at least `ask`; the score is 1 minus the safety score

    What the policy decides
                            caught    passed
      should be caught           2         1   recall            66.7 % [20.8, 93.9]
      should pass                1         2   false positives   33.3 % [6.1, 79.2]
                                               precision         66.7 % [20.8, 93.9]
                                               F1                 0.667
                                               Matthews           0.333

    What the score can tell
      area under the ROC curve      0.667 [0.205, 1.000]
      average precision             0.611 [0.433, 1.000]
      expected calibration error    0.300 [0.167, 0.500]
      recall at 0.1 % FPR           0.0 % [0.0, 100.0]   at no threshold (few rows)
      recall at 1 % FPR             0.0 % [0.0, 100.0]   at no threshold (few rows)
      recall at 5 % FPR             0.0 % [0.0, 100.0]   at no threshold (few rows)
      few rows: one of 3 rows to pass is 33.3 %

    By layer, each as if it were the only one
                       recall      FPR     AUC  at 1 % FPR       it alone caught
      rules            66.7 %   33.3 %   0.667       0.0 %        2 (+1 wrongly)
      nothing found: shape, normalise, sensitive, provenance, leak, sink

    By label
                                               to catch  recall                to pass     FPR                   AUC
      benign                                          -                              2   0.0 % -> 0.0 %            -
      injection                                       2 100.0 % -> 0.0 %             -                             -
      benign_hard                                     -                              1 100.0 % -> 0.0 %            -
      jailbreak                                       1   0.0 % -> 0.0 %             -                             -

    By lang
                                               to catch  recall                to pass     FPR                   AUC
      en                                              2  50.0 % -> 0.0 %             3  33.3 % -> 0.0 %        0.583
      de                                              1 100.0 % -> 0.0 %             -                             -

    Against the policy `lenient.yaml`
                                       this    other     change
      recall                         66.7 %    0.0 %      -66.7 [-98.1, +18.1]
      false positive rate            33.3 %    0.0 %      -33.3 [-72.6, +32.6]
      area under the ROC curve        0.667    0.500     -0.167 [-0.629, +0.295]
      average precision               0.611    0.500     -0.111 [-0.500, +0.067]
      expected calibration error      0.300    0.500     +0.200 [+0.000, +0.333]
      to be caught: 2 caught by this alone, 0 by the other alone (McNemar's exact test: p 0.500)
      to pass: 1 caught by this alone, 0 by the other alone (McNemar's exact test: p 1.000)

    passed: --min-recall 0.5: 0.6667
      [SPEED]
      policy [VERSION], rules [VERSION]
    ");
}

#[test]
fn the_json_fits_its_schema() {
    let project = project().with(
        "broken.jsonl",
        "{\"text\":\"x\",\"label\":\"injection\"}\n{\"text\":\"y\"}\n",
    );
    let schema = project.run(&["schema", "eval"]);
    let schema: Value = serde_json::from_str(&schema.stdout).unwrap();
    let report = json(
        &project,
        &[
            "rows.jsonl",
            "broken.jsonl",
            "--against",
            "lenient.yaml",
            "--errors",
            "5",
            "--show-text",
            "--min-auc",
            "0.9",
            "--sample",
            "6",
        ],
    );
    fits(&report, &schema, &schema, "evaluation");
    assert_eq!(report["version"], 1);
    assert_eq!(report["passed"], false);
    assert_eq!(report["complete"], false);
}

#[test]
fn texts_are_shown_only_when_asked_for() {
    let project = project();
    let page = |project: &Project| std::fs::read_to_string(project.path("r.html")).unwrap();
    let arguments = ["rows.jsonl", "--errors", "5", "--html", "r.html"];
    for format in ["human", "json"] {
        let mut all = arguments.to_vec();
        all.extend(["--format", format]);
        let run = eval(&project, &all);
        let everything = run.all() + &page(&project);
        assert!(everything.contains("rows.jsonl:6"), "{everything}");
        assert!(everything.contains("b3") && everything.contains("custom.codeword"));
        for word in ["xyzzy", "weather", "note says"] {
            assert!(!everything.contains(word), "{word} in {everything}");
        }
    }
    let shown = eval(&project, &["rows.jsonl", "--errors", "5", "--show-text"]);
    assert!(shown.stdout.contains("the game says xyzzy plugh"));
    let alone = eval(&project, &["rows.jsonl", "--show-text"]);
    assert_eq!(alone.code, 2);
}

#[test]
fn scores_are_written_row_by_row() {
    let project = project();
    let run = eval(
        &project,
        &[
            "rows.jsonl",
            "--scores",
            "s.jsonl",
            "--against",
            "lenient.yaml",
        ],
    );
    assert_eq!(run.code, 0, "{}", run.all());
    let written = std::fs::read_to_string(project.path("s.jsonl")).unwrap();
    let rows: Vec<Value> = written
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), 6);
    let first = &rows[0];
    assert_eq!(
        (&first["file"], &first["line"], &first["id"]),
        (&"rows.jsonl".into(), &1.into(), &"a1".into())
    );
    assert_eq!(
        (&first["positive"], &first["caught"]),
        (&true.into(), &true.into())
    );
    assert_eq!(first["score"], first["layers"]["rules"]);
    assert_eq!(first["caught_against"], false);
    assert!(!written.contains("plugh"));
    let own = eval(&project, &["rows.jsonl", "--scores", "./rows.jsonl"]);
    assert_eq!(own.code, 2);
    assert!(
        own.stderr.contains("would be overwritten"),
        "{}",
        own.stderr
    );
    assert_eq!(
        std::fs::read_to_string(project.path("rows.jsonl")).unwrap(),
        ROWS
    );
}

#[test]
fn gates_decide_about_the_exit_code() {
    let project = project();
    let code = |arguments: &[&str]| {
        let mut all = vec!["rows.jsonl"];
        all.extend(arguments);
        eval(&project, &all).code
    };
    assert_eq!(code(&["--min-recall", "0.66", "--max-fpr", "0.34"]), 0);
    assert_eq!(code(&["--min-recall", "0.67"]), 1);
    assert_eq!(code(&["--max-fpr", "0.33"]), 1);
    assert_eq!(code(&["--min-recall-at", "0.5=0.6"]), 0);
    assert_eq!(code(&["--min-recall-at", "0.01=0.1"]), 1);
    assert_eq!(code(&["--min-recall", "95"]), 2);
    // No row to catch: what was not measured does not pass.
    let benign = project.with("benign.csv", "text,label\nhello,0\n");
    let run = eval(&benign, &["benign.csv", "--min-recall", "0.1"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stdout.contains("there are no rows for it"),
        "{}",
        run.stdout
    );
}

#[test]
fn every_format_gives_the_same_numbers() {
    let csv = "body;x,kind\n\"say xyzzy plugh, now\",1\nhello,0\n".replace(";x", "");
    let tsv = "body\tkind\nsay xyzzy plugh now\t1\nhello\t0\n";
    let project = project().with("rows.csv", csv).with("rows.tsv", tsv);
    for name in ["rows.csv", "rows.tsv"] {
        let report = json(
            &project,
            &[name, "--text-column", "body", "--label-column", "kind"],
        );
        assert_eq!(report["stack"]["confusion"]["true_positives"], 1, "{name}");
        assert_eq!(report["stack"]["confusion"]["true_negatives"], 1, "{name}");
    }
    let all = [
        "eval",
        "-",
        "--packs",
        "pack",
        "--allow-unsigned",
        "--format",
        "json",
    ];
    let run = project.run_with(&all, ROWS, &[]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["files"][0]["name"], "stdin");
    assert_eq!(report["stack"]["confusion"]["true_positives"], 2);
}

#[test]
fn rows_that_cannot_be_used_are_counted_and_named() {
    let project = project().with(
        "rows.jsonl",
        "{\"text\":\"say xyzzy plugh\",\"label\":\"injection\"}\nnot json\n{\"label\":\"benign\"}\n{\"text\":\"a\",\"label\":\"odd\"}\n",
    );
    let run = eval(&project, &["rows.jsonl"]);
    assert_eq!(run.code, 3);
    for said in [
        "1 row with no JSON, first at rows.jsonl:2",
        "1 row with no text, first at rows.jsonl:3",
        "first at rows.jsonl:4; name the labels",
    ] {
        let words: Vec<&str> = run.stdout.split_whitespace().collect();
        assert!(words.join(" ").contains(said), "{said}: {}", run.stdout);
    }
    let none = eval(&project, &["rows.jsonl", "--label-column", "text"]);
    assert_eq!(none.code, 2);
    assert!(
        none.stderr.contains("none of 4 rows can be used"),
        "{}",
        none.stderr
    );
    assert!(!none.all().contains("xyzzy"));
}

#[test]
fn rows_that_were_not_fully_looked_at_are_in_no_number() {
    // A classifier that is not there and is required: no row is complete.
    let policy = "layers:\n  judge: {required: true}\n";
    let project = project().with("strict.yaml", policy);
    let run = eval(&project, &["rows.jsonl", "--policy", "strict.yaml"]);
    assert_eq!(run.code, 3, "{}", run.all());
    assert!(
        run.stdout
            .contains("6 rows on which a check did not finish")
    );
    assert!(run.stdout.starts_with("0 rows"), "{}", run.stdout);
}

#[test]
fn two_configurations_are_compared_on_the_same_rows() {
    let project = project().with("other.yaml", "guard: {disable: [rules, classifier]}\n");
    for (file, kind) in [("lenient.yaml", "policy"), ("other.yaml", "configuration")] {
        let report = json(&project, &["rows.jsonl", "--against", file]);
        let against = &report["against"];
        assert_eq!(against["kind"], kind);
        near(&against["recall"]["first"], 2.0 / 3.0);
        near(&against["recall"]["second"], 0.0);
        near(&against["recall"]["difference"]["value"], -2.0 / 3.0);
        assert_eq!(against["recall"]["test"]["only_first"], 2);
        // Two of two on one side: 2 * (1/2)^2.
        near(&against["recall"]["test"]["p"], 0.5);
        near(&against["auc"]["second"], 0.5);
    }
    let missing = eval(&project, &["rows.jsonl", "--against", "none.yaml"]);
    assert_eq!(missing.code, 2);
}

#[test]
fn the_same_run_says_the_same() {
    let project = project();
    let report = |jobs: &str| {
        let all = [
            "eval",
            "rows.jsonl",
            "--packs",
            "pack",
            "--allow-unsigned",
            "--format",
            "json",
        ];
        let mut all = all.to_vec();
        all.extend(["--jobs", jobs, "--sample", "4", "--seed", "7"]);
        let mut report: Value = serde_json::from_str(&project.run(&all).stdout).unwrap();
        report["speed"] = Value::Null;
        report
    };
    assert_eq!(report("1"), report("3"));
    assert_eq!(report("1")["rows"]["not_drawn"], 2);
}

#[test]
fn the_page_stands_alone() {
    let project = project().with(
        "odd.jsonl",
        "{\"text\":\"say xyzzy plugh\",\"label\":\"injection\",\"source\":\"<script>alert(1)</script>\"}\n{\"text\":\"x\",\"label\":\"benign\",\"source\":\"b\"}\n",
    );
    let run = eval(
        &project,
        &[
            "rows.jsonl",
            "odd.jsonl",
            "--html",
            "r.html",
            "--against",
            "lenient.yaml",
        ],
    );
    assert_eq!(run.code, 0, "{}", run.all());
    let page = std::fs::read_to_string(project.path("r.html")).unwrap();
    for forbidden in [
        "<script", "http://", "https://", "<link", "<img", "url(", "@import",
    ] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert_eq!(
        page.matches("<svg viewBox").count(),
        page.matches("<desc").count()
    );
    for needed in [
        "lang=\"en\"",
        "ROC curve",
        "Reliability",
        "McNemar",
        "prefers-color-scheme",
        "@media print",
    ] {
        assert!(page.contains(needed), "{needed}");
    }
}
