use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use super::{
    columns::{Columns, LabelRule, listed},
    source::{Cell, Failure, Source, Unusable},
};
use crate::{
    cli::{Eval, InputFormat},
    input::escaped,
    problem::{Problem, nearest},
    render::human::plural,
};

/// A labelled text.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Number of its file.
    pub(crate) file: u32,
    /// Where it begins there: a line, or in Parquet a row, from 1.
    pub(crate) line: u64,
    /// What the file calls it.
    pub(crate) id: Option<String>,
    pub(crate) text: String,
    /// Whether it should be caught.
    pub(crate) is_positive: bool,
    /// Its value in each dimension.
    pub(crate) groups: Box<[u32]>,
}

/// A file, as far as it was read.
#[derive(Clone, Debug)]
pub(crate) struct FileInfo {
    pub(crate) name: String,
    pub(crate) format: InputFormat,
    pub(crate) columns: (String, String, Option<String>),
    /// Rows that could be used.
    pub(crate) rows: u64,
    /// Rows that could not.
    pub(crate) unusable: u64,
}

/// Rows that could not be used for one reason.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lost {
    pub(crate) rows: u64,
    /// The first of them: number of the file, line.
    pub(crate) first: Vec<(u32, u64)>,
}

/// Places that are kept of rows that could not be used.
const PLACES: usize = 5;

/// The rows of some files, one after the other.
pub(crate) struct Rows<'a> {
    arguments: &'a Eval,
    labels: LabelRule,
    waiting: std::vec::IntoIter<PathBuf>,
    current: Option<Current>,
    /// Every file that was opened.
    pub(crate) files: Vec<FileInfo>,
    /// Rows that could not be used, by reason.
    pub(crate) lost: BTreeMap<Unusable, Lost>,
    /// What rows are grouped by; the first is the label.
    pub(crate) dimensions: Dimensions,
}

struct Current {
    source: Source,
    /// Text, label, id, and the aliases of the dimensions.
    wanted: Vec<String>,
    has_id: bool,
}

impl<'a> Rows<'a> {
    /// Rows of the files that the arguments name.
    pub(crate) fn new(arguments: &'a Eval) -> Result<Self, Problem> {
        let mut names: Vec<&PathBuf> = arguments.files.iter().collect();
        names.sort();
        if let Some(twice) = names.windows(2).find_map(|pair| match pair {
            [a, b] if a == b => Some(*a),
            _ => None,
        }) {
            return Err(Problem::new(format!("`{}` is given twice", escaped(twice)))
                .help("each row would count twice"));
        }
        Ok(Self {
            arguments,
            labels: LabelRule::new(arguments)?,
            waiting: arguments.files.clone().into_iter(),
            current: None,
            files: Vec::new(),
            lost: BTreeMap::new(),
            dimensions: Dimensions::new(arguments),
        })
    }

    /// Rows that could not be used.
    pub(crate) fn unusable(&self) -> u64 {
        self.lost.values().map(|lost| lost.rows).sum()
    }

    /// What to say if no row could be used.
    pub(crate) fn nothing(&self) -> Problem {
        let worst = self.lost.iter().max_by_key(|(_, lost)| lost.rows);
        let Some((why, lost)) = worst else {
            return Problem::new("there are no rows").help("is this the right file?");
        };
        let rows = usize::try_from(self.unusable()).unwrap_or(usize::MAX);
        let first = lost.first.first().map(|place| self.place(*place));
        let message = format!(
            "none of {rows} {} can be used: {} {} {}, first at {}",
            plural(rows, "row"),
            lost.rows,
            if lost.rows == 1 { "has" } else { "have" },
            why.as_str(),
            first.unwrap_or_default()
        );
        let problem = Problem::new(message);
        match why.help() {
            Some(help) => problem.help(help),
            None => problem,
        }
    }

    /// A place, for people.
    pub(crate) fn place(&self, (file, line): (u32, u64)) -> String {
        let name = self.files.get(file as usize).map_or("", |file| &file.name);
        format!("{name}:{line}")
    }

