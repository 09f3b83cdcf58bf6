use std::{path::PathBuf, time::Duration};

use bartizan_gateway::principal::Scope;
use clap::{Args, Subcommand};

use super::{KeyPlace, PlainFormat, duration, scopes};

/// Rights: ask, review, test.
#[derive(Debug, Subcommand)]
pub(crate) enum AccessCommand {
    /// Say whether somebody may do something, and which policies say so
    Check(CheckAccess),
    /// Say who may do something
    WhoCan(WhoCan),
    /// Review grants: those that end, that nobody uses, and roles that conflict
    Report(ReportAccess),
    /// Test the built-in roles and your own expectations
    Test(TestAccess),
    /// Print the schema that policies are checked against, in the Cedar language
    Schema {
        /// Configuration file; `bartizan.yaml` in the current folder if there is one
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CheckAccess {
    /// Who: the id of a key, `issuer:subject` of a token, `certificate:NAME`
    pub(crate) principal: String,
    /// What, e.g. model:predict
    pub(crate) action: String,
    /// On what: a kind and a name, e.g. model:fraud, dataset:claims, route:/admin/keys
    pub(crate) resource: String,
    #[command(flatten)]
    pub(crate) asker: Asker,
    /// Configuration file; `bartizan.yaml` in the current folder if there is one
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// How the answer is written
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: PlainFormat,
}

/// What else is known of who asks, and when.
#[derive(Debug, Args)]
pub(crate) struct Asker {
    /// The tenant
    #[arg(long, value_name = "TENANT", default_value = "")]
    pub(crate) tenant: String,
    /// The team
    #[arg(long, value_name = "TEAM", default_value = "")]
    pub(crate) team: String,
    /// A group, `issuer:group`; may be given several times
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Vec<String>,
    /// A scope of the credential; may be given several times
    #[arg(long, value_name = "SCOPE", value_parser = scopes())]
    pub(crate) scope: Vec<String>,
    /// When, e.g. 2026-12-31T12:00:00Z; now if not given
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<jiff::Timestamp>,
}

impl Asker {
    /// Its scopes by the names that are compiled in.
    pub(crate) fn scopes(&self) -> Vec<&'static str> {
        let named = self.scope.iter().filter_map(|name| Scope::named(name));
        named.map(Scope::as_str).collect()
    }
}

#[derive(Debug, Args)]
pub(crate) struct WhoCan {
    /// What, e.g. model:predict
    pub(crate) action: String,
    /// On what: a kind and a name, e.g. model:fraud
    pub(crate) resource: String,
    /// When, e.g. 2026-12-31T12:00:00Z; now if not given
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<jiff::Timestamp>,
    /// Ask for the keys of the gateway's database, too
    #[arg(long)]
    pub(crate) keys: bool,
    #[command(flatten)]
    pub(crate) place: KeyPlace,
}

#[derive(Debug, Args)]
pub(crate) struct ReportAccess {
    /// Name grants that nobody used for so long, by the gateway's record, e.g. `90d`
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) unused_for: Option<Duration>,
    /// Name grants that end within this
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = duration)]
    pub(crate) ends_within: Duration,
    #[command(flatten)]
    pub(crate) place: KeyPlace,
}

#[derive(Debug, Args)]
pub(crate) struct TestAccess {
    /// Files of expected decisions, in YAML
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Configuration file; `bartizan.yaml` in the current folder if there is one
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// How the answer is written
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: PlainFormat,
}
