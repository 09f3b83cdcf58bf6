//! Reads the hits of rule patterns in a text.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use bartizan_core::{
    Category, Check, CheckError, Confidence, Cx, Layer, Origin, Reach, RuleRef, Span, Transform,
};

use super::{
    context::Near,
    set::{Compiled, RuleSet},
    validator::{self, Validator},
};
use crate::{
    PatternsBuilder, Text, View, mention,
    scan::{Group, Hit, PatternError, PatternSpec},
};

/// The check that reports the rules of a [`RuleSet`].
#[derive(Debug)]
pub struct Rules {
    group: Group,
    set: Arc<RuleSet>,
    rules: Vec<Armed>,
    /// The rule of each pattern.
    of_pattern: Vec<u32>,
    reach: usize,
}

/// Findings of one rule in one text that are reported one by one; the last one counts the rest.
pub const MAX_FINDINGS_PER_RULE: usize = 16;

/// A rule with what is only needed while matching.
#[derive(Debug)]
struct Armed {
    rule: Compiled,
    all: Vec<Near>,
    raise: Option<Near>,
    lower: Option<Near>,
    unless: Option<Near>,
    validator: Option<Validator>,
}

impl Rules {
    /// Adds the patterns of `set` to `builder`.
    ///
    /// # Errors
    /// When a pattern is not usable; sets from [`RuleSet::load`] were checked for that.
    pub fn register(
        set: Arc<RuleSet>,
        builder: &mut PatternsBuilder,
    ) -> Result<Self, PatternError> {
        let group = builder.group();
        let mut rules = Vec::new();
        let mut of_pattern = Vec::new();
        let mut reach = 0;
        for (index, rule) in set.rules().enumerate() {
            let mut longest = 0;
            for pattern in &rule.patterns {
                builder.add(
                    group,
                    &PatternSpec {
                        pattern: &pattern.pattern,
                        anchors: &[],
                        max_len: Some(pattern.max_len),
                        ways: &pattern.ways,
                        looks_ahead: 2 * rule.within + 1,
                        case_sensitive: false,
                        inside_words: false,
                        loose: true,
                    },
                )?;
                of_pattern.push(u32::try_from(index).unwrap_or(u32::MAX));
                longest = longest.max(pattern.max_len);
            }
            let armed = Armed::new(rule);
            reach = reach.max(
                longest
                    + if armed.looks_around() {
                        2 * rule.within
                    } else {
                        0
                    },
            );
            rules.push(armed);
        }
        Ok(Self {
            group,
            set,
            rules,
            of_pattern,
            reach,
        })
    }

    /// The set that it reports.
    #[must_use]
    pub const fn set(&self) -> &Arc<RuleSet> {
        &self.set
    }
}

impl Check<Text<'_>> for Rules {
    fn name(&self) -> &'static str {
        "rules"
    }

    fn layer(&self) -> Layer {
        Layer::Rules
    }

    fn rules(&self) -> Vec<RuleRef> {
        let rules = self.rules.iter();
        rules
            .map(|armed| RuleRef::Shared(Arc::clone(&armed.rule.rule)))
            .collect()
    }

    fn reach(&self) -> Reach {
        Reach::Bounded(self.reach as u64)
    }

    fn settled(&self, text: &Text<'_>) -> Option<u64> {
        Some(text.open_from(self.group) as u64)
    }

    fn check(&self, text: &Text<'_>, cx: &mut Cx<'_>) -> Result<(), CheckError> {
        let mut found: BTreeMap<u32, Found<'_>> = BTreeMap::new();
        for (view, hit) in text.hits(self.group) {
            cx.spend(1)?;
            let Some((index, armed)) =
                self.of_pattern.get(hit.pattern as usize).and_then(|index| {
                    let armed = self.rules.get(*index as usize)?;
                    armed.rule.reads(text.origin).then_some((*index, armed))
                })
            else {
                continue;
            };
            let so_far = found.entry(index).or_default();
            let span = view.span(hit.range.clone());
            if so_far.knows(span) {
                continue;
            }
            if so_far.places.len() == MAX_FINDINGS_PER_RULE {
                so_far.more += 1;
                continue;
            }
            cx.spend(armed.cost(hit))?;
            if let Some(confidence) = armed.judge(text.origin, view, hit) {
                so_far.places.push(Place {
                    span,
                    confidence,
                    via: &view.via,
                });
            }
        }
        for (index, found) in &found {
            if let Some(armed) = self.rules.get(*index as usize) {
                found.report(&armed.rule, cx)?;
            }
        }
        text.complete(self.group)
    }
}

/// Where one rule was found.
#[derive(Debug, Default)]
struct Found<'a> {
    places: Vec<Place<'a>>,
    /// Hits beyond the limit, their context not looked at.
    more: u32,
}

#[derive(Debug)]
struct Place<'a> {
    span: Span,
    confidence: Confidence,
    via: &'a [Transform],
}

