use std::sync::Arc;

use bartizan_core::Secret;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Environment, Fetch, FetchBounds, FetchError, SecretRef,
    manager::{check_address, check_credential},
};

/// HashiCorp Vault or OpenBao over its HTTP API.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct VaultConfig {
    /// Its address, e.g. `https://vault.internal:8200`.
    pub address: String,
    /// Its token, as `env:NAME` or `file:/path` (an agent writes one).
    pub token: SecretRef,
    /// The namespace, where it has any.
    #[serde(default)]
    pub namespace: Option<String>,
}

impl VaultConfig {
    pub(super) fn check(&self, mistakes: &mut Vec<(String, String)>) {
        let mut say = |at: &str, what: String| mistakes.push((at.to_owned(), what));
        check_address("vault.address", &self.address, &mut say);
        check_credential("vault.token", &self.token, &mut say);
    }
}

/// A client of Vault: KV version 2 and the transit engine.
pub struct Vault {
    address: String,
    token: HeaderValue,
    namespace: Option<HeaderValue>,
    fetch: Arc<dyn Fetch>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

/// Why Vault gave nothing. Its words are not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The token cannot be read.
    #[error("the token of vault cannot be read")]
    Token,
    /// No answer.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A path is `mount/path#field`.
    #[error("a path in vault is `mount/path#field`, of letters, digits, and `-_./`")]
    Path,
    /// The token does not allow it.
    #[error("vault refused the token")]
    Forbidden,
    /// Nothing of that name.
    #[error("vault has nothing of that name")]
    NotFound,
    /// Sealed, on standby, or out of order.
    #[error("vault answered with status {0}")]
    Status(u16),
    /// Not what its documentation says.
    #[error("vault's answer cannot be read")]
    Answer,
}

impl Vault {
    /// A client with the token that `config` names.
    ///
    /// # Errors
    /// When the token is not there.
    pub fn new(
        config: &VaultConfig,
        environment: &dyn Environment,
        fetch: Arc<dyn Fetch>,
    ) -> Result<Self, VaultError> {
        let token = config
            .token
            .local(environment)
            .map_err(|_| VaultError::Token)?;
        let header = |text: &str| {
            let mut header = HeaderValue::from_str(text).map_err(|_| VaultError::Token)?;
            header.set_sensitive(true);
            Ok::<_, VaultError>(header)
        };
        Ok(Self {
            address: config.address.trim_end_matches('/').to_owned(),
            token: header(token.expose().trim())?,
            namespace: config.namespace.as_deref().map(header).transpose()?,
            fetch,
        })
    }

    /// The field of a secret in KV version 2, newest version: `GET /v1/{mount}/data/{path}`.
    ///
    /// # Errors
    /// When Vault does not give it.
    pub async fn read(&self, path: &str) -> Result<Secret<String>, VaultError> {
        let (place, field) = path.split_once('#').ok_or(VaultError::Path)?;
        let (mount, path) = place.split_once('/').ok_or(VaultError::Path)?;
        check_path(mount)?;
        check_path(path)?;
        let answer: Read = self
            .ask(Method::GET, &format!("{mount}/data/{path}"), Bytes::new())
            .await?;
        let mut fields = answer.data.data;
        match fields.remove(field) {
            Some(serde_json::Value::String(text)) => Ok(Secret::new(text)),
            Some(_) => Err(VaultError::Answer),
            None => Err(VaultError::NotFound),
        }
    }

