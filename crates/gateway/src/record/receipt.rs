use bartizan_ledger::{Entries, ReadError, Reader, TILE_WIDTH};
use serde::Deserialize;

use super::{At, RequestId, What};

/// An entry of the ledger that belongs to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its number in the ledger.
    pub index: u64,
    /// The event's name, one of [`What::KINDS`].
    pub kind: String,
}

/// What is read of an entry.
#[derive(Deserialize)]
struct Glance {
    timestamp: At,
    #[serde(default)]
    request_id: Option<RequestId>,
    event: String,
}

/// How long before its id a request's events may seem to be, in milliseconds: clocks are set back.
const SLACK_MS: u64 = 60_000;

/// Bundles behind the last event of a request in which more of it are looked for: about 4,000
/// events.
const AFTER: u64 = 16;

/// The entries of that request, in order.
///
/// Ids begin with the time (RFC 9562, version 7), and entries are about in order of time, so that
/// the place is found by halving; where that fails, all entries are read. Events that came much
/// later than the others, e.g. a feedback of the next day, are not looked for.
///
/// # Errors
/// When the ledger cannot be read.
pub fn find(reader: &Reader<'_>, request: RequestId) -> Result<Vec<Receipt>, ReadError> {
    let [a, b, c, d, e, f, ..] = *request.as_bytes();
    let made_ms = u64::from_be_bytes([0, 0, a, b, c, d, e, f]).saturating_sub(SLACK_MS);
    let from = bundle_of(reader, made_ms)?;
    let found = scan(reader, from.saturating_sub(1), request)?;
    if found.is_empty() && from > 1 {
        return scan(reader, 0, request);
    }
    Ok(found)
}

/// The number of the first entry of that time or later, in milliseconds since 1970, as far as
/// entries are in order of time.
///
/// # Errors
/// When the ledger cannot be read.
pub fn first_since(reader: &Reader<'_>, unix_ms: u64) -> Result<u64, ReadError> {
    let number = bundle_of(reader, unix_ms)?.saturating_sub(1);
    for number in number..reader.bundles() {
        let (bundle, _) = reader.bundle(number)?;
        let entries = (number * TILE_WIDTH..reader.size()).zip(Entries::of(&bundle));
        let mut times = entries.filter_map(|(index, entry)| Some((index, glance(entry.ok()?)?)));
        if let Some((index, _)) = times.find(|(_, glance)| glance.timestamp.0 >= unix_ms) {
            return Ok(index);
        }
    }
    Ok(reader.size())
}

/// The number of the first bundle that begins at that time or later.
fn bundle_of(reader: &Reader<'_>, unix_ms: u64) -> Result<u64, ReadError> {
    let (mut from, mut to) = (0, reader.bundles());
    while from < to {
        let middle = from + (to - from) / 2;
        let (bundle, _) = reader.bundle(middle)?;
        let first = Entries::of(&bundle).find_map(|entry| glance(entry.ok()?));
        if first.is_some_and(|first| first.timestamp.0 < unix_ms) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    Ok(from)
}

fn glance(entry: &[u8]) -> Option<Glance> {
    serde_json::from_slice(entry).ok()
}

fn scan(reader: &Reader<'_>, from: u64, request: RequestId) -> Result<Vec<Receipt>, ReadError> {
    let id = request.to_string();
    let id = memchr::memmem::Finder::new(id.as_bytes());
    let mut found = Vec::new();
    let mut until = reader.bundles();
    let mut number = from;
    while number < until {
        let (bundle, _) = reader.bundle(number)?;
        // Most have nothing of it, and are not taken apart.
        if id.find(&bundle).is_some() {
            for (index, entry) in (number * TILE_WIDTH..reader.size()).zip(Entries::of(&bundle)) {
                let glance = entry.ok().and_then(glance);
                if let Some(glance) = glance.filter(|glance| glance.request_id == Some(request)) {
                    let kind = What::KINDS.into_iter().find(|kind| *kind == glance.event);
                    let kind = kind.unwrap_or("unknown").to_owned();
                    found.push(Receipt { index, kind });
                    until = reader.bundles().min(number + AFTER);
                }
            }
        }
        number += 1;
    }
    Ok(found)
}
