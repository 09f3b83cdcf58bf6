//! Who asks: keys, tokens, certificates, and those who guess.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
        RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use bartizan_core::Secret;
use bartizan_gateway::{
    clock::{Clock, ManualClock},
    fault::{Fault, FaultKind},
    identity::{
        Authenticator, Denied, Grants, IdentityConfig, JwtReason, KeySpec, Parts, Peer, Reason,
        ServiceIssuer, TokenFor,
    },
    limits::{MemoryStore, rate_limit},
    principal::{Principal, Proof, Scope},
    secrets::{
        Fetch, FetchBounds, FetchError, KeyStore, Keyring, MasterKey, Resolver, SecretsConfig,
    },
    store::Store,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Request, Response};
use parking_lot::Mutex;
use rustls_pki_types::CertificateDer;
use serde_json::{Value, json};

/// 2026-11-21T12:00:00Z.
const NOW: u64 = 1_795_262_400;
const SECRET: &str = "a shared secret of at least 32 bytes";

struct World {
    clock: Arc<ManualClock>,
    store: Store,
    web: Arc<Web>,
    config: IdentityConfig,
}

/// Serves one document.
#[derive(Default)]
struct Web {
    document: Mutex<Option<String>>,
    asked: AtomicUsize,
}

impl Fetch for Web {
    fn fetch(
        &self,
        _: Request<Bytes>,
        _: FetchBounds,
    ) -> BoxFuture<'_, Result<Response<Bytes>, FetchError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let document = self.document.lock().clone();
        Box::pin(async move {
            let document = document.ok_or(FetchError::Unreachable)?;
            Ok(Response::new(document.into()))
        })
    }
}

impl World {
    async fn new(config: Value) -> Self {
        let config: IdentityConfig = serde_json::from_value(config).unwrap();
        assert_eq!(config.mistakes(), []);
        Self {
            clock: Arc::new(ManualClock::at(NOW * 1_000)),
            store: Store::in_memory().await.unwrap(),
            web: Arc::default(),
            config,
        }
    }

    async fn authenticator(&self) -> Authenticator {
        self.after(None).await
    }

    /// What a changed configuration makes of an authenticator, or its first.
    async fn after(&self, former: Option<&Authenticator>) -> Authenticator {
        let environment = HashMap::from([("SECRET".to_owned(), SECRET.to_owned())]);
        let resolver = Resolver {
            environment: &environment,
            keys: None,
            vault: None,
            clouds: None,
            allow_plain_text: false,
        };
        let parts = Parts {
            store: self.store.clone(),
            keyring: &keyring(),
            resolver: &resolver,
            fetch: self.web.clone(),
            clock: self.clock.clone(),
        };
        match former {
            Some(former) => former.renewed(&self.config, parts).await.unwrap(),
            None => Authenticator::open(&self.config, parts).await.unwrap(),
        }
    }
}

fn keyring() -> Keyring {
    Keyring::new([7; 32])
}

fn ask(
    authenticator: &Authenticator,
    header: &'static str,
    value: &str,
) -> Result<Arc<Principal>, Denied> {
    ask_from(authenticator, header, value, "192.0.2.1")
}

fn ask_from(
    authenticator: &Authenticator,
    header: &'static str,
    value: &str,
    address: &str,
) -> Result<Arc<Principal>, Denied> {
    let mut headers = HeaderMap::new();
    headers.insert(header, HeaderValue::from_str(value).unwrap());
    let address: IpAddr = address.parse().unwrap();
    authenticator.authenticate(
        &headers,
        &Peer {
            address,
            chain: &[],
        },
    )
}

fn spec(scopes: &[&str]) -> KeySpec {
    KeySpec {
        name: "a service".to_owned(),
        grants: Grants {
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            models: vec!["gpt-*".to_owned()],
            team: "research".to_owned(),
            tenant: "acme".to_owned(),
            ..Grants::default()
        },
        expires_ms: None,
    }
}

// Keys

#[tokio::test]
async fn key_is_taken_in_every_header() {
    let world = World::new(json!({})).await;
    let authenticator = world.authenticator().await;
    let made = authenticator
        .keys()
        .create(&spec(&["infer"]))
        .await
        .unwrap();
    let key = made.key.expose();
    for (header, value) in [
        ("authorization", format!("Bearer {key}")),
        ("x-api-key", key.to_owned()),
        ("api-key", key.to_owned()),
    ] {
        let principal = ask(&authenticator, header, &value).unwrap();
        assert_eq!(*principal.id, *made.info.id);
        assert_eq!((&*principal.team, &*principal.tenant), ("research", "acme"));
        assert_eq!(principal.proof, Proof::ApiKey);
        assert!(principal.may(Scope::Infer) && !principal.may(Scope::Audit));
        assert!(principal.may_use("gpt-x") && !principal.may_use("claude"));
    }
}

#[tokio::test]
async fn refusals_do_not_say_why() {
    let world = World::new(json!({})).await;
    let authenticator = world.authenticator().await;
    let made = authenticator.keys().create(&spec(&[])).await.unwrap();
    let good = made.key.expose();
    let other = bartizan_gateway::identity::ApiKey::generate().unwrap();
    // The prefix of one, the secret of another, and a typing error.
    let typo = good.replace("_", "-");
    let peer = Peer {
        address: "192.0.2.1".parse().unwrap(),
        chain: &[],
    };
    let nothing = authenticator.authenticate(&HeaderMap::new(), &peer);
    let faults: Vec<Fault> = [
        nothing,
        ask(&authenticator, "x-api-key", other.expose()),
        ask(&authenticator, "x-api-key", &typo),
        ask(&authenticator, "authorization", "Basic YTpi"),
        ask(&authenticator, "authorization", "Bearer eyJ.eyJ.AAA"),
    ]
    .into_iter()
    .map(|answer| answer.unwrap_err().into())
    .collect();
    assert_eq!(faults[0].kind, FaultKind::Unauthenticated);
    assert!(faults.iter().all(|fault| *fault == faults[0]));
}

