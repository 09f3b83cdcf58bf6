//! Recognisers that come with a request.

use regex_automata::{meta, nfa::thompson};
use regex_syntax::{
    ParserBuilder,
    hir::{Capture, Hir, HirKind, Look, Repetition},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::request::unprocessable;
use crate::fault::Fault;

/// Most recognisers and patterns in one request, and words in one deny list.
const MOST: usize = 32;
const MOST_WORDS: usize = 1_000;
/// Bytes of memory that one pattern may compile to.
const MOST_BYTES: usize = 1 << 20;

/// A recogniser of patterns or words.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub(crate) struct AdHoc {
    #[serde(default)]
    name: Option<String>,
    /// Ignored: patterns hold in any language.
    #[serde(default)]
    #[serde(rename = "supported_language")]
    _supported_language: Option<String>,
    supported_entity: String,
    #[serde(default)]
    patterns: Option<Vec<Pattern>>,
    #[serde(default)]
    deny_list: Option<Vec<String>>,
    /// The score of a word of the deny list, 0 to 1.
    #[serde(default)]
    deny_list_score: Option<f32>,
    /// Words near a match that make it likelier.
    #[serde(default)]
    context: Option<Vec<String>>,
}

/// A regular expression without look-around or back-references, so that matching is linear.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
struct Pattern {
    #[serde(default)]
    name: Option<String>,
    regex: String,
    /// 0 to 1.
    score: f32,
}

/// A recogniser that can be run.
pub(super) struct Recogniser {
    pub(super) name: String,
    pub(super) entity: String,
    pub(super) context: Vec<String>,
    /// Name, expression, score.
    pub(super) patterns: Vec<(String, Expression, f32)>,
}

/// Python's `re` flags that a request may set, by their bits.
const IGNORECASE: u32 = 2;
const MULTILINE: u32 = 8;
const DOTALL: u32 = 16;
/// What Presidio sets unless told otherwise.
pub(super) const DEFAULT_FLAGS: u32 = IGNORECASE | MULTILINE | DOTALL;

/// Compiles what a request brought.
pub(super) fn compile(all: Vec<AdHoc>, flags: u32) -> Result<Vec<Recogniser>, Fault> {
    if all.len() > MOST {
        return Err(bad(format!("at most {MOST} `ad_hoc_recognizers`")));
    }
    let patterns = all
        .iter()
        .flat_map(|ad_hoc| ad_hoc.patterns.iter().flatten());
    if patterns.count() > MOST {
        return Err(bad(format!("at most {MOST} patterns in all")));
    }
    all.into_iter()
        .enumerate()
        .map(|(number, ad_hoc)| recogniser(number, ad_hoc, flags))
        .collect()
}

fn recogniser(number: usize, ad_hoc: AdHoc, flags: u32) -> Result<Recogniser, Fault> {
    let place = format!("ad_hoc_recognizers[{number}]");
    let listed = ad_hoc.patterns.unwrap_or_default();
    let words = ad_hoc.deny_list.unwrap_or_default();
    if listed.is_empty() && words.is_empty() {
        return Err(bad(format!(
            "`{place}` has neither `patterns` nor `deny_list`"
        )));
    }
    if words.len() > MOST_WORDS {
        return Err(bad(format!("`{place}` has more than {MOST_WORDS} words")));
    }
    if ad_hoc.supported_entity.is_empty() {
        return Err(bad(format!("`{place}.supported_entity` is empty")));
    }
    let mut patterns = Vec::new();
    for (at, pattern) in listed.into_iter().enumerate() {
        let place = format!("{place}.patterns[{at}]");
        let expression = Expression::new(&pattern.regex, flags, &place)?;
        let name = pattern.name.unwrap_or_default();
        patterns.push((name, expression, score(pattern.score, &place)?));
    }
    if !words.is_empty() {
        let escaped: Vec<String> = words.iter().map(|word| escape(word)).collect();
        // Presidio looks behind and ahead for what is no word character.
        let regex = format!(
            r"(?:^|\b{{start-half}})(?:{})(?:\b{{end-half}}|$)",
            escaped.join("|")
        );
        let expression = Expression::new(&regex, flags, &format!("{place}.deny_list"))?;
        let score = score(ad_hoc.deny_list_score.unwrap_or(1.0), &place)?;
        patterns.push(("deny_list".to_owned(), expression, score));
    }
    let context = ad_hoc.context.unwrap_or_default();
    Ok(Recogniser {
        name: ad_hoc
            .name
            .unwrap_or_else(|| "PatternRecognizer".to_owned()),
        entity: ad_hoc.supported_entity,
        context: context.iter().map(|word| word.to_lowercase()).collect(),
        patterns,
    })
}

/// An expression that matches in linear time, within bounds.
pub(super) struct Expression {
    regex: meta::Regex,
    /// Whether a match has no longest length, so that looking for all of them can take quadratic
    /// time.
    unbounded: bool,
}

/// Bytes of text in which matches without a longest length are looked for.
const MOST_TEXT: usize = 64 << 10;

