use std::{
    cell::Cell as Counter,
    io::{self, Read},
    rc::Rc,
};

use super::source::{Cell, Failure, Input, MAX_ROW_BYTES, Record, Unusable};
use crate::{cli::InputFormat, problem::Problem};

/// Rows of CSV (RFC 4180) or of tab-separated values, with names of columns in the first line.
pub(super) struct Delimited {
    reader: csv::Reader<Bounded>,
    left: Rc<Counter<usize>>,
    name: String,
    columns: Vec<String>,
    delimiter: u8,
    record: csv::ByteRecord,
}

impl Delimited {
    /// Reads the first line.
    pub(super) fn open(input: Input, name: String, delimiter: u8) -> Result<Self, Problem> {
        let left = Rc::new(Counter::new(MAX_ROW_BYTES));
        let bounded = Bounded {
            input,
            left: Rc::clone(&left),
        };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .from_reader(bounded);
        let headers = reader.byte_headers().map_err(|error| {
            let why = said(&error).unwrap_or_else(|| "is no table".to_owned());
            Problem::new(format!("the first line of `{name}` {why}"))
        })?;
        let headers: Option<Vec<String>> = headers
            .iter()
            .map(|header| Some(str::from_utf8(header).ok()?.trim().to_owned()))
            .collect();
        let columns = headers
            .filter(|columns| !columns.is_empty())
            .ok_or_else(|| {
                Problem::new(format!(
                    "`{name}` has no names of columns in its first line"
                ))
                .help("write the file as UTF-8, with the names in the first line")
            })?;
        Ok(Self {
            reader,
            left,
            name,
            columns,
            delimiter,
            record: csv::ByteRecord::new(),
        })
    }

    pub(super) const fn format(&self) -> InputFormat {
        if self.delimiter == b'\t' {
            InputFormat::Tsv
        } else {
            InputFormat::Csv
        }
    }

    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    pub(super) fn next(&mut self, wanted: &[String]) -> Option<Result<Record, Failure>> {
        self.left.set(MAX_ROW_BYTES);
        let line = self.reader.position().line();
        match self.reader.read_byte_record(&mut self.record) {
            Ok(false) => return None,
            Ok(true) => {}
            Err(error) if matches!(error.kind(), csv::ErrorKind::UnequalLengths { .. }) => {
                let line = error.position().map_or(line, csv::Position::line);
                return Some(Err(Failure::Row(line, Unusable::Fields)));
            }
            Err(error) => {
                let why = said(&error).unwrap_or_else(|| error.to_string());
                let message = format!("`{}` from line {line} on {why}", self.name);
                return Some(Err(Failure::Fatal(Problem::new(message))));
            }
        }
        let line = self.record.position().map_or(line, csv::Position::line);
        let mut cells = Vec::with_capacity(wanted.len());
        for name in wanted {
            let column = self.columns.iter().position(|column| column == name);
            let Some(bytes) = column.and_then(|column| self.record.get(column)) else {
                cells.push(None);
                continue;
            };
            let Ok(text) = str::from_utf8(bytes) else {
                return Some(Err(Failure::Row(line, Unusable::NotUtf8)));
            };
            cells.push(Some(Cell::Text(text.to_owned())));
        }
        Some(Ok(Record { line, cells }))
    }
}

/// What a reader says of a row that has no end, or of a file that cannot be read.
fn said(error: &csv::Error) -> Option<String> {
    match error.kind() {
        csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            Some("is longer than 16 MiB; is a quote left open?".to_owned())
        }
        csv::ErrorKind::Io(error) => Some(format!("cannot be read: {error}")),
        _ => None,
    }
}

/// Gives so many bytes and no more, until it is given leave again: a quote that is never closed
/// does not fill the memory.
struct Bounded {
    input: Input,
    left: Rc<Counter<usize>>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let most = buffer.len().min(left);
        let read = self
            .input
            .read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left.set(left - read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: impl Into<Vec<u8>>) -> Delimited {
        let input: Input = Box::new(io::Cursor::new(text.into()));
        Delimited::open(input, "x.csv".to_owned(), b',').unwrap()
    }

    #[test]
    fn quotes_and_lines_are_understood() {
        let mut rows = rows("text, label\n\"two\nlines, \"\"q\"\"\",1\nplain,0\n");
        assert_eq!(rows.columns(), ["text", "label"]);
        let wanted = ["label", "text", "none"].map(str::to_owned);
        let first = rows.next(&wanted).unwrap().unwrap();
        let text = |text: &str| Some(Cell::Text(text.to_owned()));
        assert_eq!(first.line, 2);
        assert_eq!(first.cells, [text("1"), text("two\nlines, \"q\""), None]);
        assert_eq!(rows.next(&wanted).unwrap().unwrap().line, 4);
        assert!(rows.next(&wanted).is_none());
    }

    #[test]
    fn broken_rows_do_not_end_the_file() {
        let mut rows = rows(b"text,label\na\nb\xff,1\nc,1\n".to_vec());
        let wanted = ["text".to_owned()];
        let mut lines = Vec::new();
        while let Some(row) = rows.next(&wanted) {
            lines.push(match row {
                Ok(record) => (record.line, None),
                Err(Failure::Row(line, why)) => (line, Some(why)),
                Err(Failure::Fatal(problem)) => panic!("{problem}"),
            });
        }
        assert_eq!(
            lines,
            [
                (2, Some(Unusable::Fields)),
                (3, Some(Unusable::NotUtf8)),
                (4, None)
            ]
        );
    }

    #[test]
    fn an_open_quote_does_not_fill_the_memory() {
        let mut text = b"text,label\n\"".to_vec();
        text.resize(MAX_ROW_BYTES + (1 << 20), b'x');
        let mut rows = rows(text);
        let Some(Err(Failure::Fatal(problem))) = rows.next(&["text".to_owned()]) else {
            panic!("a row without end was read")
        };
        assert!(problem.to_string().contains("line 2"), "{problem}");
    }
}
