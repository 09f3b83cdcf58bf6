//! The peer: forty patterns for personal data and secrets, as many guards write them, combined
//! into one expression in byte mode, which is the fastest way to run such a list on the `regex`
//! crate. It validates nothing and loses overlapping hits.

use regex_automata::{meta, util::syntax};

/// Name and pattern.
pub(crate) const PATTERNS: [(&str, &str); 40] = [
    (
        "email",
        r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}\b",
    ),
    ("ssn", r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b"),
    (
        "us-phone",
        r"(?:\+1[ .-]?)?\(?[2-9][0-9]{2}\)?[ .-][0-9]{3}[ .-][0-9]{4}\b",
    ),
    (
        "intl-phone",
        r"\+[1-9][0-9]{0,2}[ .-]?(?:[0-9]{2,4}[ .-]?){2,4}[0-9]{2,4}\b",
    ),
    ("card", r"\b(?:[0-9]{4}[ -]?){3}[0-9]{4}\b"),
    ("amex", r"\b3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}\b"),
    (
        "iban",
        r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b",
    ),
    ("ipv4", r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b"),
    ("ipv6", r"\b(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}\b"),
    ("mac", r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b"),
    ("url", r#"https?://[^\s<>"']{4,200}"#),
    ("btc", r"\b[13][a-km-zA-HJ-NP-Z1-9]{25,34}\b"),
    ("bech32", r"\bbc1[a-z0-9]{25,62}\b"),
    ("eth", r"\b0x[a-fA-F0-9]{40}\b"),
    (
        "uk-nino",
        r"\b[A-CEGHJ-PR-TW-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\b",
    ),
    ("uk-nhs", r"\b[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}\b"),
    ("es-nif", r"\b[0-9]{8}-?[A-Z]\b"),
    ("es-nie", r"\b[XYZ][0-9]{7}-?[A-Z]\b"),
    (
        "it-cf",
        r"\b[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]\b",
    ),
    (
        "fr-nir",
        r"\b[12] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}\b",
    ),
    (
        "de-steuerid",
        r"\b[1-9][0-9] ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}\b",
    ),
    ("in-aadhaar", r"\b[2-9][0-9]{3} ?[0-9]{4} ?[0-9]{4}\b"),
    ("in-pan", r"\b[A-Z]{5}[0-9]{4}[A-Z]\b"),
    ("br-cpf", r"\b[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}\b"),
    ("pl-pesel", r"\b[0-9]{11}\b"),
    ("kr-rrn", r"\b[0-9]{6}-[1-4][0-9]{6}\b"),
    ("us-itin", r"\b9[0-9]{2}-[5-9][0-9]-[0-9]{4}\b"),
    ("passport", r"\b[A-Z]{1,2}[0-9]{6,8}\b"),
    (
        "dob",
        r"\b(?:0?[1-9]|[12][0-9]|3[01])[/.-](?:0?[1-9]|1[0-2])[/.-](?:19|20)[0-9]{2}\b",
    ),
    (
        "iso-date",
        r"\b(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])\b",
    ),
    ("aws-key-id", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    ("github", r"\bgh[pousr]_[A-Za-z0-9]{36}\b"),
    ("slack", r"\bxox[abprs]-[A-Za-z0-9-]{10,80}\b"),
    ("openai", r"\bsk-[A-Za-z0-9_-]{20,160}\b"),
    ("google", r"\bAIza[A-Za-z0-9_-]{35}\b"),
    ("stripe", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,99}\b"),
    (
        "jwt",
        r"\beyJ[A-Za-z0-9_-]{10,500}\.[A-Za-z0-9_-]{10,900}\.[A-Za-z0-9_-]{10,500}",
    ),
    ("pem", r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----"),
    (
        "assignment",
        r#"(?i:password|passwd|secret|api_?key|token)["']?\s{0,3}[:=]\s{0,3}["'][^"'\s]{8,80}["']"#,
    ),
    ("bearer", r"(?i:bearer) [A-Za-z0-9._~+/-]{20,500}=*"),
];

/// All of them in one expression, in byte mode or in the Unicode mode that is the crate's default.
pub(crate) fn combined(unicode: bool) -> Result<meta::Regex, Box<meta::BuildError>> {
    let patterns: Vec<&str> = PATTERNS.iter().map(|(_, pattern)| *pattern).collect();
    meta::Regex::builder()
        .configure(
            meta::Config::new()
                .utf8_empty(unicode)
                .nfa_size_limit(None)
                .hybrid_cache_capacity(64 << 20),
        )
        .syntax(syntax::Config::new().unicode(unicode).utf8(unicode))
        .build_many(&patterns)
        .map_err(Box::new)
}
