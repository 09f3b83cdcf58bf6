use std::{num::NonZeroUsize, path::PathBuf};

use clap::Args;

use super::{Format, Keeping, UnsealKey};

#[derive(Debug, Args)]
pub(crate) struct Scan {
    /// Files and folders, `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// Configuration file; `bartizan.yaml` in the current folder if there is one
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    pub(crate) config: Option<PathBuf>,
    /// Policy file
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    pub(crate) policy: Option<PathBuf>,
    /// Most MiB that may be unpacked from one file, with everything that is inside it
    #[arg(
        long,
        value_name = "MIB",
        default_value = "256",
        value_parser = clap::value_parser!(u64).range(1..=65_536),
        help_heading = "Configuration"
    )]
    pub(crate) max_unpacked: u64,
    /// Files that are looked at side by side; as many as there are processors if not given
    #[arg(long, value_name = "N", help_heading = "Configuration")]
    pub(crate) jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(crate) unseal: UnsealKey,
    #[command(flatten)]
    pub(crate) keeping: Keeping,

    /// How the report is written
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "human",
        help_heading = "Output"
    )]
    pub(crate) format: Format,
    /// Show every file, and which policy row decides
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,
    /// No report, only the exit code and errors
    #[arg(short, long, help_heading = "Output", conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}
