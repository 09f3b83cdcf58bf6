//! Text that nobody trusts, fit for a terminal.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

/// Stands for a character that is not shown: a control, an invisible one, a change of direction.
const HIDDEN: char = '·';

/// Stands for a character of personal data or of a secret.
const MASKED: char = '•';

/// Stands for the rest of a line.
const CUT: char = '…';

/// A stretch of one line, and the marks below it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Excerpt {
    /// The text.
    pub(crate) text: String,
    /// Blanks and carets.
    pub(crate) marks: String,
}

/// What is shown of a character: itself, or a dot where a terminal or a reader could be misled.
pub(crate) fn shown(character: char) -> char {
    if character.is_ascii() {
        return if character.is_ascii_control() {
            HIDDEN
        } else {
            character
        };
    }
    // Variation selectors can smuggle text, and are printable to Unicode.
    let selects = matches!(character, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}');
    // Escaped are controls, formats, surrogates, private and unassigned characters, and blanks
    // that are not the blank. After a letter, marks that combine with it are not.
    let mut pair = String::from("a");
    pair.push(character);
    let is_printable = pair.escape_debug().nth(1) == Some(character);
    if is_printable && !selects {
        character
    } else {
        HIDDEN
    }
}

/// One line of text fit for a terminal.
pub(crate) fn line(text: &str) -> String {
    text.chars().map(shown).collect()
}

/// The line of `text` that begins at byte `line_start` around `span`, in at most `columns`
/// columns, with the `masks` hidden but for their first characters.
///
/// Looks at no more bytes than could be shown, however long the line.
pub(crate) fn excerpt(
    text: &[u8],
    span: &Range<usize>,
    line_start: usize,
    masks: &[Range<usize>],
    columns: usize,
) -> Excerpt {
    let near = columns * 4;
    let from = line_start.max(span.start.saturating_sub(near));
    let ahead = text.get(span.start..).unwrap_or_default();
    let ahead = ahead.get(..near).unwrap_or(ahead);
    let line_end = ahead.iter().position(|&byte| byte == b'\n');
    let to = span.start + line_end.unwrap_or(ahead.len());
    let is_whole = from == line_start && (line_end.is_some() || to == text.len());
    let cells = cells(text, from..to, span, masks);
    let total: usize = cells.iter().map(|cell| cell.width).sum();
    if is_whole && total <= columns {
        return draw(&cells, false, false);
    }
    // A third of the room for what stands before, more where little follows.
    let start = cells
        .iter()
        .position(|cell| cell.at >= span.start)
        .unwrap_or(cells.len());
    let (lead, rest) = cells.split_at(start);
    let room = columns.saturating_sub(2);
    let follows: usize = rest.iter().map(|cell| cell.width).sum();
    let mut left = (room / 3).max(room.saturating_sub(follows));
    let first = lead
        .iter()
        .rposition(|cell| {
            let is_full = cell.width > left;
            left = left.saturating_sub(cell.width);
            is_full
        })
        .map_or(0, |at| at + 1);
    let mut right = room;
    let kept: Vec<&Cell> = cells
        .get(first..)
        .unwrap_or_default()
        .iter()
        .take_while(|cell| {
            let fits = cell.width <= right;
            right = right.saturating_sub(cell.width);
            fits
        })
        .collect();
    let before = first > 0 || from > line_start;
    let after = first + kept.len() < cells.len() || (line_end.is_none() && to < text.len());
    draw(kept, before, after)
}

/// One character as it is shown.
#[derive(Clone, Copy, Debug)]
struct Cell {
    /// Its place in the text.
    at: usize,
    shown: char,
    width: usize,
    is_marked: bool,
}

