//! How the matches of a pattern start, and what must stand behind each start, so that a pattern
//! need not be tried without it.

use regex_syntax::hir::{Class, Hir, HirKind};
use serde::{Deserialize, Serialize};

use super::{MAX_REPEAT, OPEN_FROM, PatternError, parse, prefixes_of, shortest_prefixes};

/// Some of the literals that matches start with, and what those matches need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// Lower-case literals one of which a match starts with.
    pub anchors: Vec<String>,
    /// What stands behind each of them, all of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Need>,
}

/// Literals one of which stands behind the start of a match, where a word starts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Need {
    /// Lower-case literals.
    pub literals: Vec<String>,
    /// Most words that start behind the anchor up to the literal, its own included: letters,
    /// digits, or non-ASCII characters behind anything else but an underscore. `None`: as many as
    /// fit into the longest match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<u32>,
}

/// Most needs that one way states.
const MAX_NEEDS: usize = 3;

/// Needs that plain English meets more often than that reject too little.
const LIKELY: f64 = 0.6;

/// Needs that it meets less often than that reject enough.
const RARE: f64 = 0.005;

/// Most ways into which one pattern is split.
const MAX_WAYS: usize = 48;

/// The needs of every match of `pattern`, whatever it starts with.
///
/// # Errors
/// When it is no regular expression.
pub fn needs(pattern: &str) -> Result<Vec<Need>, PatternError> {
    parse(pattern).map(|hir| needs_of(&hir))
}

/// The ways of `hir`; `None` if a match can start with too many or too short literals.
pub(super) fn ways_of(hir: &Hir) -> Option<Vec<Way>> {
    let split = split(hir.clone(), MAX_WAYS);
    let ways = split.iter().map(way).collect::<Option<Vec<_>>>();
    let mut ways = match ways {
        Some(ways) => ways,
        None => vec![way(hir)?],
    };
    ways.sort_by(|a, b| a.needs.cmp(&b.needs));
    let mut merged: Vec<Way> = Vec::with_capacity(ways.len());
    for way in ways {
        match merged.last_mut() {
            Some(last) if last.needs == way.needs => last.anchors.extend(way.anchors),
            _ => merged.push(way),
        }
    }
    for way in &mut merged {
        way.anchors = shortest_prefixes(std::mem::take(&mut way.anchors));
    }
    Some(merged)
}

fn way(hir: &Hir) -> Option<Way> {
    Some(Way {
        anchors: prefixes_of(hir)?,
        needs: needs_of(hir),
    })
}

/// `hir` as alternatives, none of which starts with a choice between sequences; at most `most` of
/// them.
fn split(hir: Hir, most: usize) -> Vec<Hir> {
    let parts = sequence(&hir);
    let is_looked_past = |part: &&Hir| matches!(part.kind(), HirKind::Look(_) | HirKind::Empty);
    let at = parts.iter().take_while(is_looked_past).count();
    let Some((before, [first, rest @ ..])) = parts.split_at_checked(at) else {
        return vec![hir];
    };
    let HirKind::Alternation(choices) = first.kind() else {
        return vec![hir];
    };
    let of_sequences = choices
        .iter()
        .any(|choice| matches!(choice.kind(), HirKind::Concat(_) | HirKind::Capture(_)));
    if !of_sequences || choices.len() > most {
        return vec![hir];
    }
    let most = most / choices.len();
    let with = |choice: &Hir| {
        let whole = before.iter().chain([choice]).chain(rest).cloned();
        split(Hir::concat(whole.collect()), most)
    };
    choices.iter().flat_map(with).collect()
}

/// The parts of `hir` in order, groups opened.
fn sequence(hir: &Hir) -> Vec<Hir> {
    match hir.kind() {
        HirKind::Capture(capture) => sequence(&capture.sub),
        HirKind::Concat(parts) => parts.iter().flat_map(sequence).collect(),
        _ => vec![hir.clone()],
    }
}

