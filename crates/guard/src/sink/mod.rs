//! Hazards of an output for the place where it goes, and encoders for that place.
//!
//! [`SinkHazards`] looks for what is active at the declared [`Sink`](bartizan_core::Sink): script
//! on a web page, a statement for a database, a formula in a table. [`HiddenText`] reads what a
//! page hides from people but not from models. [`encode`] makes a value harmless for one sink.

mod address;
mod check;
mod csv;
pub mod encode;
mod hazard;
mod hidden;
mod html;
mod markdown;
mod query;
mod rules;
mod shell;
mod sql;
mod style;
mod tags;
mod template;
mod url;

pub use address::{AllowedHosts, InvalidHost};
pub use check::SinkHazards;
pub(crate) use hazard::{is_whole_word, is_word};
pub use hidden::{HiddenText, addressed_to_a_model};
pub use query::{ParameterisedQuery, QueryError};
