//! Servers of the Model Context Protocol behind the gateway, and the transports to them.
//!
//! What is looked at and what is decided is [`bartizan_mcp`]'s; here are programs, addresses, and
//! the route `/mcp/NAME` (streamable HTTP, revisions 2025-03-26 to 2026-07-28).

/// The name of the file of pins where none is given.
pub const PINS: &str = "bartizan.mcp.lock";

mod hub;
mod live;
mod program;
mod remote;
mod routes;

pub use bartizan_mcp::{McpConfig, RULES};
pub(crate) use hub::{Hub, HubParts};
pub use program::{Heard, Program, lines};
pub use remote::Remote;
pub(crate) use routes::router;
