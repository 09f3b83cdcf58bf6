//! Messages of the client.

use bartizan_core::Origin;
use bartizan_guard::conversation::{PartKind, Value};
use serde_json::{Value as Json, json};

use super::{
    Action, BUSY, INVALID_PARAMS, Incoming, Outcome, Pending, REFUSED, Record, Relisting, Session,
    UNKNOWN_METHOD, dropped, finding,
};
use crate::{
    Handling, Id, Outgoing, REVISIONS, Role, Side, UnknownMethods, World,
    edits::{self, Edits},
    methods,
    reading::{Standing, parts},
    rules,
};

/// Names in the metadata of every request since revision 2026-07-28.
const PREFIX: &str = "io.modelcontextprotocol/";
const REVISION: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
/// The code for a revision that is not known (2026-07-28, "Error Codes").
const UNKNOWN_REVISION: i64 = -32022;

impl Session {
    pub(super) fn client_asks(
        &mut self,
        id: &Id,
        incoming: Incoming<'_, '_>,
        world: &mut dyn World,
        out: &mut Vec<Action>,
    ) {
        let limit = self.gate.config.limits.max_pending;
        if self.asked.contains_key(id) || self.parked.iter().any(|(parked, _)| parked == id) {
            let message = "a request with this id is under way";
            dropped(Side::Client, message, out);
            // Its answer would be taken for the other's.
            return out.push(Action::ToClient(Outgoing::refused(message)));
        }
        if self.asked.len() + self.parked.len() >= limit {
            let error = Outgoing::error(Some(id), BUSY, "too many requests are under way");
            return out.push(Action::ToClient(error));
        }
        let method = incoming.message.method;
        let (name, handling) = match methods::known(Side::Client, method, true) {
            Some(known) => (known.name, known.handling),
            None if self.gate.config.unknown_methods == UnknownMethods::Pass => {
                ("other", Handling::Look)
            }
            None => {
                out.push(Action::Record(Box::new(unknown(Side::Client))));
                let message = "the method is not known here";
                let error = Outgoing::error(Some(id), UNKNOWN_METHOD, message);
                return out.push(Action::ToClient(error));
            }
        };
        let meta = incoming.message.param("_meta");
        if let Some(revision) = meta.and_then(|meta| meta.get(REVISION)) {
            let revision = revision.as_str().unwrap_or_default();
            if !REVISIONS.contains(&revision) {
                return out.push(Action::ToClient(unknown_revision(id)));
            }
            self.meta = meta.map(|meta| Self::own_meta(incoming.bytes, meta));
        }
        if handling == Handling::Call {
            return self.call(id, incoming, world, out);
        }
        let mut record = Record::new(Side::Client, name, Outcome::Passed);
        let Some(bytes) = self.given(incoming, &mut record, world) else {
            return self.refuse_request(id, record, "refused", out);
        };
        let listed = matches!(handling, Handling::List).then(|| incoming.message.param("cursor"));
        let pending = Pending {
            is_first_page: listed.is_some_and(|cursor| cursor.is_none()),
            ..Pending::new(name, handling, world.now_ms())
        };
        self.asked.insert(id.clone(), pending);
        out.push(Action::Record(Box::new(record)));
        let role = Role::Request(id.clone());
        out.push(Action::ToServer(Outgoing::forwarded(role, &bytes)));
    }

    /// Looks at what a message of the client gives to the server, and leaves out of it what servers
    /// may not use. `None` if it must not go on.
    pub(super) fn given(
        &self,
        incoming: Incoming<'_, '_>,
        record: &mut Record,
        world: &dyn World,
    ) -> Option<Vec<u8>> {
        let mut edits = Edits::default();
        if let Some(params) = incoming.message.root.get("params") {
            let given = parts(incoming.document, params, "params", &Standing::GIVEN, "");
            let sight = self.outwards(Origin::Model, world);
            if let Some(seen) = self.gate.judge(given.ok()?, Vec::new(), &sight) {
                record.outcome = self.gate.settle(&seen, &sight, &mut edits);
                record.judgement = Some(seen.judgement);
                if record.outcome == Outcome::Refused {
                    return None;
                }
            }
            self.narrow(incoming.bytes, params, &mut edits);
        }
        if edits.is_empty() {
            return Some(incoming.bytes.to_vec());
        }
        let edited = edits.apply(incoming.bytes);
        if edited.is_none() {
            record.outcome = Outcome::Refused;
        }
        edited
    }

    /// Leaves out of the client's abilities what servers may not use, so that they do not try.
    fn narrow(&self, bytes: &[u8], params: Value<'_, '_>, edits: &mut Edits) {
        let config = &self.gate.config;
        let closed = |ability: &str| match ability {
            "sampling" => !config.sampling.allow,
            "elicitation" => !config.elicitation.allow,
            // What a server asks of a task of the client no table knows.
            "tasks" => true,
            _ => false,
        };
        if let Some(abilities) = params.get("capabilities") {
            edits.drop_members(bytes, abilities, closed);
        }
        let meta = params.get("_meta");
        if let Some(abilities) = meta.and_then(|meta| meta.get(CAPABILITIES)) {
            // Without a connection of its own a question cannot be answered here.
            edits.drop_members(bytes, abilities, |name| closed(name) || name == "roots");
        }
    }

    /// What the session's own requests say of the client's side.
    fn own_meta(bytes: &[u8], meta: Value<'_, '_>) -> Json {
        let raw = edits::text(bytes, meta.range());
        let mut meta: Json = serde_json::from_str(&raw).unwrap_or_default();
        if let Some(members) = meta.as_object_mut() {
            members.retain(|name, _| name.starts_with(PREFIX));
            // Its questions are the client's to answer, which does not know of this request.
            if let Some(abilities) = members.get_mut(CAPABILITIES) {
                *abilities = json!({});
            }
        }
        meta
    }

