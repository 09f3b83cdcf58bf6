//! Named sets of permissions.

use std::collections::{BTreeMap, BTreeSet};

use crate::{config::AccessConfig, permission::Permission};

use Permission::{
    Admin, AuditRead, DataRead, DataWrite, ExperimentRead, ExperimentWrite, ModelDeploy,
    ModelPredict, ModelRead, ModelWrite,
};

/// The built-in roles and what they give. `admin` holds one permission, which implies all.
pub const ROLES: [(&str, &[Permission]); 5] = [
    ("viewer", &[ModelRead, ExperimentRead]),
    (
        "data_scientist",
        &[
            ModelRead,
            ModelWrite,
            DataRead,
            ExperimentRead,
            ExperimentWrite,
            ModelPredict,
        ],
    ),
    (
        "ml_engineer",
        &[
            ModelRead,
            ModelWrite,
            ModelDeploy,
            DataRead,
            DataWrite,
            ExperimentRead,
            ExperimentWrite,
            ModelPredict,
        ],
    ),
    ("auditor", &[ModelRead, DataRead, ExperimentRead, AuditRead]),
    ("admin", &[Admin]),
];

/// Roles that one person should not hold at once: who watches must not be who is watched.
pub const CONFLICTS: [[&str; 2]; 2] = [["auditor", "ml_engineer"], ["auditor", "admin"]];

/// Every role of a configuration, with all that it gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles(BTreeMap<String, BTreeSet<Permission>>);

impl Roles {
    /// The built-in roles and those of `config`; names that mean nothing are left out, since
    /// [`AccessConfig::check`] reports them.
    #[must_use]
    pub fn of(config: &AccessConfig) -> Self {
        let built_in = ROLES
            .iter()
            .map(|(name, given)| ((*name).to_owned(), given.iter().copied().collect()));
        let own = config.roles.iter().map(|(name, role)| {
            let given = role.permissions.iter();
            let given = given.filter_map(|name| Permission::named(name)).collect();
            (name.clone(), given)
        });
        // A built-in role cannot be changed under its name.
        Self(own.chain(built_in).collect())
    }

    /// Its names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether there is a role of that name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether the role gives `permission`, by name or because it gives all.
    #[must_use]
    pub fn gives(&self, role: &str, permission: Permission) -> bool {
        self.0
            .get(role)
            .is_some_and(|given| given.contains(&Admin) || given.contains(&permission))
    }
}
