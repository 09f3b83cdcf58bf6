//! Metrics and traces from outside.

use std::{collections::BTreeMap, convert::Infallible, sync::Arc, time::Duration};

use bartizan_core::{Category, Layer, Severity, Verdict};
use bartizan_gateway::{
    record::{
        At, AuthFailure, Cost, Event, Feedback, FeedbackLabel, Interaction, Label, Observe as _,
        Outcome, RequestId, Review, RuleHit, SCHEMA_VERSION, Side, UpstreamState, What,
    },
    telemetry::{Metrics, TraceContext, Traces, TracesConfig, UpstreamTime},
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message as _;
use tokio::sync::mpsc;

fn event(what: What) -> Event {
    Event {
        v: SCHEMA_VERSION,
        timestamp: At(1_763_730_000_000),
        request_id: Some(RequestId::from_bytes([7; 16])),
        what,
    }
}

fn interaction() -> Interaction {
    let hit = |category, severity, action, rule: &'static str| RuleHit {
        rule: rule.into(),
        layer: Layer::Rules,
        category,
        severity,
        action,
        shadow: false,
        count: 2,
        confidence: 0.75,
    };
    let mut input = Side::default();
    input.hit(hit(
        Category::Injection,
        Severity::High,
        Verdict::Allow,
        "prompt.instruction-override",
    ));
    input.layer_ns.add(Layer::Normalise, 3_000);
    input.layer_ns.add(Layer::Rules, 20_000);
    let mut output = Side {
        enforced: Verdict::Redact,
        ..Side::default()
    };
    output.hit(hit(
        Category::Pii,
        Severity::Medium,
        Verdict::Redact,
        "pii.email",
    ));
    output.hit(hit(
        Category::Leak,
        Severity::Critical,
        Verdict::Redact,
        "leak.canary",
    ));
    output.layer_ns.add(Layer::Sensitive, 5_000);
    Interaction {
        user_id: "key_1".into(),
        model: "gpt".into(),
        prompt_tokens: 12,
        completion_tokens: 34,
        endpoint: "/v1/chat/completions".into(),
        cost: Cost(1_500_000),
        status: 200,
        outcome: Outcome::Answered,
        upstream: "vllm".into(),
        model_version: "gpt-2026".into(),
        policy_version: "abc".into(),
        latency_us: 30_000,
        overhead_us: 90,
        ..Interaction::default()
    }
    .judged(input, Some(output))
}

fn told(metrics: &Metrics) {
    metrics.configured(["gpt"], ["vllm"]);
    for what in [
        What::LlmInteraction(Box::new(interaction())),
        What::AuthFailure(AuthFailure {
            reason: "expired".into(),
            proof: "jwt".into(),
            ..AuthFailure::default()
        }),
        What::UpstreamState(UpstreamState {
            upstream: "vllm".into(),
            to: "open".into(),
            ..UpstreamState::default()
        }),
        What::Review(Review {
            action: "held".into(),
            ..Review::default()
        }),
        What::Feedback(Feedback {
            user_id: Label::NONE,
            label: FeedbackLabel::FalsePositive,
            rule: Label::NONE,
        }),
    ] {
        metrics.event(&event(what));
    }
}

/// Samples by name and labels; fails on a line that is none.
pub(crate) fn scrape(page: &str) -> BTreeMap<String, f64> {
    let mut typed = Vec::new();
    let mut samples = BTreeMap::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            typed.push(rest.split(' ').next().unwrap().to_owned());
            continue;
        }
        if line.starts_with("# HELP ") {
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let name = series.split('{').next().unwrap();
        let family = typed.iter().any(|family| {
            name == family
                || ["_bucket", "_sum", "_count"]
                    .map(|end| format!("{family}{end}"))
                    .contains(&name.to_owned())
        });
        assert!(family, "no type for `{line}`");
        let twice = samples.insert(series.to_owned(), value.parse().unwrap());
        assert_eq!(twice, None, "`{series}` twice");
    }
    samples
}

/// A page on which something of everything was counted.
pub(crate) fn full_page() -> String {
    let metrics = Metrics::new("0.1.0");
    told(&metrics);
    metrics.render()
}

