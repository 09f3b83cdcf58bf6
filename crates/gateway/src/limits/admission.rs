use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use aws_lc_rs::hmac;
use bartizan_core::Secret;
use parking_lot::Mutex;

use super::{
    LimitRule, LimitsConfig, MemoryStore, Per, PriceTable,
    gcra::Bucket,
    open::Saved,
    period::Period,
    store::{Adjustment, Charge, ChargeKind, LimitStore, Outcome},
};
use crate::{
    clock::Clock,
    fault::{Fault, FaultKind},
    principal::Principal,
};

/// Every limit of the gateway.
pub struct Limits {
    rules: Vec<Rule>,
    prices: PriceTable,
    unpriced_models_are_free: bool,
    assumed_output_tokens: u64,
    store: Arc<dyn LimitStore>,
    /// What counts while the store is lost; nothing to refuse instead.
    fallback: Option<Arc<MemoryStore>>,
    running: Arc<Mutex<HashMap<[u8; 16], u32>>>,
    names: hmac::Key,
    clock: Arc<dyn Clock>,
    /// What is saved, where, and how often.
    pub(super) saved: Option<Arc<Saved>>,
}

/// What a request will cost.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// The model, a name of the configuration. A name that a client made up would make counters.
    pub model: &'a str,
    /// Tokens that go in, as estimated.
    pub input_tokens: u64,
    /// Tokens that may come out, as the request says: `max_tokens` times `n`.
    pub max_output_tokens: Option<u64>,
    /// How much of each rate the principal has, after suspicion.
    pub factor: Factor,
}

/// What a request did cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens that went in, cached ones included.
    pub input_tokens: u64,
    /// Tokens that came out.
    pub output_tokens: u64,
    /// Tokens that went in and were cached upstream.
    pub cached_input_tokens: u64,
}

impl Usage {
    /// Tokens in and out.
    #[must_use]
    pub const fn tokens(self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}

/// What share of its rates a principal has: 1 for all, less under suspicion (EX-11). Budgets, which
/// are money that was promised, are not touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Factor(u16);

impl Factor {
    /// All of them.
    pub const ONE: Self = Self(1_000);

    /// That share, 0.01 to 1; what is no number is the least.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "10 to 1,000"
    )]
    pub fn new(share: f64) -> Self {
        let thousandths = (share * 1_000.0).round();
        if thousandths >= 10.0 {
            Self(thousandths.min(1_000.0) as u16)
        } else {
            Self(10)
        }
    }

    /// What `cost` weighs under it, rounded up.
    fn weigh(self, cost: u64) -> u64 {
        if self == Self::ONE {
            return cost;
        }
        let wide = (u128::from(cost) * 1_000).div_ceil(u128::from(self.0));
        u64::try_from(wide).unwrap_or(u64::MAX)
    }
}

/// A refusal, for the client ([`Fault`]) and for the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitEvent {
    /// The rule; empty where the store is lost.
    pub rule: Arc<str>,
    /// A stable name of what is spent: `requests`, `tokens`, `budget`, `concurrency`, `price`, or
    /// `store`.
    pub what: &'static str,
    /// When to come again.
    pub retry_after: Duration,
}

impl From<LimitEvent> for Fault {
    fn from(event: LimitEvent) -> Self {
        let rule = &event.rule;
        let (kind, code, message) = match event.what {
            "store" => (
                FaultKind::Unavailable,
                "limits_unavailable",
                "the store of limits cannot be reached".to_owned(),
            ),
            "price" => {
                let message =
                    format!("the model has no price, and the limit `{rule}` counts money");
                return Self::new(FaultKind::Forbidden, "model_not_priced", message);
            }
            "budget" => (
                FaultKind::TooManyRequests,
                "insufficient_quota",
                format!("the budget `{rule}` is spent"),
            ),
            "tokens" => (
                FaultKind::TooManyRequests,
                "token_limit_exceeded",
                format!("too many tokens for the limit `{rule}`"),
            ),
            "concurrency" => (
                FaultKind::TooManyRequests,
                "concurrency_limit_exceeded",
                format!("too many requests at a time for the limit `{rule}`"),
            ),
            _ => (
                FaultKind::TooManyRequests,
                "rate_limit_exceeded",
                format!("too many requests for the limit `{rule}`"),
            ),
        };
        Self::new(kind, code, message).retry_after(event.retry_after)
    }
}

