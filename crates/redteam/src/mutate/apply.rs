use bartizan_measure::SplitMix;

use super::{Apply, Chain, Mutator};
use crate::Turn;

/// Most bytes of a disguised turn; what grows beyond is not tried.
const MAX_BYTES: usize = 1 << 20;

impl Chain {
    /// The turns disguised; `payload` is the number of the attacker's turn. A mutator that finds
    /// nothing to change is passed over; `None` if all of them do, or the text grows beyond 1 MiB.
    #[must_use]
    pub fn apply(
        &self,
        turns: Vec<Turn>,
        payload: usize,
        random: &mut SplitMix,
    ) -> Option<Vec<Turn>> {
        let mut turns = turns;
        let mut payload = payload;
        let mut is_changed = self.mutators.is_empty();
        for mutator in &self.mutators {
            let behind = turns.len().saturating_sub(payload);
            if let Some(new) = mutator.run(&turns, payload, random) {
                // Turns are added before the attacker's; those behind it stay.
                payload = new.len().saturating_sub(behind);
                turns = new;
                is_changed = true;
            }
            if turns.iter().any(|turn| turn.text.len() > MAX_BYTES) {
                return None;
            }
        }
        is_changed.then_some(turns)
    }
}

impl Mutator {
    fn run(&self, turns: &[Turn], payload: usize, random: &mut SplitMix) -> Option<Vec<Turn>> {
        let text = &turns.get(payload)?.text;
        let new = match self.apply {
            Apply::Text(apply) => apply(text)?,
            Apply::Random(apply) => apply(text, random)?,
            Apply::Turns(apply) => return apply(turns.to_vec(), payload),
        };
        let mut turns = turns.to_vec();
        turns.get_mut(payload)?.text = new;
        Some(turns)
    }
}
