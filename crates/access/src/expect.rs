//! What decisions should be: the truth table of the built-in roles, and files of expectations.

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::{
    access::{Access, Ask},
    config::{AccessConfig, GrantConfig, unknown},
    permission::Permission,
    resource::Resource,
    role::ROLES,
    source::Mistake,
    who::Who,
};

/// Decisions that are expected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectations(pub Vec<Expectation>);

/// A decision that is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// Its line in the file, from 1.
    pub line: u64,
    /// Who asks.
    pub who: Who,
    /// For what.
    pub permission: Permission,
    /// On what.
    pub resource: Resource,
    /// When, in milliseconds since 1970; now if not given.
    pub at_ms: Option<i64>,
    /// Whether it should be allowed.
    pub allowed: bool,
}

/// How expectations were met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many decisions were made.
    pub asked: usize,
    /// Those that came out otherwise.
    pub failures: Vec<Failure>,
}

/// A decision that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What was expected.
    pub expected: Expectation,
    /// The policies that decided otherwise, or why none did.
    pub reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    expect: Vec<Spanned<Row>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(default)]
    user: String,
    #[serde(default)]
    tenant: String,
    #[serde(default)]
    team: String,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    scopes: Vec<String>,
    action: String,
    resource: String,
    at: Option<String>,
    decision: Wanted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Wanted {
    Allow,
    Deny,
}

impl Expectations {
    /// Reads a file of expectations; `name` is for messages.
    ///
    /// # Errors
    /// When it is no such file, or names what is not there: all of it.
    pub fn from_yaml(name: &str, yaml: &str) -> Result<Self, Vec<Mistake>> {
        let mistake = |line, column, message| Mistake {
            file: name.to_owned(),
            line,
            column,
            message,
        };
        let file: File = serde_saphyr::from_str(yaml).map_err(|error| {
            let at = error.location().map(|at| (at.line(), at.column()));
            let (line, column) = at.unwrap_or_default();
            let said = error.without_snippet().to_string();
            let said = said.lines().next().unwrap_or("not a file of expectations");
            vec![mistake(line, column, said.to_owned())]
        })?;
        let mut all = Vec::with_capacity(file.expect.len());
        let mut mistakes = Vec::new();
        for row in file.expect {
            let at = row.referenced;
            match row.value.read(at.line()) {
                Ok(expectation) => all.push(expectation),
                Err(message) => mistakes.push(mistake(at.line(), at.column(), message)),
            }
        }
        if mistakes.is_empty() {
            Ok(Self(all))
        } else {
            Err(mistakes)
        }
    }

    /// Asks `access` for every decision; `now_ms` is the time of those that name none.
    #[must_use]
    pub fn test(&self, access: &Access, now_ms: i64) -> Outcome {
        let ask = |expected: &Expectation| {
            let decision = access.decide(&Ask {
                who: &expected.who,
                permission: expected.permission,
                resource: &expected.resource,
                now_ms: expected.at_ms.unwrap_or(now_ms),
            });
            (decision.is_allowed() != expected.allowed).then(|| Failure {
                expected: expected.clone(),
                reason: decision.reason().to_string(),
            })
        };
        Outcome {
            asked: self.0.len(),
            failures: self.0.iter().filter_map(ask).collect(),
        }
    }
}

impl Row {
    fn read(self, line: u64) -> Result<Expectation, String> {
        let permission = Permission::named(&self.action).ok_or_else(|| {
            let names = Permission::all().map(Permission::as_str);
            unknown("permission", &self.action, names)
        })?;
        let kind = permission.kinds().first().copied();
        let kind = kind.ok_or_else(|| "is about nothing".to_owned())?;
        let at_ms = self.at.as_ref().map(|text| {
            let at = text.parse::<jiff::Timestamp>();
            at.map(|at| at.as_millisecond())
                .map_err(|_| format!("`{text}` is no moment; write `2026-12-31T12:00:00Z`"))
        });
        let scope = |name: &String| {
            let known = crate::SCOPES.into_iter().find(|scope| scope == name);
            known.ok_or_else(|| unknown("scope", name, crate::SCOPES.into_iter()))
        };
        Ok(Expectation {
            line,
            who: Who {
                name: self.user.into(),
                tenant: self.tenant.into(),
                team: self.team.into(),
                groups: self.groups.into_iter().map(Into::into).collect(),
                scopes: self.scopes.iter().map(scope).collect::<Result<_, _>>()?,
            },
            permission,
            resource: Resource::parse(&self.resource, kind),
            at_ms: at_ms.transpose()?,
            allowed: self.decision == Wanted::Allow,
        })
    }
}

/// What each of the five built-in roles may do of the eleven permissions, as a table: a row per
/// permission, a column per role in the order of [`ROLES`]. It is the published grants of the
/// roles, written down apart from them.
const TRUTH: [(&str, [bool; 5]); 11] = {
    const NO: bool = false;
    const YES: bool = true;
    [
        // viewer, data_scientist, ml_engineer, auditor, admin
        ("model:read", [YES, YES, YES, YES, YES]),
        ("model:write", [NO, YES, YES, NO, YES]),
        ("model:deploy", [NO, NO, YES, NO, YES]),
        ("model:delete", [NO, NO, NO, NO, YES]),
        ("model:predict", [NO, YES, YES, NO, YES]),
        ("data:read", [NO, YES, YES, YES, YES]),
        ("data:write", [NO, NO, YES, NO, YES]),
        ("experiment:read", [YES, YES, YES, YES, YES]),
        ("experiment:write", [NO, YES, YES, NO, YES]),
        ("audit:read", [NO, NO, NO, YES, YES]),
        ("admin", [NO, NO, NO, NO, YES]),
    ]
};

/// Asks policies with one user per built-in role for all 55 decisions.
///
/// # Errors
/// When the built-in policies cannot be read, which is a fault of ours.
pub fn truth_table() -> Result<Outcome, crate::AccessError> {
    let user = |role: &str| GrantConfig {
        user: Some(role.to_owned()),
        roles: vec![role.to_owned()],
        ..GrantConfig::default()
    };
    let config = AccessConfig {
        grants: ROLES.iter().map(|(role, _)| user(role)).collect(),
        ..AccessConfig::default()
    };
    let access = Access::new(&config, &[])?;
    let mut expected = Vec::new();
    for (name, row) in TRUTH {
        for ((role, _), allowed) in ROLES.iter().zip(row) {
            let Some(permission) = Permission::named(name) else {
                continue;
            };
            let kinds = permission.kinds().iter();
            expected.extend(kinds.take(1).map(|kind| Expectation {
                line: 0,
                who: Who::named(*role),
                permission,
                resource: Resource::new(*kind, "any"),
                at_ms: Some(0),
                allowed,
            }));
        }
    }
    Ok(Expectations(expected).test(&access, 0))
}