    /// A new data key of 32 bytes, sealed by the transit key:
    /// `POST /v1/{mount}/datakey/wrapped/{key}`. The plain key is asked for with [`Self::decrypt`].
    pub(crate) async fn new_data_key(&self, mount: &str, key: &str) -> Result<String, VaultError> {
        check_path(mount)?;
        check_path(key)?;
        let place = format!("{mount}/datakey/wrapped/{key}");
        let body = Bytes::from_static(br#"{"bits":256}"#);
        let answer: Sealed = self.ask(Method::POST, &place, body).await?;
        Ok(answer.data.ciphertext)
    }

    /// What a transit key sealed: `POST /v1/{mount}/decrypt/{key}`.
    ///
    /// # Errors
    /// When Vault does not open it.
    pub async fn decrypt(
        &self,
        mount: &str,
        key: &str,
        sealed: &str,
    ) -> Result<Secret<Vec<u8>>, VaultError> {
        check_path(mount)?;
        check_path(key)?;
        let body = serde_json::json!({ "ciphertext": sealed }).to_string();
        let place = format!("{mount}/decrypt/{key}");
        let answer: Opened = self.ask(Method::POST, &place, body.into()).await?;
        let plain = Secret::new(answer.data.plaintext);
        let plain = STANDARD.decode(plain.expose());
        plain.map(Secret::new).map_err(|_| VaultError::Answer)
    }

    async fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        method: Method,
        place: &str,
        body: Bytes,
    ) -> Result<T, VaultError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/v1/{place}", self.address))
            .header("x-vault-token", &self.token)
            // Asked for by Vault's agents and proxies against request forgery.
            .header("x-vault-request", "true");
        if let Some(namespace) = &self.namespace {
            request = request.header("x-vault-namespace", namespace);
        }
        if !body.is_empty() {
            request = request.header(http::header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(body).map_err(|_| VaultError::Path)?;
        let answer = self.fetch.fetch(request, FetchBounds::default()).await?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::FORBIDDEN => return Err(VaultError::Forbidden),
            StatusCode::NOT_FOUND => return Err(VaultError::NotFound),
            other => return Err(VaultError::Status(other.as_u16())),
        }
        serde_json::from_slice(answer.body()).map_err(|_| VaultError::Answer)
    }
}

fn check_path(path: &str) -> Result<(), VaultError> {
    let fits = (1..=256).contains(&path.len())
        && path.split('/').all(|step| {
            !matches!(step, "" | "." | "..")
                && step
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        });
    if fits { Ok(()) } else { Err(VaultError::Path) }
}

#[derive(Deserialize)]
struct Read {
    data: ReadData,
}

#[derive(Deserialize)]
struct ReadData {
    data: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Sealed {
    data: SealedData,
}

#[derive(Deserialize)]
struct SealedData {
    ciphertext: String,
}

#[derive(Deserialize)]
struct Opened {
    data: OpenedData,
}

#[derive(Deserialize)]
struct OpenedData {
    plaintext: String,
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, path::Path};

    use futures_util::future::BoxFuture;
    use http::Response;
    use parking_lot::Mutex;

    use super::*;
    use crate::{
        secrets::{MasterConfig, MasterError, MasterKey, Opener, Resolver, SecretError},
        store::Store,
    };

    /// What a Vault in development mode answers, after its API documentation.
    #[derive(Default)]
    struct Stub {
        asked: Mutex<Vec<String>>,
    }

