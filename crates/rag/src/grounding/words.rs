//! Content words: lower case, without endings, without those that say nothing.

use std::{collections::HashSet, ops::Range};

/// The content words of `text`, stemmed lightly, so that "prices" meets "price".
pub(super) fn content_words(text: &str) -> HashSet<String> {
    tokens(text)
        .into_iter()
        .filter_map(|range| text.get(range))
        .map(str::to_lowercase)
        .filter(|word| !STOP.contains(&word.as_str()))
        .filter(|word| word.chars().any(char::is_alphabetic))
        .map(|word| stem(&word).to_owned())
        .collect()
}

/// Runs of letters and digits, with apostrophes and hyphens within; letters of scripts that are
/// written without spaces stand alone.
pub(super) fn tokens(text: &str) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        let is_ideograph =
            matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{e00}'..='\u{e7f}');
        if c.is_alphanumeric() && !is_ideograph {
            start.get_or_insert(at);
            continue;
        }
        if let Some(start) = start.take() {
            out.push(start..at);
        }
        if is_ideograph {
            out.push(at..at + c.len_utf8());
        }
    }
    if let Some(start) = start {
        out.push(start..text.len());
    }
    out
}

/// Cuts plural and verb endings (the first steps of Porter 1980), and the commonest of other
/// languages, from words that stay long enough.
fn stem(word: &str) -> &str {
    const ENDINGS: [&str; 14] = [
        "ingly", "edly", "ing", "ies", "ied", "ed", "es", "ly", "s", "en", "er", "em", "e", "n",
    ];
    for ending in ENDINGS {
        if let Some(rest) = word.strip_suffix(ending)
            && rest.chars().count() >= 4
        {
            return rest;
        }
    }
    word
}

/// Whether a sentence denies something.
pub(super) fn denies(text: &str) -> bool {
    const NO: [&str; 18] = [
        "not", "no", "never", "none", "nobody", "nothing", "neither", "nor", "without", "cannot",
        "nicht", "kein", "keine", "nie", "jamais", "nunca", "aucun", "ohne",
    ];
    let mut lower = text.to_lowercase();
    // These bound an amount and deny nothing.
    for bound in [
        "no more than",
        "no less than",
        "no later than",
        "not only",
        "no longer than",
    ] {
        lower = lower.replace(bound, " ");
    }
    lower.contains("n't")
        || lower.contains("n\u{2019}t")
        || tokens(&lower)
            .into_iter()
            .filter_map(|range| lower.get(range))
            .any(|word| NO.contains(&word))
}

/// Whether one says of the same thing the opposite of the other, by words that come in pairs.
pub(super) fn opposes(claim: &HashSet<String>, evidence: &HashSet<String>) -> bool {
    const PAIRS: [(&str, &str); 16] = [
        ("rose", "fell"),
        ("rise", "fall"),
        ("increase", "decrease"),
        ("grew", "shrank"),
        ("grew", "fell"),
        ("more", "less"),
        ("maximum", "minimum"),
        ("includes", "excludes"),
        ("allowed", "forbidden"),
        ("required", "optional"),
        ("accepted", "rejected"),
        ("open", "closed"),
        ("enabled", "disabled"),
        ("safe", "dangerous"),
        ("profit", "loss"),
        ("first", "last"),
    ];
    PAIRS.iter().any(|(one, other)| {
        let (one, other) = (stem(one), stem(other));
        let says =
            |words: &HashSet<String>, a: &str, b: &str| words.contains(a) && !words.contains(b);
        (says(claim, one, other) && says(evidence, other, one))
            || (says(claim, other, one) && says(evidence, one, other))
    })
}

/// Words that say nothing about what a text is about; denials and units are compared apart.
const STOP: &[&str] = &[
    "never",
    "none",
    "nobody",
    "nothing",
    "neither",
    "nor",
    "without",
    "cannot",
    "dollar",
    "dollars",
    "euro",
    "euros",
    "percent",
    "million",
    "billion",
    "thousand",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "mg",
    "kg",
    "km",
    "a",
    "about",
    "after",
    "all",
    "also",
    "an",
    "and",
    "any",
    "are",
    "as",
    "at",
    "be",
    "because",
    "been",
    "before",
    "being",
    "between",
    "both",
    "but",
    "by",
    "can",
    "could",
    "did",
    "do",
    "does",
    "during",
    "each",
    "for",
    "from",
    "had",
    "has",
    "have",
    "he",
    "her",
    "here",
    "him",
    "his",
    "how",
    "i",
    "if",
    "in",
    "into",
    "is",
    "it",
    "its",
    "just",
    "may",
    "me",
    "might",
    "more",
    "most",
    "must",
    "my",
    "no",
    "not",
    "of",
    "on",
    "one",
    "only",
    "or",
    "other",
    "our",
    "out",
    "over",
    "per",
    "she",
    "should",
    "so",
    "some",
    "such",
    "than",
    "that",
    "the",
    "their",
    "them",
    "then",
    "there",
    "these",
    "they",
    "this",
    "those",
    "through",
    "to",
    "under",
    "until",
    "up",
    "us",
    "very",
    "was",
    "we",
    "were",
    "what",
    "when",
    "where",
    "which",
    "while",
    "who",
    "why",
    "will",
    "with",
    "would",
    "you",
    "your",
    "according",
    "based",
    "document",
    "evidence",
    "der",
    "die",
    "das",
    "und",
    "ist",
    "ein",
    "eine",
    "von",
    "zu",
    "mit",
    "le",
    "la",
    "les",
    "des",
    "et",
    "est",
    "un",
    "une",
    "el",
    "los",
    "de",
    "en",
    "que",
    "es",
    "del",
    "y",
    "source",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_meet() {
        for (one, other) in [
            ("prices", "price"),
            ("walked", "walking"),
            ("companies", "companied"),
            ("Preise", "Preisen"),
        ] {
            assert_eq!(content_words(one), content_words(other), "{one} {other}");
        }
        assert!(content_words("the of and it").is_empty());
        assert!(denies("It isn't so") && denies("kein Problem") && !denies("a notable knot"));
    }
}
