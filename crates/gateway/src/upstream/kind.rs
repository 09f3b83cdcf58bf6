//! How different providers want to be asked.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{AUTHORIZATION, InvalidHeaderValue},
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::endpoint::Endpoint;

/// What an upstream speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// OpenAI: `Authorization: Bearer`.
    #[default]
    OpenAi,
    /// Anthropic: `x-api-key` and `anthropic-version`.
    Anthropic,
    /// Azure OpenAI: `api-key`, the deployment in the path, and `api-version` in the query.
    Azure,
    /// vLLM: OpenAI's routes and Anthropic's messages, `Authorization: Bearer` if there is a key.
    Vllm,
    /// Anything else that speaks OpenAI's or Anthropic's routes.
    Generic,
    /// Perspective API: no models, only a classifier under `classifiers`.
    Perspective,
    /// Azure AI Content Safety: no models, only a classifier under `classifiers`.
    #[serde(rename = "azure-content-safety")]
    AzureContentSafety,
    /// The built-in echo, which asks nobody and says so.
    Echo,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::OpenAi,
        Self::Anthropic,
        Self::Azure,
        Self::Vllm,
        Self::Generic,
        Self::Perspective,
        Self::AzureContentSafety,
        Self::Echo,
    ];

    /// The name used in the configuration, the record, and OpenTelemetry's
    /// `gen_ai.provider.name` where it has one.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Azure => "azure",
            Self::Vllm => "vllm",
            Self::Generic => "generic",
            Self::Perspective => "perspective",
            Self::AzureContentSafety => "azure-content-safety",
            Self::Echo => "echo",
        }
    }

    /// Whether it serves models, and not only a classifier.
    #[must_use]
    pub const fn has_models(self) -> bool {
        !matches!(self, Self::Perspective | Self::AzureContentSafety)
    }

    /// Whether it serves that route. To clients, moderations and lists of models are served by the
    /// gateway; an upstream's moderations are asked by classifiers only.
    #[must_use]
    pub const fn serves(self, endpoint: Endpoint) -> bool {
        use Endpoint as E;
        match (self, endpoint) {
            (_, E::Models | E::Model) => false,
            (kind, E::Moderations) => !matches!(kind, Self::Anthropic | Self::Azure | Self::Echo),
            (Self::Perspective | Self::AzureContentSafety, _) => false,
            (Self::OpenAi | Self::Azure, E::Messages | E::CountTokens) => false,
            (Self::Anthropic, endpoint) => matches!(endpoint, E::Messages | E::CountTokens),
            _ => true,
        }
    }

    /// Path and query behind the base URL. `model` is the upstream's name of the model.
    pub(super) fn path(self, endpoint: Endpoint, model: &str, api_version: &str) -> String {
        // Base URLs of OpenAI's shape end in `/v1`, as its SDKs have it; Anthropic's do not.
        let short = endpoint.path().strip_prefix("/v1").unwrap_or("/");
        let api_version = if api_version.is_empty() {
            self.usual_api_version()
        } else {
            api_version
        };
        match self {
            Self::Anthropic => endpoint.path().to_owned(),
            Self::Perspective => "/v1alpha1/comments:analyze".to_owned(),
            Self::AzureContentSafety => {
                format!("/contentsafety/text:analyze?api-version={api_version}")
            }
            Self::Azure => match endpoint {
                // The `v1` routes of Azure take the deployment as the model in the body.
                Endpoint::Responses | Endpoint::Models => {
                    format!("/openai{short}?api-version={api_version}")
                }
                _ => {
                    let deployment = encoded(model);
                    format!("/openai/deployments/{deployment}{short}?api-version={api_version}")
                }
            },
            _ => short.to_owned(),
        }
    }

    /// The `api-version` that its routes are written for.
    const fn usual_api_version(self) -> &'static str {
        match self {
            Self::AzureContentSafety => "2024-09-01",
            _ => "2024-10-21",
        }
    }

    /// Headers that prove who we are. Marked as sensitive, so that nothing prints them.
    pub(super) fn credentials(
        self,
        key: &str,
        headers: &mut HeaderMap,
    ) -> Result<(), InvalidHeaderValue> {
        const API_KEY: HeaderName = HeaderName::from_static("api-key");
        const GOOGLE_API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");
        const SUBSCRIPTION_KEY: HeaderName = HeaderName::from_static("ocp-apim-subscription-key");
        let (name, value) = match self {
            Self::Anthropic => (X_API_KEY, HeaderValue::from_str(key)?),
            Self::Azure => (API_KEY, HeaderValue::from_str(key)?),
            Self::AzureContentSafety => (SUBSCRIPTION_KEY, HeaderValue::from_str(key)?),
            // Not `?key=`: addresses are logged on the way.
            Self::Perspective => (GOOGLE_API_KEY, HeaderValue::from_str(key)?),
            _ => (AUTHORIZATION, bearer(key)?),
        };
        let mut value = value;
        value.set_sensitive(true);
        headers.insert(name, value);
        Ok(())
    }

    /// What its routes need besides, where the client did not say it.
    pub(super) fn defaults(self, headers: &mut HeaderMap) {
        if self == Self::Anthropic {
            headers
                .entry(ANTHROPIC_VERSION)
                .or_insert(HeaderValue::from_static("2023-06-01"));
        }
    }
}

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");

fn bearer(key: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let text = zeroize::Zeroizing::new(format!("Bearer {key}"));
    HeaderValue::from_str(&text)
}

