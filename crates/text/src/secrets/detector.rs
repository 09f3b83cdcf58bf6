//! The check.

use std::{collections::BTreeMap, ops::Range};

use bartizan_core::{Check, CheckError, Confidence, Cx, Layer, Reach, RuleRef, Span, Transform};
use memchr::memmem::Finder;

use super::{
    assigned::{self, KEYWORDS},
    benign, entropy,
    formats::{self, Grow, Rank, SecretFormat, StructuralFormat},
};
use crate::{
    PatternsBuilder, Text, View,
    scan::{Group, Hit, PatternError, PatternSpec},
};

/// Finds keys, tokens, and passwords.
///
/// A secret is found by the looks of its vendor's format, by its place (a header, a URL, a file of
/// credentials), or by the name that it is assigned to. Documented examples, placeholders,
/// references to a secret elsewhere, and digests pass. Where two findings overlap, the more
/// specific one is reported. The span covers what must not be shown, without quotes and names.
#[derive(Debug)]
pub struct Secrets {
    group: Group,
    /// By the number of the pattern.
    formats: Vec<&'static SecretFormat>,
    /// What finds the signs of [`formats::SIGNED`]: a pass for each is cheaper than one for all.
    signs: Vec<(Finder<'static>, &'static StructuralFormat)>,
}

impl Secrets {
    /// Adds the patterns of every format to `patterns`.
    ///
    /// # Errors
    /// When a pattern is refused; the tests of this module keep that from happening.
    pub fn new(patterns: &mut PatternsBuilder) -> Result<Self, PatternError> {
        let group = patterns.group();
        let formats: Vec<_> = formats::all().collect();
        for format in &formats {
            patterns.add(
                group,
                &PatternSpec {
                    pattern: format.pattern,
                    anchors: format.anchors,
                    max_len: Some(format.max_len),
                    ways: &[],
                    looks_ahead: match format.grow {
                        Grow::No => 1,
                        Grow::Right { max, .. } => max + 1,
                        Grow::Lines | Grow::Block => formats::MAX_SECRET,
                    },
                    case_sensitive: format.case_sensitive,
                    inside_words: false,
                    loose: false,
                },
            )?;
        }
        for keyword in &KEYWORDS {
            patterns.add(
                group,
                &PatternSpec {
                    pattern: keyword.pattern,
                    anchors: keyword.anchors,
                    max_len: Some(assigned::MAX_NAME),
                    ways: &[],
                    looks_ahead: 2 * assigned::MAX_VALUE,
                    case_sensitive: false,
                    inside_words: false,
                    loose: false,
                },
            )?;
        }
        let signs = formats::SIGNED.iter();
        let signs = signs.map(|(sign, known)| (Finder::new(*sign), known));
        Ok(Self {
            group,
            formats,
            signs: signs.collect(),
        })
    }

    fn candidates(&self, text: &Text<'_>) -> Vec<Candidate> {
        let mut found = Vec::new();
        for view in text.views() {
            self.structural(view, &mut found);
        }
        // Where the last growing match of each format ended: matches inside it are not tried, so
        // that no byte is looked at twice.
        let mut grown = Grown::default();
        for (view, hit) in text.hits(self.group) {
            let number = hit.pattern as usize;
            if let Some(format) = self.formats.get(number) {
                grown.start_view(view);
                found.extend(matched(view, hit, number, format, &mut grown));
            } else if let Some(keyword) = KEYWORDS.get(number - self.formats.len()) {
                found.extend(assignment(view, hit, keyword));
            }
        }
        found
    }
}

impl Secrets {
    /// Finds the formats that start with no literal by a sign between their parts.
    fn structural(&self, view: &View<'_>, found: &mut Vec<Candidate>) {
        let text = view.text.as_bytes();
        for dot in memchr::memchr_iter(b'.', text) {
            found.extend(
                formats::DOTTED
                    .iter()
                    .filter_map(|known| parted(view, dot, known)),
            );
        }
        for (finder, known) in &self.signs {
            let places = finder.find_iter(text);
            found.extend(places.filter_map(|sign| parted(view, sign, known)));
        }
    }
}

