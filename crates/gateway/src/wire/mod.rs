//! The formats that clients and models speak: where text stands in them, and how an answer is refused.

pub mod sse;
pub mod stream;
