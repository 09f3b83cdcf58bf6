//! What the three routes have in common.

use std::sync::Arc;

use bartizan_core::{Direction, Origin, Verdict};
use bartizan_guard::{Judge, Judgement, conversation::Conversation};
use bartizan_policy::{Date, DecisionContext, Policy};
use bartizan_rag::{
    admission::{Chunk, SourcePolicy},
    integrity::ManifestKey,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{
    GuardApi, Judged,
    engine::{Checked, Content, Input, today},
    report::Report,
    request::{Incoming, unprocessable},
};
use crate::{
    fault::{Fault, FaultKind},
    principal::Principal,
};

/// A chunk as a client sends it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::guard_api) struct ChunkBody {
    /// Its id in the store.
    pub(super) id: String,
    /// What it says.
    pub(super) text: String,
    /// The document that it is a part of; chunks of one document stand in order.
    pub(super) document: String,
    /// The address that the document was fetched from.
    pub(super) source: Option<String>,
    /// Whose it is; yours if it is left out when it is stored.
    pub(super) tenant: Option<String>,
    /// The day of the document, `YYYY-MM-DD`.
    pub(super) date: Option<String>,
    /// Its embedding.
    pub(super) vector: Option<Vec<f32>>,
    /// The seal that `ingest-check` gave it.
    pub(super) seal: Option<String>,
}

impl ChunkBody {
    pub(super) fn chunk(self) -> (Chunk, Option<String>) {
        let chunk = Chunk {
            id: self.id,
            text: self.text,
            document: self.document,
            source: self.source,
            tenant: self.tenant,
            date: self.date,
            vector: self.vector,
        };
        (chunk, self.seal)
    }
}

/// What may be done with a chunk.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::guard_api) struct Ruling {
    /// The chunk's id.
    pub(super) id: String,
    /// Whether it may be used.
    pub(super) keep: bool,
    /// The text to use: personal data and secrets replaced. Absent where it may not be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    /// The seal of that text, to be kept beside the chunk and sent with it when it is retrieved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seal: Option<String>,
}

/// What a decision depends on, owned.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) judge: Judge,
    pub(super) sources: SourcePolicy,
    pub(super) principal: Arc<Principal>,
    pub(super) today: Date,
    pub(super) direction: Direction,
    route: &'static str,
    factor: f32,
}

impl Setting {
    pub(super) fn of(
        api: &GuardApi,
        incoming: &Incoming,
        route: &'static str,
        direction: Direction,
    ) -> Result<Self, Fault> {
        let sources = SourcePolicy::new(&api.rag.sources)
            .map_err(|error| Fault::new(FaultKind::Internal, "internal", error.to_string()))?;
        Ok(Self {
            judge: api.service.judge(),
            sources,
            principal: Arc::clone(&incoming.principal),
            today: today(&*api.clock),
            direction,
            route,
            factor: api.service.threshold_factor(&incoming.principal),
        })
    }

    pub(super) fn with<T>(&self, decide: impl FnOnce(&DecisionContext<'_>) -> T) -> T {
        let origin = match self.direction {
            Direction::Input => Origin::Retrieved,
            Direction::Output => Origin::Model,
        };
        let mut cx = DecisionContext::new(self.direction, origin, self.today);
        cx.route = self.route;
        cx.tenant = &self.principal.tenant;
        cx.threshold_factor = self.factor;
        decide(&cx)
    }

    /// The tenant by which chunks are filtered; `None` where there is only one.
    pub(super) fn tenant(&self) -> Option<&str> {
        Some(&*self.principal.tenant).filter(|tenant| !tenant.is_empty())
    }

    pub(super) fn policy(&self) -> Arc<Policy> {
        Arc::clone(self.judge.policy())
    }
}

/// Does the work on a thread of its own, so that others do not wait.
pub(super) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Fault::new(FaultKind::Internal, "internal", "the check broke down"))
}

/// The key of seals.
pub(super) fn seal_key(api: &GuardApi) -> Option<ManifestKey> {
    ManifestKey::new(&api.service.seal_key()?).ok()
}

/// Tells the service, and makes the report.
pub(super) fn report(
    api: &GuardApi,
    incoming: &Incoming,
    setting: &Setting,
    conversation: Conversation,
    judgement: Judgement,
    started: u64,
) -> (Report, Checked) {
    let nanos = api.clock.nanos().saturating_sub(started);
    api.service.judged(&Judged {
        route: setting.route,
        principal: &incoming.principal,
        request_id: &incoming.request_id,
        direction: setting.direction,
        judgement: &judgement,
        nanos,
    });
    let content = Content::Conversation {
        document: String::new(),
        conversation,
    };
    let input = Input {
        content,
        origin: Origin::Retrieved,
        direction: setting.direction,
        sink: None,
    };
    let checked = Checked {
        input: Arc::new(input),
        judgement,
        policy: setting.policy(),
        nanos,
    };
    let rules = api.service.rules();
    let all = [("rag".to_owned(), checked)];
    let version = setting.policy().version().to_owned();
    let report = Report::new(&incoming.request_id, &all, &rules, &version, None);
    let [(_, checked)] = all;
    (report, checked)
}

/// Whether the policy lets a part through, with its places replaced, and everything in it was looked
/// at.
pub(super) fn is_kept(judgement: &Judgement, part: usize) -> bool {
    let is_stopped = judgement
        .reasons(part)
        .any(|reason| reason.action >= Verdict::Ask && !reason.shadow);
    let is_unread = judgement.decision.gaps.iter().any(|gap| {
        gap.part.is_none_or(|number| number as usize == part) && gap.action >= Verdict::Ask
    });
    !is_stopped && !is_unread
}

/// A list that is neither empty nor longer than is allowed.
pub(super) fn bounded<T>(list: Vec<T>, most: usize, name: &'static str) -> Result<Vec<T>, Fault> {
    if list.is_empty() || list.len() > most {
        let message = format!("`{name}` must have from 1 to {most} entries");
        return Err(unprocessable("batch-size", message).about(name));
    }
    Ok(list)
}
