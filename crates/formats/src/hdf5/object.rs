use super::{Attribute, OutsideKind, Walk, number};
use crate::{Bytes, ParseError, Reader};

/// How many bytes one message of an object's header may have; the format's own bound is 64 KiB.
const MAX_MESSAGE: u64 = 1 << 16;
/// How many bytes one global heap object may have, i.e. the text of one attribute.
const MAX_ATTRIBUTE: u64 = 64 << 20;

impl Walk<'_> {
    /// Reads the header of one object (IV.A.1) and follows what it says.
    pub(super) fn object(&mut self, address: u64) -> Result<(), ParseError> {
        let mut reader = self.file.at(address);
        let at = reader.position();
        let version = reader.u8("an object's header")?;
        match version {
            1 => {
                reader.skip(7);
                let size = reader.u32("an object's header")?;
                // Messages are aligned to eight bytes.
                reader.skip(4);
                self.blocks(reader.position(), u64::from(size), None)
            }
            b'O' if reader.array::<3>("an object's header")? == *b"HDR" => {
                reader.skip(1);
                let flags = reader.u8("an object's header")?;
                reader.skip(if flags & 0x20 == 0 { 0 } else { 16 });
                reader.skip(if flags & 0x10 == 0 { 0 } else { 4 });
                let size = number(&mut reader, 1 << (flags & 3))?;
                self.blocks(reader.position(), size, Some(flags & 4 != 0))
            }
            _ => Err(ParseError::malformed(
                at,
                "no object's header where one should be",
            )),
        }
    }

    /// Reads blocks of messages: the first, then those that messages lead to. `ordered` is `None` in
    /// headers of version 1, and else says whether messages carry their order.
    fn blocks(&mut self, start: u64, size: u64, ordered: Option<bool>) -> Result<(), ParseError> {
        let mut blocks = vec![(start, size)];
        while let Some((start, size)) = blocks.pop() {
            let mut reader = Reader::new(self.file.source, start);
            let end = start.saturating_add(size);
            let header = match ordered {
                None => 8,
                Some(false) => 4,
                Some(true) => 6,
            };
            while reader.position().saturating_add(header) <= end {
                let (kind, length, flags) = if ordered.is_none() {
                    let kind = reader.u16("a message")?;
                    let length = reader.u16("a message")?;
                    let [flags, ..] = reader.array::<4>("a message")?;
                    (kind, length, flags)
                } else {
                    let kind = u16::from(reader.u8("a message")?);
                    let length = reader.u16("a message")?;
                    let flags = reader.u8("a message")?;
                    reader.skip(if ordered == Some(true) { 2 } else { 0 });
                    (kind, length, flags)
                };
                let data = reader.bytes(u64::from(length), MAX_MESSAGE, "a message")?;
                if kind == 0x10 {
                    let source = Bytes(&data);
                    let mut inner = Reader::new(&source, 0);
                    let place = self.file.offset(&mut inner)?;
                    let length = self.file.length(&mut inner)?;
                    if self.enter(place)? {
                        blocks.push(self.continuation(place, length, ordered.is_some())?);
                    }
                } else {
                    self.message(kind, flags, &data)?;
                }
            }
        }
        Ok(())
    }

    /// Where the messages of a further block stand; new ones have letters before and a sum after.
    fn continuation(&self, at: u64, length: u64, signed: bool) -> Result<(u64, u64), ParseError> {
        if signed {
            let reader = self.file.signed(at, b"OCHK")?;
            return Ok((reader.position(), length.saturating_sub(8)));
        }
        Ok((self.file.at(at).position(), length))
    }

    fn message(&mut self, kind: u16, flags: u8, data: &[u8]) -> Result<(), ParseError> {
        const SHARED: u8 = 2;
        let source = Bytes(data);
        let mut reader = Reader::new(&source, 0);
        match kind {
            0x02 | 0x15 => self.dense(kind, &mut reader),
            0x06 | 0x0C if flags & SHARED != 0 => Err(ParseError::malformed(
                0,
                "a link or attribute that is shared",
            )),
            0x06 => self.link(&mut reader),
            0x07 => self.external_storage(&mut reader),
            0x08 => self.layout(&mut reader),
            0x0B if flags & SHARED == 0 => self.filters(&mut reader),
            0x0C => self.attribute(&mut reader),
            0x11 => {
                let tree = self.file.offset(&mut reader)?;
                let heap = self.file.offset(&mut reader)?;
                self.symbol_table(tree, heap)
            }
            _ => Ok(()),
        }
    }

    /// IV.A.2.g, "The Link Message".
    pub(super) fn link(&mut self, reader: &mut Reader<'_>) -> Result<(), ParseError> {
        let what = "a link";
        reader.skip(1);
        let flags = reader.u8(what)?;
        let kind = if flags & 8 == 0 { 0 } else { reader.u8(what)? };
        reader.skip(if flags & 4 == 0 { 0 } else { 8 });
        reader.skip(if flags & 0x10 == 0 { 0 } else { 1 });
        let name = number(reader, 1 << (flags & 3))?;
        reader.skip(name);
        match kind {
            0 => {
                let object = self.file.offset(reader)?;
                self.queue.push(object);
            }
            64 => {
                let length = u64::from(reader.u16(what)?);
                let value = reader.bytes(length, MAX_MESSAGE, what)?;
                let file = value.get(1..).unwrap_or_default();
                let file = file.split(|byte| *byte == 0).next().unwrap_or_default();
                self.outside(OutsideKind::Link, file)?;
            }
            // A soft link stays in the file.
            _ => {}
        }
        Ok(())
    }

    /// IV.A.2.h, "The Data Storage - External Data Files Message".
    fn external_storage(&mut self, reader: &mut Reader<'_>) -> Result<(), ParseError> {
        reader.skip(4 + 2);
        let used = reader.u16("external files")?;
        let heap = self.file.offset(reader)?;
        for _ in 0..used {
            let name = self.file.length(reader)?;
            reader.skip(2 * u64::from(self.file.length_bytes));
            let name = self.heap_text(heap, name)?;
            self.outside(OutsideKind::Storage, &name)?;
        }
        Ok(())
    }

    /// IV.A.2.i, "The Data Layout Message": only whether it is put together from other files.
    fn layout(&mut self, reader: &mut Reader<'_>) -> Result<(), ParseError> {
        let version = reader.u8("a layout")?;
        let class = reader.u8("a layout")?;
        if version < 4 || class != 3 {
            return Ok(());
        }
        let heap = self.file.offset(reader)?;
        let index = reader.u32("a layout")?;
        let mapping = self.global_heap(heap, index, MAX_MESSAGE)?;
        // Version, count of entries, then the first source's file name.
        let names = mapping.get(1 + usize::from(self.file.length_bytes)..);
        let file = names.and_then(|names| names.split(|byte| *byte == 0).next());
        match file {
            Some(b".") => Ok(()),
            file => self.outside(OutsideKind::Virtual, file.unwrap_or_default()),
        }
    }

    /// IV.A.2.l, "The Data Storage - Filter Pipeline Message".
    fn filters(&mut self, reader: &mut Reader<'_>) -> Result<(), ParseError> {
        let what = "a filter";
        let version = reader.u8(what)?;
        let count = reader.u8(what)?;
        reader.skip(if version == 1 { 6 } else { 0 });
        for _ in 0..count {
            let id = reader.u16(what)?;
            let named = version == 1 || id >= 256;
            let name = if named { reader.u16(what)? } else { 0 };
            reader.skip(2);
            let values = reader.u16(what)?;
            let name = u64::from(name);
            reader.skip(if version == 1 {
                name.next_multiple_of(8)
            } else {
                name
            });
            let padded = version == 1 && values % 2 == 1;
            reader.skip(4 * (u64::from(values) + u64::from(padded)));
            if id >= 256 && !self.found.plugins.contains(&id) {
                self.found.plugins.push(id);
            }
        }
        Ok(())
    }

    /// IV.A.2.m, "The Attribute Message".
    pub(super) fn attribute(&mut self, reader: &mut Reader<'_>) -> Result<(), ParseError> {
        let what = "an attribute";
        let version = reader.u8(what)?;
        let flags = reader.u8(what)?;
        let sizes: [u16; 3] = [reader.u16(what)?, reader.u16(what)?, reader.u16(what)?];
        reader.skip(if version == 3 { 1 } else { 0 });
        let [name, kind, space] = sizes.map(u64::from);
        let padded = |size: u64| {
            if version == 1 {
                size.next_multiple_of(8)
            } else {
                size
            }
        };
        let mut part = |size: u64| -> Result<Vec<u8>, ParseError> {
            let bytes = reader.bytes(size, MAX_MESSAGE, what)?;
            reader.skip(padded(size) - size);
            Ok(bytes)
        };
        let name = part(name)?;
        let kind = part(kind)?;
        let space = part(space)?;
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        let name = String::from_utf8_lossy(name).into_owned();
        if version > 1 && flags & 1 != 0 {
            return Err(ParseError::malformed(
                0,
                "an attribute whose type stands elsewhere is not read",
            ));
        }
        let Some(count) = elements(&space, self.file.length_bytes) else {
            return Ok(());
        };
        let data = reader.bytes(reader.remaining(), MAX_MESSAGE, what)?;
        for text in self.texts(&kind, count, &data)? {
            self.keep(text.len() as u64)?;
            self.found.attributes.push(Attribute {
                name: name.clone(),
                text: String::from_utf8_lossy(&text).into_owned(),
            });
        }
        Ok(())
    }

    /// The strings that `data` holds or points to, if its type is text (IV.A.2.d).
    fn texts(&mut self, kind: &[u8], count: u64, data: &[u8]) -> Result<Vec<Vec<u8>>, ParseError> {
        const NUMBER: u8 = 0;
        const STRING: u8 = 3;
        const OPAQUE: u8 = 5;
        const VARIABLE: u8 = 9;
        let &[class, bits, _, _, s0, s1, s2, s3, ..] = kind else {
            return Ok(Vec::new());
        };
        let size = u64::from(u32::from_le_bytes([s0, s1, s2, s3]));
        let size = usize::try_from(size).unwrap_or(usize::MAX).max(1);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        match class & 0x0F {
            // Bytes that a reader may take for text.
            NUMBER if size == 1 => Ok(vec![trimmed(data)]),
            OPAQUE => Ok(vec![trimmed(data)]),
            STRING => Ok(data.chunks_exact(size).take(count).map(trimmed).collect()),
            VARIABLE if bits & 0x0F == 1 => {
                let mut texts = Vec::new();
                for element in data.chunks_exact(size).take(count) {
                    let source = Bytes(element);
                    let mut reader = Reader::new(&source, 0);
                    let length = u64::from(reader.u32("a string")?);
                    let heap = self.file.offset(&mut reader)?;
                    let index = reader.u32("a string")?;
                    if length == 0 || heap == 0 || self.file.is_undefined(heap) {
                        continue;
                    }
                    let mut text = self.global_heap(heap, index, MAX_ATTRIBUTE)?;
                    text.truncate(usize::try_from(length).unwrap_or(usize::MAX));
                    texts.push(trimmed(&text));
                }
                Ok(texts)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// One object of a global heap (III.E).
    fn global_heap(&mut self, heap: u64, index: u32, max: u64) -> Result<Vec<u8>, ParseError> {
        let mut reader = self.file.signed(heap, b"GCOL")?;
        reader.skip(4);
        let start = reader.position() - 8;
        let size = self.file.length(&mut reader)?;
        let end = start.saturating_add(size);
        while reader.position() < end {
            let number = reader.u16("a heap's object")?;
            reader.skip(6);
            let length = self.file.length(&mut reader)?;
            // The object of number zero is the free space, the last one.
            if number == 0 {
                break;
            }
            if u32::from(number) == index {
                self.keep(length)?;
                return reader.bytes(length, max, "a heap's object");
            }
            reader.skip(length.checked_next_multiple_of(8).unwrap_or(u64::MAX));
        }
        Err(ParseError::malformed(start, "a heap lacks an object"))
    }
}

/// How many elements a dataspace has (IV.A.2.b); `None` for none at all.
fn elements(space: &[u8], length_bytes: u8) -> Option<u64> {
    const NULL: u8 = 2;
    let &[version, rank, _, kind, ..] = space else {
        return None;
    };
    let start = if version == 1 { 8 } else { 4 };
    if version == 2 && kind == NULL {
        return None;
    }
    let mut count = 1_u64;
    let sides = space.get(start..)?;
    for side in sides
        .chunks_exact(usize::from(length_bytes))
        .take(usize::from(rank))
    {
        let source = Bytes(side);
        let side = number(&mut Reader::new(&source, 0), length_bytes).ok()?;
        count = count.saturating_mul(side);
    }
    Some(count)
}

/// Text up to its end mark.
fn trimmed(text: &[u8]) -> Vec<u8> {
    text.split(|byte| *byte == 0)
        .next()
        .unwrap_or_default()
        .to_vec()
}
