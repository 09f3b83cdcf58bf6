//! Weights: how they are stored and how they are looked up.

use super::{candidate::CandidateKind, gazetteer::Gazetteer};

/// Labels of a token: nothing, the first or a later token of a person, an address, a place; any
/// token of an organisation.
pub const LABELS: usize = 8;

/// Weights are stored in sixteenths of a natural-logarithm unit.
pub const SCALE: f32 = 16.0;

/// A transition that cannot be: no later token without a first.
pub const FORBIDDEN: i16 = i16::MIN / 2;

const MAGIC: &[u8; 8] = b"BZTNAMES";
const VERSION: u32 = 2;
const HEADER: usize = 8 + 4 * 4 + 6 * 4 + (LABELS + 1) * LABELS * 2 + 4 * 8;

/// Why weights cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// Not a file of weights, or one of another version.
    #[error(
        "not the weights of names of version {VERSION}; train them again with `cargo xtask names train`"
    )]
    Header,
    /// Cut short or padded.
    #[error("the weights of names are {actual} bytes long, expected {expected}")]
    Length {
        /// Bytes there are.
        actual: usize,
        /// Bytes there should be.
        expected: usize,
    },
}

/// Weights, borrowed from where they are stored: parsing looks at the header only.
#[derive(Clone, Debug)]
pub struct Model<'a> {
    /// Least weight of the word alone and least sum, by [`CandidateKind`].
    thresholds: [[i32; 2]; 3],
    /// `[from][to]`; the last row is the start of a phrase.
    pub(super) transitions: [[i16; LABELS]; LABELS + 1],
    /// Their exponentials.
    pub(super) factors: [[f32; LABELS]; LABELS + 1],
    /// `exp(-n / SCALE)` for the `n` that a sum of weights stays below the best one.
    pub(super) decay: [f32; 256],
    /// Slope and offset that turn a log-odds into a calibrated one: person, address, place,
    /// organisation.
    pub(super) calibration: [(f32, f32); 4],
    filter: &'a [u8],
    gazetteer: Gazetteer<'a>,
    rows: &'a [[u8; LABELS]],
}

/// What a trainer decides; [`Weights::encode`] stores it.
#[derive(Clone, Debug)]
pub struct Weights {
    /// Least sum of the filter weights of a word alone, and with its neighbours; for words with
    /// capitals, without case, and ideographs.
    pub thresholds: [[i32; 2]; 3],
    /// See [`Model`].
    pub transitions: [[i16; LABELS]; LABELS + 1],
    /// See [`Model`].
    pub calibration: [(f32, f32); 4],
    /// A power of two of filter weights.
    pub filter: Vec<i8>,
    /// Slots of the gazetteer, a power of two.
    pub gazetteer_slots: usize,
    /// As [`Gazetteer::build`] makes it.
    pub gazetteer: Vec<u8>,
    /// A power of two of rows, one weight per label.
    pub rows: Vec<[i8; LABELS]>,
}

impl Weights {
    /// The bytes that [`Model::parse`] reads.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        let sizes = [self.filter.len(), self.gazetteer_slots, self.rows.len()];
        bytes.extend(VERSION.to_le_bytes());
        for size in sizes {
            bytes.extend(size.trailing_zeros().to_le_bytes());
        }
        bytes.extend(
            self.thresholds
                .iter()
                .flatten()
                .flat_map(|t| t.to_le_bytes()),
        );
        bytes.extend(
            self.transitions
                .iter()
                .flatten()
                .flat_map(|t| t.to_le_bytes()),
        );
        for (slope, offset) in self.calibration {
            bytes.extend(slope.to_le_bytes());
            bytes.extend(offset.to_le_bytes());
        }
        bytes.extend(self.filter.iter().map(|&w| w.cast_unsigned()));
        bytes.extend(&self.gazetteer);
        bytes.extend(self.rows.iter().flatten().map(|&w| w.cast_unsigned()));
        bytes
    }
}

