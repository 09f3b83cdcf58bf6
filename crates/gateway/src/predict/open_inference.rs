//! The Open Inference Protocol over REST (KServe's V2 protocol): what KServe, Triton, and MLServer
//! speak.

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use bartizan_access::Permission;
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    ModelConfig, PredictApi, SpecError,
    read::Misfit,
    reader::{Reader, Scalar},
    routes::{Call, Inner, Outcome, Parsed, Served},
};
use crate::{
    fault::{Fault, FaultKind},
    guard_api::request::{Shape, answer, principal, request_id},
    principal::Scope,
};

pub(super) const SERVER: &str = "/v2";
pub(super) const LIVE: &str = "/v2/health/live";
pub(super) const READY: &str = "/v2/health/ready";
pub(super) const MODEL: &str = "/v2/models/{model}";
pub(super) const MODEL_READY: &str = "/v2/models/{model}/ready";
pub(super) const INFER: &str = "/v2/models/{model}/infer";
pub(super) const MODEL_VERSION: &str = "/v2/models/{model}/versions/{version}";
pub(super) const MODEL_VERSION_READY: &str = "/v2/models/{model}/versions/{version}/ready";
pub(super) const INFER_VERSION: &str = "/v2/models/{model}/versions/{version}/infer";

/// The header that announces binary tensors behind the JSON, which are not taken.
const BINARY: &str = "inference-header-content-length";

/// Answers `/v2`.
pub(super) async fn server() -> Response {
    answer(
        StatusCode::OK,
        &json!({"name": "bartizan", "version": env!("CARGO_PKG_VERSION"), "extensions": []}),
    )
}

/// Answers `/v2/health/live`.
pub(super) async fn live() -> Response {
    answer(StatusCode::OK, &json!({"live": true}))
}

/// Answers `/v2/health/ready`: whether every model would answer.
pub(super) async fn ready(State(api): State<PredictApi>) -> Response {
    let mut ready = true;
    for served in api.inner().models() {
        ready &= served.backend.is_ready().await;
    }
    readiness(ready, &json!({"ready": ready}))
}

fn readiness(ready: bool, body: &Value) -> Response {
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    answer(status, body)
}

/// Answers `/v2/models/{model}`.
pub(super) async fn model(
    State(api): State<PredictApi>,
    Path(model): Path<String>,
    request: Request,
) -> Response {
    describe(&api, &request, &model, None)
}

/// Answers `/v2/models/{model}/versions/{version}`.
pub(super) async fn model_version(
    State(api): State<PredictApi>,
    Path((model, version)): Path<(String, String)>,
    request: Request,
) -> Response {
    describe(&api, &request, &model, Some(&version))
}

fn describe(api: &PredictApi, request: &Request, model: &str, version: Option<&str>) -> Response {
    match find(api, request, model, version) {
        Ok((name, served)) => {
            let spec = &served.config.input;
            let mut shape: Vec<i64> = vec![-1];
            shape.extend(spec.shape.iter().map(|&length| length as i64));
            answer(
                StatusCode::OK,
                &json!({
                    "name": name,
                    "versions": [served.config.version],
                    "platform": "bartizan",
                    "inputs": [{"name": "input-0", "datatype": spec.dtype.open_inference(), "shape": shape}],
                    "outputs": [
                        {"name": "labels", "datatype": "BYTES", "shape": [-1, -1]},
                        {"name": "probabilities", "datatype": "FP64", "shape": [-1, -1]},
                    ],
                }),
            )
        }
        Err(response) => response,
    }
}

/// Answers `/v2/models/{model}/ready`.
pub(super) async fn model_ready(
    State(api): State<PredictApi>,
    Path(model): Path<String>,
    request: Request,
) -> Response {
    let found = find(&api, &request, &model, None);
    drop(request);
    tell_ready(found).await
}

/// Answers `/v2/models/{model}/versions/{version}/ready`.
pub(super) async fn model_version_ready(
    State(api): State<PredictApi>,
    Path((model, version)): Path<(String, String)>,
    request: Request,
) -> Response {
    let found = find(&api, &request, &model, Some(&version));
    drop(request);
    tell_ready(found).await
}

