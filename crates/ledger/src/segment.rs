use crate::{Edge, Entries, Hash, MAX_ENTRY, TILE_WIDTH, storage::MAX_AHEAD};

/// Files of acknowledged entries that the disk may not have in tiles yet, `tail/<number>`: frames
/// one after the other, the first of which is a base, the others commits.
///
/// | bytes | what |
/// | --- | --- |
/// | 4 | `bzt1` |
/// | 1 | 0 for a base, 1 for a commit |
/// | 4 | length of the payload, little-endian |
/// | 32 | SHA-256 of the payload |
/// | rest | the payload |
///
/// Both payloads begin with the number of entries before it (8 bytes, little-endian), the writer's
/// mark, and the signed checkpoint behind it, each with its length (4 bytes). A base then has the
/// unfinished tiles and the unfinished bundle, so that nothing else is needed to go on from there;
/// a commit has entries as bundles have them.
pub(crate) const TAIL: &str = "tail";

const MAGIC: [u8; 4] = *b"bzt1";
const HEAD: usize = 4 + 1 + 4 + 32;

/// Longest mark of a writer.
pub(crate) const MAX_MARK: usize = 256;

/// Most bytes of entries in one commit.
pub(crate) const MAX_COMMIT: usize = 16 << 20;

/// Bytes after which a new file is begun.
pub(crate) const SEGMENT: u64 = 32 << 20;

const MAX_NOTE: usize = 64 << 10;

/// Longest payload: a commit, or a base with 8 unfinished tiles and an unfinished bundle.
const MAX_PAYLOAD: usize = 256 * (MAX_ENTRY + 2) + 8 * 256 * 32 + MAX_NOTE + MAX_MARK + 64;

/// Longest file: the last frame may begin just before the end.
pub(crate) const MAX_SEGMENT: u64 = SEGMENT + 2 * (MAX_PAYLOAD + HEAD) as u64 + MAX_AHEAD;

/// The name of a file.
pub(crate) fn path(number: u64) -> String {
    format!("{TAIL}/{number:012}")
}

/// The number of a file of that name.
fn number(name: &str) -> Option<u64> {
    (name.len() == 12).then(|| name.parse().ok()).flatten()
}

/// The files among these names that count, in order, and those that do not: a file that a power cut
/// brought back after it was removed. Files are removed in order, once the disk has all tiles of
/// their entries, so that nothing before a gap is needed.
pub(crate) fn numbers(names: &[String]) -> (Vec<u64>, Vec<u64>) {
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| number(name)).collect();
    numbers.sort_unstable();
    let gap = numbers
        .windows(2)
        .rposition(|pair| matches!(pair, [a, b] if b - a > 1));
    let counting = numbers.split_off(gap.map_or(0, |gap| gap + 1));
    (counting, numbers)
}

/// What stands behind the last whole frame, without the zeros that were put there in advance.
pub(crate) fn rest(bytes: &[u8], whole: usize) -> &[u8] {
    let rest = bytes.get(whole..).unwrap_or_default();
    let end = rest.iter().rposition(|byte| *byte != 0);
    end.and_then(|end| rest.get(..=end)).unwrap_or_default()
}

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// Entries before it.
    pub(crate) size: u64,
    /// What the writer remembers.
    pub(crate) mark: &'a [u8],
    /// The signed checkpoint behind it.
    pub(crate) note: &'a [u8],
    /// What it holds.
    pub(crate) body: Body<'a>,
}

/// What a frame holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body<'a> {
    /// The state to go on from.
    Base {
        /// The unfinished tiles.
        edge: Edge,
        /// The unfinished bundle.
        bundle: &'a [u8],
    },
    /// Entries, as bundles have them.
    Commit(&'a [u8]),
}

/// What stands at the start of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decoded<'a> {
    /// A frame of so many bytes.
    Whole(Frame<'a>, usize),
    /// Nothing that was written, or only a part of it.
    Torn,
}

impl Frame<'_> {
    /// Appends it to `out`; `false` if it is too long.
    #[must_use]
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        out.extend_from_slice(&[0; HEAD]);
        out.extend_from_slice(&self.size.to_le_bytes());
        put(self.mark, out);
        put(self.note, out);
        let kind = match &self.body {
            Body::Base { edge, bundle } => {
                for level in edge.levels() {
                    for hash in level {
                        out.extend_from_slice(hash.as_bytes());
                    }
                }
                out.extend_from_slice(bundle);
                0
            }
            Body::Commit(entries) => {
                out.extend_from_slice(entries);
                1
            }
        };
        let payload = out.get(start + HEAD..).unwrap_or_default();
        if payload.len() > MAX_PAYLOAD || self.mark.len() > MAX_MARK {
            out.truncate(start);
            return false;
        }
        let length = (payload.len() as u32).to_le_bytes();
        let sum = Hash::sha256(payload);
        let kind = [kind];
        let head = MAGIC
            .iter()
            .chain(&kind)
            .chain(&length)
            .chain(sum.as_bytes());
        for (to, from) in out.iter_mut().skip(start).zip(head) {
            *to = *from;
        }
        true
    }
}

fn put(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}

