use serde::Serialize;

use super::KeyInfo;

/// A key as administrators see it, over HTTP and from the command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyView {
    /// Its id, the principal's name.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Models that it may use; all if empty.
    pub models: Vec<String>,
    /// The team whose budget it spends.
    pub team: String,
    /// The tenant.
    pub tenant: String,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: u64,
    /// When it ends, in milliseconds since 1970; never if not given.
    pub expires_ms: Option<u64>,
    /// When it was revoked, in milliseconds since 1970.
    pub revoked_ms: Option<u64>,
    /// The visible parts of its secrets, newest first: two while it is rotated.
    pub prefixes: Vec<String>,
    /// Whether its newest secret is 90 days old and should be rotated.
    pub due: bool,
}

impl KeyView {
    /// How `key` is seen at `now_ms`, milliseconds since 1970.
    #[must_use]
    pub fn of(key: KeyInfo, now_ms: u64) -> Self {
        Self {
            due: key.is_due(now_ms),
            prefixes: key.secrets.into_iter().map(|s| s.prefix).collect(),
            id: key.id,
            name: key.name,
            scopes: key.grants.scopes,
            models: key.grants.models,
            team: key.grants.team,
            tenant: key.grants.tenant,
            created_ms: key.created_ms,
            expires_ms: key.expires_ms,
            revoked_ms: key.revoked_ms,
        }
    }
}
