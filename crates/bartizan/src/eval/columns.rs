//! Which column is the text, which the label, and what a label says.

use std::collections::BTreeSet;

use crate::{
    cli::Eval,
    problem::{Problem, nearest},
};

/// Names that columns of texts have, likeliest first.
const TEXTS: [&str; 16] = [
    "text",
    "prompt",
    "content",
    "input",
    "user_input",
    "user_prompt",
    "message",
    "sentence",
    "query",
    "question",
    "instruction",
    "document",
    "goal",
    "request",
    "completion",
    "response",
];

/// Names that columns of labels have, likeliest first.
const LABELS: [&str; 16] = [
    "label",
    "labels",
    "class",
    "target",
    "is_injection",
    "is_attack",
    "is_jailbreak",
    "is_malicious",
    "injection",
    "jailbreak",
    "attack",
    "malicious",
    "toxic",
    "harmful",
    "category",
    "type",
];

/// Labels that mean that a text should be caught.
const POSITIVE: [&str; 24] = [
    "1",
    "true",
    "yes",
    "positive",
    "injection",
    "prompt_injection",
    "indirect_injection",
    "injected",
    "jailbreak",
    "attack",
    "adversarial",
    "malicious",
    "unsafe",
    "harmful",
    "harm",
    "toxic",
    "hate",
    "secret",
    "leak",
    "pii",
    "spam",
    "bad",
    "flagged",
    "label_1",
];

/// Labels that mean that a text should pass.
const NEGATIVE: [&str; 24] = [
    "0",
    "false",
    "no",
    "negative",
    "benign",
    "benign_hard",
    "hard_benign",
    "hard_negative",
    "hard_negatives",
    "safe",
    "clean",
    "legit",
    "legitimate",
    "normal",
    "harmless",
    "not_toxic",
    "non_toxic",
    "not_harmful",
    "not_injection",
    "none",
    "ham",
    "good",
    "ok",
    "label_0",
];

/// The columns of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) text: String,
    pub(super) label: String,
    pub(super) id: Option<String>,
}

impl Columns {
    /// Those that the arguments name, or those whose names say what they are.
    pub(super) fn find(
        arguments: &Eval,
        file: &str,
        available: &[String],
    ) -> Result<Self, Problem> {
        let known = |name: &str| available.iter().find(|column| column.as_str() == name);
        let named = |name: &str| {
            available
                .iter()
                .find(|column| column.eq_ignore_ascii_case(name))
        };
        let given = |name: &String| match known(name) {
            Some(_) => Ok(name.clone()),
            None if name
                .split('.')
                .next()
                .is_some_and(|first| known(first).is_some()) =>
            {
                Ok(name.clone())
            }
            None => Err(missing(file, name, available)),
        };
        let detected = |what: &str, names: &[&str], option: &str| {
            let found = names.iter().find_map(|name| named(name));
            found.cloned().ok_or_else(|| {
                Problem::new(format!("no column of `{file}` looks like the {what}")).help(format!(
                    "name it with `{option}`; there are {}",
                    listed(available)
                ))
            })
        };
        let text = match &arguments.text_column {
            Some(name) => given(name)?,
            None => detected("text", &TEXTS, "--text-column")?,
        };
        let label = match &arguments.label_column {
            Some(name) => given(name)?,
            None => detected("label", &LABELS, "--label-column")?,
        };
        let id = match &arguments.id_column {
            Some(name) => Some(given(name)?),
            None => named("id").cloned(),
        };
        Ok(Self { text, label, id })
    }
}

/// The column of the texts, by the usual names.
pub(super) fn text_column(file: &str, available: &[String]) -> Result<String, Problem> {
    let named = |name: &&str| {
        let mut columns = available.iter();
        columns.find(|column| column.eq_ignore_ascii_case(name))
    };
    TEXTS.iter().find_map(named).cloned().ok_or_else(|| {
        Problem::new(format!("no column of `{file}` looks like the text"))
            .help(format!("there are {}", listed(available)))
    })
}

/// Whether a label says by its usual meaning that a text should be caught.
pub(super) fn is_positive_by_name(label: &str) -> Option<bool> {
    let label = usual_form(label);
    if POSITIVE.contains(&label.as_str()) {
        Some(true)
    } else {
        NEGATIVE.contains(&label.as_str()).then_some(false)
    }
}

fn missing(file: &str, name: &str, available: &[String]) -> Problem {
    let problem = Problem::new(format!("`{file}` has no column `{name}`"));
    match nearest(name, available.iter().map(String::as_str)) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help(format!("there are {}", listed(available))),
    }
}