    pub(super) fn client_tells(
        &mut self,
        incoming: Incoming<'_, '_>,
        world: &mut dyn World,
        out: &mut Vec<Action>,
    ) {
        let known = methods::known(Side::Client, incoming.message.method, false);
        if known.is_none() && self.gate.config.unknown_methods == UnknownMethods::Refuse {
            return out.push(Action::Record(Box::new(unknown(Side::Client))));
        }
        let name = known.map_or("other", |known| known.name);
        if name == "notifications/cancelled" && !self.cancelled(incoming) {
            return;
        }
        let mut record = Record::new(Side::Client, name, Outcome::Passed);
        let bytes = self.given(incoming, &mut record, world);
        if bytes.is_none() {
            record.outcome = Outcome::Refused;
        }
        out.push(Action::Record(Box::new(record)));
        let forward = |bytes: Vec<u8>| Outgoing::forwarded(Role::Notification, &bytes);
        out.extend(bytes.map(forward).map(Action::ToServer));
    }

    /// Forgets a request that its client gave up; `false` if the server need not know.
    fn cancelled(&mut self, incoming: Incoming<'_, '_>) -> bool {
        let Some(id) = incoming.message.param("requestId").and_then(Id::read) else {
            return false;
        };
        self.parked.retain(|(parked, _)| *parked != id);
        match self.asked.get_mut(&id) {
            Some(pending) if !pending.is_own => {
                pending.is_cancelled = true;
                true
            }
            _ => false,
        }
    }

    pub(super) fn client_answers(
        &mut self,
        id: Option<Id>,
        incoming: Incoming<'_, '_>,
        world: &mut dyn World,
        out: &mut Vec<Action>,
    ) {
        let pending = id.as_ref().and_then(|id| self.asking.remove(id));
        let (Some(id), Some(pending)) = (id, pending) else {
            return dropped(Side::Client, "an answer to nothing", out);
        };
        let mut record = Record::new(Side::Client, pending.method, Outcome::Passed);
        let bytes = self.answer_given(incoming, &pending, &mut record, world);
        let answer = match bytes {
            Some(bytes) => Outgoing::forwarded(Role::Answer(Some(id)), &bytes),
            None => {
                record.outcome = Outcome::Refused;
                Outgoing::error(Some(&id), REFUSED, &record.told("the answer was withheld"))
            }
        };
        out.push(Action::Record(Box::new(record)));
        out.push(Action::ToServer(answer));
    }

    fn answer_given(
        &self,
        incoming: Incoming<'_, '_>,
        pending: &Pending,
        record: &mut Record,
        world: &dyn World,
    ) -> Option<Vec<u8>> {
        let root = incoming.message.root;
        let standing = match pending.handling {
            // What a model said.
            Handling::Sample => Standing {
                origin: Origin::Model,
                kind: PartKind::Text,
            },
            _ => Standing::GIVEN,
        };
        let mut given = Vec::new();
        for member in ["result", "error"] {
            if let Some(value) = root.get(member) {
                given.extend(parts(incoming.document, value, member, &standing, "").ok()?);
            }
        }
        let sight = self.outwards(standing.origin, world);
        let mut edits = Edits::default();
        if let Some(seen) = self.gate.judge(given, Vec::new(), &sight) {
            record.outcome = self.gate.settle(&seen, &sight, &mut edits);
            record.judgement = Some(seen.judgement);
        }
        match record.outcome {
            Outcome::Refused => None,
            Outcome::Redacted => edits.apply(incoming.bytes),
            _ => Some(incoming.bytes.to_vec()),
        }
    }

    /// Refuses a request of the client.
    pub(super) fn refuse_request(
        &self,
        id: &Id,
        mut record: Record,
        what: &str,
        out: &mut Vec<Action>,
    ) {
        if record.outcome != Outcome::Asked {
            record.outcome = Outcome::Refused;
        }
        let told = record.told(what);
        let answer = match methods::known(Side::Client, record.method, true).map(|m| m.handling) {
            // A model reads why and can go on; an error of the protocol ends many an agent.
            Some(Handling::Call) => {
                let text = json!([{ "type": "text", "text": told }]);
                // Results have a kind since revision 2026-07-28; before, nobody reads it.
                let result = json!({ "content": text, "isError": true, "resultType": "complete" });
                Outgoing::result(id, &result)
            }
            _ => Outgoing::error(Some(id), REFUSED, &told),
        };
        out.push(Action::Record(Box::new(record)));
        out.push(Action::ToClient(answer));
    }

    pub(super) fn bad_params(id: &Id, message: &str, out: &mut Vec<Action>) {
        let error = Outgoing::error(Some(id), INVALID_PARAMS, message);
        out.push(Action::ToClient(error));
    }

    /// Whether calls must wait until the tools are listed.
    pub(super) const fn is_listing(&self) -> bool {
        matches!(self.listing, Relisting::Now(_))
    }
}

pub(super) fn unknown(from: Side) -> Record {
    let mut record = Record::new(from, "other", Outcome::Refused);
    record
        .findings
        .push(finding(&rules::METHOD, 1.0, &rules::METHOD.title));
    record
}

fn unknown_revision(id: &Id) -> Outgoing {
    let body = json!({
        "jsonrpc": "2.0",
        "id": id.to_json(),
        "error": {
            "code": UNKNOWN_REVISION,
            "message": "the revision of the protocol is not known here",
            "data": { "supported": REVISIONS },
        },
    });
    Outgoing {
        role: Role::Answer(Some(id.clone())),
        bytes: body.to_string().into_bytes(),
    }
}
