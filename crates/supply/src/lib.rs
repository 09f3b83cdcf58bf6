//! What a file may do to the one who loads it.
//!
//! An [`Artifact`] goes in; the [`Inspector`]s that know its content report findings and hand on what
//! is inside. What no inspector knows, and what one did not finish, is a gap in the report, never a
//! clean file.

mod archive;
mod artifact;
mod inspector;
mod models;
mod npy;
mod pickle;
mod polyglot;
mod scan;
mod table;

pub use artifact::Artifact;
pub use inspector::{Desk, Inspector};
pub use scan::{ScanLimits, Scanned, scan};
pub use table::{INSPECTORS, rules};
