//! What it costs to say who asks and to count it: nanoseconds per request.
//!
//! `cargo run --release -p bartizan-gateway --example identity_cost`
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement: prints, fails by panicking, and looks at the clock"
)]

use std::{collections::HashMap, sync::Arc, time::Instant};

use bartizan_gateway::{
    clock::SystemClock,
    identity::{
        Authenticator, Grants, IdentityConfig, KeySpec, Parts, Peer, ServiceIssuer, TokenFor,
    },
    limits::{Asked, Factor, LimitParts, Limits, LimitsConfig, Usage},
    principal::Scope,
    secrets::{Fetch, FetchBounds, FetchError, Keyring, Resolver},
    store::Store,
};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Request, Response};

struct Nowhere;

impl Fetch for Nowhere {
    fn fetch(
        &self,
        _: Request<Bytes>,
        _: FetchBounds,
    ) -> BoxFuture<'_, Result<Response<Bytes>, FetchError>> {
        Box::pin(std::future::ready(Err(FetchError::Unreachable)))
    }
}

const TIMES: u32 = 200_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let environment = HashMap::new();
    let resolver = Resolver {
        environment: &environment,
        keys: None,
        vault: None,
        clouds: None,
        allow_plain_text: false,
    };
    let keyring = Keyring::new([7; 32]);
    let store = Store::in_memory().await.unwrap();
    let parts = Parts {
        store: store.clone(),
        keyring: &keyring,
        resolver: &resolver,
        fetch: Arc::new(Nowhere),
        clock: Arc::new(SystemClock),
    };
    let identity = IdentityConfig::default();
    let authenticator = Authenticator::open(&identity, parts).await.unwrap();
    let spec = KeySpec {
        grants: Grants {
            scopes: vec!["infer".to_owned()],
            team: "research".to_owned(),
            ..Grants::default()
        },
        ..KeySpec::default()
    };
    let made = authenticator.keys().create(&spec).await.unwrap();
    let token = authenticator.issuer().issue(&TokenFor {
        subject: "a".to_owned(),
        scopes: vec![Scope::Infer],
        team: String::new(),
        tenant: String::new(),
        lifetime: ServiceIssuer::DEFAULT_LIFETIME,
    });
    let peer = Peer {
        address: "127.0.0.1".parse().unwrap(),
        chain: &[],
    };
    let token = token.unwrap();
    for (what, credential) in [
        ("api key", made.key.expose()),
        ("token, seen before", token.token.expose().as_str()),
    ] {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(&format!("Bearer {credential}")).unwrap();
        headers.insert(http::header::AUTHORIZATION, value);
        let start = Instant::now();
        for _ in 0..TIMES {
            authenticator.authenticate(&headers, &peer).unwrap();
        }
        println!(
            "{what}: {} ns",
            start.elapsed().as_nanos() / u128::from(TIMES)
        );
    }

    let config: LimitsConfig = serde_json::from_str(
        r#"{"preset":"none","prices":{"m":{"input":1,"output":1}},"rules":[
        {"name":"a","requests":"1000000000/1s","tokens":"1000000000000/1s"},
        {"name":"b","per":"team","cost-per-day":1000000000,"concurrency":100}]}"#,
    )
    .unwrap();
    let parts = LimitParts {
        store,
        keyring: &keyring,
        resolver: &resolver,
        clock: Arc::new(SystemClock),
    };
    let limits = Arc::new(Limits::open(&config, parts).await.unwrap());
    let key = HeaderValue::from_str(made.key.expose()).unwrap();
    let headers = HeaderMap::from_iter([(http::HeaderName::from_static("x-api-key"), key)]);
    let principal = authenticator.authenticate(&headers, &peer).unwrap();
    let asked = Asked {
        principal: &principal,
        model: "m",
        input_tokens: 200,
        max_output_tokens: Some(200),
        factor: Factor::ONE,
    };
    let usage = Usage {
        input_tokens: 180,
        output_tokens: 90,
        cached_input_tokens: 0,
    };
    let start = Instant::now();
    for _ in 0..TIMES {
        let admission = limits.admit(&asked).await.unwrap();
        admission.settle(usage).await;
    }
    println!(
        "three counters and a place, charged and settled: {} ns",
        start.elapsed().as_nanos() / u128::from(TIMES)
    );
}
