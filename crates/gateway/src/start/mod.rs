//! From a configuration to a gateway that listens.

mod at_rest;
mod file_keys;
mod ground;
mod reload;
mod sinks;
mod uses;

pub use at_rest::AtRest;
pub use file_keys::{FileKeyError, FileKeys};
pub use ground::placed;
pub use reload::Reloader;

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
};

use bartizan_access::Access;
use bartizan_agents::Governor;
use bartizan_core::Secret;
use bartizan_govern::SubjectKey;
use bartizan_guard::{Judge, Memory, conversation::ParseLimits, redact::Styles};
use bartizan_mcp::Pins;
use bartizan_text::rules::RuleSet;

use self::ground::Ground;
use crate::{
    adapters::{self, Present},
    agents::AgentDesk,
    clock::Clock,
    config::{Config, Mistake},
    consent::{ConsentDesk, ConsentRules, ConsentTable},
    content::Keeper,
    extraction::Extraction,
    guard_api::{self, GuardApi},
    identity::{self, Authenticator, Grants, KeySpec},
    judge::JudgeLayer,
    limits::{LimitParts, Limits, LimitsError},
    mcp::{self, Hub, HubParts, PINS},
    openapi,
    predict::{self, PostJson},
    principal::Scope,
    proxy::{Engine, Front, Gateway, GatewayParts, routes, today},
    record::{KeepContent, LEDGER, Recorder, Service, Sinks, What},
    secrets::{Environment, Keyring, Purpose, Resolver, SecretRef},
    serve::{ServeError, Server},
    telemetry::{Metrics, Traces},
    upstream::{SystemResolver, UpstreamParts, Upstreams},
};

/// What looks and decides, from the files that the gateway does not read itself.
#[derive(Clone, Debug)]
pub struct Eyes {
    /// Looks and decides.
    pub judge: Judge,
    /// The rules that it looks for.
    pub rules: Arc<RuleSet>,
    /// Who may do what, as the `access` block and the policies that it names say.
    pub access: Arc<Access>,
    /// How values are replaced.
    pub styles: Styles,
    /// The key of people's names, that of `bartizan consent`; without it nobody's consent is known.
    pub subject_key: Option<Arc<SubjectKey>>,
}

/// A gateway that listens, and answers once it runs.
pub struct Started {
    /// The data plane.
    pub server: Server,
    /// What it serves.
    pub front: Front,
    /// The gateway behind it.
    pub gateway: Arc<Gateway>,
    /// The listener for Envoy, if there is one.
    #[cfg(feature = "envoy")]
    pub envoy: Option<Server>,
    #[cfg(feature = "envoy")]
    envoy_service: crate::envoy::EnvoyService,
    /// The key that was made because there was none; to be shown once.
    pub first_key: Option<Secret<String>>,
    /// Where the master key was made, if it was.
    pub master_key_made: Option<PathBuf>,
    reloader: Arc<Reloader>,
    sinks: Sinks,
}

