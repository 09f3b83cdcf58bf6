//! The lists of models, for both dialects.

use serde_json::{Value, json};

use crate::endpoint::Dialect;

/// A model that clients may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model<'a> {
    /// Its name in the configuration.
    pub name: &'a str,
    /// Who serves it, as the configuration calls them.
    pub owner: &'a str,
}

/// The body of `GET /v1/models`, all on one page.
#[must_use]
pub fn list(models: &[Model<'_>], dialect: Dialect) -> Value {
    let data: Vec<Value> = models.iter().map(|model| one(model, dialect)).collect();
    match dialect {
        Dialect::OpenAi => json!({ "object": "list", "data": data }),
        Dialect::Anthropic => json!({
            "data": data,
            "has_more": false,
            "first_id": models.first().map(|model| model.name),
            "last_id": models.last().map(|model| model.name),
        }),
    }
}

/// The body of `GET /v1/models/{model}`.
#[must_use]
pub fn one(model: &Model<'_>, dialect: Dialect) -> Value {
    let &Model { name, owner } = model;
    match dialect {
        // The configuration does not say when a model was made: 0 is 1970.
        Dialect::OpenAi => json!({
            "id": name, "object": "model", "created": 0, "owned_by": owner,
        }),
        // "May be set to an epoch value if the release date is unknown", says Anthropic's SDK.
        Dialect::Anthropic => json!({
            "type": "model", "id": name, "display_name": name,
            "created_at": "1970-01-01T00:00:00Z", "lifecycle": "active",
        }),
    }
}

/// Whose list a client asks for: both vendors have theirs at one path, and only Anthropic's SDK
/// says which version of its API it speaks.
#[must_use]
pub fn dialect(headers: &http::HeaderMap) -> Dialect {
    if headers.contains_key("anthropic-version") {
        Dialect::Anthropic
    } else {
        Dialect::OpenAi
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_dialects_list_models_in_their_shape() {
        let models = [
            Model {
                name: "small",
                owner: "house",
            },
            Model {
                name: "large",
                owner: "house",
            },
        ];
        insta::assert_snapshot!(list(&models, Dialect::OpenAi), @r#"{"object":"list","data":[{"id":"small","object":"model","created":0,"owned_by":"house"},{"id":"large","object":"model","created":0,"owned_by":"house"}]}"#);
        insta::assert_snapshot!(list(&models, Dialect::Anthropic), @r#"{"data":[{"type":"model","id":"small","display_name":"small","created_at":"1970-01-01T00:00:00Z","lifecycle":"active"},{"type":"model","id":"large","display_name":"large","created_at":"1970-01-01T00:00:00Z","lifecycle":"active"}],"has_more":false,"first_id":"small","last_id":"large"}"#);
        let mut headers = http::HeaderMap::new();
        assert_eq!(dialect(&headers), Dialect::OpenAi);
        headers.insert(
            "anthropic-version",
            http::HeaderValue::from_static("2023-06-01"),
        );
        assert_eq!(dialect(&headers), Dialect::Anthropic);
    }
}