async fn tell_ready(found: Result<(&str, &Served), Response>) -> Response {
    let (name, backend) = match found {
        Ok((name, served)) => (name, &served.backend),
        Err(response) => return response,
    };
    let ready = backend.is_ready().await;
    readiness(ready, &json!({"name": name, "ready": ready}))
}

#[expect(clippy::result_large_err, reason = "an answer either way")]
fn find<'a>(
    api: &'a PredictApi,
    request: &Request,
    model: &str,
    version: Option<&str>,
) -> Result<(&'a str, &'a Served), Response> {
    let inner = api.inner();
    let id = request_id(request, inner.clock());
    let call = Call {
        route: MODEL,
        shape: Shape::Plain,
        model: Some(model),
        version,
    };
    principal(request, Scope::Infer)
        .and_then(|who| inner.served(&call, &who, Permission::ModelRead, &id))
        .map_err(|fault| Shape::Plain.fault(&fault, &id))
}

/// Answers `/v2/models/{model}/infer`.
pub(super) async fn infer(
    State(api): State<PredictApi>,
    Path(model): Path<String>,
    request: Request,
) -> Response {
    respond(&api, request, INFER, &model, None).await
}

/// Answers `/v2/models/{model}/versions/{version}/infer`.
pub(super) async fn infer_version(
    State(api): State<PredictApi>,
    Path((model, version)): Path<(String, String)>,
    request: Request,
) -> Response {
    respond(&api, request, INFER_VERSION, &model, Some(&version)).await
}

async fn respond(
    api: &PredictApi,
    request: Request,
    route: &'static str,
    model: &str,
    version: Option<&str>,
) -> Response {
    if request.headers().contains_key(BINARY) {
        let fault = Fault::new(
            FaultKind::UnsupportedMediaType,
            "binary-tensors",
            "binary tensors are not taken, send `data` as JSON",
        );
        return Shape::Plain.fault(&fault, "");
    }
    let call = Call {
        route,
        shape: Shape::Plain,
        model: Some(model),
        version,
    };
    api.answer(request, call, parse, render).await
}

/// One tensor of a request, whose data is read once its shape is known.
#[derive(Default)]
struct Input<'a> {
    shape: Vec<f64>,
    datatype: Option<String>,
    data: Option<Reader<'a>>,
}

fn parse(body: &[u8], config: &ModelConfig) -> Parsed<Option<String>> {
    let mut reader = Reader::new(body);
    let mut id = None;
    let mut found: Option<Input<'_>> = None;
    let is_object = reader.object(|name, reader| {
        match name {
            "id" => {
                id = reader.text()?.filter(|id| id.len() <= 256);
            }
            "inputs" => {
                let is_list = reader.list(|number, reader| {
                    if number > 0 {
                        return Err(Misfit::from(SpecError::new(
                            "inputs",
                            "has more than one tensor",
                        )));
                    }
                    found = Some(input(reader)?);
                    Ok(())
                })?;
                if !is_list {
                    return Err(SpecError::new("inputs", "is not a list").into());
                }
            }
            "parameters" | "outputs" => {
                reader.scalar()?;
            }
            _ => return Err(SpecError::new("body", "has a field that is not known").into()),
        }
        Ok::<(), Misfit>(())
    })?;
    if !is_object {
        reader.scalar()?;
        reader.end()?;
        return Err(SpecError::new("body", "is no object with `inputs`").into());
    }
    reader.end()?;
    let input = found.ok_or_else(|| SpecError::new("inputs", "has no tensor"))?;
    Ok((input.tensor(config)?, id))
}

fn input<'a>(reader: &mut Reader<'a>) -> Result<Input<'a>, Misfit> {
    let mut input = Input::default();
    let is_object = reader.object(|name, reader| {
        match name {
            "shape" => {
                input.shape.clear();
                let is_list = reader.list(|number, reader| {
                    match reader.scalar()? {
                        Scalar::Number(length) if number < 16 => input.shape.push(length),
                        _ => {
                            return Err(Misfit::from(SpecError::new(
                                "inputs[0].shape",
                                "is no list of lengths",
                            )));
                        }
                    }
                    Ok(())
                })?;
                if !is_list {
                    return Err(SpecError::new("inputs[0].shape", "is no list of lengths").into());
                }
            }
            "datatype" => input.datatype = reader.text()?,
            "data" => {
                input.data = Some(*reader);
                reader.scalar()?;
            }
            "name" => {
                reader.text()?;
            }
            "parameters" => {
                reader.scalar()?;
            }
            _ => return Err(SpecError::new("inputs[0]", "has a field that is not known").into()),
        }
        Ok::<(), Misfit>(())
    })?;
    if !is_object {
        return Err(SpecError::new("inputs[0]", "is no object").into());
    }
    Ok(input)
}

