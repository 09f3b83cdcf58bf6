use std::ops::Range;

use super::{
    Kind,
    kind::{Named, named, of_content},
    tree::{Entry, Node, TreeError, Value, docker, hcl, yaml},
};

/// The longest text that is read line by line, in bytes.
const MAX_BYTES: usize = 8 << 20;

/// A file that configures something.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it configures.
    pub kind: Kind,
    /// Its trees; none where its syntax is one of lines.
    pub roots: Vec<Node>,
    /// Its settings, as `NAME=value`, and its commands, each on one line.
    pub lines: Vec<Line>,
}

/// A setting or a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The text.
    pub text: String,
    /// Where it stands, in bytes.
    pub span: Range<usize>,
}

/// Why a file that configures something is not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// What it becomes depends on values that are elsewhere.
    #[error("the file is a template: what it becomes was not judged")]
    Template,
    /// It cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

impl Document {
    /// Whether a file may be one, by its name alone.
    #[must_use]
    pub fn may_be(path: &str) -> bool {
        named(path) != Named::Other
    }

    /// Reads a file; nothing where no rule is about it.
    ///
    /// # Errors
    /// When it is one, and cannot be read.
    pub fn read(path: &str, text: &str) -> Result<Option<Self>, DocumentError> {
        let kind = match named(path) {
            Named::Other => return Ok(None),
            Named::As(kind) => Some(kind),
            Named::Yaml => None,
        };
        if text.len() > MAX_BYTES && kind.is_some() {
            let (limit, at) = ("configuration bytes", MAX_BYTES as u64);
            return Err(TreeError::Exhausted { limit, at }.into());
        }
        let (kind, roots) = match kind {
            Some(Kind::Dockerfile) => (Kind::Dockerfile, vec![recipe(text)?]),
            Some(Kind::Terraform) => (Kind::Terraform, vec![hcl::read(text)?]),
            Some(kind @ (Kind::Env | Kind::Script | Kind::Jupyter)) => (kind, Vec::new()),
            None | Some(_) => match (yaml::read(text), kind) {
                (Ok(roots), kind) => match kind.or_else(|| of_content(path, &roots)) {
                    Some(kind) => (kind, roots),
                    None => return Ok(None),
                },
                // A chart's templates are no YAML before they are filled in.
                (Err(_), _) if text.contains("{{") => return Err(DocumentError::Template),
                (Err(error), Some(_)) => return Err(error.into()),
                (Err(error), None) if text.contains("apiVersion:") => return Err(error.into()),
                (Err(_), None) => return Ok(None),
            },
        };
        let mut lines = Vec::new();
        if roots.is_empty() {
            of_text(text, &mut lines);
        }
        for root in &roots {
            of_tree(root, kind, &mut lines);
        }
        Ok(Some(Self { kind, roots, lines }))
    }
}

/// A template of a recipe is none.
fn recipe(text: &str) -> Result<Node, DocumentError> {
    docker::read(text).map_err(|error| match error {
        TreeError::Malformed { .. } if text.contains("{{") || text.contains("{%") => {
            DocumentError::Template
        }
        error => error.into(),
    })
}

/// The lines of a script or of settings, joined where they are continued, without comments.
fn of_text(text: &str, lines: &mut Vec<Line>) {
    let mut joined = String::new();
    let mut start = 0;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let end = at + line.trim_end().len();
        if joined.is_empty() {
            start = at + (line.len() - line.trim_start().len()).min(line.trim_end().len());
        }
        at += line.len();
        let line = line.trim();
        if joined.is_empty() && line.starts_with('#') {
            continue;
        }
        if let Some(part) = line.strip_suffix('\\') {
            joined.push_str(part);
            joined.push(' ');
            continue;
        }
        joined.push_str(line);
        let text = std::mem::take(&mut joined);
        if !text.is_empty() {
            let text = text
                .strip_prefix("export ")
                .map_or(text.clone(), str::to_owned);
            lines.push(Line {
                text,
                span: start.min(end)..end,
            });
        }
    }
}

/// Names under which a list is one command.
const COMMANDS: &[&str] = &["command", "args", "entrypoint"];

/// Names under which settings of an environment stand.
const SETTINGS: &[&str] = &[
    "env",
    "environment",
    "variables",
    "environment_variables",
    "args",
];

/// The settings and commands of a tree, and every text in it by lines.
fn of_tree(node: &Node, kind: Kind, lines: &mut Vec<Line>) {
    match &node.value {
        Value::Scalar(text) => of_scalar(text, &node.span, lines),
        Value::List(items) => items.iter().for_each(|item| of_tree(item, kind, lines)),
        Value::Map(entries) => {
            pair(node, lines);
            command(entries, lines);
            for entry in entries {
                if kind == Kind::Dockerfile {
                    instruction(entry, lines);
                    continue;
                }
                if SETTINGS.contains(&entry.key.as_str()) {
                    settings(&entry.node, lines);
                }
                // A key with a plain value is a setting as well: `max_model_len: 1`.
                match entry.node.text() {
                    Some(text)
                        if !text.contains('\n') && !COMMANDS.contains(&entry.key.as_str()) =>
                    {
                        lines.push(Line {
                            text: format!("{}: {text}", entry.key),
                            span: entry.key_span.start
                                ..entry.node.span.end.max(entry.key_span.start),
                        });
                    }
                    _ => of_tree(&entry.node, kind, lines),
                }
            }
        }
    }
}

