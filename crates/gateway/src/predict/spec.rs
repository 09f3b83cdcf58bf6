use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a model takes (seed 004, section 10.2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct InputSpec {
    /// The shape of one row, without the batch: `[10]` for ten features, `[28, 28]` for a picture.
    pub shape: Vec<usize>,
    /// The type of a value.
    pub dtype: DType,
    /// Least value.
    #[serde(alias = "min_value")]
    pub min: Option<f64>,
    /// Largest value.
    #[serde(alias = "max_value")]
    pub max: Option<f64>,
    /// Bytes of a request's body; more are not read.
    #[serde(alias = "max_payload_bytes")]
    pub max_payload_bytes: usize,
    /// Most rows in one request.
    pub max_batch: usize,
    /// Whether a batch without a row is answered with no prediction, rather than refused.
    pub allow_empty_batch: bool,
    /// Rules for single features, by their place in the flattened row; closer than `min` and `max`.
    pub features: Vec<FeatureRule>,
}

/// A rule for one feature.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct FeatureRule {
    /// Its place in the flattened row, from 0.
    pub index: usize,
    /// What it is called in messages; empty for its number only.
    pub name: String,
    /// Least value.
    pub min: Option<f64>,
    /// Largest value.
    pub max: Option<f64>,
    /// Whether it is a whole number.
    pub integer: bool,
    /// The only values that it takes; empty for any.
    pub one_of: Vec<f64>,
}

/// The type of a value, by NumPy's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DType {
    /// `true` and `false`.
    Bool,
    /// 8 bits, signed.
    Int8,
    /// 16 bits, signed.
    Int16,
    /// 32 bits, signed.
    Int32,
    /// 64 bits, signed; whole numbers to 2^53, beyond which JSON readers disagree.
    Int64,
    /// 8 bits, unsigned.
    UInt8,
    /// 16 bits, unsigned.
    UInt16,
    /// 32 bits, unsigned.
    UInt32,
    /// 64 bits, unsigned; whole numbers to 2^53.
    UInt64,
    /// IEEE 754, 16 bits.
    Float16,
    /// IEEE 754, 32 bits.
    #[default]
    Float32,
    /// IEEE 754, 64 bits.
    Float64,
}

/// Rows that fit a specification. Only reading makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    pub(super) values: Vec<f64>,
    pub(super) rows: usize,
    pub(super) shape: Vec<usize>,
    pub(super) dtype: DType,
}

/// One way in which an input does not fit; names places, never values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{place}` {problem}")]
pub struct SpecError {
    /// Where, e.g. `features[3]`.
    pub place: String,
    /// What is wrong there, e.g. `is above the maximum of 1000`.
    pub problem: String,
}

impl Default for InputSpec {
    /// One row of ten 32-bit floats within ±1000, as in seed 004; 10 MiB, 1,024 rows.
    fn default() -> Self {
        Self {
            shape: vec![10],
            dtype: DType::default(),
            min: Some(-1000.0),
            max: Some(1000.0),
            max_payload_bytes: 10 << 20,
            max_batch: 1_024,
            allow_empty_batch: false,
            features: Vec::new(),
        }
    }
}

impl Tensor {
    /// Number of rows.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The shape of one row.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The type of a value.
    #[must_use]
    pub const fn dtype(&self) -> DType {
        self.dtype
    }

    /// Every value, row after row.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The flattened rows.
    pub fn iter(&self) -> impl Iterator<Item = &[f64]> {
        let width = self.values.len().checked_div(self.rows).unwrap_or(0).max(1);
        self.values.chunks_exact(width)
    }
}

impl InputSpec {
    /// Values in one row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.shape
            .iter()
            .fold(1, |width: usize, &length| width.saturating_mul(length))
    }
}
