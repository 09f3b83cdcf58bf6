use std::collections::BTreeMap;

use bartizan_core::{Category, Layer, Origin, Severity};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::{Direction, OnIncomplete, RefusalKey};

/// A policy file as written. Everything has a default; the empty file is the safe policy.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PolicyFile {
    /// Decide as usual and report what would have happened, but let everything pass.
    pub shadow: bool,
    /// Rule ids (`*` stands for any run of characters) whose findings are reported but not acted on.
    pub shadow_rules: Vec<String>,
    /// Settings of single layers, by name: shape, normalise, rules, sensitive, similarity,
    /// classifier, transformer, judge, external, session, provenance, leak, sink, grounding, format.
    #[schemars(with = "BTreeMap<String, RawLayer>")]
    pub layers: BTreeMap<Layer, RawLayer>,
    /// The decision table. The first row whose conditions all hold decides about a finding; the
    /// built-in rows come after these.
    #[schemars(with = "Vec<RawRow>")]
    pub rows: Vec<Spanned<RawRow>>,
    /// Findings that are known and accepted until a day.
    #[schemars(with = "Vec<RawException>")]
    pub allow: Vec<Spanned<RawException>>,
    /// The composite safety score.
    pub score: RawScore,
    /// Texts of refusals by locale, then by category or `incomplete`.
    #[schemars(with = "BTreeMap<String, BTreeMap<String, String>>")]
    pub refusals: BTreeMap<String, BTreeMap<RefusalKey, Spanned<String>>>,
    /// The locale of refusals when the caller names none or an unknown one; `en` by default.
    #[schemars(with = "Option<String>")]
    pub default_locale: Option<Spanned<String>>,
}

/// Settings of one layer.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RawLayer {
    /// Whether the layer counts; `true` by default.
    pub enabled: bool,
    /// What happens when a check of the layer did not look at everything; `closed` by default.
    pub on_incomplete: OnIncomplete,
    /// Whether it is incomplete if no check of the layer ran; `false` by default.
    pub required: bool,
    /// Report what the layer would have done, but do not do it.
    pub shadow: bool,
}

impl Default for RawLayer {
    fn default() -> Self {
        Self {
            enabled: true,
            on_incomplete: OnIncomplete::Closed,
            required: false,
            shadow: false,
        }
    }
}

/// A row of the decision table. Conditions that are left out hold for every finding.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RawRow {
    /// Its name in decisions; unique.
    pub name: String,
    /// Layers that reported the finding.
    #[schemars(schema_with = "layers")]
    pub layer: Vec<Layer>,
    /// Kinds of harm.
    #[schemars(schema_with = "categories")]
    pub category: Vec<Category>,
    /// Rule ids; `*` stands for any run of characters.
    pub rule: Vec<String>,
    /// Only findings at least this severe.
    #[schemars(schema_with = "severity")]
    pub severity: Option<Severity>,
    /// Who wrote the text.
    #[schemars(schema_with = "origins")]
    pub origin: Vec<Origin>,
    /// Routes; `*` stands for any run of characters.
    pub route: Vec<String>,
    /// Tenants; `*` stands for any run of characters.
    pub tenant: Vec<String>,
    /// `input` is on the way to the model, `output` from it.
    #[schemars(schema_with = "direction")]
    pub direction: Option<Direction>,
    /// List the finding in the decision from this confidence on, 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    pub flag: Option<f32>,
    /// Edit the place from this confidence on, 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    pub redact: Option<f32>,
    /// Ask a human from this confidence on, 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    pub ask: Option<f32>,
    /// Refuse from this confidence on, 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    pub block: Option<f32>,
    /// Drop the finding without a trace; needs a row without thresholds.
    pub ignore: bool,
}

/// An entry of the allow-list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RawException {
    /// Rule id; `*` stands for any run of characters.
    pub rule: String,
    /// Keyed hash of the exact text, in hexadecimal, as the decision prints it.
    #[serde(default)]
    pub text: Option<String>,
    /// Who wrote the text.
    #[serde(default)]
    #[schemars(schema_with = "origin")]
    pub origin: Option<Origin>,
    /// Route; `*` stands for any run of characters.
    #[serde(default)]
    pub route: Option<String>,
    /// Tenant; `*` stands for any run of characters.
    #[serde(default)]
    pub tenant: Option<String>,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it holds, `YYYY-MM-DD`.
    pub expires: String,
}

/// The bands of the composite safety score, 1 is safe.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RawScore {
    /// Served from this score on, 0 to 1; 0.9 by default.
    #[schemars(with = "Option<f64>", range(min = 0, max = 1))]
    pub serve: Option<Spanned<f64>>,
    /// Reviewed from this score on, blocked below, 0 to 1; 0.7 by default.
    #[schemars(with = "Option<f64>", range(min = 0, max = 1))]
    pub review: Option<Spanned<f64>>,
    /// Directions in which the band counts; `[output]` by default.
    #[schemars(schema_with = "directions")]
    pub enforce: Option<Vec<Direction>>,
}

/// The names of thresholds in a policy file, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// List it.
    Flag,
    /// Edit it.
    Redact,
    /// Ask a human.
    Ask,
    /// Refuse.
    Block,
}

impl Action {
    /// The name used in configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Redact => "redact",
            Self::Ask => "ask",
            Self::Block => "block",
        }
    }
}

/// The JSON schema of a policy file.
#[must_use]
pub fn schema() -> Schema {
    schemars::schema_for!(PolicyFile)
}

fn list_of(names: Vec<&'static str>) -> Schema {
    json_schema!({ "type": "array", "items": { "type": "string", "enum": names } })
}

fn layers(_: &mut SchemaGenerator) -> Schema {
    list_of(Layer::ALL.map(Layer::as_str).to_vec())
}

fn categories(_: &mut SchemaGenerator) -> Schema {
    list_of(Category::ALL.map(Category::as_str).to_vec())
}

fn origins(_: &mut SchemaGenerator) -> Schema {
    list_of(Origin::ALL.map(Origin::as_str).to_vec())
}

fn origin(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "null"], "enum": Origin::ALL.map(Origin::as_str) })
}

fn severity(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "null"], "enum": Severity::ALL.map(Severity::as_str) })
}

fn direction(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "null"], "enum": ["input", "output"] })
}

fn directions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["array", "null"], "items": { "type": "string", "enum": ["input", "output"] } })
}