    fn open(&mut self, path: &Path) -> Result<Current, Problem> {
        let source = Source::open(path, self.arguments.input_format)?;
        let name = if path.as_os_str() == "-" {
            "stdin".to_owned()
        } else {
            escaped(path)
        };
        let columns = Columns::find(self.arguments, &name, source.columns())?;
        self.dimensions.see(&name, &source)?;
        let mut wanted = vec![columns.text.clone(), columns.label.clone()];
        wanted.extend(columns.id.clone());
        wanted.extend(self.dimensions.columns());
        self.files.push(FileInfo {
            name,
            format: source.format(),
            columns: (columns.text, columns.label, columns.id.clone()),
            rows: 0,
            unusable: 0,
        });
        Ok(Current {
            source,
            wanted,
            has_id: columns.id.is_some(),
        })
    }

    fn lose(&mut self, line: u64, why: Unusable) {
        let file = u32::try_from(self.files.len().saturating_sub(1)).unwrap_or(u32::MAX);
        if let Some(info) = self.files.last_mut() {
            info.unusable += 1;
        }
        let lost = self.lost.entry(why).or_default();
        lost.rows += 1;
        if lost.first.len() < PLACES {
            lost.first.push((file, line));
        }
    }

    fn row(&mut self, line: u64, cells: Vec<Option<Cell>>, has_id: bool) -> Result<Row, Unusable> {
        let mut cells = cells.into_iter();
        let mut next = || cells.next().flatten();
        let Some(Cell::Text(text)) = next() else {
            return Err(Unusable::NoText);
        };
        let label = match next() {
            Some(Cell::Text(label) | Cell::Plain(label)) if !label.trim().is_empty() => label,
            _ => return Err(Unusable::NoLabel),
        };
        let is_positive = self
            .labels
            .is_positive(&label)
            .ok_or(Unusable::UnknownLabel)?;
        let id = if has_id {
            match next() {
                Some(Cell::Text(id) | Cell::Plain(id)) => Some(id),
                _ => None,
            }
        } else {
            None
        };
        let file = self.files.len().saturating_sub(1);
        let name = self.files.get(file).map_or("", |file| &file.name);
        let groups = self.dimensions.groups(&label, name, cells.by_ref());
        if let Some(info) = self.files.last_mut() {
            info.rows += 1;
        }
        Ok(Row {
            file: u32::try_from(file).unwrap_or(u32::MAX),
            line,
            id,
            text,
            is_positive,
            groups,
        })
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut current = match self.current.take() {
                Some(current) => current,
                None => {
                    let path = self.waiting.next()?;
                    match self.open(&path) {
                        Ok(current) => current,
                        Err(problem) => return Some(Err(problem)),
                    }
                }
            };
            match current.source.next(&current.wanted) {
                None => {}
                Some(Err(Failure::Fatal(problem))) => return Some(Err(problem)),
                Some(Err(Failure::Row(line, why))) => {
                    self.current = Some(current);
                    self.lose(line, why);
                }
                Some(Ok(record)) => {
                    let row = self.row(record.line, record.cells, current.has_id);
                    self.current = Some(current);
                    match row {
                        Ok(row) => return Some(Ok(row)),
                        Err(why) => self.lose(record.line, why),
                    }
                }
            }
        }
    }
}

/// What rows are grouped by.
#[derive(Clone, Debug)]
pub(crate) struct Dimensions {
    all: Vec<Dimension>,
    seen_columns: Vec<String>,
}

/// One column that rows are grouped by.
#[derive(Clone, Debug)]
pub(crate) struct Dimension {
    pub(crate) name: String,
    /// Whether the arguments ask for it.
    pub(crate) is_asked: bool,
    /// Columns that it can be, likeliest first; empty for the label and the file.
    aliases: Vec<String>,
    /// Values by number.
    pub(crate) values: Vec<String>,
    numbers: HashMap<String, u32>,
}

/// Values of a column that are told apart; further ones are counted together.
const MAX_VALUES: usize = 1_000;

/// Stands for the values beyond [`MAX_VALUES`].
const OTHERS: &str = "(others)";

/// Stands for a row without a value.
const NONE: &str = "(none)";

