//! The OpenAPI document of every route, assembled from the types that the routes read and write.

use std::sync::OnceLock;

use axum::{Router, response::IntoResponse as _, routing::get};
use http::header;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::endpoint::{Dialect, Endpoint};

/// Where the document is served.
pub const PATH: &str = "/openapi.json";

/// One route, as the document describes it.
#[derive(Clone, Debug)]
pub struct RouteDoc {
    /// `get` or `post`.
    pub method: &'static str,
    /// The path, with `{name}` for what varies.
    pub path: &'static str,
    /// A stable name for generated clients.
    pub id: &'static str,
    /// What it is for, in one line.
    pub summary: &'static str,
    /// Which API it belongs to.
    pub tag: &'static str,
    /// The schema of the body that it takes.
    pub request: Option<Value>,
    /// The schema of what it answers with 200; `None` for text.
    pub answer: Option<Value>,
    /// The shape of its errors.
    pub errors: ErrorShape,
    /// Whether it is open to everybody.
    pub is_public: bool,
    /// Query parameters that are text.
    pub query: &'static [&'static str],
    /// Further statuses with the shape of an answer, e.g. 503 of a readiness.
    pub also: &'static [u16],
}

/// The shape of a route's errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorShape {
    /// `{"error": {"code", "message", "param", "request_id"}}`.
    Own,
    /// `{"error": "..."}`.
    Plain,
    /// Azure's.
    Azure,
    /// LLM Guard's.
    LlmGuard,
    /// OpenAI's.
    OpenAi,
    /// Anthropic's.
    Anthropic,
}

impl RouteDoc {
    /// A route that takes and answers JSON.
    #[must_use]
    pub const fn new(
        method: &'static str,
        path: &'static str,
        id: &'static str,
        tag: &'static str,
        summary: &'static str,
    ) -> Self {
        Self {
            method,
            path,
            id,
            summary,
            tag,
            request: None,
            answer: None,
            errors: ErrorShape::Own,
            is_public: false,
            query: &[],
            also: &[],
        }
    }

    fn operation(&self) -> Value {
        let mut parameters: Vec<Value> = path_parameters(self.path)
            .map(|name| {
                json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}})
            })
            .collect();
        let query = self.query.iter().map(|name| {
            json!({"name": name, "in": "query", "required": false, "schema": {"type": "string"}})
        });
        parameters.extend(query);
        let mut operation = json!({
            "operationId": self.id,
            "summary": self.summary,
            "tags": [self.tag],
            "responses": self.responses(),
        });
        if let Some(fields) = operation.as_object_mut() {
            if !parameters.is_empty() {
                fields.insert("parameters".into(), Value::Array(parameters));
            }
            if let Some(schema) = &self.request {
                let content = json!({"application/json": {"schema": schema}});
                let body = json!({"required": true, "content": content});
                fields.insert("requestBody".into(), body);
            }
            if self.is_public {
                fields.insert("security".into(), json!([]));
            }
        }
        operation
    }

    fn responses(&self) -> Value {
        let mut responses = Map::new();
        let content = match &self.answer {
            Some(schema) => json!({"application/json": {"schema": schema}}),
            None => json!({"text/plain": {"schema": {"type": "string"}}}),
        };
        for status in [200].iter().chain(self.also) {
            let answer = json!({"description": reason(*status), "content": content});
            responses.insert(status.to_string(), answer);
        }
        let (always, with_body): (&[u16], &[u16]) = if self.is_public {
            (&[404], &[])
        } else {
            (
                &[401, 403, 404, 429, 500, 503],
                &[400, 408, 413, 415, 422, 502, 504],
            )
        };
        let own = if self.request.is_some() {
            with_body
        } else {
            &[]
        };
        for status in always.iter().chain(own) {
            let component = format!("#/components/responses/{}{status}", self.errors.name());
            let key = status.to_string();
            if !responses.contains_key(&key) {
                responses.insert(key, json!({"$ref": component}));
            }
        }
        Value::Object(responses)
    }
}

fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
}

const fn reason(status: u16) -> &'static str {
    match status {
        200 => "The answer.",
        400 => "The body is malformed, or its content was refused.",
        401 => "No credential, or a bad one.",
        403 => "The credential does not allow this.",
        404 => "There is no such thing.",
        408 => "The client was too slow.",
        413 => "The body is too large.",
        415 => "The body is of no type that is taken.",
        422 => "The body is JSON, but not what the route takes.",
        429 => "A limit or budget is spent; come again after `Retry-After` seconds.",
        502 => "The upstream answered with what cannot be used.",
        503 => "A part that is needed is out of order; come again.",
        504 => "The upstream was too slow.",
        _ => "Something broke down in the gateway.",
    }
}

