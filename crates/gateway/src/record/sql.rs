use std::sync::{Arc, LazyLock};

use bartizan_core::Severity;
use futures_util::future::BoxFuture;
use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use super::{AuditStore, Batch, Day, Entry, Event, Position, Query, Stored};
use crate::store::{Step, Store, StoreError, signed, unsigned, with_pool};

/// Events in two tables of a [`Store`]; triggers refuse to change or remove one.
#[derive(Clone, Debug)]
pub struct SqlAudit(Store);

impl SqlAudit {
    /// The record in `store`.
    #[must_use]
    pub const fn new(store: Store) -> Self {
        Self(store)
    }
}

pub(super) const TABLES: Step = Step {
    sqlite: "
CREATE TABLE audit_events (
    number INTEGER PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    kind TEXT NOT NULL,
    class TEXT NOT NULL,
    severity BIGINT NOT NULL,
    request_id BLOB,
    principal TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX audit_events_request ON audit_events (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX audit_events_principal ON audit_events (principal, at_ms);
CREATE INDEX audit_events_at ON audit_events (at_ms);
CREATE TABLE audit_journals (
    journal TEXT PRIMARY KEY,
    segment BIGINT NOT NULL,
    place BIGINT NOT NULL
);
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;
",
    postgres: "
CREATE TABLE audit_events (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    kind TEXT NOT NULL,
    class TEXT NOT NULL,
    severity BIGINT NOT NULL,
    request_id BYTEA,
    principal TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX audit_events_request ON audit_events (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX audit_events_principal ON audit_events (principal, at_ms);
CREATE INDEX audit_events_at ON audit_events (at_ms);
CREATE TABLE audit_journals (
    journal TEXT PRIMARY KEY,
    segment BIGINT NOT NULL,
    place BIGINT NOT NULL
);
CREATE FUNCTION audit_events_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the record is append-only'; END $$;
CREATE TRIGGER audit_events_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
FOR EACH STATEMENT EXECUTE FUNCTION audit_events_append_only();
",
};

const INSERT: &str =
    "INSERT INTO audit_events (at_ms, kind, class, severity, request_id, principal, body) VALUES ";

/// Rows per statement. A statement of many rows costs a fraction of many statements; only these
/// lengths are used, so that each is prepared once.
const ROWS: [usize; 3] = [64, 8, 1];

static INSERTS: LazyLock<[Arc<str>; ROWS.len()]> = LazyLock::new(|| {
    ROWS.map(|rows| {
        let rows: Vec<String> = (0..rows)
            .map(|row| {
                let places: Vec<String> = (1..=7)
                    .map(|place| format!("${}", row * 7 + place))
                    .collect();
                format!("({})", places.join(", "))
            })
            .collect();
        format!("{INSERT}{}", rows.join(", ")).into()
    })
});

const UPSERT: &str = "INSERT INTO audit_journals (journal, segment, place) VALUES ($1, $2, $3) \
     ON CONFLICT (journal) DO UPDATE SET segment = excluded.segment, place = excluded.place";

/// Lets no other replica insert until we commit: numbers become visible in their order, so that who
/// reads behind the last one misses none. SQLite has one writer anyway.
const IN_ORDER: &str = "LOCK TABLE audit_events IN SHARE ROW EXCLUSIVE MODE";

/// Splits entries into stretches of the lengths in [`ROWS`], each with its statement.
fn stretches(mut entries: &[Entry]) -> impl Iterator<Item = (Arc<str>, &[Entry])> {
    std::iter::from_fn(move || {
        let (rows, sql) = ROWS
            .iter()
            .zip(&*INSERTS)
            .find(|&(&rows, _)| entries.len() >= rows)?;
        let (now, later) = entries.split_at_checked(*rows)?;
        entries = later;
        Some((Arc::clone(sql), now))
    })
}

/// The words of a query after `SELECT`, and what they bind.
fn condition(query: &Query) -> String {
    let mut sql = "FROM audit_events WHERE number > $1 AND at_ms >= $2 AND at_ms < $3".to_owned();
    let asked = [
        (query.request_id.is_some(), "request_id"),
        (query.principal.is_some(), "principal"),
        (query.kind.is_some(), "kind"),
    ];
    let asked = asked.into_iter().filter(|(asked, _)| *asked);
    for (place, (_, column)) in (4..).zip(asked) {
        sql.push_str(&format!(" AND {column} = ${place}"));
    }
    sql
}

/// Binds what [`condition`] asks for.
macro_rules! bind {
    ($sql:expr, $query:expr) => {{
        let mut bound = $sql
            .bind(signed($query.after))
            .bind(signed($query.from_ms))
            .bind(signed($query.until_ms));
        if let Some(id) = &$query.request_id {
            bound = bound.bind(id.as_bytes().as_slice());
        }
        if let Some(principal) = &$query.principal {
            bound = bound.bind(principal.as_str());
        }
        if let Some(kind) = &$query.kind {
            bound = bound.bind(kind.as_str());
        }
        bound
    }};
}

impl AuditStore for SqlAudit {
    fn append<'a>(&'a self, batch: &'a Batch) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let begin = self.0.begin();
            with_pool!(&self.0, pool => {
                let mut transaction = pool.begin_with(begin).await?;
                if matches!(self.0, Store::Postgres(_)) {
                    transaction.execute(IN_ORDER).await?;
                }
                for (sql, entries) in stretches(&batch.entries) {
                    let mut insert = sqlx::query(AssertSqlSafe(sql));
                    for entry in entries {
                        insert = insert
                            .bind(signed(entry.at_ms))
                            .bind(entry.kind)
                            .bind(entry.class.as_str())
                            .bind(i64::from(entry.severity))
                            .bind(entry.request_id.as_ref().map(<[u8; 16]>::as_slice))
                            .bind(entry.principal.as_str())
                            .bind(entry.body.as_str());
                    }
                    transaction.execute(insert).await?;
                }
                let place = sqlx::query(UPSERT)
                    .bind(batch.journal.as_str())
                    .bind(signed(batch.end.segment))
                    .bind(signed(batch.end.offset));
                transaction.execute(place).await?;
                transaction.commit().await?;
            });
            Ok(())
        })
    }

    fn position<'a>(
        &'a self,
        journal: &'a str,
    ) -> BoxFuture<'a, Result<Option<Position>, StoreError>> {
        const SQL: &str = "SELECT segment, place FROM audit_journals WHERE journal = $1";
        Box::pin(async move {
            with_pool!(&self.0, pool => {
                let row = sqlx::query(SQL).bind(journal).fetch_optional(pool).await?;
                let Some(row) = row else { return Ok(None) };
                Ok(Some(Position {
                    segment: unsigned(row.try_get(0)?),
                    offset: unsigned(row.try_get(1)?),
                }))
            })
        })
    }

    fn settle(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            // PostgreSQL has waited at the commit.
            if let Store::Sqlite(pool) = &self.0 {
                pool.execute("PRAGMA wal_checkpoint(FULL)").await?;
            }
            Ok(())
        })
    }

    fn query<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Vec<Stored>, StoreError>> {
        let sql = format!(
            "SELECT number, body {} ORDER BY number LIMIT {}",
            condition(query),
            query.limit
        );
        Box::pin(async move {
            with_pool!(&self.0, pool => {
                let rows = bind!(sqlx::query(AssertSqlSafe(sql)), query).fetch_all(pool).await?;
                rows.iter()
                    .map(|row| {
                        let body: &str = row.try_get(1)?;
                        let event: Event =
                            serde_json::from_str(body).map_err(|_| StoreError::Row)?;
                        Ok(Stored { number: unsigned(row.try_get(0)?), event })
                    })
                    .collect()
            })
        })
    }

    fn count<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<u64, StoreError>> {
        let sql = format!("SELECT count(*) {}", condition(query));
        Box::pin(async move {
            with_pool!(&self.0, pool => {
                let row = bind!(sqlx::query(AssertSqlSafe(sql)), query).fetch_one(pool).await?;
                Ok(unsigned(row.try_get(0)?))
            })
        })
    }

    fn days(&self, from_ms: u64, until_ms: u64) -> BoxFuture<'_, Result<Vec<Day>, StoreError>> {
        const DAY_MS: i64 = 86_400_000;
        const SQL: &str = "SELECT at_ms / 86400000, kind, class, severity, count(*) \
             FROM audit_events WHERE at_ms >= $1 AND at_ms < $2 \
             GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4";
        let start = |ms| signed(ms) / DAY_MS * DAY_MS;
        Box::pin(async move {
            with_pool!(&self.0, pool => {
                let rows = sqlx::query(SQL)
                    .bind(start(from_ms))
                    .bind(start(until_ms).saturating_add(DAY_MS))
                    .fetch_all(pool)
                    .await?;
                rows.iter()
                    .map(|row| {
                        let day: i64 = row.try_get(0)?;
                        let at = jiff::Timestamp::from_second(day * 86_400)
                            .map_err(|_| StoreError::Row)?;
                        let severity: i64 = row.try_get(3)?;
                        Ok(Day {
                            day: at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string(),
                            event: row.try_get(1)?,
                            class: row.try_get(2)?,
                            severity: usize::try_from(severity)
                                .ok()
                                .and_then(|place| Severity::ALL.get(place))
                                .ok_or(StoreError::Row)?
                                .to_string(),
                            count: unsigned(row.try_get(4)?),
                        })
                    })
                    .collect()
            })
        })
    }
}
