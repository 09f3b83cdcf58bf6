//! What a file may do to the one who loads it, what it is made of, and who answers for it.
//!
//! An [`Artifact`] goes in; the checks of its format report findings. What no check knows, and what a
//! check did not finish, is a gap in the report, never a clean file.
//!
//! [`digest`] says what files are by their bytes, [`sign`] who answers for them, [`bom`] what is in a
//! folder, and [`vuln`] which of that has a known weakness. They read the files that they are
//! pointed at; time comes in as an argument.

mod artifact;
pub mod bom;
pub mod digest;
pub mod sign;
pub mod vuln;

pub use artifact::Artifact;
