//! Secret managers of clouds: `aws:`, `gcp:`, and `azure:` references.
//!
//! Each is one request over the gateway's own client. Credentials come from the environment, a file,
//! or the machine's metadata service; they are used once per secret and not kept.

mod aws;
mod azure;
mod gcp;
mod sign;

use std::sync::Arc;

use bartizan_core::Secret;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    Environment, Fetch, FetchBounds, FetchError, SecretRef,
    manager::{check_address, check_credential},
};
use crate::clock::Clock;
pub use aws::AwsConfig;
pub use azure::AzureConfig;
pub use gcp::GcpConfig;

/// Whose secret manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cloud {
    /// AWS Secrets Manager: `aws:name` or `aws:name#field`.
    Aws,
    /// GCP Secret Manager: `gcp:name` or `gcp:name#version`.
    Gcp,
    /// Azure Key Vault: `azure:name` or `azure:name#version`.
    Azure,
}

impl Cloud {
    /// Every cloud.
    pub const ALL: [Self; 3] = [Self::Aws, Self::Gcp, Self::Azure];

    /// The name in references and under `secrets`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Gcp => "gcp",
            Self::Azure => "azure",
        }
    }
}

/// The managers that the configuration names.
#[derive(Clone, Debug, Default)]
pub struct CloudConfigs {
    /// AWS.
    pub aws: Option<AwsConfig>,
    /// GCP.
    pub gcp: Option<GcpConfig>,
    /// Azure.
    pub azure: Option<AzureConfig>,
}

impl CloudConfigs {
    /// Every host that may be asked.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        let mut urls = Vec::new();
        urls.extend(self.aws.iter().map(AwsConfig::address));
        urls.extend(self.gcp.iter().flat_map(GcpConfig::urls));
        urls.extend(self.azure.iter().flat_map(AzureConfig::urls));
        urls
    }

    pub(super) fn check(&self, mistakes: &mut Vec<(String, String)>) {
        let mut say = |at: &str, what: String| mistakes.push((at.to_owned(), what));
        if let Some(aws) = &self.aws {
            aws.check(&mut say);
        }
        if let Some(gcp) = &self.gcp {
            gcp.check(&mut say);
        }
        if let Some(azure) = &self.azure {
            azure.check(&mut say);
        }
    }
}

/// Clients of the managers.
pub struct Clouds {
    configs: CloudConfigs,
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Clock>,
}

/// Why a manager gave nothing. Its words are not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloudError {
    /// It is not configured.
    #[error("`secrets.{}` is not configured", .0.as_str())]
    NotConfigured(Cloud),
    /// The credential for it cannot be read.
    #[error("the credential for the secret manager cannot be read")]
    Credential,
    /// No answer.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The name is not one that it can have.
    #[error(
        "a name there has letters, digits, and `-_./+=@`, and perhaps `#` with a field or version"
    )]
    Name,
    /// The credential does not allow it.
    #[error("the secret manager refused the credential")]
    Forbidden,
    /// Nothing of that name.
    #[error("the secret manager has nothing of that name")]
    NotFound,
    /// Out of order.
    #[error("the secret manager answered with status {0}")]
    Status(u16),
    /// Not what its documentation says.
    #[error("the secret manager's answer cannot be read")]
    Answer,
}

impl std::fmt::Debug for Clouds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clouds").finish_non_exhaustive()
    }
}

impl Clouds {
    /// Clients that ask through `fetch`; the time is part of AWS's signature.
    #[must_use]
    pub fn new(configs: CloudConfigs, fetch: Arc<dyn Fetch>, clock: Arc<dyn Clock>) -> Self {
        Self {
            configs,
            fetch,
            clock,
        }
    }

