//! Words that tell whether a guess at a reading was right.

use std::sync::LazyLock;

/// Words of attacks and frequent short words of a few languages, sorted.
const WORDS: &[&str] = &[
    "about",
    "above",
    "access",
    "act",
    "actually",
    "admin",
    "all",
    "and",
    "answer",
    "any",
    "are",
    "assistant",
    "aus",
    "before",
    "but",
    "bypass",
    "can",
    "como",
    "con",
    "confidential",
    "content",
    "context",
    "conversation",
    "dan",
    "dans",
    "das",
    "del",
    "delete",
    "der",
    "des",
    "developer",
    "die",
    "directive",
    "directives",
    "disable",
    "disclose",
    "disregard",
    "do",
    "does",
    "dump",
    "earlier",
    "el",
    "en",
    "est",
    "every",
    "everything",
    "execute",
    "filter",
    "first",
    "follow",
    "following",
    "for",
    "forget",
    "from",
    "give",
    "guidelines",
    "have",
    "hidden",
    "how",
    "i",
    "ignore",
    "ignorez",
    "ignoriere",
    "in",
    "initial",
    "instead",
    "instruction",
    "instructions",
    "into",
    "is",
    "it",
    "jailbreak",
    "la",
    "las",
    "le",
    "les",
    "like",
    "los",
    "me",
    "message",
    "messages",
    "mode",
    "my",
    "new",
    "nicht",
    "no",
    "not",
    "now",
    "of",
    "on",
    "only",
    "or",
    "para",
    "password",
    "please",
    "policy",
    "por",
    "pour",
    "pretend",
    "previous",
    "print",
    "prior",
    "prompt",
    "prompts",
    "que",
    "read",
    "repeat",
    "reply",
    "restrictions",
    "reveal",
    "role",
    "rule",
    "rules",
    "safety",
    "say",
    "secret",
    "secrets",
    "send",
    "show",
    "start",
    "stop",
    "system",
    "tell",
    "text",
    "that",
    "the",
    "their",
    "then",
    "these",
    "they",
    "this",
    "to",
    "token",
    "una",
    "und",
    "unrestricted",
    "user",
    "was",
    "what",
    "when",
    "where",
    "which",
    "who",
    "why",
    "will",
    "with",
    "without",
    "word",
    "words",
    "write",
    "you",
    "your",
];

/// One bit per length of a known word, by its first letter: most words are told apart by these.
static LENGTHS: LazyLock<[u32; 26]> = LazyLock::new(|| {
    let mut lengths = [0; 26];
    for word in WORDS {
        if let Some(bits) = first_letter(word).and_then(|letter| lengths.get_mut(letter)) {
            *bits |= 1u32 << word.len();
        }
    }
    lengths
});

/// The longest word that is looked up.
const MAX_KNOWN: usize = 31;

fn first_letter(word: &str) -> Option<usize> {
    let letter = word.bytes().next()?.wrapping_sub(b'a');
    (letter < 26).then_some(usize::from(letter))
}

fn find(word: &str) -> Option<usize> {
    let lengths = LENGTHS.get(first_letter(word)?)?;
    if word.len() > MAX_KNOWN || lengths >> word.len() & 1 == 0 {
        return None;
    }
    WORDS.binary_search(&word).ok()
}

/// Whether `word`, in lower case, is known.
pub(super) fn is_known(word: &str) -> bool {
    find(word).is_some()
}

/// Distinct-enough evidence in `text`, which is in lower case: known words, and all words.
pub(super) fn count(text: &str) -> (usize, usize) {
    let mut seen = Vec::new();
    let mut all = 0;
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        if word.is_empty() {
            continue;
        }
        all += 1;
        if let Some(known) = find(word)
            && !seen.contains(&known)
        {
            seen.push(known);
        }
    }
    (seen.len(), all)
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_are_sorted() {
        assert!(super::WORDS.is_sorted());
        assert!(super::WORDS.iter().all(|word| super::is_known(word)));
    }
}
