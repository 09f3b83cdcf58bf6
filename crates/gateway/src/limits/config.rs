use std::{borrow::Cow, collections::BTreeMap, fmt, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use super::{PriceConfig, gcra::Bucket};
use crate::secrets::SecretRef;

/// Rates and budgets: the `limits` block of `bartizan.yaml`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LimitsConfig {
    /// Where counters lie; in memory by default.
    pub store: StoreConfig,
    /// What holds for a key to which no rule below applies.
    pub preset: Preset,
    /// Rules; all that apply to a request hold at once.
    pub rules: Vec<LimitRule>,
    /// What models cost, by name; a name may end with `*`.
    pub prices: BTreeMap<String, PriceConfig>,
    /// Let models without a price pass where a budget of money applies. They count as free; else
    /// they are refused.
    pub unpriced_models_are_free: bool,
    /// How many tokens an answer is taken to have beforehand where the request does not say.
    pub assumed_output_tokens: u64,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            store: StoreConfig::default(),
            preset: Preset::default(),
            rules: Vec::new(),
            prices: BTreeMap::new(),
            unpriced_models_are_free: false,
            assumed_output_tokens: 1_024,
        }
    }
}

/// A ready-made limit, per principal and never per address.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
pub enum Preset {
    /// 100 requests in 60 seconds.
    #[default]
    #[serde(rename = "100/60s")]
    PerMinute,
    /// 100 requests in 60 minutes.
    #[serde(rename = "100/60min")]
    PerHour,
    /// No limit but those of rules.
    #[serde(rename = "none")]
    None,
}

impl Preset {
    /// The rate; nothing for none.
    #[must_use]
    pub const fn rate(self) -> Option<Rate> {
        let seconds = match self {
            Self::PerMinute => 60,
            Self::PerHour => 3_600,
            Self::None => return None,
        };
        Some(Rate {
            amount: 100,
            window: Duration::from_secs(seconds),
        })
    }
}

/// Where counters lie.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum StoreConfig {
    /// In this process. They are saved to the database, so that a restart keeps them; replicas do
    /// not share them.
    #[serde(rename_all = "kebab-case")]
    Memory {
        /// How many counters at most, about 60 bytes each; a request that needs one more is
        /// refused.
        #[serde(default = "max_counters")]
        max_counters: usize,
        /// Seconds between saves; a crash forgets what was counted since the last.
        #[serde(default = "save_every_seconds")]
        save_every_seconds: u64,
    },
    /// In Redis 6.2 or later, or Valkey, shared by replicas.
    #[serde(rename_all = "kebab-case")]
    Redis {
        /// `redis://` or `rediss://`; with a password in it, a reference to where it lies.
        url: SecretRef,
        /// With what its keys begin.
        #[serde(default = "prefix")]
        prefix: String,
        /// Milliseconds to wait for it.
        #[serde(default = "timeout_ms")]
        timeout_ms: u64,
        /// What to do while it cannot be reached.
        #[serde(default)]
        when_lost: LostStore,
    },
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self::Memory {
            max_counters: max_counters(),
            save_every_seconds: save_every_seconds(),
        }
    }
}

fn max_counters() -> usize {
    1_000_000
}

fn save_every_seconds() -> u64 {
    5
}

fn prefix() -> String {
    "bartizan".to_owned()
}

fn timeout_ms() -> u64 {
    100
}

/// What to do while a shared store cannot be reached.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum LostStore {
    /// Refuse requests with 503.
    #[default]
    Closed,
    /// Count in this process: each replica then grants the whole limit.
    Local,
}

/// A rule: what holds for whom.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LimitRule {
    /// Its name, which clients see when it refuses; 1 to 64 characters, once. Counters go by it.
    pub name: String,
    /// What has a counter of its own.
    pub per: Per,
    /// Applies only where no rule without this does: the free tier.
    pub fallback: bool,
    /// Applies to these principals; a name may end with `*`; to all if empty.
    pub keys: Vec<String>,
    /// Applies to these teams.
    pub teams: Vec<String>,
    /// Applies to these tenants.
    pub tenants: Vec<String>,
    /// Applies to these models.
    pub models: Vec<String>,
    /// Requests, e.g. `100/60s`, `1000/1h`.
    pub requests: Option<Rate>,
    /// Tokens in and out, e.g. `100000/60s`.
    pub tokens: Option<Rate>,
    /// Requests per day, anew at midnight UTC.
    pub requests_per_day: Option<u64>,
    /// Requests per month, anew on the first, UTC.
    pub requests_per_month: Option<u64>,
    /// Tokens per day.
    pub tokens_per_day: Option<u64>,
    /// Tokens per month.
    pub tokens_per_month: Option<u64>,
    /// Money per day, in US dollars, e.g. `12.50`.
    pub cost_per_day: Option<Dollars>,
    /// Money per month, in US dollars.
    pub cost_per_month: Option<Dollars>,
    /// Requests at a time, in each replica.
    pub concurrency: Option<u32>,
}

