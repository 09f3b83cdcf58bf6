//! The routes, with the built-in model and with one that is sure of nothing.

use std::{collections::BTreeMap, sync::Arc};

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::future::BoxFuture;
use http::{HeaderMap, Request, header};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::{
    clock::ManualClock,
    extraction::{Extraction, ExtractionConfig},
    fault::Fault,
    principal::{Entitlements, Principal, Proof, Scope},
};

/// A model that says the same about every row.
struct Constant(Scores);

impl ModelBackend for Constant {
    fn predict<'a>(&'a self, input: &'a Tensor) -> BoxFuture<'a, Result<Scores, Fault>> {
        let repeat = |row: &Vec<Vec<f64>>| vec![row[0].clone(); input.rows()];
        let scores = match &self.0 {
            Scores::Classes(rows) => Scores::Classes(repeat(rows)),
            Scores::Values(rows) => Scores::Values(repeat(rows)),
        };
        Box::pin(async move { Ok(scores) })
    }

    fn is_ready(&self) -> BoxFuture<'_, bool> {
        Box::pin(async { false })
    }
}

struct Watcher {
    extraction: Extraction,
    told: Mutex<Vec<(String, usize, u16)>>,
}

impl Watch for Watcher {
    fn extraction(&self) -> Option<&Extraction> {
        Some(&self.extraction)
    }

    fn predicted(&self, predicted: &Predicted<'_>) {
        let told = (predicted.model.to_owned(), predicted.rows, predicted.status);
        self.told.lock().push(told);
    }
}

fn watcher() -> Arc<Watcher> {
    Arc::new(Watcher {
        extraction: Extraction::new(ExtractionConfig::default()),
        told: Mutex::default(),
    })
}

fn api(watch: Arc<Watcher>) -> PredictApi {
    let served = |config: ModelConfig, backend: Arc<dyn ModelBackend>| Served { config, backend };
    let models = BTreeMap::from([
        (
            "demo".to_owned(),
            served(
                ModelConfig {
                    version: "1".into(),
                    ..ModelConfig::default()
                },
                Arc::new(Demonstration),
            ),
        ),
        (
            "prices".to_owned(),
            served(
                ModelConfig {
                    input: InputSpec {
                        shape: vec![2],
                        allow_empty_batch: true,
                        ..InputSpec::default()
                    },
                    ..ModelConfig::default()
                },
                Arc::new(Constant(Scores::Values(vec![vec![12.345_678]]))),
            ),
        ),
        (
            "classes".to_owned(),
            served(
                ModelConfig {
                    input: InputSpec {
                        shape: vec![2],
                        ..InputSpec::default()
                    },
                    labels: vec!["no".into(), "yes".into()],
                    output: OutputConfig {
                        noise: 0.0,
                        ..OutputConfig::default()
                    },
                    ..ModelConfig::default()
                },
                Arc::new(Constant(Scores::Classes(vec![vec![0.123_456, 0.876_544]]))),
            ),
        ),
    ]);
    let signer = Signer::from_seed(&[3; 32]).unwrap();
    let clock = Arc::new(ManualClock::at(1_700_000_000_000));
    PredictApi::new(models, "demo".into(), &[1; 32], Some(signer), clock, watch)
}

fn principal() -> Principal {
    Principal {
        id: "key-1".into(),
        proof: Proof::ApiKey,
        tenant: "".into(),
        team: "".into(),
        groups: Vec::new(),
        scopes: [Scope::Infer].into(),
        models: Vec::new(),
        entitlements: Entitlements::default(),
    }
}

async fn send(
    watch: Arc<Watcher>,
    who: Option<Principal>,
    request: Request<Body>,
) -> (u16, HeaderMap, Vec<u8>) {
    let mut request = request;
    if let Some(who) = who {
        request.extensions_mut().insert(Arc::new(who));
    }
    let response = router(api(watch)).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes().to_vec();
    (parts.status.as_u16(), parts.headers, bytes)
}

fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.into())
        .unwrap()
}

async fn call(path: &str, body: &str) -> (u16, Value) {
    let request = post(path, body.to_owned());
    let (status, _, bytes) = send(watcher(), Some(principal()), request).await;
    (status, serde_json::from_slice(&bytes).unwrap())
}

