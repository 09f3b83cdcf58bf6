//! `bartizan serve`: the gateway.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bartizan_gateway::{
    clock::SystemClock,
    config::{Config as ConfigFile, Mistake},
    secrets::ProcessEnvironment,
    serve::{Handle, ListenAddresses, ServeError},
    start::{self, Eyes, Reloader, StartError, Started},
    telemetry,
};
use bartizan_govern::SubjectKey;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    cli::{Serve, Setup},
    config::Config,
    engine::{Engine, read_config},
    env,
    exit::Exit,
    key::Key,
    output,
    problem::{Problem, Problems},
};

/// Answers until it is told to stop.
pub(crate) fn run(arguments: &Serve) -> Result<Exit, Problems> {
    // Before any secret is read: a core file would hold them.
    if let Err(error) = bartizan_gateway::serve::forbid_core_dumps() {
        output::note(&format!("core dumps cannot be forbidden: {error}"));
    }
    let config = read_config(&arguments.setup)?;
    let mut file = config.file.clone();
    if let Some(address) = arguments.listen {
        file.server.listen = ListenAddresses::One(address);
    }
    let data = data_folder(arguments.data.as_deref(), &file)?;
    let eyes = eyes(&arguments.setup, &config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::new(format!("cannot start threads: {error}")))?;
    runtime.block_on(serve(arguments, &config, &file, &data, eyes))
}

async fn serve(
    arguments: &Serve,
    config: &Config,
    file: &ConfigFile,
    data: &Path,
    eyes: Eyes,
) -> Result<Exit, Problems> {
    let filter = env::get(env::LOG);
    let filter = filter.as_ref().and_then(|filter| filter.to_str());
    let log = telemetry::subscriber(&file.telemetry.log, filter, std::io::stderr);
    // Another subscriber in this process would be a fault of the program; then it keeps the log.
    let _ = tracing::subscriber::set_global_default(log);
    telemetry::hook_panics();
    let clock = Arc::new(SystemClock);
    let started = start::start(file, eyes, data, &ProcessEnvironment, clock)
        .await
        .map_err(|error| problems(config, &error))?;
    // Before anybody can know that it runs: until they are watched, signals just end it.
    let signals = Signals::watch();
    welcome(&started, file, data)?;
    let hands = Hands {
        server: started.server.handle(),
        reloader: started.reloader(),
        setup: arguments.setup.clone(),
        begun: AtStart::of(&config.text),
    };
    match signals {
        Ok(signals) => drop(tokio::spawn(signals.obey(hands))),
        Err(error) => {
            tracing::error!(%error, "signals cannot be watched; only a kill stops the gateway");
        }
    }
    started.run().await;
    Ok(Exit::Clean)
}

/// Says where it listens, and what a first request looks like.
fn welcome(started: &Started, file: &ConfigFile, data: &Path) -> Result<(), Problem> {
    let scheme = if file.server.active_tls().is_some() {
        "https"
    } else {
        "http"
    };
    let addresses = started.server.addresses();
    let mut text = String::new();
    for address in &addresses {
        text.push_str(&format!("listening at {scheme}://{address}\n"));
    }
    #[cfg(feature = "envoy")]
    for address in started.envoy.iter().flat_map(|envoy| envoy.addresses()) {
        text.push_str(&format!("listening for Envoy at {address}\n"));
    }
    text.push_str(&format!("data in {}\n", data.display()));
    if let Some(path) = &started.master_key_made {
        text.push_str(&format!(
            "made the master key {}: keep a copy, nothing sealed opens without it\n",
            path.display()
        ));
    }
    if started.gateway.engine().upstreams.is_echo_only() {
        text.push_str(
            "no upstream is configured: the built-in echo answers in the place of a model\n",
        );
    }
    if let (Some(key), Some(address)) = (&started.first_key, addresses.first()) {
        let key = key.expose();
        text.push_str(&format!(
            "\nThis key is shown once; it may do everything:\n\n  {key}\n\nTry it:\n\n  \
             curl {scheme}://{address}/v1/chat/completions \\\n    -H 'authorization: Bearer {key}' \
             -H 'content-type: application/json' \\\n    -d '{{\"model\": \"echo\", \"messages\": \
             [{{\"role\": \"user\", \"content\": \"Hello\"}}]}}'\n\n"
        ));
    }
    output::stdout(&text)
}

/// What signals work on.
struct Hands {
    server: Handle,
    reloader: Arc<Reloader>,
    setup: Setup,
    /// What it began with and cannot change while it runs.
    begun: AtStart,
}

/// The settings that are read at the start only, as they are written.
#[derive(PartialEq)]
struct AtStart([serde_json::Value; AtStart::PLACES.len()]);

impl AtStart {
    const PLACES: [&str; 13] = [
        "data",
        "server",
        "secrets",
        "store",
        "record",
        "telemetry",
        "envoy",
        "predict",
        "extraction",
        "guard-api",
        "mcp",
        "rag",
        "limits/store",
    ];

