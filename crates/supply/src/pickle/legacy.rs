//! PyTorch's files before 1.6: five pickles, then the storages (`torch/serialization.py`,
//! `_legacy_load`).

use std::collections::HashMap;

use bartizan_core::CheckError;
use bartizan_formats::{
    Source,
    pickle::{Program, Stretch, Value},
};

use crate::torch::NumberType;

/// The first pickle: PROTO 2, LONG1 of ten bytes, STOP.
const MAGIC: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";

/// Magic number, protocol, system, object, keys of the storages.
pub(crate) const PICKLES: usize = 5;

/// Whether it begins as PyTorch wrote before 1.6.
pub(crate) fn is_legacy(source: &dyn Source) -> bool {
    source
        .read(0, MAGIC.len() as u64)
        .is_ok_and(|bytes| bytes == MAGIC)
}

/// Whether the third pickle says that numbers begin with their low byte, as they do everywhere.
pub(crate) fn is_little_endian(system: &Program, source: &dyn Source) -> bool {
    let items = system.result.and_then(|result| system.collection(result));
    let (pairs, _) = items.map_or(&[][..], |items| &items.items).as_chunks::<2>();
    let is_key = |key| system.text(source, key).as_deref() == Some("little_endian");
    let mut pairs = pairs.iter().filter(|[key, _]| is_key(*key));
    pairs.all(|[_, value]| *value == Value::Bool(true))
}

/// Storages by their keys, and where they end.
pub(crate) type Storages = (HashMap<String, Stretch>, u64);

/// The storages; `None` if they do not follow from the pickles.
pub(crate) fn storages(
    programs: &[Program],
    source: &dyn Source,
) -> Result<Option<Storages>, CheckError> {
    let [.., object, keys] = programs else {
        return Ok(None);
    };
    let Some(keys_of) = keys.result.and_then(|result| keys.collection(result)) else {
        return Ok(None);
    };
    let mut sizes = HashMap::new();
    let mut found = HashMap::new();
    for &(id, _) in &object.persistent {
        // ("storage", class, key, location, items, view)
        let Some([_, class, key, ..]) = object.collection(id).map(|id| &*id.items) else {
            continue;
        };
        let class = object.global(*class);
        let kind = class.and_then(|class| NumberType::of(&class.name));
        if let (Some(kind), Some(key)) = (kind, object.text(source, *key)) {
            sizes.insert(key, kind.bytes);
        }
    }
    let mut at = keys.after;
    if !keys_of.is_whole() {
        // More storages than are kept: their bytes are numbers up to the end.
        return Ok(Some((found, source.len())));
    }
    for &key in &keys_of.items {
        let key = keys.text(source, key);
        let Some((key, size)) = key.and_then(|key| sizes.remove_entry(&key)) else {
            return Ok(None);
        };
        let unreadable = |_| CheckError::Unavailable("the file cannot be read".into());
        let count = source.read(at, 8).map_err(unreadable)?;
        let Ok(count) = <[u8; 8]>::try_from(count) else {
            return Err(CheckError::Malformed("a storage is cut off".into()));
        };
        let bytes = u64::from_le_bytes(count).saturating_mul(size);
        let stretch = Stretch {
            at: at.saturating_add(8),
            length: bytes,
        };
        at = stretch.at.saturating_add(bytes);
        found.insert(key, stretch);
        if at > source.len() {
            return Err(CheckError::Malformed("a storage is cut off".into()));
        }
    }
    Ok(Some((found, at)))
}
