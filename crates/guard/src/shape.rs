//! Sizes, kinds, control characters, and repetition of a part: the first and cheapest layer.

use std::borrow::Cow;

use bartizan_core::{
    Category, Check, CheckError, Confidence, Cx, Layer, Rule, RuleRef, Severity, Span,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conversation::{Part, PartKind};

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
        if let Some((run, span)) = longest_char_run(text)
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
        if let Some((run, span)) = longest_word_run(text)
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

/// An estimate of the tokens of a text, within about a third for the usual byte-pair vocabularies:
/// 4 bytes of a Latin word, 3 digits, a mark, or a character of another script each.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenEstimate {
    whole: usize,
    quarters: usize,
}

impl TokenEstimate {
    /// The estimate for a text.
    #[must_use]
    pub fn of(text: &str) -> usize {
        let mut estimate = Self::default();
        text.chars().for_each(|character| estimate.add(character));
        estimate.count()
    }

    fn add(&mut self, character: char) {
        match character {
            'a'..='z' | 'A'..='Z' => self.quarters += 1,
            '0'..='9' => self.quarters += 2,
            // White space goes with the word after it.
            ' ' | '\n' | '\t' | '\r' => self.quarters += 1,
            '\u{80}'..='\u{24f}' => self.quarters += 2,
            _ => self.whole += 1,
        }
    }

    const fn count(self) -> usize {
        self.whole + self.quarters.div_ceil(4)
    }
}

