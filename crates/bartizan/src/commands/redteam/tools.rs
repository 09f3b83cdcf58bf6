//! Lists, and what mutators make of a text.

use bartizan_redteam::{Attempt, Family, Goal, MUTATORS, Test, builtin_names, named};

use super::chain;
use crate::{
    cli::ListWhat,
    exit::Exit,
    input::read_stdin,
    output,
    problem::{Problem, Problems},
    redteam::load,
    render::evaluation::text::padded,
};

/// Most bytes of a text that is changed.
const MAX_TEXT: u64 = 1 << 20;

pub(super) fn list(what: ListWhat, names: &[String]) -> Result<Exit, Problems> {
    let mut out = String::new();
    let mut line = |name: &str, width: usize, rest: &str| {
        out.push_str(&format!("{}  {rest}\n", padded(name, width)));
    };
    match what {
        ListWhat::Suites => {
            for name in builtin_names() {
                let suite = named(name).and_then(Result::ok);
                let suite = suite.ok_or_else(|| Problem::new(format!("`{name}` is broken")))?;
                let rest = format!("{:4} tests  {}", suite.tests.len(), suite.title);
                line(name, 14, &rest);
            }
        }
        ListWhat::Families => {
            for family in Family::all() {
                let refs: Vec<&str> = family.owasp.iter().chain(family.atlas).copied().collect();
                line(
                    family.id,
                    26,
                    &format!("{} ({})", family.title, refs.join(" ")),
                );
            }
        }
        ListWhat::Mutators => {
            for mutator in MUTATORS {
                let rest = format!("{}  {}", padded(mutator.toll.as_str(), 8), mutator.title);
                line(mutator.name, 20, &rest);
            }
        }
        ListWhat::Tests => {
            for suite in load(names)? {
                for test in &suite.tests {
                    let refs: Vec<&str> = test.references().collect();
                    line(
                        &test.id,
                        34,
                        &format!("{}  {}", padded(test.family.id, 26), refs.join(" ")),
                    );
                }
            }
        }
    }
    output::stdout(&out)?;
    Ok(Exit::Clean)
}

pub(super) fn mutate(names: &str, text: Option<String>, seed: u64) -> Result<Exit, Problems> {
    let chain = chain(names)?;
    let text = match text {
        Some(text) => text,
        None => read_stdin(MAX_TEXT)?,
    };
    let family = Family::named("imported")
        .ok_or_else(|| Problem::new("the family of imported tests is gone"))?;
    let test = Test::of_text("text".to_owned(), family, text, Goal::Compliance);
    let Some(attempt) = Attempt::new(&test, &chain, seed) else {
        return Err(
            Problem::new("there is nothing in the text that the mutators change")
                .help("`bartizan redteam list mutators` says what each does")
                .into(),
        );
    };
    let turns = &attempt.turns;
    let mut out = String::new();
    for turn in turns {
        if turns.len() > 1 {
            out.push_str(&format!("[{}] ", turn.origin));
        }
        out.push_str(&turn.text);
        out.push('\n');
    }
    output::data(out.as_bytes())?;
    Ok(Exit::Clean)
}
