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
    identity::{Grants, KeySpec, KeyView, NewKey},
    principal::Principal,
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
    let keys = gateway.key_desk().list().await.map_err(Fault::from)?;
    let view = |key| KeyView::of(key, now_ms);
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
    let new = gateway.key_desk().create(&principal.id, &spec).await;
    let new = new.map_err(Fault::from)?;
    Ok((StatusCode::CREATED, Json(Created::of(&new))))
}

pub(super) async fn rotate(
    State(gateway): State<Arc<Gateway>>,
    Extension(principal): Extension<Arc<Principal>>,
    Path(id): Path<String>,
    Asked(overlap): Asked<Overlap>,
) -> Answer<Json<Created>> {
    let overlap = Duration::from_secs(overlap.overlap_seconds);
    let desk = gateway.key_desk();
    let new = desk.rotate(&principal.id, &id, overlap).await;
    Ok(Json(Created::of(&new.map_err(Fault::from)?)))
}

pub(super) async fn revoke(
    State(gateway): State<Arc<Gateway>>,
    Extension(principal): Extension<Arc<Principal>>,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    let gone = gateway.key_desk().revoke(&principal.id, &id).await;
    gone.map_err(Fault::from)?;
    Ok(StatusCode::NO_CONTENT)
}

impl Created {
    fn of(new: &NewKey) -> Self {
        Self {
            id: new.info.id.clone(),
            key: new.key.expose().to_owned(),
        }
    }
}
