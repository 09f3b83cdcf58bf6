//! The Model Context Protocol under guard.
//!
//! A [`Session`] stands between a client and one server: messages in, [`Action`]s out. It forwards
//! messages byte for byte, and before that looks at everything in them that a model reads or a tool
//! is given: descriptions of tools, arguments, results, and what the server asks of the client. A
//! [`Gate`] holds what the sessions with one server share; [`Pins`] remember what its definitions
//! were when somebody looked at them. A [`Survey`] asks a server for everything that it offers.
//!
//! No IO, no clock, no randomness: whoever drives a session is its [`World`]. Revisions of the
//! protocol from 2024-11-05 to 2026-07-28 are known ([`REVISIONS`]); [`METHODS`] says what is done
//! with every message of theirs.

mod config;
mod definitions;
mod edits;
mod gate;
mod media;
mod message;
mod methods;
mod names;
mod pins;
mod reading;
mod rules;
mod session;
mod survey;

pub use config::{
    ArgumentsConfig, ElicitationConfig, McpConfig, McpLimits, SamplingConfig, ServerConfig,
    Treatment, Trust, UnknownMethods,
};
pub use gate::{Gate, GateParts, World};
pub use message::{Id, Malformed, Outgoing, Role};
pub use methods::{Handling, METHODS, Method, REVISIONS, Side};
pub use pins::{PinError, PinKind, Pinned, Pins};
pub use rules::RULES;
pub use session::{Action, Asked, Outcome, Record, Session, Who};
pub use survey::{Survey, Surveyed};
