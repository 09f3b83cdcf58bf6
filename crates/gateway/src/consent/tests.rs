use std::{collections::BTreeSet, sync::Arc};

use bartizan_govern::{ConsentEvent, Deed};
use http::HeaderValue;

use super::*;
use crate::{
    principal::{Entitlements, Proof},
    store::Store,
};

const CONFIG: &str = "
purposes: {training: {version: '1'}, analytics: {}}
consent:
  trusted: [key_app]
  header: x-subject
  rules:
    - {purpose: training, models: ['support-*'], without: refuse}
    - {purpose: analytics, without: exclude}
";

fn rules() -> ConsentRules {
    let config: GovernConfig = serde_saphyr::from_str(CONFIG).unwrap();
    assert_eq!(config.check(), []);
    ConsentRules::new(&config)
}

fn key() -> SubjectKey {
    SubjectKey::derive(&[7; 32])
}

async fn desk() -> (ConsentTable, ConsentDesk) {
    let table = ConsentTable::new(Store::in_memory().await.unwrap());
    (table.clone(), ConsentDesk::new(table, Arc::new(key())))
}

async fn write(table: &ConsentTable, who: &str, purpose: &str, at_ms: i64, deed: Deed) {
    let event = ConsentEvent {
        v: ConsentEvent::VERSION,
        at_ms,
        subject: key().hash(who),
        purpose: purpose.to_owned(),
        deed,
    };
    table.add(&event).await.unwrap();
}

fn granted(version: &str) -> Deed {
    Deed::Granted {
        version: version.to_owned(),
        ends_ms: None,
    }
}

fn principal(id: &str) -> Principal {
    Principal {
        id: id.into(),
        proof: Proof::ApiKey,
        tenant: Arc::default(),
        team: Arc::default(),
        groups: Vec::new(),
        scopes: BTreeSet::new(),
        models: Vec::new(),
        entitlements: Entitlements::default(),
    }
}

/// Asks as `id` for whom the header and the body name; what is excluded, or the code of the refusal.
async fn ask(
    desk: &ConsentDesk,
    id: &str,
    header: Option<&str>,
    user: Option<&str>,
    model: &str,
) -> Result<Vec<String>, String> {
    let mut headers = HeaderMap::new();
    if let Some(header) = header {
        headers.insert("x-subject", HeaderValue::from_str(header).unwrap());
    }
    let subject = desk.subject(&rules(), &principal(id), &headers, user);
    let answer = desk.ask(&rules(), subject.as_ref(), model, 1_000).await;
    answer.map_err(|fault| fault.code.to_string())
}

#[tokio::test]
async fn gov_14_consent_is_of_who_is_named_by_who_may_name() {
    let (table, desk) = desk().await;
    write(&table, "alice@example.com", "training", 1, granted("1")).await;
    write(&table, "alice@example.com", "analytics", 1, granted("")).await;
    write(&table, "token-sub", "training", 1, granted("0")).await;
    let none: Vec<String> = Vec::new();
    let out = vec!["analytics".to_owned()];
    let missing = Err("consent_missing".to_owned());
    let alice = Some("Alice@example.com");
    for (id, header, user, model, expected) in [
        // Named by a trusted caller, in either place; the header counts first.
        ("key_app", alice, None, "support-1", Ok(none.clone())),
        ("key_app", None, alice, "support-1", Ok(none)),
        ("key_app", Some("bob"), alice, "other", Ok(out.clone())),
        ("key_app", None, None, "other", Ok(out.clone())),
        ("key_app", None, None, "support-1", missing.clone()),
        // Anybody else asks for themselves, whatever they write.
        ("key_other", alice, alice, "support-1", missing.clone()),
        ("key_other", alice, alice, "other", Ok(out)),
        // They agreed to other words.
        ("token-sub", None, None, "support-1", missing),
    ] {
        let got = ask(&desk, id, header, user, model).await;
        assert_eq!(got, expected, "{id} {header:?} {user:?} {model}");
    }
}

#[tokio::test]
async fn gov_14_what_is_taken_back_counts_with_the_next_request() {
    let (table, desk) = desk().await;
    write(&table, "key_me", "training", 1, granted("1")).await;
    assert!(ask(&desk, "key_me", None, None, "support-1").await.is_ok());
    // By another replica, on the same store.
    write(&table, "key_me", "training", 2, Deed::Withdrawn).await;
    let refused = ask(&desk, "key_me", None, None, "support-1").await;
    assert_eq!(refused, Err("consent_missing".to_owned()));
}

/// A record that was made by a later version, or damaged, gives nothing of what stands in it.
#[tokio::test]
async fn a_record_that_cannot_be_read_gives_nothing() {
    let (table, desk) = desk().await;
    write(&table, "key_me", "training", 1, granted("1")).await;
    let later = ConsentEvent {
        v: 2,
        at_ms: 2,
        subject: key().hash("key_me"),
        purpose: "training".to_owned(),
        deed: granted("1"),
    };
    table.add(&later).await.unwrap();
    let refused = ask(&desk, "key_me", None, None, "support-1").await;
    assert_eq!(refused, Err("consent_unavailable".to_owned()));
}

#[tokio::test]
async fn without_a_record_nobody_agreed() {
    let store = Store::in_memory().await.unwrap();
    let desk = ConsentDesk::new(ConsentTable::new(store.clone()), Arc::new(key()));
    store.close().await;
    let refused = ask(&desk, "key_me", None, None, "support-1").await;
    assert_eq!(refused, Err("consent_unavailable".to_owned()));
    let excluded = ask(&desk, "key_me", None, None, "other").await;
    assert_eq!(excluded, Ok(vec!["analytics".to_owned()]));
}
