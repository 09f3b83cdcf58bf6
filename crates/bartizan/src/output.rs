//! The only code that writes to the standard streams.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use anstream::{AutoStream, ColorChoice};
use miette::{GraphicalReportHandler, GraphicalTheme};

use crate::{cli::Color, env, input::escaped, problem::Problem};

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

/// Writes a file whole or not at all. One that is there keeps who may read it; a new one everybody
/// reads. What is no file, such as a pipe, is written to as it is.
pub(crate) fn file(path: &Path, text: &str) -> Result<(), Problem> {
    let written = || {
        let known = fs::metadata(path).ok();
        let is_file = known.as_ref().is_none_or(fs::Metadata::is_file);
        // `/dev/stdout` may be a file that others write to as well.
        if !is_file || path.starts_with("/dev") {
            return fs::write(path, text);
        }
        // The file behind a link, not the link.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let folder = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        // Without the folder, the error would name a file that nobody asked for.
        fs::metadata(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        let permissions = known.map(|known| known.permissions());
        #[cfg(unix)]
        let permissions = {
            use std::os::unix::fs::PermissionsExt as _;
            permissions.or_else(|| Some(fs::Permissions::from_mode(0o644)))
        };
        if let Some(permissions) = permissions {
            file.as_file().set_permissions(permissions)?;
        }
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    };
    written().map_err(|error: io::Error| {
        Problem::new(format!("cannot write `{}`: {error}", escaped(path)))
    })
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

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_file_that_is_there_keeps_its_mode_and_its_links() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&path, &link).unwrap();
        file(&link, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_no_file_is_not_replaced_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("null");
        symlink("/dev/null", &link).unwrap();
        file(&link, "text").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        assert!(file(folder.path(), "text").is_err());
    }
}
