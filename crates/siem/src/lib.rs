//! Audit events in the words of other systems.
//!
//! A [`Notice`] is an event as the record holds it. It becomes [OCSF](OcsfEvent), [CEF](cef::line), a
//! message of [syslog], a [signed webhook](webhook), or [OTLP logs](otlp). No IO, no clock:
//! what is sent where, and when, is somebody else's.

pub mod cef;
mod notice;
mod ocsf;
pub mod otlp;
pub mod syslog;
pub mod webhook;

pub use notice::{Format, Notice};
pub use ocsf::{OCSF_VERSION, OcsfEvent, schema};
