//! The bytes of one tensor in the order of its indices, piece by piece.

use std::io::Read as _;

use bartizan_formats::{ParseError, Source, archive::reader};

use super::{
    ConvertError,
    tensor::{Data, Tensor, items, last_item},
};

/// Bytes that are gathered at a time.
const TILE: u64 = 8 << 20;

/// How many tiles may be read at once for one, where its items stand near each other.
const NEAR: u64 = 4;

/// Bytes that are copied at a time.
const BLOCK: u64 = 1 << 20;

/// What takes the bytes.
type Take<'t> = dyn FnMut(&[u8]) -> Result<(), ConvertError> + 't;

/// Hands every byte of `tensor` to `take`, in order.
pub(super) fn stream(
    source: &dyn Source,
    tensor: &Tensor<'_>,
    take: &mut Take<'_>,
) -> Result<(), ConvertError> {
    if tensor.bytes() == 0 {
        return Ok(());
    }
    match &tensor.data {
        Data::Stored { at, strides } => {
            let (shape, strides) = merged(&tensor.shape, strides);
            let view = View {
                source,
                item: tensor.kind.bytes,
                shape: &shape,
                strides: &strides,
                tile: TILE,
            };
            view.emit(0, *at, take)
        }
        Data::Packed {
            codec,
            packed,
            skip,
        } => {
            let mut unpacked = reader(*codec, packed)?;
            let broken = |_| tensor.wrong("its compressed bytes are broken");
            let mut block = vec![0; usize::try_from(BLOCK).unwrap_or(usize::MAX)];
            let (mut skip, mut left) = (*skip, tensor.bytes());
            while left > 0 {
                let read = unpacked.read(&mut block).map_err(broken)?;
                if read == 0 {
                    return Err(tensor.wrong("its compressed bytes end too early"));
                }
                let over = skip.min(read as u64);
                skip -= over;
                let from = usize::try_from(over).unwrap_or(read);
                let more = block.get(from..read).unwrap_or_default();
                let more = more
                    .get(..usize::try_from(left).unwrap_or(usize::MAX).min(more.len()))
                    .unwrap_or_default();
                left -= more.len() as u64;
                take(more)?;
            }
            Ok(())
        }
    }
}

/// Shape and strides with sides left out that have one index, and joined where they lie in a row.
fn merged(shape: &[u64], strides: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let mut sides: Vec<(u64, u64)> = Vec::new();
    for (&side, &stride) in shape.iter().zip(strides) {
        match sides.last_mut() {
            _ if side == 1 => {}
            Some((last, last_stride)) if Some(*last_stride) == side.checked_mul(stride) => {
                (*last, *last_stride) = (last.saturating_mul(side), stride);
            }
            _ => sides.push((side, stride)),
        }
    }
    if sides.is_empty() {
        sides.push((1, 1));
    }
    sides.into_iter().unzip()
}

/// An array in the file.
struct View<'a> {
    source: &'a dyn Source,
    item: u64,
    shape: &'a [u64],
    strides: &'a [u64],
    /// Bytes that are gathered at a time.
    tile: u64,
}

impl View<'_> {
    /// The part of the array below `at` that the sides from `side` on span.
    fn emit(&self, side: usize, at: u64, take: &mut Take<'_>) -> Result<(), ConvertError> {
        let (Some(&[count, ref inner @ ..]), Some(&[stride, ref strides @ ..])) =
            (self.shape.get(side..), self.strides.get(side..))
        else {
            return self.copy(at, self.item, take);
        };
        if inner.is_empty() && stride == 1 {
            return self.copy(at, count.saturating_mul(self.item), take);
        }
        let step = stride.saturating_mul(self.item);
        let row = items(inner).unwrap_or(u64::MAX).saturating_mul(self.item);
        // A long row that lies as it should is copied; short or scattered rows are gathered.
        let is_whole = matches!((inner, strides), ([_], [1]));
        if row > self.tile || (is_whole && row >= BLOCK / 16) {
            for index in 0..count {
                let at = at.saturating_add(index.saturating_mul(step));
                self.emit(side + 1, at, take)?;
            }
            return Ok(());
        }
        let rows = (self.tile / row.max(1)).max(1);
        let mut first = 0;
        while first < count {
            let some = rows.min(count - first);
            let at = at.saturating_add(first.saturating_mul(step));
            let mut shape = vec![some];
            shape.extend_from_slice(inner);
            let mut all = vec![stride];
            all.extend_from_slice(strides);
            take(&self.gather(at, &shape, &all)?)?;
            first += some;
        }
        Ok(())
    }

    fn copy(&self, at: u64, length: u64, take: &mut Take<'_>) -> Result<(), ConvertError> {
        let mut done = 0;
        while done < length {
            let block = self.read(at.saturating_add(done), BLOCK.min(length - done))?;
            take(&block)?;
            done += block.len() as u64;
        }
        Ok(())
    }

    fn read(&self, at: u64, length: u64) -> Result<Vec<u8>, ConvertError> {
        let bytes = self.source.read(at, length).map_err(ParseError::from)?;
        if (bytes.len() as u64) < length {
            return Err(ParseError::Truncated {
                at: self.source.len(),
                what: "a tensor",
            }
            .into());
        }
        Ok(bytes)
    }

    /// The items of one tile in their order.
    fn gather(&self, at: u64, shape: &[u64], strides: &[u64]) -> Result<Vec<u8>, ConvertError> {
        let size = items(shape).unwrap_or(0).saturating_mul(self.item);
        let mut out = vec![0; usize::try_from(size).unwrap_or(0)];
        let span = last_item(shape, strides)
            .unwrap_or(0)
            .saturating_add(1)
            .saturating_mul(self.item);
        let near = if span <= self.tile.saturating_mul(NEAR) {
            Some(self.read(at, span)?)
        } else {
            None
        };
        // Runs go along the side whose items stand next to each other, if there is one.
        let fast = strides.iter().position(|&stride| stride == 1);
        let run = fast.and_then(|fast| shape.get(fast)).copied().unwrap_or(1);
        let own = super::tensor::strides(shape, false).unwrap_or_default();
        let run_step = fast.and_then(|fast| own.get(fast)).copied().unwrap_or(1);
        let mut index = vec![0_u64; shape.len()];
        loop {
            let dot = |strides: &[u64]| -> u64 {
                let products = index.iter().zip(strides);
                products.map(|(index, stride)| index * stride).sum()
            };
            let from = dot(strides) * self.item;
            let to = dot(&own);
            let bytes = run * self.item;
            let read;
            let taken = match &near {
                Some(near) => part(near, from, bytes),
                None => {
                    read = self.read(at.saturating_add(from), bytes)?;
                    &read
                }
            };
            let item = usize::try_from(self.item).unwrap_or(1);
            for (number, value) in taken.chunks_exact(item).enumerate() {
                let place = (to + number as u64 * run_step) * self.item;
                let place = usize::try_from(place).unwrap_or(usize::MAX);
                if let Some(place) = out.get_mut(place..place.saturating_add(item)) {
                    place.copy_from_slice(value);
                }
            }
            if !advance(&mut index, shape, fast) {
                return Ok(out);
            }
        }
    }
}

