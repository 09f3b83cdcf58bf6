//! Consent, retention, erasure, and export of personal data.
//!
//! A [`Subject`] is somebody whom data is about. It is named by a keyed hash ([`SubjectHash`])
//! wherever something is kept or told. [`Consents`] say what somebody agreed to; [`plan`] and
//! [`sweep`] remove what is too old; [`erase`] removes somebody from every [`SubjectStore`], goes on
//! where it was interrupted, and leaves a [`Journal`] that becomes a certificate.
//!
//! No IO, no clock, no randomness: stores, times, and the place of the journal come in.

mod config;
mod consent;
mod erasure;
mod lines;
mod retention;
mod store;
mod subject;

pub use config::{
    ClassConfig, ConsentConfig, ConsentRule, FilesConfig, GovernConfig, HoldConfig, PurposeConfig,
    SqlConfig, StoreEntry, TimeIn, Without,
};
pub use consent::{ConsentError, ConsentEvent, ConsentState, Consents, Deed};
pub use erasure::{EraseError, Journal, Step, erase};
pub use lines::LineMatcher;
pub use retention::{Hold, Holds, Planned, Swept, plan, sweep};
pub use store::{StoreFault, SubjectStore};
pub use subject::{Subject, SubjectHash, SubjectKey};
