//! One client and one server, message by message.

mod asks;
mod calls;
mod client;
mod server;
mod story;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use bartizan_core::{Direction, Finding, Origin};
use bartizan_guard::{Judgement, conversation::Document};
use serde_json::{Map, Value as Json, json};

use crate::{
    Gate, Handling, Id, Malformed, Outgoing, Role, Side, World,
    definitions::{LISTINGS, Listing, finding},
    gate::Sight,
    message::{self, Message},
    rules,
};
use story::Story;

/// What stands between a client and a server.
///
/// [`Session::from_client`] and [`Session::from_server`] take one message each and say what is to be
/// done; nothing else comes out of a session. Prints no content.
pub struct Session {
    gate: Arc<Gate>,
    who: Who,
    /// Requests that the server has not answered.
    asked: HashMap<Id, Pending>,
    /// Requests that the client has not answered.
    asking: HashMap<Id, Pending>,
    /// Tools that the server listed, and whether the client may see them.
    tools: HashMap<String, bool>,
    listing: Relisting,
    /// Calls that wait until all tools are listed.
    parked: VecDeque<(Id, Vec<u8>)>,
    story: Story,
    /// What every request of the client says of its side, where there is no handshake.
    meta: Option<Json>,
    sampled: Sampled,
    /// Requests of the session's own so far.
    own: u64,
}

/// For whom a session is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// The name of the principal; empty for the one in front of the machine.
    pub principal: String,
    /// Its tenant; empty for none.
    pub tenant: String,
}

/// What is to be done.
#[derive(Debug)]
pub enum Action {
    /// Send this to the server.
    ToServer(Outgoing),
    /// Send this to the client.
    ToClient(Outgoing),
    /// Keep this in the record.
    Record(Box<Record>),
    /// Put this call before a person; it is refused until then.
    Asked(Asked),
    /// Definitions were pinned: keep the pins.
    Learned,
    /// End the session: that side does not keep to the protocol.
    Close(Side, Malformed),
}

/// A call for which a person is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The keyed hash of who calls what with which arguments.
    pub digest: String,
    /// Why.
    pub why: Vec<String>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It passed as it was.
    Passed,
    /// It passed with something taken out.
    Redacted,
    /// A definition was left out of its list.
    Hidden,
    /// It waits for a person.
    Asked,
    /// It was refused.
    Refused,
}

impl Outcome {
    /// The name used in records and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Redacted => "redacted",
            Self::Hidden => "hidden",
            Self::Asked => "asked",
            Self::Refused => "refused",
        }
    }
}

/// What happened to one message, or to one definition of a list. Holds no content but names of
/// definitions that the server listed.
#[derive(Debug)]
pub struct Record {
    /// Who sent it.
    pub from: Side,
    /// Its method, or that of the request that it answers; `other` where no table knows it.
    pub method: &'static str,
    /// The tool or prompt that it is about, where the server listed it and its name is none that
    /// could hold a text.
    pub name: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// What was seen in its texts.
    pub judgement: Option<Judgement>,
    /// What stands against it otherwise.
    pub findings: Vec<Finding>,
}

/// A request without an answer.
#[derive(Clone, Debug)]
struct Pending {
    method: &'static str,
    handling: Handling,
    since_ms: u64,
    /// The tool that is called.
    tool: Option<String>,
    /// Whether the session itself asked.
    is_own: bool,
    /// Whether it lists from the start on.
    is_first_page: bool,
    /// Whether whoever asked waits no more.
    is_cancelled: bool,
}

/// How far the session knows the tools of the server.
#[derive(Clone, Debug, Default)]
enum Relisting {
    /// Nobody listed them yet.
    #[default]
    Never,
    /// The session lists them now; what came so far.
    Now(HashMap<String, bool>),
    /// All are known.
    Done,
}

/// What the server has asked of the client's model.
#[derive(Clone, Copy, Debug, Default)]
struct Sampled {
    requests: u32,
    tokens: u64,
}

/// A message that is being looked at.
#[derive(Clone, Copy)]
struct Incoming<'d, 'a> {
    bytes: &'a [u8],
    document: &'d Document<'a>,
    message: &'d Message<'d, 'a>,
}

/// Errors of this side (JSON-RPC 2.0, section 5.1; MCP leaves -32000 to -32019 to whoever
/// implements it).
const REFUSED: i64 = -32010;
const BUSY: i64 = -32011;
const TIMED_OUT: i64 = -32012;
const UNKNOWN_METHOD: i64 = -32601;
const INVALID_PARAMS: i64 = -32602;

