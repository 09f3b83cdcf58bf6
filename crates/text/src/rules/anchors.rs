//! Says which part of a pattern leaves it without anchors.

use regex_syntax::hir::{Hir, HirKind, literal};

use crate::scan::MIN_ANCHOR;

/// The start of the alternative of `pattern` that starts with too few fixed bytes, if one does.
pub(super) fn culprit(pattern: &str) -> Option<String> {
    let hir = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .build()
        .parse(pattern)
        .ok()?;
    find(&[&hir])
}

/// Descends into the alternatives that `sequence` starts with.
fn find(sequence: &[&Hir]) -> Option<String> {
    let (first, rest) = sequence.split_first()?;
    let with_rest = |parts: &[Hir]| {
        let parts: Vec<&Hir> = parts.iter().chain(rest.iter().copied()).collect();
        find(&parts)
    };
    match first.kind() {
        HirKind::Look(_) | HirKind::Empty => find(rest),
        HirKind::Capture(capture) => with_rest(std::slice::from_ref(&*capture.sub)),
        HirKind::Concat(parts) => with_rest(parts),
        HirKind::Alternation(parts) => parts
            .iter()
            .find_map(|part| with_rest(std::slice::from_ref(part))),
        _ => {
            let whole = Hir::concat(sequence.iter().map(|part| (*part).clone()).collect());
            let prefixes = literal::Extractor::new().limit_class(12).extract(&whole);
            let short = prefixes
                .literals()
                .is_none_or(|literals| literals.iter().any(|literal| literal.len() < MIN_ANCHOR));
            short.then(|| start_of(sequence))
        }
    }
}

/// The fixed bytes that an expression starts with, else its first characters.
fn start_of(sequence: &[&Hir]) -> String {
    match sequence.first().map(|first| first.kind()) {
        Some(HirKind::Literal(literal)) => String::from_utf8_lossy(&literal.0).into_owned(),
        _ => {
            let printed = sequence.iter().map(ToString::to_string).collect::<String>();
            printed.replace("(?-u:", "(?:").chars().take(24).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_alternative() {
        let found = culprit(r"\b(?:ignore|no\W{1,8}longer|drop) it").unwrap();
        assert_eq!(found, "no");
        assert_eq!(culprit(r"\b(?:ignore|drop)\W+it"), None);
        assert!(culprit(r"x(?:\w+) y").unwrap().starts_with('x'));
    }
}
