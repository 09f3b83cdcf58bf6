//! Who asks.

use std::sync::Arc;

/// Somebody whose identity was proved elsewhere, as policies see them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// A stable name: the id of a key, `issuer:subject` of a token, `certificate:...`.
    pub name: Arc<str>,
    /// The tenant; empty for none.
    pub tenant: Arc<str>,
    /// The team; empty for none.
    pub team: Arc<str>,
    /// Groups, for instance of a token's claims.
    pub groups: Vec<Arc<str>>,
    /// Scopes of the credential.
    pub scopes: Vec<&'static str>,
}

impl Who {
    /// Somebody of that name, without tenant, team, groups, and scopes.
    #[must_use]
    pub fn named(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }
}