impl Expression {
    /// Compiles `regex`, which stands at `place` of the request.
    pub(super) fn new(regex: &str, flags: u32, place: &str) -> Result<Self, Fault> {
        let hir = ParserBuilder::new()
            .case_insensitive(flags & IGNORECASE != 0)
            .multi_line(flags & MULTILINE != 0)
            .dot_matches_new_line(flags & DOTALL != 0)
            .nest_limit(64)
            .build()
            .parse(regex)
            .map_err(|_| {
                bad(format!(
                    "`{place}` is no regular expression that is supported here: matching is linear, so there is no look-around and there are no back-references"
                ))
            })?;
        let limits = meta::Config::new()
            .nfa_size_limit(Some(MOST_BYTES))
            .hybrid_cache_capacity(MOST_BYTES)
            .which_captures(thompson::WhichCaptures::Implicit);
        let regex = meta::Builder::new()
            .configure(limits)
            .build_from_hir(&ascii_words(hir.clone()))
            .map_err(|_| bad(format!("`{place}` is too large; use smaller repetitions")))?;
        let most = hir.properties().maximum_len();
        Ok(Self {
            regex,
            unbounded: most.is_none_or(|most| most > 4_096),
        })
    }

    /// Whether it matches all of `text`.
    pub(super) fn matches_all(&self, text: &str) -> bool {
        let found = self.regex.find(text);
        found.is_some_and(|found| found.range() == (0..text.len()))
    }

    /// Every match that is not empty.
    pub(super) fn find_all(
        &self,
        text: &str,
    ) -> Result<impl Iterator<Item = std::ops::Range<usize>>, Fault> {
        if self.unbounded && text.len() > MOST_TEXT {
            return Err(bad(format!(
                "a pattern can match without end; for texts of more than {MOST_TEXT} bytes give every repetition an upper bound"
            )));
        }
        let matches = self.regex.find_iter(text);
        Ok(matches
            .map(|found| found.range())
            .filter(|range| !range.is_empty()))
    }
}

/// Word boundaries as ASCII has them, which the matcher finds without large tables.
fn ascii_words(hir: Hir) -> Hir {
    match hir.into_kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Look(look) => Hir::look(match look {
            Look::WordUnicode => Look::WordAscii,
            Look::WordUnicodeNegate => Look::WordAsciiNegate,
            Look::WordStartUnicode => Look::WordStartAscii,
            Look::WordEndUnicode => Look::WordEndAscii,
            Look::WordStartHalfUnicode => Look::WordStartHalfAscii,
            Look::WordEndHalfUnicode => Look::WordEndHalfAscii,
            other => other,
        }),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            sub: Box::new(ascii_words(*repetition.sub)),
            ..repetition
        }),
        HirKind::Capture(capture) => Hir::capture(Capture {
            sub: Box::new(ascii_words(*capture.sub)),
            ..capture
        }),
        HirKind::Concat(parts) => Hir::concat(parts.into_iter().map(ascii_words).collect()),
        HirKind::Alternation(parts) => {
            Hir::alternation(parts.into_iter().map(ascii_words).collect())
        }
    }
}

fn score(score: f32, place: &str) -> Result<f32, Fault> {
    if (0.0..=1.0).contains(&score) {
        Ok(score)
    } else {
        Err(bad(format!(
            "the score of `{place}` is not between 0 and 1"
        )))
    }
}

fn escape(word: &str) -> String {
    let mut escaped = String::with_capacity(word.len());
    for c in word.chars() {
        if c.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn bad(message: String) -> Fault {
    unprocessable("ad-hoc-recognizers", message).about("ad_hoc_recognizers")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: Result<usize, &str>) {
        let ad_hoc: Vec<AdHoc> = serde_json::from_str(json).unwrap();
        let compiled = compile(ad_hoc, DEFAULT_FLAGS);
        match (compiled, expected) {
            (Ok(compiled), Ok(count)) => assert_eq!(compiled.len(), count),
            (Err(fault), Err(part)) => assert!(fault.message.contains(part), "{}", fault.message),
            (Ok(_), Err(part)) => panic!("expected {part}"),
            (Err(fault), Ok(_)) => panic!("{}", fault.message),
        }
    }

    #[test]
    fn what_is_not_linear_or_too_large_is_refused() {
        check(
            r#"[{"supported_entity": "ZIP", "patterns": [{"name": "z", "regex": "\\d{5}", "score": 0.5}]}]"#,
            Ok(1),
        );
        check(
            r#"[{"supported_entity": "T", "deny_list": ["Mr.", "a|b", "("]}]"#,
            Ok(1),
        );
        for (regex, part) in [
            (r"(?<=a)b", "no look-around"),
            (r"(a)\\1", "are no back-references"),
            ("(", "no regular expression"),
            (r"(?:a{1000}){1000}", "too large"),
        ] {
            check(
                &format!(
                    r#"[{{"supported_entity": "X", "patterns": [{{"regex": "{regex}", "score": 0.5}}]}}]"#
                ),
                Err(part),
            );
        }
        check(r#"[{"supported_entity": "X"}]"#, Err("neither"));
        check(
            r#"[{"supported_entity": "X", "patterns": [{"regex": "a", "score": 2}]}]"#,
            Err("not between 0 and 1"),
        );
    }

    #[test]
    fn words_stand_alone() {
        let json = r#"[{"supported_entity": "T", "deny_list": ["Mr."]}]"#;
        let compiled = compile(serde_json::from_str(json).unwrap(), DEFAULT_FLAGS).unwrap();
        let (_, regex, _) = &compiled[0].patterns[0];
        let found = |text: &str| regex.find_all(text).unwrap().count();
        assert_eq!(found("dear mr. x"), 1);
        assert_eq!(found("hamr. x"), 0);
    }
}
