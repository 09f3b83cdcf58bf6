//! SQLite or PostgreSQL.

mod config;
mod error;
mod personal;

use std::{borrow::Cow, path::Path, time::Duration};

use sqlx::{
    ConnectOptions as _, PgPool, SqlSafeStr as _, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};

pub use config::{Place, StoreConfig, Synchronous};
pub use error::StoreError;
pub use personal::PersonalTable;

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

/// Numbers of milliseconds and bytes fit into 63 bits.
pub(crate) const fn signed(number: u64) -> i64 {
    if number > i64::MAX as u64 {
        i64::MAX
    } else {
        number as i64
    }
}

pub(crate) const fn unsigned(number: i64) -> u64 {
    if number < 0 { 0 } else { number as u64 }
}

/// One step of a module's tables, in the words of each engine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// For SQLite.
    pub(crate) sqlite: &'static str,
    /// For PostgreSQL.
    pub(crate) postgres: &'static str,
}

impl Store {
    /// Opens the database at `place`: a `postgres://` URL, or the path of a file that is made if
    /// it is not there, readable by its owner only.
    ///
    /// # Errors
    /// When it cannot be opened or its tables cannot be brought up to date.
    pub async fn open(place: &str) -> Result<Self, StoreError> {
        Self::open_with(&StoreConfig {
            place: Place::new(place),
            ..StoreConfig::default()
        })
        .await
    }

    /// Opens the database that `config` names.
    ///
    /// # Errors
    /// When it cannot be opened or its tables cannot be brought up to date.
    pub async fn open_with(config: &StoreConfig) -> Result<Self, StoreError> {
        let wait = Duration::from_millis(config.busy_timeout_ms.into());
        let store = if config.place.is_postgres() {
            let options: PgConnectOptions = config.place.expose().parse()?;
            let pool = PgPoolOptions::new()
                .max_connections(config.max_connections)
                .acquire_timeout(wait);
            let options = options.disable_statement_logging();
            Self::Postgres(pool.connect_with(options).await?)
        } else {
            let path = Path::new(config.place.expose());
            private_file(path)?;
            let options = SqliteConnectOptions::new()
                .filename(path)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(config.synchronous.into())
                .busy_timeout(wait)
                .disable_statement_logging();
            let pool = SqlitePoolOptions::new()
                .max_connections(config.max_connections)
                .acquire_timeout(wait);
            Self::Sqlite(pool.connect_with(options).await?)
        };
        store.migrate().await?;
        Ok(store)
    }

    /// Opens a database of others as it is: nothing in it is made or changed, but what SQLite
    /// deletes is overwritten.
    ///
    /// # Errors
    /// When it is not there or cannot be opened.
    pub async fn connect(place: &str) -> Result<Self, StoreError> {
        let wait = Duration::from_secs(5);
        if Place::new(place).is_postgres() {
            let options: PgConnectOptions = place.parse()?;
            let pool = PgPoolOptions::new()
                .max_connections(1)
                .acquire_timeout(wait);
            let options = options.disable_statement_logging();
            return Ok(Self::Postgres(pool.connect_with(options).await?));
        }
        let options = SqliteConnectOptions::new()
            .filename(Path::new(place))
            .pragma("secure_delete", "ON")
            .busy_timeout(wait)
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new().max_connections(1);
        Ok(Self::Sqlite(pool.connect_with(options).await?))
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

    /// The words that begin a transaction which writes. SQLite must take its one write lock at
    /// once: a reader that turns writer is refused without waiting.
    pub(crate) const fn begin(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "BEGIN IMMEDIATE",
            Self::Postgres(_) => "BEGIN",
        }
    }

    /// Writes a copy of SQLite's database to `file`, which must not be there, as it is at this moment;
    /// others read and write meanwhile. PostgreSQL refuses: it has tools of its own.
    ///
    /// # Errors
    /// When the file cannot be written, or the database is no file.
    pub async fn snapshot(&self, file: &Path) -> Result<(), StoreError> {
        with_pool!(self, pool => {
            sqlx::query("VACUUM INTO $1").bind(file.display().to_string()).execute(pool).await?;
        });
        Ok(())
    }

    /// Closes every connection once what runs on it has ended.
    pub async fn close(&self) {
        with_pool!(self, pool => pool.close().await);
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        // Each module numbers its own steps, so that one may grow without moving the others.
        let identity = (1_000..).zip(crate::identity::MIGRATIONS.iter().copied());
        let in_words = |step: &Step| match self {
            Self::Sqlite(_) => step.sqlite,
            Self::Postgres(_) => step.postgres,
        };
        let record = (2_000..).zip(crate::record::MIGRATIONS.iter().map(in_words));
        let consent = (4_000..).zip(crate::consent::MIGRATIONS.iter().map(in_words));
        let content = (5_000..).zip(crate::content::MIGRATIONS.iter().map(in_words));
        let agents = (3_000..).zip(crate::agents::MIGRATIONS.iter().copied());
        let migrations = identity
            .chain(record)
            .chain(agents)
            .chain(consent)
            .chain(content)
            .map(|(version, sql)| {
                Migration::new(
                    version,
                    Cow::Borrowed("bartizan"),
                    MigrationType::Simple,
                    sql.into_sql_str(),
                    false,
                )
            });
        let migrator = Migrator::with_migrations(migrations.collect());
        with_pool!(self, pool => migrator.run(pool).await)?;
        Ok(())
    }
}

/// Makes the file, for its owner only, before the engine does; its companions get the same mode.
fn private_file(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    {
        use std::{
            fs::{DirBuilder, OpenOptions, Permissions},
            os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
        };
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?
            .set_permissions(Permissions::from_mode(0o600))?;
    }
    #[cfg(not(unix))]
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn opens_and_opens_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/a.db");
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

    #[cfg(unix)]
    #[tokio::test]
    async fn only_the_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/a.db");
        let store = Store::open(path.to_str().unwrap()).await.unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600);
        }
        store.close().await;
    }

    #[tokio::test]
    async fn errors_repeat_no_words_of_the_database() {
        let store = Store::in_memory().await.unwrap();
        let error: StoreError = with_pool!(&store, pool => sqlx::query("SELECT MARKER_9f")
            .execute(pool)
            .await
            .map(drop))
        .unwrap_err()
        .into();
        assert!(!format!("{error} {error:?}").contains("MARKER_9f"));
    }
}