impl Session {
    /// A session of `who` with the server behind `gate`.
    #[must_use]
    pub fn new(gate: Arc<Gate>, who: Who) -> Self {
        Self {
            gate,
            who,
            asked: HashMap::new(),
            asking: HashMap::new(),
            tools: HashMap::new(),
            listing: Relisting::default(),
            parked: VecDeque::new(),
            story: Story::default(),
            meta: None,
            sampled: Sampled::default(),
            own: 0,
        }
    }

    /// For whom it is.
    #[must_use]
    pub const fn who(&self) -> &Who {
        &self.who
    }

    /// The gate that it goes through.
    #[must_use]
    pub const fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// Whether nobody waits for the server.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.asked.is_empty() && self.parked.is_empty()
    }

    /// Takes a message of the client.
    pub fn from_client(&mut self, bytes: &[u8], world: &mut dyn World) -> Vec<Action> {
        let mut out = Vec::new();
        self.take(Side::Client, bytes, world, &mut out);
        out
    }

    /// Takes a message of the server.
    pub fn from_server(&mut self, bytes: &[u8], world: &mut dyn World) -> Vec<Action> {
        let mut out = Vec::new();
        self.take(Side::Server, bytes, world, &mut out);
        self.unpark(world, &mut out);
        out
    }

    /// Gives requests up that have waited too long. Call it now and then.
    pub fn tick(&mut self, world: &mut dyn World) -> Vec<Action> {
        let mut out = Vec::new();
        let most = u64::from(self.gate.config.limits.request_seconds) * 1_000;
        let now = world.now_ms();
        let is_late = |pending: &Pending| now.saturating_sub(pending.since_ms) > most;
        let late = self.asked.extract_if(|_, pending| is_late(pending));
        for (id, pending) in late.collect::<Vec<_>>() {
            let params = json!({ "requestId": id.to_json(), "reason": "it took too long" });
            let cancel = Outgoing::notification("notifications/cancelled", &params);
            out.push(Action::ToServer(cancel));
            self.fail(
                &id,
                &pending,
                TIMED_OUT,
                "the server took too long",
                &mut out,
            );
        }
        self.asking.retain(|_, pending| !is_late(pending));
        self.unpark(world, &mut out);
        out
    }

    /// Says that nothing more comes for a request: the server could not be asked, or broke off.
    pub fn unanswered(&mut self, id: &Id, world: &mut dyn World) -> Vec<Action> {
        let mut out = Vec::new();
        if let Some(pending) = self.asked.remove(id) {
            self.fail(id, &pending, REFUSED, "the server did not answer", &mut out);
        }
        self.unpark(world, &mut out);
        out
    }

    fn fail(
        &mut self,
        id: &Id,
        pending: &Pending,
        code: i64,
        message: &str,
        out: &mut Vec<Action>,
    ) {
        if pending.is_own {
            // What is not known to be listed is not called.
            self.listing = Relisting::Done;
        } else if !pending.is_cancelled {
            out.push(Action::ToClient(Outgoing::error(Some(id), code, message)));
        }
    }

    fn take(&mut self, from: Side, bytes: &[u8], world: &mut dyn World, out: &mut Vec<Action>) {
        let limit = self.gate.config.limits.max_message_bytes;
        let document = match message::read(bytes, limit) {
            Ok(document) => document,
            Err(error) => return malformed(from, error, out),
        };
        let message = match Message::of(&document) {
            Ok(message) => message,
            Err(error) => return malformed(from, error, out),
        };
        let incoming = Incoming {
            bytes,
            document: &document,
            message: &message,
        };
        match (from, message.role.clone()) {
            (Side::Client, Role::Request(id)) => self.client_asks(&id, incoming, world, out),
            (Side::Client, Role::Notification) => self.client_tells(incoming, world, out),
            (Side::Client, Role::Answer(id)) => self.client_answers(id, incoming, world, out),
            (Side::Server, Role::Request(id)) => self.server_asks(&id, incoming, world, out),
            (Side::Server, Role::Notification) => self.server_tells(incoming, world, out),
            (Side::Server, Role::Answer(id)) => self.server_answers(id, incoming, world, out),
        }
    }

    /// How a text on its way to the server is looked at.
    fn outwards(&self, origin: Origin, world: &dyn World) -> Sight<'_> {
        Sight {
            direction: Direction::Output,
            origin,
            who: &self.who,
            today: world.today(),
        }
    }

    /// How a text of the server is looked at.
    fn inwards(&self, world: &dyn World) -> Sight<'_> {
        Sight {
            direction: Direction::Input,
            origin: Origin::Tool,
            who: &self.who,
            today: world.today(),
        }
    }

    /// Lists the tools anew, from the first page on.
    fn relist(&mut self, world: &dyn World, out: &mut Vec<Action>) {
        if matches!(self.listing, Relisting::Now(_)) {
            // What is under way may be old by the time it comes.
            self.asked.retain(|_, pending| !pending.is_own);
        }
        self.listing = Relisting::Now(HashMap::new());
        self.list_page(None, world, out);
    }

    fn list_page(&mut self, cursor: Option<&str>, world: &dyn World, out: &mut Vec<Action>) {
        let listing = &LISTINGS[0];
        self.own += 1;
        let id = Id::Text(format!("bartizan-{}", self.own));
        let mut params = Map::new();
        let meta = self.meta.clone().map(|meta| ("_meta".to_owned(), meta));
        let cursor = cursor.map(|cursor| ("cursor".to_owned(), Json::from(cursor)));
        params.extend(meta.into_iter().chain(cursor));
        out.push(Action::ToServer(Outgoing::request(
            &id,
            listing.method,
            &params,
        )));
        let pending = Pending {
            is_own: true,
            ..Pending::new(listing.method, Handling::List, world.now_ms())
        };
        self.asked.insert(id, pending);
    }
}

