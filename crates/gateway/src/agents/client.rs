use std::sync::Arc;

use bartizan_agents::Switches;
use bartizan_core::Secret;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::json;

use super::{Decided, Waiting};
use crate::upstream::{
    Fetch, FetchHost, FetchLimits, Fetched, SystemResolver, UpstreamConfig, UpstreamError,
};

/// Whoever decides about calls and stops agents, at a gateway that runs.
pub struct AgentClient {
    fetch: Fetch,
    base: String,
    key: Secret<String>,
}

/// Why the gateway did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address is none.
    #[error("`{0}` is not the address of a gateway")]
    Address(String),
    /// Nobody answers there.
    #[error("the gateway does not answer ({0})")]
    Unreachable(#[from] UpstreamError),
    /// The key is not one, or may not do this.
    #[error("the gateway does not accept the key for this")]
    Key,
    /// Nothing of that name waits, or it waits for somebody else.
    #[error("nothing of that id waits for you; nobody decides about their own calls")]
    NotWaiting,
    /// The gateway said something else.
    #[error("the gateway answered with status {0}")]
    Status(u16),
}

#[derive(Deserialize)]
struct Items {
    items: Vec<Waiting>,
}

impl AgentClient {
    /// A client of the gateway at `base`, e.g. `https://gateway.example`, with that key.
    ///
    /// # Errors
    /// When `base` is no address.
    pub fn new(base: &str, key: Secret<String>) -> Result<Self, ClientError> {
        let base = base.trim_end_matches('/').to_owned();
        let host = FetchHost {
            url: base.clone(),
            allow_private: true,
        };
        let tls = UpstreamConfig::default();
        let fetch = Fetch::new(&[host], &tls, Arc::new(SystemResolver))
            .map_err(|_| ClientError::Address(base.clone()))?;
        Ok(Self { fetch, base, key })
    }

    /// What waits for a person.
    ///
    /// # Errors
    /// When the gateway does not say.
    pub async fn waiting(&self) -> Result<Vec<Waiting>, ClientError> {
        let got = self.get("/v1/approvals").await?;
        let items: Items = read(&got)?;
        Ok(items.items)
    }

    /// Decides about the calls of a request.
    ///
    /// # Errors
    /// When nothing of that id waits, or the gateway does not do it.
    pub async fn decide(&self, id: &str, decided: Decided) -> Result<(), ClientError> {
        // An id is letters, digits, and hyphens; anything else is none, and would be a path.
        if !id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            return Err(ClientError::NotWaiting);
        }
        let word = match decided {
            Decided::Allowed => "allow",
            Decided::Denied => "deny",
        };
        let body = json!({ "decision": word });
        self.post(&format!("/v1/approvals/{id}"), &body).await
    }

    /// What is stopped.
    ///
    /// # Errors
    /// When the gateway does not say.
    pub async fn switches(&self) -> Result<Switches, ClientError> {
        read(&self.get("/admin/agents/switches").await?)
    }

    /// Stops `all`, a `tenant`, an `agent`, or a `tool`, or lets it run again.
    ///
    /// # Errors
    /// When the gateway does not do it.
    pub async fn flip(&self, kind: &str, name: &str, stop: bool) -> Result<(), ClientError> {
        let body = json!({ "kind": kind, "name": name, "stop": stop });
        self.post("/admin/agents/switches", &body).await
    }

    fn headers(&self) -> Result<HeaderMap, ClientError> {
        let credential = format!("Bearer {}", self.key.expose());
        let mut value = HeaderValue::try_from(credential).map_err(|_| ClientError::Key)?;
        value.set_sensitive(true);
        Ok(HeaderMap::from_iter([(header::AUTHORIZATION, value)]))
    }

    async fn get(&self, path: &str) -> Result<Fetched, ClientError> {
        let url = format!("{}{path}", self.base);
        let limits = FetchLimits::default();
        let got = self.fetch.get(&url, self.headers()?, &limits).await?;
        checked(got)
    }

    async fn post(&self, path: &str, body: &serde_json::Value) -> Result<(), ClientError> {
        let url = format!("{}{path}", self.base);
        let body = Bytes::from(body.to_string());
        let limits = FetchLimits::default();
        let got = self.fetch.post_json(&url, self.headers()?, body, &limits);
        checked(got.await?).map(|_| ())
    }
}

fn checked(got: Fetched) -> Result<Fetched, ClientError> {
    match got.status {
        status if status.is_success() => Ok(got),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(ClientError::Key),
        StatusCode::NOT_FOUND => Err(ClientError::NotWaiting),
        status => Err(ClientError::Status(status.as_u16())),
    }
}

fn read<T: for<'de> Deserialize<'de>>(got: &Fetched) -> Result<T, ClientError> {
    serde_json::from_slice(&got.body).map_err(|_| ClientError::Status(got.status.as_u16()))
}

impl std::fmt::Debug for AgentClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AgentClient")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}
