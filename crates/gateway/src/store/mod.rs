//! SQLite or PostgreSQL.

use std::{borrow::Cow, path::Path, time::Duration};

use sqlx::{
    PgPool, SqlSafeStr as _, SqlStr, SqlitePool,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

/// A database. The same SQL text runs on both engines: placeholders are `$1`, `$2`.
///
/// Clones share the connections.
#[derive(Clone, Debug)]
pub enum Store {
    /// A file, or memory.
    Sqlite(SqlitePool),
    /// A server.
    Postgres(PgPool),
}

/// Runs `$body` with `$pool` bound to the pool of whichever engine the store has. The body is
/// compiled for both.
macro_rules! with_pool {
    ($store:expr, $pool:ident => $body:expr) => {
        match $store {
            $crate::store::Store::Sqlite($pool) => $body,
            $crate::store::Store::Postgres($pool) => $body,
        }
    };
}
pub(crate) use with_pool;

/// Why a database is not to be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database said no. Its words are not repeated: they may hold values.
    #[error("the database cannot be used")]
    Database(#[from] sqlx::Error),
    /// A table could not be made or is not what it was.
    #[error("the tables of the database cannot be brought up to date")]
    Migration(#[from] MigrateError),
}

impl Store {
    /// Opens the database at `place`: a `postgres://` URL, or the path of a file that is made if
    /// it is not there.
    ///
    /// # Errors
    /// When it cannot be opened or its tables cannot be brought up to date.
    pub async fn open(place: &str) -> Result<Self, StoreError> {
        let store = if place.starts_with("postgres://") || place.starts_with("postgresql://") {
            Self::Postgres(PgPool::connect(place).await?)
        } else {
            let options = SqliteConnectOptions::new()
                .filename(Path::new(place))
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Normal)
                .busy_timeout(Duration::from_secs(5));
            let pool = SqlitePoolOptions::new().max_connections(4);
            Self::Sqlite(pool.connect_with(options).await?)
        };
        store.migrate().await?;
        Ok(store)
    }

    /// A database in memory, for tests and for a gateway that keeps nothing.
    ///
    /// # Errors
    /// When its tables cannot be made.
    pub async fn in_memory() -> Result<Self, StoreError> {
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None);
        let store = Self::Sqlite(pool.connect("sqlite::memory:").await?);
        store.migrate().await?;
        Ok(store)
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        // Each module numbers its own steps, so that one may grow without moving the others.
        let identity = (1_000..).zip(crate::identity::MIGRATIONS);
        let record = (2_000..).zip(crate::record::MIGRATIONS);
        let migrations = identity.chain(record).map(|(version, sql)| {
            let sql: SqlStr = (*sql).into_sql_str();
            Migration::new(
                version,
                Cow::Borrowed("bartizan"),
                MigrationType::Simple,
                sql,
                false,
            )
        });
        let migrator = Migrator::with_migrations(migrations.collect());
        with_pool!(self, pool => migrator.run(pool).await)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn opens_and_opens_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        for _ in 0..2 {
            let store = Store::open(path.to_str().unwrap()).await.unwrap();
            let one: i64 = with_pool!(&store, pool => sqlx::query_scalar("SELECT 1 + $1")
                .bind(1_i64)
                .fetch_one(pool)
                .await)
            .unwrap();
            assert_eq!(one, 2);
        }
    }
}
