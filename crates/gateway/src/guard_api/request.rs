//! From an HTTP request to a typed one, and from a fault to an answer in the caller's dialect.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use http_body::Body as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use super::{GuardApi, RequestId};
use crate::{
    fault::{Fault, FaultKind},
    principal::{Principal, Scope},
};

/// A request that may be answered.
pub(crate) struct Incoming {
    pub(crate) principal: Arc<Principal>,
    pub(crate) request_id: Arc<str>,
    pub(crate) body: Bytes,
}

/// Whose shape an error has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `{"error": {"code", "message", "param", "request_id"}}`.
    Own,
    /// Presidio and KServe: `{"error": "..."}`.
    Plain,
    /// Azure: `{"error": {"code", "message"}}` and a header.
    Azure,
    /// LLM Guard: `{"message", "details"}`.
    LlmGuard,
}

impl Shape {
    /// The answer about `fault`.
    pub(crate) fn fault(self, fault: &Fault, request_id: &str) -> Response {
        let status = fault.kind.status();
        let message = &*fault.message;
        let body = match self {
            Self::Own => json!({"error": {
                "code": fault.code,
                "message": message,
                "param": fault.param,
                "request_id": request_id,
            }}),
            Self::Plain => json!({"error": message}),
            Self::Azure => json!({"error": {
                "code": azure_code(status),
                "message": message,
                "target": fault.param,
                "details": [],
            }}),
            Self::LlmGuard if status == StatusCode::UNPROCESSABLE_ENTITY => json!({
                "message": "Validation failed",
                "details": [{
                    "loc": ["body", fault.param.as_deref().unwrap_or_default()],
                    "msg": message,
                    "type": fault.code,
                }],
            }),
            Self::LlmGuard => json!({"message": message, "details": null}),
        };
        let mut response = answer(status, &body);
        if self == Self::Azure
            && let Ok(code) = HeaderValue::from_str(azure_code(status))
        {
            response.headers_mut().insert("x-ms-error-code", code);
        }
        if let Some(after) = fault.retry_after {
            let seconds = after.as_secs().max(1);
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The codes of Azure's cognitive services.
const fn azure_code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "Unauthorized",
        403 => "PermissionDenied",
        404 => "NotFound",
        413 => "RequestEntityTooLarge",
        415 => "UnsupportedMediaType",
        400..=499 => "InvalidRequestBody",
        503 => "ServiceUnavailable",
        _ => "InternalError",
    }
}

/// A JSON answer.
pub(crate) fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => (
            status,
            [(header::CONTENT_TYPE, "application/json")],
            Body::from(bytes),
        )
            .into_response(),
        // Maps with keys that are no strings: there are none.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Runs a handler and gives its faults the caller's shape.
pub(crate) async fn serve<T, F>(
    api: GuardApi,
    request: Request,
    shape: Shape,
    handle: impl FnOnce(GuardApi, Incoming) -> F,
) -> Response
where
    T: Serialize,
    F: Future<Output = Result<T, Fault>>,
{
    let request_id = request_id(&request, &*api.clock);
    let outcome = async {
        let max = api.config.max_body_bytes;
        let incoming = read(request, Scope::Guard, max, Arc::clone(&request_id)).await?;
        handle(api, incoming).await
    };
    match outcome.await {
        Ok(body) => answer(StatusCode::OK, &body),
        Err(fault) => shape.fault(&fault, &request_id),
    }
}

/// The request's id, or a new one: UUID version 7 (RFC 9562).
pub(crate) fn request_id(request: &Request, clock: &dyn crate::clock::Clock) -> Arc<str> {
    if let Some(RequestId(id)) = request.extensions().get::<RequestId>() {
        return Arc::clone(id);
    }
    let mut random = [0; 10];
    // An id without randomness is still an id; the time makes it differ.
    let _ = getrandom::fill(&mut random);
    let uuid = uuid::Builder::from_unix_timestamp_millis(clock.unix_ms(), &random).into_uuid();
    uuid.to_string().into()
}

/// Who asks, if they may.
pub(crate) fn principal(request: &Request, scope: Scope) -> Result<Arc<Principal>, Fault> {
    let principal = request
        .extensions()
        .get::<Arc<Principal>>()
        .ok_or_else(|| {
            Fault::new(
                FaultKind::Unauthenticated,
                "unauthenticated",
                "a credential is needed",
            )
        })?;
    if !principal.may(scope) {
        let message = format!("the credential lacks the scope `{}`", scope.as_str());
        return Err(Fault::new(FaultKind::Forbidden, "missing-scope", message));
    }
    Ok(Arc::clone(principal))
}

/// Reads the body of a request that its principal may make; the limit is enforced while reading.
pub(crate) async fn read(
    request: Request,
    scope: Scope,
    max_bytes: usize,
    request_id: Arc<str>,
) -> Result<Incoming, Fault> {
    let principal = principal(&request, scope)?;
    if !is_json(request.headers()) {
        return Err(Fault::new(
            FaultKind::UnsupportedMediaType,
            "unsupported-media-type",
            "send `content-type: application/json`",
        ));
    }
    let body = read_body(request.into_body(), max_bytes).await?;
    Ok(Incoming {
        principal,
        request_id,
        body,
    })
}

/// The bytes of `body`, at most `max_bytes`.
pub(crate) async fn read_body(body: Body, max_bytes: usize) -> Result<Bytes, Fault> {
    let too_large = || {
        Fault::new(
            FaultKind::TooLarge,
            "body-too-large",
            format!("the body has more than {max_bytes} bytes"),
        )
    };
    if body.size_hint().lower() > max_bytes as u64 {
        return Err(too_large());
    }
    match Limited::new(body, max_bytes).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(Fault::new(
            FaultKind::BadRequest,
            "body-incomplete",
            "the body ended too early",
        )),
    }
}