#[tokio::test]
async fn stolen_database_gives_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(json!({})).await;
    let path = folder.path().join("a.db");
    world.store = Store::open(path.to_str().unwrap()).await.unwrap();
    let authenticator = world.authenticator().await;
    let made = authenticator
        .keys()
        .create(&spec(&["infer"]))
        .await
        .unwrap();
    let key = made.key.expose();
    let secret = key.split('_').nth(2).unwrap();
    drop(world);
    let plain: String = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.as_bytes())
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for hidden in [secret, &plain] {
            assert!(memchr::memmem::find(&bytes, hidden.as_bytes()).is_none());
        }
    }
    let shown = format!(
        "{made:?} {authenticator:?} {:?}",
        authenticator.keys().list().await
    );
    assert!(!shown.contains(secret));
    assert!(shown.contains(made.key.prefix()));
}

#[tokio::test]
async fn rotation_overlaps_and_then_ends() {
    let world = World::new(json!({})).await;
    let authenticator = world.authenticator().await;
    let keys = authenticator.keys();
    let old = keys.create(&spec(&["infer"])).await.unwrap();
    let new = keys
        .rotate(&old.info.id, Duration::from_secs(3_600))
        .await
        .unwrap();
    assert_eq!(old.info.id, new.info.id);
    assert_eq!(new.info.secrets.len(), 2);
    let works = |key: &str| ask(&authenticator, "x-api-key", key).is_ok();
    assert!(works(old.key.expose()) && works(new.key.expose()));
    world.clock.advance_ms(3_600_000);
    keys.refresh().await.unwrap();
    assert!(!works(old.key.expose()) && works(new.key.expose()));
    // A third rotation drops the ended secret.
    let third = keys.rotate(&old.info.id, Duration::ZERO).await.unwrap();
    assert_eq!(third.info.secrets.len(), 2);
    assert!(!works(new.key.expose()) && works(third.key.expose()));
    assert!(keys.rotate("key-none", Duration::ZERO).await.is_err());
}

#[tokio::test]
async fn keys_are_due_after_a_quarter() {
    let world = World::new(json!({})).await;
    let authenticator = world.authenticator().await;
    let keys = authenticator.keys();
    let made = keys.create(&spec(&[])).await.unwrap();
    assert!(!made.info.is_due(world.clock.unix_ms()));
    world.clock.advance_ms(90 * 86_400_000);
    let info = keys.get(&made.info.id).await.unwrap().unwrap();
    assert!(info.is_due(world.clock.unix_ms()));
    let info = keys
        .rotate(&made.info.id, Duration::ZERO)
        .await
        .unwrap()
        .info;
    assert!(!info.is_due(world.clock.unix_ms()));
}

#[tokio::test]
async fn revoked_key_fails_at_once_here_and_after_one_look_elsewhere() {
    let world = World::new(json!({})).await;
    let (one, two) = (world.authenticator().await, world.authenticator().await);
    let made = one.keys().create(&spec(&["infer"])).await.unwrap();
    let works = |at: &Authenticator| ask(at, "x-api-key", made.key.expose()).is_ok();
    assert!(works(&one) && !works(&two));
    two.keys().refresh().await.unwrap();
    assert!(works(&two));
    assert!(one.keys().revoke(&made.info.id).await.unwrap());
    assert!(!works(&one));
    two.keys().refresh().await.unwrap();
    assert!(!works(&two));
    assert!(!one.keys().revoke(&made.info.id).await.unwrap());
    let error = one.keys().rotate(&made.info.id, Duration::ZERO).await;
    assert!(
        error.is_err(),
        "a revoked key cannot be rotated back to life"
    );
}

#[tokio::test]
async fn expired_key_is_refused() {
    let world = World::new(json!({})).await;
    let authenticator = world.authenticator().await;
    let expires_ms = Some(world.clock.unix_ms() + 1_000);
    let spec = KeySpec {
        expires_ms,
        ..spec(&["infer"])
    };
    let made = authenticator.keys().create(&spec).await.unwrap();
    assert!(ask(&authenticator, "x-api-key", made.key.expose()).is_ok());
    world.clock.advance_ms(1_000);
    let denied = ask(&authenticator, "x-api-key", made.key.expose()).unwrap_err();
    assert_eq!(denied.reason, Reason::ExpiredKey);
}

#[tokio::test]
async fn lost_database_closes() {
    let world = World::new(json!({})).await;
    let authenticator = world.authenticator().await;
    let made = authenticator
        .keys()
        .create(&spec(&["infer"]))
        .await
        .unwrap();
    let Store::Sqlite(pool) = &world.store else {
        panic!()
    };
    pool.close().await;
    assert!(authenticator.keys().refresh().await.is_err());
    assert!(ask(&authenticator, "x-api-key", made.key.expose()).is_ok());
    world.clock.advance_ms(30_001);
    let denied = ask(&authenticator, "x-api-key", made.key.expose()).unwrap_err();
    assert_eq!(denied.reason, Reason::StaleKeys);
    assert_eq!(Fault::from(denied).kind, FaultKind::Unavailable);
}

#[tokio::test]
async fn key_in_the_configuration_stands_as_its_hash() {
    let key = bartizan_gateway::identity::ApiKey::generate().unwrap();
    let world = World::new(json!({ "keys": [{
        "id": "ci",
        "prefix": key.prefix(),
        "hash": key.configured_hash(),
        "grants": { "scopes": ["infer"] },
    }] }))
    .await;
    let authenticator = world.authenticator().await;
    let principal = ask(&authenticator, "x-api-key", key.expose()).unwrap();
    assert_eq!(&*principal.id, "ci");
}

