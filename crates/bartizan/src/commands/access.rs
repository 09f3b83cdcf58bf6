//! `bartizan access`: who may do what.

use std::{fmt::Write as _, path::PathBuf, time::Duration};

use bartizan_access::{
    Access, Ask, Candidate, Decision, Expectations, GrantState, Grantee, Outcome, Permission,
    Resource, Review, Use, Who, cedar_schema, truth_table, who_can,
};
use bartizan_gateway::{
    clock::{Clock as _, SystemClock},
    principal::Scope,
    start::AtRest,
};
use serde_json::{Value, json};

use super::keys;
use crate::{
    cli::{
        AccessCommand, CheckAccess, KeyPlace, PlainFormat, ReportAccess, Setup, TestAccess, WhoCan,
    },
    config::{Config, access_problem},
    engine::read_config,
    exit::Exit,
    input::{escaped, read_text},
    output,
    problem::{Problem, Problems, nearest},
    render::safe,
};

/// Does what the arguments say.
pub(crate) fn run(command: &AccessCommand) -> Result<Exit, Problems> {
    match command {
        AccessCommand::Check(arguments) => check(arguments),
        AccessCommand::WhoCan(arguments) => who(arguments),
        AccessCommand::Report(arguments) => report(arguments),
        AccessCommand::Test(arguments) => test(arguments),
        AccessCommand::Schema { config } => {
            let access = config_of(config.as_ref())?.access()?;
            output::stdout(&cedar_schema(access.roles()))?;
            Ok(Exit::Clean)
        }
    }
}

fn check(arguments: &CheckAccess) -> Result<Exit, Problems> {
    let access = config_of(arguments.config.as_ref())?.access()?;
    let (permission, resource) = wish(&arguments.action, &arguments.resource)?;
    let asker = &arguments.asker;
    let who = Who {
        name: arguments.principal.as_str().into(),
        tenant: asker.tenant.as_str().into(),
        team: asker.team.as_str().into(),
        groups: asker
            .group
            .iter()
            .map(|group| group.as_str().into())
            .collect(),
        scopes: asker.scopes(),
    };
    let decision = access.decide(&Ask {
        who: &who,
        permission,
        resource: &resource,
        now_ms: moment(asker.at),
    });
    output::stdout(&match arguments.format {
        PlainFormat::Json => {
            json!({
                "version": 1,
                "principal": arguments.principal,
                "action": permission.as_str(),
                "resource": resource.to_string(),
                "allowed": decision.is_allowed(),
                "because": decision.because.as_str(),
                "policies": policies(&decision),
                "policy_version": access.version(),
            })
            .to_string()
                + "\n"
        }
        PlainFormat::Human => format!(
            "{}: `{}` {permission} on {}\n{}\n",
            if decision.is_allowed() {
                "allowed"
            } else {
                "denied"
            },
            safe::line(&arguments.principal),
            safe::line(&resource.to_string()),
            reason(&decision),
        ),
    })?;
    Ok(if decision.is_allowed() {
        Exit::Clean
    } else {
        Exit::Findings
    })
}

fn who(arguments: &WhoCan) -> Result<Exit, Problems> {
    let place = &arguments.place;
    let config = config_of(place.config.as_ref())?;
    let access = config.access()?;
    let (permission, resource) = wish(&arguments.action, &arguments.resource)?;
    let mut others = configured(&config);
    if arguments.keys {
        others.extend(of_database(place, &config)?);
    }
    let found = who_can(
        &access,
        &config.file.access,
        &others,
        permission,
        &resource,
        moment(arguments.at),
    );
    output::stdout(&match place.format {
        PlainFormat::Json => {
            let found: Vec<Value> = found
                .iter()
                .map(|(who, decision)| json!({"who": who.label, "policies": policies(decision)}))
                .collect();
            json!({
                "version": 1,
                "action": permission.as_str(),
                "resource": resource.to_string(),
                "who": found,
            })
            .to_string()
                + "\n"
        }
        PlainFormat::Human => {
            let mut text = String::new();
            for (who, decision) in &found {
                let _ = writeln!(text, "{}  {}", safe::line(&who.label), reason(decision));
            }
            if found.is_empty() {
                text.push_str("nobody that is named anywhere\n");
            }
            text
        }
    })?;
    Ok(Exit::Clean)
}

