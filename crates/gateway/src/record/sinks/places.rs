use bartizan_core::Severity;
use bartizan_siem::Notice;
use sqlx::Row as _;

use super::super::{At, Event, Gap, RequestId, SCHEMA_VERSION, What};
use crate::store::{Step, Store, StoreError, signed, unsigned, with_pool};

/// Where sinks stand in the record, and what stands behind. One process at a time works for a sink:
/// who claims its place holds it for a while.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    store: Store,
    /// Who we are: the journal's name, which one process has and keeps over restarts.
    holder: String,
}

pub(in crate::record) const TABLE: Step = Step {
    sqlite: "
CREATE TABLE audit_sinks (
    name TEXT PRIMARY KEY,
    place BIGINT NOT NULL,
    holder TEXT NOT NULL,
    held_until_ms BIGINT NOT NULL
);
",
    postgres: "
CREATE TABLE audit_sinks (
    name TEXT PRIMARY KEY,
    place BIGINT NOT NULL,
    holder TEXT NOT NULL,
    held_until_ms BIGINT NOT NULL
);
",
};

const CLAIM: &str = "INSERT INTO audit_sinks (name, place, holder, held_until_ms) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO UPDATE \
     SET holder = excluded.holder, held_until_ms = excluded.held_until_ms \
     WHERE audit_sinks.holder = excluded.holder OR audit_sinks.held_until_ms < $5 \
     RETURNING place";
const MOVE_ON: &str = "UPDATE audit_sinks SET place = $1 WHERE name = $2 AND holder = $3";
const RELEASE: &str = "UPDATE audit_sinks SET held_until_ms = 0 WHERE name = $1 AND holder = $2";
const HEAD: &str = "SELECT coalesce(max(number), 0) FROM audit_events";
const READ: &str = "SELECT number, at_ms, kind, severity, request_id, principal, body \
     FROM audit_events WHERE number > $1 ORDER BY number LIMIT $2";

impl Places {
    pub(crate) const fn new(store: Store, holder: String) -> Self {
        Self { store, holder }
    }

    /// Takes or keeps the place of a sink until `until_ms`; `None` while another process has it. One
    /// that is new begins at the record's start with `history`, else at its end.
    pub(super) async fn claim(
        &self,
        name: &str,
        history: bool,
        now_ms: u64,
        until_ms: u64,
    ) -> Result<Option<u64>, StoreError> {
        let first = if history { 0 } else { self.head().await? };
        with_pool!(&self.store, pool => {
            let row = sqlx::query(CLAIM)
                .bind(name)
                .bind(signed(first))
                .bind(self.holder.as_str())
                .bind(signed(until_ms))
                .bind(signed(now_ms))
                .fetch_optional(pool)
                .await?;
            row.map(|row| Ok(unsigned(row.try_get(0)?))).transpose()
        })
    }

    /// Moves a sink's place on; `false` if another process has it now.
    pub(super) async fn move_on(&self, name: &str, place: u64) -> Result<bool, StoreError> {
        with_pool!(&self.store, pool => {
            let moved = sqlx::query(MOVE_ON)
                .bind(signed(place))
                .bind(name)
                .bind(self.holder.as_str())
                .execute(pool)
                .await?;
            Ok(moved.rows_affected() > 0)
        })
    }

    /// Lets another process take the place at once.
    pub(super) async fn release(&self, name: &str) -> Result<(), StoreError> {
        with_pool!(&self.store, pool => {
            sqlx::query(RELEASE).bind(name).bind(self.holder.as_str()).execute(pool).await?;
            Ok(())
        })
    }

    /// The number of the last event.
    pub(super) async fn head(&self) -> Result<u64, StoreError> {
        with_pool!(&self.store, pool => {
            let head: i64 = sqlx::query_scalar(HEAD).fetch_one(pool).await?;
            Ok(unsigned(head))
        })
    }

    /// The next events behind `place`, at most `limit`. Where numbers are missing, which nothing of
    /// ours removes, a gap is told of in their place.
    pub(super) async fn read(&self, place: u64, limit: u32) -> Result<Vec<Notice>, StoreError> {
        // PostgreSQL leaves numbers out when a transaction is given up.
        let is_dense = matches!(self.store, Store::Sqlite(_));
        let mut last = place;
        let mut notices = Vec::new();
        with_pool!(&self.store, pool => {
            let rows = sqlx::query(READ)
                .bind(signed(place))
                .bind(i64::from(limit))
                .fetch_all(pool)
                .await?;
            for row in &rows {
                let number = unsigned(row.try_get(0)?);
                let at_ms = unsigned(row.try_get(1)?);
                let severity: i64 = row.try_get(3)?;
                let id: Option<Vec<u8>> = row.try_get(4)?;
                let id = id.and_then(|id| <[u8; 16]>::try_from(id).ok());
                if is_dense && number > last + 1 {
                    notices.push(missing(last + 1, number, at_ms));
                }
                last = number;
                notices.push(Notice {
                    number,
                    at_ms,
                    kind: row.try_get(2)?,
                    severity: usize::try_from(severity)
                        .ok()
                        .and_then(|place| Severity::ALL.get(place).copied())
                        .ok_or(StoreError::Row)?,
                    principal: row.try_get(5)?,
                    request_id: id.map(|id| RequestId::from_bytes(id).to_string()),
                    body: row.try_get(6)?,
                });
            }
            Ok::<(), StoreError>(())
        })?;
        Ok(notices)
    }
}

/// A gap in place of the events from `first` on and before `next`.
fn missing(first: u64, next: u64, at_ms: u64) -> Notice {
    let event = Event {
        v: SCHEMA_VERSION,
        timestamp: At(at_ms),
        request_id: None,
        what: What::Gap(Gap {
            lost: next - first,
            since: At(at_ms),
            reason: "removed".into(),
        }),
    };
    Notice {
        number: first,
        at_ms,
        kind: event.what.kind().to_owned(),
        severity: event.what.severity(),
        principal: String::new(),
        request_id: None,
        // Texts and numbers: serialisation cannot fail.
        body: serde_json::to_string(&event).unwrap_or_default(),
    }
}
