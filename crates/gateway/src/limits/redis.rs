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

#[cfg(test)]
mod tests {
    use std::{
        net::TcpListener,
        process::{Child, Command, Stdio},
    };

    use proptest::{prelude::*, test_runner::TestRunner};

    use super::*;
    use crate::{
        clock::{ManualClock, SystemClock},
        fault::{Fault, FaultKind},
        limits::{Asked, Bucket, Factor, Limits, LimitsConfig, MemoryStore, Usage},
        principal::{Entitlements, Principal, Proof},
    };

    /// A server of its own; none if the machine has no `redis-server` or `valkey-server`, which is
    /// a failure where `BARTIZAN_TEST_REDIS` is `required`.
    struct Server {
        child: Child,
        port: u16,
    }

    impl Server {
        fn start() -> Option<Self> {
            let port = TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port();
            let start = |program: &str| {
                Command::new(program)
                    .args([
                        "--port",
                        &port.to_string(),
                        "--bind",
                        "127.0.0.1",
                        "--save",
                        "",
                    ])
                    .stdout(Stdio::null())
                    .spawn()
            };
            match start("redis-server").or_else(|_| start("valkey-server")) {
                Ok(child) => {
                    let server = Self { child, port };
                    let up = |_| {
                        std::thread::sleep(Duration::from_millis(20));
                        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
                    };
                    assert!((0..250).any(up), "the server did not start");
                    Some(server)
                }
                Err(_) => {
                    let required = std::env::var("BARTIZAN_TEST_REDIS");
                    assert_ne!(
                        required.as_deref(),
                        Ok("required"),
                        "there is no redis-server"
                    );
                    None
                }
            }
        }

        fn store(&self, clock: Arc<dyn Clock>) -> RedisStore {
            let url = Secret::new(format!("redis://127.0.0.1:{}", self.port));
            RedisStore::new(&url, "test", Duration::from_secs(2), clock).unwrap()
        }
    }

    impl Drop for Server {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    fn principal(id: &str) -> Principal {
        Principal {
            id: id.into(),
            proof: Proof::ApiKey,
            tenant: "".into(),
            team: "".into(),
            groups: Vec::new(),
            scopes: [].into(),
            models: Vec::new(),
            entitlements: Entitlements::default(),
        }
    }

    fn asked(principal: &Principal) -> Asked<'_> {
        Asked {
            principal,
            model: "m",
            input_tokens: 0,
            max_output_tokens: Some(0),
            factor: Factor::ONE,
        }
    }

    fn limits(config: &str, store: RedisStore, local: Option<Arc<MemoryStore>>) -> Arc<Limits> {
        let config: LimitsConfig = serde_json::from_str(config).unwrap();
        let key = Secret::new([1; 32]);
        let clock = Arc::new(SystemClock);
        Arc::new(Limits::new(&config, Arc::new(store), local, &key, clock))
    }

