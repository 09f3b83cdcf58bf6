//! Policies in buckets, so that a decision reads those that can be about it and no others.

use std::collections::{BTreeMap, HashMap, HashSet, btree_map::Entry};

use cedar_policy::{
    ActionConstraint, AuthorizationError, Authorizer, Decision, Effect, Entities, EntityUid,
    Policy, PolicyId, PolicySet, PrincipalConstraint, Request, ResourceConstraint, Response,
};

use crate::{permission::Permission, resource::Pattern};

/// Policies by what their scopes name.
///
/// Sound, since a scope that names an entity holds for that entity and what is in it alone, and a
/// request asks every bucket of the entities that its principal and resource are or are in.
/// Resources are in nothing here. A policy that names several actions stands in a bucket of each.
#[derive(Debug, Default)]
pub(crate) struct Index {
    buckets: HashMap<Key, BTreeMap<Guard, PolicySet>>,
    /// Whom something permits what, on some resource.
    permitted: HashSet<(Option<EntityUid>, Permission)>,
    authorizer: Authorizer,
}

/// A principal and a resource that scopes name, `None` for any, and a permission.
type Key = (Option<EntityUid>, Permission, Option<EntityUid>);

/// Names without which a policy says nothing, as its own conditions require, too; `None` for any.
/// Comparing them here costs a thousandth of asking the policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Guard {
    /// Of who asks.
    pub(crate) user: Option<Pattern>,
    /// Of the resource.
    pub(crate) resource: Option<Pattern>,
}

impl Guard {
    fn fits(&self, request: &Request) -> bool {
        let fits = |pattern: &Option<Pattern>, entity: Option<&EntityUid>| {
            pattern.as_ref().is_none_or(|pattern| {
                entity.is_none_or(|entity| pattern.fits(entity.id().unescaped()))
            })
        };
        fits(&self.user, request.principal()) && fits(&self.resource, request.resource())
    }
}

/// What the policies of an index say.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// Those that permit.
    pub(crate) permits: Vec<PolicyId>,
    /// Those that forbid.
    pub(crate) forbids: Vec<PolicyId>,
    /// Those that could not be asked.
    pub(crate) failed: Vec<PolicyId>,
}

impl Said {
    fn add(&mut self, response: &Response) {
        let because = response.diagnostics().reason().cloned();
        match response.decision() {
            Decision::Allow => self.permits.extend(because),
            Decision::Deny => self.forbids.extend(because),
        }
        let errors = response.diagnostics().errors();
        self.failed.extend(errors.map(about));
    }
}

impl Index {
    /// Adds a policy; `in_action` says whether a permission is an action or in its group.
    ///
    /// # Errors
    /// When another policy has its id.
    pub(crate) fn add(
        &mut self,
        policy: &Policy,
        guard: &Guard,
        in_action: &dyn Fn(Permission, &EntityUid) -> bool,
    ) -> Result<(), PolicyId> {
        let principal = match policy.principal_constraint() {
            PrincipalConstraint::Any | PrincipalConstraint::Is(_) => None,
            PrincipalConstraint::In(entity)
            | PrincipalConstraint::Eq(entity)
            | PrincipalConstraint::IsIn(_, entity) => Some(entity),
        };
        let resource = match policy.resource_constraint() {
            ResourceConstraint::Any | ResourceConstraint::Is(_) => None,
            ResourceConstraint::In(entity)
            | ResourceConstraint::Eq(entity)
            | ResourceConstraint::IsIn(_, entity) => Some(entity),
        };
        let action = policy.action_constraint();
        let is_about = |permission: Permission| match &action {
            ActionConstraint::Any => true,
            ActionConstraint::Eq(action) => in_action(permission, action),
            ActionConstraint::In(actions) => {
                actions.iter().any(|action| in_action(permission, action))
            }
        };
        for permission in Permission::all().filter(|permission| is_about(*permission)) {
            let key = (principal.clone(), permission, resource.clone());
            let bucket = self.buckets.entry(key).or_default();
            let guarded = match bucket.entry(guard.clone()) {
                Entry::Occupied(guarded) => guarded.into_mut(),
                Entry::Vacant(place) => place.insert(PolicySet::new()),
            };
            guarded
                .add(policy.clone())
                .map_err(|_| policy.id().clone())?;
            if policy.effect() == Effect::Permit {
                self.permitted.insert((principal.clone(), permission));
            }
        }
        Ok(())
    }

    /// What the policies say; `principals` are the one that asks and what it is in.
    pub(crate) fn ask(
        &self,
        principals: &[EntityUid],
        permission: Permission,
        request: &Request,
        entities: &Entities,
    ) -> Said {
        let mut said = Said::default();
        let resources = [None, request.resource().cloned()];
        for principal in keys(principals) {
            for resource in &resources {
                let key = (principal.clone(), permission, resource.clone());
                let Some(bucket) = self.buckets.get(&key) else {
                    continue;
                };
                for (_, policies) in bucket.iter().filter(|(guard, _)| guard.fits(request)) {
                    let response = self.authorizer.is_authorized(request, policies, entities);
                    said.add(&response);
                }
            }
        }
        said
    }

    /// Whether something may permit it on some resource: what is surely denied can be denied before
    /// the resource is known.
    pub(crate) fn may_permit(&self, principals: &[EntityUid], permission: Permission) -> bool {
        keys(principals).any(|principal| self.permitted.contains(&(principal, permission)))
    }
}

/// Under which principals policies may stand.
fn keys(principals: &[EntityUid]) -> impl Iterator<Item = Option<EntityUid>> {
    std::iter::once(None).chain(principals.iter().cloned().map(Some))
}

/// Which policy could not be asked.
fn about(error: &AuthorizationError) -> PolicyId {
    match error {
        AuthorizationError::PolicyEvaluationError(error) => error.policy_id().clone(),
    }
}
