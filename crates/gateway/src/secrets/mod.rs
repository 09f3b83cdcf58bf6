//! Keys of upstreams and of the gateway, sealed at rest.
//!
//! One master key, kept away from the database, seals what lies in it ([`KeyStore`]). Under it lies
//! one random root, from which every key of the gateway's own is derived ([`Keyring`]): a new master
//! key seals the root anew and changes no derived key, so that API keys go on working.

mod cloud;
mod fernet;
mod fetch;
mod key_store;
mod keyring;
mod manager;
mod master;
mod reference;
mod seal;
mod vault;

pub use cloud::{AwsConfig, AzureConfig, Cloud, CloudConfigs, CloudError, Clouds, GcpConfig};
pub use fernet::{FernetError, FernetKey};
pub use fetch::{Fetch, FetchBounds, FetchError};
pub use key_store::{KeyStore, KeyStoreError, StoredSecret};
pub use keyring::{Keyring, Purpose};
pub use master::{MasterConfig, MasterError, MasterKey, Opener, Place};
pub use reference::{Environment, ProcessEnvironment, Resolver, SecretError, SecretRef};
pub(crate) use seal::{SealError, open, seal};
pub use vault::{Vault, VaultConfig, VaultError};

use schemars::JsonSchema;
use serde::Deserialize;

/// Where secrets come from: the `secrets` block of `bartizan.yaml`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct SecretsConfig {
    /// Where the master key comes from; a file of its own by default.
    pub master_key: MasterConfig,
    /// A HashiCorp Vault (or OpenBao) for `vault:` references and master keys.
    pub vault: Option<VaultConfig>,
    /// AWS Secrets Manager, for `aws:` references.
    pub aws: Option<AwsConfig>,
    /// GCP Secret Manager, for `gcp:` references.
    pub gcp: Option<GcpConfig>,
    /// Azure Key Vault, for `azure:` references.
    pub azure: Option<AzureConfig>,
    /// Take secrets that stand in the configuration as plain text. Whoever reads the file, its
    /// backups, or its history has them; meant for tests.
    pub dangerously_allow_plain_text: bool,
}

impl SecretsConfig {
    /// The secret managers of clouds.
    #[must_use]
    pub fn clouds(&self) -> CloudConfigs {
        CloudConfigs {
            aws: self.aws.clone(),
            gcp: self.gcp.clone(),
            azure: self.azure.clone(),
        }
    }

    /// Every mistake, as the place in `secrets` and what is wrong.
    #[must_use]
    pub fn mistakes(&self) -> Vec<(String, String)> {
        let mut mistakes = Vec::new();
        if let Some(vault) = &self.vault {
            vault.check(&mut mistakes);
        }
        self.clouds().check(&mut mistakes);
        self.master_key.check(self.vault.is_some(), &mut mistakes);
        mistakes
    }
}
