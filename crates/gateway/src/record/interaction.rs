use bartizan_core::{Category, Coverage, Finding, Layer, Severity, Verdict};
use bartizan_guard::{Judgement, Step};
use bartizan_policy::GapCause;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap as _};

use super::{Cost, KeyedHash, Label};

/// A request to a model and its answer.
///
/// The first eight names are those of `log_llm_interaction` (its `timestamp` stands in the
/// [`Event`](super::Event)), the rest are extras.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interaction {
    /// Who asked.
    pub user_id: Label,
    /// Keyed hash of what the client calls its session or conversation; empty for none.
    pub session_id: Option<KeyedHash>,
    /// The model's name in the configuration.
    pub model: Label,
    /// Tokens of the prompt, as the upstream counts, or estimated.
    pub prompt_tokens: u64,
    /// Tokens of the answer, as the upstream counts, or estimated.
    pub completion_tokens: u64,
    /// Whether anything was taken out of, or refused in, the prompt or the answer.
    pub was_filtered: bool,
    /// Whether an attack on the instructions was found, in either direction.
    pub injection_detected: bool,

    /// The route, e.g. `/v1/chat/completions`.
    pub endpoint: Label,
    /// Whether the answer was streamed.
    pub stream: bool,
    /// The team that pays.
    #[serde(default, skip_serializing_if = "Label::is_none")]
    pub team: Label,
    /// The tenant.
    #[serde(default, skip_serializing_if = "Label::is_none")]
    pub tenant: Label,
    /// Keyed hash of the request's body as received.
    pub request_hash: Option<KeyedHash>,
    /// Bytes of the request's body.
    pub request_length: u64,
    /// Keyed hash of the answer as the client got it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_hash: Option<KeyedHash>,
    /// Bytes of the answer as the client got it.
    pub response_length: u64,
    /// What the tokens cost, in US dollars.
    pub cost: Cost,
    /// How often a refused answer was asked for again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub regenerated: u8,
    /// HTTP status of the answer.
    pub status: u16,
    /// How it ended.
    pub outcome: Outcome,
    /// What was done, the stricter of both directions.
    #[schemars(with = "String")]
    pub decision: Verdict,
    /// The upstream that answered; empty if none was asked.
    #[serde(default, skip_serializing_if = "Label::is_none")]
    pub upstream: Label,
    /// The model's name at the upstream, as configured.
    #[serde(default, skip_serializing_if = "Label::is_none")]
    pub model_version: Label,
    /// The version of the policy that decided.
    pub policy_version: Label,
    /// From the first byte to the last, in microseconds.
    pub latency_us: u64,
    /// What of it was ours, in microseconds.
    pub overhead_us: u64,
    /// Until the first byte of the answer's body, in microseconds; streams only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_byte_us: Option<u64>,
    /// Purposes that it is kept out of, since nobody agreed to them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<Label>,
    /// What was seen on the way to the model.
    pub input: Side,
    /// What was seen on the way back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Side>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
const fn is_zero(count: &u8) -> bool {
    *count == 0
}

/// How a request ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// With an answer of the model, edited or not.
    #[default]
    Answered,
    /// Refused before the model was asked.
    InputBlocked,
    /// The model's answer was withheld or cut short.
    OutputBlocked,
    /// Waits for a person.
    Held,
    /// A limit or budget was spent.
    Limited,
    /// Malformed, or not allowed to this principal.
    Rejected,
    /// The upstream failed.
    UpstreamFailed,
    /// The client went away.
    ClientGone,
    /// A fault of ours.
    Failed,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 9] = [
        Self::Answered,
        Self::InputBlocked,
        Self::OutputBlocked,
        Self::Held,
        Self::Limited,
        Self::Rejected,
        Self::UpstreamFailed,
        Self::ClientGone,
        Self::Failed,
    ];

    /// The name used in metrics, traces, and the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::InputBlocked => "input_blocked",
            Self::OutputBlocked => "output_blocked",
            Self::Held => "held",
            Self::Limited => "limited",
            Self::Rejected => "rejected",
            Self::UpstreamFailed => "upstream_failed",
            Self::ClientGone => "client_gone",
            Self::Failed => "failed",
        }
    }
}

/// What was seen and done in one direction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// What the policy asked for, shadows included.
    #[schemars(with = "String")]
    pub verdict: Verdict,
    /// What was done.
    #[schemars(with = "String")]
    pub enforced: Verdict,
    /// The composite safety score in `[0, 1]`, 1 is safe.
    pub score: f32,
    /// Rules that found something, each once per action.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleHit>,
    /// What was not looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Unseen>,
    /// What each layer cost, in nanoseconds.
    #[serde(default, skip_serializing_if = "LayerTimes::is_empty")]
    pub layer_ns: LayerTimes,
}

/// A rule that found something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleHit {
    /// The rule's id.
    pub rule: Label,
    /// The layer that saw it.
    #[schemars(with = "String")]
    pub layer: Layer,
    /// Kind of harm.
    #[schemars(with = "String")]
    pub category: Category,
    /// How bad it is if true.
    #[schemars(with = "String")]
    pub severity: Severity,
    /// What it led to.
    #[schemars(with = "String")]
    pub action: Verdict,
    /// Whether it was reported only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
    /// How often.
    pub count: u32,
    /// The surest of them, in `[0, 1]`.
    pub confidence: f32,
}

