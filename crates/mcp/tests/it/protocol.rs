use bartizan_mcp::{METHODS, Side};
use serde_json::json;

use crate::helpers::{ATTACK, Bench, answer, notification, refusal, request, said};

#[test]
fn every_known_method_is_let_through_or_answered_and_no_other() {
    for method in METHODS {
        let params = match method.name {
            "tools/call" => json!({"name": "read"}),
            _ => json!({}),
        };
        let mut bench = Bench::new("roots: ['file:///work']", "").offering(&["read"]);
        let message = if method.is_request {
            request("1", method.name, params)
        } else {
            notification(method.name, params)
        };
        let out = match method.from {
            Side::Client => bench.client(&message),
            Side::Server => bench.server(&message),
        };
        let reacted = !out.to_server.is_empty() || !out.to_client.is_empty();
        // Nobody waits for what is to be cancelled.
        let is_idle = method.from == Side::Client && method.name == "notifications/cancelled";
        assert_eq!(reacted, !is_idle, "{}", method.name);
        assert!(!out.rules().contains(&"mcp.method"), "{}", method.name);
    }
}

#[test]
fn texts_of_every_method_are_looked_at() {
    for method in METHODS.iter().filter(|method| method.from == Side::Server) {
        let mut bench = Bench::new("{}", "");
        let params = json!({"message": ATTACK, "data": ATTACK, "progressToken": 1});
        let message = if method.is_request {
            request("1", method.name, params)
        } else {
            notification(method.name, params)
        };
        let out = bench.server(&message);
        assert!(!out.raw.contains("evil"), "{}", method.name);
    }
}

#[test]
fn unknown_methods_are_refused_or_looked_at() {
    let mut bench = Bench::new("{}", "");
    let out = bench.client(&request("1", "tools/erase", json!({})));
    assert_eq!(out.to_client[0]["error"]["code"], -32601);
    assert_eq!(out.rules(), ["mcp.method"]);
    let out = bench.server(&request("1", "model/train", json!({})));
    assert_eq!(out.to_server[0]["error"]["code"], -32601);
    for out in [
        bench.client(&notification("notifications/x", json!({}))),
        bench.server(&notification("notifications/x", json!({}))),
    ] {
        assert!(out.raw.is_empty());
    }
    // A method of one side is none of the other's, and a request is no notification.
    assert!(
        bench
            .server(&request("2", "tools/call", json!({})))
            .to_client
            .is_empty()
    );
    assert!(
        bench
            .client(&notification("tools/list", json!({})))
            .to_server
            .is_empty()
    );
    let mut open = Bench::new("unknown-methods: pass", "");
    assert_eq!(
        open.client(&request("1", "x/y", json!({}))).to_server.len(),
        1
    );
    let out = open.server(&answer("1", json!({"note": ATTACK})));
    assert_eq!(out.to_client[0]["error"]["code"], -32010);
}

#[test]
fn messages_pass_byte_for_byte() {
    let mut bench = Bench::new("{}", "").offering(&["read"]);
    let call = r#"{"jsonrpc":"2.0", "id": 7,"method":"tools/call","params":{"name":"read","arguments":{"n":1.50,"u":"\u0041","later":{"x":[1e2]}},"future":true}, "extra":{}}"#;
    assert_eq!(bench.client_raw(call).raw.trim_end(), call);
    let result = r#"{"id": 7,"jsonrpc":"2.0","result":{"content":[{"type":"text","text":"\u00e9"}],"future":0.10}}"#;
    assert_eq!(bench.server_raw(result).raw.trim_end(), result);
}

#[test]
fn ids_name_one_request_each() {
    let mut bench = Bench::new("{}", "").offering(&["read"]);
    assert_eq!(bench.call("1", "read", json!({})).to_server.len(), 1);
    let twice = bench.call("1", "read", json!({}));
    assert!(twice.to_server.is_empty());
    assert_eq!(twice.to_client[0]["id"], json!(null));
    // The number 1 is not the text "1".
    let number = json!({"jsonrpc": "2.0", "id": 1, "result": said("x")});
    assert_eq!(bench.server(&number).rules(), ["mcp.protocol"]);
    assert_eq!(bench.server(&answer("1", said("x"))).to_client.len(), 1);
    // The second answer answers nothing.
    let again = bench.server(&answer("1", said("y")));
    assert!(again.to_client.is_empty());
    assert_eq!(again.rules(), ["mcp.protocol"]);
    assert!(bench.client(&answer("9", json!({}))).to_server.is_empty());
}

