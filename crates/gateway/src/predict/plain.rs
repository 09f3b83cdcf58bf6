//! `POST /predict` and `POST /predict/{model}` (`IF-13`).

use axum::{
    extract::{Path, Request, State},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    ModelConfig, PredictApi, Prediction, SpecError,
    read::Misfit,
    reader::Reader,
    routes::{Call, Inner, Outcome, Parsed},
};
use crate::{
    fault::{Fault, FaultKind},
    guard_api::request::{Shape, answer},
};

pub(super) const PATH: &str = "/predict";
pub(super) const NAMED: &str = "/predict/{model}";
pub(super) const KEY: &str = "/predict/key";

/// What `/predict` answers.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Prediction answer")]
pub(super) struct PredictAnswer {
    model: Model,
    /// Whether the model is the built-in one, whose answers mean nothing.
    demonstration: bool,
    /// One per row.
    predictions: Vec<Prediction>,
    request_id: String,
    /// SHA-256 of the request's body in hexadecimal, so that the signature binds the answer to it.
    input_sha256: String,
    /// Milliseconds since 1970-01-01 UTC.
    at_ms: u64,
    /// Ed25519 over the canonical JSON (RFC 8785) of the answer without this field.
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<Signature>,
}

/// A model.
#[derive(Debug, Serialize, JsonSchema)]
struct Model {
    name: String,
    version: String,
}

/// A signature.
#[derive(Debug, Serialize, JsonSchema)]
struct Signature {
    /// `Ed25519`
    algorithm: String,
    key_id: String,
    /// 64 bytes in base 64.
    value: String,
}

/// Answers `/predict`.
pub(super) async fn predict(State(api): State<PredictApi>, request: Request) -> Response {
    respond(&api, request, PATH, None).await
}

/// Answers `/predict/{model}`.
pub(super) async fn predict_named(
    State(api): State<PredictApi>,
    Path(model): Path<String>,
    request: Request,
) -> Response {
    respond(&api, request, NAMED, Some(&model)).await
}

async fn respond(
    api: &PredictApi,
    request: Request,
    route: &'static str,
    model: Option<&str>,
) -> Response {
    let call = Call {
        route,
        shape: Shape::Own,
        model,
        version: None,
    };
    api.answer(request, call, parse, render).await
}

fn parse(body: &[u8], config: &ModelConfig) -> Parsed<()> {
    let mut reader = Reader::new(body);
    let mut tensor = None;
    let is_object = reader.object(|name, reader| {
        if name != "features" {
            // The name is the client's; it is not repeated.
            let problem = "has a field that is not known; `features` is the only one";
            return Err(SpecError::new("body", problem).into());
        }
        if tensor.is_some() {
            return Err(SpecError::new("features", "is there twice").into());
        }
        tensor = Some(config.input.read(reader, "features")?);
        Ok::<(), Misfit>(())
    })?;
    if !is_object {
        reader.scalar()?;
        reader.end()?;
        return Err(SpecError::new("body", "is no object with `features`").into());
    }
    reader.end()?;
    let tensor = tensor.ok_or_else(|| SpecError::new("features", "is missing"))?;
    Ok((tensor, ()))
}

fn render(inner: &Inner, outcome: &Outcome<'_>, (): ()) -> Value {
    let digest = outcome.input_digest.iter();
    let body = PredictAnswer {
        model: Model {
            name: outcome.name.to_owned(),
            version: outcome.served.config.version.clone(),
        },
        demonstration: outcome.served.backend.is_demonstration(),
        predictions: outcome.predictions.clone(),
        request_id: outcome.request_id.to_owned(),
        input_sha256: digest.map(|byte| format!("{byte:02x}")).collect(),
        at_ms: inner.clock().unix_ms(),
        signature: None,
    };
    let mut value = serde_json::to_value(body).unwrap_or_default();
    if let (Some(signer), Some(fields)) = (inner.signer(), value.as_object_mut()) {
        signer.sign(fields);
    }
    value
}

/// Answers `/predict/key`: what clients verify signatures with. Public.
pub(super) async fn key(State(api): State<PredictApi>) -> Response {
    match api.inner().signer() {
        Some(signer) => answer(
            StatusCode::OK,
            &json!({
                "algorithm": "Ed25519",
                "key_id": signer.key_id(),
                "public_key": STANDARD.encode(signer.public_key()),
            }),
        )
        .into_response(),
        None => {
            let fault = Fault::new(
                FaultKind::NotFound,
                "not-signed",
                "predictions are not signed here",
            );
            Shape::Own.fault(&fault, "")
        }
    }
}