fn is_json(headers: &http::HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    let essence = value.to_str().unwrap_or_default().split(';').next();
    let essence = essence.unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Reads a typed request. 400 for what is no JSON, 422 for JSON of another shape; the message says
/// where and what was expected, never what was there.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    // Serde also reads a list as a struct.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(unprocessable("invalid-field", "the body is no object"));
    }
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        if error.is_data() {
            let (message, param) = describe(&error.to_string());
            let message = format!("line {line}, column {column}: {message}");
            let mut fault = unprocessable("invalid-field", message);
            fault.param = param;
            return fault;
        }
        let message = format!("line {line}, column {column}: the body is no JSON");
        Fault::new(FaultKind::BadRequest, "invalid-json", message)
    })
}

/// What a serde error says of our own fields; nothing of what the client wrote.
fn describe(error: &str) -> (String, Option<String>) {
    for what in ["missing field", "duplicate field"] {
        if let Some(rest) = error.strip_prefix(what)
            && let Some(name) = rest.split('`').nth(1)
        {
            return (format!("{what} `{name}`"), Some(name.to_owned()));
        }
    }
    let kind = if error.starts_with("unknown field") {
        "unknown field, "
    } else {
        ""
    };
    // What is expected stands behind what was found, which may hold the same word.
    match error.rsplit_once("expected ") {
        Some((_, expected)) => {
            let expected = expected
                .rsplit_once(" at line ")
                .map_or(expected, |(e, _)| e);
            (format!("{kind}expected {expected}"), None)
        }
        None => (format!("{kind}not what is expected here"), None),
    }
}

/// A well-formed request that is not what the route takes.
pub(crate) fn unprocessable(code: &'static str, message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Unprocessable, code, message.into())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only read")]
        text: String,
        #[expect(dead_code, reason = "only read")]
        number: Option<u32>,
    }

    fn check(body: &str, expected: &str) {
        let fault = parse::<Sample>(body.as_bytes()).unwrap_err();
        assert_eq!(&*fault.message, expected);
    }

    #[test]
    fn messages_say_where_and_never_what() {
        check("{", "line 1, column 1: the body is no JSON");
        check("{}", "line 1, column 2: missing field `text`");
        check(
            r#"{"text": "a", "secret, expected b": 1}"#,
            "line 1, column 34: unknown field, expected `text` or `number`",
        );
        check(
            r#"{"text": "a", "number": "secret, expected x"}"#,
            "line 1, column 44: expected u32",
        );
        check(
            r#"{"text": "a", "text": "b"}"#,
            "line 1, column 20: duplicate field `text`",
        );
        check(r#"{"text": 4}"#, "line 1, column 10: expected a string");
    }
}