impl Input<'_> {
    fn tensor(self, config: &ModelConfig) -> Result<super::Tensor, Misfit> {
        let spec = &config.input;
        let expected = spec.dtype.open_inference();
        if self.datatype.as_deref() != Some(expected) {
            let problem = format!("is not `{expected}`");
            return Err(SpecError::new("inputs[0].datatype", problem).into());
        }
        let fits = self.shape.len() == spec.shape.len() + 1
            && self
                .shape
                .iter()
                .skip(1)
                .zip(&spec.shape)
                .all(|(&got, &length)| got == length as f64);
        let Some(&rows) = self.shape.first().filter(|_| fits) else {
            let mut shape = vec!["rows".to_owned()];
            shape.extend(spec.shape.iter().map(ToString::to_string));
            let problem = format!("is not [{}]", shape.join(", "));
            return Err(SpecError::new("inputs[0].shape", problem).into());
        };
        let place = "inputs[0].shape[0]";
        if !(rows >= 0.0 && rows.fract() == 0.0 && rows <= spec.max_batch as f64) {
            let problem = format!("is not a number of rows up to {}", spec.max_batch);
            return Err(SpecError::new(place, problem).into());
        }
        let rows = rows as usize;
        if rows == 0 && !spec.allow_empty_batch {
            return Err(SpecError::new(place, "is 0").into());
        }
        let mut data = self
            .data
            .ok_or_else(|| SpecError::new("inputs[0].data", "is missing"))?;
        if data.lists_ahead() <= 1 {
            return spec.read_flat(&mut data, "inputs[0].data", rows);
        }
        let tensor = spec.read_batch(&mut data, "inputs[0].data")?;
        if tensor.rows() == rows {
            Ok(tensor)
        } else {
            Err(SpecError::new("inputs[0].data", "has another number of rows than `shape`").into())
        }
    }
}

fn render(_: &Inner, outcome: &Outcome<'_>, id: Option<String>) -> Value {
    let rows = outcome.predictions.len();
    let is_classes = outcome.predictions.iter().any(|p| p.label.is_some());
    let width = outcome.predictions.first().map_or(0, |p| {
        p.probabilities
            .len()
            .max(p.values.len())
            .max(usize::from(is_classes))
    });
    let mut outputs = Vec::new();
    if is_classes {
        let told = outcome.predictions.iter().flat_map(|prediction| {
            if prediction.probabilities.is_empty() {
                vec![json!(prediction.label)]
            } else {
                let classes = prediction.probabilities.iter();
                classes.map(|class| json!(class.label)).collect()
            }
        });
        let labels: Vec<Value> = told.collect();
        outputs.push(
            json!({"name": "labels", "datatype": "BYTES", "shape": [rows, width], "data": labels}),
        );
        let scores: Vec<f64> = outcome
            .predictions
            .iter()
            .flat_map(|prediction| {
                prediction
                    .probabilities
                    .iter()
                    .map(|class| class.probability)
            })
            .collect();
        if !scores.is_empty() {
            outputs.push(json!({"name": "probabilities", "datatype": "FP64", "shape": [rows, width], "data": scores}));
        }
    } else {
        let values: Vec<f64> = outcome
            .predictions
            .iter()
            .flat_map(|p| p.values.clone())
            .collect();
        outputs.push(
            json!({"name": "values", "datatype": "FP64", "shape": [rows, width], "data": values}),
        );
    }
    json!({
        "model_name": outcome.name,
        "model_version": outcome.served.config.version,
        "id": id.unwrap_or_else(|| outcome.request_id.to_owned()),
        "parameters": {"demonstration": outcome.served.backend.is_demonstration()},
        "outputs": outputs,
    })
}
