//! How upstreams are asked: their keys, their shapes, their models (API-16).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use bartizan_core::Secret;
use bartizan_gateway::{
    endpoint::Endpoint,
    upstream::{
        Fetch, FetchHost, FetchLimits, SystemResolver, UpstreamConfig, UpstreamError,
        UpstreamEvent, UpstreamParts, UpstreamRequest, UpstreamResponse, UpstreamSettings,
        Upstreams,
    },
};
use http::{HeaderMap, StatusCode};

use crate::{
    helpers::permit,
    mock::{Format, Mock, Reply},
};

/// Upstreams, and what happened to them.
pub(crate) struct Setup {
    pub(crate) upstreams: Upstreams,
    pub(crate) events: Arc<Mutex<Vec<UpstreamEvent>>>,
}

/// Upstreams of that YAML: `upstreams` and `routes`; `MOCK` stands for the base URL of the mocks,
/// in their order.
pub(crate) fn setup(yaml: &str, mocks: &[&Mock]) -> Setup {
    setup_with(yaml, mocks, UpstreamParts::default())
}

pub(crate) fn setup_with(yaml: &str, mocks: &[&Mock], parts: UpstreamParts) -> Setup {
    #[derive(serde::Deserialize)]
    struct File {
        upstreams: BTreeMap<String, UpstreamConfig>,
        #[serde(default)]
        routes: Vec<bartizan_gateway::upstream::RouteConfig>,
    }
    let mut text = yaml.to_owned();
    for mock in mocks {
        let base = format!("base-url: {}\n    allow-private: true", mock.base_url());
        text = text.replacen("MOCK", &base, 1);
    }
    let file: File = serde_saphyr::from_str(&text).unwrap();
    let settings = UpstreamSettings {
        upstreams: file.upstreams,
        routes: file.routes,
    };
    let keys = settings
        .upstreams
        .keys()
        .map(|name| (name.clone(), Secret::new(format!("key-of-{name}"))))
        .collect();
    let events = Arc::new(Mutex::new(Vec::new()));
    let parts = UpstreamParts {
        events: {
            let events = Arc::clone(&events);
            Arc::new(move |event| events.lock().unwrap().push(event))
        },
        ..parts
    };
    let upstreams = Upstreams::new(&settings, &keys, &parts).unwrap();
    Setup { upstreams, events }
}

impl Setup {
    /// Asks for `model`, as a client with credentials of its own would.
    pub(crate) async fn ask(
        &self,
        endpoint: Endpoint,
        model: &str,
    ) -> Result<UpstreamResponse, UpstreamError> {
        let route = self.upstreams.route(model).unwrap();
        self.upstreams
            .ask(route, &permit(request(endpoint, model)))
            .await
    }

    pub(crate) async fn chat(&self) -> Result<UpstreamResponse, UpstreamError> {
        self.ask(Endpoint::ChatCompletions, "gpt-4o").await
    }

    pub(crate) fn events(&self) -> Vec<UpstreamEvent> {
        self.events.lock().unwrap().clone()
    }
}

pub(crate) fn request(endpoint: Endpoint, model: &str) -> UpstreamRequest {
    let body = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"hi"}}]}}"#);
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("authorization", "Bearer client-key"),
        ("x-api-key", "client-key"),
        ("api-key", "client-key"),
        ("cookie", "session=client-key"),
        ("content-type", "application/json"),
        ("anthropic-beta", "tools-1"),
        ("traceparent", "00-1-2-01"),
        ("accept-encoding", "gzip"),
        ("user-agent", "client-agent"),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
    UpstreamRequest {
        endpoint,
        model: Some(9..11 + model.len()),
        model_name: model.into(),
        body: body.into(),
        headers,
    }
}

