//! `bartizan ledger`, beside a gateway that runs and without one.

use serde_json::Value;

use crate::serving::{Home, until};

/// What a command says as JSON, and how it ended.
fn json(home: &Home, arguments: &[&str]) -> (i32, Value) {
    let place = ["--data", "data", "--format", "json"];
    let run = home.run(&[&["ledger"], arguments, &place].concat());
    let said = serde_json::from_str(&run.stdout).unwrap_or(Value::Null);
    (run.code, said)
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap()
}

/// A gateway that answered one request and was killed, and the request's id.
fn killed(home: &Home) -> String {
    home.write(
        "bartizan.yaml",
        "record:\n  ledger:\n    name: example.com/test\n",
    );
    let serving = home.serve(&["--config", "bartizan.yaml"]);
    let key = serving.key().unwrap();
    let got = serving.chat(&key, "Hello.");
    assert_eq!(got.status, 200);
    let id = got.id();
    until("the request is in the ledger", || {
        json(home, &["prove", &id]).0 == 0
    });
    // Also while it is written.
    let (code, live) = json(home, &["verify"]);
    assert_eq!(code, 0, "{live}");
    assert_eq!(live.pointer("/ledgers/0/is_written").unwrap(), true);
    serving.signal("KILL");
    assert_eq!(serving.end(), None);
    id
}

#[test]
fn aud_08_a_request_is_proved_and_whatever_is_altered_is_named() {
    let home = Home::new();
    let id = killed(&home);
    // The next start takes up what the kill left.
    let serving = home.serve(&["--config", "bartizan.yaml"]);
    serving.signal("TERM");
    assert_eq!(serving.end(), Some(0));

    let files = ["-o", "a.tlog-proof", "--entry", "a.json"];
    let (code, proved) = json(&home, &[&["prove", id.as_str()], &files[..]].concat());
    assert_eq!(code, 0, "{proved}");
    let entry: Value = serde_json::from_str(text(&proved, "/entry")).unwrap();
    assert_eq!(text(&entry, "/request_id"), id);
    assert_eq!(text(&entry, "/event"), "llm_interaction");
    assert!(entry.get("policy_version").is_some(), "WS-37");
    let key = text(&proved, "/key");
    assert!(key.starts_with("example.com/test+"));
    let check = [
        "verify",
        "--proof",
        "a.tlog-proof",
        "--entry",
        "a.json",
        "--key",
        key,
    ];
    assert_eq!(json(&home, &check).0, 0);
    home.write("a.json", "{}");
    assert_eq!(json(&home, &check).0, 1);
    // What is too long to be an entry is not cut to one.
    home.write("a.json", &" ".repeat(200_000));
    assert_eq!(json(&home, &check).0, 2);

    let (code, anchored) = json(&home, &["checkpoint", "-o", "kept"]);
    assert_eq!(code, 0, "{anchored}");
    let size = anchored.pointer("/size").unwrap().as_u64().unwrap();
    assert!(size >= 3, "{size}");
    let (code, report) = json(&home, &["verify", "--against", "kept", "--key", key]);
    assert_eq!(code, 0, "{report}");
    assert_eq!(report.pointer("/ledgers/0/entries").unwrap(), size);

    let index = proved.pointer("/index").unwrap().as_u64().unwrap();
    let bundle = home.path(&format!("data/ledger/tile/entries/000.p/{size}"));
    let bytes = std::fs::read(&bundle).unwrap();
    let mut changed = bytes.clone();
    let place = bytes
        .windows(15)
        .position(|window| window == b"llm_interaction")
        .unwrap();
    changed[place + 4] = b'I';
    std::fs::write(&bundle, changed).unwrap();
    let (code, report) = json(&home, &["verify"]);
    assert_eq!(code, 1, "{report}");
    assert_eq!(text(&report, "/ledgers/0/damage/kind"), "altered");
    assert_eq!(report.pointer("/ledgers/0/damage/entry").unwrap(), index);
    let shown = home.run(&["ledger", "verify", "--data", "data"]);
    let said = format!("entry {index}: altered");
    assert!(shown.stdout.contains(&said), "{}", shown.all());
    assert_eq!(json(&home, &["prove", &id]).0, 2);
    std::fs::write(&bundle, bytes).unwrap();
    assert_eq!(json(&home, &["verify"]).0, 0);
}

