use std::{
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use parquet::{
    errors::ParquetError,
    file::reader::{FileReader, SerializedFileReader},
    record::{Field, reader::RowIter},
    schema::types::Type,
};

use super::{
    jsonl::plain,
    source::{Cell, Failure, Record},
};
use crate::problem::Problem;

/// Rows of Apache Parquet; only the pages of columns that are asked for are read, piece by piece.
pub(super) struct ParquetRows {
    name: String,
    columns: Vec<String>,
    row: u64,
    state: State,
}

enum State {
    Opened(SerializedFileReader<File>),
    Reading(RowIter<'static>),
    Ended,
}

impl ParquetRows {
    /// Reads the footer.
    pub(super) fn open(file: File, name: &str) -> Result<Self, Problem> {
        let reader = guarded(|| {
            let reader = SerializedFileReader::new(file)?;
            // The iterator takes for granted that every group can be opened.
            for group in 0..reader.num_row_groups() {
                reader.get_row_group(group)?;
            }
            Ok(reader)
        })
        .map_err(|why| broken(name, &why))?;
        let schema = reader.metadata().file_metadata().schema();
        Ok(Self {
            name: name.to_owned(),
            columns: schema
                .get_fields()
                .iter()
                .map(|field| field.name().to_owned())
                .collect(),
            row: 0,
            state: State::Opened(reader),
        })
    }

    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    pub(super) fn next(&mut self, wanted: &[String]) -> Option<Result<Record, Failure>> {
        self.row += 1;
        let row = self.row;
        let state = std::mem::replace(&mut self.state, State::Ended);
        let read = guarded(|| {
            let mut rows = match state {
                State::Opened(reader) => rows_of(reader, wanted)?,
                State::Reading(rows) => rows,
                State::Ended => return Ok(None),
            };
            let next = rows.next().transpose()?;
            Ok(next.map(|next| (next, rows)))
        });
        match read {
            Ok(None) => None,
            Ok(Some((next, rows))) => {
                self.state = State::Reading(rows);
                let fields = next.into_columns();
                let cell_of = |name: &String| {
                    let (_, field) = fields.iter().find(|(column, _)| column == name)?;
                    cell(field)
                };
                Some(Ok(Record {
                    line: row,
                    cells: wanted.iter().map(cell_of).collect(),
                }))
            }
            Err(why) => {
                let problem = broken(&self.name, &format!("at row {row}: {why}"));
                Some(Err(Failure::Fatal(problem)))
            }
        }
    }
}

/// The rows, reduced to the `wanted` columns that there are.
fn rows_of(
    reader: SerializedFileReader<File>,
    wanted: &[String],
) -> Result<RowIter<'static>, ParquetError> {
    let schema = reader.metadata().file_metadata().schema();
    let fields = schema
        .get_fields()
        .iter()
        .filter(|field| wanted.iter().any(|name| name == field.name()))
        .map(Arc::clone)
        .collect();
    let projection = Type::group_type_builder(schema.name())
        .with_fields(fields)
        .build()?;
    RowIter::from_file_into(Box::new(reader)).project(Some(projection))
}

/// Runs the library's code on bytes that nobody vouches for; a panic in it is an error.
fn guarded<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("the file contradicts itself".to_owned()),
    }
}

fn broken(name: &str, why: &str) -> Problem {
    let problem = Problem::new(format!("`{name}` cannot be read as Parquet: {why}"));
    if why.contains("Disabled feature") {
        problem.help("write it with Snappy, Zstandard, LZ4, gzip, or no compression")
    } else {
        problem.help("was it written to its end?")
    }
}

fn cell(field: &Field) -> Option<Cell> {
    let number = |number: f64| Cell::Plain(plain(Some(number), number.to_string()));
    Some(match field {
        Field::Null => return None,
        Field::Str(text) => Cell::Text(text.clone()),
        // Some writers do not say that their bytes are text.
        Field::Bytes(bytes) => match str::from_utf8(bytes.data()) {
            Ok(text) => Cell::Text(text.to_owned()),
            Err(_) => Cell::Other,
        },
        Field::Bool(truth) => Cell::Plain(truth.to_string()),
        Field::Byte(value) => Cell::Plain(value.to_string()),
        Field::Short(value) => Cell::Plain(value.to_string()),
        Field::Int(value) => Cell::Plain(value.to_string()),
        Field::Long(value) => Cell::Plain(value.to_string()),
        Field::UByte(value) => Cell::Plain(value.to_string()),
        Field::UShort(value) => Cell::Plain(value.to_string()),
        Field::UInt(value) => Cell::Plain(value.to_string()),
        Field::ULong(value) => Cell::Plain(value.to_string()),
        Field::Float(value) => number(f64::from(*value)),
        Field::Double(value) => number(*value),
        _ => Cell::Other,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::{Seek, Write};

    use ::parquet::{
        data_type::{ByteArray, ByteArrayType, Int64Type},
        file::{properties::WriterProperties, writer::SerializedFileWriter},
        schema::parser::parse_message_type,
    };

    use super::*;

    /// A file with the columns `text` and `label`.
    pub(crate) fn file(rows: &[(Option<&str>, i64)]) -> File {
        let schema = "message rows { optional binary text (UTF8); required int64 label; }";
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let mut file = tempfile::tempfile().unwrap();
        let properties = Arc::new(WriterProperties::builder().build());
        let mut writer =
            SerializedFileWriter::new(file.try_clone().unwrap(), schema, properties).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let texts: Vec<ByteArray> = rows
            .iter()
            .filter_map(|(text, _)| Some(ByteArray::from(text.as_ref().copied()?)))
            .collect();
        let levels: Vec<i16> = rows
            .iter()
            .map(|(text, _)| i16::from(text.is_some()))
            .collect();
        let labels: Vec<i64> = rows.iter().map(|(_, label)| *label).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column
            .typed::<ByteArrayType>()
            .write_batch(&texts, Some(&levels), None)
            .unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column
            .typed::<Int64Type>()
            .write_batch(&labels, None, None)
            .unwrap();
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
        file.rewind().unwrap();
        file
    }

    #[test]
    fn rows_are_read_in_order() {
        let file = file(&[(Some("one"), 1), (None, 0), (Some("drei"), 2)]);
        let mut rows = ParquetRows::open(file, "x.parquet").unwrap();
        assert_eq!(rows.columns(), ["text", "label"]);
        let wanted = ["label", "text", "none"].map(str::to_owned);
        let mut read = Vec::new();
        while let Some(row) = rows.next(&wanted) {
            let Ok(row) = row else {
                panic!("a row is broken")
            };
            read.push((row.line, row.cells));
        }
        let label = |text: &str| Some(Cell::Plain(text.to_owned()));
        let text = |text: &str| Some(Cell::Text(text.to_owned()));
        assert_eq!(
            read,
            [
                (1, vec![label("1"), text("one"), None]),
                (2, vec![label("0"), None, None]),
                (3, vec![label("2"), text("drei"), None]),
            ]
        );
    }

    #[test]
    fn what_is_no_parquet_is_told() {
        let mut broken = tempfile::tempfile().unwrap();
        broken
            .write_all(b"PAR1 and then nothing more PAR1")
            .unwrap();
        broken.rewind().unwrap();
        let problem = ParquetRows::open(broken, "x.parquet").err().unwrap();
        assert!(
            problem
                .to_string()
                .starts_with("`x.parquet` cannot be read")
        );
    }
}
