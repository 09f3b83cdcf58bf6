use bartizan_formats::{Section, archive::Codec};

use super::ConvertError;
use crate::torch::NumberType;

/// A type of numbers: its name in `safetensors`, and the bytes of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Type {
    pub(super) name: &'static str,
    pub(super) bytes: u64,
}

const fn of(name: &'static str, bytes: u64) -> Type {
    Type { name, bytes }
}

/// Codes of types in `NumPy` without their byte order (`numpy.dtype.str`).
const NUMPY: &[(&str, Type)] = &[
    ("f8", of("F64", 8)),
    ("f4", of("F32", 4)),
    ("f2", of("F16", 2)),
    ("i8", of("I64", 8)),
    ("i4", of("I32", 4)),
    ("i2", of("I16", 2)),
    ("i1", of("I8", 1)),
    ("u8", of("U64", 8)),
    ("u4", of("U32", 4)),
    ("u2", of("U16", 2)),
    ("u1", of("U8", 1)),
    ("b1", of("BOOL", 1)),
    ("?", of("BOOL", 1)),
];

impl Type {
    pub(super) fn of_torch(name: &str) -> Option<Self> {
        let known = NumberType::of(name)?;
        Some(of(known.safetensors?, known.bytes))
    }

    pub(super) fn of_numpy(code: &str) -> Option<Self> {
        let mut known = NUMPY.iter();
        known.find(|(own, _)| *own == code).map(|(_, kind)| *kind)
    }
}

/// A tensor, and where its bytes are.
#[derive(Clone)]
pub struct Tensor<'s> {
    pub(super) name: String,
    pub(super) kind: Type,
    pub(super) shape: Vec<u64>,
    pub(super) data: Data<'s>,
}

/// Where the bytes of a tensor are.
#[derive(Clone)]
pub(super) enum Data<'s> {
    /// In the file as they are: byte of the first item, and items from one index to the next.
    Stored { at: u64, strides: Vec<u64> },
    /// Compressed, in order, behind so many bytes of something else.
    Packed {
        codec: Codec,
        packed: Section<'s>,
        skip: u64,
    },
}

impl Tensor<'_> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its type, as `safetensors` calls it, e.g. `F32`.
    #[must_use]
    pub const fn dtype(&self) -> &'static str {
        self.kind.name
    }

    /// Its shape.
    #[must_use]
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// How many bytes it takes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        items(&self.shape)
            .unwrap_or(0)
            .saturating_mul(self.kind.bytes)
    }

    /// The bytes of the file that it uses, from the first to one past the last.
    pub(super) fn span(&self) -> Option<(u64, u64)> {
        let Data::Stored { at, strides } = &self.data else {
            return None;
        };
        let last = last_item(&self.shape, strides)?;
        let end = last.checked_add(1)?.checked_mul(self.kind.bytes)?;
        Some((*at, at.checked_add(end)?))
    }

    pub(super) fn wrong(&self, what: &'static str) -> ConvertError {
        ConvertError::Tensor {
            name: self.name.clone(),
            what,
        }
    }
}

/// How many items a shape has; `None` if that cannot be counted.
pub(super) fn items(shape: &[u64]) -> Option<u64> {
    let mut sides = shape.iter();
    sides.try_fold(1_u64, |items, &side| items.checked_mul(side))
}

/// Strides of an array that lies there row by row, or column by column.
pub(super) fn strides(shape: &[u64], by_columns: bool) -> Option<Vec<u64>> {
    let mut strides = vec![0; shape.len()];
    let mut next = 1_u64;
    let places: Box<dyn Iterator<Item = usize>> = if by_columns {
        Box::new(0..shape.len())
    } else {
        Box::new((0..shape.len()).rev())
    };
    for place in places {
        *strides.get_mut(place)? = next;
        next = next.checked_mul((*shape.get(place)?).max(1))?;
    }
    Some(strides)
}

/// The farthest item from the first one; `None` if there is no item or no such number.
pub(super) fn last_item(shape: &[u64], strides: &[u64]) -> Option<u64> {
    shape
        .iter()
        .zip(strides)
        .try_fold(0_u64, |last, (&side, &stride)| {
            last.checked_add(side.checked_sub(1)?.checked_mul(stride)?)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_of_rows_and_columns() {
        assert_eq!(strides(&[2, 3, 4], false).unwrap(), [12, 4, 1]);
        assert_eq!(strides(&[2, 3, 4], true).unwrap(), [1, 2, 6]);
        assert_eq!(strides(&[], false).unwrap(), [0_u64; 0]);
        assert_eq!(strides(&[u64::MAX, 3], false), None);
        assert_eq!(last_item(&[2, 3], &[3, 1]), Some(5));
        assert_eq!(last_item(&[2, 0], &[3, 1]), None);
        assert_eq!(last_item(&[], &[]), Some(0));
    }
}
