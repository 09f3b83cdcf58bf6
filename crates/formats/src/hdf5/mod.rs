//! HDF5: what a file says about itself and where it sends its reader, without its arrays.
//!
//! Source: "HDF5 File Format Specification Version 3.0", The HDF Group; section numbers are its own.

mod dense;
mod object;

use std::collections::HashSet;

use crate::{ParseError, Reader, Source};

/// How many objects, blocks, and nodes one file may hold.
const MAX_NODES: usize = 200_000;
/// How many bytes of attributes are kept in all.
const MAX_TEXT: u64 = 64 << 20;
const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";

/// What a file holds besides numbers.
#[derive(Debug, Default)]
pub struct Hdf5 {
    /// Attributes that are text, of every object that can be reached.
    pub attributes: Vec<Attribute>,
    /// Places outside the file from which its reader would take data.
    pub outside: Vec<Outside>,
    /// Filters by number that come from plug-ins: above HDF5's own 255.
    pub plugins: Vec<u16>,
}

/// A piece of text that belongs to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name, e.g. `model_config`.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A place outside the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// How the file refers to it.
    pub kind: OutsideKind,
    /// The path that it names.
    pub target: String,
}

/// How a file refers to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutsideKind {
    /// A link to an object of another file.
    Link,
    /// A dataset whose bytes are another file's, of any format.
    Storage,
    /// A dataset that is put together from others.
    Virtual,
}

impl Hdf5 {
    /// Where the signature stands: at the start, or after a user block of 512 bytes doubled any
    /// number of times (II.A).
    #[must_use]
    pub fn signature(source: &dyn Source) -> Option<u64> {
        let at = |&place: &u64| source.read(place, 8).is_ok_and(|bytes| bytes == SIGNATURE);
        std::iter::once(0)
            .chain((9..50).map(|power| 1 << power))
            .take_while(|place| *place < source.len())
            .find(at)
    }

    /// Walks every object that can be reached from the root.
    ///
    /// # Errors
    /// When a part cannot be read or a bound is reached.
    pub fn read(source: &dyn Source) -> Result<Self, ParseError> {
        let start =
            Self::signature(source).ok_or_else(|| ParseError::malformed(0, "no HDF5 signature"))?;
        let (file, root) = File::open(source, start)?;
        let mut walk = Walk {
            file,
            seen: HashSet::new(),
            queue: vec![root],
            text: 0,
            found: Self::default(),
        };
        while let Some(address) = walk.queue.pop() {
            if walk.enter(address)? {
                walk.object(address)?;
            }
        }
        Ok(walk.found)
    }
}

/// The file with the sizes of its own numbers.
#[derive(Clone, Copy)]
struct File<'a> {
    source: &'a dyn Source,
    base: u64,
    offset_bytes: u8,
    length_bytes: u8,
}

impl<'a> File<'a> {
    /// Reads the superblock (II.A) and gives the root's address.
    ///
    /// Addresses count from the superblock, whatever base it names: HDF5's own reader takes it that
    /// way, since files are moved behind a block of the user's without being written again.
    fn open(source: &'a dyn Source, start: u64) -> Result<(Self, u64), ParseError> {
        let what = "the superblock";
        let mut reader = Reader::new(source, start + 8);
        let version = reader.u8(what)?;
        let mut file = Self {
            source,
            base: start,
            offset_bytes: 8,
            length_bytes: 8,
        };
        match version {
            0 | 1 => {
                reader.skip(4);
                file.offset_bytes = reader.u8(what)?;
                file.length_bytes = reader.u8(what)?;
                reader.skip(if version == 1 { 1 + 8 + 4 } else { 1 + 8 });
                file.checked(&reader)?;
                reader.skip(5 * u64::from(file.offset_bytes));
                let root = file.offset(&mut reader)?;
                Ok((file, root))
            }
            2 | 3 => {
                file.offset_bytes = reader.u8(what)?;
                file.length_bytes = reader.u8(what)?;
                reader.skip(1);
                file.checked(&reader)?;
                reader.skip(3 * u64::from(file.offset_bytes));
                let root = file.offset(&mut reader)?;
                Ok((file, root))
            }
            _ => Err(ParseError::malformed(
                start + 8,
                "a superblock of an unknown version",
            )),
        }
    }

