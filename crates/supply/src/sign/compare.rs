use std::{
    collections::HashMap,
    fmt,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use bartizan_core::{Finding, Rule};

use super::{ModelStatement, model::by_file, rules};
use crate::digest::{
    Digest, DigestError, Odd, OddKind, Piece, Selection, Tree, TreeFile, hash_pieces,
};

/// How a model is compared with its statement.
#[derive(Clone, Debug)]
pub struct Comparison<'a> {
    /// The model: a folder or a file.
    pub root: &'a Path,
    /// What was signed.
    pub statement: &'a ModelStatement,
    /// Where the signature is, which may be inside of the model.
    pub signature: Option<&'a Path>,
    /// Files that may be there unsigned, beside those that the statement passes over. A signed file
    /// is compared in any case.
    pub also_ignored: &'a [String],
    /// Whether any file may be there unsigned.
    pub ignore_unsigned: bool,
    /// Threads that digest.
    pub threads: NonZeroUsize,
}

/// How a model differs from what was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Where, below the model.
    pub file: String,
    /// How.
    pub kind: MismatchKind,
}

/// How a file differs from what was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MismatchKind {
    /// Its bytes are others.
    Altered,
    /// It is not there.
    Missing,
    /// It is there and was not signed.
    Unsigned,
    /// It is a link, a pipe, or a device.
    Odd(OddKind),
}

impl MismatchKind {
    /// The rule that it falls under.
    #[must_use]
    pub fn rule(self) -> &'static Rule {
        match self {
            Self::Altered => &rules::ALTERED,
            Self::Missing => &rules::MISSING,
            Self::Unsigned => &rules::UNSIGNED,
            Self::Odd(_) => &rules::LINK,
        }
    }
}

impl Mismatch {
    /// The same as a finding about the file.
    #[must_use]
    pub fn finding(&self) -> Finding {
        rules::finding(self.kind.rule(), self.to_string())
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = &self.file;
        match self.kind {
            MismatchKind::Altered => write!(f, "`{file}` is not what was signed"),
            MismatchKind::Missing => write!(f, "`{file}` was signed and is missing"),
            MismatchKind::Unsigned => write!(f, "`{file}` was not signed"),
            MismatchKind::Odd(kind) => write!(f, "`{file}` is {kind}"),
        }
    }
}

/// Compares a model with its statement: every signed byte is read, in the recorded way.
///
/// # Errors
/// When a file cannot be read; that is no verdict about the model.
pub fn compare(comparison: &Comparison<'_>) -> Result<Vec<Mismatch>, DigestError> {
    let plan = Plan::of(comparison)?;
    let mut mismatches = plan.mismatches;
    let pieces: Vec<Piece> = plan.files.iter().flat_map(SignedFile::pieces).collect();
    let expected = plan.files.iter().flat_map(|file| {
        let name = &file.name;
        file.shards.iter().map(move |(_, digest)| (name, digest))
    });
    let digests = hash_pieces(&pieces, comparison.statement.algorithm, comparison.threads);
    for ((name, expected), digest) in expected.zip(digests) {
        if digest? != **expected {
            mismatches.push(Mismatch {
                file: name.clone(),
                kind: MismatchKind::Altered,
            });
        }
    }
    mismatches.sort_by(|a, b| a.file.cmp(&b.file));
    mismatches.dedup();
    Ok(mismatches)
}

/// What is to be read, and what is wrong before anything was.
pub(super) struct Plan<'a> {
    pub(super) files: Vec<SignedFile<'a>>,
    pub(super) mismatches: Vec<Mismatch>,
}

/// A signed file that is there.
pub(super) struct SignedFile<'a> {
    /// As it stands in the model.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) follow: bool,
    pub(super) length: u64,
    /// First byte and digest of each piece, in order; they cover the file.
    pub(super) shards: Vec<((u64, u64), &'a Digest)>,
}

impl SignedFile<'_> {
    pub(super) fn pieces(&self) -> impl Iterator<Item = Piece> {
        self.shards.iter().map(|((start, end), _)| Piece {
            path: self.path.clone(),
            follow: self.follow,
            start: *start,
            length: end - start,
            is_last: *end == self.length,
        })
    }
}

impl<'a> Plan<'a> {
    pub(super) fn of(comparison: &Comparison<'a>) -> Result<Self, DigestError> {
        let statement = comparison.statement;
        let tree = Tree::walk(comparison.root, &statement.selection)?;
        let signed = by_file(&statement.manifest);
        let only = tree
            .files
            .first()
            .filter(|_| tree.is_file && signed.len() == 1);
        let mut found: HashMap<&str, &TreeFile> = HashMap::new();
        found.extend(tree.files.iter().map(|file| (file.name.as_str(), file)));
        let odd: HashMap<&str, &Odd> = tree
            .odd
            .iter()
            .map(|odd| (odd.name.as_str(), odd))
            .collect();
        let mut plan = Self {
            files: Vec::new(),
            mismatches: Vec::new(),
        };
        for (name, resources) in &signed {
            // A model of one file is that file, whatever it is called now.
            let Some(file) = only.or_else(|| found.remove(name)) else {
                let kind = odd
                    .get(name)
                    .map_or(MismatchKind::Missing, |odd| MismatchKind::Odd(odd.kind));
                plan.differs(name, kind);
                continue;
            };
            let mut shards: Vec<((u64, u64), &'a Digest)> = resources
                .iter()
                .map(|resource| {
                    let range = resource.name.range.unwrap_or((0, file.length));
                    (range, &resource.digest)
                })
                .collect();
            shards.sort_by_key(|(range, _)| *range);
            let recorded = shards.iter().map(|(range, _)| *range);
            let own = statement.granularity.ranges(file.length);
            if !recorded.eq(own.map(|range| range.unwrap_or((0, file.length)))) {
                plan.differs(name, MismatchKind::Altered);
                continue;
            }
            plan.files.push(SignedFile {
                name: file.name.clone(),
                path: file.path.clone(),
                follow: file.follow,
                length: file.length,
                shards,
            });
        }
        if only.is_none() && !comparison.ignore_unsigned {
            plan.unsigned(comparison, &found, &odd, |name| signed.contains_key(name));
        }
        Ok(plan)
    }

    fn unsigned(
        &mut self,
        comparison: &Comparison<'_>,
        found: &HashMap<&str, &TreeFile>,
        odd: &HashMap<&str, &Odd>,
        is_signed: impl Fn(&str) -> bool,
    ) {
        let signature = comparison
            .signature
            .and_then(|path| path.canonicalize().ok());
        let also = Selection {
            ignored: comparison.also_ignored.to_vec(),
            ..Selection::default()
        };
        for file in found.values().filter(|file| !also.ignores(&file.name)) {
            // Files without bytes have no shards: no signature by shards can cover them.
            let is_coverable = comparison.statement.granularity.ranges(file.length).next();
            let is_signature = || signature.is_some() && file.path.canonicalize().ok() == signature;
            if is_coverable.is_some() && !is_signature() {
                self.differs(&file.name, MismatchKind::Unsigned);
            }
        }
        let is_open = |odd: &&&Odd| !is_signed(&odd.name) && !also.ignores(&odd.name);
        for odd in odd.values().filter(is_open) {
            self.differs(&odd.name, MismatchKind::Odd(odd.kind));
        }
    }

    fn differs(&mut self, name: &str, kind: MismatchKind) {
        self.mismatches.push(Mismatch {
            file: name.to_owned(),
            kind,
        });
    }
}
