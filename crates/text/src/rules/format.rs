//! The YAML of packs as it is written.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};

/// Where something stands in a file; 0 when that is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line, counted from 1.
    pub line: u64,
    /// Column in characters, counted from 1.
    pub column: u64,
}

impl From<serde_saphyr::Location> for Place {
    fn from(location: serde_saphyr::Location) -> Self {
        Self {
            line: location.line(),
            column: location.column(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A value and where it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub place: Place,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = serde_saphyr::Spanned::<T>::deserialize(deserializer)?;
        Ok(Self {
            place: spanned.referenced.into(),
            value: spanned.value,
        })
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A list of texts.
pub(super) type Texts = Vec<At<String>>;

/// `pack.yaml`: what a pack is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PackDescription {
    /// Unique name, e.g. `prompt`; a loaded pack replaces a built-in one of the same name.
    pub name: At<String>,
    /// Date-like or semantic version.
    pub version: At<String>,
    /// When the pack was last brought up to date, `2026-11-21`; `doctor` warns after 31 days.
    #[serde(default)]
    pub date: Option<At<String>>,
    /// What it is about, in one line.
    pub title: At<String>,
    /// SPDX expression.
    #[serde(default)]
    pub licence: Option<String>,
}

/// Every other `*.yaml` file of a pack: rules.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// Pieces of patterns by name, written `{{name}}` in the patterns of this file.
    #[serde(default)]
    pub define: BTreeMap<String, At<String>>,
    /// The rules.
    #[serde(default)]
    pub rules: Vec<RawRule>,
}

/// One rule as it is written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawRule {
    /// Stable id, `area.kebab-name`, unique over all packs, never reused.
    pub id: At<String>,
    /// What it finds in one line: lower case, no full stop.
    pub title: At<String>,
    /// How bad a match is: `info`, `low`, `medium`, `high`, or `critical`.
    pub severity: At<String>,
    /// Kind of harm, e.g. `injection`, `jailbreak`, `prompt-extraction`, `custom`.
    pub category: At<String>,
    /// Free label for reports.
    #[serde(default)]
    pub family: Option<String>,
    /// Probability that a match is an attack, above 0 and at most 1. Default 0.8.
    #[serde(default)]
    pub confidence: Option<At<f32>>,
    /// Outside references, e.g. `LLM01:2025`.
    #[serde(default)]
    pub refs: Vec<String>,
    /// Why it matters: one or two sentences.
    pub why: At<String>,
    /// What to do about it: one or two sentences.
    pub fix: At<String>,
    /// Languages that the patterns are for, as BCP 47 tags; informative.
    #[serde(default)]
    pub languages: Vec<String>,
    /// Origins of the texts that the rule reads. Default: every origin but `system`.
    #[serde(default)]
    pub origins: Option<At<Texts>>,
    /// Literal phrases. A blank matches any run of 1 to 8 blanks, line breaks, and punctuation.
    #[serde(default)]
    pub any: Option<At<Texts>>,
    /// Regular expressions. A blank outside a class matches as in `any`.
    #[serde(default)]
    pub patterns: Option<At<Texts>>,
    /// Literals one of which every match of every pattern starts with; needed where a pattern
    /// starts with anything.
    #[serde(default)]
    pub anchors: Option<At<Texts>>,
    /// Whether a match may start inside a word, and a phrase also end there. Default false.
    #[serde(default)]
    pub inside_words: bool,
    /// Of each list one expression must match near the main match.
    #[serde(default)]
    pub all: Option<At<Vec<At<Texts>>>>,
    /// How near: bytes before and after the match that `all` and `context` look at, 1 to 2000.
    /// Default 100.
    #[serde(default)]
    pub within: Option<At<usize>>,
    /// What near words say about the match.
    #[serde(default)]
    pub context: Context,
    /// A test that the matched text must pass, by name: `luhn` or `mod97`.
    #[serde(default)]
    pub validator: Option<At<String>>,
    /// Texts that the rule must hit.
    #[serde(default)]
    pub examples: Option<At<Texts>>,
    /// Texts that the rule must not hit.
    #[serde(default)]
    pub negative_examples: Option<At<Texts>>,
}

/// What near words say about a match: regular expressions, written as in `patterns`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// Raise the confidence by half the way to 1.
    #[serde(default)]
    pub raise: Option<At<Texts>>,
    /// Halve the confidence.
    #[serde(default)]
    pub lower: Option<At<Texts>>,
    /// Veto the match.
    #[serde(default)]
    pub unless: Option<At<Texts>>,
}

/// The JSON Schema of rule files and, under `$defs`, of `pack.yaml`.
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut generator = SchemaGenerator::default();
    let pack = generator.subschema_for::<PackDescription>();
    let rules = generator.subschema_for::<RuleFile>();
    let definitions = generator.take_definitions(true);
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Bartizan rule pack",
        "anyOf": [pack, rules],
        "$defs": definitions,
    })
}