    fn of(yaml: &str) -> Self {
        let all: serde_json::Value = serde_saphyr::from_str(yaml).unwrap_or_default();
        Self(Self::PLACES.map(|place| {
            let found = all.pointer(&format!("/{place}"));
            found.cloned().unwrap_or_default()
        }))
    }

    /// The names of those that differ.
    fn changed(&self, now: &Self) -> Vec<String> {
        let pairs = self.0.iter().zip(&now.0).zip(Self::PLACES);
        let differ = pairs.filter(|((before, now), _)| before != now);
        differ.map(|(_, place)| place.replace('/', ".")).collect()
    }
}

/// The signals that an operator sends.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn watch() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Stops at the first SIGINT or SIGTERM; open requests get their time to end. SIGHUP reads the
    /// configuration and the certificates again.
    async fn obey(mut self, hands: Hands) {
        let reloads = async {
            while self.hangup.recv().await.is_some() {
                hands.reload().await;
            }
            std::future::pending::<()>().await;
        };
        // A reload may wait for others; the end does not wait for a reload.
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = reloads => {}
        }
        hands.server.shutdown();
    }
}

impl Hands {
    async fn reload(&self) {
        if let Err(error) = self.server.reload_tls() {
            tracing::error!(%error, "the former certificates stay");
        }
        let read = read_config(&self.setup)
            .and_then(|config| eyes(&self.setup, &config).map(|eyes| (config, eyes)));
        let changed = match read {
            Ok((config, eyes)) => {
                let changed = self
                    .reloader
                    .reload(&config.file, eyes, &ProcessEnvironment);
                let changed = changed.await.map_err(|error| problems(&config, &error));
                changed.map(|()| self.begun.changed(&AtStart::of(&config.text)))
            }
            Err(problems) => Err(problems),
        };
        match changed {
            Ok(waiting) if waiting.is_empty() => {
                tracing::info!("the configuration was read again");
            }
            Ok(waiting) => {
                let waiting = waiting.join(", ");
                tracing::warn!(%waiting, "the configuration was read again; some of it needs a restart");
            }
            Err(problems) => {
                tracing::error!("the former configuration stays");
                output::show_problems(&problems);
            }
        }
    }
}

fn eyes(setup: &Setup, config: &Config) -> Result<Eyes, Problems> {
    let mut config = config.clone();
    if !config.file.guarding.names {
        config.file.guard.disable.push("names".to_owned());
    }
    let access = config.access()?;
    let engine = Engine::with_config(setup, config)?;
    let styles = engine.styles(&[])?;
    let key = Key::get()?;
    Ok(Eyes {
        judge: engine.judge,
        rules: engine.rules,
        access: Arc::new(access),
        styles,
        // A key of one run would make names that nobody wrote down.
        subject_key: key
            .is_lasting
            .then(|| Arc::new(SubjectKey::derive(&key.bytes))),
    })
}

/// `--data`, the environment, the file, or the user's folder for data of programs.
pub(crate) fn data_folder(argument: Option<&Path>, file: &ConfigFile) -> Result<PathBuf, Problem> {
    let named = argument
        .map(Path::to_owned)
        .or_else(|| env::get(env::DATA).map(PathBuf::from))
        .or_else(|| file.data.clone());
    let users = || {
        let data = env::get(env::XDG_DATA_HOME).map(PathBuf::from);
        let home = || env::get(env::HOME).map(|home| PathBuf::from(home).join(".local/share"));
        data.or_else(home).map(|data| data.join("bartizan"))
    };
    named.or_else(users).ok_or_else(|| {
        Problem::new("there is no folder for the gateway's data")
            .help("name one with `--data`, for instance `--data /var/lib/bartizan`")
    })
}

/// What kept the gateway from starting, each mistake at its place in the file.
pub(crate) fn problems(config: &Config, error: &StartError) -> Problems {
    match error {
        StartError::Config(mistakes) | StartError::Serve(ServeError::Config(mistakes)) => mistakes
            .iter()
            .map(|mistake| problem(config, mistake))
            .collect(),
        StartError::Secret { path, source } => {
            vec![problem(config, &Mistake::new(path, source.to_string()))]
        }
        other => {
            let mut message = other.to_string();
            let mut cause = std::error::Error::source(other);
            while let Some(inner) = cause {
                let inner_text = inner.to_string();
                if !message.contains(&inner_text) {
                    message = format!("{message}: {inner_text}");
                }
                cause = inner.source();
            }
            Problem::new(message).into()
        }
    }
}

/// A mistake at its place in the file.
pub(crate) fn problem(config: &Config, mistake: &Mistake) -> Problem {
    let message = format!("in `{}`: {}", mistake.path, mistake.message);
    match line_of(&config.text, &mistake.path) {
        Some((line, column)) => Problem::new(message).at(&config.path, &config.text, line, column),
        None => Problem::new(message),
    }
}

