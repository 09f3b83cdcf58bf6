use std::{borrow::Cow, fmt};

use serde::Serialize;

use crate::{Layer, RuleRef, Span};

/// A calibrated probability in `[0, 1]` that a finding is true.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Confidence(f32);

impl Confidence {
    /// Certain by construction, e.g. an opcode that is there.
    pub const CERTAIN: Self = Self(1.0);

    /// Returns `None` outside `[0, 1]` and for NaN.
    #[must_use]
    pub fn new(p: f32) -> Option<Self> {
        (0.0..=1.0).contains(&p).then_some(Self(p))
    }

    /// The nearest probability; NaN becomes 0.
    #[must_use]
    pub const fn clamped(p: f32) -> Self {
        if p >= 1.0 {
            Self(1.0)
        } else if p > 0.0 {
            Self(p)
        } else {
            Self(0.0)
        }
    }

    /// The probability.
    #[must_use]
    pub const fn get(self) -> f32 {
        self.0
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", self.0)
    }
}

/// How a view was made from the text that was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transform {
    /// NFKC, look-alikes, invisible and combining characters folded away.
    Folded,
    /// Spaced or punctuated letters joined.
    Joined,
    /// Leetspeak turned back into letters.
    Leet,
    /// Read backwards.
    Reversed,
    /// Letters rotated or mirrored: ROT13 and the other Caesar shifts, Atbash, ROT47.
    Rotated,
    /// Marks and line breaks between words and inside them read as a reader does.
    Respaced,
    /// Misspelt words put right.
    Respelled,
    /// Words of a spelling alphabet, Braille cells, and regional indicators read as letters.
    Spelled,
    /// Pig Latin turned back into words.
    PigLatin,
    /// The first letters of lines.
    Acrostic,
    /// Characters written as decimal or octal numbers.
    CharCodes,
    /// Base 85 as Adobe writes it.
    Ascii85,
    /// Uuencoded lines.
    Uuencode,
    /// Base64, standard or URL-safe.
    Base64,
    /// Base32.
    Base32,
    /// Hexadecimal bytes.
    Hex,
    /// Binary digits.
    Binary,
    /// Percent-encoding.
    Url,
    /// HTML character references.
    HtmlEntities,
    /// `\uXXXX`, `\xXX`, `\u{...}` and octal escapes.
    UnicodeEscape,
    /// Quoted-printable.
    QuotedPrintable,
    /// Morse code.
    Morse,
    /// Text smuggled in tag characters.
    Tags,
    /// Text smuggled in variation selectors.
    VariationSelectors,
    /// String pieces concatenated, as in `"ign" + "ore"`.
    Concatenated,
}

impl Transform {
    /// The name used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Folded => "folded",
            Self::Joined => "joined",
            Self::Leet => "leet",
            Self::Reversed => "reversed",
            Self::Rotated => "rotated",
            Self::Respaced => "respaced",
            Self::Respelled => "respelled",
            Self::Spelled => "spelled",
            Self::PigLatin => "pig-latin",
            Self::Acrostic => "acrostic",
            Self::CharCodes => "char-codes",
            Self::Ascii85 => "ascii85",
            Self::Uuencode => "uuencode",
            Self::Base64 => "base64",
            Self::Base32 => "base32",
            Self::Hex => "hex",
            Self::Binary => "binary",
            Self::Url => "url",
            Self::HtmlEntities => "html-entities",
            Self::UnicodeEscape => "unicode-escape",
            Self::QuotedPrintable => "quoted-printable",
            Self::Morse => "morse",
            Self::Tags => "tags",
            Self::VariationSelectors => "variation-selectors",
            Self::Concatenated => "concatenated",
        }
    }
}

impl fmt::Display for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that a check saw.
///
/// Holds no raw secret and no raw prompt: where it is, not what it says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The rule it falls under.
    #[serde(serialize_with = "rule_id")]
    pub rule: RuleRef,
    /// The layer that saw it.
    pub layer: Layer,
    /// How sure the check is.
    pub confidence: Confidence,
    /// Where in the original bytes of the subject; `None` for the subject as a whole.
    pub span: Option<Span>,
    /// How the text in which it was seen was made, outermost first; empty for the text as received.
    pub via: Vec<Transform>,
    /// What was seen. Never holds the raw secret or the raw prompt.
    pub message: Cow<'static, str>,
}

fn rule_id<S: serde::Serializer>(rule: &RuleRef, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rule.id)
}
