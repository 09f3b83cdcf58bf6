//! Ordered layers over a conversation, the streaming window, redaction, and sinks.

pub mod conversation;
pub mod leak;
pub mod redact;
pub mod session;
pub mod shape;
pub mod sink;
