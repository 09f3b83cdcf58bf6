use std::{borrow::Cow, collections::BTreeMap, str::FromStr};

use bartizan_core::Finding;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FormatPreserving, Keys, Vault, stretches};

/// How a value is replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    /// `[REDACTED_EMAIL]`: says what stood there.
    #[default]
    Typed,
    /// `[REDACTED]`: says nothing.
    Plain,
    /// Any text.
    Text(String),
    /// Every letter and digit becomes `*`.
    Mask,
    /// `jan***@example.com`: the first three characters, and the domain of an address.
    Partial,
    /// `************1111`: the last four letters or digits.
    LastFour,
    /// `hmac:` and 32 hex digits of HMAC-SHA-256, 128 bits: the same for the same value and key.
    Hash,
    /// `EMAIL_ADDRESS_k3v7…`: a consistent pseudonym of 96 bits in base 32.
    Pseudonym,
    /// FF1: looks like the value and decrypts with the key. Values too short for it are typed.
    FormatPreserving,
    /// A token that the session's vault can turn back into the value.
    Vault,
    /// Leaves the value; the finding is still reported.
    Keep,
}

/// The name of a style is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown style `{0}`, expected one of typed, plain, mask, partial, last-four, hash, pseudonym, format-preserving, vault, keep, or text:REPLACEMENT"
)]
pub struct StyleError(String);

impl FromStr for Style {
    type Err = StyleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "typed" => Self::Typed,
            "plain" => Self::Plain,
            "mask" => Self::Mask,
            "partial" => Self::Partial,
            "last-four" => Self::LastFour,
            "hash" => Self::Hash,
            "pseudonym" => Self::Pseudonym,
            "format-preserving" => Self::FormatPreserving,
            "vault" => Self::Vault,
            "keep" => Self::Keep,
            other => match other.strip_prefix("text:") {
                Some(replacement) => Self::Text(replacement.to_owned()),
                None => return Err(StyleError(other.to_owned())),
            },
        })
    }
}

/// Which style each entity gets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Styles {
    /// For entities that are not listed.
    pub default: Style,
    /// By Presidio's name of the entity, e.g. `EMAIL_ADDRESS`.
    pub entities: BTreeMap<String, Style>,
}

impl Styles {
    /// The style of `entity`.
    #[must_use]
    pub fn of(&self, entity: &str) -> &Style {
        self.entities.get(entity).unwrap_or(&self.default)
    }
}

/// Replaces values in the styles of one tenant or session.
#[derive(Debug)]
pub struct Redactor {
    styles: Styles,
    keys: Keys,
    /// Tenant or session: the same value gets another hash and pseudonym elsewhere.
    scope: String,
    cipher: FormatPreserving,
    vault: Vault,
}

impl Redactor {
    /// A redactor with an empty vault.
    #[must_use]
    pub fn new(styles: Styles, keys: Keys, scope: impl Into<String>) -> Self {
        let scope = scope.into();
        let vault = Vault::new(&keys, &scope);
        Self::with_vault(styles, keys, scope, vault)
    }

    /// A redactor that goes on with the vault of an earlier turn.
    #[must_use]
    pub fn with_vault(styles: Styles, keys: Keys, scope: impl Into<String>, vault: Vault) -> Self {
        Self {
            styles,
            cipher: FormatPreserving::new(keys.derive("ff1")),
            keys,
            scope: scope.into(),
            vault,
        }
    }

    /// The same with typed marks instead of tokens, for text whose tokens nobody could turn back:
    /// the vault is dropped with the redactor, or a restorer would undo what was just redacted.
    #[must_use]
    pub fn without_tokens(mut self) -> Self {
        let styles = self.styles.entities.values_mut();
        for style in styles.chain([&mut self.styles.default]) {
            if *style == Style::Vault {
                *style = Style::Typed;
            }
        }
        self
    }

    /// What stands in the place of `value`, which is an `entity`.
    pub fn replace(&mut self, entity: &str, value: &str) -> String {
        match self.styles.of(entity) {
            Style::Typed => typed(entity),
            Style::Plain => "[REDACTED]".to_owned(),
            Style::Text(text) => text.clone(),
            Style::Mask => keep_last(value, 0),
            Style::LastFour => keep_last(value, 4),
            Style::Partial => partial(value),
            Style::Hash => {
                let tag = self
                    .keys
                    .mac("hash", &self.scope, &canonical(entity, value));
                let hex = tag.iter().take(16).map(|byte| format!("{byte:02x}"));
                format!("hmac:{}", hex.collect::<String>())
            }
            Style::Pseudonym => {
                let tag = self
                    .keys
                    .mac("pseudonym", &self.scope, &canonical(entity, value));
                format!("{entity}_{}", base32(tag.get(..12).unwrap_or_default()))
            }
            Style::FormatPreserving => self
                .cipher
                .encrypt(&format!("{}/{entity}", self.scope), value)
                .unwrap_or_else(|_| typed(entity)),
            Style::Vault => self.vault.token(entity, value),
            Style::Keep => value.to_owned(),
        }
    }