fn cells(
    text: &[u8],
    range: Range<usize>,
    span: &Range<usize>,
    masks: &[Range<usize>],
) -> Vec<Cell> {
    let mut cells = Vec::new();
    let passed = masks.partition_point(|mask| mask.end <= range.start);
    let mut masks = masks.iter().skip(passed).peekable();
    let mut combining = 0;
    let mut at = range.start;
    let mut push = |at: usize, character: char, len: usize| {
        while masks.next_if(|mask| mask.end <= at).is_some() {}
        let mut shown = shown(character);
        if let Some(mask) = masks.peek().filter(|mask| mask.start < at + len) {
            // Never more than a quarter of the value.
            let open = (mask.len() / 4).min(3);
            if at >= mask.start + open {
                shown = MASKED;
            }
        }
        let width = shown.width().unwrap_or(0);
        combining = if width == 0 { combining + 1 } else { 0 };
        // Piles of marks would cover the lines around.
        if combining > 2 {
            return;
        }
        let is_marked = if span.is_empty() {
            at == span.start
        } else {
            span.contains(&at)
        };
        cells.push(Cell {
            at,
            shown,
            width,
            is_marked,
        });
    };
    for chunk in text.get(range).unwrap_or_default().utf8_chunks() {
        for character in chunk.valid().chars() {
            push(at, character, character.len_utf8());
            at += character.len_utf8();
        }
        if !chunk.invalid().is_empty() {
            push(at, char::REPLACEMENT_CHARACTER, chunk.invalid().len());
            at += chunk.invalid().len();
        }
    }
    cells
}

fn draw<'c>(cells: impl IntoIterator<Item = &'c Cell>, before: bool, after: bool) -> Excerpt {
    let mut excerpt = Excerpt::default();
    if before {
        excerpt.text.push(CUT);
        excerpt.marks.push(' ');
    }
    for cell in cells {
        excerpt.text.push(cell.shown);
        let mark = if cell.is_marked { "^" } else { " " };
        excerpt.marks.push_str(&mark.repeat(cell.width));
    }
    if after {
        excerpt.text.push(CUT);
    }
    if !excerpt.marks.contains('^') {
        excerpt.marks.push('^');
    }
    excerpt.marks.truncate(excerpt.marks.trim_end().len());
    excerpt.text.truncate(excerpt.text.trim_end().len());
    excerpt
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        text: &str,
        span: Range<usize>,
        masks: &[Range<usize>],
        columns: usize,
        expected: [&str; 2],
    ) {
        let before = &text.as_bytes()[..span.start];
        let start = before
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        let excerpt = excerpt(text.as_bytes(), &span, start, masks, columns);
        assert_eq!([excerpt.text.as_str(), excerpt.marks.as_str()], expected);
    }

    #[test]
    fn lines_are_shown_with_marks() {
        check(
            "one\ntwo three\nfour",
            8..13,
            &[],
            40,
            ["two three", "    ^^^^^"],
        );
        check("ab", 2..2, &[], 40, ["ab", "  ^"]);
        check("日本 x", 7..8, &[], 40, ["日本 x", "     ^"]);
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let text = format!("{}HERE{}", "a".repeat(500), "b".repeat(500));
        check(
            &text,
            500..504,
            &[],
            20,
            [
                "…aaaaaaHERExxxxxxxx…".replace('x', "b").as_str(),
                "       ^^^^",
            ],
        );
    }

    #[test]
    fn a_terminal_is_not_attacked() {
        check(
            "a\u{1b}[31m\u{202e}b\u{200b}\u{9b}c\u{e0041}d\u{fe01}",
            0..1,
            &[],
            40,
            ["a·[31m·b··c·d·", "^"],
        );
        assert_eq!(line("e\u{301} नि \u{7f}\r\n"), "e\u{301} नि ···");
    }

    #[test]
    #[expect(clippy::single_range_in_vec_init, reason = "one mask")]
    fn values_are_masked() {
        check(
            "to jane@example.com now",
            0..2,
            &[3..19],
            40,
            ["to jan••••••••••••• now", "^^"],
        );
        check("pin 12", 4..6, &[4..6], 40, ["pin ••", "    ^^"]);
    }
}
