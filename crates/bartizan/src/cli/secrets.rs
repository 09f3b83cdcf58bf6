use std::{num::NonZeroUsize, path::PathBuf};

use clap::Args;

use super::Format;

#[derive(Debug, Args)]
pub(crate) struct Secrets {
    /// File, folder, or repository
    #[arg(value_name = "PATH", default_value = ".")]
    pub(crate) path: PathBuf,

    /// Look at what every commit added, on all branches, instead of the files
    #[arg(long, help_heading = "What is looked at", conflicts_with = "staged")]
    pub(crate) history: bool,
    /// Look at what the commits after this revision added; implies `--history`
    #[arg(
        long,
        value_name = "REV",
        help_heading = "What is looked at",
        conflicts_with = "staged"
    )]
    pub(crate) since: Option<String>,
    /// Look at what is about to be committed, for a pre-commit hook
    #[arg(long, help_heading = "What is looked at")]
    pub(crate) staged: bool,
    /// Pass over files that `.gitignore` names; without it `.env` is seen wherever it lies
    #[arg(
        long,
        help_heading = "What is looked at",
        conflicts_with_all = ["history", "since", "staged"]
    )]
    pub(crate) respect_gitignore: bool,

    /// Rules in gitleaks' format (TOML) instead of the built-in ones; with `useDefault = true`
    /// beside them
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    pub(crate) rules: Option<PathBuf>,
    /// File of findings that are known and accepted
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write what was found into the baseline, and end well
    #[arg(long, help_heading = "Configuration", requires = "baseline")]
    pub(crate) write_baseline: bool,
    /// Configuration file; `bartizan.yaml` in the current folder if there is one
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    pub(crate) config: Option<PathBuf>,
    /// Policy file
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    pub(crate) policy: Option<PathBuf>,
    /// Files, or parts of a history, that are looked at side by side; as many as there are
    /// processors if not given
    #[arg(long, value_name = "N", help_heading = "Configuration")]
    pub(crate) jobs: Option<NonZeroUsize>,

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
