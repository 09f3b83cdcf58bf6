//! OUT-03: classifiers outside, asked over the network; CO-07: what happens when they do not answer.

use serde_json::{Value, json};

use super::{MAIL, Running, UPSTREAM_KEY, chat, start_with};
use crate::mock::{Format, Mock, Reply, Step};

const QUESTION: &str = "What is the weather like in spring?";

const VIOLENT: &str = include_str!("../../../src/judge/external/fixtures/openai-harmful.json");
const HARMLESS: &str = include_str!("../../../src/judge/external/fixtures/openai-harmless.json");

/// A model, and the service that `upstream` and `classifier` describe.
async fn guarded(model: &Mock, service: &Mock, upstream: &str, classifier: &str) -> Running {
    guarded_by(model, service, upstream, classifier, "").await
}

async fn guarded_by(
    model: &Mock,
    service: &Mock,
    upstream: &str,
    classifier: &str,
    policy: &str,
) -> Running {
    start_with(&yaml(model, service, upstream, classifier), policy, &[]).await
}

fn yaml(model: &Mock, service: &Mock, upstream: &str, classifier: &str) -> String {
    format!(
        "upstreams:
  main: {{kind: vllm, base-url: MODEL, allow-private: true}}
  outside:
    kind: {upstream}
    base-url: SERVICE
    allow-private: true
    key: env:UPSTREAM_KEY
    retry: {{attempts: 0}}
    breaker: {{failures: 3, min-requests: 1000000}}
routes:
  - {{model: m, targets: [{{upstream: main}}]}}
classifiers:
  - {{upstream: outside, {classifier}}}
"
    )
    .replace("MODEL", &model.base_url())
    .replace("SERVICE", service.base_url().trim_end_matches("/v1"))
}

/// A model, and a service that answers everything so.
async fn mocks(service: Reply) -> (Mock, Mock) {
    let main = Mock::saying("Mild and wet.").await;
    let outside = Mock::saying("").await;
    outside.always(service);
    (main, outside)
}

fn openai_chat(text: &str) -> Value {
    Format::Chat.body(text)
}

fn answer(text: &str) -> Reply {
    Reply::whole(200, "application/json", text.to_owned())
}

#[tokio::test]
async fn out_03_each_service_is_asked_in_its_way_and_heard() {
    let perspective = include_str!("../../../src/judge/external/fixtures/perspective-harmful.json");
    let azure = include_str!("../../../src/judge/external/fixtures/azure-harmful.json");
    let guard = openai_chat("\n\nunsafe\nS1").to_string();
    for (upstream, kind, reply, path, header, rule) in [
        (
            "generic",
            "openai-moderation",
            VIOLENT,
            "/moderations",
            ("authorization", format!("Bearer {UPSTREAM_KEY}")),
            "external.openai-moderation.violence",
        ),
        (
            "perspective",
            "perspective",
            perspective,
            "/v1alpha1/comments:analyze",
            ("x-goog-api-key", UPSTREAM_KEY.to_owned()),
            "external.perspective.toxicity",
        ),
        (
            "azure-content-safety",
            "azure-content-safety",
            azure,
            "/contentsafety/text:analyze?api-version=2024-09-01",
            ("ocp-apim-subscription-key", UPSTREAM_KEY.to_owned()),
            "external.azure-content-safety.violence",
        ),
        (
            "generic",
            "llama-guard",
            &guard,
            "/chat/completions",
            ("authorization", format!("Bearer {UPSTREAM_KEY}")),
            "external.llama-guard.violent-crimes",
        ),
    ] {
        let (main, outside) = mocks(answer(reply)).await;
        let gateway = guarded(&main, &outside, upstream, &format!("kind: {kind}")).await;
        let got = gateway.chat(&chat(QUESTION)).await;
        assert_eq!(got.status, 400, "{kind}: {got:?}");
        assert_eq!(got.json()["error"]["code"], "content_filter");
        assert!(
            got.header("x-bartizan-applied").contains("external"),
            "{got:?}"
        );
        assert_eq!(main.received().len(), 0, "{kind}: the model was not asked");
        let sent = outside.received();
        assert_eq!(sent.len(), 1);
        assert_eq!(
            (sent[0].method.as_str(), sent[0].target.as_str()),
            ("POST", path)
        );
        assert_eq!(sent[0].header(header.0), Some(header.1.as_str()));
        assert!(sent[0].text().contains(QUESTION));
        let recorded = gateway.recorded(&got).await;
        let json = serde_json::to_value(&recorded).unwrap();
        assert!(json.to_string().contains(rule), "{kind}: {json}");
        assert!(!json.to_string().contains("weather"));
    }
}

#[tokio::test]
async fn out_03_harmless_texts_pass_and_are_asked_about_once() {
    let (main, outside) = mocks(answer(HARMLESS)).await;
    let gateway = guarded(&main, &outside, "generic", "kind: openai-moderation").await;
    for _ in 0..3 {
        let got = gateway.chat(&chat(QUESTION)).await;
        assert_eq!(
            (got.status, got.said().as_str()),
            (200, "Mild and wet."),
            "{got:?}"
        );
    }
    let texts: Vec<Value> = outside
        .received()
        .iter()
        .map(|sent| sent.json()["input"].clone())
        .collect();
    assert_eq!(
        texts,
        [json!(QUESTION), json!("Mild and wet.")],
        "the question, then the answer"
    );
}

#[tokio::test]
async fn out_03_a_harmful_answer_is_replaced() {
    let (main, outside) = mocks(answer(HARMLESS)).await;
    outside.then(answer(HARMLESS)).then(answer(VIOLENT));
    let gateway = guarded(&main, &outside, "generic", "kind: openai-moderation").await;
    let got = gateway.chat(&chat(QUESTION)).await;
    assert_eq!(got.status, 200);
    assert_eq!(got.json()["choices"][0]["finish_reason"], "content_filter");
    assert!(!got.body.contains("Mild"));
}

