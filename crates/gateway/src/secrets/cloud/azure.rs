use bartizan_core::Secret;
use http::{HeaderName, HeaderValue, header};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    CloudError, Environment, Fetch, METADATA, SecretRef, ask, bearer, check_address,
    check_credential, check_segments, get,
};

/// Azure Key Vault, for `azure:name` and `azure:name#version`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AzureConfig {
    /// The vault's address, e.g. `https://my-vault.vault.azure.net`.
    pub address: String,
    /// An access token, as `env:NAME` or `file:/path`. Left out: that of the machine's managed
    /// identity, from the metadata service.
    #[serde(default)]
    pub token: Option<SecretRef>,
}

const API_VERSION: &str = "7.4";

#[derive(Deserialize)]
struct Bundle {
    value: String,
}

impl AzureConfig {
    fn address(&self) -> &str {
        self.address.trim_end_matches('/')
    }

    pub(super) fn urls(&self) -> Vec<String> {
        let metadata = self.token.is_none().then(|| METADATA.to_owned());
        let address = self.address().to_owned();
        metadata.into_iter().chain([address]).collect()
    }

    pub(super) fn check(&self, say: &mut dyn FnMut(&str, String)) {
        check_address("azure.address", &self.address, say);
        if let Some(token) = &self.token {
            check_credential("azure.token", token, say);
        }
    }

    /// `Get Secret`: the current version, or the one that is named.
    pub(super) async fn read(
        &self,
        fetch: &dyn Fetch,
        environment: &dyn Environment,
        name: &str,
        version: Option<&str>,
    ) -> Result<Secret<String>, CloudError> {
        check_segments(name, version)?;
        let asked = get(
            format!(
                "{METADATA}/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net"
            ),
            HeaderName::from_static("metadata"),
            HeaderValue::from_static("true"),
        )?;
        let token = bearer(fetch, environment, self.token.as_ref(), asked).await?;
        let version = version.map(|version| format!("/{version}"));
        let uri = format!(
            "{}/secrets/{name}{}?api-version={API_VERSION}",
            self.address(),
            version.unwrap_or_default()
        );
        let request = get(uri, header::AUTHORIZATION, token)?;
        let bundle: Bundle = ask(fetch, request).await?;
        Ok(Secret::new(bundle.value))
    }
}
