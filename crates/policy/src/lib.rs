//! Pure decisions: from a report to a verdict, with reasons. No IO, no clock, no randomness.
//!
//! A [`Policy`] is read from YAML (or is the safe [`Policy::default`]). [`Policy::decide`] looks
//! every finding of a report up in a table of rows, **first match wins**, own rows before built-in
//! ones, and joins what the rows ask for. Checks that did not finish count as the layer's
//! `on-incomplete` says, closed by default. The [`Decision`] names the row behind every step, holds
//! no content, and can be replayed with [`Policy::replay`]. What a decision let through travels as a
//! [`Permit`].

mod config;
mod context;
mod decide;
mod decision;
mod defaults;
mod error;
mod exception;
mod glob;
mod permit;
mod policy;
mod read;
mod refusal;
mod row;
mod score;

pub use bartizan_core::Direction;
pub use config::{Action, PolicyFile, RawException, RawLayer, RawRow, RawScore, schema};
pub use context::{DecisionContext, RecordedContext, Subject, TextHash};
pub use decision::{Decision, Evidence, Gap, GapCause, PartRecord, Reason, Record, RecordedReason};
pub use error::{Mistake, MistakeKind, PolicyError};
pub use exception::{Exception, Warning};
pub use glob::matches as glob_matches;
pub use permit::{Approval, Permit, Refused};
pub use policy::{LayerPolicy, OnIncomplete, Policy};
pub use refusal::{RefusalKey, Refusals};
pub use row::{Row, Thresholds};
pub use score::{Band, ScorePolicy, safety};

/// A calendar day; comes in as an argument, since this crate knows no clock.
pub use jiff::civil::Date;
