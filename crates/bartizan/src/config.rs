//! The configuration file.

use std::path::{Path, PathBuf};

use bartizan_access::{Access, AccessError, PolicyFile};
use bartizan_gateway::config::{Config as ConfigFile, Mistake};
use bartizan_policy::Policy;
use schemars::Schema;

use crate::{
    commands::serve,
    input::read_text,
    problem::{Problem, Problems, suggestion, without_place},
};

/// Name of the project's configuration file.
pub(crate) const PROJECT_FILE: &str = "bartizan.yaml";

/// A configuration and where it came from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    /// What it says.
    pub(crate) file: ConfigFile,
    /// The policy that it gives.
    pub(crate) policy: Option<Policy>,
    /// The files of access policies that it names.
    pub(crate) access_policies: Vec<PolicyFile>,
    /// Its path; empty for the defaults.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

impl Config {
    /// Reads a file and the policy that it gives or names.
    pub(crate) fn read(path: &Path) -> Result<Self, Problems> {
        let text = read_text(path)?;
        let name = path.display().to_string();
        let mut file: ConfigFile = if text.trim().is_empty() {
            ConfigFile::default()
        } else {
            serde_saphyr::from_str(&text).map_err(|error| yaml_problem(&name, &text, &error))?
        };
        let beside = |other: &Path| beside(path, other);
        for folder in &mut file.packs {
            *folder = beside(folder);
        }
        if let Some(folder) = &mut file.transformer.folder {
            *folder = beside(folder);
        }
        if let Some(pins) = &mut file.mcp.pins {
            *pins = beside(pins);
        }
        let policy = match &file.policy {
            None => None,
            Some(serde_json::Value::String(other)) => Some(read_policy(&beside(other.as_ref()))?),
            Some(_) => Some(policy_of(&name, &text, &policy_section(&text))?),
        };
        let access_policies = file.access.policies.iter().map(|path| {
            let path = beside(path);
            Ok(PolicyFile {
                text: read_text(&path)?,
                name: path.display().to_string(),
            })
        });
        let access_policies = access_policies.collect::<Result<_, Problems>>()?;
        Ok(Self {
            file,
            policy,
            access_policies,
            path: name,
            text,
        })
    }

    /// Who may do what, as the file and the policies that it names say.
    pub(crate) fn access(&self) -> Result<Access, Problems> {
        let access = Access::new(&self.file.access, &self.access_policies);
        access.map_err(|error| match error {
            AccessError::Config(mistakes) => {
                let of_block = mistakes
                    .into_iter()
                    .map(|(place, message)| Mistake::new(format!("access.{place}"), message));
                of_block
                    .map(|mistake| serve::problem(self, &mistake))
                    .collect()
            }
            AccessError::Policies(mistakes) => mistakes
                .into_iter()
                .map(|mistake| self.policy_problem(mistake))
                .collect(),
            other => Problem::new(other.to_string()).into(),
        })
    }

    /// A mistake in a file of access policies, at its place.
    fn policy_problem(&self, mistake: bartizan_access::Mistake) -> Problem {
        let text = self
            .access_policies
            .iter()
            .find(|file| file.name == mistake.file)
            .map_or("", |file| &file.text);
        access_problem(text, mistake)
    }

    /// A problem with a word of the file, or of the arguments if the file does not hold it.
    pub(crate) fn problem_with(&self, word: &str, message: String) -> Problem {
        let found = (!word.is_empty())
            .then(|| {
                (1..).zip(self.text.lines()).find_map(|(number, line)| {
                    let before = line.split_once(word)?.0;
                    Some((number, before.chars().count() as u64 + 1))
                })
            })
            .flatten();
        let problem = Problem::new(message);
        match found {
            Some((line, column)) => problem.at(&self.path, &self.text, line, column),
            None => problem,
        }
    }
}

/// A path that a configuration file names, which is relative to that file.
pub(crate) fn beside(file: &Path, other: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) => folder.join(other),
        None => other.to_owned(),
    }
}

