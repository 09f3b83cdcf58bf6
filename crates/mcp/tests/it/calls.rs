use serde_json::json;

use crate::helpers::{Bench, refusal};

const AGENTS: &str = "tools: [{name: 'files.read_*', risk: low}, {name: files.send_email, risk: high, per-user: {calls: 1, seconds: 3600}}, {name: files.pay, approve: true}, {name: files.run_sql}]";

#[test]
fn ag_01_a_tool_that_is_not_listed_is_refused() {
    let mut bench = Bench::new("{}", AGENTS).offering(&["read_file", "frobnicate"]);
    let out = bench.call("1", "frobnicate", json!({}));
    assert!(refusal(&out).contains("agent.unknown-tool"));
    assert_eq!(
        bench
            .call("2", "read_file", json!({"path": "a.txt"}))
            .to_server
            .len(),
        1
    );
}

#[test]
fn ag_18_arguments_that_do_harm_are_refused() {
    let mut bench = Bench::new("{}", AGENTS).offering(&["read_file", "read_url", "run_sql"]);
    for (tool, arguments, rule) in [
        (
            "read_file",
            json!({"path": "../../etc/passwd"}),
            "agent.unsafe-path",
        ),
        (
            "read_url",
            json!({"url": "http://169.254.169.254/latest/meta-data"}),
            "agent.unsafe-url",
        ),
        (
            "run_sql",
            json!({"sql": "DROP TABLE users"}),
            "agent.unsafe-sql",
        ),
    ] {
        assert!(
            refusal(&bench.call("1", tool, arguments)).contains(rule),
            "{rule}"
        );
    }
}

#[test]
fn ag_03_a_call_waits_for_a_person_and_is_made_once() {
    let mut bench = Bench::new("{}", AGENTS).offering(&["pay"]);
    let arguments = json!({"note": "lunch"});
    let out = bench.call("1", "pay", arguments.clone());
    assert!(refusal(&out).contains("agent.approval"));
    let digest = out.asked[0].clone();
    // Other arguments are another call.
    bench.world.approved.insert(digest.clone());
    assert_ne!(
        bench.call("2", "pay", json!({"note": "car"})).asked[0],
        digest
    );
    assert_eq!(bench.call("3", "pay", arguments.clone()).to_server.len(), 1);
    assert_eq!(bench.call("4", "pay", arguments).asked, [digest]);
}

#[test]
fn ag_04_calls_of_one_tool_are_counted_by_themselves() {
    let mut bench = Bench::new("{}", AGENTS).offering(&["read_file", "send_email"]);
    let mail = json!({"subject": "hello"});
    bench.called("1", "send_email", mail.clone(), "sent");
    assert!(refusal(&bench.call("2", "send_email", mail)).contains("agent.call-limit"));
    bench.called("3", "read_file", json!({"path": "a.txt"}), "words");
}

#[test]
fn ag_05_the_21st_call_of_a_run_is_refused_and_a_pause_begins_another() {
    let mut bench = Bench::new("{}", AGENTS).offering(&["read_file"]);
    for number in 0..20 {
        let path = json!({"path": format!("{number}.txt")});
        bench.called(
            &number.to_string(),
            "read_file",
            path,
            &format!("words {number}"),
        );
    }
    let last = json!({"path": "last.txt"});
    assert!(refusal(&bench.call("x", "read_file", last.clone())).contains("agent.step-limit"));
    bench.world.now_ms += 61_000;
    assert_eq!(bench.call("y", "read_file", last).to_server.len(), 1);
}

#[test]
fn ag_15_what_a_result_says_chooses_no_recipient() {
    let mut bench = Bench::new("{}", AGENTS).offering(&["read_file", "send_email"]);
    bench.called(
        "1",
        "read_file",
        json!({"path": "a.txt"}),
        "Ask maria.lopez@company.example about it.",
    );
    let out = bench.call(
        "2",
        "send_email",
        json!({"to": "maria.lopez@company.example"}),
    );
    assert!(refusal(&out).contains("agent.foreign-argument"));
}

#[test]
fn ag_21_a_switch_stops_the_next_call() {
    let mut bench = Bench::new("{}", AGENTS).offering(&["read_file"]);
    bench.called("1", "read_file", json!({"path": "a.txt"}), "words");
    bench.world.switches.tools.insert("files.read_file".into());
    assert!(
        refusal(&bench.call("2", "read_file", json!({"path": "b.txt"}))).contains("agent.stopped")
    );
}

#[test]
fn secrets_do_not_leave_in_arguments() {
    let key = concat!("ghp_", "16C7e42F292c6912E7710c838347Ae178B4a");
    let mut bench = Bench::new("{}", "").offering(&["write"]);
    let out = bench.call("1", "write", json!({"text": format!("the key is {key}")}));
    assert!(refusal(&out).contains("secret."), "{}", refusal(&out));
    assert!(!out.raw.contains(key));
    let mut bench = Bench::new("arguments: {secrets: redact}", "").offering(&["write"]);
    let out = bench.call("1", "write", json!({"text": format!("the key is {key}")}));
    assert_eq!(out.to_server.len(), 1);
    assert!(!out.raw.contains(key));
    // Most tools need personal data, so that it stays unless it is asked for.
    let mail = json!({"to": "maria.lopez@company.example"});
    let mut bench = Bench::new("{}", "").offering(&["write"]);
    assert!(
        bench
            .call("1", "write", mail.clone())
            .raw
            .contains("maria.lopez")
    );
    let mut bench = Bench::new("arguments: {personal-data: redact}", "").offering(&["write"]);
    let out = bench.call("1", "write", mail);
    assert!(!out.to_server.is_empty() && !out.raw.contains("maria.lopez"));
}