impl Found<'_> {
    /// Whether the rule was found there already, in this view or in another.
    fn knows(&self, span: Span) -> bool {
        self.places.iter().any(|place| place.span.overlaps(span))
    }

    fn report(&self, rule: &Compiled, cx: &mut Cx<'_>) -> Result<(), CheckError> {
        let shared = RuleRef::Shared(Arc::clone(&rule.rule));
        for (index, place) in self.places.iter().enumerate() {
            let last = index + 1 == self.places.len();
            let message = match self.more {
                more @ 1.. if last => format!(
                    "{}; up to {more} more places are not listed",
                    rule.rule.title
                )
                .into(),
                _ => rule.rule.title.clone(),
            };
            let span = Some(place.span);
            cx.report_via(&shared, span, place.confidence, place.via, message)?;
        }
        Ok(())
    }
}

impl Armed {
    fn new(rule: &Compiled) -> Self {
        let near = |source: &Option<String>| source.as_deref().map(Near::new);
        Self {
            all: rule.all.iter().map(|source| Near::new(source)).collect(),
            raise: near(&rule.raise),
            lower: near(&rule.lower),
            unless: near(&rule.unless),
            validator: rule.validator.as_deref().and_then(validator::named),
            rule: rule.clone(),
        }
    }

    fn looks_around(&self) -> bool {
        !self.all.is_empty()
            || self.raise.is_some()
            || self.lower.is_some()
            || self.unless.is_some()
            || self.is_attack()
    }

    fn cost(&self, hit: &Hit) -> u64 {
        let around = if self.looks_around() {
            2 * self.rule.within
        } else {
            0
        };
        (hit.range.len() + around) as u64
    }

    /// Whether an attack stands in a quotation that the text around it only talks about.
    fn is_mentioned(&self, view: &View<'_>, range: &Range<usize>, around: Range<usize>) -> bool {
        let start = view.text.ceil_char_boundary(around.start);
        let end = view.text.floor_char_boundary(around.end);
        let hit = range.start.saturating_sub(start)..range.end.saturating_sub(start);
        self.is_attack()
            && view
                .text
                .get(start..end)
                .is_some_and(|around| mention::is_mentioned(around, hit))
    }

    fn is_attack(&self) -> bool {
        Category::ATTACKS.contains(&self.rule.rule.category)
    }

    /// How sure the rule is about a hit; `None` when it is none after all.
    fn judge(&self, origin: Origin, view: &View<'_>, hit: &Hit) -> Option<Confidence> {
        let text = view.text.as_bytes();
        if !self.rule.inside_words && starts_inside_word(view, &hit.range) {
            return None;
        }
        if let Some(validator) = self.validator
            && !(validator.test)(text.get(hit.value.clone())?)
        {
            return None;
        }
        let start = hit.range.start.saturating_sub(self.rule.within);
        let end = hit
            .range
            .end
            .saturating_add(self.rule.within)
            .min(text.len());
        let near = |words: &Near| words.matches(text, start..end);
        if self.unless.as_ref().is_some_and(near) || !self.all.iter().all(near) {
            return None;
        }
        let mut confidence = self.rule.confidence;
        if self.raise.as_ref().is_some_and(near) {
            confidence += (1.0 - confidence) / 2.0;
        }
        if self.lower.as_ref().is_some_and(near) {
            confidence /= 2.0;
        }
        if origin == Origin::User && self.is_mentioned(view, &hit.range, start..end) {
            confidence *= MENTIONED;
        }
        Some(Confidence::clamped(through(confidence, &view.via)))
    }
}

/// What is left of the confidence in an attack that is quoted and talked about.
const MENTIONED: f32 = 0.4;

/// Whether a match that starts with an ASCII letter or digit starts inside a word.
fn starts_inside_word(view: &View<'_>, range: &Range<usize>) -> bool {
    if view.via.contains(&Transform::Joined) {
        return false;
    }
    let text = view.text.as_bytes();
    let is_word = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    is_word(range.start) && range.start.checked_sub(1).is_some_and(is_word)
}

/// The confidence of what was seen in a view made by `via`.
///
/// Guessed readings (leet, joined, respelled, turned letters) may be accidents and count a little
/// less.
/// Encodings that people hide things in count more. Those that the web uses count the same.
fn through(confidence: f32, via: &[Transform]) -> f32 {
    via.iter()
        .fold(confidence, |confidence, transform| match transform {
            Transform::Leet
            | Transform::Joined
            | Transform::Reversed
            | Transform::Rotated
            | Transform::Respaced
            | Transform::Respelled
            | Transform::PigLatin
            | Transform::Acrostic => confidence * 0.95,
            Transform::Base64
            | Transform::Base32
            | Transform::Ascii85
            | Transform::Uuencode
            | Transform::CharCodes
            | Transform::Spelled
            | Transform::Hex
            | Transform::Binary
            | Transform::Morse
            | Transform::Tags
            | Transform::VariationSelectors => confidence + (1.0 - confidence) * 0.3,
            _ => confidence,
        })
}
