use bartizan_core::{Direction, Layer, Severity, Verdict};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::{At, Interaction, KeyedHash, Label, RequestId, RuleHit, Side};

/// The version of the events' schema: a new field keeps it, a changed or removed one raises it.
pub const SCHEMA_VERSION: u32 = 1;

/// One thing that happened; holds no content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// The version of the schema, [`SCHEMA_VERSION`].
    pub v: u32,
    /// When, in UTC.
    pub timestamp: At,
    /// The request that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum What {
    /// A request to a model ended.
    LlmInteraction(Box<Interaction>),
    /// The first byte of a stream is about to leave.
    StreamBegun(StreamBegun),
    /// A rule found something.
    SecurityEvent(SecurityEvent),
    /// A classical model was asked, a model loaded, data read, or a configuration changed.
    MlAudit(Box<MlAudit>),
    /// A credential was missing or bad.
    AuthFailure(AuthFailure),
    /// A limit or budget was spent.
    LimitHit(LimitHit),
    /// The configuration, policy, or rules changed.
    ConfigChange(ConfigChange),
    /// A key was made, changed, or withdrawn.
    KeyManagement(KeyManagement),
    /// The breaker of an upstream opened or closed.
    UpstreamState(UpstreamState),
    /// Something was held for a person, or a person decided.
    Review(Review),
    /// A person says whether a decision was right.
    Feedback(Feedback),
    /// Somebody seems to copy a model.
    Suspicion(Suspicion),
    /// A request ended without an answer of its own: its client went away, or it failed.
    Abandoned(Abandoned),
    /// Events were lost.
    Gap(Gap),
    /// The gateway started or stopped.
    Service(Service),
}

impl What {
    /// Every name of an event.
    pub const KINDS: [&str; 15] = [
        "llm_interaction",
        "stream_begun",
        "security_event",
        "ml_audit",
        "auth_failure",
        "limit_hit",
        "config_change",
        "key_management",
        "upstream_state",
        "review",
        "feedback",
        "suspicion",
        "abandoned",
        "gap",
        "service",
    ];

    /// Its place in [`What::KINDS`].
    pub(crate) const fn number(&self) -> u8 {
        match self {
            Self::LlmInteraction(_) => 0,
            Self::StreamBegun(_) => 1,
            Self::SecurityEvent(_) => 2,
            Self::MlAudit(_) => 3,
            Self::AuthFailure(_) => 4,
            Self::LimitHit(_) => 5,
            Self::ConfigChange(_) => 6,
            Self::KeyManagement(_) => 7,
            Self::UpstreamState(_) => 8,
            Self::Review(_) => 9,
            Self::Feedback(_) => 10,
            Self::Suspicion(_) => 11,
            Self::Abandoned(_) => 12,
            Self::Gap(_) => 13,
            Self::Service(_) => 14,
        }
    }

    /// Its name, as in the JSON's `event`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        Self::KINDS
            .get(usize::from(self.number()))
            .copied()
            .unwrap_or_default()
    }

    /// Whom it is about or who did it; empty for nobody.
    #[must_use]
    pub fn user_id(&self) -> &Label {
        static NOBODY: Label = Label::NONE;
        match self {
            Self::LlmInteraction(event) => &event.user_id,
            Self::StreamBegun(event) => &event.user_id,
            Self::SecurityEvent(event) => &event.user_id,
            Self::MlAudit(event) => &event.user_id,
            Self::AuthFailure(event) => &event.user_id,
            Self::LimitHit(event) => &event.user_id,
            Self::ConfigChange(event) => &event.user_id,
            Self::KeyManagement(event) => &event.user_id,
            Self::Review(event) => &event.user_id,
            Self::Feedback(event) => &event.user_id,
            Self::Suspicion(event) => &event.user_id,
            Self::Abandoned(event) => &event.user_id,
            Self::UpstreamState(_) | Self::Gap(_) | Self::Service(_) => &NOBODY,
        }
    }

    /// What to count it under beside its kind: the kind of harm of a security event, the label of
    /// a feedback; empty for none.
    #[must_use]
    pub(crate) fn class(&self) -> &str {
        match self {
            Self::SecurityEvent(event) => event.event_type.as_str(),
            Self::Feedback(event) => event.label.as_str(),
            Self::LlmInteraction(event) => event.outcome.as_str(),
            Self::LimitHit(event) => event.limit.as_str(),
            Self::AuthFailure(event) => event.reason.as_str(),
            Self::MlAudit(event) => event.event_type.as_str(),
            _ => "",
        }
    }

    /// How bad it is.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        match self {
            Self::SecurityEvent(event) => event.severity,
            Self::Gap(_) => Severity::High,
            Self::AuthFailure(_) | Self::Suspicion(_) | Self::UpstreamState(_) => Severity::Medium,
            Self::LimitHit(_) | Self::Abandoned(_) => Severity::Low,
            _ => Severity::Info,
        }
    }
}