/// The first names, in backticks.
pub(super) fn listed(names: &[String]) -> String {
    const SHOWN: usize = 12;
    if names.is_empty() {
        return "none".to_owned();
    }
    let mut shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{}`", crate::render::safe::line(name)))
        .collect();
    if names.len() > SHOWN {
        shown.push(format!("{} more", names.len() - SHOWN));
    }
    shown.join(", ")
}

/// What labels say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LabelRule {
    positive: BTreeSet<String>,
    negative: BTreeSet<String>,
    /// Whether every label that is not positive is negative.
    rest_is_negative: bool,
}

impl LabelRule {
    /// What the arguments say, or what the usual names mean.
    pub(crate) fn new(arguments: &Eval) -> Result<Self, Problem> {
        let set = |labels: &[String]| labels.iter().map(|label| usual_form(label)).collect();
        let words = |labels: &[&str]| labels.iter().map(|&label| label.to_owned()).collect();
        let (given_positive, given_negative): (BTreeSet<String>, BTreeSet<String>) =
            (set(&arguments.positive), set(&arguments.negative));
        if let Some(both) = given_positive.intersection(&given_negative).next() {
            return Err(
                Problem::new(format!("the label `{both}` is positive and negative"))
                    .help("name it once"),
            );
        }
        let (positive, negative) = match (given_positive.is_empty(), given_negative.is_empty()) {
            (true, true) => (words(&POSITIVE), words(&NEGATIVE)),
            (true, false) => {
                let mut positive: BTreeSet<String> = words(&POSITIVE);
                positive.retain(|label| !given_negative.contains(label));
                (positive, given_negative)
            }
            (false, _) => (given_positive, given_negative),
        };
        Ok(Self {
            rest_is_negative: negative.is_empty(),
            positive,
            negative,
        })
    }

    /// Whether the label is positive; `None` if it is neither.
    pub(super) fn is_positive(&self, label: &str) -> Option<bool> {
        let label = usual_form(label);
        if self.positive.contains(&label) {
            Some(true)
        } else if self.rest_is_negative || self.negative.contains(&label) {
            Some(false)
        } else {
            None
        }
    }
}

/// Small letters, and one way to join words.
fn usual_form(label: &str) -> String {
    label.trim().to_lowercase().replace([' ', '-'], "_")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn arguments(given: &[&str]) -> Eval {
        let all = ["bartizan", "eval", "x.jsonl"].iter().chain(given);
        match Cli::try_parse_from(all).unwrap().command {
            Some(Command::Eval(eval)) => *eval,
            other => panic!("{other:?}"),
        }
    }

    fn find(given: &[&str], available: &[&str]) -> Result<Columns, String> {
        let available: Vec<String> = available.iter().map(|&name| name.to_owned()).collect();
        Columns::find(&arguments(given), "x", &available).map_err(|problem| {
            let help = miette::Diagnostic::help(&problem);
            format!(
                "{problem}; {}",
                help.map(|help| help.to_string()).unwrap_or_default()
            )
        })
    }

    #[test]
    fn columns_are_found_by_name() {
        let found = find(&[], &["ID", "Prompt", "is_injection"]).unwrap();
        assert_eq!(
            (found.text.as_str(), found.label.as_str()),
            ("Prompt", "is_injection")
        );
        assert_eq!(found.id.as_deref(), Some("ID"));
        let nested = find(&["--text-column", "meta.body"], &["meta", "label"]).unwrap();
        assert_eq!(nested.text, "meta.body");
    }

    #[test]
    fn what_is_not_found_is_told_with_what_there_is() {
        assert_eq!(
            find(&[], &["body", "label"]).unwrap_err(),
            "no column of `x` looks like the text; name it with `--text-column`; there are `body`, `label`"
        );
        assert_eq!(
            find(&["--label-column", "lable"], &["text", "label"]).unwrap_err(),
            "`x` has no column `lable`; did you mean `label`?"
        );
    }

    #[test]
    fn labels_mean_what_they_say() {
        let usual = LabelRule::new(&arguments(&[])).unwrap();
        assert_eq!(usual.is_positive("Prompt Injection"), Some(true));
        assert_eq!(usual.is_positive("benign_hard"), Some(false));
        assert_eq!(usual.is_positive("1"), Some(true));
        assert_eq!(usual.is_positive("7"), None);
        let given = LabelRule::new(&arguments(&["--positive", "7,leak"])).unwrap();
        assert_eq!(given.is_positive("7"), Some(true));
        assert_eq!(given.is_positive("injection"), Some(false));
        let both = arguments(&["--positive", "a", "--negative", "b"]);
        let both = LabelRule::new(&both).unwrap();
        assert_eq!(both.is_positive("c"), None);
        let negative = LabelRule::new(&arguments(&["--negative", "jailbreak"])).unwrap();
        assert_eq!(negative.is_positive("jailbreak"), Some(false));
        assert_eq!(negative.is_positive("injection"), Some(true));
        assert!(LabelRule::new(&arguments(&["--positive", "a", "--negative", "A"])).is_err());
    }

    #[test]
    fn no_word_is_on_both_sides() {
        for (number, word) in POSITIVE.iter().chain(&NEGATIVE).enumerate() {
            assert_eq!(usual_form(word), *word);
            let again = POSITIVE.iter().chain(&NEGATIVE).skip(number + 1);
            assert!(again.into_iter().all(|other| other != word), "{word}");
        }
    }
}
