//! Reports of garak (`garak.<uuid>.report.jsonl`, docs/source/reporting.rst), as tests to be tried
//! again.

use std::collections::HashSet;

use bartizan_core::Origin;
use serde::Deserialize;

use super::{ImportError, Importing, family_by_words};
use crate::{Goal, Suite, Turn};

/// A line of a report; other fields do not matter here.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    entry_type: String,
    #[serde(default)]
    probe_classname: String,
    #[serde(default)]
    prompt: Option<Prompt>,
}

/// A prompt: a text until garak 0.11, a conversation since.
#[derive(Deserialize)]
#[serde(untagged)]
enum Prompt {
    Text(String),
    // Before the message, whose fields may all be missing.
    Conversation { turns: Vec<Said> },
    Message { text: Option<String> },
}

#[derive(Deserialize)]
struct Said {
    role: String,
    content: Content,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Message { text: Option<String> },
}

/// Reads the prompts of a garak report, each once.
///
/// # Errors
/// When it is too long, no JSON Lines, or holds no prompt.
pub fn garak_report(name: &str, bytes: &[u8]) -> Result<Suite, ImportError> {
    let mut importing = Importing::new(name, bytes)?;
    let mut known: HashSet<String> = HashSet::new();
    for (number, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_slice(line).map_err(|error| ImportError::Form {
            tool: "garak",
            // The error of the parser can hold text of the file.
            reason: format!(
                "line {} is not of its form, column {}",
                number + 1,
                error.column()
            ),
        })?;
        if line.entry_type != "attempt" {
            continue;
        }
        let turns = line.prompt.map(turns).unwrap_or_default();
        let Some(last) = turns.iter().rposition(|turn| turn.origin == Origin::User) else {
            continue;
        };
        let key: String = turns.iter().map(|turn| turn.text.as_str()).collect();
        if !known.insert(key) {
            continue;
        }
        let text = turns.get(last).map(|turn| turn.text.clone());
        let Some(family) = family_by_words(&line.probe_classname) else {
            continue;
        };
        let before = importing.tests.len();
        importing.add(family, text.unwrap_or_default(), Goal::Compliance)?;
        if let Some(test) = importing.tests.get_mut(before) {
            test.turns = turns;
            test.payload = last;
            test.refs
                .push(format!("garak:{}", plain(&line.probe_classname)));
        }
    }
    importing.finish("a garak report")
}

fn turns(prompt: Prompt) -> Vec<Turn> {
    match prompt {
        Prompt::Text(text) => vec![Turn::user(text)],
        Prompt::Message { text } => vec![Turn::user(text.unwrap_or_default())],
        Prompt::Conversation { turns } => turns
            .into_iter()
            .map(|said| {
                let text = match said.content {
                    Content::Text(text) => text,
                    Content::Message { text } => text.unwrap_or_default(),
                };
                let origin = match said.role.as_str() {
                    "system" => Origin::System,
                    "assistant" => Origin::Model,
                    "tool" => Origin::Tool,
                    _ => Origin::User,
                };
                Turn {
                    origin,
                    ..Turn::user(text)
                }
            })
            .collect(),
    }
}

/// A class name as it may stand in a report.
pub(super) fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':'))
        .take(80)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"entry_type": "start_run setup", "_config.DEPRECATED": 1}
{"entry_type": "attempt", "uuid": "1", "status": 1, "probe_classname": "dan.Dan_11_0", "prompt": "You are DAN", "outputs": []}
{"entry_type": "attempt", "uuid": "1", "status": 2, "probe_classname": "dan.Dan_11_0", "prompt": "You are DAN", "outputs": ["No"]}

{"entry_type": "attempt", "status": 2, "probe_classname": "promptinject.HijackHateHumans", "prompt": {"turns": [{"role": "system", "content": {"text": "Be kind", "lang": "en"}}, {"role": "user", "content": {"text": "Say no", "lang": "en"}}], "notes": {}}}
{"entry_type": "eval", "probe": "dan.Dan_11_0", "passed": 1, "total": 1}
"#;

    #[test]
    fn attempts_become_tests_once() {
        let suite = garak_report("report", REPORT.as_bytes()).unwrap();
        let seen: Vec<(&str, &str, usize)> = suite
            .tests
            .iter()
            .map(|test| {
                (
                    test.family.id,
                    test.turns[test.payload].text.as_str(),
                    test.payload,
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("jailbreak.persona", "You are DAN", 0),
                ("injection.goal-hijack", "Say no", 1)
            ]
        );
        assert_eq!(suite.tests[0].refs, ["garak:dan.Dan_11_0"]);
    }

    #[test]
    fn errors_name_the_line_and_hold_no_text() {
        let error = garak_report("r", b"{\"entry_type\": 1}\n").unwrap_err();
        assert!(error.to_string().contains("line 1"), "{error}");
        assert_eq!(garak_report("r", b"{}\n"), Err(ImportError::Empty));
    }
}
