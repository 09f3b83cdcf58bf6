//! `bartizan.yaml`: as written, then checked.

use std::{collections::BTreeMap, path::PathBuf};

use bartizan_access::AccessConfig;
use bartizan_agents::AgentsConfig;
use bartizan_core::Sink;
use bartizan_govern::GovernConfig;
use bartizan_guard::{Settings, redact::Styles, shape::ShapeLimits};
use bartizan_mcp::McpConfig;
use bartizan_policy::PolicyFile;
use bartizan_transformer::TransformerSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

pub use crate::serve::Mistake;
use crate::{
    extraction::ExtractionConfig,
    guard_api::{GuardApiConfig, RagConfig},
    identity::IdentityConfig,
    judge::{ClassifierConfig, JudgeConfig},
    limits::LimitsConfig,
    predict::PredictConfig,
    proxy::GuardingConfig,
    record::RecordConfig,
    secrets::SecretsConfig,
    serve::ServerConfig,
    store::StoreConfig,
    telemetry::TelemetryConfig,
    upstream::{RouteConfig, UpstreamConfig, UpstreamSettings},
    wire::{MediaConfig, RefusalConfig, stream::StreamConfig},
};

/// The configuration file as written. Everything has a default: without a file the gateway listens
/// at loopback, asks for a key that it made itself, and answers with the built-in echo.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Config {
    /// Which checks are asked, and how.
    pub guard: Settings,
    /// A classifier of your own, as a layer of the guard.
    pub transformer: TransformerSettings,
    /// How large a text may be; texts of any size by default.
    pub shape: Option<ShapeLimits>,
    /// What findings lead to: the content of a policy file, or the path of one, relative to this
    /// file.
    #[schemars(schema_with = "policy_schema")]
    pub policy: Option<serde_json::Value>,
    /// Folders of own rule packs, relative to this file.
    pub packs: Vec<PathBuf>,
    /// Public keys whose packs are trusted: lines that start with `RW`.
    pub trusted_keys: Vec<String>,
    /// Load packs that nobody signed.
    pub allow_unsigned: bool,
    /// How values are replaced.
    pub redact: Styles,

    /// Folder of the database, the journal, and generated files.
    pub data: Option<PathBuf>,
    /// Towards clients: addresses, TLS, bounds.
    pub server: ServerConfig,
    /// Models behind the gateway, by a name of your own.
    pub upstreams: BTreeMap<String, UpstreamConfig>,
    /// Which upstreams serve which model; the first that fits is taken.
    pub routes: Vec<RouteConfig>,
    /// Who may ask.
    pub identity: IdentityConfig,
    /// Who may do what.
    pub access: AccessConfig,
    /// Personal data: where it lies, how long it is kept, what people are asked for.
    pub govern: GovernConfig,
    /// How often, and for how much.
    pub limits: LimitsConfig,
    /// Where secrets come from.
    pub secrets: SecretsConfig,
    /// Where keys and events are kept.
    pub store: StoreConfig,
    /// What is recorded, and what happens when that cannot be done.
    pub record: RecordConfig,
    /// Traces and logs.
    pub telemetry: TelemetryConfig,
    /// What is done with a request beside looking at it.
    pub guarding: GuardingConfig,
    /// What the refused get.
    pub refusal: RefusalConfig,
    /// What may pass though nobody here can read it.
    pub media: MediaConfig,
    /// How streamed answers are guarded.
    pub stream: StreamConfig,
    /// Where answers are shown or run, if all of them are in one place.
    #[schemars(with = "Option<String>")]
    pub sink: Option<Sink>,
    /// A model that is asked about texts in the grey band.
    pub judge: JudgeConfig,
    /// Classifiers of harmful text outside that are asked about every text.
    pub classifiers: Vec<ClassifierConfig>,
    /// A listener for Envoy's external processing; left out, there is none.
    #[cfg(feature = "envoy")]
    pub envoy: Option<crate::envoy::EnvoyConfig>,
    /// Classical models.
    pub predict: PredictConfig,
    /// Who copies a model.
    pub extraction: ExtractionConfig,
    /// Routes that ask the guard alone.
    pub guard_api: GuardApiConfig,
    /// What agents may do; left out, calls of tools are looked at like other text and no more.
    pub agents: Option<AgentsConfig>,
    /// Retrieved documents: where they may come from, and how closely answers keep to them.
    pub rag: RagConfig,
    /// Servers of the Model Context Protocol.
    pub mcp: McpConfig,
}

