//! What must stand in a match besides its start, so that a pattern need not be tried without it.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::{parse, prefixes_of};

/// Most sets that one pattern is asked for.
const MAX_SETS: usize = 3;

/// Sets of literals of each of which one stands in every match of `pattern`, behind its start and
/// where a word starts; none if nothing can be told.
#[must_use]
pub fn needs(pattern: &str) -> Vec<Vec<String>> {
    parse(pattern).map_or_else(|_| Vec::new(), |hir| needs_of(&hir))
}

pub(super) fn needs_of(hir: &Hir) -> Vec<Vec<String>> {
    match hir.kind() {
        HirKind::Capture(capture) => needs_of(&capture.sub),
        HirKind::Concat(parts) => {
            let mut sets: Vec<Vec<String>> = (1..parts.len())
                .filter(|&at| parts.get(..at).is_some_and(end_apart))
                .filter_map(|at| prefixes_of(&Hir::concat(parts.get(at..)?.to_vec())))
                .collect();
            // Few long literals reject most.
            sets.sort_by_key(|set| {
                let shortest = set.iter().map(String::len).min().unwrap_or(0);
                (std::cmp::Reverse(shortest), set.len())
            });
            sets.dedup();
            sets.truncate(MAX_SETS);
            sets
        }
        _ => Vec::new(),
    }
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
        HirKind::Class(Class::Bytes(class)) => class
            .iter()
            .all(|range| (range.start()..=range.end()).all(|byte| !byte.is_ascii_alphanumeric())),
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
    use super::*;

    fn check(pattern: &str, expected: &[&[&str]]) {
        assert_eq!(needs(pattern), expected, "{pattern}");
    }

    #[test]
    fn a_target_behind_a_gap_is_needed() {
        check(
            r"(?:ignore|forget)(?:\W+\w+){0,4}?\W+(?:instructions|rules)",
            &[&["instructions", "rules"]],
        );
        check(
            r"ignore\W+(?:the\W+)?rules",
            &[&["rules"], &["rules", "the"]],
        );
    }

    #[test]
    fn what_may_be_missing_or_stand_inside_a_word_is_not() {
        check(r"ignore\W+(?:rules)?", &[]);
        check(r"ignore\w+rules", &[]);
        check(r"ignore\W*rules", &[]);
        check(r"ignore \w+", &[]);
    }
}
