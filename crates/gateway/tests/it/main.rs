//! The gateway from outside.

mod deploy;
mod telemetry;
