use std::{path::PathBuf, time::Duration};

use bartizan_gateway::record::RequestId;
use clap::{Args, Subcommand};

use super::{KeyPlace, duration};

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Say whether anything was altered, removed, inserted, or moved, and what first
    Verify(VerifyLedger),
    /// Prove that a request, or an entry, is in the ledger
    Prove(Prove),
    /// Write entries with what proves them into a file
    Export(Export),
    /// Print the signed checkpoint, to be kept where nobody of here can change it
    Checkpoint(Anchor),
    /// Say what happened, in order, from entries that are what was written
    Timeline(Timeline),
}

#[derive(Debug, Args)]
pub(crate) struct Timeline {
    /// Folder of the ledger; that of the gateway in the data folder if not given
    pub(crate) dir: Option<PathBuf>,
    /// Of this request, told as `bartizan explain` tells it
    #[arg(long, value_name = "ID")]
    pub(crate) request: Option<RequestId>,
    /// About this principal, e.g. a key's id
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Of this kind, e.g. security_event; may be given several times
    #[arg(long, value_name = "KIND")]
    pub(crate) event: Vec<String>,
    /// Not before, e.g. 2026-11-21T12:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<jiff::Timestamp>,
    /// Before, e.g. 2026-11-21T13:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<jiff::Timestamp>,
    #[command(flatten)]
    pub(crate) place: KeyPlace,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyLedger {
    /// Folder of a ledger; those of the gateway and of commands in the data folder if not given
    pub(crate) dir: Option<PathBuf>,
    /// Verify a file of `ledger export` instead
    #[arg(long, value_name = "FILE", conflicts_with = "dir")]
    pub(crate) export: Option<PathBuf>,
    /// Verify a proof of `ledger prove` instead
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dir", "export", "against"], requires = "entry")]
    pub(crate) proof: Option<PathBuf>,
    /// The entry that the proof is of
    #[arg(long, value_name = "FILE", requires = "proof")]
    pub(crate) entry: Option<PathBuf>,
    /// A checkpoint that was kept elsewhere: the ledger must go on from there; may be given several
    /// times
    #[arg(long, value_name = "FILE")]
    pub(crate) against: Vec<PathBuf>,
    /// Key of the ledger, or a file with it; the file `verifier-key` of the ledger if not given
    #[arg(long, value_name = "VKEY")]
    pub(crate) key: Option<String>,
    /// Key of a witness, or a file with it; may be given several times
    #[arg(long, value_name = "VKEY")]
    pub(crate) witness: Vec<String>,
    #[command(flatten)]
    pub(crate) place: KeyPlace,
}

#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// A request's id, as the header `x-bartizan-request-id` gives it, or an entry's number
    pub(crate) receipt: String,
    /// Folder of the ledger; that of the gateway in the data folder if not given
    pub(crate) dir: Option<PathBuf>,
    /// Write the proof into this file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write the entry into this file, as it is hashed
    #[arg(long, value_name = "FILE")]
    pub(crate) entry: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: KeyPlace,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Folder of the ledger; that of the gateway in the data folder if not given
    pub(crate) dir: Option<PathBuf>,
    /// Entries of the last so long, e.g. `7d`; all if not given
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) since: Option<Duration>,
    /// Sign the whole file with the key of the ledger, and record the export
    #[arg(long)]
    pub(crate) sign: bool,
    /// Write into this file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) place: KeyPlace,
}

#[derive(Debug, Args)]
pub(crate) struct Anchor {
    /// Folder of the ledger; that of the gateway in the data folder if not given
    pub(crate) dir: Option<PathBuf>,
    /// Write into this file as well; a checkpoint that is there must be of the same past
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: KeyPlace,
}
