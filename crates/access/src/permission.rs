//! What somebody may be allowed to do.

use crate::resource::ResourceKind;

/// Something that may be allowed or denied: the eleven permissions of machine-learning platforms,
/// and what a gateway adds to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    /// See that a model exists, and what is known of it.
    ModelRead,
    /// Register or change a model.
    ModelWrite,
    /// Put a model into service.
    ModelDeploy,
    /// Remove a model.
    ModelDelete,
    /// Ask a model.
    ModelPredict,
    /// Read a data set or a document.
    DataRead,
    /// Change a data set or a document.
    DataWrite,
    /// See an experiment.
    ExperimentRead,
    /// Run or change an experiment.
    ExperimentWrite,
    /// Read the audit record.
    AuditRead,
    /// Everything, whatever is named otherwise.
    Admin,
    /// Call a tool.
    ToolCall,
    /// Ask the guard alone.
    GuardCheck,
    /// Read metrics.
    MetricsRead,
    /// Decide about what is held for review.
    ReviewDecide,
}

use ResourceKind::{Dataset, Document, Experiment, Model, Record, Route, System, Tool};

/// One row each: permission, name, and the kinds of resources that it is about, the usual first.
const TABLE: [(Permission, &str, &[ResourceKind]); 15] = [
    (Permission::ModelRead, "model:read", &[Model]),
    (Permission::ModelWrite, "model:write", &[Model]),
    (Permission::ModelDeploy, "model:deploy", &[Model]),
    (Permission::ModelDelete, "model:delete", &[Model]),
    (Permission::ModelPredict, "model:predict", &[Model]),
    (Permission::DataRead, "data:read", &[Dataset, Document]),
    (Permission::DataWrite, "data:write", &[Dataset, Document]),
    (Permission::ExperimentRead, "experiment:read", &[Experiment]),
    (
        Permission::ExperimentWrite,
        "experiment:write",
        &[Experiment],
    ),
    (Permission::AuditRead, "audit:read", &[Record]),
    (Permission::Admin, "admin", &[System, Route]),
    (Permission::ToolCall, "tool:call", &[Tool]),
    (Permission::GuardCheck, "guard:check", &[Route]),
    (Permission::MetricsRead, "metrics:read", &[Route]),
    (Permission::ReviewDecide, "review:decide", &[Route]),
];

impl Permission {
    /// Every permission, the eleven first.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.0)
    }

    /// The name used in grants, policies, and commands, e.g. `model:read`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// The kinds of resources that it is about, the usual one first; at least one.
    #[must_use]
    pub fn kinds(self) -> &'static [ResourceKind] {
        self.row().2
    }

    /// Whether it is about resources of `kind`.
    #[must_use]
    pub fn is_about(self, kind: ResourceKind) -> bool {
        self.kinds().contains(&kind)
    }

    /// The permission of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    fn row(self) -> &'static (Self, &'static str, &'static [ResourceKind]) {
        // INVARIANT: the rows stand in the order of the variants; tested below.
        TABLE.get(self as usize).unwrap_or(&TABLE[0])
    }
}

impl std::fmt::Display for Permission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_has_its_row() {
        for permission in Permission::all() {
            assert_eq!(permission.row().0, permission);
            assert_eq!(Permission::named(permission.as_str()), Some(permission));
            assert!(!permission.kinds().is_empty());
        }
        assert_eq!(Permission::named("model:reed"), None);
    }
}
