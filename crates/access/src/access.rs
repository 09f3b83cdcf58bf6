//! Policies, and the question of who may do what.

use std::{
    collections::{HashMap, HashSet},
    str::FromStr as _,
    sync::Arc,
};

use cedar_policy::{
    Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicyId, PolicySet, Request,
    RestrictedExpression, Schema,
};
use sha2::{Digest as _, Sha256};

use crate::{
    compile::Compiled,
    config::AccessConfig,
    decision::{Because, Decision},
    index::{Guard, Index, Said},
    permission::Permission,
    resource::{Resource, ResourceKind, Scope},
    role::Roles,
    schema::cedar_schema,
    source::{Mistake, PolicyFile},
    time::Times,
    who::Who,
};

/// Scopes that the built-in policies know.
pub const SCOPES: [&str; 6] = ["infer", "guard", "audit", "metrics", "review", "admin"];

const ALWAYS: &str = include_str!("pack/always.cedar");
const OF_SCOPES: &str = include_str!("pack/scopes.cedar");

/// Who may do what. Denies what nothing permits, and what anything forbids.
#[derive(Debug)]
pub struct Access {
    /// What policies, roles, and permissions say.
    given: Index,
    /// What `denied` lists forbid.
    denied: Index,
    admin_ignores_denied: bool,
    tenants: Vec<(Scope, String)>,
    roles: Roles,
    names: Names,
    times: Times,
    version: String,
    policies: usize,
    /// Those whom policies name beside the grants.
    named: Vec<Named>,
}

/// Whom a policy names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Named {
    User(String),
    Group(String),
    Team(String),
}

/// A question: whether somebody may do something now.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Who asks.
    pub who: &'a Who,
    /// For what.
    pub permission: Permission,
    /// On what.
    pub resource: &'a Resource,
    /// When, in milliseconds since 1970, UTC.
    pub now_ms: i64,
}

/// Why there are no policies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The `access` block has mistakes, as the place in it and what is wrong.
    #[error("the `access` block has mistakes")]
    Config(Vec<(String, String)>),
    /// Policy files have mistakes.
    #[error("policies have mistakes")]
    Policies(Vec<Mistake>),
}

/// What parsing of names gives, kept.
#[derive(Debug)]
struct Names {
    user: EntityTypeName,
    group: EntityTypeName,
    team: EntityTypeName,
    scope: EntityTypeName,
    kinds: HashMap<ResourceKind, EntityTypeName>,
    /// Each action and what it is in, ready for a request.
    actions: HashMap<Permission, (EntityUid, Entities)>,
}

impl Access {
    /// The policies of `config` and of `files`, which are those that it names.
    ///
    /// # Errors
    /// When the configuration or a file has mistakes: all of them.
    pub fn new(config: &AccessConfig, files: &[PolicyFile]) -> Result<Self, AccessError> {
        let mistakes = config.check(&SCOPES);
        if !mistakes.is_empty() {
            return Err(AccessError::Config(mistakes));
        }
        let roles = Roles::of(config);
        let schema_text = cedar_schema(&roles);
        let (schema, _) =
            Schema::from_cedarschema_str(&schema_text).map_err(|error| ours("schema", &error))?;
        let names = Names::of(&schema)?;
        let Compiled {
            permits,
            denials,
            guards,
        } = Compiled::of(config);
        let mut own = vec![built_in("always", ALWAYS)];
        if config.scopes {
            own.push(built_in("scopes", OF_SCOPES));
        }
        let mut builder = Builder {
            access: Self {
                given: Index::default(),
                denied: Index::default(),
                admin_ignores_denied: config.dangerously_admin_ignores_denied,
                tenants: config
                    .resources
                    .iter()
                    .filter_map(|row| Some((Scope::parse(&row.name)?, row.tenant.clone())))
                    .collect(),
                roles,
                names,
                times: Times::default(),
                version: String::new(),
                policies: 0,
                named: Vec::new(),
            },
            ids: HashSet::new(),
            mistakes: Vec::new(),
        };
        let mut digest = Sha256::new();
        digest.update(&schema_text);
        digest.update([u8::from(config.dangerously_admin_ignores_denied)]);
        for (scope, tenant) in &builder.access.tenants {
            digest.update(format!("{scope}\0{tenant}\0"));
        }
        for file in own.iter().chain(files) {
            digest.update(&file.text);
            match file.read(&schema, &SCOPES) {
                Ok(policies) => builder.add(&file.name, policies, &HashMap::new(), true),
                Err(mistakes) => builder.mistakes.extend(mistakes),
            }
        }
        for (text, is_given) in [(&permits, true), (&denials, false)] {
            digest.update(text);
            let set = PolicySet::from_str(text).map_err(|error| ours("grants", &error))?;
            let policies = set.policies().filter_map(|policy| {
                let id = policy.annotation("id")?;
                Some(policy.new_id(PolicyId::new(id)))
            });
            builder.add("grants", policies.collect(), &guards, is_given);
        }
        builder.finish(digest)
    }

