//! The servers behind the gateway, and the sessions with them.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, Weak},
    time::Duration,
};

use bartizan_core::Secret;
use bartizan_mcp::{Asked, Gate, GateParts, McpConfig, Outcome, Pins, Record, Session, Who};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::{
    Program, Remote,
    live::{Link, Live, MAX_QUEUED},
};
use crate::{
    agents::Waiting,
    fault::{Fault, FaultKind},
    principal::Principal,
    proxy::Gateway,
    record::{Label, MlAudit, RequestId, What},
};

/// Every server, and every session.
pub(crate) struct Hub {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) config: Arc<McpConfig>,
    pub(crate) is_governed: bool,
    servers: BTreeMap<String, Server>,
    sessions: Mutex<HashMap<String, Kept>>,
    pins: Arc<Mutex<Pins>>,
    pins_file: PathBuf,
    approval_ms: u64,
    me: Weak<Self>,
}

/// What a hub is made of.
pub(crate) struct HubParts {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) config: McpConfig,
    /// The pins as the file had them, and the file.
    pub(crate) pins: Pins,
    pub(crate) pins_file: PathBuf,
    /// Tokens that servers are shown, by the server's name.
    pub(crate) tokens: HashMap<String, Secret<String>>,
    /// Variables of programs, by the server's name.
    pub(crate) variables: HashMap<String, Vec<(String, String)>>,
}

struct Server {
    gate: Arc<Gate>,
    way: Way,
}

enum Way {
    Program(Vec<String>, Vec<(String, String)>),
    Remote(Box<Remote>),
}

struct Kept {
    owner: Owner,
    live: Arc<Live>,
}

/// To whom a session belongs. Nobody else can use it, whoever knows its name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owner {
    principal: Arc<str>,
    tenant: Arc<str>,
    server: String,
}

impl Owner {
    fn new(principal: &Principal, server: &str) -> Self {
        Self {
            principal: Arc::clone(&principal.id),
            tenant: Arc::clone(&principal.tenant),
            server: server.to_owned(),
        }
    }
}

impl Hub {
    pub(crate) fn new(parts: HubParts) -> Result<Arc<Self>, crate::serve::Mistake> {
        let engine = parts.gateway.engine();
        let config = Arc::new(parts.config);
        let pins = Arc::new(Mutex::new(parts.pins));
        let (mut tokens, mut variables) = (parts.tokens, parts.variables);
        let timeout = Duration::from_secs(config.limits.request_seconds.into());
        let mut servers = BTreeMap::new();
        for (name, server) in &config.servers {
            let gate = Gate::new(GateParts {
                name: name.clone(),
                server: server.clone(),
                config: Arc::clone(&config),
                judge: engine.judge.clone(),
                governor: engine.governor.clone(),
                pins: Arc::clone(&pins),
                styles: engine.styles.clone(),
                key: engine.redaction_key,
            });
            let way = match &server.url {
                Some(url) => {
                    let max = config.limits.max_message_bytes;
                    Way::Remote(Box::new(Remote::new(
                        url,
                        tokens.remove(name),
                        timeout,
                        max,
                    )?))
                }
                None if server.command.is_empty() => continue,
                None => {
                    let variables = variables.remove(name).unwrap_or_default();
                    Way::Program(server.command.clone(), variables)
                }
            };
            let gate = Arc::new(gate);
            servers.insert(name.clone(), Server { gate, way });
        }
        let governor = engine.governor.as_ref();
        let approval = governor.map_or(0, |governor| governor.config().approval_seconds);
        Ok(Arc::new_cyclic(|me| Self {
            is_governed: engine.governor.is_some(),
            approval_ms: u64::from(approval) * 1_000,
            gateway: parts.gateway,
            config,
            servers,
            sessions: Mutex::default(),
            pins,
            pins_file: parts.pins_file,
            me: me.clone(),
        }))
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.gateway.clock().unix_ms()
    }

    /// Whether there is a server of that name.
    pub(crate) fn knows(&self, server: &str) -> bool {
        self.servers.contains_key(server)
    }

    /// The session of that name, if it is the principal's.
    pub(crate) fn find(&self, id: &str, principal: &Principal, server: &str) -> Option<Arc<Live>> {
        let sessions = self.sessions.lock();
        let kept = sessions.get(id)?;
        let is_own = kept.owner == Owner::new(principal, server) && !kept.live.is_over();
        is_own.then(|| Arc::clone(&kept.live))
    }

    /// The session of a principal whose requests name none: there is one for each server.
    pub(crate) fn of(&self, principal: &Principal, server: &str) -> Result<Arc<Live>, Fault> {
        let owner = Owner::new(principal, server);
        // A name that no client can send: headers hold no such character.
        let id = format!("\n{}\n{}\n{server}", owner.principal, owner.tenant);
        match self.find(&id, principal, server) {
            Some(live) => Ok(live),
            None => self.open(id, owner),
        }
    }