/// What the policy redacts leaves redacted, for a classifier as for a model.
#[tokio::test]
async fn personal_data_does_not_reach_the_service() {
    let (main, outside) = mocks(answer(HARMLESS)).await;
    let gateway = guarded(&main, &outside, "generic", "kind: openai-moderation").await;
    let got = gateway
        .chat(&chat(&format!("Write to {MAIL} about spring.")))
        .await;
    assert_eq!(got.status, 200, "{got:?}");
    let sent = outside.received();
    let asked = sent[0].json()["input"].as_str().unwrap().to_owned();
    assert!(
        asked.starts_with("Write to ") && asked.ends_with(" about spring."),
        "{asked}"
    );
    assert!(sent.iter().all(|sent| !sent.text().contains(MAIL)));
}

/// Every way of not answering ends in what the policy says: closed unless it says otherwise.
#[tokio::test]
async fn co_07_no_answer_is_never_a_clean_one() {
    let silent = Reply::raw([Step::Stall]);
    let unknown = openai_chat("unsafe\nS99").to_string();
    let answers = [
        ("openai-moderation", answer("{}")),
        ("openai-moderation", answer("<html>")),
        ("openai-moderation", Reply::error(500, "server_error")),
        (
            "openai-moderation",
            Reply::error(429, "rate_limit_exceeded"),
        ),
        ("openai-moderation", Reply::error(401, "invalid_api_key")),
        ("openai-moderation", Reply::raw([Step::Reset])),
        ("openai-moderation", silent),
        ("llama-guard", answer(&unknown)),
        (
            "llama-guard",
            answer(&openai_chat("I cannot say").to_string()),
        ),
    ];
    let open = "layers: {external: {on-incomplete: open}}";
    for (kind, reply) in answers {
        for (policy, status) in [("", 400), (open, 200)] {
            let (main, outside) = mocks(reply.clone()).await;
            let kind = format!("kind: {kind}, directions: [input], timeout-ms: 400");
            let gateway = guarded_by(&main, &outside, "generic", &kind, policy).await;
            let got = gateway.chat(&chat(QUESTION)).await;
            assert_eq!(got.status, status, "{policy} {reply:?} {got:?}");
            assert_eq!(main.received().len(), usize::from(status == 200));
            assert!(!got.body.contains("UPSTREAM-SECRET-TEXT"));
        }
    }
}

/// A service that fails again and again is left alone, and the requests end as without an answer.
#[tokio::test]
async fn co_07_the_breaker_of_its_upstream_holds_for_a_classifier() {
    let (main, outside) = mocks(Reply::error(500, "server_error")).await;
    let gateway = guarded(&main, &outside, "generic", "kind: openai-moderation").await;
    for number in 0..8 {
        let got = gateway.chat(&chat(&format!("{QUESTION} {number}"))).await;
        assert_eq!(got.status, 400);
    }
    assert_eq!(outside.received().len(), 3);
}

/// An answer that comes piece by piece cannot be shown as a whole before the client has it.
#[tokio::test]
async fn streams_are_refused_where_answers_are_to_be_seen() {
    let mut streamed = chat(QUESTION);
    streamed["stream"] = json!(true);
    let (main, outside) = mocks(answer(HARMLESS)).await;
    let gateway = guarded(&main, &outside, "generic", "kind: openai-moderation").await;
    let got = gateway.chat(&streamed).await;
    assert_eq!(got.status, 400);
    assert_eq!(got.json()["error"]["code"], "stream_not_available");
    for passing in ["directions: [input]", "streams: pass-unseen"] {
        let kind = format!("kind: openai-moderation, {passing}");
        let gateway = guarded(&main, &outside, "generic", &kind).await;
        let got = gateway.chat(&streamed).await;
        assert_eq!(got.status, 200, "{passing}: {got:?}");
    }
}

/// Moderation of our own tells what the classifier said, in OpenAI's words.
#[tokio::test]
async fn moderations_tell_what_classifiers_say() {
    let (main, outside) = mocks(answer(VIOLENT)).await;
    let gateway = guarded(&main, &outside, "generic", "kind: openai-moderation").await;
    let got = gateway
        .post("/v1/moderations", &json!({"input": QUESTION}))
        .await;
    let result = &got.json()["results"][0];
    assert_eq!(result["flagged"], true, "{got:?}");
    assert_eq!(result["categories"]["violence"], true);
    assert_eq!(result["categories"]["violence/graphic"], false);
    assert!(result["category_scores"]["violence"].as_f64().unwrap() > 0.8);
    let applied = &result["category_applied_input_types"];
    assert_eq!(applied["violence"], json!(["text"]));
    assert_eq!(main.received().len(), 0);
}

/// Who is asked, and from when on a score counts, changes without a restart.
#[tokio::test]
async fn a_reload_changes_the_classifiers() {
    let (main, outside) = mocks(answer(VIOLENT)).await;
    let kind = "kind: openai-moderation, directions: [input]";
    let gateway = guarded(&main, &outside, "generic", kind).await;
    assert_eq!(gateway.chat(&chat(QUESTION)).await.status, 400);
    let kind = format!("{kind}, thresholds: {{violence: 0.95}}");
    let changed = yaml(&main, &outside, "generic", &kind);
    gateway.reload(&changed, "").await;
    assert_eq!(gateway.chat(&chat(QUESTION)).await.status, 200);
    assert_eq!(outside.received().len(), 2, "asked anew");
}