    /// The policies of a configuration that says nothing.
    ///
    /// # Errors
    /// Never, as a test shows.
    pub fn built_in() -> Result<Self, AccessError> {
        Self::new(&AccessConfig::default(), &[])
    }

    /// Whether it may be done. Something that forbids wins over all that permits; a policy that
    /// cannot be asked counts as one that forbids.
    #[must_use]
    pub fn decide(&self, ask: &Ask<'_>) -> Decision {
        let Some(question) = self.question(ask) else {
            return Decision {
                because: Because::Unclear,
                policies: Vec::new(),
            };
        };
        let given = self.given.ask(
            &question.principals,
            ask.permission,
            &question.request,
            &question.entities,
        );
        if !given.forbids.is_empty() || !given.failed.is_empty() || self.is_admin(ask) {
            return decision(given, Said::default());
        }
        let denied = self.denied.ask(
            &question.principals,
            ask.permission,
            &question.request,
            &question.entities,
        );
        decision(given, denied)
    }

    /// Whether something may permit it on some resource. If not, it is denied on all of them.
    #[must_use]
    pub fn may_permit(&self, who: &Who, permission: Permission) -> bool {
        let principals = self.names.principals(who);
        self.given.may_permit(&principals, permission)
    }

    /// The tenant of a resource; empty for none.
    #[must_use]
    pub fn tenant_of(&self, resource: &Resource) -> &str {
        let row = self
            .tenants
            .iter()
            .find(|(scope, _)| scope.covers(resource));
        row.map_or("", |(_, tenant)| tenant.as_str())
    }

    /// A digest of everything that decides: 12 hexadecimal digits.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How many policies there are, the built-in ones among them.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.policies
    }

    /// Whether there are none, which is never so.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.policies == 0
    }

    /// The roles.
    #[must_use]
    pub const fn roles(&self) -> &Roles {
        &self.roles
    }

    pub(crate) fn named(&self) -> &[Named] {
        &self.named
    }

    /// Whether `denied` lists do not count for who asks.
    fn is_admin(&self, ask: &Ask<'_>) -> bool {
        if !self.admin_ignores_denied {
            return false;
        }
        let system = Resource::new(ResourceKind::System, "bartizan");
        let ask = Ask {
            permission: Permission::Admin,
            resource: &system,
            ..*ask
        };
        self.question(&ask).is_some_and(|question| {
            let Question {
                principals,
                request,
                entities,
            } = &question;
            let given = self
                .given
                .ask(principals, Permission::Admin, request, entities);
            decision(given, Said::default()).is_allowed()
        })
    }

    /// The question in words of policies; `None` where it cannot be put.
    fn question(&self, ask: &Ask<'_>) -> Option<Question> {
        let (who, resource) = (ask.who, ask.resource);
        let (action, entities) = self.names.actions.get(&ask.permission)?;
        let principals = self.names.principals(who);
        let user = principals.first()?.clone();
        let kind = self.names.kinds.get(&resource.kind)?;
        let thing = uid(kind, &resource.name);
        let context = self.times.at(ask.now_ms.div_euclid(1_000))?;
        let parents: HashSet<EntityUid> = principals.iter().skip(1).cloned().collect();
        let entities = entities
            .clone()
            .add_entities(
                [
                    Entity::new(user.clone(), attributes(&who.name, &who.tenant), parents).ok()?,
                    Entity::new(
                        thing.clone(),
                        attributes(&resource.name, self.tenant_of(resource)),
                        HashSet::new(),
                    )
                    .ok()?,
                ],
                None,
            )
            .ok()?;
        let request = Request::new(user, action.clone(), thing, context, None).ok()?;
        Some(Question {
            principals,
            request,
            entities,
        })
    }
}

