use std::path::PathBuf;

use clap::Args;

use super::KeyPlace;

/// Write what the gateway keeps into one file, also while it runs
///
/// The database (SQLite), the ledgers, the journals, and the accounts of erasures; not the master key,
/// which belongs elsewhere. PostgreSQL has its own tools.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The file, which must not be there
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) place: KeyPlace,
}

/// Put what `bartizan backup` wrote in its place again; the gateway must not run
///
/// Everything is verified first: digests, the signature where there is one, and the ledgers against
/// their signed checkpoints. Whoever was erased since the backup is erased again.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The file
    pub(crate) file: PathBuf,
    /// Replace what is there
    #[arg(long)]
    pub(crate) force: bool,
    /// Folder with further accounts of erasures, the `personal` folder of another copy; may be given
    /// several times
    #[arg(long, value_name = "DIR")]
    pub(crate) erasures: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) place: KeyPlace,
}