    const MINUTE: u64 = 60_000_000;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_burst_over_two_replicas_shares_the_count() {
        let Some(server) = Server::start() else {
            return;
        };
        let replicas = [0, 1].map(|_| {
            let store = server.store(Arc::new(SystemClock));
            limits(r#"{"preset":"100/60min"}"#, store, None)
        });
        let mut running = Vec::new();
        for n in 0..150 {
            let limits = Arc::clone(&replicas[n % 2]);
            running.push(tokio::spawn(async move {
                limits.admit(&asked(&principal("a"))).await.is_ok()
            }));
        }
        let mut passed = 0;
        for one in running {
            passed += usize::from(one.await.unwrap());
        }
        assert_eq!(passed, 100);
        let event = replicas[0]
            .admit(&asked(&principal("a")))
            .await
            .unwrap_err();
        assert_eq!(event.what, "requests");
        assert!((30..=36).contains(&event.retry_after.as_secs()));
        // A restart keeps it, since the count is not here.
        let again = limits(
            r#"{"preset":"100/60min"}"#,
            server.store(Arc::new(SystemClock)),
            None,
        );
        assert!(again.admit(&asked(&principal("a"))).await.is_err());
        assert!(again.admit(&asked(&principal("b"))).await.is_ok());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn budgets_are_settled_in_the_shared_store() {
        let Some(server) = Server::start() else {
            return;
        };
        let config = r#"{"preset":"none","prices":{"m":{"input":1,"output":1}},
            "rules":[{"name":"team","cost-per-day":0.01,"tokens":"20000/1h"}]}"#;
        let replicas = [0, 1].map(|_| limits(config, server.store(Arc::new(SystemClock)), None));
        let principal = principal("a");
        let large = Asked {
            input_tokens: 6_000,
            ..asked(&principal)
        };
        let first = replicas[0].admit(&large).await.unwrap();
        assert_eq!(replicas[1].admit(&large).await.unwrap_err().what, "budget");
        let cost = first
            .settle(Usage {
                input_tokens: 1_000,
                ..Usage::default()
            })
            .await;
        assert_eq!(cost, Some(1_000));
        let second = replicas[1].admit(&large).await.unwrap();
        let cost = second
            .settle(Usage {
                input_tokens: 9_000,
                ..Usage::default()
            })
            .await;
        assert_eq!(cost, Some(9_000));
        let small = Asked {
            input_tokens: 1,
            ..asked(&principal)
        };
        assert_eq!(replicas[0].admit(&small).await.unwrap_err().what, "budget");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn lost_server_closes_or_counts_here() {
        let Some(server) = Server::start() else {
            return;
        };
        let local = Arc::new(MemoryStore::new(Arc::new(SystemClock), 1_000));
        let config = r#"{"preset":"none","rules":[{"name":"a","requests":"5/1h"}]}"#;
        let closed = limits(config, server.store(Arc::new(SystemClock)), None);
        let here = limits(config, server.store(Arc::new(SystemClock)), Some(local));
        assert!(closed.admit(&asked(&principal("a"))).await.is_ok());
        assert!(
            !here
                .admit(&asked(&principal("a")))
                .await
                .unwrap()
                .is_local()
        );
        drop(server);
        let event = closed.admit(&asked(&principal("a"))).await.unwrap_err();
        assert_eq!(event.what, "store");
        assert_eq!(Fault::from(event).kind, FaultKind::Unavailable);
        for _ in 0..5 {
            assert!(
                here.admit(&asked(&principal("a")))
                    .await
                    .unwrap()
                    .is_local()
            );
        }
        assert_eq!(
            here.admit(&asked(&principal("a"))).await.unwrap_err().what,
            "requests"
        );
    }

    #[derive(Clone, Debug)]
    enum Step {
        Wait(u64),
        Charge(Vec<(u8, u64)>),
        Adjust(u8, u64, u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let cost = || 0_u64..3_000;
        let charge = prop::collection::btree_map(0_u8..4, cost(), 1..4);
        let step = prop_oneof![
            3 => (0_u64..40_000).prop_map(Step::Wait),
            8 => charge.prop_map(|map| Step::Charge(map.into_iter().collect())),
            3 => (0_u8..4, cost(), cost()).prop_map(|(n, a, b)| Step::Adjust(n, a, b)),
        ];
        prop::collection::vec(step, 1..40)
    }

    /// Both engines answer the same, to the millisecond, for any run of charges, corrections, and
    /// times.
    #[test]
    fn same_arithmetic_as_in_memory() {
        let Some(server) = Server::start() else {
            return;
        };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let kinds = |now_ms: u64| {
            [
                ChargeKind::Rate(Bucket {
                    amount: 100,
                    window_us: MINUTE,
                }),
                ChargeKind::Rate(Bucket {
                    amount: 7_001,
                    window_us: MINUTE,
                }),
                ChargeKind::Rate(Bucket {
                    amount: 3,
                    window_us: 86_400_000_000,
                }),
                ChargeKind::Budget {
                    max: 10_000,
                    ends_ms: (now_ms / 1_000_000 + 1) * 1_000_000,
                },
            ]
        };
        let case = std::cell::Cell::new(0_u32);
        TestRunner::default()
            .run(&steps(), |steps| {
                case.set(case.get() + 1);
                let _guard = runtime.enter();
                let mut now_ms = SystemClock.unix_ms();
                let mut redis = server.store(Arc::new(SystemClock));
                redis.prefix = format!("{{case{}}}:", case.get());
                let clock = Arc::new(ManualClock::default());
                let memory = MemoryStore::new(clock.clone(), 1_000);
                for step in steps {
                    if let Step::Wait(ms) = step {
                        now_ms += ms;
                    }
                    clock.advance_ms(now_ms - clock.unix_ms());
                    redis.fixed_us = Some(AtomicU64::new(now_ms * 1_000 + 1));
                    let kinds = kinds(now_ms);
                    match step {
                        Step::Charge(costs) => {
                            let charges: Vec<Charge> = costs
                                .into_iter()
                                .map(|(n, cost)| {
                                    let mut name = [n; 16];
                                    if n == 3 {
                                        name[8..]
                                            .copy_from_slice(&(now_ms / 1_000_000).to_be_bytes());
                                    }
                                    Charge {
                                        name,
                                        kind: kinds[usize::from(n)],
                                        cost,
                                    }
                                })
                                .collect();
                            let wait =
                                |outcome: Result<Outcome, StoreFailed>| match outcome.unwrap() {
                                    Outcome::Charged => None,
                                    Outcome::Refused { wait_ms, .. } => Some(wait_ms),
                                };
                            let one = wait(memory.charge_now(&charges));
                            let two = wait(runtime.block_on(redis.charge(&charges)));
                            prop_assert_eq!(one, two, "{:?}", charges);
                        }
                        Step::Adjust(n, charged, actual) => {
                            let mut name = [n; 16];
                            if n == 3 {
                                name[8..].copy_from_slice(&(now_ms / 1_000_000).to_be_bytes());
                            }
                            let kind = kinds[usize::from(n)];
                            let adjustment = [Adjustment {
                                name,
                                kind,
                                charged,
                                actual,
                            }];
                            memory.adjust_now(&adjustment);
                            runtime.block_on(redis.adjust(&adjustment)).unwrap();
                        }
                        Step::Wait(_) => {}
                    }
                }
                Ok(())
            })
            .unwrap();
    }

    /// A server whose clock goes back costs a full bucket at most.
    #[tokio::test]
    async fn server_clock_that_goes_back_is_harmless() {
        let Some(server) = Server::start() else {
            return;
        };
        let mut redis = server.store(Arc::new(SystemClock));
        let now = SystemClock.unix_ms() * 1_000;
        let charge = [Charge {
            name: [1; 16],
            kind: ChargeKind::Rate(Bucket {
                amount: 100,
                window_us: MINUTE,
            }),
            cost: 1,
        }];
        redis.fixed_us = Some(AtomicU64::new(now));
        assert_eq!(redis.charge(&charge).await, Ok(Outcome::Charged));
        redis.fixed_us = Some(AtomicU64::new(now - 86_400_000_000));
        let Ok(Outcome::Refused { wait_ms, .. }) = redis.charge(&charge).await else {
            panic!()
        };
        assert!(wait_ms <= 600, "{wait_ms}");
    }
}
