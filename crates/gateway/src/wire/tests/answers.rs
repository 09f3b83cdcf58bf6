use serde_json::{Value, json};

use super::*;
use crate::fault::FaultKind;

const CHAT: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt","choices":[
    {"index":0,"message":{"role":"assistant","content":"fine","refusal":null},"logprobs":{"content":[{"token":"fine","logprob":-0.1,"bytes":[102,105,110,101],"top_logprobs":[]}],"refusal":null},"finish_reason":"stop"},
    {"index":1,"message":{"role":"assistant","content":null,"reasoning_content":"ask jane.roe@corp-mail.net","tool_calls":[{"id":"c","type":"function","function":{"name":"mail","arguments":"{\"to\":\"jane.roe@corp-mail.net\"}"}}]},"finish_reason":"tool_calls"},
    {"index":2,"message":{"role":"assistant","content":"mail jane.roe@corp-mail.net","audio":{"id":"a","data":"","transcript":"it is jane.roe@corp-mail.net"}},"finish_reason":"length"}],
    "usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":3},"completion_tokens_details":{"reasoning_tokens":2}},"system_fingerprint":"fp"}"#;

#[test]
fn an_answer_tells_its_usage_and_how_it_ended() {
    let answer = answer(Endpoint::ChatCompletions, CHAT, Logprobs::Pass).unwrap();
    assert_eq!(
        (answer.id(), answer.model()),
        (Some("chatcmpl-1"), Some("gpt"))
    );
    assert_eq!(answer.finish_reasons(), ["stop", "tool_calls", "length"]);
    let usage = answer.usage().unwrap();
    assert_eq!(
        (
            usage.input,
            usage.output,
            usage.cached_input,
            usage.reasoning,
            usage.total()
        ),
        (9, 5, 3, 2, 14)
    );
    let anthropic = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[{"type":"text","text":"x"}],"stop_reason":"MARKER","usage":{"input_tokens":2,"cache_read_input_tokens":5,"cache_creation_input_tokens":1,"output_tokens":3}}"#;
    let answer = super::answer(Endpoint::Messages, anthropic, Logprobs::Strip).unwrap();
    assert_eq!(answer.finish_reasons(), ["other"]);
    let usage = answer.usage().unwrap();
    assert_eq!(
        (
            usage.input,
            usage.cached_input,
            usage.cache_write,
            usage.output
        ),
        (8, 5, 1, 3)
    );
}

#[test]
fn out_23_ws_31_every_choice_argument_thought_and_transcript_is_clean() {
    let answer = answer(Endpoint::ChatCompletions, CHAT, Logprobs::Strip).unwrap();
    let clean = redacted(&answer).unwrap();
    assert!(!clean.contains("jane"), "{clean}");
    assert_eq!(clean.matches("[REDACTED_EMAIL").count(), 4, "{clean}");
    let value: Value = serde_json::from_str(&clean).unwrap();
    assert_eq!(value["choices"][0]["message"]["content"], "fine");
    assert_eq!(value["choices"][0]["logprobs"], Value::Null);
    let arguments = value["choices"][1]["message"]["tool_calls"][0]["function"]["arguments"]
        .as_str()
        .unwrap();
    assert!(
        serde_json::from_str::<Value>(arguments).unwrap()["to"]
            .as_str()
            .unwrap()
            .starts_with("[REDACTED")
    );
}

#[test]
fn ex_09_probabilities_reach_only_who_is_entitled_and_go_with_the_text() {
    let strip = answer(Endpoint::ChatCompletions, CHAT, Logprobs::Strip).unwrap();
    assert!(!text(&strip.edit().unwrap().apply().unwrap()).contains("top_logprobs"));
    let pass = answer(Endpoint::ChatCompletions, CHAT, Logprobs::Pass).unwrap();
    assert_eq!(text(&pass.edit().unwrap().apply().unwrap()), CHAT);
    assert!(
        !redacted(&pass).unwrap().contains("top_logprobs"),
        "they repeat what was taken out"
    );
    let tokens = r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"mail me"},"logprobs":{"content":[{"token":"jane.roe","bytes":null,"top_logprobs":[]},{"token":"@corp-mail","bytes":null,"top_logprobs":[]},{"token":".net","bytes":null,"top_logprobs":[]}]}}]}"#;
    let hidden = answer(Endpoint::ChatCompletions, tokens, Logprobs::Pass).unwrap();
    let clean = redacted(&hidden).unwrap();
    assert!(
        !clean.contains("corp-mail") && clean.contains("mail me"),
        "{clean}"
    );
    let parts = &hidden.conversation().parts;
    let number = parts
        .iter()
        .position(|part| part.text.ends_with(".net"))
        .unwrap();
    let mut edits = hidden.edit().unwrap();
    edits
        .replace(number, bartizan_core::Span::from_range(0..4), "x")
        .unwrap();
    assert!(!text(&edits.apply().unwrap()).contains("corp-mail"));
    let bytes: Vec<u8> = b"jane.roe@corp-mail.net".to_vec();
    let body = json!({"choices": [{"text": "x", "logprobs": {"tokens": ["x"], "top_logprobs": [{"y": -1}], "other": "z"}, "index": 0}, {"message": {"content": "x"}, "logprobs": {"content": [{"token": "x", "bytes": bytes}]}}]}).to_string();
    let hidden = answer(Endpoint::Completions, &body, Logprobs::Pass).unwrap();
    assert!(!redacted(&hidden).unwrap().contains("bytes"));
    let blocks = r#"{"output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"hi","annotations":[],"logprobs":[{"token":"hi","bytes":[],"logprob":0,"top_logprobs":[]}]}]}],"top_logprobs":2}"#;
    let answer = answer(Endpoint::Responses, blocks, Logprobs::Strip).unwrap();
    assert_eq!(
        text(&answer.edit().unwrap().apply().unwrap()),
        r#"{"output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"hi","annotations":[],"logprobs":[]}]}],"top_logprobs":2}"#
    );
}