impl Pending {
    const fn new(method: &'static str, handling: Handling, since_ms: u64) -> Self {
        Self {
            method,
            handling,
            since_ms,
            tool: None,
            is_own: false,
            is_first_page: false,
            is_cancelled: false,
        }
    }

    fn listing(&self) -> Option<&'static Listing> {
        LISTINGS
            .iter()
            .find(|listing| listing.method == self.method)
    }
}

impl Record {
    fn new(from: Side, method: &'static str, outcome: Outcome) -> Self {
        Self {
            from,
            method,
            name: None,
            outcome,
            judgement: None,
            findings: Vec::new(),
        }
    }

    /// The ids of the rules for which it was refused, each once.
    #[must_use]
    pub fn rules(&self) -> Vec<&str> {
        let judged = self.judgement.iter().flat_map(|judgement| {
            let reasons = judgement.decision.reasons.iter();
            let strict = reasons.filter(|reason| reason.action > bartizan_core::Verdict::Allow);
            strict.map(|reason| reason.evidence.rule.as_str())
        });
        let found = self.findings.iter().map(|finding| &*finding.rule.id);
        let mut all: Vec<&str> = judged.chain(found).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// What is told to whoever is refused.
    fn told(&self, what: &str) -> String {
        let mut told = format!("{what} by Bartizan");
        let why: Vec<String> = self
            .findings
            .iter()
            .map(|finding| format!("{}: {}", finding.rule.id, finding.message))
            .collect();
        let rules = self.rules();
        if !why.is_empty() {
            told = format!("{told} ({})", why.join("; "));
        } else if !rules.is_empty() {
            told = format!("{told} ({})", rules.join(", "));
        } else if self.judgement.is_some() {
            told.push_str(" (it could not be looked at completely)");
        }
        told
    }
}

fn malformed(from: Side, error: Malformed, out: &mut Vec<Action>) {
    let mut record = Record::new(from, "other", Outcome::Refused);
    record
        .findings
        .push(finding(&rules::PROTOCOL, 1.0, &rules::PROTOCOL.title));
    out.push(Action::Record(Box::new(record)));
    if from == Side::Client {
        out.push(Action::ToClient(error.answer()));
    }
    out.push(Action::Close(from, error));
}

/// An answer, or a notification, that fits to nothing: it goes nowhere.
fn dropped(from: Side, message: &'static str, out: &mut Vec<Action>) {
    let mut record = Record::new(from, "other", Outcome::Refused);
    record
        .findings
        .push(finding(&rules::PROTOCOL, 1.0, message));
    out.push(Action::Record(Box::new(record)));
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("gate", &self.gate)
            .field("asked", &self.asked.len())
            .field("asking", &self.asking.len())
            .field("tools", &self.tools.len())
            .finish_non_exhaustive()
    }
}