impl Config {
    /// Every mistake of the gateway's part, each with its place.
    #[must_use]
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut all = self.server.check(self.is_authenticated());
        all.extend(self.upstream_settings().check());
        all.extend(self.guarding.mistakes());
        all.extend(under("transformer", self.transformer.check()));
        #[cfg(feature = "envoy")]
        if let Some(envoy) = &self.envoy {
            all.extend(envoy.check(&self.server, self.is_authenticated()));
        }
        // Each block names its own places.
        all.extend(under("identity", self.identity.mistakes()));
        all.extend(under("access", self.access.check(&bartizan_access::SCOPES)));
        all.extend(under("govern", self.govern.check()));
        all.extend(under("limits", self.limits.mistakes()));
        all.extend(under("secrets", self.secrets.mistakes()));
        all.extend(under("store", self.store.check()));
        all.extend(under("record", self.record.check()));
        let class = &self.record.content.class;
        if !class.is_empty() && !self.govern.classes.contains_key(class) {
            let message = "is no class under `govern.classes`";
            all.push(Mistake::new("record.content.class", message));
        }
        all.extend(under("telemetry", self.telemetry.check()));
        all.extend(under("refusal", self.refusal.check()));
        all.extend(under("stream", self.stream.check()));
        all.extend(under("judge", self.judge.check()));
        for (number, classifier) in self.classifiers.iter().enumerate() {
            let kind = |name: &str| self.upstreams.get(name).map(|upstream| upstream.kind);
            let found = classifier.check(kind).into_iter();
            all.extend(found.map(|(key, message)| {
                Mistake::new(format!("classifiers[{number}].{key}"), message)
            }));
        }
        all.extend(under("predict", predict_mistakes(self)));
        all.extend(under("extraction", self.extraction.check()));
        all.extend(under("guard-api", self.guard_api.check()));
        all.extend(under(
            "agents",
            self.agents.iter().flat_map(AgentsConfig::check).collect(),
        ));
        all.extend(under("rag", self.rag.check()));
        all.extend(under("mcp", self.mcp.check()));
        all
    }

    /// Whether clients must prove who they are.
    #[must_use]
    pub const fn is_authenticated(&self) -> bool {
        !self.identity.dangerously_allow_anonymous
    }

    pub(crate) fn upstream_settings(&self) -> UpstreamSettings {
        UpstreamSettings {
            upstreams: self.upstreams.clone(),
            routes: self.routes.clone(),
        }
    }
}

fn predict_mistakes(config: &Config) -> Vec<(String, String)> {
    let predict = &config.predict;
    let mut mistakes: Vec<(String, String)> = predict
        .check()
        .into_iter()
        .map(|(path, message)| (path.to_string(), message))
        .collect();
    for (name, model) in &predict.models {
        let upstream = &model.upstream;
        if !upstream.is_empty() && !config.upstreams.contains_key(upstream) {
            let message = format!("there is no upstream `{upstream}` under `upstreams`");
            mistakes.push((format!("models.{name}.upstream"), message));
        }
    }
    mistakes
}

fn under<P: AsRef<str>>(
    block: &'static str,
    mistakes: Vec<(P, String)>,
) -> impl Iterator<Item = Mistake> {
    mistakes.into_iter().map(move |(path, message)| {
        let path = path.as_ref();
        let joint = if path.is_empty() { "" } else { "." };
        Mistake::new(format!("{block}{joint}{path}"), message)
    })
}

fn policy_schema(generator: &mut SchemaGenerator) -> Schema {
    let policy = generator.subschema_for::<PolicyFile>();
    schemars::json_schema!({ "anyOf": [policy, { "type": "string" }, { "type": "null" }] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_have_no_mistakes() {
        assert_eq!(Config::default().mistakes(), []);
    }

    #[test]
    fn if_27_the_block_of_the_seed_is_taken_as_it_is() {
        let yaml = "server:\n  listen: \"0.0.0.0:8443\"\n  tls:\n    enabled: true\n    cert_file: \"/etc/ssl/certs/server.crt\"\n    key_file: \"/etc/ssl/private/server.key\"\n    ca_file: \"/etc/ssl/certs/ca.crt\"\n    min_version: \"TLS1.3\"\n    client_auth: \"require\"\n";
        let config: Result<Config, _> = serde_saphyr::from_str(yaml);
        assert!(config.is_ok(), "{config:?}");
    }

    #[test]
    fn every_mistake_is_named_with_its_place() {
        let yaml =
            "guarding: {regenerate: 9}\nrefusal: {input-status: 200}\nstream: {max-channels: 0}\n";
        let config: Config = serde_saphyr::from_str(yaml).unwrap();
        let paths: Vec<String> = config.mistakes().into_iter().map(|m| m.path).collect();
        assert_eq!(
            paths,
            [
                "guarding.regenerate",
                "refusal.input-status",
                "stream.max-channels"
            ]
        );
    }
}