#[test]
fn aud_12_an_export_is_signed_verified_elsewhere_and_recorded() {
    let home = Home::new();
    let id = killed(&home);
    let (code, exported) = json(
        &home,
        &["export", "--since", "7d", "--sign", "-o", "out.jsonl"],
    );
    assert_eq!(code, 0, "{exported}");
    let key = text(&exported, "/key").to_owned();
    let check = ["verify", "--export", "out.jsonl", "--key", &key];
    let (code, report) = json(&home, &check);
    assert_eq!(code, 0, "{report}");
    assert_eq!(report.pointer("/is_signed").unwrap(), true);
    let whole = std::fs::read_to_string(home.path("out.jsonl")).unwrap();
    assert!(whole.contains(&id));
    let line = whole
        .lines()
        .position(|line| line.contains("llm_interaction"))
        .unwrap();
    let without: Vec<&str> = whole
        .lines()
        .enumerate()
        .filter(|(n, _)| *n != line)
        .map(|(_, l)| l)
        .collect();
    home.write("out.jsonl", &format!("{}\n", without.join("\n")));
    let (code, report) = json(&home, &check);
    assert_eq!(code, 1, "{report}");
    assert!(report.pointer("/damage/kind").is_some(), "{report}");
    assert_eq!(
        json(&home, &["verify", "--export", "out.jsonl"]).0,
        2,
        "no key"
    );
    // The export itself stands in the ledger of commands.
    let (code, report) = json(&home, &["verify"]);
    assert_eq!(code, 0, "{report}");
    let commands = report.pointer("/ledgers/1/entries").unwrap();
    assert_eq!(commands, 1, "{report}");
    // One key is of one ledger, and that the other one is left out is said.
    let alone = home.run(&["ledger", "verify", "--data", "data", "--key", &key]);
    assert_eq!(alone.code, 0, "{}", alone.all());
    assert!(alone.stderr.contains("not looked at"), "{}", alone.all());
}

#[test]
fn aud_08_a_ledger_that_was_set_back_stops_the_start_and_is_named() {
    let home = Home::new();
    killed(&home);
    let copy = |from: &str, to: &str| {
        let status = std::process::Command::new("cp")
            .args([
                "-r".as_ref(),
                home.path(from).as_os_str(),
                home.path(to).as_os_str(),
            ])
            .status();
        assert!(status.unwrap().success());
    };
    copy("data/ledger", "old");
    let serving = home.serve(&["--config", "bartizan.yaml"]);
    serving.signal("TERM");
    assert_eq!(serving.end(), Some(0));
    assert_eq!(json(&home, &["checkpoint", "-o", "kept"]).0, 0);
    let (code, report) = json(&home, &["verify", "old", "--against", "kept"]);
    assert_eq!(code, 1, "{report}");
    assert_eq!(text(&report, "/ledgers/0/damage/kind"), "rollback");
    // Only the tail set back: the writer would go on with another past.
    std::fs::remove_dir_all(home.path("data/ledger/tail")).unwrap();
    copy("old/tail", "data/ledger/tail");
    let run = home.run(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        "data",
        "--config",
        "bartizan.yaml",
    ]);
    assert_eq!(run.code, 2, "{}", run.all());
    assert!(run.stderr.contains("cannot be used"), "{}", run.all());
}

#[test]
fn what_is_no_ledger_is_said() {
    let home = Home::new();
    for arguments in [
        &["verify", "nowhere"][..],
        &["prove", "nothing", "nowhere"],
        &["checkpoint", "nowhere"],
        &["verify", "--export", "nowhere"],
        &["verify", "--proof", "nowhere"],
    ] {
        let (code, _) = json(&home, arguments);
        assert_eq!(code, 2, "{arguments:?}");
    }
}
