//! The most probable labels of a phrase, and how probable they are.
//!
//! A linear-chain conditional random field (Lafferty, McCallum, Pereira 2001): Viterbi for the
//! labels, the forward-backward algorithm for their probabilities.

use std::ops::Range;

use super::{
    NameKind,
    gazetteer::listed,
    model::{LABELS, Model},
    phrase::Phrase,
    token::{Class, Token, shape},
};

/// Log-odds that a person none of whose names is listed loses: institutions and nouns with capitals
/// in languages with few ordinary texts to learn from.
const UNLISTED: f32 = 2.5;

/// Log-odds that a person loses in scripts whose words show nothing by a capital.
const CASELESS: f32 = 1.0;

/// Tokens of a phrase that are one name or place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entity {
    pub(super) kind: NameKind,
    /// Tokens of the phrase.
    pub(super) tokens: Range<usize>,
    /// Calibrated probability.
    pub(super) confidence: f32,
}

/// What a label stands for, and whether it begins something.
const fn meaning(label: usize) -> Option<(NameKind, bool)> {
    match label {
        1 => Some((NameKind::Person, true)),
        2 => Some((NameKind::Person, false)),
        3 => Some((NameKind::Address, true)),
        4 => Some((NameKind::Address, false)),
        5 => Some((NameKind::Location, true)),
        6 => Some((NameKind::Location, false)),
        7 => Some((NameKind::Organization, false)),
        _ => None,
    }
}

/// Memory that is used again from phrase to phrase.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    scores: Vec<[i16; LABELS]>,
    back: Vec<[u8; LABELS]>,
    labels: Vec<u8>,
    emitted: Vec<[f32; LABELS]>,
    chances: Vec<[f32; LABELS]>,
}

/// The entities among the tokens `range` of `phrase`.
pub(super) fn entities(
    phrase: &Phrase,
    range: Range<usize>,
    model: &Model<'_>,
    scratch: &mut Scratch,
) -> Vec<Entity> {
    scratch.scores.clear();
    scratch
        .scores
        .extend(range.clone().map(|at| emission(phrase, at, model)));
    viterbi(model, scratch);
    if scratch.labels.iter().all(|&label| label == 0) {
        return Vec::new();
    }
    marginals(model, scratch);
    let mut found: Vec<Entity> = Vec::new();
    for (at, (&label, chance)) in scratch.labels.iter().zip(&scratch.chances).enumerate() {
        let label = usize::from(label);
        let Some((kind, begins)) = meaning(label) else {
            continue;
        };
        let token = range.start + at;
        let chance = chance.get(label).copied().unwrap_or(0.0);
        match found.last_mut() {
            Some(last) if !begins && last.kind == kind && last.tokens.end == token => {
                last.tokens.end += 1;
                last.confidence = last.confidence.min(chance);
            }
            _ => found.push(Entity {
                kind,
                tokens: token..token + 1,
                confidence: chance,
            }),
        }
    }
    for entity in &mut found {
        let tokens = phrase.tokens().get(entity.tokens.clone());
        let tokens = tokens.unwrap_or_default();
        let listed = |token: &Token| token.listed & (listed::FIRST | listed::LAST) != 0;
        let caseless =
            |token: &Token| token.class == Class::Ideograph || token.shape == shape::CASELESS;
        let doubt = match entity.kind {
            NameKind::Person if tokens.iter().any(caseless) => CASELESS,
            NameKind::Person if !tokens.iter().any(listed) => UNLISTED,
            _ => 0.0,
        };
        entity.confidence = calibrated(entity.confidence, entity.kind, doubt, model);
    }
    found
}

/// Platt's sigmoid over the log-odds of the least certain token.
fn calibrated(chance: f32, kind: NameKind, doubt: f32, model: &Model<'_>) -> f32 {
    let (slope, offset) = model
        .calibration
        .get(kind as usize)
        .copied()
        .unwrap_or((1.0, 0.0));
    let chance = chance.clamp(1e-6, 1.0 - 1e-6);
    let odds = slope * (chance / (1.0 - chance)).ln() + offset - doubt;
    1.0 / (1.0 + (-odds).exp())
}

