use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Format, Setup};

#[derive(Debug, Subcommand)]
pub(crate) enum McpCommand {
    /// Stand between a client and a server that is a program: put it before the server's command in
    /// the client's `mcp.json`
    Wrap(McpWrap),
    /// Judge everything that a server says of itself: tools, prompts, resources, instructions
    Scan(McpScan),
    /// Write down what a server's definitions are now, for changes to be seen
    Pin(McpPin),
}

/// Which server, and what is known of it.
#[derive(Debug, Args)]
pub(crate) struct McpServer {
    /// The server's name: under `mcp.servers`, in pins, and before its tools in `agents.tools`
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// File of pins; `mcp.pins` of the configuration, or `bartizan.mcp.lock` in the current folder
    #[arg(long, value_name = "FILE")]
    pub(crate) pins: Option<PathBuf>,
    /// The program and its arguments, or an address; those of the configuration if left out
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "COMMAND"
    )]
    pub(crate) server: Vec<String>,
    #[command(flatten)]
    pub(crate) setup: Setup,
}

#[derive(Debug, Args)]
pub(crate) struct McpWrap {
    /// Append what happened to a file, one JSON object for each message that was refused, changed,
    /// or called something
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) record: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) server: McpServer,
}

#[derive(Debug, Args)]
pub(crate) struct McpScan {
    /// Most seconds for everything
    #[arg(
        long,
        value_name = "N",
        default_value = "60",
        value_parser = clap::value_parser!(u64).range(1..=3_600)
    )]
    pub(crate) seconds: u64,
    /// How the report is written
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "human",
        help_heading = "Output"
    )]
    pub(crate) format: Format,
    /// Show every definition, and which policy row decides
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) server: McpServer,
}

#[derive(Debug, Args)]
pub(crate) struct McpPin {
    /// Most seconds for everything
    #[arg(
        long,
        value_name = "N",
        default_value = "60",
        value_parser = clap::value_parser!(u64).range(1..=3_600)
    )]
    pub(crate) seconds: u64,
    #[command(flatten)]
    pub(crate) server: McpServer,
}
