//! Requests, tokens, and money per key, team, and model.
//!
//! Rates are buckets that refill steadily (the generic cell rate algorithm of ITU-T I.371), budgets
//! are sums per UTC day or month, and both are keyed by principal, never by address. A request is
//! charged what it may cost before it is sent ([`Limits::admit`]) and what it did cost after
//! ([`Admission::settle`]). All charges of a request are made together or not at all.
//!
//! The counters lie in a [`LimitStore`]: in memory, or in Redis/Valkey so that replicas share them.

mod admission;
mod config;
mod gcra;
mod library;
mod memory;
mod open;
mod period;
mod persist;
mod price;
mod redis;
mod store;

pub use admission::{Admission, Asked, Factor, LimitEvent, Limits, Usage};
pub use config::{Dollars, LimitRule, LimitsConfig, LostStore, Per, Preset, Rate, StoreConfig};
pub use library::{Decision, UserLimits, rate_limit};
pub use memory::MemoryStore;
pub use open::{LimitParts, LimitsError};
pub use price::{PriceConfig, PriceTable};
pub use redis::RedisStore;
pub use store::{Adjustment, Bucket, Charge, ChargeKind, LimitStore, Outcome, StoreFailed};
