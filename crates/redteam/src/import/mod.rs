//! Tests that others wrote, in the forms of other tools. Their texts are data; none of them is
//! followed.

mod garak;
mod promptfoo;
mod pyrit;

pub use garak::garak_report;
pub use promptfoo::promptfoo;
pub use pyrit::pyrit;

use crate::{Family, Goal, Suite, Test};

/// Why a file of another tool cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It is longer than [`MAX_BYTES`].
    #[error("the file is longer than 64 MiB")]
    TooLong,
    /// It is not of the form of that tool.
    #[error("the file is not of the form of {tool}: {reason}")]
    Form {
        /// The tool.
        tool: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// It holds no text that can be tried.
    #[error("the file holds no test of a kind that can be tried")]
    Empty,
    /// It holds more than [`MAX_TESTS`] tests.
    #[error("the file holds more than 100,000 tests")]
    TooMany,
}

/// Longest file that is read, in bytes.
pub const MAX_BYTES: usize = 64 << 20;

/// Most tests of one file.
pub const MAX_TESTS: usize = 100_000;

/// Tests in the making.
struct Importing {
    name: String,
    tests: Vec<Test>,
}

impl Importing {
    fn new(name: &str, bytes: &[u8]) -> Result<Self, ImportError> {
        if bytes.len() > MAX_BYTES {
            return Err(ImportError::TooLong);
        }
        Ok(Self {
            name: name.to_owned(),
            tests: Vec::new(),
        })
    }

    /// Adds a text; an empty one is no test.
    fn add(&mut self, family: Family, text: String, goal: Goal) -> Result<(), ImportError> {
        if text.trim().is_empty() {
            return Ok(());
        }
        if self.tests.len() >= MAX_TESTS {
            return Err(ImportError::TooMany);
        }
        let id = format!("{}/{}", self.name, self.tests.len() + 1);
        self.tests.push(Test::of_text(id, family, text, goal));
        Ok(())
    }

    fn finish(self, source: &str) -> Result<Suite, ImportError> {
        if self.tests.is_empty() {
            return Err(ImportError::Empty);
        }
        Ok(Suite {
            name: self.name,
            version: 1,
            title: format!("imported from {source}"),
            licence: String::new(),
            source: source.to_owned(),
            tests: self.tests,
        })
    }
}

/// The family of that id, which the table is tested to hold; else that of imported tests.
fn family(id: &str) -> Option<Family> {
    Family::named(id).or_else(|| Family::named("imported"))
}

/// The family that a name of another tool speaks of, by the words in it.
fn family_by_words(name: &str) -> Option<Family> {
    let name = name.to_lowercase();
    let found = WORDS.iter().find(|(word, _)| name.contains(word));
    family(found.map_or("imported", |(_, id)| id))
}

/// Words in names of probes, plugins, and categories of harm; the first that fits counts.
const WORDS: [(&str, &str); 52] = [
    ("latentinjection", "injection.indirect"),
    ("indirect", "injection.indirect"),
    ("web_injection", "injection.indirect"),
    ("rag", "injection.indirect"),
    ("tool_ipi", "injection.indirect"),
    ("encoding", "jailbreak.encoding"),
    ("base64", "jailbreak.encoding"),
    ("rot13", "jailbreak.encoding"),
    ("leetspeak", "jailbreak.encoding"),
    ("smuggling", "injection.encoded"),
    ("badchars", "injection.encoded"),
    ("promptinject", "injection.goal-hijack"),
    ("hijack", "injection.goal-hijack"),
    ("special_token", "injection.fake-roles"),
    ("dan", "jailbreak.persona"),
    ("persona", "jailbreak.persona"),
    ("grandma", "jailbreak.role-play"),
    ("role", "jailbreak.role-play"),
    ("crescendo", "jailbreak.escalation"),
    ("goat", "jailbreak.escalation"),
    ("many_shot", "jailbreak.many-shot"),
    ("many-shot", "jailbreak.many-shot"),
    ("suffix", "jailbreak.prefix"),
    ("prefill", "jailbreak.prefix"),
    ("sysprompt", "extraction.system-prompt"),
    ("prompt-extraction", "extraction.system-prompt"),
    ("prompt_extraction", "extraction.system-prompt"),
    ("leakreplay", "extraction.training-data"),
    ("divergence", "extraction.training-data"),
    ("propile", "extraction.training-data"),
    ("pii", "extraction.training-data"),
    ("personal", "extraction.training-data"),
    ("privacy", "extraction.training-data"),
    ("apikey", "extraction.training-data"),
    ("agent", "agent.tool-abuse"),
    ("excessive-agency", "agent.tool-abuse"),
    ("shell-injection", "agent.tool-abuse"),
    ("sql-injection", "agent.tool-abuse"),
    ("ssrf", "agent.tool-abuse"),
    ("mcp", "agent.tool-poisoning"),
    ("exfil", "agent.exfiltration"),
    ("xss", "agent.exfiltration"),
    ("realtoxicity", "harm.toxicity"),
    ("toxic", "harm.toxicity"),
    ("hate", "harm.toxicity"),
    ("slur", "harm.toxicity"),
    ("harm", "harm.request"),
    ("malwaregen", "harm.request"),
    ("violence", "harm.request"),
    ("illegal", "harm.request"),
    ("jailbreak", "jailbreak.persona"),
    ("injection", "injection.direct"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lead_to_families() {
        for (word, id) in WORDS {
            assert!(Family::named(id).is_some(), "{word}");
        }
        let of = |name: &str| family_by_words(name).unwrap().id;
        assert_eq!(of("dan.Dan_11_0"), "jailbreak.persona");
        assert_eq!(of("latentinjection.LatentJailbreak"), "injection.indirect");
        assert_eq!(of("snowball.Primes"), "imported");
    }
}
