use std::{ops::ControlFlow, sync::Arc, time::Duration};

use bartizan_core::Secret;
use bartizan_mcp::Outgoing;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use parking_lot::Mutex;
use serde_json::Value;

use crate::{
    serve::Mistake,
    upstream::{Fetch, FetchHost, FetchLimits, SystemResolver, UpstreamConfig, UpstreamError},
    wire::sse::{Events, Item},
};

/// A server at an address: one request of streamable HTTP for each message.
///
/// Speaks to it with our own credential or none; nothing of what the client showed us is passed on.
#[derive(Debug)]
pub struct Remote {
    fetch: Fetch,
    url: String,
    token: Option<Secret<String>>,
    limits: FetchLimits,
    /// What the server named the session, and the revision that it speaks.
    spoken: Mutex<Spoken>,
}

#[derive(Clone, Debug, Default)]
struct Spoken {
    session: Option<HeaderValue>,
    revision: Option<String>,
}

/// Why a server at an address cannot be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// Nobody answers there, or not in time, or too much.
    #[error("the server does not answer ({0})")]
    Unreachable(#[from] UpstreamError),
    /// An answer that is none.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// A stream that cannot be read.
    #[error("the server's answer cannot be read")]
    Unreadable,
}

impl Remote {
    /// The server at `url`, which is shown `token`.
    ///
    /// # Errors
    /// When `url` names no host.
    pub fn new(
        url: &str,
        token: Option<Secret<String>>,
        timeout: Duration,
        max_bytes: usize,
    ) -> Result<Self, Mistake> {
        let host = FetchHost {
            url: url.to_owned(),
            // Servers often stand beside the gateway; the operator wrote the address.
            allow_private: true,
        };
        let tls = UpstreamConfig::default();
        Ok(Self {
            fetch: Fetch::new(&[host], &tls, Arc::new(SystemResolver))?,
            url: url.to_owned(),
            token,
            limits: FetchLimits { timeout, max_bytes },
            spoken: Mutex::default(),
        })
    }

    /// The same server for another session.
    pub(crate) fn again(&self) -> Self {
        Self {
            fetch: self.fetch.clone(),
            url: self.url.clone(),
            token: self
                .token
                .as_ref()
                .map(|token| Secret::new(token.expose().clone())),
            limits: self.limits,
            spoken: Mutex::default(),
        }
    }

    /// Sends a message and gives what the server answers, once its answer is whole.
    ///
    /// # Errors
    /// When the server gives no whole answer in time.
    pub async fn send(&self, message: &Outgoing) -> Result<Vec<Vec<u8>>, RemoteError> {
        let body = Bytes::from(message.bytes.clone());
        let headers = self.headers(&message.bytes);
        let got = self
            .fetch
            .post_json(&self.url, headers, body, &self.limits)
            .await?;
        if let Some(session) = got.headers.get("mcp-session-id") {
            self.spoken.lock().session = Some(session.clone());
        }
        if got.status == StatusCode::ACCEPTED || got.status == StatusCode::NO_CONTENT {
            return Ok(Vec::new());
        }
        let kind = got.headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let messages = if kind.starts_with("text/event-stream") {
            events(&got.body, self.limits.max_bytes)?
        } else if kind.starts_with("application/json") {
            // Errors of the protocol come with statuses of their own.
            vec![got.body.to_vec()]
        } else {
            return Err(RemoteError::Status(got.status.as_u16()));
        };
        self.learn_revision(&messages);
        Ok(messages)
    }

    /// Ends the session at the server, if it has one.
    pub async fn end(&self) {
        if self.spoken.lock().session.is_some() {
            let request = self.fetch.send(
                http::Method::DELETE,
                &self.url,
                self.headers(b"{}"),
                Bytes::new(),
                &self.limits,
            );
            // Servers may refuse to be told, and forget by themselves.
            let _ = request.await;
        }
    }