    impl Fetch for Stub {
        fn fetch(
            &self,
            request: Request<Bytes>,
            _: FetchBounds,
        ) -> BoxFuture<'_, Result<Response<Bytes>, FetchError>> {
            let token = request.headers()["x-vault-token"] == "s.good";
            let asked = format!("{} {}", request.method(), request.uri());
            let body = std::str::from_utf8(request.body()).unwrap().to_owned();
            let key = STANDARD.encode([9; 32]);
            let (status, answer) = match asked.as_str() {
                _ if !token => (403, r#"{"errors":["permission denied"]}"#.to_owned()),
                "GET https://vault:8200/v1/secret/data/models/openai" => (
                    200,
                    r#"{"request_id":"1","lease_id":"","renewable":false,"lease_duration":0,
                    "data":{"data":{"key":"sk-from-vault","number":7},"metadata":{
                    "created_time":"2026-01-01T00:00:00Z","deletion_time":"","destroyed":false,
                    "version":3}},"wrap_info":null,"warnings":null,"auth":null}"#
                        .to_owned(),
                ),
                "POST https://vault:8200/v1/transit/datakey/wrapped/bartizan" => {
                    assert_eq!(body, r#"{"bits":256}"#);
                    (
                        200,
                        r#"{"data":{"ciphertext":"vault:v1:sealed","key_version":1}}"#.to_owned(),
                    )
                }
                "POST https://vault:8200/v1/transit/decrypt/bartizan" => {
                    assert_eq!(body, r#"{"ciphertext":"vault:v1:sealed"}"#);
                    (200, format!(r#"{{"data":{{"plaintext":"{key}"}}}}"#))
                }
                _ => (404, r#"{"errors":[]}"#.to_owned()),
            };
            self.asked.lock().push(asked);
            let answer = Response::builder()
                .status(status)
                .body(answer.into())
                .unwrap();
            Box::pin(async move { Ok(answer) })
        }
    }

    fn vault(token: &str, fetch: Arc<Stub>) -> Vault {
        let config = VaultConfig {
            address: "https://vault:8200/".to_owned(),
            token: SecretRef::parse("env:VAULT_TOKEN".to_owned()),
            namespace: None,
        };
        let environment = HashMap::from([("VAULT_TOKEN".to_owned(), token.to_owned())]);
        Vault::new(&config, &environment, fetch).unwrap()
    }

    #[tokio::test]
    async fn reads_key_value_secrets() {
        let good = vault("s.good", Arc::default());
        let environment = HashMap::new();
        let resolver = Resolver {
            environment: &environment,
            keys: None,
            vault: Some(&good),
            clouds: None,
            allow_plain_text: false,
        };
        let reference = SecretRef::parse("vault:secret/models/openai#key".to_owned());
        let found = resolver.resolve(&reference).await.unwrap();
        assert_eq!(found.expose(), "sk-from-vault");
        for (path, error) in [
            ("secret/models/openai#other", VaultError::NotFound),
            ("secret/models/openai#number", VaultError::Answer),
            ("secret/models/none#key", VaultError::NotFound),
            ("secret/models/openai", VaultError::Path),
            ("secret/../sys/seal#key", VaultError::Path),
            ("secret/a?b#key", VaultError::Path),
            ("secret#key", VaultError::Path),
        ] {
            assert_eq!(good.read(path).await.unwrap_err(), error, "{path}");
        }
        let bad = vault("s.bad", Arc::default());
        let error = bad.read("secret/models/openai#key").await.unwrap_err();
        assert_eq!(error, VaultError::Forbidden);
        assert!(!format!("{good:?}").contains("s.good"));
        let resolver = Resolver {
            vault: None,
            clouds: None,
            ..resolver
        };
        let error = resolver.resolve(&reference).await.unwrap_err();
        assert!(matches!(error, SecretError::NoVault));
    }

    #[tokio::test]
    async fn transit_keeps_the_master_key() {
        let stub = Arc::new(Stub::default());
        let vault = vault("s.good", stub.clone());
        let store = Store::in_memory().await.unwrap();
        let environment = HashMap::new();
        let opener = Opener {
            environment: &environment,
            data: Path::new("/nowhere"),
            store: &store,
            vault: Some(&vault),
        };
        let config: MasterConfig =
            serde_json::from_str(r#"{"from":"vault-transit","key":"bartizan"}"#).unwrap();
        for _ in 0..2 {
            let (key, _) = MasterKey::open(&config, &opener).await.unwrap();
            assert_eq!(key.id(), MasterKey::new([9; 32]).id());
        }
        // The data key is made once.
        let asked = stub.asked.lock().clone();
        assert_eq!(
            asked
                .iter()
                .filter(|asked| asked.contains("datakey"))
                .count(),
            1
        );
        let opener = Opener {
            vault: None,
            ..opener
        };
        let error = MasterKey::open(&config, &opener).await.unwrap_err();
        assert!(matches!(error, MasterError::Missing));
    }
}
