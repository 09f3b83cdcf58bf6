//! The texts of one file, whether they are labelled or not.

use std::path::Path;

use super::{
    columns::{is_positive_by_name, text_column},
    source::{Cell, Failure, Source},
};
use crate::problem::Problem;

/// The rows of a file that hold a text.
pub(crate) struct Texts {
    pub(crate) rows: Vec<TextRow>,
    /// Rows that hold none.
    pub(crate) unusable: u64,
}

/// A row with a text.
pub(crate) struct TextRow {
    /// Where it begins: a line, or in Parquet a row, from 1.
    pub(crate) line: u64,
    pub(crate) text: String,
    /// Whether its label says that it should be caught; `None` without a label of a usual name.
    pub(crate) is_positive: Option<bool>,
    /// What the column `family` says.
    pub(crate) family: Option<String>,
}

/// Rows that are read at most.
const MOST: usize = 1_000_000;

/// Reads the texts of a file, told by the usual names of columns.
pub(crate) fn texts(path: &Path) -> Result<Texts, Problem> {
    let mut source = Source::open(path, None)?;
    let name = crate::input::escaped(path);
    let text = text_column(&name, source.columns())?;
    let wanted = vec![text, "label".to_owned(), "family".to_owned()];
    let mut texts = Texts {
        rows: Vec::new(),
        unusable: 0,
    };
    while let Some(next) = source.next(&wanted) {
        let record = match next {
            Ok(record) => record,
            Err(Failure::Fatal(problem)) => return Err(problem),
            Err(Failure::Row(..)) => {
                texts.unusable += 1;
                continue;
            }
        };
        let mut cells = record.cells.into_iter();
        let mut word = || match cells.next().flatten() {
            Some(Cell::Text(text) | Cell::Plain(text)) => Some(text),
            _ => None,
        };
        let (text, label, family) = (word(), word(), word());
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
            texts.unusable += 1;
            continue;
        };
        if texts.rows.len() >= MOST {
            let message = format!("`{name}` has more than {MOST} rows");
            return Err(Problem::new(message).help("give a part of it"));
        }
        texts.rows.push(TextRow {
            line: record.line,
            text,
            is_positive: label.and_then(|label| is_positive_by_name(&label)),
            family: family.filter(|family| !family.is_empty()),
        });
    }
    Ok(texts)
}
