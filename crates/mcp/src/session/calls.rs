//! Calls of tools: what the table of tools says about them before the server hears of them.

use std::collections::VecDeque;

use bartizan_agents::{Call, Caller, FlowAction, Governor, Objection, Run};
use bartizan_core::RuleRef;
use bartizan_guard::conversation::Value;
use serde_json::{Value as Json, json};

use super::{Action, Asked, BUSY, Incoming, Outcome, Pending, Record, Relisting, Session, finding};
use crate::{
    Handling, Id, Outgoing, Role, Side, World, edits, message, message::Message, names::plain,
    rules,
};

const METHOD: &str = "tools/call";

impl Session {
    pub(super) fn call(
        &mut self,
        id: &Id,
        incoming: Incoming<'_, '_>,
        world: &mut dyn World,
        out: &mut Vec<Action>,
    ) {
        let Some(name) = incoming.message.param("name").and_then(Value::as_str) else {
            return Self::bad_params(id, "`params.name` is missing", out);
        };
        let is_known = self.tools.contains_key(name);
        let must_list = !is_known && matches!(self.listing, Relisting::Never);
        if self.gate.offers(name) && (must_list || self.is_listing()) {
            if self.parked.len() >= self.gate.config.limits.max_pending {
                let error = Outgoing::error(Some(id), BUSY, "too many calls wait");
                return out.push(Action::ToClient(error));
            }
            self.parked.push_back((id.clone(), incoming.bytes.to_vec()));
            if must_list {
                self.relist(world, out);
            }
            return;
        }
        self.decide_call(id, name, incoming, world, out);
    }

    /// Goes on with the calls that waited for the list of tools.
    pub(super) fn unpark(&mut self, world: &mut dyn World, out: &mut Vec<Action>) {
        if self.parked.is_empty() || self.is_listing() {
            return;
        }
        let limit = self.gate.config.limits.max_message_bytes;
        for (id, bytes) in std::mem::take::<VecDeque<_>>(&mut self.parked) {
            // It was read before.
            let Ok(document) = message::read(&bytes, limit) else {
                continue;
            };
            let Ok(message) = Message::of(&document) else {
                continue;
            };
            let name = message.param("name").and_then(Value::as_str);
            let incoming = Incoming {
                bytes: &bytes,
                document: &document,
                message: &message,
            };
            self.decide_call(&id, name.unwrap_or_default(), incoming, world, out);
        }
    }

    fn decide_call(
        &mut self,
        id: &Id,
        name: &str,
        incoming: Incoming<'_, '_>,
        world: &mut dyn World,
        out: &mut Vec<Action>,
    ) {
        let mut record = Record::new(Side::Client, METHOD, Outcome::Passed);
        let shown = self.tools.get(name).copied();
        record.name = shown.and_then(|_| plain(name));
        let shown = shown.filter(|_| self.gate.offers(name));
        if shown != Some(true) {
            let message = match shown {
                None => "the server offers no such tool here",
                Some(_) => "the definition of the tool was found wanting",
            };
            record
                .findings
                .push(finding(&rules::NOT_PINNED, 1.0, message));
            return self.refuse_request(id, record, "refused", out);
        }
        let raw = incoming.message.param("arguments");
        let raw = raw.map(|value| edits::text(incoming.bytes, value.range()));
        let arguments: Json = raw.map_or_else(
            || json!({}),
            |raw| serde_json::from_str(&raw).unwrap_or_default(),
        );
        let call = Call {
            id: id.to_string(),
            tool: self.gate.full_name(name),
            arguments,
            path: String::new(),
        };
        if !self.may_call(&call, &mut record, world, out) {
            return self.refuse_request(id, record, "refused", out);
        }
        let Some(bytes) = self.given(incoming, &mut record, world) else {
            return self.refuse_request(id, record, "the call was refused", out);
        };
        let pending = Pending {
            tool: Some(name.to_owned()),
            ..Pending::new(METHOD, Handling::Call, world.now_ms())
        };
        self.asked.insert(id.clone(), pending);
        if self.gate.governor.is_some() {
            self.story.called(call);
        }
        out.push(Action::Record(Box::new(record)));
        let role = Role::Request(id.clone());
        out.push(Action::ToServer(Outgoing::forwarded(role, &bytes)));
    }

    /// Asks the table of tools, where there is one.
    fn may_call(
        &mut self,
        call: &Call,
        record: &mut Record,
        world: &mut dyn World,
        out: &mut Vec<Action>,
    ) -> bool {
        let gate = std::sync::Arc::clone(&self.gate);
        let Some(governor) = &gate.governor else {
            return true;
        };
        let now = world.now_ms();
        let gap = u64::from(gate.config.limits.run_gap_seconds) * 1_000;
        self.story.begin(now, gap);
        let objections = self.objections(governor, call, world);
        if objections.is_empty() {
            return true;
        }
        record.findings = objections.iter().map(Objection::finding).collect();
        record.outcome = Outcome::Refused;
        let denied = objections.iter().any(|one| one.action == FlowAction::Deny);
        if denied {
            return false;
        }
        let digest = gate.digest(&format!("{}\n{}", self.who.principal, call.canonical()));
        if world.take_approval(&digest) {
            record.outcome = Outcome::Passed;
            return true;
        }
        record.outcome = Outcome::Asked;
        let why = objections.iter().map(described).collect();
        out.push(Action::Asked(Asked { digest, why }));
        false
    }

    fn objections(
        &self,
        governor: &Governor,
        call: &Call,
        world: &mut dyn World,
    ) -> Vec<Objection> {
        let transcript = self.story.transcript();
        let caller = Caller {
            principal: &self.who.principal,
            tenant: &self.who.tenant,
            used: self.story.used(world.now_ms()),
        };
        let switches = world.switches();
        let mut objections = governor.examine_run(&Run::of(transcript), &caller, switches, 1);
        let context = governor.context(transcript, &self.who.principal);
        objections.extend(
            governor
                .examine(&context, call, &caller, switches)
                .objections,
        );
        let denied = objections.iter().any(|one| one.action == FlowAction::Deny);
        if let Some(limit) = governor.tool(&call.tool).per_user()
            && !denied
            && !world.may_call(&call.tool, &self.who.principal, limit)
        {
            objections.push(governor.too_often());
        }
        objections
    }
}

fn described(objection: &Objection) -> String {
    let id = RuleRef::from(objection.rule).id.clone();
    format!("{id}: {}", objection.message)
}
