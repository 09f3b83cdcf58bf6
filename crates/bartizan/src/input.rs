//! What is checked: texts, files, standard input.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use bartizan_guard::conversation::{
    self, Conversation, ConversationError, Format, ParseLimits, PartKind,
};

use crate::{
    cli::Kind,
    problem::{Problem, Problems},
    render::safe,
};

/// Most bytes that are read at once; more need `--stream`.
pub(crate) const MAX_BYTES: u64 = 256 << 20;

const STREAM: &str = "`--stream` reads it piece by piece";

/// Most bytes of a configuration, policy, key, or pack file.
pub(crate) const MAX_SETTINGS_BYTES: u64 = 8 << 20;

/// Where an input comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// An argument.
    Text(String),
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

/// Why an argument is no input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSource {
    /// It looks like a path, and nothing is there.
    Missing,
    /// It is a folder.
    Folder,
    /// It is neither a file nor UTF-8.
    NoText,
}

/// Something to check.
#[derive(Debug)]
pub(crate) struct Subject {
    /// What it is called: its path, `stdin`, or `text`.
    pub(crate) name: String,
    /// Where it was found, if that is a file.
    pub(crate) path: Option<PathBuf>,
    /// As received.
    pub(crate) bytes: Vec<u8>,
    /// What a text is.
    pub(crate) kind: PartKind,
    /// Its parts, if it is a conversation.
    pub(crate) conversation: Option<Conversation>,
}

impl Source {
    /// What an argument means.
    pub(crate) fn of(argument: &OsStr) -> Result<Self, NoSource> {
        if argument == "-" {
            return Ok(Self::Stdin);
        }
        let path = Path::new(argument);
        if path.is_dir() {
            return Err(NoSource::Folder);
        }
        // Whatever else exists can be opened: files, pipes, devices.
        if path.exists() {
            return Ok(Self::File(path.to_owned()));
        }
        match argument.to_str() {
            None => Err(NoSource::NoText),
            Some(text) if is_path_like(text) => Err(NoSource::Missing),
            Some(text) => Ok(Self::Text(text.to_owned())),
        }
    }

    /// What it is called in reports.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Text(_) => "text".to_owned(),
            Self::File(path) => escaped(path),
            Self::Stdin => "stdin".to_owned(),
        }
    }

    /// Reads it whole and takes it apart if it is a conversation.
    pub(crate) fn read(self, kind: Kind) -> Result<Subject, Problem> {
        let name = self.name();
        let (bytes, path, part) = match self {
            Self::Text(text) => (text.into_bytes(), None, PartKind::Text),
            Self::Stdin => (
                read_bounded(io::stdin().lock(), &name, STREAM)?,
                None,
                PartKind::Text,
            ),
            Self::File(path) => {
                let file = File::open(&path).map_err(|error| cannot_read(&path, &error))?;
                (
                    read_bounded(file, &name, STREAM)?,
                    Some(path),
                    PartKind::Document,
                )
            }
        };
        let mut subject = Subject {
            name,
            path,
            bytes,
            kind: part,
            conversation: None,
        };
        subject.take_apart(kind)?;
        Ok(subject)
    }
}

impl Subject {
    fn take_apart(&mut self, kind: Kind) -> Result<(), Problem> {
        if kind == Kind::Text {
            return Ok(());
        }
        let first = self.bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        if kind == Kind::Auto && !matches!(first, Some(b'{' | b'[')) {
            return Ok(());
        }
        match conversation::parse(&self.bytes, &ParseLimits::default()) {
            Ok(parsed) if kind == Kind::Auto && parsed.format == Format::Generic => {}
            Ok(parsed) => self.conversation = Some(parsed),
            Err(error) if kind == Kind::Conversation || self.claims_json() => {
                return Err(self.not_a_conversation(&error));
            }
            // Much that begins with a brace or a bracket is no JSON.
            Err(_) => {}
        }
        Ok(())
    }

    /// Whether the name says that it is JSON.
    fn claims_json(&self) -> bool {
        self.path
            .as_ref()
            .and_then(|path| path.extension())
            .is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
    }

    fn not_a_conversation(&self, error: &ConversationError) -> Problem {
        Problem::new(format!("`{}` is no conversation: {error}", self.name))
            .help("`--as text` checks it as text")
    }

