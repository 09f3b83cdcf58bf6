//! What `bartizan access` prints.

use std::fmt::Write as _;

use bartizan_access::{Access, Because, Decision, GrantState, Grantee, Outcome, Review};
use serde_json::{Value, json};

use crate::{config::Config, render::safe};

/// The ids of a decision's policies.
pub(super) fn policies(decision: &Decision) -> Vec<&str> {
    decision.policies.iter().map(|id| &**id).collect()
}

/// Why a decision is as it is.
pub(super) fn reason(decision: &Decision) -> String {
    let because = match decision.because {
        Because::Permitted => "permitted by",
        Because::Forbidden => "forbidden by",
        Because::Unclear => "denied, since it cannot be asked:",
        Because::NotPermitted => return "nothing permits it".to_owned(),
    };
    let ids: Vec<String> = policies(decision).into_iter().map(safe::line).collect();
    format!("{because} {}", ids.join(", "))
}

/// A review for people.
pub(super) fn review_text(config: &Config, access: &Access, review: &Review) -> String {
    let mut text = String::new();
    let grants = review.grants.iter().zip(&config.file.access.grants);
    for (reviewed, grant) in grants {
        let mut notes = Vec::new();
        match reviewed.state {
            GrantState::Active => {}
            GrantState::Expiring(end) => notes.push(format!("ends {}", day(end))),
            GrantState::Expired(end) => notes.push(format!("ended {}: remove it", day(end))),
        }
        if reviewed.used == Some(false) {
            notes.push("nobody used it".to_owned());
        }
        if reviewed.is_everything {
            notes.push("gives everything".to_owned());
        }
        let notes = if notes.is_empty() {
            String::new()
        } else {
            format!("  [{}]", notes.join("; "))
        };
        let _ = writeln!(
            text,
            "{}  {}{notes}",
            safe::line(&reviewed.id),
            safe::line(&reviewed.grantee.to_string())
        );
        let lists = [
            ("roles", &grant.roles),
            ("permissions", &grant.permissions),
            ("denied", &grant.denied),
            ("on", &grant.on),
        ];
        for (what, list) in lists.iter().filter(|(_, list)| !list.is_empty()) {
            let _ = writeln!(text, "  {what} {}", safe::line(&list.join(", ")));
        }
        if let Some(why) = &grant.reason {
            let _ = writeln!(text, "  reason {}", safe::line(why));
        }
    }
    for conflict in &review.conflicts {
        let _ = writeln!(
            text,
            "conflict: {} holds {} ({})",
            safe::line(&conflict.grantee.to_string()),
            conflict.roles.join(" and "),
            safe::line(&conflict.grants.join(", "))
        );
    }
    let _ = writeln!(
        text,
        "{} grants, {} conflicts, {} policies, version {}",
        review.grants.len(),
        review.conflicts.len(),
        access.len(),
        access.version()
    );
    text
}

/// A review for programs.
pub(super) fn review_json(config: &Config, access: &Access, review: &Review) -> Value {
    let grants = review.grants.iter().zip(&config.file.access.grants);
    let grants: Vec<Value> = grants
        .map(|(reviewed, grant)| {
            json!({
                "id": reviewed.id,
                "grantee": grantee(&reviewed.grantee),
                "roles": grant.roles,
                "permissions": grant.permissions,
                "denied": grant.denied,
                "on": grant.on,
                "tenant": grant.tenant,
                "expires": grant.expires,
                "reason": grant.reason,
                "state": reviewed.state.as_str(),
                "used": reviewed.used,
                "everything": reviewed.is_everything,
            })
        })
        .collect();
    let conflicts: Vec<Value> = review
        .conflicts
        .iter()
        .map(|conflict| {
            json!({
                "grantee": grantee(&conflict.grantee),
                "roles": conflict.roles,
                "grants": conflict.grants,
            })
        })
        .collect();
    json!({
        "version": 1,
        "grants": grants,
        "conflicts": conflicts,
        "policies": access.len(),
        "policy_version": access.version(),
    })
}

fn grantee(grantee: &Grantee) -> Value {
    let (kind, name) = match grantee {
        Grantee::User(name) => ("user", name.to_string()),
        Grantee::Group(name) => ("group", name.clone()),
        Grantee::Team(name) => ("team", name.clone()),
        Grantee::Scope(name) => ("scope", name.clone()),
    };
    json!({ "kind": kind, "name": name })
}

/// How expectations were met, for people.
pub(super) fn tests_text(outcomes: &[(String, Outcome)]) -> String {
    let mut text = String::new();
    for (name, outcome) in outcomes {
        for failure in &outcome.failures {
            let expected = &failure.expected;
            let (wanted, came) = if expected.allowed {
                ("allow", "denied")
            } else {
                ("deny", "allowed")
            };
            let _ = writeln!(
                text,
                "{name}:{}: expected {wanted}, {came}: `{}` {} on {} ({})",
                expected.line,
                safe::line(&expected.who.name),
                expected.permission,
                safe::line(&expected.resource.to_string()),
                safe::line(&failure.reason)
            );
        }
        let met = outcome.asked - outcome.failures.len();
        let _ = writeln!(
            text,
            "{name}: {met} of {} decisions as expected",
            outcome.asked
        );
    }
    text
}

/// The same for programs.
pub(super) fn tests_json(outcomes: &[(String, Outcome)]) -> Value {
    let files: Vec<Value> = outcomes
        .iter()
        .map(|(name, outcome)| {
            let failures: Vec<Value> = outcome
                .failures
                .iter()
                .map(|failure| {
                    let expected = &failure.expected;
                    json!({
                        "line": expected.line,
                        "principal": &*expected.who.name,
                        "action": expected.permission.as_str(),
                        "resource": expected.resource.to_string(),
                        "expected": if expected.allowed { "allow" } else { "deny" },
                        "reason": failure.reason,
                    })
                })
                .collect();
            json!({ "file": name, "asked": outcome.asked, "failures": failures })
        })
        .collect();
    json!({ "version": 1, "tests": files })
}

/// The UTC day of a time.
fn day(unix_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(unix_ms).map_or_else(
        |_| "beyond all dates".to_owned(),
        |at| at.strftime("%Y-%m-%d").to_string(),
    )
}