fn of_scalar(text: &str, span: &Range<usize>, lines: &mut Vec<Line>) {
    let mut joined = String::new();
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        if let Some(part) = line.strip_suffix('\\') {
            joined.push_str(part);
            joined.push(' ');
            continue;
        }
        joined.push_str(line);
        let text = std::mem::take(&mut joined);
        if !text.is_empty() {
            lines.push(Line {
                text,
                span: span.clone(),
            });
        }
    }
}

/// `- name: A` with `value: b`, as Kubernetes writes settings.
fn pair(node: &Node, lines: &mut Vec<Line>) {
    let text = |key| node.get(key).and_then(Node::text);
    if let (Some(name), Some(value)) = (text("name"), text("value")) {
        let entry = node.entries().iter().find(|entry| entry.key == "value");
        lines.push(Line {
            text: format!("{name}={value}"),
            span: entry.map_or_else(|| node.span.clone(), |entry| entry.node.span.clone()),
        });
    }
}

/// `command`, `entrypoint`, and `args` of a container are one line.
fn command(entries: &[Entry], lines: &mut Vec<Line>) {
    let mut words = Vec::new();
    let mut span: Option<Range<usize>> = None;
    for name in ["entrypoint", "command", "args"] {
        for entry in entries.iter().filter(|entry| entry.key == name) {
            let parts: Vec<&str> = match &entry.node.value {
                Value::Scalar(text) => vec![text],
                Value::List(items) => items.iter().filter_map(Node::text).collect(),
                Value::Map(_) => Vec::new(),
            };
            if !parts.is_empty() && span.is_none() {
                span = Some(entry.key_span.clone());
            }
            words.extend(parts);
        }
    }
    if let Some(span) = span {
        lines.push(Line {
            text: words.join(" "),
            span,
        });
    }
}

/// `A: b` or `A=b` below `environment`.
fn settings(node: &Node, lines: &mut Vec<Line>) {
    for entry in node.entries() {
        if let Some(text) = entry.node.text() {
            lines.push(Line {
                text: format!("{}={text}", entry.key),
                span: entry.key_span.start..entry.node.span.end.max(entry.key_span.start),
            });
        }
    }
}

/// An instruction of a recipe: lists in brackets become words.
fn instruction(entry: &Entry, lines: &mut Vec<Line>) {
    let text = entry.node.text().unwrap_or_default();
    let words: Option<Vec<String>> = text
        .starts_with('[')
        .then(|| serde_json::from_str(text).ok())
        .flatten();
    let text = words.map_or_else(|| text.to_owned(), |words| words.join(" "));
    if entry.key == "LAST_USER" {
        return;
    }
    // `ENV A b`, the old form, is `A=b`.
    let text = match text.split_once(' ') {
        Some((name, value)) if entry.key == "ENV" && !name.contains('=') => {
            format!("{name}={value}")
        }
        _ => text,
    };
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        lines.push(Line {
            text: line.trim().to_owned(),
            span: entry.node.span.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<String> {
        let document = Document::read(path, text).unwrap().unwrap();
        document.lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn settings_and_commands_look_alike_everywhere() {
        for (path, text) in [
            (
                "Dockerfile",
                "FROM x\nENV OLLAMA_HOST 0.0.0.0\nCMD [\"ollama\", \"serve\"]\n",
            ),
            (
                "compose.yaml",
                "services:\n  a:\n    image: x\n    environment: [OLLAMA_HOST=0.0.0.0]\n    command: [ollama, serve]\n",
            ),
            (
                "m.yaml",
                "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - command: [ollama]\n      args: [serve]\n      env: [{name: OLLAMA_HOST, value: 0.0.0.0}]\n",
            ),
            (
                "a.sh",
                "# x\nexport OLLAMA_HOST=0.0.0.0\nollama \\\n  serve\n",
            ),
        ] {
            let lines = lines(path, text);
            for wanted in ["OLLAMA_HOST=0.0.0.0", "ollama serve"] {
                let squeezed =
                    |line: &String| line.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(
                    lines.iter().any(|line| squeezed(line) == wanted),
                    "{path}: {lines:?}"
                );
            }
        }
    }

    #[test]
    fn templates_are_told_from_mistakes() {
        let read = |path, text| Document::read(path, text).map(|one| one.is_some());
        assert_eq!(
            read(
                "t.yaml",
                "apiVersion: v1\n{{- if .x }}\nkind: a\n{{ end }}\n"
            ),
            Err(DocumentError::Template)
        );
        assert_eq!(
            read("Dockerfile", "FROM x\n{% if y %}\n"),
            Err(DocumentError::Template)
        );
        assert!(matches!(
            read("compose.yaml", "a: [\n"),
            Err(DocumentError::Tree(_))
        ));
        assert_eq!(read("notes.yaml", "a: [\n"), Ok(false));
        assert_eq!(read("notes.yaml", "a: 1\n"), Ok(false));
        assert_eq!(read("a.py", "x"), Ok(false));
    }
}
