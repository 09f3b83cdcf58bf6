//! The `access` block of `bartizan.yaml`: as written, then checked.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    permission::Permission,
    resource::{Pattern, ResourceKind, Scope},
    role::{CONFLICTS, ROLES, Roles},
};

/// Grants at most.
const MAX_GRANTS: usize = 100_000;

/// Who may do what: the `access` block of `bartizan.yaml`.
///
/// Whatever nothing permits is denied, and whatever something forbids is denied, too.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct AccessConfig {
    /// Files of policies in the Cedar language, relative to this file.
    pub policies: Vec<PathBuf>,
    /// Scopes of keys, tokens, and certificates permit what they are named for, everywhere. If
    /// false, grants and policies alone permit.
    pub scopes: bool,
    /// Roles beside `viewer`, `data_scientist`, `ml_engineer`, `auditor`, and `admin`.
    pub roles: BTreeMap<String, RoleConfig>,
    /// Who has which roles and permissions.
    pub grants: Vec<GrantConfig>,
    /// To which tenant resources belong; the first that fits counts. Others may not use them.
    pub resources: Vec<ResourceConfig>,
    /// Pairs of roles that one person should not hold at once; `bartizan access report` names who
    /// does.
    pub conflicts: Vec<[String; 2]>,
    /// Who holds `admin` may do also what `denied` lists deny them. For those who come from
    /// programs that look at `admin` first; policies that forbid still count.
    pub dangerously_admin_ignores_denied: bool,
}

impl Default for AccessConfig {
    fn default() -> Self {
        Self {
            policies: Vec::new(),
            scopes: true,
            roles: BTreeMap::new(),
            grants: Vec::new(),
            resources: Vec::new(),
            conflicts: CONFLICTS
                .iter()
                .map(|pair| pair.map(str::to_owned))
                .collect(),
            dangerously_admin_ignores_denied: false,
        }
    }
}

/// A role of one's own.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RoleConfig {
    /// What it gives, e.g. `model:read`.
    pub permissions: Vec<String>,
}

/// Roles and permissions of somebody. One of `user`, `group`, `team`, and `scope` says of whom.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct GrantConfig {
    /// A name for decisions and reports; its place in the list if not given.
    pub id: Option<String>,
    /// A key's id, `issuer:subject` of a token, or `certificate:` and the name in one; may end with
    /// `*`.
    #[serde(alias = "user_id")]
    pub user: Option<String>,
    /// A group of a token's claims: `issuer:group`.
    pub group: Option<String>,
    /// A team of credentials.
    pub team: Option<String>,
    /// Whoever has this scope.
    pub scope: Option<String>,
    /// Roles.
    pub roles: Vec<String>,
    /// Permissions beside those of the roles.
    #[serde(alias = "extra_permissions")]
    pub permissions: Vec<String>,
    /// Permissions that they do not have, whatever else gives them.
    #[serde(alias = "denied_permissions")]
    pub denied: Vec<String>,
    /// What it is about, e.g. `model:fraud-*`, `dataset:claims`; everything if empty. Kinds are
    /// `model`, `dataset`, `experiment`, `document`, `tool`, `route`, `record`, `system`.
    pub on: Vec<String>,
    /// Only while they act for this tenant.
    pub tenant: Option<String>,
    /// The last day (`2026-12-31`, UTC) or the moment (`2026-12-31T12:00:00Z`) until which roles and
    /// permissions count. What is denied stays denied.
    pub expires: Option<String>,
    /// Why, for whoever reviews it.
    pub reason: Option<String>,
}

/// Resources of a tenant.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ResourceConfig {
    /// Which, e.g. `model:acme-*`.
    pub name: String,
    /// Whose.
    pub tenant: String,
}

/// Whom a grant is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grantee {
    /// A user, or all whose names begin so.
    User(Pattern),
    /// A group.
    Group(String),
    /// A team.
    Team(String),
    /// Whoever has a scope.
    Scope(String),
}

impl std::fmt::Display for Grantee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(name) => write!(f, "user {name}"),
            Self::Group(name) => write!(f, "group {name}"),
            Self::Team(name) => write!(f, "team {name}"),
            Self::Scope(name) => write!(f, "scope {name}"),
        }
    }
}

impl GrantConfig {
    /// Its name in decisions; `place` is its place in the list, from 0.
    #[must_use]
    pub fn name(&self, place: usize) -> String {
        self.id
            .clone()
            .unwrap_or_else(|| format!("grants[{place}]"))
    }

