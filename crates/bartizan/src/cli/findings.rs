use std::path::PathBuf;

use clap::Args;

use super::PlainFormat;

/// Which findings are known, and where the run is written down.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Keeping {
    /// YAML file of accepted findings by their fingerprint, each with a reason and a last day
    #[arg(long, value_name = "FILE", help_heading = "Decisions")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write every finding and its fingerprint down, for `bartizan diff`
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) save: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The earlier run, as `--save` wrote it
    pub(crate) old: PathBuf,
    /// The later run
    pub(crate) new: PathBuf,
    /// How the answer is written
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: PlainFormat,
}
