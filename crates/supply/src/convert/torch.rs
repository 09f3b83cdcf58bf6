//! PyTorch's files: archives since 1.6, five pickles and storages before (`torch/serialization.py`).

use std::collections::HashMap;

use bartizan_formats::{
    ParseError, Section, Source,
    archive::{Zip, ZipEntry, zip},
    pickle::{Dialect, End, PickleLimits, Program, Stretch, is_joblib},
};

use super::{
    ConvertError, ConvertLimits, Plan, numpy,
    walk::{Pickled, Walk},
};
use crate::pickle::legacy;

/// Most files in one archive.
const FILES: u64 = 1 << 20;

/// What PyTorch puts into an archive beside the pickle and its storages.
const OWN: &[&str] = &[
    "version",
    "byteorder",
    ".format_version",
    ".storage_alignment",
    ".data/serialization_id",
];

const PICKLE: PickleLimits = PickleLimits {
    max_instructions: 8 << 20,
    max_values: 4 << 20,
    max_items: 1 << 20,
};

/// An archive of PyTorch, or of arrays.
pub(super) fn archive<'s>(
    source: &'s dyn Source,
    limits: &ConvertLimits,
) -> Result<Plan<'s>, ConvertError> {
    let archive = zip(source, FILES)?;
    if !archive.oddities.is_empty() {
        return Err(ConvertError::Format(
            "programs disagree about what is in this archive",
        ));
    }
    let mut pickles = archive.entries.iter().filter_map(|entry| {
        let root = entry.name.strip_suffix("data.pkl")?;
        (root.is_empty() || root.ends_with('/')).then_some((root, entry))
    });
    match (pickles.next(), pickles.next()) {
        (Some((root, entry)), None) => records(source, &archive, root, entry, limits),
        (None, _)
            if archive
                .entries
                .iter()
                .any(|entry| entry.name.ends_with(".npy")) =>
        {
            numpy::arrays(source, &archive, limits)
        }
        _ => Err(ConvertError::Format(
            "it is an archive, but neither one of PyTorch nor one of arrays",
        )),
    }
}

fn records<'s>(
    source: &'s dyn Source,
    archive: &Zip,
    root: &str,
    pickle: &ZipEntry,
    limits: &ConvertLimits,
) -> Result<Plan<'s>, ConvertError> {
    let mut plan = Plan::new(source, "pt");
    let mut storages = HashMap::new();
    for entry in &archive.entries {
        let name = entry.name.strip_prefix(root);
        match name {
            Some("byteorder") => {
                let order = Section::new(source, stored(entry)?, entry.packed);
                if order.read(0, 16).map_err(ParseError::from)? != b"little" {
                    return Err(ConvertError::Format("its numbers begin with the high byte"));
                }
            }
            Some("data.pkl") => {}
            Some(name) if OWN.contains(&name) => {}
            Some(name) if let Some(key) = name.strip_prefix("data/") => {
                let stretch = Stretch {
                    at: stored(entry)?,
                    length: entry.packed,
                };
                storages.insert(key.to_owned(), stretch);
            }
            _ => plan.leave_out(&entry.name, "a file of the archive"),
        }
    }
    let base = stored(pickle)?;
    let text = Section::new(source, base, pickle.packed);
    let program = Program::read(&text, 0, Dialect::Plain, PICKLE);
    let program = whole(program)?;
    let pickled = Pickled {
        program: &program,
        text: &text,
        base,
        storages,
    };
    Walk::new(&pickled, plan, limits).run()
}

/// Where the bytes of a file begin that PyTorch would take as they are.
fn stored(entry: &ZipEntry) -> Result<u64, ConvertError> {
    if entry.method != 0 || entry.packed != entry.size {
        return Err(ConvertError::Format(
            "its storages are compressed, which PyTorch does not do",
        ));
    }
    data(entry)
}

/// Where the bytes of a file begin.
pub(super) fn data(entry: &ZipEntry) -> Result<u64, ConvertError> {
    if entry.is_encrypted() || entry.is_link {
        return Err(ConvertError::Format(
            "the archive holds links or encrypted files",
        ));
    }
    entry
        .data_at
        .ok_or(ConvertError::Format("a file of the archive is missing"))
}

/// A pickle on its own, or five and storages.
pub(super) fn pickle<'s>(
    source: &'s dyn Source,
    limits: &ConvertLimits,
) -> Result<Plan<'s>, ConvertError> {
    if legacy::is_legacy(source) {
        return five(source, limits);
    }
    let program = whole(Program::read(source, 0, Dialect::Plain, PICKLE))?;
    if is_joblib(&program) {
        return Err(ConvertError::Format(
            "joblib keeps arrays between the instructions, which are not converted",
        ));
    }
    let pickled = Pickled {
        program: &program,
        text: source,
        base: 0,
        storages: HashMap::new(),
    };
    let mut plan = Plan::new(source, "pt");
    if program.after < source.len() {
        plan.leave_out("", "bytes behind the pickle");
    }
    Walk::new(&pickled, plan, limits).run()
}

/// Magic number, protocol, system, object, keys, and the storages in the order of the keys.
fn five<'s>(source: &'s dyn Source, limits: &ConvertLimits) -> Result<Plan<'s>, ConvertError> {
    let mut programs = Vec::new();
    let mut at = 0;
    for _ in 0..legacy::PICKLES {
        let program = whole(Program::read(source, at, Dialect::Plain, PICKLE))?;
        at = program.after;
        programs.push(program);
    }
    let storages = legacy::storages(&programs, source).map_err(|_| STORAGES)?;
    let (storages, end) = storages.ok_or(STORAGES)?;
    let Some([system, object]) = programs.get(2..4) else {
        return Err(STORAGES);
    };
    if !legacy::is_little_endian(system, source) {
        return Err(ConvertError::Format("its numbers begin with the high byte"));
    }
    let pickled = Pickled {
        program: object,
        text: source,
        base: 0,
        storages,
    };
    let mut plan = Plan::new(source, "pt");
    if end < source.len() {
        plan.leave_out("", "bytes behind the storages");
    }
    Walk::new(&pickled, plan, limits).run()
}

const STORAGES: ConvertError = ConvertError::Format("its storages cannot be told apart");

fn whole(program: Program) -> Result<Program, ConvertError> {
    match program.end {
        End::Stop => Ok(program),
        End::Broken(error) => Err(error.into()),
    }
}
