//! The vocabulary of Bartizan.
//!
//! A **subject** goes in, **checks** run on it under **limits**, **findings** come out, a
//! **policy** turns them into a **verdict**, and the **ledger** remembers it.
//!
//! Words only: no IO, no clock, no randomness, no async.

mod check;
mod finding;
pub mod hex;
mod origin;
mod placement;
mod report;
mod rule;
mod secret;
mod span;
mod verdict;

pub use check::{Check, CheckError, Cx, FindingSink, Limits, Reach};
pub use finding::{Confidence, Finding, Transform};
pub use origin::{Origin, UnknownOrigin};
pub use placement::{Direction, Sink, UnknownSink};
pub use report::{Coverage, Report};
pub use rule::{Category, Layer, Rule, RuleRef, Severity};
pub use secret::Secret;
pub use span::Span;
pub use verdict::Verdict;
