//! What a request and its answer say of an agent: examined with the rest, and put before a person
//! where the table of flows says so.

use std::{collections::BTreeMap, sync::Arc};

use bartizan_agents::{Call, calls_of, labels_of};
use bartizan_guard::redact::{Keys, Vault};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use super::{
    engine::Flows,
    exchange::{Exchange, Stop},
};
use crate::{
    agents::{AgentTurn, Asker, LABELS, Waiting},
    endpoint::Endpoint,
    fault::{Fault, FaultKind},
    wire::{Request, stream::ExamineCall},
};

impl Exchange {
    /// Reads what the request says of its agent, if agents are configured.
    pub(super) async fn begin_agent(
        &mut self,
        request: &Request,
        headers: &HeaderMap,
    ) -> Result<(), Stop> {
        let Some(governor) = &self.engine.governor else {
            return Ok(());
        };
        let talks = matches!(
            self.endpoint,
            Endpoint::ChatCompletions | Endpoint::Responses | Endpoint::Messages
        );
        if !talks {
            return Ok(());
        }
        let mut labels = BTreeMap::new();
        for header in headers.get_all(LABELS) {
            let read = header.to_str().ok().and_then(labels_of);
            labels.extend(read.ok_or_else(|| Stop::rejected(unreadable_labels()))?);
        }
        let body = serde_json::from_slice(request.body()).map_err(|_| {
            let message = "the body cannot be read as the story of an agent";
            Stop::rejected(Fault::new(FaultKind::BadRequest, "invalid_body", message))
        })?;
        let turn = AgentTurn::begin(
            Arc::clone(governor),
            Arc::clone(&self.gateway.agent_state),
            &self.gateway.agents,
            Asker {
                principal: Arc::clone(&self.principal),
                keys: Keys::new(self.engine.redaction_key),
                now_ms: self.gateway.clock.unix_ms(),
                unseen: request.state().refers_back() || !request.server_tools().is_empty(),
            },
            &body,
            &labels,
        );
        let turn = turn.await.map_err(|error| Stop::rejected(error.into()))?;
        self.agent = Some(Arc::new(turn));
        Ok(())
    }

    /// What stands against the request.
    pub(super) fn request_flows(&self) -> Option<Flows> {
        let turn = self.agent.as_ref()?;
        let before = self.gateway.clock.nanos();
        let found = turn.examine_request();
        Some(Flows {
            found,
            nanos: self.gateway.clock.nanos().saturating_sub(before),
        })
    }

    /// What stands against the calls of an answer.
    ///
    /// Placeholders stand for what the client gets, so that is what is looked at.
    pub(super) fn answer_flows(&self, body: &Bytes, vault: Option<&Vault>) -> Option<Flows> {
        let turn = self.agent.as_ref()?;
        let before = self.gateway.clock.nanos();
        turn.again();
        let found = match serde_json::from_slice(body) {
            Ok(answer) => calls_of(&answer)
                .into_iter()
                .flat_map(|mut call| {
                    if let Some(vault) = vault {
                        restore(&mut call.arguments, vault);
                    }
                    let findings = turn.examine(&call).into_iter();
                    findings.map(move |finding| (call.path.clone(), finding))
                })
                .collect(),
            // It was read as an answer before, by a reader that is not this one.
            Err(_) => vec![(String::new(), turn.unreadable())],
        };
        Some(Flows {
            found,
            nanos: self.gateway.clock.nanos().saturating_sub(before),
        })
    }

    /// The same for calls of a stream, one by one.
    pub(super) fn call_examiner(&self, vault: Option<Arc<Vault>>) -> Option<ExamineCall> {
        let turn = Arc::clone(self.agent.as_ref()?);
        turn.again();
        Some(Arc::new(move |tool, arguments| {
            let mut call = Call::from_text(tool, arguments, "");
            if let Some(vault) = &vault {
                restore(&mut call.arguments, vault);
            }
            turn.examine(&call)
        }))
    }

    /// Puts the calls for which a person is needed where people see them, also after the client has
    /// gone.
    pub(super) async fn ask_for_calls(&self) -> Result<(), Stop> {
        let Some(turn) = &self.agent else {
            return Ok(());
        };
        let asked = turn.take_asked();
        if asked.is_empty() {
            return Ok(());
        }
        let now = self.gateway.clock.unix_ms();
        let waiting = Waiting {
            id: self.slot.request_id().to_string(),
            principal: self.principal.id.to_string(),
            why: asked.iter().flat_map(|call| call.why.clone()).collect(),
            asked_ms: now,
            expires_ms: now.saturating_add(turn.approval_ms()),
        };
        let calls: Vec<String> = asked.into_iter().map(|call| call.digest).collect();
        let kept = self
            .gateway
            .agents
            .ask(&waiting, &self.principal.tenant, &calls);
        kept.await.map_err(|error| Stop::rejected(error.into()))
    }

    /// A person decided while the client waited: the approval is no good for another request.
    pub(super) async fn calls_decided(&self) -> Result<(), Stop> {
        if self.agent.is_none() {
            return Ok(());
        }
        let id = self.slot.request_id().to_string();
        let used = self.gateway.agents.use_up(&id).await;
        used.map(|_| ())
            .map_err(|error| Stop::rejected(error.into()))
    }

    /// Uses the approvals up by which calls of the answer may be made.
    pub(super) async fn use_approvals(&self) -> Result<(), Stop> {
        let taken = self
            .agent
            .as_ref()
            .map_or_else(Vec::new, |turn| turn.taken());
        for approval in taken {
            let used = self.gateway.agents.use_up(&approval).await;
            if !used.map_err(|error| Stop::rejected(error.into()))? {
                let message = "the approval of a call was used by another request";
                return Err(Stop::rejected(Fault::new(
                    FaultKind::Unavailable,
                    "approval_used",
                    message,
                )));
            }
        }
        Ok(())
    }
}

/// Puts the values of placeholders back into every text of `value`.
fn restore(value: &mut Value, vault: &Vault) {
    match value {
        Value::String(text) => *text = vault.restore(text),
        Value::Array(items) => items.iter_mut().for_each(|item| restore(item, vault)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| restore(member, vault)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn unreadable_labels() -> Fault {
    Fault::new(
        FaultKind::BadRequest,
        "invalid_labels",
        "`x-bartizan-labels` holds pairs such as `call_1=foreign+private`; the words are `foreign`, \
         `trusted`, and `private`",
    )
}
