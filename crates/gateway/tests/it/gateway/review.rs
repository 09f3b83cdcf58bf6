//! Verdicts that ask a person (OUT-22).

use serde_json::json;

use super::{ATTACK, Got, MAIL, ONE, Running, chat, start_with};
use crate::mock::Mock;

const ASK: &str =
    "rows:\n  - {name: ask-mail, rule: ['pii.email*'], direction: DIRECTION, ask: 0.3}\n";

async fn gateway(mock: &Mock, direction: &str, seconds: u64) -> Running {
    let yaml = format!("{ONE}guarding: {{review: {{wait-seconds: {seconds}}}}}\n");
    start_with(&yaml, &ASK.replace("DIRECTION", direction), &[mock]).await
}

/// Waits until something is held; gives its id.
async fn held(gateway: &Running, text: &str) -> String {
    for _ in 0..200 {
        let items = gateway.get("/v1/review").await;
        assert_eq!(items.status, 200, "{items:?}");
        if let Some(item) = items.json()["items"].as_array().unwrap().first() {
            assert!(!item.to_string().contains("jane"), "{item}");
            assert!(item["safe_text"].as_str().unwrap().contains(text), "{item}");
            return item["request_id"].as_str().unwrap().to_owned();
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("nothing is held");
}

async fn rule(gateway: &Running, key: &str, id: &str, decision: &str) -> Got {
    let body = json!({"decision": decision});
    gateway
        .post_as(key, &format!("/v1/review/{id}"), &body)
        .await
}

#[tokio::test]
async fn out_22_what_is_held_is_released_by_another() {
    for direction in ["input", "output"] {
        let mock = Mock::saying(&format!("Write to {MAIL}.")).await;
        let gateway = gateway(&mock, direction, 20).await;
        let asker = gateway.new_key(&["infer", "review"]).await;
        let text = if direction == "input" {
            format!("Write to {MAIL}, please.")
        } else {
            "Whom do I write to?".to_owned()
        };
        for decision in ["release", "block"] {
            let body = chat(&text);
            let asked = gateway.post_as(&asker, "/v1/chat/completions", &body);
            let ruled = async {
                let id = held(&gateway, "Write to").await;
                let own = rule(&gateway, &asker, &id, decision).await;
                assert_eq!(own.status, 404, "nobody decides about their own: {own:?}");
                let got = rule(&gateway, &gateway.key, &id, decision).await;
                assert_eq!(got.status, 204, "{got:?}");
                id
            };
            let (got, id) = tokio::join!(asked, ruled);
            assert_eq!(got.id().to_string(), id);
            let recorded = gateway.recorded(&got).await;
            if decision == "release" {
                assert_eq!(got.status, 200, "{direction}: {got:?}");
                assert_eq!(recorded.outcome.as_str(), "answered");
                assert!(!got.said().is_empty());
            } else if direction == "input" {
                assert_eq!(got.status, 400, "{got:?}");
                assert_eq!(recorded.outcome.as_str(), "input_blocked");
            } else {
                assert_eq!(got.json()["choices"][0]["finish_reason"], "content_filter");
                assert!(!got.body.contains("jane"));
                assert_eq!(recorded.outcome.as_str(), "output_blocked");
            }
            let story = gateway.story(got.id()).await.to_string();
            assert!(story.contains("review: held"), "{story}");
            let word = if decision == "release" {
                "approved"
            } else {
                "rejected"
            };
            assert!(story.contains(&format!("review: {word}")), "{story}");
        }
    }
}

#[tokio::test]
async fn out_22_nobody_decides_in_time() {
    let mock = Mock::saying("Fine.").await;
    let gateway = gateway(&mock, "input", 1).await;
    let got = gateway.chat(&chat(&format!("Write to {MAIL}."))).await;
    assert_eq!(got.status, 400, "{got:?}");
    assert_eq!(mock.requests(), 0);
    let story = gateway.story(got.id()).await.to_string();
    assert!(story.contains("review: expired"), "{story}");
}

/// A release holds for what was asked about, not for what is refused anyway.
#[tokio::test]
async fn what_is_blocked_is_not_held() {
    let mock = Mock::saying("Fine.").await;
    let gateway = gateway(&mock, "input", 20).await;
    let got = gateway
        .chat(&chat(&format!("{ATTACK} Write to {MAIL}.")))
        .await;
    assert_eq!(got.status, 400, "{got:?}");
}
