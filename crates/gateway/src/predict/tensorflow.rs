//! TensorFlow Serving's REST API: `POST /v1/models/{model}:predict`.

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde_json::{Value, json};

use super::{
    ModelConfig, PredictApi, Prediction, SpecError,
    read::Misfit,
    reader::Reader,
    routes::{Call, Inner, Outcome, Parsed},
};
use crate::{
    fault::{Fault, FaultKind},
    guard_api::request::Shape,
};

/// The router knows no suffix of a segment, so `{model}` holds `NAME:predict`.
pub(super) const PATH: &str = "/v1/models/{model}";

/// Whether rows or columns were sent, which the answer mirrors.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Instances,
    Inputs,
}

/// Answers it.
pub(super) async fn predict(
    State(api): State<PredictApi>,
    Path(segment): Path<String>,
    request: Request,
) -> Response {
    let Some(model) = segment.strip_suffix(":predict") else {
        let fault = Fault::new(
            FaultKind::NotFound,
            "unknown-method",
            "the only method of a model is `:predict`",
        );
        return Shape::Plain.fault(&fault, "");
    };
    let call = Call {
        route: "/v1/models/{model}:predict",
        shape: Shape::Plain,
        model: Some(model),
        version: None,
    };
    api.answer(request, call, parse, render).await
}

fn parse(body: &[u8], config: &ModelConfig) -> Parsed<Form> {
    let mut reader = Reader::new(body);
    let mut found = None;
    let is_object = reader.object(|name, reader| {
        let form = match name {
            "instances" => Form::Instances,
            "inputs" => Form::Inputs,
            "signature_name" => {
                reader.text()?;
                return Ok(());
            }
            _ => {
                let problem = "has a field that is not known, expected `instances` or `inputs`";
                return Err(SpecError::new("body", problem).into());
            }
        };
        if found.is_some() {
            return Err(
                SpecError::new("body", "has more than one of `instances` and `inputs`").into(),
            );
        }
        found = Some((config.input.read_batch(reader, name)?, form));
        Ok::<(), Misfit>(())
    })?;
    if !is_object {
        reader.scalar()?;
        reader.end()?;
        return Err(SpecError::new("body", "is no object with `instances`").into());
    }
    reader.end()?;
    Ok(found.ok_or_else(|| SpecError::new("instances", "is missing"))?)
}

fn render(_: &Inner, outcome: &Outcome<'_>, form: Form) -> Value {
    let rows: Vec<Value> = outcome.predictions.iter().map(row).collect();
    match form {
        Form::Instances => json!({"predictions": rows}),
        Form::Inputs => json!({"outputs": rows}),
    }
}

fn row(prediction: &Prediction) -> Value {
    match &prediction.label {
        Some(label) if prediction.probabilities.is_empty() => json!({"classes": [label]}),
        Some(_) => {
            let classes = prediction.probabilities.iter();
            let (labels, scores): (Vec<&str>, Vec<f64>) = classes
                .map(|class| (&*class.label, class.probability))
                .unzip();
            json!({"classes": labels, "scores": scores})
        }
        None => json!(prediction.values),
    }
}