#[tokio::test]
async fn api_16_each_kind_gets_its_own_key_and_path_and_never_the_clients() {
    let mock = Mock::saying("hello").await;
    for (kind, endpoint, target, header, value) in [
        (
            "openai",
            Endpoint::ChatCompletions,
            "/v1/chat/completions",
            "authorization",
            "Bearer key-of-a",
        ),
        (
            "openai",
            Endpoint::Responses,
            "/v1/responses",
            "authorization",
            "Bearer key-of-a",
        ),
        (
            "openai",
            Endpoint::Embeddings,
            "/v1/embeddings",
            "authorization",
            "Bearer key-of-a",
        ),
        (
            "vllm",
            Endpoint::Completions,
            "/v1/completions",
            "authorization",
            "Bearer key-of-a",
        ),
        (
            "vllm",
            Endpoint::Messages,
            "/v1/messages",
            "authorization",
            "Bearer key-of-a",
        ),
        (
            "generic",
            Endpoint::ChatCompletions,
            "/v1/chat/completions",
            "authorization",
            "Bearer key-of-a",
        ),
        (
            "anthropic",
            Endpoint::Messages,
            "/v1/v1/messages",
            "x-api-key",
            "key-of-a",
        ),
        (
            "anthropic",
            Endpoint::CountTokens,
            "/v1/v1/messages/count_tokens",
            "x-api-key",
            "key-of-a",
        ),
        (
            "azure",
            Endpoint::ChatCompletions,
            "/v1/openai/deployments/big/chat/completions?api-version=2024-10-21",
            "api-key",
            "key-of-a",
        ),
    ] {
        let yaml = format!(
            "upstreams:\n  a:\n    kind: {kind}\n    MOCK\n
routes: [{{model: '*', targets: [{{upstream: a, model: big}}]}}]"
        );
        let setup = setup(&yaml, &[&mock]);
        let answer = setup.ask(endpoint, "small").await.unwrap();
        assert_eq!(answer.status, StatusCode::OK);
        let received = mock.last();
        assert_eq!(
            (received.method.as_str(), received.target.as_str()),
            ("POST", target)
        );
        assert_eq!(received.header(header), Some(value), "{kind}");
        assert_eq!(received.json()["model"], "big");
        assert_eq!(received.header("traceparent"), Some("00-1-2-01"));
        assert_eq!(received.header("anthropic-beta"), Some("tools-1"));
        assert_eq!(received.header("accept-encoding"), None);
        assert!(!received.text().contains("client-key"), "{kind}");
        assert!(!received.text().contains("client-agent"), "{kind}");
        if kind == "anthropic" {
            assert_eq!(received.header("anthropic-version"), Some("2023-06-01"));
        }
    }
}

#[tokio::test]
async fn the_body_goes_as_it_was_let_through_but_for_the_models_name() {
    let mock = Mock::saying("hello").await;
    let setup = setup("upstreams:\n  a:\n    MOCK", &[&mock]);
    setup.chat().await.unwrap();
    assert_eq!(
        mock.last().body,
        request(Endpoint::ChatCompletions, "gpt-4o").body
    );
}

#[tokio::test]
async fn answers_come_back_whole_or_in_pieces_with_few_headers() {
    let mock = Mock::saying("hello").await;
    let setup = setup("upstreams:\n  a:\n    MOCK", &[&mock]);
    mock.then(Reply::with_headers(
        200,
        &[
            ("content-type", "application/json"),
            ("x-request-id", "req_1"),
            ("x-ratelimit-remaining-tokens", "99"),
            ("x-internal", "secret"),
        ],
        "{}",
    ));
    let answer = setup.chat().await.unwrap();
    let mut names: Vec<_> = answer.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "content-type",
            "x-ratelimit-remaining-tokens",
            "x-upstream-request-id"
        ]
    );
    assert!(answer.is_json() && !answer.is_event_stream());
    assert_eq!(answer.body.collect().await.unwrap(), "{}");

    let events = Format::Chat.events("hello world", 3);
    for size in [1, 7, 1_000_000] {
        mock.then(Reply::stream(&events, size));
        let answer = setup.chat().await.unwrap();
        assert!(answer.is_event_stream());
        assert_eq!(answer.body.collect().await.unwrap(), events);
    }
    assert_eq!(mock.connections(), 1, "connections are kept");
}

#[tokio::test]
async fn what_an_upstream_does_not_speak_is_not_sent_there() {
    let mock = Mock::saying("hello").await;
    let setup = setup("upstreams:\n  a:\n    MOCK", &[&mock]);
    let error = setup.ask(Endpoint::Messages, "m").await.unwrap_err();
    assert_eq!(error, UpstreamError::Unsupported);
    assert_eq!(error.fault().kind.status(), 404);
    assert_eq!(mock.requests(), 0);
}

#[tokio::test]
async fn without_upstreams_the_echo_answers_and_says_what_it_is() {
    let upstreams = Upstreams::new(
        &UpstreamSettings::default(),
        &BTreeMap::new(),
        &UpstreamParts::default(),
    )
    .unwrap();
    assert!(upstreams.is_echo_only());
    let route = upstreams.route("anything").unwrap();
    let request = permit(request(Endpoint::ChatCompletions, "anything"));
    let answer = upstreams.ask(route, &request).await.unwrap();
    let body = answer.body.collect().await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    assert!(
        body.contains("built-in echo; no model is configured. You wrote: hi"),
        "{body}"
    );
    let models = upstreams.models().await;
    assert_eq!(&*models[0].id, "echo");
}

