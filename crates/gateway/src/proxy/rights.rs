//! The access policy, asked at every route.

use bartizan_access::{Ask, Because, Decision, Permission, Resource, ResourceKind};

use super::{Engine, Gateway, routes};
use crate::{
    endpoint::Endpoint,
    fault::{Fault, FaultKind},
    principal::{Principal, Scope},
    record::{Label, MlAudit, RequestId, What},
};

/// What a route is, for the policy.
enum Wish {
    /// A permission on one thing.
    One(Permission, Resource),
    /// To ask some model, which the request names later.
    SomeModel,
}

impl Wish {
    /// What is wished for at `path`, a route that is open to `scope`.
    fn of(scope: Scope, path: &str) -> Self {
        let route = |permission| Self::One(permission, Resource::new(ResourceKind::Route, path));
        match scope {
            Scope::Infer => Self::SomeModel,
            Scope::Guard => route(Permission::GuardCheck),
            Scope::Metrics => route(Permission::MetricsRead),
            Scope::Review => route(Permission::ReviewDecide),
            Scope::Admin => route(Permission::Admin),
            Scope::Audit => {
                let requests = Resource::new(ResourceKind::Record, "requests");
                Self::One(Permission::AuditRead, requests)
            }
        }
    }
}

impl Engine {
    /// What the access policy says, without a record of it.
    pub(super) fn right(
        &self,
        principal: &Principal,
        permission: Permission,
        resource: &Resource,
        now_ms: u64,
    ) -> Decision {
        self.access.decide(&Ask {
            who: &principal.who(),
            permission,
            resource,
            now_ms: i64::try_from(now_ms).unwrap_or(i64::MAX),
        })
    }
}

impl Gateway {
    /// Whether a principal may use a route that is no model's. What is read of the record is
    /// recorded.
    pub(super) fn may_enter(
        &self,
        principal: &Principal,
        scope: Scope,
        path: &str,
        pattern: &'static str,
        request_id: &str,
    ) -> Result<(), Fault> {
        let engine = self.engine();
        let (permission, resource) = match Wish::of(scope, path) {
            Wish::One(permission, resource) => (permission, resource),
            Wish::SomeModel => {
                return self.may_some(principal, Permission::ModelPredict, pattern, |event| {
                    self.note_about(request_id, event);
                });
            }
        };
        let decision = engine.right(principal, permission, &resource, self.clock.unix_ms());
        if !decision.is_allowed() {
            let reason = Label::Known(decision.reason());
            let event = denied(principal, permission, pattern.into(), reason);
            self.note_about(request_id, event);
            return Err(fault(decision.because));
        }
        if permission == Permission::AuditRead {
            let event = audit(
                "data_access",
                principal,
                permission,
                pattern.into(),
                "success",
            );
            self.note_about(request_id, What::MlAudit(Box::new(event)));
        }
        Ok(())
    }

    /// Whether a principal may use models at all; which one, its request says later.
    pub(super) fn may_begin(
        &self,
        principal: &Principal,
        endpoint: Endpoint,
        id: RequestId,
    ) -> Result<(), Fault> {
        let permission = match endpoint {
            Endpoint::Models | Endpoint::Model => Permission::ModelRead,
            _ => Permission::ModelPredict,
        };
        self.may_some(principal, permission, endpoint.path(), |event| {
            self.recorder().note_about(id, event);
        })
    }

    /// Whether a principal has a permission on anything; `note` is given a denial for the record.
    fn may_some(
        &self,
        principal: &Principal,
        permission: Permission,
        pattern: &'static str,
        note: impl FnOnce(What),
    ) -> Result<(), Fault> {
        let engine = self.engine();
        if engine.access.may_permit(&principal.who(), permission) {
            return Ok(());
        }
        let reason = Because::NotPermitted.as_str().into();
        note(denied(principal, permission, pattern.into(), reason));
        Err(routes::forbidden())
    }

    /// Whether a principal may see models at all, where another program lists them.
    #[cfg(feature = "envoy")]
    pub(crate) fn may_list(&self, principal: &Principal) -> Result<(), Fault> {
        self.may_begin(principal, Endpoint::Models, RequestId::new(&*self.clock))
    }

    /// Whether a principal may call a tool. What clients call it is content.
    pub(crate) fn may_call(
        &self,
        principal: &Principal,
        tool: &str,
        request_id: &str,
    ) -> Result<(), Fault> {
        let permission = Permission::ToolCall;
        let resource = Resource::new(ResourceKind::Tool, tool);
        let now = self.clock.unix_ms();
        let decision = self.engine().right(principal, permission, &resource, now);
        if decision.is_allowed() {
            return Ok(());
        }
        let reason = Label::Known(decision.reason());
        let event = denied(principal, permission, Label::Fixed("tool"), reason);
        self.note_about(request_id, event);
        Err(refused().about("tool"))
    }

    /// Whether a principal may use that model. `known` is its name in the configuration, for the
    /// record: names that clients send are content.
    pub(super) fn may_use_model(
        &self,
        engine: &Engine,
        principal: &Principal,
        permission: Permission,
        model: &str,
        known: Option<&str>,
        request_id: &str,
    ) -> Result<(), Fault> {
        let resource = Resource::new(ResourceKind::Model, model);
        let decision = engine.right(principal, permission, &resource, self.clock.unix_ms());
        if decision.is_allowed() {
            return Ok(());
        }
        let told = known.map_or(Label::Fixed("model"), |name| {
            Label::Known(format!("model:{name}").into())
        });
        let reason = Label::Known(decision.reason());
        self.note_about(request_id, denied(principal, permission, told, reason));
        Err(refused().about("model"))
    }
}

/// What the client is told; which policy refuses is for the record.
fn fault(because: Because) -> Fault {
    match because {
        Because::NotPermitted => routes::forbidden(),
        _ => refused(),
    }
}

fn refused() -> Fault {
    Fault::new(
        FaultKind::Forbidden,
        "access_denied",
        "the access policy does not permit this",
    )
}

fn denied(principal: &Principal, permission: Permission, resource: Label, reason: Label) -> What {
    let event = MlAudit {
        status_code: FaultKind::Forbidden.status().as_u16(),
        reason,
        ..audit("access_denied", principal, permission, resource, "refused")
    };
    What::MlAudit(Box::new(event))
}

fn audit(
    event_type: &'static str,
    principal: &Principal,
    permission: Permission,
    resource: Label,
    status: &'static str,
) -> MlAudit {
    MlAudit {
        event_type: event_type.into(),
        user_id: (&principal.id).into(),
        action: permission.as_str().into(),
        resource,
        status: status.into(),
        ..MlAudit::default()
    }
}
