//! Words that tell whether a guess at a reading was right.

/// Words of attacks and frequent short words of a few languages, sorted.
const WORDS: &[&str] = &[
    "about", "above", "access", "act", "actually", "admin", "all", "and", "answer", "any", "are",
    "assistant", "aus", "before", "but", "bypass", "can", "como", "con", "confidential", "content",
    "context", "conversation", "dan", "dans", "das", "del", "delete", "der", "des", "developer",
    "die", "directive", "directives", "disable", "disclose", "disregard", "do", "does", "dump",
    "earlier", "el", "en", "est", "every", "everything", "execute", "filter", "first", "follow",
    "following", "for", "forget", "from", "give", "guidelines", "have", "hidden", "how", "i",
    "ignore", "ignorez", "ignoriere", "in", "initial", "instead", "instruction", "instructions",
    "into", "is", "it", "jailbreak", "la", "las", "le", "les", "like", "los", "me", "message",
    "messages", "mode", "my", "new", "nicht", "no", "not", "now", "of", "on", "only", "or", "para",
    "password", "please", "policy", "por", "pour", "pretend", "previous", "print", "prior",
    "prompt", "prompts", "que", "read", "repeat", "reply", "restrictions", "reveal", "role",
    "rule", "rules", "safety", "say", "secret", "secrets", "send", "show", "start", "stop",
    "system", "tell", "text", "that", "the", "their", "then", "these", "they", "this", "to",
    "token", "una", "und", "unrestricted", "user", "was", "what", "when", "where", "which", "who",
    "why", "will", "with", "without", "word", "words", "write", "you", "your",
];

/// Whether `word`, in lower case, is known.
pub(super) fn is_known(word: &str) -> bool {
    WORDS.binary_search(&word).is_ok()
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
        if let Ok(known) = WORDS.binary_search(&word)
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
    }
}
