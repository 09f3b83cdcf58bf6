//! The gateway from outside.

mod deploy;
mod stream;
mod telemetry;
