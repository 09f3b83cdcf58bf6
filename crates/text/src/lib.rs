//! Text that nobody trusts.
//!
//! [`Scanner::read`] turns bytes into a [`Text`]: the main [`View`] (folded, so that ASCII
//! patterns see what a reader sees), further views of whatever was encoded or disguised, and
//! every place where a pattern of the loaded detectors matched. Checks then look at a `Text`
//! without scanning it again. Every view maps back to the original bytes.

mod anchors;
pub mod fold;
mod lanes;
pub mod mention;
pub mod names;
pub mod pii;
pub mod rules;
pub mod scan;
pub mod secrets;
mod text;
mod view;
pub mod views;

pub use scan::{Patterns, PatternsBuilder};
pub use text::{Scanner, Text};
pub use view::{OffsetMap, View};