/// A stream that is about to begin; its end is an [`Interaction`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StreamBegun {
    /// Who asked.
    pub user_id: Label,
    /// The model's name in the configuration.
    pub model: Label,
    /// The route.
    pub endpoint: Label,
    /// Keyed hash of the request's body as received.
    pub request_hash: Option<KeyedHash>,
    /// The upstream that answers.
    pub upstream: Label,
    /// The version of the policy that let it pass.
    pub policy_version: Label,
}

/// A rule found something; the shape of `log_security_event`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SecurityEvent {
    /// Kind of harm, e.g. `injection`.
    pub event_type: Label,
    /// Who sent or received it.
    pub user_id: Label,
    /// How bad it is if true.
    #[schemars(with = "String")]
    pub severity: Severity,
    /// What is known without its words.
    pub details: SecurityDetails,
}

/// What is known of a finding without its words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SecurityDetails {
    /// The rule's id.
    pub rule: Label,
    /// The layer that saw it.
    #[schemars(with = "String")]
    pub layer: Layer,
    /// Which way the text went.
    #[schemars(with = "String")]
    pub direction: Direction,
    /// What it led to.
    #[schemars(with = "String")]
    pub action: Verdict,
    /// Whether it was reported only.
    pub shadow: bool,
    /// How often in this request.
    pub count: u32,
    /// The surest of them, in `[0, 1]`.
    pub confidence: f32,
    /// Keyed hash of the request or answer that held it.
    pub content_hash: Option<KeyedHash>,
    /// The model's name in the configuration.
    pub model: Label,
}

/// Something that happened to a classical model; always these 13 names beside the envelope's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MlAudit {
    /// `prediction`, `model_load`, `data_access`, `access_denied`, or `config_change`.
    pub event_type: Label,
    /// Who.
    pub user_id: Label,
    /// What was done, e.g. `predict`.
    pub action: Label,
    /// To what: a model, a data set, a file of the configuration.
    pub resource: Label,
    /// Its version.
    pub model_version: Label,
    /// `success`, `refused`, or `failure`.
    pub status: Label,
    /// HTTP status, 0 where there was no request.
    pub status_code: u16,
    /// In milliseconds.
    pub latency_ms: f64,
    /// The network that it came from, or the address where configured.
    pub ip_address: Label,
    /// Keyed hash of the input.
    pub input_hash: Option<KeyedHash>,
    /// Bytes of the input.
    pub input_length: u64,
    /// Keyed hash of the output.
    pub output_hash: Option<KeyedHash>,
    /// Why it was refused: a code, or the id of the policy that refuses; empty if it was not.
    pub reason: Label,
}

/// A credential was missing or bad.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuthFailure {
    /// A code, e.g. `expired`; never shown to the client.
    pub reason: Label,
    /// What was tried, e.g. `api-key`.
    pub proof: Label,
    /// Where from.
    pub ip_address: Label,
    /// Whom it would have been, where that is proved, e.g. by an expired token.
    pub user_id: Label,
}

/// A limit or budget was spent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LimitHit {
    /// Who.
    pub user_id: Label,
    /// `requests`, `tokens`, `cost`, or `concurrency`.
    pub limit: Label,
    /// Whose limit: `key`, `team`, `model`.
    pub scope: Label,
    /// The model's name in the configuration.
    pub model: Label,
    /// When to come again, in milliseconds.
    pub retry_after_ms: u64,
}

