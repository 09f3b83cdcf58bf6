use std::{collections::HashSet, ops::Range};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How answers cite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CitationStyle {
    /// `[1]` is the first piece of evidence, `[doc:handbook-7]` and `[handbook-7]` the one of that
    /// id.
    #[default]
    Brackets,
    /// Answers do not cite; brackets are text.
    None,
}

/// A citation in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citation {
    /// Bytes of the answer, brackets included.
    pub range: Range<usize>,
    /// The number of the evidence that it means; `None` if there is none.
    pub evidence: Option<usize>,
}

/// The citations of `answer`; `ids` are those of the evidence, in order.
///
/// What stands in brackets is a citation if it is a number, an id with a prefix such as `doc:`, or
/// looks like an id; other words in brackets are text. Code is not read.
pub(super) fn citations(answer: &str, ids: &[&str]) -> Vec<Citation> {
    let known: HashSet<&str> = ids.iter().copied().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(found) = answer
        .get(at..)
        .and_then(|rest| rest.find(['[', '\u{3010}']))
    {
        let start = at + found;
        let rest = answer.get(start..).unwrap_or_default();
        let open = rest.chars().next().map_or(1, char::len_utf8);
        let Some(len) = rest.find([']', '\u{3011}']) else {
            break;
        };
        let inner = rest.get(open..len).unwrap_or_default();
        let close = rest
            .get(len..)
            .and_then(|rest| rest.chars().next())
            .map_or(1, char::len_utf8);
        let end = start + len + close;
        // `[text](address)` is a link, and an inner bracket begins anew.
        let is_link = answer.get(end..).is_some_and(|rest| rest.starts_with('('));
        if let Some(inner_open) = inner.find('[') {
            at = start + open + inner_open;
            continue;
        }
        at = end;
        if is_link || inner.len() > 200 {
            continue;
        }
        // Several in one pair of brackets: all of them must be there.
        let parts: Vec<&str> = inner.split([',', ';']).map(str::trim).collect();
        if !parts.iter().all(|part| is_citation(part, &known)) {
            continue;
        }
        let resolved: Option<Vec<usize>> = parts.iter().map(|part| resolve(part, ids)).collect();
        out.push(Citation {
            range: start..end,
            evidence: resolved.and_then(|all| all.first().copied()),
        });
    }
    out
}

const PREFIXES: [&str; 9] = [
    "doc:",
    "source:",
    "chunk:",
    "cite:",
    "ref:",
    "id:",
    "document:",
    "doc ",
    "source ",
];

fn bare(part: &str) -> (&str, bool) {
    let part = part.trim_start_matches('^');
    for prefix in PREFIXES {
        let head = part.get(..prefix.len());
        if head.is_some_and(|head| head.eq_ignore_ascii_case(prefix)) {
            return (part.get(prefix.len()..).unwrap_or_default().trim(), true);
        }
    }
    (part, false)
}

fn is_citation(part: &str, known: &HashSet<&str>) -> bool {
    let (id, is_marked) = bare(part);
    let is_number = !id.is_empty() && id.len() <= 4 && id.bytes().all(|b| b.is_ascii_digit());
    let is_id = id.len() >= 3
        && !id.contains(char::is_whitespace)
        && id.bytes().any(|b| b.is_ascii_digit())
        && id.contains(['-', '_', ':', '#', '/', '.']);
    is_marked || is_number || is_id || known.contains(id)
}

fn resolve(part: &str, ids: &[&str]) -> Option<usize> {
    let (id, is_marked) = bare(part);
    let by_id = ids.iter().position(|known| *known == id && !id.is_empty());
    let by_number = || {
        let number: usize = id.parse().ok()?;
        let at = number.checked_sub(1)?;
        (at < ids.len()).then_some(at)
    };
    by_id.or_else(|| {
        if is_marked && !id.bytes().all(|b| b.is_ascii_digit()) {
            None
        } else {
            by_number()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn citations_resolve_or_not() {
        let ids = ["handbook-7", "faq/2"];
        let found = |answer: &str| -> Vec<Option<usize>> {
            citations(answer, &ids)
                .into_iter()
                .map(|c| c.evidence)
                .collect()
        };
        assert_eq!(found("Yes [1] and no [2]."), [Some(0), Some(1)]);
        assert_eq!(found("Yes [3]."), [None]);
        assert_eq!(
            found("Yes [doc:handbook-7] and [faq/2]."),
            [Some(0), Some(1)]
        );
        assert_eq!(found("No [doc:handbook-8] [paper-2024]."), [None, None]);
        assert_eq!(found("See [1, 2] and [1, 9]."), [Some(0), None]);
        assert_eq!(
            found("A [link](https://a.example) and [some words] and [x]"),
            []
        );
    }
}
