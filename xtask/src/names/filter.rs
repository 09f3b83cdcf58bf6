//! Trains the first filter: a logistic regression over six hashed features of a word.

use std::collections::HashSet;

use bartizan_text::names::{
    Model, NameKind,
    candidate::{self, CandidateFeatures, CandidateKind},
    gazetteer::listed,
    model::{COMMON, SCALE, bucket},
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
}

struct Case {
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
        candidate::candidates(&example.text, |piece| {
            let Some(found) = candidate::describe(&example.text, piece, model) else {
                return;
            };
            let span = example
                .spans
                .iter()
                .find(|(range, _)| range.contains(&piece.start));
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
                place,
                kind: found.kind,
                slots: slots(&found.features),
                inside,
                listed: known,
            });
        });
    }
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
    let mut stored: Vec<i8> = weights
        .iter()
        .map(|w| (w * SCALE).round().clamp(-120.0, 120.0) as i8)
        .collect();
    let mut touched = vec![(0_u32, 0_u32); SIZE];
    for case in &cases {
        for (index, &slot) in case.slots.iter().enumerate() {
            if let Some(count) = touched.get_mut(slot) {
                if case.inside {
                    count.0 += 1;
                } else if index == 0 && !case.listed {
                    count.1 += 1;
                }
            }
        }
    }
    for (weight, (inside, outside)) in stored.iter_mut().zip(touched) {
        if inside == 0 && outside >= COMMON_AFTER {
            *weight = COMMON;
        }
    }
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
            let own = case.slots.first().and_then(|&s| stored.get(s)).copied().unwrap_or(0);
            let near = own != COMMON && sum(case.slots.get(..2).unwrap_or_default()) >= alone;
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
    }
}

fn slots(features: &CandidateFeatures) -> [usize; 6] {
    features.map(|feature| bucket(feature, SIZE))
}
