//! `bartizan mcp`: servers of the Model Context Protocol.

mod place;
mod survey;
mod wrap;

use crate::{cli::McpCommand, exit::Exit, problem::Problems};

/// Does what the arguments say.
pub(crate) fn run(command: &McpCommand) -> Result<Exit, Problems> {
    match command {
        McpCommand::Wrap(arguments) => wrap::run(arguments),
        McpCommand::Scan(arguments) => survey::scan(arguments),
        McpCommand::Pin(arguments) => survey::pin(arguments),
    }
}
