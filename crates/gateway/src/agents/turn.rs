use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use bartizan_agents::{
    Call, Caller, Context, Entry, FlowAction, Governor, Label, Objection, Run, Said, Switches,
    Transcript, Used, transcript_of,
};
use bartizan_core::{Finding, Origin, RuleRef};
use bartizan_guard::redact::Keys;
use http::HeaderName;
use parking_lot::Mutex;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{AgentDesk, AgentState, DeskError};
use crate::principal::Principal;

/// What the application says of texts of the request.
pub(crate) const LABELS: HeaderName = HeaderName::from_static("x-bartizan-labels");

/// One request of an agent and the calls of its answer.
pub(crate) struct AgentTurn {
    governor: Arc<Governor>,
    state: Arc<AgentState>,
    principal: Arc<Principal>,
    transcript: Transcript,
    context: Context,
    /// What happened before the answer.
    so_far: Run,
    run: [u8; 32],
    used: Used,
    live: Switches,
    granted: HashMap<String, String>,
    keys: Keys,
    now_ms: u64,
    calls: AtomicU32,
    asked: Mutex<Vec<Asked>>,
    taken: Mutex<Vec<String>>,
}

/// Who asks, and when.
pub(crate) struct Asker {
    /// The agent.
    pub(crate) principal: Arc<Principal>,
    /// The keys of digests.
    pub(crate) keys: Keys,
    /// Milliseconds since 1970-01-01 UTC.
    pub(crate) now_ms: u64,
    /// Whether the model reads what does not stand in the request.
    pub(crate) unseen: bool,
}

/// A call for which a person is needed.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The keyed hash of the call.
    pub(crate) digest: String,
    /// Why.
    pub(crate) why: Vec<String>,
}

impl AgentTurn {
    /// Reads what a request says of its agent.
    pub(crate) async fn begin(
        governor: Arc<Governor>,
        state: Arc<AgentState>,
        desk: &AgentDesk,
        asker: Asker,
        request: &Value,
        labels: &BTreeMap<String, Label>,
    ) -> Result<Self, DeskError> {
        let Asker {
            principal,
            keys,
            now_ms,
            unseen,
        } = asker;
        let mut transcript = transcript_of(request, labels);
        if unseen {
            // What the upstream keeps, or reads by itself, somebody else may have written.
            transcript.entries.insert(
                0,
                Entry::Said(Said {
                    origin: Origin::Retrieved,
                    text: "unseen".to_owned(),
                    path: String::new(),
                    label: None,
                }),
            );
        }
        let context = governor.context(&transcript, &principal.id);
        let so_far = Run::of(&transcript);
        let run = name_of_run(&transcript, &principal.id);
        Ok(Self {
            live: desk.switches().await?,
            granted: desk
                .granted(&principal.id, now_ms)
                .await?
                .into_iter()
                .collect(),
            used: state.used(run, now_ms),
            governor,
            state,
            principal,
            transcript,
            context,
            so_far,
            run,
            keys,
            now_ms,
            calls: AtomicU32::new(0),
            asked: Mutex::default(),
            taken: Mutex::default(),
        })
    }

    fn caller(&self) -> Caller<'_> {
        Caller {
            principal: &self.principal.id,
            tenant: &self.principal.tenant,
            used: self.used,
        }
    }

    /// What stands against the request, with its place.
    pub(crate) fn examine_request(&self) -> Vec<(String, Finding)> {
        let run = self
            .governor
            .examine_run(&self.so_far, &self.caller(), &self.live, 0);
        let run = run
            .iter()
            .map(|objection| (String::new(), objection.finding()));
        let offers = self.governor.examine_offers(&self.transcript);
        let offers = offers
            .into_iter()
            .map(|(path, objection)| (path, objection.finding()));
        run.chain(offers).collect()
    }

    /// What stands against a call of the answer. A call that a person allowed may be made once.
    pub(crate) fn examine(&self, call: &Call) -> Vec<Finding> {
        let caller = self.caller();
        let number = self.calls.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let mut objections = self
            .governor
            .examine_run(&self.so_far, &caller, &self.live, number);
        let seen = self
            .governor
            .examine(&self.context, call, &caller, &self.live);
        objections.extend(seen.objections);
        let denied = |all: &[Objection]| all.iter().any(|one| one.action == FlowAction::Deny);
        if let Some(limit) = self.governor.tool(&call.tool).per_user()
            && !denied(&objections)
            && !self
                .state
                .call(&call.tool, &self.principal.id, limit, self.now_ms)
        {
            objections.push(self.governor.too_often());
        }
        if !denied(&objections) && !objections.is_empty() {
            let digest = self.digest(call);
            match self.granted.get(&digest) {
                Some(approval) if self.takes(approval) => objections.clear(),
                _ => self.asked.lock().push(Asked {
                    digest,
                    why: objections.iter().map(describe).collect(),
                }),
            }
        }
        objections.iter().map(Objection::finding).collect()
    }

    /// What stands against an answer that cannot be read.
    pub(crate) fn unreadable(&self) -> Finding {
        self.governor.unreadable().finding()
    }

    /// An approval covers all calls of the answer that it was given for.
    fn takes(&self, approval: &str) -> bool {
        let mut taken = self.taken.lock();
        let has = taken.iter().any(|known| known == approval) || self.state.claim(approval);
        if has {
            taken.push(approval.to_owned());
        }
        has
    }

    fn digest(&self, call: &Call) -> String {
        let text = format!("{}\n{}", self.principal.id, call.canonical());
        self.keys.text_hash(text.as_bytes())
    }

    /// The calls for which a person is needed; empties the list.
    pub(crate) fn take_asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock())
    }

    /// The approvals that were used.
    pub(crate) fn taken(&self) -> Vec<String> {
        let mut taken = std::mem::take(&mut *self.taken.lock());
        taken.dedup();
        taken
    }

    /// Begins to count the calls of another answer to the same request.
    pub(crate) fn again(&self) {
        self.calls.store(0, Ordering::Relaxed);
        self.asked.lock().clear();
    }

    /// Takes down what the request and its answer cost.
    pub(crate) fn spend(&self, tokens: u64) {
        self.state.spend(self.run, tokens);
    }

    /// How long somebody may decide, in milliseconds.
    pub(crate) fn approval_ms(&self) -> u64 {
        u64::from(self.governor.config().approval_seconds) * 1_000
    }
}

fn describe(objection: &Objection) -> String {
    format!(
        "{}: {}",
        RuleRef::from(objection.rule).id,
        objection.message
    )
}

/// A run is known by who makes it and by everything up to the words of the user that began it.
fn name_of_run(transcript: &Transcript, principal: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(principal);
    let last = transcript
        .entries
        .iter()
        .rposition(|entry| matches!(entry, Entry::Said(said) if said.origin == Origin::User));
    // Without words of the user here, every request is a run of its own.
    let end = last.map_or(transcript.entries.len(), |last| last + 1);
    let users = transcript.entries.iter().take(end);
    for entry in users {
        let text = match entry {
            Entry::Said(said) => &said.text,
            Entry::Result(result) => &result.text,
            Entry::Call(call) => &call.id,
        };
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text);
    }
    digest.finalize().into()
}

impl std::fmt::Debug for AgentTurn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AgentTurn")
            .field("transcript", &self.transcript)
            .finish_non_exhaustive()
    }
}
