//! Who has what, for whoever reviews it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    access::{Access, Ask, Named},
    config::{AccessConfig, GrantConfig, Grantee},
    decision::Decision,
    permission::Permission,
    resource::{Pattern, Resource},
    role::Roles,
    who::Who,
};

/// Every grant with what has become of it, and who holds roles that conflict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// The grants, in their order.
    pub grants: Vec<ReviewedGrant>,
    /// Those who hold roles that one person should not.
    pub conflicts: Vec<Conflict>,
}

/// A grant, reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewedGrant {
    /// Its name in decisions.
    pub id: String,
    /// Whom it is for.
    pub grantee: Grantee,
    /// Whether it still counts.
    pub state: GrantState,
    /// Whether what it gives was used within the record; `None` where that cannot be told: there is
    /// no record, or it is for a group, team, or scope, which the record does not name.
    pub used: Option<bool>,
    /// Whether it gives everything on everything.
    pub is_everything: bool,
}

/// Whether a grant counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantState {
    /// It does.
    Active,
    /// It does, and ends soon: at this time, in milliseconds since 1970.
    Expiring(i64),
    /// It ended, at this time in milliseconds since 1970.
    Expired(i64),
}

impl GrantState {
    /// A stable name, e.g. `expiring`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expiring(_) => "expiring",
            Self::Expired(_) => "expired",
        }
    }
}

/// Somebody with two roles that should be held by two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Whose.
    pub grantee: Grantee,
    /// The roles.
    pub roles: [String; 2],
    /// The grants that give them.
    pub grants: Vec<String>,
}

/// Something that somebody did, as a record tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Use {
    /// Who: the name of a user.
    pub user: String,
    /// What.
    pub permission: Permission,
    /// To what; `None` where the record does not say.
    pub resource: Option<Resource>,
}

impl Review {
    /// Reviews the grants of `config` at `now_ms`; those that end within `soon_ms` are expiring.
    /// `uses` is what a record tells, `None` if there is none.
    #[must_use]
    pub fn of(config: &AccessConfig, now_ms: i64, soon_ms: i64, uses: Option<&[Use]>) -> Self {
        let roles = Roles::of(config);
        let reviewed = config
            .grants
            .iter()
            .enumerate()
            .filter_map(|(place, grant)| {
                let grantee = grant.grantee()?;
                let state = match grant.ends_ms().ok().flatten() {
                    Some(end) if end <= now_ms => GrantState::Expired(end),
                    Some(end) if end <= now_ms.saturating_add(soon_ms) => GrantState::Expiring(end),
                    _ => GrantState::Active,
                };
                Some(ReviewedGrant {
                    id: grant.name(place),
                    used: used(grant, &grantee, &roles, uses),
                    is_everything: grant.on.is_empty() && grant.gives(&roles, Permission::Admin),
                    grantee,
                    state,
                })
            });
        Self {
            grants: reviewed.collect(),
            conflicts: conflicts(config, now_ms),
        }
    }

    /// Whether there is nothing to do about it.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let is_fine =
            |grant: &ReviewedGrant| grant.state == GrantState::Active && grant.used != Some(false);
        self.conflicts.is_empty() && self.grants.iter().all(is_fine)
    }
}

/// Whether something in `uses` needed this grant or one like it.
fn used(
    grant: &GrantConfig,
    grantee: &Grantee,
    roles: &Roles,
    uses: Option<&[Use]>,
) -> Option<bool> {
    let Grantee::User(user) = grantee else {
        return None;
    };
    if grant.roles.is_empty() && grant.permissions.is_empty() {
        // It only denies: that nobody tried is what it is for.
        return None;
    }
    let scopes: Vec<_> = grant.scopes().collect();
    let is_meant = |one: &Use| {
        let on = one.resource.as_ref().is_none_or(|resource| {
            scopes.is_empty() || scopes.iter().any(|scope| scope.covers(resource))
        });
        on && user.fits(&one.user) && grant.gives(roles, one.permission)
    };
    uses.map(|uses| uses.iter().any(is_meant))
}

