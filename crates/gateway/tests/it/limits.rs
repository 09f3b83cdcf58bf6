//! Rates, budgets, and what refuses them.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use bartizan_core::Secret;
use bartizan_gateway::{
    clock::{Clock as _, ManualClock},
    fault::{Fault, FaultKind},
    limits::{
        Admission, Asked, Factor, LimitEvent, LimitParts, Limits, LimitsConfig, MemoryStore, Usage,
    },
    principal::{Entitlements, Principal, Proof},
    secrets::{Keyring, Resolver},
    store::Store,
};
use serde_json::{Value, json};

/// 2026-11-21T12:00:00Z.
const NOW: u64 = 1_795_262_400_000;

struct World {
    clock: Arc<ManualClock>,
    memory: Arc<MemoryStore>,
    limits: Arc<Limits>,
}

impl World {
    fn new(config: Value) -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        let memory = Arc::new(MemoryStore::new(clock.clone(), 100_000));
        let limits = limits(config, &clock, &memory);
        Self {
            clock,
            memory,
            limits,
        }
    }

    async fn ask(&self, asked: Asked<'_>) -> Result<Admission, LimitEvent> {
        self.limits.admit(&asked).await
    }

    /// How many of `tries` requests pass now.
    async fn passed(&self, principal: &Principal, tries: usize) -> usize {
        let mut passed = 0;
        for _ in 0..tries {
            passed += usize::from(self.ask(asked(principal)).await.is_ok());
        }
        passed
    }
}

fn limits(config: Value, clock: &Arc<ManualClock>, memory: &Arc<MemoryStore>) -> Arc<Limits> {
    let config: LimitsConfig = serde_json::from_value(config).unwrap();
    assert_eq!(config.mistakes(), []);
    let key = Secret::new([1; 32]);
    Arc::new(Limits::new(
        &config,
        memory.clone(),
        None,
        &key,
        clock.clone(),
    ))
}

fn principal(id: &str, team: &str) -> Principal {
    Principal {
        id: id.into(),
        proof: Proof::ApiKey,
        tenant: "".into(),
        team: team.into(),
        groups: Vec::new(),
        scopes: BTreeSet::new(),
        models: Vec::new(),
        entitlements: Entitlements::default(),
    }
}

fn asked(principal: &Principal) -> Asked<'_> {
    Asked {
        principal,
        model: "gpt-x",
        input_tokens: 100,
        max_output_tokens: Some(100),
        factor: Factor::ONE,
    }
}

fn usage(input_tokens: u64, output_tokens: u64) -> Usage {
    Usage {
        input_tokens,
        output_tokens,
        cached_input_tokens: 0,
    }
}

#[tokio::test]
async fn the_101st_call_is_refused_with_the_time_to_come_again() {
    for (preset, wait_ms) in [("100/60s", 600), ("100/60min", 36_000)] {
        let world = World::new(json!({ "preset": preset }));
        let alice = principal("alice", "");
        assert_eq!(world.passed(&alice, 150).await, 100);
        let fault = Fault::from(world.ask(asked(&alice)).await.unwrap_err());
        assert_eq!(fault.kind, FaultKind::TooManyRequests);
        assert_eq!(fault.code, "rate_limit_exceeded");
        assert_eq!(fault.retry_after, Some(Duration::from_millis(wait_ms)));
        world.clock.advance_ms(wait_ms - 1);
        assert_eq!(world.passed(&alice, 1).await, 0);
        world.clock.advance_ms(1);
        assert_eq!(world.passed(&alice, 2).await, 1);
    }
}

#[tokio::test]
async fn ws_54_limits_are_per_principal() {
    let world = World::new(json!({}));
    assert_eq!(world.passed(&principal("alice", ""), 150).await, 100);
    assert_eq!(world.passed(&principal("bob", ""), 150).await, 100);
    let off = World::new(json!({ "preset": "none" }));
    assert_eq!(off.passed(&principal("alice", ""), 150).await, 150);
}

