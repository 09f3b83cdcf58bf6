//! Metrics, traces, and logs, without content.

mod metrics;
mod series;

pub use metrics::{InFlight, Metrics, SecuritySummary};
