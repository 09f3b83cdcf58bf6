use bartizan_core::Secret;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, header};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    CloudError, Environment, Fetch, METADATA, SecretRef, ask, bearer, check_address,
    check_credential, check_segments, get,
};

/// GCP Secret Manager, for `gcp:name` and `gcp:name#version`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GcpConfig {
    /// The project, by id or number.
    pub project: String,
    /// An access token, as `env:NAME` or `file:/path`. Left out: that of the machine's own service
    /// account, from the metadata service.
    #[serde(default)]
    pub token: Option<SecretRef>,
    /// Another address than `https://secretmanager.googleapis.com`.
    #[serde(default)]
    pub address: Option<String>,
}

#[derive(Deserialize)]
struct Version {
    payload: Payload,
}

#[derive(Deserialize)]
struct Payload {
    data: String,
}

impl GcpConfig {
    fn address(&self) -> String {
        let address = self.address.as_deref();
        let address = address.unwrap_or("https://secretmanager.googleapis.com");
        address.trim_end_matches('/').to_owned()
    }

    pub(super) fn urls(&self) -> Vec<String> {
        let metadata = self.token.is_none().then(|| METADATA.to_owned());
        metadata.into_iter().chain([self.address()]).collect()
    }

    pub(super) fn check(&self, say: &mut dyn FnMut(&str, String)) {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-:.".contains(&b);
        if self.project.is_empty() || !self.project.bytes().all(plain) {
            let project = &self.project;
            say("gcp.project", format!("`{project}` is not a project"));
        }
        if let Some(token) = &self.token {
            check_credential("gcp.token", token, say);
        }
        if let Some(address) = &self.address {
            check_address("gcp.address", address, say);
        }
    }

    /// `projects.secrets.versions.access`: the latest version, or the one that is named.
    pub(super) async fn read(
        &self,
        fetch: &dyn Fetch,
        environment: &dyn Environment,
        name: &str,
        version: Option<&str>,
    ) -> Result<Secret<String>, CloudError> {
        check_segments(name, version)?;
        let asked = get(
            format!("{METADATA}/computeMetadata/v1/instance/service-accounts/default/token"),
            HeaderName::from_static("metadata-flavor"),
            HeaderValue::from_static("Google"),
        )?;
        let token = bearer(fetch, environment, self.token.as_ref(), asked).await?;
        let version = version.unwrap_or("latest");
        let uri = format!(
            "{}/v1/projects/{}/secrets/{name}/versions/{version}:access",
            self.address(),
            self.project
        );
        let request = get(uri, header::AUTHORIZATION, token)?;
        let version: Version = ask(fetch, request).await?;
        let encoded = Secret::new(version.payload.data);
        let bytes = STANDARD
            .decode(encoded.expose())
            .map_err(|_| CloudError::Answer)?;
        let text = String::from_utf8(bytes).map_err(|_| CloudError::Answer)?;
        Ok(Secret::new(text))
    }
}
