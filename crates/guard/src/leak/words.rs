use std::{borrow::Cow, ops::Range};

use aho_corasick::{AhoCorasick, MatchKind};
use bartizan_core::{
    Category, Check, CheckError, Confidence, Cx, Direction, Layer, Reach, Rule, RuleRef, Severity,
    Transform,
};
use bartizan_text::Text;
use serde::{Deserialize, Serialize};

use super::inflect::forms;
use crate::sink::{is_whole_word, is_word};

static LISTED: Rule = Rule {
    id: Cow::Borrowed("output.listed-word"),
    title: Cow::Borrowed("word of a list"),
    severity: Severity::Medium,
    category: Category::Custom,
    refs: Cow::Borrowed(&[Cow::Borrowed("LLM02:2025")]),
    why: Cow::Borrowed("The operator listed the word or value as one that must not come out."),
    fix: Cow::Borrowed(
        "Redact or block the answer, or put the phrase that is meant well on the list's `except`.",
    ),
    entity: None,
};

/// Words or values that must not come out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordList {
    /// Its name, shown in findings.
    pub name: String,
    /// Words, phrases, or exact values; case does not matter.
    pub words: Vec<String>,
    /// Whether regular English forms count, too: `kill` finds `killed`, not `skill`.
    #[serde(default)]
    pub inflected: bool,
    /// Phrases that hold a word of the list and are meant well, e.g. `heart attack`.
    #[serde(default)]
    pub except: Vec<String>,
}

/// Why a list cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidWordList {
    /// An entry has no letter and no digit.
    #[error("the list `{0}` holds an entry without a letter or digit, remove it")]
    Empty(String),
    /// The lists together are too large for one automaton.
    #[error("the word lists are too large together, split them over several guards")]
    TooLarge,
}

/// Phrases that hold a word which lists often ban and that are meant well.
const MEANT_WELL: [&str; 27] = [
    "heart attack",
    "heart attacks",
    "panic attack",
    "panic attacks",
    "asthma attack",
    "asthma attacks",
    "anxiety attack",
    "anxiety attacks",
    "attack of nerves",
    "kill switch",
    "kill time",
    "kill process",
    "kill the process",
    "killer feature",
    "killer app",
    "painkiller",
    "life hack",
    "life hacks",
    "growth hack",
    "hacker news",
    "hack day",
    "bath bomb",
    "bath bombs",
    "photo bomb",
    "bomb cyclone",
    "shoot an email",
    "photo shoot",
];

/// Finds the words of lists, as whole words, in the text as a reader sees it.
#[derive(Debug)]
pub struct WordLists {
    words: Option<AhoCorasick>,
    /// Of each pattern: its list, or `None` for a phrase that is meant well.
    of_pattern: Vec<Option<usize>>,
    names: Vec<String>,
    longest: usize,
}

impl WordLists {
    /// A check for `lists`.
    ///
    /// # Errors
    /// [`InvalidWordList`] for an entry without letters, or too many entries.
    pub fn new(lists: &[WordList]) -> Result<Self, InvalidWordList> {
        let mut patterns: Vec<String> = Vec::new();
        let mut of_pattern = Vec::new();
        for (number, list) in lists.iter().enumerate() {
            for word in &list.words {
                let word = folded(word);
                if !word.contains(char::is_alphanumeric) {
                    return Err(InvalidWordList::Empty(list.name.clone()));
                }
                let all = if list.inflected {
                    forms(&word)
                } else {
                    vec![word]
                };
                of_pattern.extend(all.iter().map(|_| Some(number)));
                patterns.extend(all);
            }
            let well = MEANT_WELL
                .iter()
                .filter(|_| list.inflected)
                .map(|p| (*p).to_owned());
            for phrase in list.except.iter().map(|phrase| folded(phrase)).chain(well) {
                of_pattern.push(None);
                patterns.push(phrase);
            }
        }
        let longest = patterns.iter().map(String::len).max().unwrap_or(0);
        let words = if patterns.is_empty() {
            None
        } else {
            let automaton = AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .match_kind(MatchKind::Standard)
                .build(&patterns)
                .map_err(|_| InvalidWordList::TooLarge)?;
            Some(automaton)
        };
        Ok(Self {
            words,
            of_pattern,
            names: lists.iter().map(|list| list.name.clone()).collect(),
            longest,
        })
    }