#[test]
fn every_item_of_responses_and_every_block_of_messages_is_clean() {
    let person = "jane.roe@corp-mail.net";
    let responses = json!({"id": "resp_1", "status": "completed", "instructions": person, "output": [
        {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": person}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": person, "annotations": [{"type": "url_citation", "title": person, "url": "https://x.example/"}]}, {"type": "refusal", "refusal": person}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": format!("{{\"a\":\"{person}\"}}")},
        {"type": "mcp_call", "id": "m", "output": person, "arguments": "{}", "name": "n", "server_label": "s"},
        {"type": "code_interpreter_call", "id": "i", "code": person, "outputs": [{"type": "logs", "logs": person}]},
    ], "output_text": person}).to_string();
    let answer = super::answer(Endpoint::Responses, &responses, Logprobs::Strip).unwrap();
    assert_eq!(answer.finish_reasons(), ["completed"]);
    assert!(!redacted(&answer).unwrap().contains(person));
    let messages = json!({"id": "msg_1", "type": "message", "role": "assistant", "content": [
        {"type": "text", "text": person, "citations": [{"type": "char_location", "cited_text": person}]},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"deep": [{"to": person}]}},
        {"type": "web_search_tool_result", "tool_use_id": "w", "content": [{"type": "web_search_result", "title": person, "url": "https://x.example/", "encrypted_content": "abc"}]},
    ], "stop_reason": "tool_use"}).to_string();
    let answer = super::answer(Endpoint::Messages, &messages, Logprobs::Strip).unwrap();
    assert!(!redacted(&answer).unwrap().contains(person));
}

#[test]
fn a_signed_thought_is_not_changed_but_stopped() {
    let body = r#"{"type":"message","role":"assistant","content":[{"type":"thinking","thinking":"ask jane.roe@corp-mail.net","signature":"abc="},{"type":"text","text":"x"}]}"#;
    let answer = answer(Endpoint::Messages, body, Logprobs::Strip).unwrap();
    assert_eq!(
        redacted(&answer),
        Err(EditError::Signed {
            path: "content[0].thinking".to_owned()
        })
    );
}

#[test]
fn an_answer_of_another_shape_is_a_bad_gateway_without_content() {
    let bodies = [
        "",
        "MARKER",
        "<html>MARKER</html>",
        "{}",
        "null",
        r#"{"error":{"message":"MARKER"}}"#,
        r#"{"choices":"MARKER"}"#,
        r#"{"choices":["MARKER"]}"#,
        r#"{"choices":[],"choices":["MARKER"]}"#,
    ];
    for endpoint in [
        Endpoint::ChatCompletions,
        Endpoint::Completions,
        Endpoint::Responses,
        Endpoint::Messages,
        Endpoint::Embeddings,
        Endpoint::CountTokens,
    ] {
        for body in bodies {
            let fault = answer(endpoint, body, Logprobs::Strip).unwrap_err();
            assert_eq!(fault.kind, FaultKind::BadGateway);
            assert!(!format!("{fault:?}").contains("MARKER"));
        }
    }
    let vectors = r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,-2e-7]}],"model":"e","usage":{"prompt_tokens":2,"total_tokens":2}}"#;
    let answer = answer(Endpoint::Embeddings, vectors, Logprobs::Strip).unwrap();
    assert!(answer.conversation().parts.is_empty());
    assert_eq!(answer.usage().unwrap().input, 2);
    assert_eq!(text(&answer.edit().unwrap().apply().unwrap()), vectors);
}

#[test]
fn a_large_batch_of_vectors_passes_and_a_text_in_the_place_of_one_does_not_hide() {
    let vector = vec!["-0.012345678"; 1536].join(",");
    let rows: Vec<String> = (0..200)
        .map(|index| format!(r#"{{"index":{index},"embedding":[{vector}]}}"#))
        .collect();
    let body = format!(r#"{{"data":[{}]}}"#, rows.join(","));
    assert!(
        answer(Endpoint::Embeddings, &body, Logprobs::Strip)
            .unwrap()
            .conversation()
            .parts
            .is_empty()
    );
    let packed = r#"{"data":[{"index":0,"embedding":"AACAPwAAAEAAAIA/AAAAQAAAgD8AAABA"},{"index":1,"embedding":"write to jane.roe@corp-mail.net"},{"index":2,"embedding":[1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,4111111111111111]}]}"#;
    let answer = answer(Endpoint::Embeddings, packed, Logprobs::Strip).unwrap();
    let texts: Vec<&str> = answer
        .conversation()
        .parts
        .iter()
        .map(|part| part.text.as_str())
        .collect();
    assert_eq!(
        texts,
        ["write to jane.roe@corp-mail.net", "4111111111111111"]
    );
}

#[test]
fn what_is_sealed_for_its_maker_passes_as_it_is() {
    let sealed = "QWJj".repeat(5000);
    let body = json!({"type": "message", "role": "assistant", "content": [
        {"type": "thinking", "thinking": "hm", "signature": sealed},
        {"type": "redacted_thinking", "data": sealed},
        {"type": "redacted_thinking", "data": "write to jane.roe@corp-mail.net"},
    ]})
    .to_string();
    let answer = answer(Endpoint::Messages, &body, Logprobs::Strip).unwrap();
    let texts: Vec<&str> = answer
        .conversation()
        .parts
        .iter()
        .map(|part| part.text.as_str())
        .collect();
    assert_eq!(texts, ["hm", "write to jane.roe@corp-mail.net"]);
}