impl Check<Text<'_>> for Secrets {
    fn name(&self) -> &'static str {
        "secrets"
    }

    fn layer(&self) -> Layer {
        Layer::Sensitive
    }

    fn rules(&self) -> Vec<RuleRef> {
        let known = formats::all().map(|format| &format.rule);
        let structural = formats::structural().map(|format| &format.rule);
        let assigned = KEYWORDS.iter().map(|keyword| &keyword.rule);
        known
            .chain(structural)
            .chain(assigned)
            .map(RuleRef::Static)
            .collect()
    }

    fn reach(&self) -> Reach {
        // The longest secret, the longest pattern in front of it, and what stands to its left.
        Reach::Bounded((formats::MAX_SECRET + 1024) as u64)
    }

    fn settled(&self, text: &Text<'_>) -> Option<u64> {
        let structural = text.main().text.len().saturating_sub(STRUCTURAL_REACH);
        Some(text.open_from(self.group).min(structural) as u64)
    }

    fn check(&self, text: &Text<'_>, cx: &mut Cx<'_>) -> Result<(), CheckError> {
        cx.spend(text.raw().len() as u64)?;
        let candidates = self.candidates(text);
        cx.spend(candidates.len() as u64)?;
        for found in without_overlaps(candidates) {
            cx.report_via(
                &found.rule,
                Some(found.span),
                Confidence::clamped(found.confidence),
                &found.via,
                found.rule.title.clone(),
            )?;
        }
        text.complete(self.group)
    }
}

/// The longest token without a literal, with what stands around it, in bytes.
const STRUCTURAL_REACH: usize = 256;

/// What may be reported.
#[derive(Debug)]
struct Candidate {
    rule: RuleRef,
    span: Span,
    via: Vec<Transform>,
    confidence: f32,
    rank: Rank,
}

impl Candidate {
    fn new(view: &View<'_>, range: Range<usize>, format: &'static SecretFormat) -> Option<Self> {
        let value = view.text.as_bytes().get(range.clone())?;
        let refers = format.rank < Rank::Vendor && benign::is_reference(value);
        let random = entropy::shannon(value) >= format.min_entropy;
        if !random
            || refers
            || benign::is_made_up(value)
            || !(format.check)(value)
            || repeats(value, format)
        {
            return None;
        }
        let confidence = match format.proof {
            Some(proof) if proof(value) => 0.99,
            Some(_) => format.confidence * 0.8,
            None => format.confidence,
        };
        Some(Self {
            rule: RuleRef::Static(&format.rule),
            span: view.span(range),
            via: view.via.clone(),
            confidence,
            rank: format.rank,
        })
    }
}

/// A vendor's prefix before something that counts up or repeats itself is an example.
fn repeats(value: &[u8], format: &SecretFormat) -> bool {
    let tail = value.get(value.len() / 3..).unwrap_or_default();
    format.rank >= Rank::Vendor
        && value.len() < 200
        && (entropy::is_repeated(tail) || entropy::longest_sequence(tail) >= 8)
}

fn parted(view: &View<'_>, sign: usize, known: &'static StructuralFormat) -> Option<Candidate> {
    let text = view.text.as_bytes();
    let range = (known.at)(text, sign)?;
    if joins_left(text, range.start) || joins_right(text, range.end) {
        return None;
    }
    Candidate::new(view, range, &known.format)
}

fn matched(
    view: &View<'_>,
    hit: &Hit,
    number: usize,
    format: &'static SecretFormat,
    grown: &mut Grown,
) -> Option<Candidate> {
    let text = view.text.as_bytes();
    let mut value = hit.value.clone();
    match format.grow {
        Grow::No => {}
        Grow::Right { class, max } => {
            if value.start < grown.end_of(number) || joins_left(text, value.start) {
                return None;
            }
            let after = text.get(value.end..)?;
            value.end += after
                .iter()
                .take(max)
                .take_while(|byte| class(**byte))
                .count();
            grown.set(number, value.end);
        }
        Grow::Lines => {
            value.end += further_lines(text.get(value.end..)?);
        }
        Grow::Block => {
            value.end = block_end(text, value.end)?;
        }
    }
    let vendor = format.rank >= Rank::Vendor;
    if vendor && (joins_left(text, value.start) || joins_right(text, value.end)) {
        return None;
    }
    Candidate::new(view, value, format)
}

fn assignment(
    view: &View<'_>,
    hit: &Hit,
    keyword: &'static assigned::Keyword,
) -> Option<Candidate> {
    // Turned letters and joined words make names of keywords out of anything.
    let guessed = |transform: &Transform| {
        matches!(
            transform,
            Transform::Joined
                | Transform::Leet
                | Transform::Reversed
                | Transform::Rotated
                | Transform::Morse
        )
    };
    if view.via.iter().any(guessed) {
        return None;
    }
    let text = view.text.as_bytes();
    let (range, confidence) = assigned::value_after(text, &hit.range, keyword.kind)?;
    Some(Candidate {
        rule: RuleRef::Static(&keyword.rule),
        span: view.span(range),
        via: view.via.clone(),
        confidence,
        rank: Rank::Assigned,
    })
}