#[test]
fn mon_10_a_scrape_says_what_was_recorded() {
    let samples = scrape(&full_page());
    for (series, value) in [
        (
            r#"bartizan_requests_total{endpoint="/v1/chat/completions",model="gpt",status="200",decision="redact"}"#,
            1.0,
        ),
        (
            r#"bartizan_tokens_total{model="gpt",kind="completion"}"#,
            34.0,
        ),
        (r#"bartizan_cost_usd_total{model="gpt"}"#, 1.5),
        (
            r#"bartizan_findings_total{category="injection",severity="high"}"#,
            2.0,
        ),
        (
            r#"bartizan_injection_attempts_total{direction="input"}"#,
            1.0,
        ),
        (
            r#"bartizan_leaks_total{category="pii",stopped="true"}"#,
            1.0,
        ),
        (r#"bartizan_redactions_total{direction="output"}"#, 1.0),
        ("bartizan_canary_hits_total", 1.0),
        (r#"bartizan_layer_seconds_count{layer="rules"}"#, 1.0),
        (
            r#"bartizan_layer_seconds_bucket{layer="rules",le="0.000025"}"#,
            1.0,
        ),
        (
            r#"bartizan_layer_seconds_bucket{layer="rules",le="0.00001"}"#,
            0.0,
        ),
        (
            r#"bartizan_auth_failures_total{reason="expired",proof="jwt"}"#,
            1.0,
        ),
        (r#"bartizan_upstream_state{upstream="vllm"}"#, 2.0),
        ("bartizan_reviews_pending", 1.0),
        (r#"bartizan_feedback_total{label="false_positive"}"#, 1.0),
        (r#"bartizan_false_positive_share{bound="high"}"#, 1.0),
    ] {
        assert_eq!(samples.get(series), Some(&value), "{series}");
    }
}

/// A client may name any model; a label may not follow it.
#[test]
fn met_12_series_are_bounded() {
    let metrics = Metrics::new("0.1.0");
    told(&metrics);
    let before = scrape(&metrics.render()).len();
    for number in 0..10_000_u64 {
        let what = What::LlmInteraction(Box::new(Interaction {
            model: Label::Known(format!("model-{number}").into()),
            endpoint: Label::Known(format!("/{number}").into()),
            ..interaction()
        }));
        metrics.event(&event(what));
    }
    let samples = scrape(&metrics.render());
    // One for the route and model `other`, no more.
    assert_eq!(samples.len(), before + 1);
    assert_eq!(
        samples[r#"bartizan_tokens_total{model="other",kind="prompt"}"#],
        120_000.0
    );
}

#[test]
fn if_18_totals_by_type_and_severity() {
    let metrics = Metrics::new("0.1.0");
    told(&metrics);
    let summary = metrics.security_summary();
    assert_eq!(summary.total_events, 7);
    assert_eq!(summary.by_type["injection"], 2);
    assert_eq!(summary.by_severity["medium"], 3);
}

fn text(value: &Option<AnyValue>) -> String {
    match value.as_ref().and_then(|value| value.value.clone()) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        Some(Value::BoolValue(whether)) => whether.to_string(),
        other => panic!("unexpected {other:?}"),
    }
}

fn attributes(list: &[KeyValue]) -> BTreeMap<String, String> {
    list.iter()
        .map(|entry| (entry.key.clone(), text(&entry.value)))
        .collect()
}

/// A collector that decodes what it is sent.
pub(crate) async fn collector() -> (
    String,
    mpsc::Receiver<(Option<String>, ExportTraceServiceRequest)>,
) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let (seen, exports) = mpsc::channel(16);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let seen = seen.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let seen = seen.clone();
                async move {
                    assert_eq!(request.uri().path(), "/v1/traces");
                    let header = |name| {
                        let value = request.headers().get(name)?;
                        Some(value.to_str().unwrap().to_owned())
                    };
                    assert_eq!(header("content-type").unwrap(), "application/x-protobuf");
                    let credential = header("authorization");
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    let export = ExportTraceServiceRequest::decode(body).unwrap();
                    seen.send((credential, export)).await.unwrap();
                    Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
                }
            });
            let io = hyper_util::rt::TokioIo::new(stream);
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(io, service));
        }
    });
    (endpoint, exports)
}

