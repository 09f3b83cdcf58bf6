//! A server, its pins, and the world around it, from arguments and configuration.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use bartizan_agents::{CallCounters, CallLimit, Governor, Switches};
use bartizan_core::Secret;
use bartizan_gateway::{
    mcp::PINS,
    secrets::{ProcessEnvironment, SecretRef},
};
use bartizan_mcp::{Gate, GateParts, McpConfig, Pins, World};
use bartizan_policy::Date;
use parking_lot::Mutex;

use crate::{
    cli::McpServer,
    clock::{self, Stopwatch},
    engine::{Engine, read_config},
    files,
    input::cannot_read,
    key::Key,
    problem::{Problem, Problems},
};

/// Where a server is, and what stands before it.
pub(super) struct Place {
    pub(super) gate: Arc<Gate>,
    pub(super) way: Way,
    pub(super) engine: Engine,
    pins_file: PathBuf,
}

/// How a server is reached.
pub(super) enum Way {
    /// A program, with its variables: all of ours where the arguments name it.
    Program(Vec<String>, Option<Vec<(String, String)>>),
    /// An address, and the token that it is shown.
    Address(String, Option<Secret<String>>),
}

impl Place {
    /// What the arguments say; `adjust` has the last word about configuration and pins.
    pub(super) fn new(
        arguments: &McpServer,
        adjust: impl FnOnce(&mut McpConfig, &mut Pins),
    ) -> Result<Self, Problems> {
        let config = read_config(&arguments.setup)?;
        let mistakes = config.file.mcp.check();
        let agents = config.file.agents.clone();
        let agent_mistakes = agents.iter().flat_map(bartizan_agents::AgentsConfig::check);
        let blocks = [("mcp", mistakes), ("agents", agent_mistakes.collect())];
        let wrong: Vec<Problem> = blocks
            .into_iter()
            .flat_map(|(block, all)| all.into_iter().map(move |wrong| (block, wrong)))
            .map(|(block, (path, message))| Problem::new(format!("`{block}.{path}`: {message}")))
            .collect();
        if !wrong.is_empty() {
            return Err(wrong.into_iter().collect());
        }
        let mut mcp = config.file.mcp.clone();
        let server = mcp.servers.get(&arguments.name).cloned();
        let way = way(arguments, server.as_ref())?;
        let pins_file = arguments.pins.clone().or_else(|| mcp.pins.clone());
        let pins_file = pins_file.unwrap_or_else(|| PINS.into());
        let mut pins = read_pins(&pins_file)?;
        adjust(&mut mcp, &mut pins);
        let engine = Engine::with_config(&arguments.setup, config)?;
        let gate = Gate::new(GateParts {
            name: arguments.name.clone(),
            server: server.unwrap_or_default(),
            config: Arc::new(mcp),
            judge: engine.judge.clone(),
            governor: agents.map(Governor::new).map(Arc::new),
            pins: Arc::new(Mutex::new(pins)),
            styles: engine.styles.clone(),
            key: Key::get()?.bytes,
        });
        Ok(Self {
            gate: Arc::new(gate),
            way,
            engine,
            pins_file,
        })
    }

    /// Writes the server's pins, whole or not at all. Those of other servers stay as the file has
    /// them: a client starts one of us for each of its servers.
    pub(super) fn keep_pins(&self) -> Result<(), Problem> {
        let mut pins = read_pins(&self.pins_file)?;
        pins.adopt(self.gate.name(), &self.gate.pins());
        files::write(&self.pins_file, &pins.render())
    }

    /// The file of pins.
    pub(super) fn pins_file(&self) -> &Path {
        &self.pins_file
    }
}

fn way(arguments: &McpServer, server: Option<&bartizan_mcp::ServerConfig>) -> Result<Way, Problem> {
    let is_address = |text: &str| text.starts_with("http://") || text.starts_with("https://");
    let local = |text: &String| {
        let secret = SecretRef::parse(text.clone()).local(&ProcessEnvironment);
        secret.map_err(|error| {
            let help = "here secrets come from `env:NAME` and `file:/path`";
            Problem::new(error.to_string()).help(help)
        })
    };
    if let [url] = arguments.server.as_slice()
        && is_address(url)
    {
        let token = server.and_then(|server| server.token.as_ref()).map(local);
        return Ok(Way::Address(url.clone(), token.transpose()?));
    }
    if !arguments.server.is_empty() {
        return Ok(Way::Program(arguments.server.clone(), None));
    }
    let Some(server) = server else {
        let message = format!(
            "there is no server `{}` in the configuration",
            arguments.name
        );
        let help = "name it under `mcp.servers`, or give its command behind `--`";
        return Err(Problem::new(message).help(help));
    };
    if let Some(url) = &server.url {
        let token = server.token.as_ref().map(local).transpose()?;
        return Ok(Way::Address(url.clone(), token));
    }
    let variables = server.env.iter().map(|(name, value)| {
        let secret = local(value)?;
        Ok((name.clone(), secret.expose().clone()))
    });
    let variables = variables.collect::<Result<Vec<_>, Problem>>()?;
    Ok(Way::Program(server.command.clone(), Some(variables)))
}

fn read_pins(file: &Path) -> Result<Pins, Problem> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Pins::default()),
        Err(error) => return Err(cannot_read(file, &error)),
    };
    Pins::read(&text).map_err(|error| Problem::new(format!("{}: {error}", file.display())))
}

/// The world of one process: nobody to ask, and no switches but those of the configuration.
pub(super) struct Here {
    watch: Stopwatch,
    switches: Switches,
    calls: CallCounters,
}

impl Here {
    pub(super) fn new() -> Self {
        Self {
            watch: Stopwatch::start(),
            switches: Switches::default(),
            calls: CallCounters::default(),
        }
    }
}

impl World for Here {
    fn now_ms(&self) -> u64 {
        self.watch.nanos() / 1_000_000
    }

    fn today(&self) -> Date {
        clock::today()
    }

    fn switches(&self) -> &Switches {
        &self.switches
    }

    fn may_call(&mut self, tool: &str, user: &str, limit: CallLimit) -> bool {
        let now = self.now_ms();
        let allowed = self.calls.allows(tool, user, limit, now);
        if allowed {
            self.calls.made(tool, user, limit, now);
        }
        allowed
    }

    fn take_approval(&mut self, _: &str) -> bool {
        false
    }
}
