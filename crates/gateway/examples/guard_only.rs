//! Serves the guard-only and prediction routes on loopback without credentials, for trying clients
//! and for testing the OpenAPI document: `cargo run -p bartizan-gateway --example guard_only 8099`.
#![expect(clippy::print_stderr, reason = "an example that says where it listens")]

use std::{collections::BTreeMap, error::Error, sync::Arc};

use axum::{Router, extract::Request, middleware::Next};
use bartizan_gateway::{
    clock::{Clock, SystemClock},
    guard_api::{self, GuardApi, GuardApiConfig, GuardService},
    openapi,
    predict::{self, Demonstration, ModelConfig, NoWatch, PredictApi, Served, Signer},
    principal::{Entitlements, Principal, Proof, Scope},
};
use bartizan_guard::{
    Guard, Judge, Settings,
    redact::{Keys, Redactor, Styles},
    shape::{Shape, ShapeLimits},
};
use bartizan_policy::Policy;
use bartizan_text::rules::RuleSet;

struct Service(Judge);

impl GuardService for Service {
    fn judge(&self) -> Judge {
        self.0.clone()
    }

    fn rules(&self) -> Arc<RuleSet> {
        RuleSet::builtin()
    }

    fn redactor(&self, principal: &Principal) -> Redactor {
        Redactor::new(Styles::default(), Keys::new([1; 32]), &*principal.tenant)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "8099".into());
    let guard = Guard::standard(&Settings::default(), RuleSet::builtin())?;
    let shape = Shape::new(ShapeLimits::default());
    let judge = Judge::new(Arc::new(guard), Arc::new(Policy::default()), Some(shape));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let demonstration = Served {
        config: ModelConfig::default(),
        backend: Arc::new(Demonstration),
    };
    let predictions = PredictApi::new(
        BTreeMap::from([("demonstration".to_owned(), demonstration)]),
        "demonstration".into(),
        &[2; 32],
        Some(Signer::from_seed(&[3; 32])?),
        Arc::clone(&clock),
        Arc::new(NoWatch),
    );
    let guard = GuardApi::new(Arc::new(Service(judge)), clock, GuardApiConfig::default());
    let app = Router::new()
        .merge(guard_api::router(guard))
        .merge(predict::router(predictions))
        .merge(openapi::router())
        .layer(axum::middleware::from_fn(as_anybody));
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    eprintln!("listening on {}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

/// Lets everybody in: an example has no keys.
async fn as_anybody(mut request: Request, next: Next) -> axum::response::Response {
    request.extensions_mut().insert(Arc::new(Principal {
        id: "example".into(),
        proof: Proof::Anonymous,
        tenant: "".into(),
        team: "".into(),
        groups: Vec::new(),
        scopes: [Scope::Guard, Scope::Infer].into(),
        models: Vec::new(),
        entitlements: Entitlements::default(),
    }));
    next.run(request).await
}