/// Reads the frame at the start of `bytes`.
pub(crate) fn decode(bytes: &[u8]) -> Decoded<'_> {
    let read = || {
        let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
        let (magic, head) = head.split_first_chunk::<4>()?;
        let (&kind, head) = head.split_first()?;
        let (length, sum) = head.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        if *magic != MAGIC || length > MAX_PAYLOAD {
            return None;
        }
        let payload = rest.get(..length)?;
        if Hash::sha256(payload).as_bytes().as_slice() != sum {
            return None;
        }
        Some((frame(kind, payload)?, HEAD + length))
    };
    read().map_or(Decoded::Torn, |(frame, length)| {
        Decoded::Whole(frame, length)
    })
}

/// Whether a frame begins somewhere in `bytes`: then what stands before it was not the end.
pub(crate) fn has_frame(bytes: &[u8]) -> bool {
    let places = bytes.windows(MAGIC.len()).enumerate();
    places
        .filter(|(_, window)| *window == MAGIC)
        .any(|(at, _)| {
            matches!(
                decode(bytes.get(at..).unwrap_or_default()),
                Decoded::Whole(..)
            )
        })
}

fn frame(kind: u8, payload: &[u8]) -> Option<Frame<'_>> {
    let (size, rest) = payload.split_first_chunk()?;
    let size = u64::from_le_bytes(*size);
    let (mark, rest) = take(rest, MAX_MARK)?;
    let (note, rest) = take(rest, MAX_NOTE)?;
    let body = match kind {
        0 => {
            let (edge, bundle) = edge(size, rest)?;
            Body::Base { edge, bundle }
        }
        1 => Body::Commit(rest),
        _ => return None,
    };
    Some(Frame {
        size,
        mark,
        note,
        body,
    })
}

fn take(bytes: &[u8], max: usize) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > max {
        return None;
    }
    rest.split_at_checked(length)
}

/// The unfinished tiles of a tree of `size` leaves and the unfinished bundle, which must fit.
fn edge(size: u64, mut rest: &[u8]) -> Option<(Edge, &[u8])> {
    let mut levels = Vec::new();
    for level in 0..crate::edge::levels_of(size) {
        let (tile, after) = rest.split_at_checked(32 * crate::edge::width(size, level))?;
        let hashes = tile.chunks_exact(32).filter_map(<[u8]>::first_chunk);
        levels.push(hashes.map(|hash| Hash::from_bytes(*hash)).collect());
        rest = after;
    }
    let edge = Edge::of(size, levels)?;
    let mut leaves = Vec::new();
    for entry in Entries::of(rest) {
        leaves.push(Hash::leaf(entry.ok()?));
    }
    let tile = edge.levels().first().map(Vec::as_slice).unwrap_or_default();
    (leaves == tile && leaves.len() < TILE_WIDTH as usize).then_some((edge, rest))
}

/// Reads every frame of a file, without trusting any, and gives how many there are: for tests with
/// bytes of nobody.
#[must_use]
pub fn read_frames(mut bytes: &[u8]) -> usize {
    let mut frames = 0;
    while let Decoded::Whole(_, length) = decode(bytes) {
        bytes = bytes.get(length..).unwrap_or_default();
        frames += 1;
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode_entry;

    #[test]
    fn nothing_before_a_gap_counts() {
        let names = |numbers: &[u64]| {
            numbers
                .iter()
                .map(|n| format!("{n:012}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(numbers(&names(&[])), (vec![], vec![]));
        assert_eq!(numbers(&names(&[3, 2])), (vec![2, 3], vec![]));
        assert_eq!(
            numbers(&names(&[7, 1, 8, 3, 4])),
            (vec![7, 8], vec![1, 3, 4])
        );
        assert_eq!(numbers(&["1".to_owned(), "x".repeat(12)]), (vec![], vec![]));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let (mut edge, mut bundle, mut completed) = (Edge::default(), Vec::new(), Vec::new());
        for n in 0..259_u64 {
            edge.push(Hash::leaf(&n.to_be_bytes()), &mut completed);
            if n >= 256 {
                assert!(encode_entry(&n.to_be_bytes(), &mut bundle));
            }
        }
        let base = Frame {
            size: 259,
            mark: b"here",
            note: b"note",
            body: Body::Base {
                edge,
                bundle: &bundle,
            },
        };
        let commit = Frame {
            body: Body::Commit(&bundle),
            ..base.clone()
        };
        for frame in [base, commit] {
            let mut bytes = Vec::new();
            assert!(frame.encode(&mut bytes));
            assert_eq!(decode(&bytes), Decoded::Whole(frame, bytes.len()));
            assert!(has_frame(&[b"bzt".as_slice(), &bytes].concat()));
            for cut in 0..bytes.len() {
                assert_eq!(decode(&bytes[..cut]), Decoded::Torn);
                assert!(!has_frame(&bytes[..cut]));
            }
            // The kind is the one byte that neither sum nor length speaks for; its frame is refused
            // by what is in it, or by its checkpoint.
            for bit in (0..32).chain(40..bytes.len() * 8) {
                let mut other = bytes.clone();
                other[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(decode(&other), Decoded::Torn, "bit {bit}");
            }
        }
    }
}
