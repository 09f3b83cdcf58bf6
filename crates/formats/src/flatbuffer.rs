use crate::{ParseError, Source};

/// A table of a FlatBuffers file; every step is checked against the end of the file.
///
/// Source: <https://flatbuffers.dev/internals/>
#[derive(Clone, Copy)]
pub struct Table<'a> {
    source: &'a dyn Source,
    at: u64,
    fields_at: u64,
    fields: u64,
}

/// A vector of a FlatBuffers file.
#[derive(Clone, Copy)]
pub struct Vector<'a> {
    source: &'a dyn Source,
    at: u64,
    /// How many elements it has.
    pub len: u64,
}

fn read<const N: usize>(source: &dyn Source, at: u64) -> Result<[u8; N], ParseError> {
    let bytes = source.read(at, N as u64)?;
    bytes.try_into().map_err(|_| ParseError::Truncated {
        at: source.len(),
        what: "a flatbuffer's part",
    })
}

fn u32_at(source: &dyn Source, at: u64) -> Result<u64, ParseError> {
    read(source, at).map(|bytes| u64::from(u32::from_le_bytes(bytes)))
}

/// The place to which the offset at `at` leads.
fn follow(source: &dyn Source, at: u64) -> Result<u64, ParseError> {
    let offset = u32_at(source, at)?;
    let target = at.saturating_add(offset);
    if offset == 0 || target.saturating_add(4) > source.len() {
        return Err(ParseError::malformed(at, "an offset leads out of the file"));
    }
    Ok(target)
}

impl<'a> Table<'a> {
    /// The file's root.
    ///
    /// # Errors
    /// When it leads out of the file.
    pub fn root(source: &'a dyn Source) -> Result<Self, ParseError> {
        Self::open(source, follow(source, 0)?)
    }

    fn open(source: &'a dyn Source, at: u64) -> Result<Self, ParseError> {
        let back = i64::from(i32::from_le_bytes(read(source, at)?));
        let outside = || ParseError::malformed(at, "a table's layout is outside the file");
        let table = i64::try_from(at).map_err(|_| outside())?;
        let layout = table.checked_sub(back).ok_or_else(outside)?;
        let layout = u64::try_from(layout).map_err(|_| outside())?;
        let bytes = u64::from(u16::from_le_bytes(read(source, layout)?));
        if bytes < 4 || bytes % 2 == 1 || layout.saturating_add(bytes) > source.len() {
            return Err(outside());
        }
        Ok(Self {
            source,
            at,
            fields_at: layout + 4,
            fields: (bytes - 4) / 2,
        })
    }

    /// Where the value of field `index` stands; `None` when it is left out.
    fn place(&self, index: u16) -> Result<Option<u64>, ParseError> {
        if u64::from(index) >= self.fields {
            return Ok(None);
        }
        let offset = read(self.source, self.fields_at + 2 * u64::from(index))?;
        let offset = u64::from(u16::from_le_bytes(offset));
        Ok((offset != 0).then_some(self.at + offset))
    }

    /// A byte; zero when it is left out.
    ///
    /// # Errors
    /// When it is outside the file.
    pub fn u8(&self, index: u16) -> Result<u8, ParseError> {
        match self.place(index)? {
            Some(at) => read(self.source, at).map(|[byte]| byte),
            None => Ok(0),
        }
    }

    /// A number of four bytes; zero when it is left out.
    ///
    /// # Errors
    /// When it is outside the file.
    pub fn u32(&self, index: u16) -> Result<u32, ParseError> {
        match self.place(index)? {
            Some(at) => read(self.source, at).map(u32::from_le_bytes),
            None => Ok(0),
        }
    }

    /// A number of eight bytes; zero when it is left out.
    ///
    /// # Errors
    /// When it is outside the file.
    pub fn u64(&self, index: u16) -> Result<u64, ParseError> {
        match self.place(index)? {
            Some(at) => read(self.source, at).map(u64::from_le_bytes),
            None => Ok(0),
        }
    }

    /// A table below this one.
    ///
    /// # Errors
    /// When it is outside the file.
    pub fn table(&self, index: u16) -> Result<Option<Self>, ParseError> {
        match self.place(index)? {
            Some(at) => Self::open(self.source, follow(self.source, at)?).map(Some),
            None => Ok(None),
        }
    }

    /// A vector whose elements take `bytes` each; empty when it is left out.
    ///
    /// # Errors
    /// When it is not wholly in the file.
    pub fn vector(&self, index: u16, bytes: u64) -> Result<Vector<'a>, ParseError> {
        let mut vector = Vector {
            source: self.source,
            at: 0,
            len: 0,
        };
        if let Some(place) = self.place(index)? {
            let at = follow(self.source, place)?;
            let len = u32_at(self.source, at)?;
            let end = len.saturating_mul(bytes).saturating_add(at + 4);
            if end > self.source.len() {
                return Err(ParseError::malformed(at, "a vector ends after the file"));
            }
            (vector.at, vector.len) = (at + 4, len);
        }
        Ok(vector)
    }

    /// A text of at most 64 KiB; empty when it is left out.
    ///
    /// # Errors
    /// When it is not wholly in the file or too long.
    pub fn text(&self, index: u16) -> Result<String, ParseError> {
        let vector = self.vector(index, 1)?;
        if vector.len > 64 << 10 {
            return Err(ParseError::Exhausted {
                limit: "flatbuffer text",
                max: 64 << 10,
            });
        }
        let bytes = self.source.read(vector.at, vector.len)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl<'a> Vector<'a> {
    /// Element `index` of a vector of tables.
    ///
    /// # Errors
    /// When it is outside the file.
    pub fn table(&self, index: u64) -> Result<Table<'a>, ParseError> {
        Table::open(self.source, follow(self.source, self.at + 4 * index)?)
    }

    /// Element `index` of a vector of numbers of four bytes.
    ///
    /// # Errors
    /// When it is outside the file.
    pub fn u32(&self, index: u64) -> Result<u32, ParseError> {
        read(self.source, self.at + 4 * index).map(u32::from_le_bytes)
    }

    /// Its tables, one after the other.
    pub fn tables(self) -> impl Iterator<Item = Result<Table<'a>, ParseError>> {
        (0..self.len).map(move |index| self.table(index))
    }
}
