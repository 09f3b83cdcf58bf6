use clap::{Args, Subcommand, ValueEnum};

use super::PlainFormat;

/// Where the gateway is; its key comes from `BARTIZAN_TOKEN`.
#[derive(Clone, Debug, Args)]
pub(crate) struct At {
    /// Address of the gateway; `BARTIZAN_GATEWAY` if not given, or `http://127.0.0.1:8080`
    #[arg(long, value_name = "URL")]
    pub(crate) gateway: Option<String>,
    /// How the answer is written
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: PlainFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ApproveCommand {
    /// List calls that wait for a person
    List {
        #[command(flatten)]
        at: At,
    },
    /// Let the calls of a request be made, once
    Allow {
        /// Id of the request, as `bartizan approve list` shows it
        id: String,
        #[command(flatten)]
        at: At,
    },
    /// Refuse the calls of a request
    Deny {
        /// Id of the request, as `bartizan approve list` shows it
        id: String,
        #[command(flatten)]
        at: At,
    },
    /// Stop everything, a tenant, an agent, or a tool, from its next call on
    Stop {
        /// What is stopped
        kind: SwitchKind,
        /// Its name; the key's id for an agent
        #[arg(required_if_eq_any([("kind", "tenant"), ("kind", "agent"), ("kind", "tool")]))]
        name: Option<String>,
        #[command(flatten)]
        at: At,
    },
    /// Let it run again
    Start {
        /// What runs again
        kind: SwitchKind,
        /// Its name
        #[arg(required_if_eq_any([("kind", "tenant"), ("kind", "agent"), ("kind", "tool")]))]
        name: Option<String>,
        #[command(flatten)]
        at: At,
    },
    /// List what is stopped
    Stopped {
        #[command(flatten)]
        at: At,
    },
}

/// What a switch is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SwitchKind {
    /// Every agent
    All,
    /// The agents of a tenant
    Tenant,
    /// One agent
    Agent,
    /// One tool
    Tool,
}

impl SwitchKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Tenant => "tenant",
            Self::Agent => "agent",
            Self::Tool => "tool",
        }
    }
}
