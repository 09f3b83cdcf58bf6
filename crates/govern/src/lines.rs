//! Whether a line is about somebody, and how old it is.

use serde_json::Value;

use crate::{
    config::{FilesConfig, TimeIn},
    subject::Subject,
};

/// Looks at lines of files: JSON objects, or text.
#[derive(Clone, Debug)]
pub struct LineMatcher {
    subject: Vec<String>,
    time: Vec<String>,
    time_in: TimeIn,
}

impl LineMatcher {
    /// One for the files of `config`.
    #[must_use]
    pub fn new(config: &FilesConfig) -> Self {
        let path = |text: &str| -> Vec<String> {
            let steps = text.split('.').filter(|step| !step.is_empty());
            steps.map(str::to_owned).collect()
        };
        Self {
            subject: path(&config.subject),
            time: path(&config.time),
            time_in: config.time_in,
        }
    }

    /// Whether `line` is about the one of that identifier, letters compared without case. Where a
    /// field names the subject, that field decides. A line that is no JSON is searched as text.
    #[must_use]
    pub fn is_about(&self, line: &[u8], identifier: &str) -> bool {
        let wanted = identifier.to_lowercase();
        match serde_json::from_slice::<Value>(line) {
            Ok(value) if !self.subject.is_empty() => self
                .at(&value, &self.subject)
                .is_some_and(|found| text_of(found).to_lowercase() == wanted),
            Ok(value) => names(&value, &wanted),
            Err(_) => names_text(&String::from_utf8_lossy(line), &wanted),
        }
    }

    /// Whether `is` says yes to somebody whom a line may be about: the subject's field, or every
    /// text in the line of up to eight pieces that [`Self::is_about`] can find there. For those
    /// who know no identifier but can tell one.
    #[must_use]
    pub fn is_about_any(&self, line: &[u8], mut is: impl FnMut(&str) -> bool) -> bool {
        match serde_json::from_slice::<Value>(line) {
            Ok(value) if !self.subject.is_empty() => self
                .at(&value, &self.subject)
                .is_some_and(|found| is(&text_of(found))),
            Ok(value) => any_name(&value, &mut is),
            Err(_) => any_run(&String::from_utf8_lossy(line), &mut is),
        }
    }

    /// When the line was written, in milliseconds since 1970; `None` where it does not say.
    #[must_use]
    pub fn time_ms(&self, line: &[u8]) -> Option<i64> {
        let value: Value = serde_json::from_slice(line).ok()?;
        let found = self.at(&value, &self.time)?;
        match self.time_in {
            TimeIn::Milliseconds => found.as_i64(),
            TimeIn::Seconds => found.as_i64()?.checked_mul(1_000),
            TimeIn::Text => {
                let at: jiff::Timestamp = found.as_str()?.parse().ok()?;
                Some(at.as_millisecond())
            }
        }
    }

    /// Whether it knows where times stand.
    #[must_use]
    pub fn has_time(&self) -> bool {
        !self.time.is_empty()
    }

    fn at<'v>(&self, value: &'v Value, path: &[String]) -> Option<&'v Value> {
        path.iter().try_fold(value, |value, step| value.get(step))
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    }
}

/// Whether a text in `value` names `wanted`, which is in lower case.
fn names(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => names_text(text, wanted),
        Value::Array(items) => items.iter().any(|item| names(item, wanted)),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| names_text(name, wanted) || names(value, wanted)),
        Value::Number(number) => number.to_string() == wanted,
        Value::Null | Value::Bool(_) => false,
    }
}

/// Whether `wanted` stands in `text` and is not a part of a longer name.
fn names_text(text: &str, wanted: &str) -> bool {
    let text = text.to_lowercase();
    text.match_indices(wanted)
        .any(|(start, found)| begins(&text, start) && ends(&text, start + found.len()))
}

const fn is_sign(c: char) -> bool {
    matches!(c, '_' | '+')
}

/// Whether a name can begin at a byte of a text.
fn begins(text: &str, start: usize) -> bool {
    let before = text.get(..start).and_then(|text| text.chars().next_back());
    !before.is_some_and(|c| c.is_alphanumeric() || is_sign(c) || matches!(c, '.' | '-'))
}

/// Whether a name can end before a byte of a text.
fn ends(text: &str, end: usize) -> bool {
    let mut after = text.get(end..).unwrap_or_default().chars();
    match after.next() {
        // `alice@example.com.` ends a sentence, `alice@example.com.au` is somebody else.
        Some('.' | '-') => !after.next().is_some_and(char::is_alphanumeric),
        Some(c) => !(c.is_alphanumeric() || is_sign(c)),
        None => true,
    }
}

/// Places at which a name can begin, in one name at most, as a telephone number or the name of a
/// person has several.
const PIECES: usize = 8;

fn any_name(value: &Value, is: &mut impl FnMut(&str) -> bool) -> bool {
    match value {
        Value::String(text) => any_run(text, is),
        Value::Array(items) => items.iter().any(|item| any_name(item, is)),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| any_run(name, is) || any_name(value, is)),
        Value::Number(number) => is(&number.to_string()),
        Value::Null | Value::Bool(_) => false,
    }
}

/// Whether `is` says yes to a piece of `text`, to several that follow each other, or to the whole.
fn any_run(text: &str, is: &mut impl FnMut(&str) -> bool) -> bool {
    let text = text.to_lowercase();
    let whole = text.trim();
    if Subject::BYTES.contains(&whole.len()) && is(whole) {
        return true;
    }
    text.char_indices().any(|(start, first)| {
        !first.is_whitespace() && begins(&text, start) && any_run_from(&text, start, is)
    })
}

fn any_run_from(text: &str, start: usize, is: &mut impl FnMut(&str) -> bool) -> bool {
    let rest = text.get(start..).unwrap_or_default();
    let mut pieces = 0;
    for (at, c) in rest.char_indices() {
        pieces += usize::from(begins(text, start + at));
        let bytes = at + c.len_utf8();
        if pieces > PIECES || bytes > *Subject::BYTES.end() {
            return false;
        }
        let can_end = !c.is_whitespace() && ends(text, start + bytes);
        if can_end && Subject::BYTES.contains(&bytes) && rest.get(..bytes).is_some_and(&mut *is) {
            return true;
        }
    }
    false
}
