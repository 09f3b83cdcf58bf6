use bartizan_core::Span;
use bartizan_guard::conversation::{ParseLimits, Part, parse};
use serde_json::Value;

/// Conversations: what is taken apart is JSON; every text of it becomes a part; the bytes that a
/// part came from unescape to the part, character by character.
pub fn conversation(data: &[u8]) {
    let limits = ParseLimits {
        max_parts: 500,
        max_values: 5000,
        ..ParseLimits::default()
    };
    let Ok(conversation) = parse(data, &limits) else {
        return;
    };
    for part in &conversation.parts {
        comes_from(part, data);
    }
    for view in conversation.joined_views() {
        located(&view, &conversation.parts);
    }
    if let Some(view) = conversation.joined_turns(200) {
        assert!(view.text.len() <= 201);
        located(&view, &conversation.parts);
    }
    let body = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    let Ok(document) = serde_json::from_slice::<Value>(body) else {
        assert!(!data.is_empty());
        return;
    };
    every_text_is_a_part(&document, &conversation.parts);
}

fn comes_from(part: &Part, document: &[u8]) {
    for (at, c) in part.text.char_indices() {
        let Some(span) = part.document_span(Span::from_range(at..at + c.len_utf8())) else {
            return;
        };
        let bytes = document
            .get(span.as_range())
            .unwrap_or_else(|| panic!("{} points out of the document", part.path));
        let text =
            std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("{} cuts a character", part.path));
        assert!(
            unescapes_to(text, c),
            "{}: a character came from {} other bytes",
            part.path,
            text.len()
        );
    }
}

/// Whether `text`, unescaped up to four times, is `c`.
fn unescapes_to(text: &str, c: char) -> bool {
    let mut text = text.to_owned();
    for _ in 0..5 {
        if text.chars().eq([c]) {
            return true;
        }
        match serde_json::from_str(&format!("\"{text}\"")) {
            Ok(inner) => text = inner,
            Err(_) => return false,
        }
    }
    false
}

fn located(view: &bartizan_guard::conversation::JoinedView, parts: &[Part]) {
    let all = Span::from_range(0..view.text.len());
    for (number, span) in view.locate(all) {
        assert!(parts[number].text.get(span.as_range()).is_some());
    }
}

/// Texts with a blank, so no identifiers, and neither nested documents nor embedded files.
fn every_text_is_a_part(value: &Value, parts: &[Part]) {
    match value {
        Value::String(text) => {
            let nested = text.trim_start().starts_with(['{', '[']);
            let embedded = text
                .get(..5)
                .is_some_and(|start| start.eq_ignore_ascii_case("data:"));
            if text.contains(' ') && !nested && !embedded {
                assert!(
                    parts.iter().any(|part| part.text == *text),
                    "a text of {} bytes is in no part",
                    text.len()
                );
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| every_text_is_a_part(item, parts)),
        Value::Object(members) => members
            .iter()
            // Probabilities of tokens repeat the text and are left out.
            .filter(|(key, _)| *key != "logprobs")
            .for_each(|(_, value)| every_text_is_a_part(value, parts)),
        _ => {}
    }
}
