/// Whether `text` matches `pattern`, in which `*` stands for any run of characters.
///
/// Backtracks only to the last star: at most `pattern.len() * text.len()` steps, both short.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(first) = pieces.next() else {
        return text.is_empty();
    };
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = pieces.next_back() else {
        return rest.is_empty();
    };
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

/// Whether `text` matches one of `patterns`; no pattern means any text.
pub(crate) fn matches_any(patterns: &[String], text: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_run() {
        for (pattern, text, expected) in [
            ("pii.*", "pii.email", true),
            ("pii.*", "pii", false),
            ("*", "", true),
            ("*.iban", "pii.iban", true),
            ("a*a", "a", false),
            ("a*b*c", "a-bb-c", true),
            ("a*b*c", "a-c-b", false),
            ("**", "x", true),
            ("pii.email", "pii.email", true),
            ("pii.email", "pii.email2", false),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