#[test]
fn configuration_is_read_from_yaml() {
    let config: IdentityConfig = serde_saphyr::from_str(
        r#"
keys:
  - id: ci
    prefix: bz_abcdefghijkl
    hash: sha256:0000000000000000000000000000000000000000000000000000000000000000
    grants: { scopes: [infer], team: build }
issuers:
  - name: idp
    issuer: https://idp.example
    audiences: [gateway]
    algorithms: [RS256, ES256]
    keys:
      jwks-url: https://idp.example/keys
  - name: inner
    algorithms: [HS256]
    keys:
      secret: env:SECRET
certificates:
  - uri: spiffe://example.org/backend
    grants: { scopes: [infer, guard] }
"#,
    )
    .unwrap();
    assert_eq!(config.mistakes(), []);
    let secrets: SecretsConfig = serde_saphyr::from_str(
        "master-key: { from: passphrase, passphrase: \"file:/run/passphrase\" }\n",
    )
    .unwrap();
    assert!(secrets.mistakes().is_empty());
    let secrets: SecretsConfig =
        serde_saphyr::from_str("master-key: { from: vault-kv, path: a/b#c }\n").unwrap();
    assert_eq!(secrets.mistakes().len(), 1, "there is no vault");
}

/// Keys live in PostgreSQL as in SQLite. Runs where `BARTIZAN_TEST_POSTGRES_URL` names an empty
/// database.
#[tokio::test]
async fn keys_live_in_postgres() {
    let Ok(url) = std::env::var("BARTIZAN_TEST_POSTGRES_URL") else {
        return;
    };
    let mut world = World::new(json!({})).await;
    world.store = Store::open(&url).await.unwrap();
    let (one, two) = (world.authenticator().await, world.authenticator().await);
    let old = one.keys().create(&spec(&["infer"])).await.unwrap();
    let new = one
        .keys()
        .rotate(&old.info.id, Duration::from_secs(60))
        .await
        .unwrap();
    let works = |at: &Authenticator, key: &str| ask(at, "x-api-key", key).is_ok();
    two.keys().refresh().await.unwrap();
    assert!(works(&two, old.key.expose()) && works(&two, new.key.expose()));
    one.keys().revoke(&old.info.id).await.unwrap();
    two.keys().refresh().await.unwrap();
    assert!(!works(&two, old.key.expose()) && !works(&two, new.key.expose()));

    let clock: Arc<dyn Clock> = world.clock.clone();
    let open =
        async |key| KeyStore::open(world.store.clone(), MasterKey::new(key), clock.clone()).await;
    let mut keys = open([1; 32]).await.unwrap();
    keys.put("a", &Secret::new("b".to_owned())).await.unwrap();
    keys.put("a", &Secret::new("c".to_owned())).await.unwrap();
    keys.change_master(MasterKey::new([2; 32])).await.unwrap();
    assert!(open([1; 32]).await.is_err());
    let found = open([2; 32])
        .await
        .unwrap()
        .get("a")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.expose(), "c");
    let memory = MemoryStore::new(clock.clone(), 1_000);
    assert!(rate_limit(&memory, "a", 1, Duration::from_secs(60)).is_allowed());
    memory.save(&world.store, &*clock).await.unwrap();
    let again = MemoryStore::new(clock.clone(), 1_000);
    again.load(&world.store, &*clock).await.unwrap();
    assert!(!rate_limit(&again, "a", 1, Duration::from_secs(60)).is_allowed());
}

#[test]
fn every_mistake_has_its_place() {
    let config: IdentityConfig = serde_json::from_value(json!({
        "keys": [{ "id": "a b", "prefix": "x", "hash": "md5:1", "grants": { "scopes": ["root"] } }],
        "issuers": [
            { "name": "bartizan", "algorithms": ["none"], "keys": { "jwks-url": "http://a" } },
            { "name": "b", "algorithms": ["HS256"], "keys": { "jwks-file": "/a" } },
            { "name": "c", "algorithms": ["RS256"], "keys": { "secret": "env:A" } },
        ],
        "certificates": [{ "uri": "*" }, {}],
    }))
    .unwrap();
    let places: Vec<String> = config.mistakes().into_iter().map(|(at, _)| at).collect();
    assert_eq!(
        places,
        [
            "keys[0].id",
            "keys[0].prefix",
            "keys[0].hash",
            "keys[0].grants.scopes[0]",
            "issuers[0].name",
            "issuers[0].algorithms[0]",
            "issuers[0].keys.jwks-url",
            "issuers[1].algorithms[0]",
            "issuers[2].algorithms[0]",
            "certificates[0]",
            "certificates[1]",
        ]
    );
}

