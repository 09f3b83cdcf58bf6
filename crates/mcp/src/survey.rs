//! Asks a server for everything that it offers, as a client would.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use crate::{Action, Gate, Id, Outgoing, Record, Role, Session, Who, World, definitions::LISTINGS};

/// A client that only looks: it greets a server, lists what it offers, and calls nothing.
#[derive(Debug)]
pub struct Survey {
    session: Session,
    /// What every request says of this side, since revision 2026-07-28.
    meta: Option<Json>,
    waiting: Waiting,
    sent: u64,
    records: Vec<Record>,
    is_complete: bool,
}

/// What came of a survey.
#[derive(Debug)]
pub struct Surveyed {
    /// What was seen, one record for each definition and for everything else that was said.
    pub records: Vec<Record>,
    /// Whether everything that the server offers was listed.
    pub is_complete: bool,
}

/// What a survey waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    Greeting,
    Discovery,
    /// The list of that number.
    List(usize),
    Nothing,
}

/// The last revision with a greeting, and the first without.
const GREETED: &str = "2025-11-25";
const STATELESS: &str = "2026-07-28";
/// Pages of all lists together.
const MAX_PAGES: u64 = 1_000;

impl Survey {
    /// A survey of the server behind `gate`, and its first message.
    pub fn begin(gate: Arc<Gate>, world: &mut dyn World) -> (Self, Vec<Outgoing>) {
        let mut survey = Self {
            session: Session::new(gate, Who::default()),
            meta: None,
            waiting: Waiting::Greeting,
            sent: 0,
            records: Vec::new(),
            is_complete: true,
        };
        let hello = [
            ("protocolVersion", GREETED.into()),
            ("capabilities", json!({})),
            ("clientInfo", myself()),
        ];
        let out = survey.ask("initialize", hello, world);
        (survey, out)
    }

    /// Takes a message of the server, and says what to send to it.
    pub fn from_server(&mut self, bytes: &[u8], world: &mut dyn World) -> Vec<Outgoing> {
        let actions = self.session.from_server(bytes, world);
        self.go_on(actions, world)
    }

    /// Whether nothing more is asked.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.waiting == Waiting::Nothing
    }

    /// What came of it. A survey that is not done is not complete.
    #[must_use]
    pub fn finish(self) -> Surveyed {
        Surveyed {
            is_complete: self.is_complete && self.is_done(),
            records: self.records,
        }
    }

    fn ask(
        &mut self,
        method: &str,
        params: impl IntoIterator<Item = (&'static str, Json)>,
        world: &mut dyn World,
    ) -> Vec<Outgoing> {
        self.sent += 1;
        let meta = self.meta.clone().map(|meta| ("_meta", meta));
        let params = params.into_iter().chain(meta);
        let params: Map<String, Json> = params.map(|(k, v)| (k.to_owned(), v)).collect();
        let id = Id::Text(format!("survey-{}", self.sent));
        let request = Outgoing::request(&id, method, &params);
        let actions = self.session.from_client(&request.bytes, world);
        self.go_on(actions, world)
    }

    fn go_on(&mut self, actions: Vec<Action>, world: &mut dyn World) -> Vec<Outgoing> {
        let mut out = Vec::new();
        for action in actions {
            match action {
                Action::ToServer(message) => out.push(message),
                Action::ToClient(message) => out.extend(self.heard(&message, world)),
                Action::Record(record) => self.records.push(*record),
                Action::Close(..) => {
                    self.is_complete = false;
                    self.waiting = Waiting::Nothing;
                }
                Action::Asked(_) | Action::Learned => {}
            }
        }
        out
    }

    fn heard(&mut self, message: &Outgoing, world: &mut dyn World) -> Vec<Outgoing> {
        let body: Json = serde_json::from_slice(&message.bytes).unwrap_or_default();
        match &message.role {
            Role::Notification => Vec::new(),
            Role::Request(id) => {
                let answer = match body.get("method").and_then(Json::as_str) {
                    Some("ping") => Outgoing::result(id, &json!({})),
                    _ => Outgoing::error(Some(id), -32601, "nobody is here to answer"),
                };
                let actions = self.session.from_client(&answer.bytes, world);
                self.go_on(actions, world)
            }
            Role::Answer(_) => self.answered(&body, world),
        }
    }

    fn answered(&mut self, body: &Json, world: &mut dyn World) -> Vec<Outgoing> {
        let result = body.get("result");
        match (self.waiting, result) {
            (Waiting::Greeting, Some(_)) => {
                let ready = Outgoing::notification("notifications/initialized", &json!({}));
                let actions = self.session.from_client(&ready.bytes, world);
                let mut out = self.go_on(actions, world);
                out.extend(self.list(0, None, world));
                out
            }
            // A server that knows no greeting is asked in the way that has none.
            (Waiting::Greeting, None) => {
                self.waiting = Waiting::Discovery;
                self.meta = Some(json!({
                    "io.modelcontextprotocol/protocolVersion": STATELESS,
                    "io.modelcontextprotocol/clientCapabilities": {},
                    "io.modelcontextprotocol/clientInfo": myself(),
                }));
                self.ask("server/discover", [], world)
            }
            (Waiting::Discovery, Some(_)) => self.list(0, None, world),
            (Waiting::Discovery, None) => {
                self.is_complete = false;
                self.waiting = Waiting::Nothing;
                Vec::new()
            }
            (Waiting::List(number), result) => {
                let next = result.and_then(|result| result.get("nextCursor")?.as_str());
                if let Some(cursor) = next.filter(|_| self.sent < MAX_PAGES) {
                    return self.list(number, Some(cursor), world);
                }
                // A server that does not have such a list says so; everything else is a gap.
                let code = body.pointer("/error/code").and_then(Json::as_i64);
                self.is_complete &= next.is_none() && (result.is_some() || code == Some(-32601));
                self.list(number + 1, None, world)
            }
            (Waiting::Nothing, _) => Vec::new(),
        }
    }

    fn list(
        &mut self,
        number: usize,
        cursor: Option<&str>,
        world: &mut dyn World,
    ) -> Vec<Outgoing> {
        let Some(listing) = LISTINGS.get(number) else {
            self.waiting = Waiting::Nothing;
            return Vec::new();
        };
        self.waiting = Waiting::List(number);
        let params = cursor.map(|cursor| ("cursor", cursor.into()));
        self.ask(listing.method, params, world)
    }
}

fn myself() -> Json {
    json!({ "name": "bartizan", "version": env!("CARGO_PKG_VERSION") })
}
