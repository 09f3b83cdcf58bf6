//! The routes that are no model's: health, metrics, the record, review, keys.

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    extract::{FromRequest, FromRequestParts, Path, Query, Request, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{Method, StatusCode, header, request::Parts};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use super::{Gateway, Ruling, keys};
use crate::{
    agents,
    endpoint::{Dialect, Endpoint},
    fault::{Fault, FaultKind},
    principal::{Principal, Scope},
    record::{self, FeedbackLabel, RequestId, What},
    wire,
};

/// Who may use a route: everybody, or who has a scope. First match wins; a path that ends with `*`
/// stands for all that begin so.
const ACCESS: &[(&str, Option<Scope>)] = &[
    ("/livez", None),
    ("/readyz", None),
    ("/healthz", None),
    ("/version", None),
    ("/openapi.json", None),
    ("/v2/health/*", None),
    ("/metrics", Some(Scope::Metrics)),
    ("/v1/guard/*", Some(Scope::Guard)),
    ("/v1/rag/*", Some(Scope::Guard)),
    ("/analyze", Some(Scope::Guard)),
    ("/analyze/*", Some(Scope::Guard)),
    ("/scan/*", Some(Scope::Guard)),
    ("/anonymize", Some(Scope::Guard)),
    ("/anonymizers", Some(Scope::Guard)),
    ("/deanonymize", Some(Scope::Guard)),
    ("/deanonymizers", Some(Scope::Guard)),
    ("/recognizers", Some(Scope::Guard)),
    ("/supportedentities", Some(Scope::Guard)),
    ("/health", None),
    ("/beta/litellm_basic_guardrail_api", Some(Scope::Guard)),
    ("/v2/guard", Some(Scope::Guard)),
    ("/v2/guard/*", Some(Scope::Guard)),
    ("/contentsafety/*", Some(Scope::Guard)),
    ("/predict/key", None),
    ("/predict", Some(Scope::Infer)),
    ("/predict/*", Some(Scope::Infer)),
    ("/v2", None),
    ("/v2/models/*", Some(Scope::Infer)),
    ("/v1/models/*", Some(Scope::Infer)),
    ("/v1/requests/*", Some(Scope::Audit)),
    ("/v1/review", Some(Scope::Review)),
    ("/v1/review/*", Some(Scope::Review)),
    ("/admin/*", Some(Scope::Admin)),
    ("/v1/approvals", Some(Scope::Review)),
    ("/v1/approvals/*", Some(Scope::Review)),
    ("/mcp/*", Some(Scope::Infer)),
];

/// The row of the route of a path and who may use it; `None` if there is no such route.
#[must_use]
pub fn access(path: &str) -> Option<(&'static str, Option<Scope>)> {
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => path.len() > start.len() && path.starts_with(start),
        None => path == pattern,
    };
    ACCESS.iter().find(|(pattern, _)| fits(pattern)).copied()
}

/// A good credential that does not allow this.
pub(crate) fn forbidden() -> Fault {
    Fault::new(
        FaultKind::Forbidden,
        "insufficient_scope",
        "this key may not use this route",
    )
}

/// No such route; says so differently where only the method is wrong.
pub(crate) fn not_found(path: &str) -> Fault {
    let other = [Method::GET, Method::POST]
        .into_iter()
        .find(|method| Endpoint::of(method, path).is_some());
    match other {
        Some(method) => Fault::new(
            FaultKind::MethodNotAllowed,
            "method_not_allowed",
            format!("the route takes `{method}`"),
        ),
        None => Fault::new(
            FaultKind::NotFound,
            "unknown_route",
            "there is no such route; `GET /openapi.json` lists those that are",
        ),
    }
}

/// The routes of operators.
pub fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/healthz", get(ready))
        .route("/readyz", get(ready))
        .route("/version", get(version))
        .route("/metrics", get(metrics))
        .route("/v1/requests/{id}", get(story))
        .route("/v1/requests/{id}/feedback", post(feedback))
        .route("/v1/review", get(waiting))
        .route("/v1/review/{id}", post(rule))
        .route("/admin/keys", get(keys::list).post(keys::create))
        .route("/admin/keys/{id}", axum::routing::delete(keys::revoke))
        .route("/admin/keys/{id}/rotate", post(keys::rotate))
        .route("/v1/approvals", get(agents::list))
        .route("/v1/approvals/{id}", post(agents::decide))
        .route(
            "/admin/agents/switches",
            get(agents::switches).post(agents::flip),
        )
        .fallback(|| async {
            Refused(Fault::new(
                FaultKind::NotFound,
                "unknown_route",
                "there is no such route; `GET /openapi.json` lists those that are",
            ))
        })
        .with_state(gateway)
}