    /// `text`, which stands at byte `at` of its subject, with the stretches of `findings` replaced;
    /// nothing else changes.
    #[must_use]
    pub fn rewrite<'f>(
        &mut self,
        text: &[u8],
        at: usize,
        findings: impl IntoIterator<Item = &'f Finding>,
    ) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        let mut from = 0;
        for stretch in stretches(findings) {
            let start = stretch.range.start.saturating_sub(at).min(text.len());
            let end = stretch.range.end.saturating_sub(at).min(text.len());
            let label = label(stretch.best);
            out.extend_from_slice(text.get(from..start).unwrap_or_default());
            let value = text.get(start..end).unwrap_or_default();
            let replacement = match std::str::from_utf8(value) {
                Ok(value) if stretch.is_one_value() => self.replace(&label, value),
                _ => self.replace_mixed(&label),
            };
            out.extend_from_slice(replacement.as_bytes());
            from = end;
        }
        out.extend_from_slice(text.get(from..).unwrap_or_default());
        out
    }

    /// What stands in the place of a stretch that is more than one value.
    #[must_use]
    pub fn replace_mixed(&self, entity: &str) -> String {
        match self.styles.of(entity) {
            Style::Plain => "[REDACTED]".to_owned(),
            Style::Text(text) => text.clone(),
            _ => typed(entity),
        }
    }

    /// The cipher behind [`Style::FormatPreserving`], for going back; the tweak is `SCOPE/ENTITY`.
    #[must_use]
    pub const fn cipher(&self) -> &FormatPreserving {
        &self.cipher
    }

    /// The vault, for whoever turns its tokens back later.
    #[must_use]
    pub fn into_vault(self) -> Vault {
        self.vault
    }

    /// The vault behind [`Style::Vault`].
    #[must_use]
    pub const fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The vault behind [`Style::Vault`], for erasure.
    pub const fn vault_mut(&mut self) -> &mut Vault {
        &mut self.vault
    }
}

/// What a mark calls a finding: its entity, or its kind of harm.
fn label(finding: &Finding) -> Cow<'_, str> {
    match &finding.rule.entity {
        Some(entity) => Cow::Borrowed(entity),
        None => Cow::Owned(
            finding
                .rule
                .category
                .as_str()
                .to_ascii_uppercase()
                .replace('-', "_"),
        ),
    }
}

fn typed(entity: &str) -> String {
    format!("[REDACTED_{}]", short_name(entity))
}

/// The name in a typed mark: `EMAIL` for `EMAIL_ADDRESS`, otherwise the entity's own.
#[must_use]
pub fn short_name(entity: &str) -> &str {
    match entity {
        "EMAIL_ADDRESS" => "EMAIL",
        "PHONE_NUMBER" => "PHONE",
        "US_SSN" => "SSN",
        "IBAN_CODE" => "IBAN",
        other => other,
    }
}

/// The value as it is compared: without case and, for anything but addresses, without separators.
fn canonical(entity: &str, value: &str) -> String {
    let lower = value.to_lowercase();
    if matches!(
        entity,
        "EMAIL_ADDRESS" | "URL" | "PERSON" | "LOCATION" | "ADDRESS"
    ) {
        lower.split_whitespace().collect::<Vec<_>>().join(" ")
    } else {
        lower.chars().filter(|c| c.is_alphanumeric()).collect()
    }
}

/// Every letter and digit but the last `kept` as `*`; never shows more than a third of the value.
fn keep_last(value: &str, kept: usize) -> String {
    let total = value.chars().filter(|c| c.is_alphanumeric()).count();
    let hidden = total - kept.min(total / 3);
    let mut seen = 0;
    value
        .chars()
        .map(|c| {
            if !c.is_alphanumeric() {
                return c;
            }
            seen += 1;
            if seen <= hidden { '*' } else { c }
        })
        .collect()
}

