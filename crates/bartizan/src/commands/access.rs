//! `bartizan access`: who may do what.

mod render;

use std::{fmt::Write as _, time::Duration};

use bartizan_access::{
    Ask, Candidate, Expectations, Permission, Resource, Review, Use, Who, cedar_schema,
    truth_table, who_can,
};
use bartizan_gateway::{
    clock::{Clock as _, SystemClock},
    principal::Scope,
    start::AtRest,
};
use serde_json::{Value, json};

use self::render::{policies, reason, review_json, review_text, tests_json, tests_text};
use super::{keys, runtime};
use crate::{
    cli::{AccessCommand, CheckAccess, KeyPlace, PlainFormat, ReportAccess, TestAccess, WhoCan},
    config::{Config, access_problem},
    engine::config_at,
    exit::Exit,
    input::{escaped, read_text},
    output,
    personal::now_ms,
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
            let access = config_at(config.as_deref())?.access()?;
            output::stdout(&cedar_schema(access.roles()))?;
            Ok(Exit::Clean)
        }
    }
}

fn check(arguments: &CheckAccess) -> Result<Exit, Problems> {
    let access = config_at(arguments.config.as_deref())?.access()?;
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
    let config = config_at(place.config.as_deref())?;
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
    let config = config_at(place.config.as_deref())?;
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
    let access = config_at(arguments.config.as_deref())?.access()?;
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

fn moment(at: Option<jiff::Timestamp>) -> i64 {
    at.map_or_else(now_ms, jiff::Timestamp::as_millisecond)
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
    runtime()?.block_on(async {
        let (rest, _) = keys::at_rest(place, config).await?;
        ask(&rest).await
    })
}
