//! Approvals and kill switches over HTTP.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use bartizan_agents::Switches;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::Decided;
use crate::{
    fault::{Fault, FaultKind},
    principal::Principal,
    proxy::{Answer, Gateway, Given, Ruling},
    record::{ConfigChange, Label, Review, What},
};

/// What waits for a person.
pub(crate) async fn list(State(gateway): State<Arc<Gateway>>) -> Answer<Json<serde_json::Value>> {
    let now = gateway.clock().unix_ms();
    let items = gateway.agents().waiting(now).await.map_err(Fault::from)?;
    Ok(Json(json!({ "items": items })))
}

/// What a person decides.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionBody {
    decision: DecisionName,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DecisionName {
    Allow,
    Deny,
}

/// Decides about calls that wait. A client that still waits gets its answer at once; otherwise the
/// same calls may be made once with a later request.
pub(crate) async fn decide(
    State(gateway): State<Arc<Gateway>>,
    Extension(principal): Extension<Arc<Principal>>,
    Path(id): Path<String>,
    Given(body): Given<DecisionBody>,
) -> Answer<StatusCode> {
    let (decided, ruling, action) = match body.decision {
        DecisionName::Allow => (Decided::Allowed, Ruling::Release, "approved"),
        DecisionName::Deny => (Decided::Denied, Ruling::Block, "rejected"),
    };
    let now = gateway.clock().unix_ms();
    let seconds = gateway
        .engine()
        .governor
        .as_ref()
        .map_or(0, |governor| governor.config().approval_seconds);
    let expires = now.saturating_add(u64::from(seconds) * 1_000);
    let desk = gateway.agents();
    let changed = desk.decide(&id, &principal.id, decided, now, expires).await;
    if !changed.map_err(Fault::from)? {
        return Err(no_such("approval that waits for you").into());
    }
    // Whoever still waits records it; else it is recorded here.
    if gateway.rule_held(&id, &principal.id, ruling) {
        return Ok(StatusCode::NO_CONTENT);
    }
    let event = What::Review(Review {
        user_id: (&principal.id).into(),
        action: action.into(),
        held_ms: 0,
    });
    match id.parse() {
        Ok(request) => gateway.recorder().emit_about(request, event).await?,
        Err(_) => gateway.recorder().note(event),
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What is stopped now.
pub(crate) async fn switches(State(gateway): State<Arc<Gateway>>) -> Answer<Json<Switches>> {
    let live = gateway.agents().switches().await.map_err(Fault::from)?;
    Ok(Json(live))
}

/// One kill switch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FlipBody {
    kind: SwitchKind,
    #[serde(default)]
    name: String,
    stop: bool,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SwitchKind {
    All,
    Tenant,
    Agent,
    Tool,
}

/// Stops everything, a tenant, an agent, or a tool, or lets it run again, from the next call on.
pub(crate) async fn flip(
    State(gateway): State<Arc<Gateway>>,
    Extension(principal): Extension<Arc<Principal>>,
    Given(body): Given<FlipBody>,
) -> Answer<StatusCode> {
    let kind = match body.kind {
        SwitchKind::All => "all",
        SwitchKind::Tenant => "tenant",
        SwitchKind::Agent => "agent",
        SwitchKind::Tool => "tool",
    };
    if kind != "all" && body.name.is_empty() || body.name.len() > 256 {
        let fault = Fault::new(
            FaultKind::BadRequest,
            "invalid_switch",
            "name what is to be stopped, in at most 256 bytes",
        );
        return Err(fault.about("name").into());
    }
    let name = if kind == "all" { "" } else { &body.name };
    let now = gateway.clock().unix_ms();
    let desk = gateway.agents();
    desk.flip(kind, name, body.stop, &principal.id, now)
        .await
        .map_err(Fault::from)?;
    let event = ConfigChange {
        what: "agent-switches".into(),
        accepted: true,
        to: Label::from(if body.stop { "stopped" } else { "running" }),
        ..ConfigChange::default()
    };
    gateway.recorder().note(What::ConfigChange(event));
    Ok(StatusCode::NO_CONTENT)
}

fn no_such(what: &'static str) -> Fault {
    Fault::new(
        FaultKind::NotFound,
        "not_found",
        format!("there is no such {what}"),
    )
}