/// The configuration, policy, or rules changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigChange {
    /// Who did it; empty for whoever may write the file.
    pub user_id: Label,
    /// `config`, `access`, `policy`, `rules`, or `certificate`.
    pub what: Label,
    /// Whether it took effect.
    pub accepted: bool,
    /// The version before.
    pub from: Label,
    /// The version now.
    pub to: Label,
}

/// A key was made, changed, or withdrawn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeyManagement {
    /// Who did it.
    pub user_id: Label,
    /// `create`, `rotate`, `revoke`, `change`, or `seal`.
    pub action: Label,
    /// The key's id; never the key.
    pub key_id: Label,
}

/// The breaker of an upstream opened or closed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UpstreamState {
    /// Its name in the configuration.
    pub upstream: Label,
    /// `closed`, `open`, or `half-open`.
    pub from: Label,
    /// `closed`, `open`, or `half-open`.
    pub to: Label,
    /// A code, e.g. `connect`.
    pub reason: Label,
}

/// Something was held for a person, or a person decided.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Review {
    /// Who asked, when it is held; who decided, when it is decided.
    pub user_id: Label,
    /// `held`, `approved`, `rejected`, or `expired`.
    pub action: Label,
    /// How long it was held, in milliseconds.
    pub held_ms: u64,
}

/// A person says whether the decision about a request was right. The event's request id is that of
/// the request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Feedback {
    /// Who says it.
    pub user_id: Label,
    /// What the decision was.
    pub label: FeedbackLabel,
    /// The rule that is meant; empty for the decision as a whole.
    #[serde(default, skip_serializing_if = "Label::is_none")]
    pub rule: Label,
}

/// Whether a decision was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeedbackLabel {
    /// Flagged, and rightly.
    TruePositive,
    /// Flagged, but harmless.
    FalsePositive,
    /// Let pass, and rightly.
    TrueNegative,
    /// Let pass, but harmful.
    FalseNegative,
}

impl FeedbackLabel {
    /// Every label.
    pub const ALL: [Self; 4] = [
        Self::TruePositive,
        Self::FalsePositive,
        Self::TrueNegative,
        Self::FalseNegative,
    ];

    /// The name used in requests, metrics, and the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TruePositive => "true_positive",
            Self::FalsePositive => "false_positive",
            Self::TrueNegative => "true_negative",
            Self::FalseNegative => "false_negative",
        }
    }
}

/// Somebody seems to copy a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Suspicion {
    /// Who.
    pub user_id: Label,
    /// The model's name in the configuration.
    pub model: Label,
    /// What raised it, e.g. `similarity`.
    pub detector: Label,
    /// In `[0, 1]`.
    pub score: f32,
    /// `low`, `elevated`, or `high`.
    pub level: Label,
}

/// A request that ended without an event of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Abandoned {
    /// Who asked.
    pub user_id: Label,
    /// The route.
    pub endpoint: Label,
}

/// Events were lost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// How many, as far as is known; 0 for unknown.
    pub lost: u64,
    /// Since when.
    pub since: At,
    /// `full`, `write`, or `torn`.
    pub reason: Label,
}

/// The gateway started or stopped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// `started`, `recovered`, or `stopped`.
    pub action: Label,
    /// The program's version.
    pub version: Label,
}

impl Interaction {
    /// One security event per rule and direction.
    pub fn security_events(&self) -> impl Iterator<Item = SecurityEvent> {
        let event = |direction: Direction, hit: &RuleHit| SecurityEvent {
            event_type: hit.category.as_str().into(),
            user_id: self.user_id.clone(),
            severity: hit.severity,
            details: SecurityDetails {
                rule: hit.rule.clone(),
                layer: hit.layer,
                direction,
                action: hit.action,
                shadow: hit.shadow,
                count: hit.count,
                confidence: hit.confidence,
                content_hash: match direction {
                    Direction::Input => self.request_hash,
                    Direction::Output => self.response_hash,
                },
                model: self.model.clone(),
            },
        };
        let output = self.output.iter().flat_map(|side: &Side| &side.rules);
        self.input
            .rules
            .iter()
            .map(move |hit| event(Direction::Input, hit))
            .chain(output.map(move |hit| event(Direction::Output, hit)))
    }
}

/// The JSON schema of [`Event`].
#[must_use]
pub fn schema() -> Schema {
    schemars::schema_for!(Event)
}
