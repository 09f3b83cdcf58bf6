//! Searches with feedback.

use std::collections::BTreeMap;

use bartizan_core::Layer;

use super::v1::{AdaptiveRow, ChainCount, CurvePoint, Number};
use crate::{
    LayerSet,
    adaptive::{Hunt, Means, success_at},
};

/// A search and what it was against.
#[derive(Clone, Debug)]
pub struct Adaptive {
    /// The layers that were attacked; `None` for the whole.
    pub against: Option<LayerSet>,
    /// What the attacker could do.
    pub means: Means,
    /// What became of each goal.
    pub hunts: Vec<Hunt>,
}

/// Budgets at which a curve has points.
const BUDGETS: [u32; 11] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000];

/// Chains that a report lists.
const CHAINS: usize = 20;

impl From<&Adaptive> for AdaptiveRow {
    fn from(search: &Adaptive) -> Self {
        let budget = search.means.queries;
        let below = BUDGETS.into_iter().filter(|&queries| queries < budget);
        let curve = below
            .chain(std::iter::once(budget))
            .map(|queries| CurvePoint {
                queries,
                reached: success_at(&search.hunts, queries).map(Number::from),
            })
            .collect();
        let mut chains: BTreeMap<String, u64> = BTreeMap::new();
        for hunt in search.hunts.iter().filter(|hunt| hunt.reached_at.is_some()) {
            *chains.entry(hunt.chain.to_string()).or_default() += 1;
        }
        let mut chains: Vec<ChainCount> = chains
            .into_iter()
            .map(|(chain, goals)| ChainCount { chain, goals })
            .collect();
        chains.sort_by(|a, b| b.goals.cmp(&a.goals).then_with(|| a.chain.cmp(&b.chain)));
        chains.truncate(CHAINS);
        let against = match search.against {
            None => "all".to_owned(),
            Some(layers) => {
                let names: Vec<&str> = layers.iter().map(Layer::as_str).collect();
                names.join("+")
            }
        };
        Self {
            strategy: search.means.strategy.as_str().to_owned(),
            against,
            goals: search.hunts.len() as u64,
            budget,
            curve,
            chains,
        }
    }
}
