use std::sync::Arc;

use bartizan_core::Secret;
use bartizan_govern::{Holds, SubjectHash};
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, Row as _};

use super::Content;
use crate::{
    record::{At, RequestId},
    secrets::{SealError, open, seal},
    store::{Step, Store, StoreError, signed, with_pool},
};

/// Sealed contents, and the key of each subject.
///
/// A content is sealed with AES-256-GCM under a random key of its subject, which is sealed under a
/// key of the master's. Erasing somebody destroys their key and removes what it sealed. Copies of
/// the database that are older have both: restoring one erases anew, see `bartizan restore`.
#[derive(Clone)]
pub struct SealedContent {
    store: Store,
    /// Seals subjects' keys.
    wrap: Arc<Secret<[u8; 32]>>,
}

/// Why a content cannot be kept or shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key or a content does not open: another master key, or changed bytes.
    #[error("a sealed content cannot be opened with this master key")]
    Sealed,
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Random,
    /// SQLite could not write its log back, so that removed bytes are still in it.
    #[error("the database is busy, and its log still holds removed contents; hint: try again")]
    Busy,
}

impl From<SealError> for ContentError {
    fn from(_: SealError) -> Self {
        Self::Sealed
    }
}

impl From<sqlx::Error> for ContentError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

pub(super) const TABLES: Step = Step {
    sqlite: "
CREATE TABLE subject_keys (
    subject TEXT PRIMARY KEY,
    sealed TEXT NOT NULL,
    created_ms BIGINT NOT NULL
);
CREATE TABLE sealed_content (
    number INTEGER PRIMARY KEY,
    subject TEXT NOT NULL,
    request_id BLOB NOT NULL,
    side TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    sealed TEXT NOT NULL
);
CREATE INDEX sealed_content_subject ON sealed_content (subject);
CREATE INDEX sealed_content_at ON sealed_content (at_ms);
",
    postgres: "
CREATE TABLE subject_keys (
    subject TEXT PRIMARY KEY,
    sealed TEXT NOT NULL,
    created_ms BIGINT NOT NULL
);
CREATE TABLE sealed_content (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject TEXT NOT NULL,
    request_id BYTEA NOT NULL,
    side TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    sealed TEXT NOT NULL
);
CREATE INDEX sealed_content_subject ON sealed_content (subject);
CREATE INDEX sealed_content_at ON sealed_content (at_ms);
",
};

const KEY: &str = "SELECT sealed FROM subject_keys WHERE subject = $1";
const NEW_KEY: &str = "INSERT INTO subject_keys (subject, sealed, created_ms) VALUES ($1, $2, $3) \
     ON CONFLICT (subject) DO NOTHING";
const ADD: &str = "INSERT INTO sealed_content (subject, request_id, side, at_ms, sealed) \
     VALUES ($1, $2, $3, $4, $5)";
const OF: &str = "SELECT request_id, side, at_ms, sealed FROM sealed_content \
     WHERE subject = $1 ORDER BY number";
const COUNT: &str = "SELECT (SELECT count(*) FROM sealed_content WHERE subject = $1) \
     + (SELECT count(*) FROM subject_keys WHERE subject = $1)";
const FORGET: [&str; 2] = [
    "DELETE FROM subject_keys WHERE subject = $1",
    "DELETE FROM sealed_content WHERE subject = $1",
];
const OLD: &str = "SELECT subject, count(*) FROM sealed_content WHERE at_ms < $1 GROUP BY subject";
const REMOVE_OLD: &str = "DELETE FROM sealed_content WHERE at_ms < $1 AND subject = $2";

impl SealedContent {
    /// The contents in `store`, whose subjects' keys are sealed under `wrap`.
    #[must_use]
    pub fn new(store: Store, wrap: Secret<[u8; 32]>) -> Self {
        Self {
            store,
            wrap: Arc::new(wrap),
        }
    }

    #[cfg(test)]
    pub(super) const fn store(&self) -> &Store {
        &self.store
    }

    /// Seals a content and keeps it.
    pub(crate) async fn keep(&self, content: &Content) -> Result<(), ContentError> {
        let subject = &content.subject;
        let key = self.key(subject, content.at_ms).await?;
        let begin = self.store.begin();
        let mut rows = Vec::new();
        for (side, text) in [("input", &content.input), ("output", &content.output)] {
            if !text.is_empty() {
                let name = name(content.request_id, side);
                rows.push((side, seal(key.expose(), &name, text)?));
            }
        }
        with_pool!(&self.store, pool => {
            let mut transaction = pool.begin_with(begin).await?;
            for (side, sealed) in &rows {
                let add = sqlx::query(ADD)
                    .bind(subject.as_str())
                    .bind(content.request_id.as_bytes().as_slice())
                    .bind(*side)
                    .bind(signed(content.at_ms))
                    .bind(sealed.as_str());
                transaction.execute(add).await?;
            }
            transaction.commit().await?;
        });
        Ok(())
    }

    /// How many contents of somebody are kept; their key counts as one.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn count(&self, subject: &SubjectHash) -> Result<u64, ContentError> {
        let count: i64 = with_pool!(&self.store, pool => {
            sqlx::query_scalar(COUNT).bind(subject.as_str()).fetch_one(pool).await?
        });
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// As [`forget`].
    ///
    /// # Errors
    /// As [`forget`].
    pub async fn erase(&self, subject: &SubjectHash) -> Result<u64, ContentError> {
        forget(&self.store, subject).await
    }