    fn checked(&self, reader: &Reader<'_>) -> Result<(), ParseError> {
        let fits = |bytes: u8| matches!(bytes, 2 | 4 | 8);
        if fits(self.offset_bytes) && fits(self.length_bytes) {
            return Ok(());
        }
        Err(ParseError::malformed(
            reader.position(),
            "numbers of a size that HDF5 does not have",
        ))
    }

    /// Starts to read at an address of the file.
    fn at(&self, address: u64) -> Reader<'a> {
        Reader::new(self.source, self.base.saturating_add(address))
    }

    /// Starts to read after the four letters that a structure must begin with.
    fn signed(&self, address: u64, letters: &'static [u8; 4]) -> Result<Reader<'a>, ParseError> {
        let mut reader = self.at(address);
        let at = reader.position();
        if reader.array::<4>("a structure's signature")? == *letters {
            return Ok(reader);
        }
        Err(ParseError::malformed(
            at,
            "a structure's signature is wrong",
        ))
    }

    fn offset(&self, reader: &mut Reader<'_>) -> Result<u64, ParseError> {
        number(reader, self.offset_bytes)
    }

    fn length(&self, reader: &mut Reader<'_>) -> Result<u64, ParseError> {
        number(reader, self.length_bytes)
    }

    /// Whether an address is none, which the format writes as all ones.
    fn is_undefined(&self, address: u64) -> bool {
        address == u64::MAX >> (64 - 8 * u32::from(self.offset_bytes))
    }
}

/// A number of 1 to 8 bytes, least significant first.
fn number(reader: &mut Reader<'_>, bytes: u8) -> Result<u64, ParseError> {
    let mut number = 0;
    for index in 0..u32::from(bytes.min(8)) {
        number |= u64::from(reader.u8("a number")?) << (8 * index);
    }
    Ok(number)
}

/// The walk while it goes on.
struct Walk<'a> {
    file: File<'a>,
    seen: HashSet<u64>,
    queue: Vec<u64>,
    text: u64,
    found: Hdf5,
}

