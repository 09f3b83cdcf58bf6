use crate::helpers::Project;

const CALL: &[u8] = b"cos\nsystem\n(S'true'\ntR.";
const UNKNOWN: &[u8] = b"cmine\nModel\n)\x81.";
const HARMLESS: &[u8] = b"\x80\x04]\x94(K\x01K\x02e.";

fn folder() -> Project {
    Project::new()
        .with("models/a.safetensors", CALL)
        .with("models/b.bin", UNKNOWN)
        .with("models/c/weights.pkl", HARMLESS)
        .with("models/c/readme.md", "# Weights\n")
}

#[test]
fn art_08_scn_13_exit_codes_and_words() {
    let project = folder().with("odd.bin", b"\0\x01\x02\x03");
    for (path, code, word) in [
        ("models/a.safetensors", 1, "malicious: 2 findings in 1 file"),
        ("models/b.bin", 1, "review: 1 finding in 1 file"),
        ("models/c", 0, "clean: 0 findings in 2 files"),
        ("odd.bin", 3, "incomplete: 0 findings in 1 file"),
        ("models", 1, "malicious: 3 findings in 4 files"),
        ("nothing", 2, "incomplete: 0 findings in 1 file"),
    ] {
        let run = project.run(&["scan", path]);
        assert_eq!(run.code, code, "{path}: {}", run.all());
        assert!(run.stdout.contains(word), "{path}: {}", run.all());
    }
    let run = project.run_with(&["scan", "-"], CALL, &[]);
    assert_eq!(run.code, 1, "{}", run.all());
}

