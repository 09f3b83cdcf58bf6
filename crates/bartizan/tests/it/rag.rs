use crate::helpers::{Project, Run};

const KEY: (&str, &str) = (
    "BARTIZAN_KEY",
    "0000000000000000000000000000000000000000000000000000000000000001",
);

/// A policy under which nothing is ever looked through: a layer that is not there must look.
const UNFINISHED: &str = "layers:\n  transformer:\n    required: true\n";

const LETTER: &str = "Write to jane.doe@example.com about the basic plan.\n";

fn json(run: &Run) -> serde_json::Value {
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn sanitise_prints_no_text_whose_redaction_did_not_finish() {
    let project = Project::new()
        .with("letter.txt", LETTER)
        .with("policy.yaml", UNFINISHED);
    let run = project.run(&["rag", "sanitise", "letter.txt"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.stdout.contains("about the basic plan"), "{}", run.all());
    assert!(!run.stdout.contains("jane.doe"), "{}", run.all());
    let strict = ["rag", "sanitise", "letter.txt", "--policy", "policy.yaml"];
    let run = project.run(&strict);
    assert_eq!((run.code, run.stdout.as_str()), (3, ""), "{}", run.all());
    assert!(
        run.stderr.contains("a check did not finish"),
        "{}",
        run.all()
    );
    let run = project.run(&[&strict[..], &["--format", "json"]].concat());
    assert_eq!(run.code, 3, "{}", run.all());
    assert!(json(&run)["text"].is_null(), "{}", run.stdout);
    let run = project.run(&[&strict[..], &["--keep-personal-data"]].concat());
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, LETTER),
        "{}",
        run.all()
    );
}

#[test]
fn a_grounded_answer_is_shown_without_personal_data_or_not_at_all() {
    let project = Project::new()
        .with("answer.txt", LETTER)
        .with("policy.yaml", UNFINISHED)
        .with(
            "chunks.jsonl",
            serde_json::json!({"id": "a", "text": LETTER}).to_string(),
        );
    let arguments = [
        "rag",
        "answer",
        "answer.txt",
        "--evidence",
        "chunks.jsonl",
        "--format",
        "json",
    ];
    let run = project.run_with(&arguments, "", &[KEY]);
    let shown = json(&run)["subjects"][0]["redacted"].clone();
    let shown = shown.as_str().unwrap();
    assert!(shown.contains("about the basic plan"), "{shown}");
    assert!(!shown.contains("jane.doe"), "{shown}");
    let run = project.run(&[&arguments[..], &["--policy", "policy.yaml"]].concat());
    let report = json(&run);
    assert!(report["subjects"][0]["redacted"].is_null(), "{report:#}");
}

#[cfg(unix)]
#[test]
fn check_says_what_it_did_not_look_at() {
    let project = Project::new()
        .with("store/a.txt", "The basic plan costs 99 dollars.\n")
        .with("outside.txt", "Ordinary words.\n");
    let link = project.path("store/b.txt");
    std::os::unix::fs::symlink(project.path("store/a.txt"), &link).unwrap();
    let run = project.run(&["rag", "check", "store"]);
    assert_eq!(run.code, 0, "{}", run.all());
    let link = project.path("store/c.txt");
    std::os::unix::fs::symlink(project.path("outside.txt"), link).unwrap();
    let run = project.run(&["rag", "check", "store"]);
    assert_eq!(run.code, 3, "{}", run.all());
    assert!(
        run.stderr.contains("not looked at: `store/c.txt`"),
        "{}",
        run.all()
    );
}

#[test]
fn one_place_that_is_not_there_does_not_keep_the_others_from_being_checked() {
    let project = Project::new().with("a.txt", "The basic plan costs 99 dollars.\n");
    let run = project.run(&["rag", "check", "gone", "a.txt"]);
    assert_eq!(run.code, 2, "{}", run.all());
    assert!(run.stdout.contains("a.txt"), "{}", run.all());
}

#[test]
fn a_manifest_is_written_whole_and_verified_without_the_classifiers_weights() {
    let chunk = serde_json::json!({"id": "a", "text": "The basic plan costs 99 dollars."});
    let project = Project::new()
        .with("chunks.jsonl", chunk.to_string())
        .with("bartizan.yaml", "transformer: {folder: nowhere}\n");
    let run = |arguments: &[&str]| project.run_with(arguments, "", &[KEY]);
    let made = run(&["rag", "manifest", "chunks.jsonl", "--out", "manifest.json"]);
    assert_eq!(made.code, 0, "{}", made.all());
    let verify = [
        "rag",
        "verify",
        "chunks.jsonl",
        "--manifest",
        "manifest.json",
    ];
    let held = run(&verify);
    assert_eq!(held.code, 0, "{}", held.all());
    let other = serde_json::json!({"id": "a", "text": "The basic plan costs 9 dollars."});
    std::fs::write(project.path("chunks.jsonl"), other.to_string()).unwrap();
    let changed = run(&verify);
    assert_eq!(changed.code, 1, "{}", changed.all());
    assert!(
        changed.stdout.contains("rag.chunk-changed"),
        "{}",
        changed.all()
    );
    let page = run(&["explain", "transformer.injection"]);
    assert_eq!(page.code, 0, "{}", page.all());
    assert!(
        page.stdout.contains("of the transformer layer"),
        "{}",
        page.stdout
    );
}
