use std::{path::Path, sync::Arc, time::Duration};

use bartizan_access::Use;
use bartizan_ledger::Signer;

use super::{Ground, StartError, ground::placed};
use crate::{
    clock::Clock,
    config::Config,
    content::SealedContent,
    identity::{ApiKeys, KeyError},
    key_desk::KeyDesk,
    record::{LEDGER_OF_COMMANDS, MlAudit, Recorder, What},
    secrets::{Environment, Purpose},
    store::StoreError,
};

/// What a gateway keeps, without the gateway: for commands, also while it runs.
///
/// Makes neither a database nor a master key: a command in the wrong folder or of the wrong user
/// must not make keys that no gateway takes.
pub struct AtRest {
    ground: Ground,
    clock: Arc<dyn Clock>,
}

/// The folder of the events of commands, beside the journal that the gateway holds.
const JOURNAL: &str = "journal-commands";

impl AtRest {
    /// Opens what a gateway with `config` keeps in `data`. Needs a tokio runtime.
    ///
    /// # Errors
    /// When no gateway was ever started there, it belongs to another user, or it cannot be opened.
    pub async fn open(
        config: &Config,
        data: &Path,
        environment: &dyn Environment,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let mistakes = config.mistakes();
        if !mistakes.is_empty() {
            return Err(StartError::Config(mistakes));
        }
        let store = placed(config, data);
        if !store.place.is_postgres() {
            is_own(Path::new(store.place.expose()))?;
        }
        if let Some(path) = config.secrets.master_key.missing_file(environment, data) {
            return Err(StartError::NoMasterKey(path));
        }
        let ground = Ground::open(config, data, environment, &clock).await?;
        Ok(Self { ground, clock })
    }

    /// The keys of the database.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn keys(&self) -> Result<ApiKeys, KeyError> {
        let pepper = self.ground.keyring.derive(Purpose::ApiKeyPepper);
        let store = self.ground.store.clone();
        // Nobody is let in by them here, so that none grow stale.
        ApiKeys::open(store, &pepper, &[], Duration::MAX, Arc::clone(&self.clock)).await
    }

    /// The key that signs for the ledger of that name; `None` if nobody may have that name.
    #[must_use]
    pub fn ledger_signer(&self, name: &str) -> Option<Signer> {
        let seed = self.ground.keyring.derive(Purpose::Ledger);
        Signer::new(name, seed.expose())
    }

    /// The contents that are kept.
    #[must_use]
    pub fn sealed_content(&self) -> SealedContent {
        self.ground.sealed_content()
    }

    /// Records that somebody took a copy of the record from the command line.
    ///
    /// # Errors
    /// When it cannot be recorded.
    pub async fn note_export(&self, config: &Config, data: &Path) -> Result<(), StartError> {
        let recorder = self.recorder(config, data).await?;
        recorder.note(What::MlAudit(Box::new(MlAudit {
            event_type: "data_access".into(),
            user_id: "command-line".into(),
            action: "export".into(),
            resource: "ledger".into(),
            status: "success".into(),
            ..MlAudit::default()
        })));
        recorder.close().await;
        Ok(())
    }

    /// Which rights the record shows in use since `from_ms`, in milliseconds since 1970.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn uses(&self, from_ms: u64) -> Result<Vec<Use>, StoreError> {
        super::uses::uses(&self.ground.store, from_ms).await
    }

    /// Where keys are made and withdrawn. What is done is recorded; [`KeyDesk::close`] waits for it.
    ///
    /// # Errors
    /// When keys cannot be read, or another command is at it.
    pub async fn key_desk(&self, config: &Config, data: &Path) -> Result<KeyDesk, StartError> {
        let keys = Arc::new(self.keys().await?);
        let recorder = self.recorder(config, data).await?;
        Ok(KeyDesk::new(keys, recorder))
    }

    /// The record of commands.
    async fn recorder(&self, config: &Config, data: &Path) -> Result<Recorder, StartError> {
        let recorder = Recorder::open(
            config.record.clone(),
            &data.join(JOURNAL),
            self.ground
                .audit(config, &data.join(LEDGER_OF_COMMANDS))
                .await?,
            self.ground.keyring.derive(Purpose::AuditHash).expose(),
            Arc::clone(&self.clock),
            Vec::new(),
        )
        .await?;
        Ok(recorder)
    }
}

/// That the file is there and is ours: files that SQLite makes beside it belong to whoever opens it.
fn is_own(path: &Path) -> Result<(), StartError> {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(metadata) = path.metadata() else {
        return Err(StartError::NoDatabase(path.to_owned()));
    };
    let owner = metadata.uid();
    if owner == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(StartError::OtherUser {
        path: path.to_owned(),
        owner,
    })
}
