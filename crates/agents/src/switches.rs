use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What must not run now: the kill switches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Switches {
    /// No call of any tool.
    pub all: bool,
    /// Tenants whose agents stand still.
    pub tenants: BTreeSet<String>,
    /// Agents, by the name of their principal.
    pub agents: BTreeSet<String>,
    /// Tools.
    pub tools: BTreeSet<String>,
}

impl Switches {
    /// Whether an agent of a tenant may do anything now.
    #[must_use]
    pub fn stop(&self, tenant: &str, agent: &str) -> bool {
        self.all || self.tenants.contains(tenant) || self.agents.contains(agent)
    }

    /// Whether a call of `tool` by that agent may be made now.
    #[must_use]
    pub fn stop_call(&self, tenant: &str, agent: &str, tool: &str) -> bool {
        self.stop(tenant, agent) || self.tools.contains(tool)
    }
}
