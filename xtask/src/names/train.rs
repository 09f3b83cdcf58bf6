//! Trains the weights: the filter, the field, the calibration.

use std::{collections::HashSet, fs};

use bartizan_text::names::{
    Model, NameKind, Names, NamesConfig, candidate,
    gazetteer::{Gazetteer, listed},
    model::{LABELS, Weights, row_of},
    phrase::{Phrase, stretches},
    token::{Class, Token, identity, shape},
};
use miette::IntoDiagnostic;

use super::{
    TrainArgs,
    data::{self, Example, Labelling, names_someone},
    field::{Field, ROWS, Sequence, Xorshift, shuffle},
    filter,
};

/// Slots of the gazetteer.
const SLOTS: usize = 1 << 17;
/// One in so many synthetic texts is kept back for the calibration.
const KEPT_BACK: usize = 12;

const NOTHING: u8 = 1;
const PERSON: u8 = 0b110;
const PLACE: u8 = 0b110_0000;
const ORGANIZATION: u8 = 0b1000_0000;

pub(super) fn run(args: &TrainArgs) -> miette::Result<()> {
    let mut synthetic = Vec::new();
    for directory in &args.synthetic {
        synthetic.extend(data::labelled(
            &directory.join("synthetic.jsonl"),
            Labelling::Full,
        )?);
    }
    let dev = data::labelled(
        &args.data.join("pii/dev.jsonl"),
        Labelling::PeopleAndAddresses,
    )?;
    let ordinary = data::ordinary(
        &args.data,
        &["injection/train-00.jsonl", "injection/train-01.jsonl"],
        true,
    )?;
    let everyday = data::everyday_words(&ordinary);
    let words = data::gazetteer(&args.synthetic)?;
    println!(
        "{} synthetic, {} labelled, {} ordinary texts; {} listed words, {} everyday words",
        synthetic.len(),
        dev.len(),
        ordinary.len(),
        words.len(),
        everyday.len()
    );
    let (kept_back, synthetic): (Vec<_>, Vec<_>) = synthetic
        .into_iter()
        .enumerate()
        .partition(|(at, _)| at % KEPT_BACK == 0);
    let synthetic: Vec<Example> = synthetic.into_iter().map(|(_, example)| example).collect();
    let (held_out, training): (Vec<_>, Vec<_>) = dev.iter().cloned().partition(data::is_held_out);

    let mut known: Vec<Example> = training
        .into_iter()
        .chain(synthetic)
        .chain(ordinary)
        .collect();
    let mut weights = fit(&known, &words, &everyday, args.epochs);
    let calibration_set: Vec<Example> = held_out
        .iter()
        .cloned()
        .chain(kept_back.into_iter().map(|(_, example)| example))
        .collect();
    let calibration = calibrate(&calibration_set, &weights)?;
    if !args.hold_out {
        known.extend(held_out);
        weights = fit(&known, &words, &everyday, args.epochs);
    }
    weights.calibration = calibration;
    let bytes = weights.encode();
    println!("{} bytes, calibration {calibration:?}", bytes.len());
    fs::write(&args.out, bytes).into_diagnostic()
}