impl Walk<'_> {
    /// Whether a place is new.
    fn enter(&mut self, address: u64) -> Result<bool, ParseError> {
        if self.seen.len() >= MAX_NODES {
            return Err(ParseError::Exhausted {
                limit: "hdf5 nodes",
                max: MAX_NODES as u64,
            });
        }
        Ok(!self.file.is_undefined(address) && self.seen.insert(address))
    }

    /// Accounts for text that is kept.
    fn keep(&mut self, bytes: u64) -> Result<(), ParseError> {
        self.text = self.text.saturating_add(bytes);
        if self.text > MAX_TEXT {
            return Err(ParseError::Exhausted {
                limit: "hdf5 text",
                max: MAX_TEXT,
            });
        }
        Ok(())
    }

    fn outside(&mut self, kind: OutsideKind, target: &[u8]) -> Result<(), ParseError> {
        self.keep(target.len() as u64)?;
        self.found.outside.push(Outside {
            kind,
            target: String::from_utf8_lossy(target).into_owned(),
        });
        Ok(())
    }

    /// The zero-terminated text at `offset` of the local heap at `heap` (III.D).
    fn heap_text(&self, heap: u64, offset: u64) -> Result<Vec<u8>, ParseError> {
        let mut reader = self.file.signed(heap, b"HEAP")?;
        reader.skip(4);
        let size = self.file.length(&mut reader)?;
        self.file.length(&mut reader)?;
        let data = self.file.offset(&mut reader)?;
        let most = size.saturating_sub(offset).min(64 << 10);
        let start = self.file.at(data.saturating_add(offset)).position();
        let bytes = self.file.source.read(start, most)?;
        Ok(bytes
            .split(|byte| *byte == 0)
            .next()
            .unwrap_or_default()
            .to_vec())
    }

    /// The members of an old group: a tree of symbol tables (III.A.1, III.B).
    fn symbol_table(&mut self, tree: u64, heap: u64) -> Result<(), ParseError> {
        let mut nodes = vec![tree];
        while let Some(address) = nodes.pop() {
            if !self.enter(address)? {
                continue;
            }
            let mut reader = self.file.at(address);
            let at = reader.position();
            match &reader.array::<4>("a node of a group")? {
                b"TREE" => {
                    reader.skip(2);
                    let entries = reader.u16("a node of a group")?;
                    reader.skip(2 * u64::from(self.file.offset_bytes));
                    for _ in 0..entries {
                        self.file.length(&mut reader)?;
                        nodes.push(self.file.offset(&mut reader)?);
                    }
                }
                b"SNOD" => {
                    reader.skip(2);
                    let symbols = reader.u16("a symbol table")?;
                    for _ in 0..symbols {
                        self.file.offset(&mut reader)?;
                        let object = self.file.offset(&mut reader)?;
                        let cache = reader.u32("a symbol")?;
                        reader.skip(4 + 16);
                        // A soft link stays in the file and has no object of its own.
                        if cache != 2 {
                            self.queue.push(object);
                        }
                    }
                }
                _ => {
                    return Err(ParseError::malformed(
                        at,
                        "no node of a group where one should be",
                    ));
                }
            }
        }
        // What the names say is not needed, but the heap that holds them must be one.
        self.file.signed(heap, b"HEAP").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bytes;

    /// Files that the HDF Group's library wrote; the fuzzers start from them too.
    const EARLIEST: &[u8] = include_bytes!("../../../../fuzz/corpus/hdf5/earliest");
    const LATEST: &[u8] = include_bytes!("../../../../fuzz/corpus/hdf5/latest");
    const DENSE: &[u8] = include_bytes!("../../../../fuzz/corpus/hdf5/dense");

    #[test]
    fn old_and_new_groups_are_walked() {
        for bytes in [EARLIEST, LATEST] {
            let file = Hdf5::read(&Bytes(bytes)).unwrap();
            let config = file
                .attributes
                .iter()
                .find(|one| one.name == "model_config");
            assert!(config.unwrap().text.starts_with('{'));
            let names = file.attributes.iter().filter(|one| one.name == "n");
            assert!(names.map(|one| &*one.text).eq(["a", "b"]));
            assert_eq!(file.outside[0].kind, OutsideKind::Link);
            assert_eq!(file.outside[0].target, "o.h5");
        }
    }

    #[test]
    fn attributes_in_heaps_are_read() {
        let file = Hdf5::read(&Bytes(DENSE)).unwrap();
        let mut names: Vec<&str> = file.attributes.iter().map(|one| &*one.name).collect();
        names.sort_unstable();
        assert_eq!(names.len(), 12);
        assert_eq!(names[0], "k0");
    }

    #[test]
    fn circles_end() {
        // The root's only link leads to the root.
        let mut bytes = LATEST.to_vec();
        let at = memchr::memmem::find(&bytes, b"OHDR").unwrap();
        let source = Bytes(&bytes);
        let (file, root) = File::open(&source, 0).unwrap();
        assert_eq!(file.base + root, at as u64);
        for place in 0..bytes.len() - 8 {
            let word = u64::from_le_bytes(bytes[place..place + 8].try_into().unwrap());
            if word != root && place > 48 && word > 48 && word < 4_096 {
                bytes[place..place + 8].copy_from_slice(&root.to_le_bytes());
            }
        }
        // Whatever that made of the file, the walk comes to an end.
        let _ = Hdf5::read(&Bytes(&bytes));
    }
}
