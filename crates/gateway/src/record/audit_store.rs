use futures_util::future::BoxFuture;

use super::{Entry, Event, Position, RequestId};
use crate::store::StoreError;

/// Where events end up: append-only, in batches, each event once.
///
/// [`SqlAudit`](super::SqlAudit) is the plain one, [`Ledgered`](super::Ledgered) adds a ledger with
/// proofs.
pub trait AuditStore: Send + Sync + 'static {
    /// Appends a batch, all of it or nothing, and remembers in the same step how far the journal
    /// was read, so that no event is appended twice whenever the process ends.
    fn append<'a>(&'a self, batch: &'a Batch) -> BoxFuture<'a, Result<(), StoreError>>;

    /// How far the journal of that name was read.
    fn position<'a>(
        &'a self,
        journal: &'a str,
    ) -> BoxFuture<'a, Result<Option<Position>, StoreError>>;

    /// Is told before the first batch how far the journal of that name reaches: a place behind its
    /// end was lost with it, and what comes there now is something else.
    fn resume(&self, _journal: &str, _end: Position) {}

    /// Makes sure that what was appended outlives a power cut; then files of the journal are
    /// removed.
    fn settle(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Events in the order in which they came.
    fn query<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Vec<Stored>, StoreError>>;

    /// How many events `query` would give without its limit.
    fn count<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// Events per UTC day, kind, class, and severity, from the day of one time to that of another.
    fn days(&self, from_ms: u64, until_ms: u64) -> BoxFuture<'_, Result<Vec<Day>, StoreError>>;
}

/// Events on their way into the store.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The journal that they come from.
    pub journal: String,
    /// How far it is read with them.
    pub end: Position,
    /// How far it is read with each of them.
    pub places: Vec<Position>,
    /// The events.
    pub entries: Vec<Entry>,
}

/// Which events.
#[derive(Clone, Debug)]
pub struct Query {
    /// Of this request.
    pub request_id: Option<RequestId>,
    /// About this principal.
    pub principal: Option<String>,
    /// Of this kind, one of [`What::KINDS`](super::What::KINDS).
    pub kind: Option<String>,
    /// Not before, in milliseconds since 1970.
    pub from_ms: u64,
    /// Before, in milliseconds since 1970.
    pub until_ms: u64,
    /// Behind the event of this number, to page on.
    pub after: u64,
    /// At most so many.
    pub limit: u32,
}

impl Default for Query {
    /// The first 100 of all.
    fn default() -> Self {
        Self {
            request_id: None,
            principal: None,
            kind: None,
            from_ms: 0,
            until_ms: i64::MAX as u64,
            after: 0,
            limit: 100,
        }
    }
}

/// An event as the store keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Its number, from 1, in the order in which events came.
    pub number: u64,
    /// The event.
    pub event: Event,
}

/// How many events of one kind a day had.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Day {
    /// The day in UTC, `2026-11-21`.
    pub day: String,
    /// The events' name.
    pub event: String,
    /// What they are counted under beside it, e.g. the kind of harm; empty for nothing.
    pub class: String,
    /// How bad.
    pub severity: String,
    /// How many.
    pub count: u64,
}