#[tokio::test]
async fn a_changed_configuration_keeps_counts() {
    let one = json!({ "preset": "none", "rules": [
        { "name": "day", "requests-per-day": 10, "concurrency": 2 },
    ] });
    let mut world = World::new(one);
    let alice = principal("alice", "");
    assert_eq!(world.passed(&alice, 4).await, 4);
    let running = world.ask(asked(&alice)).await.unwrap();

    let two = json!({ "preset": "none", "rules": [
        { "name": "day", "requests-per-day": 8, "concurrency": 1 },
    ] });
    let two: LimitsConfig = serde_json::from_value(two).unwrap();
    world.limits = Arc::new(world.limits.renewed(&two));
    // What runs since before the change takes the one place that there is now.
    assert_eq!(
        world.ask(asked(&alice)).await.unwrap_err().what,
        "concurrency"
    );
    drop(running);
    // Five of the eight were spent before.
    assert_eq!(world.passed(&alice, 10).await, 3);
    assert_eq!(world.ask(asked(&alice)).await.unwrap_err().what, "budget");
    assert_eq!(world.passed(&principal("bob", ""), 10).await, 8);
}

#[tokio::test]
async fn ws_17_restart_keeps_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let world = World::new(json!({ "preset": "100/60min",
        "rules": [{ "name": "day", "requests-per-day": 100 }] }));
    let alice = principal("alice", "");
    assert_eq!(world.passed(&alice, 60).await, 60);
    let store = Store::open(path.to_str().unwrap()).await.unwrap();
    world.memory.save(&store, &*world.clock).await.unwrap();
    // Twice: what is saved takes the place of what was saved.
    world.memory.save(&store, &*world.clock).await.unwrap();

    let config = json!({ "preset": "100/60min",
        "rules": [{ "name": "day", "requests-per-day": 100 }] });
    let clock = Arc::new(ManualClock::at(NOW + 1_000));
    let memory = Arc::new(MemoryStore::new(clock.clone(), 1_000));
    memory.load(&store, &*clock).await.unwrap();
    let limits = limits(config.clone(), &clock, &memory);
    let mut passed = 0;
    for _ in 0..100 {
        passed += usize::from(limits.admit(&asked(&alice)).await.is_ok());
    }
    assert_eq!(passed, 40);

    // A clock that was set back meanwhile gives nothing back.
    let clock = Arc::new(ManualClock::at(NOW - 3_600_000));
    let memory = Arc::new(MemoryStore::new(clock.clone(), 1_000));
    memory.load(&store, &*clock).await.unwrap();
    let limits = self::limits(config, &clock, &memory);
    let mut passed = 0;
    for _ in 0..100 {
        passed += usize::from(limits.admit(&asked(&alice)).await.is_ok());
    }
    assert_eq!(passed, 40);
}

#[tokio::test]
async fn tokens_are_charged_before_and_settled_after() {
    let world = World::new(json!({ "preset": "none",
        "rules": [{ "name": "t", "tokens": "1000/60s" }] }));
    let alice = principal("alice", "");
    let mut running = Vec::new();
    for _ in 0..5 {
        running.push(world.ask(asked(&alice)).await.unwrap());
    }
    let event = world.ask(asked(&alice)).await.unwrap_err();
    assert_eq!(
        (event.what, event.retry_after),
        ("tokens", Duration::from_secs(12))
    );
    for admission in running {
        admission.settle(usage(100, 20)).await;
    }
    // 600 used, 400 left.
    let two = Asked {
        max_output_tokens: Some(300),
        ..asked(&alice)
    };
    let admission = world.ask(two).await.unwrap();
    // It took more than it said: the next ones wait for it.
    admission.settle(usage(100, 900)).await;
    let small = Asked {
        input_tokens: 1,
        max_output_tokens: Some(0),
        ..asked(&alice)
    };
    let event = world.ask(small).await.unwrap_err();
    assert!(event.retry_after > Duration::from_secs(36), "{event:?}");
}

#[tokio::test]
async fn unsaid_length_is_assumed() {
    let world = World::new(json!({ "preset": "none", "assumed-output-tokens": 900,
        "rules": [{ "name": "t", "tokens": "1000/60s" }] }));
    let alice = principal("alice", "");
    let open = Asked {
        max_output_tokens: None,
        ..asked(&alice)
    };
    assert!(world.ask(open).await.is_ok());
    assert!(world.ask(asked(&alice)).await.is_err());
}

fn priced(rule: Value) -> Value {
    json!({ "preset": "none", "rules": [rule],
        "prices": { "gpt-*": { "input": "2", "output": "8" } } })
}

