//! What went wrong with a request, whose fault it is, and how the client hears of it.

use std::{borrow::Cow, time::Duration};

use http::StatusCode;

/// Why a request has no answer. Becomes a response in one place, [`crate::wire::fault`].
///
/// Holds nothing that the client sent but names of fields and places.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What kind it is.
    pub kind: FaultKind,
    /// A stable name for programs, e.g. `content_filter`.
    pub code: &'static str,
    /// For people; lower case, no full stop.
    pub message: Cow<'static, str>,
    /// The field of the request that is meant.
    pub param: Option<String>,
    /// When to come again.
    pub retry_after: Option<Duration>,
}

/// What kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// The request is malformed, or its content was refused.
    BadRequest,
    /// No credential, or a bad one.
    Unauthenticated,
    /// A good credential that does not allow this.
    Forbidden,
    /// No such route or thing.
    NotFound,
    /// The route takes another method.
    MethodNotAllowed,
    /// The client was too slow.
    RequestTimeout,
    /// The body is too large.
    TooLarge,
    /// The body is of no known type.
    UnsupportedMediaType,
    /// Well-formed, but not what the route takes.
    Unprocessable,
    /// A limit or budget is spent.
    TooManyRequests,
    /// Ours.
    Internal,
    /// The upstream answered with what cannot be used.
    BadGateway,
    /// A part that is needed is out of order or full; come again.
    Unavailable,
    /// The upstream was too slow.
    GatewayTimeout,
}

impl FaultKind {
    /// Its HTTP status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::BadGateway => StatusCode::BAD_GATEWAY,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::GatewayTimeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }
}

impl Fault {
    /// A fault of that kind.
    #[must_use]
    pub fn new(kind: FaultKind, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            code,
            message: message.into(),
            param: None,
            retry_after: None,
        }
    }

    /// The same, about a field of the request.
    #[must_use]
    pub fn about(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// The same, with a time to come again.
    #[must_use]
    pub const fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }
}
