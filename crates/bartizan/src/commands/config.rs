//! `bartizan config check`: every mistake in a configuration file and in what it names.

use std::path::PathBuf;

use super::serve;
use crate::{
    cli::Setup,
    engine::{Engine, read_config},
    exit::Exit,
    input::escaped,
    output,
    problem::Problems,
};

/// Builds everything that the file asks for, and throws it away.
pub(crate) fn check(file: PathBuf) -> Result<Exit, Problems> {
    let name = escaped(&file);
    let setup = Setup {
        config: Some(file),
        ..Setup::default()
    };
    let config = read_config(&setup)?;
    let mistakes = config.file.mistakes();
    if !mistakes.is_empty() {
        let problems = mistakes
            .iter()
            .map(|mistake| serve::problem(&config, mistake));
        return Err(problems.collect());
    }
    let access = config.access()?;
    let engine = Engine::with_config(&setup, config)?;
    engine.styles(&[])?;
    output::stdout(&format!(
        "`{name}` is in order: {} checks, {} rules in {} packs, {} policy rows, {} access policies\n",
        engine.judge.guard().checks().len(),
        engine.rules.len(),
        engine.rules.packs().count(),
        engine.judge.policy().rows().len(),
        access.len()
    ))?;
    Ok(Exit::Clean)
}
