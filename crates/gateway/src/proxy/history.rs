//! Which earlier turns to take out, so that one bad old message does not lock a session (JB-11),
//! and which histories at the upstream were seen here.

use std::{collections::BTreeSet, sync::Arc};

use bartizan_core::{Origin, Verdict};
use bartizan_guard::{Generations, Judgement, conversation::Conversation};
use parking_lot::Mutex;

/// The parts whose turns are to be taken out, or `None` if the request must be refused as a whole.
///
/// A turn may go when a later turn of the user stands behind it. What stands in the user's last
/// turn or behind it, in the system prompt, or outside the messages cannot be taken out.
#[must_use]
pub fn droppable(conversation: &Conversation, judgement: &Judgement) -> Option<BTreeSet<usize>> {
    let last_user_turn = conversation
        .parts
        .iter()
        .filter(|part| part.origin == Origin::User)
        .filter_map(|part| message_number(&part.path))
        .max()?;
    let mut dropped = BTreeSet::new();
    for reason in &judgement.decision.reasons {
        if reason.shadow || reason.action <= Verdict::Redact {
            continue;
        }
        let number = reason.evidence.part as usize;
        let part = conversation.parts.get(number)?;
        if part.origin == Origin::System || message_number(&part.path)? >= last_user_turn {
            return None;
        }
        dropped.insert(number);
    }
    // What was not looked at refuses the whole: no turn to blame.
    (!dropped.is_empty() && judgement.decision.gaps.is_empty()).then_some(dropped)
}

/// `2` for `messages[2].content[0].text` and `input[2]`.
fn message_number(path: &str) -> Option<usize> {
    let rest = path
        .strip_prefix("messages[")
        .or_else(|| path.strip_prefix("input["))?;
    rest.split_once(']')?.0.parse().ok()
}

/// Names of answers that upstreams keep and that this process passed on, with who got them.
///
/// Bounded: the oldest are forgotten, and a request that goes on from them is refused.
#[derive(Debug)]
pub struct KnownAnswers(Mutex<Generations<Box<str>, Arc<str>>>);

/// Names that are remembered.
const CAPACITY: usize = 100_000;

/// Bytes of a name; longer ones are not remembered.
const MAX_NAME: usize = 256;

impl KnownAnswers {
    /// Remembers that `principal` got the answer of that name.
    pub fn remember(&self, name: &str, principal: &Arc<str>) {
        if name.len() > MAX_NAME {
            return;
        }
        self.0.lock().put(name.into(), Arc::clone(principal));
    }

    /// Whether `principal` got it.
    #[must_use]
    pub fn knows(&self, name: &str, principal: &str) -> bool {
        let known = self.0.lock();
        known.get(name).is_some_and(|who| &**who == principal)
    }
}

impl Default for KnownAnswers {
    fn default() -> Self {
        Self(Mutex::new(Generations::new(CAPACITY)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_numbers() {
        assert_eq!(message_number("messages[12].content[0].text"), Some(12));
        assert_eq!(message_number("input[3].content"), Some(3));
        for other in ["system", "tools[1].function", "messages", "messages[x]"] {
            assert_eq!(message_number(other), None);
        }
    }

    #[test]
    fn an_answer_is_known_to_who_got_it() {
        let known = KnownAnswers::default();
        known.remember("resp_1", &"alice".into());
        assert!(known.knows("resp_1", "alice"));
        assert!(!known.knows("resp_1", "bob"));
        assert!(!known.knows("resp_2", "alice"));
        for number in 0..2 * CAPACITY {
            known.remember(&format!("r{number}"), &"alice".into());
        }
        assert!(!known.knows("resp_1", "alice"), "forgotten, so refused");
    }
}
