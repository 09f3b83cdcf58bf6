use std::{collections::BTreeMap, sync::Arc};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Demonstration, InputSpec, ModelBackend, OutputConfig, PostJson, Protocol, Served, UpstreamModel,
};

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

/// The name of the built-in model where none is configured.
const DEMONSTRATION: &str = "demonstration";

impl PredictConfig {
    /// Every mistake: its path below `predict`, and what is wrong there.
    #[must_use]
    pub fn check(&self) -> Vec<(String, String)> {
        let mut mistakes = Vec::new();
        if !self.default_model.is_empty() && !self.models.contains_key(&self.default_model) {
            let message = format!("there is no model `{}` under `models`", self.default_model);
            mistakes.push(("default-model".to_owned(), message));
        }
        if self.default_model.is_empty() && self.models.len() > 1 {
            let message = "there are several models; say which one `/predict` asks";
            mistakes.push(("default-model".to_owned(), message.to_owned()));
        }
        for (name, model) in &self.models {
            // A name is a segment of a path, and `:` divides it from a method.
            if name.is_empty() || name.contains(['/', ':', '{', '}', '?', '#', '%']) {
                let message = "a model's name must be a plain segment of a path";
                mistakes.push((format!("models.{name}"), message.to_owned()));
            }
            let parts = [
                ("input", model.input.check()),
                ("output", model.output.check()),
            ];
            for (part, found) in parts {
                mistakes.extend(
                    found
                        .into_iter()
                        .map(|(key, message)| (format!("models.{name}.{part}.{key}"), message)),
                );
            }
        }
        mistakes
    }

    /// The models behind their backends, and the name of the default one; models with an upstream
    /// ask it through `post`.
    #[must_use]
    pub fn served(&self, post: &Arc<dyn PostJson>) -> (BTreeMap<String, Served>, String) {
        let mut models: BTreeMap<String, Served> = self
            .models
            .iter()
            .map(|(name, config)| {
                let backend: Arc<dyn ModelBackend> = if config.upstream.is_empty() {
                    Arc::new(Demonstration)
                } else {
                    let there = if config.upstream_model.is_empty() {
                        name
                    } else {
                        &config.upstream_model
                    };
                    Arc::new(UpstreamModel::new(
                        Arc::clone(post),
                        &*config.upstream,
                        there,
                        config.protocol,
                    ))
                };
                let config = config.clone();
                (name.clone(), Served { config, backend })
            })
            .collect();
        if models.is_empty() {
            let demonstration = Served {
                config: ModelConfig::default(),
                backend: Arc::new(Demonstration),
            };
            models.insert(DEMONSTRATION.to_owned(), demonstration);
        }
        let first = models.keys().next().cloned().unwrap_or_default();
        let default_model = if self.default_model.is_empty() {
            first
        } else {
            self.default_model.clone()
        };
        (models, default_model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_have_their_place() {
        let bad: PredictConfig = serde_json::from_value(serde_json::json!({
            "default-model": "absent",
            "models": {
                "a/b": {},
                "c": {"input": {"shape": [2], "min_value": 3.0, "max_value": 1.0}, "output": {"noise": 7.0}},
            },
        }))
        .unwrap();
        let places: Vec<String> = bad.check().into_iter().map(|(place, _)| place).collect();
        assert_eq!(
            places,
            [
                "default-model",
                "models.a/b",
                "models.c.input.max",
                "models.c.output.noise"
            ]
        );
        assert!(PredictConfig::default().check().is_empty());
        let unknown = serde_json::json!({"modles": {}});
        assert!(serde_json::from_value::<PredictConfig>(unknown).is_err());
    }

    /// The specification in YAML, as `IF-26` has it.
    #[test]
    fn if_26_a_specification_in_yaml() {
        let yaml =
            "shape: [10]\ndtype: float32\nmin: -1000\nmax: 1000\nmax-payload-bytes: 10485760\n";
        let spec: InputSpec = serde_saphyr::from_str(yaml).unwrap();
        assert_eq!(spec, InputSpec::default());
        let errors = spec.validate(b"[1, 2, 3]").unwrap_err();
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].to_string(), "`input[3]` is missing");
    }
}