    /// The secret of that name.
    ///
    /// # Errors
    /// When the manager does not give it.
    pub async fn read(
        &self,
        cloud: Cloud,
        place: &str,
        environment: &dyn Environment,
    ) -> Result<Secret<String>, CloudError> {
        let (name, part) = match place.split_once('#') {
            Some((name, part)) => (check_name(name)?, Some(check_name(part)?)),
            None => (check_name(place)?, None),
        };
        let missing = CloudError::NotConfigured(cloud);
        let configs = &self.configs;
        match cloud {
            Cloud::Aws => {
                let config = configs.aws.as_ref().ok_or(missing)?;
                let now = self.clock.unix_ms();
                config
                    .read(&*self.fetch, environment, now, name, part)
                    .await
            }
            Cloud::Gcp => {
                let config = configs.gcp.as_ref().ok_or(missing)?;
                config.read(&*self.fetch, environment, name, part).await
            }
            Cloud::Azure => {
                let config = configs.azure.as_ref().ok_or(missing)?;
                config.read(&*self.fetch, environment, name, part).await
            }
        }
    }
}

/// Sends a request and reads the JSON of its answer.
async fn ask<T: DeserializeOwned>(
    fetch: &dyn Fetch,
    request: Request<Bytes>,
) -> Result<T, CloudError> {
    let answer = fetch.fetch(request, FetchBounds::default()).await?;
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(CloudError::Forbidden),
        StatusCode::NOT_FOUND => return Err(CloudError::NotFound),
        // AWS names what it does not have so.
        StatusCode::BAD_REQUEST if says_not_found(answer.body()) => {
            return Err(CloudError::NotFound);
        }
        other => return Err(CloudError::Status(other.as_u16())),
    }
    serde_json::from_slice(answer.body()).map_err(|_| CloudError::Answer)
}

fn says_not_found(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Told {
        #[serde(rename = "__type")]
        kind: String,
    }
    let told: Option<Told> = serde_json::from_slice(body).ok();
    told.is_some_and(|told| told.kind.ends_with("ResourceNotFoundException"))
}

/// A token for `Authorization: Bearer`: of the configuration, or of the machine's metadata service.
async fn bearer(
    fetch: &dyn Fetch,
    environment: &dyn Environment,
    token: Option<&SecretRef>,
    metadata: Request<Bytes>,
) -> Result<HeaderValue, CloudError> {
    #[derive(Deserialize)]
    struct Given {
        access_token: String,
    }
    let token = match token {
        Some(token) => token
            .local(environment)
            .map_err(|_| CloudError::Credential)?,
        None => {
            let given: Given = ask(fetch, metadata).await?;
            Secret::new(given.access_token)
        }
    };
    let text = Secret::new(format!("Bearer {}", token.expose().trim()));
    let mut header = HeaderValue::from_str(text.expose()).map_err(|_| CloudError::Credential)?;
    header.set_sensitive(true);
    Ok(header)
}

/// A `GET` with one header.
fn get(uri: String, name: HeaderName, value: HeaderValue) -> Result<Request<Bytes>, CloudError> {
    Request::builder()
        .uri(uri)
        .header(name, value)
        .body(Bytes::new())
        .map_err(|_| CloudError::Name)
}

/// A name and a version that are one segment of a path each.
fn check_segments(name: &str, version: Option<&str>) -> Result<(), CloudError> {
    let mut segments = version.into_iter().chain([name]);
    if segments.any(|segment| segment.contains('/')) {
        return Err(CloudError::Name);
    }
    Ok(())
}

/// Where machines in AWS, GCP, and Azure ask about themselves.
const METADATA: &str = "http://169.254.169.254";

/// Names stand in paths and bodies.
fn check_name(name: &str) -> Result<&str, CloudError> {
    let plain = |step: &str| {
        !matches!(step, "" | "." | "..")
            && step
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.+=@".contains(&b))
    };
    if (1..=512).contains(&name.len()) && name.split('/').all(plain) {
        Ok(name)
    } else {
        Err(CloudError::Name)
    }
}

#[cfg(test)]
mod tests;
