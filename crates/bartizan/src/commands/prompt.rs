//! `bartizan prompt`: what a system prompt does not say, and a version that says it.

use std::path::Path;

use bartizan_guard::prompt::Hardening;

use crate::{exit::Exit, input::read_text, output, problem::Problems};

/// Names the rules that the prompt does not state.
pub(crate) fn lint(file: &Path) -> Result<Exit, Problems> {
    let prompt = read_text(file)?;
    let missing = Hardening::missing(&prompt);
    if missing.is_empty() {
        output::stdout("the prompt states every rule\n")?;
        return Ok(Exit::Clean);
    }
    let mut text = String::from("the prompt does not say\n");
    for rule in &missing {
        text.push_str(&format!("  {:<13} {}\n", rule.id, rule.title));
    }
    text.push_str("`bartizan prompt harden` adds them\n");
    output::stdout(&text)?;
    Ok(Exit::Findings)
}

/// Prints the prompt behind the rules that it does not state.
pub(crate) fn harden(file: &Path) -> Result<Exit, Problems> {
    let prompt = read_text(file)?;
    output::data(Hardening::harden(&prompt).as_bytes())?;
    Ok(Exit::Clean)
}