impl<'a> Model<'a> {
    /// Reads stored weights.
    ///
    /// # Errors
    /// When the header or the length is not right.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ModelError> {
        let (header, body) = bytes.split_at_checked(HEADER).ok_or(ModelError::Header)?;
        let (magic, header) = header.split_first_chunk::<8>().ok_or(ModelError::Header)?;
        let (numbers, header) = header.split_first_chunk::<16>().ok_or(ModelError::Header)?;
        let (numbers, _) = numbers.as_chunks::<4>();
        let &[version, filter, slots, rows] = numbers else {
            return Err(ModelError::Header);
        };
        let (limits, header) = header.split_first_chunk::<24>().ok_or(ModelError::Header)?;
        let mut thresholds = [[0; 2]; 3];
        for (to, &from) in thresholds
            .iter_mut()
            .flatten()
            .zip(limits.as_chunks::<4>().0)
        {
            *to = i32::from_le_bytes(from);
        }
        let power = |bytes: [u8; 4]| {
            1_usize
                .checked_shl(u32::from_le_bytes(bytes))
                .filter(|&size| size <= 1 << 24)
        };
        let (Some(filter_size), Some(slots), Some(rows_size)) =
            (power(filter), power(slots), power(rows))
        else {
            return Err(ModelError::Header);
        };
        if magic != MAGIC || u32::from_le_bytes(version) != VERSION {
            return Err(ModelError::Header);
        }
        let (transition_bytes, calibration_bytes) = header
            .split_at_checked((LABELS + 1) * LABELS * 2)
            .ok_or(ModelError::Header)?;
        let mut transitions = [[0; LABELS]; LABELS + 1];
        for (to, &from) in transitions
            .iter_mut()
            .flatten()
            .zip(transition_bytes.as_chunks::<2>().0)
        {
            *to = i16::from_le_bytes(from);
        }
        let mut calibration = [(1.0, 0.0); 4];
        for (to, from) in calibration
            .iter_mut()
            .zip(calibration_bytes.as_chunks::<8>().0)
        {
            let &[a, b, c, d, e, f, g, h] = from;
            *to = (
                f32::from_le_bytes([a, b, c, d]),
                f32::from_le_bytes([e, f, g, h]),
            );
        }
        let expected = filter_size + slots * 3 + rows_size * LABELS;
        let wrong = ModelError::Length {
            actual: bytes.len(),
            expected: HEADER + expected,
        };
        if body.len() != expected {
            return Err(wrong);
        }
        let (filter, body) = body.split_at_checked(filter_size).ok_or(wrong)?;
        let (gazetteer, body) = body.split_at_checked(slots * 3).ok_or(wrong)?;
        Ok(Self {
            thresholds,
            transitions,
            factors: transitions.map(|row| row.map(|t| (f32::from(t) / SCALE).exp())),
            decay: std::array::from_fn(|n| (-(n as f32) / SCALE).exp()),
            calibration,
            filter,
            gazetteer: Gazetteer::parse(gazetteer, slots).ok_or(wrong)?,
            rows: body.as_chunks::<LABELS>().0,
        })
    }

    /// The words that are known.
    #[must_use]
    pub const fn gazetteer(&self) -> &Gazetteer<'a> {
        &self.gazetteer
    }

    /// The weight of a word's own features if it is enough to look at its neighbours.
    #[inline]
    pub(super) fn accepts_alone(
        &self,
        kind: CandidateKind,
        [id, form, _]: [u32; 3],
    ) -> Option<i32> {
        let sum = i32::from(self.filter_weight(id)) + i32::from(self.filter_weight(form));
        let [least, _] = self.thresholds_of(kind);
        (sum >= least).then_some(sum)
    }

    /// Whether a word passes with its neighbours.
    pub(super) fn accepts(&self, kind: CandidateKind, so_far: i32, neighbours: [u32; 4]) -> bool {
        let [_, least] = self.thresholds_of(kind);
        let [a, b, c, d] = neighbours;
        let weight = |feature| i32::from(self.filter_weight(feature));
        so_far + weight(a) + weight(b) + weight(c) + weight(d) >= least
    }

    const fn thresholds_of(&self, kind: CandidateKind) -> [i32; 2] {
        let [cased, caseless, ideograph] = self.thresholds;
        match kind {
            CandidateKind::Cased => cased,
            CandidateKind::Caseless => caseless,
            CandidateKind::Ideograph => ideograph,
        }
    }

    #[inline]
    fn filter_weight(&self, feature: u32) -> i8 {
        let slot = bucket(feature, self.filter.len());
        self.filter
            .get(slot)
            .map_or(0, |&weight| weight.cast_signed())
    }

    /// Adds the weights of one feature to `scores`.
    #[expect(
        clippy::indexing_slicing,
        reason = "both arrays are `LABELS` long; iterators are not always inlined here"
    )]
    #[inline]
    pub(super) fn add_row(&self, feature: u32, scores: &mut [i16; LABELS]) {
        if let Some(row) = self.rows.get(row_of(feature, self.rows.len())) {
            let mut label = 0;
            while label < LABELS {
                // Sums of some 40 bytes; wrapping lets the loop become one vector addition.
                scores[label] = scores[label].wrapping_add(row[label].cast_signed() as i16);
                label += 1;
            }
        }
    }
}

/// The row of a feature of the field among `rows`, by the upper bits of its hash.
#[must_use]
#[inline]
pub const fn row_of(feature: u32, rows: usize) -> usize {
    ((feature as u64).wrapping_mul(rows as u64) >> 32) as usize
}

/// The place of a hashed feature in a table of a power of two entries.
#[must_use]
#[inline]
pub const fn bucket(feature: u32, size: usize) -> usize {
    // The finaliser of `lowbias32` (Wellons 2018), cut to what a table needs.
    let mut h = feature;
    h = (h ^ (h >> 16)).wrapping_mul(0x21f0_aaad);
    h ^= h >> 15;
    h as usize & size.wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Weights {
        Weights {
            thresholds: [[-3, -3]; 3],
            transitions: [[7; LABELS]; LABELS + 1],
            calibration: [(1.5, -0.5); 4],
            filter: vec![1; 16],
            gazetteer_slots: 8,
            gazetteer: Gazetteer::build(&[(5, 3)], 8),
            rows: vec![[2; LABELS]; 4],
        }
    }

    #[test]
    fn reads_what_was_written() {
        let bytes = small().encode();
        let model = Model::parse(&bytes).unwrap();
        assert_eq!(model.transitions[8][7], 7);
        assert_eq!(model.calibration[3], (1.5, -0.5));
        assert_eq!(model.gazetteer().flags(5), 3);
        let mut scores = [0; LABELS];
        model.add_row(99, &mut scores);
        assert_eq!(scores, [2; LABELS]);
        assert_eq!(model.accepts_alone(CandidateKind::Cased, [0; 3]), Some(2));
        assert!(model.accepts(CandidateKind::Cased, 2, [0; 4]));
        assert!(!model.accepts(CandidateKind::Cased, -8, [0; 4]));
    }

    #[test]
    fn refuses_damaged_weights() {
        let bytes = small().encode();
        assert_eq!(Model::parse(&bytes[..40]).unwrap_err(), ModelError::Header);
        assert!(matches!(
            Model::parse(&bytes[..bytes.len() - 1]),
            Err(ModelError::Length { .. })
        ));
        let mut other = bytes.clone();
        other[8] = 99;
        assert_eq!(Model::parse(&other).unwrap_err(), ModelError::Header);
    }
}