/// Percent-encoded as one segment of a path, RFC 3986, section 2.3.
fn encoded(segment: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(byte as char);
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    // A segment of dots alone would lead elsewhere.
    if out.bytes().all(|byte| byte == b'.') {
        out = out.replace('.', "%2E");
    }
    out
}

/// Whether a header of a client goes on to an upstream. Never a credential, never a cookie.
fn goes_on(name: &str) -> bool {
    matches!(
        name,
        "content-type"
            | "accept"
            | "anthropic-version"
            | "anthropic-beta"
            | "openai-beta"
            | "openai-organization"
            | "openai-project"
            | "idempotency-key"
            | "x-client-request-id"
            | "traceparent"
            | "tracestate"
    )
}

/// The headers of a client that go on.
pub(super) fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let mut on = HeaderMap::with_capacity(8);
    for (name, value) in headers {
        if goes_on(name.as_str()) {
            on.append(name, value.clone());
        }
    }
    on
}

/// The name under which a header of an answer comes back, if it does.
fn back_as(name: &HeaderName) -> Option<HeaderName> {
    const REQUEST_ID: HeaderName = HeaderName::from_static("x-upstream-request-id");
    match name.as_str() {
        "x-request-id" | "request-id" => Some(REQUEST_ID),
        "content-type"
        | "retry-after"
        | "retry-after-ms"
        | "openai-processing-ms"
        | "x-ratelimit-limit-requests"
        | "x-ratelimit-limit-tokens"
        | "x-ratelimit-remaining-requests"
        | "x-ratelimit-remaining-tokens"
        | "x-ratelimit-reset-requests"
        | "x-ratelimit-reset-tokens"
        | "anthropic-ratelimit-requests-limit"
        | "anthropic-ratelimit-requests-remaining"
        | "anthropic-ratelimit-requests-reset"
        | "anthropic-ratelimit-tokens-limit"
        | "anthropic-ratelimit-tokens-remaining"
        | "anthropic-ratelimit-tokens-reset" => Some(name.clone()),
        _ => None,
    }
}

/// Longest value of a header that comes back; longer ones are dropped, so that none of them
/// carries text past the guard.
const LONGEST_VALUE: usize = 128;

/// The headers of an answer that come back.
pub(super) fn passed_back(headers: &HeaderMap) -> HeaderMap {
    let mut back = HeaderMap::with_capacity(8);
    for (name, value) in headers {
        let Some(name) = back_as(name) else {
            continue;
        };
        let plain = value
            .as_bytes()
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:;=+/, ".contains(byte));
        if value.len() <= LONGEST_VALUE && plain {
            back.insert(name, value.clone());
        }
    }
    back
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn azure_puts_the_deployment_in_the_path() {
        let path = |endpoint| Kind::Azure.path(endpoint, "my gpt/4", "2024-10-21");
        assert_eq!(
            path(Endpoint::ChatCompletions),
            "/openai/deployments/my%20gpt%2F4/chat/completions?api-version=2024-10-21"
        );
        assert_eq!(
            path(Endpoint::Responses),
            "/openai/responses?api-version=2024-10-21"
        );
        assert_eq!(encoded(".."), "%2E%2E");
    }

    #[test]
    fn api_16_credentials_of_clients_never_go_on() {
        let mut headers = HeaderMap::new();
        for name in [
            "authorization",
            "proxy-authorization",
            "x-api-key",
            "api-key",
            "cookie",
            "x-forwarded-for",
            "x-goog-api-key",
            "host",
            "content-length",
            "transfer-encoding",
            "accept-encoding",
        ] {
            headers.insert(HeaderName::from_static(name), "client".parse().unwrap());
        }
        assert!(passed_on(&headers).is_empty());
        headers.append("anthropic-beta", "a".parse().unwrap());
        headers.append("anthropic-beta", "b".parse().unwrap());
        assert_eq!(passed_on(&headers).len(), 2);
    }

    #[test]
    fn headers_of_answers_are_few_short_and_plain() {
        let mut headers = HeaderMap::new();
        headers.insert("server", "nginx".parse().unwrap());
        headers.insert("set-cookie", "a=b".parse().unwrap());
        headers.insert("x-request-id", "req_1".parse().unwrap());
        headers.insert(
            "content-type",
            "text/event-stream; charset=utf-8".parse().unwrap(),
        );
        headers.insert("retry-after", "<b>".parse().unwrap());
        headers.insert("openai-processing-ms", "9".repeat(500).parse().unwrap());
        let back = passed_back(&headers);
        assert_eq!(back.len(), 2);
        assert_eq!(back["x-upstream-request-id"], "req_1");
    }

    #[test]
    fn each_kind_proves_itself_in_its_way() {
        let headers = |kind: Kind| {
            let mut headers = HeaderMap::new();
            kind.credentials("k", &mut headers).unwrap();
            kind.defaults(&mut headers);
            headers
        };
        assert_eq!(headers(Kind::OpenAi)["authorization"], "Bearer k");
        let anthropic = headers(Kind::Anthropic);
        assert_eq!(anthropic["x-api-key"], "k");
        assert_eq!(anthropic["anthropic-version"], "2023-06-01");
        assert_eq!(headers(Kind::Azure)["api-key"], "k");
        assert_eq!(headers(Kind::Perspective)["x-goog-api-key"], "k");
        let safety = headers(Kind::AzureContentSafety);
        assert_eq!(safety["ocp-apim-subscription-key"], "k");
        assert!(!format!("{:?}", headers(Kind::OpenAi)).contains("Bearer"));
    }
}
