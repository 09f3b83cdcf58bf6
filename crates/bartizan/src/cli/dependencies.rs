//! The arguments of `bartizan bom`, `deps`, and `db`.

use std::path::PathBuf;

use bartizan_core::Severity;
use clap::{Args, Subcommand, ValueEnum};

use super::{Keeping, PlainFormat, Reported, Setup};

#[derive(Debug, Args)]
pub(crate) struct Bom {
    /// A folder: a project, an environment, or a model
    pub(crate) path: PathBuf,
    /// In which form
    #[arg(long, value_name = "FORMAT", default_value = "cyclonedx")]
    pub(crate) format: BomFormat,
    /// Where it goes; standard output if not given
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// A form of bills of materials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BomFormat {
    /// CycloneDX 1.6, JSON
    Cyclonedx,
    /// CycloneDX 1.7, JSON
    #[value(name = "cyclonedx-1.7")]
    Cyclonedx17,
    /// SPDX 2.3, JSON
    Spdx,
}

#[derive(Debug, Args)]
pub(crate) struct Dependencies {
    /// Folders, or files that name packages
    #[arg(required_unless_present = "import")]
    pub(crate) path: Vec<PathBuf>,
    /// Database of advisories, as `bartizan db import` writes it
    #[arg(long, value_name = "FILE", help_heading = "Advisories")]
    pub(crate) database: Option<PathBuf>,
    /// Digest that the database must have, as `bartizan db show` says it
    #[arg(long, value_name = "DIGEST", help_heading = "Advisories")]
    pub(crate) database_digest: Option<String>,
    /// Days after which the database is too old, and nothing found means nothing
    #[arg(long, value_name = "DAYS", help_heading = "Advisories")]
    pub(crate) max_age: Option<u32>,
    /// Report of trivy, grype, snyk, safety, or pip-audit in JSON; may be given several times
    #[arg(long, value_name = "FILE", help_heading = "Advisories")]
    pub(crate) import: Vec<PathBuf>,
    /// YAML file of accepted weaknesses, each with a reason and a last day
    #[arg(long, value_name = "FILE", help_heading = "Decisions")]
    pub(crate) exceptions: Option<PathBuf>,
    /// OpenVEX document; may be given several times
    #[arg(long, value_name = "FILE", help_heading = "Decisions")]
    pub(crate) vex: Vec<PathBuf>,
    /// Least severity that fails: info, low, medium, high, critical
    #[arg(
        long,
        value_name = "SEVERITY",
        default_value = "low",
        value_parser = severity,
        help_heading = "Decisions"
    )]
    pub(crate) fail_on: Severity,
    /// Also name packages without an exact version or a digest
    #[arg(long, help_heading = "Decisions")]
    pub(crate) pins: bool,
    #[command(flatten)]
    pub(crate) keeping: Keeping,
    #[command(flatten)]
    pub(crate) setup: Setup,
    #[command(flatten)]
    pub(crate) reported: Reported,
}

fn severity(text: &str) -> Result<Severity, String> {
    let all = Severity::ALL;
    let found = all.into_iter().find(|severity| severity.as_str() == text);
    found.ok_or_else(|| format!("write one of {}", all.map(Severity::as_str).join(", ")))
}

#[derive(Debug, Subcommand)]
pub(crate) enum DatabaseCommand {
    /// Make a database of advisories from what is on this machine
    Import {
        /// OSV records: a folder, a ZIP archive as OSV offers it (`all.zip`), or a single file; also
        /// checkouts of PyPA's and RustSec's databases
        #[arg(required = true)]
        path: Vec<PathBuf>,
        /// Where it goes; `bartizan deps` looks for it in the same place if not given
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Say what is in a database, how old it is, and its digest
    Show {
        /// The database
        #[arg(long, value_name = "FILE")]
        database: Option<PathBuf>,
        /// How the answer is written
        #[arg(long, value_name = "FORMAT", default_value = "human")]
        format: PlainFormat,
    },
}