/// Why the gateway does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration has mistakes.
    #[error("the configuration has mistakes")]
    Config(Vec<Mistake>),
    /// The data folder cannot be made or written.
    #[error("the data folder `{}` cannot be used ({})", path.display(), .source.kind())]
    Data {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// The master key.
    #[error(transparent)]
    Master(#[from] crate::secrets::MasterError),
    /// The key store.
    #[error(transparent)]
    Keys(#[from] crate::secrets::KeyStoreError),
    /// A secret of the configuration.
    #[error("in `{path}`: {source}")]
    Secret {
        /// Its place in the configuration.
        path: String,
        /// Why.
        source: crate::secrets::SecretError,
    },
    /// The record.
    #[error(transparent)]
    Record(#[from] crate::record::RecordError),
    /// Who may ask.
    #[error(transparent)]
    Identity(#[from] crate::identity::IdentityError),
    /// The first key.
    #[error(transparent)]
    FirstKey(#[from] crate::identity::KeyError),
    /// The limits.
    #[error(transparent)]
    Limits(#[from] LimitsError),
    /// Traces.
    #[error(transparent)]
    Traces(#[from] crate::telemetry::TracesError),
    /// The sockets.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The key that signs predictions.
    #[error("the key that signs predictions cannot be used")]
    Signer,
    /// Something hangs on whom a request is about, and there is no key for names.
    #[error(
        "`govern.consent` has rules or `record.content` keeps contents, and `BARTIZAN_KEY` is not set; hint: set it as for `bartizan consent`"
    )]
    NoSubjectKey,
    /// The pins of servers.
    #[error(transparent)]
    Pins(#[from] bartizan_mcp::PinError),
    /// Nothing was ever kept there.
    #[error("there is no database at `{}`; hint: name the gateway's data folder, or start the gateway once", .0.display())]
    NoDatabase(PathBuf),
    /// The master key lies elsewhere.
    #[error("there is no master key at `{}`; hint: run this as the user of the gateway, with its environment and its configuration", .0.display())]
    NoMasterKey(PathBuf),
    /// The files belong to somebody else, and what is made beside them would shut the gateway out.
    #[error("`{}` belongs to the user {owner}; hint: run this as that user", path.display())]
    OtherUser {
        /// The database.
        path: PathBuf,
        /// The number of its owner.
        owner: u32,
    },
}

/// Opens stores and keys, and listens. Needs a tokio runtime.
///
/// # Errors
/// When the configuration has mistakes, or something that it names cannot be used.
pub async fn start(
    config: &Config,
    eyes: Eyes,
    data: &Path,
    environment: &dyn Environment,
    clock: Arc<dyn Clock>,
) -> Result<Started, StartError> {
    let mistakes = config.mistakes();
    if !mistakes.is_empty() {
        return Err(StartError::Config(mistakes));
    }
    // The system's or another's choice of a provider would be two in one process.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    make_private(data)?;
    let ground = Ground::open(config, data, environment, &clock).await?;
    let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION")));
    let traces = match &config.telemetry.traces {
        Some(traces) => Some(Traces::start(traces, env!("CARGO_PKG_VERSION"))?),
        None => None,
    };
    let recorder = Recorder::open(
        config.record.clone(),
        &data.join("journal"),
        ground.audit(config, &data.join(LEDGER)).await?,
        ground.keyring.derive(Purpose::AuditHash).expose(),
        Arc::clone(&clock),
        adapters::observers(config, &metrics)
            .map_err(|mistake| StartError::Config(vec![mistake]))?,
    )
    .await?;
    let sinks = sinks::start(config, &ground, environment, data, &clock, &recorder).await?;
    metrics.set_sinks(sinks.states().to_vec());
    let upstreams = upstreams(config, &ground, environment, &clock, &recorder).await?;
    let consent = consent(config, &eyes, &ground)?;
    let keeper = (config.record.content.keep == KeepContent::Sealed)
        .then(|| Keeper::new(ground.sealed_content()));
    let engine = engine(config, eyes, upstreams, &ground.keyring);
    let cell = Present::new(Arc::new(engine));
    let authenticator = authenticator(config, &ground, environment, &clock).await?;
    let first_key = first_key(config, &authenticator).await?;
    let limits = limits(config, &ground, environment, &clock).await?;
    let extraction = Arc::new(Extraction::new(config.extraction.clone()));
    let judge_layer = judge_layer(config, &cell, &clock);
    let gateway = Gateway::new(GatewayParts {
        engine: cell.clone(),
        clock: Arc::clone(&clock),
        authenticator,
        limits,
        extraction,
        judge_layer,
        recorder: recorder.clone(),
        metrics,
        traces,
        body_limits: config.server.body_limits(),
        agents: AgentDesk::new(ground.store.clone()),
        consent,
        keeper,
    });
    gateway.know(&gateway.engine().upstreams);
    tokio::task::spawn_blocking({
        let (engine, clock) = (gateway.engine(), Arc::clone(&clock));
        move || engine.judge.warm(today(&*clock))
    });
    let router = routes::router(Arc::clone(&gateway))
        .merge(openapi::router())
        .merge(guard_api::router(
            GuardApi::new(
                Arc::clone(&gateway) as Arc<dyn guard_api::GuardService>,
                Arc::clone(&clock),
                config.guard_api.clone(),
            )
            .with_rag(config.rag.clone()),
        ))
        .merge(predict::router(predict_api(
            config, &ground, &gateway, &clock,
        )?))
        .merge(mcp::router(
            mcp_hub(config, &ground, &gateway, data, environment).await?,
        ));
    let server = Server::bind(&config.server, config.is_authenticated()).await?;
    #[cfg(feature = "envoy")]
    let envoy_config = config.envoy.clone().unwrap_or_default();
    #[cfg(feature = "envoy")]
    let envoy = if config.envoy.is_some() {
        let listener = envoy_config.server(&config.server);
        let authenticated = envoy_config.is_authenticated(config.is_authenticated());
        Some(Server::bind(&listener, authenticated).await?)
    } else {
        None
    };
    recorder.note(What::Service(Service {
        action: "started".into(),
        version: env!("CARGO_PKG_VERSION").into(),
    }));
    Ok(Started {
        server,
        front: Front::new(Arc::clone(&gateway), router),
        #[cfg(feature = "envoy")]
        envoy,
        #[cfg(feature = "envoy")]
        envoy_service: crate::envoy::EnvoyService::new(
            Arc::clone(&gateway),
            envoy_config,
            config.server.max_body_bytes,
        ),
        gateway: Arc::clone(&gateway),
        first_key,
        master_key_made: ground.master_key_made.clone(),
        reloader: Arc::new(Reloader::new(ground, gateway, config.server.clone())),
        sinks,
    })
}

impl Started {
    /// Takes changed configurations while the gateway runs.
    #[must_use]
    pub fn reloader(&self) -> Arc<Reloader> {
        Arc::clone(&self.reloader)
    }

    /// Answers until the server is told to stop and has drained, then closes the record.
    pub async fn run(self) {
        let limits = self.gateway.limits();
        let saving = tokio::spawn(async move { limits.run().await });
        #[cfg(feature = "envoy")]
        let envoy = self.envoy.map(|envoy| {
            let (end, told) = (self.server.handle(), envoy.handle());
            tokio::spawn(async move {
                end.stopping().await;
                told.shutdown();
            });
            tokio::spawn(envoy.run(self.envoy_service))
        });
        self.server.run(self.front).await;
        #[cfg(feature = "envoy")]
        if let Some(envoy) = envoy {
            let _ = envoy.await;
        }
        saving.abort();
        if let Err(error) = self.gateway.limits().save().await {
            tracing::warn!(%error, "counters of limits are not saved");
        }
        let recorder = self.gateway.recorder();
        recorder.note(What::Service(Service {
            action: "stopped".into(),
            version: env!("CARGO_PKG_VERSION").into(),
        }));
        if let Some(keeper) = &self.gateway.keeper {
            keeper.close().await;
        }
        recorder.close().await;
        self.sinks.close().await;
    }
}

fn make_private(data: &Path) -> Result<(), StartError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(data).map_err(|source| StartError::Data {
        path: data.to_owned(),
        source,
    })
}

async fn upstreams(
    config: &Config,
    ground: &Ground,
    environment: &dyn Environment,
    clock: &Arc<dyn Clock>,
    recorder: &Recorder,
) -> Result<Upstreams, StartError> {
    let resolver = ground.resolver(config, environment);
    let mut keys = BTreeMap::new();
    for (name, upstream) in &config.upstreams {
        let Some(reference) = &upstream.key else {
            continue;
        };
        let reference = SecretRef::parse(reference.clone());
        let key = resolver
            .resolve(&reference)
            .await
            .map_err(|source| StartError::Secret {
                path: format!("upstreams.{name}.key"),
                source,
            })?;
        keys.insert(name.clone(), key);
    }
    let parts = UpstreamParts {
        clock: Arc::clone(clock),
        resolver: Arc::new(SystemResolver),
        events: adapters::upstream_events(recorder.clone()),
    };
    Upstreams::new(&config.upstream_settings(), &keys, &parts).map_err(StartError::Config)
}

fn engine(config: &Config, eyes: Eyes, upstreams: Upstreams, keyring: &Keyring) -> Engine {
    let remembered = config.guarding.remember_texts;
    let judge = if remembered == 0 {
        eyes.judge
    } else {
        let key = keyring.derive(Purpose::Cache);
        eyes.judge
            .with_memory(Arc::new(Memory::new(key.expose(), remembered)))
    };
    Engine {
        judge,
        rules: eyes.rules,
        access: eyes.access,
        styles: eyes.styles,
        guarding: config.guarding.clone(),
        refusal: config.refusal,
        media: config.media,
        stream: config.stream.clone(),
        parse: ParseLimits {
            max_bytes: config.server.max_body_bytes,
            ..ParseLimits::default()
        },
        sink: config.sink,
        upstreams: Arc::new(upstreams),
        redaction_key: *keyring.derive(Purpose::Redaction).expose(),
        governor: config.agents.clone().map(Governor::new).map(Arc::new),
        consent: ConsentRules::new(&config.govern),
    }
}

/// Where consent is asked for, if there is a key for people's names.
fn consent(
    config: &Config,
    eyes: &Eyes,
    ground: &Ground,
) -> Result<Option<ConsentDesk>, StartError> {
    match &eyes.subject_key {
        Some(key) => {
            let table = ConsentTable::new(ground.store.clone());
            Ok(Some(ConsentDesk::new(table, Arc::clone(key))))
        }
        None if config.govern.consent.rules.is_empty()
            && config.record.content.keep == KeepContent::None =>
        {
            Ok(None)
        }
        None => Err(StartError::NoSubjectKey),
    }
}

fn judge_layer(
    config: &Config,
    cell: &Present<Engine>,
    clock: &Arc<dyn Clock>,
) -> Option<Arc<JudgeLayer>> {
    let ask = adapters::AskUpstream::new(cell.clone(), Arc::clone(clock));
    let (judge, classifiers) = (&config.judge, &config.classifiers);
    JudgeLayer::new(judge, classifiers, Arc::new(ask), Arc::clone(clock)).map(Arc::new)
}

async fn authenticator(
    config: &Config,
    ground: &Ground,
    environment: &dyn Environment,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<Authenticator>, StartError> {
    let resolver = ground.resolver(config, environment);
    let parts = identity_parts(config, ground, &resolver, clock)?;
    Ok(Arc::new(
        Authenticator::open(&config.identity, parts).await?,
    ))
}

fn identity_parts<'a>(
    config: &Config,
    ground: &'a Ground,
    resolver: &'a Resolver<'a>,
    clock: &Arc<dyn Clock>,
) -> Result<identity::Parts<'a>, StartError> {
    Ok(identity::Parts {
        store: ground.store.clone(),
        keyring: &ground.keyring,
        resolver,
        fetch: adapters::identity_fetch(config)
            .map_err(|mistake| StartError::Config(vec![mistake]))?,
        clock: Arc::clone(clock),
    })
}

/// A key for whoever starts the gateway for the first time.
async fn first_key(
    config: &Config,
    authenticator: &Authenticator,
) -> Result<Option<Secret<String>>, StartError> {
    let has_other = !config.identity.keys.is_empty()
        || !config.identity.issuers.is_empty()
        || !config.identity.certificates.is_empty()
        || config.identity.dangerously_allow_anonymous;
    let keys = authenticator.keys();
    if has_other || !keys.list().await?.is_empty() {
        return Ok(None);
    }
    let spec = KeySpec {
        name: "first key".to_owned(),
        grants: Grants {
            scopes: Scope::ALL.map(|scope| scope.as_str().to_owned()).to_vec(),
            ..Grants::default()
        },
        expires_ms: None,
    };
    let new = keys.create(&spec).await?;
    Ok(Some(Secret::new(new.key.expose().to_owned())))
}

async fn limits(
    config: &Config,
    ground: &Ground,
    environment: &dyn Environment,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<Limits>, StartError> {
    let resolver = ground.resolver(config, environment);
    let parts = LimitParts {
        store: ground.store.clone(),
        keyring: &ground.keyring,
        resolver: &resolver,
        clock: Arc::clone(clock),
    };
    Ok(Arc::new(Limits::open(&config.limits, parts).await?))
}

async fn mcp_hub(
    config: &Config,
    ground: &Ground,
    gateway: &Arc<Gateway>,
    data: &Path,
    environment: &dyn Environment,
) -> Result<Arc<Hub>, StartError> {
    let resolver = ground.resolver(config, environment);
    let resolve = async |path: String, text: &str| {
        let reference = SecretRef::parse(text.to_owned());
        let secret = resolver.resolve(&reference).await;
        secret.map_err(|source| StartError::Secret { path, source })
    };
    let (mut tokens, mut variables) = (HashMap::new(), HashMap::new());
    for (name, server) in &config.mcp.servers {
        if let Some(token) = &server.token {
            let path = format!("mcp.servers.{name}.token");
            tokens.insert(name.clone(), resolve(path, token).await?);
        }
        let mut all = Vec::new();
        for (variable, value) in &server.env {
            let path = format!("mcp.servers.{name}.env.{variable}");
            let value = resolve(path, value).await?;
            all.push((variable.clone(), value.expose().clone()));
        }
        variables.insert(name.clone(), all);
    }
    let pins_file = config.mcp.pins.clone();
    let pins_file = pins_file.unwrap_or_else(|| data.join(PINS));
    let pins = match std::fs::read_to_string(&pins_file) {
        Ok(text) => Pins::read(&text)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Pins::default(),
        Err(source) => {
            return Err(StartError::Data {
                path: pins_file,
                source,
            });
        }
    };
    let parts = HubParts {
        gateway: Arc::clone(gateway),
        config: config.mcp.clone(),
        pins,
        pins_file,
        tokens,
        variables,
    };
    Hub::new(parts).map_err(|mistake| StartError::Config(vec![mistake]))
}

fn predict_api(
    config: &Config,
    ground: &Ground,
    gateway: &Arc<Gateway>,
    clock: &Arc<dyn Clock>,
) -> Result<predict::PredictApi, StartError> {
    let post = adapters::PostToUpstream::new(config)
        .map_err(|mistake| StartError::Config(vec![mistake]))?;
    let post: Arc<dyn PostJson> = Arc::new(post);
    let (models, default_model) = config.predict.served(&post);
    let signer = if config.predict.sign {
        let seed = ground.keyring.derive(Purpose::PredictionSigning);
        Some(predict::Signer::from_seed(seed.expose()).map_err(|_| StartError::Signer)?)
    } else {
        None
    };
    Ok(predict::PredictApi::new(
        models,
        default_model,
        ground.keyring.derive(Purpose::Noise).expose(),
        signer,
        Arc::clone(clock),
        Arc::clone(gateway) as Arc<dyn predict::Watch>,
    ))
}
