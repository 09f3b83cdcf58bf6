//! Forms of English words, by the regular rules alone.

/// `word` and its regular forms: plural, past, progressive, and agent.
pub(super) fn forms(word: &str) -> Vec<String> {
    let mut forms = vec![word.to_owned()];
    let letters = word.chars().all(|c| c.is_ascii_alphabetic());
    if !letters || word.len() < 3 {
        return forms;
    }
    let mut add = |stem: &str, endings: &[&str]| {
        forms.extend(endings.iter().map(|ending| format!("{stem}{ending}")));
    };
    let is_vowel = |c: u8| matches!(c, b'a' | b'e' | b'i' | b'o' | b'u');
    match *word.as_bytes() {
        [.., b'e'] => {
            let stem = word.strip_suffix('e').unwrap_or(word);
            add(word, &["s"]);
            add(stem, &["ed", "ing", "er", "ers"]);
        }
        [.., before, b'y'] if !is_vowel(before) => {
            let stem = word.strip_suffix('y').unwrap_or(word);
            add(stem, &["ies", "ied", "ier", "iers"]);
            add(word, &["ing"]);
        }
        [.., b's' | b'x' | b'z'] | [.., b'c' | b's', b'h'] => {
            add(word, &["es", "ed", "ing", "er", "ers"]);
        }
        [.., a, b, c]
            if !is_vowel(a) && is_vowel(b) && !is_vowel(c) && !matches!(c, b'w' | b'x' | b'y') =>
        {
            let doubled = format!("{word}{}", char::from(c));
            add(word, &["s", "ed", "ing", "er", "ers"]);
            add(&doubled, &["ed", "ing", "er", "ers", "y"]);
        }
        _ => add(word, &["s", "ed", "ing", "er", "ers"]),
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_forms() {
        for (word, form) in [
            ("kill", "killing"),
            ("bomb", "bombed"),
            ("hack", "hackers"),
            ("rape", "raping"),
            ("spy", "spies"),
            ("stab", "stabbed"),
            ("bash", "bashes"),
            ("idiot", "idiots"),
        ] {
            assert!(forms(word).iter().any(|f| f == form), "{word} {form}");
        }
        assert_eq!(forms("c4"), ["c4"]);
    }
}
