//! `bartizan consent`, `retention`, and `subject` over files.

use serde_json::Value;

use crate::helpers::{Project, Run};

const CONFIG: &str = "\
govern:
  classes:
    orders: {days: 365}
    agents: {days: 90, agent-log: true}
  purposes:
    training: {version: '2', days: 365}
  stores:
    - name: orders
      class: orders
      files: {paths: ['orders.jsonl'], subject: mail, time: at, time-in: text}
    - name: logs
      class: agents
      files: {paths: ['logs/*.jsonl'], time: at, time-in: text}
";

const ORDERS: &str = "\
{\"mail\": \"alice@example.com\", \"at\": \"2020-01-01T00:00:00Z\", \"n\": 1}
{\"mail\": \"bob@example.com\", \"at\": \"2020-01-01T00:00:00Z\", \"n\": 2}
{\"mail\": \"ALICE@example.com\", \"at\": \"2126-01-01T00:00:00Z\", \"n\": 3}
";

const KEY: &str = "0707070707070707070707070707070707070707070707070707070707070707";

fn project() -> Project {
    Project::new()
        .with("bartizan.yaml", CONFIG)
        .with("orders.jsonl", ORDERS)
        .with(
            "logs/one.jsonl",
            "{\"at\": \"2126-01-01T00:00:00Z\", \"said\": \"to alice@example.com\"}\n",
        )
        .with("logs/other.txt", "alice@example.com\n")
}

fn run(project: &Project, arguments: &[&str]) -> Run {
    run_with(project, arguments, "")
}

fn run_with(project: &Project, arguments: &[&str], stdin: &str) -> Run {
    let data = project.path("data").display().to_string();
    project.run_with(
        arguments,
        stdin,
        &[("BARTIZAN_KEY", KEY), ("BARTIZAN_DATA", &data)],
    )
}

/// Whether a file under the folder names somebody.
fn is_named(folder: &std::path::Path, name: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return is_named(&path, name);
        }
        let bytes = std::fs::read(&path).unwrap();
        String::from_utf8_lossy(&bytes)
            .to_lowercase()
            .contains(name)
    })
}

#[test]
fn gov_13_somebody_is_removed_with_a_certificate() {
    let project = project();
    let alice = "Alice@example.com";
    let dry = run(&project, &["subject", "erase", alice, "--dry-run"]);
    assert_eq!(
        (dry.code, &*dry.stdout),
        (0, "orders  2\nlogs  1\n"),
        "{dry:?}"
    );
    let out = run(&project, &["subject", "export", alice]);
    let exported: Value = serde_json::from_str(&out.stdout).unwrap();
    assert_eq!(exported["stores"]["orders"][1]["n"], 3);
    let erased = run_with(
        &project,
        &["subject", "erase", "-", "--certificate", "certificate.json"],
        "alice@example.com\n",
    );
    assert_eq!(erased.code, 0, "{erased:?}");
    assert!(
        erased.stdout.starts_with("removed 3 records from 2 stores"),
        "{erased:?}"
    );
    std::fs::remove_file(project.path("logs/other.txt")).unwrap();
    assert!(
        !is_named(project.folder.path(), "alice"),
        "somewhere she is still named"
    );
    let rest = std::fs::read_to_string(project.path("orders.jsonl")).unwrap();
    assert_eq!(rest, ORDERS.lines().nth(1).unwrap().to_owned() + "\n");
    let text = std::fs::read_to_string(project.path("certificate.json")).unwrap();
    let certificate: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(certificate["stores"][0]["removed"], 2);
    assert_eq!(certificate["stores"][0]["left"], 0);
    let key = certificate["public_key"].as_str().unwrap();
    let verify = ["subject", "verify", "certificate.json", "--public-key", key];
    assert_eq!(run(&project, &verify).code, 0);
    assert_eq!(run(&project, &verify[..3]).code, 0);
    let project = project.with(
        "certificate.json",
        text.replace("\"removed\": 2", "\"removed\": 9"),
    );
    assert_eq!(run(&project, &verify).code, 1);
}

