//! What went wrong, where, and what to do next.

use std::fmt;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// One thing that kept a command from doing its work.
///
/// The message is lower case without full stop and never holds checked text.
#[derive(Debug, Default)]
pub(crate) struct Problem {
    message: String,
    help: Option<String>,
    place: Option<Box<Place>>,
}

/// A place in a file of settings.
#[derive(Debug)]
struct Place {
    source: NamedSource<String>,
    label: LabeledSpan,
}

/// Everything that kept a command from doing its work.
pub(crate) type Problems = Vec<Problem>;

impl Problem {
    /// A problem with `message`.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..Self::default()
        }
    }

    /// Says what to do next.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Points at `line` and `column` (characters) of `text`, both from 1, or at nothing if 0.
    #[must_use]
    pub(crate) fn at(mut self, file: &str, text: &str, line: u64, column: u64) -> Self {
        if line == 0 {
            self.message = format!("{file}: {}", self.message);
            return self;
        }
        let range = word_at(text, line, column);
        self.place = Some(Box::new(Place {
            source: NamedSource::new(file, text.to_owned()),
            label: LabeledSpan::new(Some("here".to_owned()), range.start, range.len()),
        }));
        self
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        vec![problem]
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.place
            .as_ref()
            .map(|place| &place.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let place = self.place.as_ref()?;
        Some(Box::new(std::iter::once(place.label.clone())))
    }
}

/// `given` is not among `names`: the nearest of them, if one is near.
pub(crate) fn nearest<'n>(given: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    names
        .map(|name| (strsim::osa_distance(given, name), name))
        .min()
        .filter(|(distance, name)| *distance <= name.len().min(given.len()) / 3 + 1)
        .map(|(_, name)| name)
}

/// "did you mean" for a message of the parser's that names what it expected.
pub(crate) fn suggestion(message: &str) -> Option<String> {
    let (said, expected) = message.split_once(", expected ")?;
    let given = said.split('`').nth(1)?;
    let names = expected.trim_start_matches("one of ").split([',', ' ']);
    let names = names.map(|name| name.trim_matches('`'));
    let name = nearest(given, names.filter(|name| !name.is_empty()))?;
    Some(format!("did you mean `{name}`?"))
}

/// A message of the YAML parser without the place, which is shown otherwise.
pub(crate) fn without_place(message: &str) -> &str {
    match message.rsplit_once(" at line ") {
        Some((message, _)) => message,
        None => message,
    }
}

/// The word at a place, at least one byte of it where there is one.
fn word_at(text: &str, line: u64, column: u64) -> std::ops::Range<usize> {
    let line = usize::try_from(line).unwrap_or(usize::MAX) - 1;
    let column = usize::try_from(column).unwrap_or(usize::MAX).max(1) - 1;
    let start = text
        .split_inclusive('\n')
        .take(line)
        .map(str::len)
        .sum::<usize>();
    let rest = text.get(start..).unwrap_or_default();
    let skipped: usize = rest.chars().take(column).map(char::len_utf8).sum();
    let word = rest.get(skipped..).unwrap_or_default();
    let len = word
        .find(|c: char| c.is_whitespace() || matches!(c, ':' | ',' | ']' | '}'))
        .unwrap_or(word.len());
    let at = start + skipped;
    at..at + len.max(usize::from(!word.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found() {
        assert_eq!(word_at("a: 1\nbéta: [x, y]\n", 2, 7), 12..14);
        assert_eq!(word_at("a: 1\nbeta: 2", 2, 1), 5..9);
        assert_eq!(word_at("a", 9, 9), 1..1);
    }

    #[test]
    fn near_names_are_suggested() {
        assert_eq!(
            suggestion("unknown field `polcy`, expected one of guard, policy").as_deref(),
            Some("did you mean `policy`?")
        );
        assert_eq!(
            suggestion("unknown field `zzz`, expected one of `guard`, `policy`"),
            None
        );
        assert_eq!(suggestion("the document ends too early"), None);
    }
}
