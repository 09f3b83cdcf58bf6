use std::{collections::HashSet, ops::Range};

use bartizan_core::{CheckError, Confidence, Layer, Report, Rule, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    citation::{Citation, CitationStyle, citations},
    facts::{Name, Number, names, numbers, word_set},
    rules,
    sentences::sentences,
    words::{content_words, denies, opposes},
};
use crate::telling::{Teller, Told};

const TELLER: Teller = Teller {
    check: "grounding",
    layer: Layer::Grounding,
};

/// How closely answers must keep to the evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct GroundingSettings {
    /// Share of a claim's content words that one passage must have, from 0 to 1; 0.5 by default.
    pub min_overlap: f32,
    /// Share of claims that must hold for the whole answer to count as grounded; 1 by default.
    pub min_supported: f32,
    /// How answers cite.
    pub citations: CitationStyle,
    /// What is said instead of an answer that is not grounded.
    pub fallback: String,
    /// Claims of one answer; more are not looked at.
    pub max_claims: usize,
    /// Bytes of evidence; more are not looked at.
    pub max_evidence_bytes: usize,
}

impl Default for GroundingSettings {
    fn default() -> Self {
        Self {
            min_overlap: 0.5,
            min_supported: 1.0,
            citations: CitationStyle::Brackets,
            fallback: "The documents that I may use do not answer this.".to_owned(),
            max_claims: 500,
            max_evidence_bytes: 4 << 20,
        }
    }
}

/// A piece of evidence.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'e> {
    /// Its id.
    pub id: &'e str,
    /// What it says.
    pub text: &'e str,
}

/// A sentence of the answer, and whether it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Bytes of the answer.
    pub range: Range<usize>,
    /// The piece of evidence that has most of it.
    pub evidence: Option<usize>,
    /// Share of its content words in one passage of that piece, from 0 to 1.
    pub overlap: f32,
    /// What does not hold, with its place in the answer.
    pub unsupported: Vec<(Unsupported, Range<usize>)>,
}

/// Why a claim does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unsupported {
    /// A number or date is not in the evidence.
    Number,
    /// A name is not in the evidence.
    Name,
    /// No passage has enough of its words.
    Words,
    /// It denies what the passage says, or says what the passage denies.
    Denial,
}

/// An answer held against its evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Grounding {
    /// Its claims, in order.
    pub claims: Vec<Claim>,
    /// Its citations, in order.
    pub citations: Vec<Citation>,
    /// What was not looked at.
    pub gap: Option<CheckError>,
    has_evidence: bool,
}

impl Claim {
    /// Whether everything in it is in the evidence.
    #[must_use]
    pub const fn is_supported(&self) -> bool {
        self.unsupported.is_empty()
    }
}