impl Dimensions {
    fn new(arguments: &Eval) -> Self {
        let dimension = |name: &str, is_asked, aliases: &[&str]| Dimension {
            name: name.to_owned(),
            is_asked,
            aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
            values: Vec::new(),
            numbers: HashMap::new(),
        };
        let mut all = vec![dimension("label", true, &[])];
        for name in &arguments.by {
            match name.as_str() {
                "label" => {}
                "file" => all.push(dimension("file", true, &[])),
                name => all.push(dimension(name, true, &[name])),
            }
        }
        if arguments.by.is_empty() {
            if arguments.files.len() > 1 {
                all.push(dimension("file", false, &[]));
            }
            let sources = ["source", "set", "dataset", "subset"];
            all.push(dimension("source", false, &sources));
            all.push(dimension("lang", false, &["lang", "language", "locale"]));
        }
        Self {
            all,
            seen_columns: Vec::new(),
        }
    }

    /// The dimensions; the first is the label.
    pub(crate) fn all(&self) -> &[Dimension] {
        &self.all
    }

    /// Notes what columns a file has; those of tables are all there are.
    fn see(&mut self, file: &str, source: &Source) -> Result<(), Problem> {
        let columns = source.columns();
        self.seen_columns.extend_from_slice(columns);
        let is_whole =
            source.format() != InputFormat::Jsonl && self.seen_columns.len() == columns.len();
        if !is_whole {
            return Ok(());
        }
        let lacks = |dimension: &&Dimension| {
            dimension.is_asked
                && !dimension.aliases.is_empty()
                && !dimension
                    .aliases
                    .iter()
                    .any(|alias| columns.contains(alias))
        };
        match self.all.iter().find(lacks) {
            Some(dimension) => {
                let message = format!("`{file}` has no column `{}`", dimension.name);
                Err(self.unknown(dimension, message))
            }
            None => Ok(()),
        }
    }

    /// Says if no row had a value in a dimension that was asked for.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        let is_empty = |dimension: &&Dimension| {
            dimension.is_asked && dimension.values.iter().all(|value| value == NONE)
        };
        match self.all.iter().find(is_empty) {
            Some(dimension) => {
                let message = format!("no row has a value in `{}`", dimension.name);
                Err(self.unknown(dimension, message))
            }
            None => Ok(()),
        }
    }

    fn unknown(&self, dimension: &Dimension, message: String) -> Problem {
        let mut columns = self.seen_columns.clone();
        columns.sort();
        columns.dedup();
        let problem = Problem::new(message);
        match nearest(&dimension.name, columns.iter().map(String::as_str)) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help(format!("there are {}", listed(&columns))),
        }
    }

    /// The columns to read.
    fn columns(&self) -> impl Iterator<Item = String> {
        self.all
            .iter()
            .flat_map(|dimension| dimension.aliases.clone())
    }

    /// The numbers of a row's values; `cells` are those of [`Self::columns`].
    fn groups(
        &mut self,
        label: &str,
        file: &str,
        mut cells: impl Iterator<Item = Option<Cell>>,
    ) -> Box<[u32]> {
        self.all
            .iter_mut()
            .map(|dimension| {
                let mut value = None;
                for _ in &dimension.aliases {
                    let cell = cells.next().flatten();
                    if let (None, Some(Cell::Text(text) | Cell::Plain(text))) = (&value, cell) {
                        value = Some(text);
                    }
                }
                match dimension.name.as_str() {
                    "label" => dimension.number(label.trim()),
                    "file" => dimension.number(file),
                    _ => dimension.number(value.as_deref().unwrap_or(NONE)),
                }
            })
            .collect()
    }
}

