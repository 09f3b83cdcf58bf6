//! `bartizan keys`: the gateway's keys, from the command line.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use bartizan_gateway::{
    clock::{Clock, SystemClock},
    identity::{Grants, KeyError, KeySpec, KeyView, NewKey},
    key_desk::{KeyDesk, KeyDeskError},
    secrets::ProcessEnvironment,
    start::AtRest,
};
use serde_json::json;

use super::{
    runtime,
    serve::{data_folder, problems},
};
use crate::{
    cli::{CreateKey, KeyPlace, KeysCommand, PlainFormat},
    config::Config,
    engine::config_at,
    exit::Exit,
    output,
    problem::{Problem, Problems},
    render::safe,
};

/// Who the record says it was.
const ACTOR: &str = "command-line";

/// Does what the arguments say.
pub(crate) fn run(command: KeysCommand) -> Result<Exit, Problems> {
    let text = runtime()?.block_on(async {
        match command {
            KeysCommand::Create(arguments) => create(arguments).await,
            KeysCommand::List { place } => list(&place).await,
            KeysCommand::Rotate { id, overlap, place } => rotate(&id, overlap, &place).await,
            KeysCommand::Revoke { id, place } => revoke(&id, &place).await,
        }
    })?;
    output::stdout(&text)?;
    Ok(Exit::Clean)
}

async fn create(arguments: CreateKey) -> Result<String, Problems> {
    let now_ms = SystemClock.unix_ms();
    let ends = |time: Duration| {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        now_ms.saturating_add(ms)
    };
    let spec = KeySpec {
        name: arguments.name,
        grants: Grants {
            scopes: arguments.scope,
            models: arguments.model,
            team: arguments.team,
            tenant: arguments.tenant,
            logprobs: arguments.logprobs,
            probabilities: arguments.probabilities,
        },
        expires_ms: arguments.expires_in.map(ends),
    };
    let desk = Desk::open(&arguments.place).await?;
    let new = desk.keys.create(&actor(), &spec).await;
    desk.close(new, |new| made(new, &arguments.place, "made"))
        .await
}

async fn rotate(id: &str, overlap: Duration, place: &KeyPlace) -> Result<String, Problems> {
    let desk = Desk::open(place).await?;
    let new = desk.keys.rotate(&actor(), id, overlap).await;
    desk.close(new, |new| made(new, place, "renewed")).await
}

async fn revoke(id: &str, place: &KeyPlace) -> Result<String, Problems> {
    let desk = Desk::open(place).await?;
    let (gone, poll_ms) = (desk.keys.revoke(&actor(), id).await, desk.poll_ms);
    desk.close(gone, |()| match place.format {
        PlainFormat::Json => json!({ "version": 1, "id": id, "revoked": true }).to_string() + "\n",
        PlainFormat::Human => {
            let id = safe::line(id);
            format!("revoked {id}: a gateway that runs refuses it after at most {poll_ms} ms\n")
        }
    })
    .await
}

async fn list(place: &KeyPlace) -> Result<String, Problems> {
    let config = config_at(place.config.as_deref())?;
    let (rest, _) = at_rest(place, &config).await?;
    let failed = |error: KeyError| Problem::new(error.to_string());
    let keys = rest.keys().await.map_err(failed)?;
    let keys = keys.list().await.map_err(failed)?;
    let now_ms = SystemClock.unix_ms();
    let keys: Vec<KeyView> = keys
        .into_iter()
        .map(|key| KeyView::of(key, now_ms))
        .collect();
    Ok(match place.format {
        PlainFormat::Json => json!({ "version": 1, "keys": keys }).to_string() + "\n",
        PlainFormat::Human => table(&keys, now_ms),
    })
}

/// A desk, and what is said of it.
struct Desk {
    keys: KeyDesk,
    poll_ms: u64,
}