    /// Whom it is for; `None` unless exactly one is named, and well.
    #[must_use]
    pub fn grantee(&self) -> Option<Grantee> {
        let exact = |text: &String| match Pattern::parse(text) {
            Some(Pattern::Exact(name)) => Some(name),
            _ => None,
        };
        match (&self.user, &self.group, &self.team, &self.scope) {
            (Some(user), None, None, None) => Some(Grantee::User(Pattern::parse(user)?)),
            (None, Some(group), None, None) => Some(Grantee::Group(exact(group)?)),
            (None, None, Some(team), None) => Some(Grantee::Team(exact(team)?)),
            (None, None, None, Some(scope)) => Some(Grantee::Scope(exact(scope)?)),
            _ => None,
        }
    }

    /// The first moment at which it counts no more, in milliseconds since 1970; `None` without end.
    ///
    /// # Errors
    /// When the text is neither a day nor a moment.
    pub(crate) fn ends_ms(&self) -> Result<Option<i64>, ()> {
        let Some(text) = &self.expires else {
            return Ok(None);
        };
        let day_after = |day: Date| {
            let next = day.tomorrow().ok()?;
            Some(next.to_zoned(TimeZone::UTC).ok()?.timestamp())
        };
        let end = match text.parse::<Timestamp>() {
            Ok(moment) => Some(moment),
            Err(_) => text.parse::<Date>().ok().and_then(day_after),
        };
        end.map(|end| Some(end.as_millisecond())).ok_or(())
    }

    /// Whether it gives `permission`, to whom and on what it may be.
    #[must_use]
    pub fn gives(&self, roles: &Roles, permission: Permission) -> bool {
        self.roles.iter().any(|role| roles.gives(role, permission))
            || self
                .permissions
                .iter()
                .any(|name| name == permission.as_str() || name == Permission::Admin.as_str())
    }

    /// What it is about; empty for everything.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> {
        self.on.iter().filter_map(|text| Scope::parse(text))
    }
}

impl AccessConfig {
    /// Every mistake, as the place in `access` and what is wrong. `scopes` are those of credentials.
    #[must_use]
    pub fn check(&self, scopes: &[&str]) -> Vec<(String, String)> {
        let mut checker = Checker {
            roles: Roles::of(self),
            scopes,
            mistakes: Vec::new(),
        };
        checker.roles(self);
        checker.conflicts(self);
        for (place, resource) in self.resources.iter().enumerate() {
            checker.resource(place, resource);
        }
        if self.grants.len() > MAX_GRANTS {
            checker.say("grants", format!("has more than {MAX_GRANTS} entries"));
            return checker.mistakes;
        }
        let mut ids = BTreeSet::new();
        for (place, grant) in self.grants.iter().enumerate() {
            checker.grant(place, grant);
            if !ids.insert(grant.name(place)) {
                let what = "stands twice; decisions name grants, so that ids must differ";
                checker.say(&format!("grants[{place}].id"), what.to_owned());
            }
        }
        checker.mistakes
    }
}

struct Checker<'a> {
    roles: Roles,
    scopes: &'a [&'a str],
    mistakes: Vec<(String, String)>,
}

