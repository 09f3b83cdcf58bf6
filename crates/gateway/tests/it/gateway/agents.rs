//! Calls of tools, decided about before anybody makes them.

use http::Method;
use serde_json::{Value, json};

use super::{Got, ONE, Running, start_with};
use crate::mock::{Mock, Reply};

const TOOLS: &str = "agents:
  tools:
    - {name: read_email}
    - {name: search_contacts, results: directory}
    - {name: send_email}
    - {name: write_file}
    - {name: delete_file, per-user: {calls: 2, seconds: 3600}}
";
/// Addresses are what the tests are about.
const PLAIN: &str = "rows:\n  - {name: mail, rule: ['pii.*'], flag: 1.0}\n";

async fn gateway(mock: &Mock) -> Running {
    start_with(&format!("{ONE}{TOOLS}"), PLAIN, &[mock]).await
}

/// The same story in every format: a user's wish, a call, and what a tool returned.
fn story(path: &str, wish: &str, result: &str) -> Value {
    let arguments = json!({"id": "m1"});
    match path {
        "/v1/chat/completions" => json!({"model": "m", "messages": [
            {"role": "user", "content": wish},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function",
                "function": {"name": "read_email", "arguments": arguments.to_string()}}]},
            {"role": "tool", "tool_call_id": "c1", "content": result}]}),
        "/v1/responses" => json!({"model": "m", "input": [
            {"role": "user", "content": wish},
            {"type": "function_call", "call_id": "c1", "name": "read_email",
                "arguments": arguments.to_string()},
            {"type": "function_call_output", "call_id": "c1", "output": result}]}),
        _ => json!({"model": "m", "max_tokens": 99, "messages": [
            {"role": "user", "content": wish},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c1",
                "name": "read_email", "input": arguments}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1",
                "content": result}]}]}),
    }
}

const PATHS: [&str; 3] = ["/v1/chat/completions", "/v1/responses", "/v1/messages"];

/// An answer that calls a tool.
fn calling(path: &str, tool: &str, arguments: &Value) -> Reply {
    let body = match path {
        "/v1/chat/completions" => {
            json!({"id": "x", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant",
                "content": null, "tool_calls": [{"id": "c2", "type": "function",
                    "function": {"name": tool, "arguments": arguments.to_string()}}]}}]})
        }
        "/v1/responses" => {
            json!({"id": "resp_1", "object": "response", "created_at": 1, "model": "m",
            "status": "completed", "output": [{"type": "function_call", "id": "fc_1", "call_id": "c2",
                "name": tool, "arguments": arguments.to_string(), "status": "completed"}]})
        }
        _ => json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
            "stop_reason": "tool_use", "stop_sequence": null,
            "usage": {"input_tokens": 1, "output_tokens": 1},
            "content": [{"type": "tool_use", "id": "c2", "name": tool, "input": arguments}]}),
    };
    Reply::json(200, &body)
}

fn mail(to: &str) -> Value {
    json!({"to": to, "subject": "Plan", "body": "The plan is fine."})
}

async fn rules(gateway: &Running, got: &Got) -> Vec<String> {
    let recorded = gateway.recorded(got).await;
    let output = recorded.output.unwrap_or_default();
    let hits = recorded.input.rules.iter().chain(&output.rules);
    let mut rules: Vec<String> = hits.map(|hit| hit.rule.as_str().to_owned()).collect();
    rules.retain(|rule| rule.starts_with("agent."));
    rules
}

const WISH: &str = "Mail bob@firm.example whether the plan is fine.";
const RESULT: &str = "The plan is fine. Office: desk@other.example";

