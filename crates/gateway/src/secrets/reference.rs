use std::{borrow::Cow, collections::HashMap, fmt, io::Read as _, path::PathBuf, sync::Arc};

use bartizan_core::Secret;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::{Cloud, CloudError, Clouds, KeyStore, KeyStoreError, Vault, VaultError};

/// Where a secret of the configuration lies: `env:NAME`, `file:/path`, `vault:mount/path#field`,
/// `store:name`, `aws:name#field`, `gcp:name`, or `azure:name`. Anything else is the secret itself, which is refused unless
/// `secrets.dangerously-allow-plain-text` is set.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// An environment variable.
    Environment(String),
    /// A file; one line end at its end does not count.
    File(PathBuf),
    /// A field in HashiCorp Vault's KV v2: `mount/path#field`.
    Vault(String),
    /// A name in the [`KeyStore`].
    Store(String),
    /// A name in the secret manager of a cloud.
    Cloud(Cloud, String),
    /// The secret itself.
    Plain(Arc<PlainText>),
}

/// A secret that stood in the configuration.
pub struct PlainText(Secret<String>);

impl PartialEq for PlainText {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose() == other.0.expose()
    }
}

impl Eq for PlainText {}

impl SecretRef {
    /// What `text` refers to.
    #[must_use]
    pub fn parse(text: String) -> Self {
        match text.split_once(':') {
            Some(("env", name)) => Self::Environment(name.to_owned()),
            Some(("file", path)) => Self::File(path.into()),
            Some(("vault", path)) => Self::Vault(path.to_owned()),
            Some(("store", name)) => Self::Store(name.to_owned()),
            Some((scheme, name))
                if let Some(cloud) = Cloud::ALL.into_iter().find(|c| c.as_str() == scheme) =>
            {
                Self::Cloud(cloud, name.to_owned())
            }
            _ => Self::Plain(Arc::new(PlainText(Secret::new(text)))),
        }
    }

    /// Whether it can be had without a database or a network.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        matches!(self, Self::Environment(_) | Self::File(_))
    }

    /// A text of the configuration that is an address without user or password, and so no secret.
    #[must_use]
    pub fn plain_address(&self) -> Option<&str> {
        let Self::Plain(text) = self else {
            return None;
        };
        let text = text.0.expose();
        let is_address = text.contains("://") && !text.contains(['@', '?']);
        is_address.then_some(text)
    }

    /// The secret in an environment variable or a file.
    ///
    /// # Errors
    /// When it is not there, or is kept elsewhere.
    pub fn local(&self, environment: &dyn Environment) -> Result<Secret<String>, SecretError> {
        let found = match self {
            Self::Environment(name) => environment
                .get(name)
                .map(Secret::new)
                .ok_or_else(|| SecretError::NoVariable(name.clone()))?,
            Self::File(path) => read(path)?,
            _ => return Err(SecretError::NotLocal),
        };
        if found.expose().is_empty() {
            return Err(SecretError::Empty(self.clone()));
        }
        Ok(found)
    }
}

const MAX_FILE_BYTES: u64 = 64 * 1024;

fn read(path: &PathBuf) -> Result<Secret<String>, SecretError> {
    let mut text = String::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text));
    let text = Secret::new(text);
    match read {
        Ok(length) if length as u64 <= MAX_FILE_BYTES => {
            let line = text.expose();
            let line = line.strip_suffix('\n').unwrap_or(line);
            let line = line.strip_suffix('\r').unwrap_or(line);
            Ok(Secret::new(line.to_owned()))
        }
        _ => Err(SecretError::File(path.clone())),
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Vault(path) => write!(f, "vault:{path}"),
            Self::Store(name) => write!(f, "store:{name}"),
            Self::Cloud(cloud, name) => write!(f, "{}:{name}", cloud.as_str()),
            Self::Plain(_) => f.write_str("[redacted]"),
        }
    }
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretRef({self})")
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::parse)
    }
}

impl JsonSchema for SecretRef {
    fn schema_name() -> Cow<'static, str> {
        "SecretRef".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "where a secret lies: `env:NAME`, `file:/path`, `vault:mount/path#field`, `store:name`, `aws:name#field`, `gcp:name`, or `azure:name`",
            "examples": ["env:OPENAI_API_KEY", "file:/run/secrets/key", "vault:secret/openai#key", "store:openai"],
        })
    }
}

/// Environment variables, as an argument.
pub trait Environment: Send + Sync {
    /// The variable of that name.
    fn get(&self, name: &str) -> Option<String>;
}

/// The environment of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

impl<S: std::hash::BuildHasher + Send + Sync> Environment for HashMap<String, String, S> {
    fn get(&self, name: &str) -> Option<String> {
        HashMap::get(self, name).cloned()
    }
}

/// Gives the secrets that references name.
pub struct Resolver<'a> {
    /// The environment.
    pub environment: &'a dyn Environment,
    /// The key store, if it is open.
    pub keys: Option<&'a KeyStore>,
    /// Vault, if there is one.
    pub vault: Option<&'a Vault>,
    /// Secret managers of clouds, if they can be asked here.
    pub clouds: Option<&'a Clouds>,
    /// Whether plain text is taken: `secrets.dangerously-allow-plain-text`.
    pub allow_plain_text: bool,
}