/// The line and column, from 1, of the key that `path` leads to, or of the last one on the way that
/// is there. Reads block style, by indentation; `a[1]` is the second item of `a`.
fn line_of(text: &str, path: &str) -> Option<(u64, u64)> {
    let steps = path.split('.').map(|step| match step.split_once('[') {
        Some((name, item)) => (name, item.trim_end_matches(']').parse::<usize>().ok()),
        None => (step, None),
    });
    let mut found = None;
    let mut lines = (1..).zip(text.lines()).peekable();
    let mut deeper_than: Option<usize> = None;
    'steps: for (step, item) in steps {
        while let Some(&(number, line)) = lines.peek() {
            let key = line.trim_start_matches([' ', '-']);
            let indent = line.len() - key.len();
            let is_content = !key.is_empty() && !key.starts_with('#');
            if is_content && deeper_than.is_some_and(|least| indent <= least) {
                break 'steps;
            }
            lines.next();
            let name = key.split(':').next().unwrap_or_default();
            if is_content
                && name.trim_matches(['"', '\'']).replace('_', "-") == step.replace('_', "-")
            {
                found = Some((number, indent as u64 + 1));
                deeper_than = Some(indent);
                if let Some(item) = item
                    && let Some((number, dash)) = skip_to_item(&mut lines, item, line)
                {
                    found = Some((number, dash as u64 + 1));
                    deeper_than = Some(dash);
                }
                continue 'steps;
            }
        }
        break;
    }
    found
}

/// Goes to the item of that number, from 0, of the block list under the key of `key_line`: its line
/// and the column of its dash, from 0. Stays where it is for a list of another style.
fn skip_to_item<'t>(
    lines: &mut std::iter::Peekable<impl Iterator<Item = (u64, &'t str)> + Clone>,
    item: usize,
    key_line: &str,
) -> Option<(u64, usize)> {
    let indent_of = |line: &str| line.len() - line.trim_start().len();
    // The key of an item's first line stands behind its dash; a list under it stands no less deep.
    let least = indent_of(key_line);
    let mut ahead = lines.clone();
    let mut dash_at = None;
    let mut seen = 0;
    while let Some(&(number, line)) = ahead.peek() {
        let text = line.trim_start();
        let indent = indent_of(line);
        let is_item = text.starts_with("- ") || text == "-";
        if !text.is_empty() && !text.starts_with('#') {
            let dash = *dash_at.get_or_insert(indent);
            if indent < dash || dash < least || (indent == dash && !is_item) {
                return None;
            }
            if indent == dash {
                if seen == item {
                    *lines = ahead;
                    return Some((number, dash));
                }
                seen += 1;
            }
        }
        ahead.next();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_a_restart_is_named() {
        let before = AtStart::of("server:\n  drain-ms: 1\nlimits:\n  preset: none\n");
        let same = AtStart::of("limits: {}\nserver: {drain-ms: 1}\n");
        assert_eq!(before.changed(&same), Vec::<String>::new());
        let other = AtStart::of("limits: {store: {kind: memory}}\n");
        assert_eq!(before.changed(&other), ["server", "limits.store"]);
    }

    /// A new block of the configuration is reloaded, or is named when it changed; never neither.
    #[test]
    fn every_block_is_reloaded_or_named() {
        const RELOADED: [&str; 22] = [
            "access",
            "agents",
            "allow-unsigned",
            "classifiers",
            // Read by commands, each time.
            "govern",
            "guard",
            "guarding",
            "identity",
            "judge",
            "limits",
            "media",
            "packs",
            "policy",
            "redact",
            "refusal",
            "routes",
            "shape",
            "sink",
            "stream",
            "transformer",
            "trusted-keys",
            "upstreams",
        ];
        let schema = crate::config::schema().to_value();
        for block in schema["properties"].as_object().unwrap().keys() {
            let block = block.as_str();
            assert!(
                RELOADED.contains(&block) != AtStart::PLACES.contains(&block),
                "{block}"
            );
        }
    }

    #[test]
    fn mistakes_are_found_in_the_file() {
        let yaml = "guard:\n  disable: []\nserver:\n  listen: 127.0.0.1:1\n  tls:\n    cert_file: a\nroutes:\n  - model: x\n    targets:\n      - upstream: y\n";
        assert_eq!(line_of(yaml, "server.tls.cert_file"), Some((6, 5)));
        assert_eq!(line_of(yaml, "server.tls.key_file"), Some((5, 3)));
        assert_eq!(
            line_of(yaml, "routes[0].targets[0].upstream"),
            Some((10, 9))
        );
        assert_eq!(line_of(yaml, "limits.preset"), None);
        let list = "access:\n  grants:\n    - user: a\n      roles: [x]\n    - user: b\n      roles:\n        - y\n        - z\n";
        assert_eq!(line_of(list, "access.grants[0].roles[0]"), Some((4, 7)));
        assert_eq!(line_of(list, "access.grants[1].user"), Some((5, 7)));
        assert_eq!(line_of(list, "access.grants[1].roles[1]"), Some((8, 9)));
        assert_eq!(line_of(list, "access.grants[1]"), Some((5, 5)));
    }
}
