//! From what authors write to expressions that the scan can match.

use std::collections::BTreeMap;

use super::{
    error::{Mistake, hint},
    format::At,
};

/// What a blank of a phrase matches: blanks, line breaks, and the punctuation, quotes, and marks
/// of emphasis that may stand between two words.
const GAP: &str = r"(?:[\W_]{1,8})";

/// Longest expanded pattern in bytes.
const MAX_EXPANDED: usize = 64 << 10;

/// How deep defines nest.
const MAX_NESTING: usize = 8;

/// The expression of a literal phrase; `whole` forbids it to end inside a word.
pub(super) fn phrase(text: &str, whole: bool) -> String {
    let words: Vec<_> = text
        .split_whitespace()
        .map(|word| regex_syntax::escape(&fold(word)))
        .collect();
    let mut pattern = words.join(GAP);
    if whole && pattern.ends_with(|c: char| c.is_ascii_alphanumeric()) {
        pattern.push_str(r"\b");
    }
    pattern
}

/// An expanded pattern and which character of the source each of its bytes came from.
#[derive(Debug, Default)]
pub(super) struct Expanded {
    pub(super) text: String,
    /// Pairs of (first byte of the expansion, character of the source).
    origin: Vec<(usize, usize)>,
}

impl Expanded {
    /// The character of the source that byte `at` of the expansion came from.
    pub(super) fn source_of(&self, at: usize) -> usize {
        let after = self.origin.partition_point(|(start, _)| *start <= at);
        self.origin
            .get(after.saturating_sub(1))
            .map_or(0, |(_, source)| *source)
    }
}

/// Expands the defines, blanks, and accents of a pattern.
///
/// # Errors
/// For a define that is unknown or endless.
pub(super) fn pattern(
    source: &str,
    defines: &BTreeMap<String, At<String>>,
) -> Result<Expanded, Mistake> {
    let mut out = Expanded::default();
    expand_into(source, defines, 0, None, &mut out)?;
    Ok(out)
}

fn expand_into(
    source: &str,
    defines: &BTreeMap<String, At<String>>,
    depth: usize,
    place: Option<usize>,
    out: &mut Expanded,
) -> Result<(), Mistake> {
    let mut in_class = false;
    let mut rest = source;
    let mut at = 0;
    while let Some(c) = rest.chars().next() {
        out.origin.push((out.text.len(), place.unwrap_or(at)));
        let mut taken = c.len_utf8();
        let named = rest
            .strip_prefix("{{")
            .and_then(|tail| tail.split_once("}}"));
        match (c, named) {
            (_, Some((name, tail))) => {
                let name = name.trim();
                let define = defines.get(name).ok_or_else(|| Mistake::Unknown {
                    what: "define",
                    given: name.to_owned(),
                    hint: hint(name, defines.keys().map(String::as_str)),
                })?;
                if depth == MAX_NESTING || out.text.len() > MAX_EXPANDED {
                    return Err(Mistake::Endless(name.to_owned()));
                }
                expand_into(
                    &define.value,
                    defines,
                    depth + 1,
                    Some(place.unwrap_or(at)),
                    out,
                )?;
                taken = rest.len() - tail.len();
            }
            ('\\', _) => {
                out.text.push(c);
                if let Some(escaped) = rest.chars().nth(1) {
                    out.text.push(escaped);
                    taken += escaped.len_utf8();
                }
            }
            (' ', _) if !in_class => out.text.push_str(GAP),
            (c, _) if !c.is_ascii() => {
                let run = rest
                    .find(|c: char| c.is_ascii())
                    .and_then(|end| rest.get(..end))
                    .unwrap_or(rest);
                out.text.push_str(&fold(run));
                taken = run.len();
            }
            (c, _) => {
                in_class = (in_class || c == '[') && c != ']';
                out.text.push(c);
            }
        }
        let (done, tail) = rest.split_at_checked(taken).unwrap_or((rest, ""));
        at += done.chars().count();
        rest = tail;
    }
    Ok(())
}

/// `text` as the folded view spells it.
pub(super) fn fold(text: &str) -> String {
    crate::fold::fold_str(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(source: &str, defines: &[(&str, &str)]) -> Result<String, String> {
        let defines = defines
            .iter()
            .map(|(name, text)| {
                let value = (*text).to_owned();
                let place = crate::rules::Place::default();
                ((*name).to_owned(), At { value, place })
            })
            .collect();
        pattern(source, &defines)
            .map(|expanded| expanded.text)
            .map_err(|mistake| mistake.to_string())
    }

    #[test]
    fn blanks_become_gaps_outside_classes() {
        assert_eq!(
            expanded(r"act as[ x]\ y", &[]).unwrap(),
            r"act(?:[\W_]{1,8})as[ x]\ y"
        );
    }

    #[test]
    fn defines_nest_but_not_without_end() {
        let defines = [("a", "(?:{{b}}|x)"), ("b", "y"), ("c", "{{c}}")];
        assert_eq!(expanded("{{a}}z", &defines).unwrap(), "(?:y|x)z");
        assert!(expanded("{{c}}", &defines).unwrap_err().contains("itself"));
        assert_eq!(
            expanded("{{d}}", &[("drop", "x")]).unwrap_err(),
            "unknown define `d`, expected one of drop"
        );
    }

    #[test]
    fn places_survive_expansion() {
        let defines = BTreeMap::from([(
            "a".to_owned(),
            At {
                value: "long words".to_owned(),
                place: crate::rules::Place::default(),
            },
        )]);
        let expanded = pattern("{{a}}(", &defines).unwrap();
        assert_eq!(expanded.source_of(expanded.text.len() - 1), 5);
        assert_eq!(expanded.source_of(3), 0);
    }
}