struct Rule {
    name: Arc<str>,
    per: Per,
    fallback: bool,
    keys: Vec<String>,
    teams: Vec<String>,
    tenants: Vec<String>,
    models: Vec<String>,
    measures: Vec<Measure>,
    concurrency: Option<u32>,
}

/// One counter of a rule.
#[derive(Clone, Copy, Debug)]
struct Measure {
    /// Its place in the names of counters; never changed.
    label: &'static str,
    unit: Unit,
    span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Requests,
    Tokens,
    /// Millionths of a dollar.
    Money,
}

#[derive(Clone, Copy, Debug)]
enum Span {
    Rate(Bucket),
    Budget(Period, u64),
}

impl Measure {
    const fn what(self) -> &'static str {
        match (self.unit, self.span) {
            (_, Span::Budget(..)) => "budget",
            (Unit::Tokens, _) => "tokens",
            _ => "requests",
        }
    }
}

impl Limits {
    /// The limits of `config`, whose [`mistakes`](LimitsConfig::mistakes) are none, over `store`.
    /// While it is lost, `local` counts, if there is one. `name_key` hides who asks from those who
    /// can read the store; it is the same in all replicas ([`crate::secrets::Purpose::LimitNames`]).
    #[must_use]
    pub fn new(
        config: &LimitsConfig,
        store: Arc<dyn LimitStore>,
        local: Option<Arc<MemoryStore>>,
        name_key: &Secret<[u8; 32]>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            rules: rules(config),
            prices: PriceTable::new(&config.prices),
            unpriced_models_are_free: config.unpriced_models_are_free,
            assumed_output_tokens: config.assumed_output_tokens,
            store,
            fallback: local,
            running: Arc::default(),
            names: hmac::Key::new(hmac::HMAC_SHA256, name_key.expose()),
            clock,
            saved: None,
        }
    }

    /// The limits of another configuration, whose mistakes are none, over the same counters: a rule
    /// that keeps its name goes on where it was. Which store counts does not change.
    #[must_use]
    pub fn renewed(&self, config: &LimitsConfig) -> Self {
        Self {
            rules: rules(config),
            prices: PriceTable::new(&config.prices),
            unpriced_models_are_free: config.unpriced_models_are_free,
            assumed_output_tokens: config.assumed_output_tokens,
            store: Arc::clone(&self.store),
            fallback: self.fallback.clone(),
            running: Arc::clone(&self.running),
            names: self.names.clone(),
            clock: Arc::clone(&self.clock),
            saved: self.saved.clone(),
        }
    }

    /// Whether `config` asks to count in this process while its store is lost.
    #[must_use]
    pub(super) const fn counts_locally(config: &LimitsConfig) -> bool {
        use super::{LostStore, StoreConfig::Redis};
        matches!(
            config.store,
            Redis {
                when_lost: LostStore::Local,
                ..
            }
        )
    }

    /// What models cost.
    #[must_use]
    pub const fn prices(&self) -> &PriceTable {
        &self.prices
    }

    /// Charges what a request may cost, all or nothing, before it is sent.
    ///
    /// # Errors
    /// When a limit is spent, or the store is lost and there is no other.
    pub async fn admit(self: &Arc<Self>, asked: &Asked<'_>) -> Result<Admission, LimitEvent> {
        let mut admission = Admission {
            limits: Arc::clone(self),
            charges: Vec::new(),
            slots: Vec::new(),
            model: asked.model.into(),
            factor: asked.factor,
            local: false,
        };
        let estimate = Usage {
            input_tokens: asked.input_tokens,
            output_tokens: asked
                .max_output_tokens
                .unwrap_or(self.assumed_output_tokens),
            cached_input_tokens: 0,
        };
        let now_ms = self.clock.unix_ms();
        // By index into `admission.charges`: what to say if it is refused.
        let mut whose: Vec<(&Rule, Measure)> = Vec::new();
        for rule in self.rules_for(asked) {
            let subject = rule.subject(asked);
            if let Some(most) = rule.concurrency {
                let slot = self.name(rule, "running", &subject, 0);
                if !self.take_slot(slot, most) {
                    return Err(rule.refuse("concurrency", Duration::from_secs(1)));
                }
                admission.slots.push(slot);
            }
            for measure in &rule.measures {
                let money = self.prices.cost(asked.model, estimate);
                let cost = match (measure.unit, money) {
                    (Unit::Requests, _) => 1,
                    (Unit::Tokens, _) => estimate.tokens(),
                    (Unit::Money, Some(money)) => money,
                    (Unit::Money, None) if self.unpriced_models_are_free => 0,
                    (Unit::Money, None) => return Err(rule.refuse("price", Duration::ZERO)),
                };
                let (kind, cost, period) = match measure.span {
                    Span::Rate(bucket) => (ChargeKind::Rate(bucket), asked.factor.weigh(cost), 0),
                    Span::Budget(period, max) => {
                        let ends_ms = period.ends_ms(now_ms);
                        (ChargeKind::Budget { max, ends_ms }, cost, ends_ms)
                    }
                };
                let name = self.name(rule, measure.label, &subject, period);
                admission
                    .charges
                    .push((Charge { name, kind, cost }, measure.unit));
                whose.push((rule, *measure));
            }
        }
        let charges: Vec<Charge> = admission
            .charges
            .iter()
            .map(|(charge, _)| *charge)
            .collect();
        let outcome = match (self.store.charge(&charges).await, &self.fallback) {
            (Ok(outcome), _) => Ok(outcome),
            (Err(_), Some(local)) => {
                admission.local = true;
                local.charge_now(&charges)
            }
            (Err(lost), None) => Err(lost),
        };
        match outcome {
            Ok(Outcome::Charged) => Ok(admission),
            Ok(Outcome::Refused { index, wait_ms }) => {
                let after = Duration::from_millis(wait_ms.max(1));
                Err(whose
                    .get(index)
                    .map_or_else(lost, |(rule, measure)| rule.refuse(measure.what(), after)))
            }
            Err(_) => Err(lost()),
        }
    }

    /// The rules that apply; fallback ones only where no other does.
    fn rules_for<'a>(&'a self, asked: &'a Asked<'_>) -> impl Iterator<Item = &'a Rule> {
        let own = self
            .rules
            .iter()
            .any(|rule| !rule.fallback && rule.applies(asked));
        self.rules
            .iter()
            .filter(move |rule| rule.fallback != own && rule.applies(asked))
    }

    /// The 128-bit name of a counter.
    fn name(&self, rule: &Rule, label: &str, [first, second]: &[&str; 2], period: u64) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.names);
        for part in [&*rule.name, label, first, second] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        context.update(&period.to_be_bytes());
        let tag = context.sign();
        tag.as_ref().first_chunk().copied().unwrap_or_default()
    }

    fn take_slot(&self, slot: [u8; 16], most: u32) -> bool {
        let mut running = self.running.lock();
        let now = running.entry(slot).or_default();
        let free = *now < most;
        if free {
            *now += 1;
        }
        // A limit of 0 would leave an empty entry behind; configuration refuses it.
        free
    }

    fn free_slot(&self, slot: [u8; 16]) {
        let mut running = self.running.lock();
        if let Some(now) = running.get_mut(&slot) {
            *now -= 1;
            if *now == 0 {
                running.remove(&slot);
            }
        }
    }
}

