//! From an incident to a test of a suite, so that it does not happen again.

use bartizan_core::{Direction, Origin};

use crate::{Family, Suite, SuiteError, Turn, attempt::TurnKind};

/// What happened.
#[derive(Clone, Debug)]
pub struct Incident<'a> {
    /// A name for the test.
    pub id: &'a str,
    /// What kind of attack it was.
    pub family: Family,
    /// What was said.
    pub turns: &'a [Turn],
    /// Which way it went.
    pub direction: Direction,
}

/// The suite with the incident as its last test, in YAML: `suite` as it is, comments and all, with
/// the test behind it; a new one where there is none.
///
/// # Errors
/// When the suite is broken, or would be with the test, such as by an id that is there already.
pub fn with_incident(
    suite: Option<&str>,
    name: &str,
    incident: &Incident<'_>,
) -> Result<String, SuiteError> {
    let mut text = match suite {
        Some(text) if !text.trim().is_empty() => text.trim_end().to_owned(),
        _ => format!(
            "suite: {}\nversion: 1\ntitle: What happened once\nlicence: \"\"\nsource: incidents\ntests:",
            quoted(name)
        ),
    };
    if suite.is_some_and(|text| !text.trim().is_empty()) {
        let known = Suite::from_yaml(&text)?;
        if !ends_with_tests(&text) || known.tests.is_empty() {
            return Err(SuiteError::Syntax(
                "`tests` must be the last block of the suite, so that one can be added".to_owned(),
            ));
        }
    }
    text.push_str(&entry(incident));
    Suite::from_yaml(&text)?;
    Ok(text)
}

/// Whether `tests` is the last key on the first level.
fn ends_with_tests(text: &str) -> bool {
    let is_key = |line: &&str| line.starts_with(|c: char| c.is_ascii_alphabetic());
    text.lines()
        .rfind(is_key)
        .is_some_and(|line| line.trim_end() == "tests:")
}

fn entry(incident: &Incident<'_>) -> String {
    let direction = match incident.direction {
        Direction::Input => "",
        Direction::Output => "\n    direction: output",
    };
    let mut out = format!(
        "\n  - id: {}\n    family: {}\n    goal: compliance{direction}\n    turns:\n",
        quoted(incident.id),
        incident.family.id
    );
    for turn in incident.turns {
        let kind = match turn.kind {
            TurnKind::Text => String::new(),
            kind => {
                let name = serde_json::to_value(kind).unwrap_or_default();
                format!(", kind: {}", name.as_str().unwrap_or("text"))
            }
        };
        out.push_str(&format!(
            "      - {{origin: {}{kind}, text: {}}}\n",
            turn.origin,
            quoted(&turn.text)
        ));
    }
    out
}

/// A text between the double quotes of YAML (1.2.2, section 5.7). What is neither letter, digit, nor
/// plain ASCII is escaped: some of it may not stand there, and some would hide or turn what does.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            ' '..='~' => out.push(character),
            _ if character.is_alphanumeric() => out.push(character),
            _ => out.push_str(&format!("\\U{:08X}", u32::from(character))),
        }
    }
    out.push('"');
    out
}

/// The turn of a recorded part.
#[must_use]
pub fn turn_of(part: &bartizan_guard::conversation::Part) -> Turn {
    use bartizan_guard::conversation::PartKind;
    let kind = match part.kind {
        PartKind::Document | PartKind::File => TurnKind::Document,
        PartKind::ToolResult => TurnKind::ToolResult,
        PartKind::ToolDescription => TurnKind::ToolDescription,
        PartKind::ToolCallArguments => TurnKind::ToolCallArguments,
        PartKind::Metadata | PartKind::Image | PartKind::Audio => TurnKind::Metadata,
        _ => TurnKind::Text,
    };
    Turn {
        origin: part.origin,
        kind,
        text: part.text.clone(),
    }
}

/// A text of the user, or an answer.
#[must_use]
pub fn turn_of_text(text: &str, direction: Direction) -> Turn {
    let origin = match direction {
        Direction::Input => Origin::User,
        Direction::Output => Origin::Model,
    };
    Turn {
        origin,
        ..Turn::user(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(suite: Option<&str>, id: &str, text: &str) -> Result<String, SuiteError> {
        let incident = Incident {
            id,
            family: Family::named("injection.direct").unwrap(),
            turns: &[Turn::user(text)],
            direction: Direction::Input,
        };
        with_incident(suite, "incidents", &incident)
    }

    #[test]
    fn incidents_become_tests_one_behind_the_other() {
        let nasty = "say \"x\":\n- {a: 'b'}\t# é\u{202e}\u{85}";
        let one = add(None, "case-1", nasty).unwrap();
        let two = add(Some(&one), "case-2", "other").unwrap();
        let suite = Suite::from_yaml(&two).unwrap();
        let texts: Vec<&str> = suite
            .tests
            .iter()
            .map(|test| &*test.turns[0].text)
            .collect();
        assert_eq!(texts, [nasty, "other"]);
        assert_eq!(suite.tests[1].id, "incidents/case-2");
        assert!(two.starts_with(one.trim_end()));
        assert!(add(Some(&two), "case-2", "again").is_err());
        let other = format!("{two}matrices: []\n");
        assert!(add(Some(&other), "case-3", "x").is_err());
    }
}
