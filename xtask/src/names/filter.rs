//! Trains the first filter: everyday words, then a logistic regression over six hashed features of
//! a word.

use std::collections::{HashMap, HashSet};

use bartizan_text::names::{
    Model, NameKind,
    candidate::{self, CandidateFeatures, CandidateKind},
    gazetteer::listed,
    model::{SCALE, bucket},
};

use super::data::{Example, Labelling, names_someone};

/// Weights of the filter, a power of two.
const SIZE: usize = 1 << 17;
/// Share of the words of names that may be lost, with capitals, without case, ideographs: a
/// phrase needs only one that passes.
const LOSSES: [(CandidateKind, f64); 3] = [
    (CandidateKind::Cased, 0.01),
    (CandidateKind::Caseless, 0.02),
    (CandidateKind::Ideograph, 0.12),
];
/// Times that a word must have been seen outside names to be dropped on sight.
const COMMON_AFTER: u32 = 5;

/// A trained filter.
pub(super) struct Filter {
    pub(super) weights: Vec<i8>,
    pub(super) thresholds: [[i32; 2]; 3],
    /// Words that no name begins with.
    pub(super) everyday: Vec<u32>,
}

struct Case {
    id: u32,
    place: bool,
    kind: CandidateKind,
    slots: [usize; 6],
    inside: bool,
    listed: bool,
}

/// Trains on the candidates of every text.
pub(super) fn train(examples: &[Example], model: &Model<'_>, everyday: &HashSet<u32>) -> Filter {
    let mut cases = Vec::new();
    for example in examples {
        candidate::candidates(&example.text, |word| {
            let Some(found) = candidate::describe(&example.text, word, model) else {
                return;
            };
            let span = example
                .spans
                .iter()
                .find(|(range, _)| range.contains(&word.piece.start));
            let known = names_someone(found.listed) && !everyday.contains(&found.features[0]);
            let country = known
                && found.listed & listed::COUNTRY != 0
                && found.listed & (listed::FIRST | listed::LAST) == 0;
            let unlabelled_country = example.labelling == Labelling::None && country;
            if example.labelling != Labelling::Full && span.is_none() && known && !country {
                return;
            }
            let place =
                unlabelled_country || span.is_some_and(|(_, kind)| *kind == NameKind::Location);
            let inside = span.is_some() || unlabelled_country;
            cases.push(Case {
                id: word.id,
                place,
                kind: found.kind,
                slots: slots(&found.features),
                inside,
                listed: known,
            });
        });
    }
    let common = common_words(&cases, model, everyday);
    cases.retain(|case| !common.contains(&case.id));
    let mut weights = vec![0.0_f32; SIZE];
    let mut squares = vec![1e-6_f32; SIZE];
    let mut order: Vec<usize> = (0..cases.len()).collect();
    for epoch in 0..4 {
        super::field::shuffle(&mut order, 11 + epoch);
        for case in order.iter().filter_map(|&at| cases.get(at)) {
            let sum: f32 = case.slots.iter().filter_map(|&s| weights.get(s)).sum();
            let chance = 1.0 / (1.0 + (-sum).exp());
            // Losing a name costs more than looking at a word in vain.
            let error = if case.inside {
                3.0 * (1.0 - chance)
            } else {
                -chance
            };
            for &slot in &case.slots {
                if let (Some(w), Some(s)) = (weights.get_mut(slot), squares.get_mut(slot)) {
                    *s += error * error;
                    *w += 0.15 * error / s.sqrt() - 1e-5 * *w;
                }
            }
        }
    }
    let stored: Vec<i8> = weights
        .iter()
        .map(|w| (w * SCALE).round().clamp(-127.0, 127.0) as i8)
        .collect();
    let sum = |slots: &[usize]| -> i32 {
        slots
            .iter()
            .filter_map(|&s| stored.get(s))
            .map(|&w| i32::from(w))
            .sum()
    };
    let thresholds = LOSSES.map(|(kind, loss)| {
        let least = |count: usize, share: f64| {
            let quantile = |share: f64, places: bool| {
                let chosen = cases.iter().filter(|c| c.inside && c.kind == kind && (c.place || !places));
                let mut sums: Vec<i32> = chosen.map(|c| sum(c.slots.get(..count).unwrap_or_default())).collect();
                sums.sort_unstable();
                sums.get((sums.len() as f64 * share) as usize).copied().unwrap_or(i32::MAX)
            };
            quantile(share, false).min(quantile(6.0 * share, true))
        };
        let [alone, all] = [least(2, loss * 0.5), least(6, loss)];
        let (mut others, mut looked, mut passed) = (0, 0, 0);
        for case in cases.iter().filter(|c| !c.inside && c.kind == kind) {
            let near = sum(case.slots.get(..2).unwrap_or_default()) >= alone;
            others += 1;
            looked += u32::from(near);
            passed += u32::from(near && sum(&case.slots) >= all);
        }
        println!("filter {kind:?}: thresholds {alone} and {all}; of {others} words outside names {looked} are looked at, {passed} pass");
        [alone, all]
    });
    Filter {
        weights: stored,
        thresholds,
        everyday: {
            let mut words: Vec<u32> = common.into_iter().collect();
            words.sort_unstable();
            words
        },
    }
}

/// Words that never stood in a name: seen outside often enough, or written small as a rule.
fn common_words(cases: &[Case], model: &Model<'_>, everyday: &HashSet<u32>) -> HashSet<u32> {
    let mut counts: HashMap<u32, (u32, u32)> = HashMap::new();
    for case in cases.iter().filter(|c| c.kind == CandidateKind::Cased) {
        let count = counts.entry(case.id).or_default();
        if case.inside {
            count.0 += 1;
        } else if !case.listed {
            count.1 += 1;
        }
    }
    let never = |id: &u32| counts.get(id).is_none_or(|count| count.0 == 0);
    let seen = counts.iter().filter(|(_, count)| count.1 >= COMMON_AFTER);
    let small = everyday
        .iter()
        .filter(|&&id| !names_someone(model.gazetteer().flags(id)));
    seen.map(|(id, _)| id)
        .chain(small)
        .filter(|&id| never(id))
        .copied()
        .collect()
}

fn slots(features: &CandidateFeatures) -> [usize; 6] {
    features.map(|feature| bucket(feature, SIZE))
}