fn report(arguments: &ReportAccess) -> Result<Exit, Problems> {
    let place = &arguments.place;
    let config = config_of(place.config.as_ref())?;
    let access = config.access()?;
    let uses = match arguments.unused_for {
        None => None,
        Some(time) => Some(of_record(place, &config, time)?),
    };
    let soon = i64::try_from(arguments.ends_within.as_millis()).unwrap_or(i64::MAX);
    let review = Review::of(&config.file.access, moment(None), soon, uses.as_deref());
    output::stdout(&match place.format {
        PlainFormat::Json => review_json(&config, &access, &review).to_string() + "\n",
        PlainFormat::Human => review_text(&config, &access, &review),
    })?;
    Ok(if review.is_clean() {
        Exit::Clean
    } else {
        Exit::Findings
    })
}

fn test(arguments: &TestAccess) -> Result<Exit, Problems> {
    let access = config_of(arguments.config.as_ref())?.access()?;
    let table = truth_table()
        .map_err(|error| Problem::new(format!("the built-in roles cannot be read: {error}")))?;
    let mut outcomes = vec![("built-in roles".to_owned(), table)];
    for path in &arguments.files {
        let (name, text) = (escaped(path), read_text(path)?);
        let expectations = Expectations::from_yaml(&name, &text).map_err(|mistakes| {
            let problems = mistakes.into_iter();
            problems
                .map(|one| access_problem(&text, one))
                .collect::<Problems>()
        })?;
        outcomes.push((name, expectations.test(&access, moment(None))));
    }
    output::stdout(&match arguments.format {
        PlainFormat::Json => tests_json(&outcomes).to_string() + "\n",
        PlainFormat::Human => tests_text(&outcomes),
    })?;
    let is_met = outcomes
        .iter()
        .all(|(_, outcome)| outcome.failures.is_empty());
    Ok(if is_met { Exit::Clean } else { Exit::Findings })
}

/// What is asked for, and on what.
fn wish(action: &str, resource: &str) -> Result<(Permission, Resource), Problems> {
    let names = || Permission::all().map(Permission::as_str);
    let Some(permission) = Permission::named(action) else {
        let problem = Problem::new(format!("there is no action `{}`", safe::line(action)));
        let all = || format!("actions are {}", names().collect::<Vec<_>>().join(", "));
        let help = nearest(action, names());
        let help = help.map_or_else(all, |name| format!("did you mean `{name}`?"));
        return Err(problem.help(help).into());
    };
    let kinds = permission.kinds();
    let resource = kinds.first().map(|kind| Resource::parse(resource, *kind));
    let resource = resource.ok_or_else(|| Problem::new("the action is about nothing"))?;
    if !permission.is_about(resource.kind) {
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        let problem = format!("`{permission}` is about no {}", resource.kind.as_str());
        let help = format!("it is about: {}", kinds.join(", "));
        return Err(Problem::new(problem).help(help).into());
    }
    Ok((permission, resource))
}

fn config_of(path: Option<&PathBuf>) -> Result<Config, Problems> {
    read_config(&Setup {
        config: path.cloned(),
        ..Setup::default()
    })
}

fn moment(at: Option<jiff::Timestamp>) -> i64 {
    at.map_or_else(
        || i64::try_from(SystemClock.unix_ms()).unwrap_or(i64::MAX),
        jiff::Timestamp::as_millisecond,
    )
}

fn policies(decision: &Decision) -> Vec<&str> {
    decision.policies.iter().map(|id| &**id).collect()
}