async fn get(path: &str) -> (u16, Value) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let (status, _, bytes) = send(watcher(), Some(principal()), request).await;
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

/// Seed 004, section 10.3.
#[tokio::test]
async fn if_13_ten_features() {
    let ten = "[1, 2, 3.5, -4, 5, 6, 7, 8, 9, 1000]";
    let (status, answer) = call("/predict", &format!(r#"{{"features": {ten}}}"#)).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["demonstration"], true);
    assert_eq!(answer["model"], json!({"name": "demo", "version": "1"}));
    let prediction = &answer["predictions"][0];
    assert!(
        prediction["label"]
            .as_str()
            .unwrap()
            .starts_with("demonstration-")
    );
    assert_eq!(prediction["probabilities"].as_array().unwrap().len(), 1);
    for (features, place) in [
        (
            "[NaN, 2, 3, 4, 5, 6, 7, 8, 9, 10]",
            "`features[0]` is not a finite number",
        ),
        ("[1, 2, 3, 4, 5, 6, 7, 8, 9]", "`features[9]` is missing"),
        (
            "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]",
            "`features[10]` is one too many",
        ),
        (
            "[1, 2, 1000.1, 4, 5, 6, 7, 8, 9, 10]",
            "`features[2]` is above the maximum of 1000",
        ),
        (
            "[1, 2, 3, -1000.1, 5, 6, 7, 8, 9, 10]",
            "`features[3]` is below the minimum of -1000",
        ),
        (
            r#"[1, 2, "3", 4, 5, 6, 7, 8, 9, 10]"#,
            "`features[2]` is not a finite number",
        ),
        (
            "[1, 2, {}, 4, 5, 6, 7, 8, 9, 10]",
            "`features[2]` is not a finite number",
        ),
        ("[]", "`features` has no row"),
        ("\"abc\"", "`features` is not a list"),
        ("null", "`features` is not a list"),
    ] {
        let (status, answer) = call("/predict", &format!(r#"{{"features": {features}}}"#)).await;
        assert_eq!(status, 422, "{features}");
        assert_eq!(answer["error"]["message"], place);
    }
    for (body, status) in [
        (r#"{"features": [1], "extra": 1}"#, 422),
        (r#"{"extra": 1}"#, 422),
        ("{}", 422),
        ("[]", 422),
        ("", 400),
        ("{", 400),
        (r#"{"features": [1, 2"#, 400),
    ] {
        let (got, answer) = call("/predict", body).await;
        assert_eq!(got, status, "{body}: {answer}");
        assert!(!answer.to_string().contains("extra"));
    }
}

#[tokio::test]
async fn a_batch_and_a_payload_have_bounds() {
    let row = "[1, 2]";
    let rows = |count| vec![row; count].join(", ");
    let (status, answer) = call(
        "/predict/classes",
        &format!(r#"{{"features": [{}]}}"#, rows(3)),
    )
    .await;
    assert_eq!(status, 200);
    assert_eq!(answer["predictions"].as_array().unwrap().len(), 3);
    assert_eq!(answer["predictions"][0]["label"], "yes");
    assert_eq!(
        answer["predictions"][0]["probabilities"],
        json!([{"label": "yes", "probability": 0.88}])
    );
    let (status, answer) = call(
        "/predict/classes",
        &format!(r#"{{"features": [{}]}}"#, rows(1_025)),
    )
    .await;
    assert_eq!(status, 422);
    assert!(
        answer["error"]["message"]
            .as_str()
            .unwrap()
            .contains("more than 1024 rows")
    );
    // Counted while reading, without a length in the head.
    let chunks = (0..1_100).map(|_| Ok::<_, std::io::Error>(vec![b' '; 10_000]));
    let body = Body::from_stream(futures_util::stream::iter(chunks));
    let (status, _, _) = send(watcher(), Some(principal()), post("/predict", body)).await;
    assert_eq!(status, 413);
    let (status, answer) = call("/predict/prices", r#"{"features": []}"#).await;
    assert_eq!((status, &answer["predictions"]), (200, &json!([])));
    let (_, answer) = call("/predict/prices", r#"{"features": [1, 2]}"#).await;
    assert_eq!(answer["predictions"], json!([{"values": [12.35]}]));
}

#[tokio::test]
async fn who_may_and_who_sees_what() {
    let body = r#"{"features": [1, 2]}"#;
    let (status, _, _) = send(watcher(), None, post("/predict/classes", body)).await;
    assert_eq!(status, 401);
    let guard = Principal {
        scopes: [Scope::Guard].into(),
        ..principal()
    };
    let (status, _, _) = send(watcher(), Some(guard), post("/predict/classes", body)).await;
    assert_eq!(status, 403);
    let other = Principal {
        models: vec!["prices".into()],
        ..principal()
    };
    for path in ["/predict/classes", "/predict/absent"] {
        let (status, _, bytes) = send(watcher(), Some(other.clone()), post(path, body)).await;
        assert_eq!(status, 404);
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(answer["error"]["code"], "model-not-found");
    }
    let entitled = Principal {
        entitlements: Entitlements {
            probabilities: true,
            ..Entitlements::default()
        },
        ..principal()
    };
    let (_, _, bytes) = send(watcher(), Some(entitled), post("/predict/classes", body)).await;
    let answer: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(
        answer["predictions"][0]["probabilities"],
        json!([
            {"label": "yes", "probability": 0.876_544},
            {"label": "no", "probability": 0.123_456},
        ])
    );
}

#[tokio::test]
async fn api_18_answers_are_signed() {
    let (_, key) = get("/predict/key").await;
    let public_key = STANDARD
        .decode(key["public_key"].as_str().unwrap())
        .unwrap();
    let request = post("/predict/classes", r#"{"features": [1, 2]}"#);
    let (_, headers, bytes) = send(watcher(), Some(principal()), request).await;
    let Value::Object(answer) = serde_json::from_slice(&bytes).unwrap() else {
        panic!("no object")
    };
    assert_eq!(verify(&answer, &public_key), Ok(()));
    assert_eq!(answer["signature"]["key_id"], key["key_id"]);
    let mut altered = answer;
    altered["predictions"][0]["label"] = json!("no");
    assert_eq!(verify(&altered, &public_key), Err(SignatureError::Wrong));
    let value = headers[SIGNATURE_HEADER].to_str().unwrap();
    assert_eq!(verify_header(value, &bytes, &public_key), Ok(()));
    assert_eq!(
        verify_header(value, b"other", &public_key),
        Err(SignatureError::Wrong)
    );
}

/// The examples of the protocol's specification, with our model.
#[tokio::test]
async fn api_17_open_inference() {
    let body = r#"{"id": "42", "inputs": [{"name": "input-0", "shape": [2, 2], "datatype": "FP32", "data": [1, 2, 3, 4]}]}"#;
    let (status, answer) = call("/v2/models/classes/infer", body).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["id"], "42");
    assert_eq!(answer["model_name"], "classes");
    assert_eq!(
        answer["outputs"],
        json!([
            {"name": "labels", "datatype": "BYTES", "shape": [2, 1], "data": ["yes", "yes"]},
            {"name": "probabilities", "datatype": "FP64", "shape": [2, 1], "data": [0.88, 0.88]},
        ])
    );
    // Data before its shape, and nested.
    let nested = r#"{"inputs": [{"data": [[1, 2]], "datatype": "FP32", "shape": [1, 2], "name": "a", "parameters": {}}], "outputs": []}"#;
    assert_eq!(call("/v2/models/classes/infer", nested).await.0, 200);
    let tensor = |shape: &str, kind: &str, data: &str| {
        format!(
            r#"{{"inputs": [{{"name": "a", "shape": {shape}, "datatype": "{kind}", "data": {data}}}]}}"#
        )
    };
    for (body, problem) in [
        (
            tensor("[1, 3]", "FP32", "[1, 2, 3]"),
            "`inputs[0].shape` is not [rows, 2]",
        ),
        (
            tensor("[2]", "FP32", "[1, 2]"),
            "`inputs[0].shape` is not [rows, 2]",
        ),
        (
            tensor("[1, 2]", "INT8", "[1, 2]"),
            "`inputs[0].datatype` is not `FP32`",
        ),
        (
            tensor("[1, 2]", "FP32", "[1, 2000]"),
            "`inputs[0].data[1]` is above the maximum of 1000",
        ),
        (
            tensor("[2, 2]", "FP32", "[1, 2, 3]"),
            "`inputs[0].data[3]` is missing",
        ),
        (
            tensor("[1, 2]", "FP32", "[[1, 2], [3, 4]]"),
            "`inputs[0].data` has another number of rows than `shape`",
        ),
        (
            tensor("[1e9, 2]", "FP32", "[1]"),
            "`inputs[0].shape[0]` is not a number of rows up to 1024",
        ),
        (tensor("[0, 2]", "FP32", "[]"), "`inputs[0].shape[0]` is 0"),
        (
            tensor("[1, 2]", "FP32", r#"["a", "b"]"#),
            "`inputs[0].data[0]` is not a finite number; `inputs[0].data[1]` is not a finite number",
        ),
        (r#"{"inputs": []}"#.to_owned(), "`inputs` has no tensor"),
        (
            r#"{"inputs": [{}, {}]}"#.to_owned(),
            "`inputs` has more than one tensor",
        ),
        ("{}".to_owned(), "`inputs` has no tensor"),
    ] {
        let (status, answer) = call("/v2/models/classes/infer", &body).await;
        assert_eq!(status, 422, "{body}");
        assert_eq!(answer["error"], problem, "{body}");
    }
    let mut binary = post("/v2/models/classes/infer", body);
    binary
        .headers_mut()
        .insert("inference-header-content-length", "10".parse().unwrap());
    assert_eq!(send(watcher(), Some(principal()), binary).await.0, 415);
    assert_eq!(get("/v2").await.1["name"], "bartizan");
    assert_eq!(get("/v2/health/live").await, (200, json!({"live": true})));
    assert_eq!(
        get("/v2/health/ready").await,
        (503, json!({"ready": false}))
    );
    let (_, model) = get("/v2/models/demo").await;
    assert_eq!(model["inputs"][0]["shape"], json!([-1, 10]));
    assert_eq!(get("/v2/models/demo/ready").await.0, 200);
    assert_eq!(get("/v2/models/classes/ready").await.0, 503);
    assert_eq!(get("/v2/models/demo/versions/1").await.0, 200);
    assert_eq!(get("/v2/models/demo/versions/2").await.0, 404);
    assert_eq!(get("/v2/models/absent").await.0, 404);
}

#[tokio::test]
async fn api_17_tensorflow_serving() {
    let path = "/v1/models/classes:predict";
    let body = r#"{"signature_name": "serving_default", "instances": [[1, 2], [3, 4]]}"#;
    let (status, answer) = call(path, body).await;
    assert_eq!(
        (status, answer),
        (
            200,
            json!({"predictions": [
                {"classes": ["yes"], "scores": [0.88]},
                {"classes": ["yes"], "scores": [0.88]},
            ]})
        )
    );
    let (_, answer) = call("/v1/models/prices:predict", r#"{"inputs": [[1, 2]]}"#).await;
    assert_eq!(answer, json!({"outputs": [[12.35]]}));
    for (body, problem) in [
        (r#"{"instances": [[1]]}"#, "`instances[0][1]` is missing"),
        (
            r#"{"instances": [1, 2]}"#,
            "`instances[0]` is not a list; `instances[1]` is not a list",
        ),
        (
            r#"{"instances": [[1, 2]], "inputs": [[1, 2]]}"#,
            "`body` has more than one of `instances` and `inputs`",
        ),
        ("{}", "`instances` is missing"),
    ] {
        let (status, answer) = call(path, body).await;
        assert_eq!((status, &answer["error"]), (422, &json!(problem)), "{body}");
    }
    assert_eq!(call("/v1/models/classes:classify", "{}").await.0, 404);
    assert_eq!(call("/v1/models/classes", "{}").await.0, 404);
}

#[tokio::test]
async fn the_record_hears_of_every_request_and_the_detectors_of_every_row() {
    let watch = watcher();
    for body in [
        r#"{"features": [[1, 2], [3, 4]]}"#,
        r#"{"features": [9999, 2]}"#,
    ] {
        let request = post("/predict/classes", body);
        send(Arc::clone(&watch), Some(principal()), request).await;
    }
    assert_eq!(
        *watch.told.lock(),
        [
            ("classes".to_owned(), 2, 200),
            ("classes".to_owned(), 0, 422)
        ]
    );
    assert_eq!(watch.extraction.principals(), 1);
}