fn needs_of(hir: &Hir) -> Vec<Need> {
    let parts = sequence(hir);
    // The word that the anchor starts does not count, that of the literal does.
    let more = u32::from(!lead(&parts));
    let mut needs: Vec<Need> = (1..parts.len())
        .filter_map(|at| {
            let (before, behind) = parts.split_at_checked(at)?;
            if !end_apart(before) {
                return None;
            }
            let (literals, further) = literals_in(behind)?;
            let words = starts(before).zip(further);
            Some(Need {
                literals,
                words: words.map(|(before, further)| before.saturating_add(further + more)),
            })
        })
        .filter(|need| need.chance() < LIKELY)
        .collect();
    needs.sort_by(|a, b| a.chance().total_cmp(&b.chance()));
    needs.dedup_by(|a, b| a.literals == b.literals);
    // Every need costs something wherever its literals stand: no more than reject enough.
    let enough = needs
        .iter()
        .scan(1.0, |left, need| {
            let worth = *left > RARE;
            *left *= need.chance();
            worth.then_some(())
        })
        .count();
    needs.truncate(enough.min(MAX_NEEDS));
    needs
}

/// Literals one of which stands in every match of `parts`, where a word starts, given that one starts
/// at the first; and the most words that start before it.
///
/// Where `parts` begin with a choice of which one starts with too little, as in `(?:in your|you)`,
/// that one is known by what follows.
fn literals_in(parts: &[Hir]) -> Option<(Vec<String>, Option<u32>)> {
    if let Some(literals) = prefixes_of(&Hir::concat(parts.to_vec())) {
        return Some((literals, Some(0)));
    }
    let (first, rest) = parts.split_first()?;
    let HirKind::Alternation(choices) = first.kind() else {
        return None;
    };
    let (mut all, mut most) = (Vec::new(), Some(0u32));
    for choice in choices {
        let whole: Vec<Hir> = sequence(choice)
            .into_iter()
            .chain(rest.iter().cloned())
            .collect();
        let (literals, words) = (0..whole.len()).find_map(|at| {
            let (before, behind) = whole.split_at_checked(at)?;
            let apart = at == 0 || end_apart(before);
            let literals = prefixes_of(&Hir::concat(behind.to_vec())).filter(|_| apart)?;
            Some((literals, starts(before)))
        })?;
        all.extend(literals);
        most = most.zip(words).map(|(most, words)| most.max(words));
    }
    let all = shortest_prefixes(all);
    (all.len() <= MAX_LITERALS).then_some((all, most))
}

/// Most literals of a need that is put together.
const MAX_LITERALS: usize = 100;

impl Need {
    /// About how likely plain English meets it by accident.
    fn chance(&self) -> f64 {
        let words = f64::from(self.words.unwrap_or(60).min(60));
        let of_a_word: f64 = self.literals.iter().map(|literal| chance(literal)).sum();
        of_a_word * words
    }
}

/// About how many of the words of plain English start with `literal`.
fn chance(literal: &str) -> f64 {
    const COMMON: [&str; 15] = [
        "and", "you", "for", "with", "this", "that", "your", "from", "all", "not", "are", "have",
        "was", "will", "can",
    ];
    // Too common to tell anything.
    if literal == "the" {
        return 1.0;
    }
    if COMMON.contains(&literal) {
        return 0.03;
    }
    match literal.len() {
        ..4 => 0.01,
        4 => 0.005,
        5 => 0.002,
        _ => 0.001,
    }
}

/// Most words that start in a match of `parts`, wherever it stands; `None` if there is no bound.
///
/// A run of bytes that are all of `\w`, or none of which starts a word, starts at most one, or
/// none, however long it is.
fn starts(parts: &[Hir]) -> Option<u32> {
    parts
        .iter()
        .try_fold(0u32, |sum, part| sum.checked_add(starts_in(part)?))
}

