//! Tools that the upstream runs: their results reach the model unseen, and that is said.

use bartizan_core::Verdict;
use serde_json::{Value, json};

use super::{Got, Running, chat, with_upstream};
use crate::mock::Mock;

/// Requests of every format that give the model such tools, and what the answer says of it.
fn requests() -> Vec<(&'static str, Value, &'static str)> {
    let mut searching = chat("What is new?");
    searching["web_search_options"] = json!({"search_context_size": "low"});
    let mut streamed = searching.clone();
    streamed["stream"] = true.into();
    let own = json!({"type": "function", "name": "f", "parameters": {"type": "object"}});
    let message = json!([{"role": "user", "content": "What is new?"}]);
    vec![
        ("/v1/chat/completions", searching, "server-tool:web"),
        ("/v1/chat/completions", streamed, "server-tool:web"),
        (
            "/v1/responses",
            json!({"model": "m", "input": "What is new?", "tools": [own,
                {"type": "file_search", "vector_store_ids": ["vs_1"]},
                {"type": "mcp", "server_label": "x", "server_url": "https://x.example/"}]}),
            "server-tool:files, server-tool:mcp",
        ),
        (
            "/v1/messages",
            json!({"model": "m", "max_tokens": 9, "messages": message,
                "tools": [{"type": "code_execution_20250825", "name": "code_execution"}]}),
            "server-tool:code",
        ),
    ]
}

async fn ask(
    gateway: &Running,
    path: &str,
    body: &Value,
) -> (Got, bartizan_gateway::record::Interaction) {
    let got = gateway.post(path, body).await;
    let recorded = gateway.recorded(&got).await;
    (got, recorded)
}

#[tokio::test]
async fn what_the_upstream_reads_itself_is_told() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "").await;
    for (path, body, unseen) in requests() {
        let (got, recorded) = ask(&gateway, path, &body).await;
        assert_eq!(got.status, 200, "{path}: {got:?}");
        assert_eq!(got.header("x-bartizan-unseen"), unseen, "{path}");
        assert_eq!(got.header("x-bartizan-decision"), "allow", "{path}");
        let [gap] = &recorded.input.gaps[..] else {
            panic!("{path}: {recorded:?}")
        };
        assert_eq!(
            (gap.check.as_str(), gap.action),
            ("server-tools", Verdict::Allow)
        );
        let hit = recorded
            .input
            .rules
            .iter()
            .find(|hit| hit.rule.as_str() == "gateway.server-tools");
        assert_eq!(hit.unwrap().action, Verdict::Allow, "{path}");
        let story = gateway.story(got.id()).await.to_string();
        assert!(story.contains("gateway.server-tools"), "{story}");
        assert!(story.contains("not everything was looked at"), "{story}");
    }
    // The application's own tools pass here, both ways.
    let mut own = chat("What is new?");
    own["tools"] = json!([{"type": "function", "function": {"name": "f", "parameters": {}}}]);
    let (got, recorded) = ask(&gateway, "/v1/chat/completions", &own).await;
    assert_eq!((got.status, got.header("x-bartizan-unseen")), (200, ""));
    assert!(recorded.input.gaps.is_empty(), "{recorded:?}");
}

#[tokio::test]
async fn they_can_be_refused() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "guarding: {server-tools: block}\n").await;
    for (path, body, unseen) in requests() {
        let (got, recorded) = ask(&gateway, path, &body).await;
        assert_eq!(got.status, 400, "{path}: {got:?}");
        assert_eq!(got.header("x-bartizan-unseen"), unseen, "{path}");
        assert_eq!(got.header("x-bartizan-decision"), "block", "{path}");
        let said = got.json();
        if path == "/v1/messages" {
            assert_eq!(said["type"], "error", "{got:?}");
        } else {
            assert_eq!(said["error"]["code"], "server_tools_not_allowed", "{got:?}");
            assert_eq!(said["error"]["param"], "tools", "{got:?}");
        }
        assert_eq!(recorded.outcome.as_str(), "input_blocked", "{path}");
        assert_eq!(recorded.decision, Verdict::Block, "{path}");
    }
    assert_eq!(mock.requests(), 0);
}

#[tokio::test]
async fn they_can_pass_without_a_word() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "guarding: {server-tools: allow}\n").await;
    for (path, body, _) in requests() {
        let (got, recorded) = ask(&gateway, path, &body).await;
        assert_eq!(
            (got.status, got.header("x-bartizan-unseen")),
            (200, ""),
            "{path}"
        );
        assert!(recorded.input.gaps.is_empty() && recorded.input.rules.is_empty());
    }
}
