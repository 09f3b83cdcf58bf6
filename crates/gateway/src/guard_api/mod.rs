//! The guard alone, over HTTP: our own route and the shapes of others, so that migration is a URL change.
//!
//! [`router`] holds every route. Whoever mounts it puts an `Arc<Principal>` into the request's
//! extensions; a request without one is refused. Errors have the shape of the API that was asked and
//! hold nothing that the client wrote but places.

mod config;
mod request;
mod service;

pub use config::GuardApiConfig;
pub use service::{GuardService, Judged, RequestId};

use std::sync::Arc;

use crate::clock::Clock;

/// What the routes work with. Cheap to clone.
#[derive(Clone)]
pub struct GuardApi {
    service: Arc<dyn GuardService>,
    clock: Arc<dyn Clock>,
    config: Arc<GuardApiConfig>,
}

impl GuardApi {
    /// The routes' state over `service`.
    #[must_use]
    pub fn new(
        service: Arc<dyn GuardService>,
        clock: Arc<dyn Clock>,
        config: GuardApiConfig,
    ) -> Self {
        Self {
            service,
            clock,
            config: Arc::new(config),
        }
    }
}

/// Every guard-only route.
#[must_use]
pub fn router(api: GuardApi) -> axum::Router {
    axum::Router::new().with_state(api)
}
