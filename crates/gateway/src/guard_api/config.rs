use schemars::JsonSchema;
use serde::Deserialize;

/// The guard-only routes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct GuardApiConfig {
    /// Bytes of a request's body.
    pub max_body_bytes: usize,
    /// Texts, documents, or requests in one request.
    pub max_batch: usize,
    /// Bodies above this many bytes are judged on a thread of their own, so that others do not wait.
    pub inline_bytes: usize,
    /// The routes of Presidio: `/analyze`, `/anonymize`, and their lists.
    pub presidio: bool,
    /// LiteLLM's generic guardrail: `/beta/litellm_basic_guardrail_api`.
    pub litellm: bool,
    /// Lakera's `/v2/guard`.
    pub lakera: bool,
    /// Azure's `/contentsafety/text:shieldPrompt`.
    pub azure: bool,
    /// LLM Guard's `/analyze/prompt`, `/analyze/output`, and `/scan/...`.
    pub llm_guard: bool,
    /// Whether a client of LLM Guard's routes may leave scanners out with `scanners_suppress`.
    pub allow_scanners_suppress: bool,
}

impl Default for GuardApiConfig {
    /// 4 MiB, 128 texts, every route on, and no scanner left out.
    fn default() -> Self {
        Self {
            max_body_bytes: 4 << 20,
            max_batch: 128,
            inline_bytes: 64 << 10,
            presidio: true,
            litellm: true,
            lakera: true,
            azure: true,
            llm_guard: true,
            allow_scanners_suppress: false,
        }
    }
}

impl GuardApiConfig {
    /// Every mistake: the key, and what is wrong with it.
    #[must_use]
    pub fn check(&self) -> Vec<(&'static str, String)> {
        let mut mistakes = Vec::new();
        if self.max_body_bytes == 0 || self.max_body_bytes > 256 << 20 {
            mistakes.push(("max-body-bytes", "must be from 1 byte to 256 MiB".into()));
        }
        if self.max_batch == 0 {
            mistakes.push(("max-batch", "must be at least 1".into()));
        }
        mistakes
    }
}
