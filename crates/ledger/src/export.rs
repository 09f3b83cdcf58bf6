use std::{
    fmt::Write as _,
    io::{self, BufRead, Read as _, Write},
    ops::Range,
};

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::{
    CheckpointError, Damage, Entries, Hash, Kind, Peaks, ReadError, Reader, SignedCheckpoint,
    SignedNote, Signer, TILE_WIDTH, Trust, peaks::heights, proof::Subtrees,
};

/// What an export holds and proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The checkpoint that its entries lead to.
    pub checkpoint: SignedCheckpoint,
    /// The numbers of its entries.
    pub entries: Range<u64>,
    /// Whether the whole file is signed by the ledger's key.
    pub is_signed: bool,
    /// The first thing that is wrong.
    pub damage: Option<Damage>,
}

/// Why an export cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The file cannot be read or written.
    #[error("the export cannot be read or written ({})", .0.kind())]
    File(#[from] io::Error),
    /// It is no export.
    #[error("this is no export of a ledger")]
    Malformed,
    /// Its checkpoint is not to be trusted.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

const FORMAT: &str = "bartizan-ledger-export";
const VERSION: u32 = 1;

/// Longest line: an entry of the greatest length, each byte of which is written as `\u0000`.
const MAX_LINE: u64 = 512 << 10;

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    format: String,
    version: u32,
    /// The numbers of the entries.
    first: u64,
    end: u64,
    /// Roots of the perfect subtrees before and behind the entries.
    before: Vec<String>,
    behind: Vec<String>,
    checkpoint: String,
    /// For people; whoever verifies has it from elsewhere.
    key: String,
}

/// A line of an entry.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    index: u64,
    /// Hash of the leaf: tells which entry was altered.
    hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entry: Option<String>,
    /// An entry that is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

/// The last line of a signed export.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Last {
    signature: String,
}

/// Writes the entries of those numbers as lines of JSON, with what proves that the ledger of
/// `signed` holds just them there; signed as a whole by `signer`, where there is one. Reads and
/// writes piece by piece.
///
/// # Errors
/// When the ledger cannot be read, has no such entries, or the file cannot be written.
pub fn write_export(
    reader: &Reader<'_>,
    signed: &SignedCheckpoint,
    entries: Range<u64>,
    signer: Option<&Signer>,
    key: &str,
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    let size = signed.checkpoint.size;
    if entries.start > entries.end || entries.end > size {
        let index = entries.end;
        return Err(ReadError::NoEntry { index, size }.into());
    }
    let head = Head {
        format: FORMAT.to_owned(),
        version: VERSION,
        first: entries.start,
        end: entries.end,
        before: subtrees(reader, 0, entries.start)?,
        behind: subtrees(reader, entries.end, size)?,
        checkpoint: signed.note.to_string(),
        key: key.to_owned(),
    };
    let mut out = Summed {
        out,
        sum: digest::Context::new(&digest::SHA256),
    };
    out.line(&head)?;
    let bundles = entries.start / TILE_WIDTH..entries.end.div_ceil(TILE_WIDTH);
    for number in bundles {
        let (bundle, _) = reader.bundle(number)?;
        for (index, entry) in (number * TILE_WIDTH..).zip(Entries::of(&bundle)) {
            let entry = entry.map_err(|_| ReadError::Altered)?;
            if !entries.contains(&index) {
                continue;
            }
            let text = std::str::from_utf8(entry).ok();
            out.line(&Line {
                index,
                hash: Hash::leaf(entry).to_string(),
                entry: text.map(str::to_owned),
                base64: text.is_none().then(|| STANDARD.encode(entry)),
            })?;
        }
    }
    if let Some(signer) = signer {
        let text = statement(signer.name(), &out.sum, &entries);
        let signature = SignedNote::sign(text, signer).to_string();
        out.line(&Last { signature })?;
    }
    Ok(())
}

/// What the signature of an export says: three lines that are no checkpoint, since the second is no
/// number.
fn statement(origin: &str, sum: &digest::Context, entries: &Range<u64>) -> String {
    let mut text = format!("{origin}\nexport sha256 ");
    for byte in sum.clone().finish().as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    let _ = writeln!(text, "\nentries {} {}", entries.start, entries.end);
    text
}

fn subtrees(reader: &Reader<'_>, from: u64, to: u64) -> Result<Vec<String>, ReadError> {
    let roots = reader.subtrees(from, to)?;
    Ok(roots.iter().map(Hash::to_string).collect())
}

struct Summed<'a> {
    out: &'a mut dyn Write,
    sum: digest::Context,
}

impl Summed<'_> {
    fn line(&mut self, line: &impl Serialize) -> Result<(), ExportError> {
        let mut bytes = serde_json::to_vec(line).map_err(io::Error::from)?;
        bytes.push(b'\n');
        self.sum.update(&bytes);
        Ok(self.out.write_all(&bytes)?)
    }
}

