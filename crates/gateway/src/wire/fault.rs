use std::time::Duration;

use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    body::Body,
    endpoint::Dialect,
    fault::{Fault, FaultKind},
};

/// A fault as the response that the SDKs of `dialect` expect.
///
/// The envelopes and types are those of the SDKs `openai` and `anthropic`; `x-request-id` and
/// `request-id` are where they look for an id.
#[must_use]
pub fn fault(fault: &Fault, dialect: Dialect, request_id: &str) -> Response<Body> {
    let body = match dialect {
        Dialect::OpenAi => json!({ "error": {
            "message": fault.message,
            "type": open_ai_type(fault),
            "param": fault.param,
            "code": fault.code,
        }}),
        Dialect::Anthropic => json!({
            "type": "error",
            "error": { "type": anthropic_type(fault.kind), "message": fault.message },
            "request_id": request_id,
        }),
    };
    let status = match (dialect, fault.kind) {
        // Anthropic's SDK knows no other status for a service that is full.
        (Dialect::Anthropic, FaultKind::Unavailable) if fault.code == "overloaded" => {
            StatusCode::from_u16(529).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
        }
        (_, kind) => kind.status(),
    };
    let mut response = response(status, &body, dialect, request_id);
    if let Some(after) = fault.retry_after {
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds(after)));
    }
    response
}

/// A JSON answer with the id where the SDKs of `dialect` look for it.
pub(super) fn response(
    status: StatusCode,
    body: &Value,
    dialect: Dialect,
    request_id: &str,
) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    let name = match dialect {
        Dialect::OpenAi => "x-request-id",
        Dialect::Anthropic => "request-id",
    };
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(name, id);
    }
    response
}

/// Whole seconds, rounded up, so that nobody comes too early.
fn seconds(after: Duration) -> u64 {
    after.as_secs() + u64::from(after.subsec_nanos() > 0)
}

fn open_ai_type(fault: &Fault) -> &'static str {
    match fault.kind {
        FaultKind::BadRequest
        | FaultKind::NotFound
        | FaultKind::MethodNotAllowed
        | FaultKind::RequestTimeout
        | FaultKind::TooLarge
        | FaultKind::UnsupportedMediaType
        | FaultKind::Unprocessable
        | FaultKind::Unauthenticated
        | FaultKind::Forbidden => "invalid_request_error",
        FaultKind::TooManyRequests if fault.code == "insufficient_quota" => "insufficient_quota",
        FaultKind::TooManyRequests => "requests",
        FaultKind::Internal
        | FaultKind::BadGateway
        | FaultKind::Unavailable
        | FaultKind::GatewayTimeout => "server_error",
    }
}

const fn anthropic_type(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::BadRequest
        | FaultKind::MethodNotAllowed
        | FaultKind::UnsupportedMediaType
        | FaultKind::Unprocessable => "invalid_request_error",
        FaultKind::Unauthenticated => "authentication_error",
        FaultKind::Forbidden => "permission_error",
        FaultKind::NotFound => "not_found_error",
        FaultKind::TooLarge => "request_too_large",
        FaultKind::TooManyRequests => "rate_limit_error",
        FaultKind::Internal | FaultKind::BadGateway => "api_error",
        FaultKind::Unavailable => "overloaded_error",
        FaultKind::RequestTimeout | FaultKind::GatewayTimeout => "timeout_error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(response: Response<Body>) -> String {
        let Body::Full(bytes) = response.into_body() else {
            panic!("no body")
        };
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn both_dialects_have_their_envelope() {
        let missing = Fault::new(
            FaultKind::BadRequest,
            "missing_required_parameter",
            "`model` is missing",
        )
        .about("model");
        let response = fault(&missing, Dialect::OpenAi, "req-1");
        assert_eq!(response.status(), 400);
        assert_eq!(response.headers()["x-request-id"], "req-1");
        insta::assert_snapshot!(text(response), @r#"{"error":{"message":"`model` is missing","type":"invalid_request_error","param":"model","code":"missing_required_parameter"}}"#);
        let limited = Fault::new(
            FaultKind::TooManyRequests,
            "rate_limit_exceeded",
            "too many requests",
        )
        .retry_after(Duration::from_millis(1500));
        let response = fault(&limited, Dialect::Anthropic, "req-2");
        assert_eq!(response.headers()["retry-after"], "2");
        assert_eq!(response.headers()["request-id"], "req-2");
        insta::assert_snapshot!(text(response), @r#"{"type":"error","error":{"type":"rate_limit_error","message":"too many requests"},"request_id":"req-2"}"#);
    }

    #[test]
    fn api_12_every_kind_has_one_status_and_a_type_in_both_dialects() {
        let cases = [
            (
                FaultKind::BadRequest,
                400,
                "invalid_request_error",
                "invalid_request_error",
            ),
            (
                FaultKind::Unauthenticated,
                401,
                "invalid_request_error",
                "authentication_error",
            ),
            (
                FaultKind::Forbidden,
                403,
                "invalid_request_error",
                "permission_error",
            ),
            (
                FaultKind::NotFound,
                404,
                "invalid_request_error",
                "not_found_error",
            ),
            (
                FaultKind::MethodNotAllowed,
                405,
                "invalid_request_error",
                "invalid_request_error",
            ),
            (
                FaultKind::RequestTimeout,
                408,
                "invalid_request_error",
                "timeout_error",
            ),
            (
                FaultKind::TooLarge,
                413,
                "invalid_request_error",
                "request_too_large",
            ),
            (
                FaultKind::UnsupportedMediaType,
                415,
                "invalid_request_error",
                "invalid_request_error",
            ),
            (
                FaultKind::Unprocessable,
                422,
                "invalid_request_error",
                "invalid_request_error",
            ),
            (
                FaultKind::TooManyRequests,
                429,
                "requests",
                "rate_limit_error",
            ),
            (FaultKind::Internal, 500, "server_error", "api_error"),
            (FaultKind::BadGateway, 502, "server_error", "api_error"),
            (
                FaultKind::Unavailable,
                503,
                "server_error",
                "overloaded_error",
            ),
            (
                FaultKind::GatewayTimeout,
                504,
                "server_error",
                "timeout_error",
            ),
        ];
        for (kind, status, open_ai, anthropic) in cases {
            let one = Fault::new(kind, "some_code", "message");
            for (dialect, name) in [(Dialect::OpenAi, open_ai), (Dialect::Anthropic, anthropic)] {
                let response = fault(&one, dialect, "r");
                assert_eq!(response.status(), status);
                let body: Value = serde_json::from_str(&text(response)).unwrap();
                assert_eq!(body["error"]["type"], name, "{kind:?}");
            }
        }
        let full = Fault::new(FaultKind::Unavailable, "overloaded", "come again");
        assert_eq!(fault(&full, Dialect::Anthropic, "").status(), 529);
        assert_eq!(fault(&full, Dialect::OpenAi, "").status(), 503);
    }
}
