use bartizan_govern::{ConsentEvent, Consents, SubjectHash};
use sqlx::Executor as _;

use crate::store::{Step, Store, StoreError, with_pool};

/// The record of consent: an event for everything that somebody agreed to or took back, by keyed
/// hashes. Triggers refuse to change or remove one.
#[derive(Clone, Debug)]
pub struct ConsentTable(Store);

pub(super) const TABLE: Step = Step {
    sqlite: "
CREATE TABLE consent_events (
    number INTEGER PRIMARY KEY,
    subject TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX consent_events_subject ON consent_events (subject);
CREATE TRIGGER consent_events_no_update BEFORE UPDATE ON consent_events
BEGIN SELECT RAISE(ABORT, 'the record of consent is append-only'); END;
CREATE TRIGGER consent_events_no_delete BEFORE DELETE ON consent_events
BEGIN SELECT RAISE(ABORT, 'the record of consent is append-only'); END;
",
    postgres: "
CREATE TABLE consent_events (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX consent_events_subject ON consent_events (subject);
CREATE FUNCTION consent_events_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the record of consent is append-only'; END $$;
CREATE TRIGGER consent_events_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON consent_events
FOR EACH STATEMENT EXECUTE FUNCTION consent_events_append_only();
",
};

const ADD: &str = "INSERT INTO consent_events (subject, body) VALUES ($1, $2)";
const OF: &str = "SELECT body FROM consent_events WHERE subject = $1 ORDER BY number";
const ALL: &str = "SELECT body FROM consent_events ORDER BY number";

impl ConsentTable {
    /// The record in `store`.
    #[must_use]
    pub const fn new(store: Store) -> Self {
        Self(store)
    }

    /// Writes an event down; what was written outlives a power cut.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn add(&self, event: &ConsentEvent) -> Result<(), StoreError> {
        let line = event.line();
        with_pool!(&self.0, pool => {
            sqlx::query(ADD).bind(event.subject.as_str()).bind(line.as_str()).execute(pool).await?;
        });
        if let Store::Sqlite(pool) = &self.0 {
            // With `synchronous: normal` a commit alone may be lost with the power.
            pool.execute("PRAGMA wal_checkpoint(FULL)").await?;
        }
        Ok(())
    }

    /// What is known of somebody.
    ///
    /// # Errors
    /// When it cannot be read: then nobody's consent is known.
    pub async fn of(&self, subject: &SubjectHash) -> Result<Consents, StoreError> {
        let lines: Vec<String> = with_pool!(&self.0, pool => {
            sqlx::query_scalar(OF).bind(subject.as_str()).fetch_all(pool).await?
        });
        read(&lines)
    }

    /// What is known of everybody.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn all(&self) -> Result<Consents, StoreError> {
        let lines: Vec<String> = with_pool!(&self.0, pool => {
            sqlx::query_scalar(ALL).fetch_all(pool).await?
        });
        read(&lines)
    }
}

fn read(lines: &[String]) -> Result<Consents, StoreError> {
    Consents::read(&lines.concat()).map_err(|_| StoreError::Row)
}