#[test]
fn art_10_content_decides() {
    let run = folder().run(&["scan", "models/a.safetensors"]);
    let policy = run.stdout.rsplit("policy ").next().unwrap().trim();
    let stdout = run.stdout.replace(policy, "[policy]");
    insta::assert_snapshot!(stdout, @"
    malicious models/a.safetensors (pickle, 23 bytes)
      medium[model.broken-structure]: the file ends at byte 23, where safetensors header should follow
      critical[pickle.runs-process] at byte 0: calls `os.system`
      incomplete: `safetensors` did not look at everything: malformed input: the file ends at byte 23, where safetensors header should follow

    critical[pickle.runs-process]: loading starts a program
       = why: The file imports what starts other programs. Loading runs it with the
              loader's rights.
       = do: Do not load the file. Ask where it comes from, and take a `safetensors`
             copy from a source that you trust.

    medium[model.broken-structure]: a file that breaks the rules of its own format
       = why: Readers differ in what they make of it, and broken lengths and offsets
              are how parsers are attacked.
       = do: Ask for a sound copy, or write the file again with the format's own
             library.

    malicious: 2 findings in 1 file: 1 critical, 1 medium
      looked at by pickle 1, safetensors 1; policy [policy]
    ");
}

#[test]
fn reports_for_programs_are_the_same_every_time() {
    let project = folder();
    let json = project.run(&["scan", "models", "--format", "json"]);
    let again = project.run(&["scan", "models", "--format", "json", "--jobs", "1"]);
    assert_eq!(json.stdout, again.stdout);
    let report: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(report["verdict"], "malicious");
    assert_eq!(report["counts"]["critical"], 1);
    assert_eq!(report["counts"]["medium"], 2);
    assert_eq!(report["coverage"]["pickle"], 3);
    let paths: Vec<&str> = report["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|artifact| artifact["path"].as_str().unwrap())
        .collect();
    let expected = [
        "models/a.safetensors",
        "models/b.bin",
        "models/c/readme.md",
        "models/c/weights.pkl",
    ];
    assert_eq!(paths, expected);
    let sarif = project.run(&["scan", "models", "--format", "sarif"]);
    let log: serde_json::Value = serde_json::from_str(&sarif.stdout).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    let call = results
        .iter()
        .find(|result| result["ruleId"] == "pickle.runs-process");
    assert_eq!(
        call.unwrap()["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "models/a.safetensors"
    );
}

#[test]
fn a_policy_and_its_allow_list_decide() {
    let exception = "allow:\n  - rule: pickle.unknown-import\n    route: models/*\n    reason: our own class\n    expires: 2999-01-01\n";
    let project = folder().with("policy.yaml", exception);
    let run = project.run(&["scan", "models/b.bin", "--policy", "policy.yaml"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(
        run.stdout.contains("accepted by the allow-list"),
        "{}",
        run.all()
    );
}

#[test]
fn ws_64_nothing_in_a_file_is_run() {
    // The call would make a file; the scan names it and makes none.
    let bytes = b"cos\nsystem\n(S'touch made-by-the-scan'\ntR.";
    let project = Project::new().with("model.pkl", bytes);
    assert_eq!(project.run(&["scan", "model.pkl"]).code, 1);
    assert!(!project.path("made-by-the-scan").exists());
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_and_not_forgotten() {
    let project = folder();
    std::os::unix::fs::symlink("c/readme.md", project.path("models/inside")).unwrap();
    std::os::unix::fs::symlink("/nowhere", project.path("models/c/outside")).unwrap();
    let run = project.run(&["scan", "models/c"]);
    assert_eq!(run.code, 3, "{}", run.all());
    assert!(run.stdout.contains("models/c/outside"), "{}", run.all());
    let run = project.run(&["scan", "models", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let artifacts = report["artifacts"].as_array().unwrap();
    let inside = artifacts.iter().find(|one| one["path"] == "models/inside");
    assert_eq!(inside.unwrap()["complete"], true);
}

#[test]
fn junit_and_the_page_hold_findings_and_what_was_not_looked_at() {
    let project = folder().with("models/odd.bin", b"\0\x01\x02\x03");
    let run = project.run(&["scan", "models", "--format", "junit"]);
    assert_eq!(run.code, 1, "{}", run.all());
    let document = run.stdout;
    assert!(document.starts_with("<?xml"), "{document}");
    for part in [
        r#"<testsuites name="bartizan scan" tests="10" failures="3" errors="2" skipped="0">"#,
        r#"<testcase classname="models/a.safetensors" name="pickle.runs-process at byte 0"><failure type="critical" message="calls `os.system`">"#,
        r#"<testcase classname="models/odd.bin" name="check format"><error type="incomplete""#,
        r#"<testcase classname="models/c/weights.pkl" name="check pickle"></testcase>"#,
    ] {
        assert!(document.contains(part), "{part}\n{document}");
    }
    let run = project.run(&["scan", "models", "--format", "html"]);
    assert_eq!(run.code, 1, "{}", run.all());
    for part in [
        "default-src 'none'",
        "calls `os.system`",
        "not everything was looked at",
        "models/odd.bin",
    ] {
        assert!(
            run.stdout.to_lowercase().contains(part),
            "{part}\n{}",
            run.stdout
        );
    }
    assert!(!run.stdout.contains("<script"));
}

#[test]
fn a_baseline_accepts_what_it_names_until_its_day() {
    let project = folder();
    let run = project.run(&["scan", "models/b.bin", "--save", "run.json"]);
    assert_eq!(run.code, 1, "{}", run.all());
    let text = std::fs::read_to_string(project.path("run.json")).unwrap();
    let saved: serde_json::Value = serde_json::from_str(&text).unwrap();
    let name = saved["findings"][0]["fingerprint"].as_str().unwrap();
    let entry = |until: &str| {
        format!(
            "accepted:\n  - fingerprint: '{name}'\n    until: '{until}'\n    reason: our own class\n"
        )
    };
    let project = project
        .with("baseline.yaml", entry("2999-01-01"))
        .with("old.yaml", entry("2020-01-01"));
    let scan = |path: &str, baseline: &str| project.run(&["scan", path, "--baseline", baseline]);
    let run = scan("models/b.bin", "baseline.yaml");
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(
        run.stderr.contains("the baseline accepts 1 finding"),
        "{}",
        run.all()
    );
    let run = scan("models/b.bin", "old.yaml");
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(
        run.stderr.contains("was accepted until 2020-01-01"),
        "{}",
        run.all()
    );
    let run = scan("models/c", "baseline.yaml");
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(
        run.stderr.contains("accept nothing any more"),
        "{}",
        run.all()
    );
    assert_eq!(scan("models/b.bin", "run.json").code, 2);
    // Another class in the same place is another finding.
    let project = project.with("models/b.bin", b"cmine\nOther\n)\x81.");
    let run = project.run(&["scan", "models/b.bin", "--baseline", "baseline.yaml"]);
    assert_eq!(run.code, 1, "{}", run.all());
}

#[test]
fn scn_17_two_runs_are_compared() {
    let project = folder();
    assert_eq!(
        project.run(&["scan", "models", "--save", "old.json"]).code,
        1
    );
    let project = project
        .with("models/d.pkl", CALL)
        .with("models/b.bin", HARMLESS);
    assert_eq!(
        project.run(&["scan", "models", "--save", "new.json"]).code,
        1
    );
    let run = project.run(&["diff", "old.json", "new.json"]);
    assert_eq!(run.code, 1, "{}", run.all());
    for part in [
        "new: critical[pickle.runs-process] in models/d.pkl",
        "gone: medium[pickle.unknown-import] in models/b.bin",
        "1 new, 1 gone, 2 unchanged",
    ] {
        assert!(run.stdout.contains(part), "{part}\n{}", run.all());
    }
    let run = project.run(&["diff", "new.json", "old.json", "--format", "json"]);
    let said: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(said["gone"][0]["path"], "models/d.pkl");
    assert_eq!(
        project.run(&["diff", "new.json", "new.json"]).code,
        3,
        "what was not looked at is not unchanged"
    );
    // What can no longer be read is not gone.
    let project = project.with("models/b.bin", b"\0\x01\x02\x03");
    project.run(&["scan", "models", "--save", "unread.json"]);
    let run = project.run(&["diff", "old.json", "unread.json"]);
    assert!(
        run.stdout.contains("not looked at again: medium"),
        "{}",
        run.all()
    );
    assert_eq!(project.run(&["diff", "old.json", "models/b.bin"]).code, 2);
}
