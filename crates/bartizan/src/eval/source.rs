use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use super::{delimited::Delimited, jsonl::JsonLines};
use crate::{
    cli::InputFormat,
    input::{cannot_read, escaped},
    problem::Problem,
};

/// Most bytes of one row.
pub(super) const MAX_ROW_BYTES: usize = 16 << 20;

/// What a row holds in the columns that are asked for, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Where it begins: a line, or in Parquet a row, from 1.
    pub(super) line: u64,
    /// Values as text; `None` where there is none.
    pub(super) cells: Vec<Option<Cell>>,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// A text.
    Text(String),
    /// A number or a truth value, as text; whole numbers without a point.
    Plain(String),
    /// A list, an object, bytes: nothing that can be judged or is a label.
    Other,
}

/// Why a row could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Unusable {
    /// The line is no JSON.
    NotJson,
    /// The JSON is no object.
    NotAnObject,
    /// The row has more or fewer fields than there are columns.
    Fields,
    /// It is not UTF-8.
    NotUtf8,
    /// It has more than [`MAX_ROW_BYTES`].
    TooLong,
    /// The text is missing or no string.
    NoText,
    /// The label is missing or empty.
    NoLabel,
    /// The label is neither among the positive nor among the negative ones.
    UnknownLabel,
}

impl Unusable {
    /// What is wrong, for people.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NotJson => "no JSON",
            Self::NotAnObject => "JSON, but no object",
            Self::Fields => "more or fewer fields than the first line has columns",
            Self::NotUtf8 => "no UTF-8",
            Self::TooLong => "longer than 16 MiB",
            Self::NoText => "no text",
            Self::NoLabel => "no label",
            Self::UnknownLabel => "a label that is neither positive nor negative",
        }
    }

    /// What to do, for people.
    pub(crate) const fn help(self) -> Option<&'static str> {
        match self {
            Self::NoText => Some("`--text-column` names another column"),
            Self::NoLabel => Some("`--label-column` names another column"),
            Self::UnknownLabel => Some("name the labels with `--positive` and `--negative`"),
            Self::NotAnObject => Some("write one object a line, e.g. with `jq -c '.[]'`"),
            _ => None,
        }
    }
}

/// Why there is no next row.
#[derive(Debug)]
pub(super) enum Failure {
    /// This row cannot be used; there may be others.
    Row(u64, Unusable),
    /// The file cannot be read on.
    Fatal(Problem),
}

/// An opened file of rows.
pub(super) enum Source {
    Json(JsonLines),
    Delimited(Delimited),
    #[cfg(feature = "data")]
    Parquet(super::parquet::ParquetRows),
}

/// What is read from: a file or standard input.
pub(super) type Input = Box<dyn BufRead>;

impl Source {
    /// Opens a file, or standard input for `-`, and tells its format unless `format` does.
    pub(super) fn open(path: &Path, format: Option<InputFormat>) -> Result<Self, Problem> {
        let name = escaped(path);
        if path.as_os_str() == "-" {
            let mut input: Input = Box::new(BufReader::new(io::stdin().lock()));
            let format = match format {
                Some(format) => format,
                None => sniff(&name, path, start(&mut input, path)?)?,
            };
            return Self::read(input, path, format);
        }
        if path.is_dir() {
            return Err(Problem::new(format!("`{name}` is a folder"))
                .help("name the files in it, e.g. with `*` of your shell"));
        }
        let file = File::open(path).map_err(|error| cannot_read(path, &error))?;
        #[cfg(feature = "data")]
        let handle = file.try_clone();
        let mut input: Input = Box::new(BufReader::with_capacity(1 << 16, file));
        let format = match format {
            Some(format) => format,
            None => sniff(&name, path, start(&mut input, path)?)?,
        };
        #[cfg(feature = "data")]
        if format == InputFormat::Parquet {
            let file = handle.map_err(|error| cannot_read(path, &error))?;
            return super::parquet::ParquetRows::open(file, &name).map(Self::Parquet);
        }
        Self::read(input, path, format)
    }

    fn read(input: Input, path: &Path, format: InputFormat) -> Result<Self, Problem> {
        let name = escaped(path);
        match format {
            InputFormat::Jsonl => JsonLines::open(input, name).map(Self::Json),
            InputFormat::Csv => Delimited::open(input, name, b',').map(Self::Delimited),
            InputFormat::Tsv => Delimited::open(input, name, b'\t').map(Self::Delimited),
            InputFormat::Parquet if cfg!(feature = "data") => {
                Err(Problem::new("Parquet cannot be read from standard input")
                    .help("give the file by its name"))
            }
            InputFormat::Parquet => Err(Problem::new(format!(
                "`{name}` is Parquet, which this build cannot read"
            ))
            .help("build with the feature `data`, or write the rows as JSON Lines")),
        }
    }

    /// What it is.
    pub(super) const fn format(&self) -> InputFormat {
        match self {
            Self::Json(_) => InputFormat::Jsonl,
            Self::Delimited(rows) => rows.format(),
            #[cfg(feature = "data")]
            Self::Parquet(_) => InputFormat::Parquet,
        }
    }

