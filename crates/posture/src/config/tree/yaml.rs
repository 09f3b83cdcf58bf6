//! YAML, and JSON as the part of it that it is.

use std::{collections::HashMap, ops::Range};

use granit_parser::{Event, Parser, Span};

use super::{Entry, MAX_BYTES, MAX_DEPTH, MAX_NODES, Node, TreeError, Value};

/// A collection that is open.
struct Open {
    node: Node,
    /// A key that waits for its value.
    key: Option<(String, Range<usize>)>,
    anchor: usize,
}

/// Every document of `text`. Aliases become what they stand for, `<<` is merged in.
///
/// # Errors
/// When the text is no YAML or over a bound; what comes before a mistake is not kept.
pub fn read(text: &str) -> Result<Vec<Node>, TreeError> {
    if text.len() > MAX_BYTES {
        return Err(exhausted("yaml bytes", MAX_BYTES));
    }
    let mut reader = Reader {
        roots: Vec::new(),
        open: Vec::new(),
        anchors: HashMap::new(),
        nodes: 0,
    };
    let mut line = 1;
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else {
            return Err(TreeError::Malformed { line });
        };
        line = span.start.line();
        reader.event(event, bytes(&span, text))?;
    }
    Ok(reader.roots)
}

fn exhausted(limit: &'static str, at: usize) -> TreeError {
    TreeError::Exhausted {
        limit,
        at: at as u64,
    }
}

fn bytes(span: &Span, text: &str) -> Range<usize> {
    let range = span.byte_range().unwrap_or(0..0);
    let start = range.start.min(text.len());
    start..range.end.clamp(start, text.len())
}

struct Reader {
    roots: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl Reader {
    fn event(&mut self, event: Event<'_>, span: Range<usize>) -> Result<(), TreeError> {
        match event {
            Event::Scalar(value, _, anchor, _) => {
                self.count(1)?;
                self.put(Node::scalar(value, span), anchor);
            }
            Event::SequenceStart(_, anchor, _) => {
                self.push(Value::List(Vec::new()), span, anchor)?
            }
            Event::MappingStart(_, anchor, _) => self.push(Value::Map(Vec::new()), span, anchor)?,
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(mut open) = self.open.pop() {
                    open.node.span.end = span.end.max(open.node.span.start);
                    self.put(open.node, open.anchor);
                }
            }
            Event::Alias(anchor) => {
                // One that stands in itself is not there yet.
                let node = self.anchors.get(&anchor).cloned();
                let node = node.unwrap_or_else(|| Node::scalar("", span.clone()));
                self.count(node.size())?;
                if depth(&node) + self.open.len() > MAX_DEPTH {
                    return Err(exhausted("yaml depth", MAX_DEPTH));
                }
                self.put(Node { span, ..node }, 0);
            }
            Event::UnresolvedAlias(_) => self.put(Node::scalar("", span), 0),
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, nodes: usize) -> Result<(), TreeError> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES {
            return Err(exhausted("yaml values", MAX_NODES));
        }
        Ok(())
    }

    fn push(&mut self, value: Value, span: Range<usize>, anchor: usize) -> Result<(), TreeError> {
        self.count(1)?;
        if self.open.len() >= MAX_DEPTH {
            return Err(exhausted("yaml depth", MAX_DEPTH));
        }
        self.open.push(Open {
            node: Node { value, span },
            key: None,
            anchor,
        });
        Ok(())
    }

    fn put(&mut self, node: Node, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.roots.push(node);
            return;
        };
        match &mut open.node.value {
            Value::List(items) => items.push(node),
            Value::Map(entries) => match open.key.take() {
                None => {
                    let key = node.text().unwrap_or_default().to_owned();
                    open.key = Some((key, node.span));
                }
                // https://yaml.org/type/merge.html
                Some((key, _)) if key == "<<" => {
                    let sources = match node.value {
                        Value::List(items) => items,
                        _ => vec![node],
                    };
                    for source in sources {
                        if let Value::Map(merged) = source.value {
                            entries.extend(merged);
                        }
                    }
                }
                Some((key, key_span)) => entries.push(Entry {
                    key,
                    key_span,
                    node,
                }),
            },
            Value::Scalar(_) => {}
        }
    }
}

fn depth(node: &Node) -> usize {
    let below = node
        .entries()
        .iter()
        .map(|entry| &entry.node)
        .chain(node.items());
    1 + below.map(depth).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bytes() {
        let text = "# ü\na: 1\nb:\n  c: [x, \"é\", z]\n---\nd: e\n";
        let roots = read(text).unwrap();
        assert_eq!(roots.len(), 2);
        let list = roots[0].get("b").unwrap().get("c").unwrap();
        assert_eq!(text.get(list.items()[2].span.clone()).unwrap(), "z");
        assert_eq!(
            text.get(roots[0].entries()[1].key_span.clone()).unwrap(),
            "b"
        );
        let json = "{\"a\": {\"b\": [1, true]}}";
        let value = read(json).unwrap()[0]
            .get("a")
            .unwrap()
            .get("b")
            .unwrap()
            .clone();
        assert_eq!(json.get(value.span.clone()).unwrap(), "[1, true]");
    }

    #[test]
    fn aliases_are_what_they_stand_for() {
        let text = "base: &b {p: yes}\none: *b\ntwo:\n  <<: *b\n  q: no\n";
        let root = read(text).unwrap().remove(0);
        for key in ["one", "two"] {
            let value = root.get(key).unwrap().get("p").unwrap();
            assert_eq!(value.text(), Some("yes"));
        }
    }

    #[test]
    fn bounds_hold() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..9 {
            let of = format!("*a{}, ", level - 1).repeat(10);
            bomb.push_str(&format!("a{level}: &a{level} [{of}]\n"));
        }
        assert!(matches!(read(&bomb), Err(TreeError::Exhausted { .. })));
        assert!(read(&"[".repeat(5_000)).is_err());
        assert!(matches!(
            read("a: [b"),
            Err(TreeError::Malformed { line: 1 })
        ));
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics_and_spans_fit(text in "[-a\\[\\]{}:,&*|>\"'\n <é]{0,60}") {
            fn check(node: &Node, text: &str) {
                assert!(node.span.start <= node.span.end);
                assert!(node.span.end <= text.len(), "{node:?}");
                for below in node.entries().iter().map(|entry| &entry.node).chain(node.items()) {
                    check(below, text);
                }
            }
            for root in read(&text).unwrap_or_default() {
                check(&root, &text);
            }
        }
    }
}