    /// A new session, and its name.
    pub(crate) fn begin(
        &self,
        principal: &Principal,
        server: &str,
    ) -> Result<(String, Arc<Live>), Fault> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| unavailable("there is no randomness"))?;
        let id = uuid::Builder::from_random_bytes(random)
            .into_uuid()
            .to_string();
        let live = self.open(id.clone(), Owner::new(principal, server))?;
        Ok((id, live))
    }

    /// Ends a session.
    pub(crate) fn close(&self, id: &str) {
        if let Some(kept) = self.sessions.lock().remove(id) {
            kept.live.end();
            match &kept.live.link {
                Link::Remote(remote) => {
                    let remote = Arc::clone(remote);
                    tokio::spawn(async move { remote.end().await });
                }
                Link::Program(_) => {
                    let live = Arc::clone(&kept.live);
                    tokio::task::spawn_blocking(move || {
                        if let Link::Program(program) = &live.link {
                            // Nobody waits for how it ended.
                            let _ = program.lock().end();
                        }
                    });
                }
            }
        }
    }

    fn open(&self, id: String, owner: Owner) -> Result<Arc<Live>, Fault> {
        let limits = &self.config.limits;
        let mut sessions = self.sessions.lock();
        sessions.retain(|_, kept| !kept.live.is_over());
        let own = sessions.values().filter(|kept| {
            (&kept.owner.principal, &kept.owner.tenant) == (&owner.principal, &owner.tenant)
        });
        if sessions.len() >= limits.max_sessions || own.count() >= limits.max_sessions_per_caller {
            let message = "there are too many sessions; end one, or come again later";
            return Err(Fault::new(
                FaultKind::TooManyRequests,
                "too_many_sessions",
                message,
            ));
        }
        let (Some(server), Some(me)) = (self.servers.get(&owner.server), self.me.upgrade()) else {
            return Err(unavailable("there is no such server"));
        };
        let who = Who {
            principal: owner.principal.to_string(),
            tenant: owner.tenant.to_string(),
        };
        let session = Session::new(Arc::clone(&server.gate), who);
        let (sender, heard) = mpsc::channel(MAX_QUEUED);
        let link = match &server.way {
            Way::Remote(remote) => Link::Remote(Arc::new(remote.again())),
            Way::Program(command, variables) => {
                let max = limits.max_message_bytes;
                let each = move |heard| sender.blocking_send(heard).is_ok();
                let program = Program::start(command, Some(variables.clone()), max, each);
                let program = program.map_err(|_| unavailable("the server cannot be started"))?;
                Link::Program(Mutex::new(program))
            }
        };
        let live = Arc::new(Live::new(me, session, link));
        let kept = Kept {
            owner,
            live: Arc::clone(&live),
        };
        sessions.insert(id.clone(), kept);
        tokio::spawn(keep(id, Arc::clone(&live), heard));
        Ok(live)
    }

    /// Writes the pins, beside the threads that serve.
    pub(crate) fn keep_pins(&self) {
        let (pins, file) = (Arc::clone(&self.pins), self.pins_file.clone());
        tokio::task::spawn_blocking(move || {
            // The lock is held meanwhile, so that an older state never follows a newer one.
            let pins = pins.lock();
            let mut new = file.clone().into_os_string();
            new.push(".new");
            let written =
                std::fs::write(&new, pins.render()).and_then(|()| std::fs::rename(&new, &file));
            if let Err(error) = written {
                tracing::warn!(%error, "the pins of servers cannot be kept");
            }
        });
    }

    pub(crate) async fn ask_person(
        &self,
        who: &Who,
        asked: Asked,
    ) -> Result<(), crate::agents::DeskError> {
        let now = self.now_ms();
        let waiting = Waiting {
            id: RequestId::new(&*self.gateway.clock()).to_string(),
            principal: who.principal.clone(),
            why: asked.why,
            asked_ms: now,
            expires_ms: now.saturating_add(self.approval_ms),
        };
        let desk = self.gateway.agents();
        desk.ask(&waiting, &who.tenant, &[asked.digest]).await
    }

    /// Keeps what happened to a message. What passed and calls nothing is not worth a line.
    pub(crate) fn record(&self, who: &Who, server: &str, record: &Record) {
        let is_call = record.method == "tools/call";
        if record.outcome == Outcome::Passed && !is_call {
            return;
        }
        let known = |name: &str| Label::Known(Arc::from(name));
        let resource = match &record.name {
            // Names of definitions are pinned, or were looked at.
            Some(name) if record.outcome != Outcome::Hidden => format!("mcp:{server}.{name}"),
            _ => format!("mcp:{server}"),
        };
        let event = MlAudit {
            event_type: "mcp".into(),
            user_id: known(&who.principal),
            action: record.method.into(),
            resource: known(&resource),
            status: record.outcome.as_str().into(),
            reason: known(&record.rules().join(" ")),
            ..MlAudit::default()
        };
        self.gateway.recorder().note(What::MlAudit(Box::new(event)));
    }
}

/// Hands on what a program says, and ends the session once nobody uses it.
async fn keep(id: String, live: Arc<Live>, mut heard: mpsc::Receiver<super::Heard>) {
    let idle = u64::from(live.hub.config.limits.idle_seconds) * 1_000;
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    let is_program = matches!(live.link, Link::Program(_));
    loop {
        tokio::select! {
            next = heard.recv(), if is_program => {
                let next = next.unwrap_or(super::Heard::Ended);
                if !live.hear(next).await {
                    break;
                }
            }
            _ = ticks.tick() => {
                live.tick().await;
                if live.is_over() || live.is_idle(idle) {
                    break;
                }
            }
        }
    }
    live.hub.close(&id);
}

fn unavailable(message: &'static str) -> Fault {
    Fault::new(FaultKind::Unavailable, "mcp_unavailable", message)
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub")
            .field("servers", &self.servers.keys())
            .field("sessions", &self.sessions.lock().len())
            .finish_non_exhaustive()
    }
}