/// What has a counter of its own.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// Each principal: a key, the subject of a token, a certificate.
    #[default]
    Key,
    /// Each team; principals without one each for themselves.
    Team,
    /// Each tenant; principals without one each for themselves.
    Tenant,
    /// Each model.
    Model,
    /// Each principal and model.
    KeyAndModel,
    /// All together.
    Everyone,
}

impl LimitsConfig {
    /// Every mistake, as the place in `limits` and what is wrong.
    #[must_use]
    pub fn mistakes(&self) -> Vec<(String, String)> {
        let mut mistakes = Vec::new();
        let mut names = std::collections::BTreeSet::from(["preset"]);
        for (index, rule) in self.rules.iter().enumerate() {
            let mut say = |at: &str, what: &str| {
                mistakes.push((format!("rules[{index}].{at}"), what.to_owned()));
            };
            if rule.name.is_empty() || rule.name.len() > 64 {
                say("name", "must have 1 to 64 characters");
            } else if !names.insert(&rule.name) {
                say("name", "stands twice, or is `preset`");
            }
            if rule.concurrency == Some(0) {
                say("concurrency", "would refuse every request");
            }
            if rule.is_empty() {
                say("name", "limits nothing");
            }
            let money = rule.cost_per_day.is_some() || rule.cost_per_month.is_some();
            if money && self.prices.is_empty() && !self.unpriced_models_are_free {
                say("cost-per-day", "limits money, but `prices` is empty");
            }
            for (at, budget) in [
                ("requests-per-day", rule.requests_per_day),
                ("requests-per-month", rule.requests_per_month),
                ("tokens-per-day", rule.tokens_per_day),
                ("tokens-per-month", rule.tokens_per_month),
            ] {
                if budget.is_some_and(|budget| budget > MOST) {
                    say(at, "must be at most 10^15");
                }
            }
        }
        match &self.store {
            StoreConfig::Memory {
                max_counters,
                save_every_seconds,
            } => {
                if *max_counters < 1_000 {
                    mistakes.push(("store.max-counters".into(), "must be at least 1000".into()));
                }
                if *save_every_seconds == 0 {
                    mistakes.push((
                        "store.save-every-seconds".into(),
                        "must be at least 1".into(),
                    ));
                }
            }
            StoreConfig::Redis { timeout_ms, .. } => {
                if !(1..=10_000).contains(timeout_ms) {
                    mistakes.push(("store.timeout-ms".into(), "must be 1 to 10000".into()));
                }
            }
        }
        mistakes
    }
}

impl LimitRule {
    fn is_empty(&self) -> bool {
        self.requests.is_none()
            && self.tokens.is_none()
            && self.requests_per_day.is_none()
            && self.requests_per_month.is_none()
            && self.tokens_per_day.is_none()
            && self.tokens_per_month.is_none()
            && self.cost_per_day.is_none()
            && self.cost_per_month.is_none()
            && self.concurrency.is_none()
    }
}

/// So many per window: `100/60s`. All may come at once; then they refill steadily.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many; 1 to 10^15.
    pub amount: u64,
    /// In what time; 1 second to 366 days.
    pub window: Duration,
}

/// Keeps every number that Redis' Lua adds below 2^53.
const MOST: u64 = 1_000_000_000_000_000;

