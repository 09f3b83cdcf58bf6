//! `.npy` and `.npz` (`numpy/lib/format.py`, "Format Version 1.0" and later).

use bartizan_formats::{
    Bytes, ParseError, Reader, Section, Source,
    archive::{Codec, Zip, ZipEntry, unpack},
};

use super::{
    ConvertError, ConvertLimits, Plan,
    tensor::{Data, Tensor, Type, strides},
};

/// Longest header; `NumPy` itself trusts 10,000 bytes.
const HEADER: u64 = 64 << 10;

const MAGIC: &[u8] = b"\x93NUMPY";

/// What a header says, and where the items begin.
struct Array {
    descr: String,
    by_columns: bool,
    shape: Vec<u64>,
    data_at: u64,
}

/// One array.
pub(super) fn array<'s>(
    source: &'s dyn Source,
    limits: &ConvertLimits,
) -> Result<Plan<'s>, ConvertError> {
    let mut plan = Plan::new(source, "np");
    let array = header(source)?;
    stored(&mut plan, "array", &array, 0, source.len())?;
    plan.finish(limits)
}

/// An archive of arrays.
pub(super) fn arrays<'s>(
    source: &'s dyn Source,
    archive: &Zip,
    limits: &ConvertLimits,
) -> Result<Plan<'s>, ConvertError> {
    let mut plan = Plan::new(source, "np");
    for entry in &archive.entries {
        let Some(name) = entry.name.strip_suffix(".npy") else {
            plan.leave_out(&entry.name, "a file that is no array");
            continue;
        };
        let data_at = super::torch::data(entry)?;
        let packed = Section::new(source, data_at, entry.packed);
        let codec = match entry.method {
            0 => {
                let array = header(&packed)?;
                stored(&mut plan, name, &array, data_at, entry.packed)?;
                continue;
            }
            8 => Codec::Deflate,
            _ => {
                plan.leave_out(name, "an array that is compressed in an unknown way");
                continue;
            }
        };
        compressed(&mut plan, name, entry, codec, packed)?;
    }
    plan.finish(limits)
}

fn stored(
    plan: &mut Plan<'_>,
    name: &str,
    array: &Array,
    base: u64,
    length: u64,
) -> Result<(), ConvertError> {
    let Some(kind) = array.kind() else {
        plan.leave_out(name, array.refused());
        return Ok(());
    };
    let strides = array.strides(name)?;
    let at = base.saturating_add(array.data_at);
    let tensor = Tensor {
        name: name.to_owned(),
        kind,
        shape: array.shape.clone(),
        data: Data::Stored { at, strides },
    };
    plan.stored(tensor, (at, length.saturating_sub(array.data_at)))
}

fn compressed<'s>(
    plan: &mut Plan<'s>,
    name: &str,
    entry: &ZipEntry,
    codec: Codec,
    packed: Section<'s>,
) -> Result<(), ConvertError> {
    let start = unpack(codec, &packed, HEADER);
    let array = header(&Bytes(&start.bytes))?;
    let Some(kind) = array.kind() else {
        plan.leave_out(name, array.refused());
        return Ok(());
    };
    if array.by_columns && array.shape.len() > 1 {
        plan.leave_out(name, "a compressed array that lies column by column");
        return Ok(());
    }
    array.strides(name)?;
    let tensor = Tensor {
        name: name.to_owned(),
        kind,
        shape: array.shape,
        data: Data::Packed {
            codec,
            packed,
            skip: array.data_at,
        },
    };
    if tensor.bytes().checked_add(array.data_at) != Some(entry.size) {
        return Err(tensor.wrong("it has another size than the archive says"));
    }
    plan.push(tensor)
}

fn header(source: &dyn Source) -> Result<Array, ConvertError> {
    let what = "the header of an array";
    let odd = |what: &'static str| ConvertError::from(ParseError::malformed(0, what));
    let mut reader = Reader::new(source, 0);
    if reader.bytes(6, 6, what)? != MAGIC {
        return Err(odd("no array of NumPy"));
    }
    let major = reader.u8(what)?;
    reader.u8(what)?;
    let length = match major {
        1 => u64::from(reader.u16(what)?),
        2 | 3 => u64::from(reader.u32(what)?),
        _ => return Err(odd("an array of a version that does not exist")),
    };
    let header = reader.bytes(length, HEADER, what)?;
    let header = String::from_utf8(header).map_err(|_| odd("the header of an array is no text"))?;
    let value = |key: &str| {
        let mut parts = header.split(key);
        let (_, rest) = (parts.next()?, parts.next()?);
        // A key that stands twice means two things.
        let rest = rest.trim_start().strip_prefix(':')?.trim_start();
        parts.next().is_none().then_some(rest)
    };
    let read = || {
        let descr = value("'descr'")?;
        let descr = match descr.strip_prefix('\'') {
            Some(text) => text.split('\'').next()?,
            // A list of fields.
            None => "",
        };
        let order = value("'fortran_order'")?;
        let by_columns = match (order.starts_with("True"), order.starts_with("False")) {
            (true, _) => true,
            (_, true) => false,
            _ => return None,
        };
        let (shape, _) = value("'shape'")?.strip_prefix('(')?.split_once(')')?;
        let sides = shape
            .split(',')
            .map(str::trim)
            .filter(|side| !side.is_empty());
        Some(Array {
            descr: descr.to_owned(),
            by_columns,
            shape: sides.map(|side| side.parse().ok()).collect::<Option<_>>()?,
            data_at: reader.position(),
        })
    };
    read().ok_or_else(|| odd("the header of an array is not in its form"))
}

impl Array {
    fn kind(&self) -> Option<Type> {
        let code = self.descr.strip_prefix(['<', '|', '='])?;
        Type::of_numpy(code)
    }

    fn refused(&self) -> String {
        match self.descr.as_str() {
            "" => "an array of fields".to_owned(),
            "|O" => "an array of objects, which is a pickle".to_owned(),
            other => format!("an array of `{other}`, which is not converted"),
        }
    }

    fn strides(&self, name: &str) -> Result<Vec<u64>, ConvertError> {
        strides(&self.shape, self.by_columns).ok_or_else(|| ConvertError::Tensor {
            name: name.to_owned(),
            what: "its shape cannot be counted",
        })
    }
}
