//! Who may use what (API-11).

use bartizan_gateway::principal::Scope;
use http::Method;
use serde_json::{Value, json};

use super::{chat, with_upstream};
use crate::mock::Mock;

#[tokio::test]
async fn api_11_every_route_asks_for_a_key_unless_it_is_public() {
    let mock = Mock::saying("Fine.").await;
    // As many bad credentials as this test brings are no attack.
    let more = "identity: {throttle: {free-attempts: 100000, global-per-second: 100000}}\n";
    let gateway = with_upstream(&mock, more).await;
    let document = gateway.send(Method::GET, "/openapi.json", &[], "").await;
    assert_eq!(document.status, 200);
    let document = document.json();
    let mut routes = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let concrete: String = path
            .split('/')
            .map(|segment| match segment.split_once('{') {
                Some((before, rest)) => {
                    let after = rest.split_once('}').map_or("", |(_, after)| after);
                    format!("{before}x{after}")
                }
                None => segment.to_owned(),
            })
            .collect::<Vec<_>>()
            .join("/");
        for (method, operation) in methods.as_object().unwrap() {
            if !matches!(method.as_str(), "get" | "post" | "delete" | "put") {
                continue;
            }
            let is_public = operation["security"] == json!([]);
            let method: Method = method.to_uppercase().parse().unwrap();
            for key in [None, Some("bz_000000000000_nonsense")] {
                let credential = format!("Bearer {}", key.unwrap_or_default());
                let headers: &[(&str, &str)] = match key {
                    Some(_) => &[("authorization", &credential)],
                    None => &[],
                };
                let got = gateway.send(method.clone(), &concrete, headers, "{}").await;
                if is_public {
                    assert!(!matches!(got.status, 401 | 403), "{method} {path}: {got:?}");
                } else {
                    assert_eq!(got.status, 401, "{method} {path}: {got:?}");
                }
            }
            routes += 1;
        }
    }
    assert!(routes > 30, "{routes}");
    assert_eq!(mock.requests(), 0);
}

#[tokio::test]
async fn api_11_a_key_gives_its_scopes_and_no_more() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "").await;
    let routes: [(&str, &str, Option<Value>); 9] = [
        ("infer", "/v1/chat/completions", Some(chat("Hello."))),
        ("infer", "/v1/models", None),
        ("infer", "/predict", Some(json!({"instances": [[1.0]]}))),
        ("guard", "/v1/guard/check", Some(json!({"text": "Hello."}))),
        (
            "guard",
            "/analyze",
            Some(json!({"text": "Hello.", "language": "en"})),
        ),
        (
            "audit",
            "/v1/requests/01890a5d-ac96-774b-bcce-b302099a8057",
            None,
        ),
        ("metrics", "/metrics", None),
        ("review", "/v1/review", None),
        ("admin", "/admin/keys", None),
    ];
    for scope in ["infer", "guard", "audit", "metrics", "review", "admin"] {
        let key = gateway.new_key(&[scope]).await;
        let credential = format!("Bearer {key}");
        let headers = [("authorization", credential.as_str())];
        for (needed, path, body) in &routes {
            let (method, body) = match body {
                Some(body) => (Method::POST, body.to_string()),
                None => (Method::GET, String::new()),
            };
            let got = gateway.send(method, path, &headers, &body).await;
            if *needed == scope {
                assert!(!matches!(got.status, 401 | 403), "{scope} {path}: {got:?}");
            } else {
                assert_eq!(got.status, 403, "{scope} {path}: {got:?}");
            }
        }
    }
}

#[tokio::test]
async fn api_04_a_revoked_key_fails_at_once() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "").await;
    let got = gateway
        .post(
            "/admin/keys",
            &json!({"name": "n", "grants": {"scopes": ["infer"]}}),
        )
        .await;
    let made = got.json();
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    let ask = async || {
        gateway
            .post_as(key, "/v1/chat/completions", &chat("Hello."))
            .await
    };
    assert_eq!(ask().await.status, 200);
    let credential = format!("Bearer {}", gateway.key);
    let headers = [("authorization", credential.as_str())];
    let gone = gateway
        .send(Method::DELETE, &format!("/admin/keys/{id}"), &headers, "")
        .await;
    assert_eq!(gone.status, 204, "{gone:?}");
    assert_eq!(ask().await.status, 401);
}

#[tokio::test]
async fn a_model_that_a_key_may_not_use_does_not_exist_for_it() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "").await;
    let grants = json!({"name": "n", "grants": {"scopes": ["infer"], "models": ["small-*"]}});
    let made = gateway.post("/admin/keys", &grants).await.json();
    let key = made["key"].as_str().unwrap();
    let mut body = chat("Hello.");
    body["model"] = "small-1".into();
    assert_eq!(
        gateway
            .post_as(key, "/v1/chat/completions", &body)
            .await
            .status,
        200
    );
    body["model"] = "large-1".into();
    let got = gateway.post_as(key, "/v1/chat/completions", &body).await;
    assert_eq!(got.status, 404, "{got:?}");
    assert_eq!(got.json()["error"]["code"], "model_not_found");
    assert!(!got.body.contains("large-1"));
    assert_eq!(mock.requests(), 1);
}

#[tokio::test]
async fn a_wrong_scope_is_answered_with_the_right_ones() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, "").await;
    let spec = json!({"name": "n", "grants": {"scopes": ["infer", "zqscope"]}});
    let got = gateway.post("/admin/keys", &spec).await;
    assert_eq!(got.status, 400, "{got:?}");
    assert_eq!(got.json()["error"]["param"], "grants.scopes[1]");
    for scope in Scope::ALL {
        assert!(got.body.contains(scope.as_str()), "{}", got.body);
    }
    assert!(!got.body.contains("zqscope"), "{}", got.body);
}
