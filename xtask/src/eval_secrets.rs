//! Precision and recall on the secrets set.

/// Arguments of the command.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Runs the command.
pub(crate) fn run(_args: &Args) -> miette::Result<()> {
    Err(miette::miette!("not built yet"))
}
