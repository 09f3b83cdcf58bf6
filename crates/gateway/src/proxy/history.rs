//! Which earlier turns to take out, so that one bad old message does not lock a session (JB-11).

use std::collections::BTreeSet;

use bartizan_core::{Origin, Verdict};
use bartizan_guard::{Judgement, conversation::Conversation};

/// The messages to take out, by number in their list, or `None` if the request must be refused as
/// a whole.
///
/// A turn may go when it was written by the user, a tool, or the model, and a later turn of the user
/// stands behind it. What stands in the last turn, in the system prompt, or outside the messages
/// cannot be taken out.
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
        let part = conversation.parts.get(reason.evidence.part as usize)?;
        let number = message_number(&part.path)?;
        if part.origin == Origin::System || number >= last_user_turn {
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
}
