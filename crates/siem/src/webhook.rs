//! Signed webhooks in the shape of [Standard Webhooks](https://www.standardwebhooks.com), version 1.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::value::RawValue;

/// What signs: HMAC-SHA-256 (RFC 2104) under a key that the receiver has, too.
pub struct WebhookKey(hmac::Key);

/// Least bytes of a key (Standard Webhooks, "Signature scheme").
pub const MIN_KEY_BYTES: usize = 24;

/// The headers of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookHeaders {
    /// `webhook-id`: the same whenever the same message is sent again.
    pub id: String,
    /// `webhook-timestamp`: seconds since 1970.
    pub timestamp: String,
    /// `webhook-signature`.
    pub signature: String,
}

impl WebhookKey {
    /// The key in `secret`: `whsec_` and base64, or else the bytes of the text. `None` if it has
    /// fewer than [`MIN_KEY_BYTES`].
    #[must_use]
    pub fn new(secret: &str) -> Option<Self> {
        let key = match secret.strip_prefix("whsec_") {
            Some(encoded) => STANDARD.decode(encoded).ok()?,
            None => secret.as_bytes().to_vec(),
        };
        (key.len() >= MIN_KEY_BYTES).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    /// Signs `id.timestamp.body`.
    #[must_use]
    pub fn sign(&self, id: &str, unix_seconds: u64, body: &[u8]) -> WebhookHeaders {
        let timestamp = unix_seconds.to_string();
        let mut signing = hmac::Context::with_key(&self.0);
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            signing.update(part);
        }
        let signature = format!("v1,{}", STANDARD.encode(signing.sign()));
        WebhookHeaders {
            id: id.to_owned(),
            timestamp,
            signature,
        }
    }
}

impl std::fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookKey([redacted])")
    }
}

/// The body of a message with these events, each a JSON object; `first_ms` is when the first of them
/// happened, in milliseconds since 1970.
#[must_use]
pub fn body(first_ms: u64, events: &[String]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Message<'a> {
        r#type: &'static str,
        timestamp: String,
        data: Data<'a>,
    }
    #[derive(Serialize)]
    struct Data<'a> {
        events: Vec<&'a RawValue>,
    }
    let events = events
        .iter()
        .filter_map(|event| serde_json::from_str(event).ok());
    let at = jiff::Timestamp::from_millisecond(i64::try_from(first_ms).unwrap_or(i64::MAX));
    let message = Message {
        r#type: "bartizan.audit.events",
        timestamp: at.unwrap_or(jiff::Timestamp::MAX).to_string(),
        data: Data {
            events: events.collect(),
        },
    };
    // Texts, and JSON that was checked: cannot fail.
    serde_json::to_vec(&message).unwrap_or_default()
}
