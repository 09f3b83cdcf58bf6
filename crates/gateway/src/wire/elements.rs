//! The members of an object or the items of a list, as places in its bytes.

use std::{borrow::Cow, ops::Range};

use bartizan_guard::conversation::Value;

/// A member at the top of a body.
#[derive(Clone, Debug)]
pub(super) struct Element {
    /// Its key, unescaped.
    pub(super) name: Cow<'static, str>,
    /// Its first byte, the key's quote.
    pub(super) start: usize,
    /// Where its value stands.
    pub(super) value: Range<usize>,
}

/// The members at the top of a body.
#[derive(Clone, Debug, Default)]
pub(super) struct Elements {
    /// Behind the opening brace.
    pub(super) inside: usize,
    /// In order.
    pub(super) list: Vec<Element>,
}

impl Elements {
    pub(super) fn of(root: Value<'_, '_>) -> Self {
        let list = root
            .members()
            .map(|member| Element {
                name: known(member.key),
                start: member.key_range.start,
                value: member.value.range(),
            })
            .collect();
        Self {
            inside: root.range().start + 1,
            list,
        }
    }

    pub(super) fn find(&self, name: &str) -> Option<&Element> {
        self.list.iter().find(|element| element.name == name)
    }
}

/// What to cut out of a list of elements, commas included, so that those at `removed` are gone.
pub(super) fn cuts(elements: &[Range<usize>], removed: &[usize]) -> Vec<Range<usize>> {
    let gone = |index: usize| removed.contains(&index);
    let last_kept = (0..elements.len()).rev().find(|&index| !gone(index));
    let mut cuts = Vec::new();
    for (index, element) in elements.iter().enumerate() {
        if !gone(index) {
            continue;
        }
        // Up to the next element, or from the last one that stays.
        match (elements.get(index + 1), last_kept) {
            (Some(next), Some(kept)) if index < kept => cuts.push(element.start..next.start),
            (None, Some(kept)) => {
                let from = elements.get(kept).map_or(element.start, |kept| kept.end);
                cuts.push(from..element.end);
            }
            (None, None) => {
                let from = elements.first().map_or(element.start, |first| first.start);
                cuts.push(from..element.end);
            }
            // Cut together with the last one.
            (Some(_), _) => {}
        }
    }
    cuts
}

/// The names that requests and answers have at their top, so that reading one allocates none.
const NAMES: &[&str] = &[
    "model",
    "messages",
    "stream",
    "max_tokens",
    "temperature",
    "tools",
    "input",
    "instructions",
    "system",
    "prompt",
    "n",
    "top_p",
    "stop",
    "user",
    "metadata",
    "tool_choice",
    "stream_options",
    "max_completion_tokens",
    "max_output_tokens",
    "response_format",
    "id",
    "object",
    "created",
    "choices",
    "usage",
    "system_fingerprint",
    "service_tier",
    "type",
    "role",
    "content",
    "stop_reason",
    "stop_sequence",
    "output",
    "status",
    "created_at",
    "presence_penalty",
    "frequency_penalty",
    "logprobs",
    "top_logprobs",
    "seed",
    "store",
    "encoding_format",
    "data",
];

fn known(name: &str) -> Cow<'static, str> {
    match NAMES.iter().find(|known| **known == name) {
        Some(known) => Cow::Borrowed(known),
        None => Cow::Owned(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_cut_the_list_stays_json() {
        let list = "[ 1 ,22, 333 , 4 ]";
        let elements = [2..3, 5..7, 9..12, 15..16];
        for mask in 0_usize..16 {
            let removed: Vec<usize> = (0..4).filter(|bit| mask >> bit & 1 == 1).collect();
            let mut left = list.to_owned();
            for cut in cuts(&elements, &removed).into_iter().rev() {
                left.replace_range(cut, "");
            }
            let kept: Vec<u32> = serde_json::from_str(&left).unwrap();
            let expected: Vec<u32> = (0..4)
                .zip([1, 22, 333, 4])
                .filter_map(|(index, value)| (!removed.contains(&index)).then_some(value))
                .collect();
            assert_eq!(kept, expected, "{left}");
        }
    }
}
