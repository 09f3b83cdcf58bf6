//! From a net of floats to a file of weights.

use bartizan_classify::{Calibration, HARMS, PROFILES, Thresholds, Weights};
use miette::{IntoDiagnostic, Result};

use crate::{
    net::{Dense, Net},
    shape::{FEATURES, FILTERS, HEADS, HIDDEN, ROW, TAPS, WIDTH},
    train::Vocabulary,
};

/// What is measured rather than learnt.
#[derive(Clone)]
pub(crate) struct Measured {
    /// Of an attack, of a jailbreak among attacks, of each harm.
    pub(crate) calibrations: [Calibration; 2 + HARMS],
    /// For each profile: of an attack, of each harm.
    pub(crate) thresholds: [[Thresholds; 1 + HARMS]; PROFILES],
}

/// The feature that a column of a row belongs to.
const fn feature(column: usize) -> usize {
    if column < TAPS * FILTERS {
        column % FILTERS
    } else {
        column - TAPS * FILTERS + FILTERS
    }
}

/// The bytes of the file of weights.
pub(crate) fn encode(net: &Net, vocabulary: &Vocabulary, measured: &Measured) -> Result<Vec<u8>> {
    let rows = net.embed.len() / WIDTH;
    let embed = ndarray::ArrayView2::from_shape((rows, WIDTH), &net.embed).into_diagnostic()?;
    let mut projected = embed.dot(&net.project);
    for mut row in projected
        .rows_mut()
        .into_iter()
        .skip(vocabulary.hashes.len())
    {
        // The three parts of an unknown word are averaged.
        row /= 3.0;
    }
    let mut steps = [0.0f32; FEATURES];
    for (at, step) in steps.iter_mut().enumerate() {
        let mut sizes: Vec<f32> = (0..ROW)
            .filter(|column| feature(*column) == at)
            .flat_map(|column| projected.column(column).to_vec())
            .map(f32::abs)
            .collect();
        sizes.sort_by(f32::total_cmp);
        // Rare giants are cut, so that the rest keeps its precision.
        let most = sizes[sizes.len() - 1 - sizes.len() / 5000];
        *step = (most * 1.2 / 127.0).max(1e-9);
    }
    let quantised = projected
        .rows()
        .into_iter()
        .map(|row| {
            let mut bytes = [0; ROW];
            for (column, (byte, value)) in bytes.iter_mut().zip(row).enumerate() {
                *byte = (value / steps[feature(column)])
                    .round()
                    .clamp(-127.0, 127.0) as i8;
            }
            bytes
        })
        .collect();
    let dense = &net.dense;
    let array = |from: usize| &dense[from..];
    let weights = Weights {
        words: vocabulary.hashes.clone(),
        rows: quantised,
        steps,
        bias: std::array::from_fn(|at| array(Dense::BIAS)[at]),
        first: (0..FEATURES)
            .map(|row| std::array::from_fn(|at| array(Dense::W1)[row * HIDDEN + at]))
            .collect(),
        first_bias: std::array::from_fn(|at| array(Dense::B1)[at]),
        second: (0..HIDDEN)
            .map(|row| std::array::from_fn(|at| array(Dense::W2)[row * HEADS + at]))
            .collect(),
        second_bias: std::array::from_fn(|at| array(Dense::B2)[at]),
        calibrations: measured.calibrations,
        thresholds: measured.thresholds,
    };
    weights.encode().into_diagnostic()
}
