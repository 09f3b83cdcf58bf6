//! Sizes, kinds, control characters, and repetition of a part: the first and cheapest layer.

mod repetition;
mod rules;
mod tokens;

use bartizan_core::{Check, CheckError, Confidence, Cx, Layer, Rule, RuleRef, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conversation::{Part, PartKind};
use repetition::{longest_char_run, longest_word_run, may_have_words, may_run};
use rules::{CONTROLS, REPEATED, TOO_LONG, TRUNCATED, UNKNOWN_PART};

pub use rules::RULES;
pub use tokens::TokenEstimate;

/// How large a part may be, and what counts as repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ShapeLimits {
    /// Characters of one part; 10,000 by default.
    pub max_chars: usize,
    /// Bytes of one part; 40,000 by default.
    pub max_bytes: usize,
    /// Estimated tokens of one part; 8,000 by default.
    pub max_tokens: usize,
    /// Characters of a part that is a document or comes from a tool; 200,000 by default, with bytes
    /// and tokens in proportion.
    pub max_foreign_chars: usize,
    /// How often in a row one word may come; 200 by default.
    pub max_word_run: usize,
    /// How often in a row one character other than white space or a rule line may come; 1,000 by
    /// default.
    pub max_char_run: usize,
    /// Cut what is too long instead of refusing it. The cut is reported.
    pub truncate: bool,
}

impl Default for ShapeLimits {
    fn default() -> Self {
        Self {
            max_chars: 10_000,
            max_bytes: 40_000,
            max_tokens: 8_000,
            max_foreign_chars: 200_000,
            max_word_run: 200,
            max_char_run: 1_000,
            truncate: false,
        }
    }
}

/// Looks at the shape of parts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shape {
    limits: ShapeLimits,
}

impl Shape {
    /// A check under `limits`.
    #[must_use]
    pub const fn new(limits: ShapeLimits) -> Self {
        Self { limits }
    }

    /// What of `part` goes on: all of it, unless it is too long and truncation is configured.
    ///
    /// Whoever forwards a shorter text reports it: the check does so under `shape.truncated`.
    #[must_use]
    pub fn kept<'p>(&self, part: &'p Part) -> &'p str {
        if !self.limits.truncate {
            return &part.text;
        }
        self.excess(part)
            .and_then(|excess| part.text.get(..excess.from))
            .unwrap_or(&part.text)
    }

    /// By what a part is too long, and from which byte on.
    fn excess(&self, part: &Part) -> Option<Excess> {
        let foreign = matches!(
            part.kind,
            PartKind::ToolResult | PartKind::Document | PartKind::File | PartKind::Metadata
        );
        let base = self.limits.max_chars.max(1);
        let max_chars = if foreign {
            self.limits.max_foreign_chars
        } else {
            base
        };
        let scaled = |limit: usize| limit.saturating_mul(max_chars) / base;
        let (max_bytes, max_tokens) = (
            scaled(self.limits.max_bytes),
            scaled(self.limits.max_tokens),
        );
        // No text has more characters or tokens than bytes.
        if part.text.len() <= max_chars.min(max_bytes).min(max_tokens) {
            return None;
        }
        let mut tokens = TokenEstimate::default();
        for (count, (at, character)) in part.text.char_indices().enumerate() {
            tokens.add(character);
            let unit = if count >= max_chars {
                "characters"
            } else if at + character.len_utf8() > max_bytes {
                "bytes"
            } else if tokens.count() > max_tokens {
                "tokens"
            } else {
                continue;
            };
            let limit = match unit {
                "characters" => max_chars,
                "bytes" => max_bytes,
                _ => max_tokens,
            };
            return Some(Excess {
                from: at,
                unit,
                limit,
            });
        }
        None
    }

    fn size(&self, part: &Part, cx: &mut Cx<'_>) -> Result<(), CheckError> {
        let Some(Excess { from, unit, limit }) = self.excess(part) else {
            return Ok(());
        };
        let span = Span::from_range(from..part.text.len());
        let bytes = part.text.len();
        if self.limits.truncate {
            let message = format!("cut after {limit} {unit}; the text has {bytes} bytes");
            return report(cx, &TRUNCATED, Some(span), 1.0, message);
        }
        let message = format!("more than {limit} {unit}; the text has {bytes} bytes");
        report(cx, &TOO_LONG, Some(span), 1.0, message)
    }

    fn repetition(&self, text: &str, cx: &mut Cx<'_>) -> Result<(), CheckError> {
        if may_run(text, self.limits.max_char_run)
            && let Some((run, span)) = longest_char_run(text)
            && run > self.limits.max_char_run
        {
            let message = format!("one character {run} times in a row");
            return report(
                cx,
                &REPEATED,
                Some(span),
                run_confidence(run, self.limits.max_char_run),
                message,
            );
        }
        if may_have_words(text, self.limits.max_word_run)
            && let Some((run, span)) = longest_word_run(text)
            && run > self.limits.max_word_run
        {
            let message = format!("one word or phrase {run} times in a row");
            return report(
                cx,
                &REPEATED,
                Some(span),
                run_confidence(run, self.limits.max_word_run),
                message,
            );
        }
        Ok(())
    }
}