impl Dimension {
    fn number(&mut self, value: &str) -> u32 {
        if let Some(&number) = self.numbers.get(value) {
            return number;
        }
        // A column of texts, taken for one of kinds, does not fill the memory.
        const MAX_BYTES: usize = 200;
        let value = if self.values.len() >= MAX_VALUES || value.len() > MAX_BYTES {
            OTHERS
        } else {
            value
        };
        if let Some(&number) = self.numbers.get(value) {
            return number;
        }
        let number = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.values.push(value.to_owned());
        self.numbers.insert(value.to_owned(), number);
        number
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn read(arguments: &[&str], files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let mut all = vec!["bartizan".to_owned(), "eval".to_owned()];
        for (name, content) in files {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            all.push(path.display().to_string());
        }
        all.extend(arguments.iter().map(|&argument| argument.to_owned()));
        let Some(Command::Eval(eval)) = Cli::try_parse_from(all).unwrap().command else {
            panic!("another command")
        };
        let mut rows = Rows::new(&eval).unwrap();
        let mut read = Vec::new();
        while let Some(row) = rows.next() {
            let row = match row {
                Ok(row) => row,
                Err(problem) => {
                    let said = problem.to_string();
                    return (
                        read,
                        vec![said.replace(&folder.path().display().to_string(), "")],
                    );
                }
            };
            let groups: Vec<&str> = rows
                .dimensions
                .all()
                .iter()
                .zip(&row.groups)
                .map(|(dimension, &number)| dimension.values[number as usize].as_str())
                .map(|value| value.rsplit('/').next().unwrap())
                .collect();
            read.push(format!(
                "{}:{} {:?} {} {} {}",
                row.file,
                row.line,
                row.id,
                row.text,
                row.is_positive,
                groups.join("/")
            ));
        }
        let lost = rows
            .lost
            .iter()
            .map(|(why, lost)| format!("{why:?} {} {:?}", lost.rows, lost.first));
        let mut lost: Vec<String> = lost.collect();
        lost.extend(
            rows.dimensions
                .check()
                .err()
                .map(|problem| problem.to_string()),
        );
        (read, lost)
    }

    #[test]
    fn files_of_several_formats_are_read_one_after_the_other() {
        let (rows, lost) = read(
            &[],
            &[
                (
                    "a.jsonl",
                    "{\"text\":\"x\",\"label\":\"injection\",\"source\":\"s\",\"id\":7}\n{\"text\":\"y\",\"label\":\"odd\"}\n{\"label\":\"benign\"}\n",
                ),
                ("b.csv", "prompt,label,set,language\nz,0,t,de\nw,,t,de\n"),
            ],
        );
        assert_eq!(
            rows,
            [
                "0:1 Some(\"7\") x true injection/a.jsonl/s/(none)",
                "1:2 None z false 0/b.csv/t/de"
            ]
        );
        assert_eq!(
            lost,
            [
                "NoText 1 [(0, 3)]",
                "NoLabel 1 [(1, 3)]",
                "UnknownLabel 1 [(0, 2)]"
            ]
        );
    }

    #[test]
    fn any_column_can_be_asked_for() {
        let file =
            "{\"text\":\"x\",\"label\":1,\"variant\":\"hex\"}\n{\"text\":\"y\",\"label\":0}\n";
        let (rows, lost) = read(&["--by", "variant"], &[("a.jsonl", file)]);
        assert_eq!(rows, ["0:1 None x true 1/hex", "0:2 None y false 0/(none)"]);
        assert!(lost.is_empty());
        let (_, lost) = read(&["--by", "varient"], &[("a.jsonl", file)]);
        assert_eq!(lost, ["no row has a value in `varient`"]);
        let (_, lost) = read(&["--by", "nothing"], &[("a.csv", "text,label\nx,1\n")]);
        assert_eq!(lost, ["`/a.csv` has no column `nothing`"]);
    }

    #[test]
    fn a_column_of_texts_does_not_fill_the_memory() {
        let mut dimension = Dimension {
            name: "x".to_owned(),
            is_asked: true,
            aliases: Vec::new(),
            values: Vec::new(),
            numbers: HashMap::new(),
        };
        let numbers: Vec<u32> = (0..5_000)
            .map(|n| dimension.number(&n.to_string()))
            .collect();
        assert_eq!(dimension.values.len(), MAX_VALUES + 1);
        assert_eq!(numbers[4_999], numbers[1_000]);
        assert_eq!(dimension.number(&"x".repeat(300)), numbers[1_000]);
    }
}
