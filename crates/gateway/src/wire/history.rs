//! Turns that are not sent again (JB-11).

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use bartizan_guard::conversation::{Document, ParseLimits, Value};

use super::{EditError, Edits, elements::cuts};
use crate::endpoint::Endpoint;

impl Edits<'_> {
    /// Drops the messages or items that the parts of those numbers stand in, and with a call of a
    /// tool its result, and the other way round, since no upstream takes one without the other.
    /// Returns how many went.
    ///
    /// # Errors
    /// When the last message would go: it is what asks for an answer, so the request is to be
    /// refused instead. When a part stands in no message.
    pub fn drop_turns(
        &mut self,
        parts: impl IntoIterator<Item = usize>,
    ) -> Result<usize, EditError> {
        let name = match self.endpoint {
            Endpoint::ChatCompletions | Endpoint::Messages | Endpoint::CountTokens => "messages",
            Endpoint::Responses => "input",
            _ => return Err(EditError::NoSuchPlace),
        };
        let mut dropped = BTreeSet::new();
        for number in parts {
            let part = self.conversation.parts.get(number);
            let index = part.and_then(|part| index_in(&part.path, name));
            dropped.insert(index.ok_or(EditError::NoSuchPlace)?);
        }
        let list = self.element(name)?.value.clone();
        let document = Document::read(self.bytes(&list), &ParseLimits::default())
            .map_err(|_| EditError::Invalid)?;
        let messages: Vec<Value<'_, '_>> = document.root().items().collect();
        with_their_calls(&messages, &mut dropped);
        if dropped
            .last()
            .is_some_and(|last| last + 1 >= messages.len())
        {
            return Err(EditError::LastMessage);
        }
        let ranges: Vec<Range<usize>> = messages
            .iter()
            .map(|message| {
                let range = message.range();
                list.start + range.start..list.start + range.end
            })
            .collect();
        let dropped: Vec<usize> = dropped.into_iter().collect();
        self.cut(cuts(&ranges, &dropped));
        Ok(dropped.len())
    }
}

/// The number of the message in a path such as `messages[3].content`.
fn index_in(path: &str, list: &str) -> Option<usize> {
    let rest = path.strip_prefix(list)?.strip_prefix('[')?;
    rest.split(']').next()?.parse().ok()
}

/// Adds the messages that share the id of a call with one that goes, and the reasoning before an
/// item that goes.
fn with_their_calls(messages: &[Value<'_, '_>], dropped: &mut BTreeSet<usize>) {
    let ids: Vec<BTreeSet<&str>> = messages.iter().map(|message| call_ids(*message)).collect();
    let mut with_id: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, ids) in ids.iter().enumerate() {
        for id in ids {
            with_id.entry(id).or_default().push(index);
        }
    }
    let mut open: Vec<usize> = dropped.iter().copied().collect();
    while let Some(index) = open.pop() {
        for id in ids.get(index).into_iter().flatten() {
            // Each id is followed once.
            for other in with_id.remove(id).unwrap_or_default() {
                if dropped.insert(other) {
                    open.push(other);
                }
            }
        }
    }
    // OpenAI takes no item of reasoning without the item that it led to.
    for index in (0..messages.len()).rev() {
        let is_reasoning = messages
            .get(index)
            .and_then(|message| message.get("type")?.as_str())
            == Some("reasoning");
        if is_reasoning && dropped.contains(&(index + 1)) {
            dropped.insert(index);
        }
    }
}

/// The ids of calls that a message makes or answers.
fn call_ids<'d>(message: Value<'d, '_>) -> BTreeSet<&'d str> {
    let mut ids = BTreeSet::new();
    let mut add = |object: Value<'d, '_>, names: &[&str]| {
        let found = names.iter().filter_map(|name| object.get(name)?.as_str());
        ids.extend(found.collect::<Vec<_>>());
    };
    add(message, &["tool_call_id", "call_id"]);
    for call in message.get("tool_calls").into_iter().flat_map(Value::items) {
        add(call, &["id"]);
    }
    for block in message.get("content").into_iter().flat_map(Value::items) {
        add(block, &["tool_use_id"]);
        let kind = block.get("type").and_then(Value::as_str);
        if kind.is_some_and(|kind| kind.ends_with("tool_use")) {
            add(block, &["id"]);
        }
    }
    ids
}
