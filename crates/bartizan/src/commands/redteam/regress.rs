//! From an incident to a test.

use std::num::NonZeroUsize;

use bartizan_core::Direction;
use bartizan_guard::conversation::{self, ParseLimits};
use bartizan_redteam::{
    Attempt, Family, Turn,
    incident::{Incident, turn_of, turn_of_text, with_incident},
    named,
    report::v1::Report,
    run,
};

use super::chain;
use crate::{
    cli::Regress,
    exit::Exit,
    files,
    input::{MAX_SETTINGS_BYTES, escaped, read_stdin, read_text},
    output,
    problem::{Problem, Problems, nearest},
};

/// Adds a test to a suite.
pub(super) fn run(arguments: &Regress) -> Result<Exit, Problems> {
    let family = Family::named(&arguments.family).ok_or_else(|| {
        let names = Family::all().map(|family| family.id);
        let problem = Problem::new(format!("there is no family `{}`", arguments.family));
        match nearest(&arguments.family, names) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help("`bartizan redteam list families` names them"),
        }
    })?;
    let text = if arguments.file.as_os_str() == "-" {
        read_stdin(MAX_SETTINGS_BYTES)?
    } else {
        read_text(&arguments.file)?
    };
    let direction = if arguments.output {
        Direction::Output
    } else {
        Direction::Input
    };
    let (turns, family, direction) = match arguments.failure {
        Some(number) => of_report(&text, number)?,
        None => (turns_of(&text, direction), family, direction),
    };
    let suite = if arguments.suite.exists() {
        Some(read_text(&arguments.suite)?)
    } else {
        None
    };
    let name = arguments
        .suite
        .file_stem()
        .map(|stem| stem.to_string_lossy());
    let incident = Incident {
        id: &arguments.id,
        family,
        turns: &turns,
        direction,
    };
    let new = with_incident(suite.as_deref(), &name.unwrap_or_default(), &incident)
        .map_err(|error| Problem::new(format!("`{}`: {error}", escaped(&arguments.suite))))?;
    files::write(&arguments.suite, &new)?;
    output::note(&format!(
        "`{}` is a test of `{}`: run it with `bartizan redteam --suite {}`",
        crate::render::safe::line(&arguments.id),
        escaped(&arguments.suite),
        escaped(&arguments.suite)
    ));
    Ok(Exit::Clean)
}

/// The turns of a JSON conversation, or a text as one turn.
fn turns_of(text: &str, direction: Direction) -> Vec<Turn> {
    let is_json = text.trim_start().starts_with(['{', '[']);
    let parsed = is_json
        .then(|| conversation::parse(text.as_bytes(), &ParseLimits::default()).ok())
        .flatten();
    let turns: Vec<Turn> = parsed
        .iter()
        .flat_map(|conversation| &conversation.parts)
        .filter(|part| !part.text.trim().is_empty())
        .map(turn_of)
        .collect();
    if turns.is_empty() {
        vec![turn_of_text(text, direction)]
    } else {
        turns
    }
}

/// The attempt of a report that failed, made again.
fn of_report(text: &str, number: NonZeroUsize) -> Result<(Vec<Turn>, Family, Direction), Problem> {
    let report: Report = serde_json::from_str(text)
        .map_err(|error| Problem::new(format!("the file is no report: {error}")))?;
    let failure = report.failures.get(number.get() - 1).ok_or_else(|| {
        Problem::new(format!(
            "the report lists {} failures",
            report.failures.len()
        ))
        .help("`--failure` counts from 1")
    })?;
    let (suite, _) = failure.test.split_once('/').unwrap_or_default();
    let suite = named(suite).and_then(Result::ok);
    let found = suite
        .iter()
        .flat_map(|suite| &suite.tests)
        .find(|test| test.id == failure.test);
    let Some(test) = found else {
        let message = format!(
            "`{}` is in no built-in suite",
            crate::render::safe::line(&failure.test)
        );
        return Err(Problem::new(message).help("give the text itself instead of the report"));
    };
    let chain = chain(&failure.chain)?;
    let seed = run::seed(report.seed, &chain, failure.repetition);
    let attempt = Attempt::new(test, &chain, seed)
        .ok_or_else(|| Problem::new("the attempt cannot be made again"))?;
    Ok((attempt.turns, test.family, test.direction))
}