struct Question {
    /// Who asks, and what they are in.
    principals: Vec<EntityUid>,
    request: Request,
    entities: Entities,
}

/// Forbidding wins, then doubt, then permission.
fn decision(given: Said, denied: Said) -> Decision {
    let join = |one: Vec<PolicyId>, two: Vec<PolicyId>| {
        let mut ids: Vec<Arc<str>> = one
            .iter()
            .chain(&two)
            .map(|id| Arc::from(AsRef::<str>::as_ref(id)))
            .collect();
        ids.sort();
        ids
    };
    let forbids = join(given.forbids, denied.forbids);
    let failed = join(given.failed, denied.failed);
    let permits = join(given.permits, denied.permits);
    let (because, policies) = if !forbids.is_empty() {
        (Because::Forbidden, forbids)
    } else if !failed.is_empty() {
        (Because::Unclear, failed)
    } else if !permits.is_empty() {
        (Because::Permitted, permits)
    } else {
        (Because::NotPermitted, Vec::new())
    };
    Decision { because, policies }
}

impl Names {
    fn of(schema: &Schema) -> Result<Self, AccessError> {
        let name = |name: &str| EntityTypeName::from_str(name).map_err(|error| ours(name, &error));
        let kinds: Result<HashMap<_, _>, AccessError> = ResourceKind::all()
            .map(|kind| Ok((kind, name(kind.entity())?)))
            .collect();
        let action_type = name("Action")?;
        let all = schema
            .action_entities()
            .map_err(|error| ours("schema", &error))?;
        let actions: Result<HashMap<_, _>, AccessError> = Permission::all()
            .map(|permission| {
                let action = uid(&action_type, permission.as_str());
                let entity = all.get(&action).cloned();
                let entities = Entities::from_entities(entity, None)
                    .map_err(|error| ours("schema", &error))?;
                Ok((permission, (action, entities)))
            })
            .collect();
        Ok(Self {
            user: name("User")?,
            group: name("Group")?,
            team: name("Team")?,
            scope: name("Scope")?,
            kinds: kinds?,
            actions: actions?,
        })
    }

    /// Who asks, then everything that they are in.
    fn principals(&self, who: &Who) -> Vec<EntityUid> {
        let mut all = Vec::with_capacity(2 + who.groups.len() + who.scopes.len());
        all.push(uid(&self.user, &who.name));
        all.extend(who.groups.iter().map(|name| uid(&self.group, name)));
        if !who.team.is_empty() {
            all.push(uid(&self.team, &who.team));
        }
        all.extend(who.scopes.iter().map(|name| uid(&self.scope, name)));
        all
    }

    /// Whether a permission is that action or in that group of actions.
    fn is_in(&self, permission: Permission, action: &EntityUid) -> bool {
        self.actions
            .get(&permission)
            .is_some_and(|(own, entities)| own == action || entities.is_ancestor_of(action, own))
    }
}

struct Builder {
    access: Access,
    ids: HashSet<PolicyId>,
    mistakes: Vec<Mistake>,
}

impl Builder {
    fn add(
        &mut self,
        file: &str,
        policies: Vec<cedar_policy::Policy>,
        guards: &HashMap<String, Guard>,
        is_given: bool,
    ) {
        let unguarded = Guard::default();
        let access = &mut self.access;
        access.policies += policies.len();
        for policy in policies {
            let names = &access.names;
            let named = policy.entity_literals().into_iter();
            let named = named.filter_map(|entity| {
                let name = entity.id().unescaped().to_owned();
                match entity.type_name() {
                    of if *of == names.user => Some(Named::User(name)),
                    of if *of == names.group => Some(Named::Group(name)),
                    of if *of == names.team => Some(Named::Team(name)),
                    _ => None,
                }
            });
            access.named.extend(named);
            let index = if is_given {
                &mut access.given
            } else {
                &mut access.denied
            };
            let is_in = |permission, action: &EntityUid| names.is_in(permission, action);
            let guard = guards.get(AsRef::<str>::as_ref(policy.id()));
            let guard = guard.unwrap_or(&unguarded);
            let is_new = self.ids.insert(policy.id().clone());
            if !is_new || index.add(&policy, guard, &is_in).is_err() {
                let id: &str = policy.id().as_ref();
                self.mistakes.push(Mistake {
                    file: file.to_owned(),
                    line: 0,
                    column: 0,
                    message: format!("two policies have the id `{id}`; decisions name policies"),
                });
            }
        }
    }

