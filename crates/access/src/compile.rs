//! Grants of a configuration as policies.

use std::{collections::HashMap, fmt::Write as _};

use crate::{
    config::{AccessConfig, GrantConfig, Grantee},
    index::Guard,
    permission::Permission,
    resource::{Pattern, Scope},
};

/// The policies that a configuration's grants mean, in the Cedar language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Compiled {
    /// What roles and permissions permit.
    pub(crate) permits: String,
    /// What `denied` lists forbid.
    pub(crate) denials: String,
    /// What can be told of each policy by names alone, by its id.
    pub(crate) guards: HashMap<String, Guard>,
}

impl Compiled {
    /// The policies of `config`, whose [`AccessConfig::check`] finds no mistakes.
    pub(crate) fn of(config: &AccessConfig) -> Self {
        let mut compiled = Self::default();
        for (place, grant) in config.grants.iter().enumerate() {
            compiled.grant(&grant.name(place), grant);
        }
        compiled
    }

    fn grant(&mut self, id: &str, grant: &GrantConfig) {
        let Some(grantee) = grant.grantee() else {
            return;
        };
        let (principal, mut conditions) = principal(&grantee);
        if let Some(tenant) = &grant.tenant {
            conditions.push(format!("principal.tenant == {}", quoted(tenant)));
        }
        let actions = actions(grant);
        let mut while_it_counts = conditions.clone();
        if let Ok(Some(end)) = grant.ends_ms() {
            // Not a `datetime`, which is parsed at each decision.
            let end = end.div_euclid(1_000) + i64::from(end.rem_euclid(1_000) > 0);
            while_it_counts.push(format!("context.unix < {end}"));
        }
        let scopes: Vec<Option<Scope>> = if grant.on.is_empty() {
            vec![None]
        } else {
            grant.scopes().map(Some).collect()
        };
        for (number, scope) in (1..).zip(&scopes) {
            let id = if scopes.len() == 1 {
                id.to_owned()
            } else {
                format!("{id}/{number}")
            };
            if let Some(actions) = &actions {
                let text = policy("permit", &id, &principal, actions, scope, &while_it_counts);
                self.guards.insert(id.clone(), guard(&grantee, scope));
                self.permits.push_str(&text);
            }
            if !grant.denied.is_empty() {
                let denied = listed(grant.denied.iter());
                let id = format!("{id}/denied");
                self.guards.insert(id.clone(), guard(&grantee, scope));
                let text = policy("forbid", &id, &principal, &denied, scope, &conditions);
                self.denials.push_str(&text);
            }
        }
    }
}

/// One policy; `id` stands in its annotation.
fn policy(
    effect: &str,
    id: &str,
    principal: &str,
    action: &str,
    scope: &Option<Scope>,
    conditions: &[String],
) -> String {
    let mut conditions = conditions.to_vec();
    let resource = match scope {
        None => "resource".to_owned(),
        Some(Scope { kind, name }) => match name {
            Pattern::Exact(name) => format!("resource == {}::{}", kind.entity(), quoted(name)),
            Pattern::Start(start) => {
                if !start.is_empty() {
                    conditions.push(format!("resource.name like {}", begins(start)));
                }
                format!("resource is {}", kind.entity())
            }
        },
    };
    let mut text = format!(
        "@id({})\n{effect} ({principal}, {action}, {resource})",
        quoted(id)
    );
    if !conditions.is_empty() {
        let _ = write!(text, "\nwhen {{ {} }}", conditions.join(" && "));
    }
    text.push_str(";\n");
    text
}

/// The names that the conditions of a policy require.
fn guard(grantee: &Grantee, scope: &Option<Scope>) -> Guard {
    let start = |pattern: &Pattern| matches!(pattern, Pattern::Start(_)).then(|| pattern.clone());
    Guard {
        user: match grantee {
            Grantee::User(name) => start(name),
            _ => None,
        },
        resource: scope.as_ref().and_then(|scope| start(&scope.name)),
    }
}

/// Whom a grant is for: the scope of a policy, and what it cannot say.
fn principal(grantee: &Grantee) -> (String, Vec<String>) {
    let of = |entity: &str, name: &str| format!("principal in {entity}::{}", quoted(name));
    match grantee {
        Grantee::User(Pattern::Exact(name)) => {
            (format!("principal == User::{}", quoted(name)), Vec::new())
        }
        Grantee::User(Pattern::Start(start)) if start.is_empty() => {
            ("principal".to_owned(), Vec::new())
        }
        Grantee::User(Pattern::Start(start)) => (
            "principal".to_owned(),
            vec![format!("principal.name like {}", begins(start))],
        ),
        Grantee::Group(name) => (of("Group", name), Vec::new()),
        Grantee::Team(name) => (of("Team", name), Vec::new()),
        Grantee::Scope(name) => (of("Scope", name), Vec::new()),
    }
}

/// What roles and permissions give; `None` for nothing.
fn actions(grant: &GrantConfig) -> Option<String> {
    if grant
        .permissions
        .iter()
        .any(|name| name == Permission::Admin.as_str())
    {
        return Some("action".to_owned());
    }
    let roles: Vec<String> = grant
        .roles
        .iter()
        .map(|role| format!("role:{role}"))
        .collect();
    let all: Vec<&String> = roles.iter().chain(&grant.permissions).collect();
    (!all.is_empty()).then(|| listed(all.into_iter()))
}

fn listed<'n>(names: impl Iterator<Item = &'n String>) -> String {
    let actions: Vec<String> = names
        .map(|name| format!("Action::{}", quoted(name)))
        .collect();
    format!("action in [{}]", actions.join(", "))
}

/// A text of the Cedar language.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// A pattern of the Cedar language: what begins so. `start` holds no star.
fn begins(start: &str) -> String {
    quoted(&format!("{start}*"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_quotes() {
        assert_eq!(
            quoted(r#"a"); permit(principal"#),
            r#""a\"); permit(principal""#
        );
        assert_eq!(quoted(r"a\"), r#""a\\""#);
    }

    #[test]
    fn a_grant_reads_as_a_policy() {
        let grant = GrantConfig {
            user: Some("corp:*".to_owned()),
            roles: vec!["viewer".to_owned()],
            denied: vec!["model:read".to_owned()],
            on: vec!["model:fraud-*".to_owned()],
            expires: Some("2026-12-31".to_owned()),
            ..GrantConfig::default()
        };
        let compiled = Compiled::of(&AccessConfig {
            grants: vec![grant],
            ..AccessConfig::default()
        });
        insta::assert_snapshot!(compiled.permits + &compiled.denials, @r#"
        @id("grants[0]")
        permit (principal, action in [Action::"role:viewer"], resource is Model)
        when { principal.name like "corp:*" && context.unix < 1798761600 && resource.name like "fraud-*" };
        @id("grants[0]/denied")
        forbid (principal, action in [Action::"model:read"], resource is Model)
        when { principal.name like "corp:*" && resource.name like "fraud-*" };
        "#);
    }
}