#[tokio::test]
async fn team_budget_is_shared_by_its_keys() {
    let world = World::new(priced(
        json!({ "name": "team", "per": "team", "cost-per-day": "0.01" }),
    ));
    let (alice, bob) = (principal("alice", "red"), principal("bob", "red"));
    let admission = world.ask(asked(&alice)).await.unwrap();
    assert_eq!(admission.settle(usage(1_000, 900)).await, Some(9_200));
    let fault = Fault::from(world.ask(asked(&bob)).await.unwrap_err());
    assert_eq!(fault.kind, FaultKind::TooManyRequests);
    assert_eq!(fault.code, "insufficient_quota");
    assert_eq!(fault.retry_after, Some(Duration::from_secs(12 * 3_600)));
    assert!(world.ask(asked(&principal("carol", "blue"))).await.is_ok());
    // Without a team each for itself, not all together.
    let big = usage(1_000, 1_000);
    world
        .ask(asked(&principal("dave", "")))
        .await
        .unwrap()
        .settle(big)
        .await;
    assert!(world.ask(asked(&principal("dave", ""))).await.is_err());
    assert!(world.ask(asked(&principal("erin", ""))).await.is_ok());
}

#[tokio::test]
async fn model_without_a_price_is_refused_where_money_is_counted() {
    let rule = json!({ "name": "m", "cost-per-month": 1 });
    let alice = principal("alice", "");
    let world = World::new(priced(rule.clone()));
    let other = Asked {
        model: "unknown",
        ..asked(&alice)
    };
    let fault = Fault::from(world.ask(other).await.unwrap_err());
    assert_eq!(
        (fault.kind, fault.code),
        (FaultKind::Forbidden, "model_not_priced")
    );
    let mut config = priced(rule);
    config["unpriced-models-are-free"] = json!(true);
    assert!(World::new(config).ask(other).await.is_ok());
}

/// The sample configuration.
fn tiers() -> Value {
    let sample = include_str!("../../../../examples/gateway/limits.yaml");
    let sample: Value = serde_saphyr::from_str(sample).unwrap();
    sample.get("limits").unwrap().clone()
}

#[test]
fn sample_configuration_is_read_from_yaml() {
    #[derive(serde::Deserialize)]
    struct Sample {
        limits: LimitsConfig,
    }
    let sample = include_str!("../../../../examples/gateway/limits.yaml");
    let sample: Sample = serde_saphyr::from_str(sample).unwrap();
    assert_eq!(sample.limits.mistakes(), []);
    assert_eq!(sample.limits.rules.len(), 4);
    assert_eq!(sample.limits.prices["gpt-x"].output.micros(), 10_000_000);
}

#[tokio::test]
async fn ws_93_quotas_reset_at_utc_boundaries() {
    let world = World::new(tiers());
    for (team, day) in [("", 100), ("basic", 1_000), ("premium", 10_000)] {
        let user = principal(&format!("user of {team}"), team);
        assert_eq!(world.passed(&user, day + 50).await, day, "{team}");
    }
    let free = principal("user of ", "");
    // Not an hour later: the day's quota is spent.
    world.clock.advance_ms(3_600_000);
    let event = world.ask(asked(&free)).await.unwrap_err();
    assert_eq!(
        (event.what, event.retry_after),
        ("budget", Duration::from_secs(11 * 3_600))
    );
    // At midnight it begins anew, and so on until the month's is spent.
    world.clock.advance_ms(11 * 3_600_000 - 1);
    assert_eq!(world.passed(&free, 1).await, 0);
    world.clock.advance_ms(1);
    let mut month = 100;
    for _ in 22..=30 {
        month += world.passed(&free, 200).await;
        world.clock.advance_ms(86_400_000);
    }
    assert_eq!(month, 1_000);
    // The first of December.
    assert_eq!(world.passed(&free, 200).await, 100);
}

#[tokio::test]
async fn suspicion_tightens_rates_and_decays() {
    let world = World::new(json!({}));
    let alice = principal("alice", "");
    let suspect = |share| Asked {
        factor: Factor::new(share),
        ..asked(&alice)
    };
    let mut passed = 0;
    while world.ask(suspect(0.25)).await.is_ok() {
        passed += 1;
    }
    assert_eq!(passed, 25);
    let event = world.ask(suspect(0.25)).await.unwrap_err();
    assert_eq!(event.retry_after, Duration::from_millis(2_400));
    let event = world.ask(suspect(1.0)).await.unwrap_err();
    assert_eq!(event.retry_after, Duration::from_millis(600));
    assert_eq!(Factor::new(f64::NAN), Factor::new(0.0));
    assert_eq!(Factor::new(7.0), Factor::ONE);
    // Even the most suspect one comes through a small limit at last.
    let small =
        World::new(json!({ "preset": "none", "rules": [{ "name": "a", "requests": "2/60s" }] }));
    assert!(small.ask(suspect(0.0)).await.is_ok());
    assert!(small.ask(suspect(0.0)).await.is_err());
    small.clock.advance_ms(60_000);
    assert!(small.ask(suspect(0.0)).await.is_ok());
}

