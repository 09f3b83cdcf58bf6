use std::fmt::Debug;

use futures_util::future::BoxFuture;

pub use super::gcra::Bucket;

/// Where counters lie.
///
/// Names are 128-bit keyed hashes: a store that others can read says nothing about who asks.
pub trait LimitStore: Debug + Send + Sync + 'static {
    /// Makes every charge, or none if one does not fit.
    fn charge<'a>(&'a self, charges: &'a [Charge]) -> BoxFuture<'a, Result<Outcome, StoreFailed>>;

    /// Corrects charges that were made; never refused.
    fn adjust<'a>(
        &'a self,
        adjustments: &'a [Adjustment],
    ) -> BoxFuture<'a, Result<(), StoreFailed>>;
}

/// One charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The counter.
    pub name: [u8; 16],
    /// What kind of counter it is.
    pub kind: ChargeKind,
    /// How much is charged.
    pub cost: u64,
}

/// What kind of counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeKind {
    /// A bucket that refills.
    Rate(Bucket),
    /// A sum until a moment.
    Budget {
        /// The most that may be used, below 2^53.
        max: u64,
        /// When it ends, in milliseconds since 1970. Another period has another name.
        ends_ms: u64,
    },
}

/// A correction of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// The counter.
    pub name: [u8; 16],
    /// What kind of counter it is.
    pub kind: ChargeKind,
    /// How much was charged.
    pub charged: u64,
    /// How much it should have been.
    pub actual: u64,
}

/// What became of charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All were made.
    Charged,
    /// None was made.
    Refused {
        /// Which one did not fit; the one that takes longest, if several.
        index: usize,
        /// Milliseconds until it would fit, rounded up.
        wait_ms: u64,
    },
}

/// The store cannot be reached, or is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store of limits cannot be used")]
pub struct StoreFailed;