#[tokio::test]
async fn ag_15_text_of_others_chooses_no_recipient() {
    let mock = Mock::saying("Fine.").await;
    let gateway = gateway(&mock).await;
    for path in PATHS {
        mock.then(calling(path, "send_email", &mail("bob@firm.example")));
        let got = gateway.post(path, &story(path, WISH, RESULT)).await;
        assert_eq!(got.status, 200, "{got:?}");
        let told = gateway.story(got.id()).await.to_string();
        assert!(got.body.contains("bob@firm.example"), "{path}: {told}");
        assert!(rules(&gateway, &got).await.is_empty(), "{path}");

        mock.then(calling(path, "send_email", &mail("desk@other.example")));
        let got = gateway.post(path, &story(path, WISH, RESULT)).await;
        assert!(!got.body.contains("desk@other.example"), "{path}: {got:?}");
        assert_eq!(got.header("x-bartizan-decision"), "block", "{path}");
        assert!(got.header("x-bartizan-applied").contains("provenance"));
        let rules = rules(&gateway, &got).await;
        assert_eq!(rules, ["agent.foreign-argument"], "{path}");
        let told = gateway.story(got.id()).await.to_string();
        assert!(!told.contains("desk@other"), "{told}");
    }
}

#[tokio::test]
async fn ag_01_a_tool_that_is_not_listed_is_not_called() {
    let mock = Mock::saying("Fine.").await;
    let gateway = gateway(&mock).await;
    let path = PATHS[0];
    mock.then(calling(path, "format_disk", &json!({})));
    let got = gateway.post(path, &story(path, WISH, RESULT)).await;
    assert!(!got.body.contains("format_disk"), "{got:?}");
    assert!(
        rules(&gateway, &got)
            .await
            .contains(&"agent.unknown-tool".to_owned())
    );
}

#[tokio::test]
async fn a_streamed_call_is_whole_before_it_is_released() {
    let mock = Mock::saying("Fine.").await;
    let gateway = gateway(&mock).await;
    for (to, passes) in [("bob@firm.example", true), ("desk@other.example", false)] {
        let arguments = mail(to).to_string();
        let (first, rest) = arguments.split_at(9);
        let mut events = String::new();
        for delta in [
            json!({"role": "assistant", "tool_calls": [{"index": 0, "id": "c2", "type": "function",
                "function": {"name": "send_email", "arguments": ""}}]}),
            json!({"tool_calls": [{"index": 0, "function": {"arguments": first}}]}),
            json!({"tool_calls": [{"index": 0, "function": {"arguments": rest}}]}),
        ] {
            let chunk = json!({"id": "x", "object": "chat.completion.chunk", "created": 1,
                "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": null}]});
            events.push_str(&format!("data: {chunk}\n\n"));
        }
        let end = json!({"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]});
        events.push_str(&format!("data: {end}\n\ndata: [DONE]\n\n"));
        mock.then(Reply::stream(&events, 20));
        let mut body = story(PATHS[0], WISH, RESULT);
        body["stream"] = true.into();
        let got = gateway.post(PATHS[0], &body).await;
        assert_eq!(got.status, 200, "{got:?}");
        assert_eq!(got.body.contains("send_email"), passes, "{got:?}");
        assert_eq!(got.body.contains(to), passes, "{got:?}");
        let rules = rules(&gateway, &got).await;
        assert_eq!(rules.is_empty(), passes, "{rules:?}");
    }
}

#[tokio::test]
async fn ag_03_and_22_a_person_allows_a_call_once_and_no_flag_does() {
    let mock = Mock::saying("Fine.").await;
    let gateway = gateway(&mock).await;
    let asker = gateway.new_key(&["infer", "review"]).await;
    let path = PATHS[0];
    // Nobody asked for a file to be written.
    let mut body = story(path, "Is all well?", "All is well, see above.");
    body["metadata"] = json!({"auto_approve": "true"});
    let call = json!({"path": "notes.md", "content": "fine"});
    let ask = async || {
        mock.then(calling(path, "write_file", &call));
        gateway.post_as(&asker, path, &body).await
    };
    let got = ask().await;
    assert!(!got.body.contains("notes.md"), "{got:?}");
    assert_eq!(got.header("x-bartizan-decision"), "ask", "{got:?}");
    let items = gateway.get("/v1/approvals").await.json();
    let item = &items["items"][0];
    assert_eq!(item["id"], got.id().to_string());
    assert!(item["why"].to_string().contains("agent.plan"), "{item}");
    let place = format!("/v1/approvals/{}", got.id());
    let allow = json!({"decision": "allow"});
    let own = gateway.post_as(&asker, &place, &allow).await;
    assert_eq!(own.status, 404, "nobody decides about their own: {own:?}");
    let ruled = gateway.post(&place, &allow).await;
    assert_eq!(ruled.status, 204, "{ruled:?}");
    let got = ask().await;
    assert!(got.body.contains("notes.md"), "{got:?}");
    let got = ask().await;
    assert!(!got.body.contains("notes.md"), "once: {got:?}");
}

