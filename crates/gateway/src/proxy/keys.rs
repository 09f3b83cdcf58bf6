//! Keys over HTTP, for administrators.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{
    Gateway,
    routes::{Answer, Asked, Given},
};
use crate::{
    fault::Fault,
    identity::{Grants, KeyInfo, KeySpec, NewKey},
    principal::Principal,
    record::{KeyManagement, Label, What},
};

/// A key to be made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyBody {
    /// For people.
    name: String,
    /// What it gives.
    grants: Grants,
    /// Seconds until it ends; never if not given.
    #[serde(default)]
    expires_in_seconds: Option<u64>,
}

/// A key as administrators see it.
#[derive(Debug, Serialize)]
struct KeyView {
    id: String,
    name: String,
    scopes: Vec<String>,
    models: Vec<String>,
    team: String,
    tenant: String,
    created_ms: u64,
    expires_ms: Option<u64>,
    revoked_ms: Option<u64>,
    prefixes: Vec<String>,
    /// Whether it is 90 days old and should be rotated.
    due: bool,
}

/// Every key, revoked ones too.
#[derive(Debug, Serialize)]
pub(super) struct KeyList {
    keys: Vec<KeyView>,
}

/// A key that is shown this once.
#[derive(Serialize)]
pub(super) struct Created {
    id: String,
    key: String,
}

/// How long the former secret goes on working.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Overlap {
    overlap_seconds: u64,
}

pub(super) async fn list(State(gateway): State<Arc<Gateway>>) -> Answer<Json<KeyList>> {
    let now_ms = gateway.clock.unix_ms();
    let keys = gateway.authenticator().keys().list().await;
    let keys = keys.map_err(Fault::from)?;
    let view = |key: KeyInfo| KeyView {
        due: key.is_due(now_ms),
        prefixes: key.secrets.into_iter().map(|s| s.prefix).collect(),
        id: key.id,
        name: key.name,
        scopes: key.grants.scopes,
        models: key.grants.models,
        team: key.grants.team,
        tenant: key.grants.tenant,
        created_ms: key.created_ms,
        expires_ms: key.expires_ms,
        revoked_ms: key.revoked_ms,
    };
    Ok(Json(KeyList {
        keys: keys.into_iter().map(view).collect(),
    }))
}

pub(super) async fn create(
    State(gateway): State<Arc<Gateway>>,
    Extension(principal): Extension<Arc<Principal>>,
    Given(body): Given<KeyBody>,
) -> Answer<(StatusCode, Json<Created>)> {
    let now_ms = gateway.clock.unix_ms();
    let spec = KeySpec {
        name: body.name,
        grants: body.grants,
        expires_ms: body
            .expires_in_seconds
            .map(|seconds| now_ms.saturating_add(seconds.saturating_mul(1_000))),
    };
    let keys = gateway.authenticator().keys();
    let new = keys.create(&spec).await.map_err(Fault::from)?;
    let created = shown(&gateway, &principal, "create", &new).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

pub(super) async fn rotate(
    State(gateway): State<Arc<Gateway>>,
    Extension(principal): Extension<Arc<Principal>>,
    Path(id): Path<String>,
    Asked(overlap): Asked<Overlap>,
) -> Answer<Json<Created>> {
    let overlap = Duration::from_secs(overlap.overlap_seconds);
    let keys = gateway.authenticator().keys();
    let new = keys.rotate(&id, overlap).await.map_err(Fault::from)?;
    Ok(Json(shown(&gateway, &principal, "rotate", &new).await?))
}

pub(super) async fn revoke(
    State(gateway): State<Arc<Gateway>>,
    Extension(principal): Extension<Arc<Principal>>,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    let keys = gateway.authenticator().keys();
    if !keys.revoke(&id).await.map_err(Fault::from)? {
        return Err(Fault::from(crate::identity::KeyError::NotFound).into());
    }
    record(&gateway, &principal, "revoke", &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn shown(
    gateway: &Gateway,
    principal: &Principal,
    action: &'static str,
    new: &NewKey,
) -> Result<Created, Fault> {
    record(gateway, principal, action, &new.info.id).await?;
    Ok(Created {
        id: new.info.id.clone(),
        key: new.key.expose().to_owned(),
    })
}

async fn record(
    gateway: &Gateway,
    principal: &Principal,
    action: &'static str,
    key_id: &str,
) -> Result<(), Fault> {
    let event = KeyManagement {
        user_id: (&principal.id).into(),
        action: action.into(),
        key_id: Label::Known(key_id.into()),
    };
    gateway.recorder().emit(What::KeyManagement(event)).await
}