fn fit(
    examples: &[Example],
    words: &[(u32, u8)],
    everyday: &HashSet<u32>,
    epochs: usize,
) -> Weights {
    let mut weights = Weights {
        thresholds: [[0; 2]; 3],
        transitions: [[0; LABELS]; LABELS + 1],
        calibration: [(1.0, 0.0); 4],
        filter: vec![0],
        gazetteer_slots: SLOTS,
        gazetteer: Gazetteer::build(words, SLOTS),
        rows: vec![[0; LABELS]],
    };
    let bytes = weights.encode();
    let Ok(model) = Model::parse(&bytes) else {
        return weights;
    };
    let filter = filter::train(examples, &model, everyday);
    (weights.filter, weights.thresholds) = (filter.weights, filter.thresholds);
    println!("{} words that no name begins with", filter.everyday.len());
    let common = filter.everyday.iter().map(|&id| (id, listed::EVERYDAY));
    let words: Vec<_> = words.iter().copied().chain(common).collect();
    weights.gazetteer = Gazetteer::build(&words, SLOTS);
    let bytes = weights.encode();
    let Ok(model) = Model::parse(&bytes) else {
        return weights;
    };

    let mut random = Xorshift::new(5);
    let mut sequences = Vec::new();
    for example in examples {
        let copies = if example.labelling == Labelling::PeopleAndAddresses {
            2
        } else {
            1
        };
        for copy in 0..copies {
            let hide = copy == 1 || random.below(2) == 0;
            collect(
                example,
                &model,
                everyday,
                hide.then_some(&mut random),
                &mut sequences,
            );
        }
    }
    let mut field = Field::new();
    for epoch in 0..epochs {
        shuffle(&mut sequences, epoch as u64 + 1);
        let rate = 0.12 / (1.0 + epoch as f32 * 0.6);
        let loss: f64 = sequences
            .iter()
            .map(|sequence| f64::from(field.learn(sequence, rate)))
            .sum();
        println!(
            "pass {}: loss {:.4} per phrase of {}",
            epoch + 1,
            loss / sequences.len() as f64,
            sequences.len()
        );
    }
    (weights.rows, weights.transitions) = field.stored();
    weights
}

fn collect(
    example: &Example,
    model: &Model<'_>,
    everyday: &HashSet<u32>,
    mut hide: Option<&mut Xorshift>,
    sequences: &mut Vec<Sequence>,
) {
    candidate::phrases(&example.text, model, |range| {
        let mut phrase = Phrase::new();
        phrase.read(&example.text, range, model);
        let allowed = allowed(&phrase, example, everyday);
        if let Some(random) = &mut hide {
            for token in phrase.tokens_mut() {
                if may_be_hidden(token) && random.below(4) == 0 {
                    token.id = 1;
                    token.listed = 0;
                    if random.below(2) == 0 {
                        token.affixes = [1; 4];
                    }
                }
            }
        }
        for stretch in stretches(phrase.tokens()) {
            let rows = stretch
                .clone()
                .map(|at| {
                    phrase
                        .features(at)
                        .as_slice()
                        .iter()
                        .map(|&f| row_of(f, ROWS) as u32)
                        .collect()
                })
                .collect();
            let mut allowed: Vec<u8> = allowed.get(stretch).unwrap_or_default().to_vec();
            // What began before the stretch begins with it.
            if let Some(first) = allowed.first_mut() {
                for (later, begin) in [(4, 2), (16, 8), (64, 32)] {
                    if *first == later {
                        *first = begin;
                    }
                }
            }
            sequences.push(Sequence { rows, allowed });
        }
    });
}

const fn may_be_hidden(token: &Token) -> bool {
    matches!(token.class, Class::Word | Class::Ideograph)
        && !matches!(token.shape, shape::LOWER | shape::INITIAL | shape::HIRAGANA)
}

/// The labels that each token of the phrase may have.
fn allowed(phrase: &Phrase, example: &Example, everyday: &HashSet<u32>) -> Vec<u8> {
    let tokens = phrase.tokens();
    let named = |at: usize| {
        tokens
            .get(at)
            .is_some_and(|t| is_capital(t) && names_someone(t.listed) && !everyday.contains(&t.id))
    };
    tokens
        .iter()
        .enumerate()
        .map(|(at, token)| {
            if let Some((span, kind)) = example
                .spans
                .iter()
                .find(|(span, _)| span.start < token.end && token.start < span.end)
            {
                if token.start < span.start || span.end < token.end {
                    return u8::MAX;
                }
                let first = token.start == span.start;
                return match (kind, first) {
                    (NameKind::Person, true) => 2,
                    (NameKind::Person, false) => 4,
                    (NameKind::Address, true) => 8,
                    (NameKind::Address, false) => 16,
                    (NameKind::Location, true) => 32,
                    (NameKind::Location, false) => 64,
                    (NameKind::Organization, _) => ORGANIZATION,
                };
            }
            match example.labelling {
                Labelling::Full => NOTHING,
                Labelling::PeopleAndAddresses => NOTHING | PLACE | ORGANIZATION,
                Labelling::None
                    if token.class == Class::Ideograph || token.shape == shape::CASELESS =>
                {
                    NOTHING
                        | if names_someone(token.listed) {
                            PLACE | ORGANIZATION
                        } else {
                            0
                        }
                }
                Labelling::None if is_place(phrase.tokens_from_before(), at + 1, everyday) => 32,
                Labelling::None if named(at) => NOTHING | PERSON | PLACE | ORGANIZATION,
                Labelling::None => {
                    let beside = (at.saturating_sub(2)..at + 3).any(named);
                    match (is_capital(token) && !everyday.contains(&token.id), beside) {
                        (true, true) => NOTHING | PERSON | PLACE | ORGANIZATION,
                        (true, false) => NOTHING | ORGANIZATION,
                        (false, true) if token.class == Class::Mark => {
                            NOTHING | 4 | 64 | ORGANIZATION
                        }
                        (false, _) => NOTHING,
                    }
                }
            }
        })
        .collect()
}