fn starts_in(hir: &Hir) -> Option<u32> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(0),
        HirKind::Literal(literal) => {
            let mut before = b' ';
            let mut count = 0;
            for &byte in &literal.0 {
                count += u32::from(begins(byte) && !is_word(before));
                before = byte;
            }
            Some(count)
        }
        HirKind::Class(class) => Some(u32::from(bytes_of(class).any(begins))),
        HirKind::Repetition(repetition) => {
            let once = starts_in(&repetition.sub)?;
            if once == 0 {
                return Some(0);
            }
            // A long run of one class may be longer than it says.
            let bound = match repetition.sub.kind() {
                HirKind::Class(class) if bytes_of(class).all(is_word) => return Some(1),
                HirKind::Class(_) => OPEN_FROM,
                _ => MAX_REPEAT,
            };
            let max = repetition.max.filter(|max| *max < bound)?;
            max.checked_mul(once)
        }
        HirKind::Capture(capture) => starts_in(&capture.sub),
        HirKind::Concat(parts) => starts(parts),
        HirKind::Alternation(parts) => parts
            .iter()
            .map(starts_in)
            .try_fold(0, |most, part| Some(most.max(part?))),
    }
}

/// Whether every match of `parts` begins with a byte that can start a word.
fn lead(parts: &[Hir]) -> bool {
    let Some((first, rest)) = parts.split_first() else {
        return false;
    };
    match first.kind() {
        HirKind::Empty | HirKind::Look(_) => lead(rest),
        HirKind::Literal(literal) => literal.0.first().is_some_and(|byte| begins(*byte)),
        HirKind::Class(class) => bytes_of(class).all(begins),
        HirKind::Repetition(repetition) => {
            repetition.min > 0 && lead(std::slice::from_ref(&*repetition.sub))
        }
        HirKind::Capture(capture) => lead(std::slice::from_ref(&*capture.sub)),
        HirKind::Concat(parts) => lead(parts),
        HirKind::Alternation(parts) => parts.iter().all(|part| lead(std::slice::from_ref(part))),
    }
}

/// The bytes of a class; those of a class of characters are all.
fn bytes_of(class: &Class) -> impl Iterator<Item = u8> {
    let ranges: Vec<(u8, u8)> = match class {
        Class::Bytes(class) => class.iter().map(|r| (r.start(), r.end())).collect(),
        Class::Unicode(_) => vec![(0, u8::MAX)],
    };
    ranges.into_iter().flat_map(|(from, to)| from..=to)
}

