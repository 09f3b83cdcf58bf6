use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bartizan_core::Secret;
use futures_util::future::BoxFuture;
use redis::{
    Client, Script,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use super::{
    memory::correction,
    store::{Adjustment, Charge, ChargeKind, LimitStore, Outcome, StoreFailed},
};
use crate::clock::Clock;

/// Counters in Redis (6.2 or later) or Valkey, shared by all replicas.
///
/// Each request is one script, run as a whole; the time is the server's, so that clocks of replicas
/// do not matter. After a failure the server is left alone for a second, in which every call fails
/// at once.
pub struct RedisStore {
    connection: ConnectionManager,
    prefix: String,
    charge: Script,
    adjust: Script,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    down_until_nanos: AtomicU64,
    /// For tests: the time in microseconds in place of the server's.
    fixed_us: Option<AtomicU64>,
}

const PAUSE_NANOS: u64 = 1_000_000_000;

impl RedisStore {
    /// A store at `url` (`redis://` or `rediss://`, user and password in it), whose keys begin with
    /// `prefix`. Connects at the first use; needs a tokio runtime.
    ///
    /// # Errors
    /// When `url` is none.
    pub fn new(
        url: &Secret<String>,
        prefix: &str,
        timeout: Duration,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreFailed> {
        let client = Client::open(url.expose().as_str()).map_err(|_| StoreFailed)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(Some(timeout))
            .set_number_of_retries(1)
            .set_max_delay(timeout);
        let connection = ConnectionManager::new_lazy_with_config(client, config);
        Ok(Self {
            connection: connection.map_err(|_| StoreFailed)?,
            // One hash tag: in a cluster all keys of a script must lie on one node.
            prefix: format!("{{{prefix}}}:"),
            charge: Script::new(include_str!("charge.lua")),
            adjust: Script::new(include_str!("adjust.lua")),
            timeout,
            clock,
            down_until_nanos: AtomicU64::new(0),
            fixed_us: None,
        })
    }

    fn key(&self, name: [u8; 16]) -> String {
        format!("{}{:032x}", self.prefix, u128::from_be_bytes(name))
    }

    fn time(&self) -> String {
        self.fixed_us
            .as_ref()
            .map(|us| us.load(Ordering::Relaxed).to_string())
            .unwrap_or_default()
    }

    async fn run<T: redis::FromRedisValue>(
        &self,
        script: redis::ScriptInvocation<'_>,
    ) -> Result<T, StoreFailed> {
        let now = self.clock.nanos();
        if now < self.down_until_nanos.load(Ordering::Relaxed) {
            return Err(StoreFailed);
        }
        let mut connection = self.connection.clone();
        let answer = tokio::time::timeout(
            self.timeout.saturating_mul(2),
            script.invoke_async(&mut connection),
        );
        if let Ok(Ok(answer)) = answer.await {
            return Ok(answer);
        }
        let until = self.clock.nanos().saturating_add(PAUSE_NANOS);
        self.down_until_nanos.store(until, Ordering::Relaxed);
        Err(StoreFailed)
    }

    async fn charge_all(&self, charges: &[Charge]) -> Result<Outcome, StoreFailed> {
        if charges.is_empty() {
            return Ok(Outcome::Charged);
        }
        let mut script = self.charge.prepare_invoke();
        script.arg(self.time());
        for charge in charges {
            script.key(self.key(charge.name));
            match charge.kind {
                ChargeKind::Rate(bucket) => {
                    let step = bucket.step(charge.cost);
                    script.arg("r").arg(step.us).arg(step.fraction);
                    script.arg(bucket.amount).arg(bucket.window_us);
                }
                ChargeKind::Budget { max, ends_ms } => {
                    script
                        .arg("b")
                        .arg(charge.cost)
                        .arg(max)
                        .arg(ends_ms)
                        .arg("");
                }
            }
        }
        let (index, wait_us): (i64, String) = self.run(script).await?;
        let Ok(index) = usize::try_from(index) else {
            return Ok(Outcome::Charged);
        };
        let wait_us: u64 = wait_us.parse().map_err(|_| StoreFailed)?;
        let wait_ms = wait_us.div_ceil(1_000);
        Ok(Outcome::Refused { index, wait_ms })
    }

    async fn adjust_all(&self, adjustments: &[Adjustment]) -> Result<(), StoreFailed> {
        if adjustments.is_empty() {
            return Ok(());
        }
        let mut script = self.adjust.prepare_invoke();
        script.arg(self.time());
        for adjustment in adjustments {
            script.key(self.key(adjustment.name));
            let (charged, actual) = (adjustment.charged, adjustment.actual);
            match adjustment.kind {
                ChargeKind::Rate(bucket) => {
                    let (step, back) = correction(bucket, charged, actual);
                    script.arg("r").arg(step.us).arg(u8::from(back));
                    script.arg(bucket.amount).arg(bucket.window_us);
                }
                ChargeKind::Budget { ends_ms, .. } => {
                    script
                        .arg("b")
                        .arg(charged)
                        .arg(actual)
                        .arg(ends_ms)
                        .arg("");
                }
            }
        }
        self.run::<i64>(script).await.map(drop)
    }
}

impl LimitStore for RedisStore {
    fn charge<'a>(&'a self, charges: &'a [Charge]) -> BoxFuture<'a, Result<Outcome, StoreFailed>> {
        Box::pin(self.charge_all(charges))
    }

    fn adjust<'a>(
        &'a self,
        adjustments: &'a [Adjustment],
    ) -> BoxFuture<'a, Result<(), StoreFailed>> {
        Box::pin(self.adjust_all(adjustments))
    }
}

impl std::fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisStore").finish_non_exhaustive()
    }
}
