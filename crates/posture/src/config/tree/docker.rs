//! Recipes of images (<https://docs.docker.com/reference/dockerfile/>).

use std::{collections::HashSet, ops::Range};

use super::{Entry, MAX_BYTES, MAX_NODES, Node, TreeError, Value};

/// The instructions of a recipe by their names in capitals, with their arguments as one text.
///
/// A stage that begins with an earlier one stands under `STAGE` instead of `FROM`; the user that the
/// image runs as also stands under `LAST_USER`.
///
/// # Errors
/// When there is an instruction that none is, or more than is read.
pub fn read(text: &str) -> Result<Node, TreeError> {
    if text.len() > MAX_BYTES {
        return Err(TreeError::Exhausted {
            limit: "recipe bytes",
            at: MAX_BYTES as u64,
        });
    }
    let escape = escape(text);
    let mut entries: Vec<Entry> = Vec::new();
    let mut stages = HashSet::new();
    let mut user: Option<Node> = None;
    let mut lines = Lines { text, at: 0 };
    while let Some((start, mut line)) = lines.next() {
        let number = || {
            1 + memchr::memchr_iter(b'\n', text.as_bytes().get(..start).unwrap_or_default()).count()
        };
        if is_blank(line) {
            continue;
        }
        let mut end = start + line.len();
        let mut whole = String::new();
        // Comments and empty lines between continued lines do not end the instruction.
        loop {
            let trimmed = line.trim_end();
            match trimmed.strip_suffix(escape) {
                Some(part) => {
                    whole.push_str(part);
                    whole.push(' ');
                }
                None => {
                    whole.push_str(trimmed);
                    break;
                }
            }
            let Some((at, next)) = lines.find(|(_, next)| !is_blank(next)) else {
                break;
            };
            end = at + next.len();
            line = next;
        }
        let whole_text = whole.trim();
        let (name, arguments) = whole_text
            .split_once(char::is_whitespace)
            .unwrap_or((whole_text, ""));
        let mut name = name.to_ascii_uppercase();
        if !INSTRUCTIONS.contains(&name.as_str()) {
            return Err(TreeError::Malformed { line: number() });
        }
        let mut arguments = arguments.trim().to_owned();
        for mark in heredocs(&arguments, &name) {
            for (at, line) in lines.by_ref() {
                end = at + line.len();
                if line.trim() == mark {
                    break;
                }
                arguments.push('\n');
                arguments.push_str(line.trim_end());
            }
        }
        let span = start..end.min(text.len());
        if name == "FROM" {
            user = None;
            let mut words = arguments
                .split_whitespace()
                .filter(|word| !word.starts_with("--"));
            let base = words.next().unwrap_or_default().to_owned();
            if words
                .next()
                .is_some_and(|word| word.eq_ignore_ascii_case("as"))
            {
                stages.extend(
                    words
                        .next()
                        .map(str::to_ascii_lowercase)
                        .filter(|stage| *stage != base.to_ascii_lowercase()),
                );
            }
            if base == "scratch" || stages.contains(&base.to_ascii_lowercase()) {
                name = "STAGE".to_owned();
            }
            arguments = base;
        }
        let key_span = start..start + name.len().min(end - start);
        let node = Node::scalar(arguments, span);
        if name == "USER" {
            user = Some(node.clone());
        }
        entries.push(Entry {
            key: name,
            key_span: trimmed(text, key_span),
            node,
        });
        if entries.len() > MAX_NODES {
            return Err(TreeError::Exhausted {
                limit: "instructions",
                at: MAX_NODES as u64,
            });
        }
    }
    if let Some(node) = user {
        entries.push(Entry {
            key: "LAST_USER".to_owned(),
            key_span: node.span.clone(),
            node,
        });
    }
    Ok(Node {
        value: Value::Map(entries),
        span: 0..text.len(),
    })
}

const INSTRUCTIONS: &[&str] = &[
    "FROM",
    "RUN",
    "CMD",
    "LABEL",
    "MAINTAINER",
    "EXPOSE",
    "ENV",
    "ADD",
    "COPY",
    "ENTRYPOINT",
    "VOLUME",
    "USER",
    "WORKDIR",
    "ARG",
    "ONBUILD",
    "STOPSIGNAL",
    "HEALTHCHECK",
    "SHELL",
];

/// A span that ends at a border of characters.
fn trimmed(text: &str, span: Range<usize>) -> Range<usize> {
    let mut end = span.end.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    span.start..end
}

/// The sign that continues a line: a directive at the top may change it.
fn escape(text: &str) -> char {
    let directives = text
        .lines()
        .take_while(|line| line.trim_start().starts_with('#'));
    let mut set = directives.filter_map(|line| {
        let (name, value) = line.trim_start().trim_start_matches('#').split_once('=')?;
        (name.trim().eq_ignore_ascii_case("escape")).then(|| value.trim().chars().next())?
    });
    set.next().unwrap_or('\\')
}

fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

/// The marks that end the texts which follow an instruction (`RUN <<EOF`).
fn heredocs(arguments: &str, name: &str) -> Vec<String> {
    if !matches!(name, "RUN" | "COPY" | "ADD") {
        return Vec::new();
    }
    let words = arguments.split_whitespace().filter_map(|word| {
        let mark = word.split_once("<<")?.1.trim_start_matches('-');
        let mark = mark.trim_matches(['"', '\'']);
        let is_mark = !mark.is_empty()
            && mark
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_mark.then(|| mark.to_owned())
    });
    words.collect()
}

/// Lines with their places.
struct Lines<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let line = rest.split_inclusive('\n').next()?;
        let start = self.at;
        self.at += line.len();
        Some((start, line.trim_end_matches(['\n', '\r'])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_joined() {
        let text = "# syntax=x\nFROM a:1 AS b\nRUN one \\\n  # note\n\n  && two\nFROM b\nUSER app\ncopy <<EOF /x\nUSER root\nEOF\n";
        let root = read(text).unwrap();
        let all: Vec<(&str, &str)> = root
            .entries()
            .iter()
            .map(|entry| (entry.key.as_str(), entry.node.text().unwrap()))
            .collect();
        assert_eq!(
            all,
            [
                ("FROM", "a:1"),
                ("RUN", "one    && two"),
                ("STAGE", "b"),
                ("USER", "app"),
                ("COPY", "<<EOF /x\nUSER root"),
                ("LAST_USER", "app"),
            ]
        );
        assert_eq!(text.get(root.entries()[1].key_span.clone()).unwrap(), "RUN");
    }

    #[test]
    fn another_text_is_no_recipe() {
        assert_eq!(
            read("FROM a\nhello world\n"),
            Err(TreeError::Malformed { line: 2 })
        );
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "(FROM|RUN|USER|#escape=`|<<E|\\\\|\n| |é|E){0,20}") {
            if let Ok(root) = read(&text) {
                assert!(root.entries().iter().all(|entry| text.get(entry.key_span.clone()).is_some()));
            }
        }
    }
}
