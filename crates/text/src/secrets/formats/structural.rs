//! Formats without a literal to look for: they are found by the dots between their parts.

use std::ops::Range;

use super::{SecretFormat, alphanumeric, base64_url, digit, lower_hex, proof, token};

/// Formats that [`at_dot`](StructuralFormat::at_dot) finds.
#[derive(Debug)]
pub(crate) struct StructuralFormat {
    /// The rest; its pattern is not used.
    pub(crate) format: SecretFormat,
    /// The secret that has its first dot at this place in the text.
    pub(crate) at_dot: fn(&[u8], usize) -> Option<Range<usize>>,
}

pub(crate) static STRUCTURAL: &[StructuralFormat] = &[
    StructuralFormat {
        format: token(
            "secret.discord-bot-token",
            "DISCORD_TOKEN",
            "a Discord bot token",
            &[],
            "",
        )
        .check(proof::three_classes)
        .proof(discord_id),
        at_dot: discord_bot,
    },
    StructuralFormat {
        format: token(
            "secret.airtable-token",
            "AIRTABLE_TOKEN",
            "an Airtable personal access token",
            &[],
            "",
        ),
        at_dot: airtable,
    },
    StructuralFormat {
        format: token(
            "secret.vault-service-token",
            "VAULT_TOKEN",
            "a HashiCorp Vault service token of versions before 1.10",
            &[],
            "",
        )
        .check(|value| proof::three_classes(value) && proof::random(value))
        .entropy(3.8)
        .confidence(0.7),
        at_dot: vault,
    },
];

/// `<bot id in base64>.<6 characters of time>.<27 to 38 of signature>`.
fn discord_bot(text: &[u8], dot: usize) -> Option<Range<usize>> {
    let second = dot + 7;
    if text.get(second) != Some(&b'.') {
        return None;
    }
    let id = run_left(text, dot, base64_url, 28);
    let time = run_right(text, dot + 1, base64_url, 7);
    let signature = run_right(text, second + 1, base64_url, 40);
    ((24..=28).contains(&id) && time == 6 && (27..=38).contains(&signature))
        .then(|| dot - id..second + 1 + signature)
        .filter(|range| matches!(text.get(range.start), Some(b'M' | b'N' | b'O')))
}

/// The first part is a number in base64.
fn discord_id(token: &[u8]) -> bool {
    token
        .split(|byte| *byte == b'.')
        .next()
        .and_then(proof::base64)
        .is_some_and(|id| id.iter().all(|byte| digit(*byte)))
}

/// `pat<14 characters>.<64 hexadecimal digits>`.
fn airtable(text: &[u8], dot: usize) -> Option<Range<usize>> {
    let start = dot.checked_sub(17)?;
    (text.get(start..start + 3) == Some(b"pat")
        && run_left(text, dot, alphanumeric, 18) == 17
        && run_right(text, dot + 1, lower_hex, 65) == 64)
        .then(|| start..dot + 65)
}

/// `s.<24 characters>`.
fn vault(text: &[u8], dot: usize) -> Option<Range<usize>> {
    let start = dot.checked_sub(1)?;
    (text.get(start) == Some(&b's')
        && run_left(text, start, |byte| base64_url(byte) || byte == b'.', 1) == 0
        && run_right(text, dot + 1, base64_url, 25) == 24)
        .then(|| start..dot + 25)
}

fn run_left(text: &[u8], end: usize, class: fn(u8) -> bool, most: usize) -> usize {
    let before = text.get(..end).unwrap_or_default();
    before
        .iter()
        .rev()
        .take(most)
        .take_while(|byte| class(**byte))
        .count()
}

fn run_right(text: &[u8], start: usize, class: fn(u8) -> bool, most: usize) -> usize {
    let after = text.get(start..).unwrap_or_default();
    after
        .iter()
        .take(most)
        .take_while(|byte| class(**byte))
        .count()
}
