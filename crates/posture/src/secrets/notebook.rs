//! Which cell of a Jupyter notebook a place is in.

use std::ops::Range;

use crate::config::tree::{Node, yaml};

/// The cells of a notebook and their outputs, with their bytes.
#[derive(Debug, Default)]
pub(super) struct Cells(Vec<(Range<usize>, String)>);

impl Cells {
    /// The cells of `text`; none if it is no notebook.
    ///
    /// JSON is YAML for this purpose, and the reader of YAML knows places.
    pub(super) fn of(text: &str) -> Self {
        if !text.contains("\"nbformat\"") || !text.contains("\"cells\"") {
            return Self::default();
        }
        let Ok(roots) = yaml::read(text) else {
            return Self::default();
        };
        let mut cells = Vec::new();
        let list = roots.first().and_then(|root| root.get("cells"));
        for (number, cell) in list.map_or(&[][..], Node::items).iter().enumerate() {
            let outputs = cell.get("outputs").map_or(&[][..], Node::items);
            for (output, node) in outputs.iter().enumerate() {
                cells.push((node.span.clone(), format!("cell {number}, output {output}")));
            }
            cells.push((cell.span.clone(), format!("cell {number}")));
        }
        Self(cells)
    }

    /// The innermost one that holds `at`.
    pub(super) fn at(&self, at: usize) -> Option<&str> {
        let found = self.0.iter().find(|(span, _)| span.contains(&at));
        found.map(|(_, name)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_named_by_cell() {
        let text = r#"{"cells": [
  {"cell_type": "markdown", "source": ["one"]},
  {"cell_type": "code", "source": ["two\n", "three"],
   "outputs": [{"text": "four"}, {"text": "five"}]}
], "nbformat": 4}"#;
        let cells = Cells::of(text);
        for (word, cell) in [
            ("one", "cell 0"),
            ("three", "cell 1"),
            ("four", "cell 1, output 0"),
            ("five", "cell 1, output 1"),
        ] {
            assert_eq!(cells.at(text.find(word).unwrap()), Some(cell), "{word}");
        }
        assert_eq!(cells.at(text.find("nbformat").unwrap()), None);
        assert_eq!(Cells::of("{\"cells\": []}").at(3), None);
    }
}
