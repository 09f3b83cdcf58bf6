//! Envoy's external processing (`ext_proc`): Envoy proxies, and shows us each request and answer of
//! a model route on the way.
//!
//! A request's body is held until all of it is there and judged; an answer is held as a whole, or
//! guarded piece by piece where it is a stream. What cannot be read, comes in a mode in which it
//! would pass unseen, or comes out of order ends with an error, which Envoy answers with 500 unless
//! it was told to let such requests pass (`failure_mode_allow`).
//!
//! gRPC is `tonic`'s, over the gateway's own listener; the messages are `prost` structs by hand, so
//! that nothing here needs `protoc`.

mod config;
mod headers;
pub mod messages;
mod service;
mod session;

pub use config::{EnvoyConfig, EnvoyIdentity, OtherRoutes};
pub use service::EnvoyService;
