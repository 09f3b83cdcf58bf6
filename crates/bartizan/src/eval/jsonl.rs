use std::collections::VecDeque;

use serde_json::{Map, Value};

use super::source::{Cell, Failure, Input, Record, Unusable, read_line};
use crate::problem::Problem;

/// An object and its line.
type Found = Result<(u64, Map<String, Value>), Failure>;

/// Rows of JSON Lines.
pub(super) struct JsonLines {
    input: Input,
    name: String,
    columns: Vec<String>,
    line: u64,
    /// The rows before and with the first that has columns.
    pending: VecDeque<Found>,
}

/// Rows that may be broken before the first that is not.
const MAX_BROKEN: usize = 100;

impl JsonLines {
    /// Reads up to the first object.
    pub(super) fn open(input: Input, name: String) -> Result<Self, Problem> {
        let mut rows = Self {
            input,
            name,
            columns: Vec::new(),
            line: 0,
            pending: VecDeque::new(),
        };
        while rows.pending.len() < MAX_BROKEN {
            let Some(row) = rows.read() else { break };
            match row {
                Err(Failure::Fatal(problem)) => return Err(problem),
                Ok((line, object)) => {
                    rows.columns = object.keys().cloned().collect();
                    // As they come or sorted: that hangs on what else is compiled in.
                    rows.columns.sort_unstable();
                    rows.pending.push_back(Ok((line, object)));
                    return Ok(rows);
                }
                row => rows.pending.push_back(row),
            }
        }
        let message = match rows.pending.front() {
            Some(Err(Failure::Row(line, why))) => {
                format!(
                    "`{}` holds no JSON Lines: line {line} is {}",
                    rows.name,
                    why.as_str()
                )
            }
            _ => format!("`{}` holds no row", rows.name),
        };
        Err(Problem::new(message).help("`--input-format` says what it is"))
    }

    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    pub(super) fn next(&mut self, wanted: &[String]) -> Option<Result<Record, Failure>> {
        let row = match self.pending.pop_front() {
            Some(row) => row,
            None => self.read()?,
        };
        Some(row.map(|(line, mut object)| Record {
            line,
            cells: wanted.iter().map(|name| take(&mut object, name)).collect(),
        }))
    }

    /// The next line that is not blank.
    fn read(&mut self) -> Option<Found> {
        let mut bytes = Vec::new();
        loop {
            self.line += 1;
            let line = self.line;
            match read_line(&mut self.input, &mut bytes) {
                Ok(None) => return None,
                Ok(Some(false)) => return Some(Err(Failure::Row(line, Unusable::TooLong))),
                Ok(Some(true)) => {}
                Err(error) => {
                    let message =
                        format!("cannot read `{}` from line {line} on: {error}", self.name);
                    return Some(Err(Failure::Fatal(Problem::new(message))));
                }
            }
            let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
            if text.trim_ascii().is_empty() {
                continue;
            }
            let Ok(text) = str::from_utf8(text) else {
                return Some(Err(Failure::Row(line, Unusable::NotUtf8)));
            };
            return Some(match serde_json::from_str(text) {
                Ok(Value::Object(object)) => Ok((line, object)),
                Ok(_) => Err(Failure::Row(line, Unusable::NotAnObject)),
                Err(_) => Err(Failure::Row(line, Unusable::NotJson)),
            });
        }
    }
}

/// The value of a field, or of a field in a field.
fn take(object: &mut Map<String, Value>, name: &str) -> Option<Cell> {
    if let Some(value) = object.get_mut(name) {
        return cell(value);
    }
    let mut names = name.split('.');
    let mut value = object.get_mut(names.next()?)?;
    for name in names {
        value = value.get_mut(name)?;
    }
    cell(value)
}

fn cell(value: &mut Value) -> Option<Cell> {
    Some(match value {
        Value::Null => return None,
        // Two columns may be one.
        Value::String(text) => Cell::Text(text.clone()),
        Value::Bool(truth) => Cell::Plain(truth.to_string()),
        Value::Number(number) => Cell::Plain(plain(number.as_f64(), number.to_string())),
        Value::Array(_) | Value::Object(_) => Cell::Other,
    })
}

/// A number as text, whole ones without a point, so that `1` and `1.0` are one label.
pub(super) fn plain(number: Option<f64>, written: String) -> String {
    match number {
        Some(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        _ => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &'static str) -> Result<JsonLines, String> {
        JsonLines::open(Box::new(text.as_bytes()), "x.jsonl".to_owned())
            .map_err(|problem| problem.to_string())
    }

    #[test]
    fn values_become_cells() {
        let mut rows =
            rows("\n{\"t\":\"a\",\"l\":1.0,\"m\":{\"k\":true},\"n\":null,\"o\":[]}\n").unwrap();
        assert_eq!(rows.columns(), ["l", "m", "n", "o", "t"]);
        let wanted = ["t", "l", "m.k", "n", "o", "none"].map(str::to_owned);
        let record = rows.next(&wanted).unwrap().unwrap();
        assert_eq!(record.line, 2);
        let plain = |text: &str| Some(Cell::Plain(text.to_owned()));
        assert_eq!(
            record.cells,
            [
                Some(Cell::Text("a".to_owned())),
                plain("1"),
                plain("true"),
                None,
                Some(Cell::Other),
                None
            ]
        );
        assert!(rows.next(&wanted).is_none());
    }

    #[test]
    fn broken_rows_keep_their_line() {
        let mut rows = rows("oops\n{\"t\":1}\n[1]\n").unwrap();
        let mut kinds = Vec::new();
        while let Some(row) = rows.next(&["t".to_owned()]) {
            kinds.push(match row {
                Ok(record) => (record.line, None),
                Err(Failure::Row(line, why)) => (line, Some(why)),
                Err(Failure::Fatal(problem)) => panic!("{problem}"),
            });
        }
        assert_eq!(
            kinds,
            [
                (1, Some(Unusable::NotJson)),
                (2, None),
                (3, Some(Unusable::NotAnObject))
            ]
        );
        assert!(
            super::tests::rows("a\nb\n")
                .err()
                .unwrap()
                .contains("line 1 is no JSON")
        );
        assert!(super::tests::rows("\n\n").err().unwrap().contains("no row"));
    }
}
