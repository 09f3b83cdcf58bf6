//! The guard alone, over HTTP: our own route and the shapes of others, so that migration is a URL change.
//!
//! [`router`] holds every route. Whoever mounts it puts an `Arc<Principal>` into the request's
//! extensions; a request without one is refused. Errors have the shape of the API that was asked and
//! hold nothing that the client wrote but places.

mod azure;
mod check;
mod config;
mod engine;
mod kind;
mod lakera;
mod litellm;
mod llm_guard;
mod openapi;
mod position;
mod presidio;
mod rag;
mod report;
pub(crate) mod request;
mod service;
#[cfg(test)]
mod tests;

pub use config::GuardApiConfig;
pub(crate) use openapi::routes;
pub use rag::RagConfig;
pub use service::{GuardService, Judged, RequestId};

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};

use crate::clock::Clock;

/// What the routes work with. Cheap to clone.
#[derive(Clone)]
pub struct GuardApi {
    service: Arc<dyn GuardService>,
    clock: Arc<dyn Clock>,
    config: Arc<GuardApiConfig>,
    rag: Arc<RagConfig>,
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
            rag: Arc::default(),
        }
    }

    /// The same with these settings for retrieved documents.
    #[must_use]
    pub fn with_rag(mut self, rag: RagConfig) -> Self {
        self.rag = Arc::new(rag);
        self
    }
}

/// The guard-only routes that are switched on.
pub fn router(api: GuardApi) -> Router {
    let config = Arc::clone(&api.config);
    let mut router = Router::new()
        .route(check::PATH, post(check::check))
        .route(rag::INGEST, post(rag::ingest))
        .route(rag::QUERY, post(rag::query))
        .route(rag::ANSWER, post(rag::answer));
    if config.presidio {
        router = router
            .route(presidio::ANALYZE, post(presidio::analyze))
            .route(
                presidio::SUPPORTED_ENTITIES,
                get(presidio::supported_entities),
            )
            .route(presidio::RECOGNIZERS, get(presidio::recognizers))
            .route(presidio::ANONYMIZE, post(presidio::anonymize))
            .route(presidio::ANONYMIZERS, get(presidio::anonymizers))
            .route(presidio::DEANONYMIZE, post(presidio::deanonymize))
            .route(presidio::DEANONYMIZERS, get(presidio::deanonymizers));
    }
    if config.litellm {
        router = router.route(litellm::PATH, post(litellm::guardrail));
    }
    if config.lakera {
        router = router.route(lakera::PATH, post(lakera::guard));
    }
    if config.azure {
        router = router.route(azure::PATH, post(azure::shield_prompt));
    }
    if config.llm_guard {
        router = router
            .route(llm_guard::ANALYZE_PROMPT, post(llm_guard::analyze_prompt))
            .route(llm_guard::ANALYZE_OUTPUT, post(llm_guard::analyze_output))
            .route(llm_guard::SCAN_PROMPT, post(llm_guard::scan_prompt))
            .route(llm_guard::SCAN_OUTPUT, post(llm_guard::scan_output));
    }
    router.with_state(api)
}
