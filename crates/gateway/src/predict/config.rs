use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{InputSpec, OutputConfig, Protocol};

/// Classical models that are served at `/predict`, `/v2/models/...`, and `/v1/models/...:predict`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PredictConfig {
    /// The model of `/predict`; empty: the only one of `models`, or the built-in demonstration where
    /// there is none.
    pub default_model: String,
    /// The models by name.
    pub models: BTreeMap<String, ModelConfig>,
    /// Whether predictions are signed with Ed25519.
    pub sign: bool,
}

/// One model.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ModelConfig {
    /// The upstream that serves it, by a name under `upstreams`; empty for the built-in
    /// demonstration.
    pub upstream: String,
    /// Its name there; empty for the same name.
    pub upstream_model: String,
    /// The protocol that the upstream speaks.
    pub protocol: Protocol,
    /// Its version, as answers name it.
    pub version: String,
    /// What it takes.
    pub input: InputSpec,
    /// Names of its classes, in the order of its scores; empty for their numbers.
    pub labels: Vec<String>,
    /// What clients see of its scores.
    pub output: OutputConfig,
}
