use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{Row, judging::Judged};
use crate::{input::escaped, problem::Problem};

/// Writes the scores of every row as JSON Lines, without texts, for tools of one's own.
pub(crate) struct ScoreFile {
    out: BufWriter<File>,
    name: String,
    files: Vec<String>,
}

/// One row.
#[derive(Debug, Serialize)]
struct Line<'a> {
    file: &'a str,
    /// From 1; in Parquet the number of the row.
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    /// Whether it should be caught.
    positive: bool,
    /// Whether every check looked at everything.
    complete: bool,
    score: f64,
    caught: bool,
    /// Scores of the layers that found something.
    layers: BTreeMap<&'static str, f64>,
    /// The score by `--against`.
    #[serde(skip_serializing_if = "Option::is_none")]
    score_against: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caught_against: Option<bool>,
}

impl ScoreFile {
    /// Makes the file; `files` are those that rows come from.
    pub(crate) fn create(path: &Path, files: &[PathBuf]) -> Result<Self, Problem> {
        let name = escaped(path);
        let file = File::create(path).map_err(|error| cannot_write(&name, &error))?;
        Ok(Self {
            out: BufWriter::new(file),
            name,
            files: files.iter().map(|file| escaped(file)).collect(),
        })
    }

    /// Writes a row.
    pub(crate) fn add(&mut self, row: &Row, judged: &Judged) -> Result<(), Problem> {
        let seen = &judged.seen;
        let against = judged.against.as_ref().map(|seen| seen.whole);
        let line = Line {
            file: self.files.get(row.file as usize).map_or("", String::as_str),
            line: row.line,
            id: row.id.as_deref(),
            positive: row.is_positive,
            complete: judged.is_complete(),
            score: seen.whole.score,
            caught: seen.whole.is_caught,
            layers: seen
                .layers
                .iter()
                .map(|(layer, answer)| (layer.as_str(), answer.score))
                .collect(),
            score_against: against.map(|answer| answer.score),
            caught_against: against.map(|answer| answer.is_caught),
        };
        serde_json::to_writer(&mut self.out, &line)
            .map_err(io::Error::from)
            .and_then(|()| self.out.write_all(b"\n"))
            .map_err(|error| cannot_write(&self.name, &error))
    }

    /// Writes what is still held back.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        let written = self.out.flush();
        written.map_err(|error| cannot_write(&self.name, &error))
    }
}

fn cannot_write(name: &str, error: &io::Error) -> Problem {
    Problem::new(format!("cannot write `{name}`: {error}"))
}