#[test]
fn what_is_no_message_ends_the_session() {
    let mut bench = Bench::new("limits: {max-message-bytes: 1024}", "");
    for bad in [
        "Listening on port 3000",
        r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","id":2}"#,
        &format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"{}"}}"#,
            "x".repeat(1_024)
        ),
    ] {
        let out = bench.client_raw(bad);
        assert!(out.closed && out.to_server.is_empty());
        assert!(out.to_client[0]["error"]["message"].is_string());
        assert!(bench.server_raw(bad).closed);
    }
}

#[test]
fn too_many_and_too_slow() {
    let mut bench = Bench::new("limits: {max-pending: 2, request-seconds: 5}", "");
    for id in ["1", "2"] {
        assert_eq!(
            bench
                .client(&request(id, "ping", json!({})))
                .to_server
                .len(),
            1
        );
    }
    let out = bench.client(&request("3", "ping", json!({})));
    assert_eq!(out.to_client[0]["error"]["code"], -32011);
    assert!(bench.tick(5_000).raw.is_empty());
    let out = bench.tick(1);
    assert_eq!(out.to_client.len(), 2);
    assert_eq!(out.to_client[0]["error"]["code"], -32012);
    assert_eq!(out.to_server[0]["method"], "notifications/cancelled");
    assert_eq!(
        bench
            .client(&request("4", "ping", json!({})))
            .to_server
            .len(),
        1
    );
}

#[test]
fn a_list_that_does_not_come_refuses_the_call_that_waits() {
    let mut bench = Bench::new("limits: {request-seconds: 5}", "");
    assert_eq!(
        bench.call("1", "read", json!({})).to_server[0]["method"],
        "tools/list"
    );
    let out = bench.tick(5_001);
    let told = out
        .to_client
        .iter()
        .find(|message| message["id"] == "1")
        .unwrap();
    assert_eq!(told["result"]["isError"], true);
}

#[test]
fn what_was_given_up_is_not_answered() {
    let mut bench = Bench::new("{}", "").offering(&["read"]);
    bench.call("1", "read", json!({}));
    let cancel = notification("notifications/cancelled", json!({"requestId": "1"}));
    assert_eq!(bench.client(&cancel).to_server.len(), 1);
    assert!(
        bench
            .server(&answer("1", said("late")))
            .to_client
            .is_empty()
    );
}

#[test]
fn revisions_that_are_not_known_are_refused() {
    let mut bench = Bench::new("{}", "");
    let hello = json!({"protocolVersion": "2099-01-01", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}});
    assert_eq!(
        bench
            .client(&request("1", "initialize", hello))
            .to_server
            .len(),
        1
    );
    let out = bench.server(&answer(
        "1",
        json!({"protocolVersion": "2099-01-01", "capabilities": {}}),
    ));
    assert_eq!(out.to_client[0]["error"]["code"], -32010);
    let meta = |revision: &str| json!({"_meta": {"io.modelcontextprotocol/protocolVersion": revision, "io.modelcontextprotocol/clientCapabilities": {"roots": {}, "extensions": {}}}});
    let out = bench.client(&request("2", "tools/list", meta("2099-01-01")));
    assert_eq!(out.to_client[0]["error"]["code"], -32022);
    let out = bench.client(&request("3", "tools/list", meta("2026-07-28")));
    let told = &out.to_server[0]["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"];
    assert_eq!(*told, json!({"extensions": {}}));
}

#[test]
fn without_a_greeting_own_requests_say_what_the_client_said() {
    let mut bench = Bench::new("{}", "");
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}, "progressToken": 4});
    let call = request("1", "tools/call", json!({"name": "read", "_meta": meta}));
    let out = bench.client(&call);
    let told = &out.to_server[0]["params"]["_meta"];
    assert_eq!(
        told["io.modelcontextprotocol/protocolVersion"],
        "2026-07-28"
    );
    assert_eq!(
        told["io.modelcontextprotocol/clientCapabilities"],
        json!({})
    );
    assert!(told.get("progressToken").is_none());
    let id = out.to_server[0]["id"].as_str().unwrap().to_owned();
    let out = bench.server(&answer(&id, json!({"resultType": "complete", "tools": []})));
    assert!(refusal(&out).contains("no such tool"));
}
