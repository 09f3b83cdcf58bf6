//! Who copies a model: similarity, probing, and pace of queries, with bounded memory per key.
//!
//! Pure: queries, what the model was sure of, and the time come in; a [`Suspicion`] between 0 and 1
//! and [`ExtractionEvent`]s come out. Suspicion tightens limits ([`Extraction::factor`]) and
//! thresholds ([`Extraction::threshold_factor`]) and decays.

mod config;
mod pace;
mod profile;
pub mod simulation;
mod sketch;
mod steps;
mod suspicion;
#[cfg(test)]
mod tests;
mod tracker;

pub use config::ExtractionConfig;
pub use suspicion::{Signal, Suspicion};
pub use tracker::Extraction;

use std::sync::Arc;

/// A query, as the detectors see it. Nothing of it is kept but sketches.
#[derive(Clone, Copy, Debug)]
pub enum Query<'a> {
    /// A text.
    Text(&'a str),
    /// A row of numbers, with the range that each may take where that is known.
    Vector {
        /// The row.
        values: &'a [f64],
        /// Least and largest value of the input specification.
        range: Option<(f64, f64)>,
    },
}

/// Something that the record should hold.
#[derive(Clone, Debug, PartialEq)]
pub struct ExtractionEvent {
    /// Milliseconds since 1970-01-01 UTC.
    pub at_ms: u64,
    /// Whose queries.
    pub principal: Arc<str>,
    /// What was seen.
    pub signal: Signal,
    /// Suspicion after it, 0 to 1.
    pub suspicion: f64,
    /// Queries of that principal so far today.
    pub today: u64,
}
