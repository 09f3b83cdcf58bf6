use super::{Walk, number};
use crate::{Bytes, ParseError, Reader};

/// How many records one index may hold.
const MAX_RECORDS: usize = 100_000;

impl Walk<'_> {
    /// Follows a Link Info (IV.A.2.c) or Attribute Info message (IV.A.2.v) to links or attributes
    /// that stand in a heap of their own.
    pub(super) fn dense(&mut self, kind: u16, reader: &mut Reader<'_>) -> Result<(), ParseError> {
        let is_link = kind == 0x02;
        reader.skip(1);
        let flags = reader.u8("an index")?;
        let order = if is_link { 8 } else { 2 };
        reader.skip(if flags & 1 == 0 { 0 } else { order });
        let heap = self.file.offset(reader)?;
        let index = self.file.offset(reader)?;
        if self.file.is_undefined(heap) || self.file.is_undefined(index) || !self.enter(heap)? {
            return Ok(());
        }
        let heap = Heap::read(self, heap)?;
        // Records of links start with a hash of four bytes, those of attributes with the id.
        let skip = if is_link { 4 } else { 0 };
        for id in self.records(index, skip, heap.id_bytes)? {
            let bytes = heap.object(self, &id)?;
            let source = Bytes(&bytes);
            let mut reader = Reader::new(&source, 0);
            match kind {
                0x02 => self.link(&mut reader)?,
                _ => self.attribute(&mut reader)?,
            }
        }
        Ok(())
    }

    /// The ids of a tree's records (III.A.2).
    fn records(&mut self, tree: u64, skip: u64, id: u64) -> Result<Vec<Vec<u8>>, ParseError> {
        let what = "an index";
        let mut reader = self.file.signed(tree, b"BTHD")?;
        reader.skip(2);
        let node_bytes = u64::from(reader.u32(what)?);
        let record = u64::from(reader.u16(what)?);
        let depth = reader.u16(what)?;
        reader.skip(2);
        let root = self.file.offset(&mut reader)?;
        let count = reader.u16(what)?;
        if record < skip.saturating_add(id) || node_bytes < 16 || depth > 8 {
            return Err(ParseError::malformed(
                reader.position(),
                "an index of odd sizes",
            ));
        }
        // Counts below a node take as many bytes as the most records there can be need.
        let in_leaf = (node_bytes - 10) / record;
        let count_bytes = bytes_for(in_leaf);
        let mut below = in_leaf;
        let mut total_bytes = vec![0_u8, 0];
        for _ in 1..depth {
            let pointer = u64::from(self.file.offset_bytes)
                + u64::from(count_bytes)
                + u64::from(total_bytes.last().copied().unwrap_or(0));
            let here = node_bytes.saturating_sub(10 + pointer) / (record + pointer);
            below = here.saturating_add(here.saturating_add(1).saturating_mul(below));
            total_bytes.push(bytes_for(below));
        }
        let mut ids = Vec::new();
        let mut nodes = vec![(root, count, depth)];
        while let Some((node, count, depth)) = nodes.pop() {
            if !self.enter(node)? {
                continue;
            }
            let letters = if depth == 0 { b"BTLF" } else { b"BTIN" };
            let mut reader = self.file.signed(node, letters)?;
            reader.skip(2);
            for _ in 0..count {
                if ids.len() >= MAX_RECORDS {
                    return Err(ParseError::Exhausted {
                        limit: "hdf5 records",
                        max: MAX_RECORDS as u64,
                    });
                }
                reader.skip(skip);
                ids.push(reader.bytes(id, 64, what)?);
                reader.skip(record - skip - id);
            }
            if depth > 0 {
                for _ in 0..=count {
                    let child = self.file.offset(&mut reader)?;
                    let inside = number(&mut reader, count_bytes)?;
                    let total = total_bytes.get(usize::from(depth)).copied().unwrap_or(0);
                    reader.skip(u64::from(total));
                    nodes.push((child, u16::try_from(inside).unwrap_or(u16::MAX), depth - 1));
                }
            }
        }
        Ok(ids)
    }
}

/// How many bytes a number up to `most` takes.
fn bytes_for(most: u64) -> u8 {
    u8::try_from((64 - most.leading_zeros()).div_ceil(8).max(1)).unwrap_or(8)
}