impl Checker<'_> {
    fn say(&mut self, at: &str, what: String) {
        self.mistakes.push((at.to_owned(), what));
    }

    fn roles(&mut self, config: &AccessConfig) {
        for (name, role) in &config.roles {
            let at = format!("roles.{name}");
            if ROLES.iter().any(|(known, _)| known == name) {
                self.say(
                    &at,
                    format!("`{name}` is a built-in role; choose another name"),
                );
            }
            if !is_id(name) {
                self.say(&at, IS_ID.to_owned());
            }
            for (index, permission) in role.permissions.iter().enumerate() {
                self.permission(&format!("{at}.permissions[{index}]"), permission);
            }
        }
    }

    fn conflicts(&mut self, config: &AccessConfig) {
        for (index, pair) in config.conflicts.iter().enumerate() {
            for role in pair {
                self.role(&format!("conflicts[{index}]"), role);
            }
        }
    }

    fn resource(&mut self, place: usize, resource: &ResourceConfig) {
        let at = format!("resources[{place}]");
        self.scope(&format!("{at}.name"), &resource.name);
        if !matches!(Pattern::parse(&resource.tenant), Some(Pattern::Exact(_))) {
            self.say(&format!("{at}.tenant"), "is no name".to_owned());
        }
    }

    fn grant(&mut self, place: usize, grant: &GrantConfig) {
        let at = format!("grants[{place}]");
        if grant.id.as_deref().is_some_and(|id| !is_id(id)) {
            self.say(&format!("{at}.id"), IS_ID.to_owned());
        }
        match grant.grantee() {
            None => {
                let what = "needs one of `user`, `group`, `team`, and `scope`, with a name of at most 256 bytes; only `user` may end with `*`";
                self.say(&at, what.to_owned());
            }
            Some(Grantee::Scope(scope)) if !self.scopes.contains(&scope.as_str()) => {
                let what = unknown("scope", &scope, self.scopes.iter().copied());
                self.say(&format!("{at}.scope"), what);
            }
            Some(_) => {}
        }
        for (index, role) in grant.roles.iter().enumerate() {
            self.role(&format!("{at}.roles[{index}]"), role);
        }
        for (field, names) in [
            ("permissions", &grant.permissions),
            ("denied", &grant.denied),
        ] {
            for (index, name) in names.iter().enumerate() {
                self.permission(&format!("{at}.{field}[{index}]"), name);
            }
        }
        if grant.roles.is_empty() && grant.permissions.is_empty() && grant.denied.is_empty() {
            let what = "gives nothing and denies nothing; name `roles`, `permissions`, or `denied`";
            self.say(&at, what.to_owned());
        }
        for (index, scope) in grant.on.iter().enumerate() {
            self.scope(&format!("{at}.on[{index}]"), scope);
        }
        self.reach(&at, grant);
        let is_tenant = |name: &String| matches!(Pattern::parse(name), Some(Pattern::Exact(_)));
        if grant.tenant.as_ref().is_some_and(|name| !is_tenant(name)) {
            self.say(&format!("{at}.tenant"), "is no name".to_owned());
        }
        if grant.ends_ms().is_err() {
            let what = "is no day and no moment; write `2026-12-31` or `2026-12-31T12:00:00Z`";
            self.say(&format!("{at}.expires"), what.to_owned());
        }
    }

    /// A permission that is about nothing that the grant names would be lost silently.
    fn reach(&mut self, at: &str, grant: &GrantConfig) {
        let kinds: BTreeSet<ResourceKind> = grant.scopes().map(|scope| scope.kind).collect();
        if kinds.is_empty() {
            return;
        }
        for (field, names) in [
            ("permissions", &grant.permissions),
            ("denied", &grant.denied),
        ] {
            for (index, name) in names.iter().enumerate() {
                let Some(permission) = Permission::named(name) else {
                    continue;
                };
                let reaches = permission == Permission::Admin
                    || kinds.iter().any(|kind| permission.is_about(*kind));
                if !reaches {
                    let what = format!("`{name}` is about nothing that `on` names");
                    self.say(&format!("{at}.{field}[{index}]"), what);
                }
            }
        }
    }

    fn role(&mut self, at: &str, name: &str) {
        if !self.roles.has(name) {
            let what = unknown("role", name, self.roles.names());
            self.say(at, what);
        }
    }

    fn permission(&mut self, at: &str, name: &str) {
        if Permission::named(name).is_none() {
            let what = unknown(
                "permission",
                name,
                Permission::all().map(Permission::as_str),
            );
            self.say(at, what);
        }
    }

    fn scope(&mut self, at: &str, text: &str) {
        if Scope::parse(text).is_none() {
            let kinds: Vec<&str> = ResourceKind::all().map(ResourceKind::as_str).collect();
            let what = format!(
                "`{text}` is no resource; write a kind and a name, e.g. `model:fraud-*`; kinds are `{}`",
                kinds.join("`, `")
            );
            self.say(at, what);
        }
    }
}

const IS_ID: &str = "has 1 to 64 characters: letters, digits, `-`, `_`, `.`";

fn is_id(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=64).contains(&text.len()) && text.chars().all(is_part)
}

/// That there is no such thing, and what may have been meant.
pub(crate) fn unknown<'n>(what: &str, given: &str, names: impl Iterator<Item = &'n str>) -> String {
    let nearest = names
        .map(|name| (strsim::osa_distance(given, name), name))
        .min()
        .filter(|(distance, name)| *distance <= name.len().min(given.len()) / 3 + 1);
    match nearest {
        Some((_, name)) => format!("there is no {what} `{given}`; did you mean `{name}`?"),
        None => format!("there is no {what} `{given}`"),
    }
}
