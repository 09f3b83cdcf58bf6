//! Texts of a table as tests: JSON Lines, CSV, TSV, Parquet, by the readers of `bartizan eval`.

use std::path::Path;

use bartizan_redteam::{Family, Goal, Suite, Test};

use crate::{
    eval::{Texts, texts},
    input::escaped,
    problem::Problem,
};

/// Reads a table. Rows with a label that means harmless are controls; the column `family`, where
/// there is one, names the family of the others.
pub(super) fn read(path: &Path, name: &str) -> Result<Suite, Problem> {
    let Texts { rows, unusable } = texts(path)?;
    if rows.is_empty() || unusable > 0 {
        let message = format!(
            "`{}`: {} rows hold a text, {unusable} do not",
            escaped(path),
            rows.len()
        );
        let help = "a table of tests has a column `text` or `prompt` with a text in every row";
        return Err(Problem::new(message).help(help));
    }
    let named = |id: &str| {
        Family::named(id).ok_or_else(|| {
            Problem::new(format!("`{}`: there is no family `{id}`", escaped(path)))
                .help("`bartizan redteam list families` names them")
        })
    };
    let mut tests = Vec::new();
    for row in rows {
        let family = match (&row.family, row.is_positive) {
            (Some(id), _) => named(id)?,
            (None, Some(false)) => named("control.benign")?,
            (None, _) => named("imported")?,
        };
        let id = format!("{name}/{}", row.line);
        tests.push(Test::of_text(id, family, row.text, Goal::Compliance));
    }
    Ok(Suite {
        name: name.to_owned(),
        version: 1,
        title: "rows of a table".to_owned(),
        licence: String::new(),
        source: "a file of the user".to_owned(),
        tests,
    })
}
