//! Keys, tokens, and passwords.
//!
//! Formats are tables in [`formats`]: a pattern that starts with a literal, checks of what is
//! inside, and a confidence. What has no format is found by the name that it is assigned to.

mod assigned;
pub mod benign;
mod detector;
pub mod entropy;
#[cfg(test)]
mod examples;
pub mod formats;
mod parts;
pub mod proof;
#[cfg(test)]
mod tests;

pub use detector::Secrets;
