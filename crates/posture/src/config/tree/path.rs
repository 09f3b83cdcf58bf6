use std::ops::Range;

use super::{Node, Value};

/// Which values of a tree are meant: names with dots between them.
///
/// A name may be several with `|` between them, `*` is any one name, and `**` any number of names,
/// none among them. Lists are looked through: their items stand where the list stands. The empty
/// path is the value itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Named(Vec<String>),
    Any,
    Deep,
}

/// A value that is meant.
#[derive(Clone, Debug)]
pub struct Selected<'a> {
    /// The value; never a list.
    pub node: &'a Node,
    /// The bytes of the name that it stands under, or its own where there is none.
    pub place: Range<usize>,
    /// The maps that it stands in, outermost first.
    pub above: Vec<&'a Node>,
}

impl Path {
    /// Reads a path.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let steps = text.split('.').filter(|step| !step.is_empty());
        let steps = steps.map(|step| match step {
            "*" => Step::Any,
            "**" => Step::Deep,
            names => Step::Named(names.split('|').map(str::to_owned).collect()),
        });
        Self(steps.collect())
    }

    /// The values below `node` that are meant, in order, each once.
    #[must_use]
    pub fn select<'a>(&self, node: &'a Node) -> Vec<Selected<'a>> {
        let mut found = Vec::new();
        let place = node.span.clone();
        walk(node, &place, &self.0, &mut Vec::new(), &mut found);
        let mut seen = std::collections::HashSet::new();
        found.retain(|one: &Selected<'_>| seen.insert(std::ptr::from_ref(one.node)));
        found
    }
}

/// Trees are no deeper than [`super::MAX_DEPTH`].
fn walk<'a>(
    node: &'a Node,
    place: &Range<usize>,
    steps: &[Step],
    above: &mut Vec<&'a Node>,
    found: &mut Vec<Selected<'a>>,
) {
    if let Value::List(items) = &node.value {
        for item in items {
            // An item that is a text stands at its own place.
            let place = if item.text().is_some() {
                &item.span
            } else {
                place
            };
            walk(item, place, steps, above, found);
        }
        return;
    }
    let Some((step, rest)) = steps.split_first() else {
        found.push(Selected {
            node,
            place: place.clone(),
            above: above.clone(),
        });
        return;
    };
    if *step == Step::Deep {
        walk(node, place, rest, above, found);
    }
    above.push(node);
    for entry in node.entries() {
        match step {
            Step::Deep => walk(&entry.node, &entry.key_span, steps, above, found),
            Step::Any => walk(&entry.node, &entry.key_span, rest, above, found),
            Step::Named(names) if names.contains(&entry.key) => {
                walk(&entry.node, &entry.key_span, rest, above, found);
            }
            Step::Named(_) => {}
        }
    }
    above.pop();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tree::yaml;

    #[test]
    fn paths_look_through_lists_and_depth() {
        let text = "a:\n  - b: 1\n  - b: [2, 3]\n    c: {b: 4}\nd: {b: 5}\n";
        let root = yaml::read(text).unwrap().remove(0);
        let values = |path: &str| -> String {
            let found = Path::new(path).select(&root);
            let texts = found.iter().filter_map(|one| one.node.text());
            texts.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(values("a.b"), "1 2 3");
        assert_eq!(values("*.b"), "1 2 3 5");
        assert_eq!(values("**.b"), "1 2 3 4 5");
        assert_eq!(values("a|d.b"), "1 2 3 5");
        assert_eq!(values("a.**.b"), "1 2 3 4");
        assert_eq!(values("x.b"), "");
        let place = Path::new("a.c.b").select(&root).remove(0);
        assert_eq!(text.get(place.place.clone()).unwrap(), "b");
        assert_eq!(place.above.len(), 3);
    }
}
