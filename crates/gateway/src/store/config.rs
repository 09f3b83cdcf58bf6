use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use sqlx::sqlite::SqliteSynchronous;

/// Where keys, events, and counters are kept.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct StoreConfig {
    /// The path of a SQLite file, which is made if it is not there, or a `postgres://` URL. Empty
    /// for `bartizan.db` in the data folder.
    pub place: Place,
    /// When SQLite waits for the disk. PostgreSQL has its own setting.
    pub synchronous: Synchronous,
    /// Longest wait for a lock or a connection, in milliseconds.
    pub busy_timeout_ms: u32,
    /// Most connections at a time.
    pub max_connections: u32,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            place: Place::default(),
            synchronous: Synchronous::default(),
            busy_timeout_ms: 5_000,
            max_connections: 4,
        }
    }
}

impl StoreConfig {
    /// Every mistake as the field that it stands in and what is wrong there.
    #[must_use]
    pub fn check(&self) -> Vec<(String, String)> {
        let mut mistakes = Vec::new();
        if self.max_connections == 0 {
            let message = "at least one connection is needed";
            mistakes.push(("max-connections".to_owned(), message.to_owned()));
        }
        if self.busy_timeout_ms == 0 {
            let message = "a wait of 0 ms refuses whatever comes second";
            mistakes.push(("busy-timeout-ms".to_owned(), message.to_owned()));
        }
        mistakes
    }
}

/// A path or a URL; a URL may hold a password, so it is not printed.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Place(String);

impl Place {
    /// The place of that name.
    #[must_use]
    pub fn new(place: impl Into<String>) -> Self {
        Self(place.into())
    }

    /// The path or URL. Keep it out of every message.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether nothing is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is a PostgreSQL server.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.0.starts_with("postgres://") || self.0.starts_with("postgresql://")
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_postgres() {
            f.write_str("postgres://[redacted]")
        } else {
            fmt::Debug::fmt(&self.0, f)
        }
    }
}

/// When SQLite waits for the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Synchronous {
    /// At checkpoints: the end of a process loses nothing, a power cut may lose the last seconds.
    #[default]
    Normal,
    /// At every commit: a power cut loses nothing.
    Full,
}

impl From<Synchronous> for SqliteSynchronous {
    fn from(synchronous: Synchronous) -> Self {
        match synchronous {
            Synchronous::Normal => Self::Normal,
            Synchronous::Full => Self::Full,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_the_password_of_a_server() {
        let place = Place::new("postgres://bartizan:hunter2@db/audit");
        assert_eq!(format!("{place:?}"), "postgres://[redacted]");
    }

    #[test]
    fn names_every_mistake() {
        let config = StoreConfig {
            max_connections: 0,
            busy_timeout_ms: 0,
            ..StoreConfig::default()
        };
        assert_eq!(config.check().len(), 2);
        assert!(StoreConfig::default().check().is_empty());
    }
}