/// The first three characters (never more than a third) and, of an address, the domain.
fn partial(value: &str) -> String {
    let (local, domain) = match value.rsplit_once('@') {
        Some((local, domain)) => (local, format!("@{domain}")),
        None => (value, String::new()),
    };
    let shown = 3.min(local.chars().count() / 3);
    let start: String = local.chars().take(shown).collect();
    format!("{start}***{domain}")
}

/// RFC 4648 base 32 in lower case without padding.
pub(super) fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let (mut buffer, mut bits) = (0u32, 0u32);
    let mut out = String::new();
    let mut emit = |index: u32| {
        if let Some(&letter) = ALPHABET.get((index & 31) as usize) {
            out.push(char::from(letter));
        }
    };
    for &byte in bytes {
        buffer = buffer << 8 | u32::from(byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            emit(buffer >> bits);
        }
        buffer &= (1 << bits) - 1;
    }
    if bits > 0 {
        emit(buffer << (5 - bits));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor(style: Style) -> Redactor {
        let styles = Styles {
            default: style,
            ..Styles::default()
        };
        Redactor::new(styles, Keys::new([1; 32]), "tenant")
    }

    fn check(style: Style, entity: &str, value: &str, expected: &str) {
        assert_eq!(redactor(style).replace(entity, value), expected);
    }

    #[test]
    fn styles() {
        check(
            Style::Typed,
            "EMAIL_ADDRESS",
            "jane@example.com",
            "[REDACTED_EMAIL]",
        );
        check(
            Style::Plain,
            "EMAIL_ADDRESS",
            "jane@example.com",
            "[REDACTED]",
        );
        check(Style::Text("[X]".into()), "US_SSN", "123-45-6789", "[X]");
        check(
            Style::Partial,
            "EMAIL_ADDRESS",
            "jane.austen@example.com",
            "jan***@example.com",
        );
        check(
            Style::Partial,
            "EMAIL_ADDRESS",
            "jo@example.com",
            "***@example.com",
        );
        check(
            Style::LastFour,
            "CREDIT_CARD",
            "4111 1111 1111 1111",
            "**** **** **** 1111",
        );
        check(Style::LastFour, "CREDIT_CARD", "12345", "****5");
        check(
            Style::Mask,
            "PHONE_NUMBER",
            "+1 (415) 555-2671",
            "+* (***) ***-****",
        );
        check(Style::Keep, "URL", "https://a.example", "https://a.example");
    }

    #[test]
    fn styles_parse_from_their_names() {
        assert_eq!("last-four".parse(), Ok(Style::LastFour));
        assert_eq!("text:[X]".parse(), Ok(Style::Text("[X]".into())));
        assert!(
            "lastfour"
                .parse::<Style>()
                .unwrap_err()
                .to_string()
                .contains("last-four")
        );
    }

    #[test]
    fn hashes_and_pseudonyms_are_keyed_scoped_and_consistent() {
        for style in [Style::Hash, Style::Pseudonym] {
            let one = redactor(style.clone()).replace("PHONE_NUMBER", "415-555-2671");
            assert_eq!(
                one,
                redactor(style.clone()).replace("PHONE_NUMBER", "(415) 555 2671")
            );
            assert_ne!(
                one,
                redactor(style.clone()).replace("PHONE_NUMBER", "415-555-2672")
            );
            let styles = Styles {
                default: style,
                ..Styles::default()
            };
            for (key, scope) in [([2; 32], "tenant"), ([1; 32], "other")] {
                let other = Redactor::new(styles.clone(), Keys::new(key), scope)
                    .replace("PHONE_NUMBER", "415-555-2671");
                assert_ne!(one, other);
            }
        }
    }

    /// A cut, unsalted hash of a social security number is found by trying all of them.
    #[test]
    fn ws_60_pseudonyms_are_keyed() {
        let one = redactor(Style::Pseudonym).replace("US_SSN", "123-45-6789");
        let digits = one.strip_prefix("US_SSN_").unwrap();
        assert_eq!(digits.len(), 20, "96 bits in base 32");
    }

    #[test]
    fn format_preserving_falls_back_to_a_mark() {
        check(Style::FormatPreserving, "AGE", "42", "[REDACTED_AGE]");
        let mut redactor = redactor(Style::FormatPreserving);
        let out = redactor.replace("US_SSN", "123-45-6789");
        assert_eq!(
            redactor.cipher().decrypt("tenant/US_SSN", &out).unwrap(),
            "123-45-6789"
        );
    }

    #[test]
    fn base32_matches_rfc_4648() {
        assert_eq!(base32(b"foobar"), "mzxw6ytboi");
        assert_eq!(base32(b"f"), "my");
    }
}
