use crate::helpers::{Project, assert_shown, check, with_pack};

#[test]
fn a_missing_file_is_not_checked_as_text() {
    assert_shown!(check(&["check", "page.htm"], 2).stderr, @r#"
      × there is no file `page.htm`
      help: check the path, or check a text that looks like a path with `--text`
    "#);
    check(&["check", "--text", "page.htm"], 0);
    check(&["check", "hello"], 0);
}

#[test]
fn a_folder_is_no_input() {
    let project = Project::new().with("folder/a.txt", "hello");
    let run = project.run(&["check", "folder"]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("`folder` is a folder"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_typo_in_the_configuration_is_pointed_at() {
    let project = Project::new().with("bartizan.yaml", "guard:\n  pii:\n    min-confidnce: 0.4\n");
    let run = project.run(&["check", "hello there"]);
    assert_eq!(run.code, 2);
    assert_shown!(run.stderr, @r#"
      × unknown field `min-confidnce`, expected one of entities, enable, disable,
      │ min-confidence, context, regions
       ╭─[bartizan.yaml:3:5]
     2 │   pii:
     3 │     min-confidnce: 0.4
       ·     ──────┬──────
       ·           ╰── here
       ╰────
      help: did you mean `min-confidence`?
    "#);
}

#[test]
fn a_mistake_in_the_policy_of_a_configuration_is_pointed_at() {
    let yaml = "redact:\n  default: plain\npolicy:\n  rows:\n    - name: a\n      flag: 2\n";
    let project = Project::new().with("bartizan.yaml", yaml);
    let run = project.run(&["config", "check", "bartizan.yaml"]);
    assert_eq!(run.code, 2);
    assert_shown!(run.stderr, @r#"
      × `flag` is 2, expected a number from 0 to 1
       ╭─[bartizan.yaml:5:7]
     4 │   rows:
     5 │     - name: a
       ·       ──┬─
       ·         ╰── here
     6 │       flag: 2
       ╰────
    "#);
}

#[test]
fn every_mistake_of_a_policy_is_told() {
    let yaml = "rows:\n  - name: a\n    flag: 2\n  - name: a\n    flag: 0.5\n  - name: b\n";
    let project = Project::new().with("policy.yaml", yaml);
    let run = project.run(&["policy", "check", "policy.yaml"]);
    assert_eq!(run.code, 2);
    for said in [
        "`flag` is 2",
        "two rows are named `a`",
        "row `b` does nothing",
    ] {
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
}

#[test]
fn unknown_names_have_a_suggestion() {
    for (arguments, said) in [
        (
            ["check", "--style", "typd", "a b"].as_slice(),
            "did you mean `typed`?",
        ),
        (
            &["check", "--style", "EMAIL_ADRESS=plain", "a b"],
            "did you mean `EMAIL_ADDRESS`?",
        ),
        (
            &["check", "--entities", "EMAIL_ADRESS", "a b"],
            "did you mean `EMAIL_ADDRESS`?",
        ),
        (
            &["explain", "prompt.instruction-overide"],
            "did you mean `prompt.instruction-override`?",
        ),
        (
            &["explain", "instruction-override"],
            "did you mean `prompt.instruction-override`?",
        ),
        (
            &["check", "--origin", "me", "a b"],
            "expected one of system, user",
        ),
        (
            &["check", "--sink", "web", "a b"],
            "expected one of html, markdown",
        ),
        (
            &["check", "--min-confidence", "2", "a b"],
            "not between 0 and 1",
        ),
    ] {
        let run = check(arguments, 2);
        // Long lines are wrapped.
        let text = run.stderr.replace("\n  │ ", " ").replace("\n        ", " ");
        assert!(text.contains(said), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn a_wrong_key_is_refused() {
    let run = Project::new().run_with(&["check", "a b"], "", &[("BARTIZAN_KEY", "123")]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("64 hexadecimal digits") && !run.stderr.contains("123"));
}

#[test]
fn bad_json_is_pointed_at() {
    let project = Project::new().with("chat.json", "{\"messages\": [\n  {\"role\": \"user\"");
    let run = project.run(&["check", "chat.json"]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("line 2") && run.stderr.contains("--as text"),
        "{}",
        run.stderr
    );
    assert_eq!(project.run(&["check", "--as", "text", "chat.json"]).code, 0);
    let run = project.run(&["check", "--as", "conversation", "--text", "no JSON"]);
    assert_eq!(run.code, 2);
}

#[test]
fn packs_must_be_signed_or_allowed() {
    let project = with_pack(Project::new(), "packs/mine");
    let run = project.run(&["check", "--packs", "packs", "say xyzzy plugh now"]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("pack.sig") && run.stderr.contains("--trusted-key"),
        "{}",
        run.stderr
    );
    let run = project.run(&[
        "check",
        "--packs",
        "packs",
        "--allow-unsigned",
        "say xyzzy plugh now",
    ]);
    assert_eq!(run.code, 1);
    assert!(
        run.stdout
            .contains("high[custom.codeword]: says the codeword"),
        "{}",
        run.stdout
    );
}

#[test]
fn mistakes_in_packs_are_pointed_at() {
    let rule = "rules:\n  - id: custom.bad\n    title: bad\n    severity: hgh\n    category: custom\n    why: x\n    fix: y\n    patterns: ['(abcd']\n    examples: [abcd]\n";
    let project = Project::new()
        .with("bad/pack.yaml", "name: bad\nversion: '1'\ntitle: bad\n")
        .with("bad/rules.yaml", rule);
    let run = project.run(&["rules", "test", "bad"]);
    assert_eq!(run.code, 2);
    for said in [
        "did you mean `high`?",
        "bad pattern",
        "rules.yaml:4:15",
        "rules.yaml:8:",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
}

#[test]
fn no_command_says_so() {
    assert!(check(&[], 2).stderr.contains("no command given"));
}

#[test]
#[cfg(unix)]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::{Command, Stdio};
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("bartizan"))
        .args(["explain"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
