//! Metrics, traces, and logs, without content.

mod config;
mod log;
mod metrics;
mod series;
mod trace_context;
mod traces;

pub use config::{Headers, LogConfig, LogFormat, TelemetryConfig, TracesConfig};
pub use log::{hook_panics, subscriber};
pub use metrics::{InFlight, Metrics, SecuritySummary};
pub use trace_context::{TRACEPARENT, TraceContext};
pub use traces::{CONVENTIONS, Traces, TracesError, UpstreamTime};
