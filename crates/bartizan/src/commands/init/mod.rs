//! `bartizan init`: files to begin with.

use crate::{
    cli::{InitCommand, Platform},
    exit::Exit,
    output,
    problem::Problems,
};

/// Prints a file.
pub(crate) fn run(command: &InitCommand) -> Result<Exit, Problems> {
    let InitCommand::Ci { platform } = command;
    let text = match platform {
        Platform::Github => include_str!("github.yml"),
        Platform::Gitlab => include_str!("gitlab.yml"),
        Platform::PreCommit => include_str!("pre-commit.yaml"),
    };
    output::data(text.as_bytes())?;
    Ok(Exit::Clean)
}
