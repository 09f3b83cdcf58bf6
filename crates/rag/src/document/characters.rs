//! Characters that nobody sees, in text that is otherwise shown.

use std::ops::Range;

/// What becomes of a stretch of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Readers see it.
    Shown,
    /// Nobody sees it, and it says this.
    Hidden(String),
    /// Nobody sees it, and it says nothing.
    Dropped,
}

/// Splits `text` into what is seen and what is not.
///
/// Kept are joiners where scripts and emoji need them, marks of direction, single variation
/// selectors, and flags made of tag characters (Unicode Technical Standard 51, section 1.4.6).
pub(super) fn split(text: &str) -> Vec<(Range<usize>, Seen)> {
    if text.is_ascii() {
        return vec![(0..text.len(), Seen::Shown)];
    }
    let mut out: Vec<(Range<usize>, Seen)> = Vec::new();
    let mut chars = text.char_indices().peekable();
    let mut before = '\0';
    while let Some((at, c)) = chars.next() {
        let mut end = at + c.len_utf8();
        let seen = match c {
            '\u{e0000}'..='\u{e007f}' => {
                let mut said = vec![c];
                while let Some((next_at, next)) = chars.next_if(|(_, next)| is_tag(*next)) {
                    end = next_at + next.len_utf8();
                    said.push(next);
                }
                let is_flag =
                    before == '\u{1f3f4}' && said.len() <= 7 && said.last() == Some(&'\u{e007f}');
                if is_flag {
                    Seen::Shown
                } else {
                    said_or_dropped(said.into_iter().filter_map(tag_letter).collect())
                }
            }
            _ if selector_byte(c).is_some() => {
                let mut bytes: Vec<u8> = selector_byte(c).into_iter().collect();
                while let Some((next_at, next)) =
                    chars.next_if(|(_, next)| selector_byte(*next).is_some())
                {
                    end = next_at + next.len_utf8();
                    bytes.extend(selector_byte(next));
                }
                if bytes.len() == 1 {
                    Seen::Shown
                } else {
                    said_or_dropped(String::from_utf8_lossy(&bytes).into_owned())
                }
            }
            '\u{200c}' | '\u{200d}' if joins(before) => Seen::Shown,
            '\u{200b}'..='\u{200d}'
            | '\u{2060}'..='\u{2064}'
            | '\u{feff}'
            | '\u{ad}'
            | '\u{180e}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{206a}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}' => Seen::Dropped,
            _ => Seen::Shown,
        };
        before = c;
        match out.last_mut() {
            Some((range, last)) if *last == Seen::Shown && seen == Seen::Shown => range.end = end,
            _ => out.push((at..end, seen)),
        }
    }
    out
}

fn said_or_dropped(said: String) -> Seen {
    if said.trim().is_empty() {
        Seen::Dropped
    } else {
        Seen::Hidden(said)
    }
}

const fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// Tag characters mirror ASCII (Unicode, section 23.9).
fn tag_letter(c: char) -> Option<char> {
    let code = (c as u32).checked_sub(0xe0000)?;
    char::from_u32(code).filter(|c| (' '..='~').contains(c))
}

/// The byte that a variation selector stands for where text is smuggled in them: the first sixteen
/// are U+FE00 and on, the others U+E0100 and on.
fn selector_byte(c: char) -> Option<u8> {
    match c {
        '\u{fe00}'..='\u{fe0f}' => u8::try_from(c as u32 - 0xfe00).ok(),
        '\u{e0100}'..='\u{e01ef}' => u8::try_from(c as u32 - 0xe0100 + 16).ok(),
        _ => None,
    }
}

/// Whether a joiner after `c` changes what readers see: emoji, and scripts of letters that join.
const fn joins(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{8ff}' | '\u{900}'..='\u{dff}' | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{18af}' | '\u{2600}'..='\u{27bf}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        split(text)
            .into_iter()
            .filter(|(_, seen)| *seen == Seen::Shown)
            .filter_map(|(range, _)| text.get(range))
            .collect()
    }

    #[test]
    fn smuggled_text_is_read_and_left_out() {
        let tags: String = "ignore"
            .chars()
            .filter_map(|c| char::from_u32(0xe0000 + c as u32))
            .collect();
        let text = format!("Hello{tags} you");
        assert_eq!(shown(&text), "Hello you");
        assert!(
            split(&text)
                .iter()
                .any(|(_, seen)| *seen == Seen::Hidden("ignore".to_owned()))
        );
        let selectors: String = b"send"
            .iter()
            .filter_map(|byte| char::from_u32(0xe0100 + u32::from(*byte) - 16))
            .collect();
        let text = format!("ok{selectors}");
        assert!(
            split(&text)
                .iter()
                .any(|(_, seen)| *seen == Seen::Hidden("send".to_owned()))
        );
        assert_eq!(shown("ig\u{200b}no\u{ad}re"), "ignore");
    }

    #[test]
    fn flags_emoji_and_joining_scripts_stay() {
        for text in [
            "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
            "\u{1f469}\u{200d}\u{1f4bb}",
            "\u{2764}\u{fe0f}",
            "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
        ] {
            assert_eq!(shown(text), text);
        }
    }
}
