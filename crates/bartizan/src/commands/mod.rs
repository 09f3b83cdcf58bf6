//! One module per command.

mod check;
mod stream;

use crate::{
    cli::{Cli, Command},
    exit::Exit,
    problem::{Problem, Problems},
};

/// Does what the arguments say.
pub(crate) fn run(cli: Cli) -> Result<Exit, Problems> {
    match cli.command {
        Some(Command::Check(arguments)) => check::run(&arguments),
        _ => Err(Problem::new("no command given")
            .help("`bartizan --help` lists the commands")
            .into()),
    }
}