impl ErrorShape {
    const ALL: [Self; 6] = [
        Self::Own,
        Self::Plain,
        Self::Azure,
        Self::LlmGuard,
        Self::OpenAi,
        Self::Anthropic,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Own => "Own",
            Self::Plain => "Plain",
            Self::Azure => "Azure",
            Self::LlmGuard => "LlmGuard",
            Self::OpenAi => "OpenAi",
            Self::Anthropic => "Anthropic",
        }
    }

    fn schema(self) -> Value {
        let object = |required: &[&str], properties: Value| json!({"type": "object", "required": required, "properties": properties});
        let text = || json!({"type": "string"});
        let maybe = || json!({"type": ["string", "null"]});
        match self {
            Self::Own => {
                let fields = json!({"code": text(), "message": text(), "param": maybe(), "request_id": text()});
                object(
                    &["error"],
                    json!({"error": object(&["code", "message"], fields)}),
                )
            }
            Self::Plain => object(&["error"], json!({"error": text()})),
            Self::Azure => {
                let fields = json!({"code": text(), "message": text(), "target": maybe(), "details": {"type": "array"}});
                object(
                    &["error"],
                    json!({"error": object(&["code", "message"], fields)}),
                )
            }
            Self::LlmGuard => {
                let details = json!({"type": ["array", "null"]});
                object(&["message"], json!({"message": text(), "details": details}))
            }
            Self::OpenAi => {
                let fields =
                    json!({"message": text(), "type": text(), "param": maybe(), "code": maybe()});
                object(
                    &["error"],
                    json!({"error": object(&["message", "type"], fields)}),
                )
            }
            Self::Anthropic => {
                let error = object(
                    &["type", "message"],
                    json!({"type": text(), "message": text()}),
                );
                object(
                    &["type", "error"],
                    json!({"type": {"const": "error"}, "error": error}),
                )
            }
        }
    }
}

/// The schema of what is read as `T`.
#[must_use]
pub fn taken<T: JsonSchema>() -> Value {
    schema::<T>(SchemaSettings::for_deserialize)
}

/// The schema of what is written as `T`.
#[must_use]
pub fn given<T: JsonSchema>() -> Value {
    schema::<T>(SchemaSettings::for_serialize)
}

fn schema<T: JsonSchema>(contract: fn(SchemaSettings) -> SchemaSettings) -> Value {
    let settings = contract(SchemaSettings::draft2020_12()).with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

/// The document of `routes` and all that this crate serves by itself.
#[must_use]
pub fn document(routes: Vec<RouteDoc>) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    let mut all = own();
    all.extend(Endpoint::ALL.map(endpoint));
    all.extend(crate::guard_api::routes());
    all.extend(crate::predict::routes());
    all.extend(routes);
    for route in &all {
        let item = paths
            .entry(route.path)
            .or_insert_with(|| Value::Object(Map::new()));
        if let Some(operations) = item.as_object_mut() {
            operations.insert(route.method.to_owned(), route.operation());
        }
    }
    let statuses = [
        400, 401, 403, 404, 408, 413, 415, 422, 429, 500, 502, 503, 504,
    ];
    let mut responses = Map::new();
    let mut schemas = Map::new();
    for shape in ErrorShape::ALL {
        let name = shape.name();
        schemas.insert(format!("{name}Error"), shape.schema());
        let reference = json!({"$ref": format!("#/components/schemas/{name}Error")});
        for status in statuses {
            let content = json!({"application/json": {"schema": reference}});
            let answer = json!({"description": reason(status), "content": content});
            responses.insert(format!("{name}{status}"), answer);
        }
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Bartizan",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "A secure gateway in front of any model",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"x-api-key": []}, {"api-key": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": responses,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "api-key": {"type": "apiKey", "in": "header", "name": "api-key"},
            },
        },
    });
    // The order of keys must not hang on what else is compiled in.
    document.sort_all_objects();
    document
}

/// Health, version, metrics, and this document.
fn own() -> Vec<RouteDoc> {
    let tag = "operation";
    let object = || Some(json!({"type": "object"}));
    vec![
        RouteDoc {
            is_public: true,
            ..RouteDoc::new("get", "/livez", "live", tag, "Whether the process runs")
        },
        RouteDoc {
            is_public: true,
            also: &[503],
            ..RouteDoc::new(
                "get",
                "/readyz",
                "ready",
                tag,
                "Whether requests are answered",
            )
        },
        RouteDoc {
            is_public: true,
            answer: object(),
            ..RouteDoc::new("get", "/version", "version", tag, "Which version runs")
        },
        RouteDoc {
            is_public: true,
            answer: object(),
            ..RouteDoc::new("get", PATH, "openapi", tag, "This document")
        },
        RouteDoc::new(
            "get",
            "/metrics",
            "metrics",
            tag,
            "Metrics in Prometheus' text format",
        ),
    ]
}

