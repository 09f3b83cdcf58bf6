//! `bartizan rag`: documents, chunks, and answers.

mod admit;
mod answer;
mod files;
mod integrity;
mod show;

use crate::{cli::RagCommand, exit::Exit, problem::Problems};

/// Does what the arguments say.
pub(crate) fn run(command: &RagCommand) -> Result<Exit, Problems> {
    match command {
        RagCommand::Check(arguments) => admit::check(arguments),
        RagCommand::Sanitise(arguments) => admit::sanitise(arguments),
        RagCommand::Manifest(arguments) => integrity::manifest(arguments),
        RagCommand::Verify(arguments) => integrity::verify(arguments),
        RagCommand::Answer(arguments) => answer::run(arguments),
    }
}
