use bartizan_rag::{
    admission::{SourcePolicy, SourceSettings},
    grounding::GroundingSettings,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// Retrieved documents.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RagConfig {
    /// Where documents may come from, and how old they may be.
    pub sources: SourceSettings,
    /// How closely answers must keep to their evidence.
    pub grounding: GroundingSettings,
    /// Refuse retrieved chunks that do not carry the seal they were given when they were admitted.
    pub require_seal: bool,
    /// Bytes of one document.
    pub max_document_bytes: usize,
    /// Bytes of one document's text and unpacked parts.
    pub max_expanded_bytes: usize,
}

impl Default for RagConfig {
    /// Every origin, sealed chunks, 32 MiB a document, 64 MiB unpacked.
    fn default() -> Self {
        Self {
            sources: SourceSettings::default(),
            grounding: GroundingSettings::default(),
            require_seal: true,
            max_document_bytes: 32 << 20,
            max_expanded_bytes: 64 << 20,
        }
    }
}

impl RagConfig {
    /// Every mistake: the key, and what is wrong with it.
    #[must_use]
    pub fn check(&self) -> Vec<(&'static str, String)> {
        let mut mistakes = Vec::new();
        if let Err(error) = SourcePolicy::new(&self.sources) {
            mistakes.push(("sources", error.to_string()));
        }
        for (key, value) in [
            ("grounding.min-overlap", self.grounding.min_overlap),
            ("grounding.min-supported", self.grounding.min_supported),
        ] {
            if !(0.0..=1.0).contains(&value) {
                mistakes.push((key, "must be from 0 to 1".to_owned()));
            }
        }
        if self.max_document_bytes == 0 || self.max_document_bytes > 256 << 20 {
            let message = "must be from 1 byte to 256 MiB".to_owned();
            mistakes.push(("max-document-bytes", message));
        }
        if self.max_expanded_bytes == 0 || self.max_expanded_bytes > 1 << 30 {
            let message = "must be from 1 byte to 1 GiB".to_owned();
            mistakes.push(("max-expanded-bytes", message));
        }
        mistakes
    }
}