/// A route of a model API. Their bodies are the vendors': what is not known is judged, not refused,
/// so the schema asks for what every request must have.
fn endpoint(endpoint: Endpoint) -> RouteDoc {
    let messages = json!({"type": "array", "minItems": 1, "items": {
        "type": "object",
        "required": ["role"],
        "properties": {"role": {"type": "string"}, "content": {}},
    }});
    let one_or_many = json!({"anyOf": [
        {"type": "string"},
        {"type": "array", "minItems": 1},
    ]});
    let body = |required: &[&str], properties: Value| {
        Some(json!({
            "type": "object",
            "required": required,
            "properties": properties,
            "additionalProperties": true,
        }))
    };
    let model = json!({"type": "string", "minLength": 1});
    let (id, summary, request) = match endpoint {
        Endpoint::ChatCompletions => (
            "chatCompletions",
            "OpenAI Chat Completions, guarded",
            body(
                &["model", "messages"],
                json!({"model": model, "messages": messages, "stream": {"type": "boolean"}}),
            ),
        ),
        Endpoint::Completions => (
            "completions",
            "OpenAI Completions, guarded",
            body(
                &["model", "prompt"],
                json!({"model": model, "prompt": one_or_many, "stream": {"type": "boolean"}}),
            ),
        ),
        Endpoint::Responses => (
            "responses",
            "OpenAI Responses, guarded",
            body(
                &["model", "input"],
                json!({"model": model, "input": one_or_many, "stream": {"type": "boolean"}}),
            ),
        ),
        Endpoint::Embeddings => (
            "embeddings",
            "OpenAI Embeddings, guarded",
            body(
                &["model", "input"],
                json!({"model": model, "input": one_or_many}),
            ),
        ),
        Endpoint::Moderations => (
            "moderations",
            "OpenAI Moderations, answered by the guard",
            body(&["input"], json!({"model": model, "input": one_or_many})),
        ),
        Endpoint::Messages => (
            "messages",
            "Anthropic Messages, guarded",
            body(
                &["model", "messages", "max_tokens"],
                json!({"model": model, "messages": messages, "max_tokens": {"type": "integer", "minimum": 1}, "stream": {"type": "boolean"}}),
            ),
        ),
        Endpoint::CountTokens => (
            "countTokens",
            "Anthropic token counting, guarded",
            body(
                &["model", "messages"],
                json!({"model": model, "messages": messages}),
            ),
        ),
        Endpoint::Models => ("models", "The models that the credential may use", None),
        Endpoint::Model => ("model", "One model", None),
    };
    let (tag, errors) = match endpoint.dialect() {
        Dialect::OpenAi => ("openai", ErrorShape::OpenAi),
        Dialect::Anthropic => ("anthropic", ErrorShape::Anthropic),
    };
    RouteDoc {
        request,
        answer: Some(json!({"type": "object"})),
        errors,
        ..RouteDoc::new(
            if endpoint.method() == http::Method::GET {
                "get"
            } else {
                "post"
            },
            endpoint.path(),
            id,
            tag,
            summary,
        )
    }
}

/// Serves the document; public, since it says nothing of this installation.
pub fn router() -> Router {
    static TEXT: OnceLock<String> = OnceLock::new();
    Router::new().route(
        PATH,
        get(|| async {
            let text = TEXT.get_or_init(|| document(Vec::new()).to_string());
            ([(header::CONTENT_TYPE, "application/json")], text.as_str()).into_response()
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `BARTIZAN_BLESS=1 cargo test -p bartizan-gateway openapi` writes it anew.
    #[test]
    fn the_checked_in_document_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/openapi.json");
        let text = serde_json::to_string_pretty(&document(Vec::new())).unwrap() + "\n";
        if std::env::var_os("BARTIZAN_BLESS").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        let known = std::fs::read_to_string(path).unwrap();
        assert!(known == text, "schemas/openapi.json is out of date");
    }

    #[test]
    fn every_route_is_described_once_and_every_status_has_a_shape() {
        let document = document(Vec::new());
        let mut ids = std::collections::BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap();
                assert!(ids.insert(id.to_owned()), "{id}");
                let parameters = operation["parameters"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
                for name in path_parameters(path) {
                    assert!(parameters.iter().any(|p| p["name"] == name), "{path}");
                }
                for (status, response) in operation["responses"].as_object().unwrap() {
                    if let Some(reference) = response["$ref"].as_str() {
                        let pointer = reference.trim_start_matches('#');
                        assert!(
                            document.pointer(pointer).is_some(),
                            "{method} {path} {status}"
                        );
                    }
                }
            }
        }
        assert!(ids.len() > 35);
    }
}
