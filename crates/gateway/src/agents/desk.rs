use bartizan_agents::Switches;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{Fault, FaultKind},
    store::{Store, with_pool},
};

/// Where kill switches and approvals lie: in the database, so that every replica sees them with its
/// next call, and a restart forgets none.
#[derive(Clone, Debug)]
pub struct AgentDesk {
    store: Store,
}

/// A call that waits for a person, or waited for one. Says where its arguments came from, not what
/// they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The request whose answer holds it.
    pub id: String,
    /// Who asked.
    pub principal: String,
    /// Why it waits.
    pub why: Vec<String>,
    /// Milliseconds since 1970-01-01 UTC.
    pub asked_ms: u64,
    /// Until when somebody may decide.
    pub expires_ms: u64,
}

/// What a person decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// The next call that is the same may be made, once.
    Allowed,
    /// It may not.
    Denied,
}

/// Why nothing is read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeskError {
    /// The database failed.
    #[error("the approvals and switches of agents cannot be reached")]
    Store(#[from] sqlx::Error),
}

impl From<DeskError> for Fault {
    fn from(error: DeskError) -> Self {
        Self::new(
            FaultKind::Unavailable,
            "agents_unavailable",
            error.to_string(),
        )
    }
}

/// Most that are listed.
const MAX_LISTED: i64 = 1_000;

impl AgentDesk {
    /// The desk of a database.
    #[must_use]
    pub const fn new(store: Store) -> Self {
        Self { store }
    }

    /// What must not run now.
    ///
    /// # Errors
    /// When the database failed.
    pub async fn switches(&self) -> Result<Switches, DeskError> {
        let rows: Vec<(String, String)> = with_pool!(&self.store, pool => {
            sqlx::query_as("SELECT kind, name FROM agent_switches").fetch_all(pool).await
        })?;
        let mut switches = Switches::default();
        for (kind, name) in rows {
            match kind.as_str() {
                "tenant" => {
                    switches.tenants.insert(name);
                }
                "agent" => {
                    switches.agents.insert(name);
                }
                "tool" => {
                    switches.tools.insert(name);
                }
                // A kind that a later version knows stops more than it should, not less.
                _ => switches.all = true,
            }
        }
        Ok(switches)
    }

    /// Stops what is named, or lets it run again.
    ///
    /// # Errors
    /// When the database failed.
    pub async fn flip(
        &self,
        kind: &str,
        name: &str,
        stop: bool,
        by: &str,
        now_ms: u64,
    ) -> Result<(), DeskError> {
        with_pool!(&self.store, pool => {
            let mut transaction = pool.begin_with(self.store.begin()).await?;
            sqlx::query("DELETE FROM agent_switches WHERE kind = $1 AND name = $2")
                .bind(kind).bind(name).execute(&mut *transaction).await?;
            if stop {
                sqlx::query("INSERT INTO agent_switches (kind, name, set_by, set_ms) VALUES ($1, $2, $3, $4)")
                    .bind(kind).bind(name).bind(by).bind(signed(now_ms))
                    .execute(&mut *transaction).await?;
            }
            transaction.commit().await
        })?;
        Ok(())
    }

    /// Puts the calls of a request before a person; `calls` are their digests.
    ///
    /// # Errors
    /// When the database failed.
    pub async fn ask(
        &self,
        waiting: &Waiting,
        tenant: &str,
        calls: &[String],
    ) -> Result<(), DeskError> {
        with_pool!(&self.store, pool => {
            sqlx::query("DELETE FROM agent_approvals WHERE expires_ms < $1")
                .bind(signed(waiting.asked_ms)).execute(pool).await?;
            sqlx::query(
                "INSERT INTO agent_approvals (id, principal, tenant, calls, why, state, asked_ms, expires_ms, decided_by) \
                 VALUES ($1, $2, $3, $4, $5, 'waiting', $6, $7, '')")
                .bind(&waiting.id)
                .bind(&waiting.principal)
                .bind(tenant)
                .bind(calls.join(" "))
                .bind(waiting.why.join("\n"))
                .bind(signed(waiting.asked_ms))
                .bind(signed(waiting.expires_ms))
                .execute(pool)
                .await
                .map(|_| ())
        })?;
        Ok(())
    }

    /// What waits at `now_ms`, oldest first.
    ///
    /// # Errors
    /// When the database failed.
    pub async fn waiting(&self, now_ms: u64) -> Result<Vec<Waiting>, DeskError> {
        type Row = (String, String, String, i64, i64);
        let rows: Vec<Row> = with_pool!(&self.store, pool => {
            sqlx::query_as(
                "SELECT id, principal, why, asked_ms, expires_ms FROM agent_approvals \
                 WHERE state = 'waiting' AND expires_ms >= $1 ORDER BY asked_ms LIMIT $2")
                .bind(signed(now_ms)).bind(MAX_LISTED).fetch_all(pool).await
        })?;
        Ok(rows
            .into_iter()
            .map(|(id, principal, why, asked_ms, expires_ms)| Waiting {
                id,
                principal,
                why: why.lines().map(str::to_owned).collect(),
                asked_ms: unsigned(asked_ms),
                expires_ms: unsigned(expires_ms),
            })
            .collect())
    }

