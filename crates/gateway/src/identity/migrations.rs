/// Tables of identity, of secrets, and of limits, in the order in which they came; never edited,
/// only added to.
pub(crate) const MIGRATIONS: &[&str] = &[
    "CREATE TABLE api_keys (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        tenant TEXT NOT NULL,
        team TEXT NOT NULL,
        scopes TEXT NOT NULL,
        models TEXT NOT NULL,
        logprobs BIGINT NOT NULL,
        probabilities BIGINT NOT NULL,
        created_ms BIGINT NOT NULL,
        expires_ms BIGINT,
        revoked_ms BIGINT
    )",
    "CREATE TABLE api_key_secrets (
        prefix TEXT PRIMARY KEY,
        key_id TEXT NOT NULL REFERENCES api_keys (id),
        hash TEXT NOT NULL,
        created_ms BIGINT NOT NULL,
        expires_ms BIGINT
    )",
    "CREATE TABLE api_key_generation (
        one BIGINT PRIMARY KEY,
        generation BIGINT NOT NULL
    )",
    "INSERT INTO api_key_generation (one, generation) VALUES (1, 1)",
    "CREATE TABLE sealed_secrets (
        name TEXT PRIMARY KEY,
        sealed TEXT NOT NULL,
        sealed_by TEXT NOT NULL,
        created_ms BIGINT NOT NULL,
        updated_ms BIGINT NOT NULL
    )",
    "CREATE TABLE master_key_facts (
        name TEXT PRIMARY KEY,
        fact TEXT NOT NULL
    )",
    "CREATE TABLE limit_counters (
        name TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        amount BIGINT NOT NULL,
        fraction BIGINT NOT NULL,
        ends_ms BIGINT NOT NULL,
        saved_ms BIGINT NOT NULL
    )",
];