/// The rules of a configuration, its preset first.
fn rules(config: &LimitsConfig) -> Vec<Rule> {
    let preset = config.preset.rate().map(|rate| LimitRule {
        name: "preset".to_owned(),
        fallback: true,
        requests: Some(rate),
        ..LimitRule::default()
    });
    preset.iter().chain(&config.rules).map(Rule::new).collect()
}

fn lost() -> LimitEvent {
    LimitEvent {
        rule: "".into(),
        what: "store",
        retry_after: Duration::from_secs(1),
    }
}

impl Rule {
    fn new(rule: &LimitRule) -> Self {
        use Period::{Day, Month};
        use Unit::{Money, Requests, Tokens};
        let rate = |rate: Option<super::Rate>| rate.map(|rate| Span::Rate(rate.bucket()));
        let budget = |period, max: Option<u64>| max.map(|max| Span::Budget(period, max));
        let money = |dollars: Option<super::Dollars>| dollars.map(super::Dollars::micros);
        let measures = [
            ("requests", Requests, rate(rule.requests)),
            ("tokens", Tokens, rate(rule.tokens)),
            (
                "requests-per-day",
                Requests,
                budget(Day, rule.requests_per_day),
            ),
            (
                "requests-per-month",
                Requests,
                budget(Month, rule.requests_per_month),
            ),
            ("tokens-per-day", Tokens, budget(Day, rule.tokens_per_day)),
            (
                "tokens-per-month",
                Tokens,
                budget(Month, rule.tokens_per_month),
            ),
            ("cost-per-day", Money, budget(Day, money(rule.cost_per_day))),
            (
                "cost-per-month",
                Money,
                budget(Month, money(rule.cost_per_month)),
            ),
        ];
        let measure = |(label, unit, span): (_, _, Option<Span>)| {
            span.map(|span| Measure { label, unit, span })
        };
        Self {
            name: rule.name.as_str().into(),
            per: rule.per,
            fallback: rule.fallback,
            keys: rule.keys.clone(),
            teams: rule.teams.clone(),
            tenants: rule.tenants.clone(),
            models: rule.models.clone(),
            measures: measures.into_iter().filter_map(measure).collect(),
            concurrency: rule.concurrency,
        }
    }

