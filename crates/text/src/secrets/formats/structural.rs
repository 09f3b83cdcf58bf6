//! Formats that do not start with a literal: they are found by a sign between their parts.

use std::ops::Range;

use super::{SecretFormat, alphanumeric, base64_url, digit, lower_hex, proof, token};

/// A format that [`at`](StructuralFormat::at) finds.
#[derive(Debug)]
pub(crate) struct StructuralFormat {
    /// The rest; its pattern is not used.
    pub(crate) format: SecretFormat,
    /// The secret whose first sign stands at this place in the text.
    pub(crate) at: fn(&[u8], usize) -> Option<Range<usize>>,
}

/// Formats by the sign that is looked for.
pub(crate) static SIGNED: &[(&str, StructuralFormat)] = &[
    // `<bot id>:AA<33 characters>`.
    (
        ":AA",
        StructuralFormat {
            format: token(
                "secret.telegram-bot-token",
                "TELEGRAM_TOKEN",
                "a Telegram bot token",
                &[":AA"],
                "",
            )
            .check(proof::three_classes),
            at: |text, sign| around(text, sign..sign + 3, (digit, 8, 10), (base64_url, 32, 33)),
        },
    ),
    (
        ":APA91b",
        StructuralFormat {
            format: token(
                "secret.google-fcm-key",
                "GOOGLE_FCM_KEY",
                "a Firebase Cloud Messaging server key",
                &[":APA91b"],
                "",
            ),
            at: |text, sign| {
                around(
                    text,
                    sign..sign + 7,
                    (base64_url, 7, 22),
                    (base64_url, 134, 134),
                )
            },
        },
    ),
    (
        "-us",
        StructuralFormat {
            format: token(
                "secret.mailchimp-key",
                "MAILCHIMP_KEY",
                "a Mailchimp API key",
                &["-us"],
                "",
            ),
            at: |text, sign| around(text, sign..sign + 3, (lower_hex, 32, 32), (digit, 1, 2)),
        },
    ),
    (
        ".atlasv1.",
        StructuralFormat {
            format: token(
                "secret.terraform-cloud-token",
                "TERRAFORM_TOKEN",
                "a Terraform Cloud token",
                &[".atlasv1."],
                "",
            ),
            at: |text, sign| {
                around(
                    text,
                    sign..sign + 9,
                    (alphanumeric, 14, 14),
                    (terraform, 60, 70),
                )
            },
        },
    ),
    // Entra ID client secrets hold `<digit>Q~` after their first three characters.
    (
        "Q~",
        StructuralFormat {
            format: token(
                "secret.azure-client-secret",
                "AZURE_CLIENT_SECRET",
                "a Microsoft Entra client secret",
                &["Q~"],
                "",
            ),
            at: |text, sign| {
                let number = sign.checked_sub(1)?;
                text.get(number).filter(|byte| byte.is_ascii_digit())?;
                around(text, number..sign + 2, (entra, 3, 3), (entra, 31, 34))
            },
        },
    ),
    (
        "AZDO",
        StructuralFormat {
            format: token(
                "secret.azure-devops-pat",
                "AZURE_DEVOPS_TOKEN",
                "an Azure DevOps personal access token",
                &["AZDO"],
                "",
            ),
            at: |text, sign| {
                around(
                    text,
                    sign..sign + 4,
                    (alphanumeric, 76, 76),
                    (alphanumeric, 4, 4),
                )
            },
        },
    ),
    (
        "AzFu",
        StructuralFormat {
            format: token(
                "secret.azure-functions-key",
                "AZURE_FUNCTIONS_KEY",
                "an Azure Functions key",
                &["AzFu"],
                "",
            ),
            at: |text, sign| {
                let key = around(
                    text,
                    sign..sign + 4,
                    (base64_url, 44, 44),
                    (base64_url, 6, 6),
                )?;
                let last = text.get(key.end - 1)?;
                let padded = text.get(key.end..key.end + 2) == Some(b"==");
                (padded && b"AQgw".contains(last)).then(|| key.start..key.end + 2)
            },
        },
    ),
    (
        "AzSe",
        StructuralFormat {
            format: token(
                "secret.azure-search-key",
                "AZURE_SEARCH_KEY",
                "an Azure AI Search key",
                &["AzSe"],
                "",
            ),
            at: |text, sign| {
                around(
                    text,
                    sign..sign + 4,
                    (alphanumeric, 42, 42),
                    (alphanumeric, 6, 6),
                )
            },
        },
    ),
    (
        "+ACR",
        StructuralFormat {
            format: token(
                "secret.azure-container-registry-key",
                "AZURE_CONTAINER_REGISTRY_KEY",
                "an Azure container registry key",
                &["+ACR"],
                "",
            ),
            at: |text, sign| {
                around(
                    text,
                    sign..sign + 4,
                    (registry, 42, 42),
                    (alphanumeric, 6, 6),
                )
            },
        },
    ),
    (
        "JQQJ99",
        StructuralFormat {
            format: token(
                "secret.azure-openai-key",
                "AZURE_OPENAI_KEY",
                "an Azure OpenAI or AI services key",
                &["JQQJ99"],
                "",
            ),
            at: |text, sign| {
                around(
                    text,
                    sign..sign + 6,
                    (alphanumeric, 52, 52),
                    (alphanumeric, 26, 26),
                )
            },
        },
    ),
];

/// Formats that are looked for at every dot.
pub(crate) static DOTTED: &[StructuralFormat] = &[
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
        at: discord_bot,
    },
    StructuralFormat {
        format: token(
            "secret.airtable-token",
            "AIRTABLE_TOKEN",
            "an Airtable personal access token",
            &[],
            "",
        ),
        at: airtable,
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
        at: vault,
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

const fn terraform(byte: u8) -> bool {
    base64_url(byte) || byte == b'='
}

const fn registry(byte: u8) -> bool {
    alphanumeric(byte) || matches!(byte, b'+' | b'/')
}

const fn entra(byte: u8) -> bool {
    base64_url(byte) || matches!(byte, b'.' | b'~')
}

/// Bytes of a class, with the fewest and the most of them.
type Part = (fn(u8) -> bool, usize, usize);

/// `sign` with a part to its left and one to its right.
fn around(text: &[u8], sign: Range<usize>, left: Part, right: Part) -> Option<Range<usize>> {
    let before = run_left(text, sign.start, left.0, left.2 + 1);
    let behind = run_right(text, sign.end, right.0, right.2);
    ((left.1..=left.2).contains(&before) && behind >= right.1)
        .then(|| sign.start - before..sign.end + behind)
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
