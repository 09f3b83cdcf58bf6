use std::{sync::Arc, time::Duration};

use bartizan_core::Secret;

use super::{Limits, LimitsConfig, MemoryStore, RedisStore, StoreConfig};
use crate::{
    clock::Clock,
    secrets::{Keyring, Purpose, Resolver, SecretError},
    store::Store,
};

/// What limits are made of.
pub struct LimitParts<'a> {
    /// The database, to which counters in memory are saved.
    pub store: Store,
    /// The keys of the gateway's own.
    pub keyring: &'a Keyring,
    /// Gives the address of Redis.
    pub resolver: &'a Resolver<'a>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Why there are no limits.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LimitsError {
    /// The address of Redis cannot be had.
    #[error("the address of redis cannot be used")]
    Secret(#[from] SecretError),
    /// The address of Redis is none.
    #[error("the address of redis is not `redis://` or `rediss://`")]
    Address,
    /// Saved counters cannot be read.
    #[error("saved counters cannot be read")]
    Database(#[from] sqlx::Error),
}

/// Counters that are saved.
pub(super) struct Saved {
    memory: Arc<MemoryStore>,
    store: Store,
    every: Duration,
    clock: Arc<dyn Clock>,
}

impl Limits {
    /// The limits of `config`, whose [`mistakes`](LimitsConfig::mistakes) are none, over the store
    /// that it names. Counters in memory go on where they were saved. A Redis that cannot be
    /// reached is no error yet: requests are treated as configured until it can.
    ///
    /// # Errors
    /// When the address of Redis or saved counters cannot be had.
    pub async fn open(config: &LimitsConfig, parts: LimitParts<'_>) -> Result<Self, LimitsError> {
        let clock = parts.clock;
        let key = parts.keyring.derive(Purpose::LimitNames);
        match &config.store {
            StoreConfig::Memory {
                max_counters,
                save_every_seconds,
            } => {
                let memory = Arc::new(MemoryStore::new(Arc::clone(&clock), *max_counters));
                memory.load(&parts.store, &*clock).await?;
                let counters = Arc::clone(&memory);
                let mut limits = Self::new(config, counters, None, &key, Arc::clone(&clock));
                limits.saved = Some(Arc::new(Saved {
                    memory,
                    store: parts.store,
                    every: Duration::from_secs(*save_every_seconds),
                    clock,
                }));
                Ok(limits)
            }
            StoreConfig::Redis {
                url,
                prefix,
                timeout_ms,
                ..
            } => {
                let url = match url.plain_address() {
                    Some(address) => Secret::new(address.to_owned()),
                    None => parts.resolver.resolve(url).await?,
                };
                let timeout = Duration::from_millis(*timeout_ms);
                let redis = RedisStore::new(&url, prefix, timeout, Arc::clone(&clock));
                let redis = redis.map_err(|_| LimitsError::Address)?;
                let local = Self::counts_locally(config)
                    .then(|| Arc::new(MemoryStore::new(Arc::clone(&clock), LOCAL_COUNTERS)));
                Ok(Self::new(config, Arc::new(redis), local, &key, clock))
            }
        }
    }

    /// Saves counters in memory now: called once more at the end.
    ///
    /// # Errors
    /// When the database failed.
    pub async fn save(&self) -> Result<(), LimitsError> {
        if let Some(saved) = &self.saved {
            saved.memory.save(&saved.store, &*saved.clock).await?;
        }
        Ok(())
    }

    /// Saves counters in memory again and again, without end. A save that takes long makes the
    /// pause longer: at most a twentieth of the time is spent on it.
    pub async fn run(&self) {
        let Some(saved) = &self.saved else {
            return std::future::pending().await;
        };
        let mut pause = saved.every;
        loop {
            tokio::time::sleep(pause).await;
            let start = saved.clock.nanos();
            if let Err(error) = self.save().await {
                tracing::warn!(%error, "counters of limits cannot be saved; a restart would forget them");
            }
            let took = Duration::from_nanos(saved.clock.nanos().saturating_sub(start));
            pause = saved.every.max(took.saturating_mul(20));
        }
    }
}

/// Counters in this process while Redis is lost.
const LOCAL_COUNTERS: usize = 100_000;