/// A fault as an answer of these routes.
pub(crate) struct Refused(pub(super) Fault);

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        wire::fault(&self.0, Dialect::OpenAi, "").map(axum::body::Body::new)
    }
}

/// A body of JSON. What is wrong with it is told without its words.
pub(crate) struct Given<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Given<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let body = Json::from_request(request, state).await;
        body.map(|Json(body)| Self(body)).map_err(|_| {
            Refused(Fault::new(
                FaultKind::BadRequest,
                "invalid_body",
                "the body is not what the route takes; `GET /openapi.json` says what that is",
            ))
        })
    }
}

/// Parameters of the query, likewise.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let query = Query::from_request_parts(parts, state).await;
        query.map(|Query(query)| Self(query)).map_err(|_| {
            Refused(Fault::new(
                FaultKind::BadRequest,
                "invalid_query",
                "the query is not what the route takes; `GET /openapi.json` says what that is",
            ))
        })
    }
}

pub(crate) type Answer<T> = Result<T, Refused>;

async fn ready(State(gateway): State<Arc<Gateway>>) -> Response {
    let record = gateway.recorder().is_ready();
    let store = gateway.recorder().store_answers();
    let status = if record {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        status,
        Json(json!({ "ready": record, "record": record, "store": store })),
    )
        .into_response()
}

async fn version(State(gateway): State<Arc<Gateway>>) -> Json<serde_json::Value> {
    let engine = gateway.engine();
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "rules": engine.rules.version(),
        "policy": engine.judge.policy().version(),
    }))
}

async fn metrics(State(gateway): State<Arc<Gateway>>) -> Response {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], gateway.render_metrics()).into_response()
}

async fn story(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
) -> Answer<Json<record::Story>> {
    let story = gateway
        .recorder()
        .story(request_id(&id)?)
        .await
        .map_err(|_| unreadable())?;
    story.map(Json).ok_or_else(|| Refused(no_such("request")))
}

/// Whether a decision was right.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FeedbackBody {
    /// `true_positive`, `false_positive`, `true_negative`, `false_negative`.
    label: FeedbackLabel,
}

async fn feedback(
    State(gateway): State<Arc<Gateway>>,
    Extension(principal): Extension<Arc<Principal>>,
    Path(id): Path<String>,
    Given(body): Given<FeedbackBody>,
) -> Answer<StatusCode> {
    let event = record::Feedback {
        user_id: (&principal.id).into(),
        label: body.label,
        rule: record::Label::NONE,
    };
    gateway
        .recorder()
        .emit_about(request_id(&id)?, What::Feedback(event))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn waiting(State(gateway): State<Arc<Gateway>>) -> Json<serde_json::Value> {
    Json(json!({ "items": gateway.review.items() }))
}

/// What a reviewer decides.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RulingBody {
    decision: RulingName,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RulingName {
    Release,
    Block,
}

async fn rule(
    State(gateway): State<Arc<Gateway>>,
    Extension(principal): Extension<Arc<Principal>>,
    Path(id): Path<String>,
    Given(body): Given<RulingBody>,
) -> Answer<StatusCode> {
    let ruling = match body.decision {
        RulingName::Release => Ruling::Release,
        RulingName::Block => Ruling::Block,
    };
    // The request that waits records who decided, and what.
    gateway
        .review
        .rule(&id, &principal.id, ruling)
        .ok_or_else(|| no_such("request that waits for you"))?;
    Ok(StatusCode::NO_CONTENT)
}

fn request_id(text: &str) -> Result<RequestId, Fault> {
    text.parse().map_err(|error: record::NoRequestId| {
        Fault::new(
            FaultKind::BadRequest,
            "invalid_request_id",
            error.to_string(),
        )
    })
}

fn no_such(what: &'static str) -> Fault {
    Fault::new(
        FaultKind::NotFound,
        "not_found",
        format!("there is no such {what}"),
    )
}

fn unreadable() -> Fault {
    Fault::new(
        FaultKind::Unavailable,
        "record_unreadable",
        "the record cannot be read now",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_table_knows_is_no_route() {
        assert_eq!(access("/livez"), Some(("/livez", None)));
        let admin = access("/admin/keys");
        assert_eq!(admin, Some(("/admin/*", Some(Scope::Admin))));
        let guard = access("/v1/guard/check");
        assert_eq!(guard, Some(("/v1/guard/*", Some(Scope::Guard))));
        for unknown in ["/", "/admin", "/metrics/x", "/v1/guard/", "/console", ""] {
            assert_eq!(access(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn api_11_every_scope_has_its_routes() {
        for scope in Scope::ALL {
            assert!(ACCESS.iter().any(|(_, needed)| *needed == Some(scope)));
        }
    }
}
