use serde_json::{Value, json};

use crate::helpers::{ATTACK, Bench, answer, refusal, request};

fn sample(text: &str, tokens: u64) -> Value {
    let messages = json!([{"role": "user", "content": {"type": "text", "text": text}}]);
    request(
        "s",
        "sampling/createMessage",
        json!({"messages": messages, "maxTokens": tokens}),
    )
}

fn elicit(message: &str, properties: Value) -> Value {
    let form = json!({"type": "object", "properties": properties});
    request(
        "e",
        "elicitation/create",
        json!({"message": message, "requestedSchema": form}),
    )
}

#[test]
fn servers_do_not_ask_the_model_unless_they_may() {
    let mut bench = Bench::new("{}", "");
    let out = bench.server(&sample("What is the capital of France?", 10));
    assert!(out.to_client.is_empty());
    assert_eq!(out.to_server[0]["error"]["code"], -1);
    assert_eq!(out.rules(), ["mcp.asks"]);
}

#[test]
fn questions_to_the_model_are_looked_at_and_counted() {
    let mut bench = Bench::new(
        "sampling: {allow: true, max-requests: 3, max-tokens: 100}",
        "",
    );
    assert!(bench.server(&sample(ATTACK, 10)).to_client.is_empty());
    let out = bench.server(&sample("What is the capital of France?", 50));
    assert_eq!(out.to_client.len(), 1);
    let key = concat!("ghp_", "16C7e42F292c6912E7710c838347Ae178B4a");
    let said = json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": format!("It is {key}")}});
    let out = bench.client(&answer("s", said));
    assert_eq!(out.to_server.len(), 1);
    assert!(!out.raw.contains(key));
    // 10 and 50 were asked for; 50 more are too many, and so is a fourth question.
    assert!(
        bench
            .server(&sample("And of Spain?", 50))
            .to_client
            .is_empty()
    );
    assert_eq!(bench.server(&sample("And of Spain?", 1)).to_client.len(), 1);
    bench.client(&answer("s", json!({})));
    assert!(
        bench
            .server(&sample("And of Italy?", 1))
            .to_client
            .is_empty()
    );
}

#[test]
fn servers_do_not_ask_people_for_secrets() {
    let name = || json!({"name": {"type": "string"}});
    let mut bench = Bench::new("{}", "");
    let out = bench.server(&elicit("Your name?", name()));
    assert_eq!(out.to_server[0]["result"]["action"], "decline");
    let mut bench = Bench::new("elicitation: {allow: true, hosts: [login.example]}", "");
    assert_eq!(
        bench.server(&elicit("Your name?", name())).to_client.len(),
        1
    );
    bench.client(&answer(
        "e",
        json!({"action": "accept", "content": {"name": "x"}}),
    ));
    for question in [
        elicit("Your password, please", name()),
        elicit("Sign in", json!({"apiKey": {"type": "string"}})),
        elicit(
            "Sign in",
            json!({"a": {"type": "string", "title": "P\u{430}ssword"}}),
        ),
        request(
            "e",
            "elicitation/create",
            json!({"mode": "url", "url": "https://evil.example/", "message": "Sign in"}),
        ),
        request(
            "e",
            "elicitation/create",
            json!({"mode": "later", "message": "Sign in"}),
        ),
    ] {
        let out = bench.server(&question);
        assert!(out.to_client.is_empty(), "{question}");
        assert_eq!(out.to_server[0]["result"]["action"], "decline");
    }
    let there = json!({"mode": "url", "url": "https://login.example/x", "message": "Sign in"});
    assert_eq!(
        bench
            .server(&request("e", "elicitation/create", there))
            .to_client
            .len(),
        1
    );
}

#[test]
fn folders_are_those_of_the_configuration() {
    let mut bench = Bench::new("roots: ['file:///work']", "");
    let out = bench.server(&request("r", "roots/list", json!({})));
    assert!(out.to_client.is_empty());
    assert_eq!(
        out.to_server[0]["result"]["roots"],
        json!([{"uri": "file:///work"}])
    );
}

#[test]
fn abilities_that_are_closed_are_not_announced() {
    let abilities = json!({"sampling": {}, "elicitation": {}, "roots": {"listChanged": true}, "tasks": {}, "experimental": {"x": {}}});
    let hello = json!({"protocolVersion": "2025-11-25", "capabilities": abilities, "clientInfo": {"name": "c", "version": "1"}});
    let out = Bench::new("{}", "").client(&request("1", "initialize", hello.clone()));
    let told = &out.to_server[0]["params"]["capabilities"];
    assert_eq!(
        *told,
        json!({"roots": {"listChanged": true}, "experimental": {"x": {}}})
    );
    let out = Bench::new("sampling: {allow: true}", "").client(&request("1", "initialize", hello));
    assert!(
        out.to_server[0]["params"]["capabilities"]
            .get("sampling")
            .is_some()
    );
}

#[test]
fn questions_inside_of_results_are_questions() {
    let asking = |method: &str| json!({"resultType": "input_required", "requestState": "c2VhbGVkIGJ5IG1l", "inputRequests": {"q": {"method": method, "params": {"message": "Your name?", "requestedSchema": {"type": "object", "properties": {}}}}}});
    let mut bench = Bench::new("{}", "").offering(&["book"]);
    bench.call("1", "book", json!({}));
    assert!(
        refusal(&bench.server(&answer("1", asking("elicitation/create")))).contains("mcp.asks")
    );
    let mut bench = Bench::new("elicitation: {allow: true}", "").offering(&["book"]);
    bench.call("1", "book", json!({}));
    let out = bench.server(&answer("1", asking("elicitation/create")));
    assert_eq!(out.to_client[0]["result"]["resultType"], "input_required");
    bench.call("2", "book", json!({}));
    assert!(refusal(&bench.server(&answer("2", asking("roots/list")))).contains("mcp.asks"));
}