/// Whether `byte` can start a word behind what is not of a word.
const fn begins(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// Whether `byte` is one of `\w`.
const fn is_word(byte: u8) -> bool {
    begins(byte) || byte == b'_'
}

/// Whether `parts` cannot end in a letter or digit, so that a word starts behind them.
fn end_apart(parts: &[Hir]) -> bool {
    let Some((last, before)) = parts.split_last() else {
        return false;
    };
    match last.kind() {
        HirKind::Empty | HirKind::Look(_) => end_apart(before),
        HirKind::Literal(literal) => literal
            .0
            .last()
            .is_some_and(|byte| !byte.is_ascii_alphanumeric()),
        HirKind::Class(class @ Class::Bytes(_)) => {
            bytes_of(class).all(|byte| !byte.is_ascii_alphanumeric())
        }
        HirKind::Class(Class::Unicode(_)) => false,
        HirKind::Repetition(repetition) => {
            let sub = std::slice::from_ref(&*repetition.sub);
            end_apart(sub) && (repetition.min > 0 || end_apart(before))
        }
        HirKind::Capture(capture) => end_apart(std::slice::from_ref(&*capture.sub)),
        HirKind::Concat(parts) => end_apart(parts),
        HirKind::Alternation(parts) => parts
            .iter()
            .all(|part| end_apart(std::slice::from_ref(part))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{PatternSpec, PatternsBuilder, analyse},
        *,
    };

    proptest! {
        /// Needs only leave out what would not have matched.
        #[test]
        fn nothing_is_lost(
            text in r"(rules|all|ignore|<\|x\|>|tell|a|B2|é| |_|\.|\n|-){0,40}"
        ) {
            let patterns = [
                r"ignore(?:\W+\w+){0,2}?\W+(?:rules|all\Wrules)",
                r"(?:ignore[\W_]{1,8}(?:a\W)?all|tell(?:\w+\W+){0,2}all)",
                r"<\|x\|>\W*(?:a[\W_]{1,8})?(?:rules|tell)",
                r"tell.{0,8}\Wrules",
                r"(?:tell\W)?(?:all|rules)\b[\W_]{1,8}(?:\w+[\W_]{1,8}){1,2}ignore",
                r"all(?:[ .]a){0,3}[\W_](?:rules|b2)",
                r"tell\W+(?:a\W+all|b2[\W_]{1,8}(?:\w+\W){0,2}ignore|rules)",
                r"ignore(?:\W+\w+){0,2}?\W+(?:a\W+rules|\w+\W+tell)",
            ];
            for loose in [false, true] {
                let (mut with, mut without) = (PatternsBuilder::default(), PatternsBuilder::default());
                let groups = (with.group(), without.group());
                for pattern in patterns {
                    let spec = PatternSpec { loose, ..PatternSpec::new(pattern) };
                    with.add(groups.0, &spec).unwrap();
                    let analysis = analyse(pattern).unwrap();
                    let anchors: Vec<&str> = analysis.anchors.iter().map(String::as_str).collect();
                    let max_len = Some(analysis.max_len);
                    without.add(groups.1, &PatternSpec { anchors: &anchors, max_len, ..spec }).unwrap();
                }
                prop_assert_eq!(with.build().scan(&text), without.build().scan(&text));
            }
        }
    }

    /// Literals, and the most words up to them.
    type Needs<'a> = &'a [(&'a [&'a str], Option<u32>)];

    fn check(pattern: &str, expected: &[(&[&str], Needs<'_>)]) {
        let ways = ways_of(&parse(pattern).unwrap()).unwrap();
        let said: Vec<_> = ways
            .iter()
            .map(|way| {
                let needs = way.needs.iter();
                let needs: Vec<_> = needs.map(|n| (n.literals.clone(), n.words)).collect();
                (way.anchors.clone(), needs)
            })
            .collect();
        let strings = |words: &[&str]| words.iter().map(|&w| w.to_owned()).collect::<Vec<_>>();
        let expected: Vec<_> = expected
            .iter()
            .map(|(anchors, needs)| {
                let needs = needs.iter().map(|(words, most)| (strings(words), *most));
                (strings(anchors), needs.collect::<Vec<_>>())
            })
            .collect();
        assert_eq!(said, expected, "{pattern}");
    }

    #[test]
    fn a_target_behind_a_gap_is_needed() {
        check(
            r"(?:ignore|forget)(?:\W+\w+){0,4}?\W+(?:instructions|rules)",
            &[(
                &["forget", "ignore"],
                &[(&["instructions", "rules"], Some(5))],
            )],
        );
        check(
            r"ignore\W+(?:the\W+)?rules",
            &[(&["ignore"], &[(&["rules"], Some(2))])],
        );
        check(
            r"<\|system\|>\W+ignore",
            &[(&["<|system|>"], &[(&["ignore"], Some(2))])],
        );
        check(
            r"ignore.{0,60}\Wrules",
            &[(&["ignore"], &[(&["rules"], None)])],
        );
    }

    #[test]
    fn a_choice_is_known_by_what_its_short_words_lead_to() {
        check(
            r"ignore\W+(?:in\W+your|my\W+rules)",
            &[(&["ignore"], &[(&["rules", "your"], Some(2))])],
        );
        check(r"ignore\W+(?:in|your)\b", &[(&["ignore"], &[])]);
    }

    #[test]
    fn alternatives_need_their_own() {
        check(
            r"\b(?:forgot[\W_]{1,8}the prompt|(?:tell|show) me|lost\W+rules)\b",
            &[
                (&["show me", "tell me"], &[]),
                (&["lost"], &[(&["rules"], Some(1))]),
                (&["forgot"], &[(&["the prompt"], Some(1))]),
            ],
        );
    }

    #[test]
    fn what_may_be_missing_or_stand_inside_a_word_is_not() {
        check(r"ignore\W+(?:rules)?", &[(&["ignore"], &[])]);
        check(r"ignore\w+rules", &[(&["ignore"], &[])]);
        check(r"ignore\W*rules", &[(&["ignore"], &[])]);
        check(r"ignore \w+", &[(&["ignore "], &[])]);
    }
}
