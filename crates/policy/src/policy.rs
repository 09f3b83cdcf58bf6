use std::{collections::BTreeMap, sync::Arc};

use aws_lc_rs::digest;
use bartizan_core::{Category, Layer};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Exception, RefusalKey, Refusals, Row, ScorePolicy, Warning, defaults};

/// A checked policy: the same report and context always give the same decision.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) content: Arc<Content>,
    version: Arc<str>,
}

/// What the version is the hash of.
#[derive(Debug, Serialize)]
pub(crate) struct Content {
    pub(crate) shadow: bool,
    pub(crate) shadow_rules: Vec<String>,
    pub(crate) layers: BTreeMap<Layer, LayerPolicy>,
    // INVARIANT: the last row has no condition, so a row is found for every finding.
    pub(crate) rows: Vec<Row>,
    pub(crate) exceptions: Vec<Exception>,
    pub(crate) score: ScorePolicy,
    pub(crate) refusals: Refusals,
}

/// How one layer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LayerPolicy {
    /// Whether it counts at all.
    pub enabled: bool,
    /// What a check that did not finish leads to.
    pub on_incomplete: OnIncomplete,
    /// Whether a part in which no check of the layer ran is incomplete.
    pub required: bool,
    /// Whether it is reported only.
    pub shadow: bool,
}

impl Default for LayerPolicy {
    /// Counts, fails closed, may be absent, is enforced.
    fn default() -> Self {
        Self {
            enabled: true,
            on_incomplete: OnIncomplete::Closed,
            required: false,
            shadow: false,
        }
    }
}

/// What happens when a check of a layer did not look at everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnIncomplete {
    /// Refuse.
    #[default]
    Closed,
    /// Pass as if the check had found nothing.
    Open,
    /// The other layers stand in: whatever they flag in that part waits for a human. Closed where
    /// no other layer looked at the part.
    Degrade,
}

impl Default for Policy {
    /// The built-in rows; every layer fails closed.
    fn default() -> Self {
        Self::from_content(Content {
            shadow: false,
            shadow_rules: Vec::new(),
            layers: BTreeMap::new(),
            rows: defaults::rows(),
            exceptions: Vec::new(),
            score: ScorePolicy::default(),
            refusals: Refusals::default(),
        })
    }
}

impl Policy {
    pub(crate) fn from_content(content: Content) -> Self {
        let version = version(&content);
        Self {
            content: Arc::new(content),
            version,
        }
    }

    /// SHA-256 of the checked policy in lower-case hexadecimal; the same for every file that means
    /// the same.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn shared_version(&self) -> Arc<str> {
        Arc::clone(&self.version)
    }

    /// Whether everything is reported and nothing enforced.
    #[must_use]
    pub fn is_shadow(&self) -> bool {
        self.content.shadow
    }

    /// The decision table in the order in which it is tried, built-in rows last.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.content.rows
    }

    /// The allow-list.
    #[must_use]
    pub fn exceptions(&self) -> &[Exception] {
        &self.content.exceptions
    }

    /// How `layer` counts.
    #[must_use]
    pub fn layer(&self, layer: Layer) -> LayerPolicy {
        self.content.layers.get(&layer).copied().unwrap_or_default()
    }

    /// The bands of the composite score.
    #[must_use]
    pub fn score(&self) -> &ScorePolicy {
        &self.content.score
    }

    /// The text of a refusal in the nearest locale to `locale`, e.g. `de-AT`.
    #[must_use]
    pub fn refusal(&self, key: RefusalKey, locale: &str) -> &str {
        self.content.refusals.text(key, locale)
    }

    /// What the operator should look at on `today`.
    #[must_use]
    pub fn warnings(&self, today: Date) -> Vec<Warning> {
        self.content
            .exceptions
            .iter()
            .enumerate()
            .filter(|(_, exception)| exception.is_expired(today))
            .map(|(index, exception)| expired(index, exception))
            .collect()
    }
}

pub(crate) fn expired(index: usize, exception: &Exception) -> Warning {
    Warning::ExpiredException {
        index,
        rule: exception.rule.clone(),
        expires: exception.expires.to_string(),
    }
}

/// Whether the thresholds of a category drop after suspicious turns: attacks do, while personal
/// data is what it is however often it comes.
pub(crate) const fn tightens(category: Category) -> bool {
    !matches!(
        category,
        Category::Pii | Category::Secret | Category::SinkHazard | Category::Shape
    )
}

fn version(content: &Content) -> Arc<str> {
    // Structs, vectors and sorted maps of numbers and texts: serialisation cannot fail, and is the
    // same for the same content.
    let canonical = serde_json::to_vec(content).unwrap_or_default();
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(b"bartizan-policy/1\n");
    context.update(&canonical);
    context
        .finish()
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>()
        .into()
}