    /// The names of its columns; of JSON Lines those of the first row.
    pub(super) fn columns(&self) -> &[String] {
        match self {
            Self::Json(rows) => rows.columns(),
            Self::Delimited(rows) => rows.columns(),
            #[cfg(feature = "data")]
            Self::Parquet(rows) => rows.columns(),
        }
    }

    /// The next row, reduced to the `wanted` columns, which are the same in every call.
    pub(super) fn next(&mut self, wanted: &[String]) -> Option<Result<Record, Failure>> {
        match self {
            Self::Json(rows) => rows.next(wanted),
            Self::Delimited(rows) => rows.next(wanted),
            #[cfg(feature = "data")]
            Self::Parquet(rows) => rows.next(wanted),
        }
    }
}

/// What stands at the start, without taking it.
fn start<'i>(input: &'i mut Input, path: &Path) -> Result<&'i [u8], Problem> {
    input.fill_buf().map_err(|error| cannot_read(path, &error))
}

/// The format, told from the start of the content and the name.
fn sniff(name: &str, path: &Path, start: &[u8]) -> Result<InputFormat, Problem> {
    const PACKED: [(&[u8], &str); 3] = [
        (b"\x1f\x8b", "gzip -dc"),
        (b"\x28\xb5\x2f\xfd", "zstd -dc"),
        (b"BZh", "bzip2 -dc"),
    ];
    if start.starts_with(b"PAR1") {
        return Ok(InputFormat::Parquet);
    }
    for (magic, command) in PACKED {
        if start.starts_with(magic) {
            return Err(Problem::new(format!("`{name}` is compressed"))
                .help(format!("`{command} {name} | bartizan eval -`")));
        }
    }
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let extension = path.extension().and_then(|extension| extension.to_str());
    let extension = extension.unwrap_or_default().to_ascii_lowercase();
    match text.trim_ascii_start().first() {
        None => Err(Problem::new(format!("`{name}` is empty"))),
        Some(b'{') => Ok(InputFormat::Jsonl),
        Some(b'[') if extension != "csv" && extension != "tsv" => Err(Problem::new(format!(
            "`{name}` is one JSON array"
        ))
        .help(format!(
            "`jq -c '.[]' {name} | bartizan eval -` gives an object a line"
        ))),
        Some(_) if extension == "jsonl" || extension == "ndjson" || extension == "json" => {
            Ok(InputFormat::Jsonl)
        }
        Some(_) => {
            let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
            let tabs = extension == "tsv" || (line.contains(&b'\t') && !line.contains(&b','));
            Ok(if tabs {
                InputFormat::Tsv
            } else {
                InputFormat::Csv
            })
        }
    }
}

/// Reads a line without its end into `line`; says whether there was one and whether it fits. The
/// rest of a line that does not fit is skipped.
pub(super) fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    line.clear();
    let most = MAX_ROW_BYTES as u64 + 1;
    if input.by_ref().take(most).read_until(b'\n', line)? == 0 {
        return Ok(None);
    }
    let is_whole = line.ends_with(b"\n") || line.len() <= MAX_ROW_BYTES;
    if !is_whole {
        line.clear();
        input.skip_until(b'\n')?;
        return Ok(Some(false));
    }
    if line.ends_with(b"\n") {
        line.pop();
    }
    if line.ends_with(b"\r") {
        line.pop();
    }
    Ok(Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, start: &[u8]) -> Result<InputFormat, String> {
        sniff(name, Path::new(name), start).map_err(|problem| problem.to_string())
    }

    #[test]
    fn formats_are_told_from_content_and_name() {
        assert_eq!(told("a", b" {\"text\":1}"), Ok(InputFormat::Jsonl));
        assert_eq!(
            told("a.csv", b"\xef\xbb\xbftext,label\n"),
            Ok(InputFormat::Csv)
        );
        assert_eq!(told("a.txt", b"text\tlabel\n"), Ok(InputFormat::Tsv));
        assert_eq!(told("a.csv", b"[x],label\n"), Ok(InputFormat::Csv));
        assert_eq!(told("x", b"PAR1\x15"), Ok(InputFormat::Parquet));
        assert!(told("a.json", b"[{").unwrap_err().contains("array"));
        assert!(
            told("a.jsonl.gz", b"\x1f\x8b\x08")
                .unwrap_err()
                .contains("compressed")
        );
        assert!(told("a", b"").unwrap_err().contains("empty"));
    }

    #[test]
    fn a_long_line_is_skipped_and_not_kept() {
        let mut text = vec![b'x'; MAX_ROW_BYTES + 5];
        text.extend_from_slice(b"\r\nnext\r\nlast");
        let mut input = text.as_slice();
        let mut line = Vec::new();
        assert_eq!(read_line(&mut input, &mut line).unwrap(), Some(false));
        assert_eq!(read_line(&mut input, &mut line).unwrap(), Some(true));
        assert_eq!(line, b"next");
        assert_eq!(read_line(&mut input, &mut line).unwrap(), Some(true));
        assert_eq!(line, b"last");
        assert_eq!(read_line(&mut input, &mut line).unwrap(), None);
    }
}