struct Excess {
    from: usize,
    unit: &'static str,
    limit: usize,
}

impl Check<Part> for Shape {
    fn name(&self) -> &'static str {
        "shape"
    }

    fn layer(&self) -> Layer {
        Layer::Shape
    }

    fn rules(&self) -> Vec<RuleRef> {
        RULES.iter().map(|&rule| RuleRef::from(rule)).collect()
    }

    fn check(&self, part: &Part, cx: &mut Cx<'_>) -> Result<(), CheckError> {
        cx.spend(part.text.len() as u64)?;
        if let PartKind::Unknown(name) = &part.kind
            && part.text.is_empty()
        {
            report(
                cx,
                &UNKNOWN_PART,
                None,
                1.0,
                format!("no format knows a `{name}` here"),
            )?;
        }
        self.size(part, cx)?;
        if let Some((count, span)) = controls(&part.text) {
            let message = format!("{count} control characters");
            report(cx, &CONTROLS, Some(span), 0.9, message)?;
        }
        self.repetition(&part.text, cx)
    }
}

fn report(
    cx: &mut Cx<'_>,
    rule: &'static Rule,
    span: Option<Span>,
    confidence: f32,
    message: String,
) -> Result<(), CheckError> {
    cx.report(&rule.into(), span, Confidence::clamped(confidence), message)
}

/// Just over the limit is odd, ten times the limit is an attack.
fn run_confidence(run: usize, limit: usize) -> f32 {
    let times = run as f32 / limit.max(1) as f32;
    (0.5 + 0.2 * times.log2()).clamp(0.5, 1.0)
}

/// Control characters other than white space: C0, DEL, and C1.
fn controls(text: &str) -> Option<(usize, Span)> {
    // C1 controls are two bytes in UTF-8, the first of which is 0xC2.
    let bytes = text.as_bytes();
    let may_be = |byte: u8| {
        (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) | matches!(byte, 0x7f | 0xc2)
    };
    if !bytes.iter().fold(false, |any, byte| any | may_be(*byte)) {
        return None;
    }
    let mut count = 0;
    let mut ends: Option<(usize, usize)> = None;
    for (at, &byte) in bytes.iter().enumerate() {
        let is_c0 = byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c);
        let is_c1 = byte == 0xc2
            && bytes
                .get(at + 1)
                .is_some_and(|next| (0x80..0xa0).contains(next) && *next != 0x85);
        if is_c0 || byte == 0x7f || is_c1 {
            count += 1;
            let first = ends.map_or(at, |(first, _)| first);
            ends = Some((first, at + 1 + usize::from(is_c1)));
        }
    }
    ends.map(|(first, last)| (count, Span::from_range(first..last)))
}

#[cfg(test)]
mod tests;
