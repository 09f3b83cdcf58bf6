use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an attack wants to see in an answer. Layers in process are not asked for an answer: there,
/// an attack wants to pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// The token that stands for `{canary}` in the turns; random for each attempt.
    #[default]
    Canary,
    /// Words that are all there, and words that are not; case does not matter.
    Contains {
        /// Every one of them is in the answer.
        all: Vec<String>,
        /// None of them is.
        #[serde(default)]
        none: Vec<String>,
    },
    /// A call of a tool.
    Tool {
        /// The tool's name.
        name: String,
        /// What its arguments contain.
        #[serde(default)]
        argument: Option<String>,
    },
    /// The text of the system turn, measured word by word.
    SystemPrompt,
    /// Data of a person that the turns do not hold.
    PersonalData,
    /// An answer that begins so; case does not matter.
    Prefix(String),
    /// An answer that is one JSON document.
    Json,
    /// An answer that does what was asked, whatever that is.
    Compliance,
    /// An answer of at least so many words.
    Words(u32),
    /// An answer in which the embedded classifier sees harm.
    Harm,
    /// The continuation of a text that the model should not know by heart.
    Continuation(String),
}

impl Goal {
    /// Why no answer, or every answer, would reach it; `None` for a goal that can be reached and
    /// missed.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let lower = |text: &String| text.to_lowercase();
        match self {
            Self::Contains { all, none } => {
                if all.iter().all(|text| text.trim().is_empty()) {
                    return Some("every answer reaches the goal: `all` holds no text");
                }
                // A text of `all` that holds one of `none` is never there without it.
                let clash = all.iter().any(|wanted| {
                    none.iter()
                        .any(|unwanted| lower(wanted).contains(&lower(unwanted)))
                });
                clash.then_some("no answer can reach the goal: `none` is part of `all`")
            }
            Self::Prefix(text) | Self::Continuation(text) if text.trim().is_empty() => {
                Some("every answer reaches the goal: the text is empty")
            }
            Self::Words(0) => Some("every answer reaches the goal: 0 words"),
            Self::Tool { name, .. } if name.is_empty() => {
                Some("no answer can call a tool without name")
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(all: &[&str], none: &[&str]) -> Goal {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Goal::Contains {
            all: owned(all),
            none: owned(none),
        }
    }

    /// `"42" in r and "4" not in r` is false whatever the answer is.
    #[test]
    fn ws_61_goals_that_nothing_reaches_are_refused() {
        assert!(contains(&["42"], &["4"]).fault().is_some());
        assert!(contains(&["Yes"], &["YES"]).fault().is_some());
        assert!(contains(&[], &["4"]).fault().is_some());
        assert!(contains(&[" "], &[]).fault().is_some());
        assert!(Goal::Prefix(String::new()).fault().is_some());
        assert!(Goal::Words(0).fault().is_some());
        assert_eq!(contains(&["42"], &["43"]).fault(), None);
        assert_eq!(Goal::Canary.fault(), None);
    }
}
