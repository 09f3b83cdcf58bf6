use schemars::JsonSchema;
use serde::Deserialize;

use crate::serve::Mistake;

/// What is done with a request and its answer beside looking at them.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct GuardingConfig {
    /// What happens when only earlier turns of a conversation are refused.
    pub history: History,
    /// What is said in the system prompt before a request goes on.
    pub hardening: HardeningConfig,
    /// Bounds on how a model may decode.
    pub decode: DecodeConfig,
    /// Names of persons and places are personal data here, too. Off by default: most questions about
    /// the world name somebody or some place, and an answer about `[REDACTED]` helps nobody.
    pub names: bool,
    /// Personal data goes to the model as placeholders, and its values come back in the answer.
    pub reversible: bool,
    /// How often a refused answer is asked for again before the client is refused; not for
    /// streams. 0 to 5.
    pub regenerate: u8,
    /// Where answers of the middle band and verdicts that ask go.
    pub review: ReviewConfig,
    /// Texts whose findings are remembered, so that a long history is not looked at again with
    /// every turn; 0 for none.
    pub remember_texts: usize,
    /// Probabilities of tokens go to every client, not only to those entitled to them.
    pub logprobs_for_all: bool,
    /// Server-side histories (`previous_response_id`, `conversation`), which the gateway cannot
    /// look at.
    pub server_side_history: ServerSideHistory,
    /// Tools that the upstream runs itself: searches of the web and of files, code, connectors.
    /// What they return reaches the model without passing here.
    pub server_tools: ServerToolUse,
}

impl Default for GuardingConfig {
    fn default() -> Self {
        Self {
            history: History::Drop,
            hardening: HardeningConfig::default(),
            decode: DecodeConfig::default(),
            names: false,
            reversible: false,
            regenerate: 0,
            review: ReviewConfig::default(),
            remember_texts: 16_384,
            logprobs_for_all: false,
            server_side_history: ServerSideHistory::Known,
            server_tools: ServerToolUse::Flag,
        }
    }
}

/// What happens when only earlier turns of a conversation are refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum History {
    /// Those turns are taken out, and the rest goes on.
    #[default]
    Drop,
    /// The request is refused.
    Refuse,
}

/// Server-side histories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServerSideHistory {
    /// Only those that this gateway passed on itself, for the same principal.
    #[default]
    Known,
    /// None.
    Refuse,
    /// Any: the upstream answers from text that nobody here looked at.
    AllowUnseen,
}

/// Tools that the upstream runs itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServerToolUse {
    /// They pass without a word.
    Allow,
    /// They pass; the record has a finding and a gap, and the answer the header
    /// `x-bartizan-unseen`.
    #[default]
    Flag,
    /// The request is refused.
    Block,
}

/// What is said in the system prompt before a request goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct HardeningConfig {
    /// The rules that the system prompt does not state are put before it.
    pub system_prompt: bool,
    /// Retrieved text and tool results stand between markers with a nonce of each request.
    pub delimit_data: bool,
}

/// Bounds on how a model may decode.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct DecodeConfig {
    /// Highest temperature; higher ones are lowered to it.
    pub max_temperature: Option<f64>,
    /// Most tokens of an answer; higher limits are lowered to it.
    pub max_output_tokens: Option<u64>,
    /// Tokens by number that must not be sampled, as `logit_bias` -100; Chat Completions only.
    pub banned_tokens: Vec<u32>,
}

/// Where verdicts that ask go.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ReviewConfig {
    /// Seconds that a request waits for a person; 0 refuses at once.
    pub wait_seconds: u64,
    /// Most requests that wait; a further one is refused.
    pub max_waiting: usize,
}

impl Default for ReviewConfig {
    fn default() -> Self {
        Self {
            wait_seconds: 0,
            max_waiting: 64,
        }
    }
}

impl GuardingConfig {
    /// Every mistake.
    #[must_use]
    pub fn mistakes(&self) -> Vec<Mistake> {
        let temperature = self.decode.max_temperature;
        [
            (
                self.regenerate > 5,
                "guarding.regenerate",
                "must be at most 5",
            ),
            (
                self.review.wait_seconds > 3_600,
                "guarding.review.wait-seconds",
                "must be at most 3600",
            ),
            (
                temperature.is_some_and(|t| !(0.0..=2.0).contains(&t)),
                "guarding.decode.max-temperature",
                "must be between 0 and 2",
            ),
        ]
        .into_iter()
        .filter(|(wrong, ..)| *wrong)
        .map(|(_, path, message)| Mistake::new(path, message))
        .collect()
    }
}
