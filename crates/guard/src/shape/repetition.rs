//! Endless repetition of a character, a word, or a phrase.

use bartizan_core::Span;

/// Whether one character may stand more than `most` times in a row: what [`longest_char_run`] tells
/// exactly, told from a few places.
pub(super) fn may_run(text: &str, most: usize) -> bool {
    // What repeats one, two, three, or four bytes repeats twelve.
    const PERIOD: usize = 12;
    if text.len() <= most {
        return false;
    }
    // Of two places half as far apart as the shortest run is long, one has the rest of its half to
    // itself.
    let apart = most / 2;
    if apart < 2 * PERIOD {
        return true;
    }
    let bytes = text.as_bytes();
    (0..bytes.len()).step_by(apart).any(|at| {
        let (first, second) = (
            bytes.get(at..at + PERIOD),
            bytes.get(at + PERIOD..at + 2 * PERIOD),
        );
        first.is_some() && first == second
    })
}

/// Whether `text` may have more than `most` words: white space is counted, and every character that
/// begins like white space.
pub(super) fn may_have_words(text: &str, most: usize) -> bool {
    let is_between = |byte: &u8| *byte <= b' ' || matches!(*byte, 0xc2 | 0xe1 | 0xe2 | 0xe3);
    text.len() >= 2 * most && text.bytes().filter(is_between).count() >= most
}

/// The longest run of one character that is neither white space nor the ink of a rule line.
pub(super) fn longest_char_run(text: &str) -> Option<(usize, Span)> {
    let is_plain = |character: char| {
        character.is_whitespace() || matches!(character, '-' | '=' | '_' | '*' | '#' | '.' | '~')
    };
    let mut longest: Option<(usize, Span)> = None;
    let mut run: Option<(char, usize, usize)> = None;
    for (at, character) in text.char_indices() {
        let (start, count) = match run {
            Some((same, start, count)) if same == character => (start, count + 1),
            _ => (at, 1),
        };
        run = Some((character, start, count));
        if !is_plain(character) && longest.is_none_or(|(most, _)| count > most) {
            longest = Some((count, Span::from_range(start..at + character.len_utf8())));
        }
    }
    longest
}

/// The longest run of one word, or of one phrase of up to four words, counted in repeats.
pub(super) fn longest_word_run(text: &str) -> Option<(usize, Span)> {
    const MAX_PHRASE: usize = 4;
    let mut longest: Option<(usize, Span)> = None;
    // The last words with their places; run[p] counts how long each word equals the one p before.
    let mut recent: [(&str, usize); MAX_PHRASE] = [("", 0); MAX_PHRASE];
    let mut runs = [(0_usize, 0_usize); MAX_PHRASE];
    for word in text.split_whitespace() {
        let at = word.as_ptr() as usize - text.as_ptr() as usize;
        for (back, ((earlier, place), (matched, start))) in recent.iter().zip(&mut runs).enumerate()
        {
            if *earlier != word {
                *matched = 0;
                continue;
            }
            if *matched == 0 {
                *start = *place;
            }
            *matched += 1;
            let repeats = *matched / (back + 1) + 1;
            if longest.is_none_or(|(most, _)| repeats > most) {
                longest = Some((repeats, Span::from_range(*start..at + word.len())));
            }
        }
        recent.rotate_right(1);
        if let Some(first) = recent.first_mut() {
            *first = (word, at);
        }
    }
    longest
}
