//! The data plane towards clients: listeners, TLS, HTTP/1.1 and HTTP/2, and every bound that keeps
//! slow, large, or many clients from hurting others.
//!
//! What a bound does when it is reached is written at its field in [`ServerConfig`].

mod body;
mod config;
mod connection;
mod gate;
mod io;
mod process;
mod server;
mod service;
mod sources;
mod tls;

#[cfg(feature = "envoy")]
pub(crate) use body::too_large;
pub use body::{BodyLimits, expect_json, read_body};
pub use config::{ClientAuth, ListenAddresses, MinVersion, Mistake, ServerConfig, TlsConfig};
pub use gate::{Gate, Load, Slot};
pub use process::forbid_core_dumps;
pub use server::{Handle, ServeError, Server};
pub use service::{Peer, Service, from_fn};
pub(crate) use tls::pem_objects;
pub use tls::{Tls, TlsError};
