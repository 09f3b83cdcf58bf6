use aws_lc_rs::digest;
use serde::Serialize as _;

use super::{Event, What};

/// Events as the journal holds them, one after the other:
///
/// | bytes | what |
/// | --- | --- |
/// | 4 | length of what follows the sum, little-endian |
/// | 8 | first bytes of its SHA-256: a torn or rotten frame is told from a whole one |
/// | 8 | milliseconds since 1970, little-endian |
/// | 1 | place of the kind in [`What::KINDS`] |
/// | 1 | severity |
/// | 16 | request id, zero for none |
/// | 2, n | length and text of the principal |
/// | 2, n | length and text of the class |
/// | rest | the event as JSON |
///
/// What the store needs beside the JSON stands in front, so that nobody parses JSON to move it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Milliseconds since 1970-01-01 UTC.
    pub at_ms: u64,
    /// The event's name.
    pub kind: &'static str,
    /// How bad it is, as its place among severities.
    pub severity: u8,
    /// The request, if it belongs to one.
    pub request_id: Option<[u8; 16]>,
    /// Whom it is about; empty for nobody.
    pub principal: String,
    /// What to count it under beside its kind.
    pub class: String,
    /// The event as JSON.
    pub body: String,
}

/// Longest frame in bytes; an event is a few hundred.
pub(super) const MAX_FRAME: usize = 256 << 10;

const HEAD: usize = 12;

/// Appends `event` to `out`.
pub(super) fn encode(event: &Event, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; HEAD]);
    out.extend_from_slice(&event.timestamp.0.to_le_bytes());
    out.push(event.what.number());
    out.push(event.what.severity() as u8);
    out.extend_from_slice(&event.request_id.map_or([0; 16], |id| *id.as_bytes()));
    put(event.what.user_id().as_str(), out);
    put(event.what.class(), out);
    let mut serializer = serde_json::Serializer::new(&mut *out);
    // Structs of texts and finite numbers into a vector: cannot fail.
    let _ = event.serialize(&mut serializer);
    let payload = out.get(start + HEAD..).unwrap_or_default();
    let length = (payload.len() as u32).to_le_bytes();
    let sum = sum(payload);
    if let Some(head) = out.get_mut(start..start + HEAD) {
        let (to_length, to_sum) = head.split_at_mut(4);
        to_length.copy_from_slice(&length);
        to_sum.copy_from_slice(&sum);
    }
}

fn put(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend(bytes.iter().take(length.into()));
}

fn sum(payload: &[u8]) -> [u8; 8] {
    let digest = digest::digest(&digest::SHA256, payload);
    digest.as_ref().first_chunk().copied().unwrap_or_default()
}

/// What stands at the start of some bytes of a journal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decoded {
    /// An event of so many bytes.
    Whole(Entry, usize),
    /// The start of a frame; more bytes are needed.
    Short,
    /// No frame of ours.
    Rotten,
}

/// Reads the frame at the start of `bytes`.
pub(super) fn decode(bytes: &[u8]) -> Decoded {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else {
        return Decoded::Short;
    };
    let length = u32::from_le_bytes(*length) as usize;
    if length > MAX_FRAME - HEAD {
        return Decoded::Rotten;
    }
    let Some((expected, rest)) = rest.split_first_chunk::<8>() else {
        return Decoded::Short;
    };
    let Some(payload) = rest.get(..length) else {
        return Decoded::Short;
    };
    if sum(payload) != *expected {
        return Decoded::Rotten;
    }
    match entry(payload) {
        Some(entry) => Decoded::Whole(entry, HEAD + length),
        None => Decoded::Rotten,
    }
}

fn entry(payload: &[u8]) -> Option<Entry> {
    let (at_ms, rest) = payload.split_first_chunk()?;
    let (&kind, rest) = rest.split_first()?;
    let (&severity, rest) = rest.split_first()?;
    let (request_id, rest) = rest.split_first_chunk::<16>()?;
    let (principal, rest) = take(rest)?;
    let (class, rest) = take(rest)?;
    Some(Entry {
        at_ms: u64::from_le_bytes(*at_ms),
        kind: What::KINDS.get(usize::from(kind))?,
        severity,
        request_id: (*request_id != [0; 16]).then_some(*request_id),
        principal,
        class,
        body: std::str::from_utf8(rest).ok()?.to_owned(),
    })
}

fn take(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(u16::from_le_bytes(*length).into())?;
    // A principal cut at 65,535 bytes may end inside a character.
    Some((String::from_utf8_lossy(text).into_owned(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{At, Gap, RequestId, SCHEMA_VERSION};

    fn event() -> Event {
        Event {
            v: SCHEMA_VERSION,
            timestamp: At(1_763_730_000_123),
            request_id: Some(RequestId::from_bytes([7; 16])),
            what: What::Gap(Gap {
                lost: 3,
                since: At(1),
                reason: "full".into(),
            }),
        }
    }

    #[test]
    fn reads_back_and_notices_every_flipped_bit() {
        let mut bytes = Vec::new();
        encode(&event(), &mut bytes);
        let Decoded::Whole(entry, length) = decode(&bytes) else {
            panic!("a whole frame");
        };
        assert_eq!(length, bytes.len());
        assert_eq!(entry.request_id, Some([7; 16]));
        assert_eq!(serde_json::from_str::<Event>(&entry.body).unwrap(), event());
        for cut in 0..bytes.len() {
            assert_eq!(decode(&bytes[..cut]), Decoded::Short);
        }
        for bit in 32..bytes.len() * 8 {
            let mut rotten = bytes.clone();
            rotten[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&rotten), Decoded::Rotten, "bit {bit}");
        }
    }
}
