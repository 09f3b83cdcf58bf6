//! Which rights the record shows in use.

use std::collections::BTreeSet;

use bartizan_access::{Permission, Resource, ResourceKind, Use};

use crate::{
    record::{AuditStore, Event, Interaction, MlAudit, Outcome, Query, SqlAudit, What},
    store::{Store, StoreError},
};

/// Events that are read at once.
const PAGE: u32 = 1_000;
/// The kinds of events that tell of rights.
const KINDS: [&str; 4] = ["llm_interaction", "ml_audit", "key_management", "review"];

/// Every right that somebody used since `from_ms`, each once.
pub(super) async fn uses(store: &Store, from_ms: u64) -> Result<Vec<Use>, StoreError> {
    let audit = SqlAudit::new(store.clone());
    let mut uses = BTreeSet::new();
    for kind in KINDS {
        let mut query = Query {
            kind: Some(kind.to_owned()),
            from_ms,
            limit: PAGE,
            ..Query::default()
        };
        loop {
            let page = audit.query(&query).await?;
            let Some(last) = page.last() else {
                break;
            };
            query.after = last.number;
            uses.extend(page.iter().filter_map(|stored| used(&stored.event)));
        }
    }
    Ok(uses.into_iter().collect())
}

/// The right that an event shows in use; `None` for what was refused or is about nobody.
fn used(event: &Event) -> Option<Use> {
    let (permission, resource) = match &event.what {
        What::LlmInteraction(interaction) => of_interaction(interaction)?,
        What::MlAudit(audit) => of_audit(audit)?,
        What::KeyManagement(_) => (Permission::Admin, None),
        What::Review(review) if review.action.as_str() != "held" => {
            (Permission::ReviewDecide, None)
        }
        _ => return None,
    };
    let user = event.what.user_id();
    (!user.is_none()).then(|| Use {
        user: user.as_str().to_owned(),
        permission,
        resource,
    })
}

fn of_interaction(interaction: &Interaction) -> Option<(Permission, Option<Resource>)> {
    if interaction.outcome == Outcome::Rejected {
        return None;
    }
    let endpoint = interaction.endpoint.as_str();
    let permission = match crate::proxy::routes::access(endpoint) {
        Some((_, Some(crate::principal::Scope::Guard))) => Permission::GuardCheck,
        _ if endpoint.contains("/models") => Permission::ModelRead,
        _ => Permission::ModelPredict,
    };
    Some((permission, model(interaction.model.as_str())))
}

fn of_audit(audit: &MlAudit) -> Option<(Permission, Option<Resource>)> {
    if audit.status.as_str() == "refused" {
        return None;
    }
    match audit.event_type.as_str() {
        "prediction" => Some((Permission::ModelPredict, model(audit.resource.as_str()))),
        _ => Some((Permission::named(audit.action.as_str())?, None)),
    }
}

/// A model by its name in the configuration; a pattern of many is none of them.
fn model(name: &str) -> Option<Resource> {
    let is_one = !name.is_empty() && !name.contains('*');
    is_one.then(|| Resource::new(ResourceKind::Model, name))
}
