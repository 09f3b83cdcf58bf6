//! The only code that writes to the standard streams.

use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use miette::{GraphicalReportHandler, GraphicalTheme};

use crate::{cli::Color, env, problem::Problem};

/// Decides once for all streams.
pub(crate) fn choose_colour(color: Color) {
    let choice = match color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    };
    choice.write_global();
}

/// Writes a report. A reader that went away is no error: it has what it wanted.
pub(crate) fn stdout(text: &str) -> Result<(), Problem> {
    finish(write_all(
        &mut AutoStream::auto(io::stdout()),
        text.as_bytes(),
    ))
}

/// Writes data as it is, without touching escape sequences; says whether the reader is still there.
pub(crate) fn data(bytes: &[u8]) -> Result<bool, Problem> {
    match write_all(&mut io::stdout().lock(), bytes) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        written => finish(written).map(|()| true),
    }
}

/// Writes something about the data. Nobody can be told when this fails.
pub(crate) fn stderr(text: &str) {
    let _ = write_all(&mut AutoStream::auto(io::stderr()), text.as_bytes());
}

/// A line for the operator.
pub(crate) fn note(text: &str) {
    stderr(&format!("note: {text}\n"));
}

/// Writes what went wrong.
pub(crate) fn show_problems(problems: &[Problem]) {
    let colour = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
    let theme = if colour {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(columns())
        .with_links(false);
    for problem in problems {
        let mut text = String::new();
        if handler.render_report(&mut text, problem).is_err() {
            text = format!("error: {problem}\n");
        }
        stderr(text.trim_start_matches('\n'));
    }
}

/// Columns to write in: those of the terminal, 40 to 120; 100 where there is none.
pub(crate) fn columns() -> usize {
    let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    env::get(env::COLUMNS)
        .and_then(|columns| columns.to_str()?.parse().ok())
        .or_else(terminal)
        .unwrap_or(100)
        .clamp(40, 120)
}

fn write_all(stream: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes)?;
    stream.flush()
}

fn finish(written: io::Result<()>) -> Result<(), Problem> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Problem::new(format!(
            "cannot write to standard output: {error}"
        ))),
        _ => Ok(()),
    }
}
