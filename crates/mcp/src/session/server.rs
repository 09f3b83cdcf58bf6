//! Messages of the server.

use bartizan_core::Finding;
use bartizan_guard::conversation::Value;

use super::{
    Action, BUSY, Incoming, Outcome, Pending, Record, Relisting, Session, UNKNOWN_METHOD,
    client::unknown, dropped, finding,
};
use crate::{
    Handling, Id, Outgoing, REVISIONS, Role, Side, UnknownMethods, World,
    definitions::Looked,
    edits::Edits,
    media, methods,
    names::plain,
    reading::{Standing, parts},
    rules,
};

impl Session {
    pub(super) fn server_asks(
        &mut self,
        id: &Id,
        incoming: Incoming<'_, '_>,
        world: &mut dyn World,
        out: &mut Vec<Action>,
    ) {
        let refuse = |code, message| Action::ToServer(Outgoing::error(Some(id), code, message));
        if self.asking.contains_key(id) {
            let message = "a request with this id is under way";
            dropped(Side::Server, message, out);
            return out.push(Action::ToServer(Outgoing::refused(message)));
        }
        if self.asking.len() >= self.gate.config.limits.max_pending {
            return out.push(refuse(BUSY, "too many requests are under way"));
        }
        let known = methods::known(Side::Server, incoming.message.method, true);
        let (name, handling) = match known {
            Some(known) => (known.name, known.handling),
            None if self.gate.config.unknown_methods == UnknownMethods::Pass => {
                ("other", Handling::Look)
            }
            None => {
                out.push(Action::Record(Box::new(unknown(Side::Server))));
                return out.push(refuse(UNKNOWN_METHOD, "the method is not known here"));
            }
        };
        let mut record = Record::new(Side::Server, name, Outcome::Passed);
        if handling == Handling::Roots {
            return self.roots(id, record, out);
        }
        let params = incoming.message.root.get("params");
        let passed = if self.may_ask(handling, params, &mut record) {
            self.told(incoming, params, &mut record, world)
        } else {
            None
        };
        let Some(bytes) = passed else {
            record.outcome = Outcome::Refused;
            out.push(Action::ToServer(self.turned_down(id, handling, &record)));
            return out.push(Action::Record(Box::new(record)));
        };
        let pending = Pending::new(name, handling, world.now_ms());
        self.asking.insert(id.clone(), pending);
        out.push(Action::Record(Box::new(record)));
        let role = Role::Request(id.clone());
        out.push(Action::ToClient(Outgoing::forwarded(role, &bytes)));
    }

    pub(super) fn server_tells(
        &mut self,
        incoming: Incoming<'_, '_>,
        world: &mut dyn World,
        out: &mut Vec<Action>,
    ) {
        let known = methods::known(Side::Server, incoming.message.method, false);
        if known.is_none() && self.gate.config.unknown_methods == UnknownMethods::Refuse {
            return out.push(Action::Record(Box::new(unknown(Side::Server))));
        }
        let name = known.map_or("other", |known| known.name);
        let mut record = Record::new(Side::Server, name, Outcome::Passed);
        let params = incoming.message.root.get("params");
        let bytes = self.told(incoming, params, &mut record, world);
        if bytes.is_none() {
            record.outcome = Outcome::Refused;
        }
        out.push(Action::Record(Box::new(record)));
        let forward = |bytes: Vec<u8>| Outgoing::forwarded(Role::Notification, &bytes);
        out.extend(bytes.map(forward).map(Action::ToClient));
        if known.is_some_and(|known| known.handling == Handling::Changed) {
            self.relist(world, out);
        }
    }

    /// Looks at a text of the server; `None` if it must not go on.
    fn told(
        &self,
        incoming: Incoming<'_, '_>,
        value: Option<Value<'_, '_>>,
        record: &mut Record,
        world: &dyn World,
    ) -> Option<Vec<u8>> {
        let mut edits = Edits::default();
        if let Some(value) = value {
            self.returned(
                incoming,
                value,
                ("params", ""),
                Vec::new(),
                record,
                &mut edits,
                world,
            )?;
        }
        edited(edits, incoming)
    }

