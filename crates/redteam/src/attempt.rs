use bartizan_core::Origin;
use bartizan_guard::conversation::{Conversation, Format, Part, PartKind};
use bartizan_measure::SplitMix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Chain, Test};

/// What someone says, or what stands in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Who wrote it.
    pub origin: Origin,
    /// What it is.
    pub kind: TurnKind,
    /// What it says.
    pub text: String,
}

/// What a turn is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TurnKind {
    /// What someone says.
    #[default]
    Text,
    /// A document given as context.
    Document,
    /// What a tool returned.
    ToolResult,
    /// What a tool says about itself.
    ToolDescription,
    /// A value that the model passes to a tool.
    ToolCallArguments,
    /// Text in a picture's metadata, or read from the picture.
    Metadata,
}

impl From<TurnKind> for PartKind {
    fn from(kind: TurnKind) -> Self {
        match kind {
            TurnKind::Text => Self::Text,
            TurnKind::Document => Self::Document,
            TurnKind::ToolResult => Self::ToolResult,
            TurnKind::ToolDescription => Self::ToolDescription,
            TurnKind::ToolCallArguments => Self::ToolCallArguments,
            TurnKind::Metadata => Self::Metadata,
        }
    }
}

impl Turn {
    /// A turn of the user.
    #[must_use]
    pub fn user(text: impl Into<String>) -> Self {
        Self {
            origin: Origin::User,
            kind: TurnKind::Text,
            text: text.into(),
        }
    }

    /// A turn of the model.
    #[must_use]
    pub fn model(text: impl Into<String>) -> Self {
        Self {
            origin: Origin::Model,
            ..Self::user(text)
        }
    }
}

/// A test as it is tried once: its turns, disguised, with its token planted.
#[derive(Clone, Debug)]
pub struct Attempt<'s> {
    /// The test.
    pub test: &'s Test,
    /// What is said, first to last.
    pub turns: Vec<Turn>,
    /// What stands for `{canary}`.
    pub canary: String,
}

/// What an attack writes where its token goes.
const PLACEHOLDER: &str = "{canary}";

impl<'s> Attempt<'s> {
    /// The attempt that `seed` fixes; `None` where a mutator of `chain` has nothing to change.
    #[must_use]
    pub fn new(test: &'s Test, chain: &Chain, seed: u64) -> Option<Self> {
        let mut random = SplitMix::new(seed ^ fingerprint(&test.id));
        let canary = canary(&mut random);
        let mut turns = test.turns.clone();
        for turn in &mut turns {
            if turn.text.contains(PLACEHOLDER) {
                turn.text = turn.text.replace(PLACEHOLDER, &canary);
            }
        }
        let turns = chain.apply(turns, test.payload, &mut random)?;
        Some(Self {
            test,
            turns,
            canary,
        })
    }

    /// The turns as the parts of a conversation.
    #[must_use]
    pub fn conversation(&self) -> Conversation {
        let part = |(number, turn): (usize, &Turn)| {
            let path = format!("turns[{number}]");
            Part::new(path, turn.origin, turn.kind.into(), turn.text.clone())
        };
        Conversation {
            format: Format::Messages,
            parts: self.turns.iter().enumerate().map(part).collect(),
        }
    }

    /// The text of the system turn, as it was sent.
    pub(crate) fn system(&self) -> Option<&str> {
        let mut turns = self.turns.iter();
        let system = turns.find(|turn| turn.origin == Origin::System)?;
        Some(&system.text)
    }
}

/// Ten letters and digits that nobody writes by chance: 50 random bits, base 32.
fn canary(random: &mut SplitMix) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let digit = |random: &mut SplitMix| {
        let at = usize::try_from(random.below(32)).unwrap_or(0);
        char::from(ALPHABET.get(at).copied().unwrap_or(b'A'))
    };
    (0..10).map(|_| digit(random)).collect()
}

/// FNV-1a (Fowler, Noll, and Vo), 64 bits: the same in every run, so that a seed fixes a test
/// whatever else is in the run.
pub(crate) fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the reference (isthe.com/chongo/tech/comp/fnv, `test_fnv.c`).
    #[test]
    fn fingerprints_are_fnv_1a() {
        assert_eq!(fingerprint(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint("foobar"), 0x8594_4171_f739_67e8);
    }
}