/// A fractal heap (III.G): the blocks that hold its objects.
struct Heap {
    id_bytes: u64,
    offset_bytes: u8,
    length_bytes: u8,
    /// Place in the heap, place in the file, size.
    blocks: Vec<(u64, u64, u64)>,
}

impl Heap {
    fn read(walk: &mut Walk<'_>, address: u64) -> Result<Self, ParseError> {
        let what = "a heap";
        let file = walk.file;
        let mut reader = file.signed(address, b"FRHP")?;
        reader.skip(1);
        let id_bytes = u64::from(reader.u16(what)?);
        let filters = reader.u16(what)?;
        reader.skip(1);
        let max_managed = reader.u32(what)?;
        reader.skip(10 * u64::from(file.length_bytes) + 2 * u64::from(file.offset_bytes));
        let width = u64::from(reader.u16(what)?);
        let first = file.length(&mut reader)?;
        let max_direct = file.length(&mut reader)?;
        let heap_bits = reader.u16(what)?;
        reader.skip(2);
        let root = file.offset(&mut reader)?;
        let rows = reader.u16(what)?;
        if filters != 0 {
            return Err(ParseError::malformed(
                reader.position(),
                "a heap that is compressed is not read",
            ));
        }
        if !first.is_power_of_two() || !max_direct.is_power_of_two() || width == 0 || heap_bits > 64
        {
            return Err(ParseError::malformed(
                reader.position(),
                "a heap of odd sizes",
            ));
        }
        let offset_bytes = u8::try_from(heap_bits.div_ceil(8)).unwrap_or(8);
        let mut heap = Self {
            id_bytes,
            offset_bytes,
            length_bytes: bytes_for(max_direct.min(u64::from(max_managed))),
            blocks: Vec::new(),
        };
        if rows == 0 {
            heap.blocks.push((0, root, first));
            return Ok(heap);
        }
        let direct_rows = u64::from((max_direct / first).max(1).ilog2()) + 2;
        let mut tables = vec![(root, 0_u64, u64::from(rows))];
        while let Some((table, mut place, rows)) = tables.pop() {
            if !walk.enter(table)? {
                continue;
            }
            let mut reader = file.signed(table, b"FHIB")?;
            reader.skip(1 + u64::from(file.offset_bytes) + u64::from(offset_bytes));
            for row in 0..rows.min(64) {
                let size = first.checked_shl(u32::try_from(row.saturating_sub(1)).unwrap_or(63));
                let size = size.unwrap_or(u64::MAX);
                for _ in 0..width {
                    let child = file.offset(&mut reader)?;
                    if !file.is_undefined(child) {
                        if row < direct_rows {
                            heap.blocks.push((place, child, size));
                        } else {
                            let inside = size / first / width.max(1);
                            let rows = u64::from(inside.max(1).ilog2()) + 1;
                            tables.push((child, place, rows));
                        }
                    }
                    place = place.saturating_add(size);
                    if heap.blocks.len() > MAX_RECORDS {
                        return Err(ParseError::Exhausted {
                            limit: "hdf5 blocks",
                            max: MAX_RECORDS as u64,
                        });
                    }
                }
            }
        }
        Ok(heap)
    }

    /// The bytes of one object by its id (III.G.3).
    fn object(&self, walk: &Walk<'_>, id: &[u8]) -> Result<Vec<u8>, ParseError> {
        const MANAGED: u8 = 0;
        const TINY: u8 = 2;
        let source = Bytes(id);
        let mut reader = Reader::new(&source, 0);
        let kind = reader.u8("an object's id")?;
        match kind >> 4 & 3 {
            MANAGED => {
                let offset = number(&mut reader, self.offset_bytes)?;
                let length = number(&mut reader, self.length_bytes)?;
                let block = self.blocks.iter().find(|(place, _, size)| {
                    offset
                        .checked_sub(*place)
                        .is_some_and(|inside| inside < *size)
                });
                let Some((place, address, _)) = block else {
                    return Err(ParseError::malformed(0, "a heap lacks an object"));
                };
                let mut reader = walk.file.at(address.saturating_add(offset - place));
                reader.bytes(length, 1 << 20, "a heap's object")
            }
            TINY => {
                let length = usize::from(kind & 0x0F) + 1;
                Ok(id.get(1..=length).unwrap_or_default().to_vec())
            }
            _ => Err(ParseError::malformed(
                0,
                "an object outside its heap is not read",
            )),
        }
    }
}