/// Control characters other than white space: C0, DEL, and C1.
fn controls(text: &str) -> Option<(usize, Span)> {
    // C1 controls are two bytes in UTF-8, the first of which is 0xC2.
    let mut count = 0;
    let mut ends: Option<(usize, usize)> = None;
    let bytes = text.as_bytes();
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

/// The longest run of one character that is neither white space nor the ink of a rule line.
fn longest_char_run(text: &str) -> Option<(usize, Span)> {
    let is_plain = |character: char| {
        character.is_whitespace() || matches!(character, '-' | '=' | '_' | '*' | '#' | '.' | '~')
    };
    let mut longest: Option<(usize, Span)> = None;
    let mut run: Option<(char, usize, usize)> = None;
    for (at, character) in text.char_indices() {
        let (start, count) = match run {
            Some((same, start, count)) if same == character => (start, count + 1),
            _ => (at, 1),
        };
        run = Some((character, start, count));
        if !is_plain(character) && longest.is_none_or(|(most, _)| count > most) {
            longest = Some((count, Span::from_range(start..at + character.len_utf8())));
        }
    }
    longest
}

/// The longest run of one word, or of one phrase of up to four words, counted in repeats.
fn longest_word_run(text: &str) -> Option<(usize, Span)> {
    const MAX_PHRASE: usize = 4;
    let mut longest: Option<(usize, Span)> = None;
    // The last words with their places; run[p] counts how long each word equals the one p before.
    let mut recent: [(&str, usize); MAX_PHRASE] = [("", 0); MAX_PHRASE];
    let mut runs = [(0_usize, 0_usize); MAX_PHRASE];
    for word in text.split_whitespace() {
        let at = word.as_ptr() as usize - text.as_ptr() as usize;
        for (back, ((earlier, place), (matched, start))) in recent.iter().zip(&mut runs).enumerate()
        {
            if *earlier != word {
                *matched = 0;
                continue;
            }
            if *matched == 0 {
                *start = *place;
            }
            *matched += 1;
            let repeats = *matched / (back + 1) + 1;
            if longest.is_none_or(|(most, _)| repeats > most) {
                longest = Some((repeats, Span::from_range(*start..at + word.len())));
            }
        }
        recent.rotate_right(1);
        if let Some(first) = recent.first_mut() {
            *first = (word, at);
        }
    }
    longest
}

/// Every rule of this layer.
pub static RULES: [&Rule; 5] = [&TOO_LONG, &TRUNCATED, &UNKNOWN_PART, &CONTROLS, &REPEATED];

const fn rule(
    id: &'static str,
    title: &'static str,
    severity: Severity,
    category: Category,
    why: &'static str,
    fix: &'static str,
) -> Rule {
    Rule {
        id: Cow::Borrowed(id),
        title: Cow::Borrowed(title),
        severity,
        category,
        refs: Cow::Borrowed(&[Cow::Borrowed("LLM10:2025")]),
        why: Cow::Borrowed(why),
        fix: Cow::Borrowed(fix),
        entity: None,
    }
}

static TOO_LONG: Rule = rule(
    "shape.too-long",
    "text longer than allowed",
    Severity::High,
    Category::Shape,
    "Long texts cost time and money, and bury instructions where nobody looks.",
    "Send a shorter text, or raise the limit for this route.",
);

static TRUNCATED: Rule = rule(
    "shape.truncated",
    "text was cut to the limit",
    Severity::Info,
    Category::Shape,
    "The model did not see the end of the text, so its answer may miss what stood there.",
    "Send a shorter text, raise the limit, or switch truncation off.",
);

static UNKNOWN_PART: Rule = rule(
    "shape.unknown-part-type",
    "a part of a kind that no format knows",
    Severity::High,
    Category::Shape,
    "What is not understood cannot be checked, while the model behind may understand it.",
    "Send text, or allow the rule `shape.unknown-part-type` for this route after review.",
);

static CONTROLS: Rule = rule(
    "shape.control-characters",
    "control characters in a text",
    Severity::Low,
    Category::Shape,
    "Control characters change how terminals and logs show a text, and hide parts of it.",
    "Remove them before sending.",
);

static REPEATED: Rule = rule(
    "shape.repeated-token",
    "one word or character repeated without end",
    Severity::Medium,
    Category::Amplification,
    "Endless repetition makes models ramble, leak training data, or work until the limit.",
    "Send the text without the repetition.",
);

#[cfg(test)]
mod tests {
    use bartizan_core::{Limits, Origin, Report, Verdict};
    use bartizan_policy::{DecisionContext, Direction, Policy};

    use super::*;
    use crate::conversation::{ParseLimits, parse};

    fn part(text: &str) -> Part {
        let body = serde_json::json!({ "prompt": text }).to_string();
        parse(body.as_bytes(), &ParseLimits::default())
            .unwrap()
            .parts
            .remove(0)
    }

    fn look(shape: Shape, part: &Part) -> (Vec<String>, Verdict) {
        let mut report = Report::default();
        report.run(&shape, part, Limits::default());
        let today = "2026-11-21".parse().unwrap();
        let cx = DecisionContext::new(Direction::Input, Origin::User, today);
        let verdict = Policy::default().decide(&report, &cx).enforced();
        let rules = report
            .findings
            .iter()
            .map(|finding| finding.rule.id.to_string());
        (rules.collect(), verdict)
    }

    fn check(text: &str) -> (Vec<String>, Verdict) {
        look(Shape::default(), &part(text))
    }

    fn prose(chars: usize) -> String {
        "Seven ducks walk over a wet road at dawn. "
            .chars()
            .cycle()
            .take(chars)
            .collect()
    }

    #[test]
    fn in_05_one_character_too_many_is_refused() {
        assert_eq!(check(&prose(10_000)), (vec![], Verdict::Allow));
        assert_eq!(
            check(&prose(10_001)),
            (vec!["shape.too-long".into()], Verdict::Block)
        );
    }

    #[test]
    fn ws_25_nothing_is_cut_unless_configured_and_then_it_is_reported() {
        let long = part(&prose(12_000));
        assert_eq!(Shape::default().kept(&long), long.text);
        let cutting = Shape::new(ShapeLimits {
            max_chars: 4_000,
            truncate: true,
            ..ShapeLimits::default()
        });
        assert_eq!(cutting.kept(&long).len(), 4_000);
        assert_eq!(
            look(cutting, &long),
            (vec!["shape.truncated".into()], Verdict::Allow)
        );
    }

    #[test]
    fn bytes_and_tokens_count_too() {
        let tight = |limits| look(Shape::new(limits), &part("ééééé")).0;
        assert_eq!(
            tight(ShapeLimits {
                max_bytes: 9,
                ..ShapeLimits::default()
            }),
            ["shape.too-long"]
        );
        assert_eq!(
            tight(ShapeLimits {
                max_tokens: 2,
                ..ShapeLimits::default()
            }),
            ["shape.too-long"]
        );
        assert!(
            tight(ShapeLimits {
                max_bytes: 10,
                ..ShapeLimits::default()
            })
            .is_empty()
        );
        assert_eq!(TokenEstimate::of("Hello, world!"), 5);
    }

    #[test]
    fn in_16_unknown_parts_are_denied_by_default() {
        let body = br#"{"messages":[{"role":"user","content":[{"type":"hologram","beam":"x"}]}]}"#;
        let conversation = parse(body, &ParseLimits::default()).unwrap();
        let seen = look(Shape::default(), &conversation.parts[0]);
        assert_eq!(
            seen,
            (vec!["shape.unknown-part-type".into()], Verdict::Block)
        );
    }

    #[test]
    fn in_25_endless_repetition_is_seen() {
        for text in [
            "poem ".repeat(1500),
            "A".repeat(5000),
            "say it again now ".repeat(500),
        ] {
            let (rules, verdict) = check(&text);
            assert_eq!(rules, ["shape.repeated-token"]);
            assert!(verdict >= Verdict::Ask, "{verdict}");
        }
        for text in [
            "-".repeat(3000),
            "na ".repeat(16),
            "ha".repeat(30),
            " ".repeat(3000),
        ] {
            assert!(check(&text).0.is_empty());
        }
    }

    #[test]
    fn control_characters_are_flagged_only() {
        assert_eq!(
            check("a\u{1b}[31m\u{9b}b"),
            (vec!["shape.control-characters".into()], Verdict::Allow)
        );
        assert!(check("line\r\n\tnext\u{a0}é").0.is_empty());
    }
}
