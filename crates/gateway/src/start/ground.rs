use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::StartError;
use crate::{
    adapters,
    clock::Clock,
    config::Config,
    content::SealedContent,
    record::{AuditStore, Ledgered, SqlAudit},
    secrets::{
        Clouds, Environment, KeyStore, Keyring, MasterKey, Opener, Place, Purpose, Resolver, Vault,
    },
    store::{self, Store, StoreConfig},
};

/// Everything that a gateway keeps over a reload.
pub(super) struct Ground {
    pub(super) store: Store,
    pub(super) keys: KeyStore,
    pub(super) keyring: Keyring,
    pub(super) vault: Option<Vault>,
    pub(super) clouds: Option<Clouds>,
    pub(super) master_key_made: Option<PathBuf>,
}

/// Where the database is: in the data folder if nothing else is said.
#[must_use]
pub fn placed(config: &Config, data: &Path) -> StoreConfig {
    let mut placed = config.store.clone();
    if placed.place.is_empty() {
        let file = data.join("bartizan.db");
        placed.place = store::Place::new(file.display().to_string());
    }
    placed
}

impl Ground {
    pub(super) async fn open(
        config: &Config,
        data: &Path,
        environment: &dyn Environment,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let placed = placed(config, data);
        let store = Store::open_with(&placed).await?;
        let vault =
            match &config.secrets.vault {
                Some(vault) => Some(adapters::vault(vault, environment).map_err(|source| {
                    StartError::Secret {
                        path: "secrets.vault".to_owned(),
                        source,
                    }
                })?),
                None => None,
            };
        let opener = Opener {
            environment,
            data,
            store: &store,
            vault: vault.as_ref(),
        };
        let (master, place) = MasterKey::open(&config.secrets.master_key, &opener).await?;
        let keys = KeyStore::open(store.clone(), master, Arc::clone(clock)).await?;
        let keyring = keys.keyring().await?;
        Ok(Self {
            store,
            keys,
            keyring,
            vault,
            clouds: adapters::clouds(&config.secrets, clock)
                .map_err(|mistake| StartError::Config(vec![mistake]))?,
            master_key_made: match place {
                Place::Made(path) => Some(path),
                Place::Found => None,
            },
        })
    }

    /// Where events are kept: the database and, unless it is turned off, the ledger in `folder`.
    pub(super) async fn audit(
        &self,
        config: &Config,
        folder: &Path,
    ) -> Result<Arc<dyn AuditStore>, StartError> {
        let sql = Arc::new(SqlAudit::new(self.store.clone()));
        if !config.record.ledger.enabled {
            return Ok(sql);
        }
        let seed = self.keyring.derive(Purpose::Ledger);
        let ledgered = Ledgered::open(sql, &config.record.ledger, folder, &seed).await?;
        Ok(Arc::new(ledgered))
    }

    pub(super) fn sealed_content(&self) -> SealedContent {
        SealedContent::new(self.store.clone(), self.keyring.derive(Purpose::Content))
    }

    pub(super) fn resolver<'a>(
        &'a self,
        config: &Config,
        environment: &'a dyn Environment,
    ) -> Resolver<'a> {
        Resolver {
            environment,
            keys: Some(&self.keys),
            vault: self.vault.as_ref(),
            clouds: self.clouds.as_ref(),
            allow_plain_text: config.secrets.dangerously_allow_plain_text,
        }
    }
}
