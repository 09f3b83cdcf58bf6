//! Recall and false positives of the rule packs.

/// Arguments of the command.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Runs the command.
pub(crate) fn run(_args: &Args) -> miette::Result<()> {
    Err(miette::miette!("not built yet"))
}