    /// Texts by number of part.
    pub(crate) fn texts(&self) -> Vec<&[u8]> {
        match &self.conversation {
            Some(conversation) => conversation
                .parts
                .iter()
                .map(|part| part.text.as_bytes())
                .collect(),
            None => vec![&self.bytes],
        }
    }

    /// The format's name, `text` for a text.
    pub(crate) fn format(&self) -> &'static str {
        self.conversation
            .as_ref()
            .map_or("text", |conversation| conversation.format.as_str())
    }

    /// Whether it is what a model answered.
    pub(crate) fn is_answer(&self) -> bool {
        self.conversation
            .as_ref()
            .is_some_and(|conversation| conversation.format == Format::Answer)
    }
}

/// A path for messages, without anything that a terminal would act on.
pub(crate) fn escaped(path: &Path) -> String {
    safe::line(&path.to_string_lossy())
}

/// Reads a file of settings.
pub(crate) fn read_text(path: &Path) -> Result<String, Problems> {
    let bytes = read_bytes(path, MAX_SETTINGS_BYTES)?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Problem::new(format!("`{}` is no UTF-8 from byte {at} on", escaped(path)))
            .help("write the file as UTF-8")
            .into()
    })
}

/// Reads a file of which there may be at most `max` bytes.
pub(crate) fn read_bytes(path: &Path, max: u64) -> Result<Vec<u8>, Problem> {
    let file = File::open(path).map_err(|error| cannot_read(path, &error))?;
    let bytes = read_up_to(file, max).map_err(|error| cannot_read(path, &error))?;
    bytes.ok_or_else(|| {
        let message = format!("`{}` has more than {max} bytes", escaped(path));
        Problem::new(message).help("is this the right file?")
    })
}

/// Reads everything, if that is at most `max` bytes.
pub(crate) fn read_up_to(from: impl Read, max: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    from.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= max).then_some(bytes))
}

/// Reads a text of at most `max` bytes from standard input.
pub(crate) fn read_stdin(max: u64) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .take(max + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Problem::new(format!("cannot read standard input: {error}")))?;
    if bytes.len() as u64 > max {
        let message = format!("standard input has more than {max} bytes");
        return Err(Problem::new(message));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Problem::new(format!("standard input is no UTF-8 from byte {at} on"))
            .help("write it as UTF-8")
    })
}

/// A file that cannot be read.
pub(crate) fn cannot_read(path: &Path, error: &io::Error) -> Problem {
    let problem = Problem::new(format!("cannot read `{}`: {error}", escaped(path)));
    match error.kind() {
        io::ErrorKind::NotFound => problem.help("check the path"),
        io::ErrorKind::PermissionDenied => problem.help("check who may read it"),
        _ => problem,
    }
}

/// Reads an input whole; `help` says what to do with a longer one.
pub(crate) fn read_bounded(
    from: impl Read,
    name: &str,
    help: &'static str,
) -> Result<Vec<u8>, Problem> {
    let bytes = read_up_to(from, MAX_BYTES)
        .map_err(|error| Problem::new(format!("cannot read `{name}`: {error}")))?;
    bytes
        .ok_or_else(|| Problem::new(format!("`{name}` has more than {MAX_BYTES} bytes")).help(help))
}

/// Whether somebody who writes this means a file: no white space, and a separator or an extension.
fn is_path_like(text: &str) -> bool {
    if text.is_empty() || text.len() > 4096 || text.contains("://") {
        return false;
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return false;
    }
    let is_extension = |extension: &str| {
        (1..=8).contains(&extension.len())
            && extension.starts_with(|c: char| c.is_ascii_alphabetic())
            && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    text.contains(['/', '\\'])
        || text
            .rsplit_once('.')
            .is_some_and(|(stem, extension)| is_extension(extension) && !stem.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_look_like_paths_are_no_texts() {
        for path in [
            "page.htm",
            "a/b",
            "./x",
            "src\\main.rs",
            "notes.v2.txt",
            ".env",
        ] {
            assert!(is_path_like(path), "{path}");
        }
        for text in [
            "hello",
            "two words.txt",
            "https://a.example/b",
            "jane@example.com",
            "10.0.0.1",
            "wait...",
            "",
        ] {
            assert!(!is_path_like(text), "{text}");
        }
    }
}