impl Rate {
    /// The rate in `text`: an amount, `/`, and a time of a number and a unit out of `s`, `min`,
    /// `h`, and `d`; the number may be left out.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (amount, window) = text.split_once('/')?;
        let amount = amount.trim().replace('_', "").parse().ok()?;
        let window = window.trim();
        let digits = window.len()
            - window
                .trim_start_matches(|c: char| c.is_ascii_digit())
                .len();
        let (number, unit) = window.split_at_checked(digits)?;
        let number: u64 = if number.is_empty() {
            1
        } else {
            number.parse().ok()?
        };
        let seconds: u64 = match unit.trim() {
            "s" | "second" => 1,
            "min" | "m" | "minute" => 60,
            "h" | "hour" => 3_600,
            "d" | "day" => 86_400,
            _ => return None,
        };
        let window = number.checked_mul(seconds)?;
        let fits = (1..=MOST).contains(&amount) && (1..=366 * 86_400).contains(&window);
        fits.then_some(Self {
            amount,
            window: Duration::from_secs(window),
        })
    }

    pub(super) fn bucket(self) -> Bucket {
        let window_us = u64::try_from(self.window.as_micros()).unwrap_or(u64::MAX);
        Bucket {
            amount: self.amount.clamp(1, MOST),
            window_us: window_us.clamp(1, 366 * 86_400_000_000),
        }
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom("a rate is an amount, `/`, and a time, e.g. `100/60s` or `1000/1h`")
        })
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "so many per time",
            "pattern": "^[0-9_]+/[0-9]* ?(s|second|m|min|minute|h|hour|d|day)$",
            "examples": ["100/60s", "100/60min", "1000/1h"],
        })
    }
}

/// Money, in whole millionths of a US dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dollars(u64);

impl Dollars {
    /// The amount in `text`: digits with at most six after a point, at most 10^9.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > 6 {
            return None;
        }
        let whole: u64 = whole.parse().ok()?;
        let part: u64 = format!("{part:0<6}").parse().ok()?;
        (whole <= 1_000_000_000).then(|| Self(whole * 1_000_000 + part))
    }

    /// In millionths of a dollar.
    #[must_use]
    pub const fn micros(self) -> u64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Dollars;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("dollars with at most six digits after the point, e.g. `2.50`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Dollars, E> {
                Dollars::parse(text)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }

            fn visit_u64<E: de::Error>(self, whole: u64) -> Result<Dollars, E> {
                self.visit_str(&whole.to_string())
            }

            fn visit_i64<E: de::Error>(self, whole: i64) -> Result<Dollars, E> {
                self.visit_str(&whole.to_string())
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Dollars, E> {
                // The shortest text that is this number: what stood in the file.
                self.visit_str(&number.to_string())
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Dollars {
    fn schema_name() -> Cow<'static, str> {
        "Dollars".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "US dollars, at most six digits after the point",
            "oneOf": [
                { "type": "number", "minimum": 0, "maximum": 1_000_000_000 },
                { "type": "string", "pattern": "^[0-9]+(\\.[0-9]{1,6})?$" },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_rates() {
        let rate = |amount, seconds| Rate {
            amount,
            window: Duration::from_secs(seconds),
        };
        for (text, expected) in [
            ("100/60s", Some(rate(100, 60))),
            ("100/60min", Some(rate(100, 3_600))),
            ("1_000/h", Some(rate(1_000, 3_600))),
            ("5/1d", Some(rate(5, 86_400))),
            ("0/60s", None),
            ("100", None),
            ("100/", None),
            ("100/60", None),
            ("-1/60s", None),
            ("1/400d", None),
            ("1/99999999999999999999s", None),
        ] {
            assert_eq!(Rate::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn reads_dollars() {
        for (json, expected) in [
            ("2.5", Some(2_500_000)),
            ("\"0.000001\"", Some(1)),
            ("10", Some(10_000_000)),
            ("0.15", Some(150_000)),
            ("-1", None),
            ("\"1e3\"", None),
            ("\"0.0000001\"", None),
            ("\"\"", None),
            ("1e30", None),
        ] {
            let read: Option<Dollars> = serde_json::from_str(json).ok();
            assert_eq!(read.map(Dollars::micros), expected, "{json}");
        }
    }

    #[test]
    fn collects_every_mistake() {
        let config: LimitsConfig = serde_json::from_str(
            r#"{"rules":[{"name":"a"},{"name":"a","requests":"1/s"},
            {"name":"b","concurrency":0,"cost-per-day":1}],
            "store":{"kind":"memory","max-counters":1}}"#,
        )
        .unwrap();
        let places: Vec<String> = config.mistakes().into_iter().map(|(at, _)| at).collect();
        assert_eq!(
            places,
            [
                "rules[0].name",
                "rules[1].name",
                "rules[2].concurrency",
                "rules[2].cost-per-day",
                "store.max-counters"
            ]
        );
        assert!(LimitsConfig::default().mistakes().is_empty());
        assert!(serde_json::from_str::<LimitsConfig>(r#"{"rulez":[]}"#).is_err());
    }
}
