use std::sync::Arc;

use parking_lot::Mutex;
use tokio::task::AbortHandle;

use super::{Eyes, Ground, StartError, engine, identity_parts, judge_layer, upstreams};
use crate::{
    config::Config,
    identity::Authenticator,
    proxy::{Gateway, Generation},
    record::{ConfigChange, Label, What},
    secrets::Environment,
    serve::ServerConfig,
};

/// Puts changed rules, policy, upstreams, identities, and limits in the place of the present ones.
pub struct Reloader {
    ground: Ground,
    gateway: Arc<Gateway>,
    /// As it listens, whatever the file says by now.
    server: ServerConfig,
    /// What keeps keys and key sets fresh.
    watch: Mutex<AbortHandle>,
}

impl Reloader {
    pub(super) fn new(ground: Ground, gateway: Arc<Gateway>, server: ServerConfig) -> Self {
        let watch = Mutex::new(keep_fresh(gateway.authenticator()));
        Self {
            ground,
            gateway,
            server,
            watch,
        }
    }

    /// Takes `config` and `eyes` from now on; requests under way end with what they began with.
    /// Rules, policy, upstreams, routes, everything about the guard, the judge and classifiers
    /// outside, identities, and limits change. Counters of limits and of bad credentials go on.
    /// Addresses, stores, secrets, the record, telemetry, classical models, and the detectors of
    /// extraction stay as they were at the start.
    ///
    /// # Errors
    /// When the configuration has mistakes, or a secret is not to be had; then all stays as it was.
    pub async fn reload(
        &self,
        config: &Config,
        eyes: Eyes,
        environment: &dyn Environment,
    ) -> Result<(), StartError> {
        let before = self.gateway.engine();
        let changed = self.change(config, eyes, environment).await;
        let now = self.gateway.engine();
        let note = |what: &'static str, from: &str, to: &str| {
            let event = ConfigChange {
                what: what.into(),
                accepted: changed.is_ok(),
                from: Label::Known(from.into()),
                to: Label::Known(to.into()),
                ..ConfigChange::default()
            };
            self.gateway.recorder().note(What::ConfigChange(event));
        };
        let versions = (
            before.judge.policy().version(),
            now.judge.policy().version(),
        );
        note("config", versions.0, versions.1);
        // Who may do what is a change of its own: whoever reviews rights looks for these.
        let (from, to) = (before.access.version(), now.access.version());
        if from != to {
            note("access", from, to);
        }
        changed
    }

    async fn change(
        &self,
        config: &Config,
        eyes: Eyes,
        environment: &dyn Environment,
    ) -> Result<(), StartError> {
        let mut mistakes = config.mistakes();
        if mistakes.is_empty() {
            // The file may name another address by now; these are open.
            mistakes = self.server.check(config.is_authenticated());
        }
        if !mistakes.is_empty() {
            return Err(StartError::Config(mistakes));
        }
        super::consent(config, &eyes, &self.ground)?;
        let clock = self.gateway.clock();
        let recorder = self.gateway.recorder();
        let upstreams = upstreams(config, &self.ground, environment, &clock, recorder).await?;
        let resolver = self.ground.resolver(config, environment);
        let parts = identity_parts(config, &self.ground, &resolver, &clock)?;
        let former = self.gateway.authenticator();
        let authenticator = Arc::new(former.renewed(&config.identity, parts).await?);
        let limits = self.gateway.limits().renewed(&config.limits);
        // Nothing below fails.
        let next = Generation {
            engine: Arc::new(engine(config, eyes, upstreams, &self.ground.keyring)),
            authenticator: Arc::clone(&authenticator),
            limits: Arc::new(limits),
            judge_layer: judge_layer(config, self.gateway.cell(), &clock),
        };
        self.gateway.replace(next);
        let former = std::mem::replace(&mut *self.watch.lock(), keep_fresh(authenticator));
        former.abort();
        Ok(())
    }
}

fn keep_fresh(authenticator: Arc<Authenticator>) -> AbortHandle {
    let watch = tokio::spawn(async move { authenticator.run().await });
    watch.abort_handle()
}
