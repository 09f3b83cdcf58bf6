//! One session that runs: the machine, the server, and the clients that wait.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bartizan_agents::{CallLimit, Switches};
use bartizan_mcp::{Action, Asked, Id, Outgoing, Record, Role, Session, World};
use bartizan_policy::Date;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::{Heard, Program, Remote, hub::Hub};
use crate::{
    agents::{AgentState, DeskError},
    proxy::today,
};

/// A session with a server.
pub(crate) struct Live {
    pub(crate) hub: Arc<Hub>,
    session: Mutex<Session>,
    /// The calls of one session are made one after the other, as they came.
    turn: tokio::sync::Mutex<()>,
    pub(crate) link: Link,
    /// Who waits for the answer to which request.
    waiting: Mutex<HashMap<Id, mpsc::Sender<Outgoing>>>,
    /// Whoever listens to what belongs to no request.
    listener: Mutex<Option<mpsc::Sender<Outgoing>>>,
    last_ms: AtomicU64,
    is_over: AtomicBool,
}

/// The way to a server.
pub(crate) enum Link {
    Program(Mutex<Program>),
    Remote(Arc<Remote>),
}

/// Messages that wait for a client that reads slowly; more are dropped, and its stream ends.
pub(crate) const MAX_QUEUED: usize = 256;

impl Live {
    pub(crate) fn new(hub: Arc<Hub>, session: Session, link: Link) -> Self {
        Self {
            last_ms: AtomicU64::new(hub.now_ms()),
            hub,
            session: Mutex::new(session),
            turn: tokio::sync::Mutex::default(),
            link,
            waiting: Mutex::default(),
            listener: Mutex::default(),
            is_over: AtomicBool::new(false),
        }
    }

    /// Whether nothing more comes of it.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Whether nobody has said anything for so many milliseconds.
    pub(crate) fn is_idle(&self, ms: u64) -> bool {
        let last = self.last_ms.load(Ordering::Relaxed);
        self.waiting.lock().is_empty() && self.hub.now_ms().saturating_sub(last) > ms
    }