    /// Looks at `value` but for its member `aside`, and adds what is to be taken out of it; `None`
    /// if it must not go on. Gives the texts.
    #[expect(
        clippy::too_many_arguments,
        reason = "a value, what was found in it so far, and where what comes of it goes"
    )]
    fn returned(
        &self,
        incoming: Incoming<'_, '_>,
        value: Value<'_, '_>,
        (path, aside): (&str, &str),
        found: Vec<Finding>,
        record: &mut Record,
        edits: &mut Edits,
        world: &dyn World,
    ) -> Option<String> {
        let returned = parts(incoming.document, value, path, &Standing::RETURNED, aside).ok()?;
        let sight = self.inwards(world);
        let Some(seen) = self.gate.judge(returned, found, &sight) else {
            return Some(String::new());
        };
        let outcome = self.gate.settle(&seen, &sight, edits);
        record.outcome = record.outcome.max(outcome);
        record.judgement = Some(seen.judgement);
        let texts: Vec<&str> = seen
            .conversation
            .parts
            .iter()
            .map(|part| &*part.text)
            .collect();
        (outcome != Outcome::Refused).then(|| texts.join("\n"))
    }

    pub(super) fn server_answers(
        &mut self,
        id: Option<Id>,
        incoming: Incoming<'_, '_>,
        world: &mut dyn World,
        out: &mut Vec<Action>,
    ) {
        let pending = id.as_ref().and_then(|id| self.asked.remove(id));
        let (Some(id), Some(pending)) = (id, pending) else {
            return dropped(Side::Server, "an answer to nothing", out);
        };
        if pending.is_cancelled {
            return;
        }
        let mut record = Record::new(Side::Server, pending.method, Outcome::Passed);
        record.name = pending.tool.as_deref().and_then(plain);
        let bytes = self.answered(&id, incoming, &pending, &mut record, world, out);
        if pending.is_own {
            return self.listed(incoming, &pending, bytes.is_some(), world, out);
        }
        let Some(bytes) = bytes else {
            return self.withhold(&id, record, out);
        };
        out.push(Action::Record(Box::new(record)));
        let role = Role::Answer(Some(id));
        out.push(Action::ToClient(Outgoing::forwarded(role, &bytes)));
    }

    fn withhold(&self, id: &Id, record: Record, out: &mut Vec<Action>) {
        self.refuse_request(id, record, "what the server answered was withheld", out);
    }

    fn answered(
        &mut self,
        id: &Id,
        incoming: Incoming<'_, '_>,
        pending: &Pending,
        record: &mut Record,
        world: &dyn World,
        out: &mut Vec<Action>,
    ) -> Option<Vec<u8>> {
        let root = incoming.message.root;
        let mut edits = Edits::default();
        let (path, value, failed) = match (root.get("result"), root.get("error")) {
            (Some(result), _) => ("result", result, false),
            (None, error) => ("error", error?, true),
        };
        let mut aside = "";
        let mut found = Vec::new();
        if !failed {
            self.asked_back(value, record)?;
            match pending.handling {
                Handling::Hello => {
                    self.greeted(incoming, value, record, &mut edits, world, out)?;
                    aside = "instructions";
                }
                Handling::List => {
                    aside = self.list(incoming, pending, value, &mut edits, world, out)?
                }
                Handling::Call | Handling::Content => {
                    found = media::check(value, &self.gate.config);
                }
                _ => {}
            }
        }
        let text = self.returned(
            incoming,
            value,
            (path, aside),
            found,
            record,
            &mut edits,
            world,
        )?;
        let is_read = matches!(pending.handling, Handling::Call | Handling::Content);
        if is_read && self.gate.governor.is_some() {
            let says_failed = value.get("isError").and_then(Value::as_bool) == Some(true);
            let tool = pending.tool.as_deref().unwrap_or(pending.method);
            let tool = self.gate.full_name(tool);
            self.story
                .returned(id.to_string(), tool, text, failed || says_failed);
        }
        edited(edits, incoming)
    }

    /// The server's answer to a greeting: a revision that is known, and instructions that are clean.
    fn greeted(
        &self,
        incoming: Incoming<'_, '_>,
        result: Value<'_, '_>,
        record: &mut Record,
        edits: &mut Edits,
        world: &dyn World,
        out: &mut Vec<Action>,
    ) -> Option<()> {
        if let Some(revision) = result.get("protocolVersion") {
            let is_known = revision
                .as_str()
                .is_some_and(|name| REVISIONS.contains(&name));
            if !is_known {
                let message = "the server speaks a revision that is not known here";
                record
                    .findings
                    .push(finding(&rules::PROTOCOL, 1.0, message));
                return None;
            }
        }
        let Some(instructions) = result.get("instructions") else {
            return Some(());
        };
        let sight = self.inwards(world);
        let looked =
            self.gate
                .instructions(incoming.document, instructions, incoming.bytes, &sight);
        let looked = looked.ok()?;
        if !looked.is_shown {
            edits.replace(instructions.range(), "\"\"".to_owned());
        }
        definition(looked, record.method, out);
        Some(())
    }

    /// A list of definitions, without those that fail. Gives the member that holds them.
    fn list(
        &mut self,
        incoming: Incoming<'_, '_>,
        pending: &Pending,
        result: Value<'_, '_>,
        edits: &mut Edits,
        world: &dyn World,
        out: &mut Vec<Action>,
    ) -> Option<&'static str> {
        let listing = pending.listing()?;
        let list = result.get(listing.member)?;
        if !list.is_list() || list.items().len() > self.gate.config.limits.max_definitions {
            return None;
        }
        let sight = self.inwards(world);
        let looked =
            self.gate
                .definitions(incoming.document, incoming.bytes, list, listing, &sight);
        let looked = looked.ok()?;
        let is_tools = listing.member == "tools";
        let shown: Vec<bool> = looked
            .iter()
            .map(|one| one.is_shown && (!is_tools || self.gate.offers(&one.name)))
            .collect();
        if shown.contains(&false) {
            edits.keep_items(incoming.bytes, list, |number| {
                shown.get(number) == Some(&true)
            });
        }
        if is_tools {
            let names = looked.iter().map(|one| (one.name.clone(), one.is_shown));
            let known = match &mut self.listing {
                Relisting::Now(fresh) if pending.is_own => fresh,
                _ => &mut self.tools,
            };
            for (name, is_shown) in names {
                let is_full = known.len() >= self.gate.config.limits.max_definitions;
                if is_full && !known.contains_key(&name) {
                    continue;
                }
                // Of two with one name neither is trusted.
                let before = known.get(&name).copied().filter(|_| pending.is_own);
                known.insert(name, is_shown && before.unwrap_or(true));
            }
            let is_all = pending.is_first_page && result.get("nextCursor").is_none();
            if is_all && matches!(self.listing, Relisting::Never) {
                self.listing = Relisting::Done;
            }
        }
        for one in looked {
            definition(one, listing.method, out);
        }
        Some(listing.member)
    }

    /// Goes on with the session's own list of tools, or ends it.
    fn listed(
        &mut self,
        incoming: Incoming<'_, '_>,
        pending: &Pending,
        is_good: bool,
        world: &dyn World,
        out: &mut Vec<Action>,
    ) {
        let Relisting::Now(fresh) = &mut self.listing else {
            return;
        };
        let result = incoming.message.root.get("result");
        let next = result.and_then(|result| result.get("nextCursor")?.as_str());
        let has_room = fresh.len() < self.gate.config.limits.max_definitions;
        match next {
            // A server that lists without end never gets to be called.
            Some(cursor) if is_good && has_room && !fresh.is_empty() => {
                self.list_page(Some(cursor), world, out);
            }
            _ => {
                // What could not be listed is not called.
                self.tools = if is_good {
                    std::mem::take(fresh)
                } else {
                    Default::default()
                };
                self.listing = Relisting::Done;
            }
        }
        if !is_good {
            let record = Record::new(Side::Server, pending.method, Outcome::Refused);
            out.push(Action::Record(Box::new(record)));
        }
    }

    /// What a result asks of the client's side (2026-07-28, "Multi Round-Trip Requests"); `None` if
    /// it may not.
    fn asked_back(&mut self, result: Value<'_, '_>, record: &mut Record) -> Option<()> {
        let Some(requests) = result.get("inputRequests") else {
            return Some(());
        };
        for member in requests.members() {
            let method = member.value.get("method").and_then(Value::as_str);
            let known = methods::known(Side::Server, method.unwrap_or_default(), true);
            let handling = known.map(|known| known.handling);
            // Folders are told in answer to a request of their own only.
            let Some(handling @ (Handling::Sample | Handling::Elicit)) = handling else {
                record
                    .findings
                    .push(finding(&rules::ASKS, 1.0, &rules::ASKS.title));
                return None;
            };
            let params = member.value.get("params");
            if !self.may_ask(handling, params, record) {
                return None;
            }
        }
        Some(())
    }
}

fn edited(edits: Edits, incoming: Incoming<'_, '_>) -> Option<Vec<u8>> {
    if edits.is_empty() {
        Some(incoming.bytes.to_vec())
    } else {
        edits.apply(incoming.bytes)
    }
}

/// Records a definition that was looked at.
fn definition(looked: Looked, method: &'static str, out: &mut Vec<Action>) {
    if looked.is_new {
        out.push(Action::Learned);
    }
    let outcome = if looked.is_shown {
        Outcome::Passed
    } else {
        Outcome::Hidden
    };
    let mut record = Record::new(Side::Server, method, outcome);
    record.name = plain(&looked.name);
    record.judgement = Some(looked.judgement);
    out.push(Action::Record(Box::new(record)));
}
