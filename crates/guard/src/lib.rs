//! Ordered layers over a conversation, the streaming window, redaction, and sinks.

pub mod conversation;
mod guard;
pub mod leak;
pub mod redact;
pub mod session;
pub mod sink;
mod stream;
pub mod window;

pub use guard::{Clock, Guard, GuardConfig, Inspection, NO_CLOCK, Step, Subject, TextCheck};
pub use stream::{DEEP_BLOCK, Stream, StreamSubject};