    fn finish(self, digest: Sha256) -> Result<Access, AccessError> {
        let Self {
            mut access,
            mistakes,
            ..
        } = self;
        if !mistakes.is_empty() {
            return Err(AccessError::Policies(mistakes));
        }
        access.named.sort();
        access.named.dedup();
        let digest = digest.finalize();
        access.version = digest
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(access)
    }
}

fn uid(kind: &EntityTypeName, name: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(name))
}

fn attributes(name: &str, tenant: &str) -> HashMap<String, RestrictedExpression> {
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    HashMap::from([
        ("name".to_owned(), text(name)),
        ("tenant".to_owned(), text(tenant)),
    ])
}

fn built_in(name: &str, text: &str) -> PolicyFile {
    PolicyFile {
        name: format!("built-in {name}"),
        text: text.to_owned(),
    }
}

/// A fault of ours: what is generated here does not parse.
fn ours(file: &str, error: &dyn std::fmt::Display) -> AccessError {
    AccessError::Policies(vec![Mistake {
        file: file.to_owned(),
        line: 0,
        column: 0,
        message: error.to_string(),
    }])
}

#[cfg(test)]
mod tests {
    use cedar_policy::Authorizer;
    use proptest::prelude::*;

    use super::*;

    const USERS: [&str; 2] = ["alice", "bob"];
    const GROUPS: [&str; 2] = ["g", "h"];
    const MODELS: [&str; 2] = ["m", "n"];

