//! Where keys are made, renewed, and withdrawn: over HTTP and from the command line.

use std::{sync::Arc, time::Duration};

use crate::{
    fault::Fault,
    identity::{ApiKeys, KeyError, KeyInfo, KeySpec, NewKey},
    record::{KeyManagement, Label, Recorder, What},
};

/// Manages the keys of the database, and has everything recorded.
pub struct KeyDesk {
    keys: Arc<ApiKeys>,
    recorder: Recorder,
}

/// Why a key is not managed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyDeskError {
    /// The key, or the database.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// It was done, and could not be recorded.
    #[error("the change was made, but it cannot be recorded; a new key is not shown then")]
    Record(Fault),
}

impl From<KeyDeskError> for Fault {
    fn from(error: KeyDeskError) -> Self {
        match error {
            KeyDeskError::Key(error) => error.into(),
            KeyDeskError::Record(fault) => fault,
        }
    }
}

impl KeyDesk {
    /// A desk for these keys and this record.
    #[must_use]
    pub const fn new(keys: Arc<ApiKeys>, recorder: Recorder) -> Self {
        Self { keys, recorder }
    }

    /// Every key, oldest first, revoked ones too.
    ///
    /// # Errors
    /// When the database failed.
    pub async fn list(&self) -> Result<Vec<KeyInfo>, KeyDeskError> {
        Ok(self.keys.list().await?)
    }

    /// Makes a key; `by` is who wants it.
    ///
    /// # Errors
    /// When `spec` is wrong, the database failed, or the record has no room.
    pub async fn create(&self, by: &Arc<str>, spec: &KeySpec) -> Result<NewKey, KeyDeskError> {
        let new = self.keys.create(spec).await?;
        self.record(by, "create", &new.info.id).await?;
        Ok(new)
    }

    /// Gives a key a new secret; what it had works for `overlap` more.
    ///
    /// # Errors
    /// When there is no such key, the database failed, or the record has no room.
    pub async fn rotate(
        &self,
        by: &Arc<str>,
        id: &str,
        overlap: Duration,
    ) -> Result<NewKey, KeyDeskError> {
        let new = self.keys.rotate(id, overlap).await?;
        self.record(by, "rotate", id).await?;
        Ok(new)
    }

    /// Revokes a key: at once in this process, elsewhere when the database is next looked at
    /// ([`poll_ms`](crate::identity::IdentityConfig::poll_ms)).
    ///
    /// # Errors
    /// When there is no such key that is valid, the database failed, or the record has no room.
    pub async fn revoke(&self, by: &Arc<str>, id: &str) -> Result<(), KeyDeskError> {
        if !self.keys.revoke(id).await? {
            return Err(KeyError::NotFound.into());
        }
        self.record(by, "revoke", id).await
    }

    /// Moves what was recorded into the database, for a process that ends.
    pub async fn close(self) {
        self.recorder.close().await;
    }

    async fn record(
        &self,
        by: &Arc<str>,
        action: &'static str,
        key_id: &str,
    ) -> Result<(), KeyDeskError> {
        let event = KeyManagement {
            user_id: by.into(),
            action: action.into(),
            key_id: Label::Known(key_id.into()),
        };
        let kept = self.recorder.emit(What::KeyManagement(event)).await;
        kept.map_err(KeyDeskError::Record)
    }
}