/// Reads an export and tells whether it is what the ledger of `trust` held. Reads line by line.
///
/// # Errors
/// When it cannot be read, is no export, or its checkpoint is not to be trusted; what is wrong with
/// its entries is no error.
pub fn verify_export(input: &mut dyn BufRead, trust: &Trust) -> Result<Exported, ExportError> {
    let mut lines = Lines {
        input,
        sum: digest::Context::new(&digest::SHA256),
    };
    let head = lines.next()?.ok_or(ExportError::Malformed)?;
    let head: Head = serde_json::from_slice(&head).map_err(|_| ExportError::Malformed)?;
    if head.format != FORMAT || head.version != VERSION || head.first > head.end {
        return Err(ExportError::Malformed);
    }
    let checkpoint = SignedCheckpoint::open(head.checkpoint.as_bytes(), trust)?;
    let mut exported = Exported {
        checkpoint,
        entries: head.first..head.end,
        is_signed: false,
        damage: None,
    };
    let mut entries = Listed::new(&head).ok_or(ExportError::Malformed)?;
    loop {
        let sum = lines.sum.clone();
        let Some(line) = lines.next()? else {
            exported.damage = entries.finish(&head, &exported.checkpoint);
            return Ok(exported);
        };
        if let Ok(last) = serde_json::from_slice::<Last>(&line) {
            let text = statement(trust.ledger.name(), &sum, &exported.entries);
            let note = SignedNote::parse(last.signature.as_bytes());
            exported.is_signed =
                note.is_ok_and(|note| note.text() == text && note.verify(&trust.ledger).is_ok());
            let is_end = lines.next()?.is_none();
            exported.damage = entries.finish(&head, &exported.checkpoint);
            if exported.damage.is_none() && !(exported.is_signed && is_end) {
                exported.damage = Some(damage(Kind::CheckpointSignature, None, false));
            }
            return Ok(exported);
        }
        entries.take(&line);
    }
}

fn damage(kind: Kind, entry: Option<u64>, exact: bool) -> Damage {
    Damage {
        kind,
        entry,
        exact,
        file: "export".to_owned(),
    }
}

/// The entries of an export as they are read.
struct Listed {
    /// The tree as the entries say, and as their hashes say.
    said: Peaks,
    hashed: Peaks,
    end: u64,
    next: u64,
    /// A line stood where another belongs, which may still come.
    waiting: Option<u64>,
    damage: Option<Damage>,
}

impl Listed {
    fn new(head: &Head) -> Option<Self> {
        let hashes: Option<Vec<Hash>> = head
            .before
            .iter()
            .map(|hash| Hash::from_base64(hash))
            .collect();
        let peaks = Peaks::of(head.first, hashes?)?;
        Some(Self {
            said: peaks.clone(),
            hashed: peaks,
            end: head.end,
            next: head.first,
            waiting: None,
            damage: None,
        })
    }

    fn take(&mut self, line: &[u8]) {
        let next = self.next;
        self.next += 1;
        let Some((index, entry, hash)) = read(line) else {
            self.first(Kind::Altered, next, true);
            return;
        };
        match self.waiting {
            Some(missing) if index == missing => {
                self.damage = Some(damage(Kind::Swapped, Some(missing), true));
                self.waiting = None;
            }
            _ if index > next => {
                if self.damage.is_none() {
                    self.waiting = Some(next);
                }
                self.first(Kind::Missing, next, true);
            }
            _ if index < next || index >= self.end => self.first(Kind::Inserted, next, true),
            _ => {}
        }
        let leaf = Hash::leaf(&entry);
        if leaf != hash {
            self.first(Kind::Altered, next, true);
        }
        self.said.push(leaf, |_, _| {});
        self.hashed.push(hash, |_, _| {});
    }

    fn first(&mut self, kind: Kind, entry: u64, exact: bool) {
        if self.damage.is_none() {
            self.damage = Some(damage(kind, Some(entry), exact));
        }
    }

    fn finish(mut self, head: &Head, signed: &SignedCheckpoint) -> Option<Damage> {
        if self.next < self.end {
            self.first(Kind::Truncated, self.next, true);
        }
        let sizes = heights(head.end, signed.checkpoint.size);
        let reaches = |mut peaks: Peaks| {
            let behind = sizes.iter().zip(&head.behind);
            let all = behind.into_iter().all(|(&height, hash)| {
                Hash::from_base64(hash).is_some_and(|hash| peaks.push_subtree(height, hash))
            });
            all && sizes.len() == head.behind.len()
                && head.end <= signed.checkpoint.size
                && peaks.size() == signed.checkpoint.size
                && peaks.root() == signed.checkpoint.root
        };
        match self.damage {
            // The hashes beside the entries tell which one it is only if they are right themselves.
            Some(found) if found.kind == Kind::Altered => Some(Damage {
                exact: found.exact && reaches(self.hashed),
                ..found
            }),
            Some(found) => Some(found),
            None if reaches(self.said) => None,
            None => Some(damage(Kind::Altered, Some(head.first), false)),
        }
    }
}

/// Number, bytes, and hash of an entry.
fn read(line: &[u8]) -> Option<(u64, Vec<u8>, Hash)> {
    let line: Line = serde_json::from_slice(line).ok()?;
    let entry = match (line.entry, line.base64) {
        (Some(text), None) => text.into_bytes(),
        (None, Some(base64)) => STANDARD.decode(base64).ok()?,
        _ => return None,
    };
    Some((line.index, entry, Hash::from_base64(&line.hash)?))
}

struct Lines<'a> {
    input: &'a mut dyn BufRead,
    /// Over all lines that were read.
    sum: digest::Context,
}

impl Lines<'_> {
    fn next(&mut self) -> Result<Option<Vec<u8>>, ExportError> {
        let mut line = Vec::new();
        let mut bounded = (&mut *self.input).take(MAX_LINE);
        bounded.read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        if line.last() != Some(&b'\n') && line.len() as u64 == MAX_LINE {
            return Err(ExportError::Malformed);
        }
        self.sum.update(&line);
        Ok(Some(line))
    }
}
