//! Sentences with their places.

use std::ops::Range;

/// Where the sentences of `text` stand, white space around them left out.
///
/// A sentence ends with a line end that a new item or block follows, or with a full stop, question
/// mark, or exclamation mark before white space, but not after an abbreviation, an initial, or the
/// number of a list item.
pub(super) fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let end = at + c.len_utf8();
        let next = chars.peek().map(|(_, next)| *next);
        let ends = match c {
            '\n' => {
                let rest = text
                    .get(end..)
                    .unwrap_or_default()
                    .trim_start_matches([' ', '\t']);
                rest.starts_with(['\n', '-', '*', '#', '|', '>'])
                    || rest.starts_with(|c: char| c.is_ascii_digit())
                    || !text
                        .get(start..at)
                        .unwrap_or_default()
                        .trim_end()
                        .ends_with(|c: char| c.is_alphanumeric() || c == ',')
            }
            '.' => {
                next.is_none_or(|next| {
                    next.is_whitespace() || matches!(next, '[' | '"' | ')' | '\u{201d}')
                }) && !is_abbreviation(text.get(start..at).unwrap_or_default())
            }
            '!' | '?' => next.is_none_or(char::is_whitespace),
            '\u{3002}' | '\u{ff01}' | '\u{ff1f}' => true,
            _ => false,
        };
        if ends {
            // A citation after the full stop belongs to the sentence before it.
            let end = end + citations_at(text.get(end..).unwrap_or_default());
            while chars.next_if(|(at, _)| *at < end).is_some() {}
            push(text, start..end, &mut out);
            start = end;
        }
    }
    push(text, start..text.len(), &mut out);
    out
}

fn push(text: &str, range: Range<usize>, out: &mut Vec<Range<usize>>) {
    let sentence = text.get(range.clone()).unwrap_or_default();
    let trimmed = sentence.trim();
    if trimmed.chars().any(char::is_alphanumeric) {
        let start = range.start + (sentence.len() - sentence.trim_start().len());
        out.push(start..start + trimmed.len());
    }
}

/// Bytes of the citations that `text` starts with.
fn citations_at(text: &str) -> usize {
    let mut len = 0;
    loop {
        let rest = text.get(len..).unwrap_or_default();
        let blanks = rest.len() - rest.trim_start_matches(' ').len();
        let inner = rest.get(blanks..).unwrap_or_default();
        let Some(close) = inner.strip_prefix('[').and_then(|inner| inner.find(']')) else {
            return len;
        };
        let cited = inner.get(1..=close).unwrap_or_default();
        if cited.contains(char::is_whitespace) && !cited.contains(',') {
            return len;
        }
        len += blanks + close + 2;
    }
}

fn is_abbreviation(before: &str) -> bool {
    const KNOWN: [&str; 24] = [
        "mr", "mrs", "ms", "dr", "prof", "st", "vs", "etc", "e.g", "i.e", "no", "fig", "inc",
        "ltd", "co", "corp", "jr", "sr", "approx", "dept", "est", "z.b", "bzw", "ca",
    ];
    let word = before
        .rsplit(|c: char| c.is_whitespace() || c == '(')
        .next()
        .unwrap_or_default();
    let lower = word.to_lowercase();
    let is_item = !word.is_empty()
        && word.len() <= 2
        && word.bytes().all(|b| b.is_ascii_digit())
        && before.trim() == word;
    let is_initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    KNOWN.contains(&lower.as_str()) || is_item || is_initial
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abbreviations_and_decimals_end_nothing() {
        let text = "Dr. Smith paid $9.50. He left at 5 p.m.! Why?\n\n- First item\n- Second, e.g. this\nEnd";
        let found: Vec<&str> = sentences(text)
            .into_iter()
            .filter_map(|r| text.get(r))
            .collect();
        assert_eq!(
            found,
            [
                "Dr. Smith paid $9.50.",
                "He left at 5 p.m.!",
                "Why?",
                "- First item",
                "- Second, e.g. this\nEnd"
            ]
        );
        let text = "It costs 9 euro. [1] More follows.[2]";
        let found: Vec<&str> = sentences(text)
            .into_iter()
            .filter_map(|r| text.get(r))
            .collect();
        assert_eq!(found, ["It costs 9 euro. [1]", "More follows.[2]"]);
    }
}