fn reason(decision: &Decision) -> String {
    let because = match decision.because {
        bartizan_access::Because::Permitted => "permitted by",
        bartizan_access::Because::Forbidden => "forbidden by",
        bartizan_access::Because::Unclear => "denied, since it cannot be asked:",
        bartizan_access::Because::NotPermitted => return "nothing permits it".to_owned(),
    };
    let ids: Vec<String> = policies(decision).into_iter().map(safe::line).collect();
    format!("{because} {}", ids.join(", "))
}

/// Keys and certificates of the configuration.
fn configured(config: &Config) -> Vec<Candidate> {
    let identity = &config.file.identity;
    let keys = identity
        .keys
        .iter()
        .map(|key| (format!("key {}", key.id), key.id.clone(), &key.grants));
    let certificates = identity.certificates.iter().filter_map(|certificate| {
        let names = [&certificate.uri, &certificate.dns, &certificate.common_name];
        let name = names.into_iter().find_map(Option::as_ref)?;
        let name = format!("certificate:{name}");
        Some((name.clone(), name, &certificate.grants))
    });
    let candidate =
        |(label, name, grants): (String, String, &bartizan_gateway::identity::Grants)| {
            let scopes = scope_names(&grants.scopes);
            candidate(label, &name, &grants.tenant, &grants.team, scopes)
        };
    keys.chain(certificates).map(candidate).collect()
}

fn candidate(
    label: String,
    name: &str,
    tenant: &str,
    team: &str,
    scopes: Vec<&'static str>,
) -> Candidate {
    Candidate {
        label,
        who: Who {
            name: name.into(),
            tenant: tenant.into(),
            team: team.into(),
            groups: Vec::new(),
            scopes,
        },
    }
}

fn scope_names(names: &[String]) -> Vec<&'static str> {
    let scopes = names.iter().filter_map(|name| Scope::named(name));
    scopes.map(Scope::as_str).collect()
}

/// Keys of the gateway's database that work now.
fn of_database(place: &KeyPlace, config: &Config) -> Result<Vec<Candidate>, Problems> {
    let now_ms = SystemClock.unix_ms();
    let keys = at_rest(place, config, async |rest| {
        let failed = |error: bartizan_gateway::identity::KeyError| {
            Problems::from(Problem::new(error.to_string()))
        };
        rest.keys()
            .await
            .map_err(failed)?
            .list()
            .await
            .map_err(failed)
    })?;
    let works = |key: &bartizan_gateway::identity::KeyInfo| {
        key.revoked_ms.is_none() && key.expires_ms.is_none_or(|end| end > now_ms)
    };
    let keys = keys.into_iter().filter(works).map(|key| {
        let label = format!("key {} ({})", key.id, key.name);
        let scopes = scope_names(&key.grants.scopes);
        candidate(label, &key.id, &key.grants.tenant, &key.grants.team, scopes)
    });
    Ok(keys.collect())
}

/// What the gateway's record shows in use.
fn of_record(place: &KeyPlace, config: &Config, time: Duration) -> Result<Vec<Use>, Problems> {
    let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let from_ms = SystemClock.unix_ms().saturating_sub(ms);
    at_rest(place, config, async |rest| {
        let uses = rest.uses(from_ms).await;
        uses.map_err(|error| Problem::new(error.to_string()).into())
    })
}

/// Asks what a gateway keeps.
fn at_rest<T>(
    place: &KeyPlace,
    config: &Config,
    ask: impl AsyncFnOnce(&AtRest) -> Result<T, Problems>,
) -> Result<T, Problems> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::new(format!("cannot start: {error}")))?;
    runtime.block_on(async {
        let (rest, _) = keys::at_rest(place, config).await?;
        ask(&rest).await
    })
}

fn review_text(config: &Config, access: &Access, review: &Review) -> String {
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

fn review_json(config: &Config, access: &Access, review: &Review) -> Value {
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

fn tests_text(outcomes: &[(String, Outcome)]) -> String {
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

fn tests_json(outcomes: &[(String, Outcome)]) -> Value {
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