/// A mistake in a file about access with that text, at its place; its hint apart.
pub(crate) fn access_problem(text: &str, mistake: bartizan_access::Mistake) -> Problem {
    let (message, hint) = match mistake.message.split_once("; hint: ") {
        Some((message, hint)) => (message, Some(hint.to_owned())),
        None => (mistake.message.as_str(), None),
    };
    let problem = Problem::new(message).at(&mistake.file, text, mistake.line, mistake.column);
    match hint {
        Some(hint) => problem.help(hint),
        None => problem,
    }
}

/// Reads a policy file.
pub(crate) fn read_policy(path: &Path) -> Result<Policy, Problems> {
    let text = read_text(path)?;
    policy_of(&path.display().to_string(), &text, &text)
}

/// Whether a file is a policy rather than a configuration: every key of it is one of a policy.
pub(crate) fn is_policy(text: &str) -> bool {
    let Ok(serde_json::Value::Object(file)) = serde_saphyr::from_str(text) else {
        return false;
    };
    let schema = bartizan_policy::schema().to_value();
    let known = schema
        .get("properties")
        .and_then(serde_json::Value::as_object);
    !file.is_empty()
        && file
            .keys()
            .all(|key| known.is_some_and(|known| known.contains_key(key)))
}

/// The schema of a configuration file.
pub(crate) fn schema() -> Schema {
    schemars::schema_for!(ConfigFile)
}

/// `yaml` has every line of `text` that belongs to the policy in its place.
fn policy_of(name: &str, text: &str, yaml: &str) -> Result<Policy, Problems> {
    Policy::from_yaml(yaml).map_err(|error| {
        let problem = |mistake: bartizan_policy::Mistake| {
            let said = mistake.kind.to_string();
            let message = without_place(&said);
            let help = suggestion(message);
            let problem = Problem::new(message).at(name, text, mistake.line, mistake.column);
            match help {
                Some(help) => problem.help(help),
                None => problem,
            }
        };
        error.mistakes.into_iter().map(problem).collect()
    })
}

/// The lines under `policy:` where they stand, everything else blank, so that places in it are
/// places in the whole.
fn policy_section(text: &str) -> String {
    let mut inside = false;
    let mut section = String::new();
    for line in text.lines() {
        let is_indented = line.starts_with([' ', '\t', '#', '-']) || line.trim().is_empty();
        if !is_indented {
            inside = false;
            let key = line.split_once(':').map(|(key, rest)| (key.trim(), rest));
            if let Some(("policy" | "\"policy\"" | "'policy'", rest)) = key {
                inside = true;
                let before = line.len() - rest.len();
                section.push_str(&" ".repeat(before));
                section.push_str(rest);
            }
        } else if inside {
            section.push_str(line);
        }
        section.push('\n');
    }
    section
}

/// What a YAML parser said, at its place.
pub(crate) fn yaml_problem(name: &str, text: &str, error: &serde_saphyr::Error) -> Problem {
    let said = error.without_snippet().to_string();
    let first = said.lines().next().unwrap_or("not a configuration file");
    let message = without_place(first);
    let (line, column) = error
        .location()
        .map_or((0, 0), |at| (at.line(), at.column()));
    let problem = Problem::new(message).at(name, text, line, column);
    match suggestion(message) {
        Some(help) => problem.help(help),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_and_configurations_share_no_key() {
        let keys = |schema: &Schema| -> Vec<String> {
            let schema = schema.clone().to_value();
            schema["properties"]
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect()
        };
        let (policy, config) = (keys(&bartizan_policy::schema()), keys(&schema()));
        assert!(!policy.is_empty() && policy.iter().all(|key| !config.contains(key)));
        assert!(is_policy("shadow: true\nrows: []\n"));
        assert!(!is_policy("policy: {shadow: true}\n") && !is_policy("") && !is_policy("- x"));
    }

    #[test]
    fn the_policy_keeps_its_place() {
        let section =
            policy_section("guard: {}\npolicy:\n  shadow: true\n\n  rows: []\npacks: [a]\n");
        assert_eq!(section.lines().nth(2), Some("  shadow: true"));
        assert_eq!(section.lines().nth(4), Some("  rows: []"));
        assert!(!section.contains("packs") && !section.contains("guard"));
        assert_eq!(
            policy_section("policy: {shadow: true}\n"),
            "        {shadow: true}\n"
        );
    }
}
