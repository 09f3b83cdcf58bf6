//! Metrics, traces, and logs, without content.