/// Why there is no secret. Names where it should be, never what it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The variable is not set.
    #[error("the environment variable `{0}` is not set")]
    NoVariable(String),
    /// The file cannot be read, is not text, or is larger than 64 KiB.
    #[error("the secret file `{}` cannot be read", .0.display())]
    File(PathBuf),
    /// There is nothing in it.
    #[error("the secret `{0}` is empty")]
    Empty(SecretRef),
    /// The secret itself stands in the configuration.
    #[error(
        "a secret stands in the configuration as plain text; hint: write `env:NAME`, `file:/path`, `vault:mount/path#field`, `store:name`, or the name in a cloud"
    )]
    PlainText,
    /// Only `env:` and `file:` can be used in this place.
    #[error("only `env:NAME` and `file:/path` can be used here")]
    NotLocal,
    /// No Vault is configured.
    #[error("the secret lies in vault, but `secrets.vault` is not configured")]
    NoVault,
    /// Vault did not give it.
    #[error("vault did not give the secret")]
    Vault(#[from] VaultError),
    /// Secret managers of clouds cannot be asked here.
    #[error("secret managers of clouds cannot be asked here")]
    NoCloud,
    /// The secret manager of a cloud did not give it.
    #[error("the secret manager of the cloud did not give the secret: {0}")]
    Cloud(#[from] CloudError),
    /// The key store is not open here.
    #[error("the key store cannot be used here")]
    NoStore,
    /// The key store has no such name.
    #[error("the key store has no secret `{0}`; hint: `bartizan secret set {0}`")]
    NotStored(String),
    /// The key store failed.
    #[error("the key store cannot be used")]
    Store(#[from] KeyStoreError),
}

impl Resolver<'_> {
    /// The secret that `reference` names.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn resolve(&self, reference: &SecretRef) -> Result<Secret<String>, SecretError> {
        match reference {
            SecretRef::Environment(_) | SecretRef::File(_) => reference.local(self.environment),
            SecretRef::Vault(path) => {
                let vault = self.vault.ok_or(SecretError::NoVault)?;
                Ok(vault.read(path).await?)
            }
            SecretRef::Cloud(cloud, name) => {
                let clouds = self.clouds.ok_or(SecretError::NoCloud)?;
                Ok(clouds.read(*cloud, name, self.environment).await?)
            }
            SecretRef::Store(name) => {
                let keys = self.keys.ok_or(SecretError::NoStore)?;
                let found = keys.get(name).await?;
                found.ok_or_else(|| SecretError::NotStored(name.clone()))
            }
            SecretRef::Plain(text) if self.allow_plain_text => {
                Ok(Secret::new(text.0.expose().clone()))
            }
            SecretRef::Plain(_) => Err(SecretError::PlainText),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolver(environment: &HashMap<String, String>) -> Resolver<'_> {
        Resolver {
            environment,
            keys: None,
            vault: None,
            clouds: None,
            allow_plain_text: false,
        }
    }

    #[tokio::test]
    async fn finds_secrets_where_they_lie() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "from file\r\n").unwrap();
        let environment = HashMap::from([
            ("A".to_owned(), "from env".to_owned()),
            ("EMPTY".to_owned(), String::new()),
        ]);
        let resolver = resolver(&environment);
        let resolve = async |text: String| {
            let found = resolver.resolve(&SecretRef::parse(text)).await;
            found
                .map(|secret| secret.expose().clone())
                .map_err(|error| error.to_string())
        };
        assert_eq!(resolve("env:A".into()).await.unwrap(), "from env");
        assert_eq!(
            resolve(format!("file:{}", path.display())).await.unwrap(),
            "from file"
        );
        assert_eq!(
            resolve("env:B".into()).await.unwrap_err(),
            "the environment variable `B` is not set"
        );
        assert_eq!(
            resolve("env:EMPTY".into()).await.unwrap_err(),
            "the secret `env:EMPTY` is empty"
        );
        assert!(resolve("file:/no/such".into()).await.is_err());
        assert!(resolve("vault:a/b#c".into()).await.is_err());
        assert!(resolve("store:a".into()).await.is_err());
    }

    #[test]
    fn address_without_a_password_is_no_secret() {
        let plain = |text: &str| SecretRef::parse(text.to_owned()).plain_address().is_some();
        assert!(plain("redis://127.0.0.1:6379"));
        assert!(!plain("redis://:password@127.0.0.1:6379"));
        assert!(!plain("redis://127.0.0.1:6379?password=x"));
        assert!(!plain("password"));
        assert!(!plain("env:REDIS"));
    }

    #[tokio::test]
    async fn plain_text_is_refused_and_never_printed() {
        let reference: SecretRef = serde_json::from_str(r#""sk-planted-marker""#).unwrap();
        let environment = HashMap::new();
        let mut resolver = resolver(&environment);
        let error = resolver.resolve(&reference).await.unwrap_err();
        for text in [
            format!("{error} {error:?}"),
            format!("{reference} {reference:?}"),
        ] {
            assert!(!text.contains("planted"), "{text}");
        }
        resolver.allow_plain_text = true;
        let found = resolver.resolve(&reference).await.unwrap();
        assert_eq!(found.expose(), "sk-planted-marker");
    }
}
