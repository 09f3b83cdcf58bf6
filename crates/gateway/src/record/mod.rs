//! What happened, without content: events, a durable store, back-pressure.
//!
//! A request takes a [`Slot`] before anything is done for it, and finishes it with an
//! [`Interaction`] before its answer is given. Events are appended to a journal in the data folder,
//! from which a task moves them into an [`AuditStore`]. Keyed hashes stand for contents, [`Label`]s
//! for names that the program knows.

mod alert;
mod alert_desk;
mod audit_store;
mod config;
mod event;
mod feedback;
mod frame;
mod interaction;
mod journal;
mod ledger;
mod mover;
mod receipt;
mod recorder;
mod sinks;
mod sql;
mod story;
#[cfg(test)]
mod tests;
mod words;

use crate::store::Step;

pub use alert::{Alert, AlertRoute, AlertTarget, Alerts, AlertsConfig};
pub use alert_desk::{AlertDesk, Deliver};
pub use audit_store::{AuditStore, Batch, Day, Query, Stored};
pub use config::{Addresses, ContentConfig, Durability, KeepContent, RecordConfig, WhenFull};
pub use event::{
    Abandoned, AuthFailure, ConfigChange, Event, Feedback, FeedbackLabel, Gap, KeyManagement,
    LimitHit, MlAudit, Review, SCHEMA_VERSION, SecurityDetails, SecurityEvent, Service,
    StreamBegun, Suspicion, UpstreamState, What, schema,
};
pub use feedback::{FeedbackRates, Rate};
pub use frame::Entry;
pub use interaction::{Interaction, LayerTimes, Outcome, RuleHit, Side, Unseen};
pub use journal::Position;
pub use ledger::{LEDGER, LEDGER_OF_COMMANDS, LedgerConfig, Ledgered, VERIFIER_KEY_FILE};
pub use receipt::{Receipt, find, first_since};
pub use recorder::{Observe, RecordError, Recorder, Slot};
pub(crate) use sinks::{FileOutlet, OtlpOutlet, Outlet, Places, SyslogOutlet, WebhookOutlet};
pub use sinks::{
    FileSink, OtlpSink, SinkConfig, SinkState, SinkTarget, Sinks, SyslogSink, WebhookSink,
};
pub use sql::SqlAudit;
pub use story::Story;
pub use words::{At, ContentHasher, Cost, Hashing, KeyedHash, Label, NoRequestId, RequestId};

/// Tables of this module, in the order in which they came; never edited, only added to.
pub(crate) const MIGRATIONS: &[Step] = &[sql::TABLES, sinks::TABLE];