#[tokio::test]
async fn mon_11_a_collector_receives_spans_without_content() {
    let (endpoint, mut exports) = collector().await;
    let config =
        format!(r#"{{"endpoint": "{endpoint}", "headers": {{"authorization": "Bearer token"}}}}"#);
    let config: TracesConfig = serde_json::from_str(&config).unwrap();
    assert!(!format!("{config:?}").contains("Bearer"));
    let traces = Traces::start(&config, "0.1.0").unwrap();
    let mut headers = http::HeaderMap::new();
    headers.insert(
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            .parse()
            .unwrap(),
    );
    let context = TraceContext::from_headers(&headers, traces.sample_ratio());
    let upstream = UpstreamTime {
        start_us: 50,
        end_us: 29_900,
    };
    let ended = event(What::LlmInteraction(Box::new(interaction())));
    traces.finish(&context, &ended, Some(upstream));

    let received = tokio::time::timeout(Duration::from_secs(20), exports.recv());
    let (credential, export) = received.await.unwrap().unwrap();
    assert_eq!(credential.as_deref(), Some("Bearer token"));
    let resource = &export.resource_spans[0];
    let about = attributes(&resource.resource.as_ref().unwrap().attributes);
    assert_eq!(about["service.name"], "bartizan");
    assert!(resource.scope_spans[0].schema_url.ends_with("1.41.1"));
    let spans: BTreeMap<&str, &Span> = resource.scope_spans[0]
        .spans
        .iter()
        .map(|span| {
            (
                if span.kind == 3 {
                    "client"
                } else {
                    span.name.as_str()
                },
                span,
            )
        })
        .collect();
    let names: Vec<&str> = spans.keys().copied().collect();
    assert_eq!(
        names,
        [
            "bartizan.guard.normalise",
            "bartizan.guard.rules",
            "bartizan.guard.sensitive",
            "chat gpt",
            "client"
        ]
    );
    let root = spans["chat gpt"];
    let caller = 0xb7ad_6b71_6920_3331_u64.to_be_bytes();
    assert_eq!(root.parent_span_id, caller);
    assert_eq!(
        root.end_time_unix_nano - root.start_time_unix_nano,
        30_000_000
    );
    for span in spans.values() {
        assert_eq!(span.trace_id, context.trace_id);
        if span.name != "chat gpt" {
            assert_eq!(span.parent_span_id, root.span_id);
        }
    }
    let rules = spans["bartizan.guard.rules"];
    assert_eq!(
        rules.end_time_unix_nano - rules.start_time_unix_nano,
        20_000
    );
    let of_root = attributes(&root.attributes);
    for (name, value) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.request.model", "gpt"),
        ("gen_ai.usage.input_tokens", "12"),
        ("gen_ai.usage.output_tokens", "34"),
        ("http.response.status_code", "200"),
        ("bartizan.guard.decision", "redact"),
        ("bartizan.guard.policy_version", "abc"),
    ] {
        assert_eq!(of_root[name], value, "{name}");
    }
    assert_eq!(
        attributes(&spans["client"].attributes)["gen_ai.response.model"],
        "gpt-2026"
    );
    let results: Vec<_> = root
        .events
        .iter()
        .map(|event| attributes(&event.attributes))
        .collect();
    assert_eq!(results.len(), 3);
    assert_eq!(root.events[0].name, "gen_ai.evaluation.result");
    assert_eq!(
        results[0]["gen_ai.evaluation.name"],
        "prompt.instruction-override"
    );
    assert_eq!(results[0]["gen_ai.evaluation.score.value"], "0.75");
    // No attribute of the conventions that holds content.
    let all = spans.values().flat_map(|span| attributes(&span.attributes));
    for (name, _) in all {
        assert!(
            !name.contains("messages") && !name.contains("instructions"),
            "{name}"
        );
    }
    let header = context.traceparent().unwrap();
    assert!(header.contains("0af7651916cd43dd8448eb211c80319c"));
}

#[tokio::test]
async fn a_lost_collector_costs_spans_and_nothing_else() {
    let config = r#"{"endpoint": "http://127.0.0.1:9/v1/traces", "timeout-ms": 200}"#;
    let config: TracesConfig = serde_json::from_str(config).unwrap();
    let traces = Arc::new(Traces::start(&config, "0.1.0").unwrap());
    let context = TraceContext::from_headers(&http::HeaderMap::new(), 1.0);
    let ended = event(What::LlmInteraction(Box::new(interaction())));
    for _ in 0..5_000 {
        traces.finish(&context, &ended, None);
    }
    assert!(traces.dropped() > 0, "the queue is bounded");
}
