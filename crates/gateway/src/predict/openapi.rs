use serde_json::{Value, json};

use super::{open_inference, plain};
use crate::openapi::{ErrorShape, RouteDoc, given};

/// The prediction routes, for the OpenAPI document.
pub(crate) fn routes() -> Vec<RouteDoc> {
    let row = json!({"type": "array", "items": {"type": "number"}});
    let features = json!({
        "type": "object",
        "required": ["features"],
        "properties": {"features": {
            "description": "One row, or a list of rows, as the model's input specification has it.",
            "anyOf": [row, {"type": "array", "items": row}],
        }},
        "additionalProperties": false,
    });
    let object = |properties: Value| Some(json!({"type": "object", "properties": properties}));
    let open = |method, path, id, summary| RouteDoc {
        errors: ErrorShape::Plain,
        answer: object(json!({})),
        ..RouteDoc::new(method, path, id, "open-inference", summary)
    };
    let infer = json!({
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": "string"},
            "parameters": {"type": "object"},
            "inputs": {"type": "array", "minItems": 1, "maxItems": 1, "items": {
                "type": "object",
                "required": ["name", "shape", "datatype", "data"],
                "properties": {
                    "name": {"type": "string"},
                    "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
                    "datatype": {"enum": ["BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64"]},
                    "parameters": {"type": "object"},
                    "data": {"type": "array"},
                },
                "additionalProperties": false,
            }},
            "outputs": {"type": "array"},
        },
        "additionalProperties": false,
    });
    let rows = json!({"type": "array", "minItems": 1});
    let tensorflow = json!({
        "type": "object",
        "properties": {
            "signature_name": {"type": "string"},
            "instances": rows,
            "inputs": rows,
        },
        "additionalProperties": false,
    });
    vec![
        RouteDoc {
            request: Some(features.clone()),
            answer: Some(given::<plain::PredictAnswer>()),
            ..RouteDoc::new(
                "post",
                plain::PATH,
                "predict",
                "predict",
                "Ask the default model",
            )
        },
        RouteDoc {
            request: Some(features),
            answer: Some(given::<plain::PredictAnswer>()),
            ..RouteDoc::new(
                "post",
                plain::NAMED,
                "predictNamed",
                "predict",
                "Ask a model",
            )
        },
        RouteDoc {
            is_public: true,
            answer: object(json!({
                "algorithm": {"type": "string"},
                "key_id": {"type": "string"},
                "public_key": {"type": "string"},
            })),
            ..RouteDoc::new(
                "get",
                plain::KEY,
                "predictKey",
                "predict",
                "The public key of signatures",
            )
        },
        RouteDoc {
            is_public: true,
            ..open(
                "get",
                open_inference::SERVER,
                "v2Server",
                "The server's name",
            )
        },
        RouteDoc {
            is_public: true,
            ..open(
                "get",
                open_inference::LIVE,
                "v2Live",
                "Whether the server runs",
            )
        },
        RouteDoc {
            is_public: true,
            also: &[503],
            ..open(
                "get",
                open_inference::READY,
                "v2Ready",
                "Whether every model would answer",
            )
        },
        open(
            "get",
            open_inference::MODEL,
            "v2Model",
            "What a model takes",
        ),
        RouteDoc {
            also: &[503],
            ..open(
                "get",
                open_inference::MODEL_READY,
                "v2ModelReady",
                "Whether a model would answer",
            )
        },
        RouteDoc {
            request: Some(infer.clone()),
            ..open("post", open_inference::INFER, "v2Infer", "Ask a model")
        },
        open(
            "get",
            open_inference::MODEL_VERSION,
            "v2ModelVersion",
            "What a version of a model takes",
        ),
        RouteDoc {
            also: &[503],
            ..open(
                "get",
                open_inference::MODEL_VERSION_READY,
                "v2ModelVersionReady",
                "Whether a version of a model would answer",
            )
        },
        RouteDoc {
            request: Some(infer),
            ..open(
                "post",
                open_inference::INFER_VERSION,
                "v2InferVersion",
                "Ask a version of a model",
            )
        },
        RouteDoc {
            errors: ErrorShape::Plain,
            request: Some(tensorflow),
            answer: object(json!({})),
            ..RouteDoc::new(
                "post",
                "/v1/models/{model}:predict",
                "tensorflowPredict",
                "tensorflow-serving",
                "Ask a model",
            )
        },
    ]
}