    /// Ends it: whoever waits is told so.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.waiting.lock().clear();
        *self.listener.lock() = None;
    }

    /// What belongs to no request goes there from now on.
    pub(crate) fn listen(&self) -> mpsc::Receiver<Outgoing> {
        let (sender, receiver) = mpsc::channel(MAX_QUEUED);
        *self.listener.lock() = Some(sender);
        receiver
    }

    /// Takes a request of the client; its answer, and what belongs to it, comes out of the channel.
    pub(crate) async fn ask(self: &Arc<Self>, id: Id, bytes: Vec<u8>) -> mpsc::Receiver<Outgoing> {
        let (sender, receiver) = mpsc::channel(MAX_QUEUED);
        // Somebody else waits for that id already: the machine refuses it, without a name.
        let is_free = match self.waiting.lock().entry(id) {
            Entry::Vacant(free) => {
                free.insert(sender.clone());
                true
            }
            Entry::Occupied(_) => false,
        };
        if is_free {
            drop(sender);
            self.step(Step::Client(bytes)).await;
        } else {
            let message = "a request with this id is under way";
            let _ = sender.try_send(Outgoing::refused(message));
        }
        receiver
    }

    /// Takes a notification or an answer of the client.
    pub(crate) async fn tell(self: &Arc<Self>, bytes: Vec<u8>) {
        self.step(Step::Client(bytes)).await;
    }

    /// Takes what a program says; `false` once nothing more is heard.
    pub(crate) async fn hear(self: &Arc<Self>, heard: Heard) -> bool {
        match heard {
            Heard::Line(line) => self.step(Step::Server(line)).await,
            Heard::TooLong | Heard::Ended => self.end(),
        }
        !self.is_over()
    }

    /// Gives up what has waited too long.
    pub(crate) async fn tick(self: &Arc<Self>) {
        let is_idle = self.session.lock().is_idle();
        if !is_idle {
            self.step(Step::Tick).await;
        }
    }

    async fn step(self: &Arc<Self>, step: Step) {
        let mut todo = vec![step];
        while let Some(step) = todo.pop() {
            if self.is_over() {
                return;
            }
            if !matches!(step, Step::Tick) {
                self.last_ms.store(self.hub.now_ms(), Ordering::Relaxed);
            }
            let turn = self.turn.lock().await;
            let Ok(around) = self.around().await else {
                // Without the switches nothing is decided.
                return self.end();
            };
            let this = Arc::clone(self);
            // Looking at texts is work, and holds up nobody else's.
            let done = tokio::task::spawn_blocking(move || {
                let mut around = around;
                let mut session = this.session.lock();
                let actions = match &step {
                    Step::Client(bytes) => session.from_client(bytes, &mut around),
                    Step::Server(bytes) => session.from_server(bytes, &mut around),
                    Step::Failed(id) => session.unanswered(id, &mut around),
                    Step::Tick => session.tick(&mut around),
                };
                (actions, around.taken)
            });
            let Ok((actions, taken)) = done.await else {
                return self.end();
            };
            let may = self.use_up(&taken).await;
            if actions
                .iter()
                .any(|action| matches!(action, Action::Learned))
            {
                self.hub.keep_pins();
            }
            for action in actions {
                match action {
                    Action::ToServer(message) if may => self.to_server(message),
                    // The word of a person was used by another gateway in the meantime.
                    Action::ToServer(message) => {
                        if let Role::Request(id) = message.role {
                            todo.push(Step::Failed(id));
                        }
                    }
                    Action::ToClient(message) => self.to_client(message),
                    Action::Record(record) => self.record(&record),
                    Action::Asked(asked) => self.ask_person(asked).await,
                    Action::Learned => {}
                    Action::Close(..) => self.end(),
                }
            }
            drop(turn);
        }
    }

    async fn around(&self) -> Result<Around, DeskError> {
        let principal = self.session.lock().who().principal.clone();
        let now_ms = self.hub.now_ms();
        let (desk, is_governed) = (self.hub.gateway.agents(), self.hub.is_governed);
        let (switches, granted) = if is_governed {
            let granted = desk.granted(&principal, now_ms).await?;
            (desk.switches().await?, granted.into_iter().collect())
        } else {
            (Switches::default(), HashMap::new())
        };
        Ok(Around {
            now_ms,
            today: today(&*self.hub.gateway.clock()),
            switches,
            granted,
            state: self.hub.gateway.agent_state(),
            taken: Vec::new(),
        })
    }

    async fn use_up(&self, taken: &[String]) -> bool {
        for approval in taken {
            if !matches!(self.hub.gateway.agents().use_up(approval).await, Ok(true)) {
                return false;
            }
        }
        true
    }

    async fn ask_person(&self, asked: Asked) {
        let who = self.session.lock().who().clone();
        // An approval that cannot be asked for was refused already.
        let _ = self.hub.ask_person(&who, asked).await;
    }

    fn record(&self, record: &Record) {
        let (who, gate) = {
            let session = self.session.lock();
            (session.who().clone(), Arc::clone(session.gate()))
        };
        self.hub.record(&who, gate.name(), record);
    }

    fn to_server(self: &Arc<Self>, message: Outgoing) {
        match &self.link {
            Link::Program(program) => {
                if program.lock().send(message.bytes).is_err() {
                    self.end();
                }
            }
            Link::Remote(remote) => {
                let (this, remote) = (Arc::clone(self), Arc::clone(remote));
                tokio::spawn(async move {
                    let answers = remote.send(&message).await;
                    let mut is_answered = false;
                    for answer in answers.into_iter().flatten() {
                        is_answered = true;
                        Box::pin(this.step(Step::Server(answer))).await;
                    }
                    if let Role::Request(id) = message.role
                        && !is_answered
                    {
                        Box::pin(this.step(Step::Failed(id))).await;
                    }
                });
            }
        }
    }

    fn to_client(&self, message: Outgoing) {
        let to = match &message.role {
            Role::Answer(Some(id)) => self.waiting.lock().remove(id),
            Role::Answer(None) => None,
            // Before there was a stream of its own, what belongs to no request came with any.
            Role::Request(_) | Role::Notification => {
                let listener = self.listener.lock().clone();
                listener.or_else(|| self.waiting.lock().values().next().cloned())
            }
        };
        if let Some(to) = to {
            // Whoever does not read loses what is sent.
            let _ = to.try_send(message);
        }
    }
}

/// What happens to the machine next.
enum Step {
    Client(Vec<u8>),
    Server(Vec<u8>),
    Failed(Id),
    Tick,
}

/// The world of a session for one message.
struct Around {
    now_ms: u64,
    today: Date,
    switches: Switches,
    granted: HashMap<String, String>,
    state: Arc<AgentState>,
    taken: Vec<String>,
}

impl World for Around {
    fn now_ms(&self) -> u64 {
        self.now_ms
    }

    fn today(&self) -> Date {
        self.today
    }

    fn switches(&self) -> &Switches {
        &self.switches
    }

    fn may_call(&mut self, tool: &str, user: &str, limit: CallLimit) -> bool {
        self.state.call(tool, user, limit, self.now_ms)
    }

    fn take_approval(&mut self, digest: &str) -> bool {
        let Some(approval) = self.granted.remove(digest) else {
            return false;
        };
        let has = self.state.claim(&approval);
        if has {
            self.taken.push(approval);
        }
        has
    }
}