/// A check that did not look at everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unseen {
    /// Its layer; empty if no check ran at all.
    pub layer: Label,
    /// Its name.
    #[serde(default, skip_serializing_if = "Label::is_none")]
    pub check: Label,
    /// Why.
    #[schemars(with = "String")]
    pub cause: GapCause,
    /// What that led to.
    #[schemars(with = "String")]
    pub action: Verdict,
}

/// Nanoseconds per layer, in the order in which layers run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerTimes([u64; Layer::ALL.len()]);

impl Interaction {
    /// The same with what was seen, and what follows from it: the decision, whether anything was
    /// filtered, and whether an attack was found.
    #[must_use]
    pub fn judged(mut self, input: Side, output: Option<Side>) -> Self {
        let sides = || std::iter::once(&input).chain(&output);
        self.decision = sides().map(|side| side.enforced).max().unwrap_or_default();
        self.was_filtered = self.decision > Verdict::Allow;
        self.injection_detected = sides()
            .flat_map(|side| &side.rules)
            .any(|hit| hit.category.is_attack());
        self.input = input;
        self.output = output;
        self
    }
}

impl Side {
    /// What a judgement says.
    #[must_use]
    pub fn of(judgement: &Judgement) -> Self {
        let decision = &judgement.decision;
        let mut side = Self {
            verdict: decision.verdict(),
            enforced: decision.enforced(),
            score: decision.score as f32,
            layer_ns: LayerTimes::of(judgement.parts.iter().flat_map(|p| &p.inspection.trace)),
            ..Self::default()
        };
        for reason in &decision.reasons {
            let evidence = &reason.evidence;
            side.hit(RuleHit {
                rule: Label::Known(evidence.rule.as_str().into()),
                layer: evidence.layer,
                category: evidence.category,
                severity: evidence.severity,
                action: reason.action,
                shadow: reason.shadow,
                count: 1,
                confidence: evidence.confidence,
            });
        }
        for gap in &decision.gaps {
            let unseen = Unseen {
                layer: gap.layer.map_or(Label::NONE, |l| l.as_str().into()),
                check: gap
                    .check
                    .as_deref()
                    .map_or(Label::NONE, |check| Label::Known(check.into())),
                cause: gap.cause,
                action: gap.action,
            };
            if !side.gaps.contains(&unseen) {
                side.gaps.push(unseen);
            }
        }
        side
    }

    /// What a guarded stream says: `action` tells what the policy does about a finding.
    #[must_use]
    pub fn of_stream<'f>(
        verdict: Verdict,
        findings: impl IntoIterator<Item = &'f Finding>,
        action: impl Fn(&Finding) -> Verdict,
        gaps: &[Coverage],
    ) -> Self {
        let mut side = Self {
            verdict,
            enforced: verdict,
            score: if verdict == Verdict::Allow { 1.0 } else { 0.0 },
            ..Self::default()
        };
        for finding in findings {
            side.hit(RuleHit {
                rule: finding.rule.id.clone().into(),
                layer: finding.layer,
                category: finding.rule.category,
                severity: finding.rule.severity,
                action: action(finding),
                shadow: false,
                count: 1,
                confidence: finding.confidence.get(),
            });
        }
        for gap in gaps {
            let Err(error) = &gap.outcome else { continue };
            let unseen = Unseen {
                layer: gap.layer.as_str().into(),
                check: gap.check.into(),
                cause: error.into(),
                action: verdict,
            };
            if !side.gaps.contains(&unseen) {
                side.gaps.push(unseen);
            }
        }
        side
    }

    /// Adds a finding to those of the same rule and action.
    pub fn hit(&mut self, hit: RuleHit) {
        let same = |known: &&mut RuleHit| {
            known.rule == hit.rule && known.action == hit.action && known.shadow == hit.shadow
        };
        let full = self.rules.len() >= MAX_HITS;
        match self.rules.iter_mut().find(same) {
            Some(known) => {
                known.count = known.count.saturating_add(hit.count);
                known.confidence = known.confidence.max(hit.confidence);
            }
            // A frame of the journal has a bound; so many rules never fire together.
            None if full => {}
            None => self.rules.push(hit),
        }
    }
}

/// Most rules listed per direction.
const MAX_HITS: usize = 256;

impl LayerTimes {
    /// The sums of a trace.
    #[must_use]
    pub fn of<'s>(steps: impl IntoIterator<Item = &'s Step>) -> Self {
        let mut times = Self::default();
        for step in steps {
            times.add(step.layer, step.nanos);
        }
        times
    }

    /// Adds to what a layer cost.
    pub fn add(&mut self, layer: Layer, nanos: u64) {
        if let Some(time) = self.0.get_mut(layer as usize) {
            *time = time.saturating_add(nanos);
        }
    }

    /// The layers that cost something.
    pub fn iter(&self) -> impl Iterator<Item = (Layer, u64)> {
        Layer::ALL
            .into_iter()
            .zip(self.0)
            .filter(|&(_, nanos)| nanos > 0)
    }

    /// Whether no layer cost anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0 == [0; Layer::ALL.len()]
    }
}

impl Serialize for LayerTimes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (layer, nanos) in self.iter() {
            map.serialize_entry(layer.as_str(), &nanos)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for LayerTimes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = std::collections::BTreeMap::<Layer, u64>::deserialize(deserializer)?;
        let mut times = Self::default();
        for (layer, nanos) in map {
            times.add(layer, nanos);
        }
        Ok(times)
    }
}

impl JsonSchema for LayerTimes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "LayerTimes".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Nanoseconds per layer.",
            "type": "object",
            "additionalProperties": { "type": "integer", "minimum": 0 }
        })
    }
}
