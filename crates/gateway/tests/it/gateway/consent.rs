//! Consent at the gateway (GOV-14).

use bartizan_gateway::{consent::ConsentTable, record::Label, store::Store};
use bartizan_govern::{ConsentEvent, Deed, SubjectKey};
use serde_json::{Value, json};

use super::{Running, chat, with_upstream};
use crate::mock::Mock;

const RULES: &str = "govern:
  purposes: {service: {}, training: {}}
  consent:
    trusted: ['*']
    rules:
      - {purpose: service, models: ['strict*'], without: refuse}
      - {purpose: training, without: exclude}
";

/// Writes down what somebody did, as `bartizan consent` does it beside a gateway that runs.
async fn write(gateway: &Running, who: &str, purpose: &str, at_ms: i64, deed: Deed) {
    let file = gateway.data.path().join("data/bartizan.db");
    let store = Store::open(file.to_str().unwrap()).await.unwrap();
    let event = ConsentEvent {
        v: ConsentEvent::VERSION,
        at_ms,
        subject: SubjectKey::derive(&[7; 32]).hash(who),
        purpose: purpose.to_owned(),
        deed,
    };
    ConsentTable::new(store).add(&event).await.unwrap();
}

fn granted() -> Deed {
    Deed::Granted {
        version: String::new(),
        ends_ms: None,
    }
}

#[tokio::test]
async fn gov_14_without_consent_a_request_is_refused_in_the_words_of_its_protocol() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, RULES).await;
    let mut ours = chat("Hello.");
    ours["model"] = "strict-1".into();
    ours["user"] = "alice@example.com".into();
    let theirs = json!({"model": "strict-1", "max_tokens": 9, "metadata": {"user_id": "alice@example.com"},
        "messages": [{"role": "user", "content": "Hello."}]});
    let ask = async || {
        let openai = gateway.post("/v1/chat/completions", &ours).await;
        let anthropic = gateway.post("/v1/messages", &theirs).await;
        (openai, anthropic)
    };
    let (openai, anthropic) = ask().await;
    assert_eq!((openai.status, anthropic.status), (403, 403));
    assert_eq!(openai.json()["error"]["code"], "consent_missing");
    assert_eq!(anthropic.json()["error"]["type"], "permission_error");
    assert!(mock.received().is_empty());
    write(&gateway, "alice@example.com", "service", 1, granted()).await;
    let (openai, anthropic) = ask().await;
    assert_eq!((openai.status, anthropic.status), (200, 200), "{openai:?}");
    write(&gateway, "alice@example.com", "service", 2, Deed::Withdrawn).await;
    let (openai, anthropic) = ask().await;
    assert_eq!((openai.status, anthropic.status), (403, 403));
}

#[tokio::test]
async fn gov_14_what_is_not_agreed_to_is_stored_nowhere() {
    let mock = Mock::saying("Fine.").await;
    let gateway = with_upstream(&mock, RULES).await;
    write(&gateway, "bob@example.com", "training", 1, granted()).await;
    let stored = chat("Hello.").as_object().cloned().unwrap();
    for (who, path, mut body, sent) in [
        ("alice", "/v1/chat/completions", json!(stored), Some(false)),
        (
            "alice",
            "/v1/responses",
            json!({"model": "m", "input": "Hello."}),
            Some(false),
        ),
        (
            "bob@example.com",
            "/v1/chat/completions",
            json!(stored),
            Some(true),
        ),
        (
            "bob@example.com",
            "/v1/responses",
            json!({"model": "m", "input": "Hello."}),
            None,
        ),
    ] {
        body["user"] = who.into();
        if path.ends_with("completions") {
            body["store"] = true.into();
        }
        let got = gateway.post(path, &body).await;
        assert_eq!(got.status, 200, "{got:?}");
        let store = mock.last().json().get("store").and_then(Value::as_bool);
        assert_eq!(store, sent, "{who} {path}");
        let excluded = gateway.recorded(&got).await.excluded;
        let expected: &[Label] = if who == "alice" {
            &["training".into()]
        } else {
            &[]
        };
        assert_eq!(excluded, expected);
    }
}

#[tokio::test]
async fn aud_17_contents_are_kept_sealed_and_only_of_who_agreed() {
    const MARKER: &str = "zqsealedwv";
    let mock = Mock::saying(&format!("I say {MARKER}.")).await;
    let yaml = format!("{RULES}record: {{content: {{keep: sealed}}}}\n");
    let gateway = with_upstream(&mock, &yaml).await;
    write(&gateway, "bob@example.com", "training", 1, granted()).await;
    let mut body = chat(&format!("Say {MARKER}."));
    for who in ["bob@example.com", "alice@example.com"] {
        body["user"] = who.into();
        for stream in [false, true] {
            body["stream"] = stream.into();
            let got = gateway.post("/v1/chat/completions", &body).await;
            assert_eq!(got.status, 200, "{got:?}");
        }
    }
    let folder = gateway.stop().await;
    let file = folder.path().join("data/bartizan.db");
    let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}", file.display()))
        .await
        .unwrap();
    let kept: Vec<(String, String)> =
        sqlx::query_as("SELECT subject, side FROM sealed_content ORDER BY number")
            .fetch_all(&pool)
            .await
            .unwrap();
    let bob = SubjectKey::derive(&[7; 32])
        .hash("bob@example.com")
        .to_string();
    assert!(kept.iter().all(|(subject, _)| *subject == bob), "{kept:?}");
    let sides: Vec<&str> = kept.iter().map(|(_, side)| side.as_str()).collect();
    assert_eq!(sides, ["input", "output", "input", "output"]);
    for entry in std::fs::read_dir(folder.path().join("data")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let text = std::fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&text);
            assert!(!text.contains(MARKER), "{}", path.display());
        }
    }
}