fn part(bytes: &[u8], from: u64, length: u64) -> &[u8] {
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    bytes
        .get(from..from.saturating_add(length))
        .unwrap_or_default()
}

/// The next index, the last side first, without the side `fast`; false after the last.
fn advance(index: &mut [u64], shape: &[u64], fast: Option<usize>) -> bool {
    let sides = index.iter_mut().zip(shape).enumerate().rev();
    for (side, (index, &count)) in sides {
        if Some(side) == fast {
            continue;
        }
        *index += 1;
        if *index < count {
            return true;
        }
        *index = 0;
    }
    false
}

#[cfg(test)]
mod tests {
    use bartizan_formats::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::convert::tensor::Type;

    /// Item by item, as it is defined.
    fn plainly(bytes: &[u8], shape: &[u64], strides: &[u64], at: u64) -> Vec<u8> {
        let mut out = Vec::new();
        let mut index = vec![0_u64; shape.len()];
        loop {
            let dot: u64 = index.iter().zip(strides).map(|(a, b)| a * b).sum();
            let from = (at + dot * 2) as usize;
            out.extend(&bytes[from..from + 2]);
            if !advance(&mut index, shape, None) {
                return out;
            }
        }
    }

    proptest! {
        #[test]
        fn any_view_is_the_one_that_its_strides_define(
            shape in proptest::collection::vec(1_u64..5, 0..4),
            strides in proptest::collection::vec(0_u64..7, 4),
            at in 0_u64..6,
        ) {
            let bytes: Vec<u8> = (0..=255).cycle().take(4_096).collect();
            let strides = &strides[..shape.len()];
            let tensor = Tensor {
                name: String::new(),
                kind: Type { name: "I16", bytes: 2 },
                shape: shape.clone(),
                data: Data::Stored { at, strides: strides.to_vec() },
            };
            let mut out: Vec<u8> = Vec::new();
            stream(&Bytes(&bytes), &tensor, &mut |more| {
                out.extend(more);
                Ok(())
            }).unwrap();
            prop_assert_eq!(out, plainly(&bytes, &shape, strides, at));
        }
    }

    /// Larger than a tile in every way that tiles are cut.
    #[test]
    fn large_views_are_cut_into_tiles() {
        let (rows, columns) = (150_u64, 151_u64);
        let bytes: Vec<u8> = (0..rows * columns * 2).map(|at| (at % 251) as u8).collect();
        for (shape, strides) in [
            (vec![columns, rows], vec![1, columns]),
            (vec![rows, columns], vec![columns, 1]),
            (vec![rows / 2, columns], vec![columns * 2, 1]),
            (vec![rows * columns / 2], vec![2]),
            (vec![5, 30, columns], vec![columns, columns * 5, 1]),
        ] {
            let source = Bytes(&bytes);
            let view = View {
                source: &source,
                item: 2,
                shape: &shape,
                strides: &strides,
                tile: 1 << 10,
            };
            let mut out: Vec<u8> = Vec::new();
            view.emit(0, 0, &mut |more| {
                out.extend(more);
                Ok(())
            })
            .unwrap();
            assert!(out == plainly(&bytes, &shape, &strides, 0), "{shape:?}");
        }
    }
}
