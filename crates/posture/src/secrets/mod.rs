//! Keys, tokens, and passwords in files.
//!
//! [`SecretScanner`] looks at bytes with the guard's own formats, with rules in gitleaks' format
//! ([`gitleaks`]), or with both. [`SecretFiles`] brings it to files and members of archives,
//! [`Known`] says what was accepted before. What is found is named by its place, its length, and a
//! keyed hash; no byte of it is told.

pub mod gitleaks;
mod inspector;
mod known;
mod notebook;
mod scanner;

pub use inspector::{Added, SecretFiles};
pub use known::{Baseline, BaselineError, Ignored, Known};
pub use scanner::{Leak, SecretScanner, Where};