#[test]
fn who_is_held_stays() {
    let project = project();
    let hash = run(&project, &["subject", "hash", "alice@example.com"]).stdout;
    let held = format!(
        "{CONFIG}  holds: [{{id: case-7, subject: {}}}]\n",
        hash.trim()
    );
    let project = project.with("bartizan.yaml", held);
    let refused = run(&project, &["subject", "erase", "alice@example.com"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("case-7"), "{refused:?}");
    let swept = run(&project, &["retention", "run"]);
    assert_eq!(swept.code, 0, "{swept:?}");
    let rest = std::fs::read_to_string(project.path("orders.jsonl")).unwrap();
    assert!(
        rest.contains("\"n\": 1") && !rest.contains("\"n\": 2"),
        "{rest}"
    );
}

#[test]
fn a_hold_on_a_class_stops_the_erasure_and_the_dry_run_says_so() {
    let project = project();
    let held = format!("{CONFIG}  holds: [{{id: case-9, class: agents}}]\n");
    let project = project.with("bartizan.yaml", held);
    let alice = "alice@example.com";
    let dry = run(&project, &["subject", "erase", alice, "--dry-run"]);
    assert!(dry.stdout.contains("held by `case-9`"), "{dry:?}");
    let refused = run(&project, &["subject", "erase", alice]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("case-9"), "{refused:?}");
    assert!(is_named(&project.path("logs"), alice));
}

#[test]
fn a_link_among_the_files_is_no_file_without_anybody() {
    let project = project().with("elsewhere", "alice@example.com\n");
    let link = project.path("logs/two.jsonl");
    std::os::unix::fs::symlink(project.path("elsewhere"), &link).unwrap();
    let erase = ["subject", "erase", "alice@example.com"];
    let refused = run(&project, &erase);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("no ordinary file"), "{refused:?}");
    std::fs::remove_file(&link).unwrap();
    assert_eq!(run(&project, &erase).code, 0);
    // A name that is no UTF-8 fits a pattern as well.
    use std::os::unix::ffi::OsStrExt as _;
    let odd = std::ffi::OsStr::from_bytes(b"logs/\xff.jsonl");
    std::fs::write(project.folder.path().join(odd), "alice@example.com\n").unwrap();
    let dry = run(
        &project,
        &["subject", "erase", "alice@example.com", "--dry-run"],
    );
    assert!(dry.stdout.contains("logs  1"), "{dry:?}");
}

#[test]
fn gov_12_what_is_too_old_goes_with_a_proof() {
    let project = project();
    let plan = run(&project, &["retention", "plan", "--format", "json"]);
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    assert_eq!(plan["plan"][0]["old"], 2);
    assert_eq!(plan["plan"][1]["old"], 0);
    assert_eq!(
        std::fs::read_to_string(project.path("orders.jsonl")).unwrap(),
        ORDERS
    );
    let swept = run(&project, &["retention", "run", "--proof", "proof.json"]);
    assert_eq!(swept.code, 0, "{swept:?}");
    let rest = std::fs::read_to_string(project.path("orders.jsonl")).unwrap();
    assert_eq!(rest.lines().count(), 1);
    assert_eq!(run(&project, &["subject", "verify", "proof.json"]).code, 0);
    // A record without a time is neither old nor young: nothing is guessed.
    let project = project.with("orders.jsonl", format!("{ORDERS}{{}}\n"));
    let failed = run(&project, &["retention", "run"]);
    assert_eq!(failed.code, 2);
    assert!(failed.stderr.contains("line 4"), "{failed:?}");
    assert_eq!(
        std::fs::read_to_string(project.path("orders.jsonl")).unwrap(),
        format!("{ORDERS}{{}}\n")
    );
}

#[test]
fn gov_14_consent_is_recorded_checked_and_withdrawn() {
    let project = project();
    let check = ["consent", "check", "alice@example.com", "training"];
    assert_eq!(run(&project, &check).code, 1);
    let recorded = run(
        &project,
        &["consent", "record", "alice@example.com", "training"],
    );
    assert_eq!(recorded.code, 0, "{recorded:?}");
    let given = run(&project, &check);
    assert_eq!(given.code, 0, "{given:?}");
    assert!(given.stdout.contains("version `2`"), "{given:?}");
    let withdrawn = run(
        &project,
        &["consent", "withdraw", "Alice@Example.com", "training"],
    );
    assert_eq!(withdrawn.code, 0, "{withdrawn:?}");
    assert_eq!(run(&project, &check).code, 1);
    let list = run(
        &project,
        &["consent", "list", "--subject", "alice@example.com"],
    );
    assert_eq!(list.stdout.lines().count(), 2, "{list:?}");
    let unknown = run(
        &project,
        &["consent", "record", "alice@example.com", "marketing"],
    );
    assert_eq!(unknown.code, 2);
    let old = [
        "consent",
        "record",
        "bob@example.com",
        "training",
        "--version",
        "1",
    ];
    assert_eq!(run(&project, &old).code, 0);
    let other = run(
        &project,
        &["consent", "check", "bob@example.com", "training"],
    );
    assert_eq!(other.code, 1);
    assert!(other.stdout.contains("version `1`"), "{other:?}");
    assert!(!is_named(&project.path("data"), "alice"));
}

#[test]
fn without_a_key_nothing_is_hashed() {
    let project = project();
    let run = project.run(&["subject", "hash", "alice@example.com"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("BARTIZAN_KEY"), "{run:?}");
    assert!(!run.stderr.contains("alice"), "{run:?}");
}