    fn headers(&self, message: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let both = HeaderValue::from_static("application/json, text/event-stream");
        headers.insert(header::ACCEPT, both);
        let bearer = self
            .token
            .as_ref()
            .map(|token| format!("Bearer {}", token.expose()));
        if let Some(Ok(mut value)) = bearer.map(HeaderValue::try_from) {
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        let spoken = self.spoken.lock().clone();
        let body: Value = serde_json::from_slice(message).unwrap_or_default();
        let own = body.pointer("/params/_meta/io.modelcontextprotocol~1protocolVersion");
        let revision = own
            .and_then(Value::as_str)
            .map(str::to_owned)
            .or(spoken.revision);
        let method = body.get("method").and_then(Value::as_str);
        let named = ["/params/name", "/params/uri"];
        let name = named.iter().find_map(|place| body.pointer(place)?.as_str());
        let is_stateless = own.is_some();
        for (key, value) in [
            ("mcp-protocol-version", revision.as_deref()),
            ("mcp-method", method.filter(|_| is_stateless)),
            ("mcp-name", name.filter(|_| is_stateless)),
        ] {
            if let Some(Ok(value)) = value.map(encoded).map(HeaderValue::try_from) {
                headers.insert(key, value);
            }
        }
        if let Some(session) = spoken.session {
            headers.insert("mcp-session-id", session);
        }
        headers
    }

    /// Requests after a greeting name the revision that was agreed upon.
    fn learn_revision(&self, messages: &[Vec<u8>]) {
        if self.spoken.lock().revision.is_some() {
            return;
        }
        let spoken = messages.iter().find_map(|message| {
            let body: Value = serde_json::from_slice(message).ok()?;
            let revision = body.pointer("/result/protocolVersion")?.as_str()?;
            Some(revision.to_owned())
        });
        self.spoken.lock().revision = spoken;
    }
}

/// A value as headers hold it (revision 2026-07-28, "Value Encoding").
fn encoded(value: &str) -> String {
    use base64::Engine as _;
    let is_plain = value.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && value.trim() == value;
    if is_plain && !value.starts_with("=?base64?") {
        return value.to_owned();
    }
    let base64 = base64::engine::general_purpose::STANDARD.encode(value);
    format!("=?base64?{base64}?=")
}

/// The messages of a stream.
fn events(body: &[u8], max_bytes: usize) -> Result<Vec<Vec<u8>>, RemoteError> {
    let mut all = Vec::new();
    let mut events = Events::new(max_bytes);
    let read = events.push(body, |item| {
        if let Item::Event { data, .. } = item
            && !data.is_empty()
        {
            all.push(data.as_bytes().to_vec());
        }
        ControlFlow::Continue(())
    });
    read.map_err(|_| RemoteError::Unreadable)?;
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_a_stream() {
        let stream = b"event: message\ndata: {\"a\":1}\n\n: idle\n\ndata: {\"b\":2}\n\n";
        assert_eq!(events(stream, 1_000).unwrap(), [b"{\"a\":1}", b"{\"b\":2}"]);
        assert!(events(stream, 4).is_err());
    }

    #[test]
    fn headers_say_what_the_body_says_and_nothing_of_the_client() {
        let limit = Duration::from_secs(1);
        let remote = Remote::new("http://127.0.0.1:9/mcp", None, limit, 100).unwrap();
        let call = br#"{"method":"tools/call","params":{"name":"caf\u00e9","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
        let headers = remote.headers(call);
        assert_eq!(headers["mcp-protocol-version"], "2026-07-28");
        assert_eq!(headers["mcp-method"], "tools/call");
        assert_eq!(headers["mcp-name"], "=?base64?Y2Fmw6k=?=");
        assert!(!headers.contains_key(header::AUTHORIZATION));
        remote.learn_revision(&[br#"{"result":{"protocolVersion":"2025-06-18"}}"#.to_vec()]);
        let headers = remote.headers(br#"{"method":"ping"}"#);
        assert_eq!(headers["mcp-protocol-version"], "2025-06-18");
        assert!(!headers.contains_key("mcp-method"));
    }
}
