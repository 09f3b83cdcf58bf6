use clap::{Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum InitCommand {
    /// A pipeline that looks for secrets, scans, verifies, and signs before it deploys
    Ci {
        /// Where the pipeline runs
        platform: Platform,
    },
}

/// What runs a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Platform {
    /// `.github/workflows/bartizan.yml`
    Github,
    /// `.gitlab-ci.yml`
    Gitlab,
    /// `.pre-commit-config.yaml`
    PreCommit,
}
