//! From the values of a message to texts that are looked at: which member is read how.

use bartizan_core::Origin;
use bartizan_guard::conversation::{
    ConversationError, Document, ParseLimits, Part, PartKind, Reading, Value,
};

/// Who wrote what a message holds, and what it is.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) origin: Origin,
    pub(crate) kind: PartKind,
}

impl Standing {
    /// What the model, or the person, behind the client gives to a server.
    pub(crate) const GIVEN: Self = Self {
        origin: Origin::Model,
        kind: PartKind::ToolCallArguments,
    };
    /// What a server returns.
    pub(crate) const RETURNED: Self = Self {
        origin: Origin::Tool,
        kind: PartKind::ToolResult,
    };
    /// What a server says about itself and its tools.
    pub(crate) const DESCRIBED: Self = Self {
        origin: Origin::Tool,
        kind: PartKind::ToolDescription,
    };
}

/// How a member is read.
enum How {
    /// Blocks of content.
    Blocks,
    /// Messages, whose `content` is blocks.
    Messages,
    /// Contents of resources: text, or a file.
    Files,
    /// Metadata, where identifiers are no text.
    Definition,
    /// Not at all.
    Sealed,
}

/// Members of parameters and results that are not read as plain values.
const MEMBERS: &[(&str, How)] = &[
    ("content", How::Blocks),
    ("messages", How::Messages),
    ("contents", How::Files),
    ("_meta", How::Definition),
    // A server's note to itself; clients give it back unread (2026-07-28, "Multi Round-Trip
    // Requests"), and no model sees it.
    ("requestState", How::Sealed),
];

/// The texts of `object`, which stands at `path`, but for its member `aside`.
pub(crate) fn parts(
    document: &Document<'_>,
    object: Value<'_, '_>,
    path: &str,
    standing: &Standing,
    aside: &str,
) -> Result<Vec<Part>, ConversationError> {
    let limits = ParseLimits::default();
    if !object.is_object() {
        let written = (standing.origin, standing.kind.clone());
        return document.parts(object, path, written, Reading::Values, &limits);
    }
    let mut all = Vec::new();
    let members = object.members().enumerate();
    for (number, member) in members.filter(|(_, member)| member.key != aside) {
        let how = MEMBERS.iter().find(|(name, _)| *name == member.key);
        let known = how.is_some() || is_field(member.key);
        // A key that is no plain name is text, too.
        let place = if known {
            format!("{path}.{}", member.key)
        } else {
            let kind = PartKind::Field;
            let key = Part::new(
                format!("{path}[#{number}]"),
                standing.origin,
                kind,
                member.key.to_owned(),
            );
            all.push(key);
            format!("{path}[#{number}]")
        };
        let mut read = |value, place: &str, kind: PartKind, reading| {
            let written = (standing.origin, kind);
            document
                .parts(value, place, written, reading, &limits)
                .map(|parts| all.extend(parts))
        };
        let kind = standing.kind.clone();
        match how.map(|(_, how)| how) {
            Some(How::Blocks) => read(member.value, &place, kind, Reading::Blocks)?,
            Some(How::Files) => read(member.value, &place, PartKind::File, Reading::Values)?,
            Some(How::Definition) => read(member.value, &place, kind, Reading::Definition)?,
            Some(How::Sealed) => {}
            Some(How::Messages) if member.value.is_list() => {
                for (at, message) in member.value.items().enumerate() {
                    if !message.is_object() {
                        let place = format!("{place}[{at}]");
                        read(message, &place, kind.clone(), Reading::Values)?;
                    }
                    for inner in message.members() {
                        let place = format!("{place}[{at}].{}", short(inner.key));
                        let reading = match inner.key {
                            "content" => Reading::Blocks,
                            "role" => Reading::Definition,
                            _ => Reading::Values,
                        };
                        read(inner.value, &place, kind.clone(), reading)?;
                    }
                }
            }
            Some(How::Messages) | None => read(member.value, &place, kind, Reading::Values)?,
        }
    }
    if all.len() > limits.max_parts {
        return Err(ConversationError::TooManyParts {
            limit: limits.max_parts,
        });
    }
    Ok(all)
}

/// Whether a key may stand in a path.
fn is_field(key: &str) -> bool {
    (1..=40).contains(&key.len())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-' | b'$'))
}

fn short(key: &str) -> &str {
    if is_field(key) { key } else { "other" }
}