    /// Decides about what waits. `false` if it does not wait any more, or if `by` asked for it:
    /// nobody decides about their own.
    ///
    /// # Errors
    /// When the database failed.
    pub async fn decide(
        &self,
        id: &str,
        by: &str,
        decided: Decided,
        now_ms: u64,
        expires_ms: u64,
    ) -> Result<bool, DeskError> {
        let state = match decided {
            Decided::Allowed => "allowed",
            Decided::Denied => "denied",
        };
        let changed = with_pool!(&self.store, pool => {
            sqlx::query(
                "UPDATE agent_approvals SET state = $1, decided_by = $2, expires_ms = $3 \
                 WHERE id = $4 AND state = 'waiting' AND principal <> $2 AND expires_ms >= $5")
                .bind(state).bind(by).bind(signed(expires_ms)).bind(id).bind(signed(now_ms))
                .execute(pool).await.map(|done| done.rows_affected())
        })?;
        Ok(changed == 1)
    }

    /// Digests of calls that `principal` may make once, with the approval that says so.
    ///
    /// # Errors
    /// When the database failed.
    pub async fn granted(
        &self,
        principal: &str,
        now_ms: u64,
    ) -> Result<Vec<(String, String)>, DeskError> {
        let rows: Vec<(String, String)> = with_pool!(&self.store, pool => {
            sqlx::query_as(
                "SELECT id, calls FROM agent_approvals \
                 WHERE principal = $1 AND state = 'allowed' AND expires_ms >= $2")
                .bind(principal).bind(signed(now_ms)).fetch_all(pool).await
        })?;
        let pairs = |(id, calls): (String, String)| -> Vec<(String, String)> {
            let digests = calls.split(' ').map(str::to_owned);
            digests.map(|digest| (digest, id.clone())).collect()
        };
        Ok(rows.into_iter().flat_map(pairs).collect())
    }

    /// Uses an approval up. `false` if somebody else did.
    ///
    /// # Errors
    /// When the database failed.
    pub async fn use_up(&self, id: &str) -> Result<bool, DeskError> {
        let changed = with_pool!(&self.store, pool => {
            sqlx::query("UPDATE agent_approvals SET state = 'used' WHERE id = $1 AND state IN ('allowed', 'waiting')")
                .bind(id).execute(pool).await.map(|done| done.rows_affected())
        })?;
        Ok(changed == 1)
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(id: &str) -> Waiting {
        Waiting {
            id: id.to_owned(),
            principal: "agent".to_owned(),
            why: vec!["because".to_owned()],
            asked_ms: 1_000,
            expires_ms: 301_000,
        }
    }

    #[tokio::test]
    async fn ag_03_approvals_wait_time_out_and_are_never_the_requesters() {
        let desk = AgentDesk::new(Store::in_memory().await.unwrap());
        desk.ask(&waiting("a"), "", &["x".to_owned(), "y".to_owned()])
            .await
            .unwrap();
        assert_eq!(desk.waiting(2_000).await.unwrap(), [waiting("a")]);
        let allow =
            |by: &'static str, now| desk.decide("a", by, Decided::Allowed, now, now + 300_000);
        assert!(
            !allow("agent", 2_000).await.unwrap(),
            "the requester decides nothing"
        );
        assert!(!allow("bob", 301_001).await.unwrap(), "too late");
        assert!(desk.granted("agent", 2_000).await.unwrap().is_empty());
        assert!(allow("bob", 2_000).await.unwrap());
        assert!(!allow("carol", 2_000).await.unwrap(), "decided once");
        let granted = desk.granted("agent", 3_000).await.unwrap();
        assert_eq!(granted.len(), 2);
        assert!(desk.granted("other", 3_000).await.unwrap().is_empty());
        assert!(desk.use_up("a").await.unwrap());
        assert!(!desk.use_up("a").await.unwrap(), "used once");
        assert!(desk.granted("agent", 3_000).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn ag_21_a_switch_is_seen_by_every_desk_of_the_database() {
        let store = Store::in_memory().await.unwrap();
        let (one, other) = (AgentDesk::new(store.clone()), AgentDesk::new(store));
        assert_eq!(other.switches().await.unwrap(), Switches::default());
        for (kind, name) in [("all", ""), ("tenant", "t"), ("agent", "a"), ("tool", "x")] {
            one.flip(kind, name, true, "admin", 1).await.unwrap();
        }
        let seen = other.switches().await.unwrap();
        assert!(seen.all && seen.stop_call("u", "b", "x") && seen.stop("t", "b"));
        one.flip("all", "", false, "admin", 2).await.unwrap();
        assert!(!other.switches().await.unwrap().all);
    }
}