/// Whether the byte before `start` belongs to the same word: a letter or a digit that is not the
/// end of an escape such as `\n` or `%3D`.
fn joins_left(text: &[u8], start: usize) -> bool {
    let before = text.get(start.saturating_sub(3)..start).unwrap_or_default();
    let inside = text
        .get(start)
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    inside
        && match before {
            [.., b'\\', b'n' | b'r' | b't'] => false,
            [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => false,
            [.., last] => last.is_ascii_alphanumeric(),
            [] => false,
        }
}

fn joins_right(text: &[u8], end: usize) -> bool {
    let inside = end
        .checked_sub(1)
        .and_then(|at| text.get(at))
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    inside
        && text
            .get(end)
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// The length of the lines of base64 at the start of `rest`, the first of which began before it.
fn further_lines(rest: &[u8]) -> usize {
    let mut end = 0;
    for (number, line) in rest.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let body = line
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
            .count();
        let complete = body == line.trim_ascii_end().len();
        if number > 0 && !(complete && body > 0 && body.is_multiple_of(4)) {
            break;
        }
        end += if complete { line.len() } else { body };
        if !complete || end > formats::MAX_SECRET {
            break;
        }
    }
    rest.get(..end).unwrap_or_default().trim_ascii_end().len()
}

/// The end of the armoured block whose first line ends at `from`: after its last line if that
/// comes next, else after the last byte that may be part of its body. A block that was cut off is
/// as secret as a whole one.
fn block_end(text: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..text.len().min(from + formats::MAX_SECRET))?;
    // PGP blocks end in `=` and a checksum, PEM headers hold single dashes.
    let body = memchr::memmem::find(rest, b"----").unwrap_or_else(|| {
        rest.iter()
            .take_while(|byte| {
                byte.is_ascii_alphanumeric()
                    || byte.is_ascii_whitespace()
                    || matches!(
                        byte,
                        b'+' | b'/'
                            | b'='
                            | b'\\'
                            | b'"'
                            | b','
                            | b':'
                            | b'-'
                            | b'\''
                            | b'.'
                            | b'('
                            | b')'
                    )
            })
            .count()
    });
    let key = rest
        .get(..body)?
        .iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .count();
    if key < 40 {
        return None;
    }
    let end_line = rest.get(body..)?;
    let closes = end_line.starts_with(b"-----END ") || end_line.starts_with(b"---- END ");
    if !closes {
        return Some(from + body);
    }
    let dashes = memchr::memmem::find(end_line.get(5..)?, b"----");
    let mut length = dashes.map_or(body, |at| body + 5 + at + 4);
    length += usize::from(rest.get(length) == Some(&b'-'));
    Some(from + length)
}

/// Where growing matches ended, by format, in the view that is being read.
#[derive(Default)]
struct Grown {
    view: usize,
    ends: BTreeMap<usize, usize>,
}

impl Grown {
    fn start_view(&mut self, view: &View<'_>) {
        let address = std::ptr::from_ref(view).addr();
        if self.view != address {
            self.view = address;
            self.ends.clear();
        }
    }

    fn end_of(&self, format: usize) -> usize {
        self.ends.get(&format).copied().unwrap_or(0)
    }

    fn set(&mut self, format: usize, end: usize) {
        self.ends.insert(format, end);
    }
}

/// Keeps the best of the candidates that overlap: the more specific, then the longer, then the one
/// that needed less decoding. Returns them in order of their place.
fn without_overlaps(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    let length = |found: &Candidate| found.span.as_range().len();
    candidates.sort_by(|a, b| {
        b.rank
            .cmp(&a.rank)
            .then_with(|| length(b).cmp(&length(a)))
            .then_with(|| a.via.len().cmp(&b.via.len()))
            .then_with(|| b.confidence.total_cmp(&a.confidence))
    });
    let mut kept: BTreeMap<usize, Candidate> = BTreeMap::new();
    for found in candidates {
        let range = found.span.as_range();
        let before = kept.range(..range.end).next_back();
        let overlaps = before.is_some_and(|(_, other)| other.span.as_range().end > range.start);
        if !overlaps {
            kept.insert(range.start, found);
        }
    }
    kept.into_values().collect()
}