    fn applies(&self, asked: &Asked<'_>) -> bool {
        let principal = asked.principal;
        among(&self.keys, &principal.id)
            && among(&self.teams, &principal.team)
            && among(&self.tenants, &principal.tenant)
            && among(&self.models, asked.model)
    }

    /// Whose counter it is. Tagged, so that a team cannot be taken for a key of the same name.
    fn subject<'a>(&self, asked: &Asked<'a>) -> [&'a str; 2] {
        let principal = asked.principal;
        match self.per {
            Per::Team if !principal.team.is_empty() => ["team", &principal.team],
            Per::Tenant if !principal.tenant.is_empty() => ["tenant", &principal.tenant],
            Per::Key | Per::Team | Per::Tenant => ["key", &principal.id],
            Per::Model => ["model", asked.model],
            Per::KeyAndModel => [asked.model, &principal.id],
            Per::Everyone => ["", ""],
        }
    }

    fn refuse(&self, what: &'static str, retry_after: Duration) -> LimitEvent {
        LimitEvent {
            rule: Arc::clone(&self.name),
            what,
            retry_after,
        }
    }
}

fn among(names: &[String], name: &str) -> bool {
    names.is_empty()
        || names.iter().any(|allowed| {
            allowed
                .strip_suffix('*')
                .map_or_else(|| allowed == name, |start| name.starts_with(start))
        })
}

/// A request that was let in. Frees its places among running requests when dropped; what it was
/// charged stays charged unless it is settled.
#[must_use = "a request that is not settled is charged what it might have cost"]
pub struct Admission {
    limits: Arc<Limits>,
    charges: Vec<(Charge, Unit)>,
    slots: Vec<[u8; 16]>,
    model: Box<str>,
    factor: Factor,
    local: bool,
}

impl Admission {
    /// Whether it was counted in this process because the store is lost.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        self.local
    }

    /// What `usage` costs in millionths of a dollar; nothing for a model without a price.
    #[must_use]
    pub fn cost(&self, usage: Usage) -> Option<u64> {
        self.limits.prices.cost(&self.model, usage)
    }

    /// Corrects the charges to what the request did cost; gives that cost in millionths of a
    /// dollar, nothing for a model without a price. A refused request was cost `Usage::default()`:
    /// it stays counted as a request.
    pub async fn settle(self, usage: Usage) -> Option<u64> {
        let money = self.cost(usage);
        let adjust = |(charge, unit): &(Charge, Unit)| {
            let actual = match unit {
                Unit::Requests => return None,
                Unit::Tokens => usage.tokens(),
                Unit::Money => money.unwrap_or(0),
            };
            let actual = match charge.kind {
                ChargeKind::Rate(_) => self.factor.weigh(actual),
                ChargeKind::Budget { .. } => actual,
            };
            (actual != charge.cost).then_some(Adjustment {
                name: charge.name,
                kind: charge.kind,
                charged: charge.cost,
                actual,
            })
        };
        let adjustments: Vec<Adjustment> = self.charges.iter().filter_map(adjust).collect();
        if !adjustments.is_empty() {
            match &self.limits.fallback {
                Some(local) if self.local => local.adjust_now(&adjustments),
                // Lost in between: what was charged, which is the most it could be, stands.
                _ => drop(self.limits.store.adjust(&adjustments).await),
            }
        }
        money
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        for slot in self.slots.drain(..) {
            self.limits.free_slot(slot);
        }
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Admission({} charges)", self.charges.len())
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Limits({} rules over {:?})",
            self.rules.len(),
            self.store
        )
    }
}