    /// Everything that is kept of somebody, opened.
    ///
    /// # Errors
    /// When the database refuses, or something does not open.
    pub async fn export(&self, subject: &SubjectHash) -> Result<Vec<Value>, ContentError> {
        let Some(key) = self.known_key(subject).await? else {
            return Ok(Vec::new());
        };
        let rows: Vec<(Vec<u8>, String, i64, String)> = with_pool!(&self.store, pool => {
            sqlx::query_as(OF).bind(subject.as_str()).fetch_all(pool).await?
        });
        let mut all = Vec::new();
        for (id, side, at_ms, sealed) in rows {
            let id = <[u8; 16]>::try_from(id).map_err(|_| StoreError::Row)?;
            let id = RequestId::from_bytes(id);
            let text = open(key.expose(), &name(id, &side), &sealed)?;
            all.push(json!({
                "request_id": id,
                "side": side,
                "at": At(u64::try_from(at_ms).unwrap_or(0)),
                "content": String::from_utf8_lossy(text.expose()),
            }));
        }
        Ok(all)
    }

    /// How many contents are older than `before_ms`, and how many of them are held.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn count_old(
        &self,
        before_ms: i64,
        holds: &Holds,
    ) -> Result<(u64, u64), ContentError> {
        let old = self.old(before_ms).await?;
        let held = old
            .iter()
            .filter(|(whom, _)| holds.of_subject(whom).is_some());
        let held = held.map(|(_, rows)| rows).sum();
        Ok((old.iter().map(|(_, rows)| rows).sum(), held))
    }

    /// Removes those that are older and not held; says how many.
    ///
    /// # Errors
    /// As [`Self::erase`].
    pub async fn remove_old(&self, before_ms: i64, holds: &Holds) -> Result<u64, ContentError> {
        let old = self.old(before_ms).await?;
        let mut removed = 0;
        for (subject, _) in old {
            if holds.of_subject(&subject).is_some() {
                continue;
            }
            with_pool!(&self.store, pool => {
                let mut connection = pool.acquire().await?;
                if matches!(self.store, Store::Sqlite(_)) {
                    connection.execute("PRAGMA secure_delete = ON").await?;
                }
                let remove = sqlx::query(REMOVE_OLD).bind(before_ms).bind(subject.as_str());
                removed += connection.execute(remove).await?.rows_affected();
            });
        }
        settle(&self.store).await?;
        Ok(removed)
    }

    async fn old(&self, before_ms: i64) -> Result<Vec<(SubjectHash, u64)>, ContentError> {
        let rows: Vec<(String, i64)> = with_pool!(&self.store, pool => {
            sqlx::query_as(OLD).bind(before_ms).fetch_all(pool).await?
        });
        let row = |(subject, rows): (String, i64)| {
            let subject = SubjectHash::try_from(subject).map_err(|_| StoreError::Row)?;
            Ok((subject, u64::try_from(rows).unwrap_or(0)))
        };
        rows.into_iter().map(row).collect()
    }

    /// Somebody's key; made if there is none.
    async fn key(
        &self,
        subject: &SubjectHash,
        now_ms: u64,
    ) -> Result<Secret<[u8; 32]>, ContentError> {
        if let Some(key) = self.known_key(subject).await? {
            return Ok(key);
        }
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|_| ContentError::Random)?;
        let key = Secret::new(key);
        let sealed = seal(self.wrap.expose(), subject.as_str(), key.expose())?;
        with_pool!(&self.store, pool => {
            sqlx::query(NEW_KEY)
                .bind(subject.as_str())
                .bind(sealed.as_str())
                .bind(signed(now_ms))
                .execute(pool)
                .await?;
        });
        // Another replica may have been first.
        self.known_key(subject).await?.ok_or(ContentError::Sealed)
    }

    async fn known_key(
        &self,
        subject: &SubjectHash,
    ) -> Result<Option<Secret<[u8; 32]>>, ContentError> {
        let sealed: Option<String> = with_pool!(&self.store, pool => {
            sqlx::query_scalar(KEY).bind(subject.as_str()).fetch_optional(pool).await?
        });
        let Some(sealed) = sealed else {
            return Ok(None);
        };
        let key = open(self.wrap.expose(), subject.as_str(), &sealed)?;
        let key = key
            .expose()
            .as_slice()
            .try_into()
            .map_err(|_| ContentError::Sealed)?;
        Ok(Some(Secret::new(key)))
    }
}

/// Destroys somebody's key and removes what it sealed, all or nothing; no byte of either is left in
/// the database's files. Says how many rows there were. Needs no key.
///
/// # Errors
/// When the database refuses, or is too busy to write its log back; then try again.
pub async fn forget(store: &Store, subject: &SubjectHash) -> Result<u64, ContentError> {
    let mut removed = 0;
    with_pool!(store, pool => {
        let mut connection = pool.acquire().await?;
        if matches!(store, Store::Sqlite(_)) {
            connection.execute("PRAGMA secure_delete = ON").await?;
        }
        let mut transaction = connection.begin_with(store.begin()).await?;
        for sql in FORGET {
            let done = transaction.execute(sqlx::query(sql).bind(subject.as_str())).await?;
            removed += done.rows_affected();
        }
        transaction.commit().await?;
    });
    settle(store).await?;
    Ok(removed)
}

/// What SQLite keeps beside its file of what was removed goes, too.
async fn settle(store: &Store) -> Result<(), ContentError> {
    if let Store::Sqlite(pool) = store {
        let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(pool)
            .await?;
        let busy: i64 = row.try_get(0)?;
        if busy != 0 {
            return Err(ContentError::Busy);
        }
    }
    Ok(())
}

impl std::fmt::Debug for SealedContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedContent").finish_non_exhaustive()
    }
}

/// What a sealed content is bound to: it opens nowhere else.
fn name(request: RequestId, side: &str) -> String {
    format!("content/{request}/{side}")
}