impl Desk {
    async fn open(place: &KeyPlace) -> Result<Self, Problems> {
        let config = config_at(place.config.as_deref())?;
        let (rest, data) = at_rest(place, &config).await?;
        let keys = rest.key_desk(&config.file, &data).await;
        Ok(Self {
            keys: keys.map_err(|error| problems(&config, &error))?,
            poll_ms: config.file.identity.poll_ms,
        })
    }

    /// Waits for the record, and says how it went.
    async fn close<T>(
        self,
        done: Result<T, KeyDeskError>,
        say: impl FnOnce(T) -> String,
    ) -> Result<String, Problems> {
        self.keys.close().await;
        match done {
            Ok(done) => Ok(say(done)),
            Err(error) => {
                let problem = Problem::new(error.to_string());
                let problem = match error {
                    KeyDeskError::Key(KeyError::NotFound) => {
                        problem.help("`bartizan keys list` shows the ids of those that are valid")
                    }
                    _ => problem,
                };
                Err(problem.into())
            }
        }
    }
}

fn actor() -> Arc<str> {
    ACTOR.into()
}

/// What a gateway keeps, and the folder that it is in.
pub(super) async fn at_rest(
    place: &KeyPlace,
    config: &Config,
) -> Result<(AtRest, std::path::PathBuf), Problems> {
    // Before any secret is read: a core file would hold them.
    if let Err(error) = bartizan_gateway::serve::forbid_core_dumps() {
        output::note(&format!("core dumps cannot be forbidden: {error}"));
    }
    let data = data_folder(place.data.as_deref(), &config.file)?;
    let clock = Arc::new(SystemClock);
    let rest = AtRest::open(&config.file, &data, &ProcessEnvironment, clock).await;
    let rest = rest.map_err(|error| problems(config, &error))?;
    Ok((rest, data))
}

/// A key that is shown this once.
fn made(new: NewKey, place: &KeyPlace, what: &str) -> String {
    let key = new.key.expose();
    let view = KeyView::of(new.info, SystemClock.unix_ms());
    match place.format {
        PlainFormat::Json => json!({ "version": 1, "key": key, "info": view }).to_string() + "\n",
        PlainFormat::Human => format!(
            "{what} {} ({}), {}\n\nThis key is shown once:\n\n  {key}\n\n",
            view.id,
            safe::line(&view.name),
            grants(&view)
        ),
    }
}

fn table(keys: &[KeyView], now_ms: u64) -> String {
    let mut text = String::new();
    for key in keys {
        let _ = writeln!(
            text,
            "{}  {:<8} {} ({})\n  {}; made {}{}",
            key.id,
            state(key, now_ms),
            safe::line(&key.name),
            key.prefixes.join(", "),
            grants(key),
            day(key.created_ms),
            match (key.revoked_ms, key.expires_ms) {
                (Some(at), _) => format!(", revoked {}", day(at)),
                (None, Some(at)) => format!(", ends {}", day(at)),
                (None, None) => String::new(),
            },
        );
    }
    let count = keys.len();
    let _ = writeln!(text, "{count} {}", if count == 1 { "key" } else { "keys" });
    text
}

/// One word for what has become of it.
fn state(key: &KeyView, now_ms: u64) -> &'static str {
    match key {
        key if key.revoked_ms.is_some() => "revoked",
        key if key.expires_ms.is_some_and(|end| end <= now_ms) => "ended",
        key if key.due => "due",
        _ => "valid",
    }
}

/// What it gives, in words.
fn grants(key: &KeyView) -> String {
    let mut text = format!("may {}", key.scopes.join(", "));
    if !key.models.is_empty() {
        let _ = write!(text, "; models {}", safe::line(&key.models.join(", ")));
    }
    for (what, name) in [("team", &key.team), ("tenant", &key.tenant)] {
        if !name.is_empty() {
            let _ = write!(text, "; {what} {}", safe::line(name));
        }
    }
    text
}

/// The UTC day of a time.
fn day(unix_ms: u64) -> String {
    let at = i64::try_from(unix_ms).ok();
    let at = at.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    at.map_or_else(
        || "beyond all dates".to_owned(),
        |at| at.strftime("%Y-%m-%d").to_string(),
    )
}