#[tokio::test]
async fn models_are_those_that_routes_are_for() {
    let mock = Mock::saying("hello").await;
    let setup = setup(
        "upstreams:
  a:
    MOCK
    models: [listed, unrouted]
    list-models-seconds: 3600
routes:
- {model: listed, targets: [{upstream: a}]}
- {model: renamed, targets: [{upstream: a, model: other}]}
- {model: 'mo*', targets: [{upstream: a}]}",
        &[&mock],
    );
    for _ in 0..2 {
        let models = setup.upstreams.models().await;
        let names: Vec<_> = models.iter().map(|model| &*model.id).collect();
        assert_eq!(names, ["listed", "mock", "renamed"]);
    }
    assert_eq!(mock.requests(), 1, "the list is kept");
}

#[tokio::test]
async fn swapping_the_upstream_is_a_matter_of_configuration() {
    let (one, two) = (Mock::saying("one").await, Mock::saying("two").await);
    for (mock, text) in [(&one, "one"), (&two, "two")] {
        let setup = setup("upstreams:\n  a:\n    MOCK", &[mock]);
        let body = setup.chat().await.unwrap().body.collect().await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["choices"][0]["message"]["content"], text);
    }
}

#[tokio::test]
async fn weights_share_requests() {
    let (one, two) = (Mock::saying("one").await, Mock::saying("two").await);
    let setup = setup(
        "upstreams:
  a:
    MOCK
  b:
    MOCK
routes: [{model: '*', targets: [{upstream: a, weight: 3}, {upstream: b}]}]",
        &[&one, &two],
    );
    for _ in 0..200 {
        setup.chat().await.unwrap().body.collect().await.unwrap();
    }
    let share = one.requests();
    assert_eq!(share + two.requests(), 200);
    assert!((110..=190).contains(&share), "{share}");
}

#[tokio::test]
async fn fetch_reaches_its_hosts_only() {
    let mock = Mock::saying("hello").await;
    let other = Mock::saying("hello").await;
    let host = FetchHost {
        url: mock.base_url(),
        allow_private: true,
    };
    let fetch = Fetch::new(
        &[host],
        &UpstreamConfig::default(),
        Arc::new(SystemResolver),
    )
    .unwrap();
    let limits = FetchLimits {
        timeout: Duration::from_secs(5),
        max_bytes: 1_000,
    };
    let get = async |url: String| fetch.get(&url, HeaderMap::new(), &limits).await;
    mock.then(Reply::json(200, &serde_json::json!({"keys": []})));
    let keys = get(mock.base_url()).await.unwrap();
    assert_eq!(
        (keys.status, &keys.body[..]),
        (StatusCode::OK, &b"{\"keys\":[]}"[..])
    );
    assert!(get(other.base_url()).await.is_err());
    assert!(get("file:///etc/passwd".to_owned()).await.is_err());
    assert_eq!(other.connections(), 0);
    mock.then(Reply::whole(200, "text/plain", vec![b'x'; 1_001]));
    assert_eq!(get(mock.base_url()).await, Err(UpstreamError::TooLarge));
    mock.then(Reply::with_headers(
        302,
        &[("location", "http://127.0.0.1:1/")],
        "",
    ));
    assert_eq!(
        get(mock.base_url()).await.unwrap().status,
        StatusCode::FOUND
    );
    mock.then(Reply::json(200, &serde_json::json!({})));
    let posted = fetch
        .post_json(
            &mock.base_url(),
            HeaderMap::new(),
            "{\"a\":1}".into(),
            &limits,
        )
        .await;
    assert!(posted.is_ok());
    assert_eq!(mock.last().json()["a"], 1);
}

#[test]
fn the_guides_examples_have_no_mistake() {
    let guides = [
        include_str!("../../../../docs/src/guides/upstreams.md"),
        include_str!("../../../../docs/src/guides/serving.md"),
    ];
    let examples: Vec<_> = guides
        .iter()
        .flat_map(|guide| guide.split("```yaml").skip(1))
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert_eq!(examples.len(), 4);
    for example in examples {
        let config: bartizan_gateway::config::Config = serde_saphyr::from_str(example).unwrap();
        assert_eq!(config.server.check(true), [], "{example}");
        let settings = UpstreamSettings {
            upstreams: config.upstreams,
            routes: config.routes,
        };
        assert_eq!(settings.check(), [], "{example}");
    }
}