#[inline]
fn emission(phrase: &Phrase, at: usize, model: &Model<'_>) -> [i16; LABELS] {
    let mut scores = [0; LABELS];
    for &feature in phrase.features(at).as_slice() {
        model.add_row(feature, &mut scores);
    }
    scores
}

#[expect(
    clippy::indexing_slicing,
    reason = "arrays and loops are `LABELS` long; iterators are not always inlined here"
)]
fn viterbi(model: &Model<'_>, scratch: &mut Scratch) {
    let Scratch {
        scores,
        back,
        labels,
        ..
    } = scratch;
    let mut best = [0_i32; LABELS];
    back.clear();
    for (at, emitted) in scores.iter().enumerate() {
        let mut next = [i32::MIN / 2; LABELS];
        let mut from = [0_u8; LABELS];
        if at == 0 {
            next = model.transitions[LABELS].map(i32::from);
        } else {
            let mut row = 0;
            while row < LABELS {
                let mut to = 0;
                while to < LABELS {
                    let total = best[row].wrapping_add(i32::from(model.transitions[row][to]));
                    let better = total > next[to];
                    next[to] = if better { total } else { next[to] };
                    from[to] = if better { row as u8 } else { from[to] };
                    to += 1;
                }
                row += 1;
            }
        }
        for (score, &own) in next.iter_mut().zip(emitted) {
            *score = score.wrapping_add(i32::from(own));
        }
        best = next;
        back.push(from);
    }
    let mut label = best
        .iter()
        .enumerate()
        .max_by_key(|&(at, &score)| (score, std::cmp::Reverse(at)))
        .map_or(0, |(at, _)| at);
    labels.clear();
    labels.resize(scores.len(), 0);
    for (place, from) in labels.iter_mut().zip(back).rev() {
        *place = label as u8;
        label = from.get(label).map_or(0, |&l| usize::from(l));
    }
}

/// The probability of each label of each token.
fn marginals(model: &Model<'_>, scratch: &mut Scratch) {
    let Scratch {
        scores,
        emitted,
        chances: forward,
        ..
    } = scratch;
    let factors = &model.factors;
    emitted.clear();
    emitted.extend(scores.iter().map(|row| {
        let top = row.iter().copied().max().unwrap_or(0);
        let mut own = [0.0; LABELS];
        for (chance, score) in own.iter_mut().zip(row) {
            let below = usize::from(top.abs_diff(*score));
            *chance = model.decay.get(below).copied().unwrap_or(0.0);
        }
        own
    }));
    forward.clear();
    for own in &*emitted {
        let mut row = match (forward.last(), factors.last()) {
            (None, Some(start)) => *start,
            (Some(last), _) => spread(last, factors),
            (None, None) => [1.0; LABELS],
        };
        times(&mut row, own);
        forward.push(normal(row));
    }
    let mut after = [1.0; LABELS];
    for (row, own) in forward.iter_mut().zip(emitted).rev() {
        times(row, &after);
        *row = normal(*row);
        let mut later = *own;
        times(&mut later, &after);
        let mut before = [0.0; LABELS];
        for (sum, factor) in before.iter_mut().zip(factors) {
            *sum = factor.iter().zip(&later).map(|(f, l)| f * l).sum();
        }
        after = normal(before);
    }
}

fn spread(last: &[f32; LABELS], factors: &[[f32; LABELS]; LABELS + 1]) -> [f32; LABELS] {
    let mut row = [0.0; LABELS];
    for (chance, factor) in last.iter().zip(factors) {
        for (sum, f) in row.iter_mut().zip(factor) {
            *sum += chance * f;
        }
    }
    row
}

fn times(row: &mut [f32; LABELS], by: &[f32; LABELS]) {
    for (value, factor) in row.iter_mut().zip(by) {
        *value *= factor;
    }
}

fn normal(row: [f32; LABELS]) -> [f32; LABELS] {
    let sum: f32 = row.iter().sum();
    if sum > 0.0 {
        let mut row = row;
        row.iter_mut().for_each(|value| *value /= sum);
        row
    } else {
        row
    }
}