/// Whether ordinary text surely speaks of a place: a country that is no one's name, or a town that
/// is no one's name behind a preposition, with no other capitalised word beside it.
fn is_place(tokens: &[Token], at: usize, everyday: &HashSet<u32>) -> bool {
    let Some(token) = tokens.get(at) else {
        return false;
    };
    let beside = |at: Option<usize>| at.and_then(|at| tokens.get(at)).is_some_and(is_capital);
    let alone = token.shape == shape::CAPITALISED
        && !beside(at.checked_sub(1))
        && !beside(at.checked_add(1));
    let named = token.listed & (listed::FIRST | listed::LAST) != 0 || everyday.contains(&token.id);
    let before = at
        .checked_sub(1)
        .and_then(|at| tokens.get(at))
        .map_or(0, |t| t.id);
    let behind = ["in", "from", "to", "near", "at", "of", "around", "visit"]
        .iter()
        .any(|word| identity(word) == before);
    alone
        && !named
        && (token.listed & listed::COUNTRY != 0 || token.listed & listed::PLACE != 0 && behind)
}

const fn is_capital(token: &Token) -> bool {
    matches!(
        token.shape,
        shape::CAPITALISED | shape::UPPER | shape::MIXED | shape::INITIAL
    )
}

/// Platt scaling per kind: a logistic regression of "the span is right" on the log-odds.
fn calibrate(examples: &[Example], weights: &Weights) -> miette::Result<[(f32, f32); 4]> {
    let bytes = weights.encode();
    let model = Model::parse(&bytes).into_diagnostic()?;
    let names = Names::with_model(
        model,
        NamesConfig {
            kinds: NameKind::ALL.to_vec(),
            min_confidence: 0.0,
        },
    );
    let mut cases: [Vec<(f32, bool)>; 4] = Default::default();
    let mut found = Vec::new();
    for example in examples {
        names.find(&example.text, &mut found);
        for name in found.drain(..) {
            let unlabelled = example.labelling != Labelling::Full
                && matches!(name.kind, NameKind::Location | NameKind::Organization);
            if let (false, Some(cases)) = (unlabelled, cases.get_mut(name.kind as usize)) {
                let chance = name.confidence.get().clamp(1e-6, 1.0 - 1e-6);
                let right = example
                    .spans
                    .iter()
                    .any(|(range, kind)| *range == name.range && *kind == name.kind);
                cases.push(((chance / (1.0 - chance)).ln(), right));
            }
        }
    }
    Ok(cases.map(|cases| {
        let (mut slope, mut offset) = (1.0_f32, 0.0_f32);
        for _ in 0..400 {
            let (mut ds, mut d0) = (0.0, 0.0);
            for &(odds, right) in &cases {
                let error = f32::from(right) - 1.0 / (1.0 + (-(slope * odds + offset)).exp());
                ds += error * odds;
                d0 += error;
            }
            let n = cases.len().max(1) as f32;
            slope += 0.05 * ds / n;
            offset += 0.2 * d0 / n;
        }
        (slope, offset)
    }))
}