#[tokio::test]
async fn places_among_running_requests_are_freed() {
    let world =
        World::new(json!({ "preset": "none", "rules": [{ "name": "c", "concurrency": 2 }] }));
    let alice = principal("alice", "");
    let one = world.ask(asked(&alice)).await.unwrap();
    let two = world.ask(asked(&alice)).await.unwrap();
    assert_eq!(
        world.ask(asked(&alice)).await.unwrap_err().what,
        "concurrency"
    );
    assert!(world.ask(asked(&principal("bob", ""))).await.is_ok());
    drop(one);
    let three = world.ask(asked(&alice)).await.unwrap();
    assert!(world.ask(asked(&alice)).await.is_err());
    two.settle(usage(1, 1)).await;
    three.settle(Usage::default()).await;
    assert!(world.ask(asked(&alice)).await.is_ok());
}

#[tokio::test]
async fn refused_request_is_charged_nothing_anywhere() {
    let world = World::new(json!({ "preset": "none", "rules": [
        { "name": "a", "requests": "10/1h" },
        { "name": "b", "requests": "5/1h", "models": ["gpt-*"] },
    ] }));
    let alice = principal("alice", "");
    assert_eq!(world.passed(&alice, 100).await, 5);
    let mut others = 0;
    for _ in 0..100 {
        let other = Asked {
            model: "claude",
            ..asked(&alice)
        };
        others += usize::from(world.ask(other).await.is_ok());
    }
    assert_eq!(others, 5);
}

#[tokio::test]
async fn rules_count_apart_by_what_they_are_per() {
    for (per, expected) in [
        ("key", [2, 2, 0]),
        ("team", [2, 0, 0]),
        ("model", [2, 0, 2]),
        ("key-and-model", [2, 2, 2]),
        ("everyone", [2, 0, 0]),
    ] {
        let world = World::new(json!({ "preset": "none",
            "rules": [{ "name": "r", "per": per, "requests": "2/1h" }] }));
        let (alice, bob) = (principal("alice", "red"), principal("bob", "red"));
        let mut passed = [0; 3];
        for _ in 0..5 {
            passed[0] += usize::from(world.ask(asked(&alice)).await.is_ok());
        }
        for _ in 0..5 {
            passed[1] += usize::from(world.ask(asked(&bob)).await.is_ok());
        }
        for _ in 0..5 {
            let other = Asked {
                model: "other",
                ..asked(&alice)
            };
            passed[2] += usize::from(world.ask(other).await.is_ok());
        }
        assert_eq!(passed, expected, "{per}");
    }
}

#[tokio::test]
async fn a_full_store_closes() {
    let clock = Arc::new(ManualClock::at(NOW));
    let memory = Arc::new(MemoryStore::new(clock.clone(), 1_000));
    let limits = limits(json!({}), &clock, &memory);
    let mut last = None;
    for n in 0..1_001 {
        last = Some(limits.admit(&asked(&principal(&format!("p{n}"), ""))).await);
    }
    let event = last.unwrap().unwrap_err();
    assert_eq!(event.what, "store");
    assert_eq!(Fault::from(event).kind, FaultKind::Unavailable);
    clock.advance_ms(60_000);
    assert!(limits.admit(&asked(&principal("new", ""))).await.is_ok());
    assert!(clock.unix_ms() > NOW);
}

#[tokio::test]
async fn opened_limits_save_and_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = Store::open(path.to_str().unwrap()).await.unwrap();
    let environment = std::collections::HashMap::new();
    let resolver = Resolver {
        environment: &environment,
        keys: None,
        vault: None,
        clouds: None,
        allow_plain_text: false,
    };
    let mut passed = 0;
    for _ in 0..2 {
        let parts = LimitParts {
            store: store.clone(),
            keyring: &Keyring::new([7; 32]),
            resolver: &resolver,
            clock: Arc::new(ManualClock::at(NOW)),
        };
        let limits = Limits::open(&LimitsConfig::default(), parts).await.unwrap();
        let limits = Arc::new(limits);
        for _ in 0..70 {
            passed += usize::from(limits.admit(&asked(&principal("alice", ""))).await.is_ok());
        }
        limits.save().await.unwrap();
    }
    assert_eq!(passed, 100);
}
