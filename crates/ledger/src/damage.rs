/// The first thing that is wrong with a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// What was done.
    pub kind: Kind,
    /// The first entry that it was done to, from 0; `None` where it is no entry's.
    pub entry: Option<u64>,
    /// Whether `entry` is known exactly; otherwise the first bad one is there or behind.
    pub exact: bool,
    /// The file that shows it.
    pub file: String,
}

/// What can be wrong with a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Other bytes are there than were written.
    Altered,
    /// An entry or a file is gone, while later ones are there.
    Missing,
    /// An entry is there that was never written.
    Inserted,
    /// Two entries stand in each other's place.
    Swapped,
    /// The end is gone.
    Truncated,
    /// The checkpoint is not signed as it must be.
    CheckpointSignature,
    /// The ledger is older than, or another than, that of a checkpoint that was kept elsewhere.
    Rollback,
}

impl Kind {
    /// Its name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Altered => "altered",
            Self::Missing => "missing",
            Self::Inserted => "inserted",
            Self::Swapped => "swapped",
            Self::Truncated => "truncated",
            Self::CheckpointSignature => "checkpoint-signature",
            Self::Rollback => "rollback",
        }
    }
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.entry {
            Some(entry) if self.exact => write!(f, "entry {entry}: ")?,
            Some(entry) => write!(f, "entry {entry} or a later one: ")?,
            None => {}
        }
        write!(f, "{} (in `{}`)", self.kind.as_str(), self.file)
    }
}
