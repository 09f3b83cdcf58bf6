//! The routes that lead to a model, and the format that each speaks.

use http::Method;

/// A route of a model API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// `POST /v1/chat/completions` of OpenAI.
    ChatCompletions,
    /// `POST /v1/completions` of OpenAI.
    Completions,
    /// `POST /v1/responses` of OpenAI.
    Responses,
    /// `POST /v1/embeddings` of OpenAI.
    Embeddings,
    /// `POST /v1/moderations` of OpenAI; served by ourselves.
    Moderations,
    /// `GET /v1/models` of OpenAI and Anthropic.
    Models,
    /// `GET /v1/models/{model}` of OpenAI and Anthropic.
    Model,
    /// `POST /v1/messages` of Anthropic.
    Messages,
    /// `POST /v1/messages/count_tokens` of Anthropic.
    CountTokens,
}

/// Whose shapes of errors and refusals a client expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `{"error": {"message", "type", "param", "code"}}`.
    OpenAi,
    /// `{"type": "error", "error": {"type", "message"}}`.
    Anthropic,
}

impl Endpoint {
    /// Every route.
    pub const ALL: [Self; 9] = [
        Self::ChatCompletions,
        Self::Completions,
        Self::Responses,
        Self::Embeddings,
        Self::Moderations,
        Self::Models,
        Self::Model,
        Self::Messages,
        Self::CountTokens,
    ];

    /// The route that a request is for. A path may stand with or without `/v1`, and behind
    /// `/openai` or `/anthropic`, as SDKs put it behind different base URLs.
    #[must_use]
    pub fn of(method: &Method, path: &str) -> Option<Self> {
        let path = path
            .strip_prefix("/openai")
            .or_else(|| path.strip_prefix("/anthropic"))
            .unwrap_or(path);
        let path = path.strip_prefix("/v1").unwrap_or(path);
        let found = match path {
            "/chat/completions" => Self::ChatCompletions,
            "/completions" => Self::Completions,
            "/responses" => Self::Responses,
            "/embeddings" => Self::Embeddings,
            "/moderations" => Self::Moderations,
            "/models" => Self::Models,
            "/messages" => Self::Messages,
            "/messages/count_tokens" => Self::CountTokens,
            _ if path.strip_prefix("/models/").is_some_and(|m| !m.is_empty()) => Self::Model,
            _ => return None,
        };
        (found.method() == *method).then_some(found)
    }

    /// The method that it takes.
    #[must_use]
    pub const fn method(self) -> Method {
        match self {
            Self::Models | Self::Model => Method::GET,
            _ => Method::POST,
        }
    }

    /// Its path, `{model}` for the name of a model.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::ChatCompletions => "/v1/chat/completions",
            Self::Completions => "/v1/completions",
            Self::Responses => "/v1/responses",
            Self::Embeddings => "/v1/embeddings",
            Self::Moderations => "/v1/moderations",
            Self::Models => "/v1/models",
            Self::Model => "/v1/models/{model}",
            Self::Messages => "/v1/messages",
            Self::CountTokens => "/v1/messages/count_tokens",
        }
    }

    /// The name used in metrics, traces, and the record: OpenTelemetry's `gen_ai.operation.name`
    /// where it has one.
    #[must_use]
    pub const fn operation(self) -> &'static str {
        match self {
            Self::ChatCompletions | Self::Responses | Self::Messages => "chat",
            Self::Completions => "text_completion",
            Self::Embeddings => "embeddings",
            Self::Moderations => "moderations",
            Self::Models | Self::Model => "models",
            Self::CountTokens => "count_tokens",
        }
    }

    /// Whose shapes its errors have.
    #[must_use]
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::Messages | Self::CountTokens => Dialect::Anthropic,
            _ => Dialect::OpenAi,
        }
    }
}
