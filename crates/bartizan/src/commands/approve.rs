//! `bartizan approve`: calls of agents that wait for a person, and switches that stop agents.

use std::fmt::Write as _;

use bartizan_core::Secret;
use bartizan_gateway::{
    agents::{AgentClient, ClientError, Decided, Waiting},
    clock::{Clock as _, SystemClock},
};
use serde_json::json;

use super::runtime;
use crate::{
    cli::{ApproveCommand, At, PlainFormat, SwitchKind},
    env,
    exit::Exit,
    output,
    problem::{Problem, Problems},
    render::safe,
};

/// Where a gateway listens unless told otherwise.
const DEFAULT: &str = "http://127.0.0.1:8080";

/// Does what the arguments say.
pub(crate) fn run(command: &ApproveCommand) -> Result<Exit, Problems> {
    let text = runtime()?.block_on(async {
        match command {
            ApproveCommand::List { at } => list(at).await,
            ApproveCommand::Allow { id, at } => decide(id, Decided::Allowed, at).await,
            ApproveCommand::Deny { id, at } => decide(id, Decided::Denied, at).await,
            ApproveCommand::Stop { kind, name, at } => flip(*kind, name.as_deref(), true, at).await,
            ApproveCommand::Start { kind, name, at } => {
                flip(*kind, name.as_deref(), false, at).await
            }
            ApproveCommand::Stopped { at } => stopped(at).await,
        }
    })?;
    output::stdout(&text)?;
    Ok(Exit::Clean)
}

fn client(at: &At) -> Result<AgentClient, Problem> {
    let from_environment = |name: &str| env::get(name).and_then(|value| value.into_string().ok());
    let Some(key) = from_environment(env::TOKEN) else {
        let problem = Problem::new(format!("`{}` is not set", env::TOKEN));
        let help = "put a key with the scope `review`, or `admin` for switches, into it: \
                    `bartizan keys create NAME --scope review`";
        return Err(problem.help(help));
    };
    let address = at
        .gateway
        .clone()
        .or_else(|| from_environment(env::GATEWAY));
    let address = address.as_deref().unwrap_or(DEFAULT);
    AgentClient::new(address, Secret::new(key)).map_err(told)
}

fn told(error: ClientError) -> Problem {
    let problem = Problem::new(error.to_string());
    match error {
        ClientError::NotWaiting => problem.help("`bartizan approve list` shows what waits"),
        ClientError::Unreachable(_) => {
            problem.help("name the gateway with `--gateway`, e.g. `https://gateway.example`")
        }
        ClientError::Key => problem.help("approvals need the scope `review`, switches `admin`"),
        _ => problem,
    }
}

async fn list(at: &At) -> Result<String, Problem> {
    let waiting = client(at)?.waiting().await.map_err(told)?;
    Ok(match at.format {
        PlainFormat::Json => json!({ "version": 1, "items": waiting }).to_string() + "\n",
        PlainFormat::Human => table(&waiting, SystemClock.unix_ms()),
    })
}

fn table(waiting: &[Waiting], now_ms: u64) -> String {
    let mut text = String::new();
    for item in waiting {
        let left = item.expires_ms.saturating_sub(now_ms) / 1_000;
        let _ = writeln!(
            text,
            "{}  by {}, {left} s left",
            safe::line(&item.id),
            safe::line(&item.principal)
        );
        for why in &item.why {
            let _ = writeln!(text, "  {}", safe::line(why));
        }
    }
    let count = waiting.len();
    let _ = writeln!(
        text,
        "{count} {}",
        if count == 1 { "waits" } else { "wait" }
    );
    text
}

async fn decide(id: &str, decided: Decided, at: &At) -> Result<String, Problem> {
    client(at)?.decide(id, decided).await.map_err(told)?;
    let allowed = decided == Decided::Allowed;
    Ok(match at.format {
        PlainFormat::Json => {
            json!({ "version": 1, "id": id, "allowed": allowed }).to_string() + "\n"
        }
        PlainFormat::Human if allowed => {
            format!(
                "allowed {}: the same calls may be made once\n",
                safe::line(id)
            )
        }
        PlainFormat::Human => format!("denied {}\n", safe::line(id)),
    })
}

async fn flip(
    kind: SwitchKind,
    name: Option<&str>,
    stop: bool,
    at: &At,
) -> Result<String, Problem> {
    let name = name.unwrap_or_default();
    let flipped = client(at)?.flip(kind.as_str(), name, stop).await;
    flipped.map_err(told)?;
    let word = if stop { "stopped" } else { "started" };
    Ok(match at.format {
        PlainFormat::Json => {
            json!({ "version": 1, "kind": kind.as_str(), "name": name, "stopped": stop })
                .to_string()
                + "\n"
        }
        PlainFormat::Human => {
            let name = if name.is_empty() {
                String::new()
            } else {
                format!(" {}", safe::line(name))
            };
            format!("{word} {}{name}, from the next call on\n", kind.as_str())
        }
    })
}

async fn stopped(at: &At) -> Result<String, Problem> {
    let switches = client(at)?.switches().await.map_err(told)?;
    if at.format == PlainFormat::Json {
        return Ok(json!({ "version": 1, "stopped": switches }).to_string() + "\n");
    }
    let mut text = String::new();
    if switches.all {
        text.push_str("all\n");
    }
    for (kind, names) in [
        ("tenant", &switches.tenants),
        ("agent", &switches.agents),
        ("tool", &switches.tools),
    ] {
        for name in names {
            let _ = writeln!(text, "{kind} {}", safe::line(name));
        }
    }
    if text.is_empty() {
        text.push_str("nothing is stopped\n");
    }
    Ok(text)
}