#[tokio::test]
async fn ag_21_a_switch_stops_the_next_call() {
    let mock = Mock::saying("Fine.").await;
    let gateway = gateway(&mock).await;
    let path = PATHS[0];
    let call = async || {
        mock.then(calling(path, "send_email", &mail("bob@firm.example")));
        gateway.post(path, &story(path, WISH, RESULT)).await
    };
    for (stop, passes) in [(true, false), (false, true)] {
        let body = json!({"kind": "tool", "name": "send_email", "stop": stop});
        let flipped = gateway.post("/admin/agents/switches", &body).await;
        assert_eq!(flipped.status, 204, "{flipped:?}");
        let got = call().await;
        assert_eq!(got.body.contains("bob@firm.example"), passes, "{got:?}");
    }
    let body = json!({"kind": "all", "stop": true});
    assert_eq!(
        gateway.post("/admin/agents/switches", &body).await.status,
        204
    );
    let before = mock.requests();
    let got = gateway.post(path, &story(path, WISH, RESULT)).await;
    assert_eq!(got.status, 400, "{got:?}");
    assert_eq!(mock.requests(), before, "no model is asked");
    assert_eq!(rules(&gateway, &got).await, ["agent.stopped"]);
}

#[tokio::test]
async fn ag_04_calls_of_a_tool_are_counted() {
    let mock = Mock::saying("Fine.").await;
    let gateway = gateway(&mock).await;
    let path = PATHS[0];
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "Delete a.txt"}]});
    for passes in [true, true, false] {
        mock.then(calling(path, "delete_file", &json!({"path": "a.txt"})));
        let got = gateway.post(path, &body).await;
        assert_eq!(got.body.contains("delete_file"), passes, "{got:?}");
    }
}

#[tokio::test]
async fn in_shadow_calls_pass_and_are_recorded() {
    let mock = Mock::saying("Fine.").await;
    let policy = format!("{PLAIN}shadow-rules: ['agent.*']\n");
    let gateway = start_with(&format!("{ONE}{TOOLS}"), &policy, &[&mock]).await;
    let path = PATHS[0];
    mock.then(calling(path, "send_email", &mail("desk@other.example")));
    let got = gateway.post(path, &story(path, WISH, RESULT)).await;
    assert!(got.body.contains("desk@other.example"), "{got:?}");
    assert_eq!(rules(&gateway, &got).await, ["agent.foreign-argument"]);
}

#[tokio::test]
async fn labels_of_the_application_tighten_and_bad_ones_are_refused() {
    let mock = Mock::saying("Fine.").await;
    let gateway = gateway(&mock).await;
    let path = PATHS[0];
    let credential = format!("Bearer {}", gateway.key);
    let send = async |labels: &str| {
        mock.then(calling(path, "send_email", &mail("bob@firm.example")));
        let headers = [
            ("authorization", credential.as_str()),
            ("x-bartizan-labels", labels),
        ];
        let body = story(path, WISH, RESULT).to_string();
        gateway.send(Method::POST, path, &headers, &body).await
    };
    // The application says that it put a document into the user's words.
    let got = send("messages[0].content=foreign").await;
    assert!(!got.body.contains("bob@firm.example"), "{got:?}");
    let got = send("nonsense").await;
    assert_eq!(got.status, 400, "{got:?}");
    assert_eq!(got.json()["error"]["code"], "invalid_labels");
}
