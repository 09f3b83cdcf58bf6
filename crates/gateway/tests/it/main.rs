//! The gateway from outside.

mod deploy;
mod record;
mod telemetry;
