use std::sync::Arc;

use bartizan_core::Secret;

use crate::{
    adapters,
    clock::Clock,
    config::Mistake,
    secrets::{
        Clouds, Environment, MasterError, MasterKey, Resolver, SecretError, SecretRef,
        SecretsConfig, Vault, VaultError,
    },
};

/// Keys of files at rest, from every place where the gateway's own secrets may lie but its database.
pub struct FileKeys<'a> {
    config: &'a SecretsConfig,
    environment: &'a dyn Environment,
    clouds: Option<Clouds>,
}

/// Why there is no key for a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileKeyError {
    /// What is named gives no secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The secret is no key.
    #[error(transparent)]
    Key(#[from] MasterError),
    /// Vault's transit engine gave none.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The configuration of a secret manager is wrong.
    #[error("`{}`: {}", .0.path, .0.message)]
    Config(Mistake),
}

impl<'a> FileKeys<'a> {
    /// Keys as `secrets` of the configuration says where they are; nothing is asked yet.
    ///
    /// # Errors
    /// When the configuration of a cloud's secret manager is wrong.
    pub fn new(
        config: &'a SecretsConfig,
        environment: &'a dyn Environment,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, FileKeyError> {
        Ok(Self {
            config,
            environment,
            clouds: adapters::clouds(config, clock).map_err(FileKeyError::Config)?,
        })
    }

    /// The key of files under 32 bytes that `reference` names, in base64 or hexadecimal digits, or as a
    /// master key's file has them. It is derived, so that a master key may be named.
    ///
    /// # Errors
    /// When there is none.
    pub async fn key(&self, reference: &SecretRef) -> Result<Secret<[u8; 32]>, FileKeyError> {
        let text = self.secret(reference).await?;
        Ok(MasterKey::parse(&text)?.for_files())
    }

    /// The key of files under a passphrase that `reference` names, stretched by Argon2id.
    ///
    /// # Errors
    /// When there is none, or it has fewer than 12 characters.
    pub async fn passphrase(
        &self,
        reference: &SecretRef,
        salt: &[u8; 16],
    ) -> Result<Secret<[u8; 32]>, FileKeyError> {
        let text = self.secret(reference).await?;
        Ok(MasterKey::of_passphrase(&text, salt)?.for_files())
    }

    /// A new key of a file that Vault's transit engine made, and what the engine needs to give it
    /// again.
    ///
    /// # Errors
    /// When Vault gives none.
    pub async fn new_data_key(
        &self,
        mount: &str,
        key: &str,
    ) -> Result<(String, Secret<[u8; 32]>), FileKeyError> {
        let token = self.vault()?.new_data_key(mount, key).await?;
        let data_key = self.data_key(mount, key, &token).await?;
        Ok((token, data_key))
    }

    /// The key of a file that Vault's transit engine gives for `token`.
    ///
    /// # Errors
    /// When Vault does not give it.
    pub async fn data_key(
        &self,
        mount: &str,
        key: &str,
        token: &str,
    ) -> Result<Secret<[u8; 32]>, FileKeyError> {
        let plain = self.vault()?.decrypt(mount, key, token).await?;
        let bytes = plain.expose().as_slice().try_into();
        Ok(Secret::new(bytes.map_err(|_| MasterError::Malformed)?))
    }

    async fn secret(&self, reference: &SecretRef) -> Result<Secret<String>, FileKeyError> {
        let vault = match reference {
            SecretRef::Vault(_) => Some(self.vault()?),
            _ => None,
        };
        let resolver = Resolver {
            environment: self.environment,
            keys: None,
            vault: vault.as_ref(),
            clouds: self.clouds.as_ref(),
            // On a command line everybody on the machine reads it.
            allow_plain_text: false,
        };
        Ok(resolver.resolve(reference).await?)
    }

    fn vault(&self) -> Result<Vault, FileKeyError> {
        let config = self.config.vault.as_ref().ok_or(SecretError::NoVault)?;
        Ok(adapters::vault(config, self.environment)?)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::clock::SystemClock;

    #[tokio::test]
    async fn keys_come_from_places_and_never_from_the_command_line() {
        let environment = HashMap::from([
            ("HEX".to_owned(), "0f".repeat(32)),
            ("WORDS".to_owned(), "correct horse battery".to_owned()),
            ("SHORT".to_owned(), "too short".to_owned()),
        ]);
        let config = SecretsConfig::default();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let keys = FileKeys::new(&config, &environment, &clock).unwrap();
        let name = |text: &str| SecretRef::parse(text.to_owned());
        let key = keys.key(&name("env:HEX")).await.unwrap();
        assert_ne!(*key.expose(), [0x0f; 32]);
        let words = name("env:WORDS");
        let first = keys.passphrase(&words, &[1; 16]).await.unwrap();
        let second = keys.passphrase(&words, &[2; 16]).await.unwrap();
        assert_ne!(first.expose(), second.expose());
        for (reference, is_passphrase) in [
            ("env:NONE", false),
            ("env:WORDS", false),
            ("env:SHORT", true),
            ("vault:secret/models#key", false),
            ("store:models", false),
        ] {
            let reference = name(reference);
            let got = if is_passphrase {
                keys.passphrase(&reference, &[1; 16]).await
            } else {
                keys.key(&reference).await
            };
            assert!(got.is_err(), "{reference}");
        }
        let plain = "0f".repeat(32);
        let error = keys.key(&name(&plain)).await.unwrap_err();
        assert!(!error.to_string().contains(&plain));
        assert!(keys.new_data_key("transit", "models").await.is_err());
    }
}
