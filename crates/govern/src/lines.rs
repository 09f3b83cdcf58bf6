//! Whether a line is about somebody, and how old it is.

use serde_json::Value;

use crate::config::{FilesConfig, TimeIn};

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

    /// Everybody whom a line may be about: the subject's field, or every text in it.
    #[must_use]
    pub fn identifiers(&self, line: &[u8]) -> Vec<String> {
        let Ok(value) = serde_json::from_slice::<Value>(line) else {
            let text = String::from_utf8_lossy(line);
            return text.split_whitespace().map(trimmed).collect();
        };
        if self.subject.is_empty() {
            let mut all = Vec::new();
            texts(&value, &mut all);
            return all;
        }
        self.at(&value, &self.subject)
            .map(text_of)
            .into_iter()
            .collect()
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
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '+');
    text.match_indices(wanted).any(|(start, found)| {
        let before = text.get(..start).and_then(|text| text.chars().next_back());
        let mut after = text.get(start + found.len()..).unwrap_or_default().chars();
        let next = after.next();
        // `alice@example.com.` ends a sentence, `alice@example.com.au` is somebody else.
        let goes_on = match next {
            Some('.' | '-') => after.next().is_some_and(char::is_alphanumeric),
            Some(c) => is_part(c),
            None => false,
        };
        let began = before.is_some_and(|c| is_part(c) || matches!(c, '.' | '-'));
        !goes_on && !began
    })
}

fn texts(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            all.push(text.trim().to_owned());
            all.extend(text.split_whitespace().map(trimmed));
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, all)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, all)),
        Value::Number(number) => all.push(number.to_string()),
        Value::Null | Value::Bool(_) => {}
    }
}

/// A word without the signs around it.
fn trimmed(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned()
}