impl Grounding {
    /// Holds `answer` against `evidence`.
    #[must_use]
    pub fn of(answer: &str, evidence: &[Evidence<'_>], settings: &GroundingSettings) -> Self {
        let ids: Vec<&str> = evidence.iter().map(|piece| piece.id).collect();
        let citations = match settings.citations {
            CitationStyle::Brackets => citations(answer, &ids),
            CitationStyle::None => Vec::new(),
        };
        let bytes: usize = evidence.iter().map(|piece| piece.text.len()).sum();
        let all = sentences(answer);
        let gap = if bytes > settings.max_evidence_bytes {
            Some(("max-evidence-bytes", settings.max_evidence_bytes))
        } else if all.len() > settings.max_claims {
            Some(("max-claims", settings.max_claims))
        } else {
            None
        };
        let passages = if bytes > settings.max_evidence_bytes {
            Vec::new()
        } else {
            passages(evidence)
        };
        let claims = all
            .into_iter()
            .take(settings.max_claims)
            .filter_map(|range| claim(answer, range, &citations, &passages, settings))
            .collect();
        Self {
            claims,
            citations,
            gap: gap.map(|(limit, at)| CheckError::Exhausted {
                limit,
                at: at as u64,
            }),
            has_evidence: evidence.iter().any(|piece| !piece.text.trim().is_empty()),
        }
    }

    /// Share of claims that hold, from 0 to 1; 1 where nothing is claimed.
    #[must_use]
    pub fn score(&self) -> f32 {
        let held = self.claims.iter().filter(|claim| claim.is_supported());
        if self.claims.is_empty() {
            1.0
        } else {
            held.count() as f32 / self.claims.len() as f32
        }
    }

    /// Whether the answer may be given: enough claims hold, every citation leads somewhere, and
    /// everything was looked at.
    #[must_use]
    pub fn is_grounded(&self, settings: &GroundingSettings) -> bool {
        self.gap.is_none()
            && self.score() >= settings.min_supported
            && self
                .citations
                .iter()
                .all(|citation| citation.evidence.is_some())
            && (self.has_evidence || self.claims.is_empty())
    }

    /// `answer` without the citations that lead nowhere.
    #[must_use]
    pub fn stripped(&self, answer: &str) -> String {
        let mut out = String::with_capacity(answer.len());
        let mut at = 0;
        for citation in self.citations.iter().filter(|c| c.evidence.is_none()) {
            let before = answer.get(at..citation.range.start).unwrap_or_default();
            out.push_str(before.strip_suffix(' ').unwrap_or(before));
            at = citation.range.end;
        }
        out.push_str(answer.get(at..).unwrap_or_default());
        out
    }

    /// Adds what does not hold to `report`, under the layer `grounding`.
    pub fn report(&self, report: &mut Report) {
        let mut found = Vec::new();
        let mut tell = |rule: &'static Rule, range: Option<Range<usize>>, confidence: f32| {
            found.push(Told {
                rule,
                span: range.map(Span::from_range),
                confidence: Confidence::clamped(confidence),
                message: rule.title.clone(),
            });
        };
        if !self.has_evidence && !self.claims.is_empty() {
            tell(&rules::NO_EVIDENCE, None, 1.0);
        }
        for claim in self.claims.iter().filter(|_| self.has_evidence) {
            for (why, range) in &claim.unsupported {
                let (rule, confidence) = match why {
                    Unsupported::Number => (&rules::UNSUPPORTED_NUMBER, 0.9),
                    Unsupported::Name => (&rules::UNSUPPORTED_NAME, 0.7),
                    Unsupported::Words => (&rules::UNSUPPORTED_CLAIM, 0.9 - 0.5 * claim.overlap),
                    Unsupported::Denial => (&rules::CONTRADICTED, 0.5),
                };
                tell(rule, Some(range.clone()), confidence);
            }
        }
        for citation in self.citations.iter().filter(|c| c.evidence.is_none()) {
            tell(
                &rules::UNRESOLVED_CITATION,
                Some(citation.range.clone()),
                0.95,
            );
        }
        let outcome = self.gap.clone().map_or(Ok(()), Err);
        TELLER.tell(report, outcome, found);
    }
}

/// A sentence of evidence, with the one after it: a claim may draw on both.
struct Passage {
    evidence: usize,
    /// Words of both sentences.
    words: HashSet<String>,
    /// Words of the first.
    own: HashSet<String>,
    all_words: HashSet<String>,
    /// Numbers of the first sentence.
    numbers: Vec<Number>,
    /// Whether the first sentence denies something.
    denies: bool,
}

