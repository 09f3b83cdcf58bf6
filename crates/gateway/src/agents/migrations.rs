/// Tables of agents, in the order in which they came; never edited, only added to.
pub(crate) const MIGRATIONS: &[&str] = &[
    "CREATE TABLE agent_switches (
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        set_by TEXT NOT NULL,
        set_ms BIGINT NOT NULL,
        PRIMARY KEY (kind, name)
    )",
    "CREATE TABLE agent_approvals (
        id TEXT PRIMARY KEY,
        principal TEXT NOT NULL,
        tenant TEXT NOT NULL,
        calls TEXT NOT NULL,
        why TEXT NOT NULL,
        state TEXT NOT NULL,
        asked_ms BIGINT NOT NULL,
        expires_ms BIGINT NOT NULL,
        decided_by TEXT NOT NULL
    )",
];
