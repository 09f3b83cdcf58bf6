//! The models behind the gateway: connections, retries, breakers, fallbacks.
//!
//! Nothing is contacted but the hosts named in the configuration, and no address that is private,
//! local, or of a metadata service unless the configuration says so for that host. Redirects are
//! not followed, and no proxy is taken from the environment.

mod address;
mod body;
mod breaker;
mod budget;
mod config;
mod connect;
mod echo;
mod error;
mod fetch;
mod kind;
mod models;
mod request;
mod route;
mod upstreams;

pub use address::{Refusal, Resolve, SystemResolver, refusal};
pub use body::UpstreamBody;
pub use breaker::{Breaker, BreakerConfig, BreakerState};
pub use budget::{RetryBudget, RetryConfig};
pub use config::{Roots, RouteConfig, TargetConfig, UpstreamConfig, UpstreamSettings};
pub use connect::ConnectError;
pub(crate) use connect::tls as client_tls;
pub use error::UpstreamError;
pub use fetch::{Fetch, FetchHost, FetchLimits, Fetched};
pub use kind::Kind;
pub use models::Model;
pub use request::{UpstreamRequest, UpstreamResponse};
pub use route::{Route, Target};
pub use upstreams::{UpstreamEvent, UpstreamParts, Upstreams};