fn passages(evidence: &[Evidence<'_>]) -> Vec<Passage> {
    let mut out = Vec::new();
    for (number, piece) in evidence.iter().enumerate() {
        let sentences = sentences(piece.text);
        for (at, first) in sentences.iter().enumerate() {
            let last = sentences.get(at + 1).unwrap_or(first);
            let both = piece.text.get(first.start..last.end).unwrap_or_default();
            let alone = piece.text.get(first.clone()).unwrap_or_default();
            out.push(Passage {
                evidence: number,
                words: content_words(both),
                own: content_words(alone),
                all_words: word_set(both),
                numbers: numbers(alone),
                denies: denies(alone),
            });
        }
    }
    out
}

/// Sentences that claim nothing: questions, and those that say nothing of substance.
fn is_claim(text: &str, words: &HashSet<String>, numbers: &[Number]) -> bool {
    !text.trim_end().ends_with('?') && (words.len() >= 2 || !numbers.is_empty())
}

fn claim(
    answer: &str,
    range: Range<usize>,
    citations: &[Citation],
    passages: &[Passage],
    settings: &GroundingSettings,
) -> Option<Claim> {
    // Citations are no words of the claim, and their numbers none of its numbers.
    let mut text = answer.get(range.clone())?.to_owned();
    for citation in citations {
        let is_within = citation.range.start >= range.start && citation.range.end <= range.end;
        if is_within {
            let inner = citation.range.start - range.start..citation.range.end - range.start;
            text.replace_range(inner.clone(), &" ".repeat(inner.len()));
        }
    }
    let words = content_words(&text);
    let numbers = numbers(&text);
    if !is_claim(&text, &words, &numbers) {
        return None;
    }
    let place = |inner: &Range<usize>| range.start + inner.start..range.start + inner.end;
    let everything = |why| vec![(why, range.clone())];
    let share = |passage: &Passage| overlap(&words, &passage.words);
    let Some(best) = passages.iter().max_by(|a, b| {
        let alone = |passage: &Passage| overlap(&words, &passage.own);
        (share(a) + alone(a)).total_cmp(&(share(b) + alone(b)))
    }) else {
        return Some(Claim {
            evidence: None,
            overlap: 0.0,
            unsupported: everything(Unsupported::Words),
            range,
        });
    };
    let mut unsupported = Vec::new();
    let near = near(&words, passages);
    for number in &numbers {
        let is_there = |passage: &&Passage| passage.numbers.iter().any(|n| number.is(n));
        if !near.iter().any(is_there) {
            unsupported.push((Unsupported::Number, place(&number.range)));
        }
    }
    let names = names(&text);
    for Name {
        words: name,
        range: at,
    } in &names
    {
        let known = |word: &String| {
            let stem = word.strip_suffix('s').unwrap_or(word);
            passages.iter().any(|passage| {
                let words = &passage.all_words;
                words.contains(word) || words.contains(stem) || words.contains(&format!("{word}s"))
            })
        };
        if !name.iter().all(known) {
            unsupported.push((Unsupported::Name, place(at)));
        }
    }
    let best_share = share(best);
    // Where several numbers and names hold, fewer words prove the same.
    let facts_hold = unsupported.is_empty() && numbers.len() + names.len() >= 2;
    let least = if facts_hold {
        settings.min_overlap.min(0.3)
    } else {
        settings.min_overlap
    };
    if best_share < least {
        unsupported.push((Unsupported::Words, range.clone()));
    } else if let Some(closest) = passages
        .iter()
        .max_by(|a, b| overlap(&words, &a.own).total_cmp(&overlap(&words, &b.own)))
        && overlap(&words, &closest.own) >= 0.6
        && (denies(&text) != closest.denies) != opposes(&words, &closest.own)
    {
        unsupported.push((Unsupported::Denial, range.clone()));
    }
    Some(Claim {
        evidence: Some(best.evidence),
        overlap: best_share,
        unsupported,
        range,
    })
}

/// Where a claim's numbers may stand: sentences with nearly as many of its words as the best one, and
/// the sentence after each, which often goes on about the same thing.
fn near<'p>(words: &HashSet<String>, passages: &'p [Passage]) -> Vec<&'p Passage> {
    let alone = |passage: &Passage| overlap(words, &passage.own);
    let most = passages.iter().map(alone).fold(0.0, f32::max);
    let mut near = Vec::new();
    let mut follows = None;
    for passage in passages {
        let is_near = alone(passage) >= 0.6 * most;
        if is_near || follows == Some(passage.evidence) {
            near.push(passage);
        }
        follows = is_near.then_some(passage.evidence);
    }
    near
}

