//! A secure gateway in front of any model: an application changes its base URL and nothing else;
//! from then on every message, document, tool call, and answer passes the guard.
//!
//! The only floor with a network. Inside, what can be a pure state machine is one: the wire formats
//! and their streams ([`wire`]), limits ([`limits`]), and the detectors of extraction ([`predict`])
//! know no socket and take the time as an argument.

mod adapters;
pub mod agents;
pub mod body;
pub mod clock;
pub mod config;
pub mod consent;
pub mod content;
pub mod endpoint;
#[cfg(feature = "envoy")]
pub mod envoy;
pub mod extraction;
pub mod fault;
pub mod guard_api;
pub mod identity;
pub mod judge;
pub mod key_desk;
pub mod limits;
pub mod mcp;
pub mod netpol;
pub mod openapi;
pub mod predict;
pub mod principal;
pub mod proxy;
pub mod record;
pub mod secrets;
pub mod serve;
pub mod start;
pub mod store;
pub mod telemetry;
pub mod upstream;
pub mod wire;
