//! The file of weights: what a trainer writes and [`crate::Model`] reads.
//!
//! Little endian: magic, version, number of words, SHA-256 of all that follows; then, in order,
//! hashes of words (`u32`), rows (`i8`), the filters' steps, the means' steps, biases, both dense
//! layers, calibrations, thresholds (`f32`).

use sha2::{Digest, Sha256};

use crate::{
    Calibration, ModelError, PROFILES, Thresholds,
    label::HARMS,
    shape::{BUCKETS, FEATURES, FILTERS, HEADS, HIDDEN, ROW},
};

pub(crate) const MAGIC: &[u8; 8] = b"BZTCLASS";
pub(crate) const VERSION: u32 = 1;
/// Magic, version, words, digest.
pub(crate) const HEADER: usize = 8 + 4 + 4 + 32;
/// More words than any trainer would keep; bounds what a file can ask for.
pub(crate) const MOST_WORDS: usize = 40_000;
/// Heads with a calibration of their own: attack, jailbreak among attacks, each harm.
pub(crate) const CALIBRATED: usize = 2 + HARMS;
/// Heads with thresholds: attack, each harm.
pub(crate) const GUARDED: usize = 1 + HARMS;
/// Numbers after the rows.
pub(crate) const NUMBERS: usize = FEATURES
    + FILTERS
    + FEATURES * HIDDEN
    + HIDDEN
    + HIDDEN * HEADS
    + HEADS
    + CALIBRATED * 2
    + GUARDED * PROFILES * 3;

/// Weights as a trainer has them.
#[derive(Clone, Debug)]
pub struct Weights {
    /// Hashes of the words of the vocabulary, see [`crate::words::Word::hash`].
    pub words: Vec<u32>,
    /// One row per word, then one per bucket of parts of unknown words.
    pub rows: Vec<[i8; ROW]>,
    /// What one step of a row is worth in each feature.
    pub steps: [f32; FEATURES],
    /// What a filter answers to nothing.
    pub bias: [f32; FILTERS],
    /// First dense layer, feature by feature.
    pub first: Vec<[f32; HIDDEN]>,
    /// Its offsets.
    pub first_bias: [f32; HIDDEN],
    /// Second dense layer, unit by unit.
    pub second: Vec<[f32; HEADS]>,
    /// Its offsets.
    pub second_bias: [f32; HEADS],
    /// Of an attack, of a jailbreak among attacks, of each harm.
    pub calibrations: [Calibration; CALIBRATED],
    /// For each profile: of an attack, of each harm.
    pub thresholds: [[Thresholds; GUARDED]; PROFILES],
}

/// Bytes of a file with `words` words.
pub(crate) const fn length(words: usize) -> usize {
    HEADER + words * 4 + (words + BUCKETS) * ROW + NUMBERS * 4
}

impl Weights {
    /// The bytes that [`crate::Model::load`] reads.
    ///
    /// # Errors
    /// When the parts do not fit each other.
    pub fn encode(&self) -> Result<Vec<u8>, ModelError> {
        let header = ModelError::Header { version: VERSION };
        let words = u32::try_from(self.words.len()).map_err(|_| header)?;
        let mut payload = Vec::with_capacity(length(self.words.len()));
        for word in &self.words {
            payload.extend(word.to_le_bytes());
        }
        for row in &self.rows {
            payload.extend(row.iter().map(|step| step.cast_unsigned()));
        }
        let calibrations = self
            .calibrations
            .iter()
            .flat_map(|calibration| [calibration.slope, calibration.offset]);
        let thresholds = self
            .thresholds
            .iter()
            .flatten()
            .flat_map(|thresholds| [thresholds.flag, thresholds.ask, thresholds.block]);
        let numbers = self
            .steps
            .iter()
            .chain(&self.bias)
            .chain(self.first.iter().flatten())
            .chain(&self.first_bias)
            .chain(self.second.iter().flatten())
            .chain(&self.second_bias)
            .copied()
            .chain(calibrations)
            .chain(thresholds);
        for number in numbers {
            payload.extend(number.to_le_bytes());
        }
        let expected = length(self.words.len());
        let actual = HEADER + payload.len();
        if actual != expected {
            return Err(ModelError::Length { actual, expected });
        }
        let mut bytes = Vec::with_capacity(expected);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(words.to_le_bytes());
        bytes.extend(Sha256::digest(&payload));
        bytes.extend(payload);
        Ok(bytes)
    }
}