/// Share of the claim's words that the passage has.
fn overlap(claim: &HashSet<String>, passage: &HashSet<String>) -> f32 {
    if claim.is_empty() {
        return 1.0;
    }
    let common = claim.iter().filter(|word| passage.contains(*word)).count();
    common as f32 / claim.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(answer: &str, evidence: &str) -> Vec<Unsupported> {
        let evidence = [Evidence {
            id: "a",
            text: evidence,
        }];
        let grounding = Grounding::of(answer, &evidence, &GroundingSettings::default());
        let claims = grounding.claims.iter();
        claims
            .flat_map(|claim| claim.unsupported.iter().map(|(why, _)| *why))
            .collect()
    }

    const PLAN: &str = "The basic plan costs $99 a month. It was launched by Ann Lee in May 2024. \
                        The plan does not include telephone support.";

    #[test]
    fn ws_91_nine_is_not_ninety_nine() {
        assert_eq!(
            why("The basic plan costs $9 a month.", PLAN),
            [Unsupported::Number]
        );
        assert_eq!(why("The basic plan costs $99 a month.", PLAN), []);
        assert_eq!(
            why("The basic plan costs \u{20ac}99 a month.", PLAN),
            [Unsupported::Number]
        );
        assert_eq!(why("The basic plan costs 99 dollars monthly.", PLAN), []);
    }

    #[test]
    fn names_dates_words_and_denials_are_held_against_the_evidence() {
        assert_eq!(
            why("The plan was launched by Bob Ray.", PLAN),
            [Unsupported::Name]
        );
        assert_eq!(why("Ann Lee launched the plan in 2024-05.", PLAN), []);
        assert_eq!(
            why("Ann Lee launched the plan in June 2024.", PLAN),
            [Unsupported::Number]
        );
        assert_eq!(
            why(
                "Refunds are granted within a fortnight after purchase.",
                PLAN
            ),
            [Unsupported::Words]
        );
        assert_eq!(
            why("The plan includes telephone support.", PLAN),
            [Unsupported::Denial]
        );
        assert_eq!(
            why("Telephone support is not included in the plan.", PLAN),
            []
        );
        assert_eq!(why("Anything else?", PLAN), []);
    }

    #[test]
    fn citations_that_lead_nowhere_are_stripped() {
        let evidence = [Evidence {
            id: "plan-1",
            text: PLAN,
        }];
        let answer =
            "The basic plan costs $99 a month [1]. It was launched by Ann Lee [doc:plan-9].";
        let settings = GroundingSettings::default();
        let grounding = Grounding::of(answer, &evidence, &settings);
        assert_eq!(
            grounding.stripped(answer),
            "The basic plan costs $99 a month [1]. It was launched by Ann Lee."
        );
        assert!(!grounding.is_grounded(&settings));
        assert!(grounding.claims.iter().all(Claim::is_supported));
        let mut report = Report::default();
        grounding.report(&mut report);
        assert_eq!(report.findings.len(), 1);
        assert!(report.is_complete());
    }

    #[test]
    fn without_evidence_nothing_is_grounded_and_limits_are_gaps() {
        let settings = GroundingSettings::default();
        let none = Grounding::of("The plan costs $99.", &[], &settings);
        assert!(!none.is_grounded(&settings));
        let tight = GroundingSettings {
            max_claims: 1,
            ..settings
        };
        let evidence = [Evidence {
            id: "a",
            text: PLAN,
        }];
        let cut = Grounding::of(
            "The plan costs $99. Ann Lee launched it.",
            &evidence,
            &tight,
        );
        assert!(!cut.is_grounded(&tight));
        let mut report = Report::default();
        cut.report(&mut report);
        assert!(!report.is_complete());
    }

    /// Claims written by hand for this purpose, 49 over five texts: what the numbers in the records of
    /// measurements are about.
    #[test]
    fn most_unsupported_claims_are_told_from_supported_ones() {
        let settings = GroundingSettings::default();
        let mut counts = [[0_usize; 2]; 2];
        let mut wrong = Vec::new();
        for line in include_str!("../../testdata/grounding.jsonl").lines() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let evidence = [Evidence {
                id: "a",
                text: row["evidence"].as_str().unwrap(),
            }];
            let claim = row["claim"].as_str().unwrap();
            let supported = row["supported"].as_bool().unwrap();
            let grounding = Grounding::of(claim, &evidence, &settings);
            let flagged = !grounding.is_grounded(&settings);
            counts[usize::from(!supported)][usize::from(flagged)] += 1;
            if flagged == supported {
                wrong.push(claim.to_owned());
            }
        }
        let [[_, false_alarms], [missed, caught]] = counts;
        let precision = caught as f64 / (caught + false_alarms) as f64;
        let recall = caught as f64 / (caught + missed) as f64;
        assert!(
            precision >= 0.85 && recall >= 0.85,
            "precision {precision:.3}, recall {recall:.3}, {counts:?}: {wrong:#?}"
        );
    }
}
