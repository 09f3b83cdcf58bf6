use std::io;

use sqlx::migrate::MigrateError;

/// Why a database is not to be had.
///
/// The database's own words are not repeated: they may hold values. Its code is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database said no.
    #[error("the database refused a statement ({code})")]
    Refused {
        /// SQLSTATE of PostgreSQL, extended result code of SQLite.
        code: String,
    },
    /// The database cannot be reached, or has no connection to spare.
    #[error("the database cannot be reached ({0})")]
    Unreachable(&'static str),
    /// The folder or file of the database cannot be made.
    #[error("the file of the database cannot be made ({})", .0.kind())]
    File(#[from] io::Error),
    /// A table could not be made or is not what it was.
    #[error("the tables of the database cannot be brought up to date ({0})")]
    Migration(&'static str),
    /// The ledger beside the database cannot be written.
    #[error(transparent)]
    Ledger(#[from] bartizan_ledger::LedgerError),
    /// What was read is not what was written.
    #[error("a row of the database cannot be read")]
    Row,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(refused) => Self::Refused {
                code: refused.code().map_or_else(String::new, Into::into),
            },
            sqlx::Error::Io(_) => Self::Unreachable("connection lost"),
            sqlx::Error::Tls(_) => Self::Unreachable("no trusted connection"),
            sqlx::Error::PoolTimedOut => Self::Unreachable("no free connection"),
            sqlx::Error::PoolClosed => Self::Unreachable("closed"),
            sqlx::Error::Configuration(_) => Self::Unreachable("its address cannot be read"),
            sqlx::Error::RowNotFound
            | sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::ColumnNotFound(_) => Self::Row,
            _ => Self::Unreachable("driver"),
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        Self::Migration(match error {
            MigrateError::VersionMismatch(_) => "a step is not what it was",
            MigrateError::VersionMissing(_) => "made by a newer version",
            MigrateError::Dirty(_) => "a step stopped half-way",
            _ => "a step failed",
        })
    }
}