// Tokens

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn token(header: Value, claims: Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let signed = format!("{}.{}", part(&header), part(&claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

fn hs256(secret: &[u8]) -> impl Fn(&[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    move |signed| hmac::sign(&key, signed).as_ref().to_vec()
}

fn claims() -> Value {
    json!({
        "iss": "https://idp.example", "aud": "gateway", "sub": "alice",
        "exp": NOW + 600, "iat": NOW, "scope": "infer llm.audit unknown",
    })
}

fn with(claims: Value, more: Value) -> Value {
    let (Value::Object(mut claims), Value::Object(more)) = (claims, more) else {
        panic!()
    };
    for (name, value) in more {
        if value.is_null() {
            claims.remove(&name);
        } else {
            claims.insert(name, value);
        }
    }
    claims.into()
}

fn shared() -> Value {
    json!({ "issuers": [{
        "name": "idp",
        "issuer": "https://idp.example",
        "audiences": ["gateway", "other"],
        "algorithms": ["HS256"],
        "keys": { "secret": "env:SECRET" },
        "scopes": { "llm.audit": "audit" },
        "tenant-claim": "org",
        "team-claim": "team",
        "group-claim": "groups",
    }] })
}

fn bearer(authenticator: &Authenticator, token: &str) -> Result<Arc<Principal>, Reason> {
    static ADDRESS: AtomicUsize = AtomicUsize::new(0);
    // Each from elsewhere, so that the throttle has no say.
    let address = format!(
        "2001:db8:0:{:x}::1",
        ADDRESS.fetch_add(1, Ordering::Relaxed)
    );
    ask_from(
        authenticator,
        "authorization",
        &format!("Bearer {token}"),
        &address,
    )
    .map_err(|denied| denied.reason)
}

async fn refused(header: Value, claims: Value) -> JwtReason {
    let authenticator = World::new(shared()).await.authenticator().await;
    let token = token(header, claims, hs256(SECRET.as_bytes()));
    match bearer(&authenticator, &token) {
        Err(Reason::Token(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

fn head() -> Value {
    json!({ "alg": "HS256", "typ": "JWT" })
}

#[tokio::test]
async fn claims_become_a_principal() {
    let authenticator = World::new(shared()).await.authenticator().await;
    let more = json!({ "org": "acme", "team": "research" });
    let good = token(head(), with(claims(), more), hs256(SECRET.as_bytes()));
    // The second time from memory.
    for _ in 0..2 {
        let principal = bearer(&authenticator, &good).unwrap();
        assert_eq!(&*principal.id, "idp:alice");
        assert_eq!((&*principal.tenant, &*principal.team), ("acme", "research"));
        assert_eq!(principal.scopes, [Scope::Infer, Scope::Audit].into());
        assert_eq!(principal.proof, Proof::Jwt);
    }
    let list = with(
        claims(),
        json!({ "scope": ["infer"], "aud": ["x", "other"] }),
    );
    let principal = bearer(
        &authenticator,
        &token(head(), list, hs256(SECRET.as_bytes())),
    );
    assert_eq!(principal.unwrap().scopes, [Scope::Infer].into());
}

#[tokio::test]
async fn rb_11_groups_of_claims_are_named_with_their_issuer() {
    let authenticator = World::new(shared()).await.authenticator().await;
    let groups = |groups: Value| {
        let claims = with(claims(), json!({ "groups": groups }));
        let token = token(head(), claims, hs256(SECRET.as_bytes()));
        bearer(&authenticator, &token).map(|principal| principal.groups.clone())
    };
    let names = |groups: Vec<Arc<str>>| groups.iter().map(ToString::to_string).collect::<Vec<_>>();
    let two = groups(json!(["ml", "other:ml"])).unwrap();
    assert_eq!(names(two), ["idp:ml", "idp:other:ml"]);
    assert_eq!(names(groups(json!("ml ops")).unwrap()), ["idp:ml ops"]);
    assert!(groups(Value::Null).unwrap().is_empty());
    let malformed = Err(Reason::Token(JwtReason::Malformed));
    assert_eq!(groups(json!([1])), malformed);
    assert_eq!(groups(json!(vec!["g"; 257])), malformed);
}

#[tokio::test]
async fn ws_32_missing_exp() {
    assert_eq!(
        refused(head(), with(claims(), json!({ "exp": null }))).await,
        JwtReason::NoExpiry
    );
    for exp in [
        json!("2099"),
        json!(-1),
        json!(1e300),
        json!(true),
        json!([1]),
    ] {
        let reason = refused(head(), with(claims(), json!({ "exp": exp }))).await;
        assert_eq!(reason, JwtReason::Malformed);
    }
}

#[tokio::test]
async fn ws_32_missing_sub() {
    for sub in [
        json!(null),
        json!(""),
        json!(7),
        json!("a b"),
        json!("a\u{0}"),
        json!("a".repeat(129)),
    ] {
        let reason = refused(head(), with(claims(), json!({ "sub": sub }))).await;
        assert_eq!(reason, JwtReason::Subject, "{sub}");
    }
}

#[tokio::test]
async fn ws_32_scope_is_enforced_not_read() {
    let authenticator = World::new(shared()).await.authenticator().await;
    let narrow = with(claims(), json!({ "scope": "infer" }));
    let principal = bearer(
        &authenticator,
        &token(head(), narrow, hs256(SECRET.as_bytes())),
    )
    .unwrap();
    assert!(!principal.may(Scope::Audit) && !principal.may(Scope::Admin));
    let none = with(claims(), json!({ "scope": null }));
    let principal = bearer(
        &authenticator,
        &token(head(), none, hs256(SECRET.as_bytes())),
    )
    .unwrap();
    assert!(principal.scopes.is_empty());
}

#[tokio::test]
async fn token_alg_none() {
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        assert_eq!(
            refused(json!({ "alg": alg }), claims()).await,
            JwtReason::Algorithm
        );
    }
    let authenticator = World::new(shared()).await.authenticator().await;
    let bare = format!("{}.{}.", part(&json!({ "alg": "none" })), part(&claims()));
    assert!(bearer(&authenticator, &bare).is_err());
    let unsigned = format!("{}.{}.", part(&head()), part(&claims()));
    assert_eq!(
        bearer(&authenticator, &unsigned).unwrap_err(),
        Reason::Token(JwtReason::Signature)
    );
}

#[tokio::test]
async fn token_expired_and_clock_skew() {
    let world = World::new(shared()).await;
    let authenticator = world.authenticator().await;
    let good = token(head(), claims(), hs256(SECRET.as_bytes()));
    assert!(bearer(&authenticator, &good).is_ok());
    world.clock.advance_ms(629_000);
    assert!(
        bearer(&authenticator, &good).is_ok(),
        "within the skew of 30 s"
    );
    world.clock.advance_ms(1_000);
    assert_eq!(
        bearer(&authenticator, &good).unwrap_err(),
        Reason::Token(JwtReason::Expired)
    );
    for claim in ["nbf", "iat"] {
        let reason = refused(head(), with(claims(), json!({ claim: NOW + 31 }))).await;
        assert_eq!(reason, JwtReason::NotYet);
    }
    let reason = refused(head(), with(claims(), json!({ "exp": NOW + 90_000 }))).await;
    assert_eq!(reason, JwtReason::TooLong);
}

#[tokio::test]
async fn token_for_others() {
    for aud in [
        json!(null),
        json!("elsewhere"),
        json!(["elsewhere"]),
        json!(7),
        json!([7]),
    ] {
        let reason = refused(head(), with(claims(), json!({ "aud": aud }))).await;
        assert_eq!(reason, JwtReason::Audience, "{aud}");
    }
    for iss in [
        json!(null),
        json!("https://evil.example"),
        json!(["https://idp.example"]),
    ] {
        let reason = refused(head(), with(claims(), json!({ "iss": iss }))).await;
        assert_eq!(reason, JwtReason::Issuer, "{iss}");
    }
}

#[tokio::test]
async fn token_critical_header() {
    for more in [
        json!({ "crit": ["exp"] }),
        json!({ "crit": [] }),
        json!({ "b64": false }),
    ] {
        assert_eq!(
            refused(with(head(), more), claims()).await,
            JwtReason::Critical
        );
    }
}

#[tokio::test]
async fn token_malformed_or_huge() {
    let authenticator = World::new(shared()).await.authenticator().await;
    let good = token(head(), claims(), hs256(SECRET.as_bytes()));
    let parts: Vec<&str> = good.split('.').collect();
    let twice = r#"{"alg":"HS256","alg":"none"}"#;
    let huge = with(claims(), json!({ "pad": "a".repeat(9_000) }));
    for bad in [
        format!("{}.{}", parts[0], parts[1]),
        format!("{good}.{}", parts[2]),
        format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        format!(
            "{}.{}.{}",
            URL_SAFE_NO_PAD.encode(twice),
            parts[1],
            parts[2]
        ),
        format!("{}.{}.{}", URL_SAFE_NO_PAD.encode("[]"), parts[1], parts[2]),
        format!("{}.!.{}", parts[0], parts[2]),
        format!("ey{}..", "A".repeat(7_000)),
        token(head(), huge, hs256(SECRET.as_bytes())),
    ] {
        let reason = bearer(&authenticator, &bad).unwrap_err();
        assert!(
            matches!(
                reason,
                Reason::Malformed | Reason::Token(JwtReason::Malformed)
            ),
            "{reason:?}"
        );
    }
    for at in 0..good.len() {
        let mut changed = good.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(bearer(&authenticator, &changed).is_err(), "{at}");
    }
}

/// Keys of every kind, and their key set.
struct Pairs {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
}

impl Pairs {
    fn new() -> Self {
        Self {
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            ed: Ed25519KeyPair::generate().unwrap(),
        }
    }

    fn set(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let rsa = self.rsa.public_key();
        let point = &self.ec.public_key().as_ref()[1..];
        json!({ "keys": [
            { "kty": "RSA", "kid": "r", "use": "sig",
              "n": text(rsa.modulus().big_endian_without_leading_zero()),
              "e": text(rsa.exponent().big_endian_without_leading_zero()) },
            { "kty": "EC", "kid": "e", "crv": "P-256", "x": text(&point[..32]), "y": text(&point[32..]) },
            { "kty": "OKP", "kid": "d", "crv": "Ed25519", "x": text(self.ed.public_key().as_ref()) },
            { "kty": "oct", "kid": "o", "k": text(SECRET.as_bytes()) },
            { "kty": "new", "kid": "n" },
        ] })
    }

    fn token(&self, header: Value, claims: Value) -> String {
        let random = SystemRandom::new();
        let alg = header["alg"].as_str().unwrap().to_owned();
        token(header, claims, |signed| match alg.as_str() {
            "RS256" => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa
                    .sign(&RSA_PKCS1_SHA256, &random, signed, &mut signature)
                    .unwrap();
                signature
            }
            "ES256" => self.ec.sign(&random, signed).unwrap().as_ref().to_vec(),
            _ => self.ed.sign(signed).as_ref().to_vec(),
        })
    }
}

fn public(algorithms: Value) -> Value {
    json!({ "issuers": [{
        "name": "idp",
        "issuer": "https://idp.example",
        "algorithms": algorithms,
        "keys": { "jwks-url": "https://idp.example/keys" },
    }] })
}

async fn published(pairs: &Pairs, algorithms: Value) -> (World, Authenticator) {
    let world = World::new(public(algorithms)).await;
    *world.web.document.lock() = Some(pairs.set().to_string());
    let authenticator = world.authenticator().await;
    (world, authenticator)
}

#[tokio::test]
async fn token_of_every_algorithm() {
    let pairs = Pairs::new();
    let (_, authenticator) = published(&pairs, json!(["RS256", "ES256", "EdDSA"])).await;
    for (alg, kid) in [("RS256", "r"), ("ES256", "e"), ("EdDSA", "d")] {
        let named = pairs.token(json!({ "alg": alg, "kid": kid }), claims());
        assert!(bearer(&authenticator, &named).is_ok(), "{alg}");
        let nameless = pairs.token(json!({ "alg": alg }), claims());
        assert!(bearer(&authenticator, &nameless).is_ok(), "{alg}");
    }
}

#[tokio::test]
async fn token_hs_rs_confusion() {
    let pairs = Pairs::new();
    let (_, authenticator) = published(&pairs, json!(["RS256", "ES256", "EdDSA"])).await;
    let set = pairs.set();
    let key = set["keys"][0].to_string();
    let modulus = pairs
        .rsa
        .public_key()
        .modulus()
        .big_endian_without_leading_zero()
        .to_vec();
    let whole = pairs.rsa.public_key().as_ref().to_vec();
    for secret in [key.as_bytes(), &modulus, &whole, SECRET.as_bytes(), b""] {
        for kid in ["r", "o"] {
            let forged = token(
                json!({ "alg": "HS256", "kid": kid }),
                claims(),
                hs256(secret),
            );
            assert_eq!(
                bearer(&authenticator, &forged).unwrap_err(),
                Reason::Token(JwtReason::Algorithm)
            );
        }
    }
    // One public key for another's algorithm.
    let mixed = pairs.token(json!({ "alg": "ES256", "kid": "r" }), claims());
    assert_eq!(
        bearer(&authenticator, &mixed).unwrap_err(),
        Reason::Token(JwtReason::UnknownKey)
    );
}

#[tokio::test]
async fn token_algorithm_is_pinned_by_the_configuration() {
    let pairs = Pairs::new();
    let (_, authenticator) = published(&pairs, json!(["ES256"])).await;
    let other = pairs.token(json!({ "alg": "RS256", "kid": "r" }), claims());
    assert_eq!(
        bearer(&authenticator, &other).unwrap_err(),
        Reason::Token(JwtReason::Algorithm)
    );
}

#[tokio::test]
async fn token_kid_injection() {
    let pairs = Pairs::new();
    let (world, authenticator) = published(&pairs, json!(["EdDSA"])).await;
    for kid in [
        "../../../../dev/null",
        "' OR '1'='1",
        "file:///etc/passwd",
        "https://evil.example/keys",
        "d\u{0}",
        "D",
        &"d".repeat(2_000),
    ] {
        let forged = pairs.token(json!({ "alg": "EdDSA", "kid": kid }), claims());
        let reason = bearer(&authenticator, &forged).unwrap_err();
        assert_eq!(reason, Reason::Token(JwtReason::UnknownKey), "{kid}");
    }
    assert_eq!(
        world.web.asked.load(Ordering::Relaxed),
        1,
        "nothing was fetched for it"
    );
}

#[tokio::test]
async fn token_brings_or_points_to_its_key() {
    let pairs = Pairs::new();
    let evil = Pairs::new();
    let (world, authenticator) = published(&pairs, json!(["EdDSA"])).await;
    let own = evil.set()["keys"][2].clone();
    for more in [
        json!({ "jku": "https://evil.example/keys" }),
        json!({ "x5u": "https://evil.example/chain" }),
        json!({ "jwk": own }),
        json!({ "x5c": ["AAAA"] }),
    ] {
        for kid in [json!({ "kid": "d" }), json!({})] {
            let header = with(with(json!({ "alg": "EdDSA" }), kid), more.clone());
            let forged = evil.token(header, claims());
            let reason = bearer(&authenticator, &forged).unwrap_err();
            assert_eq!(reason, Reason::Token(JwtReason::Signature));
        }
        // They are ignored, not refused, where the signature is good.
        let header = with(json!({ "alg": "EdDSA", "kid": "d" }), more);
        assert!(bearer(&authenticator, &pairs.token(header, claims())).is_ok());
    }
    assert_eq!(world.web.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn weak_keys_are_passed_over() {
    let short = URL_SAFE_NO_PAD.encode([0xff; 128]);
    let world = World::new(public(json!(["RS256"]))).await;
    let set = json!({ "keys": [{ "kty": "RSA", "kid": "r", "n": short, "e": "AQAB" }] });
    *world.web.document.lock() = Some(set.to_string());
    let authenticator = world.authenticator().await;
    let pairs = Pairs::new();
    let token = pairs.token(json!({ "alg": "RS256", "kid": "r" }), claims());
    assert_eq!(
        bearer(&authenticator, &token).unwrap_err(),
        Reason::Token(JwtReason::UnknownKey)
    );
}

#[tokio::test]
async fn a_changed_configuration_keeps_key_sets_keys_and_guesses() {
    let pairs = Pairs::new();
    let (mut world, former) = published(&pairs, json!(["EdDSA"])).await;
    let header = json!({ "alg": "EdDSA", "kid": "d" });
    let token = |name: &str| pairs.token(header.clone(), with(claims(), json!({ "sub": name })));
    let new = former.keys().create(&spec(&["infer"])).await.unwrap();
    let key = format!("Bearer {}", new.key.expose());
    for _ in 0..20 {
        let _ = ask_from(&former, "authorization", "Bearer bz_no", "198.51.100.1");
    }
    // The issuer cannot be reached when the configuration changes.
    *world.web.document.lock() = None;
    world.config.issuers[0].max_lifetime_seconds = 86_399;
    let next = world.after(Some(&former)).await;
    assert!(bearer(&next, &token("carol")).is_ok());
    assert!(ask(&next, "authorization", &key).is_ok());
    let guess = ask_from(&next, "authorization", "Bearer bz_no", "198.51.100.1");
    assert_eq!(guess.unwrap_err().reason, Reason::Throttled);
    // What is revoked through one is revoked through all.
    assert!(former.keys().revoke(&new.info.id).await.unwrap());
    assert!(ask(&next, "authorization", &key).is_err());
    // An issuer that is gone is believed no more, not even a token that was verified before.
    assert!(bearer(&next, &token("erin")).is_ok());
    world.config.issuers.clear();
    let last = world.after(Some(&next)).await;
    assert!(bearer(&last, &token("erin")).is_err());
}

#[tokio::test]
async fn key_set_is_fetched_again() {
    let pairs = Pairs::new();
    let world = World::new(public(json!(["EdDSA"]))).await;
    // It cannot be had at first.
    let authenticator = Arc::new(world.authenticator().await);
    tokio::time::pause();
    let running = Arc::clone(&authenticator);
    let running = tokio::spawn(async move { running.run().await });
    let header = json!({ "alg": "EdDSA", "kid": "d" });
    let good = pairs.token(header.clone(), claims());
    assert!(bearer(&authenticator, &good).is_err());
    *world.web.document.lock() = Some(pairs.set().to_string());
    // The unknown key makes it look again, ten seconds later at the earliest.
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert!(bearer(&authenticator, &good).is_ok());

    // New keys come with the interval; the old ones go.
    let next = Pairs::new();
    *world.web.document.lock() = Some(next.set().to_string());
    tokio::time::sleep(Duration::from_secs(301)).await;
    assert!(bearer(&authenticator, &next.token(header.clone(), claims())).is_ok());
    let old = pairs.token(header.clone(), with(claims(), json!({ "sub": "bob" })));
    assert!(bearer(&authenticator, &old).is_err());

    // Lost: the last set stands, but not for ever.
    *world.web.document.lock() = None;
    tokio::time::sleep(Duration::from_secs(400)).await;
    let good = next.token(header.clone(), with(claims(), json!({ "sub": "carol" })));
    assert!(bearer(&authenticator, &good).is_ok());
    world.clock.advance_ms((6 * 3_600 + 1) * 1_000);
    let now = world.clock.unix_ms() / 1_000;
    let late = with(
        claims(),
        json!({ "sub": "dave", "exp": now + 600, "iat": now }),
    );
    assert!(bearer(&authenticator, &next.token(header, late)).is_err());
    running.abort();
}

#[tokio::test]
async fn service_tokens_are_short_lived() {
    let world = World::new(json!({})).await;
    let authenticator = world.authenticator().await;
    let wanted = TokenFor {
        subject: "billing".to_owned(),
        scopes: vec![Scope::Infer],
        team: "ops".to_owned(),
        tenant: String::new(),
        lifetime: ServiceIssuer::DEFAULT_LIFETIME,
    };
    assert!(ServiceIssuer::DEFAULT_LIFETIME <= Duration::from_secs(15 * 60));
    let issued = authenticator.issuer().issue(&wanted).unwrap();
    let principal = bearer(&authenticator, issued.token.expose()).unwrap();
    assert_eq!(
        (&*principal.id, &*principal.team),
        ("bartizan:billing", "ops")
    );
    assert_eq!(principal.scopes, [Scope::Infer].into());
    assert!(!format!("{issued:?}").contains(issued.token.expose().as_str()));
    // Another replica with the same keyring takes it, another gateway does not.
    let clock = Arc::new(ManualClock::at(NOW * 1_000));
    let same = ServiceIssuer::new(&keyring(), clock.clone()).unwrap();
    assert_eq!(same.jwks(), authenticator.issuer().jwks());
    let other = ServiceIssuer::new(&Keyring::new([8; 32]), clock).unwrap();
    let forged = other.issue(&wanted).unwrap();
    assert!(bearer(&authenticator, forged.token.expose()).is_err());
    let long = TokenFor {
        lifetime: Duration::from_secs(3_601),
        ..wanted
    };
    assert!(authenticator.issuer().issue(&long).is_err());
    world.clock.advance_ms(631_000);
    assert_eq!(
        bearer(&authenticator, issued.token.expose()).unwrap_err(),
        Reason::Token(JwtReason::Expired)
    );
}

// Certificates

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = match length {
        0..=0x7f => vec![tag, length as u8],
        0x80..=0xff => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [head, content.to_vec()].concat()
}

/// A certificate with these names; its signature is another's matter, the handshake's.
fn certificate(uris: &[&str], dns: &[&str], common: &[&str]) -> CertificateDer<'static> {
    let sequence = |parts: &[Vec<u8>]| der(0x30, &parts.concat());
    let algorithm = sequence(&[der(0x06, &[0x2b, 0x65, 0x70])]);
    let names: Vec<Vec<u8>> = common
        .iter()
        .map(|name| {
            let pair = sequence(&[der(0x06, &[0x55, 4, 3]), der(0x0c, name.as_bytes())]);
            der(0x31, &pair)
        })
        .collect();
    let alternatives: Vec<Vec<u8>> = uris
        .iter()
        .map(|uri| der(0x86, uri.as_bytes()))
        .chain(dns.iter().map(|name| der(0x82, name.as_bytes())))
        .collect();
    let extension = sequence(&[
        der(0x06, &[0x55, 0x1d, 0x11]),
        der(0x04, &sequence(&alternatives)),
    ]);
    let mut key = vec![0];
    key.extend(Ed25519KeyPair::generate().unwrap().public_key().as_ref());
    let mut body = vec![
        der(0xa0, &der(0x02, &[2])),
        der(0x02, &[1]),
        algorithm.clone(),
        sequence(&[]),
        sequence(&[der(0x17, b"260101000000Z"), der(0x17, b"270101000000Z")]),
        sequence(&names),
        sequence(&[algorithm.clone(), der(0x03, &key)]),
    ];
    if !alternatives.is_empty() {
        body.push(der(0xa3, &sequence(&[extension])));
    }
    let signature = der(0x03, &[0; 65]);
    sequence(&[sequence(&body), algorithm, signature]).into()
}

#[tokio::test]
async fn certificate_is_a_principal() {
    let world = World::new(json!({ "certificates": [
        { "uri": "spiffe://example.org/backend", "grants": { "scopes": ["infer"], "team": "web" } },
        { "uri": "spiffe://example.org/jobs/*", "grants": { "scopes": ["guard"] } },
        { "dns": "audit.example.org", "grants": { "scopes": ["audit"] } },
        { "common-name": "old service", "grants": { "scopes": ["infer"] } },
        { "common-name": "legacy", "grants": { "scopes": ["infer"] } },
    ] }))
    .await;
    let authenticator = world.authenticator().await;
    let ask = |certificate: CertificateDer<'static>| {
        let address = "192.0.2.1".parse().unwrap();
        let chain = [certificate];
        let peer = Peer {
            address,
            chain: &chain,
        };
        let principal = authenticator.authenticate(&HeaderMap::new(), &peer);
        principal
            .map(|principal| principal.id.to_string())
            .map_err(|denied| denied.reason)
    };
    let unknown = Err(Reason::UnknownCertificate);
    for (uris, dns, common, expected) in [
        (
            &["spiffe://example.org/backend"][..],
            &[][..],
            &[][..],
            Ok("certificate:spiffe://example.org/backend"),
        ),
        (
            &["spiffe://example.org/jobs/7"],
            &[],
            &[],
            Ok("certificate:spiffe://example.org/jobs/7"),
        ),
        (&["spiffe://example.org/backend2"], &[], &[], unknown),
        (
            &[],
            &["AUDIT.example.org"],
            &[],
            Ok("certificate:audit.example.org"),
        ),
        (&[], &["legacy"], &[], unknown),
        (&[], &[], &["legacy"], Ok("certificate:legacy")),
        (&[], &[], &["legacy", "other"], unknown),
        (&[], &[], &["legacy\0.evil"], unknown),
        (&[], &[], &["old service"], unknown),
        (&[], &[], &[], unknown),
    ] {
        let found = ask(certificate(uris, dns, common));
        assert_eq!(
            found,
            expected.map(str::to_owned),
            "{uris:?} {dns:?} {common:?}"
        );
    }
    assert_eq!(
        ask(CertificateDer::from(vec![0x30, 0x03, 1, 2])),
        unknown.map(str::to_owned)
    );
}

// Guessing

#[tokio::test]
async fn ws_33_guessing_is_slowed_before_anything_is_verified() {
    let world = World::new(shared()).await;
    let authenticator = world.authenticator().await;
    let good = token(head(), claims(), hs256(SECRET.as_bytes()));
    let good = format!("Bearer {good}");
    assert!(ask(&authenticator, "authorization", &good).is_ok());
    let (mut slowed, mut alarms) = (0, 0);
    for n in 0..200 {
        let guess = token(head(), claims(), hs256(format!("guess {n}").as_bytes()));
        let denied = ask(&authenticator, "authorization", &format!("Bearer {guess}")).unwrap_err();
        alarms += usize::from(denied.alarm);
        if denied.reason == Reason::Throttled {
            slowed += 1;
            let fault = Fault::from(denied);
            assert_eq!(fault.kind, FaultKind::TooManyRequests);
            assert!(fault.retry_after.unwrap() <= Duration::from_secs(30));
            world.clock.advance_ms(1_000);
        }
    }
    assert!(slowed > 150, "{slowed}");
    assert_eq!(alarms, 1);
    // Who worked from there before goes on; others elsewhere do not notice.
    assert!(ask(&authenticator, "authorization", &good).is_ok());
    assert!(ask_from(&authenticator, "authorization", &good, "192.0.2.2").is_ok());
    // A good credential that is new there waits half a minute at most.
    let made = authenticator
        .keys()
        .create(&spec(&["infer"]))
        .await
        .unwrap();
    world.clock.advance_ms(30_000);
    authenticator.keys().refresh().await.unwrap();
    assert!(ask(&authenticator, "x-api-key", made.key.expose()).is_ok());
}

#[tokio::test]
async fn a_flood_of_nonsense_locks_nobody_out() {
    let world = World::new(json!({})).await;
    let authenticator = world.authenticator().await;
    let made = authenticator
        .keys()
        .create(&spec(&["infer"]))
        .await
        .unwrap();
    for n in 0..50_000 {
        let address = format!("10.{}.{}.{}", n % 200, n / 200 % 200, n / 40_000);
        assert!(ask_from(&authenticator, "authorization", "nonsense", &address).is_err());
    }
    let denied = ask(&authenticator, "x-api-key", made.key.expose()).unwrap_err();
    let wait = denied.retry_after.unwrap();
    assert!(wait <= Duration::from_secs(1), "{wait:?}");
    world.clock.advance_ms(1_000);
    assert!(ask(&authenticator, "x-api-key", made.key.expose()).is_ok());
}

#[tokio::test]
async fn anonymous_only_where_it_is_allowed() {
    let world = World::new(json!({ "dangerously-allow-anonymous": true })).await;
    let authenticator = world.authenticator().await;
    let peer = Peer {
        address: "192.0.2.1".parse().unwrap(),
        chain: &[],
    };
    let principal = authenticator
        .authenticate(&HeaderMap::new(), &peer)
        .unwrap();
    assert_eq!(principal.proof, Proof::Anonymous);
    assert!(!principal.may(Scope::Admin));
    assert!(ask(&authenticator, "x-api-key", "sk-anything").is_ok());
    // A key of ours that is wrong is an error still.
    let other = bartizan_gateway::identity::ApiKey::generate().unwrap();
    assert!(ask(&authenticator, "x-api-key", other.expose()).is_err());
}

#[test]
fn secrets_stay_hidden() {
    assert_eq!(format!("{:?}", Secret::new("a".to_owned())), "[redacted]");
    assert!(!format!("{:?}", keyring()).contains('7'));
}
