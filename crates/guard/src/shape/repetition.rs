//! Endless repetition of a character, a word, or a phrase.

use bartizan_core::Span;

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
