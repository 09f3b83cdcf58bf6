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
    "after",
    "again",
    "all",
    "always",
    "and",
    "answer",
    "any",
    "anything",
    "are",
    "assistant",
    "aus",
    "been",
    "before",
    "being",
    "both",
    "but",
    "bypass",
    "can",
    "como",
    "con",
    "confidential",
    "content",
    "context",
    "conversation",
    "could",
    "dan",
    "dans",
    "das",
    "del",
    "delete",
    "der",
    "des",
    "developer",
    "did",
    "die",
    "directive",
    "directives",
    "disable",
    "disclose",
    "disregard",
    "do",
    "does",
    "dump",
    "each",
    "earlier",
    "el",
    "else",
    "en",
    "end",
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
    "found",
    "free",
    "from",
    "give",
    "given",
    "guidelines",
    "had",
    "has",
    "have",
    "help",
    "here",
    "hidden",
    "his",
    "how",
    "hypothetical",
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
    "its",
    "jailbreak",
    "just",
    "la",
    "las",
    "le",
    "les",
    "let",
    "like",
    "limit",
    "list",
    "los",
    "made",
    "make",
    "many",
    "me",
    "message",
    "messages",
    "mode",
    "more",
    "most",
    "must",
    "my",
    "never",
    "new",
    "next",
    "nicht",
    "no",
    "not",
    "nothing",
    "now",
    "of",
    "old",
    "on",
    "once",
    "one",
    "ones",
    "only",
    "operator",
    "or",
    "other",
    "our",
    "out",
    "over",
    "override",
    "own",
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
    "put",
    "que",
    "question",
    "read",
    "real",
    "repeat",
    "reply",
    "reset",
    "response",
    "rest",
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
    "some",
    "start",
    "stay",
    "stop",
    "sure",
    "system",
    "task",
    "tell",
    "text",
    "than",
    "that",
    "the",
    "their",
    "them",
    "then",
    "there",
    "these",
    "they",
    "things",
    "this",
    "to",
    "token",
    "told",
    "trained",
    "training",
    "una",
    "und",
    "unrestricted",
    "use",
    "used",
    "user",
    "using",
    "very",
    "void",
    "want",
    "was",
    "way",
    "were",
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
    "would",
    "write",
    "wrote",
    "yes",
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

/// The lengths of the known words of two letters and more that `letters`, in lower case, begin
/// with.
pub(super) fn lengths(letters: &[u8]) -> impl Iterator<Item = usize> {
    let first = letters.first().map(|byte| byte.wrapping_sub(b'a'));
    let bits = first.and_then(|first| LENGTHS.get(usize::from(first)));
    let bits = bits.copied().unwrap_or(0);
    (2..=MAX_KNOWN).filter(move |len| {
        bits >> len & 1 == 1
            && letters
                .get(..*len)
                .and_then(|word| std::str::from_utf8(word).ok())
                .is_some_and(|word| WORDS.binary_search(&word).is_ok())
    })
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
