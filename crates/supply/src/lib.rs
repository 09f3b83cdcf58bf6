//! What a file may do to the one who loads it, what it is made of, and who answers for it.
//!
//! An [`Artifact`] goes in; the [`Inspector`]s that know its content report findings and hand on what
//! is inside. What no inspector knows, and what one did not finish, is a gap in the report, never a
//! clean file.
//!
//! [`convert`] takes tensors out of files that run code, without loading them. [`digest`] says what files are by their bytes, [`sign`] who answers for them, [`bom`] what is in a
//! folder, and [`vuln`] which of that has a known weakness. They read the files that they are
//! pointed at; time comes in as an argument.

mod archive;
mod artifact;
pub mod bom;
pub mod convert;
pub mod digest;
mod image;
mod inspector;
mod models;
mod npy;
mod pickle;
mod polyglot;
mod scan;
pub mod sealed;
pub mod sign;
mod table;
mod torch;
pub mod vuln;

pub use artifact::Artifact;
pub use inspector::{Desk, Inspector};
pub use scan::{ScanLimits, Scanned, scan, scan_with};
pub use table::{ARCHIVES, INSPECTORS, rules};