    /// The listed words of `text` that no well-meant phrase covers, with the number of their list.
    fn find(&self, text: &str) -> Vec<(Range<usize>, usize)> {
        let Some(words) = &self.words else {
            return Vec::new();
        };
        let mut found: Vec<(Range<usize>, usize)> = Vec::new();
        let mut well: Vec<Range<usize>> = Vec::new();
        for hit in words.find_overlapping_iter(text) {
            let range = hit.range();
            if !is_whole_word(text, &range) {
                continue;
            }
            match self.of_pattern.get(hit.pattern().as_usize()) {
                Some(Some(_)) if is_command(text, &range) => {}
                Some(Some(list)) => found.push((range, *list)),
                _ => well.push(range),
            }
        }
        // Both are in order of their ends, and a phrase that covers a word ends where it does or
        // after: one sweep over them by start suffices.
        found.sort_unstable_by_key(|(range, list)| (range.start, range.end, *list));
        found.dedup();
        well.sort_unstable_by_key(|range| range.start);
        let mut next = well.iter().peekable();
        let mut covered_to = 0;
        found.retain(|(range, _)| {
            while let Some(phrase) = next.next_if(|phrase| phrase.start <= range.start) {
                covered_to = covered_to.max(phrase.end);
            }
            covered_to < range.end
        });
        found
    }
}

/// As a reader sees it.
fn folded(text: &str) -> String {
    bartizan_text::fold::fold_str(text.trim()).to_ascii_lowercase()
}

/// Whether an option follows, as in `kill -9`, or an argument list, as in `kill(pid)`.
fn is_command(text: &str, range: &Range<usize>) -> bool {
    match *text.as_bytes().get(range.end..).unwrap_or_default() {
        [b' ', b'-', next, ..] => is_word(next),
        [b'(', ..] => true,
        _ => false,
    }
}

impl Check<Text<'_>> for WordLists {
    fn name(&self) -> &'static str {
        "word-lists"
    }

    fn layer(&self) -> Layer {
        Layer::Leak
    }

    fn rules(&self) -> Vec<RuleRef> {
        vec![RuleRef::Static(&LISTED)]
    }

    fn reach(&self) -> Reach {
        // The word, and a phrase around it on either side.
        Reach::Bounded(2 * self.longest as u64 + 16)
    }

    fn check(&self, text: &Text<'_>, cx: &mut Cx<'_>) -> Result<(), CheckError> {
        if self.words.is_none() || text.direction != Direction::Output {
            return Ok(());
        }
        for view in text.views() {
            // Turned letters make words out of anything.
            let turned = |via: &Transform| {
                matches!(
                    via,
                    Transform::Reversed | Transform::Rotated | Transform::Morse
                )
            };
            if view.via.iter().any(turned) {
                continue;
            }
            cx.spend(view.text.len() as u64)?;
            for (range, list) in self.find(&view.text) {
                let name = self.names.get(list).map_or("", String::as_str);
                cx.report_via(
                    &RuleRef::Static(&LISTED),
                    Some(view.span(range)),
                    Confidence::clamped(if view.via.is_empty() { 0.95 } else { 0.85 }),
                    &view.via,
                    format!("a word of the list `{name}`"),
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test may panic")]
mod tests {
    use super::*;

    fn found(words: &[&str], except: &[&str], text: &str) -> Vec<String> {
        let list = WordList {
            name: "banned".into(),
            words: words.iter().map(|w| (*w).to_owned()).collect(),
            inflected: true,
            except: except.iter().map(|w| (*w).to_owned()).collect(),
        };
        let lists = WordLists::new(&[list]).unwrap();
        lists
            .find(text)
            .into_iter()
            .map(|(range, _)| text[range].to_owned())
            .collect()
    }

    #[test]
    fn ws_77_words_within_words_and_meant_well_pass() {
        let banned = ["kill", "attack", "hack", "cunt", "ass", "bomb"];
        for text in [
            "a useful skill",
            "a heart attack",
            "the hackathon",
            "Scunthorpe",
            "kill -9 4711",
            "kill(pid, 9)",
            "pass the class",
            "bombastic",
            "two panic attacks",
        ] {
            assert_eq!(found(&banned, &[], text), Vec::<String>::new(), "{text}");
        }
        for (text, word) in [
            ("I will KILL you", "KILL"),
            ("he killed him", "killed"),
            ("the attackers came", "attackers"),
            ("they were hacking it", "hacking"),
            ("bombs away", "bombs"),
            ("kill - then run", "kill"),
            ("an attack, no heart", "attack"),
        ] {
            assert_eq!(found(&banned, &[], text), [word], "{text}");
        }
    }

    #[test]
    fn exceptions_cover_their_own_place_only() {
        let text = "cold attack and attack";
        assert_eq!(found(&["attack"], &["cold attack"], text), ["attack"]);
    }

    #[test]
    fn exact_values_are_found_as_they_are() {
        let list = WordList {
            name: "customers".into(),
            words: vec!["4711-0815".into(), "Projekt Übersee".into()],
            inflected: false,
            except: Vec::new(),
        };
        let lists = WordLists::new(&[list]).unwrap();
        let text = folded("Customer 4711-0815 asked about PROJEKT ÜBERSEE, not 14711-0815.");
        assert_eq!(lists.find(&text).len(), 2);
        assert!(matches!(
            WordLists::new(&[WordList {
                name: "x".into(),
                words: vec!["--".into()],
                inflected: false,
                except: vec![]
            }]),
            Err(InvalidWordList::Empty(_))
        ));
    }
}
