//! The access policy at the routes (RB-04..06, RB-10, AUD-15).

use std::time::Duration;

use bartizan_gateway::record::{MlAudit, What};
use http::Method;
use serde_json::{Value, json};

use super::{Got, ONE, Running, chat, with_upstream};
use crate::mock::Mock;

/// A key with those scopes: its id and itself.
async fn key(gateway: &Running, scopes: &[&str]) -> (String, String) {
    let body = json!({"name": "made", "grants": {"scopes": scopes}});
    let made = gateway.post("/admin/keys", &body).await.json();
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

/// The gateway's configuration with those grants.
fn with_grants(mock: &Mock, grants: &Value) -> String {
    let base = format!("{}\n    allow-private: true", mock.base_url());
    format!(
        "{}access: {{grants: {grants}}}\n",
        ONE.replacen("MOCK", &base, 1)
    )
}

async fn ask(gateway: &Running, key: &str, model: &str) -> Got {
    let mut body = chat("Hello.");
    body["model"] = model.into();
    gateway.post_as(key, "/v1/chat/completions", &body).await
}

async fn get(gateway: &Running, key: &str, path: &str) -> Got {
    let credential = format!("Bearer {key}");
    let headers = [("authorization", credential.as_str())];
    gateway.send(Method::GET, path, &headers, "").await
}

/// What the record says of rights in the request that led to `got`.
async fn audit(gateway: &Running, got: &Got) -> MlAudit {
    for _ in 0..400 {
        let story = gateway.gateway.recorder().story(got.id()).await.unwrap();
        let audits = story.into_iter().flat_map(|story| story.events);
        let audit = audits.into_iter().find_map(|event| match event.what {
            What::MlAudit(audit) => Some(*audit),
            _ => None,
        });
        if let Some(audit) = audit {
            return audit;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("nothing is recorded of {got:?}");
}

#[tokio::test]
async fn ws_52_a_grant_on_one_model_opens_no_other() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "").await;
    let (id, key) = key(&gateway, &["guard"]).await;
    assert_eq!(ask(&gateway, &key, "fraud").await.status, 403);
    let grants = json!([{ "user": id, "roles": ["data_scientist"], "on": ["model:fraud*"] }]);
    gateway.reload(&with_grants(&mock, &grants), "").await;
    assert_eq!(ask(&gateway, &key, "fraud-2").await.status, 200);
    let refused = ask(&gateway, &key, "spam").await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["error"]["code"], "access_denied");
    let event = audit(&gateway, &refused).await;
    let told = [
        &event.event_type,
        &event.action,
        &event.resource,
        &event.reason,
    ];
    assert_eq!(
        told.map(|label| label.as_str()),
        ["access_denied", "model:predict", "model:*", "not-permitted"]
    );
    assert_eq!(event.user_id.as_str(), id);
    // In the shape of the other dialect.
    let body = json!({"model": "spam", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello."}]});
    let refused = gateway.post_as(&key, "/v1/messages", &body).await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["type"], "error", "{refused:?}");
}

#[tokio::test]
async fn ws_51_what_is_denied_is_refused_to_administrators() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "").await;
    let (id, key) = key(&gateway, &["infer", "admin"]).await;
    assert_eq!(ask(&gateway, &key, "m").await.status, 200);
    let grants =
        json!([{ "id": "stop", "user": id, "roles": ["admin"], "denied": ["model:predict"] }]);
    gateway.reload(&with_grants(&mock, &grants), "").await;
    let refused = ask(&gateway, &key, "m").await;
    assert_eq!(refused.status, 403, "{refused:?}");
    let event = audit(&gateway, &refused).await;
    assert_eq!(event.reason.as_str(), "stop/denied");
    // It is admin everywhere else, though no scope says so.
    assert_eq!(get(&gateway, &key, "/metrics").await.status, 200);
    gateway.reload(&with_grants(&mock, &json!([])), "").await;
    assert_eq!(ask(&gateway, &key, "m").await.status, 200);
    assert_eq!(get(&gateway, &key, "/metrics").await.status, 403);
}

#[tokio::test]
async fn aud_15_reading_the_record_needs_a_right_and_is_recorded() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "").await;
    let answered = ask(&gateway, &gateway.key, "m").await;
    gateway.recorded(&answered).await;
    let path = format!("/v1/requests/{}", answered.id());
    let (_, infer) = key(&gateway, &["infer"]).await;
    let refused = get(&gateway, &infer, &path).await;
    assert_eq!(refused.status, 403);
    let event = audit(&gateway, &refused).await;
    assert_eq!(event.event_type.as_str(), "access_denied");
    assert_eq!(event.action.as_str(), "audit:read");
    let (id, auditor) = key(&gateway, &["audit"]).await;
    let read = get(&gateway, &auditor, &path).await;
    assert_eq!(read.status, 200);
    let event = audit(&gateway, &read).await;
    assert_eq!(event.event_type.as_str(), "data_access");
    assert_eq!(event.user_id.as_str(), id);
    assert_eq!(event.status.as_str(), "success");
}

#[tokio::test]
async fn rights_hold_for_classical_models_and_for_lists() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "").await;
    let (id, key) = key(&gateway, &["infer"]).await;
    let rows = json!({"instances": [[1.0]]});
    assert_ne!(gateway.post_as(&key, "/predict", &rows).await.status, 403);
    let grants = json!([{ "user": id, "denied": ["model:predict"] }]);
    gateway.reload(&with_grants(&mock, &grants), "").await;
    let refused = gateway.post_as(&key, "/predict", &rows).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    let event = audit(&gateway, &refused).await;
    assert_eq!(event.reason.as_str(), "grants[0]/denied");
    let listed = async || {
        let got = get(&gateway, &key, "/v1/models").await;
        assert_eq!(got.status, 200, "{got:?}");
        got.json()["data"].as_array().unwrap().len()
    };
    let before = listed().await;
    let grants = json!([{ "user": id, "denied": ["model:read"] }]);
    gateway.reload(&with_grants(&mock, &grants), "").await;
    assert_eq!(listed().await, 0, "of {before}");
}

#[tokio::test]
async fn rb_10_a_change_of_rights_is_an_event_of_its_own() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "").await;
    let before = gateway.gateway.engine().access.version().to_owned();
    let grants = json!([{ "user": "eve", "roles": ["viewer"] }]);
    gateway.reload(&with_grants(&mock, &grants), "").await;
    let after = gateway.gateway.engine().access.version().to_owned();
    assert_ne!(before, after);
    let folder = gateway.stop().await;
    // The folder is the record: what it holds is on the disk by now.
    let mut found = false;
    for file in std::fs::read_dir(folder.path().join("data")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            found |= text.contains(&format!("\"from\":\"{before}\",\"to\":\"{after}\""));
        }
    }
    assert!(found, "the change is not in the record");
}
