//! What a file may do to the one who loads it.
//!
//! An [`Artifact`] goes in; the checks of its format report findings. What no check knows, and what a
//! check did not finish, is a gap in the report, never a clean file.

mod artifact;

pub use artifact::Artifact;