    /// Policies of every form of scope.
    fn any_policy() -> impl Strategy<Value = String> {
        let principal = prop_oneof![
            Just("principal".to_owned()),
            Just("principal is User".to_owned()),
            proptest::sample::select(&USERS).prop_map(|u| format!("principal == User::\"{u}\"")),
            proptest::sample::select(&GROUPS).prop_map(|g| format!("principal in Group::\"{g}\"")),
            proptest::sample::select(&GROUPS)
                .prop_map(|g| format!("principal is User in Group::\"{g}\"")),
        ];
        let action = proptest::sample::select(&[
            "action",
            "action == Action::\"model:read\"",
            "action in Action::\"role:viewer\"",
            "action in [Action::\"model:write\", Action::\"role:data_scientist\"]",
        ]);
        let resource = prop_oneof![
            Just("resource".to_owned()),
            Just("resource is Model".to_owned()),
            proptest::sample::select(&MODELS).prop_map(|m| format!("resource == Model::\"{m}\"")),
            proptest::sample::select(&MODELS).prop_map(|m| format!("resource in Model::\"{m}\"")),
        ];
        let when = proptest::sample::select(&[
            "",
            " when { resource.name == \"m\" }",
            " when { 9223372036854775807 + 1 == 0 }",
        ]);
        let effect = proptest::sample::select(&["permit", "permit", "forbid"]);
        (effect, principal, action, resource, when)
            .prop_map(|(effect, p, a, r, when)| format!("{effect} ({p}, {a}, {r}){when};\n"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        /// Whatever a name holds, it stays a name: each grant is one policy and no other.
        #[test]
        fn names_stay_names(user in "\\PC{1,20}", on in "\\PC{1,20}", tenant in "\\PC{1,20}") {
            let config = AccessConfig {
                grants: vec![crate::GrantConfig {
                    user: Some(user.clone()),
                    roles: vec!["viewer".to_owned()],
                    on: vec![format!("model:{on}")],
                    tenant: Some(tenant.clone()),
                    ..crate::GrantConfig::default()
                }],
                ..AccessConfig::default()
            };
            if config.check(&SCOPES).is_empty() {
                let access = Access::new(&config, &[]).unwrap();
                prop_assert_eq!(access.len(), Access::built_in().unwrap().len() + 1);
                let is_one = !user.ends_with('*') && !on.ends_with('*');
                let who = Who { tenant: tenant.as_str().into(), ..Who::named(user) };
                let resource = Resource::new(ResourceKind::Model, on);
                let permission = Permission::ModelRead;
                let ask = Ask { who: &who, permission, resource: &resource, now_ms: 0 };
                prop_assert!(access.decide(&ask).is_allowed());
                let other = Who { tenant: who.tenant.clone(), ..Who::named("somebody else") };
                let ask = Ask { who: &other, ..ask };
                prop_assert!(!is_one || !access.decide(&ask).is_allowed());
            }
        }

        /// Grants with stars, whose names are compared before they are asked, likewise.
        #[test]
        fn guards_lose_nothing(
            grants in proptest::collection::vec(
                (
                    proptest::sample::select(&["alice", "a*", "*", "bob"]),
                    proptest::sample::select(&["model:m", "model:m*", "model:*", "dataset:m"]),
                    proptest::bool::ANY,
                ),
                0..6,
            ),
            user in proptest::sample::select(&USERS),
            model in proptest::sample::select(&["m", "mm", "n"]),
        ) {
            let grants = grants.into_iter().map(|(user, on, denied)| crate::GrantConfig {
                user: Some(user.to_owned()),
                roles: vec!["viewer".to_owned()],
                denied: if denied { vec!["model:write".to_owned()] } else { Vec::new() },
                on: vec![on.to_owned()],
                ..crate::GrantConfig::default()
            });
            let mut config = AccessConfig { grants: grants.collect(), ..AccessConfig::default() };
            for grant in &mut config.grants {
                // What is denied must be about what is named.
                if grant.on[0].starts_with("dataset") {
                    grant.denied.clear();
                }
            }
            let access = Access::new(&config, &[]).unwrap();
            let compiled = Compiled::of(&config);
            let whole = PolicySet::from_str(&(compiled.permits + &compiled.denials)).unwrap();
            let who = Who::named(user);
            let resource = Resource::new(ResourceKind::Model, model);
            for permission in [Permission::ModelRead, Permission::ModelWrite] {
                let ask = Ask { who: &who, permission, resource: &resource, now_ms: 0 };
                let question = access.question(&ask).unwrap();
                let response =
                    Authorizer::new().is_authorized(&question.request, &whole, &question.entities);
                let allowed = response.decision() == cedar_policy::Decision::Allow;
                let decision = access.decide(&ask);
                prop_assert_eq!(decision.is_allowed(), allowed);
                let reasons = response.diagnostics().reason().count();
                prop_assert_eq!(decision.policies.len(), reasons);
            }
        }

        /// The buckets say what the whole set says.
        #[test]
        fn buckets_lose_nothing(
            policies in proptest::collection::vec(any_policy(), 0..8),
            user in proptest::sample::select(&USERS),
            group in proptest::sample::select(&GROUPS),
            model in proptest::sample::select(&MODELS),
            permission in proptest::sample::select(&[
                Permission::ModelRead, Permission::ModelWrite, Permission::ModelDelete,
            ]),
        ) {
            let text: String = policies.concat();
            let file = PolicyFile { name: "x".to_owned(), text: text.clone() };
            let access = Access::new(&AccessConfig::default(), &[file]).unwrap();
            let who = Who { groups: vec![group.into()], ..Who::named(user) };
            let resource = Resource::new(ResourceKind::Model, model);
            let ask = Ask { who: &who, permission, resource: &resource, now_ms: 0 };
            let question = access.question(&ask).unwrap();
            let whole = PolicySet::from_str(&text).unwrap();
            let response =
                Authorizer::new().is_authorized(&question.request, &whole, &question.entities);
            let failed = response.diagnostics().errors().next().is_some();
            let allowed = response.decision() == cedar_policy::Decision::Allow;
            let decision = access.decide(&ask);
            prop_assert_eq!(decision.is_allowed(), allowed && !failed);
            if decision.is_allowed() {
                prop_assert!(access.may_permit(&who, permission));
            }
        }
    }
}