/// Who holds both roles of a pair by grants that count.
fn conflicts(config: &AccessConfig, now_ms: i64) -> Vec<Conflict> {
    let counts = |grant: &GrantConfig| {
        let end = grant.ends_ms().ok().flatten();
        end.is_none_or(|end| end > now_ms)
    };
    let grants: Vec<(String, Grantee, &GrantConfig)> = config
        .grants
        .iter()
        .enumerate()
        .filter(|(_, grant)| counts(grant))
        .filter_map(|(place, grant)| Some((grant.name(place), grant.grantee()?, grant)))
        .collect();
    // A grant with a star reaches those whom it means; the star itself is one of them.
    let reaches = |of: &Grantee, whom: &Grantee| match (of, whom) {
        (Grantee::User(of), Grantee::User(Pattern::Exact(name))) => of.fits(name),
        (Grantee::User(Pattern::Start(of)), Grantee::User(Pattern::Start(whom))) => {
            whom.starts_with(of.as_str())
        }
        (of, whom) => of == whom,
    };
    let whom: BTreeSet<&Grantee> = grants.iter().map(|(_, grantee, _)| grantee).collect();
    let mut found = Vec::new();
    for whom in whom {
        let mut held: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (id, _, grant) in grants.iter().filter(|(_, of, _)| reaches(of, whom)) {
            for role in &grant.roles {
                held.entry(role).or_default().push(id);
            }
        }
        for pair in &config.conflicts {
            let [one, two] = pair;
            let (Some(first), Some(second)) = (held.get(one.as_str()), held.get(two.as_str()))
            else {
                continue;
            };
            let ids: BTreeSet<&str> = first.iter().chain(second).copied().collect();
            found.push(Conflict {
                grantee: whom.clone(),
                roles: pair.clone(),
                grants: ids.into_iter().map(str::to_owned).collect(),
            });
        }
    }
    found
}

/// Somebody, or a kind of people, whom policies or credentials name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// For people, e.g. `user alice`, `group corp:ml`.
    pub label: String,
    /// As policies see them.
    pub who: Who,
}

/// Who may do something: everybody whom grants and policies name, and `others`, asked one by one.
/// Whoever is not named may do what the rows of groups, teams, scopes, and stars say that fit them.
#[must_use]
pub fn who_can(
    access: &Access,
    config: &AccessConfig,
    others: &[Candidate],
    permission: Permission,
    resource: &Resource,
    now_ms: i64,
) -> Vec<(Candidate, Decision)> {
    let grantees = config.grants.iter().filter_map(|grant| {
        let tenant = grant.tenant.clone().unwrap_or_default();
        Some((grant.grantee()?, tenant))
    });
    let named = access.named().iter().map(|named| {
        let grantee = match named.clone() {
            Named::User(name) => Grantee::User(Pattern::Exact(name)),
            Named::Group(name) => Grantee::Group(name),
            Named::Team(name) => Grantee::Team(name),
        };
        (grantee, String::new())
    });
    let scopes = crate::SCOPES
        .iter()
        .map(|scope| (Grantee::Scope((*scope).to_owned()), String::new()));
    let all: BTreeSet<(Grantee, String)> = grantees.chain(named).chain(scopes).collect();
    let asked = all.into_iter().map(|(grantee, tenant)| {
        let tenant = if tenant.is_empty() {
            access.tenant_of(resource)
        } else {
            &tenant
        };
        candidate(&grantee, tenant)
    });
    let asked = asked.chain(others.iter().cloned());
    let decided = asked.map(|candidate| {
        let decision = access.decide(&Ask {
            who: &candidate.who,
            permission,
            resource,
            now_ms,
        });
        (candidate, decision)
    });
    decided
        .filter(|(_, decision)| decision.is_allowed())
        .collect()
}

/// The least of those whom a grant is for.
fn candidate(grantee: &Grantee, tenant: &str) -> Candidate {
    let mut who = Who {
        tenant: tenant.into(),
        ..Who::default()
    };
    match grantee {
        Grantee::User(name) => who.name = name.to_string().into(),
        Grantee::Group(name) => who.groups.push(name.as_str().into()),
        Grantee::Team(name) => who.team = name.as_str().into(),
        Grantee::Scope(name) => {
            who.scopes
                .extend(crate::SCOPES.into_iter().find(|scope| scope == name));
        }
    }
    let label = if tenant.is_empty() {
        grantee.to_string()
    } else {
        format!("{grantee} in tenant {tenant}")
    };
    Candidate { label, who }
}
