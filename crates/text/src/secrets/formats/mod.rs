//! The formats of keys, tokens, and passwords that are known by their looks.

mod ai;
mod chat;
mod cloud;
mod context;
mod forge;
mod hosting;
mod keys;
mod payment;
mod saas;
mod structural;
mod web;

use std::borrow::Cow;

use bartizan_core::{Category, Rule, Severity};

use super::proof;

pub(super) use structural::{DOTTED, SIGNED, StructuralFormat};

/// A format of secrets: how to find it, and how sure to be.
#[derive(Debug)]
pub struct SecretFormat {
    /// What is reported.
    pub rule: Rule,
    /// Expression that starts with an anchor; its group, if any, is the secret.
    pub pattern: &'static str,
    /// Literals one of which every match starts with.
    pub anchors: &'static [&'static str],
    /// Whether ASCII case matters.
    pub case_sensitive: bool,
    /// Longest match of the pattern in bytes, or more.
    pub max_len: usize,
    /// How the secret goes on where the pattern ends.
    pub grow: Grow,
    /// Whether a candidate is possible at all.
    pub check: fn(&[u8]) -> bool,
    /// Checksum or inner structure: certain when it holds, doubtful when it does not. Tokens are
    /// reported either way, since one character may be off and a secret shown is a secret lost.
    pub proof: Option<fn(&[u8]) -> bool>,
    /// Least Shannon entropy of the candidate, in bits per byte.
    pub min_entropy: f32,
    /// Confidence, `[0, 1]`, before `proof`.
    pub confidence: f32,
    /// Which format wins where two overlap.
    pub rank: Rank,
}

/// How much a format says about the origin of a secret; where two overlap, the higher one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Assigned to something called a secret.
    Assigned,
    /// In the place of a password: a header, a URL, a file of credentials.
    Placed,
    /// Looks like the key of one vendor, or is named so.
    Vendor,
    /// A vendor's format with an inner structure that a more general one does not look at.
    Inner,
}

/// How a secret goes on beyond its pattern.
#[derive(Clone, Copy, Debug)]
pub enum Grow {
    /// Not at all.
    No,
    /// To the right, by up to `max` bytes of `class`.
    Right {
        /// Bytes that belong to it.
        class: fn(u8) -> bool,
        /// Most bytes.
        max: usize,
    },
    /// To the right, over lines of base64.
    Lines,
    /// To the end line of a PEM or PGP block, or as far as its body goes.
    Block,
}

/// Longest secret in bytes: the armour of a large private key.
pub const MAX_SECRET: usize = 16 << 10;

/// Every format, most used vendors first. The position of a table's row is its pattern's number.
pub static TABLES: [&[SecretFormat]; 9] = [
    cloud::FORMATS,
    forge::FORMATS,
    ai::FORMATS,
    chat::FORMATS,
    payment::FORMATS,
    hosting::FORMATS,
    saas::FORMATS,
    keys::FORMATS,
    web::FORMATS,
];

/// Formats that are known by the name of what they are assigned to.
pub static CONTEXT: &[SecretFormat] = context::FORMATS;

/// Every format that starts with a literal.
pub fn all() -> impl Iterator<Item = &'static SecretFormat> {
    TABLES.iter().copied().flatten().chain(CONTEXT)
}

/// Every format that is found by a sign between its parts; its pattern is empty.
pub fn structural() -> impl Iterator<Item = &'static SecretFormat> {
    let signed = SIGNED.iter().map(|(_, found)| found);
    DOTTED.iter().chain(signed).map(|found| &found.format)
}

/// A vendor's token: case matters, and it looks random.
const fn token(
    id: &'static str,
    entity: &'static str,
    title: &'static str,
    anchors: &'static [&'static str],
    pattern: &'static str,
) -> SecretFormat {
    SecretFormat {
        rule: rule(id, entity, title),
        pattern,
        anchors,
        case_sensitive: true,
        max_len: 256,
        grow: Grow::No,
        check: proof::any,
        proof: None,
        min_entropy: 2.8,
        confidence: 0.95,
        rank: Rank::Vendor,
    }
}

impl SecretFormat {
    const fn any_case(mut self) -> Self {
        self.case_sensitive = false;
        self
    }

    const fn longest(mut self, bytes: usize) -> Self {
        self.max_len = bytes;
        self
    }

    const fn grow(mut self, grow: Grow) -> Self {
        self.grow = grow;
        self
    }

    const fn check(mut self, check: fn(&[u8]) -> bool) -> Self {
        self.check = check;
        self
    }

    const fn proof(mut self, proof: fn(&[u8]) -> bool) -> Self {
        self.proof = Some(proof);
        self
    }

    const fn entropy(mut self, bits: f32) -> Self {
        self.min_entropy = bits;
        self
    }

    const fn confidence(mut self, confidence: f32) -> Self {
        self.confidence = confidence;
        self
    }

    const fn rank(mut self, rank: Rank) -> Self {
        self.rank = rank;
        self
    }

    const fn severity(mut self, severity: Severity) -> Self {
        self.rule.severity = severity;
        self
    }
}

/// A rule of this detector.
pub(super) const fn rule(id: &'static str, entity: &'static str, title: &'static str) -> Rule {
    const REFS: &[Cow<'static, str>] = &[Cow::Borrowed("CWE-798"), Cow::Borrowed("LLM02:2025")];
    const TEXTS: [&str; 2] = [
        "Whoever reads it can act as its owner; text goes to models, logs, and other people.",
        "Revoke it where it was issued and issue a new one. Keep secrets in a secrets manager, and pass references.",
    ];
    Rule::new(
        id,
        title,
        Severity::High,
        Category::Secret,
        REFS,
        TEXTS,
        Some(entity),
    )
}

const fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

const fn lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

const fn digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

const fn base64_url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

const fn base64_any(byte: u8) -> bool {
    base64_url(byte) || matches!(byte, b'+' | b'/' | b'=')
}

const fn compact(byte: u8) -> bool {
    base64_url(byte) || byte == b'.'
}
